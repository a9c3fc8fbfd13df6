package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
)

const (
	purgePage    = 200       // Transfers that a purge looks at together
	purgeWorkers = 8         // Transfers that it changes at once, so that they share commits
	fresh        = time.Hour // content this new may belong to a Transfer that is not there yet

	tidyEvery = 6 * time.Hour // between looks for content that nothing needs
)

// PurgeOptions say what a purge gives up.
type PurgeOptions struct {
	Before time.Time // Transfers whose last step ended before this moment
	Dry    bool      // only count
	By     By
	// Settled is how old content must be to be removed: what is newer may belong
	// to a packet that is just coming in and has no Transfer yet. 0: an hour.
	Settled time.Duration
}

// Purged is what a purge did, or would do.
type Purged struct {
	Dry        bool  `json:"dry"`
	Transfers  int   `json:"transfers"`  // whose content was given up; their records stay
	Contents   int   `json:"contents"`   // that these needed, each once
	Octets     int64 `json:"octets"`     // of them; what other Transfers need as well stays
	LegalHold  int   `json:"legalHold"`  // old enough, but kept by a legal hold
	Unfinished int   `json:"unfinished"` // old enough, but a step is left to take
	Removed    int64 `json:"removed"`    // contents that were removed; with Dry: that nothing needs already
	Freed      int64 `json:"freed"`      // their octets
}

// Purge gives up the content of Transfers that ended before a moment: envelope
// and attachments are removed where nobody else needs them, the record stays
// with its digests, receipts, statuses and acts, and the journal says who purged
// it and why. A legal hold keeps a Transfer as it is. Other work goes on
// meanwhile. When ctx ends, Purge returns what was done, and its error.
func (n *Node) Purge(ctx context.Context, o PurgeOptions) (*Purged, error) {
	p := &purge{Node: n, PurgeOptions: o, sum: Purged{Dry: o.Dry}, seen: map[[16]byte]bool{}}
	if o.By.Actor == "" {
		return &p.sum, ErrNoActor
	}
	for _, d := range []Direction{Out, In, Box} {
		if err := p.direction(ctx, d); err != nil {
			return &p.sum, err
		}
	}
	swept, err := n.Store.Sweep(ctx, time.Now().Add(-cmp.Or(o.Settled, fresh)), o.Dry)
	p.sum.Removed, p.sum.Freed = swept.Removed, swept.RemovedBytes
	if err == nil && !o.Dry {
		n.Log.InfoContext(ctx, "purged", "before", o.Before, "transfers", p.sum.Transfers, "freed", p.sum.Freed, "actor", o.By.Actor, "reason", o.By.Reason)
	}
	return &p.sum, err
}

// tidy removes now and then the content that nothing needs: what came of
// packets that broke off, or were refused after their attachments were stored.
func (n *Node) tidy(ctx context.Context) error {
	for {
		if err := sleep(ctx, tidyEvery); err != nil {
			return err
		}
		swept, err := n.Store.Sweep(ctx, time.Now().Add(-fresh), false)
		if err != nil && ctx.Err() == nil {
			n.Log.WarnContext(ctx, "content that nothing needs is still there", "error", err)
		} else if swept.Removed > 0 {
			n.Log.InfoContext(ctx, "content that nothing needs was removed", "contents", swept.Removed, "octets", swept.RemovedBytes)
		}
	}
}

// purge is one Purge on its way.
type purge struct {
	*Node
	PurgeOptions
	mu   sync.Mutex
	sum  Purged
	seen map[[16]byte]bool // contents that were counted, by half of their digests
}

// direction goes from the moment back to the oldest Transfer.
func (p *purge) direction(ctx context.Context, d Direction) error {
	for before := idAt(p.Before); ; {
		page, err := p.Store.List(ctx, d, before, purgePage)
		if err != nil || len(page) == 0 {
			return err
		}
		before = page[len(page)-1].ID
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(purgeWorkers)
		for _, t := range page {
			g.Go(func() error { return p.one(ctx, t) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
}

// errStays says that a Transfer is not to be purged.
var errStays = errors.New("node: not to be purged")

// one purges one Transfer, if it is to be.
func (p *purge) one(ctx context.Context, t *Transfer) error {
	if !p.due(t, true) {
		return nil
	}
	needs, sizes := t.Needs(), map[string]int64{t.Envelope.SHA256: t.Envelope.Size}
	for _, part := range t.Parts {
		sizes[part.Content.SHA256] = part.Content.Size
	}
	if !p.Dry {
		act := Act{At: time.Now().UTC(), Actor: clip(p.By.Actor, 200), Action: "purge", Reason: clip(p.By.Reason, maxDescription)}
		_, err := p.Store.Update(ctx, t.ID, func(t *Transfer) error {
			if !p.due(t, false) { // meanwhile
				return errStays
			}
			t.Purged, t.Holds, t.Acts = act.At, nil, append(t.Acts, act)
			return nil
		})
		if errors.Is(err, errStays) || errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if !p.Dry {
		failpoint.Hit(failpoint.PurgeRecorded)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.Transfers++
	for _, digest := range needs {
		var half [16]byte
		if _, err := hex.Decode(half[:], []byte(digest)[:min(len(digest), 32)]); err != nil || p.seen[half] {
			continue
		}
		p.seen[half] = true
		p.sum.Contents, p.sum.Octets = p.sum.Contents+1, p.sum.Octets+sizes[digest]
	}
	return nil
}

// due reports whether t is to be purged, and counts why not.
func (p *purge) due(t *Transfer, count bool) bool {
	legal, unfinished := t.LegalHold != "", t.Finished.IsZero() || !t.Due.IsZero()
	if count && t.Purged.IsZero() && (legal || unfinished) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if legal {
			p.sum.LegalHold++
		} else {
			p.sum.Unfinished++
		}
	}
	return t.Purged.IsZero() && !legal && !unfinished && t.Finished.Before(p.Before)
}

// idAt returns what sorts before the ID of every Transfer that begins at a
// moment or later.
func idAt(at time.Time) string {
	var id uuid.UUID
	ms := max(at.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id.String()[:len("01234567-0123-")]
}

// LegalHold keeps the content of a Transfer from being purged, or, with an
// empty reason, lets it go. The reason stands in the record, who set it in the
// journal.
func (n *Node) LegalHold(ctx context.Context, id, reason string, by By) (*Transfer, error) {
	if by.Actor == "" {
		return nil, ErrNoActor
	}
	act := Act{At: time.Now().UTC(), Actor: clip(by.Actor, 200), Action: "legal hold", Reason: clip(by.Reason, maxDescription)}
	if reason == "" {
		act.Action = "end of legal hold"
	}
	t, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		switch {
		case !t.Purged.IsZero() && reason != "":
			return &MoveError{Verb: "legal hold", Transfer: t.ID, State: t.State, Why: whyPurged}
		case t.LegalHold == "" && reason == "":
			return &MoveError{Verb: "legal hold", Transfer: t.ID, State: t.State, Why: whyNoHold}
		}
		t.LegalHold, t.Acts = clip(reason, maxDescription), append(slices.Clip(t.Acts), act)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("legal hold: %w", err)
	}
	return t, nil
}

var (
	whyPurged = edxml.Text{VI: "nội dung đã bị hủy theo thời hạn lưu; chỉ còn hồ sơ làm bằng chứng", EN: "its content was purged; only the record is left, as evidence"}
	whyNoHold = edxml.Text{VI: "không có lệnh giữ theo pháp luật", EN: "there is no legal hold on it"}
)
