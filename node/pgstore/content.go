package pgstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

const (
	chunkSize = 1 << 20          // octets of a row of content
	chunkTime = 30 * time.Second // in which one must come
)

// Put stores everything r yields: small content in memory, for the commit of
// the change that needs it; large content in the shared folder, or spooled and
// then written as rows: a reader that is slow must not keep a transaction open.
func (s *Store) Put(ctx context.Context, r io.Reader) (node.Content, error) {
	if err := s.usable(ctx); err != nil {
		return node.Content{}, err
	}
	src := &source{ctx: ctx, r: r}
	begun := make([]byte, maxSmall+1)
	n, err := io.ReadFull(src, begun)
	switch {
	case src.err != nil:
		return node.Content{}, src.err
	case err == nil:
		return s.putLarge(ctx, src, begun)
	}
	now := s.clock.now()
	if err := s.months.make(ctx, s, monthOf(now)); err != nil {
		return node.Content{}, trouble(err)
	}
	sum := sha256.Sum256(begun[:n])
	c := node.Content{SHA256: hex.EncodeToString(sum[:]), Size: int64(n)}
	data := bytes.Clone(begun[:n])
	for !s.staged.add(c.SHA256, staged{data, now}) {
		if err := s.clear(ctx); err != nil {
			return node.Content{}, err
		}
	}
	return c, nil
}

// putLarge stores content: begun, and the rest of src.
func (s *Store) putLarge(ctx context.Context, src *source, begun []byte) (node.Content, error) {
	tmp, err := s.spool()
	if err != nil {
		return node.Content{}, fmt.Errorf("pgstore: %w", err)
	}
	defer os.Remove(tmp.Name()) // it has another name when all went well
	defer tmp.Close()
	digest := sha256.New()
	to := io.MultiWriter(tmp, digest)
	n := int64(len(begun))
	if _, err = to.Write(begun); err == nil {
		var rest int64
		rest, err = io.CopyBuffer(to, src, begun)
		n += rest
	}
	if src.err != nil {
		return node.Content{}, src.err
	}
	if err != nil {
		return node.Content{}, fmt.Errorf("pgstore: content: %w", err)
	}
	c := node.Content{SHA256: hex.EncodeToString(digest.Sum(nil)), Size: n}
	if s.options.ContentDir != "" {
		err = s.keepFile(ctx, tmp, c)
	} else {
		err = s.keepRows(ctx, tmp, c)
	}
	if err != nil && ctx.Err() != nil {
		return node.Content{}, ctx.Err()
	}
	if err != nil {
		return node.Content{}, trouble(err)
	}
	return c, nil
}

// keepRows writes spooled content as rows, unless it is there.
func (s *Store) keepRows(ctx context.Context, spooled io.ReaderAt, c node.Content) error {
	now := s.clock.now()
	if err := s.months.make(ctx, s, monthOf(now)); err != nil {
		return err
	}
	digest, _ := hex.DecodeString(c.SHA256)
	return s.view(ctx, func(pool *pgxpool.Pool) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			var fresh bool
			// who stores the same at the same time waits here
			err := tx.QueryRow(ctx, `INSERT INTO contents (digest, size, at, month) VALUES ($1, $2, $3, $4)
				ON CONFLICT (digest) DO UPDATE SET at = greatest(contents.at, excluded.at) RETURNING xmax = 0`, digest, c.Size, now.UTC(), monthOf(now)).Scan(&fresh)
			if err != nil || !fresh {
				return err
			}
			buf := make([]byte, min(chunkSize, c.Size))
			for i := int64(0); i*chunkSize < c.Size; i++ {
				part := buf[:min(chunkSize, c.Size-i*chunkSize)]
				if _, err := spooled.ReadAt(part, i*chunkSize); err != nil && !errors.Is(err, io.EOF) {
					return refusal{err}
				}
				if _, err := tx.Exec(ctx, `INSERT INTO chunks (month, digest, n, data) VALUES ($1, $2, $3, $4)`, monthOf(now), digest, i, part); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// source remembers the error of its reader, to tell it from one of the store,
// and ends with its context.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// Open gives stored content back. Anything but 64 lower-case hex digits names
// no content, and reaches no disk.
func (s *Store) Open(ctx context.Context, sha256 string) (node.Opened, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if !isDigest(sha256) {
		return nil, fmt.Errorf("pgstore: %.80q is no digest: %w", sha256, node.ErrNotFound)
	}
	if c, there := s.staged.get(sha256); there {
		return inMemory{bytes.NewReader(c.data)}, nil
	}
	digest, _ := hex.DecodeString(sha256)
	var size int64
	var month *time.Time
	var first []byte
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		err := pool.QueryRow(ctx, `SELECT c.size, c.month, h.data FROM contents c
			LEFT JOIN chunks h ON h.month = c.month AND h.digest = c.digest AND h.n = 0 AND c.size <= $2 WHERE c.digest = $1`, digest, maxSmall).Scan(&size, &month, &first)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("pgstore: content %s: %w", sha256, node.ErrNotFound)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case month == nil:
		return s.openFile(sha256)
	case size <= maxSmall:
		if int64(len(first)) != size {
			return nil, fmt.Errorf("pgstore: content %s: its row is not there: the database is damaged", sha256)
		}
		return inMemory{bytes.NewReader(first)}, nil
	}
	s.opened.Add(1)
	r := &rows{s: s, month: *month, digest: digest, size: size, at: -1}
	return &openedRows{SectionReader: io.NewSectionReader(r, 0, size), close: sync.OnceFunc(s.opened.Done)}, nil
}

// inMemory is small content.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// openedRows is content in rows.
type openedRows struct {
	*io.SectionReader
	close func()
}

func (o *openedRows) Close() error {
	o.close()
	return nil
}

// rows reads content from the database, with one row in memory.
type rows struct {
	s      *Store
	month  time.Time
	digest []byte
	size   int64

	mu   sync.Mutex
	at   int64 // the row that data is
	data []byte
}

// ReadAt implements io.ReaderAt.
func (r *rows) ReadAt(p []byte, off int64) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) && off < r.size {
		if err := r.load(off / chunkSize); err != nil {
			return n, err
		}
		part := copy(p[n:], r.data[off%chunkSize:])
		n, off = n+part, off+int64(part)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// load reads a row into memory.
func (r *rows) load(at int64) error {
	if r.at == at {
		return nil
	}
	r.at = -1
	read := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), chunkTime)
		defer cancel()
		return r.s.pool.QueryRow(ctx, `SELECT data FROM chunks WHERE month = $1 AND digest = $2 AND n = $3`, r.month, r.digest, at).Scan(&r.data)
	}
	err := read()
	if err != nil && disconnected(err) {
		err = read()
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("pgstore: content %x was removed while it was read: %w", r.digest, node.ErrNotFound)
	case err != nil:
		return trouble(err)
	case int64(len(r.data)) != min(chunkSize, r.size-at*chunkSize):
		return fmt.Errorf("pgstore: content %x: row %d has %d octets: the database is damaged", r.digest, at, len(r.data))
	}
	r.at = at
	return nil
}
