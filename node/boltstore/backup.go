package boltstore

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/failpoint"
)

const (
	databaseName = "lienthong.db"
	manifestName = "backup.json" // the last entry: without it a backup was cut off
	maxManifest  = 64 << 20
)

// Manifest says what a backup holds.
type Manifest struct {
	Format   string    `json:"format"`
	Taken    time.Time `json:"taken"`
	Chain    string    `json:"chain"` // of the journal
	Rows     uint64    `json:"rows"`  // of the journal
	Head     string    `json:"head"`  // hash of the last of them
	Records  int       `json:"records"`
	Database int64     `json:"database"` // octets
	SHA256   string    `json:"sha256"`   // of the database
	Files    int       `json:"files"`    // of large content
	Octets   int64     `json:"octets"`   // of them all
}

// Backup writes the store as it is at one moment into w, as a tar of the files
// of its folder and a manifest. Changes go on meanwhile; a Sweep waits. It ends
// with the context.
func (s *Store) Backup(ctx context.Context, w io.Writer) (Manifest, error) {
	m := Manifest{Format: format, Taken: time.Now().UTC(), Chain: s.chain}
	free, err := s.alone(ctx)
	if err != nil {
		return m, err
	}
	defer free()
	out := tar.NewWriter(&untilDone{ctx, w})
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		if key, row := tx.Bucket(journalBucket).Cursor().Last(); key != nil {
			m.Rows, m.Head = seqNumber(key), node.RowHash(row)
		}
		m.Records, m.Database = tx.Bucket(transfersBucket).Stats().KeyN, tx.Size()
		if err := out.WriteHeader(entryOf(databaseName, tx.Size(), m.Taken)); err != nil {
			return err
		}
		digest := sha256.New()
		if _, err := tx.WriteTo(io.MultiWriter(out, digest)); err != nil {
			return err
		}
		m.SHA256 = hex.EncodeToString(digest.Sum(nil))
		failpoint.Hit(failpoint.BackupDatabase)
		return s.backupFiles(tx, out, &m)
	})
	if err != nil {
		return m, fmt.Errorf("boltstore: backup: %w", err)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = out.WriteHeader(entryOf(manifestName, int64(len(text)), m.Taken))
	}
	if err == nil {
		_, err = out.Write(text)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return m, fmt.Errorf("boltstore: backup: %w", err)
	}
	return m, nil
}

// backupFiles writes the large contents that are needed.
func (s *Store) backupFiles(tx *bbolt.Tx, out *tar.Writer, m *Manifest) error {
	return eachHeld(tx, func(digest string) error {
		if _, there := smallOf(tx, digest); there {
			return nil
		}
		f, err := os.Open(s.content(digest[:2], digest))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w (fsck says who needs it)", &node.MissingError{SHA256: digest})
		}
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if err := out.WriteHeader(entryOf(path.Join("content", digest[:2], digest), info.Size(), info.ModTime())); err != nil {
			return err
		}
		m.Files, m.Octets = m.Files+1, m.Octets+info.Size()
		_, err = io.Copy(out, f)
		return err
	})
}

// eachHeld calls do once for each content that is needed, in order.
func eachHeld(tx *bbolt.Tx, do func(digest string) error) error {
	c := tx.Bucket([]byte(holdsBucket)).Cursor()
	for k, _ := c.First(); k != nil; {
		digest := string(k[:digestLen])
		if err := do(digest); err != nil {
			return err
		}
		k, _ = c.Seek([]byte(digest + "\x01")) // behind all who need it
	}
	return nil
}

func entryOf(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: at.Truncate(time.Second), Format: tar.FormatPAX}
}

// untilDone is a writer that ends with its context.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u *untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// Restore makes the store in dir out of a backup. dir must not be there, or be
// empty. Every content is held against its digest, the database against its
// own rules; when anything is wrong nothing is left behind. The leases of the
// backup end, as those of a dead process.
func Restore(ctx context.Context, dir string, r io.Reader) (m Manifest, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return m, fmt.Errorf("boltstore: restore: %w", err)
	}
	if err := vacant(dir); err != nil {
		return m, err
	}
	made := dir + ".restoring"
	if err := os.RemoveAll(made); err != nil {
		return m, fmt.Errorf("boltstore: restore: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boltstore: restore: %w", err), os.RemoveAll(made))
		}
	}()
	if m, err = unpack(ctx, made, r); err != nil {
		return m, err
	}
	if err := proven(ctx, made, m); err != nil {
		return m, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if err := os.Rename(made, dir); err != nil {
		return m, err
	}
	return m, syncFolder(filepath.Dir(dir))
}

// NotEmptyError says that there is something in a folder already.
type NotEmptyError struct {
	Dir string
}

// Error names the folder.
func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("boltstore: %s: the folder is not empty", e.Dir)
}

func vacant(dir string) error {
	there, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("boltstore: restore: %w", err)
	}
	if len(there) > 0 {
		return &NotEmptyError{Dir: dir}
	}
	return nil
}

// ErrBackup says that what is to be restored is no backup, or not a whole one.
var ErrBackup = errors.New("the backup is unusable")

var errCutOff = fmt.Errorf("%w: it is cut off, its end is missing", ErrBackup)

// unpack writes the files of a backup into a new folder, each synced.
func unpack(ctx context.Context, dir string, r io.Reader) (m Manifest, err error) {
	in, database := tar.NewReader(r), ""
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return m, errCutOff
		}
		if err != nil {
			return m, fmt.Errorf("%w: no backup of a store: %w", ErrBackup, err)
		}
		if h.Name == manifestName {
			if err := json.NewDecoder(io.LimitReader(in, maxManifest)).Decode(&m); err != nil {
				return m, fmt.Errorf("%w: its manifest: %w", ErrBackup, err)
			}
			if m.SHA256 != database {
				return m, fmt.Errorf("%w: the database is damaged: its digest is %q, the manifest says %q", ErrBackup, database, m.SHA256)
			}
			return m, nil
		}
		digest, err := unpackFile(ctx, dir, h.Name, in)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errCutOff
		}
		if err != nil {
			return m, err
		}
		if h.Name == databaseName {
			database = digest
		}
	}
}

// unpackFile writes one file and returns its digest. Only the names of a store
// lead anywhere.
func unpackFile(ctx context.Context, dir, name string, r io.Reader) (string, error) {
	digest := ""
	if rest, ok := strings.CutPrefix(name, "content/"); ok {
		shelf, file, _ := strings.Cut(rest, "/")
		if !isDigest(file) || shelf != file[:2] {
			return "", fmt.Errorf("%w: no backup of a store: it holds %q", ErrBackup, name)
		}
		digest = file
	} else if name != databaseName {
		return "", fmt.Errorf("%w: no backup of a store: it holds %q", ErrBackup, name)
	}
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	c, err := fill(&upload{File: f}, &source{ctx: ctx, r: r}, make([]byte, maxSmall)[:0])
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if digest != "" && c.SHA256 != digest {
		return "", fmt.Errorf("%w: content %s is damaged: its digest is %s", ErrBackup, digest, c.SHA256)
	}
	return c.SHA256, syncFolder(filepath.Dir(file))
}

// proven opens a restored store and checks all of it.
func proven(ctx context.Context, dir string, m Manifest) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	report, err := s.Check(ctx, CheckOptions{Deep: true, Pages: true})
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if report.Damaged() {
		return &DamageError{Report: report}
	}
	head := ""
	if report.Chain != nil {
		head = report.Chain.Head
	}
	if head != m.Head && m.Format == format {
		return fmt.Errorf("%w: the journal ends with the hash %q, the manifest says %q", ErrBackup, head, m.Head)
	}
	return nil
}
