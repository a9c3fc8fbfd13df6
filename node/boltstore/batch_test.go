package boltstore

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// TestSharedCommitRunsAgain makes batches roll back under changes that share
// them: a change that panics takes the whole transaction down, bbolt runs the
// others again, and each must come out as if it had been alone. The disk is
// slow by the clock of a bubble, so that they share however fast it is.
func TestSharedCommitRunsAgain(t *testing.T) { synctest.Test(t, sharedCommitRunsAgain) }

func sharedCommitRunsAgain(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenWith(dir, Options{SyncDelay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	const n = 24
	if err := s.Create(t.Context(), &node.Transfer{ID: "bad", Direction: node.Out}); err != nil {
		t.Fatal(err)
	}
	func() { // a panic of a change that is only proposed
		defer func() {
			if recover() == nil {
				t.Error("the panic of change was lost")
			}
		}()
		_, _ = s.Update(t.Context(), "bad", func(*node.Transfer) error { panic(errors.New("change")) })
	}()
	for i := range n {
		if err := s.Create(t.Context(), &node.Transfer{ID: fmt.Sprint("old", i), Direction: node.Out, Due: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	again, leased := 0, map[string]int{}
	for i := range n {
		all.Go(func() {
			got, err := s.Update(t.Context(), fmt.Sprint("old", i), func(t *node.Transfer) error {
				t.Tries++
				return nil
			})
			if err != nil || got.Tries != 1 {
				t.Errorf("Update gave %v, error %v", got, err)
			}
		})
		all.Go(func() {
			runs := 0
			if err := s.commit(t.Context(), func(*bbolt.Tx) error { runs++; return nil }); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			again += runs - 1
		})
		all.Go(func() {
			if err := s.Create(t.Context(), &node.Transfer{ID: fmt.Sprint("new", i), Direction: node.Out, Unique: []string{fmt.Sprint(i)}}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			got, err := s.Lease(t.Context(), node.Out, "w", time.Unix(1, 0), time.Hour)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			leased[got.ID]++
		})
		all.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic of change was lost")
				}
			}()
			_ = s.commit(t.Context(), func(*bbolt.Tx) error { panic(errors.New("change")) })
		})
	}
	all.Wait()
	if len(leased) != n {
		t.Errorf("%d of %d were leased: %v", len(leased), n, leased)
	}
	if again == 0 {
		t.Error("no change ran twice: this test proves nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if records := audit(t, dir); records != 2*n+1 {
		t.Errorf("%d records, want %d", records, 2*n+1)
	}
}
