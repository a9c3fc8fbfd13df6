package pgstore

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	maxSmall  = 256 << 10 // octets of a content that is written with the change that needs it
	maxStaged = 16 << 20  // octets of such content that wait in memory
)

// stage holds small content from Put to the change that needs it, so that both
// are one commit.
type stage struct {
	mu       sync.Mutex
	contents map[string]staged
	size     int64
}

type staged struct {
	data []byte
	at   time.Time
}

// add stages a content, unless there is too much already.
func (g *stage) add(digest string, c staged) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.size > maxStaged {
		return false
	}
	if g.contents == nil {
		g.contents = map[string]staged{}
	}
	if _, there := g.contents[digest]; !there {
		g.size += int64(len(c.data))
	}
	g.contents[digest] = c
	return true
}

// full returns what is staged if that is too much, else nil.
func (g *stage) full() map[string]staged {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.size <= maxStaged {
		return nil
	}
	return maps.Clone(g.contents)
}

// clear commits what is staged if that is too much. Who comes while somebody
// else does it waits: while the database does not keep up, content must not
// pile up in memory.
func (s *Store) clear(ctx context.Context) error {
	select {
	case s.clearing <- struct{}{}:
		defer func() { <-s.clearing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	all := s.staged.full()
	if all == nil {
		return nil
	}
	return s.commit(ctx, &change{
		first: func(*needs) {},
		apply: func(v *view) error { maps.Copy(v.fresh, all); return nil },
	})
}

func (g *stage) get(digest string) (staged, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, there := g.contents[digest]
	return c, there
}

// drop forgets a content, unless it was put anew since.
func (g *stage) drop(digest string, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, there := g.contents[digest]; there && c.at.Equal(at) {
		delete(g.contents, digest)
		g.size -= int64(len(c.data))
	}
}

// all returns the digests of what is staged, in order.
func (g *stage) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.contents))
}
