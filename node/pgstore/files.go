package pgstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

// spoolAge is how old a file in tmp must be to be nobody's: no document takes
// so long to come in.
const spoolAge = 7 * 24 * time.Hour

func (s *Store) file(elem ...string) string {
	return filepath.Join(append([]string{s.options.ContentDir}, elem...)...)
}

// prepareFiles makes the shared folder, and removes what nodes that died left
// in its tmp.
func (s *Store) prepareFiles() error {
	if s.options.ContentDir == "" {
		return nil
	}
	if err := os.MkdirAll(s.file("tmp"), 0o700); err != nil {
		return err
	}
	left, err := os.ReadDir(s.file("tmp"))
	if err != nil {
		return err
	}
	for _, f := range left {
		if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > spoolAge {
			_ = os.Remove(s.file("tmp", f.Name())) // or another node did
		}
	}
	return syncFolder(s.options.ContentDir)
}

// spool makes a file for content that is coming in.
func (s *Store) spool() (*os.File, error) {
	if s.options.ContentDir == "" {
		return os.CreateTemp("", "lienthong-put-")
	}
	return os.CreateTemp(s.file("tmp"), "put-")
}

// keepFile gives a spooled file its name, durably, before the database names
// it. A Sweep that finds the file before that waits for the lock.
func (s *Store) keepFile(ctx context.Context, tmp *os.File, c node.Content) error {
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	shelf := s.file(c.SHA256[:2])
	if err := os.Mkdir(shelf, 0o700); err == nil {
		err = syncFolder(s.options.ContentDir)
		if err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	digest, _ := hex.DecodeString(c.SHA256)
	return s.holding(ctx, digest, func(tx pgx.Tx) error {
		// the same content again takes the place of the old, which is the same,
		// or was until the disk spoiled it
		err := os.Rename(tmp.Name(), filepath.Join(shelf, c.SHA256))
		if errors.Is(err, fs.ErrNotExist) { // the try before this got so far
			_, err = os.Stat(filepath.Join(shelf, c.SHA256))
		}
		if err != nil {
			return refusal{err}
		}
		if err := errors.Join(syncFolder(s.options.ContentDir), syncFolder(shelf)); err != nil {
			return refusal{err}
		}
		_, err = tx.Exec(ctx, `INSERT INTO contents (digest, size, at) VALUES ($1, $2, $3)
			ON CONFLICT (digest) DO UPDATE SET at = greatest(contents.at, excluded.at)`, digest, c.Size, s.clock.now().UTC())
		return err
	})
}

// holding does something in a transaction that holds the lock on a content file.
func (s *Store) holding(ctx context.Context, digest []byte, do func(tx pgx.Tx) error) error {
	return s.view(ctx, func(pool *pgxpool.Pool) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			key := int32(uint32(digest[0])<<24 | uint32(digest[1])<<16 | uint32(digest[2])<<8 | uint32(digest[3]))
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1::int8::bit(32)::int4, $2)`, int64(lockContent^s.space), key); err != nil {
				return err
			}
			return do(tx)
		})
	})
}

// opened is a content file.
type opened struct {
	*os.File
	size int64
}

func (o opened) Size() int64 { return o.size }

func (s *Store) openFile(digest string) (node.Opened, error) {
	if s.options.ContentDir == "" {
		return nil, fmt.Errorf("pgstore: content %s is in the folder that the nodes share, which this one was not told", digest)
	}
	f, err := os.Open(s.file(digest[:2], digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("pgstore: content %s is not in %s: is the shared folder mounted? (%w)", digest, s.options.ContentDir, node.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pgstore: %w", err), f.Close())
	}
	return opened{f, info.Size()}, nil
}

// syncFolder makes the names in a folder durable. Windows has no such call; its
// file systems keep a journal of names.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
