package edoc

import (
	"testing"
	"testing/synctest"
	"time"
)

// A client goes on from where a look ended when its caller has moved on, and
// begins again now and then.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f follow
		start := time.Now()
		at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
		for i, look := range []struct {
			since   int
			want    string
			follows bool
			mark    string // what the axis says then
			cursor  string // where there is more, beyond what is gathered at once
			given   int
			wait    time.Duration
		}{
			{since: 10, want: begin, follows: true, mark: "m1", given: 5},
			{since: 10, want: begin, follows: true, mark: "m2", given: 5}, // not applied: all of it again
			{since: 11, want: "m2", follows: true, mark: "m3", given: 2},
			{since: 11, want: "m2", follows: true, mark: "m4", given: 0}, // not applied
			{since: 11, want: "m4", follows: true, mark: "m5", given: 0}, // there was nothing to apply
			{since: 5, want: begin, follows: false},                      // somebody looks further back
			{since: 12, want: "m5", follows: true, mark: "m6", given: 1, wait: lookBack},
			{since: 13, want: begin, follows: true, mark: "m7", given: 1},
			{since: 14, want: "m7", follows: true, mark: "", given: 1},      // an axis that cannot say where it ended
			{since: 15, want: begin, follows: true, cursor: "c1", given: 9}, // there is more than is gathered at once
			{since: 15, want: begin, follows: true, cursor: "c1", given: 9}, // not applied
			{since: 16, want: "c1", follows: true, cursor: "c2", given: 9, wait: lookBack},
			{since: 5, want: begin, follows: false},
			{since: 17, want: "c2", follows: true, mark: "m8", given: 3}, // to the end of it first
			{since: 18, want: begin, follows: true, mark: "m9", given: 1},
			{since: 19, want: "m9", follows: true, mark: "m10", given: 1},
		} {
			cursor, follows := f.from(at(look.since))
			if cursor != look.want || follows != look.follows {
				t.Errorf("look %d: asks from %q, followed: %t; want %q, %t", i, cursor, follows, look.want, look.follows)
			}
			if follows {
				f.got(at(look.since), cursor, place{mark: look.mark, cursor: look.cursor}, look.given)
			}
			time.Sleep(look.wait)
		}
	})
}
