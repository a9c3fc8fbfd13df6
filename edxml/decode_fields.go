package edxml

import (
	"strings"

	"github.com/beevik/etree"
)

func (d *decoder) messageHeader(el *etree.Element, doc *Document) {
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "From":
			doc.From = d.organ(el)
		case "To":
			doc.To = append(doc.To, d.organ(el))
		case "DocumentId":
			return set(&doc.DocumentID, el)
		case "Code":
			doc.Code = d.code(el)
		case "PromulgationInfo":
			doc.PromulgationInfo = d.promulgation(el)
		case "DocumentType":
			doc.DocumentType = DocumentType{}
			d.documentType(el, &doc.DocumentType)
		case "Subject":
			return set(&doc.Subject, el)
		case "Content":
			return set(&doc.Content, el)
		case "SignerInfo":
			doc.SignerInfo = d.signer(el)
		case "DueDate":
			return set(&doc.DueDate, el)
		case "ToPlaces":
			return d.list(el, "Place", &doc.ToPlaces)
		case "OtherInfo":
			doc.OtherInfo = d.otherInfo(el)
		case "ResponseFor":
			// QUIRK: axes keep an empty element; it says nothing.
			if r := d.responseFor(el); r != (ResponseFor{}) {
				doc.ResponseFor = append(doc.ResponseFor, r)
			} else {
				d.find("PKT-6", d.tree.Pos(el), d.path(), el.Tag)
			}
		case "SteeringType":
			return set(&doc.SteeringType, el)
		case "ResponseForTask":
			return d.list(el, "TaskCode", &doc.ResponseForTask)
		case "ApplicationType":
			return set(&doc.ApplicationType, el)
		default:
			return false
		}
		return true
	}, "To", "ResponseFor")
}

func (d *decoder) organ(el *etree.Element) Organ {
	var o Organ
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "OrganId":
			return set(&o.OrganID, el)
		case "OrganizationInCharge":
			return set(&o.OrganizationInCharge, el)
		case "OrganName":
			return set(&o.OrganName, el)
		case "OrganAdd":
			return set(&o.OrganAdd, el)
		case "Email":
			return set(&o.Email, el)
		case "Telephone":
			return set(&o.Telephone, el)
		case "Fax":
			return set(&o.Fax, el)
		case "Website":
			return set(&o.Website, el)
		}
		return false
	})
	return o
}

func (d *decoder) code(el *etree.Element) Code {
	var c Code
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "CodeNumber":
			return set(&c.CodeNumber, el)
		case "CodeNotation":
			return set(&c.CodeNotation, el)
		}
		return false
	})
	return c
}

func (d *decoder) promulgation(el *etree.Element) PromulgationInfo {
	var p PromulgationInfo
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "Place":
			return set(&p.Place, el)
		case "PromulgationDate":
			return set(&p.PromulgationDate, el)
		}
		return false
	})
	return p
}

// documentType reads a DocumentType. QUIRK: iVBDH writes type with value and
// description, in its place or inside it.
func (d *decoder) documentType(el *etree.Element, t *DocumentType) {
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "Type", "value":
			return set(&t.Type, el)
		case "TypeDetail":
			return set(&t.TypeDetail, el)
		case "TypeName", "description":
			return set(&t.TypeName, el)
		case "DocumentType":
			d.documentType(el, t)
			return true
		}
		return false
	})
}

func (d *decoder) signer(el *etree.Element) SignerInfo {
	var s SignerInfo
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "Competence":
			return set(&s.Competence, el)
		case "Position":
			return set(&s.Position, el)
		case "FullName":
			return set(&s.FullName, el)
		}
		return false
	})
	return s
}

func (d *decoder) otherInfo(el *etree.Element) OtherInfo {
	var o OtherInfo
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "Priority":
			return set(&o.Priority, el)
		case "SphereOfPromulgation":
			return set(&o.SphereOfPromulgation, el)
		case "TyperNotation":
			return set(&o.TyperNotation, el)
		case "PromulgationAmount":
			return set(&o.PromulgationAmount, el)
		case "PageAmount":
			return set(&o.PageAmount, el)
		case "ReplyFors":
			return set(&o.ReplyFors, el)
		case "Direction":
			return set(&o.Direction, el)
		case "ReferenceCodes":
			return set(&o.ReferenceCodes, el)
		case "Secret":
			return set(&o.Secret, el)
		case "Appendixes":
			return d.list(el, "Appendix", &o.Appendixes)
		}
		return false
	})
	return o
}

func (d *decoder) responseFor(el *etree.Element) ResponseFor {
	var r ResponseFor
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "OrganId":
			return set(&r.OrganID, el)
		case "Code":
			return set(&r.Code, el)
		case "DocumentId":
			return set(&r.DocumentID, el)
		case "PromulgationDate":
			return set(&r.PromulgationDate, el)
		}
		return false
	})
	return r
}

func (d *decoder) traceHeaderList(el *etree.Element, doc *Document) {
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "TraceHeader":
			doc.TraceHeaders = append(doc.TraceHeaders, d.traceHeader(el))
		case "Bussiness":
			doc.Business = d.business(el)
		case "Paper": // QUIRK: written by the VNPT library here, read by nobody
			d.unknown(el)
		default:
			return false
		}
		return true
	}, "TraceHeader")
}

func (d *decoder) traceHeader(el *etree.Element) TraceHeader {
	var t TraceHeader
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "OrganId":
			return set(&t.OrganID, el)
		case "Timestamp":
			return set(&t.Timestamp, el)
		}
		return false
	})
	return t
}

func (d *decoder) business(el *etree.Element) *Business {
	b := &Business{}
	extra, from := d.extra, d.from
	d.extra, d.from = &b.Extra, len(d.crumb)-1
	defer func() { d.extra, d.from = extra, from }()
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "DocumentId":
			return set(&b.DocumentID, el)
		case "BussinessDocType":
			return set(&b.DocType, el)
		case "BussinessDocReason":
			return set(&b.DocReason, el)
		case "Paper":
			return set(&b.Paper, el)
		case "BussinessDocumentInfo":
			d.documentInfo(el, b)
		case "ReplacementInfoList":
			d.replacements(el, b)
		case "StaffInfo":
			b.StaffInfo = d.staffInfo(el)
		default:
			return false
		}
		return true
	})
	return b
}

func (d *decoder) documentInfo(el *etree.Element, b *Business) {
	b.Receivers = nil
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "DocumentInfo":
			return set(&b.DocumentInfo, el)
		case "DocumentReceiver":
			return set(&b.DocumentReceiver, el)
		case "ReceiverList":
			d.receivers(el, b)
			return true
		}
		return false
	}, "ReceiverList")
}

func (d *decoder) receivers(el *etree.Element, b *Business) {
	d.each(el, func(name string, el *etree.Element) bool {
		if name != "Receiver" {
			return false
		}
		var r Receiver
		d.each(el, func(name string, el *etree.Element) bool {
			switch name {
			case "OrganId":
				return set(&r.OrganID, el)
			case "ReceiverType":
				return set(&r.ReceiverType, el)
			}
			return false
		})
		b.Receivers = append(b.Receivers, r)
		return true
	}, "Receiver")
}

func (d *decoder) replacements(el *etree.Element, b *Business) {
	b.Replacements = nil
	d.each(el, func(name string, el *etree.Element) bool {
		if name != "ReplacementInfo" {
			return false
		}
		var r Replacement
		d.each(el, func(name string, el *etree.Element) bool {
			switch name {
			case "DocumentId":
				return set(&r.DocumentID, el)
			case "OrganIdList":
				return d.list(el, "OrganId", &r.OrganIDs)
			}
			return false
		})
		b.Replacements = append(b.Replacements, r)
		return true
	}, "ReplacementInfo")
}

func (d *decoder) staffInfo(el *etree.Element) *StaffInfo {
	s := &StaffInfo{}
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "Department":
			return set(&s.Department, el)
		case "DepartmentId":
			return set(&s.DepartmentID, el)
		case "Staff":
			return set(&s.Staff, el)
		case "StaffId":
			return set(&s.StaffID, el)
		case "Mobile":
			return set(&s.Mobile, el)
		case "Email":
			return set(&s.Email, el)
		}
		return false
	})
	return s
}

func (d *decoder) status(el *etree.Element, s *Status) {
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "From":
			s.From = d.organ(el)
		case "ResponseFor":
			s.ResponseFor = d.responseFor(el)
		case "StaffInfo":
			s.StaffInfo = d.staffInfo(el)
		case "StatusCode":
			return set(&s.StatusCode, el)
		case "Description":
			return set(&s.Description, el)
		case "Timestamp":
			return set(&s.Timestamp, el)
		default:
			return false
		}
		return true
	})
}

// errors reads an ErrorList.
func (d *decoder) errors(el *etree.Element) (list []ErrorEntry) {
	d.each(el, func(name string, el *etree.Element) bool {
		if name != "Error" {
			return false
		}
		var e ErrorEntry
		d.each(el, func(name string, el *etree.Element) bool {
			switch name {
			case "Code":
				return set(&e.Code, el)
			case "Description":
				return set(&e.Description, el)
			}
			return false
		})
		list = append(list, e)
		return true
	}, "Error")
	return list
}

// manifest reads the references of either profile.
func (d *decoder) manifest(el *etree.Element) (refs []*reference) {
	d.each(el, func(name string, el *etree.Element) bool {
		if name != "Reference" {
			return false
		}
		if len(refs) == d.limits.Attachments {
			d.err = &LimitError{Limit: "attachments", Max: int64(d.limits.Attachments)}
			return true
		}
		refs = append(refs, d.reference(el))
		return true
	}, "Reference")
	return refs
}

func (d *decoder) reference(el *etree.Element) *reference {
	ref := &reference{pos: d.tree.Pos(el), path: d.path()}
	for _, a := range el.Attr {
		if a.Key == "href" { // QUIRK: the BKAV server finds it whatever its namespace
			ref.ContentID = d.contentID(a.Value, el)
		}
	}
	d.each(el, func(name string, el *etree.Element) bool {
		switch name {
		case "ContentId":
			ref.ContentID = d.contentID(text(el), el)
			return true
		case "ContentType":
			return set(&ref.ContentType, el)
		case "Description":
			return set(&ref.Description, el)
		case "AttachmentName":
			return set(&ref.Name, el)
		}
		return false
	})
	return ref
}

// contentID takes the identifier out of what a Reference says.
func (d *decoder) contentID(value string, el *etree.Element) string {
	id := contentID(value)
	if id != "" && value != "cid:"+id {
		d.find("ATT-14", d.tree.Pos(el), d.path(), value)
	}
	return id
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
