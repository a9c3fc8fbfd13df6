package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/node/pgstore"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

// breaking is a store that gives so many contents back, and then none.
type breaking struct {
	depot
	left int
}

var errBroken = errors.New("the line broke")

func (b *breaking) Open(ctx context.Context, sha256 string) (node.Opened, error) {
	if b.left--; b.left < 0 {
		return nil, errBroken
	}
	return b.depot.Open(ctx, sha256)
}

// spoiling is a store of which a content is not what it was.
type spoiling struct{ depot }

func (s *spoiling) Open(ctx context.Context, _ string) (node.Opened, error) {
	c, err := s.Put(ctx, bytes.NewReader([]byte("something else")))
	if err != nil {
		return nil, err
	}
	return s.depot.Open(ctx, c.SHA256)
}

func copyStore(t *testing.T, from, to depot) error {
	j := &copying{ctx: t.Context(), from: from, to: to, copied: copied{Heads: map[string]string{}}}
	for _, step := range []func() error{func() error { return j.begin("source", "target") }, j.records, j.values, j.journal, j.compare, j.end} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// TestCopyGoesOn interrupts a copy at every content, lets the source change
// meanwhile, and goes on: in the end both have the same.
func TestCopyGoesOn(t *testing.T) {
	server := pgtest.New(t, "")
	folder := func() depot {
		s, err := boltstore.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	shared := func() depot {
		s, err := pgstore.Open(t.Context(), server.Schema(t), pgstore.Options{Node: "n1"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	for name, open := range map[string]func() (from, to depot){
		"folder to PostgreSQL": func() (depot, depot) { return folder(), shared() },
		"PostgreSQL to folder": func() (depot, depot) { return shared(), folder() },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := open()
			stock(t, from)
			if err := copyStore(t, &breaking{from, 0}, to); !errors.Is(err, errBroken) {
				t.Fatalf("error %v", err)
			}
			for n := 1; ; n++ {
				err := copyStore(t, &breaking{from, n % 3}, to)
				if err == nil {
					break
				}
				if !errors.Is(err, errBroken) || n > 100 {
					t.Fatal(err)
				}
				disturb(t, from, n)
			}
			equal(t, from, to)
			if err := copyStore(t, from, to); err == nil {
				t.Error("a whole store was copied over")
			}
		})
	}
	t.Run("content that is spoiled", func(t *testing.T) {
		from, to := folder(), folder()
		stock(t, from)
		if err := copyStore(t, &spoiling{from}, to); err == nil || errors.Is(err, errBroken) {
			t.Errorf("error %v, want one about the digest", err)
		}
	})
}

func numberedTransfer(n int) *node.Transfer {
	return &node.Transfer{
		ID: fmt.Sprintf("0195c2a0-0000-7000-8000-%012x", n), State: node.Queued, Direction: []node.Direction{node.Out, node.In, node.Box}[n%3],
		Created: time.Unix(int64(n), 0).UTC(), Due: time.Unix(int64(n), 7).UTC(), Unique: []string{fmt.Sprint("u", n)}, Lookup: []string{"all"},
		Count: []string{fmt.Sprint("c", n%4)}, Words: []string{"chung", fmt.Sprint("so", n)}, Unknown: `,"later":{"a":[1]}`,
	}
}

// stock stores what a copy has to bring over.
func stock(t *testing.T, s depot) {
	t.Helper()
	for n := range 12 {
		c, err := s.Put(t.Context(), bytes.NewReader(bytes.Repeat([]byte{byte(n)}, 10_000+n*60_000))) // small ones and large ones
		if err != nil {
			t.Fatal(err)
		}
		x := numberedTransfer(n)
		x.Envelope = c
		err = s.Create(t.Context(), x)
		if err == nil {
			err = s.SetValue(t.Context(), fmt.Sprint("v", n), []byte{byte(n)}, c.SHA256)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// disturb changes the source between two runs, once.
func disturb(t *testing.T, s depot, n int) {
	t.Helper()
	if n != 4 {
		return
	}
	ctx := t.Context()
	if err := errors.Join(s.Remove(ctx, numberedTransfer(11).ID), s.SetValue(ctx, "v11", nil), s.SetValue(ctx, "v10", []byte("new"))); err != nil {
		t.Fatal(err)
	}
	change := func(n int, do func(*node.Transfer)) {
		t.Helper()
		if _, err := s.Update(ctx, numberedTransfer(n).ID, func(t *node.Transfer) error { do(t); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(7, func(t *node.Transfer) { t.State, t.Unique, t.Count = node.Sent, nil, []string{"sent"} })
	change(10, func(t *node.Transfer) { t.Unique = []string{"u7"} }) // the key moves to one that is copied before
}

// equal compares two stores by everything the port shows.
func equal(t *testing.T, a, b depot) {
	t.Helper()
	all := func(s depot) map[string]any {
		seen := map[string]any{}
		keep := func(name string, v any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			seen[name] = v
		}
		for _, d := range []node.Direction{node.Out, node.In, node.Box} {
			list, err := s.List(t.Context(), d, "", 1000)
			for _, x := range list {
				for _, digest := range x.Needs() {
					o, err := s.Open(t.Context(), digest)
					if err != nil {
						t.Fatal(err)
					}
					seen[digest] = o.Size()
					o.Close()
				}
			}
			keep("list "+string(d), list, err)
			found, err := s.Search(t.Context(), d, []string{"so1"}, "", 1000)
			keep("search "+string(d), found, err)
			due, err := s.NextDue(t.Context(), d)
			keep("due "+string(d), due, err)
		}
		found, err := s.Find(t.Context(), "u7", "", 9)
		keep("u7", found, err)
		values, err := s.Values(t.Context(), "", "", 1000)
		keep("values", values, err)
		for _, v := range values {
			holds, err := s.Holds(t.Context(), v.Name)
			keep("holds "+v.Name, append([]string{}, holds...), err)
		}
		counts, err := s.Counts(t.Context(), "")
		keep("counts", counts, err)
		chains, err := s.Chains(t.Context())
		keep("chains", chains, err)
		for _, c := range chains {
			rows, err := s.Journal(t.Context(), c, 0, 1000)
			keep("journal "+c, rows, err)
		}
		swept, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), true)
		keep("kept", [2]int64{swept.Kept, swept.KeptBytes}, err)
		return seen
	}
	if diff := cmp.Diff(all(a), all(b)); diff != "" {
		t.Errorf("the copy is another (-source +copy):\n%s", diff)
	}
}
