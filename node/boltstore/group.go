package boltstore

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node/failpoint"
)

// maxGroup is how many changes share a commit at the most.
const maxGroup = 1000

// group gathers changes into transactions: whatever arrives while one is being
// synced shares the next. Unlike DB.Batch of bbolt nobody waits for a timer, so
// that one writer alone pays for its own commit only.
type group struct {
	mu      sync.Mutex
	waiting []*change
	busy    bool // somebody commits, and will look at waiting again
}

// change is one call of commit on its way.
type change struct {
	fn    func(*bbolt.Tx) error
	err   error
	panic any
	done  chan struct{}
}

// do commits fn, with others, and returns when that is on disk. fn may run more
// than once. What it panics with, do panics with.
func (g *group) do(s *Store, fn func(*bbolt.Tx) error) error {
	c := &change{fn: fn, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	first := !g.busy
	g.busy = true
	g.mu.Unlock()
	if first {
		go g.commit(s)
	}
	<-c.done
	if c.panic != nil {
		panic(c.panic)
	}
	return c.err
}

// commit commits until nothing waits.
func (g *group) commit(s *Store) {
	for {
		runtime.Gosched() // who is about to ask shares this commit, too
		g.mu.Lock()
		some := g.waiting[:min(len(g.waiting), maxGroup)]
		g.waiting = g.waiting[len(some):]
		if g.busy = len(some) > 0; !g.busy {
			g.waiting = nil
		}
		g.mu.Unlock()
		if len(some) == 0 {
			return
		}
		s.together(some)
	}
}

// together commits some changes as one. One that fails takes the transaction
// with it: it is left out, and the others run again.
func (s *Store) together(some []*change) {
	left := append([]*change{}, some...)
	for len(left) > 0 {
		bad := -1
		err := s.db.Update(func(tx *bbolt.Tx) error {
			for i, c := range left {
				if err := c.run(tx); err != nil {
					bad = i
					return err
				}
			}
			if err := s.list(tx); err != nil {
				return err
			}
			time.Sleep(2 * s.delay) // a commit syncs twice
			failpoint.Hit(failpoint.CommitWritten)
			return nil
		})
		if bad < 0 {
			if err == nil {
				failpoint.Hit(failpoint.CommitDurable)
			}
			for _, c := range left {
				c.err = err
				close(c.done)
			}
			return
		}
		c := left[bad]
		c.err = err
		left = append(left[:bad], left[bad+1:]...)
		close(c.done)
	}
}

var errPanic = errors.New("boltstore: a change panicked")

// run runs the change and keeps what it panics with.
func (c *change) run(tx *bbolt.Tx) (err error) {
	defer func() {
		if c.panic = recover(); c.panic != nil {
			err = errPanic
		}
	}()
	return c.fn(tx)
}
