package edxml

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"strings"
	"unicode/utf8"
)

// ErrNoContent says that an attachment to be written has no Content.
var ErrNoContent = errors.New("edxml: attachment without content")

// Write writes a Document as a single file in the strict form of QCVN
// 102:2016/BTTTT: UTF-8 without byte order mark, elements in the order of the
// reference libraries, empty optional elements left out, every file as base64
// of its own bytes. Attachments are streamed; their ContentID is filled in
// where it is empty.
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
		a := named(&d.Attachments[i], i)
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
		x.attachment(&d.Attachments[i], i)
	}
	x.close("AttachmentEncoded")
	x.close("edXML")
	return x.end()
}

// named returns the attachment with the fields a packet needs.
func named(a *Attachment, i int) Attachment {
	v := *a
	if v.ContentID == "" {
		v.ContentID = fmt.Sprintf("file-%d", i+1)
	}
	if v.ContentType == "" {
		v.ContentType = typeByName(v.Name)
	}
	return v
}

// typeByName returns the MIME type the reference libraries would write.
func typeByName(name string) string {
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
func (x *xmlWriter) attachment(src *Attachment, i int) {
	a := named(src, i)
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
	x.raw("    <edXML:ErrorList/>\n")
	x.close("SOAP-ENV:Header")
	x.open("SOAP-ENV:Body")
	x.open("edXML:Manifest")
	for i := range d.Attachments {
		a := named(&d.Attachments[i], i)
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
	x.leaf("StatusCode", string(s.StatusCode))
	x.leaf("Description", s.Description)
	x.leaf("Timestamp", string(s.Timestamp))
	x.close("edXML:MessageHeader")
	x.close("edXML:edXMLHeader")
	x.close("edXML:edXMLEnvelope")
	x.close("edXML")
	return x.end()
}

// WriteStatusElement writes a Status as the element that the eDoc operation
// UpdateTraces carries in its Body: Status, in no namespace, with every child
// the BKAV axis demands.
func WriteStatusElement(w io.Writer, s *Status) error {
	x := newXMLWriter(w, true)
	x.prefix = ""
	x.open("Status")
	x.responseFor(s.ResponseFor)
	x.organ("From", s.From)
	x.leaf("StatusCode", string(s.StatusCode))
	x.leaf("Description", s.Description)
	x.leaf("Timestamp", string(s.Timestamp))
	staff := s.StaffInfo
	if staff == nil {
		staff = &StaffInfo{}
	}
	x.staffInfo(staff)
	x.close("Status")
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
	x.leaf("Priority", string(orZero(o.Priority)))
	x.leaf("SphereOfPromulgation", o.SphereOfPromulgation)
	x.leaf("TyperNotation", o.TyperNotation)
	x.leaf("PromulgationAmount", string(orZero(o.PromulgationAmount)))
	x.leaf("PageAmount", string(orZero(o.PageAmount)))
	x.optional("ReplyFors", o.ReplyFors)
	x.optional("Direction", o.Direction)
	x.optional("ReferenceCodes", o.ReferenceCodes)
	if x.full || len(o.Appendixes) > 0 {
		x.list("Appendixes", "Appendix", o.Appendixes)
	}
	x.close(x.prefix + "OtherInfo")
}

// orZero gives the number that readers assume when the element is absent.
func orZero(n Number) Number {
	if n == "" {
		return "0"
	}
	return n
}

func (x *xmlWriter) responseFor(r ResponseFor) {
	x.open(x.prefix + "ResponseFor")
	x.leaf("OrganId", r.OrganID)
	x.leaf("Code", r.Code)
	x.optional("DocumentId", r.DocumentID)
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
	x.leaf("BussinessDocType", string(orZero(b.DocType)))
	x.optional("BussinessDocReason", b.DocReason)
	x.optional("Paper", string(b.Paper))
	if b.DocumentInfo != "" || b.DocumentReceiver != "" || len(b.Receivers) > 0 {
		x.open(x.prefix + "BussinessDocumentInfo")
		x.leaf("DocumentInfo", string(orZero(b.DocumentInfo)))
		x.leaf("DocumentReceiver", string(orZero(b.DocumentReceiver)))
		if len(b.Receivers) > 0 {
			x.open(x.prefix + "ReceiverList")
			for _, r := range b.Receivers {
				x.open(x.prefix + "Receiver")
				x.leaf("OrganId", r.OrganID)
				x.leaf("ReceiverType", string(orZero(r.ReceiverType)))
				x.close(x.prefix + "Receiver")
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
	x.close(x.prefix + "Bussiness")
}

func (x *xmlWriter) staffInfo(s *StaffInfo) {
	x.open(x.prefix + "StaffInfo")
	x.leaf("Department", s.Department)
	x.optional("DepartmentId", s.DepartmentID)
	x.leaf("Staff", s.Staff)
	x.optional("StaffId", s.StaffID)
	x.leaf("Email", s.Email)
	x.leaf("Mobile", s.Mobile)
	x.close(x.prefix + "StaffInfo")
}

// xmlWriter writes indented XML and remembers the first error.
type xmlWriter struct {
	w      *bufio.Writer
	prefix string // of element names
	full   bool   // write empty elements too
	depth  int
	err    error
}

func newXMLWriter(w io.Writer, full bool) *xmlWriter {
	return &xmlWriter{w: bufio.NewWriterSize(w, 32<<10), prefix: "edXML:", full: full}
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
	if value == "" && !x.full {
		return
	}
	x.indent()
	x.raw("<" + x.prefix + name + ">" + x.escape(value) + "</" + x.prefix + name + ">\n")
}

// optional writes an element only if it has a value.
func (x *xmlWriter) optional(name, value string) {
	if value != "" {
		x.leaf(name, value)
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
