package edxml

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// vendor checks what VNPT's library makes of the packet. Most of it shows only
// in a packet that was read.
func (v *validation) vendor() {
	for _, f := range v.packet.Findings {
		switch {
		case f.Rule == "XML-1", f.Rule == "XML-2", f.Rule == "XML-4":
			v.findAt("VND-1", f.Pos, f.Path, f.Message)
		case f.Rule == "PKT-3" && strings.Contains(f.Path[strings.LastIndexByte(f.Path, '/')+1:], "Business"):
			v.findAt("VND-6", f.Pos, f.Path, f.Path[strings.LastIndexByte(f.Path, '/')+1:])
		}
	}
	v.frame()
	d := v.packet.Document
	if d == nil {
		if s := v.packet.Status; s != nil {
			v.exact("Timestamp", string(s.Timestamp), timeLayout)
			v.exact("ResponseFor/PromulgationDate", string(s.ResponseFor.PromulgationDate), dateLayout)
		}
		return
	}
	if _, _, there := v.packet.outline.element("DocumentId"); d.DocumentID == "" && !there {
		v.find("VND-4", "DocumentId")
	}
	v.exact("PromulgationInfo/PromulgationDate", string(d.PromulgationInfo.PromulgationDate), dateLayout)
	v.exact("DueDate", string(d.DueDate), dateLayout)
	for i, t := range d.TraceHeaders {
		v.exact("TraceHeader["+strconv.Itoa(i+1)+"]/Timestamp", string(t.Timestamp), timeLayout)
	}
	if raw, there := v.raw("SteeringType", string(d.SteeringType)); there && !isInt(raw) {
		v.find("VND-3", "SteeringType", shorten(raw))
	}
	for _, f := range []struct {
		path  string
		value Number
	}{
		{"DocumentType/Type", d.DocumentType.Type}, {"OtherInfo/Priority", Number(d.OtherInfo.Priority)},
		{"OtherInfo/PromulgationAmount", d.OtherInfo.PromulgationAmount}, {"OtherInfo/PageAmount", d.OtherInfo.PageAmount},
	} {
		if raw, there := v.raw(f.path, string(f.value)); there && raw != "" && !isInt(raw) {
			v.find("VND-7", f.path, f.path, shorten(raw))
		}
	}
}

// frame checks the two elements that the library looks for by name and
// namespace, and fails without.
func (v *validation) frame() {
	o := v.packet.outline
	if o == nil {
		return
	}
	var envelope *container
	if o.root != nil {
		for _, c := range o.root.inside {
			if c.name.Local == "edXMLEnvelope" {
				envelope = c
			}
		}
	}
	switch {
	case envelope == nil:
		v.find("VND-2", "edXMLEnvelope", "edXMLEnvelope", NamespaceQCVN102)
	case envelope.name.Space != NamespaceQCVN102:
		v.findAt("VND-2", envelope.pos, "edXMLEnvelope", "edXMLEnvelope", NamespaceQCVN102)
	case len(o.find("edXMLHeader")) == 0:
		v.findAt("VND-2", envelope.pos, "edXMLHeader", "edXMLHeader", NamespaceQCVN102)
	}
}

// exact finds a day or moment that is not written exactly as the library reads
// it.
func (v *validation) exact(path, value, layout string) {
	if value == "" {
		return
	}
	if at, err := Timestamp(value).Time(); err != nil || at.Format(layout) != value {
		v.find("VND-5", path, path, shorten(value))
	}
}

// raw returns the text of an element with the white space around it; of a
// packet that was built, the value.
func (v *validation) raw(path, value string) (string, bool) {
	if v.packet.outline == nil {
		return value, value != ""
	}
	_, el, ok := v.packet.outline.element(path)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, c := range el.Child {
		if data, ok := c.(*etree.CharData); ok {
			b.WriteString(data.Data)
		}
	}
	return b.String(), true
}

// isInt says that Java's Integer.parseInt takes the text.
func isInt(s string) bool {
	_, err := strconv.ParseInt(s, 10, 32)
	return err == nil
}
