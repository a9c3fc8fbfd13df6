package edxml

import (
	"strconv"
	"strings"
)

// axisTags are the tags without which the axis does not look further, each at
// a path of the SOAP profile; To stands for every receiver.
var axisTags = []string{
	"From/OrganId", "From/OrganizationInCharge", "From/OrganName", "From/OrganAdd", "From/Email", "From/Telephone", "From/Fax", "From/Website",
	"To/OrganId", "To/OrganName", "To/OrganAdd", "To/Email", "To/Telephone", "To/Fax", "To/Website",
	"Code/CodeNumber", "Code/CodeNotation", "PromulgationInfo/Place", "PromulgationInfo/PromulgationDate", "DocumentType/Type", "DocumentType/TypeName",
	"Subject", "Content", "SignerInfo/Competence", "SignerInfo/Position", "SignerInfo/FullName", "DueDate", "ToPlaces",
	"OtherInfo/Priority", "OtherInfo/SphereOfPromulgation", "OtherInfo/TyperNotation", "OtherInfo/PromulgationAmount", "OtherInfo/PageAmount",
	"OtherInfo/Appendixes",
}

// axis checks what the eDoc axis refuses beyond what all do. Tags and
// namespaces count only in an envelope that was read: the writer sees to them
// in its own.
func (v *validation) axis() {
	if s := v.packet.Status; s != nil && s.StaffInfo == nil && v.packet.Profile == ProfileSOAP { // else the client writes it
		v.find("AXS-10", "StaffInfo")
	}
	d := v.packet.Document
	if d == nil {
		return
	}
	for _, o := range []struct {
		path string
		ids  []string
	}{{"From", []string{d.From.OrganID}}, {"To", organIDs(d.To)}, {"TraceHeader", traceIDs(d.TraceHeaders)}} {
		for i, id := range o.ids {
			path := o.path
			if path != "From" {
				path += "[" + strconv.Itoa(i+1) + "]"
			}
			switch n := strings.Count(id, ".") + 1; {
			case n > 4:
				v.find("AXS-6", path+"/OrganId", shorten(id), n)
			case id == "" && o.path == "TraceHeader":
				v.find("AXS-7", path+"/OrganId", i+1)
			}
		}
	}
	if n, ok := d.DocumentType.Type.Int(); d.DocumentType.Type != "" && (!ok || n != 1 && n != 2) { // it takes 2 for none
		v.find("AXS-4", "DocumentType/Type", shorten(string(d.DocumentType.Type)))
	}
	for _, f := range []struct {
		path  string
		value Number
	}{{"OtherInfo/PromulgationAmount", d.OtherInfo.PromulgationAmount}, {"OtherInfo/PageAmount", d.OtherInfo.PageAmount}} {
		if n, ok := f.value.Int(); f.value != "" && (!ok || n < 0) {
			v.find("AXS-5", f.path, f.path, shorten(string(f.value)))
		}
	}
	for _, a := range d.Attachments {
		if a.Size == 0 && a.SHA256 != "" {
			v.find("AXS-9", "", a.Name)
		}
	}
	if v.packet.Profile == ProfileSOAP && v.packet.outline != nil {
		v.envelope()
	}
}

// envelope checks the frame of a SOAP packet.
func (v *validation) envelope() {
	o := v.packet.outline
	for _, name := range []string{"MessageHeader", "TraceHeaderList", "ErrorList", "Manifest"} {
		t := o.block(name)
		if t == nil {
			v.find("AXS-1", name, name)
		} else if space := t.Root.NamespaceURI(); space != NamespaceEDoc {
			v.findAt("AXS-2", t.Pos(t.Root), name, t.Root.Tag, space)
		}
	}
	for _, tag := range axisTags {
		rest, many := strings.CutPrefix(tag, "To/")
		if !many {
			v.tag(tag)
			continue
		}
		for i := range v.packet.Document.To {
			v.tag("To[" + strconv.Itoa(i+1) + "]/" + rest)
		}
	}
	if v.packet.Document.Business == nil {
		v.find("AXS-8", "Bussiness")
	}
}

func (v *validation) tag(path string) {
	if _, _, ok := v.packet.outline.element(path); !ok && !v.spoken(path) {
		v.find("AXS-1", path, path)
	}
}

func organIDs(list []Organ) []string {
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.OrganID
	}
	return ids
}

func traceIDs(list []TraceHeader) []string {
	ids := make([]string, len(list))
	for i, t := range list {
		ids[i] = t.OrganID
	}
	return ids
}
