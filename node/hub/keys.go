package hub

import (
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// The keys by which a hub finds its Transfers. Their first word says what
// follows; "hub" keeps them apart from those of the node.

// sameKey is "the same Document of the same sender", handed in twice.
func sameKey(t *node.Transfer) string {
	return fmt.Sprintf("hub same %q %q %q %s", t.From, t.DocumentID, string(t.DocType), t.Digest)
}

// nameKey is the DocumentId of a new Document, which other content may not take.
func nameKey(t *node.Transfer) string { return fmt.Sprintf("hub name %q %q", t.From, t.DocumentID) }

// numberKey is the number that a sender was given.
func numberKey(number string) string { return "hub number " + number }

// sentKey finds the ways of the Document with this number.
func sentKey(number string) string { return "hub sent " + number }

// boxKey is a number in the mailbox of one agency.
func boxKey(agency, number string) string { return fmt.Sprintf("hub box %s %s", agency, number) }

// boxedKey is "this agency has or had this Document", whichever way it came.
func boxedKey(agency string, t *node.Transfer) string {
	return fmt.Sprintf("hub boxed %s %q %q %q %s", agency, t.From, t.DocumentID, string(t.DocType), t.Digest)
}

// waitingKey finds the Documents that wait for an agency, and counts all that
// waits for it.
func waitingKey(agency string) string { return "hub waiting " + agency }

// filesKey finds, and counts, the files of other services than edXML that wait
// for an agency; serviceKey finds those of one service. No list of one looks
// through what is on another.
func filesKey(agency string) string { return "hub files " + agency }

func serviceKey(agency, service string) string {
	return fmt.Sprintf("hub files %s %q", agency, strings.ToLower(service))
}

// hadKey counts what was ever put into a mailbox.
func hadKey(agency string) string { return "hub had " + agency }

// tracesKey finds the Statuses addressed to an agency; untakenKey those that
// were not given out in the old form of GetTraces.
func tracesKey(agency string) string  { return "hub traces " + agency }
func untakenKey(agency string) string { return "hub untaken " + agency }

// aboutKeys find the Document of a sender at one receiver by what a Status says
// of it: its DocumentId, else its code.
func aboutKeys(receiver, sender, documentID, code string) []string {
	var keys []string
	if documentID != "" {
		keys = append(keys, fmt.Sprintf("hub about %s %q document %q", receiver, sender, documentID))
	}
	if code != "" {
		keys = append(keys, fmt.Sprintf("hub about %s %q code %q", receiver, sender, code))
	}
	return keys
}

// statusKey is one Status: repeated, it is the same. A Document arrives, is
// taken, refused and done once at one receiver, whoever says so a second time;
// the other codes may come again, at another time.
func statusKey(s *edxml.Status) string {
	r, code, at := s.ResponseFor, s.StatusCode.Canonical(), string(s.Timestamp)
	switch code {
	case edxml.StatusArrived, edxml.StatusRefused, edxml.StatusAccepted, edxml.StatusDone:
		at = ""
	}
	return fmt.Sprintf("hub status %q %q %q %q %s %q", s.From.OrganID, r.OrganID, r.DocumentID, r.Code, code, at)
}
