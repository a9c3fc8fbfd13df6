package axistest

import (
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// journalSize is the number of requests the journal keeps.
const journalSize = 10_000

// listSize is how many receivers and numbers an Entry names.
const listSize = 1000

// Entry is one request in the journal. It holds no token and no secret.
type Entry struct {
	Seq  int64     `json:"seq"` // counts from 1
	At   time.Time `json:"at"`
	Took int64     `json:"took"` // milliseconds

	Wire        string  `json:"wire"`                // "edoc" or "vxp"
	Operation   string  `json:"operation"`           // SOAPAction, or the last part of the path; "" for what was no operation
	Organ       string  `json:"organ"`               // of the credential, good or not
	Outcome     string  `json:"outcome"`             // "ok", or the code of the refusal
	Text        string  `json:"text,omitempty"`      // why it was refused
	Temporary   bool    `json:"temporary,omitempty"` // refused for now
	Trouble     Trouble `json:"trouble,omitempty"`   // what it met
	Method      string  `json:"method"`
	Path        string  `json:"path"`
	Action      string  `json:"action,omitempty"` // SOAPAction as it came
	ContentType string  `json:"contentType,omitempty"`
	UserAgent   string  `json:"userAgent,omitempty"`
	Received    int64   `json:"received"` // octets of the body
	Status      int     `json:"status"`   // of HTTP, 0 when nothing was answered
	Sent        int64   `json:"sent"`     // octets of the body

	Number   string        `json:"number,omitempty"`   // the Axis's number: of what was sent, collected or confirmed
	Listed   []string      `json:"listed,omitempty"`   // numbers in the answer
	Doubled  bool          `json:"doubled,omitempty"`  // one of them twice
	State    string        `json:"state,omitempty"`    // of a delivery over VXP
	Since    string        `json:"since,omitempty"`    // the moment statuses were asked from
	Document *SentDocument `json:"document,omitempty"` // what was sent
	Reported *SentStatus   `json:"reported,omitempty"` // the Status that was sent
}

// SentDocument is a Document in the journal.
type SentDocument struct {
	DocumentID string   `json:"documentId"`
	From       string   `json:"from"`
	To         []string `json:"to"`
	Kind       string   `json:"kind"`   // BussinessDocType
	Digest     string   `json:"digest"` // of the content, see [edxml.Document.Digest]; "" when it was refused before the files were read
	Files      int      `json:"files"`
	Signed     bool     `json:"signed"`   // there is a ds:Signature, whatever it is worth
	Findings   []string `json:"findings"` // rules of the axis that are broken
}

// SentStatus is a Status in the journal.
type SentStatus struct {
	From       string `json:"from"`
	To         string `json:"to"`
	DocumentID string `json:"documentId"`
	Code       string `json:"code"` // of the Document
	StatusCode string `json:"statusCode"`
}

// Journal returns the last requests, oldest first, at most 10,000.
func (a *Axis) Journal() []Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.journal)
}

// note files a request in the journal.
func (a *Axis) note(e Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, text := range []*string{&e.Operation, &e.Organ, &e.Outcome, &e.Text, &e.Path, &e.Action, &e.ContentType, &e.UserAgent, &e.Number, &e.State} {
		*text = clip(*text)
	}
	e.Listed = e.Listed[:min(len(e.Listed), listSize)]
	a.requests++
	e.Seq = a.requests
	if len(a.journal) == journalSize {
		a.journal = append(a.journal[:0], a.journal[1:]...)
	}
	a.journal = append(a.journal, e)
}

// noteDocument notes what is being sent.
func (x *exchange) noteDocument(p *edxml.Packet) {
	d := p.Document
	n := &SentDocument{DocumentID: clip(d.DocumentID), From: clip(d.From.OrganID), Kind: clip(string(d.DocType())), Findings: []string{}}
	for _, to := range d.To[:min(len(d.To), listSize)] {
		n.To = append(n.To, clip(to.OrganID))
	}
	for _, s := range p.Signatures {
		n.Signed = n.Signed || s.Name.Space == edxml.NamespaceDSig
	}
	x.entry.Document = n
}

// noteStatus notes the Status that is being sent.
func (x *exchange) noteStatus(s *edxml.Status) {
	r := s.ResponseFor
	x.entry.Reported = &SentStatus{clip(s.From.OrganID), clip(r.OrganID), clip(r.DocumentID), clip(r.Code), clip(string(s.StatusCode))}
}

// clip shortens what came from outside, so that the journal stays small.
func clip(text string) string {
	const most = 500
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
