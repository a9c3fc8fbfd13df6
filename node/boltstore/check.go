package boltstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// maxNamed is how many of a kind a CheckReport names; it counts all.
const maxNamed = 100

// CheckOptions are how thoroughly a store is checked.
type CheckOptions struct {
	Deep  bool // read all content and hold it against its digest
	Pages bool // let bbolt check its file page by page; writers wait meanwhile
}

// CheckReport is what Check found.
type CheckReport struct {
	Records int   `json:"records"`
	Small   int   `json:"small"`  // contents in the database
	Files   int   `json:"files"`  // contents that are files
	Octets  int64 `json:"octets"` // of all contents

	Orphans      int   `json:"orphans"` // contents that nothing needs: no damage, Sweep removes them
	OrphanOctets int64 `json:"orphanOctets"`

	Pages    Found             `json:"pages"`    // what bbolt says about the file
	Unread   Found             `json:"unread"`   // records that cannot be read
	Missing  Found             `json:"missing"`  // contents that are needed and not there: digest and who needs it
	Spoiled  Found             `json:"spoiled"`  // contents that do not have their digest (Deep)
	Indices  Found             `json:"indices"`  // entries that are missing, or too many, and counters that are wrong
	Breaches Found             `json:"breaches"` // where the journal is broken, or says another state than the record
	Chain    *node.ChainReport `json:"journal,omitempty"`
}

// Found are things that are wrong: their number, and the first hundred.
type Found struct {
	Count int      `json:"count"`
	Named []string `json:"named,omitempty"`
}

func (f *Found) add(format string, args ...any) {
	if f.Count++; len(f.Named) < maxNamed {
		f.Named = append(f.Named, fmt.Sprintf(format, args...))
	}
}

// Damaged reports whether anything is wrong.
func (r *CheckReport) Damaged() bool { return r.damage() > 0 }

func (r *CheckReport) damage() int {
	return r.Pages.Count + r.Unread.Count + r.Missing.Count + r.Spoiled.Count + r.Indices.Count + r.Breaches.Count
}

// Curable reports whether Repair cures all that is wrong.
func (r *CheckReport) Curable() bool { return r.damage() == r.Indices.Count }

// DamageError says that a store is damaged.
type DamageError struct {
	Report *CheckReport
}

// Error counts the damage by kind.
func (e *DamageError) Error() string {
	var kinds []string
	for _, k := range []struct {
		what string
		f    Found
	}{
		{"pages", e.Report.Pages}, {"unreadable records", e.Report.Unread}, {"missing contents", e.Report.Missing},
		{"spoiled contents", e.Report.Spoiled}, {"index entries", e.Report.Indices}, {"journal breaches", e.Report.Breaches},
	} {
		if k.f.Count > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s (first: %s)", k.f.Count, k.what, k.f.Named[0]))
		}
	}
	return "boltstore: the store is damaged: " + strings.Join(kinds, ", ")
}

// Check holds the store against itself as it is at one moment: pages, records,
// content, indices, counters and the journal. Changes go on meanwhile.
func (s *Store) Check(ctx context.Context, o CheckOptions) (*CheckReport, error) {
	r := &CheckReport{}
	free, err := s.alone(ctx)
	if err != nil {
		return r, err
	}
	defer free()
	err = s.guarded(func() error {
		return s.view(ctx, func(tx *bbolt.Tx) error {
			c := &checker{Store: s, ctx: ctx, tx: tx, CheckReport: r, entries: map[string]int{}, counts: map[string]uint64{}, states: newStates()}
			return errors.Join(c.records(), c.values(), c.extra(), c.counters(), c.contents(o.Deep), c.journal())
		})
	})
	var pages *PagesError
	switch {
	case errors.As(err, &pages):
		r.Pages.add("%s", pages.Why)
		return r, nil
	case err == nil && o.Pages:
		r.checkPages(s.db)
	}
	return r, err
}

// checkPages lets bbolt check its file, under the write lock: beside a writer
// it would take the pages of that one for lost.
func (r *CheckReport) checkPages(db *bbolt.DB) {
	err := db.Update(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			r.Pages.add("%v", err)
		}
		return errNothing
	})
	if !errors.Is(err, errNothing) {
		r.Pages.add("%v", err)
	}
}

// errNothing rolls a transaction back that has nothing to write.
var errNothing = errors.New("boltstore: nothing to write")

// checker is one Check on its way. It counts the entries that the records ask
// for and finds there; what is there beyond them is looked for only when the
// numbers differ.
type checker struct {
	*Store
	*CheckReport
	ctx     context.Context
	tx      *bbolt.Tx
	entries map[string]int    // by bucket
	counts  map[string]uint64 // counters
	states  states            // of the records
	unread  []string          // the IDs of those that cannot be read
}

// expect looks for one entry.
func (c *checker) expect(e entry, id string) {
	c.entries[e.bucket]++
	b := c.tx.Bucket([]byte(e.bucket))
	k, v := b.Cursor().Seek([]byte(e.key))
	if string(k) != e.key || string(v) != string(e.value(id)) {
		c.Indices.add("%s of %s is missing", e.bucket, id)
	}
}

// records checks each record, and everything that follows from it.
func (c *checker) records() error {
	return c.tx.Bucket(transfersBucket).ForEach(func(k, v []byte) error {
		c.Records++
		t, err := node.OpenRecord(string(k), v)
		if err != nil || t.ID != string(k) || check(t) != nil {
			c.Unread.add("%s", k)
			c.unread = append(c.unread, string(k))
			return c.ctx.Err()
		}
		c.states.set(t.ID, t.State)
		for e := range entries(t) {
			c.expect(e, t.ID)
		}
		for key := range countKeys(t) {
			c.counts[key]++
		}
		return errors.Join(c.words(t), c.ctx.Err())
	})
}

// words checks the word index of one record: the tail says where it is behind.
func (c *checker) words(t *node.Transfer) error {
	indexed := t.Words
	if v := c.tx.Bucket([]byte(string(t.Direction) + tail)).Get([]byte(t.ID)); v != nil {
		var b behind
		if err := json.Unmarshal(v, &b); err != nil {
			c.Indices.add("tail of %s: %v", t.ID, err)
			return nil
		}
		if !slices.Equal(b.Is, t.Words) {
			c.Indices.add("tail of %s has other words", t.ID)
		}
		indexed = b.Was
	}
	name := string(t.Direction) + words
	index := c.tx.Bucket([]byte(name))
	for p := range prefixes(indexed) {
		c.entries[name]++
		at, _ := postingsAt(index.Cursor(), []byte(p+"\x00"), t.ID, false)
		if _, there := slices.BinarySearch(at.ids, t.ID); !there {
			c.Indices.add("%s of %s is missing", name, t.ID)
		}
	}
	return nil
}

// values checks what the values hold.
func (c *checker) values() error {
	return c.tx.Bucket(heldBucket).ForEach(func(k, v []byte) error {
		for e := range valueEntries(string(k), strings.Fields(string(v))) {
			c.expect(e, string(k))
		}
		return nil
	})
}

// extra finds the entries that no record asks for, where there are any.
func (c *checker) extra() error {
	if c.Unread.Count > 0 {
		return nil // they are those of the records that cannot be read
	}
	for _, name := range indices() {
		if name == countsBucket || strings.HasSuffix(name, tail) {
			continue
		}
		n := -c.entries[name]
		if b := c.tx.Bucket([]byte(name)); strings.HasSuffix(name, words) {
			n -= c.leaving(name) // of removed records, which the indexer will take out
			_ = b.ForEach(func(_, v []byte) error { n += len(unpackIDs(v)); return nil })
		} else {
			n += b.Stats().KeyN
		}
		if n > 0 {
			c.Indices.add("%s has %d entries too many", name, n)
			c.Indices.Count += n - 1
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// leaving counts the words that the tail still has of removed records.
func (c *checker) leaving(name string) (n int) {
	d := strings.TrimSuffix(name, words)
	_ = c.tx.Bucket([]byte(d + tail)).ForEach(func(id, v []byte) error {
		var b behind
		if _, there := c.states.of(string(id)); !there && json.Unmarshal(v, &b) == nil {
			n += len(prefixes(b.Was))
		}
		return nil
	})
	return n
}

// counters compares the counters with the records.
func (c *checker) counters() error {
	if c.Unread.Count > 0 {
		return nil
	}
	err := c.tx.Bucket([]byte(countsBucket)).ForEach(func(k, v []byte) error {
		if n := binary.BigEndian.Uint64(v); n != c.counts[string(k)] {
			c.Indices.add("counter %q is %d, the records say %d", k, int64(n), c.counts[string(k)])
		}
		delete(c.counts, string(k))
		return nil
	})
	for _, k := range slices.Sorted(maps.Keys(c.counts)) {
		c.Indices.add("counter %q is 0, the records say %d", k, c.counts[k])
	}
	return err
}

// contents looks for what is needed, and for what nothing needs.
func (c *checker) contents(deep bool) error {
	seen := func(digest string, size int64) {
		if c.Octets += size; !held(c.tx, digest) {
			c.Orphans, c.OrphanOctets = c.Orphans+1, c.OrphanOctets+size
		}
	}
	err := c.tx.Bucket(digestsBucket).ForEach(func(k, _ []byte) error {
		c.Small++
		place, _ := smallOf(c.tx, string(k))
		data := place.data(c.tx)
		if data == nil || deep && digestOf(data) != string(k) {
			c.Spoiled.add("%s", k)
		}
		seen(string(k), place.size)
		return c.ctx.Err()
	})
	if err == nil {
		err = c.eachFile(func(digests []string) error {
			for _, digest := range digests {
				size, err := c.file(digest, deep && held(c.tx, digest)) // what a power cut left unfinished nobody needs
				if err != nil {
					return err
				}
				c.Files++
				seen(digest, size)
			}
			return c.ctx.Err()
		})
	}
	if err != nil {
		return err
	}
	return eachHeld(c.tx, func(digest string) error {
		if _, there := smallOf(c.tx, digest); there {
			return nil
		}
		if _, err := os.Stat(c.content(digest[:2], digest)); err != nil {
			k, _ := c.tx.Bucket([]byte(holdsBucket)).Cursor().Seek([]byte(digest + "\x00"))
			c.Missing.add("%s, needed by %s", digest, k[digestLen+2:])
		}
		return nil
	})
}

// file returns the size of a content file, and reads it if deep.
func (c *checker) file(digest string, deep bool) (int64, error) {
	f, err := os.Open(c.content(digest[:2], digest))
	if err != nil {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !deep {
		return info.Size(), err
	}
	sum := sha256.New()
	_, err = io.Copy(&untilDone{c.ctx, sum}, f)
	if c.ctx.Err() != nil {
		return 0, c.ctx.Err()
	}
	if err != nil || hex.EncodeToString(sum.Sum(nil)) != digest {
		c.Spoiled.add("%s", digest)
	}
	return info.Size(), nil
}
