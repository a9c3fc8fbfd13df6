package main

import (
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDayPlanIsThatOfJuly2022(t *testing.T) {
	p := newDayPlan(1, 1, 8)
	if got := len(p.Documents); got != 6144 {
		t.Errorf("%d documents, want 6,144: 135,164 in 22 days", got)
	}
	if got := p.transfers(); math.Abs(float64(got)-28_219) > 28_219*0.02 {
		t.Errorf("%d transfers, want 28,219 within 2 %%", got)
	}
	var small int
	for _, d := range p.Documents {
		if d.Size < leastSize || d.Size > mostSize {
			t.Fatalf("a file of %d octets", d.Size)
		}
		if d.Size < 97_396 { // exp(mu)
			small++
		}
		if len(d.To) < 1 || len(d.To) > 7 || slices.Contains(d.To, d.From) {
			t.Fatalf("from %d to %v", d.From, d.To)
		}
		seen := slices.Sorted(slices.Values(d.To))
		if len(slices.Compact(seen)) != len(d.To) {
			t.Fatalf("a receiver twice: %v", d.To)
		}
		if d.At < 7*time.Hour || d.At >= 21*time.Hour {
			t.Fatalf("a document leaves at %s", d.At)
		}
	}
	if mean := float64(p.octets()) / 6144; mean < 250_000 || mean > 330_000 {
		t.Errorf("files of %.0f octets on average, want about 300,000", mean)
	}
	if share := float64(small) / 6144; math.Abs(share-0.5) > 0.03 {
		t.Errorf("%.2f of the files are below the median", share)
	}
	hours := p.hours()
	if peak := slices.Max(hours[:]); hours[9] != peak || math.Abs(float64(peak)/6144-peakHour()) > 0.02 {
		t.Errorf("the hours are %v, the busiest is to be 9 with %.3f", hours, peakHour())
	}
	var from [8]int
	for _, d := range p.Documents {
		from[d.From]++
	}
	if slices.Min(from[:]) < 6144/8*8/10 {
		t.Errorf("the leaves send %v", from)
	}
}

func TestDayPlanBySeed(t *testing.T) {
	a, b := newDayPlan(7, 0.05, 8), newDayPlan(7, 0.05, 8)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("one seed, two days: %s", diff)
	}
	if other := newDayPlan(8, 0.05, 8); cmp.Equal(a.Documents, other.Documents) {
		t.Error("another seed made the same day")
	}
	if !slices.IsSortedFunc(a.Documents, func(x, y planned) int { return int(x.At - y.At) }) {
		t.Error("the documents are not in the order of their time")
	}
	for i := range 3 {
		one, err := io.ReadAll(a.Documents[i].file())
		if err != nil {
			t.Fatal(err)
		}
		two, _ := io.ReadAll(b.Documents[i].file())
		if !slices.Equal(one, two) || int64(len(one)) != a.Documents[i].Size {
			t.Errorf("document %d: %d and %d octets, planned were %d, or others", i, len(one), len(two), a.Documents[i].Size)
		}
	}
	for _, factor := range []float64{0, 1e-9} {
		if n := len(newDayPlan(1, factor, 8).Documents); n != 1 {
			t.Errorf("factor %g: %d documents, want 1 at least", factor, n)
		}
	}
}
