package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// maxPending is how many waiting Documents one answer lists; the others are in
// the next answers, when these have been collected.
const maxPending = 1000

// box makes the place of a Document in a mailbox.
func (h *Hub) box(doc *node.Stored, b mailbox, number string) (*node.Transfer, error) {
	t, err := doc.Transfer(node.Box, node.Waiting)
	if err != nil {
		return nil, err
	}
	agency := b.agency.OrganID
	t.AxisID, t.For, t.Due, t.Findings = number, agency, time.Time{}, nil
	t.Receivers = receivers(b.receivers)
	t.Unique = []string{boxKey(agency, number), boxedKey(agency, t)}
	t.Lookup = []string{waitingKey(agency), sentKey(number)}
	for _, r := range t.Receivers {
		t.Lookup = append(t.Lookup, aboutKeys(r.OrganID, t.From, t.DocumentID, t.Code)...)
	}
	t.Count = []string{waitingKey(agency), hadKey(agency)}
	return t, nil
}

// Pending implements edoc.Backend: what waits for the agency and for those
// that have moved to it, the oldest 1,000.
func (h *Hub) Pending(ctx context.Context, id string) ([]transport.Pending, error) {
	var list []transport.Pending
	err := h.eachBox(ctx, id, func(box string) error {
		if len(list) == maxPending {
			return nil
		}
		found, err := h.node.Store.Find(ctx, waitingKey(box), "", maxPending-len(list))
		for _, t := range found {
			list = append(list, transport.Pending{ID: t.AxisID})
		}
		return err
	})
	return list, err
}

// eachBox goes through the mailboxes that an organ may collect from.
func (h *Hub) eachBox(ctx context.Context, id string, do func(agency string) error) error {
	return h.eachBoxOf(ctx, []string{id}, do)
}

// eachBoxOf goes through the mailboxes of several organs, each once.
func (h *Hub) eachBoxOf(ctx context.Context, ids []string, do func(agency string) error) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, id := range ids {
		a := d.hosted(id)
		if a == nil {
			continue
		}
		for _, box := range d.mailboxes(a) {
			if seen[box] {
				continue
			}
			seen[box] = true
			if err := do(box); err != nil {
				return err
			}
		}
	}
	return nil
}

// find returns a Document in a mailbox that organ may collect from, nil if
// there is none. It stays there after it was collected.
func (h *Hub) find(ctx context.Context, id, number string) (*node.Transfer, error) {
	var found *node.Transfer
	err := h.eachBox(ctx, id, func(box string) error {
		if found != nil {
			return nil
		}
		all, err := h.node.Store.Find(ctx, boxKey(box, number), "", 1)
		if len(all) > 0 {
			found = all[0]
		}
		return err
	})
	return found, err
}

// notReceiver says the same of a Document that is not here and of one that is
// for others: who may not have it does not learn that it exists.
func notReceiver(operation, code, organ, number string) error {
	return &transport.Fault{Operation: operation, Code: code, Text: fmt.Sprintf(
		"%[1]s không phải nơi nhận văn bản số %[2]s / %[1]s is no receiver of document number %[2]s", organ, number)}
}

// Document implements edoc.Backend.
func (h *Hub) Document(ctx context.Context, id, number string) (*transport.Packet, error) {
	t, err := h.find(ctx, id, number)
	if err != nil {
		return nil, err
	}
	if t == nil || t.Kind == edxml.KindStatus || t.Service != "" {
		return nil, notReceiver("GetDocument", edoc.CodeNotReceiver, id, number)
	}
	if !t.Purged.IsZero() {
		return nil, &transport.Fault{Operation: "GetDocument", Code: edoc.CodeNotReceiver, Text: fmt.Sprintf(
			"nội dung văn bản số %[1]s đã được xóa ngày %[2]s / the content of document number %[1]s was purged on %[2]s",
			number, t.Purged.In(edxml.Vietnam).Format(time.DateOnly))}
	}
	if t.Profile == edxml.ProfileQCVN102 {
		return h.recast(ctx, t)
	}
	return h.packet(ctx, t), nil
}

// recast returns a Document in an envelope that is written anew, for a wire
// other than the one it came by.
func (h *Hub) recast(ctx context.Context, t *node.Transfer) (*transport.Packet, error) {
	envelope, tokenAt, parts, err := h.node.Envelope(ctx, t)
	if err != nil {
		return nil, err
	}
	p := &transport.Packet{TokenAt: tokenAt, Envelope: transport.Content{Size: int64(len(envelope)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(envelope)), nil
	}}}
	for _, part := range parts {
		p.Parts = append(p.Parts, transport.Part{ID: part.ID, Type: part.Type, Content: h.content(ctx, part.Content)})
	}
	return p, nil
}

// content makes stored content ready to be sent.
func (h *Hub) content(ctx context.Context, c node.Content) transport.Content {
	return transport.Content{Size: c.Size, SHA256: c.SHA256, Open: func() (io.ReadCloser, error) { return h.node.Store.Open(ctx, c.SHA256) }}
}

var errUnchanged = errors.New("hub: nothing to change")

// Confirm implements edoc.Backend: the Document is out of the mailbox, and the
// sender gets status 01 in the receiver's name. The Status comes first: what a
// crash leaves is confirmed again, and reported once.
func (h *Hub) Confirm(ctx context.Context, id, number string) error {
	t, err := h.find(ctx, id, number)
	if err != nil {
		return err
	}
	if t == nil {
		return notReceiver("ConfirmReceived", edoc.CodeConfirm, id, number)
	}
	if t.State == node.Collected {
		return nil
	}
	var said []*edxml.Status
	if t.Kind == edxml.KindDocument {
		if said, err = h.arrived(ctx, t); err != nil {
			return err
		}
	}
	return h.end(ctx, t, node.Collected, "", said...)
}

// end takes a Document or Status out of what waits for an agency, with what its
// receivers have said of it.
func (h *Hub) end(ctx context.Context, t *node.Transfer, s node.State, refusal string, said ...*edxml.Status) error {
	_, err := h.node.Store.Update(ctx, t.ID, func(t *node.Transfer) error {
		if t.State == node.Collected || t.State == s {
			return errUnchanged
		}
		agency := t.For
		t.State, t.Finished, t.Refusal = s, time.Now().UTC(), refusal
		waits := func(k string) bool {
			return k == waitingKey(agency) || k == untakenKey(agency) || k == filesKey(agency) || k == serviceKey(agency, t.Service)
		}
		t.Lookup, t.Count = slices.DeleteFunc(t.Lookup, waits), slices.DeleteFunc(t.Count, waits)
		for _, s := range said {
			if _, err := node.Hear(t, s.From.OrganID, s); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// arrived reports status 01 about a Document in a mailbox to its sender, in the
// name of each receiver it was for, and returns what it reported.
func (h *Hub) arrived(ctx context.Context, t *node.Transfer) (said []*edxml.Status, err error) {
	d, err := h.directory(ctx)
	if err != nil {
		return nil, err
	}
	local := d.owner(t.From) != nil
	if !local && h.o.Upstream != VXP {
		return nil, nil // the upstream axis reported it when the hub confirmed
	}
	for _, r := range t.Receivers {
		from := edxml.Organ{OrganID: r.OrganID, OrganName: r.OrganName}
		s := &edxml.Status{
			From: from, StatusCode: edxml.StatusArrived, Description: "Đã nhận văn bản về hệ thống",
			ResponseFor: edxml.ResponseFor{OrganID: t.From, Code: t.Code, DocumentID: t.DocumentID, PromulgationDate: t.PromulgationDate},
			StaffInfo:   &edxml.StaffInfo{Staff: from.OrganName},
			// the moment of its coming here makes it the same Status when it is reported again
			Timestamp: edxml.TimestampOf(t.Created),
		}
		if local {
			err = h.file(ctx, d, s)
		} else {
			err = h.node.Forward(ctx, s)
		}
		if err != nil {
			return nil, err
		}
		said = append(said, s)
	}
	return said, nil
}
