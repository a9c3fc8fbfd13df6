package edxml

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// xmlWriter writes indented XML and remembers the first error.
type xmlWriter struct {
	w      *bufio.Writer
	prefix string // of element names
	full   bool   // write empty elements too
	depth  int
	err    error
}

func newXMLWriter(w io.Writer, full bool) *xmlWriter {
	size := 32 << 10
	if full {
		size = 4 << 10 // the files of an envelope travel beside it
	}
	return &xmlWriter{w: bufio.NewWriterSize(w, size), prefix: "edXML:", full: full}
}

func (x *xmlWriter) raw(s string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(s)
	}
}

func (x *xmlWriter) indent() { x.raw(strings.Repeat("  ", x.depth)) }

func (x *xmlWriter) open(tag string) {
	x.indent()
	x.raw("<" + tag + ">\n")
	x.depth++
}

func (x *xmlWriter) close(name string) {
	x.depth--
	x.indent()
	x.raw("</" + name + ">\n")
}

// leaf writes an element with text; an empty one only in the full form.
func (x *xmlWriter) leaf(name, value string) {
	if value != "" || x.full {
		x.element(name, value)
	}
}

// element writes an element with text, or an empty one.
func (x *xmlWriter) element(name, value string) {
	x.indent()
	x.raw("<" + x.prefix + name + ">" + x.escape(value) + "</" + x.prefix + name + ">\n")
}

// optional writes an element only if it has a value.
func (x *xmlWriter) optional(name, value string) {
	if value != "" {
		x.leaf(name, value)
	}
}

// extra writes back what was kept of a block besides the standard: its own
// elements, the deeper ones and the attributes not.
func (x *xmlWriter) extra(block string, list []Extra) {
	for _, e := range list {
		if e.Path != block || strings.HasPrefix(e.Name, "@") {
			continue
		}
		if x.err == nil && !xmlscan.IsName(e.Name) {
			x.err = fmt.Errorf("edxml: %.40q is no name of an element", e.Name)
		}
		name := x.prefix + e.Name
		x.indent()
		x.raw("<" + name + ">" + x.escape(e.Text) + "</" + name + ">\n")
	}
}

// list writes an element and its repeated child.
func (x *xmlWriter) list(name, item string, values []string) {
	x.open(x.prefix + name)
	for _, v := range values {
		x.leaf(item, v)
	}
	x.close(x.prefix + name)
}

// end flushes.
func (x *xmlWriter) end() error {
	if x.err == nil {
		x.err = x.w.Flush()
	}
	return x.err
}

// escape makes text safe in content and in attribute values. Text that XML
// cannot hold is an error: it is never replaced silently.
func (x *xmlWriter) escape(s string) string {
	if x.err == nil && !validText(s) {
		x.err = fmt.Errorf("edxml: %.40q holds a character that XML does not allow", s)
	}
	return escaper.Replace(s)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")

func validText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}
