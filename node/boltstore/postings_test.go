package boltstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

func TestPackedIDs(t *testing.T) {
	ids := []string{numbered(1), "a", strings.ToUpper(numbered(2)), strings.Repeat("x", maxID), "0195c2a0-0000-7000-8000-00000000000", "đ", numbered(3)}
	packed := packIDs(ids)
	if diff := cmp.Diff(ids, unpackIDs(packed)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(packIDs([]string{numbered(1)})); n != 17 {
		t.Errorf("a UUID takes %d octets", n)
	}
	for cut := range packed { // a damaged value ends nothing but itself
		got := unpackIDs(packed[:cut])
		if diff := cmp.Diff(ids[:len(got)], got); diff != "" {
			t.Errorf("cut at %d (-want +got):\n%s", cut, diff)
		}
	}
}

// TestPostings puts IDs in and takes them out in any order, and compares with a
// plain set.
func TestPostings(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	s := open(t, t.TempDir())
	defer s.Close()
	some := func() string {
		if n := r.IntN(900); n%3 > 0 {
			return numbered(n)
		} else {
			return fmt.Sprintf("%03d", n)
		}
	}
	model := map[string]bool{}
	prefix, neighbours := []byte("ab\x00"), []string{"a\x00", "abc\x00", "ab!\x00"}
	tx, err := s.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	b := tx.Bucket([]byte("out.words"))
	for _, p := range neighbours {
		if err := post(b, []byte(p), []string{"000", numbered(1 << 40)}); err != nil {
			t.Fatal(err)
		}
	}
	for turn := range 300 {
		if turn%3 == 2 {
			for range r.IntN(60) {
				id := some()
				delete(model, id)
				if err := unpost(b, prefix, id); err != nil {
					t.Fatal(err)
				}
			}
		} else {
			batch := map[string]bool{}
			for range r.IntN(120) {
				id := some()
				batch[id], model[id] = true, true
			}
			if err := post(b, prefix, slices.Sorted(maps.Keys(batch))); err != nil {
				t.Fatal(err)
			}
		}
		want := slices.Sorted(maps.Keys(model))
		if diff := cmp.Diff(append([]string{}, want...), stored(t, b, prefix)); diff != "" {
			t.Fatalf("turn %d (-want +got):\n%s", turn, diff)
		}
		l := newList(b, "ab")
		for range 20 {
			limit, below := some(), r.IntN(2) == 0
			if r.IntN(9) == 0 {
				limit = end
			}
			at, found := slices.BinarySearch(want, limit)
			if found && !below {
				at++
			}
			got, there := l.last(limit, below)
			if there != (at > 0) || there && got != want[at-1] {
				t.Fatalf("turn %d: last(%q, %v) gives %q, %v", turn, limit, below, got, there)
			}
		}
	}
	for _, p := range neighbours {
		if got := stored(t, b, []byte(p)); len(got) != 2 {
			t.Errorf("%q has %v", p, got)
		}
	}
}

// stored returns all IDs of a beginning, and checks their keys.
func stored(t *testing.T, b *bbolt.Bucket, prefix []byte) []string {
	t.Helper()
	all := []string{}
	c := b.Cursor()
	for k, v := c.Seek(prefix); strings.HasPrefix(string(k), string(prefix)); k, v = c.Next() {
		ids, low := unpackIDs(v), string(k[len(prefix):])
		if len(ids) == 0 || len(ids) > maxPostings || ids[0] < low || len(all) > 0 && all[len(all)-1] >= low {
			t.Fatalf("key %q holds %q behind %q", low, ids, all)
		}
		all = append(all, ids...)
	}
	return all
}
