package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) node.Store {
		t.Cleanup(func() { audit(t, dir) })
		return open(t, dir)
	})
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// audit compares the indices of a closed store with what its records say they
// must be, has bbolt check its pages, and returns the number of records.
func audit(t *testing.T, dir string) (records int) {
	t.Helper()
	s := open(t, dir)
	defer s.Close()
	s.indexer.stop() // Check wants no writer beside it
	for more, err := true, error(nil); more; {
		if more, err = s.index(); err != nil {
			t.Fatal(err)
		}
	}
	want, got := map[string]string{}, map[string]string{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("bbolt: %v", err)
		}
		for _, name := range indices() {
			if err := tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error {
				if strings.HasSuffix(name, words) {
					beginning, low, _ := strings.Cut(string(k), "\x00")
					for i, id := range unpackIDs(v) {
						if i == 0 && id < low {
							t.Errorf("%s %q begins with %s", name, k, id)
						}
						got[fmt.Sprintf("%s %q", name, beginning+"\x00"+id)] = ""
					}
					return nil
				}
				got[fmt.Sprintf("%s %q", name, k)] = string(v)
				return nil
			}); err != nil {
				return err
			}
		}
		counts := map[string]uint64{}
		if err := tx.Bucket(transfersBucket).ForEach(func(k, v []byte) error {
			records++
			tr, err := node.OpenRecord(string(k), v)
			if err != nil {
				return err
			}
			for e := range entries(tr) {
				want[fmt.Sprintf("%s %q", e.bucket, e.key)] = string(e.value(tr.ID))
			}
			for p := range prefixes(tr.Words) {
				want[fmt.Sprintf("%s %q", string(tr.Direction)+words, p+"\x00"+tr.ID)] = ""
			}
			for k := range countKeys(tr) {
				counts[k]++
			}
			return nil
		}); err != nil {
			return err
		}
		for k, n := range counts {
			want[fmt.Sprintf("%s %q", countsBucket, k)] = string(seqKey(n))
		}
		return tx.Bucket(heldBucket).ForEach(func(k, v []byte) error {
			for e := range valueEntries(string(k), strings.Fields(string(v))) {
				want[fmt.Sprintf("%s %q", e.bucket, e.key)] = ""
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("indices (-from the records +stored):\n%s", diff)
	}
	auditJournal(t, s)
	return records
}

// auditJournal checks that the rows hold together and end where the records are.
func auditJournal(t *testing.T, s *Store) {
	t.Helper()
	var copied bytes.Buffer
	said := map[string]node.State{}
	rows, err := s.Journal(context.WithoutCancel(t.Context()), s.chain, 0, 1<<30) // a test may be cleaning up
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		copied.Write(append(row, '\n'))
		e, err := node.OpenEntry(row)
		if err != nil {
			t.Fatal(err)
		}
		if said[e.Transfer] = e.State; e.Event == "removed" {
			delete(said, e.Transfer)
		}
	}
	if _, err := node.VerifyJournal(&copied); err != nil {
		t.Error(err)
	}
	is := map[string]node.State{}
	if err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(transfersBucket).ForEach(func(k, v []byte) error {
			tr, err := node.OpenRecord(string(k), v)
			if err == nil {
				is[tr.ID] = tr.State
			}
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(is, said); diff != "" {
		t.Errorf("states (-of the records +of the journal):\n%s", diff)
	}
}

func TestFolderAndFilesAreForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "store")
	s := open(t, dir)
	defer s.Close()
	if _, err := s.Put(t.Context(), strings.NewReader(large("x"))); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o700)
		if !d.IsDir() {
			files++
			want = 0o600
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files != 2 {
		t.Errorf("%d files, error %v", files, err)
	}
}

func TestSecondOpenInTheSameProcessIsLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	half := s.content("tmp", "put-1") // of the first, at work
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkLocked(t, dir)
	if _, err := os.Stat(half); err != nil {
		t.Errorf("the second touched the folder of the first: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

func checkLocked(t *testing.T, dir string) {
	t.Helper()
	s, err := Open(dir)
	if err == nil {
		s.Close()
	}
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Dir != dir {
		t.Fatalf("error %v, want a LockedError of %s", err, dir)
	}
	if want := "boltstore: " + dir + ": another process holds this folder (a node is running?)"; err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

func TestOtherFormatsAreRefused(t *testing.T) {
	for _, found := range []string{"3", "10", "0", ""} {
		dir := t.TempDir()
		s := open(t, dir)
		if err := s.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(metaBucket).Put(formatKey, []byte(found))
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the refusal gives the lock back
			_, err := Open(dir)
			var other *FormatError
			if !errors.As(err, &other) || *other != (FormatError{Dir: dir, Found: found, Known: "2"}) {
				t.Fatalf("error %v, want a FormatError of %q", err, found)
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("format %q", found)) || !strings.Contains(err.Error(), `format "2"`) {
				t.Errorf("message %q names not both formats", err)
			}
		}
	}
}

func TestOpenOnlyWhatThereIs(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenWith(filepath.Join(dir, "x"), Options{Existing: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: error %v", err)
	}
	if _, err := OpenWith(dir, Options{Existing: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("made %v, error %v", left, err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	s, err := OpenWith(dir, Options{Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestOpenNamesThePath(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(foreign, "lienthong.db"), make([]byte, 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                         file,
		filepath.Join(file, "below"): file,
		foreign:                      filepath.Join(foreign, "lienthong.db"),
	} {
		s, err := Open(path)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", path)
		} else if !strings.HasPrefix(err.Error(), "boltstore: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: message %q", path, err)
		}
	}
}

// TestPlainKey holds keys apart that would meet in an index if they stood there
// as they are.
func TestPlainKey(t *testing.T) {
	long := strings.Repeat("k", maxKey)
	keys := []string{"", "a", "a\x00", "a\x00b", "\x00", "\x01", "\x01a", long, long + "k", plainKey(long + "k"), plainKey("a\x00b")}
	seen := map[string]string{}
	for _, k := range keys {
		p := plainKey(k)
		if other, ok := seen[p]; ok {
			t.Errorf("%.20q and %.20q are both %.80q", k, other, p)
		}
		seen[p] = k
		if p == "" || len(p) > maxKey || strings.Contains(p, "\x00") {
			t.Errorf("%.20q becomes %.80q", k, p)
		}
	}
	if plainKey("000.00.00.G22") != "000.00.00.G22" || plainKey(long) != long {
		t.Error("a plain key does not stand for itself")
	}
}

// A node that was killed in the middle of a step must not keep its own work
// waiting for a lease nobody holds.
func TestOpenEndsTheLeasesOfTheDead(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := s.Create(t.Context(), &node.Transfer{ID: "a", Direction: node.Out, Due: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), node.Out, "dead", now, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), node.Out, "other", now, time.Hour); !errors.Is(err, node.ErrNothingDue) {
		t.Fatalf("a held Transfer was leased again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Lease(t.Context(), node.Out, "alive", now, time.Hour)
	if err != nil || got.Lease != "alive" {
		t.Fatalf("after opening: %+v, %v", got, err)
	}
}

// later is after everything that was put.
func later() time.Time { return time.Now().Add(time.Hour) }
