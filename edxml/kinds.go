package edxml

import (
	"strconv"
	"strings"
	"time"
)

// Essentials is what no Document can do without (QĐ 28/2018/QĐ-TTg Art. 10(2);
// practice: what the axes refuse to miss). Everything else of a Document may
// be set after its making.
type Essentials struct {
	From        Organ   // OrganID and OrganName
	To          []Organ // one at least, each with OrganID and OrganName, none twice
	Code        Code    // both halves
	Promulgated Date    // yyyy/MM/dd
	Place       string  // where; may be empty
	TypeName    string  // "Công văn"
	Subject     string
	Signer      SignerInfo // FullName
	At          time.Time  // of the first TraceHeader: when the packet is made
}

// IncompleteError says what a packet to be made still lacks.
type IncompleteError struct {
	Fields []string // in the elements' names, for example "From/OrganId"
}

// Error names the fields.
func (e *IncompleteError) Error() string {
	return "edxml: the packet lacks " + strings.Join(e.Fields, ", ")
}

// lack collects what is missing.
type lack []string

func (l *lack) need(name string, there bool) {
	if !there {
		*l = append(*l, name)
	}
}

func (l lack) err() error {
	if len(l) == 0 {
		return nil
	}
	return &IncompleteError{Fields: l}
}

func (e *Essentials) lack() lack {
	var l lack
	l.need("From/OrganId", e.From.OrganID != "")
	l.need("From/OrganName", e.From.OrganName != "")
	l.need("To", len(e.To) > 0)
	seen := make(map[string]bool)
	for i, o := range e.To {
		path := "To[" + strconv.Itoa(i+1) + "]"
		l.need(path+"/OrganId", o.OrganID != "" && !seen[o.OrganID])
		l.need(path+"/OrganName", o.OrganName != "")
		seen[o.OrganID] = true
	}
	l.need("Code/CodeNumber", e.Code.CodeNumber != "")
	l.need("Code/CodeNotation", e.Code.CodeNotation != "")
	_, err := time.Parse(dateLayout, string(e.Promulgated))
	l.need("PromulgationInfo/PromulgationDate", err == nil)
	l.need("DocumentType/TypeName", e.TypeName != "")
	l.need("Subject", e.Subject != "")
	l.need("SignerInfo/FullName", e.Signer.FullName != "")
	l.need("TraceHeader/Timestamp", !e.At.IsZero())
	return l
}

// document makes the part that all kinds share.
func (e *Essentials) document(b *Business) *Document {
	return &Document{
		From: e.From, To: append([]Organ(nil), e.To...), Code: e.Code, Subject: e.Subject, SignerInfo: e.Signer,
		DocumentID:       DocumentID(e.From.OrganID, e.Promulgated, e.Code),
		PromulgationInfo: PromulgationInfo{Place: e.Place, PromulgationDate: e.Promulgated},
		DocumentType:     DocumentType{Type: "2", TypeName: e.TypeName}, // 2: administrative, the one both axes take
		OtherInfo:        OtherInfo{Priority: PriorityNormal, PromulgationAmount: "1", PageAmount: "1"},
		TraceHeaders:     []TraceHeader{{e.From.OrganID, TimestampOf(e.At)}},
		Business:         b,
	}
}

// NewDocument makes a new Document (văn bản mới). The error is an
// *IncompleteError.
func NewDocument(e Essentials) (*Document, error) {
	if err := e.lack().err(); err != nil {
		return nil, err
	}
	return e.document(&Business{DocType: New, Paper: "0"}), nil
}

// NewRecall makes the Document that takes another back (thu hồi): the same
// sender, receivers and DocumentId, with the reason. QUIRK: the BKAV axis does
// not pass on a Document without attachments, so attach the files once more.
// The error is an *IncompleteError.
func NewRecall(of *Document, reason string, at time.Time) (*Document, error) {
	e := Essentials{
		From: of.From, To: of.To, Code: of.Code, Promulgated: of.PromulgationInfo.PromulgationDate, Place: of.PromulgationInfo.Place,
		TypeName: of.DocumentType.TypeName, Subject: of.Subject, Signer: of.SignerInfo, At: at,
	}
	l := e.lack()
	l.need("DocumentId", of.DocumentID != "")
	l.need("BussinessDocReason", reason != "")
	if err := l.err(); err != nil {
		return nil, err
	}
	d := e.document(&Business{DocType: Recall, DocReason: reason, Paper: "0"})
	d.DocumentID, d.DocumentType = of.DocumentID, of.DocumentType
	return d, nil
}

// NewUpdate makes a Document that changes an earlier one (cập nhật): its
// content, and, where changes are given, its receivers. The error is an
// *IncompleteError.
func NewUpdate(e Essentials, documentID, reason string, changes ...Receiver) (*Document, error) {
	l := e.lack()
	l.need("Bussiness/DocumentId", documentID != "")
	l.need("BussinessDocReason", reason != "")
	for i, r := range changes {
		path := "Receiver[" + strconv.Itoa(i+1) + "]"
		l.need(path+"/OrganId", r.OrganID != "")
		l.need(path+"/ReceiverType", r.ReceiverType == ReceiverAdded || r.ReceiverType == ReceiverRemoved)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	b := &Business{DocType: Update, DocumentID: documentID, DocReason: reason, Paper: "0", DocumentInfo: "1", DocumentReceiver: "0"}
	if len(changes) > 0 {
		b.DocumentReceiver, b.Receivers = "1", append([]Receiver(nil), changes...)
	}
	return e.document(b), nil
}

// NewReplacement makes a Document that stands in place of one or more earlier
// ones (thay thế). A Replacement without OrganIDs holds for every receiver.
// The error is an *IncompleteError.
func NewReplacement(e Essentials, reason string, replaced ...Replacement) (*Document, error) {
	l := e.lack()
	l.need("BussinessDocReason", reason != "")
	l.need("ReplacementInfo", len(replaced) > 0)
	b := &Business{DocType: Replace, DocReason: reason, Paper: "0"}
	for i, r := range replaced {
		l.need("ReplacementInfo["+strconv.Itoa(i+1)+"]/DocumentId", r.DocumentID != "")
		if len(r.OrganIDs) == 0 {
			r.OrganIDs = nil
			for _, o := range e.To {
				r.OrganIDs = append(r.OrganIDs, o.OrganID)
			}
		}
		b.Replacements = append(b.Replacements, r)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return e.document(b), nil
}

// NewStatus makes what a receiver says of a Document: from is the receiver,
// staff the person, who is named by a Department at least. The codes 02 and 16
// need a reason; 13 is the sender's, see [NewTakeBack]. The error is an
// *IncompleteError.
func NewStatus(from Organ, staff StaffInfo, of *Document, code StatusCode, reason string, at time.Time) (*Status, error) {
	return newStatus(from, of.From.OrganID, staff, of, code, reason, at)
}

// NewTakeBack makes the Status by which the sender of a Document asks one of
// its receivers to give it back (lấy lại, 13). The error is an *IncompleteError.
func NewTakeBack(of *Document, receiver string, staff StaffInfo, reason string, at time.Time) (*Status, error) {
	return newStatus(of.From, receiver, staff, of, StatusTakeBack, reason, at)
}

func newStatus(from Organ, to string, staff StaffInfo, of *Document, code StatusCode, reason string, at time.Time) (*Status, error) {
	var l lack
	l.need("From/OrganId", from.OrganID != "")
	l.need("From/OrganName", from.OrganName != "")
	l.need("ResponseFor/OrganId", to != "")
	l.need("ResponseFor/Code", of.Code.CodeNumber != "")
	l.need("ResponseFor/DocumentId", of.DocumentID != "")
	l.need("StaffInfo/Department", staff.Department != "")
	code = code.Canonical()
	_, known := code.Name()
	l.need("StatusCode", known)
	switch code {
	case StatusRefused, StatusTakeBack, StatusTakeBackDenied:
		l.need("Description", reason != "")
	}
	l.need("Timestamp", !at.IsZero())
	if err := l.err(); err != nil {
		return nil, err
	}
	notation, _, _ := strings.Cut(of.Code.CodeNotation, "#") // QUIRK: a private suffix, cut by the BKAV axis too
	return &Status{
		From: from, StaffInfo: &staff, StatusCode: code, Description: reason, Timestamp: TimestampOf(at),
		ResponseFor: ResponseFor{
			OrganID: to, Code: Code{of.Code.CodeNumber, notation}.String(), DocumentID: of.DocumentID,
			PromulgationDate: of.PromulgationInfo.PromulgationDate,
		},
	}, nil
}
