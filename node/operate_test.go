package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

var mai = node.By{Actor: "mai", Reason: "thử"}

// TestOperateIsLegal tries every verb in every state.
func TestOperateIsLegal(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s})
	now := time.Now().UTC()
	verbs := []node.Verb{node.Retry, node.Hold, node.Release, node.Cancel}
	for i, c := range []struct {
		d     node.Direction
		state node.State
		as    string // "due", "done", "held", "leased", "recalled"
		legal string // verbs, by their first letters
	}{
		{node.Out, node.Queued, "due", "retry hold cancel"},
		{node.Out, node.Queued, "held", "release cancel"},
		{node.Out, node.Queued, "leased", "hold"},
		{node.Out, node.Sent, "done", ""},
		{node.Out, node.Sent, "recalled", ""},
		{node.Out, node.Failed, "due", "retry hold cancel"},
		{node.Out, node.Failed, "done", "retry cancel"},
		{node.Out, node.Cancelled, "done", "retry"},
		{node.Out, node.Cancelled, "recalled", ""},
		{node.In, node.Listed, "due", "retry hold"},
		{node.In, node.Verified, "held", "release"},
		{node.In, node.Verified, "leased", "hold"},
		{node.In, node.Confirmed, "done", ""},
		{node.In, node.Rejected, "done", ""},
		{node.In, node.Sealed, "due", "retry hold"},
		{node.In, node.Recalled, "done", ""},
	} {
		for j, verb := range verbs {
			x := &node.Transfer{ID: fmt.Sprintf("%03d-%d", i, j), Direction: c.d, State: c.state, Kind: edxml.KindDocument, Created: now,
				From: "G22", DocumentID: fmt.Sprint(i, j), Digest: "d"}
			switch c.as {
			case "due":
				x.Due = now.Add(time.Hour)
			case "held":
				x.Held = &node.Act{Actor: "ai"}
			case "leased":
				x.Due, x.Lease, x.LeasedUntil = now, "h", now.Add(time.Hour)
			case "recalled":
				x.Finished, x.Withdrawn = now, &node.Act{Actor: "G22"}
			default:
				x.Finished = now
			}
			if err := s.Create(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			after, err := n.Operate(t.Context(), verb, x.ID, mai)
			var move *node.MoveError
			if want := strings.Contains(c.legal, string(verb)); want && err != nil || !want && !errors.As(err, &move) {
				t.Errorf("%s of %s %s, %s: %v", verb, c.d, c.state, c.as, err)
				continue
			}
			if err != nil {
				if move.Why.VI == "" || move.Why.EN == "" || len(must(s.Transfer(t.Context(), x.ID)).Acts) != 0 {
					t.Errorf("%s of %s: %+v", verb, c.state, move)
				}
				continue
			}
			if a := after.Acts; len(a) != 1 || a[0].Actor != "mai" || a[0].Action != string(verb) || a[0].Reason != "thử" || a[0].At.IsZero() {
				t.Errorf("%s of %s: acts %+v", verb, c.state, a)
			}
			if due := !after.Due.IsZero() && !after.Due.After(time.Now()); due != (verb == node.Retry || verb == node.Release) {
				t.Errorf("%s of %s: due %v", verb, c.state, after.Due)
			}
		}
	}
	if _, err := n.Operate(t.Context(), node.Hold, "000-0", node.By{}); !errors.Is(err, node.ErrNoActor) {
		t.Errorf("by nobody: %v", err)
	}
	if _, err := n.Operate(t.Context(), node.Hold, "nothing", mai); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestHoldInTheMiddle holds a document while it is being sent, and another one
// before it is.
func TestHoldInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sends atomic.Int32
		axis := &scripted{send: func(context.Context, *packet) (receipt, error) {
			sends.Add(1)
			<-time.After(time.Minute)
			return receipt{}, &transport.Fault{Transient: true, Code: "M.SaveDocError", Text: "đầy"}
		}}
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		run(t, n)
		x := submit(t, n, plain(t, "1"))
		<-time.After(time.Second)
		must(n.Operate(t.Context(), node.Hold, x.ID, mai))
		<-time.After(100 * time.Hour) // longer than the deadline
		if x = must(s.Transfer(t.Context(), x.ID)); sends.Load() != 1 || x.State != node.Queued || x.Held == nil || len(x.Attempts) != 1 || x.Attempts[0].Code == "" {
			t.Fatalf("sent %d times: %s, held %v, %+v", sends.Load(), x.State, x.Held, x.Attempts)
		}
		must(n.Operate(t.Context(), node.Release, x.ID, mai))
		<-time.After(2 * time.Minute)
		if x = must(s.Transfer(t.Context(), x.ID)); sends.Load() < 2 || x.State != node.Queued {
			t.Errorf("released: sent %d times, %s", sends.Load(), x.State)
		}
	})
}

// TestExport writes a packet to one file, which is the packet that was signed.
func TestExport(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s, Key: tested().key})
	x := submit(t, n, plain(t, "1"))
	var b bytes.Buffer
	if err := n.Export(t.Context(), x, &b); err != nil {
		t.Fatal(err)
	}
	m := must(soap.ReadFile(&b, soap.Limits{}))
	defer m.Close()
	root := must(m.Next())
	envelope := must(io.ReadAll(root.Content))
	if sum(envelope) != x.Envelope.SHA256 {
		t.Error("the envelope is not the one that was signed")
	}
	if part := must(m.Next()); sum(must(io.ReadAll(part.Content))) != sum(pdf) {
		t.Error("the file is another")
	}
	st := &edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: "x"}, StatusCode: "03", Timestamp: "2026/03/02 08:00:00"}
	status := submit(t, n, []byte(statusPacket(t, st)))
	b.Reset()
	if err := n.Export(t.Context(), status, &b); err != nil || !strings.Contains(b.String(), "<edXML:StatusCode>03<") {
		t.Errorf("%v: %s", err, b.String())
	}
	if err := n.Export(t.Context(), &node.Transfer{ID: "x", Kind: edxml.KindDocument}, &b); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestIntake fills the disk: submitting slows down and then stops, fetching
// pauses, and all goes on when there is space.
func TestIntake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		var free atomic.Int64
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Intake: node.Watermarks{Slow: 1000, Stop: 100, Free: func() (int64, error) { return free.Load(), nil }}})
		letter := func(number string) []byte {
			d := document(number, "G22")
			d.From = province
			return single(t, d, file{"a.pdf", pdf})
		}
		for _, c := range []struct {
			free  int64
			waits time.Duration
			limit string
		}{{2000, 0, ""}, {500, time.Second, ""}, {50, 0, "intake.stop"}} {
			free.Store(c.free)
			began := time.Now()
			_, err := n.Submit(t.Context(), bytes.NewReader(letter(fmt.Sprint(c.free))))
			var space *node.SpaceError
			if errors.As(err, &space) != (c.limit != "") || space != nil && (space.Limit != c.limit || space.Free != c.free) {
				t.Errorf("with %d free: %v", c.free, err)
			}
			if took := time.Since(began); took < c.waits || took > c.waits+time.Second/2 {
				t.Errorf("with %d free it took %s", c.free, took)
			}
		}
		run(t, n)
		<-time.After(10 * time.Minute)
		if x := only(t, s, node.In, edxml.KindDocument); x != nil {
			t.Errorf("fetched with a full disk: %s", x.State)
		}
		free.Store(5000)
		<-time.After(10 * time.Minute)
		if x := only(t, s, node.In, edxml.KindDocument); x == nil || x.State != node.Confirmed {
			t.Errorf("not fetched when there is space: %+v", x)
		}
	})
}

// TestIntakeInTheMiddle runs out of space in the middle of a packet.
func TestIntakeInTheMiddle(t *testing.T) {
	s := openStore(t, t.TempDir())
	looks := 0
	n := newNode(t, node.Config{Organ: ministry, Store: s, Intake: node.Watermarks{Slow: 10, Stop: 10, Free: func() (int64, error) {
		if looks++; looks > 3 {
			return 5, nil
		}
		return 1 << 40, nil
	}}})
	_, err := n.Submit(t.Context(), bytes.NewReader(single(t, document("1", "H41"), file{"a.bin", bytes.Repeat([]byte("x"), 30<<20)})))
	var space *node.SpaceError
	if !errors.As(err, &space) || space.Limit != "intake.stop" {
		t.Errorf("%v", err)
	}
}

// TestPolicyPerSender receives an unsigned document under each policy.
func TestPolicyPerSender(t *testing.T) {
	for _, c := range []struct {
		policy  node.SignaturePolicy
		senders map[string]node.SignaturePolicy
		state   node.State
		judged  bool
	}{
		{"", nil, node.Confirmed, true},
		{node.Require, nil, node.Rejected, true},
		{node.Require, map[string]node.SignaturePolicy{"G22": node.Warn}, node.Confirmed, true},
		{node.Warn, map[string]node.SignaturePolicy{"G22": node.Require}, node.Rejected, true},
		{node.Require, map[string]node.SignaturePolicy{"G22": node.Off}, node.Confirmed, false},
		{node.Warn, map[string]node.SignaturePolicy{"H41": node.Require}, node.Confirmed, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			year2026()
			axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
			s := bubbleStore(t, t.TempDir())
			run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Policy: c.policy, Senders: c.senders, ReportArrival: true}))
			<-time.After(5 * time.Minute)
			x := only(t, s, node.In, edxml.KindDocument)
			if x.State != c.state || (x.Signature != nil) != c.judged {
				t.Errorf("%s, %v: %s, %+v", c.policy, c.senders, x.State, x.Signature)
			}
			want := "01" // over this axis the acknowledgement is not the 01
			if c.state == node.Rejected {
				want = "02"
			}
			if r := axis.reported(); len(r) != 1 || string(r[0].StatusCode) != want {
				t.Errorf("%s: reported %+v", c.state, r)
			}
		})
	}
	for _, bad := range []node.Config{{Policy: "maybe"}, {Senders: map[string]node.SignaturePolicy{"H41": "maybe"}}, {Senders: map[string]node.SignaturePolicy{"": node.Warn}}, {Recalls: "maybe"}} {
		bad.Organ, bad.Store = province, openStore(t, t.TempDir())
		if _, err := node.New(bad); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
