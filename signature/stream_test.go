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

	"github.com/lienthong/lienthong/edxml/xmlscan"
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

// TestLinear: hostile shapes cost time in proportion to their size, however
// far the limits are raised: eight times the input may take 32 times as long,
// where quadratic is 64. Most do more than 12,000 of what they are about.
func TestLinear(t *testing.T) {
	runtime.LockOSThread() // its processor time is measured
	defer runtime.UnlockOSThread()
	signed := sign(t, single(), nil, ca().ec, signature.Whole)
	wide := signature.Limits{XML: xmlscan.Limits{Elements: 2_000_000, Attributes: 200_000, Depth: 200_000}, Identifiers: 2_000_000, Block: 64 << 20, Certificates: 200_000}
	behind := func(shape string) string {
		return strings.Replace(signed, "<AttachmentEncoded>", "<AttachmentEncoded>"+shape, 1)
	}
	for _, c := range []struct {
		name  string
		n     int
		shape func(n int) string
	}{
		{"empty elements", 125_000, func(n int) string { return behind(strings.Repeat("<a/>", n)) }}, // 1,000,000 in the end
		{"comments", 12_000, func(n int) string { return behind(strings.Repeat("<!--c-->", n)) }},
		{"identifiers", 12_000, func(n int) string { return behind(many(n, `<a Id="i%d"/>`)) }},
		{"declarations one by one", 12_000, func(n int) string { return behind(many(n, `<p%[1]d:a xmlns:p%[1]d="u"/>`)) }},
		{"declarations on one element", 6_250, func(n int) string { return behind("<a" + many(n, ` xmlns:p%d="u"`) + "/>") }}, // 50,000 in the end
		{"declarations above many elements", 6_250, func(n int) string {
			return behind("<a" + many(n, ` xmlns:p%d="u"`) + ">" + strings.Repeat("<b/>", 1_000+n/10) + "</a>")
		}},
		{"declarations used below", 6_250, func(n int) string {
			return behind("<a" + many(n, ` xmlns:p%d="u"`) + ">" + many(n, "<p%d:b/>") + "</a>")
		}},
		{"attributes", 6_250, func(n int) string { return behind("<a" + many(n, ` b%d=""`) + "/>") }},
		{"nesting", 6_250, func(n int) string { return behind(strings.Repeat("<a>", n) + strings.Repeat("</a>", n)) }},
		{"nesting with declarations", 6_250, func(n int) string {
			return behind(strings.Repeat(`<a xmlns:p="u" xml:lang="vi">`, n) + strings.Repeat("</a>", n))
		}},
		{"blocks named the same", 12_000, func(n int) string { return behind(strings.Repeat("<Signature/>", n)) }},
		{"entities", 12_000, func(n int) string { return behind(strings.Repeat("&amp;", n)) }},
		{"sections", 12_000, func(n int) string { return behind(strings.Repeat("<![CDATA[]]>", n)) }},
		{"instructions", 12_000, func(n int) string { return behind(strings.Repeat("<?p?>", n)) }},
		// Inside the block, before anything is authentic.
		{"comments in SignedInfo", 12_000, func(n int) string {
			return strings.Replace(signed, "<ds:SignedInfo>", "<ds:SignedInfo>"+strings.Repeat("<!--c-->", n), 1)
		}},
		{"white space in base64", 100_000, func(n int) string {
			return strings.Replace(signed, "<ds:SignatureValue>", "<ds:SignatureValue>"+strings.Repeat(" ", n), 1)
		}},
		{"elements in KeyInfo", 6_250, func(n int) string {
			return strings.Replace(signed, "<ds:X509Data>", "<ds:X509Data>"+strings.Repeat("<ds:X509CRL>AA==</ds:X509CRL>", n), 1)
		}},
		{"elements in KeyInfo below many declarations", 3_000, func(n int) string {
			open := "<ds:a" + many(60, ` xmlns:q%d="u"`) + ">"
			return strings.Replace(signed, "<ds:X509Data>", "<ds:X509Data>"+strings.Repeat(open, n/60)+strings.Repeat("<ds:b/>", n)+strings.Repeat("</ds:a>", n/60), 1)
		}},
	} {
		measure := func(n int) time.Duration {
			packet := c.shape(n)
			best := time.Hour
			for range 2 {
				from := spent()
				_, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{Roots: ca().roots, Limits: wide})
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if _, err := signature.VerifyXML(strings.NewReader(packet), int64(len(packet)), signature.XMLOptions{Limits: wide}); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				best = min(best, spent()-from)
			}
			return best
		}
		one, eight := measure(c.n), measure(8*c.n)
		for try := 0; try < 4 && eight > 24*one; try++ { // chance does not come again, a quadratic step does
			eight = min(eight, measure(8*c.n))
		}
		if eight > 32*one {
			t.Errorf("%s: eight times the input takes %.1f times as long", c.name, float64(eight)/float64(one))
		}
		t.Logf("%s: %v, %v (×%.1f)", c.name, one, eight, float64(eight)/float64(one))
	}
}

// TestLimits: what exceeds a limit is refused by its name, by default and when
// the caller chose another.
func TestLimits(t *testing.T) {
	signed := sign(t, single(files...), nil, ca().ec, signature.Whole)
	for _, c := range []struct {
		name, packet string
		limits       signature.Limits
		want         string // in the error or the verdict; "" is acceptable
	}{
		{"as it is", signed, signature.Limits{}, ""},
		{"elements", strings.Replace(signed, "<AttachmentEncoded>", "<AttachmentEncoded>"+strings.Repeat("<a/>", 200_000), 1), signature.Limits{}, `"elements" of 200000`},
		{"declarations", strings.Replace(signed, "<AttachmentEncoded>", "<AttachmentEncoded><a"+many(65, ` xmlns:p%d="u"`)+"/>", 1), signature.Limits{}, `"attributes" of 64`},
		{"declarations in force", strings.Replace(signed, "<edXML:edXMLEnvelope ", "<edXML:edXMLEnvelope"+many(60, ` xmlns:q%d="u"`)+" ", 1), signature.Limits{Declarations: 50}, `"declarations" of 50`},
		{"size", signed, signature.Limits{XML: xmlscan.Limits{Size: 1000}}, `"size" of 1000`},
		{"depth", signed, signature.Limits{XML: xmlscan.Limits{Depth: 3}}, `"depth" of 3`},
		{"block", signed, signature.Limits{Block: 500}, "of 500"},
		{"signatures", signed, signature.Limits{Signatures: 1}, ""},
		{"attachments", signed, signature.Limits{Attachments: 1}, `"attachments" of 1`},
		{"identifiers", signed, signature.Limits{Identifiers: 1}, `"identifiers" of 1`},
		{"references", signed, signature.Limits{References: 1}, "more than 1 References"},
		{"certificates", swap(t, signed, "</ds:X509Data>", "<ds:X509Certificate>"+base64Of(ca().root.Raw)+"</ds:X509Certificate></ds:X509Data>"), signature.Limits{Certificates: 1}, "more than 1 certificates"},
	} {
		v, err := signature.Verify(strings.NewReader(c.packet), int64(len(c.packet)), nil, signature.VerifyOptions{Roots: ca().roots, Limits: c.limits})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(v[0].Err)
		}
		if c.want == "" && got != "<nil>" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %q", c.name, got, c.want)
		}
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
