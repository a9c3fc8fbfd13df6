package node_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// system is a document system that notes what it is told.
type system struct {
	mu        sync.Mutex
	delivered []string // "kind: files"
	notified  []string // states
	refuses   bool     // notices
}

func (s *system) Deliver(_ context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := string(t.DocType) + ":"
	for _, p := range t.Parts {
		said += " " + p.Name
	}
	s.delivered = append(s.delivered, said)
	return nil
}

func (s *system) Notify(_ context.Context, t *node.Transfer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuses {
		return errors.New("not now")
	}
	s.notified = append(s.notified, string(t.State)+" "+t.ID)
	return nil
}

func (s *system) said() (delivered, notified string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.delivered, "; "), strings.Join(s.notified, "; ")
}

func (s *system) refuse(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = yes
}

// TestRecallReceived receives a document and then its recall, in every way
// that a recall can come.
func TestRecallReceived(t *testing.T) {
	a := file{"a.pdf", pdf}
	doc, recall := document("1", "H41"), follower(edxml.Recall, "1", "H41")
	env, back := envelope(t, doc, a), envelope(t, recall, a)
	foreign := follower(edxml.Recall, "1", "H41")
	foreign.From = edxml.Organ{OrganID: "H53", OrganName: "Quảng Ninh"}
	broken := signed(t, back, a)
	broken = []byte(strings.Replace(string(broken), "Phát hành nhầm", "Phát hành đúng", 1))
	take := edxml.Status{From: ministry, StatusCode: "13", Description: "gửi nhầm", Timestamp: "2026/11/02 09:00:00",
		ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: doc.DocumentID}}
	stolen := take
	stolen.From = foreign.From
	for _, c := range []struct {
		name   string
		policy node.RecallPolicy
		second func() *pieces // waits at the axis after a while
		status *edxml.Status  // comes after a while
		first  bool           // the recall comes before the document
		state  node.State     // of the document in the end
		codes  string         // of the document
		given  string         // to the document system
		told   bool           // that it was recalled
		sent   []string       // status codes
		note   string         // a finding of the document
	}{
		{"as a document", "", func() *pieces { return incoming(back, a) }, nil, false, node.Recalled, "01 15", "0: a.pdf; 1:", true, []string{"15"}, ""},
		{"as a status", "", nil, &take, false, node.Recalled, "01 13 15", "0: a.pdf", true, []string{"15"}, ""},
		{"before the document", "", func() *pieces { return incoming(back, a) }, nil, true, node.Recalled, "01 15", "1:", true, []string{"15"}, ""},
		{"of another's document", "", func() *pieces { return incoming(envelope(t, foreign, a), a) }, nil, false, node.Confirmed, "01", "0: a.pdf; 1:", false, nil, ""},
		{"by a status of a stranger", "", nil, &stolen, false, node.Confirmed, "01", "0: a.pdf", false, nil, ""},
		{"with a signature that does not fit", "", func() *pieces { return incoming(broken, a) }, nil, false, node.Confirmed, "01", "0: a.pdf; 1: a.pdf", false, nil, "RC-1"},
		{"denied by configuration", node.DenyRecall, nil, &take, false, node.Confirmed, "01 13 16", "0: a.pdf", false, []string{"16"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				year2026()
				axis := newMailbox(map[string]func() *pieces{})
				put := func(id string, p func() *pieces) {
					axis.mu.Lock()
					defer axis.mu.Unlock()
					axis.waits[id] = p
				}
				var mu sync.Mutex
				var statuses []edxml.Status
				axis.statuses = func(time.Time) ([]edxml.Status, error) {
					mu.Lock()
					defer mu.Unlock()
					return statuses, nil
				}
				s, sys := bubbleStore(t, t.TempDir()), &system{}
				n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: sys, Recalls: c.policy})
				run(t, n)
				first, second := func() *pieces { return incoming(env, a) }, c.second
				if c.first {
					first, second = second, first
				}
				put("7", first)
				<-time.After(2 * time.Hour)
				if second != nil {
					put("8", second)
				}
				mu.Lock()
				if c.status != nil {
					statuses = append(statuses, *c.status)
				}
				mu.Unlock()
				<-time.After(3 * time.Hour)
				var x *node.Transfer
				for _, one := range must(s.List(t.Context(), node.In, "", 10)) {
					if one.DocType == edxml.New {
						x = one
					}
				}
				given, told := sys.said()
				if x.State != c.state || codes(x, "H41") != c.codes || given != c.given || (told == "sealed "+x.ID) != c.told {
					t.Errorf("%s with %q, given %q, told %q", x.State, codes(x, "H41"), given, told)
				}
				var sent []string
				for _, st := range axis.reported() {
					sent = append(sent, string(st.StatusCode))
				}
				if strings.Join(sent, " ") != strings.Join(c.sent, " ") {
					t.Errorf("statuses sent: %q", sent)
				}
				if c.note != "" && (len(x.Findings) == 0 || x.Findings[len(x.Findings)-1].Rule != c.note) {
					t.Errorf("findings %+v", x.Findings)
				}
				tombstone(t, n, x, c.state == node.Recalled)
			})
		})
	}
}

// tombstone checks what is left of a document.
func tombstone(t *testing.T, n *node.Node, x *node.Transfer, gone bool) {
	t.Helper()
	if x.Digest == "" || len(x.Parts) != 1 || x.Parts[0].Content.SHA256 != sum(pdf) || x.DocumentID == "" {
		t.Errorf("the record lost something: %+v", x)
	}
	_, err := n.Open(t.Context(), x, x.Parts[0].Content)
	exported := n.Export(t.Context(), x, io.Discard)
	if !gone {
		if err != nil || exported != nil {
			t.Errorf("open: %v, export: %v", err, exported)
		}
		return
	}
	if !errors.Is(err, node.ErrWithdrawn) || !errors.Is(exported, node.ErrWithdrawn) {
		t.Errorf("open: %v, export: %v", err, exported)
	}
	if x.Withdrawn == nil || x.Withdrawn.Actor != "G22" || x.Withdrawn.Reason == "" || x.Purged.IsZero() {
		t.Errorf("%+v, purged %v", x.Withdrawn, x.Purged)
	}
	for _, c := range []node.Content{x.Envelope, x.Parts[0].Content} {
		if f, err := n.Store.Open(t.Context(), c.SHA256); err == nil && c == x.Envelope {
			f.Close()
			t.Error("the envelope is still on the disk")
		}
	}
}

// TestRecallWaitsForTheSink has a document system that does not confirm: the
// content is sealed at once, and destroyed only when it does.
func TestRecallWaitsForTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		a := file{"a.pdf", pdf}
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"), a), a) }})
		s, sys := bubbleStore(t, t.TempDir()), &system{}
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: sys})
		run(t, n)
		<-time.After(2 * time.Hour)
		sys.refuse(true)
		axis.mu.Lock()
		axis.waits["8"] = func() *pieces { return incoming(envelope(t, follower(edxml.Recall, "1", "H41"), a), a) }
		axis.mu.Unlock()
		<-time.After(time.Hour)
		find := func() *node.Transfer {
			all := must(s.List(t.Context(), node.In, "", 10))
			return all[len(all)-1]
		}
		x := find()
		why := must(n.Why(t.Context(), x))
		if x.State != node.Sealed || !x.Purged.IsZero() || len(axis.reported()) != 0 || !strings.Contains(why.EN, "sealed") || !strings.Contains(why.EN, "not now") {
			t.Fatalf("%s, purged %v, reported %v, why %s", x.State, x.Purged, axis.reported(), why.EN)
		}
		if _, err := n.Open(t.Context(), x, x.Envelope); !errors.Is(err, node.ErrWithdrawn) {
			t.Errorf("open: %v", err)
		}
		sys.refuse(false)
		<-time.After(time.Hour)
		if x = find(); x.State != node.Recalled || len(axis.reported()) != 1 {
			t.Errorf("%s, reported %v", x.State, axis.reported())
		}
		if _, err := n.Report(t.Context(), x.ID, edxml.StatusDone, "", nil); err == nil {
			t.Error("06 after 15")
		}
	})
}
