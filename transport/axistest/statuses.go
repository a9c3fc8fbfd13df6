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
	given    bool // by GetTraces without a moment
}

// AcceptStatus implements edoc.Backend. The Document must be known, and the
// organs must be its sender and one of its receivers: for a take-back (13) the
// sender writes to the receiver, else the receiver to the sender.
func (b backend) AcceptStatus(_ context.Context, s *edxml.Status) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.about(s) == nil {
		return &transport.Fault{Operation: "UpdateTraces", Code: edoc.CodeStatusDocument, Text: fmt.Sprintf(
			"không có văn bản %[1]q (%[2]s) giữa %[3]s và %[4]s / there is no document %[1]q (%[2]s) between %[3]s and %[4]s",
			s.ResponseFor.DocumentID, s.ResponseFor.Code, s.From.OrganID, s.ResponseFor.OrganID)}
	}
	if s.StatusCode != edxml.StatusProcessing { // the one status that may come several times
		for _, t := range b.statuses[s.ResponseFor.OrganID] {
			if t.From.OrganID == s.From.OrganID && t.StatusCode == s.StatusCode &&
				t.ResponseFor.DocumentID == s.ResponseFor.DocumentID && t.ResponseFor.Code == s.ResponseFor.Code {
				return nil
			}
		}
	}
	b.file(*s)
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
func (a *Axis) file(s edxml.Status) {
	to := s.ResponseFor.OrganID
	a.statuses[to] = append(a.statuses[to], &trace{Status: s, received: time.Now()})
}

// Statuses implements edoc.Backend. A moment counts against the Axis's own
// clock at arrival, in whole seconds, as the wire gives it.
func (b backend) Statuses(_ context.Context, organ string, since time.Time) ([]edxml.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []edxml.Status
	all := b.statuses[organ]
	for i := len(all) - 1; i >= 0; i-- {
		t := all[i]
		if since.IsZero() && !t.given || !since.IsZero() && !t.received.Before(since.Truncate(time.Second)) {
			list = append(list, t.Status)
		}
		if since.IsZero() {
			t.given = true
		}
	}
	return list, nil
}
