package node

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/lienthong/lienthong/transport"
)

// Breaker says when the node stops calling an axis that does not work, and how
// it finds out that it does again. It opens after so many faults in a row that
// speak of the axis and not of one document; then one call goes through at a
// time, first after First, each further after twice as long, at most Max.
// Submitting and delivering go on meanwhile.
type Breaker struct {
	Faults     int           // 0: 5
	First, Max time.Duration // 0: 30 s and 10 min
}

// Link is the way to the axis as this node knows it.
type Link struct {
	Down       time.Time     `json:"down,omitzero"` // since when nothing is called; zero while it works
	Next       time.Time     `json:"next,omitzero"` // when one call is let through
	Faults     int           `json:"faults"`        // in a row
	Error      string        `json:"error,omitempty"`
	Credential bool          `json:"credential,omitempty"` // the last fault was about our credential
	Worked     time.Time     `json:"worked,omitzero"`      // when the axis answered last
	Offset     time.Duration `json:"offset,omitempty"`     // how far the axis's clock is ahead of ours; 0 within a few seconds, or not known
}

// Open reports whether calls are held back.
func (l Link) Open() bool { return !l.Down.IsZero() }

// linkName is the stored value that holds the Link over a restart.
const linkName = "link"

// link is the circuit breaker of one axis.
type link struct {
	Breaker
	mu      sync.Mutex
	state   Link
	wait    time.Duration // of the present pause
	last    string        // what failed last
	probing bool
	changed chan struct{} // closed when the state changes
}

func newLink(b Breaker) *link { return &link{Breaker: b, changed: make(chan struct{})} }

// pass is the leave to make one call.
type pass struct{ probe bool }

// enter asks for leave to call the axis. While the link is down only one call
// has it, and only when the pause is over.
func (l *link) enter(now time.Time) (pass, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.state.Open() {
		return pass{}, true
	}
	if l.probing || now.Before(l.state.Next) {
		return pass{}, false
	}
	l.probing = true
	return pass{probe: true}, true
}

// leave files what became of a call and reports whether the link went down or
// up by it. subject is what the call was for: the same one failing again and
// again says nothing about the axis.
func (l *link) leave(p pass, now time.Time, subject string, err error, stopped bool) (turned bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.tell()
	if p.probe {
		l.probing = false
	}
	var fault *transport.Fault
	refused := errors.As(err, &fault)
	if stopped || err != nil && !refused { // not tried to the end, or the store's and the disk's trouble
		return false
	}
	if err == nil || !fault.Temporary() && !fault.Credential {
		turned = l.state.Open()
		l.state, l.wait, l.last = Link{Worked: now.UTC()}, 0, ""
		return turned
	}
	l.state.Error, l.state.Credential = err.Error(), fault.Credential
	if subject != l.last || p.probe {
		l.state.Faults++
	}
	l.last = subject
	switch {
	case l.state.Open() && !p.probe, l.state.Faults < l.Breaker.Faults:
		return false
	case l.state.Open():
		l.wait = min(2*l.wait, l.Max)
	default:
		l.state.Down, l.wait = now.UTC(), l.First
	}
	l.wait = max(l.wait, fault.RetryAfter)
	l.state.Next = now.Add(l.wait).UTC()
	return true
}

func (l *link) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// ready waits until a call may be made.
func (l *link) ready(ctx context.Context) error {
	for {
		l.mu.Lock()
		open, changed := l.state.Open(), l.changed
		wait := time.Until(l.state.Next)
		if open && l.probing {
			wait = idle
		}
		l.mu.Unlock()
		if !open || wait <= 0 {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-changed:
		case <-t.C:
		}
		t.Stop()
	}
}

// hurry lets a call through at once: somebody thinks that the axis works again.
func (l *link) hurry(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Open() {
		l.state.Next = now.UTC()
	}
	l.tell()
}

// HurryAxis has the axis called at once although it is held back: something
// about it was put right, its credential for example.
func (n *Node) HurryAxis() { n.link.hurry(time.Now()) }

// rest waits for d, or until the link has been down and works again.
func (l *link) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	for down := false; ; {
		l.mu.Lock()
		open, changed := l.state.Open(), l.changed
		l.mu.Unlock()
		if down && !open {
			return nil
		}
		down = open
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			return nil
		case <-changed:
		}
	}
}

// now returns the state of the link.
func (l *link) now() Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// restore takes up the state that an earlier process left.
func (l *link) restore(s Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state, l.wait = s, max(s.Next.Sub(s.Down), l.First)
	l.wait = min(l.wait, l.Max)
}

// call makes one call to the axis, if the link lets it. It returns errLinkDown
// without having called when not.
func (n *Node) call(ctx context.Context, subject string, do func(context.Context) error) error {
	p, ok := n.link.enter(time.Now())
	if !ok {
		return errLinkDown
	}
	err := do(ctx)
	n.leave(ctx, p, subject, err)
	return err
}

func (n *Node) leave(ctx context.Context, p pass, subject string, err error) {
	if !n.link.leave(p, time.Now(), subject, err, err != nil && ctx.Err() != nil) {
		return
	}
	state := n.LinkNow()
	if state.Open() {
		n.Log.WarnContext(ctx, "the axis is not called for a while", "faults", state.Faults, "next", state.Next, "error", state.Error)
	} else {
		n.Log.InfoContext(ctx, "the axis works again")
	}
	v, err := json.Marshal(state)
	if err == nil {
		err = n.Store.SetValue(context.WithoutCancel(ctx), linkName, v)
	}
	if err != nil { // it is kept for people to read; the next turn stores it again
		n.Log.WarnContext(ctx, "the state of the axis was not stored", "error", err)
	}
}

// errLinkDown says that the axis is not called for a while.
var errLinkDown = errors.New("node: the axis is not called for a while")

// LinkNow returns what this process knows of the way to the axis.
func (n *Node) LinkNow() Link {
	l := n.link.now()
	if n.Clock != nil {
		if offset, at := n.Clock.Offset(); !at.IsZero() {
			l.Offset = offset
		}
	}
	return l
}

// restoreLink takes up what was stored about the way to the axis.
func (n *Node) restoreLink(ctx context.Context) error {
	v, err := n.Store.Value(ctx, linkName)
	if err != nil || v == nil {
		return err
	}
	var s Link
	if err := json.Unmarshal(v, &s); err != nil {
		n.Log.WarnContext(ctx, "the stored state of the axis is not readable; it is found out anew", "error", err)
		return nil
	}
	n.link.restore(s)
	return nil
}

// Link returns what is known of the way to the axis: by this process when it
// runs, else as it was stored last.
func (n *Node) Link(ctx context.Context) (Link, error) {
	if l := n.LinkNow(); l.Open() || !l.Worked.IsZero() || l.Faults > 0 {
		return l, nil
	}
	v, err := n.Store.Value(ctx, linkName)
	if err != nil || v == nil {
		return n.LinkNow(), err
	}
	var l Link
	if err := json.Unmarshal(v, &l); err != nil {
		return n.LinkNow(), nil
	}
	return l, nil
}
