package node_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// aged returns a node whose store has Transfers of all kinds, and them.
func aged(t *testing.T) (*node.Node, map[string]*node.Transfer) {
	t.Helper()
	s := openStore(t, t.TempDir())
	n := must(node.New(node.Config{Organ: edxml.Organ{OrganID: "G22"}, Store: s}))
	old, recent := time.Now().AddDate(-3, 0, 0), time.Now().AddDate(0, -1, 0)
	all := map[string]*node.Transfer{}
	for _, c := range []struct {
		name           string
		created, ended time.Time
		d              node.Direction
		change         func(*node.Transfer)
	}{
		{"out", old, old, node.Out, nil},
		{"in", old, old, node.In, nil},
		{"box", old, old, node.Box, nil},
		{"shared", old, old, node.Out, nil},
		{"recent", recent, recent, node.Out, nil},
		{"ended late", old, recent, node.Out, nil},
		{"unfinished", old, time.Time{}, node.Out, nil},
		{"due again", old, old, node.In, func(x *node.Transfer) { x.Due = time.Now() }},
		{"held", old, old, node.Out, func(x *node.Transfer) { x.LegalHold = "case 12" }},
		{"purged", old, old, node.Out, func(x *node.Transfer) { x.Purged = recent }},
	} {
		x := &node.Transfer{ID: idAt(c.created), Direction: c.d, State: node.Sent, Created: c.created, Finished: c.ended, AxisID: "17", Digest: "d"}
		x.Envelope = must(s.Put(t.Context(), strings.NewReader("envelope of "+c.name)))
		x.Parts = []node.Part{{Name: "a.pdf", Content: must(s.Put(t.Context(), strings.NewReader(strings.Repeat("part of "+c.name, 100_000))))}}
		if c.name == "shared" || c.name == "recent" {
			x.Parts = append(x.Parts, node.Part{Content: must(s.Put(t.Context(), strings.NewReader("shared")))})
		}
		if c.change != nil {
			c.change(x)
		}
		if err := s.Create(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		all[c.name] = x
	}
	return n, all
}

// idAt returns a new UUIDv7 of a moment.
func idAt(at time.Time) string {
	id := must(uuid.NewV7())
	for i := range 6 {
		id[i] = byte(at.UnixMilli() >> (8 * (5 - i)))
	}
	return id.String()
}

func TestPurge(t *testing.T) {
	n, all := aged(t)
	by := node.By{Actor: "an", Reason: "hết thời hạn"}
	before := time.Now().AddDate(-1, 0, 0)
	want := node.Purged{Dry: true, Transfers: 4, Contents: 9, LegalHold: 1, Unfinished: 2}
	for _, name := range []string{"out", "in", "box", "shared"} {
		want.Octets += all[name].Envelope.Size + all[name].Parts[0].Content.Size
	}
	want.Octets += int64(len("shared"))
	dry, err := n.Purge(t.Context(), node.PurgeOptions{Before: before, Dry: true, By: by})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, dry); diff != "" {
		t.Errorf("dry (-want +got):\n%s", diff)
	}
	for name, x := range all {
		if got := must(n.Store.Transfer(t.Context(), x.ID)); name != "purged" && !got.Purged.IsZero() {
			t.Errorf("%s was purged by a dry purge", name)
		}
	}

	// content that is an hour old is removed; this one is new, a sweep comes later
	want.Dry = false
	wet, err := n.Purge(t.Context(), node.PurgeOptions{Before: before, By: by})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, wet); diff != "" {
		t.Errorf("purged (-want +got):\n%s", diff)
	}
	swept := must(n.Store.Sweep(t.Context(), time.Now().Add(time.Hour), false))
	if swept.RemovedBytes < want.Octets-6 {
		t.Errorf("swept %+v", swept)
	}
	for name, x := range all {
		got := must(n.Store.Transfer(t.Context(), x.ID))
		gone := name == "out" || name == "in" || name == "box" || name == "shared" || name == "purged"
		if got.Purged.IsZero() == gone {
			t.Errorf("%s: purged %v", name, got.Purged)
		}
		for i, digest := range x.Needs() {
			f, err := n.Store.Open(t.Context(), digest)
			if shared := name == "shared" && f != nil; (err == nil) == gone && !shared {
				t.Errorf("%s: content %d: error %v", name, i, err)
			}
			if f != nil {
				f.Close()
			}
		}
		if got.Envelope != x.Envelope || got.Digest != x.Digest || got.AxisID != x.AxisID || got.Finished.IsZero() != x.Finished.IsZero() {
			t.Errorf("%s: the evidence changed: %+v", name, got)
		}
		if gone && name != "purged" {
			if a := got.Acts[len(got.Acts)-1]; a.Actor != "an" || a.Action != "purge" || a.Reason != "hết thời hạn" {
				t.Errorf("%s: act %+v", name, a)
			}
		}
	}
	chains := must(n.Store.Chains(t.Context()))
	purged := 0
	for _, row := range must(n.Store.Journal(t.Context(), chains[0], 0, 100)) {
		if e := must(node.OpenEntry(row)); e.Event == "purged" && e.Acts[0].Actor == "an" && len(e.Contents) >= 2 {
			purged++
		}
	}
	if purged != 4 {
		t.Errorf("%d rows of the journal", purged)
	}
	again, err := n.Purge(t.Context(), node.PurgeOptions{Before: before, By: by})
	if err != nil || again.Transfers != 0 {
		t.Errorf("again: %+v, error %v", again, err)
	}
}

func TestPurgeNeedsAName(t *testing.T) {
	n, _ := aged(t)
	if _, err := n.Purge(t.Context(), node.PurgeOptions{Before: time.Now()}); !errors.Is(err, node.ErrNoActor) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Purge(ctx, node.PurgeOptions{Before: time.Now(), By: node.By{Actor: "an"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestLegalHold(t *testing.T) {
	n, all := aged(t)
	by := node.By{Actor: "an", Reason: "theo công văn 7"}
	id := all["out"].ID
	held, err := n.LegalHold(t.Context(), id, "vụ án 12", by)
	if err != nil || held.LegalHold != "vụ án 12" || held.Acts[0].Actor != "an" {
		t.Fatalf("%+v, error %v", held, err)
	}
	sum := must(n.Purge(t.Context(), node.PurgeOptions{Before: time.Now().AddDate(-1, 0, 0), By: by}))
	if sum.Transfers != 3 || sum.LegalHold != 2 {
		t.Errorf("%+v", sum)
	}
	if _, err := n.LegalHold(t.Context(), id, "", by); err != nil {
		t.Fatal(err)
	}
	sum = must(n.Purge(t.Context(), node.PurgeOptions{Before: time.Now().AddDate(-1, 0, 0), By: by}))
	if sum.Transfers != 1 || sum.LegalHold != 1 {
		t.Errorf("%+v", sum)
	}
	var move *node.MoveError
	for name, call := range map[string]func() error{
		"a hold on what was purged": func() error { _, err := n.LegalHold(t.Context(), id, "late", by); return err },
		"the end of no hold":        func() error { _, err := n.LegalHold(t.Context(), all["in"].ID, "", by); return err },
	} {
		if err := call(); !errors.As(err, &move) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := n.LegalHold(t.Context(), id, "x", node.By{}); !errors.Is(err, node.ErrNoActor) {
		t.Errorf("nobody: error %v", err)
	}
	if _, err := n.LegalHold(t.Context(), fmt.Sprint("no", id), "x", by); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("nothing: error %v", err)
	}
}

// What a broken upload left behind goes by itself; what is new stays, as its
// record may be on the way.
func TestNodeTidiesUp(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, dir)
		n := must(node.New(node.Config{Organ: edxml.Organ{OrganID: "G22"}, Store: s}))
		orphan := must(s.Put(t.Context(), strings.NewReader(strings.Repeat("orphan", 100_000))))
		defer run(t, n)()
		time.Sleep(5*time.Hour + 30*time.Minute)
		recent := must(s.Put(t.Context(), strings.NewReader(strings.Repeat("recent", 100_000))))
		must(s.Open(t.Context(), orphan.SHA256)).Close()
		time.Sleep(time.Hour)
		if _, err := s.Open(t.Context(), orphan.SHA256); !errors.Is(err, node.ErrNotFound) {
			t.Errorf("the orphan is still there, error %v", err)
		}
		must(s.Open(t.Context(), recent.SHA256)).Close()
	})
}

// A purge leaves content alone that came within the hour, or within what it is
// told: its record may be on the way.
func TestPurgeSettled(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, dir)
		n := must(node.New(node.Config{Organ: edxml.Organ{OrganID: "G22"}, Store: s}))
		must(s.Put(t.Context(), strings.NewReader(strings.Repeat("orphan", 100_000))))
		time.Sleep(time.Minute)
		for _, c := range []struct {
			settled time.Duration
			removed int64
		}{{0, 0}, {2 * time.Minute, 0}, {30 * time.Second, 1}} {
			got := must(n.Purge(t.Context(), node.PurgeOptions{Before: time.Now(), Settled: c.settled, By: node.By{Actor: "root"}}))
			if got.Removed != c.removed {
				t.Errorf("settled for %s: %d removed, want %d", c.settled, got.Removed, c.removed)
			}
		}
	})
}
