package pgstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lienthong/lienthong/node"
)

// errPanic is the error of a change that panicked, for the others to go on.
var errPanic = errors.New("pgstore: a change panicked")

// transact runs some changes in one transaction: what they need is read in one
// round trip (rarely in more), then they are judged here, then all that they
// write goes in one round trip with the commit. sent reports whether the commit
// was sent. The changes' own refusals are theirs alone.
func (s *Store) transact(ctx context.Context, some []*change, guess bool) (sent bool, err error) {
	if guess && len(some) == 1 {
		if tried, sent, err := s.guessed(ctx, some[0]); tried {
			return sent, err
		}
	}
	v, ask := newView(), newNeeds()
	for _, c := range some {
		c.err = nil
		c.first(ask)
	}
	conn := s.writer.conn
	began := false
	for {
		if ask.head && s.writer.head != nil {
			ask.head = false
		}
		if err := s.fetch(ctx, conn, v, ask, !began); err != nil {
			return false, err
		}
		began = true
		if v.judge(some) {
			break
		}
		ask = v.missing
	}
	if s.writer.head == nil && len(v.entries) > 0 {
		if err := s.fetch(ctx, conn, v, &needs{head: true}, false); err != nil {
			return false, err
		}
	}
	if !v.changed() {
		_, err := conn.Exec(ctx, "ROLLBACK")
		return false, err
	}
	if err := s.seal(v); err != nil {
		return false, err
	}
	s.writer.batch++
	s.writer.last = v
	if err := s.write(ctx, conn, v); err != nil {
		return true, err
	}
	s.writer.committed()
	return true, nil
}

// judge runs the changes in turn and reports whether all was known to them.
func (v *view) judge(some []*change) bool {
	v.begin()
	for _, c := range some {
		c.err = c.run(v)
	}
	return !v.missing.anything
}

// run applies the change and keeps what it panics with.
func (c *change) run(v *view) (err error) {
	defer func() {
		if c.panic = recover(); c.panic != nil {
			err = refusal{errPanic}
		}
	}()
	return c.apply(v)
}

// seal puts the transitions into the chain of this node.
func (s *Store) seal(v *view) error {
	if len(v.entries) == 0 {
		return nil
	}
	at := v.head
	if s.writer.head != nil {
		at = *s.writer.head
	}
	now := s.clock.now().UTC()
	for _, e := range v.entries {
		e.Chain, e.Seq, e.At = s.options.Node, at.seq+1, now
		row, err := e.Seal(at.hash)
		if err != nil {
			return err
		}
		at = head{e.Seq, e.Hash}
		v.rows = append(v.rows, line{e.Chain, e.Seq, string(row)})
	}
	v.head = at
	return nil
}

// committed is what follows from a commit.
func (w *writer) committed() {
	v := w.last
	w.answered = time.Now()
	for id, r := range v.transfers {
		if r == nil {
			w.recent.put(id, nil)
		} else {
			w.recent.put(id, r.data)
		}
	}
	if len(v.entries) > 0 {
		w.head = &head{v.head.seq, v.head.hash}
	}
	for digest, c := range v.fresh {
		w.staged.drop(digest, c.at)
	}
	for d := range v.news {
		w.news.add(d)
	}
}

const beginSQL = "BEGIN ISOLATION LEVEL READ COMMITTED"

// fetch reads what is asked for, and begins the transaction with it.
func (s *Store) fetch(ctx context.Context, conn *pgx.Conn, v *view, ask *needs, begin bool) error {
	b := &pgx.Batch{}
	if begin {
		b.Queue(beginSQL)
	}
	for _, d := range directions() {
		if n := ask.leases[d]; n > 0 {
			until, ns := moment(ask.until)
			b.Queue(`SELECT id, record FROM transfers WHERE direction = $1 AND due IS NOT NULL AND (due, due_ns) <= ($2, $3)
				ORDER BY due, due_ns, id LIMIT $4 FOR UPDATE SKIP LOCKED`, string(d), until, ns, n).Query(func(rows pgx.Rows) error {
				v.due[d] = nil
				return v.readTransfers(rows, func(id string) { v.due[d] = append(v.due[d], id) })
			})
		}
	}
	if ids := sorted(ask.ids); len(ids) > 0 {
		for _, id := range ids {
			if _, known := v.known.transfers[id]; !known {
				v.known.transfers[id] = nil
			}
		}
		b.Queue(`SELECT id, record FROM transfers WHERE id = ANY($1) ORDER BY id FOR UPDATE`, ids).Query(func(rows pgx.Rows) error {
			return v.readTransfers(rows, func(string) {})
		})
	}
	if keys := sorted(ask.keys); len(keys) > 0 {
		stored := make([][]byte, len(keys))
		for i, k := range keys {
			stored[i], v.known.owners[k] = []byte(k), ""
		}
		b.Queue(`SELECT key, id FROM uniques WHERE key = ANY($1)`, stored).Query(func(rows pgx.Rows) error {
			var key []byte
			var id string
			_, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error { v.known.owners[string(key)] = id; return nil })
			return err
		})
	}
	if digests := sorted(ask.digests); len(digests) > 0 {
		for _, digest := range digests {
			v.known.contents[digest] = false
		}
		b.Queue(`SELECT digest FROM contents WHERE digest = ANY($1) ORDER BY digest FOR KEY SHARE`, octets(digests)).Query(func(rows pgx.Rows) error {
			var digest []byte
			_, err := pgx.ForEachRow(rows, []any{&digest}, func() error { v.known.contents[hex.EncodeToString(digest)] = true; return nil })
			return err
		})
	}
	if names := sorted(ask.names); len(names) > 0 {
		stored := make([][]byte, len(names))
		for i, name := range names {
			stored[i], v.known.values[name] = []byte(name), nil
		}
		b.Queue(`SELECT name, value, holds FROM vals WHERE name = ANY($1) ORDER BY name FOR UPDATE`, stored).Query(v.readValues)
	}
	if ask.head {
		v.head = head{}
		b.Queue(`SELECT seq, line FROM journal WHERE chain = $1 ORDER BY seq DESC LIMIT 1`, s.options.Node).Query(func(rows pgx.Rows) error {
			var seq int64
			var text string
			_, err := pgx.ForEachRow(rows, []any{&seq, &text}, func() error {
				v.head = head{uint64(seq), node.RowHash([]byte(text))}
				return nil
			})
			return err
		})
	}
	return conn.SendBatch(ctx, b).Close()
}

func (v *view) readTransfers(rows pgx.Rows, seen func(id string)) error {
	var id string
	var data []byte
	_, err := pgx.ForEachRow(rows, []any{&id, &data}, func() error {
		v.known.transfers[id] = slices.Clone(data)
		seen(id)
		return nil
	})
	return err
}

func (v *view) readValues(rows pgx.Rows) error {
	var name, val []byte
	var holds [][]byte
	_, err := pgx.ForEachRow(rows, []any{&name, &val, &holds}, func() error {
		one := &value{value: append([]byte{}, val...)}
		for _, h := range holds {
			one.holds = append(one.holds, hex.EncodeToString(h))
		}
		v.known.values[string(name)] = one
		return nil
	})
	return err
}

// sorted returns the members of a set in order, so that all lock in the same.
func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// octets returns digests, which are hexadecimal, as they are stored.
func octets(digests []string) [][]byte {
	all := make([][]byte, len(digests))
	for i, d := range digests {
		all[i], _ = hex.DecodeString(d) // was checked
	}
	return all
}

// moment returns t as it is stored: microseconds, and what is left.
func moment(t time.Time) (time.Time, int16) {
	return t.UTC().Truncate(time.Microsecond), int16(t.Nanosecond() % 1000)
}

// errShort is a commit that the server turned into its opposite.
var errShort = fmt.Errorf("pgstore: the transaction was rolled back")
