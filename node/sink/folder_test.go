package sink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
)

// opener opens contents, which are named by what they hold.
func opener(c node.Content) (io.ReadCloser, error) {
	if c.SHA256 == "broken" {
		return io.NopCloser(io.MultiReader(strings.NewReader("half"), failing{})), nil
	}
	return io.NopCloser(strings.NewReader(c.SHA256)), nil
}

type failing struct{}

var errDisk = errors.New("disk on fire")

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func transfer(names ...string) *node.Transfer {
	t := &node.Transfer{ID: "id-1", Direction: node.In, State: node.Verified, Envelope: node.Content{SHA256: "<envelope/>"}}
	for _, n := range names {
		t.Parts = append(t.Parts, node.Part{Name: n, Content: node.Content{SHA256: "content of " + n}})
	}
	return t
}

func names(t *testing.T, dir ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir...))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestDeliver delivers twice; the second time changes nothing, whatever the
// document system did to the folder.
func TestDeliver(t *testing.T) {
	f := sink.Folder{Dir: filepath.Join(t.TempDir(), "a", "b")}
	x := transfer("công văn.pdf")
	if err := f.Deliver(t.Context(), x, opener); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Dir, x.ID); !slices.Equal(got, []string{"công văn.pdf", "envelope.xml", "transfer.json"}) {
		t.Fatalf("%q", got)
	}
	var record node.Transfer
	b, _ := os.ReadFile(filepath.Join(f.Dir, x.ID, "transfer.json"))
	if err := json.Unmarshal(b, &record); err != nil || record.ID != x.ID {
		t.Errorf("transfer.json: %+v, %v", record, err)
	}
	if err := os.Remove(filepath.Join(f.Dir, x.ID, "envelope.xml")); err != nil {
		t.Fatal(err)
	}
	never := func(node.Content) (io.ReadCloser, error) { return nil, errors.New("opened again") }
	if err := f.Deliver(t.Context(), x, never); err != nil {
		t.Error(err)
	}
	if got := names(t, f.Dir, x.ID); len(got) != 2 {
		t.Errorf("the second delivery left %q", got)
	}
	if got := names(t, f.Dir); !slices.Equal(got, []string{x.ID}) {
		t.Errorf("beside the folder: %q", got)
	}
	if info, err := os.Stat(filepath.Join(f.Dir, x.ID)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestDeliverAfterCrash finds what a crash in the middle left behind.
func TestDeliverAfterCrash(t *testing.T) {
	f := sink.Folder{Dir: t.TempDir()}
	x := transfer("a.pdf")
	left := filepath.Join(f.Dir, ".tmp-"+x.ID)
	if err := os.MkdirAll(filepath.Join(left, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "a.pdf"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Deliver(t.Context(), x, opener); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Dir); !slices.Equal(got, []string{x.ID}) {
		t.Errorf("%q", got)
	}
	if b, err := os.ReadFile(filepath.Join(f.Dir, x.ID, "a.pdf")); string(b) != "content of a.pdf" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// TestDeliverFails leaves nothing behind when a content cannot be read.
func TestDeliverFails(t *testing.T) {
	f := sink.Folder{Dir: t.TempDir()}
	x := transfer("a.pdf", "b.pdf")
	x.Parts[1].Content.SHA256 = "broken"
	if err := f.Deliver(t.Context(), x, opener); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	if got := names(t, f.Dir); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// TestHostileNames delivers attachments whose names mean harm.
func TestHostileNames(t *testing.T) {
	long := strings.Repeat("Báo cáo về việc ", 30) + ".pdf"
	hostile := []string{"../../x", "", "con\x00", long, long, "transfer.json", "envelope.xml", "a.pdf", "a.pdf", "a.pdf", "/etc/passwd",
		`..\..\x.exe`, ".", "..", "...", " .hidden", "a\nb", "hoa\u202Efdp.exe", "\xff\xfe.pdf", "x." + strings.Repeat("y", 300), "a (2).pdf", "   ", "\u0085"}
	dir := t.TempDir()
	f := sink.Folder{Dir: filepath.Join(dir, "in")}
	x := transfer(hostile...)
	if err := f.Deliver(context.Background(), x, opener); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"in"}) {
		t.Errorf("written outside: %q", got)
	}
	got := names(t, f.Dir, x.ID)
	if len(got) != len(hostile)+2 {
		t.Errorf("%d files of %d: %q", len(got)-2, len(hostile), got)
	}
	contents := map[string]bool{}
	for _, n := range got {
		if len(n) > 200 || !utf8.ValidString(n) || strings.ContainsAny(n, "/\\\x00\n\u202E\u0085") || strings.HasPrefix(n, ".") {
			t.Errorf("name %q of %d bytes", n, len(n))
		}
		b, err := os.ReadFile(filepath.Join(f.Dir, x.ID, n))
		if err != nil {
			t.Error(err)
		}
		contents[string(b)] = true
	}
	for _, n := range hostile {
		if !contents["content of "+n] {
			t.Errorf("the file %q is lost", n)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(f.Dir, x.ID, "envelope.xml")); !bytes.Equal(b, []byte("<envelope/>")) {
		t.Errorf("the envelope was replaced by %q", b)
	}
}

// FuzzFileName makes file names of anything.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{"a.pdf", "", "../..", strings.Repeat("ế", 100) + ".docx", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		used := map[string]bool{"transfer.json": true}
		for i := range 12 {
			n := sink.FileName(s, i, used)
			if n == "" || len(n) > 200 || !utf8.ValidString(n) || n[0] == '.' || n == "transfer.json" || filepath.Base(n) != n {
				t.Fatalf("%q of %q", n, s)
			}
			if !used[n] || len(used) != i+2 {
				t.Fatalf("%q of %q is not remembered: %v", n, s, used)
			}
		}
	})
}

// TestNotify tells twice that a Transfer was given up, and once after a crash.
func TestNotify(t *testing.T) {
	f := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
	x := given(transfer())
	x.LastError = "refused"
	if err := f.Notify(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	y := given(transfer())
	y.LastError = "other"
	if err := f.Notify(t.Context(), y); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(filepath.Join(f.Dir, "id-1.failed.json"))
	if !strings.Contains(string(b), `"lastError": "refused"`) || len(names(t, f.Dir)) != 1 {
		t.Errorf("%s in %q", b, names(t, f.Dir))
	}
	z := given(transfer())
	z.ID = "id-2"
	if err := os.WriteFile(filepath.Join(f.Dir, ".tmp-id-2"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Notify(t.Context(), z); err != nil {
		t.Fatal(err)
	}
	if got := names(t, f.Dir); !slices.Equal(got, []string{"id-1.failed.json", "id-2.failed.json"}) {
		t.Errorf("%q", got)
	}
}

// given makes a Transfer an outgoing one that was given up.
func given(t *node.Transfer) *node.Transfer {
	t.Direction, t.State = node.Out, node.Failed
	return t
}

// TestNotifyRecalled tells twice that a delivered document was taken back.
func TestNotifyRecalled(t *testing.T) {
	f := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
	x := transfer("a.pdf")
	if err := f.Deliver(t.Context(), x, opener); err != nil {
		t.Fatal(err)
	}
	x.State = node.Sealed
	for range 2 {
		if err := f.Notify(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		if got := names(t, f.Dir); !slices.Equal(got, []string{"id-1.recalled.json"}) {
			t.Errorf("%q", got)
		}
	}
}
