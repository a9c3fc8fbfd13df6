package boltstore

import (
	"context"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// repairBatch is how many records one transaction of a Repair takes on.
const repairBatch = 1000

// repairKey stands in meta while the indices are being made anew.
var repairKey = []byte("repairing")

// Repair makes all indices and counters anew from the records and values. A
// crash on the way makes the next Open begin again. Nothing else may use the
// store meanwhile.
func (s *Store) Repair(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	s.indexer.stop()
	defer s.indexer.start(s)
	return s.repair(ctx)
}

func (s *Store) repair(ctx context.Context) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range indices() {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		if err := tx.Bucket(metaBucket).Put(repairKey, []byte("1")); err != nil {
			return err
		}
		return tx.Bucket(heldBucket).ForEach(func(k, v []byte) error {
			return reindex(tx, string(k), nil, valueEntries(string(k), strings.Fields(string(v))))
		})
	})
	for after, more := []byte(nil), true; more && err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		err = s.db.Update(func(tx *bbolt.Tx) (err error) {
			after, err = s.repairSome(tx, after)
			more = after != nil
			return err
		})
	}
	if err == nil {
		err = s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(repairKey) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: repair: %w", err)
	}
	return nil
}

// repairSome indexes the records behind one, and returns the last of them.
func (s *Store) repairSome(tx *bbolt.Tx, after []byte) (last []byte, err error) {
	c := tx.Bucket(transfersBucket).Cursor()
	k, v := c.Seek(after)
	if after != nil && string(k) == string(after) {
		k, v = c.Next()
	}
	for n := 0; k != nil && n < repairBatch; n++ {
		t, err := node.OpenRecord(string(k), v)
		if err != nil {
			return nil, err
		}
		if err := reindex(tx, t.ID, nil, entries(t)); err != nil {
			return nil, err
		}
		if err := recount(tx, nil, t); err != nil {
			return nil, err
		}
		if err := s.postpone(tx, nil, t); err != nil {
			return nil, err
		}
		last = append([]byte{}, k...)
		k, v = c.Next()
	}
	return last, nil
}
