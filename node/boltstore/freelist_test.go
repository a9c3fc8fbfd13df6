package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/storetest"
)

// TestStoreWithoutList is TestStore with the list of free pages left out of
// the file from the first commit on.
func TestStoreWithoutList(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) node.Store {
		t.Cleanup(func() { audit(t, dir) })
		return openListing(t, dir, -1)
	})
}

// openListing opens a store whose list goes into the file up to so many pages.
func openListing(t *testing.T, dir string, free int) *Store {
	t.Helper()
	s, err := OpenWith(dir, Options{free: free})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// still ends what a store does by itself, so that its file can be copied.
func still(s *Store) *Store {
	s.indexer.stop()
	return s
}

// purged returns a store of so many contents, of which one of ten is left, and
// the pages of the others are free.
func purged(t *testing.T, dir string, many, free int) *Store {
	t.Helper()
	s := still(openListing(t, dir, free))
	data := bytes.Repeat([]byte("x"), 200<<10)
	for i := range many {
		data[0] = byte(i)
		c, err := s.Put(t.Context(), bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		id := strconv.Itoa(i)
		if err := s.Create(t.Context(), &node.Transfer{ID: id, Direction: node.Out, Envelope: c}); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			continue
		}
		if _, err := s.Update(t.Context(), id, func(t *node.Transfer) error { t.Envelope = node.Content{}; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if swept, err := s.Sweep(t.Context(), later(), false); err != nil || swept.Removed != int64(many*9/10) {
		t.Fatalf("swept %+v, %v", swept, err)
	}
	return s
}

// listed returns what the file of a store says of its list, and how many free
// pages there are.
func listed(t *testing.T, dir string) (noted bool, free int) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, databaseName), 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bbolt.Tx) error { noted = tx.Bucket(metaBucket).Get(unlistedKey) == nil; return nil }); err != nil {
		t.Fatal(err)
	}
	return noted, db.Stats().FreePageN
}

// written returns how many octets a change writes into the database.
func written(t *testing.T, s *Store, id string) int64 {
	t.Helper()
	before := s.db.Stats()
	if err := s.Create(t.Context(), &node.Transfer{ID: id, Direction: node.Out}); err != nil {
		t.Fatal(err)
	}
	after := s.db.Stats()
	return after.TxStats.GetPageAlloc() - before.TxStats.GetPageAlloc()
}

// TestListStaysOutOfCommits: a commit costs the same after a purge as before
// it, the list is in the file of a store that was closed, and found again after
// a crash.
func TestListStaysOutOfCommits(t *testing.T) {
	dir := t.TempDir()
	s := purged(t, dir, 100, maxFree)
	free := s.db.Stats().FreePageN
	with := written(t, s, "with") // below maxFree the list goes with every commit
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = still(openListing(t, dir, free/4))
	written(t, s, "first without")
	without := written(t, s, "without")
	if spared := with - without; spared < int64(free)*8-2*4096 {
		t.Errorf("a commit takes %d octets with a list of %d pages, %d without", with, free, without)
	}
	crashed := t.TempDir() // as the file is now
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if noted, _ := listed(t, crashed); noted {
		t.Error("the file says that it has the list")
	}
	now := s.db.Stats()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if noted, n := listed(t, dir); !noted || n < free/2 {
		t.Errorf("closed: listed %v, %d free pages", noted, n)
	}

	s = still(openListing(t, crashed, 4*free))
	if after := s.db.Stats(); after.FreePageN+after.PendingPageN < now.FreePageN { // pages of transactions that nobody reads any more are free now
		t.Errorf("%d free pages after a crash, %d before", after.FreePageN, now.FreePageN)
	}
	if r := check1(t, s); r.Damaged() {
		t.Errorf("%+v", r)
	}
	written(t, s, "after the crash")
	again := t.TempDir()
	if err := os.CopyFS(again, os.DirFS(crashed)); err != nil {
		t.Fatal(err)
	}
	if noted, _ := listed(t, again); !noted {
		t.Error("the list did not come back into the file")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if noted, n := listed(t, crashed); !noted || n < free/2 {
		t.Errorf("closed after a crash: listed %v, %d free pages", noted, n)
	}
	audit(t, crashed)
}

// TestSenselessPagesWithoutList: bbolt would end the process when it goes
// through the pages; here the file is said to be damaged.
func TestSenselessPagesWithoutList(t *testing.T) {
	dir := t.TempDir()
	s := purged(t, dir, 10, -1)
	whole, err := os.ReadFile(filepath.Join(dir, databaseName))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	senseless := 0
	for page := 2; page < len(whole)/4096; page++ {
		head := whole[page*4096:]
		if n := binary.NativeEndian.Uint64(head); n != uint64(page) || binary.NativeEndian.Uint16(head[8:]) > 2 {
			continue // the middle of a content
		}
		for _, with := range []byte{0x00, 0xff} {
			torn := bytes.Clone(whole)
			copy(torn[page*4096:], bytes.Repeat([]byte{with}, 4096))
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, databaseName), torn, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if err == nil { // a page that is free now
				s.Close()
				continue
			}
			senseless++
			if pages := (*PagesError)(nil); !errors.As(err, &pages) {
				t.Errorf("page %d full of %#x: %v", page, with, err)
			}
		}
	}
	if senseless < 10 {
		t.Errorf("%d damaged files were found out", senseless)
	}
}
