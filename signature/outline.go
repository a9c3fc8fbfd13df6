package signature

import (
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// part is a piece of the packet that a signature by parts binds.
type part uint8

const (
	noPart   part = iota
	header        // MessageHeader
	business      // Bussiness, in TraceHeaderList
	manifest      // Manifest, in the single file edXMLManifest
)

// String gives the element's name in the SOAP profile.
func (p part) String() string {
	return [...]string{"", "MessageHeader", "Bussiness", "Manifest"}[p]
}

// partNamed says which part an element with this local name claims to be,
// wherever it stands. Readers of packets go by local names, so a second
// element that claims to be a part is a decoy even in another namespace.
func partNamed(local string) part {
	switch local {
	case "MessageHeader":
		return header
	case "Bussiness", "Business":
		return business
	case "Manifest", "edXMLManifest":
		return manifest
	}
	return noPart
}

// outline follows the structure of a packet: which elements are open, and
// what is in scope there.
type outline struct {
	profile  edxml.Profile
	path     []xmlscan.Name
	bindings []xmlscan.Binding
	xmlAttrs []xmlscan.Attr
	marks    []mark // lengths of the two before each open element
}

type mark struct{ bindings, xmlAttrs int }

// enter opens an element. For the root it decides on the profile.
func (o *outline) enter(t *xmlscan.Token) error {
	if len(o.path) == 0 {
		switch {
		case t.Name.Is(edxml.NamespaceSOAP, "Envelope"):
			o.profile = edxml.ProfileSOAP
		case t.Name.Local == "edXML":
			o.profile = edxml.ProfileQCVN102
		default:
			return refuse(ErrNotPacket, "the root element is <%s>", t.Name)
		}
	}
	o.push(t)
	return nil
}

// push opens an element of any XML file.
func (o *outline) push(t *xmlscan.Token) {
	o.path = append(o.path, t.Name)
	o.marks = append(o.marks, mark{len(o.bindings), len(o.xmlAttrs)})
	o.bindings = append(o.bindings, t.Bindings...)
	for _, a := range t.Attrs {
		if a.Prefix == "xml" {
			o.xmlAttrs = append(o.xmlAttrs, a)
		}
	}
}

// leave closes the innermost element.
func (o *outline) leave() {
	last := len(o.path) - 1
	o.bindings, o.xmlAttrs = o.bindings[:o.marks[last].bindings], o.xmlAttrs[:o.marks[last].xmlAttrs]
	o.path, o.marks = o.path[:last], o.marks[:last]
}

// above returns what the ancestors of the innermost element have in scope there.
func (o *outline) above() ([]xmlscan.Binding, []xmlscan.Attr) {
	m := o.marks[len(o.marks)-1]
	return o.bindings[:m.bindings], o.xmlAttrs[:m.xmlAttrs]
}

// crowded refuses a signature at a place with too many declarations in force.
func (o *outline) crowded(l Limits, pos xmlscan.Pos) error {
	if above, _ := o.above(); len(above) > l.Declarations {
		return &readFault{&xmlscan.LimitError{Limit: "declarations", Max: int64(l.Declarations), Pos: pos}}
	}
	return nil
}

// where gives the path of the innermost element, for messages.
func (o *outline) where() string {
	var b strings.Builder
	for _, n := range o.path {
		b.WriteString("/" + n.String())
	}
	return b.String()
}

// inHeader reports whether the first depth open elements are those around the
// header blocks: edXML/edXMLEnvelope/edXMLHeader, or SOAP's Envelope/Header.
// It holds only while exactly n elements more are open.
func (o *outline) inHeader(n int) bool {
	p := o.path
	if o.profile == edxml.ProfileSOAP {
		return len(p) == 2+n && p[1].Is(edxml.NamespaceSOAP, "Header")
	}
	return len(p) == 3+n && p[1].Is(edxml.NamespaceQCVN102, "edXMLEnvelope") && p[2].Is(edxml.NamespaceQCVN102, "edXMLHeader")
}

func (o *outline) inBody() bool {
	p := o.path
	if o.profile == edxml.ProfileSOAP {
		return len(p) == 3 && p[1].Is(edxml.NamespaceSOAP, "Body")
	}
	return len(p) == 4 && p[1].Is(edxml.NamespaceQCVN102, "edXMLEnvelope") && p[2].Is(edxml.NamespaceQCVN102, "edXMLBody")
}

// space is the namespace of the profile's own elements.
func (o *outline) space() string {
	if o.profile == edxml.ProfileSOAP {
		return edxml.NamespaceEDoc
	}
	return edxml.NamespaceQCVN102
}

// part returns which part the innermost element is: right name, right
// namespace, right place.
func (o *outline) part() part {
	n := o.path[len(o.path)-1]
	if n.Space != o.space() {
		return noPart
	}
	switch p := partNamed(n.Local); p {
	case header:
		if o.inHeader(1) {
			return p
		}
	case business:
		if o.inHeader(2) && o.path[len(o.path)-2].Is(o.space(), "TraceHeaderList") {
			return p
		}
	case manifest:
		if o.inBody() {
			return p
		}
	}
	return noPart
}

// inAttachment reports whether n elements are open inside an inline
// Attachment at its place, edXML/AttachmentEncoded/Attachment.
func (o *outline) inAttachment(n int) bool {
	return o.profile == edxml.ProfileQCVN102 && len(o.path) == 3+n &&
		o.path[1].Local == "AttachmentEncoded" && o.path[2].Local == "Attachment"
}
