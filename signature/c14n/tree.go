package c14n

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Element writes the canonical form of el, with what its ancestors declare in
// scope. The tree is not changed.
func Element(w io.Writer, el *etree.Element, m Method, prefixes []string) error {
	c, err := New(w, m, prefixes)
	if err != nil {
		return err
	}
	c.Scope(above(el))
	if err := c.Tree(el); err != nil {
		return err
	}
	return c.Close()
}

// Tree feeds the tokens of el and all it holds, as if they had come from the
// document el was read from.
func (c *Writer) Tree(el *etree.Element) error {
	space := newScope()
	bindings, _ := above(el)
	for _, b := range bindings {
		space.add(b)
	}
	return c.feed(el, &space)
}

// above returns the declarations and xml:… attributes of el's ancestors,
// outermost first.
func above(el *etree.Element) (bindings []xmlscan.Binding, xmlAttrs []xmlscan.Attr) {
	var chain []*etree.Element
	for p := el.Parent(); p != nil; p = p.Parent() {
		chain = append(chain, p)
	}
	for _, p := range slices.Backward(chain) {
		for _, a := range p.Attr {
			if b, ok := Declaration(a); ok {
				bindings = append(bindings, b)
			} else if a.Space == "xml" {
				xmlAttrs = append(xmlAttrs, xmlscan.Attr{Name: xmlscan.Name{Prefix: "xml", Local: a.Key, Space: xmlURI}, Value: a.Value})
			}
		}
	}
	return bindings, xmlAttrs
}

// Declaration returns the namespace declaration an attribute is, false when it
// is none.
func Declaration(a etree.Attr) (xmlscan.Binding, bool) {
	switch {
	case a.Space == "xmlns":
		return xmlscan.Binding{Prefix: a.Key, URI: a.Value}, true
	case a.Space == "" && a.Key == "xmlns":
		return xmlscan.Binding{URI: a.Value}, true
	}
	return xmlscan.Binding{}, false
}

func (c *Writer) feed(el *etree.Element, space *scope) error {
	t := xmlscan.Token{Kind: xmlscan.Start}
	space.enter()
	defer space.leave()
	for _, a := range el.Attr {
		if b, ok := Declaration(a); ok {
			t.Bindings = append(t.Bindings, b)
			space.add(b)
		} else {
			t.Attrs = append(t.Attrs, xmlscan.Attr{Name: xmlscan.Name{Prefix: a.Space, Local: a.Key}, Value: a.Value})
		}
	}
	resolve := func(prefix string) string {
		if prefix == "xml" {
			return xmlURI
		}
		return space.find(prefix)
	}
	t.Name = xmlscan.Name{Prefix: el.Space, Local: el.Tag, Space: resolve(el.Space)}
	for i := range t.Attrs {
		if p := t.Attrs[i].Prefix; p != "" {
			t.Attrs[i].Space = resolve(p)
		}
	}
	name := t.Name
	if err := c.Token(&t); err != nil {
		return err
	}
	for _, child := range el.Child {
		if err := c.feedChild(child, space); err != nil {
			return err
		}
	}
	return c.Token(&xmlscan.Token{Kind: xmlscan.End, Name: name})
}

func (c *Writer) feedChild(child etree.Token, space *scope) error {
	switch n := child.(type) {
	case *etree.Element:
		return c.feed(n, space)
	case *etree.CharData:
		return c.Token(&xmlscan.Token{Kind: xmlscan.Text, Text: []byte(n.Data)})
	case *etree.Comment:
		return c.Token(&xmlscan.Token{Kind: xmlscan.Comment, Text: []byte(n.Data)})
	case *etree.ProcInst:
		return c.Token(&xmlscan.Token{Kind: xmlscan.ProcInst, Name: xmlscan.Name{Local: n.Target}, Text: []byte(n.Inst)})
	}
	return fmt.Errorf("c14n: a %T has no canonical form", child)
}

// Canonicalizer is a [Method] in the shape goxmldsig signs with. The zero
// value is [Exclusive] without a PrefixList.
type Canonicalizer struct {
	Method   Method
	Prefixes []string
}

var _ dsig.Canonicalizer = Canonicalizer{}

// Canonicalize returns the canonical form of el; see [Element].
func (c Canonicalizer) Canonicalize(el *etree.Element) ([]byte, error) {
	var out bytes.Buffer
	err := Element(&out, el, c.method(), c.Prefixes)
	return out.Bytes(), err
}

// Algorithm returns the identifier for CanonicalizationMethod and Transform.
func (c Canonicalizer) Algorithm() dsig.AlgorithmID { return dsig.AlgorithmID(c.method()) }

func (c Canonicalizer) method() Method {
	if c.Method == "" {
		return Exclusive
	}
	return c.Method
}
