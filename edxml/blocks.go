package edxml

import (
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// block handles one block of the header or body.
func (r *Reader) block(t *xmlscan.Tree) error {
	name := standardName(t.Root.Tag)
	if name == "Token" { // QUIRK: one .NET client's header block of the namespace e-doc.vn/xsd
		r.credential(Credential{Token: Secret(text(t.Root)), Span: r.span(t.Start, t.End)})
		return nil
	}
	r.packet.outline.add(t)
	d := &decoder{tree: t, find: r.find, limits: r.limits, above: "/" + strings.Join(r.path, "/")}
	if !r.belongs(name) {
		r.find("PKT-5", t.Pos(t.Root), d.above+"/"+t.Root.Tag, t.Root.Tag)
		return nil
	}
	if known(name) {
		r.namespace(t, d.above)
	}
	if strict := r.spelling(name); strict != t.Root.Tag && known(name) {
		r.find("PKT-3", t.Pos(t.Root), d.above+"/"+t.Root.Tag, t.Root.Tag, strict)
	}
	switch name {
	case "MessageHeader", "Status":
		r.once("MessageHeader", t)
		if name == "Status" || child(t.Root, "StatusCode") != nil {
			return r.status(d)
		}
		return r.message(d)
	case "TraceHeaderList":
		r.once("TraceHeaderList", t)
		r.traces(d)
	case "Bussiness": // QUIRK: some writers place it beside the TraceHeaderList
		r.once("Bussiness", t)
		doc := r.document()
		d.block(func(el *etree.Element) { doc.Business = d.business(el) })
	case "Signature":
		r.signature(t)
	case "Manifest":
		r.once("Manifest", t)
		d.extra = &r.document().Extra
		d.block(func(el *etree.Element) { r.refs = d.manifest(el) })
	case "ErrorList":
		r.once("ErrorList", t)
		d.extra = &r.document().Extra
		d.block(func(el *etree.Element) { r.document().Errors = d.errors(el) })
	default:
		r.find("PKT-2", t.Pos(t.Root), d.above+"/"+t.Root.Tag, t.Root.Tag)
	}
	return d.err
}

// known reports whether the standard has a block of this name.
func known(name string) bool {
	switch name {
	case "MessageHeader", "Status", "TraceHeaderList", "Bussiness", "Signature", "Manifest", "ErrorList":
		return true
	}
	return false
}

// spelling returns the name of a block in the packet's profile.
func (r *Reader) spelling(name string) string {
	switch {
	case name == "Manifest" && r.packet.Profile == ProfileQCVN102:
		return "edXMLManifest"
	case name == "Status" && r.packet.Profile == ProfileQCVN102: // QUIRK: the BKAV builder writes it, its parser reads nothing else
		return "MessageHeader"
	}
	return name
}

// belongs reports whether a block of this name may stand where the reader is.
// The blocks of a header stand in it and nowhere else, or what a signature
// over the header covers would not be what is read; only a Status also
// travels in the body of a SOAP envelope.
func (r *Reader) belongs(name string) bool {
	switch name {
	case "MessageHeader", "TraceHeaderList", "Bussiness", "Signature":
	default:
		return true
	}
	return !slices.ContainsFunc(r.path, func(p string) bool { return p == "Body" || p == "edXMLBody" || p == "AttachmentEncoded" })
}

// namespace reports a block whose namespace is none of a packet's, once for
// every such namespace.
func (r *Reader) namespace(t *xmlscan.Tree, above string) {
	space := t.Root.NamespaceURI()
	switch space {
	case NamespaceQCVN102, NamespaceEDoc, NamespaceDSig:
		return
	}
	if t.Root.Tag == "Status" && space == "" { // so the eDoc operations demand it
		return
	}
	if !r.seen["namespace "+space] {
		r.seen["namespace "+space] = true
		r.find("PKT-4", t.Pos(t.Root), above+"/"+t.Root.Tag, t.Root.Tag, space)
	}
}

// once reports a block that may stand once and stands again.
func (r *Reader) once(name string, t *xmlscan.Tree) {
	if r.seen[name] {
		r.find("PKT-1", t.Pos(t.Root), "/"+strings.Join(r.path, "/")+"/"+t.Root.Tag, t.Root.Tag)
	}
	r.seen[name] = true
}

// traces reads a TraceHeaderList. A Bussiness beside it stays unless the list
// has its own.
func (r *Reader) traces(d *decoder) {
	doc := r.document()
	beside := doc.Business
	doc.TraceHeaders, doc.Business = nil, nil
	d.extra = &doc.Extra
	d.block(func(el *etree.Element) { d.traceHeaderList(el, doc) })
	if doc.Business == nil {
		doc.Business = beside
	} else {
		r.once("Bussiness", d.tree)
	}
}

func (r *Reader) message(d *decoder) error {
	r.packet.Status = nil
	doc := r.document()
	*doc = Document{TraceHeaders: doc.TraceHeaders, Business: doc.Business, Attachments: doc.Attachments, Extra: doc.Extra}
	r.packet.Kind = KindDocument
	d.extra = &doc.Extra
	d.block(func(el *etree.Element) { d.messageHeader(el, doc) })
	if len(doc.To) > r.limits.Receivers {
		return &LimitError{Limit: "receivers", Max: int64(r.limits.Receivers)}
	}
	return d.err
}

func (r *Reader) status(d *decoder) error {
	s := &Status{}
	r.packet.Kind, r.packet.Document, r.packet.Status = KindStatus, nil, s
	d.extra = &s.Extra
	d.block(func(el *etree.Element) { d.status(el, s) })
	return d.err
}

// document returns the Document being read.
func (r *Reader) document() *Document {
	if r.packet.Document == nil && r.packet.Status == nil {
		r.packet.Document, r.packet.Kind = &Document{}, KindDocument
	}
	if r.packet.Document == nil { // a TraceHeaderList beside a Status: nothing keeps it
		return &Document{}
	}
	return r.packet.Document
}

// signature files a block named Signature: in SOAP it carries the access token.
func (r *Reader) signature(t *xmlscan.Tree) {
	if info := child(t.Root, "KeyInfo"); info != nil && child(info, "Token") != nil {
		r.credential(Credential{
			OrganID: text(child(info, "OrganId")), Token: Secret(text(child(info, "Token"))), Span: r.span(t.Start, t.End),
		})
		return
	}
	name := xmlscan.Name{Prefix: t.Root.Space, Local: t.Root.Tag, Space: t.Root.NamespaceURI()}
	r.packet.Signatures = append(r.packet.Signatures, SignatureBlock{Name: name, Span: r.span(t.Start, t.End), Pos: t.Pos(t.Root)})
	if name.Space != NamespaceDSig {
		r.find("SIG-5", t.Pos(t.Root), "/"+strings.Join(r.path, "/")+"/"+t.Root.Tag, name.String())
	}
}

// span is a byte range of the packet, zero where there is none.
func (r *Reader) span(start, end int64) Span {
	if r.recoded {
		return Span{}
	}
	return Span{start, end}
}

// credential files a block that carries an access token. The last pair is the
// packet's; every block has its span, so that none is overlooked where tokens
// are taken out.
func (r *Reader) credential(c Credential) {
	r.packet.Credentials = append(r.packet.Credentials, &c)
	if r.packet.Credential == nil || c.OrganID != "" {
		r.packet.Credential = &c
	}
}
