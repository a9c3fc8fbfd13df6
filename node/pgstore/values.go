package pgstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

const (
	maxValue = 64 << 10 // octets of a value
	maxName  = 1000     // octets of its name
)

// errNotSwapped makes a SwapValue that did not find the old value change nothing.
var errNotSwapped = errors.New("pgstore: another value")

// Value returns what was last stored under name, nil if nothing.
func (s *Store) Value(ctx context.Context, name string) ([]byte, error) {
	var val []byte
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		err := pool.QueryRow(ctx, `SELECT value FROM vals WHERE name = $1`, []byte(name)).Scan(&val)
		if errors.Is(err, pgx.ErrNoRows) {
			val = nil
			return nil
		}
		if err == nil && val == nil {
			val = []byte{}
		}
		return err
	})
	return val, err
}

// SetValue stores a value of at most 64 KiB, and what it needs.
func (s *Store) SetValue(ctx context.Context, name string, val []byte, holds ...string) error {
	if err := checkValue(name, val); err != nil {
		return err
	}
	for _, digest := range holds {
		if !isDigest(digest) {
			return fmt.Errorf("pgstore: value %q: %w", name, &node.MissingError{SHA256: digest})
		}
	}
	return s.commit(ctx, s.valueChange(name, val, holds, func(*value) bool { return true }))
}

// SwapValue stores a value if the one before is old.
func (s *Store) SwapValue(ctx context.Context, name string, old, val []byte) (bool, error) {
	if err := checkValue(name, val); err != nil {
		return false, err
	}
	old = bytes.Clone(old)
	err := s.commit(ctx, s.valueChange(name, val, nil, func(found *value) bool {
		return (found == nil) == (old == nil) && (found == nil || bytes.Equal(found.value, old))
	}))
	if errors.Is(err, errNotSwapped) {
		return false, nil
	}
	return err == nil, err
}

func checkValue(name string, val []byte) error {
	switch {
	case name == "" || len(name) > maxName || !utf8.ValidString(name):
		return fmt.Errorf("pgstore: %.80q is no name of a value: 1 to %d octets of UTF-8", name, maxName)
	case len(val) > maxValue:
		return fmt.Errorf("pgstore: value %q has %d octets, more than %d", name, len(val), maxValue)
	}
	return nil
}

// valueChange stores or removes a value and what it holds, if the one before
// is as it should be.
func (s *Store) valueChange(name string, val []byte, holds []string, fits func(*value) bool) *change {
	var after *value
	if val != nil {
		holds = slices.Compact(slices.Sorted(slices.Values(holds)))
		after = &value{append([]byte{}, val...), holds}
	}
	return &change{
		first: func(n *needs) { n.names[name] = true },
		apply: func(v *view) error {
			before, err := v.value(name)
			if err != nil {
				return err
			}
			if !fits(before) {
				return refusal{errNotSwapped}
			}
			var had, has []string
			if before != nil {
				had = slices.Sorted(slices.Values(before.holds))
			}
			if after != nil {
				has = after.holds
			}
			found, err := v.find(&s.staged, has)
			if err != nil {
				return err
			}
			maps.Copy(v.fresh, found)
			v.hold("v"+name, had, has)
			v.values[name] = after
			return nil
		},
	}
}

// Values returns a page of the values whose names begin with prefix.
func (s *Store) Values(ctx context.Context, prefix, after string, limit int) ([]node.NamedValue, error) {
	if err := s.usable(ctx); err != nil || limit <= 0 {
		return nil, err
	}
	var page []node.NamedValue
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		rows, err := pool.Query(ctx, `SELECT name, value FROM vals WHERE name >= $1 AND ($2::bytea IS NULL OR name < $2) AND name > $3
			ORDER BY name LIMIT $4`, []byte(prefix), above(prefix), []byte(after), limit)
		if err != nil {
			return err
		}
		page = nil
		var name, val []byte
		_, err = pgx.ForEachRow(rows, []any{&name, &val}, func() error {
			page = append(page, node.NamedValue{Name: string(name), Value: append([]byte{}, val...)})
			return nil
		})
		return err
	})
	return page, err
}
