package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/failpoint"
)

const (
	sweepLook  = 1000 // contents that one look judges
	sweepBatch = 64   // contents that one transaction removes
)

// held reports whether anything needs a content.
func held(tx *bbolt.Tx, digest string) bool {
	prefix := []byte(digest + "\x00")
	k, _ := tx.Bucket([]byte(holdsBucket)).Cursor().Seek(prefix)
	return bytes.HasPrefix(k, prefix)
}

// where is a place in which content can lie.
type where struct {
	// look returns the size of a content and when it was put, false if it is
	// not there.
	look func(tx *bbolt.Tx, digest string) (size int64, at time.Time, there bool, err error)
	// remove is called for what look has just found, in the same transaction.
	// It reports false if the content was put anew since.
	remove func(tx *bbolt.Tx, digest string, at time.Time) (bool, error)
}

// Sweep removes the content that nothing needs. What it removes it removes in
// a transaction, so that no change can begin to need it meanwhile.
func (s *Store) Sweep(ctx context.Context, before time.Time, dry bool) (node.Swept, error) {
	w := &sweep{Store: s, ctx: ctx, before: before, dry: dry}
	free, err := s.alone(ctx)
	if err != nil {
		return w.sum, err
	}
	defer free()
	err = s.eachSmall(ctx, func(digests []string) error { return w.some(s.database(), digests) })
	if err == nil {
		err = s.eachFile(func(digests []string) error { return w.some(s.files(), digests) })
	}
	if err == nil {
		err = w.some(s.memory(), s.staged.all())
	}
	return w.sum, err
}

// sweep is one Sweep on its way.
type sweep struct {
	*Store
	ctx    context.Context
	before time.Time
	dry    bool
	sum    node.Swept
}

// some judges some contents, and removes those that nothing needs.
func (w *sweep) some(p where, digests []string) error {
	var gone []string
	err := w.view(w.ctx, func(tx *bbolt.Tx) error {
		for _, digest := range digests {
			size, at, there, err := p.look(tx, digest)
			switch {
			case err != nil:
				return err
			case !there:
			case !at.Before(w.before) || held(tx, digest):
				w.sum.Kept, w.sum.KeptBytes = w.sum.Kept+1, w.sum.KeptBytes+size
			case w.dry:
				w.sum.Removed, w.sum.RemovedBytes = w.sum.Removed+1, w.sum.RemovedBytes+size
			default:
				gone = append(gone, digest)
			}
		}
		return nil
	})
	for err == nil && len(gone) > 0 {
		batch := gone[:min(len(gone), sweepBatch)]
		gone = gone[len(batch):]
		err = w.remove(p, batch)
	}
	return err
}

// remove judges once more, and removes, in one transaction.
func (w *sweep) remove(p where, digests []string) error {
	var removed node.Swept
	var refused error
	err := w.commit(w.ctx, func(tx *bbolt.Tx) error {
		removed, refused = node.Swept{}, nil
		for _, digest := range digests {
			size, at, there, err := p.look(tx, digest)
			gone := false
			if err == nil && there && at.Before(w.before) && !held(tx, digest) {
				gone, err = p.remove(tx, digest, at)
			}
			if gone {
				failpoint.Hit(failpoint.SweepRemoved)
				removed.Removed, removed.RemovedBytes = removed.Removed+1, removed.RemovedBytes+size
			}
			if err != nil { // what went before stays done
				refused = err
				return nil
			}
		}
		return nil
	})
	if err == nil {
		w.sum.Removed, w.sum.RemovedBytes = w.sum.Removed+removed.Removed, w.sum.RemovedBytes+removed.RemovedBytes
	}
	return errors.Join(err, refused)
}

// database is the place of small content.
func (s *Store) database() where {
	return where{
		look: func(tx *bbolt.Tx, digest string) (int64, time.Time, bool, error) {
			place, there := smallOf(tx, digest)
			if c, anew := s.staged.get(digest); anew && c.at.After(place.at) {
				place.at = c.at
			}
			return place.size, place.at, there, nil
		},
		remove: func(tx *bbolt.Tx, digest string, _ time.Time) (bool, error) {
			return true, removeSmall(tx, digest) // a Put is staged, and stays so
		},
	}
}

// memory is the place of what is only staged. A change that just begins to need
// it either has it already or is refused.
func (s *Store) memory() where {
	return where{
		look: func(tx *bbolt.Tx, digest string) (int64, time.Time, bool, error) {
			c, there := s.staged.get(digest)
			_, written := smallOf(tx, digest)
			return int64(len(c.data)), c.at, there && !written, nil
		},
		remove: func(_ *bbolt.Tx, digest string, at time.Time) (bool, error) { return s.staged.drop(digest, at), nil },
	}
}

// files is the place of large content. A Put puts a file in the place of the
// old one outside of transactions: the lock is against that.
func (s *Store) files() where {
	return where{
		look: func(_ *bbolt.Tx, digest string) (int64, time.Time, bool, error) {
			info, err := os.Stat(s.content(digest[:2], digest))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return 0, time.Time{}, false, nil
			case err != nil:
				return 0, time.Time{}, false, fmt.Errorf("boltstore: %w", err)
			}
			return info.Size(), info.ModTime(), true, nil
		},
		remove: func(_ *bbolt.Tx, digest string, at time.Time) (bool, error) {
			s.shelves.Lock()
			defer s.shelves.Unlock()
			path := s.content(digest[:2], digest)
			info, err := os.Stat(path)
			if err == nil && !info.ModTime().Equal(at) {
				return false, nil
			}
			if err == nil {
				err = os.Remove(path)
			}
			if err != nil {
				return false, fmt.Errorf("boltstore: %w", err)
			}
			return true, nil
		},
	}
}

// eachSmall goes through the digests of the database, some at a time.
func (s *Store) eachSmall(ctx context.Context, do func(digests []string) error) error {
	for after, more := "", true; more; {
		var some []string
		err := s.view(ctx, func(tx *bbolt.Tx) error {
			c := tx.Bucket(digestsBucket).Cursor()
			k, _ := c.Seek([]byte(after))
			if k != nil && string(k) == after {
				k, _ = c.Next()
			}
			for ; k != nil && len(some) < sweepLook; k, _ = c.Next() {
				some = append(some, string(k))
			}
			more = k != nil
			return nil
		})
		if err == nil && len(some) > 0 {
			after = some[len(some)-1]
			err = do(some)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eachFile goes through the digests of the files, one shelf at a time.
func (s *Store) eachFile(do func(digests []string) error) error {
	shelves, err := os.ReadDir(s.content())
	if err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	for _, shelf := range shelves {
		files, err := os.ReadDir(s.content(shelf.Name()))
		if err != nil {
			return fmt.Errorf("boltstore: %w", err)
		}
		var some []string
		for _, f := range files {
			if isDigest(f.Name()) && f.Name()[:2] == shelf.Name() {
				some = append(some, f.Name())
			}
		}
		if err := do(some); err != nil {
			return err
		}
	}
	return nil
}
