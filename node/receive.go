package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
	"github.com/lienthong/lienthong/transport"
)

// maxEnvelope is the limit for a received envelope, which is held in memory
// while it is read; attachments travel beside it.
const maxEnvelope = 32 << 20

// collect lists what waits at the axis and begins a Transfer for each
// Document that is new.
func (n *Node) collect(ctx context.Context) (news bool, err error) {
	if err := n.roomToSlow(ctx); err != nil { // what waits there is safe there
		return false, err
	}
	pending, err := n.Axis.Pending(ctx)
	if err != nil {
		return false, err
	}
	n.listing <- struct{}{}
	defer func() { <-n.listing }()
	var begun atomic.Bool
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for _, p := range pending {
		t, err := waitingThere(p) // now, as its ID is its place in line
		if err != nil {
			return false, errors.Join(err, g.Wait())
		}
		g.Go(func() error {
			first, err := n.listed(ctx, t)
			if first {
				begun.Store(true)
			}
			return err
		})
	}
	err = g.Wait()
	return begun.Load(), err
}

// together is how many changes are asked of the store at once, so that they
// share a commit.
const together = 64

// waitingThere makes the Transfer of a Document that waits at the axis.
func waitingThere(p transport.Pending) (*Transfer, error) {
	t, err := newTransfer(In, edxml.KindDocument, Listed)
	if err != nil {
		return nil, err
	}
	t.AxisID, t.For, t.Unique = p.ID, p.For, []string{axisKey(p.ID)}
	if t.Service = p.Service; t.Service != "" { // the axis alone says whose it is
		t.From, t.Receivers = p.From, []Receiver{{OrganID: p.For}}
	}
	return t, nil
}

// listed commits the Transfer of a Document that waits at the axis, and reports
// that it is the first, or looks again at the one there is.
func (n *Node) listed(ctx context.Context, t *Transfer) (first bool, err error) {
	var exists *ExistsError
	err = n.begin(ctx, t, "fetch")
	if err == nil {
		failpoint.Hit(failpoint.Listed)
		return true, nil
	}
	if errors.As(err, &exists) {
		err = n.confirmAgain(ctx, exists.ID)
		n.Wake(In)
	}
	return false, err
}

// confirmAgain looks again at a Document that is finished here and yet listed.
// Either the axis did not keep the acknowledgement, or it started its numbers
// anew and this is another Document: only fetching it can tell.
func (n *Node) confirmAgain(ctx context.Context, id string) error { return n.relist(ctx, id, n.Poll) }

// relist looks again at a Document that was finished at least so long ago.
func (n *Node) relist(ctx context.Context, id string, ago time.Duration) error {
	settled := func(t *Transfer) bool { return !t.Finished.IsZero() && time.Since(t.Finished) >= ago }
	if t, err := n.Store.Transfer(ctx, id); err != nil || !settled(t) { // spares a commit at every look
		return err
	}
	_, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		if !settled(t) {
			return errUnchanged
		}
		t.State, t.Due, t.Finished = Listed, time.Now().UTC(), time.Time{}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

var errUnchanged = errors.New("node: nothing to change")

// inStep is one step of the way in: what it does, and whether it calls the axis.
type inStep struct {
	name           string
	axis           bool
	do             func(context.Context, *Transfer) (func(*Transfer), error)
	done, recorded failpoint.Point
}

// inStep returns the step that the state asks for.
func (n *Node) inStep(s State) (inStep, bool) {
	switch s {
	case Listed:
		return inStep{"fetch", true, n.fetch, failpoint.FetchDone, failpoint.FetchRecorded}, true
	case Fetched:
		return inStep{"verify", false, n.verify, failpoint.VerifyDone, failpoint.VerifyRecorded}, true
	case Verified:
		return inStep{"deliver", false, n.deliver, failpoint.DeliverDone, failpoint.DeliverRecorded}, true
	case Delivered, Confirmed, Rejected:
		return inStep{"confirm", true, n.confirm, failpoint.ConfirmDone, failpoint.ConfirmRecorded}, true
	case Sealed:
		return inStep{"withdraw", false, n.withdraw, failpoint.WithdrawDone, failpoint.WithdrawRecorded}, true
	case Recalled:
		return inStep{"destroy", false, n.destroy, failpoint.DestroyDone, failpoint.DestroyRecorded}, true
	}
	return inStep{}, false
}

// receiveStep takes the step that the state asks for. Each state is stored
// before the next call is made.
func (n *Node) receiveStep(ctx context.Context, t *Transfer) (*Transfer, error) {
	step, ok := n.inStep(t.State)
	if !ok {
		return nil, fmt.Errorf("node: transfer %s: state %q has no step", t.ID, t.State)
	}
	if t.State == Verified && len(t.About) > 0 {
		ready, after, err := n.await(ctx, t)
		if err != nil || !ready {
			return after, err
		}
		t = after
	}
	var change func(*Transfer)
	var attempted error
	try := func(ctx context.Context) (err error) {
		claimed, err := n.attempt(ctx, t, step.name)
		if err != nil {
			attempted = err
			return err
		}
		t = claimed
		if step.axis && n.Axis == nil {
			return errNoAxis
		}
		change, err = step.do(ctx, t)
		return err
	}
	call := try
	if step.axis {
		call = func(ctx context.Context) error { return n.call(ctx, t.ID, try) }
	}
	err := call(ctx)
	switch {
	case attempted != nil:
		return nil, err
	case errors.Is(err, errLinkDown):
		return n.park(ctx, t)
	case err != nil:
		return n.fail(ctx, t, err, func(t *Transfer) { t.Due = time.Now().UTC().Add(n.Retry.Max) })
	}
	failpoint.Hit(step.done)
	record, verified := change, n.verifyAtOnce(ctx, t, change)
	if verified != nil {
		record = verified
	}
	next, err := n.advance(ctx, t, record)
	if err == nil {
		failpoint.Hit(step.recorded)
	}
	if err == nil && verified != nil {
		failpoint.Hit(failpoint.VerifyRecorded)
	}
	if err == nil && (next.State == Delivered || next.State == Rejected) {
		err = n.ended(ctx, next)
	}
	var exists *ExistsError
	if errors.As(err, &exists) {
		// The same Document under another number of the axis: acknowledge it,
		// deliver nothing twice.
		n.Log.InfoContext(ctx, "document received twice", "transfer", t.ID, "first", exists.ID)
		return n.advance(ctx, t, func(t *Transfer) {
			unique := t.Unique
			change(t)
			t.Unique, t.State, t.SameAs = unique, Delivered, exists.ID
		})
	}
	return next, err
}

// park puts a Transfer aside until the axis may be called again; it is no try.
func (n *Node) park(ctx context.Context, t *Transfer) (*Transfer, error) {
	until, claimed := n.LinkNow().Next, n.claims.take(t.ID) != ""
	return n.record(ctx, t.ID, func(t *Transfer) {
		if claimed {
			withdraw(t)
		}
		t.Due = until
		if soon := time.Now().UTC().Add(time.Second); until.Before(soon) {
			t.Due = soon // somebody else is finding out
		}
	})
}

// fetch streams the packet into the store and reads what it says.
func (n *Node) fetch(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	if err := n.roomToSlow(ctx); err != nil {
		return nil, err
	}
	in, err := n.Axis.Fetch(ctx, t.AxisID)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	root, err := in.Next()
	if err != nil {
		return nil, err
	}
	if t.Service != "" {
		return n.fetchCarried(ctx, t, in, root.Content)
	}
	if n.Wire == edxml.ProfileQCVN102 {
		return n.fetchFile(ctx, t, in, root.Content)
	}
	envelope, err := io.ReadAll(io.LimitReader(root.Content, maxEnvelope+1))
	if err != nil {
		return nil, err
	}
	if len(envelope) > maxEnvelope {
		return nil, &transport.Fault{Operation: "GetDocument", Text: fmt.Sprintf("the envelope is larger than %d bytes", maxEnvelope)}
	}
	kept, err := n.Store.Put(ctx, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	parts, packet, err := n.keepParts(ctx, envelope, in)
	return n.fetched(ctx, t, kept, parts, packet, err)
}

// fetched says what became of a packet whose bytes are stored.
func (n *Node) fetched(ctx context.Context, t *Transfer, envelope Content, parts []Part, packet *edxml.Packet, err error) (func(*Transfer), error) {
	if unreadable(err) {
		return func(t *Transfer) { t.Envelope, t.State, t.Refusal = envelope, Rejected, err.Error() }, nil
	}
	if err != nil {
		return nil, err
	}
	if t.Digest != "" {
		var now Transfer
		describe(&now, packet)
		return n.again(ctx, t, now.From, now.Digest)
	}
	return func(t *Transfer) {
		t.Envelope, t.Parts, t.State = envelope, parts, Fetched
		if packet.Profile == edxml.ProfileQCVN102 {
			t.Profile = packet.Profile
		}
		describe(t, packet)
		if packet.Document != nil {
			t.Unique = append(t.Unique, identityKey(In, t))
		}
	}, nil
}

// again decides about a Document that was finished and is listed once more: the
// same one is acknowledged again, another one becomes a Transfer of its own.
func (n *Node) again(ctx context.Context, t *Transfer, from, digest string) (func(*Transfer), error) {
	was := Confirmed
	if t.Refusal != "" {
		was = Rejected
	}
	if digest == t.Digest && from == t.From {
		return func(t *Transfer) { t.State = was }, nil
	}
	n.Log.WarnContext(ctx, "the axis gave a number anew", "number", t.AxisID, "transfer", t.ID, "from", from)
	p := transport.Pending{ID: t.AxisID, For: t.For, Service: t.Service}
	if t.Service != "" {
		p.From = from
	}
	other, err := waitingThere(p)
	if err != nil {
		return nil, err
	}
	other.Unique = []string{axisKey(t.AxisID) + " " + digest}
	var exists *ExistsError
	if err := n.Store.Create(ctx, other); errors.As(err, &exists) {
		err = n.confirmAgain(ctx, exists.ID)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	n.Wake(In)
	return func(t *Transfer) { finish(t, was) }, nil
}

// deliver hands the Document over. What its sender took back meanwhile is not
// handed out, nor what a recall came before; of a recall, which carries the
// files again, only its header is.
func (n *Node) deliver(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	earlier, err := n.recalledBefore(ctx, t)
	if err != nil {
		return nil, err
	}
	done := func(t *Transfer) {
		if earlier != nil && t.Withdrawn == nil {
			t.Withdrawn = &Act{At: time.Now().UTC(), Actor: earlier.From, Action: "recall", Reason: reasonOf(earlier)}
			t.Followers = append(t.Followers, Follower{Transfer: earlier.ID, DocType: earlier.DocType, At: earlier.Created})
		}
		if t.State = Delivered; n.Sink == nil && t.Withdrawn == nil && !slices.Contains(t.Lookup, waitingKey) {
			t.Lookup = append(t.Lookup, waitingKey) // until somebody takes it
		}
	}
	shown := *t
	if t.Withdrawn != nil || earlier != nil {
		if t.DocType != edxml.Recall {
			return done, nil
		}
		shown.Parts = nil
	}
	if n.Sink != nil {
		if err := n.Sink.Deliver(ctx, &shown, func(c Content) (io.ReadCloser, error) { return n.handOut(ctx, c) }); err != nil {
			return nil, err
		}
	}
	n.Log.InfoContext(ctx, "delivered", "transfer", t.ID, "document", t.DocumentID, "from", t.From)
	return done, nil
}

// maxDescription is what a Status may say, in characters (StatusCode 02,
// Description: S 500 of the older BKAV checker).
const maxDescription = 500

// clip cuts text to a number of characters.
func clip(s string, max int) string {
	if r := []rune(s); len(r) > max {
		return string(r[:max-1]) + "…"
	}
	return s
}

// confirm tells the axis that the Document is here, and refuses it with status
// 02 when it was rejected. Over eDoc the acknowledgement itself is the 01.
func (n *Node) confirm(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	if err := n.Axis.Acknowledge(ctx, t.AxisID); err != nil {
		return nil, err
	}
	if t.State == Rejected && t.From == "" {
		return func(t *Transfer) { finish(t, Rejected) }, nil
	}
	if t.State == Rejected {
		var invalid *InvalidError // it does not say which Document it is: nothing can be reported about it
		if _, err := n.report(ctx, t, reportKey(t.ID, edxml.StatusRefused), edxml.StatusRefused, clip(t.Refusal, maxDescription), nil); errors.As(err, &invalid) {
			n.Log.WarnContext(ctx, "rejection not reported", "transfer", t.ID, "from", t.From, "error", err)
		} else if err != nil {
			return nil, err
		}
		return func(t *Transfer) { finish(t, Rejected) }, nil
	}
	if n.ReportArrival && t.State == Delivered && t.SameAs == "" && t.Kind == edxml.KindDocument && t.Service == "" {
		if _, err := n.report(ctx, t, reportKey(t.ID, edxml.StatusArrived), edxml.StatusArrived, "", nil); err != nil {
			return nil, err
		}
	}
	now := time.Now().UTC()
	return func(t *Transfer) {
		if t.State == Delivered && !n.ReportArrival { // else the axis had forgotten the first acknowledgement
			own := n.receiver(t).OrganID
			ledgerOf(t, own).add(own, Event{Code: edxml.StatusArrived, At: now})
		}
		finish(t, Confirmed)
		switch {
		case t.Withdrawn == nil || t.SameAs != "":
		case t.DocType == edxml.Recall:
			t.Purged = now // the recall itself: who, when and why stay
		default:
			t.State, t.Due, t.Finished = Sealed, now, time.Time{}
		}
	}, nil
}
