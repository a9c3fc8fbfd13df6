package node

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
)

// waitingKey finds the Documents that nobody has taken from the inbox yet.
const waitingKey = "waiting"

// maxHold is how long a document system may hold a Document at the most.
const maxHold = time.Hour

// The reasons why a Document in the inbox cannot be taken.
var (
	// ErrHeld says that somebody else holds the Document right now.
	ErrHeld = errors.New("node: somebody else holds the document")
	// ErrTaken says that the Document was taken for good before.
	ErrTaken = errors.New("node: the document was taken before")
)

// Waiting lists the Documents that wait in the inbox to be taken, oldest
// first, held ones included. A node with a Sink has handed its Documents over:
// there nothing waits. Looking changes nothing.
func (n *Node) Waiting(ctx context.Context, limit int) ([]*Transfer, error) {
	return n.Store.Find(ctx, waitingKey, "", limit)
}

// Take holds a Document for somebody for a while, at most an hour: nobody else
// can take it until the hold ends, is given back (PutBack) or made good (Done).
// The lease in the Pickup of the result proves the hold. Errors: ErrNotFound,
// ErrHeld, ErrTaken.
func (n *Node) Take(ctx context.Context, id, by string, hold time.Duration) (*Transfer, error) {
	lease := rand.Text()
	return n.pickup(ctx, id, func(t *Transfer, now time.Time) error {
		if p := t.Pickup; p != nil && now.Before(p.Until) {
			return fmt.Errorf("%w: %s, until %s", ErrHeld, t.ID, p.Until.Format(time.RFC3339))
		}
		t.Pickup = &Pickup{By: by, Lease: lease, Until: now.Add(min(hold, maxHold))}
		return nil
	})
}

// TakeNext holds the oldest Document that waits and that nobody holds,
// ErrNothingDue when there is none.
func (n *Node) TakeNext(ctx context.Context, by string, hold time.Duration) (*Transfer, error) {
	waiting, err := n.Waiting(ctx, recent)
	if err != nil {
		return nil, err
	}
	for _, t := range waiting {
		if t.Pickup != nil && time.Now().Before(t.Pickup.Until) {
			continue
		}
		t, err := n.Take(ctx, t.ID, by, hold)
		if errors.Is(err, ErrHeld) || errors.Is(err, ErrTaken) {
			continue // somebody was faster
		}
		return t, err
	}
	return nil, ErrNothingDue
}

// PutBack ends a hold before its time.
func (n *Node) PutBack(ctx context.Context, id, lease string) (*Transfer, error) {
	return n.pickup(ctx, id, func(t *Transfer, now time.Time) error {
		if err := holds(t, lease); err != nil {
			return err
		}
		t.Pickup = nil
		return nil
	})
}

// Done says that the holder has the Document for good; it waits no longer.
// Saying it again under the same lease changes nothing.
func (n *Node) Done(ctx context.Context, id, lease string) (*Transfer, error) {
	t, err := n.pickup(ctx, id, func(t *Transfer, now time.Time) error {
		if err := holds(t, lease); err != nil {
			return err
		}
		t.Pickup.Done, t.Pickup.Until = now, time.Time{}
		t.Acts = append(t.Acts, Act{At: now, Actor: t.Pickup.By, Action: "take"})
		t.Lookup = slices.DeleteFunc(t.Lookup, func(k string) bool { return k == waitingKey })
		return nil
	})
	if errors.Is(err, ErrTaken) {
		again, readErr := n.Store.Transfer(ctx, id)
		if readErr == nil && sameLease(again.Pickup, lease) {
			return again, nil
		}
	}
	return t, err
}

// holds refuses whoever does not hold the Document. A hold that ran out serves
// as long as nobody else has begun another.
func holds(t *Transfer, lease string) error {
	if !sameLease(t.Pickup, lease) {
		return fmt.Errorf("%w: the lease given for %s is not the one that counts", ErrHeld, t.ID)
	}
	return nil
}

func sameLease(p *Pickup, lease string) bool {
	return p != nil && lease != "" && subtle.ConstantTimeCompare([]byte(p.Lease), []byte(lease)) == 1
}

// pickup changes the Pickup of a Document that was received and not refused.
func (n *Node) pickup(ctx context.Context, id string, change func(*Transfer, time.Time) error) (*Transfer, error) {
	return n.Store.Update(ctx, id, func(t *Transfer) error {
		if t.Direction != In || t.State != Delivered && t.State != Confirmed {
			return fmt.Errorf("%w: transfer %s is no document that can be taken from the inbox", ErrNotFound, t.ID)
		}
		if t.Withdrawn != nil {
			return fmt.Errorf("%w (transfer %s)", ErrWithdrawn, t.ID)
		}
		if t.Pickup != nil && !t.Pickup.Done.IsZero() {
			return fmt.Errorf("%w: %s, at %s", ErrTaken, t.ID, t.Pickup.Done.Format(time.RFC3339))
		}
		return change(t, time.Now().UTC())
	})
}
