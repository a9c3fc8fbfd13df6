package edxml

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// standardName returns the standard's spelling of an element's local name.
//
// QUIRK: the newer BKAV server spells Business with two s, which the standard
// (by its own slip) does not; SOAP and older dialects (CV 512, iVBDH) have
// further names for the same things.
func standardName(local string) string {
	switch local {
	case "Business":
		return "Bussiness"
	case "BusinessDocType":
		return "BussinessDocType"
	case "BusinessDocReason":
		return "BussinessDocReason"
	case "BusinessDocumentInfo":
		return "BussinessDocumentInfo"
	case "edXMLManifest":
		return "Manifest"
	case "DigitalSignature":
		return "Signature"
	case "OrganInCharge":
		return "OrganizationInCharge"
	case "Author":
		return "SignerInfo"
	case "Function":
		return "Position"
	case "Date":
		return "PromulgationDate"
	case "ResponseDate":
		return "DueDate"
	case "Sphere":
		return "SphereOfPromulgation"
	case "TypeNotation":
		return "TyperNotation"
	}
	return local
}

// decoder turns the trees of a packet's blocks into values.
type decoder struct {
	tree   *xmlscan.Tree
	limits Limits
	find   func(id string, pos xmlscan.Pos, path string, args ...any)
	err    error
}

// fields says what to do with the children of an element, by the standard's
// name; a name with "*" behind it may stand more than once.
type fields map[string]func(el *etree.Element, path string)

// each hands every child of el to its field, matching local names in any
// namespace and any order. QUIRK: real packets mix namespaces, prefixes and
// orders; every axis and library in use matches local names only.
func (d *decoder) each(el *etree.Element, path string, f fields) {
	seen := make(map[string]int)
	for _, c := range el.ChildElements() {
		name := standardName(c.Tag)
		if name != c.Tag {
			d.find("PKT-3", d.tree.Pos(c), path+"/"+c.Tag, c.Tag, name)
		}
		seen[name]++
		if many, ok := f[name+"*"]; ok {
			many(c, fmt.Sprintf("%s/%s[%d]", path, c.Tag, seen[name]))
			continue
		}
		one, ok := f[name]
		if !ok {
			d.find("PKT-2", d.tree.Pos(c), path+"/"+c.Tag, c.Tag)
			continue
		}
		if seen[name] > 1 {
			d.find("PKT-1", d.tree.Pos(c), path+"/"+c.Tag, c.Tag)
		}
		one(c, path+"/"+c.Tag)
	}
}

// into returns a field that stores an element's text.
func into[T ~string](dst *T) func(*etree.Element, string) {
	return func(el *etree.Element, _ string) { *dst = T(text(el)) }
}

// appendTo returns a field that adds an element's text to a list.
func appendTo(dst *[]string) func(*etree.Element, string) {
	return func(el *etree.Element, _ string) { *dst = append(*dst, text(el)) }
}

// list returns a field whose children of one name are added to a list.
func (d *decoder) list(name string, dst *[]string) func(*etree.Element, string) {
	return func(el *etree.Element, path string) {
		*dst = nil
		d.each(el, path, fields{name + "*": appendTo(dst)})
	}
}

func (d *decoder) messageHeader(el *etree.Element, path string, doc *Document) {
	d.each(el, path, fields{
		"From":       func(el *etree.Element, path string) { doc.From = d.organ(el, path) },
		"To*":        func(el *etree.Element, path string) { doc.To = append(doc.To, d.organ(el, path)) },
		"DocumentId": into(&doc.DocumentID),
		"Code": func(el *etree.Element, path string) {
			doc.Code = Code{}
			d.each(el, path, fields{"CodeNumber": into(&doc.Code.CodeNumber), "CodeNotation": into(&doc.Code.CodeNotation)})
		},
		"PromulgationInfo": func(el *etree.Element, path string) {
			doc.PromulgationInfo = PromulgationInfo{}
			d.each(el, path, fields{"Place": into(&doc.PromulgationInfo.Place), "PromulgationDate": into(&doc.PromulgationInfo.PromulgationDate)})
		},
		"DocumentType": func(el *etree.Element, path string) {
			doc.DocumentType = DocumentType{}
			d.each(el, path, fields{
				"Type": into(&doc.DocumentType.Type), "TypeDetail": into(&doc.DocumentType.TypeDetail), "TypeName": into(&doc.DocumentType.TypeName),
			})
		},
		"Subject": into(&doc.Subject),
		"Content": into(&doc.Content),
		"SignerInfo": func(el *etree.Element, path string) {
			doc.SignerInfo = SignerInfo{}
			d.each(el, path, fields{
				"Competence": into(&doc.SignerInfo.Competence), "Position": into(&doc.SignerInfo.Position), "FullName": into(&doc.SignerInfo.FullName),
			})
		},
		"DueDate":         into(&doc.DueDate),
		"ToPlaces":        d.list("Place", &doc.ToPlaces),
		"OtherInfo":       func(el *etree.Element, path string) { doc.OtherInfo = d.otherInfo(el, path) },
		"ResponseFor*":    func(el *etree.Element, path string) { d.responseFors(el, path, doc) },
		"SteeringType":    into(&doc.SteeringType),
		"ResponseForTask": d.list("TaskCode", &doc.ResponseForTask),
		"ApplicationType": into(&doc.ApplicationType),
	})
}

// responseFors adds a ResponseFor. QUIRK: axes keep an empty element; it says nothing.
func (d *decoder) responseFors(el *etree.Element, path string, doc *Document) {
	if r := d.responseFor(el, path); r != (ResponseFor{}) {
		doc.ResponseFor = append(doc.ResponseFor, r)
	}
}

func (d *decoder) organ(el *etree.Element, path string) Organ {
	var o Organ
	d.each(el, path, fields{
		"OrganId": into(&o.OrganID), "OrganizationInCharge": into(&o.OrganizationInCharge), "OrganName": into(&o.OrganName),
		"OrganAdd": into(&o.OrganAdd), "Email": into(&o.Email), "Telephone": into(&o.Telephone), "Fax": into(&o.Fax), "Website": into(&o.Website),
	})
	return o
}

func (d *decoder) otherInfo(el *etree.Element, path string) OtherInfo {
	var o OtherInfo
	d.each(el, path, fields{
		"Priority": into(&o.Priority), "SphereOfPromulgation": into(&o.SphereOfPromulgation), "TyperNotation": into(&o.TyperNotation),
		"PromulgationAmount": into(&o.PromulgationAmount), "PageAmount": into(&o.PageAmount), "ReplyFors": into(&o.ReplyFors),
		"Direction": into(&o.Direction), "ReferenceCodes": into(&o.ReferenceCodes), "Appendixes": d.list("Appendix", &o.Appendixes),
	})
	return o
}

func (d *decoder) responseFor(el *etree.Element, path string) ResponseFor {
	var r ResponseFor
	d.each(el, path, fields{
		"OrganId": into(&r.OrganID), "Code": into(&r.Code), "DocumentId": into(&r.DocumentID), "PromulgationDate": into(&r.PromulgationDate),
	})
	return r
}

func (d *decoder) traceHeaderList(el *etree.Element, path string, doc *Document) {
	var paper Number
	d.each(el, path, fields{
		"TraceHeader*": func(el *etree.Element, path string) {
			var t TraceHeader
			d.each(el, path, fields{"OrganId": into(&t.OrganID), "Timestamp": into(&t.Timestamp)})
			doc.TraceHeaders = append(doc.TraceHeaders, t)
		},
		"Bussiness": func(el *etree.Element, path string) { doc.Business = d.business(el, path) },
		"Paper":     into(&paper), // written by the VNPT library here, read by nobody
	})
}

func (d *decoder) business(el *etree.Element, path string) *Business {
	b := &Business{}
	d.each(el, path, fields{
		"DocumentId": into(&b.DocumentID), "BussinessDocType": into(&b.DocType), "BussinessDocReason": into(&b.DocReason), "Paper": into(&b.Paper),
		"BussinessDocumentInfo": func(el *etree.Element, path string) { d.documentInfo(el, path, b) },
		"ReplacementInfoList": func(el *etree.Element, path string) {
			b.Replacements = nil
			d.each(el, path, fields{"ReplacementInfo*": func(el *etree.Element, path string) {
				var r Replacement
				d.each(el, path, fields{"DocumentId": into(&r.DocumentID), "OrganIdList": d.list("OrganId", &r.OrganIDs)})
				b.Replacements = append(b.Replacements, r)
			}})
		},
		"StaffInfo": func(el *etree.Element, path string) { b.StaffInfo = d.staffInfo(el, path) },
	})
	return b
}

func (d *decoder) documentInfo(el *etree.Element, path string, b *Business) {
	b.Receivers = nil
	d.each(el, path, fields{
		"DocumentInfo": into(&b.DocumentInfo), "DocumentReceiver": into(&b.DocumentReceiver),
		"ReceiverList*": func(el *etree.Element, path string) {
			d.each(el, path, fields{"Receiver*": func(el *etree.Element, path string) {
				var r Receiver
				d.each(el, path, fields{"OrganId": into(&r.OrganID), "ReceiverType": into(&r.ReceiverType)})
				b.Receivers = append(b.Receivers, r)
			}})
		},
	})
}

func (d *decoder) staffInfo(el *etree.Element, path string) *StaffInfo {
	s := &StaffInfo{}
	d.each(el, path, fields{
		"Department": into(&s.Department), "DepartmentId": into(&s.DepartmentID), "Staff": into(&s.Staff),
		"StaffId": into(&s.StaffID), "Mobile": into(&s.Mobile), "Email": into(&s.Email),
	})
	return s
}

func (d *decoder) status(el *etree.Element, path string) *Status {
	s := &Status{}
	d.each(el, path, fields{
		"From":        func(el *etree.Element, path string) { s.From = d.organ(el, path) },
		"ResponseFor": func(el *etree.Element, path string) { s.ResponseFor = d.responseFor(el, path) },
		"StaffInfo":   func(el *etree.Element, path string) { s.StaffInfo = d.staffInfo(el, path) },
		"StatusCode":  into(&s.StatusCode), "Description": into(&s.Description), "Timestamp": into(&s.Timestamp),
	})
	return s
}

// manifest reads the references of either profile.
func (d *decoder) manifest(el *etree.Element, path string) []*reference {
	var refs []*reference
	d.each(el, path, fields{"Reference*": func(el *etree.Element, path string) {
		if len(refs) == d.limits.Attachments {
			d.err = &LimitError{Limit: "attachments", Max: int64(d.limits.Attachments)}
			return
		}
		ref := &reference{pos: d.tree.Pos(el), path: path}
		for _, a := range el.Attr {
			if a.Key == "href" { // QUIRK: the BKAV server finds it whatever its namespace
				ref.ContentID = contentID(a.Value)
			}
		}
		d.each(el, path, fields{
			"ContentId":   func(el *etree.Element, _ string) { ref.ContentID = contentID(text(el)) },
			"ContentType": into(&ref.ContentType), "Description": into(&ref.Description), "AttachmentName": into(&ref.Name),
		})
		refs = append(refs, ref)
	}})
	return refs
}

// contentID strips "cid:". QUIRK: it may be absent, present, or doubled: the
// VNPT library's setter adds it and its writer adds it again.
func contentID(s string) string {
	s = strings.Trim(s, " \t\r\n")
	for strings.HasPrefix(s, "cid:") {
		s = s[len("cid:"):]
	}
	return s
}
