package boltstore

import (
	"context"
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
func (g *stage) add(digest string, data []byte, at time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.size > maxStaged {
		return false
	}
	if _, there := g.contents[digest]; !there {
		g.size += int64(len(data))
	}
	if g.contents == nil {
		g.contents = map[string]staged{}
	}
	g.contents[digest] = staged{data, at}
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

func (g *stage) get(digest string) (staged, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, there := g.contents[digest]
	return c, there
}

// drop forgets a content, unless it was put anew since.
func (g *stage) drop(digest string, at time.Time) (dropped bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, there := g.contents[digest]
	if !there || !c.at.Equal(at) {
		return false
	}
	delete(g.contents, digest)
	g.size -= int64(len(c.data))
	return true
}

// all returns the digests of what is staged.
func (g *stage) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.contents))
}

// clear commits what is staged if that is too much. Who comes while somebody
// else does it waits: on a disk that does not keep up, those who bring content
// have to, or it would pile up in memory.
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
	return s.commit(ctx, func(tx *bbolt.Tx) error { return s.keepAll(tx, all) })
}

// What stands between a digest and who needs it, in the index of holds.
const (
	transferHolds = "\x00t"
	valueHolds    = "\x00v"
)

// need looks for what is newly needed: in the stage, in the database, among the
// files. It adds to fresh what is staged, for keep, and returns a
// *node.MissingError for what is nowhere.
func (s *Store) need(tx *bbolt.Tx, before, after map[entry]bool, fresh map[string]staged) error {
	for e := range after {
		if e.bucket != holdsBucket || before[e] {
			continue
		}
		digest := e.key[:digestLen]
		if c, there := s.staged.get(digest); there {
			fresh[digest] = c
			continue
		}
		if _, there := smallOf(tx, digest); there {
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

// place of a small content in the database. The octets lie in the order of
// their coming, so that each page of them is written once; under their digests
// they would be rewritten with their neighbours.
type small struct {
	seq  uint64
	at   time.Time // when it was put
	size int64
}

const smallSize = 3 * 8 // octets of a small

// smallOf returns where a content lies, false if it is not in the database.
func smallOf(tx *bbolt.Tx, digest string) (small, bool) {
	v := tx.Bucket(digestsBucket).Get([]byte(digest))
	if len(v) != smallSize {
		return small{}, false
	}
	u := binary.BigEndian.Uint64
	return small{seq: u(v), at: time.Unix(0, int64(u(v[8:]))), size: int64(u(v[16:]))}, true
}

// data returns the octets; they are valid as long as the transaction.
func (c small) data(tx *bbolt.Tx) []byte { return tx.Bucket(contentBucket).Get(seqKey(c.seq)) }

// keep writes a staged content into the database.
func (s *Store) keep(tx *bbolt.Tx, digest string, c staged) error {
	data, digests := ordered(tx, contentBucket), tx.Bucket(digestsBucket)
	place, there := smallOf(tx, digest)
	if !there {
		n, err := data.NextSequence()
		if err != nil {
			return err
		}
		place.seq = n
		if err := data.Put(seqKey(n), c.data); err != nil {
			return err
		}
	}
	v := binary.BigEndian.AppendUint64(seqKey(place.seq), uint64(c.at.UnixNano()))
	if err := digests.Put([]byte(digest), binary.BigEndian.AppendUint64(v, uint64(len(c.data)))); err != nil {
		return err
	}
	tx.OnCommit(func() { s.staged.drop(digest, c.at) })
	return nil
}

// removeSmall removes a content from the database.
func removeSmall(tx *bbolt.Tx, digest string) error {
	place, there := smallOf(tx, digest)
	if !there {
		return nil
	}
	return errors.Join(tx.Bucket(contentBucket).Delete(seqKey(place.seq)), tx.Bucket(digestsBucket).Delete([]byte(digest)))
}
