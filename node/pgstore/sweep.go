package pgstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

const (
	sweepLook  = 1000 // contents that one look judges
	sweepBatch = 64   // contents that one transaction removes
)

// Sweep removes the content that nothing needs. The rows of a month of which
// nothing stays go with their partition, at once and without leaving gaps.
func (s *Store) Sweep(ctx context.Context, before time.Time, dry bool) (node.Swept, error) {
	w := &sweep{s: s, ctx: ctx, before: before.UTC(), dry: dry, over: map[time.Time]bool{}}
	err := s.usable(ctx)
	if err == nil {
		err = w.lookForMonths()
	}
	if err == nil {
		err = w.database()
	}
	if err == nil {
		err = w.dropMonths()
	}
	if err == nil {
		err = w.files()
	}
	if err == nil {
		w.memory()
	}
	return w.sum, err
}

// sweep is one Sweep on its way.
type sweep struct {
	s      *Store
	ctx    context.Context
	before time.Time
	dry    bool
	over   map[time.Time]bool // months of which nothing is to stay
	sum    node.Swept
}

func (w *sweep) view(do func(*pgxpool.Pool) error) error { return w.s.view(w.ctx, do) }

// lookForMonths finds the months of which nothing is to stay. This month and
// the one before get content still.
func (w *sweep) lookForMonths() error {
	if w.dry {
		return nil
	}
	return w.view(func(pool *pgxpool.Pool) error {
		rows, err := pool.Query(w.ctx, `SELECT m.month FROM (SELECT DISTINCT month FROM contents WHERE month < $2) m WHERE NOT EXISTS (
			SELECT FROM contents c WHERE c.month = m.month AND (c.at >= $1 OR EXISTS (SELECT FROM holds h WHERE h.digest = c.digest)))`,
			w.before, monthOf(monthOf(w.s.clock.now()).AddDate(0, 0, -1)))
		if err != nil {
			return err
		}
		var month time.Time
		_, err = pgx.ForEachRow(rows, []any{&month}, func() error { w.over[month] = true; return nil })
		return err
	})
}

// database goes through what the database names.
func (w *sweep) database() error {
	for after, more := []byte{}, true; more; {
		var gone [][]byte
		err := w.view(func(pool *pgxpool.Pool) error {
			rows, err := pool.Query(w.ctx, `SELECT digest, size, at < $2 AND NOT EXISTS (SELECT FROM holds h WHERE h.digest = c.digest)
				FROM contents c WHERE digest > $1 ORDER BY digest LIMIT $3`, after, w.before, sweepLook)
			if err != nil {
				return err
			}
			gone, more = nil, false
			seen := 0
			var digest []byte
			var size int64
			var unneeded bool
			_, err = pgx.ForEachRow(rows, []any{&digest, &size, &unneeded}, func() error {
				seen++
				after, more = append([]byte{}, digest...), seen == sweepLook
				c, anew := w.s.staged.get(hex.EncodeToString(digest))
				switch {
				case !unneeded || anew && !c.at.Before(w.before):
					w.sum.Kept, w.sum.KeptBytes = w.sum.Kept+1, w.sum.KeptBytes+size
				case w.dry:
					w.sum.Removed, w.sum.RemovedBytes = w.sum.Removed+1, w.sum.RemovedBytes+size
				default:
					gone = append(gone, after)
				}
				return nil
			})
			return err
		})
		for err == nil && len(gone) > 0 {
			some := gone[:min(len(gone), sweepBatch)]
			gone = gone[len(some):]
			err = w.remove(some)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove judges once more, and removes, in one transaction: the rows are locked
// first, so that whoever begins to need one is seen, or sees it gone.
func (w *sweep) remove(digests [][]byte) error {
	var removed node.Swept
	var files []string
	err := w.view(func(pool *pgxpool.Pool) error {
		removed, files = node.Swept{}, nil
		return pgx.BeginFunc(w.ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(w.ctx, `SELECT FROM contents WHERE digest = ANY($1) ORDER BY digest FOR UPDATE`, digests); err != nil {
				return err
			}
			rows, err := tx.Query(w.ctx, `DELETE FROM contents c WHERE digest = ANY($1) AND at < $2
				AND NOT EXISTS (SELECT FROM holds h WHERE h.digest = c.digest) RETURNING digest, size, month`, digests, w.before)
			if err != nil {
				return err
			}
			rest := map[time.Time][][]byte{}
			var digest []byte
			var size int64
			var month *time.Time
			_, err = pgx.ForEachRow(rows, []any{&digest, &size, &month}, func() error {
				removed.Removed, removed.RemovedBytes = removed.Removed+1, removed.RemovedBytes+size
				if month == nil {
					files = append(files, hex.EncodeToString(digest))
				} else if !w.over[*month] {
					rest[*month] = append(rest[*month], append([]byte{}, digest...))
				}
				return nil
			})
			for month, some := range rest {
				if err == nil {
					_, err = tx.Exec(w.ctx, `DELETE FROM chunks WHERE month = $1 AND digest = ANY($2)`, month, some)
				}
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	w.sum.Removed, w.sum.RemovedBytes = w.sum.Removed+removed.Removed, w.sum.RemovedBytes+removed.RemovedBytes
	for _, digest := range files {
		if _, err := w.unlink(digest, false); err != nil {
			return err
		}
	}
	return nil
}

// dropMonths drops the partitions of the months of which nothing stayed, and
// clears up where something did after all.
func (w *sweep) dropMonths() error {
	for month := range w.over {
		w.s.months.forget(month)
		err := w.view(func(pool *pgxpool.Pool) error {
			return pgx.BeginFunc(w.ctx, pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(w.ctx, `SELECT pg_advisory_xact_lock($1, $2::int8::bit(32)::int4)`, lockMigrate, int64(w.s.space)); err != nil {
					return err
				}
				if _, err := tx.Exec(w.ctx, `LOCK TABLE chunks IN ACCESS EXCLUSIVE MODE`); err != nil {
					return err
				}
				var stayed bool
				if err := tx.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM contents WHERE month = $1)`, month).Scan(&stayed); err != nil {
					return err
				}
				if stayed {
					_, err := tx.Exec(w.ctx, `DELETE FROM chunks h WHERE month = $1
						AND NOT EXISTS (SELECT FROM contents c WHERE c.digest = h.digest AND c.month = h.month)`, month)
					return err
				}
				_, err := tx.Exec(w.ctx, `DROP TABLE IF EXISTS `+partition(month))
				return err
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// files removes files that the database does not name: a node died between the
// two.
func (w *sweep) files() error {
	if w.s.options.ContentDir == "" {
		return nil
	}
	shelves, err := os.ReadDir(w.s.options.ContentDir)
	if err != nil {
		return fmt.Errorf("pgstore: %w", err)
	}
	for _, shelf := range shelves {
		if len(shelf.Name()) != 2 {
			continue
		}
		files, err := os.ReadDir(w.s.file(shelf.Name()))
		if err != nil {
			return fmt.Errorf("pgstore: %w", err)
		}
		for _, f := range files {
			info, err := f.Info()
			if err != nil || !isDigest(f.Name()) || !info.ModTime().Before(w.before) {
				continue // gone by now, or new
			}
			gone, err := w.unlink(f.Name(), w.dry)
			if err != nil {
				return err
			}
			if gone {
				w.sum.Removed, w.sum.RemovedBytes = w.sum.Removed+1, w.sum.RemovedBytes+info.Size()
			}
		}
	}
	return nil
}

// unlink removes a file, unless the database names it.
func (w *sweep) unlink(digest string, dry bool) (gone bool, err error) {
	key, _ := hex.DecodeString(digest)
	err = w.s.holding(w.ctx, key, func(tx pgx.Tx) error {
		var named bool
		if err := tx.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM contents WHERE digest = $1 AND month IS NULL)`, key).Scan(&named); err != nil || named {
			return err
		}
		gone = true
		if dry {
			return nil
		}
		if err := os.Remove(w.s.file(digest[:2], digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return refusal{err}
		}
		return nil
	})
	return gone, err
}

// memory removes what is only staged. A change that just begins to need it
// either has it already or is refused.
func (w *sweep) memory() {
	for _, digest := range w.s.staged.all() {
		c, there := w.s.staged.get(digest)
		if !there {
			continue
		}
		if named, err := w.named(digest); err != nil || named {
			continue // was judged where it is named
		}
		size := int64(len(c.data))
		if !c.at.Before(w.before) {
			w.sum.Kept, w.sum.KeptBytes = w.sum.Kept+1, w.sum.KeptBytes+size
			continue
		}
		w.sum.Removed, w.sum.RemovedBytes = w.sum.Removed+1, w.sum.RemovedBytes+size
		if !w.dry {
			w.s.staged.drop(digest, c.at)
		}
	}
}

// named reports whether the database names a content.
func (w *sweep) named(digest string) (named bool, err error) {
	key, _ := hex.DecodeString(digest)
	err = w.view(func(pool *pgxpool.Pool) error {
		return pool.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM contents WHERE digest = $1)`, key).Scan(&named)
	})
	return named, err
}
