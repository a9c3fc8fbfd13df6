package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// A recall, an update or a replacement never overtakes the Document it is
// about, per DocumentId and receiver: it waits for the end of what goes before
// it, is woken by that end, and looks again by itself after lookAgain, should
// the waking have been lost.
const lookAgain = time.Minute

// strangers is how long an incoming follower waits for a Document that has not
// come yet, while older ones are still to be fetched.
const strangers = 10 * time.Minute

// aboutKey finds what recalls, updates or replaces a Document.
func aboutKey(d Direction, id string) string { return fmt.Sprintf("about %s %q", d, id) }

// waitKey finds what waits for a Transfer.
func waitKey(id string) string { return "waits " + id }

// aboutOf returns the DocumentIds that a Document recalls, updates or replaces.
// QUIRK: the recalls of the vendor's samples carry the DocumentId of what they
// recall as their own, and no other.
func aboutOf(d *edxml.Document) []string {
	if d.DocType() == edxml.New {
		return nil
	}
	var ids []string
	if d.Business.DocumentID != "" {
		ids = append(ids, d.Business.DocumentID)
	}
	for _, r := range d.Business.Replacements {
		if r.DocumentID != "" && !slices.Contains(ids, r.DocumentID) {
			ids = append(ids, r.DocumentID)
		}
	}
	if len(ids) == 0 {
		ids = append(ids, d.DocumentID)
	}
	return ids
}

// takesBack reports whether t recalls what it is about.
func takesBack(t *Transfer) bool {
	if t.Kind == edxml.KindStatus {
		return t.Status.StatusCode.Canonical() == edxml.StatusTakeBack
	}
	return t.DocType == edxml.Recall
}

// shares reports whether two Transfers have a receiver in common.
func shares(a, b *Transfer) bool {
	has := make(map[string]bool, len(b.Receivers))
	for _, r := range b.Receivers {
		has[r.OrganID] = true
	}
	return slices.ContainsFunc(a.Receivers, func(r Receiver) bool { return has[r.OrganID] })
}

// covers reports whether every receiver of b is one of a.
func covers(a, b *Transfer) bool {
	has := make(map[string]bool, len(a.Receivers))
	for _, r := range a.Receivers {
		has[r.OrganID] = true
	}
	return !slices.ContainsFunc(b.Receivers, func(r Receiver) bool { return !has[r.OrganID] })
}

// before returns what is older than t and concerns the same Documents: those
// it is about, and what else recalls, updates or replaces them.
func (n *Node) before(ctx context.Context, t *Transfer) ([]*Transfer, error) {
	var all []*Transfer
	for _, id := range t.About {
		for _, key := range []string{documentKey(t.Direction, id), aboutKey(t.Direction, id)} {
			found, err := n.Store.Find(ctx, key, "", recent)
			if err != nil {
				return nil, err
			}
			for _, p := range found {
				if p.ID < t.ID && p.From == t.From && p.SameAs == "" && !slices.ContainsFunc(all, func(o *Transfer) bool { return o.ID == p.ID }) {
					all = append(all, p)
				}
			}
		}
	}
	return all, nil
}

// line makes an outgoing follower wait for what goes before it, before it is
// created. It takes over the urgency of what it is about.
func (n *Node) line(ctx context.Context, t *Transfer) error {
	all, err := n.before(ctx, t)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !shares(t, p) {
			continue
		}
		t.Urgency = max(t.Urgency, p.Urgency)
		if p.State != Sent {
			t.Waits = append(t.Waits, p.ID)
			t.Lookup = append(t.Lookup, waitKey(p.ID))
		}
	}
	return nil
}

// standing says how far the wait of an outgoing follower is.
type standing int

const (
	mustWait standing = iota
	mayGo
	isVoid // nothing of what it is about was ever sent
)

// stands looks at what goes before t. A recall takes back on the spot what has
// not been tried yet and goes to no other receiver.
func (n *Node) stands(ctx context.Context, t *Transfer) (standing, error) {
	targets, reached := 0, false
	for _, id := range t.Waits {
		p, err := n.Store.Transfer(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return mustWait, err
		}
		if p.State == Queued && takesBack(t) && covers(t, p) {
			if p, err = n.unsend(ctx, p, t); err != nil {
				return mustWait, err
			}
		}
		if p.State == Queued {
			return mustWait, nil
		}
	}
	all, err := n.before(ctx, t)
	if err != nil {
		return mustWait, err
	}
	for _, p := range all {
		if shares(t, p) && p.Kind == edxml.KindDocument {
			targets++
			reached = reached || p.State == Sent || unsure(p)
		}
	}
	if targets > 0 && !reached && t.DocType != edxml.Replace { // a replacement stands on its own
		return isVoid, nil
	}
	return mayGo, nil
}

// unsend takes back a Document that its recall has caught up with here. It
// returns the Document as it is: still queued if it is being sent, or may have
// been.
func (n *Node) unsend(ctx context.Context, p, by *Transfer) (*Transfer, error) {
	act := Act{At: time.Now().UTC(), Actor: by.From, Action: "recall", Reason: fmt.Sprintf("recalled by transfer %s before it was sent", by.ID)}
	taken, err := n.Store.Update(ctx, p.ID, func(p *Transfer) error {
		if p.State != Queued || leased(p) || unsure(p) {
			return errUnchanged
		}
		p.Acts, p.Withdrawn = append(p.Acts, act), &act
		cancelled(p)
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return n.Store.Transfer(ctx, p.ID)
	}
	return taken, err
}

// leased reports whether somebody has the Transfer in work right now.
func leased(t *Transfer) bool { return t.Lease != "" && time.Now().Before(t.LeasedUntil) }

// cancelled ends an outgoing Transfer that is not to be sent any more.
func cancelled(t *Transfer) {
	freeKeys(t)
	finish(t, Cancelled)
}

// voided ends a follower of a Document that never left.
func voided(t *Transfer) {
	t.LastError = "what it is about was never sent: there is nothing to recall or to update"
	finish(t, Cancelled) // its keys stay: the same again is the same
}

// settle decides at once about a follower that was just accepted, also while
// the axis is not called.
func (n *Node) settle(ctx context.Context, t *Transfer) (*Transfer, error) {
	s, err := n.stands(ctx, t)
	if err != nil || s != isVoid {
		return t, err
	}
	after, err := n.Store.Update(ctx, t.ID, func(t *Transfer) error {
		if t.State != Queued || leased(t) {
			return errUnchanged
		}
		voided(t)
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return t, nil
	}
	return after, err
}

// queueUp is the step of an outgoing follower that may have to wait.
func (n *Node) queueUp(ctx context.Context, t *Transfer) (*Transfer, error) {
	s, err := n.stands(ctx, t)
	if err != nil {
		return nil, err
	}
	t, err = n.record(ctx, t.ID, func(t *Transfer) {
		switch s {
		case mustWait:
			t.Due = time.Now().UTC().Add(lookAgain)
		case isVoid:
			voided(t)
		default:
			t.Waits = nil
		}
	})
	if err == nil && s == isVoid {
		err = n.ended(ctx, t)
	}
	return t, err
}

// ended wakes what waits for a Transfer.
func (n *Node) ended(ctx context.Context, p *Transfer) error {
	waiting, err := n.Store.Find(ctx, waitKey(p.ID), "", recent)
	if err != nil {
		return err
	}
	for _, f := range waiting {
		_, err := n.Store.Update(ctx, f.ID, func(f *Transfer) error {
			if !slices.Contains(f.Waits, p.ID) || f.Held != nil || f.Due.IsZero() {
				return errUnchanged
			}
			f.Due = dueNow(f)
			return nil
		})
		if err != nil && !errors.Is(err, errUnchanged) {
			return err
		}
		n.Wake(f.Direction)
	}
	return nil
}

// tie notes in what t is about that t follows it, and freezes what it takes
// back (NĐ 30/2020/NĐ-CP Annex VI III(8)). Doing it twice changes nothing.
func (n *Node) tie(ctx context.Context, t *Transfer, targets []*Transfer) error {
	f := Follower{Transfer: t.ID, DocType: t.DocType, At: time.Now().UTC()}
	if t.Kind == edxml.KindStatus {
		f.DocType = edxml.Recall
	}
	for _, p := range targets {
		if p.Kind != edxml.KindDocument || !shares(t, p) {
			continue
		}
		_, err := n.Store.Update(ctx, p.ID, func(p *Transfer) error {
			if slices.ContainsFunc(p.Followers, func(o Follower) bool { return o.Transfer == t.ID }) {
				return errUnchanged
			}
			p.Followers = append(p.Followers, f)
			if p.Direction == Out && takesBack(t) && p.Withdrawn == nil {
				p.Withdrawn = &Act{At: f.At, Actor: t.From, Action: "recall", Reason: reasonOf(t)}
				if p.LegalHold == "" {
					p.LegalHold = "recalled by transfer " + t.ID
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errUnchanged) {
			return err
		}
	}
	return nil
}

// reasonOf returns what a recall says about itself.
func reasonOf(t *Transfer) string {
	if t.Status != nil {
		return t.Status.Description
	}
	return t.Reason
}
