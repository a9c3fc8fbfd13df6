package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// TestHalfOpenConnections has an axis that takes connections and never answers:
// the call ends by itself, the document stays, and so does the node.
func TestHalfOpenConnections(t *testing.T) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	var mu sync.Mutex
	var open []net.Conn
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			c.Close()
		}
	})
	client := transport.NewHTTPClient(transport.HTTPOptions{Answer: 100 * time.Millisecond, Idle: 100 * time.Millisecond})
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s, Breaker: node.Breaker{Faults: 3},
		Axis: &edoc.Client{URL: "http://" + l.Addr().String(), Organ: "G22", Token: "test-G22", HTTP: client}})
	stop := run(t, n)
	id := submit(t, n, plain(t, "1")).ID
	s.until(t, "an attempt that ended", func() bool {
		x := must(s.Transfer(t.Context(), id))
		return x.Tries > 0 && x.Lease == ""
	})
	x := must(s.Transfer(t.Context(), id))
	if x.State != node.Queued || x.Cause != node.CauseUnreached || !x.Unsure {
		t.Errorf("%s, cause %q, unsure %v: %s", x.State, x.Cause, x.Unsure, x.LastError)
	}
	s.until(t, "the breaker opens", func() bool { return must(n.Link(t.Context())).Open() })
	submit(t, n, plain(t, "2"))
	stop()
}

// TestClocks has receivers whose clocks are an hour fast and an hour slow, and a
// clock of our own that is.
func TestClocks(t *testing.T) {
	for _, own := range []time.Duration{-time.Hour, 0, time.Hour} {
		t.Run(fmt.Sprint(own), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				year2026()
				doc := document("1", "H41", "H53", "H17")
				var mu sync.Mutex
				var list []edxml.Status
				say := func(from string, code edxml.StatusCode, clock time.Duration) {
					mu.Lock()
					defer mu.Unlock()
					list = append(list, edxml.Status{From: edxml.Organ{OrganID: from}, StatusCode: code, Timestamp: edxml.TimestampOf(time.Now().Add(clock - own)),
						ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: doc.DocumentID}})
				}
				axis := &scripted{statuses: func(since time.Time) (some []edxml.Status, err error) { // by the statuses' own times, as an axis may
					mu.Lock()
					defer mu.Unlock()
					for _, s := range list {
						if at := must(s.Timestamp.Time()); at.After(since) {
							some = append(some, s)
						}
					}
					return some, nil
				}}
				s := bubbleStore(t, t.TempDir())
				n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
				id := submit(t, n, single(t, doc, file{"a", pdf})).ID
				run(t, n)
				for _, code := range []edxml.StatusCode{"01", "03", "06"} {
					for from, clock := range map[string]time.Duration{"H41": 0, "H53": time.Hour, "H17": -time.Hour} {
						say(from, code, clock)
					}
					<-time.After(20 * time.Minute)
				}
				<-time.After(2 * time.Hour)
				x := must(s.Transfer(t.Context(), id))
				for _, r := range x.Receivers {
					if codes(x, r.OrganID) != "01 03 06" || r.Code != "06" {
						t.Errorf("%s: %q", r.OrganID, codes(x, r.OrganID))
					}
				}
			})
		})
	}
}

// TestDeadlineWhileDown lets a deadline pass while the axis is down: the
// document is given up soon after it, not when the axis comes back. The looks at
// the axis fall beside the ends of the pauses, as they do where time is not made
// of whole seconds: which of the two has the one call is not left to luck.
func TestDeadlineWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newUnsteady(t)
		axis.down = true
		s, tell := bubbleStore(t, t.TempDir()), &told{}
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis, Sink: tell, Deadline: 6 * time.Hour, Poll: 37 * time.Second})
		run(t, n)
		first := submit(t, n, plain(t, "1"))
		<-time.After(5 * time.Hour)
		second := submit(t, n, plain(t, "2"))
		<-time.After(2 * time.Hour)
		if x := must(s.Transfer(t.Context(), first.ID)); x.State != node.Failed || x.Finished.IsZero() || len(tell.notified) != 1 {
			t.Errorf("an hour after its deadline: %s, notified %q", x.State, tell.notified)
		}
		if x := must(s.Transfer(t.Context(), second.ID)); x.State != node.Queued {
			t.Errorf("before its deadline: %s", x.State)
		}
	})
}

// BenchmarkStart opens a node with 100,000 queued documents and measures how
// long the first one takes to be tried.
func BenchmarkStart(b *testing.B) {
	const queued = 100_000
	dir := b.TempDir()
	s := openStore(b, dir)
	n := newNode(b, node.Config{Organ: ministry, Store: s})
	one := must(n.Submit(b.Context(), strings.NewReader(string(plain(b, "1"))))).Transfer
	for made := 0; made < queued; made += 2000 {
		batch := make([]*node.Transfer, 2000)
		for i := range batch {
			t := *one
			t.ID, t.DocumentID = fmt.Sprintf("0000-%06d", made+i), fmt.Sprint("d", made+i)
			t.Unique, t.Lookup = []string{"u" + t.ID}, []string{"l" + t.ID}
			batch[i] = &t
		}
		if err := s.Create(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	s.Close()
	b.ResetTimer()
	for range b.N {
		tried := make(chan struct{}, 1)
		again := openStore(b, dir)
		ctx, cancel := context.WithCancel(b.Context())
		n := newNode(b, node.Config{Organ: ministry, Store: again, Workers: 1, Axis: &scripted{send: func(ctx context.Context, _ *packet) (receipt, error) {
			select {
			case tried <- struct{}{}:
			default:
			}
			<-ctx.Done()
			return receipt{}, errors.New("stopped")
		}}})
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		<-tried
		b.StopTimer()
		cancel()
		<-done
		again.Close()
		b.StartTimer()
	}
}
