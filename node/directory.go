package node

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// directoryName is the value that says which content is the last good
// directory of the axis, one organ of JSON a line.
const directoryName = "axis organs"

// Directory is whom the axis knows, as it said last. Nobody changes it. The
// directory of 125,000 organs takes some 30 MB.
type Directory struct {
	At     time.Time     // when the axis said so; zero where a program stored it that did not note it
	organs []edxml.Organ // by OrganID
}

// directoryRef is the value of directoryName.
type directoryRef struct {
	Content
	At time.Time `json:"at,omitzero"`
}

// Empty reports that the axis has never given a directory.
func (d *Directory) Empty() bool { return len(d.organs) == 0 }

// Len returns the number of organs.
func (d *Directory) Len() int { return len(d.organs) }

// Knows reports whether the axis knows an organ by this very identifier: the
// other generation's form is a hint for people, not for routing.
func (d *Directory) Knows(id string) bool {
	_, ok := d.Lookup(id)
	return ok
}

// Lookup returns an organ by its identifier, as the axis writes it.
func (d *Directory) Lookup(id string) (edxml.Organ, bool) {
	i, ok := slices.BinarySearchFunc(d.organs, id, func(o edxml.Organ, id string) int { return cmp.Compare(o.OrganID, id) })
	if !ok {
		return edxml.Organ{}, false
	}
	return d.organs[i], true
}

// All gives every organ, in the order of identifiers.
func (d *Directory) All() iter.Seq[edxml.Organ] { return slices.Values(d.organs) }

// newDirectory sorts organs by their identifiers, each once.
func newDirectory(organs []edxml.Organ) *Directory {
	slices.SortStableFunc(organs, func(a, b edxml.Organ) int { return cmp.Compare(a.OrganID, b.OrganID) })
	return &Directory{organs: slices.CompactFunc(organs, func(a, b edxml.Organ) bool { return a.OrganID == b.OrganID })}
}

// directories keeps the directory that was read last.
type directories struct {
	mu     sync.Mutex
	sha256 string
	read   *Directory
}

// Directory returns whom the axis knows, by its last good answer: an empty one
// when it never gave any.
func (n *Node) Directory(ctx context.Context) (*Directory, error) {
	ref, err := n.Store.Value(ctx, directoryName)
	if err != nil || ref == nil {
		return &Directory{}, err
	}
	var c directoryRef
	if err := json.Unmarshal(ref, &c); err != nil {
		return nil, fmt.Errorf("node: directory: %w", err)
	}
	n.directories.mu.Lock()
	defer n.directories.mu.Unlock()
	if n.directories.sha256 == c.SHA256 {
		if d := n.directories.read; !d.At.Equal(c.At) { // it said the same again
			n.directories.read = &Directory{At: c.At, organs: d.organs}
		}
		return n.directories.read, nil
	}
	f, err := n.Store.Open(ctx, c.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := readDirectory(f)
	if err != nil {
		return nil, err
	}
	d.At = c.At
	n.directories.sha256, n.directories.read = c.SHA256, d
	return d, nil
}

func readDirectory(r io.Reader) (*Directory, error) {
	var organs []edxml.Organ
	for d := json.NewDecoder(bufio.NewReader(r)); ; {
		var o edxml.Organ
		err := d.Decode(&o)
		if err == io.EOF {
			return newDirectory(organs), nil
		}
		if err != nil {
			return nil, fmt.Errorf("node: directory: %w", err)
		}
		organs = append(organs, o)
	}
}

// refreshDirectory keeps the axis's list of organs, so that a receiver nobody
// knows is refused before a Document is queued.
func (n *Node) refreshDirectory(ctx context.Context) error {
	organs, err := n.Axis.Organs(ctx)
	if err != nil || len(organs) == 0 {
		return err
	}
	d := newDirectory(organs)
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriter(w)
		e := json.NewEncoder(b)
		for o := range d.All() {
			if err := e.Encode(o); err != nil {
				break // the reader has gone
			}
		}
		_ = w.CloseWithError(b.Flush())
	}()
	c, err := n.Store.Put(ctx, r)
	_ = r.Close()
	if err != nil {
		return err
	}
	ref, err := json.Marshal(directoryRef{c, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return n.Store.SetValue(ctx, directoryName, ref, c.SHA256)
}
