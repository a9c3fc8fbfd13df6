package xmlscan_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Whatever the input: no panic, every token where it says it is, plain text
// equal to its source (see checkToken), and nothing that depends on how the
// bytes arrive. What is read strictly is read the same way with tolerance.
func FuzzScanner(f *testing.F) {
	for _, form := range forms() {
		f.Add([]byte(form.doc), false)
		f.Add([]byte(form.doc), true)
	}
	f.Add([]byte(treeDoc), false)
	f.Add([]byte(utf16Of(treeDoc, "LE", true)), true)
	f.Fuzz(func(t *testing.T, data []byte, tolerant bool) {
		if len(data) > 1<<14 {
			t.Skip("long inputs only take time")
		}
		doc := string(data)
		o := xmlscan.Options{Tolerant: tolerant, Limits: xmlscan.Limits{
			Size: 8 << 10, Elements: 100, Depth: 10, Attributes: 8, AttributeValue: 256, Name: 32, Text: 512,
		}}
		whole, err := read(t, doc, strings.NewReader(doc), o)
		bytewise, _ := read(t, doc, iotest.OneByteReader(strings.NewReader(doc)), o)
		if diff := cmp.Diff(whole, bytewise); diff != "" {
			t.Errorf("%q (-whole +byte by byte):\n%s", doc, diff)
		}
		if err == nil && !tolerant {
			o.Tolerant = true
			lax, err := read(t, doc, strings.NewReader(doc), o)
			if diff := cmp.Diff(whole, lax); diff != "" || err != nil {
				t.Errorf("%q (-strict +tolerant) %v:\n%s", doc, err, diff)
			}
		}
		checkErrorType(t, err)
		fuzzTree(t, doc, o)
	})
}

func checkErrorType(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	syntax, isSyntax := errors.AsType[*xmlscan.SyntaxError](err)
	limit, isLimit := errors.AsType[*xmlscan.LimitError](err)
	switch {
	case isSyntax && (syntax.Rule == "" || syntax.Text == "" || syntax.Pos.Line < 1 || syntax.Pos.Column < 1),
		isLimit && (limit.Limit == "" || limit.Max == 0 || limit.Pos.Line < 1), !isSyntax && !isLimit:
		t.Errorf("error %#v", err)
	}
}

// fuzzTree reads the document as a tree from the root on.
func fuzzTree(t *testing.T, doc string, o xmlscan.Options) {
	s := xmlscan.New(strings.NewReader(doc), o)
	if o.Tolerant {
		doc = utf8Form(doc)
	}
	for {
		tok, err := s.Next()
		if err != nil {
			return
		}
		if tok.Kind != xmlscan.Start {
			continue
		}
		name := tok.Name
		tree, err := s.Tree(4 << 10)
		if err != nil {
			checkErrorType(t, err)
			return
		}
		if tree.Root.Tag != name.Local || tree.Root.Space != name.Prefix || tree.Pos(tree.Root) != placeOf(doc, tree.Start) {
			t.Errorf("%q: the tree of %v has the root %s at %v", doc, name, tree.Root.FullTag(), tree.Pos(tree.Root))
		}
		if name.Prefix != "xml" && tree.Root.NamespaceURI() != name.Space {
			t.Errorf("%q: the root of the tree is in %q, not in %q", doc, tree.Root.NamespaceURI(), name.Space)
		}
	}
}
