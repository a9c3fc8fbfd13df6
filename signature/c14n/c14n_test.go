package c14n_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// document canonicalises a whole document.
func document(w io.Writer, doc io.Reader, m c14n.Method, prefixes ...string) error {
	c, err := c14n.New(w, m, prefixes)
	if err != nil {
		return err
	}
	s := xmlscan.New(doc, xmlscan.Options{})
	for {
		t, err := s.Next()
		if err == io.EOF {
			return c.Close()
		}
		if err != nil {
			return err
		}
		if err := c.Token(t); err != nil {
			return err
		}
	}
}

// subset canonicalises the first element with the local name e, once from the
// stream with Scope and once as a tree with its context.
func subset(t *testing.T, doc, e string, m c14n.Method, prefixes ...string) (stream, tree string) {
	t.Helper()
	var out bytes.Buffer
	c, err := c14n.New(&out, m, prefixes)
	if err != nil {
		t.Fatal(err)
	}
	s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
	var bindings []xmlscan.Binding
	var above []xmlscan.Attr
	for in, depth := false, 0; ; {
		tok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !in && tok.Kind == xmlscan.Start {
			if tok.Name.Local == e {
				in = true
				c.Scope(bindings, above)
			} else {
				bindings = append(bindings, tok.Bindings...)
				above = append(above, tok.Attrs...)
			}
		}
		if !in {
			continue
		}
		if err := c.Token(tok); err != nil {
			t.Fatal(err)
		}
		switch tok.Kind {
		case xmlscan.Start:
			depth++
		case xmlscan.End:
			depth--
		}
		if depth == 0 {
			break
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	d := etree.NewDocument()
	if err := d.ReadFromString(doc); err != nil {
		t.Fatal(err)
	}
	var fromTree bytes.Buffer
	if err := c14n.Element(&fromTree, d.FindElement("//"+e), m, prefixes); err != nil {
		t.Fatal(err)
	}
	return out.String(), fromTree.String()
}

func TestDocument(t *testing.T) {
	for _, c := range []struct {
		why    string
		m      c14n.Method
		in     string
		out    string
		listed []string
	}{
		{why: "attributes are sorted by namespace URI, then local name", m: c14n.Exclusive,
			in:  `<e:R xmlns:e="urn:z" xmlns:x="urn:a" e:a="1" x:z="2" b="3"/>`,
			out: `<e:R xmlns:e="urn:z" xmlns:x="urn:a" b="3" x:z="2" e:a="1"></e:R>`},
		{why: "edXML:z before xlink:href: the URI decides, not the local name", m: c14n.Exclusive,
			in:  `<edXML:Ref xmlns:edXML="http://www.e-doc.vn/Schema/" xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="cid:1" edXML:id="a" edXML:z="b"/>`,
			out: `<edXML:Ref xmlns:edXML="http://www.e-doc.vn/Schema/" xmlns:xlink="http://www.w3.org/1999/xlink" edXML:id="a" edXML:z="b" xlink:href="cid:1"></edXML:Ref>`},
		{why: "exclusive declares a prefix where it is used", m: c14n.Exclusive,
			in:  `<a xmlns:p="urn:p" xmlns:q="urn:q" t="q:x"><p:b><p:c/></p:b><p:b/></a>`,
			out: `<a t="q:x"><p:b xmlns:p="urn:p"><p:c></p:c></p:b><p:b xmlns:p="urn:p"></p:b></a>`},
		{why: "a PrefixList keeps a prefix that only content uses", m: c14n.Exclusive, listed: []string{"q", "absent"},
			in:  `<a xmlns:p="urn:p" xmlns:q="urn:q" t="q:x"><p:b/></a>`,
			out: `<a xmlns:q="urn:q" t="q:x"><p:b xmlns:p="urn:p"></p:b></a>`},
		{why: "#default in the PrefixList is the default namespace", m: c14n.Exclusive, listed: []string{"#default"},
			in:  `<p:a xmlns:p="urn:p" xmlns="urn:d"><p:b xmlns=""><c/></p:b></p:a>`,
			out: `<p:a xmlns="urn:d" xmlns:p="urn:p"><p:b xmlns=""><c></c></p:b></p:a>`},
		{why: "no superfluous xmlns='' in exclusive", m: c14n.Exclusive,
			in:  `<p:a xmlns:p="urn:p" xmlns="urn:d"><b xmlns=""><c/></b></p:a>`,
			out: `<p:a xmlns:p="urn:p"><b><c></c></b></p:a>`},
		{why: "xmlns='' where it undoes a rendered default", m: c14n.Exclusive,
			in:  `<a xmlns="urn:d"><b xmlns=""><c xmlns="urn:d"/><c xmlns=""/></b></a>`,
			out: `<a xmlns="urn:d"><b xmlns=""><c xmlns="urn:d"></c><c></c></b></a>`},
		{why: "inclusive leaves out xmlns='' on the root and repeated declarations", m: c14n.Inclusive10,
			in:  `<a xmlns="" xmlns:p="urn:p"><b xmlns:p="urn:p" xmlns="urn:d"><c xmlns=""/></b></a>`,
			out: `<a xmlns:p="urn:p"><b xmlns="urn:d"><c xmlns=""></c></b></a>`},
		{why: "a redeclared prefix keeps its nearest meaning", m: c14n.Inclusive10,
			in:  `<a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c/></p:b><p:d/></a>`,
			out: `<a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c></p:c></p:b><p:d></p:d></a>`},
		{why: "line breaks in an attribute are spaces, references to them stay", m: c14n.Exclusive,
			in:  "<a b='x\r\ny\tz' c='&#10;&#13;&#9;\"&lt;&amp;>'/>",
			out: `<a b="x y z" c="&#xA;&#xD;&#x9;&quot;&lt;&amp;>"></a>`},
		{why: "line ends, references, CDATA and CR in text", m: c14n.Exclusive,
			in:  "<a>1\r\n2&#13;<![CDATA[<&>]]>&quot;&apos;]]&gt;</a>",
			out: "<a>1\n2&#xD;&lt;&amp;&gt;\"']]&gt;</a>"},
		{why: "xmlns:xml is never written, xml:lang is", m: c14n.Inclusive10,
			in:  `<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="vi"><b xml:space="preserve"/></a>`,
			out: `<a xml:lang="vi"><b xml:space="preserve"></b></a>`},
		{why: "items outside the root stand on their own lines", m: c14n.ExclusiveWithComments,
			in:  "<?xml version='1.0'?>\n<?p  x y ?>\n\n<!--c-->\n<a><?q?><!--d--></a>\n<!--e--> <?r\ns?>\n",
			out: "<?p x y ?>\n<!--c-->\n<a><?q?><!--d--></a>\n<!--e-->\n<?r s?>"},
		{why: "without comments", m: c14n.Inclusive11,
			in:  "<!--c--><?p?><a><!--d-->t<!--e-->u</a><!--f-->",
			out: "<?p?>\n<a>tu</a>"},
		{why: "characters beyond ASCII are written as they are", m: c14n.Exclusive,
			in:  "\uFEFF<Đơn vị='Hà Nội'>Độc lập – Tự do\U0001F1FB</Đơn>",
			out: "<Đơn vị=\"Hà Nội\">Độc lập – Tự do\U0001F1FB</Đơn>"},
		{why: "prefixes are sorted by codepoint, the default first", m: c14n.Inclusive10,
			in:  `<z:a xmlns:z="urn:z" xmlns:B="urn:B" xmlns:a="urn:a" xmlns="urn:d"/>`,
			out: `<z:a xmlns="urn:d" xmlns:B="urn:B" xmlns:a="urn:a" xmlns:z="urn:z"></z:a>`},
	} {
		var out bytes.Buffer
		if err := document(&out, strings.NewReader(c.in), c.m, c.listed...); err != nil {
			t.Errorf("%s: %v", c.why, err)
		} else if out.String() != c.out {
			t.Errorf("%s:\n got %s\nwant %s", c.why, out.String(), c.out)
		}
	}
}

func TestSubset(t *testing.T) {
	const doc = `<a xmlns="urn:d" xmlns:p="urn:1" xmlns:u="urn:u" xml:lang="vi" xml:id="i" xml:base="http://x.vn/one/two">` +
		`<m xmlns:p="urn:2" xml:space="preserve" xml:base="../b/"><p:E xml:lang="en" k="u:v">` +
		`<f xmlns=""/><p:g xmlns:p="urn:1"/></p:E></m></a>`
	for _, c := range []struct {
		why    string
		m      c14n.Method
		want   string
		listed []string
	}{
		{why: "exclusive takes from the ancestors what it uses", m: c14n.Exclusive,
			want: `<p:E xmlns:p="urn:2" k="u:v" xml:lang="en"><f></f><p:g xmlns:p="urn:1"></p:g></p:E>`},
		{why: "a PrefixList reaches into the ancestors", m: c14n.Exclusive, listed: []string{"u", "#default"},
			want: `<p:E xmlns="urn:d" xmlns:p="urn:2" xmlns:u="urn:u" k="u:v" xml:lang="en"><f xmlns=""></f><p:g xmlns:p="urn:1"></p:g></p:E>`},
		{why: "1.0 takes every declaration and every xml attribute", m: c14n.Inclusive10,
			want: `<p:E xmlns="urn:d" xmlns:p="urn:2" xmlns:u="urn:u" k="u:v" xml:base="../b/" xml:id="i" xml:lang="en" xml:space="preserve"><f xmlns=""></f><p:g xmlns:p="urn:1"></p:g></p:E>`},
		{why: "1.1 leaves xml:id where it is and joins xml:base", m: c14n.Inclusive11,
			want: `<p:E xmlns="urn:d" xmlns:p="urn:2" xmlns:u="urn:u" k="u:v" xml:base="http://x.vn/b/" xml:lang="en" xml:space="preserve"><f xmlns=""></f><p:g xmlns:p="urn:1"></p:g></p:E>`},
	} {
		stream, tree := subset(t, doc, "E", c.m, c.listed...)
		if stream != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.why, stream, c.want)
		}
		if tree != c.want {
			t.Errorf("%s, as a tree:\n got %s\nwant %s", c.why, tree, c.want)
		}
	}
}

// TestBase covers the joining of xml:base for elements left out (Canonical XML
// 1.1 §2.4 and the examples of its appendix A).
func TestBase(t *testing.T) {
	for _, c := range []struct{ outer, inner, want string }{
		{"http://www.example.com/something/else", "../foo/bar", "http://www.example.com/foo/bar"},
		{"http://www.example.com/", "bar", "http://www.example.com/bar"},
		{"http://www.example.com", "bar", "http://www.example.com/bar"},
		{"http://a/b", "", "http://a/b"},
		{"http://a/b?q", "c#f", "http://a/c"},
		{"http://a/b", "//other/x", "http://other/x"},
		{"http://a/b", "urn:x", "urn:x"},
		{"foo/bar", "../baz", "baz"},
		{"..", "..", "../../"},
		{"../x", "..", "../../"},
		{"a/", "b//c/./d", "a/b/c/d"},
	} {
		doc := fmt.Sprintf(`<a xml:base=%q><b xml:base=%q><E/></b></a>`, c.outer, c.inner)
		want := fmt.Sprintf(`<E xml:base=%q></E>`, c.want)
		if got, _ := subset(t, doc, "E", c14n.Inclusive11); got != want {
			t.Errorf("%q + %q: got %s, want %s", c.outer, c.inner, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	if _, err := c14n.New(io.Discard, "http://www.w3.org/TR/xml-exc-c14n#", nil); !errors.Is(err, c14n.ErrMethod) {
		t.Errorf("a method nobody defined: %v", err)
	}
	start := func(prefix, local string) *xmlscan.Token {
		return &xmlscan.Token{Kind: xmlscan.Start, Name: xmlscan.Name{Prefix: prefix, Local: local}}
	}
	for _, m := range []c14n.Method{c14n.Exclusive, c14n.Inclusive10} {
		c, _ := c14n.New(io.Discard, m, nil)
		if err := c.Token(start("p", "a")); !errors.Is(err, c14n.ErrUnbound) {
			t.Errorf("unbound prefix: %v", err)
		}
		if err := c.Token(start("", "a")); !errors.Is(err, c14n.ErrUnbound) {
			t.Errorf("an error is final, but: %v", err)
		}
		c, _ = c14n.New(io.Discard, m, nil)
		if err := c.Token(start("", "a")); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err == nil {
			t.Error("an open element at the end is an error")
		}
		c, _ = c14n.New(io.Discard, m, nil)
		if err := c.Token(&xmlscan.Token{Kind: xmlscan.End}); err == nil {
			t.Error("an end tag first is an error")
		}
	}
	el := etree.NewElement("a")
	el.CreateElement("b").Space = "p"
	if err := c14n.Element(io.Discard, el, c14n.Exclusive, nil); !errors.Is(err, c14n.ErrUnbound) {
		t.Errorf("unbound prefix in a tree: %v", err)
	}
	boom := errors.New("boom")
	if err := document(failing{boom}, strings.NewReader("<a>"+strings.Repeat("x", 100_000)+"</a>"), c14n.Exclusive); !errors.Is(err, boom) {
		t.Errorf("the writer's error is lost: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestTreeIsLeftAlone: canonicalising must not change what it looks at.
func TestTreeIsLeftAlone(t *testing.T) {
	const doc = `<a xmlns:p="urn:p" xmlns:q="urn:q" t="q:x"><!-- c --><p:b/></a>`
	d := etree.NewDocument()
	if err := d.ReadFromString(doc); err != nil {
		t.Fatal(err)
	}
	b, err := c14n.Canonicalizer{}.Canonicalize(d.Root())
	if err != nil {
		t.Fatal(err)
	}
	if want := `<a t="q:x"><p:b xmlns:p="urn:p"></p:b></a>`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	if after, _ := d.WriteToString(); after != doc {
		t.Errorf("the tree became %s", after)
	}
	if id := (c14n.Canonicalizer{}).Algorithm(); string(id) != string(c14n.Exclusive) {
		t.Errorf("the zero value is %s", id)
	}
}
