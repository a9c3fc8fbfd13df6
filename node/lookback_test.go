package node

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// full is an axis with so many statuses a second since its beginning, which
// gives the oldest of those since a moment.
type full struct {
	began  time.Time
	second int
	deaf   bool // to the moment it is asked with
	crowd  int  // the second, if not 0, in which more come than are given at once
}

func (f full) since(at time.Time) (list []edxml.Status, more bool) {
	first := max(0, int(at.Sub(f.began)/time.Second))
	if f.deaf {
		first = 0
	}
	for s := first; s <= int(time.Since(f.began)/time.Second); s++ {
		many := f.second
		if f.crowd != 0 && s == f.crowd {
			many = 2 * transport.MostStatuses
		}
		for range many {
			if list = append(list, edxml.Status{Timestamp: edxml.TimestampOf(f.began.Add(time.Duration(s) * time.Second))}); len(list) == transport.MostStatuses {
				return list, true
			}
		}
	}
	return list, false
}

// look makes the calls of one look and returns how many they were, and which
// seconds they covered.
func (f full) look(t *testing.T, l *lookback, latest time.Time) (calls int, seconds []string) {
	t.Helper()
	for more := true; more; {
		if calls++; calls > 5000 {
			t.Fatal("the look does not end")
		}
		list, rest := f.since(l.since(latest))
		for _, s := range list {
			if len(seconds) == 0 || seconds[len(seconds)-1] != string(s.Timestamp) {
				seconds = append(seconds, string(s.Timestamp))
			}
		}
		more = l.applied(list, rest)
	}
	slices.Sort(seconds)
	return calls, slices.Compact(seconds)
}

// TestLookback: a look comes to its end however many statuses there are, leaves
// no second out, and the next goes less far back where they are many.
func TestLookback(t *testing.T) {
	for _, c := range []struct {
		second int           // statuses
		after  time.Duration // overlap when it has settled
	}{{1, overlap}, {5, overlap}, {12, overlap / 2}, {50, minOverlap * 5 / 4}, {300, minOverlap}} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(100 * 24 * time.Hour)
			f := full{began: time.Now(), second: c.second}
			time.Sleep(11 * time.Minute)
			l := lookback{far: time.Now()}
			for range 6 {
				latest := time.Now()
				back := l.overlap
				if back == 0 {
					back = overlap
				}
				_, seconds := f.look(t, &l, latest)
				if want := int(back/time.Second) + 1; len(seconds) != want {
					t.Fatalf("%d a second: %d seconds were covered, want %d", c.second, len(seconds), want)
				}
			}
			if l.overlap != c.after {
				t.Errorf("%d a second: the overlap is %v, want %v", c.second, l.overlap, c.after)
			}
		})
	}
}

// TestLookbackMovesOn: when few statuses come again after many the looks go
// further back, but never before a moment that was asked with.
func TestLookbackMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * 24 * time.Hour)
		l := lookback{far: time.Now()}
		latest, last := time.Now(), time.Time{}
		for i := range 40 {
			since := l.since(latest)
			if !since.After(last) {
				t.Fatalf("look %d: since %v, after %v", i, since, last)
			}
			last = since
			l.applied(make([]edxml.Status, []int{transport.MostStatuses, 0}[i%2]), false) // many and few in turns
			time.Sleep(10 * time.Second)
			latest = time.Now()
		}
		for range 120 {
			last = l.since(latest)
			l.applied(nil, false)
			time.Sleep(10 * time.Second)
			latest = time.Now()
		}
		if back := latest.Sub(last); back < overlap || back > overlap+time.Minute {
			t.Errorf("in the end they go %v back", back)
		}
	})
}

// TestFarLookback goes 26 hours back once an hour, over more statuses than are
// given at once.
func TestFarLookback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * 24 * time.Hour)
		f := full{began: time.Now(), second: 2}
		time.Sleep(48 * time.Hour)
		var l lookback
		for _, want := range []time.Duration{farBack, overlap, overlap} {
			if _, seconds := f.look(t, &l, time.Now()); len(seconds) != int(want/time.Second)+1 {
				t.Errorf("%d seconds were covered, want %v", len(seconds), want)
			}
		}
		time.Sleep(farEvery)
		if _, seconds := f.look(t, &l, time.Now()); len(seconds) != int(farBack/time.Second)+1 {
			t.Errorf("an hour later %d seconds were covered", len(seconds))
		}
	})
}

// TestCrowdedSecond: a second with more statuses than are given at once does not
// keep back those of the seconds after it.
func TestCrowdedSecond(t *testing.T) {
	for _, crowd := range []int{1, 300, 659, 660} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(100 * 24 * time.Hour)
			f := full{began: time.Now(), second: 5, crowd: crowd}
			time.Sleep(11 * time.Minute)
			l := lookback{far: time.Now(), overlap: overlap}
			calls, seconds := f.look(t, &l, time.Now().Add(-time.Minute))
			if len(seconds) != 661 || calls > 4 {
				t.Errorf("second %d: %d seconds were covered, in %d calls", crowd, len(seconds), calls)
			}
			if want := f.began.Add(time.Duration(crowd) * time.Second); !l.crowded.Equal(want) {
				t.Errorf("second %d: %v is said to be crowded", crowd, l.crowded)
			}
		})
	}
}

// TestDeafAxis gives the same, and too many, whatever it is asked.
func TestDeafAxis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := full{began: time.Now(), second: 5000, deaf: true}
		time.Sleep(time.Hour)
		var l lookback
		for range 3 {
			if calls, _ := f.look(t, &l, f.began); calls > 3 || !l.crowded.IsZero() {
				t.Errorf("%d calls, crowded %v", calls, l.crowded)
			}
		}
	})
}
