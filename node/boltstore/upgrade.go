package boltstore

import (
	"encoding/json"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// upgrade1 turns a database of format 1 into one of format 2, which also knows
// who needs which content, counts, searches, and keeps the journal. The journal
// begins with what there is.
func (s *Store) upgrade1(tx *bbolt.Tx) error {
	type record struct {
		t    *node.Transfer
		data []byte
	}
	old := tx.Bucket(transfersBucket)
	var records []record
	if err := old.ForEach(func(id, data []byte) error {
		t, err := node.OpenRecord(string(id), data)
		records = append(records, record{t, append([]byte{}, data...)})
		return err
	}); err != nil {
		return err
	}
	type value struct{ name, data []byte }
	var values []value
	if err := tx.Bucket(valuesBucket).ForEach(func(name, data []byte) error {
		values = append(values, value{append([]byte{}, name...), append([]byte{}, data...)})
		return nil
	}); err != nil {
		return err
	}
	for _, name := range []string{"meta", "transfers", "unique", "lookup", "leased", "out.due", "out.box", "in.due", "in.box"} {
		if err := tx.DeleteBucket([]byte(name)); err != nil {
			return err
		}
	}
	if err := s.create(tx); err != nil {
		return err
	}
	for _, r := range records {
		if err := s.write(tx, nil, r.t, r.data); err != nil {
			return err
		}
	}
	for _, v := range values {
		// the one value that needed content, the directory, is its Content
		var c node.Content
		var holds []string
		if json.Unmarshal(v.data, &c) == nil && isDigest(c.SHA256) {
			holds = []string{c.SHA256}
		}
		if err := s.setValue(tx, string(v.name), v.data, holds); err != nil {
			return err
		}
	}
	return nil
}
