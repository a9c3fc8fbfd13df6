package pgstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

// Load stores Transfers as another store had them, in the place of those with
// the same IDs, and leaves the journal alone: its rows come by LoadRows. It
// returns an *ExistsError or a *MissingError as Create does.
func (s *Store) Load(ctx context.Context, ts ...*node.Transfer) error {
	own, data, err := encodeAll(ts)
	if err != nil {
		return err
	}
	return s.commit(ctx, &change{
		first: func(n *needs) {
			for _, t := range own {
				n.ids[t.ID] = true
			}
		},
		apply: func(v *view) error {
			unknown := error(nil)
			for _, t := range own {
				if _, err := v.data(t.ID); err != nil {
					unknown = err
				}
				if err := v.taken(t, nil); errors.Is(err, errUnknown) {
					unknown = err
				} else if err != nil {
					return err
				}
				if _, err := v.find(&s.staged, t.Needs()); errors.Is(err, errUnknown) {
					unknown = err
				} else if err != nil {
					return err
				}
			}
			if unknown != nil {
				return unknown
			}
			for i, t := range own {
				if err := v.replace(&s.staged, t, data[i]); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// replace puts a Transfer in the place of the one with its ID, if there is one.
func (v *view) replace(g *stage, t *node.Transfer, data []byte) error {
	had, err := v.data(t.ID)
	if err != nil || bytes.Equal(had, data) {
		return err
	}
	var before *node.Transfer
	if had != nil {
		if before, err = decode(t.ID, had); err != nil {
			return err
		}
		if before.Direction != t.Direction {
			return refusal{fmt.Errorf("pgstore: transfer %s: the direction cannot change", t.ID)}
		}
	}
	return v.put(g, before, t, data, true)
}

// Unload forgets a Transfer that Load stored, if it is there, and leaves the
// journal alone.
func (s *Store) Unload(ctx context.Context, id string) error {
	if err := s.usable(ctx); err != nil || !plain(id) {
		return err
	}
	return s.commit(ctx, &change{
		first: func(n *needs) { n.ids[id] = true },
		apply: func(v *view) error {
			t, err := v.read(id)
			if errors.Is(err, node.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			return v.put(&s.staged, t, nil, nil, true)
		},
	})
}

// LoadRows appends rows to a chain, byte for byte, of which the first has the
// number first.
func (s *Store) LoadRows(ctx context.Context, chain string, first uint64, lines [][]byte) error {
	if !plain(chain) || first == 0 || first >= 1<<62 {
		return fmt.Errorf("pgstore: %.80q, row %d: no place in a journal", chain, first)
	}
	return s.commit(ctx, &change{
		first: func(*needs) {},
		apply: func(v *view) error {
			for i, text := range lines {
				v.rows = append(v.rows, line{chain, first + uint64(i), string(text)})
			}
			return nil
		},
	})
}

// Holds returns the digests of the content that a value holds, in order.
func (s *Store) Holds(ctx context.Context, name string) ([]string, error) {
	var all []string
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		var holds [][]byte
		err := pool.QueryRow(ctx, `SELECT holds FROM vals WHERE name = $1`, []byte(name)).Scan(&holds)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		all = nil
		for _, digest := range holds {
			all = append(all, hex.EncodeToString(digest))
		}
		return err
	})
	return all, err
}
