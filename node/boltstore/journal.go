package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// enter appends a row to the journal.
func (s *Store) enter(tx *bbolt.Tx, e *node.Entry) error {
	journal := ordered(tx, journalBucket)
	prev := ""
	if key, row := journal.Cursor().Last(); key != nil {
		prev, e.Seq = node.RowHash(row), seqNumber(key)
	}
	e.Seq++
	e.Chain, e.At = s.chain, time.Now().UTC()
	row, err := e.Seal(prev)
	if err != nil {
		return err
	}
	return journal.Put(seqKey(e.Seq), row)
}

func seqKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func seqNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key) }

// Chains returns the chain of this folder, and those that a copy brought along.
func (s *Store) Chains(ctx context.Context) ([]string, error) {
	var chains []string
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		if k, _ := tx.Bucket(journalBucket).Cursor().First(); k != nil {
			chains = []string{s.chain}
		}
		all := tx.Bucket(chainsBucket)
		if all == nil {
			return nil
		}
		return all.ForEachBucket(func(name []byte) error {
			chains = append(chains, string(name))
			return nil
		})
	})
	slices.Sort(chains)
	return chains, err
}

// Journal returns a page of the journal.
func (s *Store) Journal(ctx context.Context, chain string, after uint64, limit int) ([][]byte, error) {
	var rows [][]byte
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		journal := s.chainOf(tx, chain)
		if journal == nil || after+1 == 0 {
			return nil
		}
		c := journal.Cursor()
		for k, row := c.Seek(seqKey(after + 1)); k != nil && len(rows) < limit; k, row = c.Next() {
			rows = append(rows, bytes.Clone(row))
		}
		return nil
	})
	return rows, err
}
