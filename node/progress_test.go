package node_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// TestProgress applies statuses in orders that are legal and that are not: what
// is no legal move is kept as a finding.
func TestProgress(t *testing.T) {
	for _, c := range []struct {
		statuses string // in the order of their times
		code     edxml.StatusCode
		illegal  string // codes that are marked
	}{
		{"01 03 04 05 06", "06", ""},
		{"03", "03", ""},
		{"02", "02", ""},
		{"01 03 05 04 05 06", "06", ""},
		{"01 03 04 04 06", "06", ""},
		{"01 06", "06", "06"},       // 03 is missing, and it is that far
		{"01 03 01", "03", "01"},    // back
		{"01 02 03", "02", "03"},    // after an end
		{"01 03 06 05", "06", "05"}, // after an end
		{"01 15", "01", "15"},       // nobody asked
		{"01 16", "01", "16"},       // nobody asked
		{"01 03 14", "03", "15"},    // the alias
		{"77", "", "77"},
	} {
		t.Run(c.statuses, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				year2026()
				doc := document("1", "H41")
				var list []edxml.Status
				for i, code := range strings.Fields(c.statuses) {
					list = append([]edxml.Status{{From: province, StatusCode: edxml.StatusCode(code), Timestamp: edxml.TimestampOf(time.Now().Add(time.Duration(i-60) * time.Minute)),
						ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: doc.DocumentID}}}, list...) // latest first
				}
				s := bubbleStore(t, t.TempDir())
				n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: &scripted{statuses: func(time.Time) ([]edxml.Status, error) { return list, nil }}})
				id := submit(t, n, single(t, doc, file{"a", pdf})).ID
				run(t, n)
				<-time.After(5 * time.Minute)
				r := must(s.Transfer(t.Context(), id)).Receivers[0]
				var illegal []string
				for _, e := range r.Events {
					if e.Illegal != "" {
						illegal = append(illegal, string(e.Code))
					}
				}
				if r.Code != c.code || strings.Join(illegal, " ") != c.illegal || len(r.Events) != len(list) {
					t.Errorf("%q, illegal %q: %+v", r.Code, illegal, r.Events)
				}
			})
		})
	}
}

// counting is a store that counts the changes of Transfers.
type counting struct {
	node.Store
	updates, finds atomic.Int64
}

func (c *counting) Update(ctx context.Context, id string, change func(*node.Transfer) error) (*node.Transfer, error) {
	c.updates.Add(1)
	return c.Store.Update(ctx, id, change)
}

func (c *counting) Find(ctx context.Context, key, after string, limit int) ([]*node.Transfer, error) {
	c.finds.Add(1)
	return c.Store.Find(ctx, key, after, limit)
}

// TestStatusesInBulk has 4,000 receivers report four times each in one look:
// the Document is written once for it, not 16,000 times.
func TestStatusesInBulk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		const receivers = 4000
		var to []string
		for i := range receivers {
			to = append(to, fmt.Sprintf("H41.%d.%d", i/100+1, i%100+1))
		}
		doc := document("1", to...)
		var list []edxml.Status
		for _, from := range to {
			for i, code := range []edxml.StatusCode{"01", "03", "05", "06"} {
				list = append(list, edxml.Status{From: edxml.Organ{OrganID: from}, StatusCode: code, Timestamp: edxml.TimestampOf(time.Now().Add(time.Duration(i-60) * time.Minute)),
					ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: doc.DocumentID}})
			}
		}
		list = append(list, edxml.Status{From: edxml.Organ{OrganID: "H99"}, StatusCode: "03", Timestamp: "2026/11/02 07:00:00",
			ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: doc.DocumentID}})
		s := &counting{Store: bubbleStore(t, t.TempDir())}
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: &scripted{statuses: func(time.Time) ([]edxml.Status, error) { return list, nil }}})
		id := submit(t, n, single(t, doc, file{"a", pdf})).ID
		run(t, n)
		<-time.After(10 * time.Second)
		first, found := s.updates.Load(), s.finds.Load()
		<-time.After(2 * time.Minute) // four looks more
		x := must(s.Transfer(t.Context(), id))
		if first > 10 || s.updates.Load() > first || s.finds.Load() > found+10 {
			t.Errorf("%d changes in the first look, %d in all; %d questions", first, s.updates.Load(), s.finds.Load())
		}
		for _, r := range x.Receivers {
			if r.Code != "06" || len(r.Events) != 4 {
				t.Fatalf("%+v", r)
			}
		}
		if len(x.Receivers) != receivers || len(x.Findings) == 0 || x.Findings[len(x.Findings)-1].Rule != "ST-4" {
			t.Errorf("%d receivers, findings %+v", len(x.Receivers), x.Findings)
		}
	})
}
