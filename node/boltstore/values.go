package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

const (
	maxValue = 64 << 10 // octets of a value
	maxName  = 1000     // octets of its name
)

// errNotSwapped makes a SwapValue that did not find the old value write nothing.
var errNotSwapped = errors.New("boltstore: another value")

// Value returns what was last stored under name, nil if nothing.
func (s *Store) Value(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		if v := tx.Bucket(valuesBucket).Get([]byte(name)); v != nil {
			value = append([]byte{}, v...)
		}
		return nil
	})
	return value, err
}

// SetValue stores a value of at most 64 KiB, and what it needs.
func (s *Store) SetValue(ctx context.Context, name string, value []byte, holds ...string) error {
	if err := checkValue(name, value); err != nil {
		return err
	}
	for _, digest := range holds {
		if !isDigest(digest) {
			return fmt.Errorf("boltstore: value %q: %w", name, &node.MissingError{SHA256: digest})
		}
	}
	return s.commit(ctx, func(tx *bbolt.Tx) error { return s.setValue(tx, name, value, holds) })
}

// SwapValue stores a value if the one before is old.
func (s *Store) SwapValue(ctx context.Context, name string, old, value []byte) (bool, error) {
	if err := checkValue(name, value); err != nil {
		return false, err
	}
	err := s.commit(ctx, func(tx *bbolt.Tx) error {
		found := tx.Bucket(valuesBucket).Get([]byte(name))
		if (found == nil) != (old == nil) || !bytes.Equal(found, old) {
			return refusal{errNotSwapped}
		}
		return s.setValue(tx, name, value, nil)
	})
	if errors.Is(err, errNotSwapped) {
		return false, nil
	}
	return err == nil, err
}

func checkValue(name string, value []byte) error {
	switch {
	case name == "" || len(name) > maxName || !utf8.ValidString(name):
		return fmt.Errorf("boltstore: %.80q is no name of a value: 1 to %d octets of UTF-8", name, maxName)
	case len(value) > maxValue:
		return fmt.Errorf("boltstore: value %q has %d octets, more than %d", name, len(value), maxValue)
	}
	return nil
}

// setValue stores or removes a value and what it holds.
func (s *Store) setValue(tx *bbolt.Tx, name string, value []byte, holds []string) error {
	if value == nil {
		holds = nil
	}
	held, key := tx.Bucket(heldBucket), []byte(name)
	before, after := valueEntries(name, strings.Fields(string(held.Get(key)))), valueEntries(name, holds)
	fresh := map[string]staged{}
	if err := s.need(tx, before, after, fresh); err != nil {
		return refusal{err}
	}
	if err := s.keepAll(tx, fresh); err != nil {
		return err
	}
	if err := reindex(tx, name, before, after); err != nil {
		return err
	}
	put := func(b *bbolt.Bucket, v []byte) error {
		if v == nil {
			return b.Delete(key)
		}
		return b.Put(key, v)
	}
	list := []byte(strings.Join(holds, " "))
	if len(holds) == 0 {
		list = nil
	}
	return errors.Join(put(held, list), put(tx.Bucket(valuesBucket), value))
}

// valueEntries is to a value what entries is to a Transfer.
func valueEntries(name string, holds []string) map[entry]bool {
	all := map[entry]bool{}
	for _, digest := range holds {
		all[entry{holdsBucket, digest + valueHolds + name}] = true
	}
	return all
}

// Values returns a page of the values whose names begin with prefix.
func (s *Store) Values(ctx context.Context, prefix, after string, limit int) ([]node.NamedValue, error) {
	var page []node.NamedValue
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(valuesBucket).Cursor()
		k, v := c.Seek([]byte(max(prefix, after)))
		if after != "" && string(k) == after {
			k, v = c.Next()
		}
		for ; k != nil && bytes.HasPrefix(k, []byte(prefix)) && len(page) < limit; k, v = c.Next() {
			page = append(page, node.NamedValue{Name: string(k), Value: append([]byte{}, v...)})
		}
		return nil
	})
	return page, err
}
