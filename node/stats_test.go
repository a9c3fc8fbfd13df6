package node_test

import (
	"context"
	"errors"
	"fmt"
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

// table writes statistics as lines.
func table(rows []node.StatRow) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s %q %s %d:", r.Direction, r.Agency, r.DocType, r.Total)
		for _, o := range []node.Outcome{node.Waits, node.OnTime, node.Late, node.GivenUp, node.Received, node.Refused, node.TakenBack} {
			if n := r.Outcomes[o]; n > 0 {
				fmt.Fprintf(&b, " %s %d", o, n)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestStats counts what was sent and received, on time and late: the clock
// stands on Monday 2026/11/02, 08:00 in Vietnam.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newMailbox(map[string]func() *pieces{
			"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) },
			"8": func() *pieces {
				d := document("2", "H41")
				return incoming([]byte(strings.Replace(string(envelope(t, d, file{"a", pdf})), "f1", "missing", 1)))
			},
		})
		axis.scripted.send = func(_ context.Context, p *packet) (receipt, error) {
			r := must(p.Envelope.Open())
			defer r.Close()
			if must(edxml.NewReader(r, edxml.ReadOptions{})).Packet().Document.Code.CodeNumber == "99" {
				return receipt{}, &transport.Fault{Code: "N.X", Text: "thiếu"}
			}
			return receipt{ID: "1"}, nil
		}
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis})
		run(t, n)
		for number, day := range map[string]edxml.Date{"1": "2026/11/02", "2": "2026/10/30", "3": "2026/10/29", "99": "2026/11/02"} {
			d := document(number, "G22", "H53.1.2", "H53")
			d.From, d.PromulgationInfo.PromulgationDate = province, day
			d.DocumentID = edxml.DocumentID("H41", day, d.Code)
			submit(t, n, single(t, d, file{"a.pdf", pdf}))
		}
		<-time.After(10 * time.Minute)
		now := time.Now()
		want := `out "" 0 4: on-time 2 late 1 failed 1
out "G22" 0 4: on-time 2 late 1 failed 1
out "H53" 0 4: on-time 2 late 1 failed 1
in "" 0 2: received 1 rejected 1
in "G22" 0 2: received 1 rejected 1
`
		if got := table(must(n.Stats(t.Context(), now, now))); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if got := must(n.Stats(t.Context(), now.AddDate(0, 0, -60), now.AddDate(0, 0, -1))); len(got) != 0 {
			t.Errorf("before: %s", table(got))
		}
	})
}

// TestReconcile forgets documents, acknowledgements and statuses, as a restored
// backup does.
func TestReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
		var mu sync.Mutex
		var statuses []edxml.Status
		deaf := true
		axis.statuses = func(time.Time) ([]edxml.Status, error) {
			mu.Lock()
			defer mu.Unlock()
			if deaf {
				return nil, nil
			}
			return statuses, nil
		}
		axis.scripted.send = func(_ context.Context, p *packet) (receipt, error) {
			r := must(p.Envelope.Open())
			defer r.Close()
			if must(edxml.NewReader(r, edxml.ReadOptions{})).Packet().Document.Code.CodeNumber == "5" { // every answer is lost
				return receipt{}, &transport.Fault{Transient: true, Err: errors.New("no route")}
			}
			return receipt{ID: "1"}, nil
		}
		s := bubbleStore(t, t.TempDir())
		c := node.Config{Organ: province, Store: s, Axis: axis}
		stop := run(t, newNode(t, c))
		<-time.After(5 * time.Minute)
		n := newNode(t, c)
		send := func(number string) *node.Transfer {
			d := document(number, "G22")
			d.From = province
			d.DocumentID = edxml.DocumentID("H41", "2026/03/02", d.Code)
			return submit(t, n, single(t, d, file{"a.pdf", pdf}))
		}
		queued := send("5")
		silent := send("6")
		<-time.After(5 * time.Minute)
		stop()
		<-time.After(30 * time.Hour)
		mu.Lock()
		deaf = false
		statuses = []edxml.Status{
			{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: queued.DocumentID}, StatusCode: "01", Timestamp: "2026/11/02 09:00:00"},
			{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: "forgotten"}, StatusCode: "03", Timestamp: "2026/11/02 09:00:00"},
		}
		mu.Unlock()
		axis.mu.Lock()
		axis.stays = true
		axis.waits["8"] = func() *pieces { return incoming(envelope(t, document("2", "H41"))) }
		axis.mu.Unlock()
		if st := must(s.Transfer(t.Context(), queued.ID)).State; st != node.Queued {
			t.Fatalf("the first is %s", st)
		}
		since := time.Now().AddDate(0, 0, -7)
		for _, repair := range []bool{false, true} {
			d, err := n.Reconcile(t.Context(), since, repair)
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Unfetched) != 1 || d.Unfetched[0] != "8" || len(d.Unconfirmed) != 1 || len(d.Unsent) != 1 || d.Unsent[0] != queued.ID || d.Statuses != 1 ||
				len(d.Unknown) != 1 || d.Unknown[0].ResponseFor.DocumentID != "forgotten" || len(d.Silent) != 1 || d.Silent[0] != silent.ID {
				t.Errorf("repair %v: %+v", repair, d)
			}
		}
		axis.mu.Lock()
		axis.stays = false
		axis.acked = axis.acked[:0]
		axis.mu.Unlock()
		stop = run(t, n)
		<-time.After(10 * time.Minute)
		stop()
		d, err := n.Reconcile(t.Context(), since, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Unfetched)+len(d.Unconfirmed)+len(d.Unsent)+d.Statuses != 0 || d.Clean() {
			t.Errorf("after the repair: %+v", d)
		}
		if x := must(s.Transfer(t.Context(), queued.ID)); x.State != node.Sent || codes(x, "G22") != "01" {
			t.Errorf("%s %q", x.State, codes(x, "G22"))
		}
		// more statuses than an axis gives at once, that of interest last
		first := since.Truncate(time.Second).Add(time.Hour)
		var many []edxml.Status
		for i := range transport.MostStatuses + 500 {
			many = append(many, edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: "unknown"}, StatusCode: "03",
				Timestamp: edxml.TimestampOf(first.Add(time.Duration(i) * time.Second))})
		}
		many = append(many, edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: silent.DocumentID}, StatusCode: "01",
			Timestamp: edxml.TimestampOf(first.Add(24 * time.Hour))})
		axis.statuses = func(from time.Time) ([]edxml.Status, error) {
			list := slices.DeleteFunc(slices.Clone(many), func(s edxml.Status) bool { return must(s.Timestamp.Time()).Before(from.Truncate(time.Second)) })
			if len(list) > transport.MostStatuses {
				return list[:transport.MostStatuses], transport.ErrMore
			}
			return list, nil
		}
		if d, err = n.Reconcile(t.Context(), since, false); err != nil || d.Statuses != 1 || len(d.Unknown) != 1000 {
			t.Errorf("of many: %d statuses, %d unknown, error %v", d.Statuses, len(d.Unknown), err)
		}
		// and from an axis that pages, whose client goes on from where it was when it is asked with a later moment
		begin, last := 0, since
		axis.statuses = func(from time.Time) ([]edxml.Status, error) {
			if from.After(last) {
				begin += transport.MostStatuses
			}
			last = from
			return many[min(begin, len(many)):min(begin+transport.MostStatuses, len(many))], nil
		}
		if d, err = n.Reconcile(t.Context(), since, false); err != nil || d.Statuses != 1 || len(d.Unknown) != 1000 {
			t.Errorf("of many pages: %d statuses, %d unknown, error %v", d.Statuses, len(d.Unknown), err)
		}
	})
}
