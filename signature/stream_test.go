package signature_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/signature"
)

// large is a packet whose content is made while it is read: head, then n bytes
// of base64, then tail.
type large struct {
	head, tail string
	n          int64
	read       int64
	peak       uint64 // of the heap, looked at every few megabytes
}

func newLarge(t testing.TB, n int64) *large {
	t.Helper()
	head, tail, ok := strings.Cut(single(file{"big", "lớn.pdf", "@@@"}), "QEBA")
	if !ok {
		t.Fatal("no place for the content")
	}
	return &large{head: head, tail: tail, n: n}
}

func (l *large) size() int64 { return int64(len(l.head)) + l.n + int64(len(l.tail)) }

func (l *large) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off < l.size() {
		var k int
		switch behind := off - int64(len(l.head)); {
		case behind < 0:
			k = copy(p[n:], l.head[off:])
		case behind < l.n:
			q := p[n:min(len(p), n+int(min(l.n-behind, 1<<20)))]
			for i := range q {
				q[i] = 'A'
			}
			k = len(q)
		default:
			k = copy(p[n:], l.tail[behind-l.n:])
		}
		n, off = n+k, off+int64(k)
	}
	l.watch(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (l *large) watch(n int) {
	before := l.read >> 22
	if l.read += int64(n); l.read>>22 != before {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		l.peak = max(l.peak, m.HeapAlloc)
	}
}

// file lets the heap be watched while a real file is read.
type watched struct {
	*os.File
	large
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.File.ReadAt(p, off)
	w.watch(n)
	return n, err
}

// TestMemory signs and verifies a packet with an attachment of 64 MB.
func TestMemory(t *testing.T) {
	const most = 32 << 20
	content := int64(64<<20) / 3 * 4
	for _, at := range []signature.Placement{signature.Whole, signature.Parts} {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		packet := newLarge(t, content)
		f, err := os.Create(filepath.Join(t.TempDir(), "packet.xml"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := signature.Sign(f, packet, packet.size(), nil, ca().rsa, signature.SignOptions{Placement: at}); err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		w := &watched{File: f}
		v, err := signature.Verify(w, info.Size(), nil, signature.VerifyOptions{Roots: ca().roots})
		if err != nil || len(v) != 1 || v[0].Err != nil {
			t.Fatalf("%v %v", v, err)
		}
		for what, peak := range map[string]uint64{"signing": packet.peak, "verifying": w.peak} {
			if peak == 0 || peak > m.HeapAlloc+most {
				t.Errorf("%s: a heap of %d bytes, %d before", what, peak, m.HeapAlloc)
			}
		}
	}
}

// TestMemorySOAP: the parts beside an envelope are streams too.
func TestMemorySOAP(t *testing.T) {
	big := file{id: "big", name: "lớn.pdf"}
	var read *large
	contents := []signature.Content{{ID: big.id, Name: big.name, Open: func() (io.ReadCloser, error) {
		read = newLarge(t, 64<<20)
		return io.NopCloser(io.NewSectionReader(read, 0, read.size())), nil
	}}}
	signed := sign(t, soap(big), contents, ca().rsa, signature.Auto)
	if v := one(t, signed, contents); v.Err != nil {
		t.Fatal(v.Err)
	}
	if read.peak == 0 || read.peak > 32<<20 {
		t.Errorf("a heap of %d bytes", read.peak)
	}
}

// TestLinear: hostile shapes cost time in proportion to their size.
func TestLinear(t *testing.T) {
	signed := sign(t, single(), nil, ca().ec, signature.Whole)
	shapes := map[string]func(n int) string{
		"elements":              func(n int) string { return strings.Repeat("<a/>", n) },
		"comments":              func(n int) string { return strings.Repeat("<!--c-->", n) },
		"identifiers":           func(n int) string { return many(n, `<a Id="i%d"/>`) },
		"namespaces":            func(n int) string { return many(n, `<p%[1]d:a xmlns:p%[1]d="u"/>`) },
		"blocks named the same": func(n int) string { return strings.Repeat("<Signature/>", n) },
		"entities":              func(n int) string { return strings.Repeat("&amp;", n) },
	}
	for name, shape := range shapes {
		measure := func(n int) time.Duration {
			packet := strings.Replace(signed, "<AttachmentEncoded>", "<AttachmentEncoded>"+shape(n), 1)
			best := time.Hour
			for range 5 {
				from := time.Now()
				if _, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{Roots: ca().roots}); err != nil {
					t.Fatal(err)
				}
				best = min(best, time.Since(from))
			}
			return best
		}
		if one, eight := measure(12_000), measure(96_000); eight > 32*one { // 8 is linear, 64 quadratic
			t.Errorf("%s: eight times the input takes %.1f times as long", name, float64(eight)/float64(one))
		}
	}
	inside := func(n int) time.Duration { // inside SignedInfo, before anything is authentic
		packet := strings.Replace(signed, "<ds:SignedInfo>", "<ds:SignedInfo>"+strings.Repeat("<!--c-->", n), 1)
		best := time.Hour
		for range 5 {
			from := time.Now()
			if v, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{Roots: ca().roots}); err != nil || v[0].Err != nil {
				t.Fatal(err, v)
			}
			best = min(best, time.Since(from))
		}
		return best
	}
	if one, eight := inside(12_000), inside(96_000); eight > 32*one {
		t.Errorf("comments in SignedInfo: eight times the input takes %.1f times as long", float64(eight)/float64(one))
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func FuzzVerify(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(fixtures, "[0-9]*.xml"))
	if err != nil || len(names) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		v, err := signature.Verify(bytes.NewReader(packet), int64(len(packet)), beside(files...), signature.VerifyOptions{Roots: ca().roots})
		for _, v := range v {
			// The root of this run signed none of the seeds.
			if v.Err == nil {
				t.Errorf("acceptable: %q", packet)
			}
			if _, err := v.MarshalJSON(); err != nil || v.Reason() == "unreadable" {
				t.Errorf("%v: %v", v.Err, err)
			}
		}
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := signature.Sign(&out, bytes.NewReader(packet), int64(len(packet)), beside(files...), ca().ec, signature.SignOptions{}); err != nil {
			return
		}
		v, err = signature.Verify(bytes.NewReader(out.Bytes()), int64(out.Len()), beside(files...), signature.VerifyOptions{Roots: ca().roots})
		if err != nil {
			t.Fatalf("what was signed cannot be read: %v\n%q", err, out.Bytes())
		}
		good := 0
		for _, v := range v {
			if v.Err == nil {
				good++
			}
		}
		if good != 1 {
			t.Errorf("what was signed is not acceptable: %v\n%q", v, out.Bytes())
		}
	})
}
