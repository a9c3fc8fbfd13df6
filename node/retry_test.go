package node_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// told is a sink that counts what it is told.
type told struct {
	mu       sync.Mutex
	notified []string // errors of the Transfers
	fails    int      // how many of the first calls fail
}

func (s *told) Deliver(context.Context, *node.Transfer, func(node.Content) (io.ReadCloser, error)) error {
	return nil
}

func (s *told) Notify(_ context.Context, t *node.Transfer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails--; s.fails >= 0 {
		return errors.New("the document system is down")
	}
	s.notified = append(s.notified, t.LastError)
	return nil
}

// calls notes when it was called.
type calls struct {
	mu sync.Mutex
	at []time.Time
}

func (c *calls) note() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
}

func (c *calls) gaps() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < len(c.at); i++ {
		gaps = append(gaps, c.at[i].Sub(c.at[i-1]))
	}
	return gaps
}

// refusing is an axis that refuses to take anything.
func refusing(c *calls, f transport.Fault) *scripted {
	return &scripted{send: func(context.Context, *packet) (receipt, error) { c.note(); return receipt{}, &f }}
}

// TestBackoff looks at the pauses between the tries.
func TestBackoff(t *testing.T) {
	seconds := func(s ...int) (d []time.Duration) {
		for _, n := range s {
			d = append(d, time.Duration(n)*time.Second)
		}
		return d
	}
	for _, c := range []struct {
		name   string
		retry  node.Backoff
		fault  transport.Fault
		pauses []time.Duration // without jitter
	}{
		{"defaults", node.Backoff{}, transport.Fault{Transient: true}, seconds(2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600)},
		{"own", node.Backoff{First: time.Second, Max: 5 * time.Second}, transport.Fault{Transient: true}, seconds(1, 2, 4, 5, 5, 5)},
		{"the axis asks for more", node.Backoff{First: time.Second, Max: 60 * time.Second}, transport.Fault{Transient: true, RetryAfter: 20 * time.Second}, seconds(20, 20, 20, 20, 20, 32, 60)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var made calls
				s := bubbleStore(t, t.TempDir())
				n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: refusing(&made, c.fault), Retry: c.retry})
				run(t, n)
				submit(t, n, plain(t, "1"))
				<-time.After(2 * time.Hour)
				gaps := made.gaps()
				if len(gaps) < len(c.pauses) {
					t.Fatalf("only the pauses %v", gaps)
				}
				jitter := false
				for i, want := range c.pauses {
					low, high := want-want/10, want+want/10+200*time.Millisecond
					if c.fault.RetryAfter == want {
						low = want
					}
					if gaps[i] < low || gaps[i] > high {
						t.Errorf("pause %d is %v, want %v and a fifth of jitter", i+1, gaps[i], want)
					}
					jitter = jitter || gaps[i].Truncate(10*time.Millisecond) != want
				}
				if !jitter {
					t.Errorf("there is no jitter: %v", gaps)
				}
			})
		})
	}
}

// TestBackoffSurvivesRestart stops a node in a long pause.
func TestBackoffSurvivesRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made calls
		dir := t.TempDir()
		c := node.Config{Organ: ministry, Axis: refusing(&made, transport.Fault{Transient: true, RetryAfter: time.Hour})}
		for range 3 {
			s := bubbleStore(t, dir)
			c.Store = s
			n := newNode(t, c)
			stop := run(t, n)
			submit(t, n, plain(t, "1"))
			<-time.After(15 * time.Minute)
			stop()
			s.Close()
		}
		if gaps := made.gaps(); len(gaps) != 0 {
			t.Errorf("tried again after %v, the axis asked for an hour", gaps)
		}
	})
}

// TestGiveUp ends Transfers that cannot be sent, and tells the sink.
func TestGiveUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    transport.Fault
		deadline time.Duration
		sends    func(int) bool
		fails    int // of the sink
		advice   string
	}{
		{"permanent", transport.Fault{Operation: "SendDocument", Code: "N.X", Text: "thiếu trường"}, 0, func(n int) bool { return n == 1 }, 0, "after 1 attempts"},
		{"wrong token", transport.Fault{Operation: "SendDocument", Code: "Permission", Text: "do not match"}, 0, func(n int) bool { return n == 1 }, 0, "new token"},
		{"sink down", transport.Fault{Operation: "SendDocument", Code: "Permission", Text: "do not match"}, 0, func(n int) bool { return n == 1 }, 3, "after 1 attempts"},
		{"deadline", transport.Fault{Operation: "SendDocument", Code: "M.Save", Text: "đầy", Transient: true}, time.Hour, func(n int) bool { return n > 5 && n < 20 }, 0, "M.Save"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var made calls
				s, tell := bubbleStore(t, t.TempDir()), &told{fails: c.fails}
				n := newNode(t, node.Config{Organ: ministry, Store: s, Sink: tell, Axis: refusing(&made, c.fault), Deadline: c.deadline})
				run(t, n)
				id := submit(t, n, plain(t, "1")).ID
				<-time.After(3 * time.Hour)
				x := must(s.Transfer(t.Context(), id))
				if x.State != node.Failed || x.Finished.IsZero() || !x.Due.IsZero() || x.Permanent == c.fault.Transient {
					t.Errorf("%s, finished %v, due %v, permanent %v", x.State, x.Finished, x.Due, x.Permanent)
				}
				if !c.sends(len(made.at)) {
					t.Errorf("sent %d times", len(made.at))
				}
				if want := []string{c.fault.Error()}; !slices.Equal(tell.notified, want) || x.LastError != want[0] {
					t.Errorf("the sink was told %q; the last error is %q", tell.notified, x.LastError)
				}
				if why := node.Why(x, node.Link{}, time.Now()); !strings.Contains(why.EN, c.advice) || !strings.Contains(why.EN, c.fault.Text) {
					t.Errorf("why: %s", why.EN)
				}
			})
		})
	}
}

// TestLease sends for longer than a lease runs, beside a second node.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, t.TempDir())
		var sends atomic.Int32
		axis := &scripted{send: func(ctx context.Context, _ *packet) (receipt, error) {
			sends.Add(1)
			select {
			case <-ctx.Done():
				return receipt{}, ctx.Err()
			case <-time.After(10 * time.Minute):
				return receipt{ID: "5"}, nil
			}
		}}
		one := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		two := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		run(t, one)
		run(t, two)
		id := submit(t, one, plain(t, "1")).ID
		<-time.After(30 * time.Minute)
		if x := must(s.Transfer(t.Context(), id)); sends.Load() != 1 || x.State != node.Sent || x.AxisID != "5" || len(x.Attempts) != 1 {
			t.Errorf("sent %d times: %s %+v", sends.Load(), x.State, x.Attempts)
		}
	})
}

// TestLeaseLost takes the lease from under a sending node.
func TestLeaseLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, t.TempDir())
		sending, cancelled := make(chan struct{}), make(chan struct{})
		axis := &scripted{send: func(ctx context.Context, _ *packet) (receipt, error) {
			close(sending)
			<-ctx.Done()
			close(cancelled)
			return receipt{ID: "5"}, nil
		}}
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		run(t, n)
		id := submit(t, n, plain(t, "1")).ID
		<-sending
		must(s.Update(t.Context(), id, func(t *node.Transfer) error {
			t.Lease, t.LeasedUntil = "somebody else", time.Now().Add(time.Hour)
			return nil
		}))
		select {
		case <-cancelled:
		case <-time.After(31 * time.Second):
			t.Error("the work goes on without its lease")
		}
		<-time.After(time.Minute)
		if x := must(s.Transfer(t.Context(), id)); x.Lease != "somebody else" || x.State != node.Queued {
			t.Errorf("the work of another was touched: %s, lease %q", x.State, x.Lease)
		}
	})
}

// TestManyNodes lets two nodes send a hundred Transfers.
func TestManyNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, t.TempDir())
		var mu sync.Mutex
		sent := map[string]int{}
		axis := &scripted{status: func(st *edxml.Status) error {
			mu.Lock()
			defer mu.Unlock()
			sent[st.ResponseFor.DocumentID]++
			return nil
		}}
		for range 2 {
			run(t, newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis}))
		}
		n := newNode(t, node.Config{Organ: ministry, Store: s})
		for i := range 100 {
			st := &edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: strings.Repeat("x", i+1)}, StatusCode: "03", Timestamp: "2026/03/02 08:00:00"}
			submit(t, n, []byte(statusPacket(t, st)))
		}
		<-time.After(10 * time.Minute)
		if len(sent) != 100 {
			t.Errorf("%d of 100 were sent", len(sent))
		}
		for id, times := range sent {
			if times != 1 {
				t.Errorf("status %d was sent %d times", len(id), times)
			}
		}
	})
}
