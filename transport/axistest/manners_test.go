package axistest_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// rough runs an axis with bad manners.
func rough(t *testing.T, seed uint64) (*axistest.Axis, func(organ string) *edoc.Client) {
	t.Helper()
	axis := axistest.New(axistest.Options{Dir: t.TempDir(), Seed: seed, Delay: 20 * time.Millisecond})
	srv := httptest.NewServer(axis)
	t.Cleanup(func() { srv.Close(); axis.Close() })
	return axis, func(organ string) *edoc.Client {
		c := &edoc.Client{URL: srv.URL, Organ: organ, Token: axistest.Token(organ)}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// again makes a call until it goes well; nothing that manners do lasts.
func again(t *testing.T, call func() error) {
	t.Helper()
	for try := 0; ; try++ {
		err := call()
		if err == nil {
			return
		}
		var f *transport.Fault
		if !errors.As(err, &f) || !f.Temporary() || try == 3 {
			t.Fatalf("try %d: %v", try, err)
		}
	}
}

// walk sends documents, collects and confirms them, and asks for the statuses.
func walk(t *testing.T, client func(string) *edoc.Client) {
	t.Helper()
	const documents = 12
	ctx, g22, h41 := t.Context(), client("G22"), client("H41")
	for n := range documents {
		again(t, func() error {
			_, err := g22.Send(ctx, packet(t, "G22", fmt.Sprint(n), edxml.New, "x", "H41"))
			return err
		})
	}
	seen := map[string]bool{}
	for len(seen) < documents {
		var list []transport.Pending
		again(t, func() (err error) { list, err = h41.Pending(ctx); return err })
		if len(list) == 0 {
			t.Fatalf("%d of %d documents came", len(seen), documents)
		}
		for _, p := range list[:min(len(list), 3)] {
			if seen[p.ID] {
				continue
			}
			seen[p.ID] = true
			again(t, func() error {
				in, err := h41.Fetch(ctx, p.ID)
				if err != nil {
					return err
				}
				defer in.Close()
				for {
					if _, err := in.Next(); err == io.EOF {
						return nil
					} else if err != nil {
						return err
					}
				}
			})
			again(t, func() error { return h41.Acknowledge(ctx, p.ID) })
		}
	}
	var statuses []edxml.Status
	again(t, func() (err error) { statuses, err = g22.Statuses(ctx, time.Time{}); return err })
	about := map[string]bool{}
	for _, s := range statuses {
		about[s.ResponseFor.DocumentID] = true
	}
	if len(about) != documents || len(seen) != documents {
		t.Errorf("%d documents, statuses about %d", len(seen), len(about))
	}
}

// TestManners has a client that tries again lose nothing and take nothing
// twice, over several seeds, and sees every kind of bad manners on the way.
func TestManners(t *testing.T) {
	met := map[axistest.Trouble]int{}
	doubled, shuffled := 0, 0
	for seed := uint64(1); seed <= 6; seed++ {
		axis, client := rough(t, seed)
		walk(t, client)
		var last axistest.Entry
		for _, e := range axis.Journal() {
			met[e.Trouble]++
			if e.Trouble != "" && e.Organ == last.Organ && e.Operation == last.Operation && last.Trouble != "" {
				t.Errorf("seed %d: %s of %s goes wrong twice in a row", seed, e.Operation, e.Organ)
			}
			last = e
			if l := slices.Clone(e.Listed); len(l) > 0 {
				slices.SortFunc(l, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
				if !slices.Equal(l, e.Listed) && !slices.Equal(l[:len(l)-1], e.Listed[:len(l)-1]) {
					shuffled++
				}
				if len(slices.Compact(l)) < len(e.Listed) {
					doubled++
				}
			}
		}
	}
	for _, trouble := range []axistest.Trouble{axistest.Busy, axistest.Drop, axistest.Gateway} {
		if met[trouble] == 0 {
			t.Errorf("nobody met %q: %v", trouble, met)
		}
	}
	if doubled == 0 || shuffled == 0 {
		t.Errorf("%d lists named a thing twice, %d were out of order", doubled, shuffled)
	}
}

// TestSeed treats the same calls alike under one seed, and otherwise under
// another.
func TestSeed(t *testing.T) {
	run := func(seed uint64) (troubles string) {
		axis, client := rough(t, seed)
		walk(t, client)
		for _, e := range axis.Journal() {
			troubles += e.Operation + ":" + string(e.Trouble) + fmt.Sprint(e.Listed) + "\n"
		}
		if axis.Seed() != seed {
			t.Errorf("seed %d, want %d", axis.Seed(), seed)
		}
		return troubles
	}
	first, second, other := run(3), run(3), run(4)
	if first != second {
		t.Errorf("one seed, two ways:\n%s\n%s", first, second)
	}
	if first == other {
		t.Error("two seeds, one way")
	}
	if a, b := axistest.New(axistest.Options{}), axistest.New(axistest.Options{}); a.Seed() == 0 || a.Seed() == b.Seed() {
		t.Error("the default seed is always the same")
	}
}
