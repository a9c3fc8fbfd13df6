package boltstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/failpoint"
)

func (s *Store) content(elem ...string) string {
	return filepath.Join(append([]string{s.dir, "content"}, elem...)...)
}

// prepareContent makes the names of the folders there are durable, and removes
// what is left in tmp: it was never acknowledged.
func (s *Store) prepareContent() error {
	if err := os.RemoveAll(s.content("tmp")); err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	if err := os.MkdirAll(s.content("tmp"), 0o700); err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	return errors.Join(syncFolder(s.content()), syncFolder(s.dir))
}

// shelf returns the folder for a digest, made durable. A second writer waits
// until the first has done so, as it relies on the name as well.
func (s *Store) shelf(digest string) (string, error) {
	dir := s.content(digest[:2])
	s.shelves.Lock()
	defer s.shelves.Unlock()
	if _, err := os.Stat(dir); err == nil { // much cheaper than a Mkdir that is refused
		return dir, nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("boltstore: %w", err)
	}
	if err := syncFolder(s.content()); err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, nil
}

// makeFolder makes dir if there is none, durably unless the folder around it
// may be written but not read by us.
func makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	if err := syncFolder(filepath.Dir(dir)); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// syncFolder makes the names in a folder durable. Windows has no such call; its
// file systems keep a journal of names.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	return nil
}

// Put stores everything r yields: small content in memory, for the commit of
// the change that needs it, large content in a file. A disk that is full, or
// cannot be written, gives an error that names the path and wraps the system's
// error.
func (s *Store) Put(ctx context.Context, r io.Reader) (node.Content, error) {
	if err := s.usable(ctx); err != nil {
		return node.Content{}, err
	}
	src := &source{ctx: ctx, r: r}
	buf := s.buffers.Get().(*[]byte)
	n, err := io.ReadFull(src, *buf)
	if src.err == nil && err == nil {
		defer s.buffers.Put(buf)
		return s.putFile(src, *buf)
	}
	data := bytes.Clone((*buf)[:n])
	s.buffers.Put(buf) // before anything is waited for
	if src.err != nil {
		return node.Content{}, src.err
	}
	return s.putSmall(ctx, data)
}

// putSmall stages content, and waits while there is too much of it.
func (s *Store) putSmall(ctx context.Context, data []byte) (node.Content, error) {
	c := node.Content{SHA256: digestOf(data), Size: int64(len(data))}
	for !s.staged.add(c.SHA256, data, time.Now()) {
		if err := s.clear(ctx); err != nil {
			return node.Content{}, err
		}
	}
	return c, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// putFile stores content in a file: begun, which fills the buffer, and the rest
// of src.
func (s *Store) putFile(src *source, begun []byte) (node.Content, error) {
	f, err := os.CreateTemp(s.content("tmp"), "put-")
	if err != nil {
		return node.Content{}, fmt.Errorf("boltstore: %w", err)
	}
	tmp := &upload{File: f}
	defer tmp.discard() // also when the reader panics
	c, err := fill(tmp, src, begun)
	if err != nil {
		return node.Content{}, err
	}
	failpoint.Hit(failpoint.ContentWritten)
	shelf, err := s.shelf(c.SHA256)
	if err != nil {
		return node.Content{}, err
	}
	now := time.Now() // the clock that Sweep is given, not that of the file system
	if err := os.Chtimes(tmp.Name(), now, now); err != nil {
		return node.Content{}, fmt.Errorf("boltstore: %w", err)
	}
	if err := s.settle(tmp, filepath.Join(shelf, c.SHA256)); err != nil {
		return node.Content{}, fmt.Errorf("boltstore: content: %w", err)
	}
	failpoint.Hit(failpoint.ContentKept)
	return c, nil
}

// settle gives a file its name and makes both durable, at the same time where
// nothing has the name yet: a power cut in between leaves a file that nothing
// needs, and whose place the same content takes when it comes again.
func (s *Store) settle(tmp *upload, path string) error {
	octets := func() error { return s.slowly(tmp.sync) }
	names := func() error { return s.slowly(func() error { return syncFolder(filepath.Dir(path)) }) }
	if runtime.GOOS != "windows" { // where a file that is open cannot be renamed
		if err := s.name(tmp, path); err != nil {
			return err
		}
	}
	if !tmp.named {
		if err := errors.Join(octets(), tmp.Close()); err != nil {
			return err
		}
		if err := s.name(tmp, path); err != nil {
			return err
		}
	}
	failpoint.Hit(failpoint.ContentNamed)
	var last errgroup.Group
	if !tmp.synced {
		last.Go(octets)
	}
	last.Go(names)
	return last.Wait()
}

// name gives a file its name, unless it is not synced and something has the name
// already: that is the same content, or was until the disk spoiled it, and may
// be needed.
func (s *Store) name(tmp *upload, path string) error {
	s.shelves.Lock() // against another Put, and a Sweep that is about to remove what has the name
	defer s.shelves.Unlock()
	if !tmp.synced {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return tmp.rename(path)
}

// slowly syncs, on a disk that is as slow as Options.SyncDelay says.
func (s *Store) slowly(sync func() error) error {
	time.Sleep(s.delay)
	return sync()
}

// fill writes begun and the rest of src into tmp. The buffer of begun serves
// for the rest.
func fill(tmp *upload, src *source, begun []byte) (node.Content, error) {
	digest := sha256.New()
	to := io.MultiWriter(tmp, digest)
	n := int64(len(begun))
	_, err := to.Write(begun)
	if err == nil {
		var rest int64
		rest, err = io.CopyBuffer(to, src, begun[:cap(begun)])
		n += rest
	}
	if src.err != nil {
		return node.Content{}, src.err
	}
	if err == nil {
		err = tmp.complete()
	}
	if err != nil {
		return node.Content{}, fmt.Errorf("boltstore: content: %w", err)
	}
	return node.Content{SHA256: hex.EncodeToString(digest.Sum(nil)), Size: n}, nil
}

// source remembers the error of its reader, to tell it from one of the disk,
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

// opened is a content file.
type opened struct {
	*os.File
	size int64
}

func (o opened) Size() int64 { return o.size }

// inMemory is small content.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// Open gives stored content back. Anything but 64 lower-case hex digits names
// no content, and reaches no disk.
func (s *Store) Open(ctx context.Context, sha256 string) (node.Opened, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if !isDigest(sha256) {
		return nil, fmt.Errorf("boltstore: %.80q is no digest: %w", sha256, node.ErrNotFound)
	}
	if c, there := s.staged.get(sha256); there { // before the database, where it goes from there
		return inMemory{bytes.NewReader(c.data)}, nil
	}
	var data []byte
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		if place, there := smallOf(tx, sha256); there {
			data = append([]byte{}, place.data(tx)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if data != nil {
		return inMemory{bytes.NewReader(data)}, nil
	}
	return s.openFile(sha256)
}

func (s *Store) openFile(digest string) (node.Opened, error) {
	f, err := os.Open(s.content(digest[:2], digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("boltstore: content %s: %w", digest, node.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("boltstore: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("boltstore: %w", err), f.Close())
	}
	return opened{f, info.Size()}, nil
}

const digestLen = 2 * sha256.Size // hexadecimal digits

func isDigest(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == digestLen
}
