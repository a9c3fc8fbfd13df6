package xmlscan_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// seek reads to the Start token of an element.
func seek(t *testing.T, s *xmlscan.Scanner, local string) {
	t.Helper()
	for {
		tok, err := s.Next()
		if err != nil {
			t.Fatalf("looking for %s: %v", local, err)
		}
		if tok.Kind == xmlscan.Start && tok.Name.Local == local {
			return
		}
	}
}

const treeDoc = `<?xml version="1.0"?>
<e:env xmlns:e="urn:e" xmlns="urn:d" xmlns:x="urn:x" xmlns:off="urn:off">
  <skip xmlns:x="urn:hidden"/>
  <e:head x:id="1" y="a&#10;b">
    <code>x<![CDATA[<y>]]>&amp;z</code><!--c--><?p q?>
    <none xmlns="" xmlns:x="urn:inner"><x:in x:k="v"/></none>
  </e:head>
  <tail/>
</e:env>`

func TestTree(t *testing.T) {
	for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
		s := xmlscan.New(wrap(strings.NewReader(treeDoc)), xmlscan.Options{})
		seek(t, s, "head")
		tree, err := s.Tree(0)
		if err != nil {
			t.Fatal(err)
		}
		checkTree(t, tree)
		tok, err := s.Next()
		if err != nil || tok.Kind != xmlscan.Text {
			t.Fatalf("after the tree: %v, %v", tok, err)
		}
		if tok, err = s.Next(); err != nil || !tok.Name.Is("urn:d", "tail") || s.Depth() != 2 {
			t.Errorf("after the tree: %v, %v at depth %d", tok, err, s.Depth())
		}
	}
}

func checkTree(t *testing.T, tree *xmlscan.Tree) {
	t.Helper()
	source := treeDoc[tree.Start:tree.End]
	if !strings.HasPrefix(source, "<e:head ") || !strings.HasSuffix(source, "</e:head>") {
		t.Errorf("the tree spans %q", source)
	}
	head := tree.Root
	code, none := head.SelectElement("code"), head.SelectElement("none")
	in := none.ChildElements()[0]
	for _, c := range []struct {
		el         *etree.Element
		name, uri  string
		beginsWith string
	}{
		{head, "e:head", "urn:e", "<e:head"}, {code, "code", "urn:d", "<code"},
		{none, "none", "", "<none"}, {in, "x:in", "urn:inner", "<x:in"},
	} {
		pos := tree.Pos(c.el)
		if c.el.FullTag() != c.name || c.el.NamespaceURI() != c.uri {
			t.Errorf("%s in %q, want %s in %q", c.el.FullTag(), c.el.NamespaceURI(), c.name, c.uri)
		}
		if !strings.HasPrefix(treeDoc[pos.Offset:], c.beginsWith) || pos != placeOf(treeDoc, pos.Offset) {
			t.Errorf("%s is at %+v", c.name, pos)
		}
	}
	if tree.Pos(etree.NewElement("foreign")) != (xmlscan.Pos{}) {
		t.Error("an element of no tree has a place")
	}
	if got := code.Text(); got != "x<y>&z" || len(code.Child) != 1 {
		t.Errorf("text %q in %d nodes", got, len(code.Child))
	}
	if got := head.SelectAttr("x:id").NamespaceURI(); got != "urn:x" {
		t.Errorf("x:id is in %q", got)
	}
	if got := in.SelectAttr("x:k").NamespaceURI(); got != "urn:inner" {
		t.Errorf("x:k is in %q", got)
	}
	if got := head.SelectAttrValue("y", ""); got != "a\nb" {
		t.Errorf("y is %q", got)
	}
	var kinds []string
	for _, child := range head.Child {
		switch c := child.(type) {
		case *etree.Comment:
			kinds = append(kinds, "comment "+c.Data)
		case *etree.ProcInst:
			kinds = append(kinds, "pi "+c.Target+" "+c.Inst)
		}
	}
	if got := strings.Join(kinds, ", "); got != "comment c, pi p q" {
		t.Errorf("the head holds %s", got)
	}
	scope := map[string]string{}
	for _, a := range head.Parent().Attr {
		scope[a.FullKey()] = a.Value
	}
	want := map[string]string{"xmlns:e": "urn:e", "xmlns": "urn:d", "xmlns:x": "urn:x", "xmlns:off": "urn:off"}
	if diff := cmp.Diff(want, scope); diff != "" {
		t.Errorf("in scope at the root (-want +got):\n%s", diff)
	}
}

func TestTreeOfEmptyElementAndRoot(t *testing.T) {
	s := xmlscan.New(strings.NewReader("<a><b/><c>x</c></a>"), xmlscan.Options{})
	if _, err := s.Tree(0); err == nil {
		t.Error("a tree before the first token")
	}
	seek(t, s, "b")
	tree, err := s.Tree(0)
	if err != nil || tree.Root.Tag != "b" || tree.Start != 3 || tree.End != 7 || len(tree.Root.Child) != 0 {
		t.Fatalf("%+v, %v", tree, err)
	}
	if _, err := s.Tree(0); err == nil {
		t.Error("a tree after an end tag")
	}
	seek(t, s, "c") // the misuse is not final

	s = xmlscan.New(strings.NewReader("<a><b/><c>x</c></a>"), xmlscan.Options{})
	seek(t, s, "a")
	if tree, err = s.Tree(0); err != nil || len(tree.Root.ChildElements()) != 2 {
		t.Fatalf("%+v, %v", tree, err)
	}
	if _, err := s.Next(); !isEnd(err) {
		t.Errorf("after the root: %v", err)
	}
}

func TestTreeErrors(t *testing.T) {
	text := strings.Repeat("x", 11)
	for _, c := range []struct {
		name, doc string
		limit     string
		at        int64 // of the fault, for a limit
	}{
		{"header by the end tag", "<a>" + strings.Repeat("<b/>", 30) + "</a>", "header", 99},
		{"header by the start tag", "<a b='" + strings.Repeat("x", 100) + "'/>", "header", 109},
		{"text", "<a>\n" + text + "</a>", "text", 3},
		{"text in sections", "<a><b/>12345<![CDATA[6]]>78901</a>", "text", 7},
		{"syntax", "<a><b></a>", "", 0},
		{"truncated", "<a><b>", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := xmlscan.New(strings.NewReader(c.doc), xmlscan.Options{Limits: xmlscan.Limits{Text: 10, AttributeValue: 200}})
			seek(t, s, "a")
			_, err := s.Tree(100)
			if c.limit == "" {
				if _, ok := errors.AsType[*xmlscan.SyntaxError](err); !ok {
					t.Errorf("got %v", err)
				}
			} else if got, ok := errors.AsType[*xmlscan.LimitError](err); !ok || got.Limit != c.limit || got.Pos.Offset > int64(len(c.doc)) || got.Pos.Offset < c.at {
				t.Errorf("got %v, want the limit %s at %d or after", err, c.limit, c.at)
			}
			if _, again := s.Next(); again != err {
				t.Errorf("the error is not final: %v", again)
			}
		})
	}
	// The limits themselves pass.
	s := xmlscan.New(strings.NewReader("<a>1234567890<b/>1234567890</a>"), xmlscan.Options{Limits: xmlscan.Limits{Text: 10}})
	seek(t, s, "a")
	if _, err := s.Tree(31); err != nil {
		t.Error(err)
	}
}
