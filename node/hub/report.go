package hub

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
)

// Mailbox is how the mailbox of an agency stands.
type Mailbox struct {
	OrganID   string    `json:"organId"`
	OrganName string    `json:"organName"`
	Closed    bool      `json:"closed,omitempty"`
	MovedTo   string    `json:"movedTo,omitempty"`
	Documents int64     `json:"documents"`       // that were put into it, files of other services included, all in all
	Waiting   int64     `json:"waiting"`         // of them, not collected yet
	Oldest    time.Time `json:"oldest,omitzero"` // since when the oldest of these waits
}

// Idle is how long the oldest Document has waited, 0 when none waits.
func (m Mailbox) Idle(now time.Time) time.Duration {
	if m.Oldest.IsZero() {
		return 0
	}
	return now.Sub(m.Oldest)
}

// Mailboxes tells how every mailbox stands, in the order of identifiers.
func (h *Hub) Mailboxes(ctx context.Context) ([]Mailbox, error) {
	agencies, err := h.Agencies(ctx)
	if err != nil {
		return nil, err
	}
	had, err := h.node.Store.Counts(ctx, hadKey(""))
	if err != nil {
		return nil, err
	}
	waiting, err := h.node.Store.Counts(ctx, waitingKey(""))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	all := make([]Mailbox, 0, len(agencies))
	for _, a := range agencies {
		m := Mailbox{
			OrganID: a.OrganID, OrganName: a.OrganName, Closed: a.closed(now), MovedTo: a.MovedTo,
			Documents: had[hadKey(a.OrganID)], Waiting: waiting[waitingKey(a.OrganID)],
		}
		if m.Waiting > 0 {
			first, err := h.Waiting(ctx, a.OrganID, "", 1)
			if err != nil {
				return nil, err
			}
			if len(first) > 0 {
				m.Oldest = first[0].Created
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// Waiting returns what waits for an agency, oldest first, those with an ID
// above after only.
func (h *Hub) Waiting(ctx context.Context, id, after string, limit int) ([]*node.Transfer, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return nil, err
	}
	a := d.agencies[strings.TrimSpace(id)]
	if a == nil {
		return nil, ErrNotHosted
	}
	var all []*node.Transfer
	for _, key := range []string{waitingKey(a.OrganID), filesKey(a.OrganID)} {
		page, err := h.node.Store.Find(ctx, key, after, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	slices.SortFunc(all, func(a, b *node.Transfer) int { return strings.Compare(a.ID, b.ID) })
	return all[:min(len(all), limit)], nil
}
