package edxml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"slices"
	"strings"
)

// ErrNoContent says that an attachment to be written has no Content.
var ErrNoContent = errors.New("edxml: attachment without content")

// Write writes a Document as a single file in the strict form of QCVN
// 102:2016/BTTTT: UTF-8 without byte order mark, elements in the order of the
// reference libraries, empty optional elements left out, every file as base64
// of its own bytes. Attachments are streamed; their ContentID is filled in
// where it is empty.
//
// Zip or raw: no file is ever wrapped in a zip here, and application/zip is
// said only of a file that is one. Every reader in use takes the raw form, and
// a wrapper costs time, hides the type and changes nothing that anybody reads.
// Readers meet both, see [Attachment].
func Write(w io.Writer, d *Document) error {
	x := newXMLWriter(w, false)
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.open(`edXML xmlns="` + NamespaceQCVN102 + `"`)
	x.open(`edXML:edXMLEnvelope xmlns:edXML="` + NamespaceQCVN102 + `"`)
	x.open("edXML:edXMLHeader")
	x.messageHeader(d)
	x.traceHeaderList(d)
	x.close("edXML:edXMLHeader")
	x.open("edXML:edXMLBody")
	x.open(`edXML:edXMLManifest version="1.0"`)
	for i := range d.Attachments {
		a := named(d.Attachments, i)
		x.open("edXML:Reference")
		x.leaf("ContentId", "cid:"+a.ContentID)
		x.leaf("ContentType", a.ContentType)
		x.leaf("Description", a.Description)
		x.leaf("AttachmentName", a.Name)
		x.close("edXML:Reference")
	}
	x.close("edXML:edXMLManifest")
	x.close("edXML:edXMLBody")
	x.close("edXML:edXMLEnvelope")
	x.open("AttachmentEncoded")
	for i := range d.Attachments {
		x.attachment(d.Attachments, i)
	}
	x.close("AttachmentEncoded")
	x.close("edXML")
	return x.end()
}

// named returns an attachment of the list with the fields a packet needs; a
// ContentID that is made up belongs to no other.
func named(list []Attachment, i int) Attachment {
	v := list[i]
	v.ContentID = contentID(v.ContentID)
	for n := i + 1; v.ContentID == ""; n += len(list) {
		id := fmt.Sprintf("file-%d", n)
		if !slices.ContainsFunc(list, func(a Attachment) bool { return contentID(a.ContentID) == id }) {
			v.ContentID = id
		}
	}
	if v.ContentType == "" {
		v.ContentType = TypeByName(v.Name)
	}
	return v
}

// TypeByName returns the MIME type to declare for a file of this name,
// application/octet-stream where nothing better is known.
func TypeByName(name string) string {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".doc":
		return "application/msword"
	case ".docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case ".xls":
		return "application/vnd.ms-excel"
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	}
	t, _, _ := strings.Cut(mime.TypeByExtension(ext), ";")
	if t == "" {
		return "application/octet-stream"
	}
	return t
}

// attachment writes one Attachment of a single file, its content as one line
// of base64.
func (x *xmlWriter) attachment(list []Attachment, i int) {
	a := named(list, i)
	if a.Content == nil && x.err == nil {
		x.err = fmt.Errorf("%w: %q", ErrNoContent, a.Name)
	}
	x.open("Attachment")
	prefix := x.prefix
	x.prefix = ""
	x.leaf("ContentId", "cid:"+a.ContentID)
	x.leaf("AttachmentName", a.Name)
	x.leaf("Description", a.Description)
	x.leaf("ContentType", a.ContentType)
	x.prefix = prefix
	x.indent()
	x.raw(`<edXML:ContentTransferEncoded xmlns:edXML="` + NamespaceQCVN102 + `">`)
	if x.err == nil {
		enc := base64.NewEncoder(base64.StdEncoding, x.w)
		if _, err := io.Copy(enc, a.Content); err != nil {
			x.err = fmt.Errorf("edxml: attachment %q: %w", a.Name, err)
		} else if err := enc.Close(); err != nil {
			x.err = err
		}
	}
	x.raw("</edXML:ContentTransferEncoded>\n")
	x.close("Attachment")
}

// WriteEnvelope writes a Document as the SOAP envelope of the SOAP profile,
// without access token; the attachments travel beside it as MIME parts whose
// Content-ID is the attachment's ContentID. Every element that a BKAV axis
// demands is written even when it is empty.
func WriteEnvelope(w io.Writer, d *Document) error {
	x := newXMLWriter(w, true)
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.open(`SOAP-ENV:Envelope xmlns:SOAP-ENV="` + NamespaceSOAP + `" xmlns:edXML="` + NamespaceEDoc + `" xmlns:xlink="` + NamespaceXLink + `"`)
	x.open("SOAP-ENV:Header")
	x.messageHeader(d)
	x.traceHeaderList(d)
	x.errorList(d.Errors)
	x.close("SOAP-ENV:Header")
	x.open("SOAP-ENV:Body")
	x.open("edXML:Manifest")
	for i := range d.Attachments {
		a := named(d.Attachments, i)
		x.open(`edXML:Reference xlink:href="cid:` + x.escape(a.ContentID) + `"`)
		x.leaf("AttachmentName", a.Name)
		x.leaf("Description", a.Description)
		x.close("edXML:Reference")
	}
	x.close("edXML:Manifest")
	x.close("SOAP-ENV:Body")
	x.close("SOAP-ENV:Envelope")
	return x.end()
}

// WriteStatus writes a Status as a single file, in the order of the reference
// libraries.
func WriteStatus(w io.Writer, s *Status) error {
	x := newXMLWriter(w, false)
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.open(`edXML xmlns="` + NamespaceQCVN102 + `"`)
	x.open(`edXML:edXMLEnvelope xmlns:edXML="` + NamespaceQCVN102 + `"`)
	x.open("edXML:edXMLHeader")
	x.open("edXML:MessageHeader")
	x.organ("From", s.From)
	x.responseFor(s.ResponseFor)
	if s.StaffInfo != nil {
		x.staffInfo(s.StaffInfo)
	}
	x.element("StatusCode", string(s.StatusCode)) // even empty: it tells a status from a document
	x.leaf("Description", s.Description)
	x.leaf("Timestamp", string(s.Timestamp))
	x.extra("MessageHeader", s.Extra)
	x.close("edXML:MessageHeader")
	x.close("edXML:edXMLHeader")
	x.close("edXML:edXMLEnvelope")
	x.close("edXML")
	return x.end()
}

func (x *xmlWriter) messageHeader(d *Document) {
	x.open(x.prefix + "MessageHeader")
	x.organ("From", d.From)
	for _, o := range d.To {
		x.organ("To", o)
	}
	x.optional("DocumentId", d.DocumentID)
	x.open(x.prefix + "Code")
	x.leaf("CodeNumber", d.Code.CodeNumber)
	x.leaf("CodeNotation", d.Code.CodeNotation)
	x.close(x.prefix + "Code")
	x.open(x.prefix + "PromulgationInfo")
	x.leaf("Place", d.PromulgationInfo.Place)
	x.leaf("PromulgationDate", string(d.PromulgationInfo.PromulgationDate))
	x.close(x.prefix + "PromulgationInfo")
	x.open(x.prefix + "DocumentType")
	x.leaf("Type", string(d.DocumentType.Type))
	x.optional("TypeDetail", string(d.DocumentType.TypeDetail))
	x.leaf("TypeName", d.DocumentType.TypeName)
	x.close(x.prefix + "DocumentType")
	x.leaf("Subject", d.Subject)
	x.leaf("Content", d.Content)
	x.open(x.prefix + "SignerInfo")
	x.leaf("Competence", d.SignerInfo.Competence)
	x.leaf("Position", d.SignerInfo.Position)
	x.leaf("FullName", d.SignerInfo.FullName)
	x.close(x.prefix + "SignerInfo")
	x.leaf("DueDate", string(d.DueDate))
	if x.full { // the two profiles place ToPlaces differently
		x.list("ToPlaces", "Place", d.ToPlaces)
	}
	x.otherInfo(d.OtherInfo)
	for _, r := range d.ResponseFor {
		x.responseFor(r)
	}
	x.optional("SteeringType", string(d.SteeringType))
	if len(d.ResponseForTask) > 0 {
		x.list("ResponseForTask", "TaskCode", d.ResponseForTask)
	}
	x.optional("ApplicationType", d.ApplicationType)
	if !x.full && len(d.ToPlaces) > 0 {
		x.list("ToPlaces", "Place", d.ToPlaces)
	}
	x.extra("MessageHeader", d.Extra)
	x.close(x.prefix + "MessageHeader")
}

func (x *xmlWriter) organ(name string, o Organ) {
	x.open(x.prefix + name)
	x.leaf("OrganId", o.OrganID)
	x.leaf("OrganizationInCharge", o.OrganizationInCharge)
	x.leaf("OrganName", o.OrganName)
	x.leaf("OrganAdd", o.OrganAdd)
	x.leaf("Email", o.Email)
	x.leaf("Telephone", o.Telephone)
	x.leaf("Fax", o.Fax)
	x.leaf("Website", o.Website)
	x.close(x.prefix + name)
}

func (x *xmlWriter) otherInfo(o OtherInfo) {
	x.open(x.prefix + "OtherInfo")
	x.leaf("Priority", orZero(o.Priority))
	x.leaf("SphereOfPromulgation", o.SphereOfPromulgation)
	x.leaf("TyperNotation", o.TyperNotation)
	x.leaf("PromulgationAmount", orZero(o.PromulgationAmount))
	x.leaf("PageAmount", orZero(o.PageAmount))
	if x.full { // the two profiles order the rest differently
		x.list("Appendixes", "Appendix", o.Appendixes)
		x.optional("Direction", o.Direction)
		x.optional("ReplyFors", o.ReplyFors)
	} else {
		x.optional("ReplyFors", o.ReplyFors)
		x.optional("Direction", o.Direction)
	}
	x.optional("ReferenceCodes", o.ReferenceCodes)
	if !x.full && len(o.Appendixes) > 0 {
		x.list("Appendixes", "Appendix", o.Appendixes)
	}
	x.close(x.prefix + "OtherInfo")
}

// orZero gives the number that readers assume when the element is absent.
func orZero[T ~string](n T) string {
	if n == "" {
		return "0"
	}
	return string(n)
}

func (x *xmlWriter) responseFor(r ResponseFor) {
	x.open(x.prefix + "ResponseFor")
	x.leaf("OrganId", r.OrganID)
	x.leaf("Code", r.Code)
	x.leaf("DocumentId", r.DocumentID)
	x.leaf("PromulgationDate", string(r.PromulgationDate))
	x.close(x.prefix + "ResponseFor")
}

func (x *xmlWriter) traceHeaderList(d *Document) {
	x.open(x.prefix + "TraceHeaderList")
	for _, t := range d.TraceHeaders {
		x.open(x.prefix + "TraceHeader")
		x.leaf("OrganId", t.OrganID)
		x.leaf("Timestamp", string(t.Timestamp))
		x.close(x.prefix + "TraceHeader")
	}
	b := d.Business
	if b == nil {
		b = &Business{DocType: New}
	}
	x.business(b)
	x.close(x.prefix + "TraceHeaderList")
}

func (x *xmlWriter) business(b *Business) {
	x.open(x.prefix + "Bussiness")
	x.optional("DocumentId", b.DocumentID)
	x.leaf("BussinessDocType", orZero(b.DocType))
	x.optional("BussinessDocReason", b.DocReason)
	if !x.full {
		x.optional("Paper", string(b.Paper))
	}
	if b.DocumentInfo != "" || b.DocumentReceiver != "" || len(b.Receivers) > 0 {
		x.open(x.prefix + "BussinessDocumentInfo")
		x.leaf("DocumentInfo", orZero(b.DocumentInfo))
		x.leaf("DocumentReceiver", orZero(b.DocumentReceiver))
		if len(b.Receivers) > 0 {
			x.open(x.prefix + "ReceiverList")
			for _, r := range b.Receivers {
				x.receiver(r)
			}
			x.close(x.prefix + "ReceiverList")
		}
		x.close(x.prefix + "BussinessDocumentInfo")
	}
	if len(b.Replacements) > 0 {
		x.open(x.prefix + "ReplacementInfoList")
		for _, r := range b.Replacements {
			x.open(x.prefix + "ReplacementInfo")
			x.leaf("DocumentId", r.DocumentID)
			x.list("OrganIdList", "OrganId", r.OrganIDs)
			x.close(x.prefix + "ReplacementInfo")
		}
		x.close(x.prefix + "ReplacementInfoList")
	}
	if b.StaffInfo != nil {
		x.staffInfo(b.StaffInfo)
	}
	if x.full {
		x.optional("Paper", string(b.Paper))
	}
	x.extra("Bussiness", b.Extra)
	x.close(x.prefix + "Bussiness")
}

func (x *xmlWriter) errorList(list []ErrorEntry) {
	if len(list) == 0 {
		x.raw("    <edXML:ErrorList/>\n")
		return
	}
	x.open(x.prefix + "ErrorList")
	for _, e := range list {
		x.open(x.prefix + "Error")
		x.leaf("Code", e.Code)
		x.leaf("Description", e.Description)
		x.close(x.prefix + "Error")
	}
	x.close(x.prefix + "ErrorList")
}

func (x *xmlWriter) receiver(r Receiver) {
	x.open(x.prefix + "Receiver")
	if x.full {
		x.leaf("ReceiverType", orZero(r.ReceiverType))
	}
	x.leaf("OrganId", r.OrganID)
	if !x.full {
		x.leaf("ReceiverType", orZero(r.ReceiverType))
	}
	x.close(x.prefix + "Receiver")
}

func (x *xmlWriter) staffInfo(s *StaffInfo) {
	x.open(x.prefix + "StaffInfo")
	x.leaf("Department", s.Department)
	x.optional("DepartmentId", s.DepartmentID)
	x.leaf("Staff", s.Staff)
	x.optional("StaffId", s.StaffID)
	if x.full {
		x.leaf("Mobile", s.Mobile)
	}
	x.leaf("Email", s.Email)
	if !x.full {
		x.leaf("Mobile", s.Mobile)
	}
	x.close(x.prefix + "StaffInfo")
}
