package node_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// TestPickup lets two document systems collect from one inbox: nobody gets
// what the other holds, a hold ends by itself, and done is for good.
func TestPickup(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		year2026()
		a := file{"a.pdf", pdf}
		first, second := envelope(t, document("1", "G22"), a), envelope(t, document("2", "G22"), a)
		box := newMailbox(map[string]func() *pieces{
			"1": func() *pieces { return incoming(first, a) }, "2": func() *pieces { return incoming(second, a) },
		})
		s := bubbleStore(t, dir)
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: box})
		stop := run(t, n)
		ctx := t.Context()
		s.until(t, "both wait", func() bool { return len(must(n.Waiting(ctx, 10))) == 2 })
		stop()

		one := must(n.TakeNext(ctx, "A", time.Minute))
		two := must(n.TakeNext(ctx, "B", time.Minute))
		if one.ID == two.ID || one.Pickup.Lease == two.Pickup.Lease || one.Pickup.By != "A" {
			t.Fatalf("both hold %s", one.ID)
		}
		if _, err := n.TakeNext(ctx, "C", time.Minute); !errors.Is(err, node.ErrNothingDue) {
			t.Errorf("nothing is free: %v", err)
		}
		if _, err := n.Take(ctx, one.ID, "B", time.Minute); !errors.Is(err, node.ErrHeld) {
			t.Errorf("held: %v", err)
		}
		if _, err := n.Done(ctx, one.ID, two.Pickup.Lease); !errors.Is(err, node.ErrHeld) {
			t.Errorf("another's lease: %v", err)
		}
		if _, err := n.Done(ctx, one.ID, ""); !errors.Is(err, node.ErrHeld) {
			t.Errorf("no lease: %v", err)
		}
		for range 2 { // the second time the answer was lost
			if d := must(n.Done(ctx, one.ID, one.Pickup.Lease)); d.Pickup.Done.IsZero() {
				t.Error("not done")
			}
		}
		if _, err := n.Take(ctx, one.ID, "B", time.Minute); !errors.Is(err, node.ErrTaken) {
			t.Errorf("taken: %v", err)
		}
		<-time.After(2 * time.Minute) // B has died
		again := must(n.TakeNext(ctx, "C", 100*time.Hour))
		if again.ID != two.ID || again.Pickup.Until.After(time.Now().Add(time.Hour)) {
			t.Errorf("%s until %s", again.ID, again.Pickup.Until)
		}
		if _, err := n.PutBack(ctx, two.ID, two.Pickup.Lease); !errors.Is(err, node.ErrHeld) {
			t.Errorf("B's lease is over: %v", err)
		}
		must(n.PutBack(ctx, again.ID, again.Pickup.Lease))
		if w := must(n.Waiting(ctx, 10)); len(w) != 1 || w[0].ID != two.ID || w[0].Public().Pickup != nil {
			t.Errorf("waiting: %v", w)
		}
		if _, err := n.Take(ctx, "nothing", "A", time.Minute); !errors.Is(err, node.ErrNotFound) {
			t.Errorf("nothing: %v", err)
		}
		s.Close()
	})
}

// TestAcceptKey hands over under a key of the caller's.
func TestAcceptKey(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s})
	hand := func(packet []byte, key string) (*node.Submission, error) {
		return n.Accept(t.Context(), node.Handover{Packet: bytes.NewReader(packet), Key: key})
	}
	first := must(hand(plain(t, "1"), "k"))
	if again := must(hand(plain(t, "1"), "k")); !again.Existed || again.Transfer.ID != first.Transfer.ID {
		t.Errorf("again: %+v", again)
	}
	if again := must(hand(plain(t, "1"), "another key")); !again.Existed {
		t.Errorf("the same document under another key: %+v", again)
	}
	if _, err := hand(plain(t, "2"), "k"); !errors.Is(err, node.ErrKeyReused) {
		t.Errorf("another document: %v", err)
	}
	other := single(t, document("1", "H41"), file{"1.pdf", []byte("%PDF khác")})
	if _, err := hand(other, "k"); !errors.Is(err, node.ErrKeyReused) {
		t.Errorf("the same document with another file: %v", err)
	}
	if _, err := hand(other, "a third"); !errors.Is(err, node.ErrOtherContent) {
		t.Errorf("the same document with another file under another key: %v", err)
	}
	status := &edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", Code: "9/X", DocumentID: "d", PromulgationDate: "2026/03/02"},
		StaffInfo: &edxml.StaffInfo{Staff: "Mai"}, StatusCode: "03", Timestamp: "2026/03/02 08:00:00"}
	said := must(hand([]byte(statusPacket(t, status)), "s"))
	status.Timestamp = "2026/03/02 09:00:00" // said anew
	if again := must(hand([]byte(statusPacket(t, status)), "s")); !again.Existed || again.Transfer.ID != said.Transfer.ID {
		t.Errorf("the status again: %+v", again)
	}
	status.StatusCode = "06"
	if _, err := hand([]byte(statusPacket(t, status)), "s"); !errors.Is(err, node.ErrKeyReused) {
		t.Errorf("another status: %v", err)
	}
}

// TestPreflight says everything at once, and keeps nothing.
func TestPreflight(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s})
	look := func(packet []byte) *node.Preflight { return must(n.Preflight(t.Context(), bytes.NewReader(packet))) }
	if p := look(plain(t, "1")); len(p.Objections) != 0 || p.Packet.Document.Attachments[0].SHA256 != sum(pdf) {
		t.Errorf("a good one: %v", p.Objections)
	}
	a := file{"a.pdf", pdf}
	if p := look(mime(envelope(t, document("1", "H41"), a), a)); len(p.Objections) != 0 {
		t.Errorf("a good one with parts: %v", p.Objections)
	}
	foreign := document("2")
	foreign.From = province
	p := look(single(t, foreign, a))
	var invalid *node.InvalidError
	if len(p.Objections) != 2 || !errors.As(p.Objections[0], &invalid) || !errors.Is(p.Objections[1], node.ErrForeignSender) {
		t.Errorf("no receiver and a foreign sender: %v", p.Objections)
	}
	if all := must(s.List(t.Context(), node.Out, "", 10)); len(all) != 0 {
		t.Errorf("kept: %v", all)
	}
	if _, err := s.Open(t.Context(), sum(pdf)); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("content kept: %v", err)
	}
	must(n.Submit(t.Context(), bytes.NewReader(plain(t, "1"))))
	other := document("1", "H41")
	other.Subject = "Khác"
	if p := look(single(t, other, a)); len(p.Objections) != 1 || !errors.Is(p.Objections[0], node.ErrOtherContent) {
		t.Errorf("other content: %v", p.Objections)
	}
}
