package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/transport"
)

// How a call goes wrong.
const (
	refusedBefore = "failed and not applied"
	lostAnswer    = "failed but applied"
	crashBefore   = "crash before it"
	crashAfter    = "crash after it"
)

var errInjected = errors.New("injected fault")

// trap makes one call of one name go wrong, the n-th of them.
type trap struct {
	mu    sync.Mutex
	call  string // "" is any
	nth   int    // from 1
	mode  string
	seen  int
	fired bool
	dead  bool          // the process writes no more
	crash chan struct{} // told when the process is to die
}

// through makes a call, or not, as the trap says.
func (f *trap) through(call string, do func() error) error {
	f.mu.Lock()
	if f.dead {
		f.mu.Unlock()
		return fmt.Errorf("%w: the process is dead", errInjected)
	}
	mode := ""
	if f.call == "" || f.call == call {
		if f.seen++; f.seen == f.nth && !f.fired {
			f.fired, mode = true, f.mode
		}
	}
	if mode == crashBefore {
		f.dead = true
	}
	f.mu.Unlock()
	switch mode {
	case refusedBefore:
		return errInjected
	case crashBefore:
		f.crash <- struct{}{}
		return errInjected
	}
	err := do()
	switch mode {
	case lostAnswer:
		return errInjected
	case crashAfter:
		f.mu.Lock()
		f.dead = true
		f.mu.Unlock()
		f.crash <- struct{}{}
		return errInjected
	}
	return err
}

// revive is the start of the next process.
func (f *trap) revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = false
}

// hasFired reports whether the fault has happened.
func (f *trap) hasFired() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// badAxis, badSink and badStore are ports with a trap in them.
type badAxis struct {
	node.Axis
	*trap
}

func (a badAxis) Send(ctx context.Context, p *transport.Packet) (r transport.Receipt, err error) {
	err = a.through("send", func() error { r, err = a.Axis.Send(ctx, p); return err })
	return r, err
}

func (a badAxis) Pending(ctx context.Context) (p []transport.Pending, err error) {
	err = a.through("list", func() error { p, err = a.Axis.Pending(ctx); return err })
	return p, err
}

func (a badAxis) Fetch(ctx context.Context, id string) (in transport.Incoming, err error) {
	err = a.through("fetch", func() error { in, err = a.Axis.Fetch(ctx, id); return err })
	if err != nil && in != nil {
		in.Close()
	}
	return cutting{in, a.trap}, err
}

func (a badAxis) Acknowledge(ctx context.Context, id string) error {
	return a.through("confirm", func() error { return a.Axis.Acknowledge(ctx, id) })
}

func (a badAxis) SendStatus(ctx context.Context, s *edxml.Status) error {
	return a.through("send status", func() error { return a.Axis.SendStatus(ctx, s) })
}

func (a badAxis) Statuses(ctx context.Context, since time.Time) (l []edxml.Status, err error) {
	err = a.through("statuses", func() error { l, err = a.Axis.Statuses(ctx, since); return err })
	return l, err
}

func (a badAxis) Organs(ctx context.Context) (l []edxml.Organ, err error) {
	err = a.through("directory", func() error { l, err = a.Axis.Organs(ctx); return err })
	return l, err
}

// cutting breaks a packet off between its pieces, or within one.
type cutting struct {
	transport.Incoming
	*trap
}

func (c cutting) Next() (p *transport.Piece, err error) {
	end := false
	err = c.through("fetch: next piece", func() error {
		if p, err = c.Incoming.Next(); err == io.EOF {
			end = true
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if end {
		return nil, io.EOF
	}
	p.Content = &cut{p.Content, c.trap, false}
	return p, nil
}

type cut struct {
	io.Reader
	*trap
	begun bool
}

func (c *cut) Read(p []byte) (n int, err error) {
	if c.begun {
		return c.Reader.Read(p)
	}
	c.begun = true
	if e := c.through("fetch: in a piece", func() error { n, err = c.Reader.Read(p[:min(len(p), 5)]); return nil }); e != nil {
		return n, e
	}
	return n, err
}

type badSink struct {
	node.Sink
	*trap
}

func (s badSink) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	return s.through("deliver", func() error { return s.Sink.Deliver(ctx, t, open) })
}

func (s badSink) Notify(ctx context.Context, t *node.Transfer) error {
	return s.through("notify", func() error { return s.Sink.Notify(ctx, t) })
}

type badStore struct {
	node.Store
	*trap
}

func (s badStore) Put(ctx context.Context, r io.Reader) (c node.Content, err error) {
	err = s.through("put", func() error { c, err = s.Store.Put(ctx, r); return err })
	return c, err
}

func (s badStore) Create(ctx context.Context, ts ...*node.Transfer) error {
	return s.through("create", func() error { return s.Store.Create(ctx, ts...) })
}

func (s badStore) Update(ctx context.Context, id string, change func(*node.Transfer) error) (t *node.Transfer, err error) {
	err = s.through("update", func() error { t, err = s.Store.Update(ctx, id, change); return err })
	if err != nil {
		t = nil
	}
	return t, err
}

func (s badStore) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (t *node.Transfer, err error) {
	if due, err := s.NextDue(ctx, d); err != nil || due.IsZero() || due.After(now) {
		return s.Store.Lease(ctx, d, holder, now, hold) // no write
	}
	err = s.through("lease", func() error { t, err = s.Store.Lease(ctx, d, holder, now, hold); return err })
	if err != nil {
		t = nil
	}
	return t, err
}

func (s badStore) SetValue(ctx context.Context, name string, v []byte, holds ...string) error {
	return s.through("set value", func() error { return s.Store.SetValue(ctx, name, v, holds...) })
}

// host runs one node through as many processes as it takes.
type host struct {
	t      *testing.T
	dir    string
	config node.Config
	trap   *trap
	ready  chan struct{}

	once  sync.Once
	mu    sync.Mutex
	store *noisy     // of the running process
	node  *node.Node // of the running process
	end   chan struct{}
	ended chan struct{}
}

// now returns the store and the node of the running process.
func (h *host) now() (*noisy, *node.Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.store, h.node
}

// newHost starts a node whose ports hold the trap; where says which.
func newHost(t *testing.T, c node.Config, f *trap, where string) *host {
	h := &host{t: t, dir: t.TempDir(), config: c, trap: f, ready: make(chan struct{}, 1), end: make(chan struct{}), ended: make(chan struct{})}
	if where == "ports" {
		h.config.Axis = badAxis{c.Axis, f}
		if c.Sink != nil {
			h.config.Sink = badSink{c.Sink, f}
		}
	}
	go h.live(where)
	<-h.ready
	t.Cleanup(h.stop)
	return h
}

func (h *host) live(where string) {
	defer close(h.ended)
	for {
		store := bubbleStore(h.t, h.dir)
		c := h.config
		c.Store = store
		if where == "store" {
			c.Store = badStore{store, h.trap}
		}
		n, err := node.New(c)
		if err != nil {
			h.t.Error(err)
			return
		}
		h.mu.Lock()
		h.store, h.node = store, n
		h.mu.Unlock()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		select {
		case h.ready <- struct{}{}:
		default:
		}
		stop := false
		select {
		case <-h.trap.crash:
		case <-h.end:
			stop = true
		}
		if !stop && where == "ports" { // what a dead process had in hand stays leased: make the store deaf
			store.kill()
		}
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Run: %v", err)
		}
		store.Close()
		if stop {
			return
		}
		h.trap.revive()
	}
}

func (h *host) stop() {
	h.once.Do(func() { close(h.end) })
	<-h.ended
}

// again does what a caller would do who got an error and tries again.
func (h *host) again(do func(*node.Node) error) {
	h.t.Helper()
	var err error
	for range 3 {
		_, n := h.now()
		if err = do(n); err == nil {
			return
		}
		<-time.After(time.Minute) // until the next process is up
	}
	h.t.Fatal(err)
}

// await waits for something in the store, in whatever process.
func (h *host) await(what string, done func(node.Store) bool) {
	h.t.Helper()
	<-time.After(7 * time.Second) // beside the node's own rhythm
	for range 600 {
		<-time.After(30 * time.Second)
		if s, _ := h.now(); done(s) {
			return
		}
	}
	h.t.Fatalf("never: %s", what)
}

// walkWith takes a Document from the ministry to the province and its statuses
// back, with one fault on the way, and requires that nothing of it shows in
// the end. It reports whether the fault came about.
func walkWith(t *testing.T, f *trap, side, where string) (fired bool) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		f.crash = make(chan struct{})
		axis := newAxis(t)
		folder := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
		fromPlace, toPlace := "", ""
		if side == "sender" {
			fromPlace = where
		} else {
			toPlace = where
		}
		quiet := &trap{crash: make(chan struct{})}
		pick := func(place string) *trap {
			if place == "" {
				return quiet
			}
			return f
		}
		from := newHost(t, node.Config{Organ: ministry, Axis: inProcessClient(axis, "G22"), Key: tested().key}, pick(fromPlace), fromPlace)
		to := newHost(t, node.Config{Organ: province, Axis: inProcessClient(axis, "H41"), Sink: folder, Roots: tested().roots, Policy: node.Require}, pick(toPlace), toPlace)

		var id string
		from.again(func(n *node.Node) error {
			s, err := n.Submit(t.Context(), bytes.NewReader(plain(t, "118")))
			if err == nil {
				id = s.Transfer.ID
			}
			return err
		})
		var got *node.Transfer
		to.await("confirmed", func(s node.Store) bool {
			got = only(t, s, node.In, edxml.KindDocument)
			return got != nil && got.State == node.Confirmed
		})
		for _, code := range []edxml.StatusCode{edxml.StatusAccepted, edxml.StatusDone} {
			to.again(func(n *node.Node) error {
				_, err := n.Report(t.Context(), got.ID, code, "", nil)
				return err
			})
			<-time.After(2 * time.Second) // statuses have whole seconds
		}
		var sent *node.Transfer
		from.await("06 at the sender", func(s node.Store) bool {
			sent = must(s.Transfer(t.Context(), id))
			return len(sent.Receivers[0].Events) >= 3
		})
		<-time.After(15 * time.Minute) // whatever is still to come
		outbox, _ := from.now()
		inbox, _ := to.now()
		sent = only(t, outbox, node.Out, edxml.KindDocument)
		got = must(inbox.Transfer(t.Context(), got.ID))
		from.stop()
		to.stop()
		fired = f.hasFired()

		if sent.State != node.Sent || codes(sent, "H41") != "01 03 06" {
			t.Errorf("at the sender: %s with %q", sent.State, codes(sent, "H41"))
		}
		if got.State != node.Confirmed || codes(got, "H41") != "01 03 06" || !got.Due.IsZero() {
			t.Errorf("at the receiver: %s with %q, due %v", got.State, codes(got, "H41"), got.Due)
		}
		if got.Signature == nil || got.Signature.Reason != "" || got.Refusal != "" {
			t.Errorf("verdict %+v, refusal %q", got.Signature, got.Refusal)
		}
		if names := delivered(t, folder); !slices.Equal(names, []string{got.ID}) {
			t.Errorf("delivered %v, want only %s", names, got.ID)
		} else if b := read(t, folder.Dir, got.ID, "118.pdf"); sum(b) != sum(pdf) {
			t.Errorf("delivered %q", b)
		}
		c := inProcessClient(axis, "H41")
		if left := must(c.Pending(t.Context())); len(left) != 0 {
			t.Errorf("left at the axis: %v", left)
		}
		if _, err := c.Fetch(t.Context(), "2"); err == nil {
			t.Error("the axis has the Document twice")
		}
		if all := must(inProcessClient(axis, "G22").Statuses(t.Context(), time.Unix(0, 0))); len(all) != 3 {
			t.Errorf("the axis has %d statuses: %+v", len(all), all)
		}
	})
	return fired
}

// TestFaults fails every call to the axis and to the sink once.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		side, call string
		nth        int
	}{
		{"sender", "send", 1},
		{"sender", "statuses", 1}, {"sender", "statuses", 2}, {"sender", "directory", 1},
		{"receiver", "list", 1}, {"receiver", "list", 2}, {"receiver", "fetch", 1},
		{"receiver", "fetch: next piece", 1}, {"receiver", "fetch: next piece", 2}, {"receiver", "fetch: next piece", 3},
		{"receiver", "fetch: in a piece", 1}, {"receiver", "fetch: in a piece", 2},
		{"receiver", "deliver", 1}, {"receiver", "confirm", 1}, {"receiver", "send status", 1}, {"receiver", "send status", 2},
	} {
		for _, mode := range []string{refusedBefore, lostAnswer, crashBefore, crashAfter} {
			t.Run(fmt.Sprintf("%s, %s %d %s", c.side, c.call, c.nth, mode), func(t *testing.T) {
				t.Parallel()
				if !walkWith(t, &trap{call: c.call, nth: c.nth, mode: mode}, c.side, "ports") {
					t.Error("the fault did not come about")
				}
			})
		}
	}
}

// TestStoreFaults fails the writes of the store one after the other, as many as
// a walk needs. A crash at a write is a crash in the state behind it.
func TestStoreFaults(t *testing.T) {
	for side, writes := range map[string]int{"sender": 7, "receiver": 14} {
		for _, mode := range []string{refusedBefore, lostAnswer, crashAfter} {
			t.Run(side+", "+mode, func(t *testing.T) {
				t.Parallel()
				for n := 1; n <= writes && !t.Failed(); n++ {
					if !walkWith(t, &trap{nth: n, mode: mode}, side, "store") {
						t.Errorf("a walk had fewer than %d writes", n)
					}
					if t.Failed() {
						t.Errorf("at write %d", n)
					}
				}
			})
		}
	}
}
