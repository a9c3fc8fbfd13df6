//go:build unix

package hub_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport/edoc"
)

// big is a town of many agencies.
func big(b *testing.B, agencies int) (w *town, sender *edoc.Client, ids []string) {
	b.Helper()
	w = open(b, nil, hub.Options{})
	sender = w.agency("G22")
	var wait sync.WaitGroup
	for i := range agencies {
		id := fmt.Sprintf("H41.%d", 1000+i)
		ids = append(ids, id)
		wait.Go(func() {
			if err := w.hub.Add(b.Context(), hub.Agency{Organ: edxml.Organ{OrganID: id, OrganName: "Xã " + id}}); err != nil {
				b.Error(err)
			}
		})
	}
	wait.Wait()
	return w, sender, ids
}

// BenchmarkFanOut hands in a document of 5 MB to 4,000 receivers: one content,
// one commit. The floor is a plain POST of the same octets, hashed by nobody.
func BenchmarkFanOut(b *testing.B) {
	const receivers, size = 4000, 5 << 20
	w, sender, ids := big(b, receivers)
	content := bytes.Repeat([]byte("%PDF-1.7 toàn quốc "), size/19)
	var took time.Duration
	n := 0
	for b.Loop() {
		n++
		p := packet(b, letter("G22", fmt.Sprint(n), "", ids...), string(content))
		p.Parts[0].Content = bytesOf(append(fmt.Appendf(nil, "%d", n), content...))
		begun := time.Now()
		if _, err := sender.Send(b.Context(), p); err != nil {
			b.Fatal(err)
		}
		took += time.Since(begun)
	}
	b.ReportMetric(took.Seconds()/float64(n), "s/accepted")
	swept, err := w.store.Sweep(b.Context(), time.Now(), true)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(swept.KeptBytes)/float64(n)/size, "stored/size")
}

// BenchmarkIdlePolling lets 500 agencies ask for their mail as often as they
// do in 30 s, and says which share of one core that is.
func BenchmarkIdlePolling(b *testing.B) {
	const agencies = 500
	w, _, ids := big(b, agencies)
	var clients []*edoc.Client
	for _, id := range ids {
		token, err := w.hub.NewToken(b.Context(), id, "")
		if err != nil {
			b.Fatal(err)
		}
		c := &edoc.Client{URL: w.url, Organ: id, Token: token}
		b.Cleanup(func() { c.Close() })
		clients = append(clients, c)
	}
	before, rounds := cpu(), 0
	for b.Loop() {
		rounds++
		for _, c := range clients {
			waiting(b, c)
		}
	}
	// both ends are in this process: the hub has the half of it, or less
	b.ReportMetric((cpu()-before).Seconds()/float64(rounds)/30*100, "%core-both-ends")
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestGreedyUnit lets a unit poll as fast as it can: it is told to wait, and
// its neighbour is served as always.
func TestGreedyUnit(t *testing.T) {
	w := open(t, nil, hub.Options{Default: hub.Limits{Rate: 20, Burst: 20}})
	greedy, calm := w.agency("H41.1"), w.agency("H41.2")
	var served, told atomic.Int64
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 50 {
				if _, err := greedy.Pending(t.Context()); err == nil {
					served.Add(1)
				} else {
					told.Add(1)
				}
			}
		})
	}
	for range 5 {
		waiting(t, calm)
	}
	wait.Wait()
	if served.Load() == 0 || told.Load() == 0 {
		t.Errorf("served %d, told to wait %d", served.Load(), told.Load())
	}
}
