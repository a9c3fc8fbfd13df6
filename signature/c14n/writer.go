package c14n

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Method is the algorithm identifier of a canonicalisation.
type Method string

// The methods, by the URIs of their recommendations.
const (
	Exclusive               = Method(dsig.CanonicalXML10ExclusiveAlgorithmId)
	ExclusiveWithComments   = Method(dsig.CanonicalXML10ExclusiveWithCommentsAlgorithmId)
	Inclusive10             = Method(dsig.CanonicalXML10RecAlgorithmId)
	Inclusive10WithComments = Method(dsig.CanonicalXML10WithCommentsAlgorithmId)
	Inclusive11             = Method(dsig.CanonicalXML11AlgorithmId)
	Inclusive11WithComments = Method(dsig.CanonicalXML11WithCommentsAlgorithmId)
)

// ErrMethod says that a [Method] is none of the six.
var ErrMethod = errors.New("c14n: unknown method")

// ErrUnbound says that a name has a prefix without a declaration; such a
// document has no canonical form (Namespaces in XML §5).
var ErrUnbound = errors.New("c14n: prefix is not declared")

const (
	bufferSize = 8 << 10 // small pieces gathered before a write
	direct     = 1 << 10 // plain text from this size on is handed on uncopied
)

// Writer turns tokens into canonical XML. It is not safe for concurrent use.
type Writer struct {
	w                        io.Writer
	exclusive, comments, v11 bool
	listed                   []string // PrefixList, "" for #default
	isListed                 map[string]bool

	buf     []byte
	inScope scope // what the document declares; kept for inclusive methods and a PrefixList
	shown   scope // exclusive: what the output declares
	inherit []xmlscan.Attr
	depth   int
	started bool // the root or apex has begun
	attrs   []xmlscan.Attr
	decls   []xmlscan.Binding
	err     error
}

// New returns a Writer for method m. prefixes is the PrefixList of an
// InclusiveNamespaces element ("#default" is the default namespace); only the
// exclusive methods use it. The error is [ErrMethod].
func New(w io.Writer, m Method, prefixes []string) (*Writer, error) {
	c := &Writer{w: w, inScope: newScope(), shown: newScope(), buf: make([]byte, 0, bufferSize/4)}
	switch m {
	case Exclusive, ExclusiveWithComments:
		c.exclusive = true
	case Inclusive10, Inclusive10WithComments:
	case Inclusive11, Inclusive11WithComments:
		c.v11 = true
	default:
		return nil, fmt.Errorf("%w %q", ErrMethod, string(m))
	}
	c.comments = m == ExclusiveWithComments || m == Inclusive10WithComments || m == Inclusive11WithComments
	if c.exclusive && len(prefixes) > 0 {
		c.isListed = make(map[string]bool, len(prefixes))
		for _, p := range prefixes {
			if p == "#default" {
				p = ""
			}
			if !c.isListed[p] {
				c.isListed[p] = true
				c.listed = append(c.listed, p)
			}
		}
	}
	return c, nil
}

// Scope says what is in scope at the element that will be fed first: the
// namespace declarations and the xml:… attributes of its ancestors, outermost
// first, so that a later one of the same name hides an earlier one. It is
// called before the first token, and not at all for a whole document.
func (c *Writer) Scope(b []xmlscan.Binding, xmlAttrs []xmlscan.Attr) {
	for _, binding := range b {
		if binding.Prefix != "xml" {
			c.inScope.add(binding)
		}
	}
	if !c.exclusive {
		c.inherit = append(c.inherit, xmlAttrs...)
	}
}

// Token writes one token. An error is [ErrUnbound], the writer's own, or a
// token that cannot stand here; it is final.
func (c *Writer) Token(t *xmlscan.Token) error {
	if c.err != nil {
		return c.err
	}
	switch t.Kind {
	case xmlscan.Start:
		c.start(t)
	case xmlscan.End:
		c.end(t)
	case xmlscan.Text:
		c.text(t)
	case xmlscan.Comment:
		if c.comments {
			c.misc("<!--", "", t.Text, "-->")
		}
	case xmlscan.ProcInst:
		c.misc("<?", t.Name.Local, t.Text, "?>")
	}
	if len(c.buf) >= bufferSize-direct {
		c.flush()
	}
	return c.err
}

// Close writes what is still buffered. It fails when an element is still open.
func (c *Writer) Close() error {
	c.flush()
	if c.err == nil && c.depth > 0 {
		c.err = fmt.Errorf("c14n: the tokens end inside %d open elements", c.depth)
	}
	return c.err
}

func (c *Writer) flush() {
	if c.err == nil && len(c.buf) > 0 {
		_, c.err = c.w.Write(c.buf)
	}
	c.buf = c.buf[:0]
}

func (c *Writer) text(t *xmlscan.Token) {
	switch {
	case c.depth == 0: // white space between the items of a document
	case !t.Plain:
		c.escape(t.Text)
	case len(t.Text) < direct:
		c.buf = append(c.buf, t.Text...)
	default:
		c.flush()
		if c.err == nil {
			_, c.err = c.w.Write(t.Text)
		}
	}
}

// escape writes character data (Canonical XML §2.3, Text Nodes).
func (c *Writer) escape(b []byte) {
	from := 0
	for i, ch := range b {
		var with string
		switch ch {
		case '&':
			with = "&amp;"
		case '<':
			with = "&lt;"
		case '>':
			with = "&gt;"
		case '\r':
			with = "&#xD;"
		default:
			continue
		}
		c.buf = append(append(c.buf, b[from:i]...), with...)
		from = i + 1
		if len(c.buf) >= bufferSize {
			c.flush()
		}
	}
	c.buf = append(c.buf, b[from:]...)
}

// quote writes an attribute value (Canonical XML §2.3, Attribute Nodes).
func (c *Writer) quote(v string) {
	c.buf = append(c.buf, '=', '"')
	from := 0
	for i := range len(v) {
		var with string
		switch v[i] {
		case '&':
			with = "&amp;"
		case '<':
			with = "&lt;"
		case '"':
			with = "&quot;"
		case '\t':
			with = "&#x9;"
		case '\n':
			with = "&#xA;"
		case '\r':
			with = "&#xD;"
		default:
			continue
		}
		c.buf = append(append(c.buf, v[from:i]...), with...)
		from = i + 1
	}
	c.buf = append(append(c.buf, v[from:]...), '"')
}

// misc writes a comment or a processing instruction; outside the root element
// it stands on a line of its own.
func (c *Writer) misc(open, target string, text []byte, end string) {
	if c.depth == 0 && c.started {
		c.buf = append(c.buf, '\n')
	}
	c.buf = append(append(c.buf, open...), target...)
	if target != "" && len(text) > 0 {
		c.buf = append(c.buf, ' ')
	}
	for _, b := range text {
		if b == '\r' {
			c.buf = append(c.buf, "&#xD;"...)
			continue
		}
		c.buf = append(c.buf, b)
	}
	c.buf = append(c.buf, end...)
	if c.depth == 0 && !c.started {
		c.buf = append(c.buf, '\n')
	}
}

func (c *Writer) name(n xmlscan.Name) {
	if n.Prefix != "" {
		c.buf = append(append(c.buf, n.Prefix...), ':')
	}
	c.buf = append(c.buf, n.Local...)
}

func (c *Writer) start(t *xmlscan.Token) {
	apex := c.depth == 0
	if apex && c.started {
		c.err = errors.New("c14n: a second root element")
		return
	}
	for _, a := range t.Attrs {
		if a.Prefix != "" && a.Space == "" {
			c.unbound(a.Name)
			return
		}
	}
	if t.Name.Prefix != "" && t.Name.Space == "" {
		c.unbound(t.Name)
		return
	}
	c.started = true
	c.depth++
	c.decls = c.decls[:0]
	if c.exclusive {
		c.declareUsed(t, apex)
	} else {
		c.declareChanged(t, apex)
	}
	c.attrs = append(c.attrs[:0], t.Attrs...)
	if apex && len(c.inherit) > 0 {
		c.attrs = inherited(c.attrs, c.inherit, c.v11)
	}
	c.tag(t.Name)
}

func (c *Writer) unbound(n xmlscan.Name) {
	c.err = fmt.Errorf("%w: %s", ErrUnbound, n)
}

// tag writes the start tag with c.decls and c.attrs, sorted.
func (c *Writer) tag(n xmlscan.Name) {
	slices.SortFunc(c.decls, func(a, b xmlscan.Binding) int { return cmp.Compare(a.Prefix, b.Prefix) })
	slices.SortFunc(c.attrs, func(a, b xmlscan.Attr) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
	})
	c.buf = append(c.buf, '<')
	c.name(n)
	for _, d := range c.decls {
		c.buf = append(c.buf, " xmlns"...)
		if d.Prefix != "" {
			c.buf = append(append(c.buf, ':'), d.Prefix...)
		}
		c.quote(d.URI)
	}
	for _, a := range c.attrs {
		c.buf = append(c.buf, ' ')
		c.name(a.Name)
		c.quote(a.Value)
		if len(c.buf) >= bufferSize {
			c.flush()
		}
	}
	c.buf = append(c.buf, '>')
}

func (c *Writer) end(t *xmlscan.Token) {
	if c.depth == 0 {
		c.err = errors.New("c14n: an end tag without a start tag")
		return
	}
	c.depth--
	if c.exclusive {
		c.shown.leave()
	}
	if !c.exclusive || len(c.listed) > 0 {
		c.inScope.leave()
	}
	c.buf = append(c.buf, '<', '/')
	c.name(t.Name)
	c.buf = append(c.buf, '>')
}
