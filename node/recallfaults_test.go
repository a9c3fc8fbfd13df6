package node_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
)

// recallWith takes a Document to the province and back again by its recall,
// with one fault on the way, and requires that nothing of it shows in the end.
// It reports whether the fault came about.
func recallWith(t *testing.T, f *trap, side, where string) (fired bool) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		f.crash = make(chan struct{})
		axis := newAxis(t)
		folder := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
		traps := map[string]*trap{"sender": {crash: make(chan struct{})}, "receiver": {crash: make(chan struct{})}}
		places := map[string]string{side: where}
		traps[side] = f
		from := newHost(t, node.Config{Organ: ministry, Axis: inProcessClient(axis, "G22"), Key: tested().key}, traps["sender"], places["sender"])
		to := newHost(t, node.Config{Organ: province, Axis: inProcessClient(axis, "H41"), Sink: folder, Roots: tested().roots, Policy: node.Require}, traps["receiver"], places["receiver"])
		send := func(p []byte) (id string) {
			from.again(func(n *node.Node) error {
				s, err := n.Submit(t.Context(), bytes.NewReader(p))
				if err == nil {
					id = s.Transfer.ID
				}
				return err
			})
			return id
		}
		letters := func(s node.Store, d node.Direction) (doc, recall *node.Transfer) {
			for _, x := range must(s.List(t.Context(), d, "", 100)) {
				switch {
				case x.Kind != edxml.KindDocument || x.SameAs != "":
				case x.DocType == edxml.Recall:
					recall = x
				case x.DocType == edxml.New:
					doc = x
				}
			}
			return doc, recall
		}
		id := send(plain(t, "118"))
		to.await("confirmed", func(s node.Store) bool {
			doc, _ := letters(s, node.In)
			return doc != nil && doc.State == node.Confirmed
		})
		<-time.After(2 * time.Hour)
		send(single(t, follower(edxml.Recall, "118", "H41"), file{"118.pdf", pdf}))
		to.await("recalled", func(s node.Store) bool {
			doc, _ := letters(s, node.In)
			return doc.State == node.Recalled && doc.Due.IsZero()
		})
		from.await("15 at the sender", func(s node.Store) bool {
			return strings.HasSuffix(codes(must(s.Transfer(t.Context(), id)), "H41"), "15")
		})
		<-time.After(15 * time.Minute) // whatever is still to come
		outbox, _ := from.now()
		inbox, _ := to.now()
		sent, recall := letters(outbox, node.Out)
		got, order := letters(inbox, node.In)
		from.stop()
		to.stop()
		fired = f.hasFired()

		if sent.State != node.Sent || codes(sent, "H41") != "01 15" || sent.Withdrawn == nil || len(sent.Followers) != 1 || sent.LegalHold == "" {
			t.Errorf("at the sender: %s with %q, withdrawn %v, followers %v", sent.State, codes(sent, "H41"), sent.Withdrawn, sent.Followers)
		}
		if c := codes(recall, "H41"); recall.State != node.Sent || c != "01 15" && c != "15 01" { // its own 01 may come later
			t.Errorf("the recall: %s with %q", recall.State, codes(recall, "H41"))
		}
		if codes(got, "H41") != "01 15" || got.Purged.IsZero() || len(got.Followers) != 1 || order.State != node.Confirmed || order.Purged.IsZero() {
			t.Errorf("at the receiver: %q, purged %v, followers %v, the recall %s", codes(got, "H41"), got.Purged, got.Followers, order.State)
		}
		want := []string{got.ID + ".recalled.json", order.ID}
		slices.Sort(want)
		if names := delivered(t, folder); !slices.Equal(names, want) {
			t.Errorf("the document system has %v, want %v", names, want)
		}
		if all := must(inProcessClient(axis, "G22").Statuses(t.Context(), time.Unix(0, 0))); len(all) != 3 {
			t.Errorf("the axis has %d statuses: %+v", len(all), all)
		}
		if left := must(inProcessClient(axis, "H41").Pending(t.Context())); len(left) != 0 {
			t.Errorf("left at the axis: %v", left)
		}
	})
	return fired
}

// TestRecallFaults fails every call of a recall once.
func TestRecallFaults(t *testing.T) {
	for _, c := range []struct {
		side, call string
		nth        int
	}{
		{"sender", "send", 2}, {"sender", "statuses", 3},
		{"receiver", "fetch", 2}, {"receiver", "deliver", 2}, {"receiver", "notify", 1},
		{"receiver", "confirm", 2}, {"receiver", "send status", 1},
	} {
		for _, mode := range []string{refusedBefore, lostAnswer, crashBefore, crashAfter} {
			t.Run(fmt.Sprintf("%s, %s %d %s", c.side, c.call, c.nth, mode), func(t *testing.T) {
				t.Parallel()
				if !recallWith(t, &trap{call: c.call, nth: c.nth, mode: mode}, c.side, "ports") {
					t.Error("the fault did not come about")
				}
			})
		}
	}
}

// TestRecallStoreFaults fails the writes of the store one after the other, from
// where the recall begins.
func TestRecallStoreFaults(t *testing.T) {
	for side, writes := range map[string][2]int{"sender": {7, 16}, "receiver": {10, 28}} {
		for first, mode := range []string{refusedBefore, lostAnswer, crashAfter} {
			t.Run(side+", "+mode, func(t *testing.T) {
				t.Parallel()
				for n := writes[0] + first%2; n <= writes[1] && !t.Failed(); n += 2 { // the modes take turns
					if !recallWith(t, &trap{nth: n, mode: mode}, side, "store") {
						t.Errorf("a recall had fewer than %d writes", n)
					}
					if t.Failed() {
						t.Errorf("at write %d", n)
					}
				}
			})
		}
	}
}
