package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A working day of the national axis in July 2022: 135,164 documents sent and
// 485,666 received in 22 working days (antoanthongtin.gov.vn, 10/8/2022), so
// 620,830 transfers, 28,219 a day.
const (
	dayDocuments = 135_164 / 22.0
	dayReceivers = 485_666 / 135_164.0
)

// The sizes of files: log-normal. The mean is that of the plan; how far they
// spread is an assumption: half of them are below 97 KB.
const (
	meanSize  = 300_000
	sizeSigma = 1.5
	leastSize = 1_000
	mostSize  = 20_000_000
)

// officeHours is how much of the day's documents leave in each hour. No figures
// are published; this is a working day from 7:30 to 11:30 and from 13:30 to
// 17:00 with its peaks in the middle of both halves.
var officeHours = [24]float64{7: 4, 8: 12, 9: 17, 10: 15, 11: 7, 12: 2, 13: 7, 14: 13, 15: 14, 16: 10, 17: 4, 18: 2, 19: 1, 20: 1}

// dayPlan is the traffic of a day, as data: the same seed makes the same day.
type dayPlan struct {
	Seed      uint64
	Factor    float64
	Leaves    int
	Documents []planned // in the order of their time
}

// planned is one document of the day.
type planned struct {
	At    time.Duration // since midnight
	From  int           // the leaf
	To    []int         // other leaves
	Size  int64         // of its file, octets
	Works bool          // receivers end with 05, being worked on, else with 06, done
	Seed  uint64        // of the file's content
}

// newDayPlan plans a day of factor times the documents of July 2022 between so
// many leaves, at least one document.
func newDayPlan(seed uint64, factor float64, leaves int) *dayPlan {
	r := rand.New(rand.NewPCG(seed, 2022))
	p := &dayPlan{Seed: seed, Factor: factor, Leaves: leaves, Documents: make([]planned, max(1, int(math.Round(factor*dayDocuments))))}
	for i := range p.Documents {
		p.Documents[i] = p.document(r)
	}
	slices.SortStableFunc(p.Documents, func(a, b planned) int { return int(a.At - b.At) })
	return p
}

func (p *dayPlan) document(r *rand.Rand) planned {
	d := planned{At: moment(r), From: r.IntN(p.Leaves), Size: fileSize(r), Works: r.IntN(2) == 0, Seed: r.Uint64()}
	others := slices.DeleteFunc(r.Perm(p.Leaves), func(leaf int) bool { return leaf == d.From })
	n := 1 // and each further one with the same chance: the mean is that of July 2022
	for range others[1:] {
		if r.Float64() < (dayReceivers-1)/float64(len(others)-1) {
			n++
		}
	}
	d.To = others[:n]
	return d
}

// moment draws a time of the day.
func moment(r *rand.Rand) time.Duration {
	at := r.Float64() * officeTotal()
	for hour, weight := range officeHours {
		if at < weight {
			return time.Duration((float64(hour) + at/weight) * float64(time.Hour))
		}
		at -= weight
	}
	return 12 * time.Hour // only a rounding of the last hour comes here
}

func officeTotal() (sum float64) {
	for _, w := range officeHours {
		sum += w
	}
	return sum
}

// peakHour is the share of the day's documents in its busiest hour.
func peakHour() float64 { return slices.Max(officeHours[:]) / officeTotal() }

func fileSize(r *rand.Rand) int64 {
	mu := math.Log(meanSize) - sizeSigma*sizeSigma/2
	return min(max(int64(math.Exp(mu+sizeSigma*r.NormFloat64())), leastSize), mostSize)
}

// moment is when a document leaves in a day that is played within some time,
// from its first document to its last.
func (p *dayPlan) moment(i int, within time.Duration) time.Duration {
	first, last := p.Documents[0].At, p.Documents[len(p.Documents)-1].At
	if first == last {
		return 0
	}
	return time.Duration(float64(p.Documents[i].At-first) / float64(last-first) * float64(within))
}

// deliveries is how often a document of the day has to arrive somewhere.
func (p *dayPlan) deliveries() (n int) {
	for _, d := range p.Documents {
		n += len(d.To)
	}
	return n
}

// transfers counts as July 2022 was counted: documents sent and received.
func (p *dayPlan) transfers() int { return len(p.Documents) + p.deliveries() }

// octets is the sum of the files, each counted once.
func (p *dayPlan) octets() (n int64) {
	for _, d := range p.Documents {
		n += d.Size
	}
	return n
}

// hours counts the documents of each hour.
func (p *dayPlan) hours() (all [24]int) {
	for _, d := range p.Documents {
		all[min(int(d.At.Hours()), 23)]++
	}
	return all
}

// file returns the content of a document's file: a beginning that says what it
// is, and noise that does not compress, as in a scanned PDF.
func (d *planned) file() io.Reader {
	head := fmt.Sprintf("%%PDF-1.7\n%% simulated, %d\n", d.Seed)
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%032d", d.Seed))
	return io.LimitReader(io.MultiReader(strings.NewReader(head), rand.NewChaCha8(seed)), d.Size)
}
