//go:build unix

package hub_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
)

// BenchmarkChain sends documents from one node through a hub to another, until
// the sender has recorded the receiver's status 01, in turns with the floor: on
// the plain disk, and on one whose every fsync takes 2 ms more. So many are on
// their way at any moment of a turn: where one ends, the next begins. The nodes
// look at the hub every 5 ms, so that the waiting for a look, which the floor
// does not know, counts for little. cpu-ratio holds the processor time of the
// floor against ours, which a busy disk says nothing about.
func BenchmarkChain(b *testing.B) {
	for _, c := range []struct {
		name   string
		size   int
		flight int // letters on their way at once
		turn   int // letters in one turn: eight times as many, where memory allows
	}{{"20KB", 20 << 10, 64, 512}, {"5MB", 5 << 20, 8, 64}, {"100MB", 100 << 20, 1, 1}} {
		for _, delay := range []time.Duration{0, 2 * time.Millisecond} {
			disk := "plain"
			if delay > 0 {
				disk = "fsync+" + delay.String()
			}
			b.Run(fmt.Sprintf("%s-%d-in-flight/%s", c.name, c.flight, disk), func(b *testing.B) { benchmarkChain(b, c.size, c.flight, c.turn, delay) })
		}
	}
}

func benchmarkChain(b *testing.B, size, flight, turn int, delay time.Duration) {
	var delivered atomic.Int64
	chain := newChain(b, delay, func(context.Context, sink.Event, func(node.Content) (io.ReadCloser, error)) error {
		delivered.Add(1)
		return nil
	})
	bare := newFloor(b, delay)
	content := make([]byte, size)
	_, _ = rand.Read(content) // does not fail
	var ours, least spent
	sent := 0
	round := func() {
		packets := make([][]byte, turn)
		for i := range packets {
			copy(content, fmt.Sprintf("%012d", sent+i))
			packets[i] = written(b, fmt.Sprint(sent+i), content)
		}
		ours.add(b, turn, flight, func(i int) error { return chain.send(b.Context(), packets[i]) })
		least.add(b, turn, flight, func(i int) error { return bare.send(fmt.Sprint(sent+i), packets[i]) })
		sent += turn
	}
	round() // connections, files and caches are there
	ours, least = spent{}, spent{}
	warm := sent
	for b.Loop() {
		round()
	}
	if delivered.Load() != int64(sent) {
		b.Errorf("%d letters were delivered, %d sent", delivered.Load(), sent)
	}
	n := float64(sent - warm)
	b.ReportMetric(n/ours.wall.Seconds(), "ours-docs/s")
	b.ReportMetric(n/least.wall.Seconds(), "floor-docs/s")
	b.ReportMetric(least.wall.Seconds()/ours.wall.Seconds(), "ratio")
	b.ReportMetric(float64(least.cpu)/float64(ours.cpu), "cpu-ratio")
	b.ReportMetric(ours.wall.Seconds()/float64(b.N), "s/round")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFirstAttempt is the time from the submission of a letter of 20 KB,
// while nothing else is to do, to the call of the axis.
func BenchmarkFirstAttempt(b *testing.B) {
	chain := newChain(b, 0, func(context.Context, sink.Event, func(node.Content) (io.ReadCloser, error)) error { return nil })
	content := make([]byte, 20<<10)
	var sum, worst time.Duration
	n := 0
	for b.Loop() {
		packet := written(b, fmt.Sprint("f", n), content)
		began := time.Now()
		if err := chain.send(b.Context(), packet); err != nil {
			b.Fatal(err)
		}
		took := time.Unix(0, chain.called.Load()).Sub(began)
		sum, worst, n = sum+took, max(worst, took), n+1
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(n)/1000, "ms-on-average")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms-at-worst")
	b.ReportMetric(0, "ns/op")
}

// spent is what some rounds took.
type spent struct{ wall, cpu time.Duration }

// add does n things, so many at once.
func (s *spent) add(b *testing.B, n, atOnce int, do func(i int) error) {
	b.Helper()
	began, used := time.Now(), cpu()
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	s.wall, s.cpu = s.wall+time.Since(began), s.cpu+cpu()-used
}
