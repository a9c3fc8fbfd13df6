package pgstore

import (
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/node"
)

// needs is what a group of changes has to know of the database.
type needs struct {
	ids      map[string]bool // Transfers, which are locked
	keys     map[string]bool // of uniques
	digests  map[string]bool // of contents, which are locked against a Sweep
	names    map[string]bool // of values, which are locked
	leases   map[node.Direction]int
	until    time.Time // of the latest of the leases
	head     bool      // of the journal
	anything bool
}

func newNeeds() *needs {
	return &needs{
		ids: map[string]bool{}, keys: map[string]bool{}, digests: map[string]bool{}, names: map[string]bool{},
		leases: map[node.Direction]int{},
	}
}

// errUnknown is the answer of a view that was not asked for: apply gives it
// back, and runs again when it is known.
var errUnknown = errors.New("pgstore: not known yet")

// view is the database as a group of changes sees it: what was read, what the
// changes before made of it, and what is to be written.
type view struct {
	known struct {
		transfers map[string][]byte // JSON; nil: there is none
		owners    map[string]string // of keys; "": free
		contents  map[string]bool
		values    map[string]*value // nil: there is none
	}
	due     map[node.Direction][]string // the heads of the queues, locked
	leased  map[node.Direction]int      // how many of them were given away
	head    head
	missing *needs
	guess   bool // what is known was not read but guessed, see Store.guessed

	// what the changes made
	transfers map[string]*record // nil: removed
	owners    map[string]string
	values    map[string]*value
	lookup    map[lookupKey]bool // is it to be there?
	holds     map[holdKey]bool
	words     map[wordKey][]string // nil: none
	counts    map[string]int64
	fresh     map[string]staged // contents
	entries   []*node.Entry
	rows      []line // of journals of others
	news      map[node.Direction]bool
}

type record struct {
	t    *node.Transfer // not to be changed
	data []byte
}

type value struct {
	value []byte
	holds []string
}

type (
	lookupKey struct{ key, id string }
	holdKey   struct{ digest, owner string }
	wordKey   struct {
		direction node.Direction
		id        string
	}
	// head is the last row of the journal's chain.
	head struct {
		seq  uint64
		hash string
	}
	// line is a row of a journal as it is stored.
	line struct {
		chain string
		seq   uint64
		text  string
	}
)

func newView() *view {
	v := &view{due: map[node.Direction][]string{}}
	v.known.transfers, v.known.owners = map[string][]byte{}, map[string]string{}
	v.known.contents, v.known.values = map[string]bool{}, map[string]*value{}
	return v
}

// begin forgets what the changes made.
func (v *view) begin() {
	v.missing = newNeeds()
	v.transfers, v.owners, v.values = map[string]*record{}, map[string]string{}, map[string]*value{}
	v.lookup, v.holds, v.words = map[lookupKey]bool{}, map[holdKey]bool{}, map[wordKey][]string{}
	v.counts, v.fresh, v.news = map[string]int64{}, map[string]staged{}, map[node.Direction]bool{}
	v.entries, v.rows, v.leased = nil, nil, map[node.Direction]int{}
}

// changed reports whether there is anything to write.
func (v *view) changed() bool {
	return len(v.transfers)+len(v.owners)+len(v.values)+len(v.lookup)+len(v.holds)+len(v.words)+
		len(v.counts)+len(v.fresh)+len(v.entries)+len(v.rows) > 0
}

// data returns a Transfer's JSON, nil if there is none.
func (v *view) data(id string) ([]byte, error) {
	if r, changed := v.transfers[id]; changed {
		if r == nil {
			return nil, nil
		}
		return r.data, nil
	}
	data, known := v.known.transfers[id]
	if !known {
		v.missing.ids[id], v.missing.anything = true, true
		return nil, errUnknown
	}
	return data, nil
}

// read returns a Transfer of the caller's own, ErrNotFound if there is none.
func (v *view) read(id string) (*node.Transfer, error) {
	data, err := v.data(id)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, refusal{fmt.Errorf("pgstore: transfer %.300q: %w", id, node.ErrNotFound)}
	}
	return decode(id, data)
}

// owner returns who has a Unique key, "" for nobody.
func (v *view) owner(key string) (string, error) {
	if id, changed := v.owners[key]; changed {
		return id, nil
	}
	id, known := v.known.owners[key]
	if !known {
		v.missing.keys[key], v.missing.anything = true, true
		return "", errUnknown
	}
	return id, nil
}

// value returns a value, nil if there is none.
func (v *view) value(name string) (*value, error) {
	if val, changed := v.values[name]; changed {
		return val, nil
	}
	val, known := v.known.values[name]
	if !known {
		v.missing.names[name], v.missing.anything = true, true
		return nil, errUnknown
	}
	return val, nil
}

// find looks for content that is needed: staged here, or in the database. It
// returns what is staged, to be written, and refuses what is nowhere.
func (v *view) find(g *stage, digests []string) (map[string]staged, error) {
	found, unknown := map[string]staged{}, error(nil)
	for _, digest := range digests {
		c, there := v.fresh[digest]
		if !there {
			c, there = g.get(digest)
		}
		if there {
			found[digest] = c
			continue
		}
		there, known := v.known.contents[digest]
		switch {
		case !known:
			v.missing.digests[digest], v.missing.anything = true, true
			unknown = errUnknown
		case !there:
			return nil, refusal{&node.MissingError{SHA256: digest}}
		}
	}
	return found, unknown
}
