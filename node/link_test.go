package node_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// unsteady is an axis that is down for a while: every call fails then.
type unsteady struct {
	scripted
	mu    sync.Mutex
	down  bool
	fault transport.Fault
	calls int      // while it is down
	sent  []string // DocumentIds, in order
}

func newUnsteady(t testing.TB) *unsteady {
	u := &unsteady{fault: transport.Fault{Operation: "SendDocument", Transient: true, Err: context.DeadlineExceeded}}
	u.send = func(_ context.Context, p *packet) (receipt, error) {
		if err := u.fails(); err != nil {
			return receipt{}, err
		}
		r := must(p.Envelope.Open())
		defer r.Close()
		d := must(edxml.NewReader(r, edxml.ReadOptions{})).Packet().Document
		u.mu.Lock()
		defer u.mu.Unlock()
		u.sent = append(u.sent, fmt.Sprintf("%s %s", d.DocType(), d.Code.CodeNumber))
		return receipt{ID: fmt.Sprint(len(u.sent))}, nil
	}
	u.pending = func() ([]transport.Pending, error) { return nil, u.fails() }
	u.statuses = func(time.Time) ([]edxml.Status, error) { return nil, u.fails() }
	u.organs = func() ([]edxml.Organ, error) { return nil, u.fails() }
	u.status = func(s *edxml.Status) error {
		err := u.fails()
		u.mu.Lock()
		defer u.mu.Unlock()
		if err == nil {
			u.sent = append(u.sent, "status "+string(s.StatusCode))
		}
		return err
	}
	return u
}

func (u *unsteady) fails() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.down {
		return nil
	}
	u.calls++
	f := u.fault
	return &f
}

func (u *unsteady) set(down bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.down = down
}

func (u *unsteady) order() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.sent)
}

// TestAxisDownForADay takes 100 documents while the axis is down: it is asked
// seldom, nothing is given up, and all goes when it comes back, urgent ones
// first. Whoever looks at the axis has the one call at the end of a pause, or a
// document has it, as their turns fall and as fast as the disk is.
func TestAxisDownForADay(t *testing.T) {
	for name, poll := range map[string]time.Duration{"looks at the ends of the pauses": 30 * time.Second, "looks beside them": 37 * time.Second} {
		t.Run(name, func(t *testing.T) { downForADay(t, poll) })
	}
}

func downForADay(t *testing.T, poll time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newUnsteady(t)
		axis.down = true
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis, Workers: 1, Poll: poll})
		run(t, n)
		for i := range 100 {
			d := document(fmt.Sprint(100+i), province.OrganID)
			if i == 99 {
				d.OtherInfo.Priority = "3"
			}
			submit(t, n, single(t, d, file{"a.pdf", pdf}))
			<-time.After(time.Minute)
		}
		<-time.After(22 * time.Hour)
		if axis.calls > 250 {
			t.Errorf("the axis was called %d times in a day", axis.calls)
		}
		l := must(n.Link(t.Context()))
		if !l.Open() || l.Faults < 5 || l.Error == "" || time.Since(l.Down) < 23*time.Hour {
			t.Errorf("%+v", l)
		}
		x := only100(t, s)
		for _, one := range x {
			most := 20
			if one.Urgency > 0 { // it is first in line, and so may find out at the end of each pause
				most = 24 * 6
			}
			if first := one.Created.Add(-4 * time.Hour); one.Urgency > 0 && !one.Due.Equal(first) {
				t.Errorf("the urgent document is due %v, want %v: it has lost its place in line", one.Due, first)
			}
			if one.State != node.Queued || one.Tries > most {
				t.Fatalf("%s after %d tries, urgency %d", one.State, one.Tries, one.Urgency)
			}
		}
		why := must(n.Why(t.Context(), x[0]))
		if !strings.Contains(why.EN, "does not work since") || !strings.Contains(why.VI, "Lần thử tiếp theo") {
			t.Errorf("why: %+v", why)
		}
		again := newNode(t, node.Config{Organ: ministry, Store: s}) // as the command line does
		if stored := must(again.Link(t.Context())); !stored.Open() || !stored.Down.Equal(l.Down) {
			t.Errorf("stored: %+v", stored)
		}
		axis.set(false)
		<-time.After(20 * time.Minute)
		sent := axis.order()
		if len(sent) != 100 || must(n.Link(t.Context())).Open() {
			t.Fatalf("%d sent, %+v", len(sent), must(n.Link(t.Context())))
		}
		// the urgent one came 99 minutes after the first and has four hours of head start
		if at := slices.Index(sent, "0 199"); at > 1 {
			for _, one := range only100(t, s) {
				if one.Urgency > 0 {
					t.Errorf("the urgent document went as number %d: due %v, %+v; %v", at+1, one.Due, one.Attempts, sent[:at+1])
				}
			}
		}
	})
}

func only100(t testing.TB, s node.Store) []*node.Transfer {
	t.Helper()
	all := must(s.List(t.Context(), node.Out, "", 1000))
	if len(all) != 100 {
		t.Fatalf("%d transfers", len(all))
	}
	return all
}

// TestUrgentDoesNotStarve has urgent documents come all the time: what waits
// longer than the head start goes all the same.
func TestUrgentDoesNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newUnsteady(t)
		slow := axis.send
		axis.send = func(ctx context.Context, p *packet) (receipt, error) {
			<-time.After(10 * time.Minute)
			return slow(ctx, p)
		}
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis, Workers: 1})
		run(t, n)
		submit(t, n, plain(t, "1"))
		<-time.After(time.Second)
		submit(t, n, plain(t, "2"))
		for i := range 60 {
			d := document(fmt.Sprint(100+i), province.OrganID)
			d.OtherInfo.Priority = "3"
			submit(t, n, single(t, d, file{"a.pdf", pdf}))
			<-time.After(5 * time.Minute) // twice as many as can go
		}
		<-time.After(24 * time.Hour)
		sent := axis.order()
		at := slices.Index(sent, "0 2")
		if len(sent) != 62 || at < 10 || at > 50 { // 48 came within its four hours
			t.Errorf("the plain document went as number %d of %d", at+1, len(sent))
		}
	})
}

// TestBreakerCountsTheAxis fails in ways that speak of one document only.
func TestBreakerCountsTheAxis(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault transport.Fault
		docs  int
		open  bool
	}{
		{"one document that makes the axis fail", transport.Fault{Code: "M.SendDocument", Text: "lỗi", Transient: true}, 1, false},
		{"refusals of many documents", transport.Fault{Code: "N.X", Text: "thiếu"}, 20, false},
		{"many documents that fail for the time being", transport.Fault{Code: "M.SaveDocError", Text: "đầy", Transient: true}, 20, true},
		{"a wrong token", transport.Fault{Code: "Permission", Text: "sai", Credential: true}, 20, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubbleStore(t, t.TempDir())
				var made calls
				n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: refusing(&made, c.fault), Poll: time.Hour, Workers: 1})
				for i := range c.docs {
					submit(t, n, plain(t, fmt.Sprint(i+1)))
				}
				run(t, n)
				<-time.After(20 * time.Second)
				if l := must(n.Link(t.Context())); l.Open() != c.open {
					t.Errorf("%+v after %d calls", l, len(made.at))
				}
				if c.open && len(made.at) > 6 {
					t.Errorf("%d calls went through", len(made.at))
				}
			})
		})
	}
}

// TestDownIsLocalUp submits and delivers while the axis is down.
func TestDownIsLocalUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
		var mu sync.Mutex
		down := false
		fails := func() error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return &transport.Fault{Transient: true, Err: io.ErrUnexpectedEOF}
			}
			return nil
		}
		pending := axis.pending
		axis.pending = func() ([]transport.Pending, error) {
			if err := fails(); err != nil {
				return nil, err
			}
			return pending()
		}
		ack := axis.ack
		axis.ack = func(id string) error {
			if err := fails(); err != nil {
				return err
			}
			return ack(id)
		}
		axis.statuses = func(time.Time) ([]edxml.Status, error) { return nil, fails() }
		axis.organs = func() ([]edxml.Organ, error) { return nil, fails() }
		closed, inbox := make(chan struct{}), make(chan *node.Transfer, 1)
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Poll: time.Minute, Sink: slowHand{closed, inbox}})
		run(t, n)
		s.until(t, "verified", func() bool {
			x := only(t, s, node.In, edxml.KindDocument)
			return x != nil && x.State == node.Verified
		})
		mu.Lock()
		down = true
		mu.Unlock()
		<-time.After(20 * time.Minute)
		if !must(n.Link(t.Context())).Open() {
			t.Fatal("the breaker is closed")
		}
		close(closed)
		select {
		case <-inbox:
		case <-time.After(2 * time.Hour):
			t.Fatal("not delivered while the axis is down")
		}
		<-time.After(2 * time.Hour)
		x := only(t, s, node.In, edxml.KindDocument)
		if x.State != node.Delivered || x.Tries > 20 {
			t.Errorf("%s after %d tries", x.State, x.Tries)
		}
		d := document("5", "H41")
		d.From = province
		d.To[0] = ministry
		if _, err := n.Submit(t.Context(), bytes.NewReader(single(t, d, file{"a.pdf", pdf}))); err != nil {
			t.Errorf("submit: %v", err)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		<-time.After(20 * time.Minute)
		if x := only(t, s, node.In, edxml.KindDocument); x.State != node.Confirmed {
			t.Errorf("%s in the end: %s", x.State, x.LastError)
		}
	})
}

// slowHand is a sink that does not take anything until it is opened.
type slowHand struct {
	open  chan struct{}
	inbox chan *node.Transfer
}

func (h slowHand) Deliver(_ context.Context, t *node.Transfer, _ func(node.Content) (io.ReadCloser, error)) error {
	select {
	case <-h.open:
		h.inbox <- t
		return nil
	default:
		return fmt.Errorf("closed")
	}
}

func (h slowHand) Notify(context.Context, *node.Transfer) error { return nil }
