package pgstore

import (
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

// add stages a content, and returns all there are if they have become too many.
func (g *stage) add(digest string, c staged) (all map[string]staged) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.contents == nil {
		g.contents = map[string]staged{}
	}
	if _, there := g.contents[digest]; !there {
		g.size += int64(len(c.data))
	}
	g.contents[digest] = c
	if g.size > maxStaged {
		return maps.Clone(g.contents)
	}
	return nil
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
