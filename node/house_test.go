package node_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

var (
	ministry = edxml.Organ{OrganID: "G22", OrganName: "Bộ Khoa học và Công nghệ"}
	province = edxml.Organ{OrganID: "H41", OrganName: "Tỉnh Nghệ An"}
)

// trust is a test root and a key it vouches for.
type trust struct {
	key   *signature.Key
	roots *x509.CertPool
}

// tested is the trust of all tests; its certificates are valid at any clock a
// test may have.
var tested = sync.OnceValue(func() trust {
	issue := func(cn string, ca bool, key crypto.Signer, parent *x509.Certificate, by crypto.Signer) *x509.Certificate {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(cn))), Subject: pkix.Name{CommonName: cn, Country: []string{"VN"}},
			NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
			IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		}
		if ca {
			c.KeyUsage = x509.KeyUsageCertSign
		}
		if parent == nil {
			parent = c
		}
		return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by))))
	}
	rootKey, leafKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	root := issue("Test root", true, rootKey, nil, rootKey)
	leaf := issue("Van thu", false, leafKey, root, rootKey)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return trust{&signature.Key{Signer: leafKey, Chain: []*x509.Certificate{leaf}}, roots}
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pdf is the content of the attachment that most tests send.
var pdf = []byte("%PDF-1.7\nnội dung\r\n--\x00\xff\n")

// document is a Document with everything an axis demands.
func document(number string, to ...string) *edxml.Document {
	d := &edxml.Document{
		From: ministry, Code: edxml.Code{CodeNumber: number, CodeNotation: "BC-BKHCN"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "14", TypeName: "Báo cáo"},
		Subject:          "Về kết nối <thử & nghiệm>",
		SignerInfo:       edxml.SignerInfo{Competence: "KT.", Position: "Thứ trưởng", FullName: "Trần Văn Nam"},
		OtherInfo:        edxml.OtherInfo{Priority: "0", PageAmount: "3"},
		Business:         &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0"},
	}
	d.DocumentID = edxml.DocumentID(d.From.OrganID, d.PromulgationInfo.PromulgationDate, d.Code)
	for _, id := range to {
		d.To = append(d.To, edxml.Organ{OrganID: id, OrganName: "Nơi nhận " + id})
	}
	return d
}

// file is an attachment to be written.
type file struct {
	name    string
	content []byte
}

// single writes a Document as a single-file packet.
func single(t testing.TB, d *edxml.Document, files ...file) []byte {
	t.Helper()
	d.Attachments = nil
	for _, f := range files {
		d.Attachments = append(d.Attachments, edxml.Attachment{Name: f.name, ContentType: edxml.TypeByName(f.name), Content: bytes.NewReader(f.content)})
	}
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plain is a new Document to the province with one PDF.
func plain(t testing.TB, number string) []byte {
	return single(t, document(number, province.OrganID), file{number + ".pdf", pdf})
}

// envelope writes a Document as a SOAP envelope whose files have the
// Content-IDs f1, f2, …
func envelope(t testing.TB, d *edxml.Document, files ...file) []byte {
	t.Helper()
	d.Attachments = nil
	for i, f := range files {
		d.Attachments = append(d.Attachments, edxml.Attachment{Name: f.name, ContentID: fmt.Sprintf("f%d", i+1), ContentType: edxml.TypeByName(f.name)})
	}
	if d.TraceHeaders == nil {
		d.TraceHeaders = []edxml.TraceHeader{{OrganID: d.From.OrganID, Timestamp: "2026/03/02 08:00:00"}}
	}
	var b bytes.Buffer
	if err := edxml.WriteEnvelope(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// signed signs an envelope and its files with the test key.
func signed(t testing.TB, env []byte, files ...file) []byte {
	t.Helper()
	var contents []signature.Content
	for i, f := range files {
		contents = append(contents, signature.Content{ID: fmt.Sprintf("f%d", i+1), Name: f.name, Open: opener(f.content)})
	}
	var b bytes.Buffer
	if err := signature.Sign(&b, bytes.NewReader(env), int64(len(env)), contents, tested().key, signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mime frames an envelope and its files as a SOAP packet in one file.
func mime(env []byte, files ...file) []byte {
	var b bytes.Buffer
	b.WriteString("Content-Type: multipart/related; boundary=\"b\"; type=\"text/xml\"; start=\"<root>\"\r\n\r\n")
	b.WriteString("--b\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <root>\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	b.Write(env)
	for i, f := range files {
		fmt.Fprintf(&b, "\r\n--b\r\nContent-Type: %s\r\nContent-ID: <f%d>\r\nContent-Transfer-Encoding: binary\r\n\r\n", edxml.TypeByName(f.name), i+1)
		b.Write(f.content)
	}
	b.WriteString("\r\n--b--\r\n")
	return b.Bytes()
}

func opener(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// noisy is a store that tells when something in it has changed.
type noisy struct {
	node.Store
	patience time.Duration // how long a test waits for what must happen
	mu       sync.Mutex
	changed  chan struct{}
	killed   bool
}

// kill makes the store take no more changes, as if the process had died.
func (n *noisy) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.killed = true
}

func (n *noisy) alive() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.killed {
		return errInjected
	}
	return nil
}

func newNoisy(s node.Store) *noisy {
	return &noisy{Store: s, patience: time.Minute, changed: make(chan struct{})}
}

// change returns a channel that is closed at the next change.
func (n *noisy) change() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func (n *noisy) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *noisy) Create(ctx context.Context, ts ...*node.Transfer) error {
	if err := n.alive(); err != nil {
		return err
	}
	defer n.tell()
	return n.Store.Create(ctx, ts...)
}

func (n *noisy) Update(ctx context.Context, id string, change func(*node.Transfer) error) (*node.Transfer, error) {
	if err := n.alive(); err != nil {
		return nil, err
	}
	defer n.tell()
	return n.Store.Update(ctx, id, change)
}

func (n *noisy) SetValue(ctx context.Context, name string, v []byte, holds ...string) error {
	if err := n.alive(); err != nil {
		return err
	}
	defer n.tell()
	return n.Store.SetValue(ctx, name, v, holds...)
}

func (n *noisy) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (*node.Transfer, error) {
	if err := n.alive(); err != nil {
		return nil, err
	}
	t, err := n.Store.Lease(ctx, d, holder, now, hold)
	if err == nil {
		n.tell()
	}
	return t, err
}

// until waits until done, which it asks after every change of the store.
func (n *noisy) until(t testing.TB, what string, done func() bool) {
	t.Helper()
	limit := time.After(n.patience)
	for {
		changed := n.change()
		if done() {
			return
		}
		select {
		case <-changed:
		case <-limit:
			var b strings.Builder
			for _, d := range []node.Direction{node.Out, node.In} {
				for _, x := range must(n.List(context.Background(), d, "", 100)) {
					fmt.Fprintf(&b, "\n%s %s %s %s due %v lease %q until %v: %s %+v", x.ID, d, x.Kind, x.State, x.Due, x.Lease, x.LeasedUntil, x.LastError, x.Attempts)
				}
			}
			t.Fatalf("never: %s%s", what, b.String())
		}
	}
}

func openStore(t testing.TB, dir string) *noisy {
	t.Helper()
	s, err := boltstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return newNoisy(s)
}

// bubbleStore opens a store within a bubble of synctest, where waiting costs
// nothing.
func bubbleStore(t testing.TB, dir string) *noisy {
	t.Helper()
	s := openStore(t, dir)
	s.patience = 200 * time.Hour
	return s
}

// run runs a node until stop is called, or the test ends, and checks that it
// stops without an error.
func run(t testing.TB, n *node.Node) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func newNode(t testing.TB, c node.Config) *node.Node {
	t.Helper()
	n, err := node.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func newAxis(t testing.TB) *axistest.Axis {
	t.Helper()
	axis := axistest.New(axistest.Options{Dir: t.TempDir(), Gentle: true})
	t.Cleanup(func() { axis.Close() })
	return axis
}

// inProcess is the wire to an axis without a network, so that it can live in a
// bubble of synctest.
type inProcess struct{ axis http.Handler }

func (w inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	served := req.Clone(req.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	defer served.Body.Close()
	rec := httptest.NewRecorder()
	w.axis.ServeHTTP(rec, served)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	res := rec.Result()
	res.Request = req
	return res, nil
}

func inProcessClient(axis http.Handler, organ string) *edoc.Client {
	return &edoc.Client{URL: "http://axis.test/edoc", Organ: organ, Token: axistest.Token(organ), HTTP: &http.Client{Transport: inProcess{axis}}}
}

// year2026 moves the clock of a bubble, which begins in 2000, to a day on which
// the organs of the tests exist.
func year2026() { <-time.After(time.Until(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC))) }

// only returns the one Transfer of a kind in a direction, nil when there is none.
func only(t testing.TB, s node.Store, d node.Direction, k edxml.Kind) *node.Transfer {
	t.Helper()
	var found *node.Transfer
	all, err := s.List(context.Background(), d, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		if x.Kind != k {
			continue
		}
		if found != nil {
			t.Fatalf("more than one %s in the %sbox", k, d)
		}
		found = x
	}
	return found
}

// codes lists the statuses of one receiver, in their order.
func codes(x *node.Transfer, organ string) string {
	var all []string
	for _, r := range x.Receivers {
		if r.OrganID == organ {
			for _, e := range r.Events {
				all = append(all, string(e.Code))
			}
		}
	}
	return strings.Join(all, " ")
}

// delivered lists the folders of a folder sink.
func delivered(t testing.TB, f sink.Folder) []string {
	t.Helper()
	entries, err := os.ReadDir(f.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
