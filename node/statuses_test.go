package node_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// TestStatuses brings statuses in any order, doubled, unreadable and unknown.
func TestStatuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		now := time.Now()
		doc := document("1", "H41", "H53")
		status := func(from string, code edxml.StatusCode, at edxml.Timestamp) edxml.Status {
			return edxml.Status{From: edxml.Organ{OrganID: from}, StatusCode: code, Timestamp: at,
				ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: doc.DocumentID, Code: doc.Code.String()}}
		}
		at := func(minutes int) edxml.Timestamp {
			return edxml.TimestampOf(now.Add(time.Duration(minutes) * time.Minute))
		}
		byCode := status("H41", "4", at(-25)) // one digit, as the axis writes it
		byCode.ResponseFor.DocumentID = ""
		unknown := status("H41", "03", at(-20))
		unknown.ResponseFor.DocumentID, unknown.ResponseFor.Code = "gone", "gone"
		nothing := status("H41", "02", at(-20))
		nothing.ResponseFor.DocumentID, nothing.ResponseFor.Code = "", ""
		back := edxml.Status{From: ministry, StatusCode: "13", Description: "gửi nhầm", Timestamp: at(-5),
			ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: doc.DocumentID}}
		list := []edxml.Status{status("H41", "06", at(-10)), status("H41", "01", at(-30)), unknown, nothing, byCode,
			status("H41", "03", at(-27)), status("H53", "05", "hôm qua"), status("H41", "06", at(-10))}
		var mu sync.Mutex
		var asked []time.Time
		out := &scripted{statuses: func(since time.Time) ([]edxml.Status, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, since)
			return list, nil
		}}
		s := bubbleStore(t, t.TempDir())
		var log bytes.Buffer
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: out, Log: slog.New(slog.NewTextHandler(&log, nil))})
		id := submit(t, n, single(t, doc, file{"a", pdf})).ID
		stop := run(t, n)
		<-time.After(30 * time.Minute)
		stop()
		x := must(s.Transfer(t.Context(), id))
		if got := codes(x, "H41"); got != "01 03 04 06" {
			t.Errorf("H41: %q", got)
		}
		if got := codes(x, "H53"); got != "05" {
			t.Errorf("H53, whose status has no readable time: %q", got)
		}
		if len(x.Receivers) != 2 || x.Receivers[0].Code != "06" {
			t.Errorf("receivers %+v", x.Receivers)
		}
		if !strings.Contains(log.String(), "unknown document") || !strings.Contains(log.String(), "document=gone") {
			t.Error("the status about an unknown document is not in the log")
		}
		if first, last := asked[0], asked[len(asked)-1]; first.After(time.Unix(0, 0)) || last.Before(now.Add(-21*time.Minute)) || last.After(now.Add(30*time.Minute)) {
			t.Errorf("asked since %v at first, %v in the end", first, last)
		}

		in := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, doc)) }})
		in.scripted.statuses = func(time.Time) ([]edxml.Status, error) { return []edxml.Status{back, back}, nil }
		inbox := bubbleStore(t, t.TempDir())
		run(t, newNode(t, node.Config{Organ: province, Store: inbox, Axis: in}))
		<-time.After(2 * time.Hour) // what is recalled within an hour is destroyed when it is over
		got := only(t, inbox, node.In, edxml.KindDocument)
		if !strings.Contains(codes(got, "H41"), "13") || strings.Count(codes(got, "H41"), "13") != 1 || codes(got, "H41") != "13 01 15" {
			t.Errorf("take-back at the receiver: %q", codes(got, "H41"))
		}
	})
}

// TestLooksMoveOn has every look ask for a later moment than the one before, if
// that was applied, although the latest status stays where it is: this is how
// the wires learn what need not come again.
func TestLooksMoveOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		doc := document("1", "H41")
		arrived := edxml.Status{From: edxml.Organ{OrganID: "H41"}, StatusCode: "01", Timestamp: edxml.TimestampOf(time.Now()),
			ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: doc.DocumentID}}
		var asked []time.Time
		broken := false
		axis := &scripted{statuses: func(since time.Time) ([]edxml.Status, error) {
			asked = append(asked, since)
			return []edxml.Status{arrived}, nil
		}}
		n := newNode(t, node.Config{Organ: ministry, Store: bubbleStore(t, t.TempDir()), Axis: axis,
			Statuses: func(context.Context, *edxml.Status) error {
				if broken = !broken; broken { // every other look
					return errors.New("nobody takes it")
				}
				return nil
			}})
		submit(t, n, single(t, doc))
		stop := run(t, n)
		<-time.After(3 * time.Minute)
		stop()
		if len(asked) < 5 {
			t.Fatalf("%d looks", len(asked))
		}
		if !asked[1].Equal(asked[0]) {
			t.Errorf("the first look was not applied, and yet the second asks since %v, not %v", asked[1], asked[0])
		}
		for i := 4; i < len(asked); i++ {
			if !asked[i].After(asked[i-1]) || asked[i].Sub(asked[i-1]) >= time.Second {
				t.Errorf("look %d asks since %v, look %d since %v", i-1, asked[i-1], i, asked[i])
			}
		}
	})
}
