package boltstore

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// large returns a content that is a file, another for each beginning.
func large(beginning string) string { return beginning + strings.Repeat("\n", maxSmall) }

func put(t *testing.T, s *Store, text string) node.Content {
	t.Helper()
	c, err := s.Put(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read1(t *testing.T, s *Store, digest string) string {
	t.Helper()
	o, err := s.Open(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// contentFiles returns everything that lies in content, unfinished files too.
func contentFiles(t *testing.T, s *Store) (names []string) {
	t.Helper()
	for _, pattern := range []string{"*", "*/*"} {
		found, err := filepath.Glob(s.content(pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if info, err := os.Stat(f); err != nil || !info.IsDir() {
				names = append(names, f)
			}
		}
	}
	return names
}

// smalls returns how many contents the database has.
func smalls(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(contentBucket).ForEach(func(_, _ []byte) error { n++; return nil })
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// commits returns the number of the last transaction.
func commits(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSizeDecidesWhereContentLies(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	for size, file := range map[int]bool{0: false, 1: false, maxSmall - 1: false, maxSmall: false, maxSmall + 1: true, 3 * maxSmall: true} {
		text := strings.Repeat("a", size)
		c := put(t, s, text)
		if err := s.SetValue(t.Context(), "v", []byte{}, c.SHA256); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(s.content(c.SHA256[:2], c.SHA256))
		if (err == nil) != file {
			t.Errorf("%d octets: error %v", size, err)
		}
		if c.Size != int64(size) || read1(t, s, c.SHA256) != text {
			t.Errorf("%d octets come back changed", size)
		}
	}
	if n := smalls(t, s); n != 4 {
		t.Errorf("%d contents in the database, want 4", n)
	}
}

func TestSmallContentSharesTheCommitOfItsRecord(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	before := commits(t, s)
	a, b := put(t, s, "a"), put(t, s, "b")
	if got := commits(t, s); got != before {
		t.Errorf("%d commits for what nobody needs yet", got-before)
	}
	if read1(t, s, a.SHA256) != "a" {
		t.Error("what is staged cannot be read")
	}
	if err := s.Create(t.Context(), &node.Transfer{ID: "1", Direction: node.Out, Envelope: a, Holds: []string{b.SHA256}}); err != nil {
		t.Fatal(err)
	}
	if got := commits(t, s); got != before+1 {
		t.Errorf("%d commits, want 1", got-before)
	}
	if left := s.staged.all(); len(left) > 0 || s.staged.size != 0 {
		t.Errorf("still staged: %v, %d octets", left, s.staged.size)
	}
	if smalls(t, s) != 2 {
		t.Errorf("%d contents in the database", smalls(t, s))
	}
}

// TestDiskBehind lets many bring content at once that the disk does not keep up
// with: they wait for it, in turns, and nothing piles up.
func TestDiskBehind(t *testing.T) {
	s, err := OpenWith(t.TempDir(), Options{SyncDelay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const many, size = 1000, 64 << 10
	before := s.db.Stats()
	var busy sync.WaitGroup
	var most atomic.Int64
	for i := range many {
		busy.Go(func() {
			data := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, size/2)
			if _, err := s.Put(t.Context(), bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
			s.staged.mu.Lock()
			defer s.staged.mu.Unlock()
			most.Store(max(most.Load(), s.staged.size))
		})
	}
	busy.Wait()
	if most.Load() > maxStaged+size {
		t.Errorf("%d octets were staged", most.Load())
	}
	// each octet was written about once, in pages of 4 KiB, and not once for everybody who waited
	after := s.db.Stats()
	if puts := after.TxStats.GetPageAlloc() - before.TxStats.GetPageAlloc(); puts > 2*many*size {
		t.Errorf("%d octets of pages were allocated for %d octets", puts, many*size)
	}
}

func TestStageIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	one := bytes.Repeat([]byte("a"), maxSmall)
	var last node.Content
	for i := range 3 * maxStaged / maxSmall {
		one[0] = byte(i)
		last = put(t, s, string(one))
		if s.staged.size > maxStaged+maxSmall {
			t.Fatalf("%d octets are staged", s.staged.size)
		}
	}
	if n := smalls(t, s); n < 2*maxStaged/maxSmall {
		t.Errorf("%d contents in the database", n)
	}
	if read1(t, s, last.SHA256) != string(one) {
		t.Error("another content comes back")
	}
	swept, err := s.Sweep(t.Context(), later(), false)
	if err != nil || swept.Removed != 3*maxStaged/maxSmall || swept.Kept != 0 {
		t.Errorf("swept %+v, error %v", swept, err)
	}
}

func TestLargeContentLiesOnceUnderItsDigest(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	var c node.Content
	for range 3 {
		c = put(t, s, large("x"))
	}
	if b, err := os.ReadFile(s.content(c.SHA256[:2], c.SHA256)); err != nil || string(b) != large("x") {
		t.Errorf("%.9q, error %v", b, err)
	}
	if names := contentFiles(t, s); len(names) != 1 {
		t.Errorf("content holds %v", names)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("reader") }

func TestPutLeavesNothingBehindAPanic(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	for _, before := range []string{"", "x", large("x")} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was lost")
				}
			}()
			_, _ = s.Put(t.Context(), io.MultiReader(strings.NewReader(before), panicking{}))
		}()
	}
	if names := contentFiles(t, s); len(names) != 0 || len(s.staged.all()) != 0 {
		t.Errorf("content holds %v, the stage %v", names, s.staged.all())
	}
}

func TestOpenRemovesUnfinishedContent(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	c, lost := put(t, s, large("kept")), put(t, s, "needed by nobody")
	if err := os.WriteFile(s.content("tmp", "put-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	if names := contentFiles(t, s); len(names) != 1 || filepath.Base(names[0]) != c.SHA256 {
		t.Errorf("content holds %v", names)
	}
	if _, err := s.Open(t.Context(), lost.SHA256); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

// A Put of what a Sweep has just judged keeps it from being removed, wherever
// the content lies.
func TestSweepSparesWhatIsPutAnew(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	for _, text := range []string{"small", large("large")} {
		where := s.memory()
		if len(text) > maxSmall {
			where = s.files()
		}
		c := put(t, s, text)
		if err := s.db.Update(func(tx *bbolt.Tx) error {
			_, at, there, err := where.look(tx, c.SHA256)
			if err != nil || !there {
				t.Fatalf("%v, error %v", there, err)
			}
			put(t, s, text)
			if gone, err := where.remove(tx, c.SHA256, at); gone || err != nil {
				t.Errorf("%.5s: removed %v, error %v", text, gone, err)
			}
			_, at, _, err = where.look(tx, c.SHA256)
			if err != nil {
				return err
			}
			if read1(t, s, c.SHA256) != text {
				t.Errorf("%.5s: other content", text)
			}
			gone, err := where.remove(tx, c.SHA256, at)
			if !gone || err != nil {
				t.Errorf("%.5s: not removed, error %v", text, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), c.SHA256); !errors.Is(err, node.ErrNotFound) {
			t.Errorf("%.5s: error %v", text, err)
		}
	}
}
