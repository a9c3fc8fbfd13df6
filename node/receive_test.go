package node_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/transport"
)

// TestReceive fetches packets of all kinds and looks at what became of them.
func TestReceive(t *testing.T) {
	a := file{"a.pdf", pdf}
	unsigned := envelope(t, document("1", "H41"), a)
	good := signed(t, unsigned, a)
	nameless := document("2", "H41")
	nameless.DocumentID, nameless.Code = "", edxml.Code{}
	for _, c := range []struct {
		name      string
		packet    func() *pieces
		policy    node.SignaturePolicy
		state     node.State
		reason    string // of the verdict
		refusal   string
		delivered bool
		reported  string // code of the Status that went back
	}{
		{"signed", func() *pieces { return incoming(good, a) }, node.Require, node.Confirmed, "", "", true, ""},
		{"unsigned, required", func() *pieces { return incoming(unsigned, a) }, node.Require, node.Rejected, "unsigned", "signature not acceptable: unsigned", false, "02"},
		{"unsigned, warn", func() *pieces { return incoming(unsigned, a) }, node.Warn, node.Confirmed, "unsigned", "", true, ""},
		{"changed file", func() *pieces { return incoming(good, file{"a.pdf", []byte("%PDF khác")}) }, node.Require, node.Rejected, "changed after signing", "changed after signing", false, "02"},
		{"changed file, warn", func() *pieces { return incoming(good, file{"a.pdf", []byte("%PDF khác")}) }, node.Warn, node.Confirmed, "changed after signing", "", true, ""},
		{"missing part", func() *pieces { return incoming(unsigned) }, node.Warn, node.Rejected, "unsigned", "a.pdf", false, "02"},
		{"missing part of what has no name", func() *pieces { return incoming(envelope(t, nameless, a)) }, node.Warn, node.Rejected, "unsigned", "a.pdf", false, ""},
		{"no packet", func() *pieces { return incoming([]byte("<html><body>502</body></html>")) }, node.Warn, node.Rejected, "", "html", false, ""},
		{"DTD", func() *pieces { return incoming([]byte("<!DOCTYPE a>" + string(unsigned))) }, node.Warn, node.Rejected, "", "DOCTYPE", false, ""},
		{"cut envelope", func() *pieces { return incoming(unsigned[:len(unsigned)/2]) }, node.Warn, node.Rejected, "", "xml", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubbleStore(t, t.TempDir())
				axis := newMailbox(map[string]func() *pieces{"7": c.packet})
				folder := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
				run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: folder, Policy: c.policy, Roots: tested().roots}))
				<-time.After(5 * time.Minute)
				x := must(s.List(t.Context(), node.In, "", 10))[0]
				if x.State != c.state || x.Finished.IsZero() || !x.Due.IsZero() {
					t.Fatalf("%s, finished %v, %s", x.State, x.Finished, x.LastError)
				}
				if !strings.Contains(x.Refusal, c.refusal) || (x.Refusal == "") != (c.refusal == "") {
					t.Errorf("refusal %q, want %q", x.Refusal, c.refusal)
				}
				if x.Signature != nil && (!strings.Contains(x.Signature.Reason, c.reason) || (x.Signature.Reason == "") != (c.reason == "")) {
					t.Errorf("verdict %+v, want %q", x.Signature, c.reason)
				}
				if x.Envelope.SHA256 == "" {
					t.Error("the evidence is gone")
				} else if f, err := s.Open(t.Context(), x.Envelope.SHA256); err != nil {
					t.Error(err)
				} else {
					f.Close()
				}
				if axis.acks("7") != 1 {
					t.Errorf("acknowledged %d times", axis.acks("7"))
				}
				if got := len(delivered(t, folder)) == 1; got != c.delivered {
					t.Errorf("delivered %v", delivered(t, folder))
				}
				var reported []string
				for _, st := range axis.reported() {
					reported = append(reported, string(st.StatusCode))
					if st.Description != x.Refusal || st.ResponseFor.DocumentID != x.DocumentID || st.ResponseFor.OrganID != "G22" {
						t.Errorf("reported %+v", st)
					}
				}
				if strings.Join(reported, " ") != c.reported {
					t.Errorf("reported %v, want %q", reported, c.reported)
				}
			})
		})
	}
}

// blind is a store that cannot give back what it took in, so many times.
type blind struct {
	node.Store
	left atomic.Int64
}

func (b *blind) Open(ctx context.Context, sha256 string) (node.Opened, error) {
	if b.left.Add(-1) >= 0 {
		return nil, errors.New("the disk is gone")
	}
	return b.Store.Open(ctx, sha256)
}

// TestVerifyAtOnce: a Document is fetched and judged in one commit, with the
// trace of both; where judging fails, what was fetched is kept, and judging is
// tried again by itself.
func TestVerifyAtOnce(t *testing.T) {
	a := file{"a.pdf", pdf}
	good := signed(t, envelope(t, document("1", "H41"), a), a)
	for fails, want := range map[int64]string{
		0: "fetch; verify; deliver; confirm",
		3: "fetch; verify the disk is gone; verify the disk is gone; verify; deliver; confirm",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &blind{Store: bubbleStore(t, t.TempDir())}
			s.left.Store(fails)
			fetched := 0
			axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { fetched++; return incoming(good, a) }})
			run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Policy: node.Require, Roots: tested().roots}))
			<-time.After(time.Hour)
			x := must(s.List(t.Context(), node.In, "", 10))[0]
			var did []string
			for _, a := range x.Attempts {
				did = append(did, strings.TrimSpace(a.Step+" "+a.Error))
				if a.Duration <= 0 || a.Start.Before(x.Created) {
					t.Errorf("%s took %v from %v", a.Step, a.Duration, a.Start)
				}
			}
			if got := strings.Join(did, "; "); got != want || x.State != node.Confirmed || x.Signature == nil || x.Signature.Reason != "" {
				t.Errorf("%s with %+v after %s, want %s", x.State, x.Signature, got, want)
			}
			if fetched != 1 {
				t.Errorf("fetched %d times", fetched)
			}
		})
	}
}

// TestReceiveTwice brings one Document under two numbers.
func TestReceiveTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := envelope(t, document("1", "H41"), file{"a", pdf})
		one := func() *pieces { return incoming(env, file{"a", pdf}) }
		axis := newMailbox(map[string]func() *pieces{"7": one, "8": one})
		s, folder := bubbleStore(t, t.TempDir()), sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: folder})
		run(t, n)
		<-time.After(5 * time.Minute)
		all := must(s.List(t.Context(), node.In, "", 10))
		if len(all) != 2 || all[0].State != node.Confirmed || all[1].State != node.Confirmed {
			t.Fatalf("%+v", all)
		}
		if len(delivered(t, folder)) != 1 || axis.acks("7") != 1 || axis.acks("8") != 1 {
			t.Errorf("delivered %v, acknowledged %v", delivered(t, folder), axis.acked)
		}
		first := slices.IndexFunc(all, func(x *node.Transfer) bool { return x.SameAs == "" })
		if first < 0 || all[1-first].SameAs != all[first].ID || delivered(t, folder)[0] != all[first].ID {
			t.Errorf("the second is not known as the first: %q, %q", all[0].SameAs, all[1].SameAs)
		}
	})
}

// TestRejectedIsJudgedAnew rejects an unsigned Document; the same one, now
// signed, must not pass as its repetition.
func TestRejectedIsJudgedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := file{"a", pdf}
		env := envelope(t, document("1", "H41"), a)
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(env, a) }})
		s, folder := bubbleStore(t, t.TempDir()), sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
		run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: folder, Policy: node.Require, Roots: tested().roots}))
		<-time.After(2 * time.Minute)
		axis.mu.Lock()
		axis.waits["8"] = func() *pieces { return incoming(signed(t, env, a), a) }
		axis.mu.Unlock()
		<-time.After(2 * time.Minute)
		all := must(s.List(t.Context(), node.In, "", 10))
		if len(all) != 2 || all[1].State != node.Rejected || all[0].State != node.Confirmed || all[0].SameAs != "" || len(delivered(t, folder)) != 1 {
			t.Errorf("first %s, then %s (same as %q), delivered %v", all[1].State, all[0].State, all[0].SameAs, delivered(t, folder))
		}
	})
}

// TestListedAgain has an axis that forgets acknowledgements.
func TestListedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
		axis.stays = true
		s, inbox := bubbleStore(t, t.TempDir()), make(chan *node.Transfer, 10)
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: hand(inbox)})
		run(t, n)
		<-time.After(45 * time.Second)
		x := only(t, s, node.In, edxml.KindDocument)
		must(n.Report(t.Context(), x.ID, edxml.StatusDone, "", nil))
		<-time.After(5 * time.Minute)
		x = only(t, s, node.In, edxml.KindDocument)
		if len(inbox) != 1 || axis.acks("7") < 3 {
			t.Errorf("delivered %d times, acknowledged %d times", len(inbox), axis.acks("7"))
		}
		if codes(x, "H41") != "01 06" || x.State != node.Confirmed {
			t.Errorf("%s, statuses %q", x.State, codes(x, "H41"))
		}
	})
}

// TestNumberGivenAnew has an axis that starts its numbers again, as one in
// memory does: another Document under a known number must not be lost.
func TestNumberGivenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
		s, inbox := bubbleStore(t, t.TempDir()), make(chan *node.Transfer, 10)
		run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: hand(inbox)}))
		<-time.After(2 * time.Minute)
		axis.mu.Lock()
		axis.waits["7"] = func() *pieces { return incoming(envelope(t, document("2", "H41"))) }
		axis.acked = nil
		axis.mu.Unlock()
		<-time.After(5 * time.Minute)
		all := must(s.List(t.Context(), node.In, "", 10))
		if len(all) != 2 || all[0].State != node.Confirmed || all[1].State != node.Confirmed || all[0].DocumentID == all[1].DocumentID {
			t.Fatalf("%d transfers: %+v", len(all), all)
		}
		if len(inbox) != 2 || axis.acks("7") == 0 {
			t.Errorf("delivered %d, acknowledged %d times", len(inbox), axis.acks("7"))
		}
	})
}

// TestReport reports statuses about what is in the inbox.
func TestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(envelope(t, document("1", "H41"))) }})
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis})
		run(t, n)
		<-time.After(time.Minute)
		x := only(t, s, node.In, edxml.KindDocument)
		first := must(n.Report(t.Context(), x.ID, edxml.StatusAccepted, "", nil))
		<-time.After(time.Minute)
		again := must(n.Report(t.Context(), x.ID, edxml.StatusAccepted, "", nil))
		<-time.After(time.Minute)
		if again.ID != first.ID || len(axis.reported()) != 1 {
			t.Errorf("reported twice: %s, %s, %d at the axis", first.ID, again.ID, len(axis.reported()))
		}
		if x = only(t, s, node.In, edxml.KindDocument); codes(x, "H41") != "01 03" {
			t.Errorf("statuses %q", codes(x, "H41"))
		}
		if _, err := n.Report(t.Context(), x.ID, edxml.StatusRefused, "", nil); err == nil {
			t.Error("02 without a reason was accepted")
		}
		if _, err := n.Report(t.Context(), first.ID, edxml.StatusAccepted, "", nil); !errors.Is(err, node.ErrNotFound) {
			t.Errorf("status about a status: %v", err)
		}
	})
}

// TestWireIsUntouched checks that what is handed over are the octets that came.
func TestWireIsUntouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := bytes.Repeat([]byte("\r\n--b\x00"), 300_000)
		env := envelope(t, document("1", "H41"), file{"b.bin", big}, file{"c.txt", nil})
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(env, file{"b.bin", big}, file{"c.txt", nil}) }})
		folder := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
		s := bubbleStore(t, t.TempDir())
		run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: folder}))
		<-time.After(time.Minute)
		x := only(t, s, node.In, edxml.KindDocument)
		for name, want := range map[string][]byte{"b.bin": big, "c.txt": nil, "envelope.xml": env} {
			if got := read(t, folder.Dir, x.ID, name); !bytes.Equal(got, want) {
				t.Errorf("%s: %d octets, want %d", name, len(got), len(want))
			}
		}
	})
}

// TestNextPage has an axis list a few of many at a time: the next are asked for
// at once, not when the next look is due, and looks that bring nothing rest.
func TestNextPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[string]func() *pieces{}
		for i := range 20 {
			env := envelope(t, document(strconv.Itoa(i+1), "H41"))
			waits[strconv.Itoa(100+i)] = func() *pieces { return incoming(env) }
		}
		axis := newMailbox(waits)
		all, looks := axis.scripted.pending, new(atomic.Int64)
		axis.scripted.pending = func() ([]transport.Pending, error) {
			looks.Add(1)
			list, err := all()
			return list[:min(len(list), 2)], err
		}
		s := bubbleStore(t, t.TempDir())
		run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Poll: time.Hour}))
		<-time.After(time.Minute)
		for _, x := range must(s.List(t.Context(), node.In, "", 100)) {
			if x.State != node.Confirmed {
				t.Errorf("%s is %s", x.AxisID, x.State)
			}
		}
		if n := len(must(s.List(t.Context(), node.In, "", 100))); n != 20 {
			t.Errorf("%d came within a minute", n)
		}
		before := looks.Load()
		<-time.After(50 * time.Minute)
		if more := looks.Load() - before; more != 0 {
			t.Errorf("%d looks although nothing comes", more)
		}
	})
}
