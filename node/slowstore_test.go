package node_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/node"
)

// sluggish is a store that takes a minute, longer than any lease, for some of its
// calls, before or after they are applied.
type sluggish struct {
	node.Store
	call  string
	after bool
	calls atomic.Int64
}

func (s *sluggish) through(call string, do func() error) error {
	slow := call == s.call && s.calls.Add(1)%3 == 0
	if slow && !s.after {
		<-time.After(time.Minute)
	}
	err := do()
	if slow && s.after {
		<-time.After(time.Minute)
	}
	return err
}

func (s *sluggish) Create(ctx context.Context, ts ...*node.Transfer) error {
	return s.through("create", func() error { return s.Store.Create(ctx, ts...) })
}

func (s *sluggish) Update(ctx context.Context, id string, change func(*node.Transfer) error) (t *node.Transfer, err error) {
	err = s.through("update", func() error { t, err = s.Store.Update(ctx, id, change); return err })
	return t, err
}

func (s *sluggish) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (t *node.Transfer, err error) {
	err = s.through("lease", func() error { t, err = s.Store.Lease(ctx, d, holder, now, hold); return err })
	return t, err
}

// handed counts what is handed over, each of which takes a while.
type handed struct {
	mu    sync.Mutex
	times map[string]int
}

func (h *handed) Deliver(ctx context.Context, t *node.Transfer, _ func(node.Content) (io.ReadCloser, error)) error {
	h.mu.Lock()
	h.times[t.DocumentID]++
	h.mu.Unlock()
	return ctx.Err()
}

func (h *handed) Notify(context.Context, *node.Transfer) error { return nil }

// TestSlowerThanLeases lets the store take longer than a lease lasts: whoever
// has lost it stops, also where a neighbour in the same process took over, and
// every document is handed over once.
func TestSlowerThanLeases(t *testing.T) {
	for _, c := range []struct {
		call  string
		after bool
	}{{"create", false}, {"create", true}, {"lease", false}, {"lease", true}, {"update", false}, {"update", true}} {
		name := c.call + ", before it is applied"
		if c.after {
			name = c.call + ", after it is applied"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				waits := map[string]func() *pieces{}
				for i := range 9 {
					env := envelope(t, document(strconv.Itoa(i+1), "H41"))
					waits[strconv.Itoa(100+i)] = func() *pieces { return incoming(env) }
				}
				s := &sluggish{Store: bubbleStore(t, t.TempDir()), call: c.call, after: c.after}
				sink := &handed{times: map[string]int{}}
				stop := run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: newMailbox(waits), Sink: sink}))
				<-time.After(3 * time.Hour)
				stop()
				for _, x := range must(s.List(t.Context(), node.In, "", 100)) {
					if x.State != node.Confirmed {
						t.Errorf("%s is %s: %s", x.DocumentID, x.State, x.LastError)
					}
				}
				if len(sink.times) != 9 {
					t.Errorf("%d documents were handed over", len(sink.times))
				}
				for id, n := range sink.times {
					if n != 1 {
						t.Errorf("%s was handed over %d times", id, n)
					}
				}
			})
		})
	}
}

// swift is a store whose lease, once given back with work left to do, has the
// next taker before whoever gave it back hears so.
type swift struct {
	node.Store
	fails atomic.Int64 // so many updates are refused first
	taken chan struct{}
	given atomic.Bool
}

func (s *swift) Update(ctx context.Context, id string, change func(*node.Transfer) error) (*node.Transfer, error) {
	if s.fails.Add(-1) >= 0 {
		return nil, errors.New("the disk is busy")
	}
	t, err := s.Store.Update(ctx, id, change)
	if err == nil && t.Lease == "" && !t.Due.IsZero() && s.given.CompareAndSwap(false, true) {
		select {
		case <-s.taken:
		case <-time.After(time.Second):
		}
	}
	return t, err
}

func (s *swift) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (*node.Transfer, error) {
	t, err := s.Store.Lease(ctx, d, holder, now, hold)
	if err == nil && s.given.Load() {
		select {
		case s.taken <- struct{}{}:
		default:
		}
	}
	return t, err
}

// TestLeasedByANeighbour: what a neighbour leases at the moment when the walk
// ends is walked on at once, and does not wait for the end of that lease.
func TestLeasedByANeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := envelope(t, document("1", "H41"))
		s := &swift{Store: bubbleStore(t, t.TempDir()), taken: make(chan struct{})}
		s.fails.Store(1)
		began := time.Now()
		run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(env) }}), Workers: 4}))
		<-time.After(time.Hour)
		x := must(s.List(t.Context(), node.In, "", 10))[0]
		if !s.given.Load() {
			t.Fatal("no lease was given back")
		}
		if took := x.Finished.Sub(began); x.State != node.Confirmed || took > 10*time.Second {
			t.Errorf("%s after %v, attempts %+v", x.State, took, x.Attempts)
		}
	})
}
