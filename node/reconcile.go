package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// Drift is where this node and the axis did not agree.
type Drift struct {
	Repaired bool `json:"repaired"` // what could be, was put right

	Unfetched   []string       `json:"unfetched,omitempty"`   // numbers that wait at the axis and are not known here; repaired: they are fetched
	Unconfirmed []string       `json:"unconfirmed,omitempty"` // Transfers finished here that the axis still lists; repaired: acknowledged again
	Unsent      []string       `json:"unsent,omitempty"`      // Transfers that are not sent here, although receivers have reported on them; repaired: they are sent
	Statuses    int            `json:"statuses,omitempty"`    // that were not known here; repaired: applied
	Unknown     []edxml.Status `json:"unknown,omitempty"`     // about Documents that are not here, at most 1,000: what a restored backup has forgotten
	Silent      []string       `json:"silent,omitempty"`      // Transfers sent more than a day ago from whose receivers nothing was heard, at most 1,000
}

// Clean reports that there was no drift.
func (d *Drift) Clean() bool {
	return len(d.Unfetched)+len(d.Unconfirmed)+len(d.Unsent)+d.Statuses+len(d.Unknown)+len(d.Silent) == 0
}

// quiet is after what time without any status a sent Document is remarkable.
const quiet = 24 * time.Hour

// maxDrift is how many entries a list of a Drift has at the most.
const maxDrift = 1000

// Reconcile compares both boxes with what the axis lists: what waits there,
// and every Status since a moment. With repair it puts right what it can. It
// is meant for after a restore, and for whoever wants to be sure.
func (n *Node) Reconcile(ctx context.Context, since time.Time, repair bool) (*Drift, error) {
	if n.Axis == nil {
		return nil, errNoAxis
	}
	d := &Drift{Repaired: repair}
	err := n.call(ctx, "reconcile: list waiting documents", func(ctx context.Context) error { return n.reconcileWaiting(ctx, d) })
	if err == nil {
		err = n.call(ctx, "reconcile: read statuses", func(ctx context.Context) error { return n.reconcileStatuses(ctx, since, d) })
	}
	if errors.Is(err, errLinkDown) {
		return nil, &transport.Fault{Operation: "reconcile", Transient: true, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return d, n.reconcileSilent(ctx, since, d)
}

// reconcileWaiting compares the inbox with what waits at the axis.
func (n *Node) reconcileWaiting(ctx context.Context, d *Drift) error {
	pending, err := n.Axis.Pending(ctx)
	if err != nil {
		return err
	}
	for _, p := range pending {
		known, err := n.Store.Find(ctx, axisKey(p.ID), "", 1)
		if err != nil {
			return err
		}
		switch {
		case len(known) == 0:
			d.Unfetched = append(d.Unfetched, p.ID)
			if d.Repaired {
				t, err := waitingThere(p)
				if err == nil {
					_, err = n.listed(ctx, t)
				}
				if err != nil {
					return err
				}
			}
		case !known[0].Finished.IsZero():
			d.Unconfirmed = append(d.Unconfirmed, known[0].ID)
			if d.Repaired {
				if err := n.relist(ctx, known[0].ID, 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reconcileStatuses compares both boxes with the statuses the axis has.
func (n *Node) reconcileStatuses(ctx context.Context, since time.Time, d *Drift) error {
	look, seen := lookback{from: since}, heard{}
	for more := true; more; {
		statuses, err := n.Axis.Statuses(ctx, look.since(since))
		if more = errors.Is(err, transport.ErrMore); err != nil && !more {
			return err
		}
		if err := n.reconcileSome(ctx, seen.news(statuses), d); err != nil {
			return err
		}
		for i := range statuses {
			seen.keep([]*edxml.Status{&statuses[i]})
		}
		more = look.applied(statuses, more || len(statuses) >= transport.MostStatuses) // one that pages does not say that there is more
	}
	return nil
}

// reconcileSome compares both boxes with some of the statuses.
func (n *Node) reconcileSome(ctx context.Context, statuses []edxml.Status, d *Drift) error {
	b := newBatch(n)
	if _, err := b.take(ctx, statuses); err != nil {
		return err
	}
	for _, id := range b.order {
		d.Statuses += len(b.changes[id])
	}
	d.Unknown = append(d.Unknown, b.strange[:min(len(b.strange), maxDrift-len(d.Unknown))]...)
	for id, l := range b.known {
		t := l.t
		if t.Direction != Out || t.State == Sent || t.Kind != edxml.KindDocument || slices.Contains(d.Unsent, id) {
			continue
		}
		if !l.reached() {
			continue
		}
		d.Unsent = append(d.Unsent, id)
		if d.Repaired {
			if err := n.wasSent(ctx, id); err != nil {
				return err
			}
		}
	}
	if !d.Repaired {
		return nil
	}
	return b.commit(ctx)
}

// reached reports whether some receiver has said anything.
func (l *ledger) reached() bool {
	for _, r := range l.t.Receivers {
		if len(r.Events) > 0 {
			return true
		}
	}
	return false
}

// wasSent marks a Document as sent that must have been: its receivers have it.
func (n *Node) wasSent(ctx context.Context, id string) error {
	t, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		if t.State == Sent || leased(t) {
			return errUnchanged
		}
		note(t, "RECONCILE", "its receivers have reported on it, so the axis has it; this node did not know")
		t.Unsure, t.LastError, t.Cause, t.Permanent, t.Waits = false, "", "", false, nil
		finish(t, Sent)
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	return n.ended(ctx, t)
}

// reconcileSilent finds what was sent and never heard of.
func (n *Node) reconcileSilent(ctx context.Context, since time.Time, d *Drift) error {
	before := ""
	for len(d.Silent) < maxDrift {
		page, err := n.Store.List(ctx, Out, before, maxDrift)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, t := range page {
			if t.Created.Before(since) {
				return nil
			}
			if t.State == Sent && t.Kind == edxml.KindDocument && time.Since(t.Finished) > quiet && !ledgerOf(t, "").reached() && len(d.Silent) < maxDrift {
				d.Silent = append(d.Silent, t.ID)
			}
		}
		before = page[len(page)-1].ID
	}
	return nil
}
