package axistest

import (
	"context"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/edoc"
)

// trace is a Status that the Axis keeps for its addressee.
type trace struct {
	edxml.Status
	received time.Time
	given    bool // by GetTraces without a moment
}

// AcceptStatus implements both backends. The Document must be known, and the
// organs must be its sender and one of its receivers: for a take-back (13) the
// sender writes to the receiver, else the receiver to the sender.
func (x *exchange) AcceptStatus(_ context.Context, s *edxml.Status) error {
	if err := x.authentic(); err != nil {
		return err
	}
	x.noteStatus(s)
	profile := edxml.ProfileSOAP
	if x.entry.Wire == wireVXP {
		profile = edxml.ProfileQCVN102
	}
	if err := x.judge(&edxml.Packet{Kind: edxml.KindStatus, Profile: profile, Status: s}); err != nil {
		return err
	}
	a := x.axis
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.about(s) == nil {
		r := s.ResponseFor
		return x.refusal(edoc.CodeStatusDocument, false, edxml.Text{
			VI: fmt.Sprintf("không có văn bản %q (%s) giữa %s và %s", r.DocumentID, r.Code, s.From.OrganID, r.OrganID),
			EN: fmt.Sprintf("there is no document %q (%s) between %s and %s", r.DocumentID, r.Code, s.From.OrganID, r.OrganID)})
	}
	if s.StatusCode != edxml.StatusProcessing { // the one status that may come several times
		for _, t := range a.statuses[s.ResponseFor.OrganID] {
			if t.From.OrganID == s.From.OrganID && t.StatusCode == s.StatusCode &&
				t.ResponseFor.DocumentID == s.ResponseFor.DocumentID && t.ResponseFor.Code == s.ResponseFor.Code {
				return nil
			}
		}
	}
	a.file(*s)
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
		if doc.head.From.OrganID != sender || doc.to[receiver] == nil {
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
	t := &trace{Status: s, received: time.Now()}
	a.statuses[to] = append(a.statuses[to], t)
	a.deliver(to, nil, t)
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
