package node

import (
	"context"
	"sync"
	"time"
)

// claims are the attempts that were recorded together with something else,
// before the step that they belong to has begun: one commit less each.
type claims struct {
	mu    sync.Mutex
	steps map[string]string // by Transfer
}

func (c *claims) put(id, step string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.steps == nil {
		c.steps = map[string]string{}
	}
	c.steps[id] = step
}

// take removes the claim of a Transfer and returns its step, "" for none.
func (c *claims) take(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	step := c.steps[id]
	delete(c.steps, id)
	return step
}

// walks are the Transfers that workers of this process walk. A neighbour can
// lease one of them: while the store takes longer than a lease lasts, and at the
// moment when the walk has ended. It leaves it to the walker.
type walks struct {
	mu  sync.Mutex
	all map[string]bool // by Transfer: whether a neighbour has leased it meanwhile
}

// enter notes that a Transfer is walked, and reports false when it is already.
func (w *walks) enter(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, walked := w.all[id]
	if w.all == nil {
		w.all = map[string]bool{}
	}
	w.all[id] = walked
	return !walked
}

// leave notes that a walk has ended. It reports false, and the Transfer is
// still walked, when a neighbour has left it to the walker.
func (w *walks) leave(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all[id] {
		w.all[id] = false
		return false
	}
	delete(w.all, id)
	return true
}

// withdraw removes the latest attempt, which was claimed and never made.
func withdraw(t *Transfer) {
	t.Attempts = t.Attempts[:max(len(t.Attempts)-1, 0)]
	t.Tries = max(t.Tries-1, 0)
}

// advance is succeed for a step that others may follow: the attempt at the
// next one is claimed in the same commit.
func (n *Node) advance(ctx context.Context, t *Transfer, change func(*Transfer)) (*Transfer, error) {
	var claimed string
	after, err := n.succeed(ctx, t, func(t *Transfer) {
		change(t)
		claimed = ""
		step, more := n.inStep(t.State)
		waits := t.State == Verified && len(t.About) > 0
		if more && !waits && t.Held == nil && !t.Due.IsZero() && !t.Due.After(time.Now()) {
			openAttempt(t, step.name)
			claimed = step.name
		}
	})
	if err == nil && claimed != "" {
		n.claims.put(t.ID, claimed)
	}
	return after, err
}

// begin creates a Transfer. If a worker is idle and nothing speaks against it,
// its first step is claimed in the same commit, and the worker has it at once.
func (n *Node) begin(ctx context.Context, t *Transfer, step string) error {
	seat := n.seat(t)
	if seat == nil {
		err := n.Store.Create(ctx, t)
		n.Wake(t.Direction)
		return err
	}
	defer close(seat)
	held, began := *t, time.Now()
	held.Lease, held.LeasedUntil = n.holder, began.UTC().Add(hold)
	openAttempt(&held, step)
	n.walks.enter(t.ID) // before anybody can lease it
	err := n.Store.Create(ctx, &held)
	if err != nil || time.Since(began) > hold/3 { // then the lease may run out before it is renewed: let it
		for !n.walks.leave(t.ID) {
		}
		return err
	}
	n.claims.put(t.ID, step)
	seat <- &held
	return nil
}

// seat reserves an idle worker for a new Transfer, nil when there is none. It
// waits until something is sent, or the channel closed.
func (n *Node) seat(t *Transfer) chan *Transfer {
	if len(t.About)+len(t.Waits) > 0 || t.Due.IsZero() || t.Due.After(time.Now()) || t.Direction == Out && n.link.now().Open() {
		return nil
	}
	seat := make(chan *Transfer, 1)
	select {
	case n.seats[t.Direction] <- seat:
		return seat
	default:
		return nil
	}
}
