package edxml

import "io"

// Kind tells the two packets of the standard apart.
type Kind string

// The kinds of packet.
const (
	KindDocument Kind = "document" // gói tin văn bản
	KindStatus   Kind = "status"   // gói tin trạng thái
)

// Profile is the wire shape of a packet.
type Profile string

// The profiles.
const (
	// ProfileQCVN102 is one XML file in [NamespaceQCVN102], attachments inside
	// as base64 (QCVN 102:2016/BTTTT).
	ProfileQCVN102 Profile = "qcvn102"
	// ProfileSOAP is a SOAP 1.1 envelope in [NamespaceEDoc], attachments as
	// MIME parts (CV 2803/BTTTT-THH lineage).
	ProfileSOAP Profile = "soap"
)

// Organ is an agency as a packet describes it (From, To).
type Organ struct {
	OrganID              string `json:"organId,omitempty"`              // mã định danh
	OrganizationInCharge string `json:"organizationInCharge,omitempty"` // cơ quan chủ quản
	OrganName            string `json:"organName,omitempty"`
	OrganAdd             string `json:"organAdd,omitempty"`
	Email                string `json:"email,omitempty"`
	Telephone            string `json:"telephone,omitempty"`
	Fax                  string `json:"fax,omitempty"`
	Website              string `json:"website,omitempty"`
}

// Code is số và ký hiệu; CodeNumber is text, real numbers are not all numeric.
type Code struct {
	CodeNumber   string `json:"codeNumber,omitempty"`
	CodeNotation string `json:"codeNotation,omitempty"`
}

// String gives number/notation, the form in which a Status names a Document.
func (c Code) String() string {
	if c.CodeNotation == "" {
		return c.CodeNumber
	}
	return c.CodeNumber + "/" + c.CodeNotation
}

// PromulgationInfo is where and when the Document was issued.
type PromulgationInfo struct {
	Place            string `json:"place,omitempty"`
	PromulgationDate Date   `json:"promulgationDate,omitempty"`
}

// DocumentType is the kind of document. TypeName is what people read; the
// numbers follow several conventions in the wild.
type DocumentType struct {
	Type       Number `json:"type,omitempty"`
	TypeDetail Number `json:"typeDetail,omitempty"`
	TypeName   string `json:"typeName,omitempty"`
}

// SignerInfo is who signed the paper original.
type SignerInfo struct {
	Competence string `json:"competence,omitempty"` // quyền hạn: TM., KT., TL., TUQ.
	Position   string `json:"position,omitempty"`
	FullName   string `json:"fullName,omitempty"`
}

// OtherInfo is the remaining formal data of a Document.
type OtherInfo struct {
	Priority             Priority `json:"priority,omitempty"` // 0 thường … 3 hỏa tốc, 4 hỏa tốc hẹn giờ
	SphereOfPromulgation string   `json:"sphereOfPromulgation,omitempty"`
	TyperNotation        string   `json:"typerNotation,omitempty"`
	PromulgationAmount   Number   `json:"promulgationAmount,omitempty"`
	PageAmount           Number   `json:"pageAmount,omitempty"`
	ReplyFors            string   `json:"replyFors,omitempty"`      // vendors' extension
	Direction            string   `json:"direction,omitempty"`      // "true" or "false"
	ReferenceCodes       string   `json:"referenceCodes,omitempty"` // vendors' extension
	Appendixes           []string `json:"appendixes,omitempty"`

	// Secret is the mark of secrecy of the iVBDH dialect. Such a document must
	// not travel in a packet, so no writer writes it.
	Secret string `json:"secret,omitempty"`
}

// ResponseFor names a Document that a Document answers or a Status is about.
type ResponseFor struct {
	OrganID          string `json:"organId,omitempty"`
	Code             string `json:"code,omitempty"` // number/notation
	DocumentID       string `json:"documentId,omitempty"`
	PromulgationDate Date   `json:"promulgationDate,omitempty"`
}

// TraceHeader says that a system handled the packet; the sender's is the first.
type TraceHeader struct {
	OrganID   string    `json:"organId,omitempty"`
	Timestamp Timestamp `json:"timestamp,omitempty"`
}

// StaffInfo is the person who handled a packet.
type StaffInfo struct {
	Department   string `json:"department,omitempty"`
	DepartmentID string `json:"departmentId,omitempty"`
	Staff        string `json:"staff,omitempty"`
	StaffID      string `json:"staffId,omitempty"`
	Mobile       string `json:"mobile,omitempty"`
	Email        string `json:"email,omitempty"`
}

// Extra is something a packet holds that the standard does not: an element of
// a vendor's own, or an attribute.
//
// It is kept so that nothing is lost unseen. A writer writes it back where the
// readers in use step over what they do not know: an element directly in
// MessageHeader or Bussiness, as one of its last children. What stood deeper,
// and every attribute, is kept for whoever reads and written nowhere.
type Extra struct {
	Path string `json:"path"` // of the element it stood in, from the block on: "MessageHeader/OtherInfo"
	Name string `json:"name"` // local name; an attribute's begins with "@"
	Text string `json:"text"`
}

// Receiver is one change of the receiver list in an update.
type Receiver struct {
	OrganID      string       `json:"organId,omitempty"`
	ReceiverType ReceiverType `json:"receiverType,omitempty"`
}

// Replacement names a replaced Document and the organs it is replaced for.
type Replacement struct {
	DocumentID string   `json:"documentId,omitempty"`
	OrganIDs   []string `json:"organIds,omitempty"`
}

// Business says what the Document does (the element is spelled Bussiness).
type Business struct {
	DocType          BusinessDocType `json:"docType,omitempty"`
	DocReason        string          `json:"docReason,omitempty"`
	DocumentID       string          `json:"documentId,omitempty"` // the Document an update is about
	Paper            Paper           `json:"paper,omitempty"`
	DocumentInfo     Number          `json:"documentInfo,omitempty"`     // of an update, 1: the content changed
	DocumentReceiver Number          `json:"documentReceiver,omitempty"` // of an update, 1: the receivers changed
	Receivers        []Receiver      `json:"receivers,omitempty"`
	Replacements     []Replacement   `json:"replacements,omitempty"`
	StaffInfo        *StaffInfo      `json:"staffInfo,omitempty"`
	Extra            []Extra         `json:"extra,omitempty"`
}

// ErrorEntry is an entry of the ErrorList, a header block of the SOAP profile
// that is empty in what senders send.
type ErrorEntry struct {
	Code        string `json:"code,omitempty"`
	Description string `json:"description,omitempty"`
}

// Document is an edXML business packet (văn bản): QCVN 102:2016/BTTTT, the
// MessageHeader, TraceHeaderList and Manifest. Absent elements are zero values.
type Document struct {
	From             Organ            `json:"from,omitzero"`
	To               []Organ          `json:"to,omitempty"`
	DocumentID       string           `json:"documentId,omitempty"`
	Code             Code             `json:"code,omitzero"`
	PromulgationInfo PromulgationInfo `json:"promulgationInfo,omitzero"`
	DocumentType     DocumentType     `json:"documentType,omitzero"`
	Subject          string           `json:"subject,omitempty"` // trích yếu
	Content          string           `json:"content,omitempty"`
	SignerInfo       SignerInfo       `json:"signerInfo,omitzero"`
	DueDate          Date             `json:"dueDate,omitempty"`
	ToPlaces         []string         `json:"toPlaces,omitempty"` // nơi nhận
	OtherInfo        OtherInfo        `json:"otherInfo,omitzero"`
	ResponseFor      []ResponseFor    `json:"responseFor,omitempty"`
	SteeringType     SteeringType     `json:"steeringType,omitempty"`
	ResponseForTask  []string         `json:"responseForTask,omitempty"` // TaskCode, an extension
	ApplicationType  string           `json:"applicationType,omitempty"` // extension
	TraceHeaders     []TraceHeader    `json:"traceHeaders,omitempty"`
	Business         *Business        `json:"business,omitempty"`
	Errors           []ErrorEntry     `json:"errors,omitempty"` // SOAP only: a single file has no place for them
	Attachments      []Attachment     `json:"attachments,omitempty"`
	Extra            []Extra          `json:"extra,omitempty"`
}

// DocType returns what the Document does; a missing Bussiness block means a
// new Document, as every axis reads it.
func (d *Document) DocType() BusinessDocType {
	if d.Business == nil || d.Business.DocType == "" {
		return New
	}
	return d.Business.DocType
}

// Status is an edXML status packet about a Document (trạng thái xử lý).
type Status struct {
	From        Organ       `json:"from,omitzero"`
	ResponseFor ResponseFor `json:"responseFor,omitzero"`
	StaffInfo   *StaffInfo  `json:"staffInfo,omitempty"`
	StatusCode  StatusCode  `json:"statusCode,omitempty"`
	Description string      `json:"description,omitempty"` // at most 500 characters; the reason of 02, 13 and 16
	Timestamp   Timestamp   `json:"timestamp,omitempty"`
	Extra       []Extra     `json:"extra,omitempty"`
}

// Attachment is a file a Document carries.
//
// A Writer takes the bytes from Content. A Reader hands out Content, valid
// until its next Next, and fills in Size, SHA256 and DetectedType when the
// content has been read to its end.
//
// Name is what the sender wrote: it may hold slashes, "..", a drive letter,
// line ends or nothing at all. It is for people to read. Whoever stores the
// file makes a name of their own, or takes the part behind the last slash and
// backslash, refuses "", "." and "..", and opens it inside one folder
// ([os.Root]); it is never joined to a path as it stands.
type Attachment struct {
	Name         string    `json:"name"` // AttachmentName
	ContentID    string    `json:"contentId"`
	ContentType  string    `json:"contentType,omitempty"` // as declared; not to be trusted
	Description  string    `json:"description,omitempty"`
	DetectedType string    `json:"detectedType,omitempty"` // by the first bytes
	Size         int64     `json:"size"`                   // of the user's file
	SHA256       string    `json:"sha256,omitempty"`       // of the user's file, lower-case hex
	PDF          *PDF      `json:"-"`                      // what a PDF file shows while it is read; nil for another
	Content      io.Reader `json:"-"`
	// Wrapped says that the file was taken out of the packet's own zip, or out of
	// base64 inside of a MIME part; else a part's octets are the file's. Like
	// Content it is there until Next is called again.
	Wrapped bool `json:"-"`
}
