package boltstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// chainsBucket holds the journals of other nodes, which a copy brought along:
// a bucket for each chain, like journalBucket.
var chainsBucket = []byte("chains")

// Load stores Transfers as another store had them, in the place of those with
// the same IDs, and leaves the journal alone: its rows come by LoadRows. It
// returns an *ExistsError or a *MissingError as Create does.
func (s *Store) Load(ctx context.Context, ts ...*node.Transfer) error {
	data := make([][]byte, len(ts))
	for i, t := range ts {
		if err := check(t); err != nil {
			return err
		}
		var err error
		if data[i], err = t.Record(); err != nil {
			return err
		}
	}
	return s.commit(ctx, func(tx *bbolt.Tx) error {
		fresh := map[string]staged{}
		for _, t := range ts { // all is looked at before anything is written
			if err := errors.Join(taken(tx, t), s.need(tx, nil, entries(t), fresh)); err != nil {
				return refusal{err}
			}
		}
		for i, t := range ts {
			before, err := read(tx, t.ID)
			if err != nil && !errors.Is(err, node.ErrNotFound) {
				return err
			}
			if before != nil && before.Direction != t.Direction {
				return fmt.Errorf("transfer %s: the direction cannot change", t.ID)
			}
			if err := s.record(tx, before, t, data[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unload forgets a Transfer that Load stored, if it is there, and leaves the
// journal alone.
func (s *Store) Unload(ctx context.Context, id string) error {
	return s.commit(ctx, func(tx *bbolt.Tx) error {
		t, err := read(tx, id)
		if errors.Is(err, node.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.record(tx, t, nil, nil)
	})
}

// LoadRows appends rows to a chain, byte for byte, of which the first has the
// number first. The chain may be that of another node.
func (s *Store) LoadRows(ctx context.Context, chain string, first uint64, lines [][]byte) error {
	return s.commit(ctx, func(tx *bbolt.Tx) error {
		journal := tx.Bucket(journalBucket)
		if chain != s.chain {
			all, err := tx.CreateBucketIfNotExists(chainsBucket)
			if err != nil {
				return err
			}
			if journal, err = all.CreateBucketIfNotExists([]byte(chain)); err != nil {
				return refusal{fmt.Errorf("boltstore: chain %.80q: %w", chain, err)}
			}
		}
		last := uint64(0)
		if key, _ := journal.Cursor().Last(); key != nil {
			last = seqNumber(key)
		}
		if first != last+1 {
			return refusal{fmt.Errorf("boltstore: chain %.80q ends with row %d, row %d cannot come next", chain, last, first)}
		}
		for i, row := range lines {
			if err := journal.Put(seqKey(first+uint64(i)), row); err != nil {
				return err
			}
		}
		return nil
	})
}

// Holds returns the digests of the content that a value holds, in order.
func (s *Store) Holds(ctx context.Context, name string) ([]string, error) {
	var all []string
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		all = slices.Sorted(slices.Values(strings.Fields(string(tx.Bucket(heldBucket).Get([]byte(name))))))
		return nil
	})
	return all, err
}

// chainOf returns the rows of a chain, nil if there are none.
func (s *Store) chainOf(tx *bbolt.Tx, chain string) *bbolt.Bucket {
	if chain == s.chain {
		return tx.Bucket(journalBucket)
	}
	if all := tx.Bucket(chainsBucket); all != nil {
		return all.Bucket([]byte(chain))
	}
	return nil
}
