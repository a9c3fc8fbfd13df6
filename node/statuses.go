package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
	"github.com/lienthong/lienthong/transport"
)

// statusesSince is the value that holds the time of the latest Status seen, in
// the form of RFC 3339.
const statusesSince = "statuses since"

// applyStatuses reads the statuses since the last look and applies them, and
// reports whether any said something new or there are more to be had. Applying
// one twice changes nothing.
func (n *Node) applyStatuses(ctx context.Context) (news bool, err error) {
	since := time.Unix(0, 0)
	if v, err := n.Store.Value(ctx, statusesSince); err != nil {
		return false, err
	} else if v != nil {
		if since, err = time.Parse(time.RFC3339, string(v)); err != nil {
			return false, fmt.Errorf("node: stored moment %q: %w", v, err)
		}
	}
	statuses, err := n.Axis.Statuses(ctx, n.lookback.since(since))
	more := errors.Is(err, transport.ErrMore)
	if err != nil && !more {
		return false, err
	}
	b := newBatch(n)
	latest, err := b.take(ctx, n.heard.news(statuses))
	if err != nil {
		return false, err
	}
	if err := b.commit(ctx); err != nil {
		return false, err
	}
	n.heard.keep(b.placed)
	crowded := n.lookback.crowded
	more = n.lookback.applied(statuses, more)
	if at := n.lookback.crowded; !at.Equal(crowded) {
		n.Log.WarnContext(ctx, "the axis has more statuses of one second than can be had; those not had are left out", "second", edxml.TimestampOf(at))
	}
	if news = more || len(b.told) > 0; !latest.After(since) {
		return news, nil
	}
	failpoint.Hit(failpoint.StatusApplied)
	return news, n.Store.SetValue(ctx, statusesSince, []byte(latest.UTC().Format(time.RFC3339)))
}

// batch gathers the statuses of one look, so that each Transfer is written once
// however many of its receivers have something to say.
type batch struct {
	n       *Node
	found   map[string][]*ledger // what a key finds
	known   map[string]*ledger   // by Transfer
	changes map[string][]news    // by Transfer, in the order of the statuses
	order   []string             // of changes
	told    []*edxml.Status      // those that say something new
	placed  []*edxml.Status      // those about Documents that are here
	strange []edxml.Status       // about Documents that are not here, at most maxDrift
}

// news is what one Status says to one Transfer.
type news struct {
	organ  string // whose state it is
	event  Event
	rule   string // not "": a finding instead of an event
	text   string
	recall bool // 13 about a Document in the inbox
}

func newBatch(n *Node) *batch {
	return &batch{n: n, found: map[string][]*ledger{}, known: map[string]*ledger{}, changes: map[string][]news{}}
}

// take finds out what each Status says to which Transfer, and returns the
// latest moment among them that is not in the future.
func (b *batch) take(ctx context.Context, statuses []edxml.Status) (latest time.Time, err error) {
	now := time.Now()
	for i := range statuses {
		s := &statuses[i]
		at, unreadable := s.Timestamp.Time()
		if unreadable != nil {
			b.n.Log.WarnContext(ctx, "status without a readable time", "from", s.From.OrganID, "document", s.ResponseFor.DocumentID, "error", unreadable)
			at = now // the moment at which it was read first
		}
		if at.After(latest) && !at.After(now) {
			latest = at
		}
		if err := b.one(ctx, s, at, unreadable == nil); err != nil {
			return latest, err
		}
	}
	return latest, nil
}

// one finds the Transfers that a Status is about. A Status of a receiver
// concerns our outbox; 13 comes from the sender of a Document in our inbox.
func (b *batch) one(ctx context.Context, s *edxml.Status, at time.Time, timed bool) error {
	e := Event{Code: codeOf(s), At: at.UTC(), Description: clip(s.Description, maxDescription)}
	direction, owner, subject := Out, s.ResponseFor.OrganID, s.From.OrganID
	if e.Code == edxml.StatusTakeBack {
		direction, owner, subject = In, s.From.OrganID, s.ResponseFor.OrganID
	}
	candidates, err := b.about(ctx, direction, owner, s)
	if err != nil {
		return err
	}
	if len(candidates) == 0 {
		if len(b.strange) < maxDrift {
			b.strange = append(b.strange, *s)
		}
		b.n.Log.WarnContext(ctx, "status about an unknown document", "from", s.From.OrganID,
			"document", s.ResponseFor.DocumentID, "code", s.ResponseFor.Code, "status", s.StatusCode)
		return nil
	}
	if timed {
		b.placed = append(b.placed, s)
	}
	fresh := false
	for _, l := range choose(candidates, subject, e) {
		switch organ, is := l.receiver(subject); {
		case !is:
			b.note(l, news{rule: "ST-4", text: fmt.Sprintf("status %s by %s, which is no receiver of the document", e.Code, clip(subject, 100))})
		case l.has(organ, e, timed):
		case l.full(organ):
			b.note(l, news{rule: "ST-6", text: fmt.Sprintf("more than %d statuses by %s; later ones are not kept", maxEvents, organ)})
		case l.add(organ, e):
			fresh = true
			b.note(l, news{organ: organ, event: e, recall: direction == In})
		}
	}
	if fresh {
		b.told = append(b.told, s)
	}
	return nil
}

func (b *batch) note(l *ledger, w news) {
	if w.rule != "" && !note(l.t, w.rule, w.text) {
		return // said before
	}
	if _, ok := b.changes[l.t.ID]; !ok {
		b.order = append(b.order, l.t.ID)
	}
	b.changes[l.t.ID] = append(b.changes[l.t.ID], w)
}

// codeOf returns the code of a Status in two digits. QUIRK: a .NET client
// writes 14 where it means 15.
func codeOf(s *edxml.Status) edxml.StatusCode {
	if c := s.StatusCode.Canonical(); c != "14" {
		return c
	}
	return edxml.StatusTakeBackAgreed
}

// about finds the Documents a Status may be about, oldest first: by
// DocumentId, else by the code of its sender.
func (b *batch) about(ctx context.Context, d Direction, owner string, s *edxml.Status) ([]*ledger, error) {
	for _, by := range []struct{ name, key string }{
		{s.ResponseFor.DocumentID, documentKey(d, s.ResponseFor.DocumentID)}, {s.ResponseFor.Code, codeKey(d, owner, s.ResponseFor.Code)},
	} {
		if by.name == "" {
			continue
		}
		all, err := b.find(ctx, by.key)
		if err != nil {
			return nil, err
		}
		var fit []*ledger
		for _, l := range all {
			if sameOrgan(l.t.From, owner) && l.t.SameAs == "" {
				fit = append(fit, l)
			}
		}
		if len(fit) > 0 {
			return fit, nil
		}
	}
	return nil, nil
}

// find asks the store for a key once in a look.
func (b *batch) find(ctx context.Context, key string) ([]*ledger, error) {
	if all, ok := b.found[key]; ok {
		return all, nil
	}
	found, err := b.n.Store.Find(ctx, key, "", recent)
	if err != nil {
		return nil, err
	}
	all := []*ledger{}
	for _, t := range found {
		if b.known[t.ID] == nil {
			own := ""
			if t.Direction == In {
				own = b.n.receiver(t).OrganID
			}
			b.known[t.ID] = ledgerOf(t, own)
		}
		all = append(all, b.known[t.ID])
	}
	b.found[key] = all
	return all, nil
}

// choose decides which of several Documents with one DocumentId a Status means:
// a recall carries the DocumentId of what it recalls. An answer to a recall or
// an update is for all of them; a step of the work is for the oldest that it
// fits.
func choose(candidates []*ledger, subject string, e Event) []*ledger {
	if len(candidates) == 1 || e.Code == edxml.StatusTakeBackAgreed || e.Code == edxml.StatusTakeBackDenied {
		return candidates
	}
	var fits, lacks *ledger
	for _, l := range candidates {
		organ, is := l.receiver(subject)
		if !is {
			continue
		}
		if l.has(organ, e, true) {
			return []*ledger{l}
		}
		if fits == nil && l.fits(organ, e) {
			fits = l
		}
		if lacks == nil && !l.said(organ, e.Code) {
			lacks = l
		}
	}
	return []*ledger{cmp.Or(fits, lacks, candidates[0])}
}

// commit hands on what is new, then writes it, each Transfer once. What a crash
// leaves unwritten is handed on again.
func (b *batch) commit(ctx context.Context) error {
	if err := b.hand(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for _, id := range b.order {
		g.Go(func() error { return b.write(ctx, id) })
	}
	return g.Wait()
}

// hand hands on what is new: many at once, but those about one Document in
// their order.
func (b *batch) hand(ctx context.Context) error {
	if b.n.Statuses == nil {
		return nil
	}
	var order []edxml.ResponseFor
	about := map[edxml.ResponseFor][]*edxml.Status{}
	for _, s := range b.told {
		if about[s.ResponseFor] == nil {
			order = append(order, s.ResponseFor)
		}
		about[s.ResponseFor] = append(about[s.ResponseFor], s)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for _, document := range order {
		g.Go(func() error {
			for _, s := range about[document] {
				if err := b.n.Statuses(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// write writes what is new about one Transfer.
func (b *batch) write(ctx context.Context, id string) error {
	own := ""
	if b.known[id].t.Direction == In {
		own = b.n.receiver(b.known[id].t).OrganID
	}
	t, err := b.n.Store.Update(ctx, id, func(t *Transfer) error {
		l, changed := ledgerOf(t, own), false
		for _, w := range b.changes[id] {
			if w.rule != "" {
				changed = note(t, w.rule, w.text) || changed
			} else {
				changed = l.add(w.organ, w.event) || changed
			}
		}
		if !changed {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		t, err = b.known[id].t, nil
	}
	if err != nil {
		return err
	}
	b.n.Log.InfoContext(ctx, "statuses", "transfer", id, "document", t.DocumentID, "news", len(b.changes[id]))
	return b.recalled(ctx, t, b.changes[id])
}

// recalled obeys a 13.
func (b *batch) recalled(ctx context.Context, t *Transfer, all []news) error {
	for _, w := range all {
		if w.recall {
			if err := b.n.takeBack(ctx, t, back{sender: t.From, cause: "13 " + w.event.At.Format(time.RFC3339), reason: w.event.Description}); err != nil {
				return err
			}
		}
	}
	return nil
}
