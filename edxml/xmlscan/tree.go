package xmlscan

import (
	"bytes"
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

	places []place // in document order
	latest int     // index of the place asked for last
}

// place is where an element begins.
type place struct {
	el  *etree.Element
	pos Pos
}

// Pos returns where an element of the tree begins, the zero Pos for any other
// element. Asking in document order costs nothing; a tree is not safe for
// concurrent use.
func (t *Tree) Pos(el *etree.Element) Pos {
	for n := range t.places {
		i := t.latest + n
		if i >= len(t.places) {
			i -= len(t.places)
		}
		if t.places[i].el == el {
			t.latest = i
			return t.places[i].pos
		}
	}
	return Pos{}
}

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
	for _, b := range s.space.inScope() { // each once, so CreateAttr need not look for it
		key := etree.Attr{Space: "xmlns", Key: b.Prefix, Value: b.URI}
		if b.Prefix == "" {
			key = etree.Attr{Key: "xmlns", Value: b.URI}
		}
		context.Attr = append(context.Attr, key)
	}
	t := &Tree{Start: s.tok.Start, places: make([]place, 0, 16)}
	var made nodes
	cur := context
	var text []byte
	for {
		if s.tok.Kind != Text && len(text) > 0 {
			cur.AddChild(made.text(s.layout(text)))
			text = text[:0]
		}
		switch s.tok.Kind {
		case Start:
			cur = s.child(t, &made, cur)
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

// layout returns text as a string, the same one for the same line end and
// indentation: half of a document's texts are that.
func (s *Scanner) layout(text []byte) string {
	if text[0] == '\n' && len(bytes.TrimLeft(text[1:], " \t")) == 0 {
		return s.intern(text)
	}
	return string(text)
}

// stop makes err final.
func (s *Scanner) stop(err error) error {
	s.err = err
	return err
}

// child adds the element of the current Start token to parent.
func (s *Scanner) child(t *Tree, made *nodes, parent *etree.Element) *etree.Element {
	el := made.element(s.tok.Name)
	parent.AddChild(el)
	for _, b := range s.tok.Bindings {
		declare(el, b)
	}
	for _, a := range s.tok.Attrs {
		el.CreateAttr(a.Name.String(), a.Value)
	}
	t.places = append(t.places, place{el, s.Pos(s.tok.Start)})
	return el
}

// nodes makes the nodes of a tree in batches that grow: a header has some
// hundred of them, and one by one they would be most of the cost of reading it.
type nodes struct {
	made     int
	elements []etree.Element
	texts    []etree.CharData
	tokens   []etree.Token
}

// element makes an element with room for one child, which is all that most have.
func (n *nodes) element(name Name) *etree.Element {
	if len(n.elements) == 0 {
		size := n.batch()
		n.elements, n.tokens = make([]etree.Element, size), make([]etree.Token, size)
	}
	el := &n.elements[0]
	el.Space, el.Tag, el.Child = name.Prefix, name.Local, n.tokens[:0:1]
	n.elements, n.tokens = n.elements[1:], n.tokens[1:]
	return el
}

// batch is how many nodes to make next.
func (n *nodes) batch() int {
	size := min(8+n.made, 64)
	n.made += size
	return size
}

func (n *nodes) text(data string) *etree.CharData {
	if len(n.texts) == 0 {
		n.texts = make([]etree.CharData, n.batch())
	}
	c := &n.texts[0]
	c.Data = data
	n.texts = n.texts[1:]
	return c
}

func declare(el *etree.Element, b Binding) {
	if b.Prefix == "" {
		el.CreateAttr("xmlns", b.URI)
		return
	}
	el.CreateAttr("xmlns:"+b.Prefix, b.URI)
}
