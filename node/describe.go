package node

import (
	"fmt"

	"github.com/lienthong/lienthong/edxml"
)

// The keys by which Transfers are found. Their first word says what follows.

func axisKey(axisID string) string { return "axis " + axisID }

// identityKey is "the same Document": a second one with it is a repetition.
func identityKey(d Direction, t *Transfer) string {
	key := fmt.Sprintf("same %s %q %q %q %s", d, t.From, t.DocumentID, string(t.DocType), t.Digest)
	if t.For != "" { // duplicates are judged per receiver
		key += fmt.Sprintf(" for %q", t.For)
	}
	return key
}

// nameKey is the DocumentId of a new Document, which other content may not take.
func nameKey(t *Transfer) string { return fmt.Sprintf("name %q %q", t.From, t.DocumentID) }

func documentKey(d Direction, id string) string { return fmt.Sprintf("document %s %q", d, id) }

func codeKey(d Direction, from, code string) string {
	return fmt.Sprintf("code %s %q %q", d, from, code)
}

// describe copies into a Transfer what the packet says.
func describe(t *Transfer, p *edxml.Packet) {
	t.Kind = p.Kind
	for _, f := range p.Findings {
		t.Findings = append(t.Findings, f.In("en"))
	}
	if p.Status != nil {
		t.Status = p.Status
		t.From, t.FromName = p.Status.From.OrganID, p.Status.From.OrganName
		t.DocumentID, t.Code = p.Status.ResponseFor.DocumentID, p.Status.ResponseFor.Code
		t.Receivers = []Receiver{{OrganID: p.Status.ResponseFor.OrganID}}
		if t.DocumentID != "" && p.Status.StatusCode.Canonical() == edxml.StatusTakeBack {
			t.About = []string{t.DocumentID}
			t.Lookup = []string{aboutKey(t.Direction, t.DocumentID)}
		}
		return
	}
	d := p.Document
	t.From, t.FromName = d.From.OrganID, d.From.OrganName
	t.DocumentID, t.DocType, t.Code, t.Subject = d.DocumentID, d.DocType(), d.Code.String(), d.Subject
	t.PromulgationDate = d.PromulgationInfo.PromulgationDate
	t.Digest = d.Digest()
	t.Via, t.Receivers = nil, nil
	for _, h := range d.TraceHeaders {
		if !sameOrgan(h.OrganID, t.From) {
			t.Via = append(t.Via, h.OrganID)
		}
	}
	for _, o := range d.To {
		t.Receivers = append(t.Receivers, Receiver{OrganID: o.OrganID, OrganName: o.OrganName})
	}
	if urgency, ok := d.OtherInfo.Priority.Int(); ok {
		t.Urgency = min(max(urgency, 0), len(headStart)-1) // 4, hỏa tốc hẹn giờ, is a hỏa tốc
	}
	t.About, t.Reason = aboutOf(d), ""
	if d.Business != nil && len(t.About) > 0 {
		t.Reason = clip(d.Business.DocReason, maxDescription)
	}
	t.Lookup = []string{documentKey(t.Direction, t.DocumentID), codeKey(t.Direction, t.From, t.Code)}
	for _, id := range t.About {
		t.Lookup = append(t.Lookup, aboutKey(t.Direction, id))
	}
}
