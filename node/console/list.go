package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

const (
	perPage = 50   // Transfers on a page
	batch   = 200  // Transfers read at once where some do not fit
	maxScan = 2000 // Transfers looked at for one page; further ones are for the next
	maxAsk  = 300  // octets of one field of the search
)

// filter is what a list is narrowed to.
type filter struct {
	Q      string // words of số/ký hiệu, trích yếu, DocumentId
	Agency string // words of an agency's name, or its identifier
	From   string // first day, yyyy-mm-dd
	To     string // last day
	State  node.State

	before, after string
	words, agency []string
	from, until   time.Time // zero: unbounded
}

// Any reports whether there is anything to narrow to.
func (f *filter) Any() bool { return f.Q+f.Agency+f.From+f.To+string(f.State) != "" }

// picky reports whether what the store finds has to be looked through.
func (f *filter) picky() bool { return len(f.agency) > 0 || !f.from.IsZero() || f.State != "" }

// readFilter reads the fields of the search; what is not readable is left out,
// and named.
func readFilter(r *http.Request, d node.Direction) (f *filter, wrong edxml.Text) {
	field := func(name string) string {
		v := strings.ToValidUTF8(strings.TrimSpace(r.FormValue(name)), "")
		for len(v) > maxAsk {
			v = strings.ToValidUTF8(v[:maxAsk], "")
		}
		return v
	}
	f = &filter{Q: field("q"), Agency: field("agency"), From: field("from"), To: field("to"), before: field("before"), after: field("after")}
	if s := node.State(field("state")); slices.Contains(boxStates[d], s) {
		f.State = s
	}
	f.agency = node.Words(f.Agency)
	f.words = append(node.Words(f.Q), f.agency...)
	for _, day := range []struct {
		text *string
		into *time.Time
		add  int
	}{{&f.From, &f.from, 0}, {&f.To, &f.until, 1}} {
		if *day.text == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, *day.text, edxml.Vietnam)
		if err != nil || at.Year() < 1970 || at.Year() > 9999 {
			wrong = edxml.Text{VI: "Ngày không đọc được: " + *day.text, EN: "This is no date: " + *day.text}
			*day.text = ""
			continue
		}
		*day.into = at.AddDate(0, 0, day.add)
	}
	return f, wrong
}

// link is the address of this list, with some fields changed.
func (f *filter) link(path string, more ...string) string {
	q := url.Values{}
	for name, v := range map[string]string{"q": f.Q, "agency": f.Agency, "from": f.From, "to": f.To, "state": string(f.State)} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// fits reports whether a Transfer that has the words also fits the rest.
func (f *filter) fits(t *node.Transfer) bool {
	if f.State != "" && t.State != f.State || !f.from.IsZero() && t.Created.Before(f.from) || !f.until.IsZero() && !t.Created.Before(f.until) {
		return false
	}
	if len(f.agency) == 0 {
		return true
	}
	var names strings.Builder
	names.WriteString(t.From + " " + t.FromName)
	for _, r := range t.Receivers {
		names.WriteString(" " + r.OrganID + " " + r.OrganName)
	}
	have := node.Words(names.String())
	for _, a := range f.agency {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, a) }) {
			return false
		}
	}
	return true
}

// found is a page of a list.
type found struct {
	Transfers []*node.Transfer
	Oldest    bool   // the oldest come first
	next      string // where the next page begins, "" when there is none
	cut       bool   // it ends because enough was looked at
}

// find reads a page of a box.
func (c *Console) find(ctx context.Context, d node.Direction, f *filter) (found, error) {
	if f.State != "" && len(f.words) == 0 && !slices.Contains([]node.State{node.Sent, node.Confirmed}, f.State) {
		return c.findInState(ctx, d, f)
	}
	before := f.before
	if last := idAt(f.until); !f.until.IsZero() && (before == "" || last < before) {
		before = last // IDs carry their moment
	}
	var p found
	size := perPage + 1
	if f.picky() {
		size = batch
	}
	for scanned := 0; scanned < maxScan; {
		all, err := c.node.Store.Search(ctx, d, f.words, before, size)
		if err != nil {
			return p, err
		}
		for _, t := range all {
			if !f.from.IsZero() && t.Created.Before(f.from) {
				return p, nil
			}
			if f.fits(t) {
				if len(p.Transfers) == perPage {
					p.next = p.Transfers[perPage-1].ID
					return p, nil
				}
				p.Transfers = append(p.Transfers, t)
			}
			before = t.ID
		}
		if scanned += len(all); len(all) < size {
			return p, nil
		}
	}
	p.next, p.cut = before, true
	return p, nil
}

// findInState reads a page of those in one state, the oldest first: they have
// waited longest.
func (c *Console) findInState(ctx context.Context, d node.Direction, f *filter) (found, error) {
	p := found{Oldest: true}
	after := f.after
	for scanned := 0; scanned < maxScan; {
		all, err := c.node.InState(ctx, d, f.State, after, batch)
		if err != nil {
			return p, err
		}
		for _, t := range all {
			if !f.until.IsZero() && !t.Created.Before(f.until) {
				return p, nil
			}
			if f.fits(t) {
				if len(p.Transfers) == perPage {
					p.next = p.Transfers[perPage-1].ID
					return p, nil
				}
				p.Transfers = append(p.Transfers, t)
			}
			after = t.ID
		}
		if scanned += len(all); len(all) < batch {
			return p, nil
		}
	}
	p.next, p.cut = after, true
	return p, nil
}

// idAt is the smallest ID of a Transfer made at a moment or later (UUIDv7).
func idAt(t time.Time) string {
	ms := fmt.Sprintf("%012x", max(t.UnixMilli(), 0))
	return ms[:8] + "-" + ms[8:] + "-7000-8000-000000000000"
}

// listPage is a box.
type listPage struct {
	frame
	found
	Box    node.Direction
	Filter *filter
	States []node.State
	Wrong  edxml.Text // what of the search was not readable
	Newest string     // link to the beginning, "" when this is it
	Next   string
	Cut    bool
}

func (c *Console) list(d node.Direction) page {
	return func(x *exchange) error {
		f, wrong := readFilter(x.Request, d)
		p, err := c.find(x.Context(), d, f)
		if err != nil {
			return err
		}
		path := Path + string(d)
		data := listPage{frame: c.frame(x, string(d), boxes[d]), found: p, Box: d, Filter: f, States: boxStates[d], Wrong: wrong, Cut: p.cut}
		if f.before+f.after != "" {
			data.Newest = f.link(path)
			data.Live = false // an old page stays as it is
		}
		switch {
		case p.next != "" && p.Oldest:
			data.Next = f.link(path, "after", p.next)
		case p.next != "":
			data.Next = f.link(path, "before", p.next)
		}
		c.show(x, "list", http.StatusOK, data)
		return nil
	}
}
