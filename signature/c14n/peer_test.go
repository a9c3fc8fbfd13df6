package c14n_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// generate writes a random document that uses every construct the rules speak of.
func generate(r *rand.Rand) string {
	var b strings.Builder
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	texts := []string{"Hà Nội", "&lt;&amp;&gt;", "&#13;\r\n", "<![CDATA[<x>&]]>", "<!-- c\r\n -->", "<?pi  d ?>", " \t\n", "&#x41;\"'", strings.Repeat("QUJD", 400)}
	var element func(depth int, bound map[string]string)
	element = func(depth int, outer map[string]string) {
		bound := map[string]string{}
		for p, u := range outer {
			bound[p] = u
		}
		var attrs []string
		for _, p := range []string{"", "p", "q", "r"} {
			if r.IntN(3) > 0 {
				continue
			}
			uri := pick("http://a.vn/1", "http://a.vn/2", "http://b.vn/")
			if p == "" {
				uri = pick(uri, "")
				attrs = append(attrs, fmt.Sprintf(`xmlns="%s"`, uri))
			} else {
				attrs = append(attrs, fmt.Sprintf(`xmlns:%s="%s"`, p, uri))
			}
			bound[p] = uri
		}
		prefixed := func(local string) string {
			p := pick("p", "q", "r", "")
			if p == "" || bound[p] == "" {
				return local
			}
			return p + ":" + local
		}
		for i := range r.IntN(4) {
			// the local name carries i: no two attributes are the same
			attrs = append(attrs, fmt.Sprintf("%s='%s'", prefixed(pick("a", "b", "Z")+fmt.Sprint(i)), pick("x", "1\r\n2", "&#9;&#10;&#13;", "\"&lt;", "Đ")))
		}
		if r.IntN(4) == 0 {
			attrs = append(attrs, `xml:lang="vi"`)
		}
		r.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })
		name := prefixed("e")
		b.WriteString("<" + name)
		for _, a := range attrs {
			b.WriteString(pick(" ", "\n\t") + a)
		}
		b.WriteString(">")
		for range r.IntN(5) {
			if depth < 6 && r.IntN(2) == 0 {
				element(depth+1, bound)
			} else {
				b.WriteString(texts[r.IntN(len(texts))])
			}
		}
		b.WriteString("</" + name + ">")
	}
	b.WriteString(pick("", "<?xml version='1.0' encoding='UTF-8'?>\n", "<?x y?><!--z-->\n"))
	element(0, map[string]string{})
	b.WriteString(pick("", "\n", "<!--end-->\n<?x?>"))
	return b.String()
}

// TestAgreesWithLibxml2 compares with xmllint, an implementation that shares
// nothing with this one.
func TestAgreesWithLibxml2(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is missing")
		}
		t.Skip("xmllint is not installed")
	}
	dir := t.TempDir()
	var files []string
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		name := filepath.Join(dir, fmt.Sprintf("%02d.xml", i))
		if err := os.WriteFile(name, []byte(generate(r)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	fixtures, _ := filepath.Glob("../../testdata/signature/*.xml")
	for _, name := range append(files, fixtures...) {
		doc, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(doc, []byte("<!DOCTYPE")) {
			continue
		}
		for _, how := range []struct {
			flag string
			m    c14n.Method
		}{{"--exc-c14n", c14n.ExclusiveWithComments}, {"--c14n", c14n.Inclusive10WithComments}, {"--c14n11", c14n.Inclusive11WithComments}} {
			var got bytes.Buffer
			ours := document(&got, bytes.NewReader(doc), how.m)
			if refusesMore(ours) {
				break
			}
			want, theirs := exec.Command(xmllint, "--nonet", how.flag, name).Output()
			if (ours == nil) != (theirs == nil) {
				t.Errorf("%s %s: we say %v, xmllint says %v", name, how.flag, ours, theirs)
			} else if ours == nil && !bytes.Equal(got.Bytes(), want) {
				i := 0
				for i < min(got.Len(), len(want)) && got.Bytes()[i] == want[i] {
					i++
				}
				t.Errorf("%s %s: byte %d differs:\n got %.80q\nwant %.80q", name, how.flag, i, got.Bytes()[i:], want[i:])
			}
		}
	}
}

// refusesMore reports what libxml2 lets pass: it has other limits, and tells an
// undeclared prefix without minding it.
func refusesMore(err error) bool {
	var limit *xmlscan.LimitError
	var syntax *xmlscan.SyntaxError
	return errors.As(err, &limit) || errors.As(err, &syntax) && strings.HasPrefix(syntax.Rule, "Namespaces ")
}

func FuzzIdempotent(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		f.Add([]byte(generate(r)))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, m := range []c14n.Method{c14n.ExclusiveWithComments, c14n.Exclusive, c14n.Inclusive10WithComments, c14n.Inclusive11} {
			var once, twice bytes.Buffer
			if err := document(&once, bytes.NewReader(doc), m); err != nil {
				return
			}
			if err := document(&twice, bytes.NewReader(once.Bytes()), m); err != nil {
				t.Fatalf("%s: the canonical form cannot be read: %v\n%q", m, err, once.Bytes())
			}
			if !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Fatalf("%s: canonical form changes:\n%q\n%q", m, once.Bytes(), twice.Bytes())
			}
		}
	})
}

// TestLinear: twice the input takes about twice the time, for the shapes that
// make naive implementations quadratic.
func TestLinear(t *testing.T) {
	shapes := map[string]func(n int) string{
		"declarations on every level": func(n int) string {
			var b strings.Builder
			b.WriteString("<a>")
			for i := range n {
				fmt.Fprintf(&b, `<p%d:b xmlns:p%d="u"><p%d:c/></p%d:b>`, i, i, i, i)
			}
			return b.String() + "</a>"
		},
		"comments": func(n int) string { return "<a>" + strings.Repeat("<!--c-->", n) + "</a>" },
		"empties":  func(n int) string { return "<a>" + strings.Repeat("<a/>", n) + "</a>" },
		"escapes":  func(n int) string { return "<a>" + strings.Repeat("&amp;", n) + "</a>" },
	}
	for name, shape := range shapes {
		for _, m := range []c14n.Method{c14n.ExclusiveWithComments, c14n.Inclusive10WithComments} {
			measure := func(doc string) time.Duration {
				best := time.Hour
				for range 5 {
					from := time.Now()
					if err := document(io.Discard, strings.NewReader(doc), m); err != nil {
						t.Fatal(err)
					}
					best = min(best, time.Since(from))
				}
				return best
			}
			one, many := measure(shape(5_000)), measure(shape(80_000))
			if many > 120*one { // 16 is linear, 256 quadratic; a busy machine may take its time
				t.Errorf("%s, %s: sixteen times the input takes %.1f times as long", name, m, float64(many)/float64(one))
			}
		}
	}
}

func packet(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><AttachmentEncoded>`)
	for b.Len() < size {
		b.WriteString("<Attachment><ContentId>cid:1</ContentId><C>" + strings.Repeat("QUJDREVGR0hJSktM", 5<<20/16) + "</C></Attachment>")
	}
	b.WriteString(`</AttachmentEncoded></edXML>`)
	return b.Bytes()
}

func BenchmarkDigest(b *testing.B) {
	doc := packet(20 << 20)
	var h hash.Hash
	b.Run("floor-sha256", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			h = sha256.New()
			h.Write(doc)
			h.Sum(nil)
		}
	})
	b.Run("exclusive", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			h = sha256.New()
			if err := document(h, bytes.NewReader(doc), c14n.Exclusive); err != nil {
				b.Fatal(err)
			}
			h.Sum(nil)
		}
	})
}
