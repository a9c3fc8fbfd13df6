package pgstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
	"github.com/lienthong/lienthong/transport"
)

func numbered(n int) string { return fmt.Sprintf("0195c2a0-0000-7000-8000-%012x", n) }

// document returns a record of an ordinary document.
func document(n int) *node.Transfer {
	words := []string{"ve", "viec", "trien", "khai", "nghi", "dinh", "so", "cua", "chinh", "phu", "nam", "2026", "ubnd", "tinh", "nghe", "an", fmt.Sprint(n), fmt.Sprint("so", n%20)}
	return &node.Transfer{
		ID: numbered(n), Direction: node.Out, State: node.Queued, Created: time.Unix(1, 0), Due: time.Unix(1, int64(n)*1000),
		From: "000.00.00.G22", Subject: strings.Repeat("về việc ", 20), DocumentID: fmt.Sprint("doc ", n),
		Receivers: make([]node.Receiver, 3), Unique: []string{fmt.Sprint("unique ", n)}, Lookup: []string{fmt.Sprint("lookup ", n), fmt.Sprint("code ", n)},
		Count: []string{"out/queued", fmt.Sprint("to/", n%60)}, Words: words,
	}
}

// parallel does n things from some goroutines and returns how long it took.
func parallel(b *testing.B, workers, n int, do func(i int) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// bare is the floor: the same rows in tables of the same form, each step one
// transaction and one round trip, over a pool of as many connections as there
// are workers. Rows of its journal are in no chain, and its counters are apart by
// worker, so that nobody waits for anybody.
type bare struct{ pool *pgxpool.Pool }

func newBare(b *testing.B, url string, workers int) *bare {
	b.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = int32(workers)
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if _, err := pool.Exec(b.Context(), `
		CREATE TABLE b_transfers (LIKE transfers INCLUDING ALL); CREATE TABLE b_uniques (LIKE uniques INCLUDING ALL);
		CREATE TABLE b_lookup (LIKE lookup INCLUDING ALL); CREATE TABLE b_words (LIKE words INCLUDING ALL);
		CREATE TABLE b_counts (LIKE counts INCLUDING ALL);
		CREATE TABLE b_journal (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line text NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	return &bare{pool}
}

func (f *bare) create(ctx context.Context, t *node.Transfer, worker string) error {
	data, err := t.Record()
	if err != nil {
		return err
	}
	batch := &pgx.Batch{} // which is one transaction
	batch.Queue(`INSERT INTO b_transfers (id, direction, due, record) VALUES ($1, $2, $3, $4)`, t.ID, string(t.Direction), t.Due, data)
	batch.Queue(`INSERT INTO b_uniques (key, id) VALUES ($1, $2)`, []byte(t.Unique[0]), t.ID)
	for _, k := range t.Lookup {
		batch.Queue(`INSERT INTO b_lookup (key, id) VALUES ($1, $2)`, []byte(k), t.ID)
	}
	batch.Queue(`INSERT INTO b_words (direction, id, words) VALUES ($1, $2, array_to_tsvector($3::text[]))`, string(t.Direction), t.ID, t.Words)
	for _, k := range t.Count {
		batch.Queue(`INSERT INTO b_counts AS c (key, node, n) VALUES ($1, $2, 1) ON CONFLICT (key, node) DO UPDATE SET n = c.n + 1`, []byte(k), worker)
	}
	if err := f.enter(batch, nil, t); err != nil {
		return err
	}
	return f.pool.SendBatch(ctx, batch).Close()
}

func (f *bare) enter(batch *pgx.Batch, before, after *node.Transfer) error {
	row, err := node.Transition(before, after).Seal("")
	batch.Queue(`INSERT INTO b_journal (line) VALUES ($1)`, string(row))
	return err
}

func (f *bare) lease(ctx context.Context, now time.Time) (*node.Transfer, error) {
	var id string
	var data []byte
	// who has it, and for how long, is in the record, as ours has it
	err := f.pool.QueryRow(ctx, `UPDATE b_transfers SET due = $2, record = (record::jsonb || jsonb_build_object('lease', $4::text, 'leasedUntil', $2::timestamptz))::json
		WHERE id = (SELECT id FROM b_transfers WHERE direction = $1 AND due <= $3 ORDER BY due, due_ns, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING id, record`, "out", now.Add(time.Hour), now, "w").Scan(&id, &data)
	if err != nil {
		return nil, err
	}
	return decode(id, data)
}

func (f *bare) update(ctx context.Context, before, after *node.Transfer) error {
	data, err := after.Record()
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE b_transfers SET due = $2, record = $3 WHERE id = $1`, after.ID, nil, data)
	if err := f.enter(batch, before, after); err != nil {
		return err
	}
	return f.pool.SendBatch(ctx, batch).Close()
}

// BenchmarkWork creates documents, leases each and records that it was sent,
// in turns with the floor, now the one first and now the other. The rates and
// ratios are those of the round in the middle: a disk that somebody else keeps
// busy for a moment spoils a round, not the result.
func BenchmarkWork(b *testing.B) {
	for _, workers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(workers, "workers"), func(b *testing.B) {
			url := pgtest.URL(b)
			s, floor := opens(b, url, Options{}), newBare(b, url, workers)
			size, n := 10*workers, 0
			now := time.Unix(1_000_000, 0)
			sent := func(t *node.Transfer) error {
				t.State, t.AxisID, t.Due, t.Lease, t.LeasedUntil = node.Sent, "17", time.Time{}, "", time.Time{}
				return nil
			}
			var leased [2][]*node.Transfer
			steps := [2][3]func(i int) error{{
				func(i int) error { return s.Create(b.Context(), document(n+i)) },
				func(i int) (err error) {
					leased[0][i], err = s.Lease(b.Context(), node.Out, "w", now, time.Hour)
					return err
				},
				func(i int) error { _, err := s.Update(b.Context(), leased[0][i].ID, sent); return err },
			}, {
				func(i int) error { return floor.create(b.Context(), document(n+i), fmt.Sprint(i%workers)) },
				func(i int) (err error) { leased[1][i], err = floor.lease(b.Context(), now); return err },
				func(i int) error {
					after := *leased[1][i]
					return errors.Join(sent(&after), floor.update(b.Context(), leased[1][i], &after))
				},
			}}
			var took [2][4][]time.Duration // by step, and all of them together
			round := func(round int) {
				leased = [2][]*node.Transfer{make([]*node.Transfer, size), make([]*node.Transfer, size)}
				var sum [2]time.Duration
				for step := range 3 {
					for turn := range 2 {
						who := (round + turn) % 2
						d := parallel(b, workers, size, steps[who][step])
						took[who][step] = append(took[who][step], d)
						sum[who] += d
					}
				}
				for who := range 2 {
					took[who][3] = append(took[who][3], sum[who])
				}
				n += size
			}
			rounds := 0
			for b.Loop() {
				for range 4 {
					round(rounds)
					rounds++
				}
			}
			ratio := func(step int) float64 {
				all := make([]float64, len(took[0][step]))
				for i := range all {
					all[i] = took[1][step][i].Seconds() / took[0][step][i].Seconds()
				}
				slices.Sort(all)
				return all[len(all)/2]
			}
			rate := func(who int) float64 {
				slices.Sort(took[who][3])
				return float64(size) / took[who][3][len(took[who][3])/2].Seconds()
			}
			for step, name := range []string{"create", "lease", "update"} {
				b.ReportMetric(ratio(step), "ratio-"+name)
			}
			b.ReportMetric(ratio(3), "ratio")
			b.ReportMetric(rate(0), "ours-documents/s")
			b.ReportMetric(rate(1), "floor-documents/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// many is how many records the larger store of the benchmarks of growth has:
// 200,000, or what LIENTHONG_BENCH_RECORDS says.
func many(b *testing.B) int {
	v := os.Getenv("LIENTHONG_BENCH_RECORDS")
	if v == "" {
		return 200_000
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// filled returns a store with n records, all queued.
func filled(b *testing.B, n int) *Store {
	b.Helper()
	s := opens(b, pgtest.URL(b), Options{})
	const some = 1000
	for at := 0; at < n; at += some {
		var ts []*node.Transfer
		for i := range min(some, n-at) {
			ts = append(ts, document(at+i))
		}
		if err := s.Create(context.Background(), ts...); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.pool.Exec(b.Context(), "VACUUM (ANALYZE) transfers, words, lookup, uniques"); err != nil { // as autovacuum does
		b.Fatal(err)
	}
	return s
}

// BenchmarkGrowth compares what one call costs with many records to what it
// costs with 1,000, in turns.
func BenchmarkGrowth(b *testing.B) {
	n := many(b)
	stores := [2]*Store{filled(b, 1000), filled(b, n)}
	full50 := func(all []*node.Transfer, err error) error {
		if err == nil && len(all) != 50 {
			err = fmt.Errorf("%d on the page", len(all))
		}
		return err
	}
	for _, c := range []struct {
		name string
		call func(s *Store, i int) error
	}{
		{"enqueue", func(s *Store, i int) error { return s.Create(b.Context(), document(1<<40+i)) }},
		{"lease", func(s *Store, _ int) error {
			t, err := s.Lease(b.Context(), node.Out, "w", time.Unix(1000, 0), time.Hour)
			if err != nil {
				return err
			}
			_, err = s.Update(b.Context(), t.ID, func(t *node.Transfer) error { t.Lease, t.LeasedUntil = "", time.Time{}; return nil })
			return err
		}},
		{"list", func(s *Store, _ int) error { return full50(s.List(b.Context(), node.Out, "", 50)) }},
		{"search1", func(s *Store, _ int) error { return full50(s.Search(b.Context(), node.Out, []string{"n"}, "", 50)) }},
		{"search2", func(s *Store, _ int) error {
			return full50(s.Search(b.Context(), node.Out, []string{"nghi", "khai"}, "", 50))
		}},
		{"searchone", func(s *Store, i int) error {
			_, err := s.Search(b.Context(), node.Out, []string{fmt.Sprint(i%1000, "x")}, "", 50)
			return err
		}},
		{"counts", func(s *Store, _ int) error { _, err := s.Counts(b.Context(), "to/"); return err }},
		{"find", func(s *Store, i int) error {
			_, err := s.Find(b.Context(), fmt.Sprint("lookup ", i%1000), "", 50)
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took [2][]time.Duration
			i := 0
			for b.Loop() {
				for which, s := range stores {
					began := time.Now()
					if err := c.call(s, i); err != nil {
						b.Fatal(err)
					}
					took[which] = append(took[which], time.Since(began))
				}
				i++
			}
			var us [2]float64
			for which, all := range took { // the median: others work on the machine, too
				slices.Sort(all)
				us[which] = all[len(all)/2].Seconds() * 1e6
			}
			b.ReportMetric(us[0], "floor-µs")
			b.ReportMetric(us[1], "ours-µs")
			b.ReportMetric(us[1]/us[0], "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// slowAxis takes everything after 50 ms.
type slowAxis struct{ took atomic.Int64 }

func (a *slowAxis) Send(ctx context.Context, _ *transport.Packet) (transport.Receipt, error) {
	select {
	case <-ctx.Done():
		return transport.Receipt{}, ctx.Err()
	case <-time.After(50 * time.Millisecond):
	}
	return transport.Receipt{ID: strconv.FormatInt(a.took.Add(1), 10)}, nil
}
func (*slowAxis) Pending(context.Context) ([]transport.Pending, error) { return nil, nil }
func (*slowAxis) Fetch(context.Context, string) (transport.Incoming, error) {
	return nil, errors.ErrUnsupported
}
func (*slowAxis) Acknowledge(context.Context, string) error       { return nil }
func (*slowAxis) SendStatus(context.Context, *edxml.Status) error { return nil }
func (*slowAxis) Statuses(context.Context, time.Time) ([]edxml.Status, error) {
	return nil, nil
}
func (*slowAxis) Organs(context.Context) ([]edxml.Organ, error) { return nil, nil }

// BenchmarkNodes lets one node (the floor) and two nodes send what is queued in
// one PostgreSQL, eight at a time each, to an axis that answers after 50 ms. The
// ratio is to be 1.6 at least.
func BenchmarkNodes(b *testing.B) {
	const documents = 400
	var rate [3]float64
	for b.Loop() {
		for _, nodes := range []int{1, 2} {
			rate[nodes] += sendAll(b, nodes, documents)
		}
	}
	b.ReportMetric(rate[1]/float64(b.N), "floor-documents/s")
	b.ReportMetric(rate[2]/float64(b.N), "ours-documents/s")
	b.ReportMetric(rate[2]/rate[1], "ratio")
	b.ReportMetric(0, "ns/op")
}

// sendAll returns how many documents a second so many nodes send.
func sendAll(b *testing.B, nodes, documents int) float64 {
	b.Helper()
	url := pgtest.URL(b)
	axis := &slowAxis{}
	first := opens(b, url, Options{Node: "n0"})
	c, err := first.Put(b.Context(), bytes.NewReader(noise(1, 20_000)))
	if err != nil {
		b.Fatal(err)
	}
	for n := range documents {
		t := document(n)
		t.Profile, t.Envelope = edxml.ProfileQCVN102, c
		if err := first.Create(b.Context(), t); err != nil {
			b.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var all sync.WaitGroup
	began := time.Now()
	for i := range nodes {
		s := first
		if i > 0 {
			s = opens(b, url, Options{Node: fmt.Sprint("n", i)})
		}
		n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22"}, Store: s, Axis: axis, Workers: 8, Poll: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			if err := n.Run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	for {
		due, err := first.NextDue(b.Context(), node.Out)
		if err != nil {
			b.Fatal(err)
		}
		if due.IsZero() {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(began)
	stop()
	all.Wait()
	if n := axis.took.Load(); n != int64(documents) {
		b.Errorf("the axis was sent %d documents, there are %d", n, documents)
	}
	return float64(documents) / took.Seconds()
}
