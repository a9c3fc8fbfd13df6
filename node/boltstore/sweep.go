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
)

// What stands between a digest and who needs it, in the index of holds.
const (
	transferHolds = "\x00t"
	valueHolds    = "\x00v"
)

// sweepBatch is how many contents one transaction of a Sweep removes.
const sweepBatch = 64

// held reports whether anything needs a content.
func held(tx *bbolt.Tx, digest string) bool {
	prefix := []byte(digest + "\x00")
	k, _ := tx.Bucket([]byte(holdsBucket)).Cursor().Seek(prefix)
	return bytes.HasPrefix(k, prefix)
}

// missing returns a *node.MissingError if something newly needed is not here.
func (s *Store) missing(_ *bbolt.Tx, before, after map[entry]bool) error {
	for e := range after {
		if e.bucket != holdsBucket || before[e] {
			continue
		}
		digest := e.key[:digestLen]
		switch _, err := os.Stat(s.content(digest[:2], digest)); {
		case errors.Is(err, fs.ErrNotExist):
			return &node.MissingError{SHA256: digest}
		case err != nil:
			return fmt.Errorf("boltstore: %w", err)
		}
	}
	return nil
}

// Sweep removes the content that nothing needs. What it removes it removes in
// a transaction, so that no change can begin to need it meanwhile.
func (s *Store) Sweep(ctx context.Context, before time.Time, dry bool) (node.Swept, error) {
	var sum node.Swept
	if err := s.usable(ctx); err != nil {
		return sum, err
	}
	shelves, err := os.ReadDir(s.content())
	if err != nil {
		return sum, fmt.Errorf("boltstore: %w", err)
	}
	for _, shelf := range shelves {
		if len(shelf.Name()) != 2 {
			continue // tmp
		}
		files, err := os.ReadDir(s.content(shelf.Name()))
		if err != nil {
			return sum, fmt.Errorf("boltstore: %w", err)
		}
		for len(files) > 0 {
			some := files[:min(len(files), sweepBatch)]
			files = files[len(some):]
			if err := s.sweep(ctx, some, before, dry, &sum); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}

// sweep judges some files, and removes those that nothing needs.
func (s *Store) sweep(ctx context.Context, files []fs.DirEntry, before time.Time, dry bool, sum *node.Swept) error {
	var found node.Swept
	judge := func(remove bool) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			found = node.Swept{}
			for _, f := range files {
				if isDigest(f.Name()) {
					if err := s.sweepFile(tx, f.Name(), before, remove, &found); err != nil {
						return refusal{err}
					}
				}
			}
			return nil
		}
	}
	err := s.view(ctx, judge(false))
	if err == nil && !dry && found.Removed > 0 {
		err = s.commit(ctx, judge(true))
	}
	sum.Removed, sum.RemovedBytes = sum.Removed+found.Removed, sum.RemovedBytes+found.RemovedBytes
	sum.Kept, sum.KeptBytes = sum.Kept+found.Kept, sum.KeptBytes+found.KeptBytes
	return err
}

// sweepFile judges one file. The lock keeps a Put of the same content out.
func (s *Store) sweepFile(tx *bbolt.Tx, digest string, before time.Time, remove bool, sum *node.Swept) error {
	s.shelves.Lock()
	defer s.shelves.Unlock()
	path := s.content(digest[:2], digest)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("boltstore: %w", err)
	case !info.ModTime().Before(before) || held(tx, digest):
		sum.Kept, sum.KeptBytes = sum.Kept+1, sum.KeptBytes+info.Size()
		return nil
	}
	if remove {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("boltstore: %w", err)
		}
	}
	sum.Removed, sum.RemovedBytes = sum.Removed+1, sum.RemovedBytes+info.Size()
	return nil
}
