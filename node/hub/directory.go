package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

// fresh is how long the agencies are used before the store is asked whether
// another node has changed them.
const fresh = 2 * time.Second

// maxMoves is how many moves of a mailbox are followed.
const maxMoves = 16

// directory is who can be reached from here, at one moment. Nobody changes it.
type directory struct {
	mark     string // of the value changedName
	agencies map[string]*Agency
	spoken   map[string]*Agency // by the organs that an agency speaks for
	// former lists, for an agency, those whose mailboxes it has taken over.
	former map[string][]string
}

// directory returns the agencies, read anew when they have changed.
func (h *Hub) directory(ctx context.Context) (*directory, error) {
	h.mu.Lock()
	d, asked := h.known, h.asked
	h.mu.Unlock()
	if d != nil && time.Since(asked) < fresh {
		return d, nil
	}
	mark, err := h.node.Store.Value(ctx, changedName)
	if err != nil {
		return nil, err
	}
	if d == nil || d.mark != string(mark) {
		agencies, err := readAgencies(ctx, h.node.Store)
		if err != nil {
			return nil, err
		}
		d = newDirectory(string(mark), agencies)
	}
	h.mu.Lock()
	h.known, h.asked = d, time.Now()
	h.mu.Unlock()
	return d, nil
}

func newDirectory(mark string, agencies map[string]*Agency) *directory {
	d := &directory{mark: mark, agencies: agencies, spoken: map[string]*Agency{}, former: map[string][]string{}}
	for id, a := range agencies {
		for at, n := a, 0; at != nil && at.MovedTo != "" && n < maxMoves; n++ {
			d.former[at.MovedTo] = append(d.former[at.MovedTo], id)
			at = agencies[at.MovedTo]
		}
		for _, s := range a.Speaks {
			if other := d.spoken[s]; other == nil || other.OrganID > id { // the same one on every node
				d.spoken[s] = a
			}
		}
	}
	return d
}

// forget makes the next look ask the store.
func (h *Hub) forget() {
	h.mu.Lock()
	h.asked = time.Time{}
	h.mu.Unlock()
}

// hosted returns the agency with this identifier, of either generation: both
// lead to one mailbox.
func (d *directory) hosted(id string) *Agency { return either(d.agencies, id) }

// owner returns the agency that has the mail of an organ: itself, or the one
// that speaks for it.
func (d *directory) owner(id string) *Agency {
	if a := d.hosted(id); a != nil {
		return a
	}
	return either(d.spoken, id)
}

// either looks an identifier up in both of its forms.
func either(all map[string]*Agency, id string) *Agency {
	if a := all[id]; a != nil {
		return a
	}
	if other, ok := organ.ID(id).Counterpart(); ok {
		return all[string(other)]
	}
	return nil
}

// mailbox follows moves to the agency that has the mailbox now.
func (d *directory) mailbox(a *Agency) *Agency {
	for n := 0; a.MovedTo != "" && n < maxMoves; n++ {
		next := d.agencies[a.MovedTo]
		if next == nil {
			break
		}
		a = next
	}
	return a
}

// mailboxes returns the agencies whose mail one may collect: itself, and those
// that have moved to it.
func (d *directory) mailboxes(a *Agency) []string {
	return append([]string{a.OrganID}, d.former[a.OrganID]...)
}

// place is where a receiver is.
type place struct {
	agency   *Agency // hosted here; nil when it is upstream
	upstream bool
	// warning is the register's word about a code that was closed or merged; of
	// a receiver that is nowhere, its name with the reason, if there is one.
	warning edxml.Text
}

// resolve finds out where a receiver is. It is nowhere when it is neither
// hosted here nor, as far as is known, upstream. What the register says of a
// closed code is a warning, wherever the receiver is.
func (h *Hub) resolve(d *directory, upstream known, id string, at time.Time) place {
	entry, listed := organ.Lookup(organ.ID(id), at)
	closed := closedText(entry, listed && entry.Closed(at))
	add := func(p place, vi, en string) place {
		if closed.EN != "" && p.warning.EN == "" {
			p.warning = edxml.Text{VI: "mã " + closed.VI + vi, EN: "code " + closed.EN + en}
		}
		return p
	}
	if p, ok := d.here(id, at); ok {
		return add(p, "; hộp thư vẫn ở đây", "; its mailbox is still here")
	}
	// a level-1 code that was merged: its successor, if that is hosted here
	if into := string(entry.MergedInto); closed.EN != "" && into != "" && (id == entry.Code || isRootOf(id, entry.Code)) {
		if p, ok := d.here(into, at); ok {
			p.warning = edxml.Text{}
			return add(p, ": văn bản chuyển tới "+p.agency.OrganID, ": the document goes to "+p.agency.OrganID)
		}
	}
	if upstream != nil && upstream(id) {
		return add(place{upstream: true}, "; trục trên vẫn nhận", "; the upstream axis still takes it")
	}
	nowhere := place{warning: edxml.Text{VI: id, EN: id}}
	switch a := d.owner(id); {
	case closed.EN != "":
		nowhere.warning = edxml.Text{VI: id + " (mã " + closed.VI + ")", EN: id + " (code " + closed.EN + ")"}
	case a != nil:
		day := d.mailbox(a).Closed.In(edxml.Vietnam).Format(time.DateOnly)
		nowhere.warning = edxml.Text{VI: id + " (đã đóng ở trục này ngày " + day + ")", EN: id + " (closed on this hub on " + day + ")"}
	}
	return nowhere
}

// closedText says that a code was closed, nothing of one that was not.
func closedText(e organ.Entry, closed bool) edxml.Text {
	switch {
	case !closed:
		return edxml.Text{}
	case e.MergedInto == "":
		return edxml.Text{VI: e.Code + " đã đóng", EN: e.Code + " is closed"}
	}
	return edxml.Text{VI: fmt.Sprintf("%s đã đóng, nhập vào %s", e.Code, e.MergedInto), EN: fmt.Sprintf("%s is closed and merged into %s", e.Code, e.MergedInto)}
}

// here finds the mailbox of a receiver that is hosted here.
func (d *directory) here(id string, at time.Time) (place, bool) {
	a := d.owner(id)
	if a == nil {
		return place{}, false
	}
	to := d.mailbox(a)
	if to.closed(at) {
		return place{}, false
	}
	p := place{agency: to}
	if to != a {
		p.warning = edxml.Text{
			VI: fmt.Sprintf("%s đã chuyển về %s", id, to.OrganID),
			EN: fmt.Sprintf("%s has moved to %s", id, to.OrganID),
		}
	}
	return p, true
}

// isRootOf reports whether an identifier of the first generation is the level-1
// body of a code.
func isRootOf(id, code string) bool {
	other, ok := organ.ID(id).Counterpart()
	return ok && string(other) == code
}

// known tells whether the upstream axis knows an organ.
type known func(id string) bool
