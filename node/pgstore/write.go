package pgstore

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// staleCode is what the server says when a record is not as it was guessed to
// be: division by zero, the shortest way to have it refuse a whole transaction.
const staleCode = "22012"

// write writes what the changes made, and commits. Each table is one statement,
// however many changes there are.
func (s *Store) write(ctx context.Context, conn *pgx.Conn, v *view) error {
	b := &pgx.Batch{}
	if v.guess { // else it began when it was read
		b.Queue(beginSQL)
	}
	b.Queue(`INSERT INTO writers (id, batch, at) VALUES ($1, $2, now()) ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = excluded.at`, s.writer.id, s.writer.batch)
	v.writeContents(b)
	v.writeTransfers(b)
	v.writeOwners(b)
	v.writeLookup(b)
	v.writeHolds(b)
	v.writeWords(b)
	v.writeCounts(b, s.options.Node)
	v.writeValues(b)
	v.writeRows(b)
	var end pgconn.CommandTag
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error { end = tag; return nil })
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if end.String() != "COMMIT" {
		return errShort
	}
	return nil
}

func (v *view) writeContents(b *pgx.Batch) {
	if len(v.fresh) == 0 {
		return
	}
	digests := slices.Sorted(maps.Keys(v.fresh))
	var sizes []int64
	var at, months []time.Time
	var data [][]byte
	for _, digest := range digests {
		c := v.fresh[digest]
		sizes, at, months, data = append(sizes, int64(len(c.data))), append(at, c.at.UTC()), append(months, monthOf(c.at)), append(data, c.data)
	}
	// the octets go only where the name was not there
	b.Queue(`WITH named AS (
			INSERT INTO contents (digest, size, at, month) SELECT * FROM unnest($1::bytea[], $2::int8[], $3::timestamptz[], $4::date[])
			ON CONFLICT (digest) DO UPDATE SET at = greatest(contents.at, excluded.at) RETURNING digest, month, xmax = 0 AS new)
		INSERT INTO chunks (month, digest, n, data) SELECT named.month, named.digest, 0, u.data
		FROM unnest($1::bytea[], $5::bytea[]) AS u (digest, data) JOIN named USING (digest) WHERE named.new`,
		octets(digests), sizes, at, months, data)
}

func (v *view) writeTransfers(b *pgx.Batch) {
	var gone []string
	type columns struct {
		ids, directions []string
		due             []*time.Time
		ns              []int16
		data            []string
	}
	var added, changed columns
	for _, id := range slices.Sorted(maps.Keys(v.transfers)) {
		r := v.transfers[id]
		if r == nil {
			gone = append(gone, id)
			continue
		}
		c := &changed
		if v.known.transfers[id] == nil {
			c = &added
		}
		c.ids, c.directions, c.data = append(c.ids, id), append(c.directions, string(r.t.Direction)), append(c.data, string(r.data))
		if at := leasable(r.t); at.IsZero() {
			c.due, c.ns = append(c.due, nil), append(c.ns, 0)
		} else {
			due, ns := moment(at)
			c.due, c.ns = append(c.due, &due), append(c.ns, ns)
		}
	}
	if len(gone) > 0 {
		b.Queue(`DELETE FROM transfers WHERE id = ANY($1)`, gone)
	}
	// one row is written as one: to unnest arrays costs half as much again
	if len(added.ids) == 1 {
		b.Queue(`INSERT INTO transfers (id, direction, due, due_ns, record) VALUES ($1, $2, $3, $4, $5::text::json)`,
			added.ids[0], added.directions[0], added.due[0], added.ns[0], added.data[0])
	} else if len(added.ids) > 0 {
		b.Queue(`INSERT INTO transfers (id, direction, due, due_ns, record)
			SELECT id, direction, due, ns, record::json FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int2[], $5::text[]) AS u (id, direction, due, ns, record)`,
			added.ids, added.directions, added.due, added.ns, added.data)
	}
	if len(changed.ids) > 0 && v.guess {
		for i, id := range changed.ids {
			b.Queue(`WITH done AS (UPDATE transfers SET due = $2, due_ns = $3, record = $4::text::json WHERE id = $1 AND record::text = $5 RETURNING 1)
				SELECT 1 / count(*) FROM done`, id, changed.due[i], changed.ns[i], changed.data[i], string(v.known.transfers[id]))
		}
	} else if len(changed.ids) == 1 {
		b.Queue(`UPDATE transfers SET due = $2, due_ns = $3, record = $4::text::json WHERE id = $1`, changed.ids[0], changed.due[0], changed.ns[0], changed.data[0])
	} else if len(changed.ids) > 0 {
		b.Queue(`UPDATE transfers t SET direction = u.direction, due = u.due, due_ns = u.ns, record = u.record::json
			FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int2[], $5::text[]) AS u (id, direction, due, ns, record) WHERE t.id = u.id`,
			changed.ids, changed.directions, changed.due, changed.ns, changed.data)
	}
}

// writeOwners writes Unique keys. One that another process took meanwhile is a
// unique violation, and the group is judged anew.
func (v *view) writeOwners(b *pgx.Batch) {
	var gone, added, moved [][]byte
	var addedTo, movedTo []string
	for _, key := range slices.Sorted(maps.Keys(v.owners)) {
		id, before := v.owners[key], v.known.owners[key]
		switch {
		case id == before:
		case id == "":
			gone = append(gone, []byte(key))
		case before == "":
			added, addedTo = append(added, []byte(key)), append(addedTo, id)
		default:
			moved, movedTo = append(moved, []byte(key)), append(movedTo, id)
		}
	}
	if len(gone) > 0 {
		b.Queue(`DELETE FROM uniques WHERE key = ANY($1)`, gone)
	}
	if len(moved) > 0 {
		b.Queue(`UPDATE uniques k SET id = u.id FROM unnest($1::bytea[], $2::text[]) AS u (key, id) WHERE k.key = u.key`, moved, movedTo)
	}
	if len(added) == 1 {
		b.Queue(`INSERT INTO uniques (key, id) VALUES ($1, $2)`, added[0], addedTo[0])
	} else if len(added) > 0 {
		b.Queue(`INSERT INTO uniques (key, id) SELECT * FROM unnest($1::bytea[], $2::text[])`, added, addedTo)
	}
}

// pairs splits a set of pairs into those that are to be there and those that
// are not.
func pairs[K comparable](set map[K]bool, split func(K) (a, b []byte)) (in, out [2][][]byte) {
	for k, there := range set {
		to := &out
		if there {
			to = &in
		}
		a, b := split(k)
		to[0], to[1] = append(to[0], a), append(to[1], b)
	}
	return in, out
}

func (v *view) writeLookup(b *pgx.Batch) {
	in, out := pairs(v.lookup, func(k lookupKey) (key, id []byte) { return []byte(k.key), []byte(k.id) })
	if len(out[0]) > 0 {
		b.Queue(`DELETE FROM lookup l USING unnest($1::bytea[], $2::text[]) AS u (key, id) WHERE l.key = u.key AND l.id = u.id`, out[0], texts(out[1]))
	}
	if len(in[0]) > 0 {
		b.Queue(`INSERT INTO lookup (key, id) SELECT * FROM unnest($1::bytea[], $2::text[]) ON CONFLICT DO NOTHING`, in[0], texts(in[1]))
	}
}

func texts(all [][]byte) []string {
	out := make([]string, len(all))
	for i, b := range all {
		out[i] = string(b)
	}
	return out
}

func (v *view) writeHolds(b *pgx.Batch) {
	in, out := pairs(v.holds, func(k holdKey) (digest, owner []byte) {
		digest, _ = hex.DecodeString(k.digest) // was checked
		return digest, []byte(k.owner)
	})
	if len(out[0]) > 0 {
		b.Queue(`DELETE FROM holds h USING unnest($1::bytea[], $2::bytea[]) AS u (digest, owner) WHERE h.digest = u.digest AND h.owner = u.owner`, out[0], out[1])
	}
	if len(in[0]) > 0 {
		b.Queue(`INSERT INTO holds (digest, owner) SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT DO NOTHING`, in[0], in[1])
	}
}

func (v *view) writeWords(b *pgx.Batch) {
	for k, words := range v.words {
		if indexed := indexedWords(words); len(indexed) > 0 {
			b.Queue(`INSERT INTO words (direction, id, words) VALUES ($1, $2, array_to_tsvector($3::text[]))
				ON CONFLICT (direction, id) DO UPDATE SET words = excluded.words`, string(k.direction), k.id, indexed)
		} else {
			b.Queue(`DELETE FROM words WHERE direction = $1 AND id = $2`, string(k.direction), k.id)
		}
	}
}

// writeCounts writes to the counters of this node, which no other node touches.
func (v *view) writeCounts(b *pgx.Batch, name string) {
	var keys [][]byte
	var add []int64
	for _, key := range slices.Sorted(maps.Keys(v.counts)) {
		if n := v.counts[key]; n != 0 {
			keys, add = append(keys, []byte(key)), append(add, n)
		}
	}
	if len(keys) > 0 {
		b.Queue(`INSERT INTO counts AS c (key, node, n) SELECT key, $3, n FROM unnest($1::bytea[], $2::int8[]) AS u (key, n)
			ON CONFLICT (key, node) DO UPDATE SET n = c.n + excluded.n`, keys, add, name)
	}
}

func (v *view) writeValues(b *pgx.Batch) {
	for _, name := range slices.Sorted(maps.Keys(v.values)) {
		val, before := v.values[name], v.known.values[name]
		switch {
		case val == nil:
			b.Queue(`DELETE FROM vals WHERE name = $1`, []byte(name))
		case before == nil: // another process may have been faster: then the group is judged anew
			b.Queue(`INSERT INTO vals (name, value, holds) VALUES ($1, $2, $3)`, []byte(name), val.value, octets(val.holds))
		default:
			b.Queue(`UPDATE vals SET value = $2, holds = $3 WHERE name = $1`, []byte(name), val.value, octets(val.holds))
		}
	}
}

func (v *view) writeRows(b *pgx.Batch) {
	switch len(v.rows) {
	case 0:
		return
	case 1:
		b.Queue(`INSERT INTO journal (chain, seq, line) VALUES ($1, $2, $3)`, v.rows[0].chain, int64(v.rows[0].seq), v.rows[0].text)
		return
	}
	var chains, lines []string
	var seqs []int64
	for _, r := range v.rows {
		chains, seqs, lines = append(chains, r.chain), append(seqs, int64(r.seq)), append(lines, r.text)
	}
	b.Queue(`INSERT INTO journal (chain, seq, line) SELECT * FROM unnest($1::text[], $2::int8[], $3::text[])`, chains, seqs, lines)
}
