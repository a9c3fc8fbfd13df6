package pgstore

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

// TestWrongGuesses has one node change what another has just written, so that
// what it remembers is not what is there: it notices, and nothing is lost.
func TestWrongGuesses(t *testing.T) {
	url := pgtest.URL(t)
	a, b := opens(t, url, Options{Node: "a"}), opens(t, url, Options{Node: "b"})
	tried := func(s *Store, do func() error) error { // as if the one before had just been answered
		s.writer.sober, s.writer.answered = 0, time.Now()
		return do()
	}
	add := func(s *Store, id string) error {
		return tried(s, func() error {
			_, err := s.Update(t.Context(), id, func(x *node.Transfer) error { x.Tries++; return nil })
			return err
		})
	}
	const turns = 10
	x := fresh()
	if err := a.Create(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	for range turns {
		if err := errors.Join(add(a, x.ID), add(b, x.ID), add(a, x.ID)); err != nil {
			t.Fatal(err)
		}
		if a.writer.sober != sober {
			t.Error("a did not guess, or was not told that it was wrong")
		}
	}
	if got, err := a.Transfer(t.Context(), x.ID); err != nil || got.Tries != 3*turns {
		t.Errorf("%d changes of %d, %v", got.Tries, 3*turns, err)
	}
	for n := range turns { // each key has one owner, and the other learns whose it is
		one, two := fresh(), fresh()
		one.Unique, two.Unique = []string{fmt.Sprint("key ", n)}, []string{fmt.Sprint("key ", n)}
		if err := tried(a, func() error { return a.Create(t.Context(), one) }); err != nil {
			t.Fatal(err)
		}
		var taken *node.ExistsError
		for _, s := range []*Store{a, b} {
			if err := tried(s, func() error { return s.Create(t.Context(), two) }); !errors.As(err, &taken) || taken.ID != one.ID {
				t.Errorf("%d: error %v, want an ExistsError for %s", n, err, one.ID)
			}
		}
	}
	for what, err := range map[string]error{
		"an ID that is taken": tried(b, func() error { return b.Create(t.Context(), x) }),
		"an ID that it wrote": tried(a, func() error { return a.Create(t.Context(), x) }),
	} {
		var taken *node.ExistsError
		if !errors.As(err, &taken) || taken.Key != x.ID {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := b.Remove(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	if err := add(a, x.ID); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("changed after it was removed: %v", err)
	}
	if n := verified(t, a); n != 1+turns+1 {
		t.Errorf("%d rows", n)
	}
	counts, err := a.Counts(t.Context(), "")
	if err != nil || counts["all"] != turns {
		t.Errorf("counts %v, %v", counts, err)
	}
}

// TestRecent forgets the older half, and what was removed at once.
func TestRecent(t *testing.T) {
	var r recent
	r.put("removed", []byte("x"))
	r.put("removed", nil)
	r.put("long", make([]byte, maxKept+1))
	for n := range 200 {
		r.put(fmt.Sprint(n), make([]byte, maxKept))
	}
	if r.get("removed") != nil || r.get("long") != nil || r.get("0") != nil || r.get("199") == nil {
		t.Error("what it remembers is not the latest")
	}
}
