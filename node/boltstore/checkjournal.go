package boltstore

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// states remembers the state of each of a million Transfers in some 20 MB: by a
// hash of the ID, which a seed of its own keeps from being aimed at.
type states struct {
	seed  maphash.Seed
	by    map[uint64]uint8 // index in names
	names *[]node.State
}

func newStates() states {
	return states{maphash.MakeSeed(), map[uint64]uint8{}, new([]node.State)}
}

// sibling is empty, and has the hashes of s.
func (s states) sibling() states { return states{s.seed, map[uint64]uint8{}, new([]node.State)} }

func (s states) set(id string, state node.State) {
	at := slices.Index(*s.names, state)
	if at < 0 && len(*s.names) < 255 {
		at = len(*s.names)
		*s.names = append(*s.names, state)
	}
	s.by[maphash.String(s.seed, id)] = uint8(at)
}

func (s states) of(id string) (node.State, bool) {
	at, there := s.by[maphash.String(s.seed, id)]
	if !there || int(at) >= len(*s.names) {
		return "", there
	}
	return (*s.names)[at], true
}

func (s states) drop(id string) { delete(s.by, maphash.String(s.seed, id)) }

// journal checks the chain, and that it ends where the records are.
func (c *checker) journal() error {
	b := c.tx.Bucket(journalBucket)
	others, err := c.copied()
	if err != nil {
		return err
	}
	if k, _ := b.Cursor().First(); k == nil {
		if len(c.states.by) > 0 && len(others.by) == 0 {
			c.Breaches.add("the journal is empty, there are %d records", len(c.states.by))
		}
		return nil
	}
	said := c.states.sibling()
	chains, err := c.verify(b, func(e *node.Entry) {
		if said.set(e.Transfer, e.State); e.Event == "removed" {
			said.drop(e.Transfer)
		}
	})
	var broken *node.JournalError
	switch {
	case errors.As(err, &broken):
		c.Breaches.add("%v", broken)
		return nil
	case err != nil:
		return err
	}
	c.Chain = &chains[0]
	for _, id := range c.unread {
		said.drop(id)
	}
	err = c.tx.Bucket(transfersBucket).ForEach(func(k, _ []byte) error {
		id := string(k)
		is, read := c.states.of(id)
		was, there := said.of(id)
		if _, before := others.of(id); !there && before {
			was, there = is, true // nothing happened to it since it came with a copy
		}
		if read && (!there || was != is) {
			c.Breaches.add("%s is %s, the journal says %q", id, is, was)
		}
		said.drop(id)
		return c.ctx.Err()
	})
	if err != nil || len(said.by) == 0 {
		return err
	}
	return b.ForEach(func(_, row []byte) error { // once more, for the names
		e := new(node.Entry)
		if json.Unmarshal(row, e) != nil {
			return nil
		}
		if state, left := said.of(e.Transfer); left {
			c.Breaches.add("the journal says %s is %s, there is no such record", e.Transfer, state)
			said.drop(e.Transfer)
		}
		return c.ctx.Err()
	})
}

// copied checks the chains that a copy brought along, and returns of whom they
// speak.
func (c *checker) copied() (states, error) {
	said := c.states.sibling()
	all := c.tx.Bucket(chainsBucket)
	if all == nil {
		return said, nil
	}
	return said, all.ForEachBucket(func(name []byte) error {
		_, err := c.verify(all.Bucket(name), func(e *node.Entry) { said.set(e.Transfer, e.State) })
		var broken *node.JournalError
		if errors.As(err, &broken) {
			c.Breaches.add("%v", broken)
			return nil
		}
		return err
	})
}

// verify verifies the rows of the store, and shows each to see.
func (c *checker) verify(b *bbolt.Bucket, see func(*node.Entry)) ([]node.ChainReport, error) {
	in, out := io.Pipe()
	read := make(chan struct{}) // closed when the transaction is ours again
	go func() {
		defer close(read)
		out.CloseWithError(c.guarded(func() error {
			return b.ForEach(func(_, row []byte) error {
				if e := new(node.Entry); json.Unmarshal(row, e) == nil {
					see(e)
				}
				_, err := out.Write(append(bytes.Clone(row), '\n'))
				return cmp.Or(c.ctx.Err(), err)
			})
		}))
	}()
	chains, err := node.VerifyJournal(in)
	in.Close()
	<-read
	return chains, err
}
