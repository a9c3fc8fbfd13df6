package pgstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

// decode is node.OpenRecord, the error of which is no fault of the connection.
func decode(id string, data []byte) (*node.Transfer, error) {
	t, err := node.OpenRecord(id, data)
	if err != nil {
		return nil, refusal{err}
	}
	return t, nil
}

// leasable returns the moment from which Lease may take t, zero for never.
func leasable(t *node.Transfer) time.Time {
	switch {
	case t == nil:
		return time.Time{}
	case t.Due.IsZero() || t.LeasedUntil.Before(t.Due):
		return t.Due
	}
	return t.LeasedUntil
}

// put makes after out of before in a view, with everything that follows from
// it; nil is none. It refuses what cannot be, and then changes nothing. quiet
// leaves the journal out.
func (v *view) put(g *stage, before, after *node.Transfer, data []byte, quiet bool) error {
	var needed, wanted []string
	if before != nil {
		needed = before.Needs()
	}
	if after != nil {
		wanted = after.Needs()
	}
	found, err := v.find(g, slices.DeleteFunc(slices.Clone(wanted), func(digest string) bool {
		_, had := slices.BinarySearch(needed, digest)
		return had
	}))
	if err != nil {
		return err
	}
	t := after
	if after == nil {
		t = before
		v.transfers[t.ID] = nil
	} else {
		v.transfers[t.ID] = &record{after, data}
	}
	maps.Copy(v.fresh, found)
	v.index(t, before, after, needed, wanted)
	if !quiet {
		if e := node.Transition(before, after); e != nil {
			v.entries = append(v.entries, e)
		}
	}
	if at, was := leasable(after), leasable(before); !at.IsZero() && (was.IsZero() || at.Before(was)) {
		v.news[t.Direction] = true
	}
	return nil
}

// index makes what is indexed of a Transfer that of its new form.
func (v *view) index(t, before, after *node.Transfer, needed, wanted []string) {
	keys := func(t *node.Transfer, of func(*node.Transfer) []string, form func(string) string) map[string]bool {
		all := map[string]bool{}
		if t != nil {
			for _, k := range of(t) {
				all[form(k)] = true
			}
		}
		return all
	}
	each := func(of func(*node.Transfer) []string, form func(string) string, do func(key string, in bool)) {
		was, is := keys(before, of, form), keys(after, of, form)
		for k := range was {
			if !is[k] {
				do(k, false)
			}
		}
		for k := range is {
			if !was[k] {
				do(k, true)
			}
		}
	}
	each(func(t *node.Transfer) []string { return t.Unique }, keyOf, func(key string, in bool) {
		if in {
			v.owners[key] = t.ID
			return
		}
		v.owners[key] = ""
		if _, known := v.known.owners[key]; !known {
			v.known.owners[key] = t.ID // as the Transfer, which is locked, says
		}
	})
	each(func(t *node.Transfer) []string { return t.Lookup }, keyOf, func(key string, in bool) { v.lookup[lookupKey{key, t.ID}] = in })
	each(func(t *node.Transfer) []string { return t.Count }, func(k string) string { return k }, func(key string, in bool) {
		if in {
			v.counts[key]++
		} else {
			v.counts[key]--
		}
	})
	v.hold(transferOwner(t.ID), needed, wanted)
	var had, has []string
	if before != nil {
		had = before.Words
	}
	if after != nil {
		has = after.Words
	}
	if !slices.Equal(had, has) {
		v.words[wordKey{t.Direction, t.ID}] = has
	}
}

// hold makes what an owner holds, both in order, the second.
func (v *view) hold(owner string, before, after []string) {
	for _, digest := range before {
		if _, still := slices.BinarySearch(after, digest); !still {
			v.holds[holdKey{digest, owner}] = false
		}
	}
	for _, digest := range after {
		if _, had := slices.BinarySearch(before, digest); !had {
			v.holds[holdKey{digest, owner}] = true
		}
	}
}

func transferOwner(id string) string { return "t" + id }

// taken refuses a Transfer of which another has a Unique key; those that it has
// already are its own.
func (v *view) taken(t *node.Transfer, has []string) error {
	unknown := error(nil)
	for _, k := range t.Unique {
		if slices.Contains(has, k) {
			continue
		}
		owner, err := v.owner(keyOf(k))
		if err != nil {
			unknown = err
			continue
		}
		if owner != "" && owner != t.ID {
			return refusal{&node.ExistsError{Key: k, ID: owner}}
		}
	}
	return unknown
}

// clash refuses Transfers of which one has an ID or a Unique key that is taken,
// also by another of them.
func (v *view) clash(ts []*node.Transfer) error {
	ids, keys := map[string]bool{}, map[string]string{}
	unknown := error(nil)
	for _, t := range ts {
		data, err := v.data(t.ID)
		if err != nil {
			unknown = err
		}
		if ids[t.ID] || data != nil {
			return refusal{&node.ExistsError{Key: t.ID, ID: t.ID}}
		}
		ids[t.ID] = true
		if err := v.taken(t, nil); errors.Is(err, errUnknown) {
			unknown = err
		} else if err != nil {
			return err
		}
		for _, k := range t.Unique {
			if owner, ok := keys[k]; ok && owner != t.ID {
				return refusal{&node.ExistsError{Key: k, ID: owner}}
			}
			keys[k] = t.ID
		}
	}
	return unknown
}

// Create commits new Transfers. An ID that is taken gives an *ExistsError with
// the ID as its key.
func (s *Store) Create(ctx context.Context, ts ...*node.Transfer) error {
	own, data, err := encodeAll(ts)
	if err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil || len(ts) == 0 {
		return err
	}
	return s.commit(ctx, &change{
		create: true,
		first: func(n *needs) {
			n.head = true
			for _, t := range own {
				n.ids[t.ID] = true
				for _, k := range t.Unique {
					n.keys[keyOf(k)] = true
				}
				for _, digest := range t.Needs() {
					if _, there := s.staged.get(digest); !there {
						n.digests[digest] = true
					}
				}
			}
		},
		apply: func(v *view) error {
			if err := v.clash(own); err != nil {
				return err
			}
			var all []string // is looked for before anything is made
			for _, t := range own {
				all = append(all, t.Needs()...)
			}
			found, err := v.find(&s.staged, all)
			if err != nil {
				return err
			}
			maps.Copy(v.fresh, found)
			for i, t := range own {
				if err := v.put(&s.staged, nil, t, data[i], false); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// encodeAll checks Transfers and returns copies of them that stay as they are.
func encodeAll(ts []*node.Transfer) (own []*node.Transfer, data [][]byte, err error) {
	for _, t := range ts {
		if err := check(t); err != nil {
			return nil, nil, err
		}
		text, err := t.Record()
		if err != nil {
			return nil, nil, err
		}
		copied, err := decode(t.ID, text)
		if err != nil {
			return nil, nil, err
		}
		own, data = append(own, copied), append(data, text)
	}
	return own, data, nil
}

// Update changes a Transfer. Its ID and Direction stay what they are.
func (s *Store) Update(ctx context.Context, id string, do func(*node.Transfer) error) (*node.Transfer, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if !plain(id) {
		return nil, notFound(id)
	}
	var committed []byte
	err := s.commit(ctx, &change{
		first: func(n *needs) { n.ids[id] = true },
		apply: func(v *view) error {
			before, err := v.read(id)
			if err != nil {
				return err
			}
			t, err := v.read(id) // again, as do may write into its slices
			if err != nil {
				return err
			}
			if err := do(t); err != nil {
				return refusal{err}
			}
			if t.ID != id || t.Direction != before.Direction {
				return refusal{fmt.Errorf("pgstore: transfer %s: the ID and the direction cannot change", id)}
			}
			if err := check(t); err != nil {
				return refusal{err}
			}
			taken := v.taken(t, before.Unique)
			if taken != nil && !errors.Is(taken, errUnknown) {
				return taken
			}
			data, err := t.Record()
			if err != nil {
				return refusal{err}
			}
			if taken != nil {
				return taken
			}
			committed = data
			return v.put(&s.staged, before, t, data, false)
		},
	})
	if err != nil {
		return nil, err
	}
	return decode(id, committed)
}

// Remove forgets a Transfer.
func (s *Store) Remove(ctx context.Context, id string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if !plain(id) {
		return notFound(id)
	}
	return s.commit(ctx, &change{
		first: func(n *needs) { n.ids[id], n.head = true, true },
		apply: func(v *view) error {
			t, err := v.read(id)
			if err != nil {
				return err
			}
			return v.put(&s.staged, t, nil, nil, false)
		},
	})
}

// Lease takes the head of the queue of one direction. A node whose clock is
// wrong gets a *ClockError.
func (s *Store) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (*node.Transfer, error) {
	if !known(d) {
		return nil, unknownDirection(d)
	}
	if err := s.clock.check(); err != nil {
		return nil, err
	}
	var id string
	var committed []byte
	err := s.commit(ctx, &change{
		lease: true,
		first: func(n *needs) {
			n.leases[d]++
			if now.After(n.until) {
				n.until = now
			}
		},
		apply: func(v *view) error {
			line, at := v.due[d], v.leased[d]
			if at >= len(line) {
				return refusal{node.ErrNothingDue}
			}
			id = line[at]
			t, err := v.read(id)
			if err != nil {
				return err
			}
			if leasable(t).After(now) {
				return refusal{node.ErrNothingDue}
			}
			leased := *t
			leased.Lease, leased.LeasedUntil = holder, now.Add(hold)
			if committed, err = leased.Record(); err != nil {
				return refusal{err}
			}
			v.leased[d]++
			return v.put(&s.staged, t, &leased, committed, false)
		},
	})
	if err != nil {
		return nil, err
	}
	return decode(id, committed)
}

// NextDue returns, in UTC, when Lease will next find something.
func (s *Store) NextDue(ctx context.Context, d node.Direction) (time.Time, error) {
	if !known(d) {
		return time.Time{}, unknownDirection(d)
	}
	var at time.Time
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		var ns int64
		err := pool.QueryRow(ctx, `SELECT due, due_ns FROM transfers WHERE direction = $1 AND due IS NOT NULL ORDER BY due, due_ns, id LIMIT 1`, string(d)).Scan(&at, &ns)
		if errors.Is(err, pgx.ErrNoRows) {
			at = time.Time{}
			return nil
		}
		at = at.UTC().Add(time.Duration(ns))
		return err
	})
	return at, err
}

// Transfer returns one Transfer, ErrNotFound if there is none.
func (s *Store) Transfer(ctx context.Context, id string) (*node.Transfer, error) {
	if !plain(id) {
		return nil, errors.Join(s.usable(ctx), notFound(id))
	}
	var data []byte
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		err := pool.QueryRow(ctx, `SELECT record FROM transfers WHERE id = $1`, id).Scan(&data)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound(id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return decode(id, data)
}

// Find returns a page of the Transfers that have key, oldest first.
func (s *Store) Find(ctx context.Context, key, after string, limit int) ([]*node.Transfer, error) {
	return s.page(ctx, limit, after, `SELECT t.id, t.record FROM (
			SELECT id FROM uniques WHERE key = $1 AND id > $2
			UNION
			(SELECT id FROM lookup WHERE key = $1 AND id > $2 ORDER BY id LIMIT $3)
		) k JOIN transfers t USING (id) ORDER BY t.id LIMIT $3`, []byte(keyOf(key)), after, limit)
}

// List returns a page of one direction, newest first.
func (s *Store) List(ctx context.Context, d node.Direction, before string, limit int) ([]*node.Transfer, error) {
	if !known(d) {
		return nil, unknownDirection(d)
	}
	return s.page(ctx, limit, before, `SELECT id, record FROM transfers WHERE direction = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3`, string(d), before, limit)
}

// page reads Transfers. What cannot be an ID stands at no place in the order
// of IDs, so that there is nothing behind it.
func (s *Store) page(ctx context.Context, limit int, from, sql string, args ...any) ([]*node.Transfer, error) {
	if err := s.usable(ctx); err != nil || limit <= 0 || from != "" && !plain(from) {
		return nil, err
	}
	var all []*node.Transfer
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		all = nil
		rows, err := pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		var id string
		var data []byte
		_, err = pgx.ForEachRow(rows, []any{&id, &data}, func() error {
			t, err := decode(id, data)
			all = append(all, t)
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func notFound(id string) error {
	return fmt.Errorf("pgstore: transfer %.300q: %w", id, node.ErrNotFound)
}
