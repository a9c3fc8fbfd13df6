package drop

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/boltstore"
)

// house is a drop folder with its node. The watcher looks when it is told to.
type house struct {
	*watcher
	t    *testing.T
	node *node.Node
	log  bytes.Buffer
}

func open(t *testing.T, dir string, around func(http.Handler) http.Handler) *house {
	t.Helper()
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	routes := api.New(n, api.Options{}).Local()
	if around != nil {
		routes = around(routes)
	}
	for _, name := range []string{Outgoing, Accepted, Rejected, Incoming} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	h := &house{t: t, node: n}
	h.watcher = &watcher{root: root, seen: map[string]sighting{}, Folder: Folder{
		Dir: dir, Door: api.InProcess(routes), Settle: 5 * time.Second, Young: time.Minute, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	}}
	return h
}

func packet(t *testing.T, number string) []byte {
	t.Helper()
	d := &edxml.Document{
		From: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, To: []edxml.Organ{{OrganID: "H41"}},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "VP-TTĐT"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"}, Subject: "Về việc " + number,
		Attachments: []edxml.Attachment{{Name: number + ".pdf", Content: strings.NewReader("nội dung " + number)}},
	}
	d.DocumentID = edxml.DocumentID("G22", "2026/03/02", d.Code)
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// drop writes a file into outgoing whose last change was a while ago.
func (h *house) drop(name string, content []byte, age time.Duration) {
	h.t.Helper()
	file := filepath.Join(h.Dir, Outgoing, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		h.t.Fatal(err)
	}
	at := time.Now().Add(-age)
	if err := os.Chtimes(file, at, at); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) names(folder string) string {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.Dir, folder))
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, ", ")
}

func (h *house) result(folder, name string) Result {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.Dir, folder, name+resultMark))
	if err != nil {
		h.t.Fatal(err)
	}
	var r Result
	if err := json.Unmarshal(b, &r); err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) outbox() int {
	h.t.Helper()
	all, err := h.node.Store.List(h.t.Context(), node.Out, "", 100)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(all)
}

const (
	vietnamese = "Công văn số 1 (bản chính).edxml"
	old        = time.Hour
)

// TestMarked takes a file with a mark at once, whatever it is called.
func TestMarked(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.drop(vietnamese, packet(t, "1"), 0)
	h.look(t.Context())
	if h.outbox() != 0 {
		t.Fatal("taken before it was complete")
	}
	h.drop(vietnamese+".done", nil, 0)
	h.look(t.Context())
	r := h.result(Accepted, vietnamese)
	if h.outbox() != 1 || !r.Accepted || r.DocumentID != "G22,2026/03/02,1/VP-TTĐT" || r.State != node.Queued || r.Transfer == "" {
		t.Errorf("%+v", r)
	}
	if left := h.names(Outgoing); left != "" {
		t.Errorf("left in outgoing: %s", left)
	}
	// dropped once more: the same document, another file
	h.drop(vietnamese, packet(t, "1"), 0)
	h.drop(vietnamese+".done", nil, 0)
	h.look(t.Context())
	if again := h.result(Accepted, "Công văn số 1 (bản chính) (2).edxml"); !again.Existed || again.Transfer != r.Transfer || h.outbox() != 1 {
		t.Errorf("%+v", again)
	}
}

// TestRenamed leaves alone what is being written, and takes it when it has its name.
func TestRenamed(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)))
		h := open(t, dir, nil)
		for _, name := range []string{".x.edxml", "x.edxml.tmp", "x.edxml.PART", "x.edxml~"} {
			h.drop(name, packet(t, "1"), old)
		}
		if err := os.Mkdir(filepath.Join(dir, Outgoing, "thư mục"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("/etc/passwd", filepath.Join(dir, Outgoing, "link.edxml")); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			h.look(t.Context())
			<-time.After(h.Settle)
		}
		if h.outbox() != 0 || h.names(Rejected) != "" {
			t.Fatalf("taken: %s", h.names(Rejected))
		}
		if err := os.Rename(filepath.Join(dir, Outgoing, "x.edxml.tmp"), filepath.Join(dir, Outgoing, "x.edxml")); err != nil {
			t.Fatal(err)
		}
		h.look(t.Context())
		<-time.After(h.Settle)
		h.look(t.Context())
		if r := h.result(Accepted, "x.edxml"); !r.Accepted {
			t.Errorf("%+v", r)
		}
	})
}

// TestHalfWritten waits for the rest of a file, and gives up on it in the end.
func TestHalfWritten(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)))
		h := open(t, dir, nil)
		whole := packet(t, "1")
		h.drop("chậm.edxml", whole[:len(whole)/2], 0)
		h.drop("mất.edxml", whole[:len(whole)/2], 0)
		for range 3 {
			h.look(t.Context())
			<-time.After(2 * h.Settle)
		}
		if h.names(Rejected) != "" {
			t.Fatalf("rejected too early: %s", h.names(Rejected))
		}
		h.drop("chậm.edxml", whole, 0)
		for range 2 {
			<-time.After(h.Young)
			h.look(t.Context())
		}
		if r := h.result(Accepted, "chậm.edxml"); !r.Accepted {
			t.Errorf("%+v", r)
		}
		if r := h.result(Rejected, "mất.edxml"); r.Accepted || r.Problem.Code != "truncated" || r.Problem.Remedy.VI == "" {
			t.Errorf("%+v", r)
		}
		if n := strings.Count(h.log.String(), "may still be written"); n != 2 {
			t.Errorf("said %d times: %s", n, &h.log)
		}
	})
}

// TestRejected moves a bad file away with its findings.
func TestRejected(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	bad := bytes.Replace(packet(t, "1"), []byte("<edXML:Subject>"), []byte("<edXML:Sub>"), 1)
	bad = bytes.Replace(bad, []byte("</edXML:Subject>"), []byte("</edXML:Sub>"), 1)
	h.drop("bad.edxml", bad, 0)
	h.drop("bad.edxml.done", nil, 0)
	h.drop("không phải.xml", []byte("xin chào"), 0)
	h.drop("không phải.xml.done", nil, 0)
	h.look(t.Context())
	r := h.result(Rejected, "bad.edxml")
	if r.Problem == nil || r.Problem.Code != "packet-invalid" || len(r.Findings) == 0 || r.Findings[0].VI.Rule == "" {
		t.Errorf("%+v", r)
	}
	if r := h.result(Rejected, "không phải.xml"); r.Problem.Code != "not-xml" {
		t.Errorf("%+v", r)
	}
	if h.outbox() != 0 || h.names(Outgoing) != "" {
		t.Errorf("left: %s", h.names(Outgoing))
	}
}

// TestCrash stops between the submission and the move: nothing is doubled.
func TestCrash(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.drop("a.edxml", packet(t, "1"), 0)
	h.drop("a.edxml.done", nil, 0)
	if _, err := h.submit(t.Context(), "a.edxml"); err != nil {
		t.Fatal(err)
	}
	h.look(t.Context()) // after the restart
	if r := h.result(Accepted, "a.edxml"); !r.Existed || h.outbox() != 1 {
		t.Errorf("%+v", r)
	}
	// and one after the result was written
	h.drop("b.edxml", packet(t, "2"), 0)
	h.drop("b.edxml.done", nil, 0)
	if err := h.write("accepted/b.edxml.result.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	h.look(t.Context())
	if r := h.result(Accepted, "b.edxml"); !r.Accepted || h.outbox() != 2 {
		t.Errorf("%+v", r)
	}
}

// TestNodeTrouble keeps a packet that is not to blame.
func TestNodeTrouble(t *testing.T) {
	var mu sync.Mutex
	broken := true
	h := open(t, t.TempDir(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				w.WriteHeader(http.StatusInsufficientStorage)
				_, _ = w.Write([]byte(`{"status":507,"code":"disk-full","detail":"no space left on device"}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	h.drop("a.edxml", packet(t, "1"), 0)
	h.drop("a.edxml.done", nil, 0)
	h.look(t.Context())
	h.look(t.Context())
	if h.names(Rejected) != "" || strings.Count(h.log.String(), "no space left") != 1 {
		t.Errorf("%s; %s", h.names(Rejected), &h.log)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	h.look(t.Context())
	if r := h.result(Accepted, "a.edxml"); !r.Accepted {
		t.Errorf("%+v", r)
	}
}

// TestReadOnly has a folder from which nothing can be moved: the packet goes
// once, and is not submitted at every look.
func TestReadOnly(t *testing.T) {
	calls := 0
	h := open(t, t.TempDir(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls++; next.ServeHTTP(w, r) })
	})
	h.drop("a.edxml", packet(t, "1"), 0)
	h.drop("a.edxml.done", nil, 0)
	// a file where the folder should be stops even root
	if err := os.Remove(filepath.Join(h.Dir, Accepted)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.Dir, Accepted), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.look(t.Context())
	}
	if calls != 1 || h.outbox() != 1 || strings.Count(h.log.String(), "drop folder waits") != 1 {
		t.Errorf("%d calls, %d in the outbox: %s", calls, h.outbox(), &h.log)
	}
	if h.names(Outgoing) != "a.edxml, a.edxml.done" {
		t.Errorf("left: %s", h.names(Outgoing))
	}
}

// TestRun makes its folders, takes a packet, and ends with its context.
func TestRun(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	f := h.Folder
	f.Dir = filepath.Join(t.TempDir(), "thả vào đây")
	f.Poll = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	taken := make(chan struct{})
	f.Log = slog.New(slog.NewTextHandler(writer(func(b []byte) {
		if bytes.Contains(b, []byte("accepted")) {
			close(taken)
		}
	}), nil))
	// the folder is there before the node is, as after a restart
	if err := os.MkdirAll(filepath.Join(f.Dir, Outgoing), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"a.edxml": packet(t, "1"), "a.edxml.done": nil} {
		if err := os.WriteFile(filepath.Join(f.Dir, Outgoing, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	go func() { ended <- f.Run(ctx) }()
	<-taken
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat(os.DirFS(f.Dir), Accepted+"/a.edxml"); err != nil {
		t.Error(err)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
