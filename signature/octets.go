package signature

import (
	"errors"
	"hash"
	"io"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// octets takes the digest of one same-document Reference while the packet
// passes: of the whole document, or of one element. Comments are left out, as
// XML Signature §4.4.3.3 says for such references whatever the method.
type octets struct {
	h hash.Hash
	c *c14n.Writer

	whole bool
	id    string // the element's Id, when verifying
	want  part   // the element, when signing
	give  string // signing: the Id for an element that has none

	depth   int    // of the element while it is open
	hits    int    // elements that answered
	part    part   // which part the element is
	where   string // its path
	had     string // signing: the Id it has
	nameEnd int64  // signing: offset behind the name in its start tag
	err     error
}

// newOctets starts a digest; what is digested also goes to out unless it is nil.
func newOctets(h hash.Hash, m c14n.Method, prefixes []string, out io.Writer) (*octets, error) {
	var w io.Writer = h
	if out != nil {
		w = io.MultiWriter(h, out)
	}
	c, err := c14n.New(w, m, prefixes)
	return &octets{h: h, c: c}, err
}

func (d *octets) token(o *outline, t *xmlscan.Token) {
	if d.err != nil || t.Kind == xmlscan.Comment {
		return
	}
	if d.whole {
		d.err = d.c.Token(t)
		return
	}
	if d.depth == 0 {
		if t.Kind == xmlscan.Start && d.matches(o, t) {
			d.open(o, t)
		}
		return
	}
	d.err = d.c.Token(t)
	if t.Kind == xmlscan.End && len(o.path) == d.depth {
		d.depth = 0
	}
}

func (d *octets) tree(root *etree.Element) {
	if d.err == nil && (d.whole || d.depth > 0) {
		d.err = d.c.Tree(root)
	}
}

func (d *octets) matches(o *outline, t *xmlscan.Token) bool {
	if d.want != noPart {
		return o.part() == d.want
	}
	return idOf(t) == d.id
}

// idOf returns the element's Id, "" without one.
func idOf(t *xmlscan.Token) string {
	for _, a := range t.Attrs {
		if a.Prefix == "" && a.Local == "Id" {
			return a.Value
		}
	}
	return ""
}

// open begins with the element of a Start token, if it is a part.
func (d *octets) open(o *outline, t *xmlscan.Token) {
	if d.hits++; d.hits > 1 {
		return
	}
	d.part, d.where = o.part(), o.where()
	if d.part == noPart {
		return
	}
	d.had = idOf(t)
	d.nameEnd = t.Start + 1 + int64(len(t.Name.String()))
	if d.give != "" && d.had == "" {
		with := *t
		with.Attrs = append(append([]xmlscan.Attr(nil), t.Attrs...), xmlscan.Attr{Name: xmlscan.Name{Local: "Id"}, Value: d.give})
		t = &with
	}
	d.depth = len(o.path)
	d.c.Scope(o.above())
	d.err = d.c.Token(t)
}

// sum returns the digest.
func (d *octets) sum() ([]byte, error) {
	if d.err == nil && !d.whole && d.part == noPart {
		d.err = errors.New("no element was digested")
	}
	if d.err == nil {
		d.err = d.c.Close()
	}
	return d.h.Sum(nil), d.err
}
