package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// maxStatuses is how many Statuses one answer holds. A client asks for the
// next by the time of the latest.
const maxStatuses = 10_000

// AcceptStatus implements edoc.Backend: the Status goes to the mailbox of its
// addressee here, or upstream. The Document must be known here, From must be
// one of its receivers, or for a take-back (13) its sender.
func (h *Hub) AcceptStatus(ctx context.Context, s *edxml.Status) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	known, err := h.applies(ctx, d, s)
	if err != nil {
		return err
	}
	if !known {
		return &transport.Fault{Operation: "UpdateTraces", Code: edoc.CodeStatusDocument, Text: fmt.Sprintf(
			"không có văn bản %[1]q (%[2]s) giữa %[3]s và %[4]s / there is no document %[1]q (%[2]s) between %[3]s and %[4]s",
			s.ResponseFor.DocumentID, s.ResponseFor.Code, s.From.OrganID, s.ResponseFor.OrganID)}
	}
	if d.owner(s.ResponseFor.OrganID) == nil {
		return h.node.Forward(ctx, s)
	}
	return h.file(ctx, d, s)
}

// applies files a Status with the Document at the receiver it concerns, and
// reports whether there is such a Document.
func (h *Hub) applies(ctx context.Context, d *directory, s *edxml.Status) (bool, error) {
	sender, receiver := s.ResponseFor.OrganID, s.From.OrganID
	if s.StatusCode.Canonical() == edxml.StatusTakeBack {
		sender, receiver = receiver, sender
	}
	for _, r := range forms(receiver) {
		for _, f := range forms(sender) {
			for _, key := range aboutKeys(r, f, s.ResponseFor.DocumentID, s.ResponseFor.Code) {
				found, err := h.node.Store.Find(ctx, key, "", maxPending)
				if err != nil {
					return false, err
				}
				if len(found) > 0 {
					return true, h.node.Apply(ctx, found[len(found)-1].ID, r, s)
				}
			}
		}
	}
	if d.owner(receiver) != nil {
		return false, nil
	}
	return h.node.ApplyOut(ctx, sender, receiver, s) // on its way to a receiver upstream
}

// forms returns an identifier and its form of the other generation, if it has
// one.
func forms(id string) []string {
	if other, ok := organ.ID(id).Counterpart(); ok {
		return []string{id, string(other)}
	}
	return []string{id}
}

// file puts a Status into the mailbox of a hosted agency, once.
func (h *Hub) file(ctx context.Context, d *directory, s *edxml.Status) error {
	a := d.owner(s.ResponseFor.OrganID)
	if a == nil {
		return fmt.Errorf("%w: %s", ErrNotHosted, s.ResponseFor.OrganID)
	}
	box := d.mailbox(a).OrganID
	number, err := newNumber()
	if err != nil {
		return err
	}
	t, err := node.NewStatus(node.Box, node.Waiting, s)
	if err != nil {
		return err
	}
	t.AxisID, t.For, t.Due = number, box, time.Time{}
	t.Unique = []string{statusKey(s), boxKey(box, number)}
	t.Lookup = []string{tracesKey(box), untakenKey(box)}
	err = h.node.Commit(ctx, t)
	if exists := (*node.ExistsError)(nil); errors.As(err, &exists) {
		return nil
	}
	return err
}

// Statuses implements edoc.Backend. A moment counts against the arrival here:
// a Status that was long on its way is not missed by a client that asks since
// the latest it has seen.
func (h *Hub) Statuses(ctx context.Context, id string, since time.Time) ([]edxml.Status, error) {
	key, after := tracesKey, before(since.Truncate(time.Second))
	if since.IsZero() {
		key, after = untakenKey, ""
	}
	var all []*node.Transfer
	err := h.eachBox(ctx, id, func(box string) error {
		for at := after; len(all) < maxStatuses; {
			page, err := h.node.Store.Find(ctx, key(box), at, maxPending)
			if err != nil {
				return err
			}
			all = append(all, page...)
			if len(page) < maxPending {
				return nil
			}
			at = page[len(page)-1].ID
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *node.Transfer) int { return cmp.Compare(b.ID, a.ID) })
	list := make([]edxml.Status, 0, len(all))
	for _, t := range all {
		if since.IsZero() {
			if err := h.end(ctx, t, node.Collected, ""); err != nil { // the old form gives each once
				return nil, err
			}
		}
		list = append(list, *t.Status)
	}
	return list, nil
}

// before returns an ID that stands before all those made since a moment.
func before(at time.Time) string {
	if at.Unix() <= 0 {
		return ""
	}
	var id uuid.UUID
	ms := uint64(at.UnixMilli()) - 1
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	for i := 6; i < len(id); i++ {
		id[i] = 0xff
	}
	return id.String()
}
