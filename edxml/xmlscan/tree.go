package xmlscan

import (
	"errors"
	"io"

	"github.com/beevik/etree"
)

// Tree is a small part of a document as an etree element.
//
// Root's parent is an element that is not part of the document: it carries
// the namespace declarations in scope at Root, so that NamespaceURI and
// canonicalisation see what the document says.
type Tree struct {
	Root       *etree.Element
	Start, End int64 // the byte span in the document

	places map[*etree.Element]Pos
}

// Pos returns where an element of the tree begins.
func (t *Tree) Pos(el *etree.Element) Pos { return t.places[el] }

// Tree reads the rest of the element whose Start token Next just returned, up
// to and including its end tag, and returns it as a tree. max is the limit for
// its source in bytes, named "header" in the error; 0 means 32 MiB. Each text
// in it obeys Limits.Text.
func (s *Scanner) Tree(max int64) (*Tree, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.tok.Kind != Start {
		return nil, errors.New("xml: Tree called without a start tag before it")
	}
	if max == 0 {
		max = 32 << 20
	}
	context := etree.NewElement("context")
	for _, b := range s.space.inScope() {
		declare(context, b)
	}
	t := &Tree{Start: s.tok.Start, places: make(map[*etree.Element]Pos)}
	cur := context
	var text []byte
	for {
		if s.tok.Kind != Text && len(text) > 0 {
			cur.CreateText(string(text))
			text = text[:0]
		}
		switch s.tok.Kind {
		case Start:
			cur = s.child(t, cur)
		case End:
			cur = cur.Parent()
			if cur == context {
				t.Root, t.End = context.ChildElements()[0], s.tok.End
				return t, nil
			}
		case Text:
			if text = append(text, s.tok.Text...); len(text) > s.limits.Text {
				return nil, s.stop(&LimitError{Limit: "text", Max: int64(s.limits.Text), Pos: s.Pos(s.tok.Start)})
			}
		case Comment:
			cur.CreateComment(string(s.tok.Text))
		case ProcInst:
			cur.CreateProcInst(s.tok.Name.Local, string(s.tok.Text))
		}
		if _, err := s.Next(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if s.tok.End-t.Start > max {
			return nil, s.stop(&LimitError{Limit: "header", Max: max, Pos: s.Pos(s.tok.Start)})
		}
	}
}

// stop makes err final.
func (s *Scanner) stop(err error) error {
	s.err = err
	return err
}

// child adds the element of the current Start token to parent.
func (s *Scanner) child(t *Tree, parent *etree.Element) *etree.Element {
	el := parent.CreateElement(s.tok.Name.Local)
	el.Space = s.tok.Name.Prefix
	for _, b := range s.tok.Bindings {
		declare(el, b)
	}
	for _, a := range s.tok.Attrs {
		el.CreateAttr(a.Name.String(), a.Value)
	}
	t.places[el] = s.Pos(s.tok.Start)
	return el
}

func declare(el *etree.Element, b Binding) {
	if b.Prefix == "" {
		el.CreateAttr("xmlns", b.URI)
		return
	}
	el.CreateAttr("xmlns:"+b.Prefix, b.URI)
}
