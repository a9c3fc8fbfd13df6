package boltstore

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

// furnish fills a store with a little of everything.
func furnish(t *testing.T, s *Store) {
	t.Helper()
	for i := range 5 {
		tr := document(i)
		tr.Envelope, tr.Unknown = put(t, s, fmt.Sprint("envelope ", i)), `,"later":true`
		tr.Parts = []node.Part{{Content: put(t, s, large(fmt.Sprint("part ", i%2)))}}
		if err := s.Create(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetValue(t.Context(), "v", []byte("1"), put(t, s, "held").SHA256); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), node.Out, "w", time.Unix(100, 0), time.Hour); err != nil {
		t.Fatal(err)
	}
	put(t, s, large("orphan"))
}

func check1(t *testing.T, s *Store) *CheckReport {
	t.Helper()
	r, err := s.Check(t.Context(), CheckOptions{Deep: true, Pages: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBackupAndRestore(t *testing.T) {
	s := open(t, t.TempDir())
	furnish(t, s)
	var b bytes.Buffer
	m, err := s.Backup(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	if m.Records != 5 || m.Files != 2 || m.Rows != 5 || m.Head == "" {
		t.Errorf("%+v", m)
	}
	if err := s.Create(t.Context(), document(9)); err != nil { // after it
		t.Fatal(err)
	}
	want, err := s.Transfer(t.Context(), numbered(3))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	dir := filepath.Join(t.TempDir(), "again")
	if err := os.Mkdir(dir, 0o700); err != nil { // empty will do
		t.Fatal(err)
	}
	got, err := Restore(t.Context(), dir, bytes.NewReader(b.Bytes()))
	if err != nil || got != m {
		t.Fatalf("%+v, error %v, want %+v", got, err, m)
	}
	if records := audit(t, dir); records != 5 {
		t.Errorf("%d records", records)
	}
	again := open(t, dir)
	defer again.Close()
	if r := check1(t, again); r.Damaged() || r.Orphans != 0 || r.Small != 6 || r.Files != 2 || r.Chain.Rows != 5 {
		t.Errorf("%+v", r)
	}
	tr, err := again.Transfer(t.Context(), numbered(3))
	if err != nil || tr.Envelope != want.Envelope || tr.Unknown != `,"later":true` {
		t.Errorf("%+v, error %v", tr, err)
	}
	if read1(t, again, tr.Parts[0].Content.SHA256) != large("part 1") {
		t.Error("other content")
	}

	var full *NotEmptyError
	if _, err := Restore(t.Context(), dir, bytes.NewReader(b.Bytes())); !errors.As(err, &full) {
		t.Errorf("into a store: error %v", err)
	}
}

// A backup that is not what was written leaves nothing behind.
func TestRestoreRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	furnish(t, s)
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries := unpacked(t, b.Bytes())
	for name, c := range map[string]struct {
		backup []byte
		want   string
	}{
		"cut off in the database": {b.Bytes()[:10_000], "cut off"},
		"cut off before its end":  {packed(t, entries[:len(entries)-1]), "cut off"},
		"without a content":       {packed(t, append(entries[:1:1], entries[2:]...)), "missing contents"},
		"without the database":    {packed(t, entries[1:]), "the database is damaged"},
		"a changed content":       {packed(t, changed(entries, 1, "p", "q")), "is damaged: its digest is"},
		"a changed small content": {packed(t, changed(entries, 0, "envelope 3", "envelope 4")), "the database is damaged: its digest"},
		"a changed journal":       {packed(t, rehashed(changed(entries, 0, `"seq":3`, `"seq":4`))), "journal breaches"},
		"another small content":   {packed(t, rehashed(changed(entries, 0, "envelope 3", "envelope 4"))), "spoiled contents"},
		"senseless pages":         {packed(t, rehashed([]file{{databaseName, entries[0].data[:3*4096] + strings.Repeat("\xff", len(entries[0].data)-3*4096)}, entries[1], entries[2], entries[3]})), "the file is damaged"},
		"a way out":               {packed(t, append([]file{{"../x", "x"}}, entries...)), `it holds "../x"`},
		"another way out":         {packed(t, append([]file{{"content/../../x", "x"}}, entries...)), `it holds "content/../../x"`},
		"a file twice":            {packed(t, append(entries[:1:1], entries...)), "file exists"},
		"no tar":                  {[]byte(strings.Repeat("no tar", 1000)), "no backup of a store"},
		"nothing":                 {nil, "cut off"},
	} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "again")
		_, err := Restore(t.Context(), dir, bytes.NewReader(c.backup))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "boltstore: restore: ") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}

type file struct{ name, data string }

func unpacked(t *testing.T, b []byte) (all []file) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file{h.Name, string(data)})
	}
}

func packed(t *testing.T, all []file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range all {
		if err := w.WriteHeader(entryOf(f.name, int64(len(f.data)), time.Now())); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func changed(all []file, i int, old, with string) []file {
	all = append([]file{}, all...)
	all[i].data = strings.ReplaceAll(all[i].data, old, with)
	return all
}

// rehashed makes the manifest, the last entry, say the digest of the database.
func rehashed(all []file) []file {
	all = append([]file{}, all...)
	was := regexp.MustCompile(`"sha256": "[0-9a-f]*"`)
	last := &all[len(all)-1]
	last.data = was.ReplaceAllString(last.data, `"sha256": "`+digestOf([]byte(all[0].data))+`"`)
	return all
}

// blocking lets a writer stand still until it may go on.
type blocking struct {
	io.Writer
	reached, goOn chan struct{}
	n             int
}

func (b *blocking) Write(p []byte) (int, error) {
	if b.n++; b.n == 2 {
		close(b.reached)
		<-b.goOn
	}
	return b.Writer.Write(p)
}

// Traffic goes on while a backup stands still in the middle, and the backup
// shows none of it.
func TestBackupIsOneMoment(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	furnish(t, s)
	var b bytes.Buffer
	w := &blocking{&b, make(chan struct{}), make(chan struct{}), 0}
	done := make(chan error)
	go func() { _, err := s.Backup(t.Context(), w); done <- err }()
	<-w.reached
	for i := 10; i < 50; i++ { // more than the file had room for
		tr := document(i)
		tr.Envelope = put(t, s, large(fmt.Sprint("late ", i))[:maxSmall-i])
		if err := s.Create(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove(t.Context(), numbered(1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sweep(ctx, later(), false); !errors.Is(err, context.Canceled) {
		t.Errorf("a sweep beside a backup: error %v", err)
	}
	close(w.goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "again")
	if m, err := Restore(t.Context(), dir, &b); err != nil || m.Records != 5 {
		t.Errorf("%+v, error %v", m, err)
	}
	if records := audit(t, dir); records != 5 {
		t.Errorf("%d records", records)
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	furnish(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error)
	go func() { _, err := s.Backup(ctx, w); done <- err }()
	if _, err := r.Read(make([]byte, 512)); err != nil {
		t.Fatal(err)
	}
	cancel()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	r.Close()
}

func TestRestoreEndsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	furnish(t, s)
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	parent := t.TempDir()
	half := io.MultiReader(bytes.NewReader(b.Bytes()[:b.Len()/2]), after{cancel}, bytes.NewReader(b.Bytes()[b.Len()/2:]))
	if _, err := Restore(ctx, filepath.Join(parent, "again"), half); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// after is an empty reader that does something when it is reached.
type after struct{ do func() }

func (a after) Read([]byte) (int, error) { a.do(); return 0, io.EOF }

func TestCheckNamesTheDamage(t *testing.T) {
	bucket := func(name string, do func(*bbolt.Bucket) error) func(*testing.T, *Store) {
		return func(t *testing.T, s *Store) {
			t.Helper()
			if err := s.db.Update(func(tx *bbolt.Tx) error { return do(tx.Bucket([]byte(name))) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		damage  func(*testing.T, *Store)
		found   func(*CheckReport) Found
		want    string
		curable bool
	}{
		"an index entry is missing": {bucket(uniqueBucket, func(b *bbolt.Bucket) error { return b.Delete([]byte("unique 3")) }),
			func(r *CheckReport) Found { return r.Indices }, "unique of " + numbered(3) + " is missing", true},
		"an index entry is too many": {bucket("out.box", func(b *bbolt.Bucket) error { return b.Put([]byte("stray"), nil) }),
			func(r *CheckReport) Found { return r.Indices }, "out.box has 1 entries too many", true},
		"a word is missing": {bucket("out.words", func(b *bbolt.Bucket) error { return unpost(b, []byte("ngh\x00"), numbered(3)) }),
			func(r *CheckReport) Found { return r.Indices }, "out.words of " + numbered(3) + " is missing", true},
		"a word is too many": {bucket("out.words", func(b *bbolt.Bucket) error { return post(b, []byte("xyz\x00"), []string{numbered(3)}) }),
			func(r *CheckReport) Found { return r.Indices }, "out.words has 1 entries too many", true},
		"a key of another": {bucket(uniqueBucket, func(b *bbolt.Bucket) error { return b.Put([]byte("unique 3"), []byte(numbered(2))) }),
			func(r *CheckReport) Found { return r.Indices }, "unique of " + numbered(3) + " is missing", true},
		"a counter is wrong": {bucket(countsBucket, func(b *bbolt.Bucket) error { return b.Put([]byte("out/queued"), seqKey(4)) }),
			func(r *CheckReport) Found { return r.Indices }, `counter "out/queued" is 4, the records say 5`, true},
		"a record is unreadable": {bucket("transfers", func(b *bbolt.Bucket) error { return b.Put([]byte(numbered(3)), []byte("{")) }),
			func(r *CheckReport) Found { return r.Unread }, numbered(3), false},
		"a row is changed": {bucket("journal", func(b *bbolt.Bucket) error {
			return b.Put(seqKey(3), bytes.Replace(b.Get(seqKey(3)), []byte("queued"), []byte("failed"), 1))
		}), func(r *CheckReport) Found { return r.Breaches }, "row 3: the row does not have the hash that it names", false},
		"the last row is gone": {bucket("journal", func(b *bbolt.Bucket) error { return b.Delete(seqKey(5)) }),
			func(r *CheckReport) Found { return r.Breaches }, numbered(4) + ` is queued, the journal says ""`, false},
		"small content is spoiled": {bucket("content", func(b *bbolt.Bucket) error { return b.Put(seqKey(1), []byte("other")) }),
			func(r *CheckReport) Found { return r.Spoiled }, digestOf([]byte("envelope 0")), false},
		"small content is gone": {func(t *testing.T, s *Store) {
			if err := s.db.Update(func(tx *bbolt.Tx) error { return removeSmall(tx, digestOf([]byte("envelope 0"))) }); err != nil {
				t.Fatal(err)
			}
		}, func(r *CheckReport) Found { return r.Missing }, digestOf([]byte("envelope 0")) + ", needed by " + numbered(0), false},
		"a file is gone": {func(t *testing.T, s *Store) {
			if err := os.Remove(contentFiles(t, s)[0]); err != nil {
				t.Fatal(err)
			}
		}, func(r *CheckReport) Found { return r.Missing }, ", needed by ", false},
		"a file is spoiled": {func(t *testing.T, s *Store) {
			if err := os.WriteFile(contentFiles(t, s)[0], []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, func(r *CheckReport) Found { return r.Spoiled }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			furnish(t, s)
			if _, err := s.Sweep(t.Context(), later(), false); err != nil {
				t.Fatal(err)
			}
			s.indexer.stop()
			for more, err := true, error(nil); more; {
				if more, err = s.index(); err != nil {
					t.Fatal(err)
				}
			}
			if r := check1(t, s); r.Damaged() {
				t.Fatalf("before: %+v", r)
			}
			c.damage(t, s)
			r := check1(t, s)
			if f := c.found(r); f.Count != 1 && name != "a file is gone" || !strings.Contains(strings.Join(f.Named, " "), c.want) || r.damage() != f.Count {
				t.Errorf("%+v, want %q", r, c.want)
			}
			if r.Curable() != c.curable {
				t.Errorf("curable: %v", r.Curable())
			}
			if c.curable {
				if err := s.Repair(t.Context()); err != nil {
					t.Fatal(err)
				}
				if r := check1(t, s); r.Damaged() {
					t.Errorf("after the repair: %+v", r)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if c.curable {
				audit(t, dir)
			}
		})
	}
}

// A repair that was killed is begun again by the next Open.
func TestRepairGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	furnish(t, s)
	s.indexer.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.repair(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if records := audit(t, dir); records != 5 {
		t.Errorf("%d records", records)
	}
}
