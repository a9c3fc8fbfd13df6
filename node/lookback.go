package node

import (
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// How far back statuses are asked for again behind the latest one: clocks
// differ, and the axis's order is not promised.
const (
	overlap    = 10 * time.Minute
	minOverlap = time.Minute // where so many come that ten minutes of them would be much to read again
)

// farBack is how far back they are asked for once in a while: of a receiver
// whose clock is slow, or that was cut off, statuses come with times long past.
const (
	farBack  = 26 * time.Hour
	farEvery = time.Hour
)

// lookback says since when statuses are asked for. A look is one call of the
// axis, or several where there are more than an axis is asked for at once. It
// is forgotten with the process.
type lookback struct {
	overlap time.Duration // of the next look; 0: overlap
	far     time.Time     // when a look went far back last
	goesFar bool          // the look under way does
	start   time.Time     // since when the latest look asked that did not go far
	from    time.Time     // where the look goes on, zero when none is under way
	latest  time.Time     // the latest moment that it brought
	crowded time.Time     // the last second that had more statuses than are had at once, the rest of which was left out
	seen    int           // statuses that it brought
	calls   time.Duration // a nanosecond for each call whose answer was applied, as statuses have whole seconds
}

// since returns the moment to ask with, by the latest Status there was. No look
// asks since a moment before that of another, but for those that go far back: a
// client that follows a list would take it for somebody else's, and read all.
func (l *lookback) since(latest time.Time) time.Time {
	if l.from.IsZero() {
		if l.overlap == 0 {
			l.overlap = overlap
		}
		l.latest, l.seen = time.Time{}, 0
		if l.goesFar = time.Since(l.far) >= farEvery; l.goesFar {
			l.from = latest.Add(-farBack)
		} else {
			if start := latest.Add(-l.overlap); start.After(l.start) {
				l.start = start
			}
			l.from = l.start
		}
	}
	return l.from.Add(l.calls)
}

// applied notes that an answer was applied, and reports whether the look goes
// on: where the axis has more, unless it gave nothing but what came before, as
// one may that takes no notice of the moment.
func (l *lookback) applied(statuses []edxml.Status, more bool) bool {
	l.calls++ // only now: a later moment tells the axis that all of this is applied
	l.seen += len(statuses)
	latest := edxml.LatestTimestamp(statuses, time.Now())
	if more && l.onward(statuses, latest) {
		l.latest = latest
		return true
	}
	l.from = time.Time{}
	switch {
	case l.goesFar:
		l.far = time.Now()
	case l.seen > transport.MostStatuses/2:
		l.overlap = max(l.overlap/2, minOverlap)
	case l.seen < transport.MostStatuses/8:
		l.overlap = min(2*l.overlap, overlap)
	}
	return false
}

// onward says where the look goes on behind statuses that were not all, the
// latest of which is given, and reports false where it would bring the same.
func (l *lookback) onward(statuses []edxml.Status, latest time.Time) bool {
	switch {
	case latest.After(l.latest) && latest.After(l.from):
		l.from = latest.Add(-min(minOverlap, latest.Sub(l.from)/2)) // a little before, as clocks differ
	case latest.After(l.from):
		l.from = latest // to have as many as can be of a second that does not end
	case latest.Before(l.from) || slices.ContainsFunc(statuses, func(s edxml.Status) bool {
		at, err := s.Timestamp.Time()
		return err == nil && at.Before(l.from)
	}):
		return false
	default:
		l.crowded, l.from = latest, latest.Add(time.Second)
	}
	return true
}
