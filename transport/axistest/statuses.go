package axistest

import (
	"context"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// trace is a Status that the Axis keeps for its addressee.
type trace struct {
	edxml.Status
	received time.Time
	given    bool   // by GetTraces without a moment
	raw      []byte // the single file it came as, nil when it came otherwise
}

// AcceptStatus implements edoc.Backend.
func (x *exchange) AcceptStatus(_ context.Context, s *edxml.Status) error {
	return x.acceptStatus(s, nil)
}

// acceptStatus takes a Status. The Document must be known, and the organs must
// be its sender and one of its receivers: for a take-back (13) the sender
// writes to the receiver, else the receiver to the sender.
func (x *exchange) acceptStatus(s *edxml.Status, raw []byte) error {
	x.noteStatus(s)
	if err := x.judge(&edxml.Packet{Kind: edxml.KindStatus, Profile: edxml.ProfileSOAP, Status: s}); err != nil {
		return err
	}
	a := x.axis
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.about(s) == nil {
		return &transport.Fault{Operation: x.entry.Operation, Code: edoc.CodeStatusDocument, Text: fmt.Sprintf(
			"không có văn bản %[1]q (%[2]s) giữa %[3]s và %[4]s / there is no document %[1]q (%[2]s) between %[3]s and %[4]s",
			s.ResponseFor.DocumentID, s.ResponseFor.Code, s.From.OrganID, s.ResponseFor.OrganID)}
	}
	if s.StatusCode != edxml.StatusProcessing { // the one status that may come several times
		for _, t := range a.statuses[s.ResponseFor.OrganID] {
			if t.From.OrganID == s.From.OrganID && t.StatusCode == s.StatusCode &&
				t.ResponseFor.DocumentID == s.ResponseFor.DocumentID && t.ResponseFor.Code == s.ResponseFor.Code {
				return nil
			}
		}
	}
	a.file(*s, raw)
	return nil
}

// about finds the newest Document that a Status is about, by DocumentId, else
// by code.
func (a *Axis) about(s *edxml.Status) *document {
	sender, receiver := s.ResponseFor.OrganID, s.From.OrganID
	if s.StatusCode == edxml.StatusTakeBack {
		sender, receiver = receiver, sender
	}
	var found *document
	for _, doc := range a.docs {
		_, addressed := doc.arrived[receiver]
		if doc.head.From.OrganID != sender || !addressed {
			continue
		}
		named := s.ResponseFor.DocumentID != "" && s.ResponseFor.DocumentID == doc.head.DocumentID ||
			s.ResponseFor.DocumentID == "" && s.ResponseFor.Code == doc.head.Code.String()
		if named && (found == nil || found.received.Before(doc.received)) {
			found = doc
		}
	}
	return found
}

// file puts a Status into the mailbox of its addressee.
func (a *Axis) file(s edxml.Status, raw []byte) {
	to := s.ResponseFor.OrganID
	a.statuses[to] = append(a.statuses[to], &trace{Status: s, received: time.Now(), raw: raw})
}

// Statuses implements edoc.Backend. A moment counts against the Axis's own
// clock at arrival, in whole seconds, as the wire gives it.
func (x *exchange) Statuses(_ context.Context, organ string, since time.Time) ([]edxml.Status, error) {
	if !since.IsZero() {
		x.entry.Since = since.Format(time.RFC3339)
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	var list []edxml.Status
	all := x.axis.statuses[organ]
	for i := len(all) - 1; i >= 0; i-- {
		t := all[i]
		if since.IsZero() && !t.given || !since.IsZero() && !t.received.Before(since.Truncate(time.Second)) {
			list = append(list, t.Status)
		}
		if since.IsZero() {
			t.given = true
		}
	}
	if x.doubled && len(list) > 0 {
		list = append(list, list[0])
	}
	if x.shuffled {
		x.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list, nil
}
