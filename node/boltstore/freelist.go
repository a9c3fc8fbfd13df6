package boltstore

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

// bbolt writes the list of its free pages anew with every commit, eight octets
// for each. A store that was purged has many: 1 GB is 2 MB, and three
// milliseconds, more with every commit, until something takes its place. Where
// there are more than maxFree the list stays in memory, and goes into the file
// when the store is closed. After a crash in between bbolt finds the free pages
// by going through all others.
const maxFree = 8192 // pages: 64 KiB with every commit

// unlistedKey says, in the bucket meta, that the file has no list.
var unlistedKey = []byte("unlisted")

// list decides whether the list goes into the file with a transaction that is
// about to be committed.
func (s *Store) list(tx *bbolt.Tx) error {
	stats := s.db.Stats()
	free := stats.FreePageN + stats.PendingPageN
	if s.db.NoFreelistSync {
		free *= 2 // so that it does not change all the time
	}
	return s.setListed(tx, free <= s.maxFree)
}

func (s *Store) setListed(tx *bbolt.Tx, listed bool) error {
	s.db.NoFreelistSync = !listed
	meta := tx.Bucket(metaBucket)
	switch noted := meta.Get(unlistedKey) != nil; {
	case listed && noted:
		return meta.Delete(unlistedKey)
	case !listed && !noted:
		return meta.Put(unlistedKey, []byte{})
	}
	return nil
}

// putList writes the list into the file where it is not there, so that the next
// Open need not go through all pages. One that cannot be written costs nothing
// but that.
func (s *Store) putList() {
	_ = s.db.Update(func(tx *bbolt.Tx) error {
		if !s.db.NoFreelistSync {
			return errNothing
		}
		return s.setListed(tx, true)
	})
}

// unlisted reports whether the file has no list of its free pages. Then all
// pages are looked at: bbolt will do the same, and end the process when they
// make no sense.
func unlisted(tx *bbolt.Tx) (bool, error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil || meta.Get(unlistedKey) == nil {
		return false, nil
	}
	return true, tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
}

// walk goes through the keys of a bucket, and of those in it.
func walk(b *bbolt.Bucket) error {
	var last []byte
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if last != nil && bytes.Compare(last, k) >= 0 {
			return fmt.Errorf("the keys %.40q and %.40q are not in order", last, k)
		}
		if last = k; v != nil {
			continue
		}
		if in := b.Bucket(k); in != nil {
			if err := walk(in); err != nil {
				return err
			}
		}
	}
	return nil
}
