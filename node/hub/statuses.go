package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
	defer h.filing.begin()()
	box := d.mailbox(a).OrganID
	number, err := h.numbers.next()
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
		if exists.Key == boxKey(box, number) { // another Status has the number: it says nothing about this one
			return h.file(ctx, d, s)
		}
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
		page, err := h.waitingOn(ctx, key(box), after, maxStatuses-len(all))
		all = append(all, page...)
		return err
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

// unsettled is how long a Status may take, at another node on the same store,
// from the moment its ID stands for to the end of its commit. What came so
// shortly before is given again. For those of this process filing knows better.
const unsettled = 3 * time.Second

// filing knows which Statuses are being put into mailboxes: their IDs stand for
// a moment before others can see them.
type filing struct {
	alone bool // nobody else files into this store

	mu   sync.Mutex
	next int
	open map[int]time.Time // when each began
}

// begin notes that one begins; what it returns notes the end.
func (f *filing) begin() (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[int]time.Time{}
	}
	f.next++
	n := f.next
	f.open[n] = time.Now()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.open, n)
	}
}

// settled returns a moment: what has an ID from before it can be seen now, or
// never will be.
func (f *filing) settled(now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := now
	if !f.alone {
		at = now.Add(-unsettled)
	}
	for _, began := range f.open {
		if began.Before(at) {
			at = began
		}
	}
	return at
}

// StatusesFrom implements edoc.Follower. Cursors are IDs: they grow in the order
// in which Statuses come, and reading from one costs what is read.
func (h *Hub) StatusesFrom(ctx context.Context, id string, since time.Time, cursor string, most int) (list []edxml.Status, next, mark string, err error) {
	settled := h.filing.settled(time.Now()) // before anything is read
	after := before(since.Truncate(time.Second))
	if cursor != "0" {
		if _, err := uuid.Parse(cursor); err != nil {
			return nil, "", "", edoc.ErrCursor
		}
		after = cursor
	}
	var all []*node.Transfer
	err = h.eachBox(ctx, id, func(box string) error {
		page, err := h.node.Store.Find(ctx, tracesKey(box), after, most+1)
		all = append(all, page...)
		return err
	})
	if err != nil {
		return nil, "", "", err
	}
	slices.SortFunc(all, func(a, b *node.Transfer) int { return cmp.Compare(a.ID, b.ID) })
	if mark = before(settled); len(all) > most {
		all = all[:most]
		next = all[most-1].ID
	}
	for _, t := range slices.Backward(all) {
		list = append(list, *t.Status)
	}
	return list, next, mark, nil
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
