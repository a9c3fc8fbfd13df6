package boltstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/lienthong/lienthong/node"
)

const (
	format     = "2"                    // of the database; a change of the layout raises it
	allocation = 4 << 20                // octets by which the file grows
	lockWait   = 200 * time.Millisecond // for the other process that is just closing
)

var (
	metaBucket      = []byte("meta")
	transfersBucket = []byte("transfers")
	valuesBucket    = []byte("values")
	heldBucket      = []byte("held")    // what a value holds
	contentBucket   = []byte("content") // small content, by number
	digestsBucket   = []byte("digests") // its numbers
	journalBucket   = []byte("journal")
	formatKey       = []byte("format")
	chainKey        = []byte("chain") // the name of the journal's chain
)

// errClosed is os.ErrClosed to callers that want to know.
var errClosed = fmt.Errorf("boltstore: the store is closed: %w", os.ErrClosed)

// Store is an open folder. Its methods are described at [node.Store].
type Store struct {
	dir      string
	db       *bbolt.DB
	closed   atomic.Bool
	shelves  sync.Mutex // over making folders for content, naming its files and removing them
	buffers  sync.Pool  // of *[]byte, for Put: one octet more than is small
	staged   stage
	clearing chan struct{} // one token, for whoever commits what is staged
	group    group
	chain    string // the name of the journal's chain
	indexer  indexer
	delay    time.Duration // see Options.SyncDelay
	maxFree  int           // free pages up to which their list goes into the file
	single   chan struct{} // one token, for whoever needs that no content is removed, or removes some
}

var _ node.Store = (*Store)(nil)

// LockedError says that the folder is in use.
type LockedError struct {
	Dir string
}

// Error names the folder and who probably has it.
func (e *LockedError) Error() string {
	return fmt.Sprintf("boltstore: %s: another process holds this folder (a node is running?)", e.Dir)
}

// FormatError says that the folder was written by a program that lays it out
// in another way, most likely a newer one.
type FormatError struct {
	Dir   string
	Found string // what the folder says
	Known string // what this program reads and writes
}

// Error names both formats.
func (e *FormatError) Error() string {
	return fmt.Sprintf("boltstore: %s: the folder has format %q, this program knows format %q only: use the program that wrote it, or a newer one", e.Dir, e.Found, e.Known)
}

// CutOffError says that the database lacks its end: a copy that was not
// finished, or a file system that lost it.
type CutOffError struct {
	File       string
	Size, Want int64 // octets
}

// Error names the file and how much of it is there.
func (e *CutOffError) Error() string {
	return fmt.Sprintf("boltstore: %s: the file is cut off: it has %d octets of %d: restore a backup", e.File, e.Size, e.Want)
}

// Options are how a store is opened; the zero value is the default.
type Options struct {
	Existing  bool          // where there is no store, make none: the error is fs.ErrNotExist
	SyncDelay time.Duration // for tests: how much longer every fsync takes, as if the disk were a slower one

	free int // for tests: in place of maxFree, negative for none
}

// Open opens the store in dir, making the folder if there is none. It returns
// a [*LockedError] if another process has it, a [*FormatError] if the layout is
// not ours, a [*CutOffError] or a [*PagesError] if the database is damaged; other
// errors name the path and wrap the system's error.
func Open(dir string) (*Store, error) { return OpenWith(dir, Options{}) }

// OpenWith is Open with options.
func OpenWith(dir string, o Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("boltstore: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, databaseName)); o.Existing && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("boltstore: there is no store in %s: %w", dir, err)
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, single: make(chan struct{}, 1), clearing: make(chan struct{}, 1), delay: o.SyncDelay, maxFree: cmp.Or(o.free, maxFree)}
	s.buffers.New = func() any { b := make([]byte, maxSmall+1); return &b }
	if err := s.guarded(s.open); err != nil {
		return nil, err
	}
	s.indexer.start(s)
	return s, nil
}

// open opens the database and prepares the folder.
func (s *Store) open() error {
	listless, err := s.whole()
	if err != nil {
		return err
	}
	options := bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoFreelistSync: listless, InitialMmapSize: addressSpace()}
	s.db, err = bbolt.Open(s.file(), 0o600, &options)
	if errors.Is(err, syscall.ENOMEM) { // somebody limits the addresses of this process
		options.InitialMmapSize = 0
		s.db, err = bbolt.Open(s.file(), 0o600, &options)
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return &LockedError{Dir: s.dir}
	case err != nil:
		return s.trouble(err)
	}
	s.db.AllocSize = allocation
	if err := s.prepare(); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// whole looks whether the file has all its pages, and a list of those that are
// free. bbolt maps it, and a page behind its end would end the process.
func (s *Store) whole() (listless bool, err error) {
	info, err := os.Stat(s.file())
	if err != nil || info.Size() == 0 {
		return false, nil // for bbolt to say
	}
	db, err := bbolt.Open(s.file(), 0o600, &bbolt.Options{Timeout: lockWait, ReadOnly: true})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return false, &LockedError{Dir: s.dir}
	}
	if err != nil {
		return false, s.trouble(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return &CutOffError{File: s.file(), Size: info.Size(), Want: tx.Size()}
		}
		if listless, err = unlisted(tx); err != nil {
			return &PagesError{File: s.file(), Why: err.Error()}
		}
		return nil
	})
	return listless, errors.Join(err, db.Close())
}

// addressSpace returns how many octets of the file are mapped from the start.
// When the file outgrows its mapping, writers wait for the end of all readers;
// a backup reads for minutes. Windows would make the file that long.
func addressSpace() int {
	if runtime.GOOS == "windows" || strconv.IntSize < 64 {
		return 0
	}
	return 64 << 30
}

// prepare runs under the lock: only now may anything in the folder be touched.
func (s *Store) prepare() error {
	repairing := false
	err := s.db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			return s.create(tx)
		}
		switch found := string(meta.Get(formatKey)); found {
		case format:
		case "1":
			if err := s.upgrade1(tx); err != nil {
				return fmt.Errorf("upgrade from format 1: %w", err)
			}
		default:
			return &FormatError{Dir: s.dir, Found: found, Known: format}
		}
		s.chain, repairing = string(meta.Get(chainKey)), meta.Get(repairKey) != nil
		return nil
	})
	if other := (*FormatError)(nil); errors.As(err, &other) {
		return other
	}
	if err == nil && repairing {
		err = s.repair(context.Background())
	}
	if err == nil {
		err = s.endLeases()
	}
	if err != nil {
		return s.trouble(err)
	}
	return s.prepareContent()
}

// create lays out an empty database.
func (s *Store) create(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	for _, name := range indices() {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	for _, name := range [][]byte{transfersBucket, valuesBucket, heldBucket, contentBucket, digestsBucket, journalBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	s.chain = uuid.NewString()
	return errors.Join(meta.Put(formatKey, []byte(format)), meta.Put(chainKey, []byte(s.chain)))
}

func (s *Store) file() string { return filepath.Join(s.dir, databaseName) }

// Close ends what is being read and gives the folder free. Changes that were
// not committed before return errors; closing twice is no error.
func (s *Store) Close() error {
	s.closed.Store(true)
	s.indexer.stop()
	s.putList()
	if err := s.db.Close(); err != nil {
		return s.trouble(err)
	}
	return nil
}

// usable is the first thing every method asks.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed
	}
	return ctx.Err()
}

// alone waits until no Backup, Check or Sweep is at work, and keeps others out
// until free is called.
func (s *Store) alone(ctx context.Context) (free func(), err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	select {
	case s.single <- struct{}{}:
		return func() { <-s.single }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) view(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	err := s.db.View(fn)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

// refusal is the answer of a change that wrote nothing, so that the others of
// its batch need not be rolled back and tried again.
type refusal struct{ reason error }

func (r refusal) Error() string { return r.reason.Error() }

// commit runs fn in a transaction that it may share, and returns when that is
// on disk. fn may run more than once: it begins by resetting what it captured.
func (s *Store) commit(ctx context.Context, fn func(*bbolt.Tx) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	var refused error
	err := s.group.do(s, func(tx *bbolt.Tx) error {
		refused = nil
		err := fn(tx)
		if r, ok := err.(refusal); ok {
			refused, err = r.reason, nil
		}
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return errClosed
	case err != nil:
		return s.trouble(err)
	}
	return refused
}

// trouble names the database in an error of bbolt. Where bbolt has turned the
// system's error into text (when the file is to grow), it is found again, so
// that a full disk can be told from a broken one.
func (s *Store) trouble(err error) error {
	var known syscall.Errno
	if !errors.As(err, &known) {
		for _, e := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO} {
			if before, ok := strings.CutSuffix(err.Error(), e.Error()); ok {
				err = fmt.Errorf("%s%w", before, e)
				break
			}
		}
	}
	return fmt.Errorf("boltstore: %s: %w", s.file(), err)
}
