package node

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/transport"
)

// hold is how long a lease runs before it must be renewed. A node that dies
// delays its work by this much at the most.
const hold = 30 * time.Second

// idle is how long a worker sleeps when nothing will be due.
const idle = time.Minute

// maxAttempts is how many attempts a Transfer remembers.
const maxAttempts = 50

// maxOutput is how much of what a sink said an Attempt keeps, in characters.
const maxOutput = 2000

// errLeaseLost says that the lease ran out and somebody else has the work.
var errLeaseLost = errors.New("node: the lease was lost")

// Backoff spaces the tries of one step: the first after First, each further
// after twice as long, at most Max, all with a fifth of jitter so that a
// restart does not make a stampede.
type Backoff struct {
	First, Max time.Duration
}

// after returns the pause behind the given number of failed tries.
func (b Backoff) after(tries int) time.Duration {
	d := b.Max
	if tries < 32 {
		d = min(b.Max, b.First<<max(tries-1, 0))
	}
	if d <= 0 {
		d = b.Max
	}
	return d - d/10 + rand.N(d/5+1)
}

// step is what a worker does with a leased Transfer: one step of its walk. It
// returns the Transfer as committed; the worker goes on with it while
// something is due.
type step func(ctx context.Context, t *Transfer) (*Transfer, error)

// work lets the workers of one direction lease due Transfers and walk them,
// until ctx ends.
func (n *Node) work(ctx context.Context, d Direction, do step) error {
	g, ctx := errgroup.WithContext(ctx)
	lookout := make(chan struct{}, 1)
	for range n.Workers {
		g.Go(func() error {
			w := worker{Node: n, direction: d, do: do, lookout: lookout}
			defer w.behind.Wait()
			for {
				if err := w.turn(ctx); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// worker walks one Transfer at a time. Each leases for itself, so that many
// leases are one commit.
type worker struct {
	*Node
	direction Direction
	do        step
	lookout   chan struct{}  // held by the one that waits for work, or finds out whether the axis works again
	behind    sync.WaitGroup // what goes on after a walk
}

// turn leases a Transfer and walks it, or waits until something is due. While
// the axis does not work only the lookout does.
func (w *worker) turn(ctx context.Context) error {
	d, looking := w.direction, false
	defer func() {
		if looking {
			<-w.lookout
		}
	}()
	if d == Out && w.link.now().Open() { // all that goes out needs the axis
		select {
		case <-ctx.Done():
			return ctx.Err()
		case w.lookout <- struct{}{}:
			looking = true
		}
		if err := w.link.ready(ctx); err != nil {
			return err
		}
	}
	t, err := w.Store.Lease(ctx, d, w.holder, time.Now(), hold)
	switch {
	case err == nil:
		w.Wake(d) // there may be more
		if w.walks.enter(t.ID) {
			w.carry(ctx, t)
		} // else a neighbour walks it, and goes on with it
		return ctx.Err()
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(err, ErrNothingDue):
		w.Log.ErrorContext(ctx, "no lease from the store", "direction", d, "error", err)
		return sleep(ctx, w.Retry.First)
	}
	var seat chan *Transfer
	if !looking {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case seat = <-w.seats[d]:
		case w.lookout <- struct{}{}:
			looking = true
		}
	}
	if seat == nil {
		seat = w.pause(ctx, d)
	}
	if seat != nil {
		if t := <-seat; t != nil {
			w.carry(ctx, t)
		}
	}
	return ctx.Err()
}

// carry walks a leased Transfer, of which walks knows, and again when a neighbour
// has leased it since the walk ended.
func (w *worker) carry(ctx context.Context, t *Transfer) {
	t = w.walk(ctx, t, w.do)
	for !w.walks.leave(t.ID) {
		again, err := w.Store.Transfer(context.WithoutCancel(ctx), t.ID) // a clean stop gives it back
		if err != nil {
			w.Log.WarnContext(ctx, "lease left alone; it runs out by itself", "transfer", t.ID, "error", err)
		} else if t = again; t.Lease == w.holder {
			t = w.walk(ctx, t, w.do)
		}
	}
	w.Wake(w.direction)
	w.behind.Go(func() { w.hasten(ctx, t) })
}

// pause sleeps until the next Transfer is due, somebody nudges, or has a new
// Transfer for whoever takes the seat.
func (n *Node) pause(ctx context.Context, d Direction) (seat chan *Transfer) {
	wait := idle
	if due, err := n.Store.NextDue(ctx, d); err == nil && !due.IsZero() {
		wait = min(wait, max(time.Until(due), 10*time.Millisecond))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-n.nudge[d]:
	case seat = <-n.seats[d]:
	case <-t.C:
	}
	return seat
}

// Wake makes the workers of a direction look at the store at once: what another
// process queued there they see in time by themselves, but later.
func (n *Node) Wake(d Direction) {
	select {
	case n.nudge[d] <- struct{}{}:
	default:
	}
}

// hasten gives an urgent Transfer its head start again when its own pause is
// over, or the axis works again: what was due before it would go first else.
// After a crash it waits in line.
func (n *Node) hasten(ctx context.Context, t *Transfer) {
	due := t.Due
	pause := time.Until(due)
	if t.Urgency == 0 || t.State != Queued || pause <= 0 || n.link.rest(ctx, pause) != nil {
		return
	}
	_, err := n.Store.Update(ctx, t.ID, func(t *Transfer) error {
		if !t.Due.Equal(due) || leased(t) {
			return errUnchanged
		}
		t.Due = dueNow(t)
		return nil
	})
	if err != nil && !errors.Is(err, errUnchanged) && ctx.Err() == nil {
		n.Log.WarnContext(ctx, "urgent document waits in line", "transfer", t.ID, "error", err)
	}
	n.Wake(Out)
}

// walk takes steps while they succeed and something is due, keeping the lease
// alive, and gives the lease back. It returns the Transfer as it was last.
func (n *Node) walk(ctx context.Context, t *Transfer, do step) *Transfer {
	ctx, cancel := context.WithCancel(ctx)
	id, renewed := t.ID, make(chan struct{})
	go func() {
		defer close(renewed)
		n.renew(ctx, id, cancel)
	}()
	defer func() { cancel(); <-renewed }()
	for {
		next, err := do(ctx, t)
		if err != nil {
			if !errors.Is(err, errLeaseLost) && !errors.Is(err, errLinkDown) && ctx.Err() == nil {
				n.Log.ErrorContext(ctx, "step not recorded", "transfer", t.ID, "error", err)
			}
			break
		}
		if t = next; t.Due.IsZero() || time.Until(t.Due) > 0 || ctx.Err() != nil {
			break
		}
	}
	if t.Lease == "" { // given back with the last step
		return t
	}
	claimed := n.claims.take(t.ID) != ""
	// also after ctx has ended: a clean stop gives its work back
	_, err := n.Store.Update(context.WithoutCancel(ctx), t.ID, func(t *Transfer) error {
		if t.Lease != n.holder {
			return errLeaseLost
		}
		if claimed {
			withdraw(t)
		}
		t.Lease, t.LeasedUntil = "", time.Time{}
		return nil
	})
	if err != nil && !errors.Is(err, errLeaseLost) {
		n.Log.WarnContext(ctx, "lease not given back; it runs out by itself", "transfer", t.ID, "error", err)
	}
	return t
}

// renew renews the lease until ctx ends, and cancels the work when the lease is
// lost or could not be renewed in time: somebody else may have it then.
func (n *Node) renew(ctx context.Context, id string, cancel func()) {
	late := time.AfterFunc(hold*2/3, cancel) // also while the store does not answer
	defer late.Stop()
	for sleep(ctx, hold/3) == nil {
		_, err := n.record(ctx, id, func(t *Transfer) {})
		if errors.Is(err, errLeaseLost) {
			cancel()
			return
		}
		if err == nil {
			late.Reset(hold * 2 / 3)
		}
	}
}

// record commits a change to a Transfer this node has leased, and with it
// renews the lease, or gives it back when no step is left.
func (n *Node) record(ctx context.Context, id string, change func(*Transfer)) (*Transfer, error) {
	return n.Store.Update(ctx, id, func(t *Transfer) error {
		if t.Lease != n.holder {
			return errLeaseLost
		}
		change(t)
		if t.Held != nil {
			t.Due = time.Time{}
		}
		if t.LeasedUntil = time.Now().UTC().Add(hold); t.Due.IsZero() && !t.Finished.IsZero() {
			t.Lease, t.LeasedUntil = "", time.Time{}
		}
		return nil
	})
}

// attempt claims a try of a step before it is made: a crash leaves the trace
// of it behind.
func (n *Node) attempt(ctx context.Context, t *Transfer, name string) (*Transfer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if n.claims.take(t.ID) == name {
		return t, nil
	}
	claimed, err := n.record(ctx, t.ID, func(t *Transfer) { openAttempt(t, name) })
	if err == nil {
		err = ctx.Err() // it may have taken so long that the lease is not sure any more
	}
	return claimed, err
}

func openAttempt(t *Transfer, name string) {
	t.Unsure = unsure(t) // a crash left no answer behind
	t.Tries++
	remember(t, Attempt{Step: name, Start: time.Now().UTC()})
}

// remember adds an attempt to those that a Transfer remembers.
func remember(t *Transfer, a Attempt) {
	t.Attempts = append(t.Attempts, a)
	if extra := len(t.Attempts) - maxAttempts; extra > 0 {
		t.Attempts = t.Attempts[extra:]
	}
}

// succeed closes the latest attempt and moves the Transfer on. What was done is
// recorded although the node is about to stop, or nobody would know of it.
func (n *Node) succeed(ctx context.Context, t *Transfer, change func(*Transfer)) (*Transfer, error) {
	return n.record(context.WithoutCancel(ctx), t.ID, func(t *Transfer) {
		closeAttempt(t, nil)
		t.Tries, t.LastError, t.Permanent, t.Cause = 0, "", false, ""
		change(t)
	})
}

// fail closes the latest attempt and plans the next, or gives the Transfer up
// when the fault is permanent or the deadline has passed.
func (n *Node) fail(ctx context.Context, t *Transfer, cause error, giveUp func(*Transfer)) (*Transfer, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err() // stopped, not failed: the next holder tries again
	}
	n.Log.WarnContext(ctx, "step failed", "transfer", t.ID, "document", t.DocumentID, "error", cause)
	var fault *transport.Fault
	// A wrong token says nothing about the document: it waits until somebody
	// puts the credential right.
	permanent := errors.As(cause, &fault) && !fault.Temporary() && !fault.Credential
	return n.record(ctx, t.ID, func(t *Transfer) {
		closeAttempt(t, cause)
		t.Unsure = t.Unsure || !answered(t, cause)
		t.LastError, t.Permanent, t.Cause = cause.Error(), permanent, n.causeOf(t, cause)
		wait := n.Retry.after(t.Tries)
		if fault != nil {
			wait = max(wait, fault.RetryAfter)
		}
		now := time.Now().UTC()
		t.Due = now.Add(wait)
		switch {
		case permanent || !t.Deadline.IsZero() && t.Due.After(t.Deadline):
			giveUp(t)
		case t.Direction == Out && t.Urgency > 0 && n.link.now().Open(): // the pause is the axis's, and its own would cost it its place in line
			t.Due = dueNow(t)
		}
	})
}

// answered reports whether a fault tells that the axis does not have the
// packet: it said so itself, or was never reached.
func answered(t *Transfer, err error) bool {
	if t.Attempts[len(t.Attempts)-1].Step != "send" {
		return true
	}
	var fault *transport.Fault
	if errors.As(err, &fault) && (fault.Code != "" || fault.Credential) {
		return true
	}
	var dial *net.OpError
	var name *net.DNSError
	var cert *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &name) || errors.As(err, &cert)
}

// unsure reports whether the axis may have the packet although it gave no
// Receipt: the answer to some try is not known.
func unsure(t *Transfer) bool {
	if t.Unsure || len(t.Attempts) == 0 {
		return t.Unsure
	}
	last := t.Attempts[len(t.Attempts)-1]
	return last.Step == "send" && last.Duration == 0 && last.Error == "" && t.State != Sent
}

func closeAttempt(t *Transfer, err error) {
	if len(t.Attempts) == 0 {
		return
	}
	a := &t.Attempts[len(t.Attempts)-1]
	a.Duration = max(time.Since(a.Start), 1)
	if err == nil {
		return
	}
	var said interface{ Output() string }
	if errors.As(err, &said) {
		a.Output = clip(said.Output(), maxOutput)
	}
	a.Error = err.Error()
	var fault *transport.Fault
	if errors.As(err, &fault) {
		a.Code = fault.Code
	}
}

// finish marks a Transfer as having no step left.
func finish(t *Transfer, s State) {
	t.State, t.Due, t.Finished, t.Held = s, time.Time{}, time.Now().UTC(), nil
}

// headStart is how far before its time an urgent Document is due, by its
// urgency: it goes before what was queued within that span, and whatever waits
// longer still has its turn.
var headStart = [...]time.Duration{0, time.Hour, 2 * time.Hour, 4 * time.Hour}

// dueNow is when a Transfer is due that is to be worked on at once: its place
// in line is that of its coming, and of its urgency.
func dueNow(t *Transfer) time.Time {
	return t.Created.Add(-headStart[min(max(t.Urgency, 0), len(headStart)-1)])
}
