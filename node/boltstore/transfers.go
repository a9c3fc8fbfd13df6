package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// read returns one Transfer, ErrNotFound if there is none.
func read(tx *bbolt.Tx, id string) (*node.Transfer, error) {
	data := tx.Bucket(transfersBucket).Get([]byte(id))
	if data == nil {
		return nil, fmt.Errorf("boltstore: transfer %.300q: %w", id, node.ErrNotFound)
	}
	return node.OpenRecord(id, data)
}

// write stores the new form of a Transfer with its row in the journal, see record.
func (s *Store) write(tx *bbolt.Tx, before, after *node.Transfer, data []byte) error {
	err := s.record(tx, before, after, data)
	if e := node.Transition(before, after); err == nil && e != nil {
		err = s.enter(tx, e)
	}
	return err
}

// record stores the new form of a Transfer, nil to remove it, with everything
// that follows from it but the journal; before is nil for a new one. Nothing is
// written when it returns a refusal.
func (s *Store) record(tx *bbolt.Tx, before, after *node.Transfer, data []byte) error {
	t, was, is := after, map[entry]bool(nil), map[entry]bool(nil)
	if before != nil {
		t, was = before, entries(before)
	}
	if after != nil {
		is = entries(after)
	}
	fresh := map[string]staged{}
	if err := s.need(tx, was, is, fresh); err != nil {
		return refusal{err}
	}
	if err := s.keepAll(tx, fresh); err != nil {
		return err
	}
	err := error(nil)
	if records := ordered(tx, transfersBucket); after == nil {
		err = records.Delete([]byte(t.ID))
	} else {
		err = records.Put([]byte(t.ID), data)
	}
	if err == nil {
		err = reindex(tx, t.ID, was, is)
	}
	if err == nil {
		err = recount(tx, before, after)
	}
	if err == nil {
		err = s.postpone(tx, before, after)
	}
	return err
}

// clash returns an *ExistsError if one of ts has an ID or a Unique key that is
// taken, also by another of them.
func clash(tx *bbolt.Tx, ts []*node.Transfer) error {
	ids, keys := map[string]bool{}, map[string]string{}
	for _, t := range ts {
		if ids[t.ID] || tx.Bucket(transfersBucket).Get([]byte(t.ID)) != nil {
			return &node.ExistsError{Key: t.ID, ID: t.ID}
		}
		ids[t.ID] = true
		if err := taken(tx, t); err != nil {
			return err
		}
		for _, k := range t.Unique {
			if owner, ok := keys[k]; ok && owner != t.ID {
				return &node.ExistsError{Key: k, ID: owner}
			}
			keys[k] = t.ID
		}
	}
	return nil
}

// Create commits new Transfers. An ID that is taken gives an *ExistsError with
// the ID as its key.
func (s *Store) Create(ctx context.Context, ts ...*node.Transfer) error {
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
	// spares a refusal the commit
	if err := s.view(ctx, func(tx *bbolt.Tx) error { return clash(tx, ts) }); err != nil || len(ts) == 0 {
		return err
	}
	return s.commit(ctx, func(tx *bbolt.Tx) error {
		fresh := map[string]staged{}
		err := clash(tx, ts)
		for i := 0; i < len(ts) && err == nil; i++ {
			err = s.need(tx, nil, entries(ts[i]), fresh)
		}
		if err != nil {
			return refusal{err}
		}
		if err := s.keepAll(tx, fresh); err != nil { // now, so that no Sweep takes it from the later ones
			return err
		}
		for i, t := range ts {
			if err := s.write(tx, nil, t, data[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Update changes a Transfer. Its ID and Direction stay what they are. The record
// is read, changed and written out before the transaction, of which there is
// one at a time; only when another change came between is it done again there.
func (s *Store) Update(ctx context.Context, id string, change func(*node.Transfer) error) (*node.Transfer, error) {
	var p proposal
	err := s.view(ctx, func(tx *bbolt.Tx) (err error) {
		p, err = propose(tx, id, change)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.commit(ctx, func(tx *bbolt.Tx) (err error) {
		if !bytes.Equal(tx.Bucket(transfersBucket).Get([]byte(id)), p.old) {
			if p, err = propose(tx, id, change); err != nil {
				return refusal{err}
			}
		}
		if err := taken(tx, p.after); err != nil {
			return refusal{err}
		}
		return s.write(tx, p.before, p.after, p.data)
	})
	if err != nil {
		return nil, err
	}
	return p.after, nil
}

// proposal is a change that is ready to be committed.
type proposal struct {
	old, data     []byte // the record before and after
	before, after *node.Transfer
}

// propose reads a record and changes it.
func propose(tx *bbolt.Tx, id string, change func(*node.Transfer) error) (p proposal, err error) {
	if p.after, err = read(tx, id); err != nil {
		return p, err
	}
	p.old = bytes.Clone(tx.Bucket(transfersBucket).Get([]byte(id)))
	p.before = snapshot(p.after)
	if err := change(p.after); err != nil {
		return p, err
	}
	if p.after.ID != id || p.after.Direction != p.before.Direction {
		return p, fmt.Errorf("boltstore: transfer %s: the ID and the direction cannot change", id)
	}
	if err := check(p.after); err != nil {
		return p, err
	}
	p.data, err = p.after.Record()
	p.after.Due, p.after.LeasedUntil = p.after.Due.UTC(), p.after.LeasedUntil.UTC() // as it is stored
	return p, err
}

// snapshot copies a Transfer before it is changed, as far as write and
// node.Transition look at it: a change may write into slices.
func snapshot(t *node.Transfer) *node.Transfer {
	s := *t
	s.Receivers, s.Parts = slices.Clone(t.Receivers), slices.Clone(t.Parts)
	s.Unique, s.Lookup, s.Holds = slices.Clone(t.Unique), slices.Clone(t.Lookup), slices.Clone(t.Holds)
	s.Count, s.Words = slices.Clone(t.Count), slices.Clone(t.Words)
	return &s
}

// Remove forgets a Transfer.
func (s *Store) Remove(ctx context.Context, id string) error {
	return s.commit(ctx, func(tx *bbolt.Tx) error {
		t, err := read(tx, id)
		if err != nil {
			return refusal{err}
		}
		return s.write(tx, t, nil, nil)
	})
}

// Lease takes the head of the queue of one direction.
func (s *Store) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (*node.Transfer, error) {
	if !known(d) {
		return nil, unknown(d)
	}
	lease := func(t *node.Transfer) error {
		t.Lease, t.LeasedUntil = holder, now.Add(hold)
		return nil
	}
	var p proposal
	take := func(tx *bbolt.Tx) error {
		at, id := head(tx, d)
		if at.IsZero() || at.After(now) {
			return node.ErrNothingDue
		}
		old := tx.Bucket(transfersBucket).Get([]byte(id))
		if p.after != nil && p.after.ID == id && bytes.Equal(old, p.old) {
			return nil
		}
		if old == nil {
			return s.trouble(fmt.Errorf("transfer %s: %w", id, errStray))
		}
		var err error
		p, err = propose(tx, id, lease)
		return err
	}
	if err := s.view(ctx, take); err != nil { // spares an idle node the commits
		return nil, err
	}
	err := s.commit(ctx, func(tx *bbolt.Tx) error {
		if err := take(tx); err != nil {
			return refusal{err}
		}
		return s.write(tx, p.before, p.after, p.data)
	})
	if err != nil {
		return nil, err
	}
	return p.after, nil
}

// NextDue returns, in UTC, when Lease will next find something.
func (s *Store) NextDue(ctx context.Context, d node.Direction) (time.Time, error) {
	if !known(d) {
		return time.Time{}, unknown(d)
	}
	var at time.Time
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		at, _ = head(tx, d)
		return nil
	})
	return at, err
}

// Transfer returns one Transfer, ErrNotFound if there is none.
func (s *Store) Transfer(ctx context.Context, id string) (*node.Transfer, error) {
	var t *node.Transfer
	err := s.view(ctx, func(tx *bbolt.Tx) (err error) {
		t, err = read(tx, id)
		return err
	})
	return t, err
}

// Find returns a page of the Transfers that have key, oldest first.
func (s *Store) Find(ctx context.Context, key, after string, limit int) ([]*node.Transfer, error) {
	var all []*node.Transfer
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		for _, id := range found(tx, key, after, limit) {
			t, err := s.indexed(tx, id)
			if err != nil {
				return err
			}
			all = append(all, t)
		}
		return nil
	})
	return all, err
}

// List returns a page of one direction, newest first.
func (s *Store) List(ctx context.Context, d node.Direction, before string, limit int) ([]*node.Transfer, error) {
	if !known(d) {
		return nil, unknown(d)
	}
	var page []*node.Transfer
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(string(d) + box)).Cursor()
		for k, _ := lastBelow(c, before); k != nil && len(page) < limit; k, _ = c.Prev() {
			t, err := s.indexed(tx, string(k))
			if err != nil {
				return err
			}
			page = append(page, t)
		}
		return nil
	})
	return page, err
}

// indexed reads what an index names.
func (s *Store) indexed(tx *bbolt.Tx, id string) (*node.Transfer, error) {
	t, err := read(tx, id)
	if errors.Is(err, node.ErrNotFound) {
		return nil, s.trouble(fmt.Errorf("transfer %s: %w", id, errStray))
	}
	return t, err
}

// endLeases gives back every lease. Only one process can open the folder, so
// whoever held them is dead, and their work need not wait for the time to run out.
func (s *Store) endLeases() error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		var ids []string
		err := tx.Bucket([]byte(leasedBucket)).ForEach(func(id, _ []byte) error {
			ids = append(ids, string(id))
			return nil
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			t, err := read(tx, id)
			if err != nil {
				return err
			}
			ended := *t
			ended.Lease, ended.LeasedUntil = "", time.Time{}
			data, err := ended.Record()
			if err != nil {
				return err
			}
			if err := s.write(tx, t, &ended, data); err != nil {
				return err
			}
		}
		return nil
	})
}
