package node

import (
	"strconv"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// TestHeard tells statuses that were applied from new ones, by everything they
// say, and forgets in good time.
func TestHeard(t *testing.T) {
	s := edxml.Status{From: edxml.Organ{OrganID: "H41"}, StatusCode: "01", Timestamp: "2026/03/02 08:00:00", Description: "đến",
		ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: "1", Code: "1/BC"}}
	var h heard
	if got := h.news([]edxml.Status{s, s}); len(got) != 2 {
		t.Fatalf("%d of 2 are new before any was applied", len(got))
	}
	h.keep([]*edxml.Status{&s})
	for name, change := range map[string]func(*edxml.Status){
		"sender":      func(s *edxml.Status) { s.From.OrganID = "H53" },
		"addressee":   func(s *edxml.Status) { s.ResponseFor.OrganID = "G14" },
		"document":    func(s *edxml.Status) { s.ResponseFor.DocumentID = "2" },
		"code of it":  func(s *edxml.Status) { s.ResponseFor.Code = "2/BC" },
		"status":      func(s *edxml.Status) { s.StatusCode = "03" },
		"moment":      func(s *edxml.Status) { s.Timestamp = "2026/03/02 08:00:01" },
		"description": func(s *edxml.Status) { s.Description = "đã đến" },
		"split":       func(s *edxml.Status) { s.From.OrganID, s.ResponseFor.OrganID = `H41" "G22`, "" },
	} {
		other := s
		change(&other)
		if got := h.news([]edxml.Status{s, other, s}); len(got) != 1 || got[0].Timestamp != other.Timestamp {
			t.Errorf("another %s: %d are new, want 1", name, len(got))
		}
	}
	for i := range 2 * maxHeard {
		other := s
		other.ResponseFor.DocumentID = "n" + strconv.Itoa(i)
		h.keep([]*edxml.Status{&other})
	}
	if n := len(h.young) + len(h.old); n > 2*maxHeard {
		t.Errorf("%d are remembered, more than %d", n, 2*maxHeard)
	}
	if got := h.news([]edxml.Status{s}); len(got) != 1 {
		t.Error("what came 100,000 statuses ago is remembered")
	}
}
