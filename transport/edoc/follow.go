package edoc

import (
	"sync"
	"time"
)

// begin is the cursor of all statuses since a moment.
const begin = "0"

// lookBack is how often all statuses since the moment are asked for: a mark
// leaves out what an axis of several nodes filed later than its place says.
const lookBack = 5 * time.Minute

// follow remembers where the list of statuses ended, between the looks of one
// caller. A caller moves on to a later moment only when it has applied what it
// got; until then it is given the same again.
type follow struct {
	mu    sync.Mutex
	since time.Time // of the latest look
	at    string    // the cursor that look began with
	mark  string    // where it ended, "" when the axis did not say
	more  bool      // there is more to be had from there
	given int       // how many statuses it brought
	back  time.Time // when all were asked for last
}

// from returns the cursor to ask with. A look further back than the latest,
// which somebody else makes, is none of those that are followed.
func (f *follow) from(since time.Time) (cursor string, follows bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case since.Before(f.since):
		return begin, false
	case f.mark == "" || !f.more && time.Since(f.back) >= lookBack:
		return begin, true
	case since.After(f.since) || f.given == 0:
		return f.mark, true
	}
	return f.at, true
}

// got notes what a look brought.
func (f *follow) got(since time.Time, from string, last place, given int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if from == begin {
		f.back = time.Now()
	}
	f.since, f.at, f.mark, f.given = since, from, last.mark, given
	if f.more = last.cursor != ""; f.more {
		f.mark = last.cursor
	}
}
