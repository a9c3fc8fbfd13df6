package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// A power cut leaves any part of a commit on the disk: its pages one after the
// other, then the page that makes them count, the last of them torn. Each such
// file must open with everything that was acknowledged before, and whole.
func TestTornCommit(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	furnish(t, s)
	s.indexer.stop()
	size := os.Getpagesize()
	before := fileOf(t, s)
	tr := document(20)
	tr.Envelope = put(t, s, "late")
	if err := s.Create(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	after := fileOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	torn := slices.Clone(before)
	torn = append(torn, make([]byte, max(0, len(after)-len(before)))...)
	pages := map[int]bool{} // that the commit wrote
	for i := 0; i < len(after)/size; i++ {
		if !bytes.Equal(torn[i*size:(i+1)*size], after[i*size:(i+1)*size]) {
			pages[i] = true
		}
	}
	order := slices.Sorted(maps.Keys(pages))
	i := slices.IndexFunc(order, func(p int) bool { return p > 1 })
	if i != 1 || len(order) < 5 {
		t.Fatalf("the commit wrote the pages %v: not one meta page and others", order)
	}
	order = append(order[1:], order[0])
	for _, p := range order {
		at := p * size
		for _, half := range []int{size / 2, 16 + 40, size} { // in the middle of a page, of the meta record; whole
			copy(torn[at:], after[at:at+half])
			want := 5
			if p < 2 && half != 16+40 {
				want = 6 // the whole of the meta record was there
			}
			if n := auditFile(t, dir, torn); n != want {
				t.Errorf("page %d, %d octets of it: %d records, want %d", p, half, n, want)
			}
			if half != size {
				copy(torn[at:], before[min(at, len(before)):min(at+size, len(before))])
			}
		}
	}
	if !bytes.Equal(torn, after) {
		t.Error("the pages do not make up the commit: this test proves nothing")
	}
}

// fileOf returns the file of an open store.
func fileOf(t *testing.T, s *Store) []byte {
	t.Helper()
	b, err := os.ReadFile(s.file())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// auditFile audits a database beside the content of dir.
func auditFile(t *testing.T, dir string, database []byte) int {
	t.Helper()
	other := t.TempDir()
	if err := os.CopyFS(filepath.Join(other, "content"), os.DirFS(filepath.Join(dir, "content"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, databaseName), database, 0o600); err != nil {
		t.Fatal(err)
	}
	return audit(t, other)
}

func TestCutOffFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	furnish(t, s)
	var size int64
	if err := s.db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int64{1, 4096, size / 2, size - 4*4096} {
		if err := os.Truncate(s.file(), size-cut); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		var short *CutOffError
		if !errors.As(err, &short) || short.File != s.file() || short.Size != size-cut || short.Want != size {
			t.Errorf("without %d octets: error %v", cut, err)
		}
	}
	if err := os.Truncate(s.file(), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("100 octets: no error")
	}
}

// On a slow disk the writers share its fsyncs, and nobody waits for more than
// the commit that is on its way and the next.
func TestSlowDisk(t *testing.T) {
	for _, delay := range []time.Duration{2 * time.Millisecond, 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			const writers, each = 64, 3
			dir := t.TempDir()
			s, err := OpenWith(dir, Options{SyncDelay: delay})
			if err != nil {
				t.Fatal(err)
			}
			before := commits(t, s)
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					for i := range each {
						tr := document(100*w + i)
						tr.Words = nil // the indexer commits, too
						tr.Envelope = put(t, s, fmt.Sprint("envelope ", w, i))
						began := time.Now()
						if err := s.Create(t.Context(), tr); err != nil {
							t.Error(err)
						}
						if took := time.Since(began); took > 2*2*delay {
							t.Errorf("a record took %v, an fsync %v", took, delay)
						}
					}
				})
			}
			all.Wait()
			if n := commits(t, s) - before; n > 4*each {
				t.Errorf("%d commits for %d records of %d writers", n, writers*each, writers)
			}
			got, err := s.Lease(t.Context(), node.Out, "w", time.Unix(100, 0), time.Hour)
			if err != nil || got.ID != numbered(0) {
				t.Errorf("%v, error %v", got, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
