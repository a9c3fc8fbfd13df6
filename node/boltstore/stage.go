package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

const (
	maxSmall  = 256 << 10 // octets of a content that lies in the database; larger ones are files
	maxStaged = 16 << 20  // octets of small content that wait in memory for the change that needs them
	putTime   = 8         // octets before a content in the database: when it was put, in Unix nanoseconds
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

// add stages a content and returns all there are if they have become too many.
func (g *stage) add(digest string, data []byte, at time.Time) (all map[string]staged) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, there := g.contents[digest]; !there {
		g.size += int64(len(data))
	}
	if g.contents == nil {
		g.contents = map[string]staged{}
	}
	g.contents[digest] = staged{data, at}
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

// all returns the digests of what is staged.
func (g *stage) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.contents))
}

// What stands between a digest and who needs it, in the index of holds.
const (
	transferHolds = "\x00t"
	valueHolds    = "\x00v"
)

// need looks for what is newly needed: in the database, in the stage, among the
// files. It adds to fresh what is only staged, for keep, and returns a
// *node.MissingError for what is nowhere.
func (s *Store) need(tx *bbolt.Tx, before, after map[entry]bool, fresh map[string]staged) error {
	for e := range after {
		if e.bucket != holdsBucket || before[e] {
			continue
		}
		digest := e.key[:digestLen]
		if data, _ := small(tx, digest); data != nil {
			continue
		}
		if c, there := s.staged.get(digest); there {
			fresh[digest] = c
			continue
		}
		switch _, err := os.Stat(s.content(digest[:2], digest)); {
		case errors.Is(err, fs.ErrNotExist):
			return &node.MissingError{SHA256: digest}
		case err != nil:
			return fmt.Errorf("boltstore: %w", err)
		}
	}
	return nil
}

// keepAll writes staged contents into the database.
func (s *Store) keepAll(tx *bbolt.Tx, fresh map[string]staged) error {
	for digest, c := range fresh {
		if err := s.keep(tx, digest, c); err != nil {
			return err
		}
	}
	return nil
}

// keep writes a staged content into the database.
func (s *Store) keep(tx *bbolt.Tx, digest string, c staged) error {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, putTime+len(c.data)), uint64(c.at.UnixNano()))
	if err := tx.Bucket(contentBucket).Put([]byte(digest), append(value, c.data...)); err != nil {
		return err
	}
	tx.OnCommit(func() { s.staged.drop(digest, c.at) })
	return nil
}

// small returns a content in the database, nil if there is none, and when it
// was put. It is valid as long as the transaction.
func small(tx *bbolt.Tx, digest string) (data []byte, at time.Time) {
	v := tx.Bucket(contentBucket).Get([]byte(digest))
	if v == nil {
		return nil, time.Time{}
	}
	return v[putTime:], time.Unix(0, int64(binary.BigEndian.Uint64(v)))
}
