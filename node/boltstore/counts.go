package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// countKeys returns the keys under which t is counted, each once.
func countKeys(t *node.Transfer) map[string]bool {
	if t == nil || len(t.Count) == 0 {
		return nil
	}
	keys := make(map[string]bool, len(t.Count))
	for _, k := range t.Count {
		keys[k] = true
	}
	return keys
}

// recount brings the counters from one form of a Transfer to the next.
func recount(tx *bbolt.Tx, before, after *node.Transfer) error {
	was, is := countKeys(before), countKeys(after)
	for k := range was {
		if !is[k] {
			if err := count(tx, k, -1); err != nil {
				return err
			}
		}
	}
	for k := range is {
		if !was[k] {
			if err := count(tx, k, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// count adds to one counter; one that comes to nothing is removed.
func count(tx *bbolt.Tx, key string, add int64) error {
	counts := tx.Bucket([]byte(countsBucket))
	n := add
	if v := counts.Get([]byte(key)); v != nil {
		n += int64(binary.BigEndian.Uint64(v))
	}
	if n == 0 {
		return counts.Delete([]byte(key))
	}
	return counts.Put([]byte(key), binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// checkCount refuses a key that cannot be stored as it is; Counts gives it back.
func checkCount(t *node.Transfer) error {
	for _, k := range t.Count {
		if k == "" || len(k) > maxKey {
			return fmt.Errorf("boltstore: transfer %s: %.80q is no key to count by: 1 to %d octets", t.ID, k, maxKey)
		}
	}
	return nil
}

// Counts returns the counters whose keys begin with prefix.
func (s *Store) Counts(ctx context.Context, prefix string) (map[string]int64, error) {
	all := map[string]int64{}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(countsBucket)).Cursor()
		for k, v := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
			all[string(k)] = int64(binary.BigEndian.Uint64(v))
		}
		return nil
	})
	return all, err
}
