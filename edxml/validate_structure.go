package edxml

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	"github.com/jacoelho/xsd"
	"github.com/jacoelho/xsd/xsderrors"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// structure compares a packet that was read with the published schema of its
// form. The schemas state the strict form, so nothing here is an error. What
// reading names anyway (spellings, unknown and doubled elements, another
// namespace or order) is put right before the schema sees it, and a place that
// another rule spoke of is passed over.
func (v *validation) structure() {
	f := v.form()
	if f == nil {
		return
	}
	k, back := f.borrow()
	defer back()
	k.v = v
	k.packet()
	k.lacking()
	err := k.session.Validate(context.Background(), &k.b)
	var list xsderrors.Errors
	var one *xsderrors.Error
	switch {
	case err == nil:
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = xsderrors.Errors{one}
	default: // the validator gave up
		v.find("STR-5", "MessageHeader", "MessageHeader")
	}
	for _, e := range list {
		if errors.As(e, &one) {
			k.report(one)
		}
	}
}

// form returns the schema for the packet, nil when there is none.
func (v *validation) form() *form {
	p := v.packet
	name := ""
	switch {
	case p.outline == nil || p.outline.root == nil:
		return nil
	case p.Profile == ProfileQCVN102 && p.Document != nil:
		name = "edxml-qcvn102.xsd"
	case p.Profile == ProfileQCVN102 && p.Status != nil:
		name = "edxml-status.xsd"
	case p.Profile == ProfileSOAP && p.Document != nil:
		name = "edxml-soap.xsd"
	default: // a status in an envelope of the older dialect
		return nil
	}
	all, err := forms()
	if err != nil {
		panic(err) // the schemas are part of the program
	}
	return all[name]
}

// skeleton is a packet rewritten for the schema: standard names, one
// namespace, the schema's order, no attachments, every start tag and every end
// tag of a container on a line of its own, so that a line is an element.
type skeleton struct {
	form    *form
	session *xsd.Session
	v       *validation
	b       bytes.Buffer
	lines   []line
	lacks   []lacks
}

// lacks is what an element has not that it should have. Elements of one name
// that lack the same are told once.
type lacks struct {
	name, path string
	inside     []string
	others     int
}

// line is the element whose tag stands on a line.
type line struct {
	place         xmlscan.Pos
	parent, name  string
	path, value   string
	filled, inner bool // it was missing; it holds elements
}

func (k *skeleton) write(l line, text ...string) {
	for _, s := range text {
		k.b.WriteString(s)
	}
	k.b.WriteByte('\n')
	k.lines = append(k.lines, l)
}

// packet writes the frame and the blocks.
func (k *skeleton) packet() {
	o := k.v.packet.outline
	manifest := o.block("Manifest")
	if k.form.soap {
		k.open("SOAP-ENV:Envelope xmlns:SOAP-ENV=\"" + NamespaceSOAP + "\" xmlns=\"" + NamespaceEDoc + "\" xmlns:xlink=\"" + NamespaceXLink + "\"")
		k.open("SOAP-ENV:Header")
		k.block(o.block("MessageHeader"), "MessageHeader")
		k.block(o.block("TraceHeaderList"), "TraceHeaderList")
		k.block(o.block("ErrorList"), "ErrorList")
		k.open("/SOAP-ENV:Header")
		k.open("SOAP-ENV:Body")
		k.block(manifest, "Manifest")
		k.open("/SOAP-ENV:Body")
		k.open("/SOAP-ENV:Envelope")
		return
	}
	k.open("edXML xmlns=\"" + NamespaceQCVN102 + "\"")
	k.open("edXMLEnvelope")
	k.open("edXMLHeader")
	k.block(o.block("MessageHeader", "Status"), "MessageHeader")
	if k.v.packet.Document != nil {
		k.block(o.block("TraceHeaderList"), "TraceHeaderList")
	}
	k.open("/edXMLHeader")
	if k.v.packet.Document != nil {
		k.open("edXMLBody")
		k.block(manifest, "edXMLManifest")
		k.open("/edXMLBody")
	}
	k.open("/edXMLEnvelope")
	if k.v.packet.Document != nil {
		if len(o.find("AttachmentEncoded")) == 0 {
			k.v.find("STR-2", "AttachmentEncoded", "AttachmentEncoded", Text{})
		}
		k.open("AttachmentEncoded")
		k.open("/AttachmentEncoded")
	}
	k.open("/edXML")
}

// open writes a tag of the frame.
func (k *skeleton) open(tag string) {
	k.write(line{filled: true}, "<", tag, ">")
}

// block writes a block of header or body; a block that is not there is
// reported and filled in.
func (k *skeleton) block(t *xmlscan.Tree, name string) {
	if t == nil {
		path := strings.TrimPrefix(name, "edXML")
		k.v.find("STR-2", path, path, Text{})
		k.write(line{filled: true}, "<"+name+"></"+name+">")
		return
	}
	if el := k.stranger(t.Root); el != nil && k.v.packet.outline.native(k.form) {
		k.v.findAt("STR-4", t.Pos(el), standardName(t.Root.Tag), el.Tag, el.NamespaceURI(), k.form.namespace)
	}
	prefix := ""
	switch name {
	case "Manifest", "edXMLManifest":
		prefix = "Manifest/"
	case "ErrorList":
		prefix = "ErrorList/"
	}
	k.container(t, t.Root, line{place: t.Pos(t.Root), name: name, path: strings.TrimSuffix(prefix, "/")}, prefix)
}

// stranger returns the first element that is not in the form's namespace.
func (k *skeleton) stranger(el *etree.Element) *etree.Element {
	if el.NamespaceURI() != k.form.namespace {
		return el
	}
	for _, c := range el.ChildElements() {
		if s := k.stranger(c); s != nil {
			return s
		}
	}
	return nil
}

// native says that the frame of the packet is in the form's own namespace;
// else reading has said so.
func (o *outline) native(f *form) bool {
	want := f.namespace
	if f.soap {
		want = NamespaceSOAP
	}
	return o.root.name.Space == want
}

// container writes an element that holds elements, in the schema's order.
func (k *skeleton) container(t *xmlscan.Tree, el *etree.Element, l line, prefix string) {
	m := k.form.content[l.name]
	l.inner = true
	k.start(l, el)
	all := el.ChildElements()
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = standardName(c.Tag)
	}
	if !m.free {
		k.order(t, all, names, m, l)
	}
	absent := lacks{name: l.name, path: strings.TrimSuffix(prefix, "/")}
	for _, p := range m.particles {
		n, last := 0, (*etree.Element)(nil)
		for i, c := range all {
			if names[i] != p.name || !k.form.soap && blank(c) {
				continue
			}
			if n, last = n+1, c; p.many {
				k.child(t, c, line{place: t.Pos(c), parent: l.name, name: p.name, path: prefix + p.name + "[" + strconv.Itoa(n) + "]"})
			}
		}
		switch {
		case n == 0:
			if p.required {
				k.filled(p, l.name)
				if !k.v.spoken(prefix + p.name) {
					absent.inside = append(absent.inside, p.name)
				}
			}
		case !p.many:
			k.child(t, last, line{place: t.Pos(last), parent: l.name, name: p.name, path: prefix + p.name})
		}
	}
	k.write(l, "</", l.name, ">")
	k.absent(absent)
}

// absent notes what an element lacks.
func (k *skeleton) absent(a lacks) {
	if len(a.inside) == 0 {
		return
	}
	for i := range k.lacks {
		if b := &k.lacks[i]; b.name == a.name && slices.Equal(b.inside, a.inside) {
			b.others++
			return
		}
	}
	k.lacks = append(k.lacks, a)
}

// lacking reports what is missing: one Finding for the elements that one
// element lacks.
func (k *skeleton) lacking() {
	for _, a := range k.lacks {
		path, what := a.path, strings.Join(a.inside, ", ")
		if path != "" && len(a.inside) > 1 {
			what = path + "/(" + what + ")"
		} else if path = strings.TrimPrefix(path+"/"+what, "/"); len(a.inside) == 1 {
			what = path
		} else { // of the header itself
			path = a.name
		}
		also := Text{}
		if a.others > 0 {
			also = Text{", và ở " + strconv.Itoa(a.others) + " phần tử " + a.name + " khác", ", and in " + strconv.Itoa(a.others) + " more elements " + a.name}
		}
		k.v.find("STR-2", path, what, also)
	}
}

// filled writes a missing element, and what must be in it.
func (k *skeleton) filled(p particle, parent string) {
	k.write(line{parent: parent, name: p.name, filled: true}, "<"+p.name+">")
	if p.inner {
		for _, q := range k.form.content[p.name].particles {
			if q.required {
				k.filled(q, p.name)
			}
		}
	}
	k.write(line{parent: parent, name: p.name, filled: true}, "</"+p.name+">")
}

// child writes an element below a container.
func (k *skeleton) child(t *xmlscan.Tree, el *etree.Element, l line) {
	if _, inner := k.form.content[l.name]; inner && (len(el.ChildElements()) > 0 || !k.leaf(l)) {
		k.container(t, el, l, l.path+"/")
		return
	}
	l.value = text(el)
	k.write(l, "<", l.name, ">", escaped.Replace(clip(l.value)), "</", l.name, ">")
}

// escaped writes a value without a line break, which would count as a line.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")

// clip cuts a value behind every length that a schema allows.
func clip(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// leaf says that an element whose name is that of a container elsewhere holds
// a value here, as Code does in ResponseFor and in Error.
func (k *skeleton) leaf(l line) bool {
	return slices.ContainsFunc(k.form.content[l.parent].particles, func(p particle) bool { return p.name == l.name && !p.inner })
}

// start writes the start tag of a container, with the attributes that the
// schema looks at.
func (k *skeleton) start(l line, el *etree.Element) {
	attribute := ""
	for _, a := range el.Attr {
		switch {
		case a.Key == "href" && l.name == "Reference" && k.form.soap:
			attribute = ` xlink:href="` + escaped.Replace(clip(a.Value)) + `"`
		case a.Key == "version" && l.name == "edXMLManifest":
			attribute = ` version="` + escaped.Replace(clip(a.Value)) + `"`
		}
	}
	k.write(l, "<", l.name, attribute, ">")
}

// order reports the first child that stands in another order than the
// schema's.
func (k *skeleton) order(t *xmlscan.Tree, all []*etree.Element, names []string, m model, l line) {
	last := 0
	for i, c := range all {
		at := slices.IndexFunc(m.particles, func(p particle) bool { return p.name == names[i] })
		if at >= 0 && at < last {
			path := l.path
			if path == "" {
				path = l.name
			}
			k.v.findAt("STR-1", t.Pos(c), path, l.name, names[i], m.particles[last].name)
			return
		}
		last = max(last, at)
	}
}

// blank says that an element has neither value nor children.
func blank(el *etree.Element) bool { return len(el.ChildElements()) == 0 && text(el) == "" }

// report turns an error of the schema into a Finding.
func (k *skeleton) report(e *xsderrors.Error) {
	if e.Line < 1 || e.Line > len(k.lines) || k.lines[e.Line-1].filled || e.Code == xsderrors.CodeValidationIdentity {
		return // ours, or the business of the rules about receivers and attachments
	}
	l := k.lines[e.Line-1]
	path := l.path
	if path == "" {
		path = l.name
	}
	if k.v.spoken(path) {
		return
	}
	if l.inner {
		k.v.findAt("STR-5", l.place, path, path)
		return
	}
	want := Text{"đúng dạng", "of the right form"}
	for _, p := range k.form.content[l.parent].particles {
		if p.name == l.name && p.want.EN != "" {
			want = p.want
		}
	}
	k.v.findAt("STR-3", l.place, path, path, shorten(l.value), want)
}
