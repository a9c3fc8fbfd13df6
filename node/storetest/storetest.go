// Package storetest is the executable definition of a node.Store: what its
// comments promise, as tests that every driver runs.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, dir string) node.Store {
//			s, err := mystore.Open(dir)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return s
//		})
//	}
//
// Beyond the comments of the interface it fixes these points. A Transfer can be
// leased from the later of its Due and its LeasedUntil on, that moment included,
// and waits in line by that moment, among equals by its ID; Lease, the name of
// the holder, decides nothing. An ID that is taken is an *ExistsError as well.
// ID and Direction never change. Keys may have any length. Times keep their
// nanoseconds. What is Unknown in a Transfer is kept as all else. Closing a
// closed store is no error.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/node"
)

// Run tests the store that open gives. The folder dir is empty at the first
// call for it; opening it again after Close must give the same store back (a
// driver that keeps nothing in folders takes it as a name).
func Run(t *testing.T, open func(t *testing.T, dir string) node.Store) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"content", contentCases},
		{"create", createCases},
		{"update", updateCases},
		{"lease", leaseCases},
		{"queries", queryCases},
		{"values", valueCases},
		{"sweep", sweepCases},
		{"counts", countCases},
		{"search", searchCases},
		{"journal", journalCases},
		{"life", lifeCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.outcome, func(t *testing.T) {
					h := &house{T: t, dir: t.TempDir(), open: open}
					h.begin()
					c.test(h)
				})
			}
		})
	}
}

// testCase is one promise, named by what must come out.
type testCase struct {
	outcome string
	test    func(*house)
}

// house is a store under test, and the test.
type house struct {
	*testing.T
	node.Store
	dir  string
	open func(t *testing.T, dir string) node.Store
}

// begin opens the store until the test ends, at the latest.
func (h *house) begin() {
	s := h.open(h.T, h.dir)
	h.Store = s
	h.Cleanup(func() { _ = s.Close() })
}

// reopen closes the store and opens it again.
func (h *house) reopen() {
	h.Helper()
	h.must(h.Close())
	h.begin()
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// same compares two values deeply, times by their moment.
func (h *house) same(what string, got, want any) {
	h.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// is checks an error that callers branch on.
func (h *house) is(what string, got, want error) {
	h.Helper()
	if !errors.Is(got, want) {
		h.Errorf("%s: error %v, want %v", what, got, want)
	}
}

// exists checks that err is an *ExistsError of a key.
func (h *house) exists(what string, err error, key, id string) {
	h.Helper()
	var e *node.ExistsError
	if !errors.As(err, &e) {
		h.Errorf("%s: error %v, want an ExistsError", what, err)
		return
	}
	h.same(what, *e, node.ExistsError{Key: key, ID: id})
}

// create commits Transfers.
func (h *house) create(all ...*node.Transfer) {
	h.Helper()
	for _, t := range all {
		h.must(h.Create(h.Context(), t))
	}
}

// read returns a stored Transfer.
func (h *house) read(id string) *node.Transfer {
	h.Helper()
	t, err := h.Transfer(h.Context(), id)
	h.must(err)
	return t
}

// update changes a stored Transfer.
func (h *house) update(id string, change func(*node.Transfer)) *node.Transfer {
	h.Helper()
	t, err := h.Update(h.Context(), id, func(t *node.Transfer) error { change(t); return nil })
	h.must(err)
	return t
}

// find returns the IDs of the Transfers with a key.
func (h *house) find(key string) []string {
	h.Helper()
	all, err := h.Find(h.Context(), key, "", 2000)
	h.must(err)
	return ids(all)
}

// list returns the IDs of a page.
func (h *house) list(d node.Direction, before string, limit int) []string {
	h.Helper()
	all, err := h.List(h.Context(), d, before, limit)
	h.must(err)
	return ids(all)
}

// ids is never nil, for comparing.
func ids(all []*node.Transfer) []string {
	out := make([]string, 0, len(all))
	for _, t := range all {
		out = append(out, t.ID)
	}
	return out
}

// disk returns the octets of all files of the store.
func (h *house) disk() (sum int64) {
	h.Helper()
	h.must(filepath.WalkDir(h.dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	}))
	return sum
}

// id returns the n-th identifier; they sort by n, as UUIDv7 do by creation.
func id(n int) string { return fmt.Sprintf("0195c2a0-%04x-7000-8000-%012x", n>>16, n&0xffff) }

// at returns a moment n seconds after the beginning, with odd nanoseconds.
func at(n int) time.Time {
	return time.Date(2026, time.March, 2, 8, 0, n, 123_456_789, time.UTC)
}

// transfer returns a minimal outgoing Transfer with nothing due.
func transfer(n int) *node.Transfer {
	return &node.Transfer{ID: id(n), Direction: node.Out, State: node.Queued, Created: at(n)}
}

// dueAt returns one that is due at at(second).
func dueAt(n, second int) *node.Transfer {
	t := transfer(n)
	t.Due = at(second)
	return t
}

// together runs fn n times at once and waits.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

// cancelled returns a context that has ended.
func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
