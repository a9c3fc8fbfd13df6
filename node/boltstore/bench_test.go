package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// document returns a record of an ordinary document.
func document(n int) *node.Transfer {
	words := []string{"ve", "viec", "trien", "khai", "nghi", "dinh", "so", "cua", "chinh", "phu", "nam", "2026", "ubnd", "tinh", "nghe", "an", fmt.Sprint(n), fmt.Sprint("so", n%20)}
	return &node.Transfer{
		ID: numbered(n), Direction: node.Out, State: node.Queued, Created: time.Unix(1, 0), Due: time.Unix(1, int64(n)),
		From: "000.00.00.G22", Subject: strings.Repeat("về việc ", 20), DocumentID: fmt.Sprint("doc ", n),
		Receivers: make([]node.Receiver, 3), Unique: []string{fmt.Sprint("unique ", n)}, Lookup: []string{fmt.Sprint("lookup ", n), fmt.Sprint("code ", n)},
		Count: []string{"out/queued", fmt.Sprint("to/", n%60)}, Words: words,
	}
}

func numbered(n int) string { return fmt.Sprintf("0195c2a0-0000-7000-8000-%012x", n) }

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

// BenchmarkAccept stores documents of 20 KB with their records, beside the
// floor: the bare Batch of bbolt (Update for one writer alone) with the same
// octets under one key each, in the same minute.
func BenchmarkAccept(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(writers, "writers"), func(b *testing.B) {
			s, err := Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			bare, err := bbolt.Open(filepath.Join(b.TempDir(), "floor.db"), 0o600, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer bare.Close()
			bare.MaxBatchDelay = 2 * time.Millisecond
			update := bare.Batch
			if writers == 1 {
				update = bare.Update
			}
			if err := bare.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err }); err != nil {
				b.Fatal(err)
			}
			content := make([]byte, 20<<10)
			for i := range content {
				content[i] = byte(rand.Uint32())
			}
			size, n := 20*writers, 0
			var ours, floor time.Duration
			for b.Loop() {
				ours += parallel(b, writers, size, func(i int) error {
					c, err := s.Put(b.Context(), strings.NewReader(fmt.Sprintf("%012d", n+i)+string(content)))
					if err != nil {
						return err
					}
					t := document(n + i)
					t.Envelope = c
					return s.Create(b.Context(), t)
				})
				floor += parallel(b, writers, size, func(i int) error {
					record, err := document(n + i).Record()
					if err != nil {
						return err
					}
					value := append(append([]byte(fmt.Sprintf("%012d", n+i)), content...), record...)
					return update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("b")).Put([]byte(numbered(n+i)), value) })
				})
				n += size
			}
			b.ReportMetric(float64(n)/ours.Seconds(), "ours-docs/s")
			b.ReportMetric(float64(n)/floor.Seconds(), "floor-docs/s")
			b.ReportMetric(floor.Seconds()/ours.Seconds(), "ratio")
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

// filled returns an open store with n records, all queued and indexed.
func filled(b *testing.B, dir string, n int) *Store {
	b.Helper()
	s, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	const some = 1000
	for at := 0; at < n; at += some {
		var ts []*node.Transfer
		for i := range min(some, n-at) {
			ts = append(ts, document(at+i))
		}
		if err := s.Create(context.Background(), ts...); err != nil {
			b.Fatal(err)
		}
		for more := true; more; {
			if more, err = s.index(); err != nil {
				b.Fatal(err)
			}
		}
	}
	return s
}

// quantile sorts d.
func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, int(q*float64(len(d))))]
}

// BenchmarkGrowth compares what one call costs with many records to what it
// costs with 1,000, in turns: the ratio is to be 1.3 at most for a lease, 2 for
// an enqueue, and 3 at the 99th percentile for a page of a list or a search.
func BenchmarkGrowth(b *testing.B) {
	n := many(b)
	dir := b.TempDir()
	began := time.Now()
	stores := [2]*Store{filled(b, b.TempDir(), 1000), filled(b, dir, n)}
	b.Logf("filled with %d records in %v", n, time.Since(began))
	for _, c := range []struct {
		name string
		of   float64 // which quantile is compared; 0 for the mean
		call func(s *Store, i int) error
	}{
		{"enqueue", 0, func(s *Store, i int) error { return s.Create(b.Context(), document(1<<40+i)) }},
		{"enqueue64", 0, func(s *Store, i int) error {
			var all sync.WaitGroup
			for w := range 64 {
				all.Go(func() {
					if err := s.Create(b.Context(), document(1<<41+64*i+w)); err != nil {
						b.Error(err)
					}
				})
			}
			all.Wait()
			return nil
		}},
		{"lease", 0, func(s *Store, _ int) error {
			t, err := s.Lease(b.Context(), node.Out, "w", time.Unix(100, 0), time.Hour)
			if err != nil {
				return err
			}
			_, err = s.Update(b.Context(), t.ID, func(t *node.Transfer) error { t.Lease, t.LeasedUntil = "", time.Time{}; return nil })
			return err
		}},
		{"list", 0.99, func(s *Store, _ int) error { return full50(s.List(b.Context(), node.Out, "", 50)) }},
		{"search1", 0.99, func(s *Store, _ int) error { return full50(s.Search(b.Context(), node.Out, []string{"n"}, "", 50)) }},
		{"search2", 0.99, func(s *Store, _ int) error {
			return full50(s.Search(b.Context(), node.Out, []string{"nghi", "khai"}, "", 50))
		}},
		{"searchrare", 0.99, func(s *Store, i int) error {
			_, err := s.Search(b.Context(), node.Out, []string{fmt.Sprint("so", i%20)}, "", 50)
			return err
		}},
		{"counts", 0.99, func(s *Store, _ int) error { _, err := s.Counts(b.Context(), "to/"); return err }},
		{"find", 0.99, func(s *Store, i int) error {
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
			for which, all := range took {
				if c.of > 0 {
					us[which] = quantile(all, c.of).Seconds() * 1e6
					continue
				}
				slices.Sort(all)
				for _, d := range all[:max(1, len(all)*9/10)] { // what the machine was busy with elsewhere is left out
					us[which] += d.Seconds() * 1e6 / float64(max(1, len(all)*9/10))
				}
			}
			b.ReportMetric(us[0], "floor-µs")
			b.ReportMetric(us[1], "ours-µs")
			b.ReportMetric(us[1]/us[0], "ratio")
			b.ReportMetric(0, "ns/op")
			for _, s := range stores {
				for more, err := true, error(nil); more; {
					if more, err = s.index(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("start", func(b *testing.B) {
		s := stores[1]
		for b.Loop() {
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			var err error
			if s, err = Open(dir); err != nil {
				b.Fatal(err)
			}
			if _, err := s.NextDue(b.Context(), node.Out); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(began).Seconds()*1e3, "ms/start")
		}
		b.ReportMetric(0, "ns/op")
		info, err := os.Stat(s.file())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/float64(n), "octets/record")
		if status, err := os.ReadFile("/proc/self/status"); err == nil {
			if _, rest, ok := bytes.Cut(status, []byte("RssAnon:")); ok {
				b.ReportMetric(kilobytes(rest)/1024, "MB-RssAnon")
			}
		}
		s.Close()
	})
}

// BenchmarkFanOut delivers a document of 20 KB to 4,000 mailboxes in one commit,
// beside the bare bbolt writing 4,000 records of the same size in one.
func BenchmarkFanOut(b *testing.B) {
	const receivers = 4000
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	bare, err := bbolt.Open(filepath.Join(b.TempDir(), "floor.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	var ours, floor time.Duration
	for n := 0; b.Loop(); n++ {
		c, err := s.Put(b.Context(), strings.NewReader(strings.Repeat(fmt.Sprint(n), 20<<10)))
		if err != nil {
			b.Fatal(err)
		}
		var all []*node.Transfer
		for i := range receivers {
			t := document(receivers*n + i)
			t.Direction, t.Words, t.Envelope = node.Box, nil, c
			t.Lookup = []string{fmt.Sprint("waiting ", i)}
			all = append(all, t)
		}
		began := time.Now()
		if err := s.Create(b.Context(), all...); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
		began = time.Now()
		if err := bare.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("b"))
			for i := 0; i < receivers && err == nil; i++ {
				var record []byte
				if record, err = all[i].Record(); err == nil {
					err = bucket.Put([]byte(all[i].ID), record)
				}
			}
			return err
		}); err != nil {
			b.Fatal(err)
		}
		floor += time.Since(began)
	}
	b.ReportMetric(ours.Seconds()*1e3/float64(b.N), "ours-ms")
	b.ReportMetric(floor.Seconds()*1e3/float64(b.N), "floor-ms")
	b.ReportMetric(floor.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

func kilobytes(field []byte) float64 {
	n, _ := strconv.ParseFloat(string(bytes.Fields(field)[0]), 64)
	return n
}

func full50(page []*node.Transfer, err error) error {
	if err == nil && len(page) != 50 {
		return fmt.Errorf("a page of %d", len(page))
	}
	return err
}
