package boltstore

import (
	"bytes"
	"slices"
	"strings"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// The word index has, for each beginning of a word, the IDs of the Transfers
// that have it, in order, some dozens under one key: the beginning, 0x00, and an
// ID that is not above the first of them, but above all under the key before. A
// record has a hundred beginnings and more; one entry for each of them would
// cost ten times what the record costs.

const maxPostings = 64 // IDs under one key

// packIDs writes IDs one after the other: a UUID as 0x00 and its 16 octets,
// anything else with its length before it.
func packIDs(ids []string) []byte {
	out := make([]byte, 0, 17*len(ids))
	for _, id := range ids {
		if u, err := uuid.Parse(id); err == nil && u.String() == id {
			out = append(append(out, 0), u[:]...)
			continue
		}
		out = append(append(out, byte(len(id))), id...)
	}
	return out
}

// unpackIDs is the way back; what follows a cut-off ID is left out.
func unpackIDs(b []byte) []string {
	ids := make([]string, 0, len(b)/17+1)
	for len(b) > 0 {
		n := int(b[0])
		switch b = b[1:]; {
		case n == 0 && len(b) >= 16:
			ids = append(ids, uuid.UUID(b[:16]).String())
			b = b[16:]
		case n > 0 && len(b) >= n:
			ids = append(ids, string(b[:n]))
			b = b[n:]
		default:
			return ids
		}
	}
	return ids
}

// postings is one key of the word index with its IDs.
type postings struct {
	low string // the ID in the key
	ids []string
}

// postingsAt moves c to the key under which id stands, or would stand, of the
// keys that begin with prefix; below looks for IDs below it only.
func postingsAt(c *bbolt.Cursor, prefix []byte, id string, below bool) (p postings, there bool) {
	at := append(slices.Clip(prefix), id...)
	k, v := c.Seek(at)
	if below || !bytes.Equal(k, at) {
		if k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
	}
	if !bytes.HasPrefix(k, prefix) {
		return p, false
	}
	return postings{string(k[len(prefix):]), unpackIDs(v)}, true
}

// post adds IDs, which are in order, to those of one beginning.
func post(b *bbolt.Bucket, prefix []byte, ids []string) error {
	for len(ids) > 0 {
		c := b.Cursor()
		p, there := postingsAt(c, prefix, ids[0], false)
		var k []byte
		if there {
			k, _ = c.Next()
		} else { // before the first, with which they may go
			k, _ = c.Seek(prefix)
		}
		n := len(ids)
		if bytes.HasPrefix(k, prefix) { // the next begins there
			n, _ = slices.BinarySearch(ids, string(k[len(prefix):]))
		}
		if err := write1(b, prefix, p, there, merged(p.ids, ids[:n])); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// unpost takes one ID from those of a beginning.
func unpost(b *bbolt.Bucket, prefix []byte, id string) error {
	p, there := postingsAt(b.Cursor(), prefix, id, false)
	at, found := slices.BinarySearch(p.ids, id)
	if !there || !found {
		return nil
	}
	return write1(b, prefix, p, true, slices.Delete(p.ids, at, at+1))
}

// write1 puts ids in the place of one key; what is too much for it gets further
// ones, filled to the end, since most IDs come in order.
func write1(b *bbolt.Bucket, prefix []byte, p postings, there bool, ids []string) error {
	key := func(low string) []byte { return append(slices.Clip(prefix), low...) }
	if len(ids) == 0 && there {
		return b.Delete(key(p.low))
	}
	for first := true; len(ids) > 0; first = false {
		some := ids[:min(len(ids), maxPostings)]
		low := some[0]
		if first && there {
			low = p.low
		}
		if err := b.Put(key(low), packIDs(some)); err != nil {
			return err
		}
		ids = ids[len(some):]
	}
	return nil
}

// merged returns two ordered lists as one, each ID once.
func merged(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 || a[len(a)-1] < b[0] {
		return append(slices.Clip(a), b...)
	}
	all := append(slices.Clip(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// list goes through the IDs of one beginning, newest first.
type list struct {
	prefix []byte
	c      *bbolt.Cursor
	postings
}

func newList(b *bbolt.Bucket, word string) *list {
	return &list{prefix: []byte(plainKey(indexedPart(word)) + "\x00"), c: b.Cursor()}
}

// end is above every ID: no UTF-8 begins so.
const end = "\xff"

// last returns the newest ID that is not above limit, or, if below, below it.
func (l *list) last(limit string, below bool) (string, bool) {
	if len(l.ids) == 0 || strings.Compare(l.low, limit) > 0 || limit > l.ids[len(l.ids)-1] {
		if !l.load(limit, below) {
			return "", false
		}
	}
	for {
		at, found := slices.BinarySearch(l.ids, limit)
		if found && !below {
			return limit, true
		}
		if at > 0 {
			return l.ids[at-1], true
		}
		if !l.load(l.low, true) { // the key before
			return "", false
		}
	}
}

func (l *list) load(limit string, below bool) (there bool) {
	l.postings, there = postingsAt(l.c, l.prefix, limit, below)
	return there
}

// lists are those of each word of a query.
type lists []*list

// below returns the newest Transfer below before that is in every list. The
// lists go down in turns, each to where the one before it stands.
func (all lists) below(before string) (string, bool) {
	if before == "" {
		before = end
	}
	candidate, there := all[0].last(before, true)
	for agreed, i := 1, 1; there && agreed < len(all); i++ {
		var id string
		if id, there = all[i%len(all)].last(candidate, false); id == candidate {
			agreed++
		} else {
			candidate, agreed = id, 1
		}
	}
	return candidate, there
}
