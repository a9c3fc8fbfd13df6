package boltstore

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

const (
	maxPrefix  = 12                     // runes of a word that are indexed; what is longer is compared with the record
	indexBatch = 256                    // Transfers that one commit of the indexer takes on
	indexPause = 200 * time.Millisecond // in which they gather: many at once write the same pages
)

// behind is what the word index does not know yet of a Transfer.
type behind struct {
	Was []string `json:"was,omitempty"` // the words that it has in the index
	Is  []string `json:"is,omitempty"`  // the words that it has
}

// postpone notes that the words of a Transfer changed, for the indexer: a
// record has dozens of entries there, which would make an enqueue slow.
func (s *Store) postpone(tx *bbolt.Tx, before, after *node.Transfer) error {
	var b behind
	t := after
	if before != nil {
		t, b.Was = before, before.Words
	}
	if after != nil {
		b.Is = after.Words
	}
	if slices.Equal(b.Was, b.Is) {
		return nil
	}
	bucket := tx.Bucket([]byte(string(t.Direction) + tail))
	if data := bucket.Get([]byte(t.ID)); data != nil {
		var earlier behind
		if err := json.Unmarshal(data, &earlier); err != nil {
			return err
		}
		b.Was = earlier.Was
	}
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	tx.OnCommit(s.indexer.wake)
	return bucket.Put([]byte(t.ID), data)
}

// prefixes returns the keys, without the ID, under which words are found: all
// their beginnings of up to 12 runes.
func prefixes(words []string) map[string]bool {
	all := map[string]bool{}
	for _, w := range words {
		n := 0
		for at := range w {
			if n > 0 {
				all[plainKey(w[:at])] = true
			}
			if n++; n > maxPrefix {
				break
			}
		}
		if n <= maxPrefix && w != "" {
			all[plainKey(w)] = true
		}
	}
	return all
}

// indexedPart returns the indexed part of a word.
func indexedPart(word string) string {
	n := 0
	for at := range word {
		if n == maxPrefix {
			return word[:at]
		}
		n++
	}
	return word
}

// fits reports whether each of query is the beginning of one of words.
func fits(words, query []string) bool {
	for _, q := range query {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, q) }) {
			return false
		}
	}
	return true
}

// indexer fills the word index behind the commits.
type indexer struct {
	work chan struct{} // holds one token when there may be something to do
	end  chan struct{}
	once sync.Once
	done sync.WaitGroup
}

func (x *indexer) start(s *Store) {
	x.work, x.end, x.once = make(chan struct{}, 1), make(chan struct{}), sync.Once{}
	x.wake()
	x.done.Go(func() {
		for {
			select {
			case <-x.end:
				return
			case <-x.work:
			}
			if !x.pause(indexPause) {
				return
			}
			began := time.Now()
			for more := true; more; {
				var err error
				if more, err = s.index(); err != nil {
					return // closed, or the disk: the tail stays, and is searched
				}
				// half of the time belongs to the others
				if !x.pause(time.Since(began)) {
					return
				}
				began = time.Now()
			}
		}
	})
}

// pause reports false when the indexer is to end.
func (x *indexer) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-x.end:
		return false
	case <-t.C:
		return true
	}
}

func (x *indexer) wake() {
	select {
	case x.work <- struct{}{}:
	default:
	}
}

func (x *indexer) stop() {
	x.once.Do(func() { close(x.end) })
	x.done.Wait()
}

// index takes the oldest part of each tail over and reports whether more may
// be left.
func (s *Store) index() (more bool, err error) {
	if err := s.db.View(func(tx *bbolt.Tx) error {
		for _, d := range directions() {
			if k, _ := tx.Bucket([]byte(string(d) + tail)).Cursor().First(); k != nil {
				more = true
			}
		}
		return nil
	}); err != nil || !more {
		return false, err
	}
	err = s.group.do(s, func(tx *bbolt.Tx) error {
		more = false
		for _, d := range directions() {
			left, err := indexSome(tx, d)
			if err != nil {
				return err
			}
			more = more || left
		}
		return nil
	})
	return more, err
}

// indexSome does it for one direction.
func indexSome(tx *bbolt.Tx, d node.Direction) (more bool, err error) {
	type late struct {
		id string
		behind
	}
	var some []late
	waiting := tx.Bucket([]byte(string(d) + tail))
	c := waiting.Cursor()
	k, v := c.First()
	for ; k != nil && len(some) < indexBatch; k, v = c.Next() {
		l := late{id: string(k)}
		if err := json.Unmarshal(v, &l.behind); err != nil {
			return false, err
		}
		some = append(some, l)
	}
	gone, come := map[string][]string{}, map[string][]string{} // by beginning, each list in order
	for _, l := range some {
		was, is := prefixes(l.Was), prefixes(l.Is)
		for p := range was {
			if !is[p] {
				gone[p] = append(gone[p], l.id)
			}
		}
		for p := range is {
			if !was[p] {
				come[p] = append(come[p], l.id)
			}
		}
	}
	index := ordered(tx, []byte(string(d)+words)) // at the end of each word's part, that is
	for p, ids := range gone {
		for _, id := range ids {
			if err := unpost(index, []byte(p+"\x00"), id); err != nil {
				return false, err
			}
		}
	}
	for p, ids := range come {
		if err := post(index, []byte(p+"\x00"), ids); err != nil {
			return false, err
		}
	}
	for _, l := range some {
		if err := waiting.Delete([]byte(l.id)); err != nil {
			return false, err
		}
	}
	return k != nil, nil
}

// Search returns a page of the Transfers of one direction that fit, newest
// first: of the index, and of the tail that is not in it yet.
func (s *Store) Search(ctx context.Context, d node.Direction, query []string, before string, limit int) ([]*node.Transfer, error) {
	query = slices.DeleteFunc(slices.Clone(query), func(w string) bool { return w == "" })
	if len(query) == 0 {
		return s.List(ctx, d, before, limit)
	}
	if !known(d) {
		return nil, unknown(d)
	}
	var page []*node.Transfer
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		ids, err := fromTail(tx, d, query, before, limit)
		if err != nil {
			return err
		}
		late := tx.Bucket([]byte(string(d) + tail))
		index := tx.Bucket([]byte(string(d) + words))
		var lists lists
		for _, w := range query {
			lists = append(lists, newList(index, w))
		}
		for id, ok := lists.below(before); ok; id, ok = lists.below(id) {
			if len(page) == limit || ctx.Err() != nil {
				break
			}
			for len(ids) > 0 && ids[0] > id && len(page) < limit {
				if page, err = s.add(tx, page, ids[0], nil); err != nil {
					return err
				}
				ids = ids[1:]
			}
			if late.Get([]byte(id)) != nil {
				continue // the tail knows better
			}
			if page, err = s.add(tx, page, id, query); err != nil {
				return err
			}
		}
		for _, id := range ids[:max(0, min(len(ids), limit-len(page)))] {
			if page, err = s.add(tx, page, id, nil); err != nil {
				return err
			}
		}
		page = page[:min(len(page), limit)]
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// add appends a Transfer to a page, if it fits.
func (s *Store) add(tx *bbolt.Tx, page []*node.Transfer, id string, query []string) ([]*node.Transfer, error) {
	t, err := s.indexed(tx, id)
	if err == nil && fits(t.Words, query) {
		page = append(page, t)
	}
	return page, err
}

// fromTail searches what is not in the index yet.
func fromTail(tx *bbolt.Tx, d node.Direction, query []string, before string, limit int) ([]string, error) {
	var ids []string
	c := tx.Bucket([]byte(string(d) + tail)).Cursor()
	for k, v := lastBelow(c, before); k != nil && len(ids) < limit; k, v = c.Prev() {
		var b behind
		if err := json.Unmarshal(v, &b); err != nil {
			return nil, err
		}
		if fits(b.Is, query) {
			ids = append(ids, string(k))
		}
	}
	return ids, nil
}

// lastBelow moves a cursor to the last key below before; "" is above all.
func lastBelow(c *bbolt.Cursor, before string) (k, v []byte) {
	if before != "" {
		if k, _ = c.Seek([]byte(before)); k != nil {
			return c.Prev()
		}
	}
	return c.Last()
}
