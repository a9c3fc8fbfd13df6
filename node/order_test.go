package node_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// follower is a Document that recalls, updates or replaces document(number).
func follower(kind edxml.BusinessDocType, number string, to ...string) *edxml.Document {
	d := document(number, to...)
	of := d.DocumentID
	switch d.Business.DocType = kind; kind {
	case edxml.Recall: // its DocumentId is that of what it recalls
		d.Business.DocReason = "Phát hành nhầm"
	case edxml.Update:
		d.Business.DocumentID = of
		d.Subject += " (cập nhật)"
	case edxml.Replace:
		d = document("9"+number, to...)
		d.Business.DocType = kind
		for _, id := range to {
			d.Business.Replacements = []edxml.Replacement{{DocumentID: of, OrganIDs: []string{id}}}
		}
	}
	return d
}

// TestFollowersNeverOvertake sends followers of a document that the axis does
// not take at once.
func TestFollowersNeverOvertake(t *testing.T) {
	for _, kind := range []edxml.BusinessDocType{edxml.Recall, edxml.Update, edxml.Replace} {
		t.Run("kind "+string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				year2026()
				axis := newUnsteady(t)
				tries := 0
				take := axis.send
				axis.send = func(ctx context.Context, p *packet) (receipt, error) {
					if tries++; tries < 4 { // the answer is lost, or worse
						return receipt{}, &transport.Fault{Operation: "SendDocument", Transient: true, Err: errInjected}
					}
					return take(ctx, p)
				}
				s := bubbleStore(t, t.TempDir())
				n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
				run(t, n)
				first := submit(t, n, plain(t, "1"))
				<-time.After(time.Second)
				second := submit(t, n, single(t, follower(kind, "1", "H41"), file{"b.pdf", pdf}))
				stranger := submit(t, n, plain(t, "2"))
				if len(second.Waits) != 1 || second.Waits[0] != first.ID {
					t.Fatalf("waits for %v", second.Waits)
				}
				if why := must(n.Why(t.Context(), second)); !strings.Contains(why.EN, first.ID) {
					t.Errorf("why: %s", why.EN)
				}
				<-time.After(10 * time.Minute)
				sent := axis.order()
				at := func(prefix string) int {
					return slices.IndexFunc(sent, func(s string) bool { return strings.HasPrefix(s, prefix) })
				}
				if len(sent) != 3 || at("0 1") > at(string(kind)) {
					t.Errorf("sent %q", sent)
				}
				if x := must(s.Transfer(t.Context(), stranger.ID)); x.State != node.Sent {
					t.Errorf("a stranger waits: %s", x.State)
				}
				first = must(s.Transfer(t.Context(), first.ID))
				if len(first.Followers) != 1 || first.Followers[0].Transfer != second.ID || (first.Withdrawn != nil) != (kind == edxml.Recall) {
					t.Errorf("followers %+v, withdrawn %+v", first.Followers, first.Withdrawn)
				}
			})
		})
	}
}

// TestRecallOfWhatNeverLeft recalls a document before it was sent, and one that
// the axis refused.
func TestRecallOfWhatNeverLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newUnsteady(t)
		axis.down = true
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		run(t, n)
		<-time.After(5 * time.Minute)
		first := submit(t, n, plain(t, "1"))
		others := submit(t, n, single(t, document("2", "H41", "H53"), file{"a.pdf", pdf}))
		recall := submit(t, n, single(t, follower(edxml.Recall, "1", "H41"), file{"a.pdf", pdf}))
		partly := submit(t, n, single(t, follower(edxml.Recall, "2", "H41"), file{"a.pdf", pdf}))
		first = must(s.Transfer(t.Context(), first.ID))
		if first.State != node.Cancelled || recall.State != node.Cancelled {
			t.Errorf("the document is %s, its recall %s", first.State, recall.State)
		}
		for _, x := range []*node.Transfer{first, recall} {
			if why := must(n.Why(t.Context(), x)); !strings.Contains(why.EN, "Cancelled") || !strings.Contains(why.VI, "hủy") {
				t.Errorf("why: %+v", why)
			}
		}
		axis.set(false)
		<-time.After(30 * time.Minute)
		if sent := axis.order(); !slices.Equal(sent, []string{"0 2", "1 2"}) {
			t.Errorf("sent %q", sent)
		}
		others, partly = must(s.Transfer(t.Context(), others.ID)), must(s.Transfer(t.Context(), partly.ID))
		if others.State != node.Sent || partly.State != node.Sent || others.Withdrawn == nil {
			t.Errorf("%s, its recall %s", others.State, partly.State)
		}
		// its DocumentId is free for the document as it should have been
		d := document("1", "H41")
		d.Subject = "Đúng"
		if x := submit(t, n, single(t, d, file{"a.pdf", pdf})); x.State != node.Queued {
			t.Errorf("the right one: %s", x.State)
		}
	})
}

// TestFollowersOfWhatFailed ends a document for good while others follow it.
func TestFollowersOfWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newUnsteady(t)
		take := axis.send
		first := true
		axis.send = func(ctx context.Context, p *packet) (receipt, error) {
			if first {
				first = false
				<-time.After(time.Minute)
				return receipt{}, &transport.Fault{Operation: "SendDocument", Code: "N.X", Text: "thiếu trường"}
			}
			return take(ctx, p)
		}
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		run(t, n)
		submit(t, n, plain(t, "1"))
		<-time.After(time.Second)
		all := map[edxml.BusinessDocType]string{}
		for _, kind := range []edxml.BusinessDocType{edxml.Recall, edxml.Update, edxml.Replace} {
			all[kind] = submit(t, n, single(t, follower(kind, "1", "H41"), file{"b.pdf", pdf})).ID
		}
		<-time.After(10 * time.Minute)
		for kind, want := range map[edxml.BusinessDocType]node.State{edxml.Recall: node.Cancelled, edxml.Update: node.Cancelled, edxml.Replace: node.Sent} {
			if x := must(s.Transfer(t.Context(), all[kind])); x.State != want {
				t.Errorf("kind %s: %s", kind, x.State)
			}
		}
	})
}

// TestTakeBackFollowsItsDocument sends a status 13 about a queued document.
func TestTakeBackFollowsItsDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		axis := newUnsteady(t)
		take := axis.send
		axis.send = func(ctx context.Context, p *packet) (receipt, error) {
			<-time.After(5 * time.Minute)
			return take(ctx, p)
		}
		s := bubbleStore(t, t.TempDir())
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		run(t, n)
		x := submit(t, n, plain(t, "1"))
		<-time.After(time.Second)
		st := &edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", DocumentID: x.DocumentID, Code: x.Code},
			StatusCode: "13", Description: "gửi nhầm", Timestamp: "2026/11/02 08:00:00"}
		back := submit(t, n, []byte(statusPacket(t, st)))
		if len(back.Waits) != 1 {
			t.Fatalf("waits for %v", back.Waits)
		}
		<-time.After(10 * time.Minute)
		if sent := axis.order(); !slices.Equal(sent, []string{"0 1", "status 13"}) {
			t.Errorf("sent %q", sent)
		}
		if x = must(s.Transfer(t.Context(), x.ID)); x.Withdrawn == nil || x.Withdrawn.Reason != "gửi nhầm" {
			t.Errorf("%+v", x.Withdrawn)
		}
	})
}

// TestNewReceivers hands a document over again with one receiver more.
func TestNewReceivers(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s})
	submit(t, n, plain(t, "1"))
	var more *node.NewReceiversError
	if _, err := n.Submit(t.Context(), bytes.NewReader(single(t, document("1", "H41", "H53"), file{"1.pdf", pdf}))); !errors.As(err, &more) || !slices.Equal(more.OrganIDs, []string{"H53"}) {
		t.Errorf("%v", err)
	}
	fewer := must(n.Submit(t.Context(), bytes.NewReader(plain(t, "1"))))
	if !fewer.Existed {
		t.Error("the same document is not the same")
	}
}

// lagging is a store in which what the axis calls 7 comes late, and lists are
// late, too.
type lagging struct {
	*noisy
	create, list time.Duration
}

func (l lagging) Create(ctx context.Context, ts ...*node.Transfer) error {
	if ts[0].AxisID == "7" {
		<-time.After(l.create)
	}
	return l.noisy.Create(ctx, ts...)
}

func (l lagging) List(ctx context.Context, d node.Direction, before string, limit int) ([]*node.Transfer, error) {
	<-time.After(l.list)
	return l.noisy.List(ctx, d, before, limit)
}

// slowly hands documents over that are no follower of another in half an hour.
type slowly struct{ hand }

func (s slowly) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	if t.DocType == edxml.New {
		<-time.After(30 * time.Minute)
	}
	return s.hand.Deliver(ctx, t, open)
}

// TestIncomingOrder fetches an update before the document it is about, even
// before that one is known here, and while it is read.
func TestIncomingOrder(t *testing.T) {
	for name, lag := range map[string]lagging{
		"listed together": {}, "known later": {create: 10 * time.Second}, "read between two looks": {list: 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) { incomingOrder(t, lag) })
	}
}

func incomingOrder(t *testing.T, s lagging) {
	synctest.Test(t, func(t *testing.T) {
		year2026()
		update := follower(edxml.Update, "1", "H41")
		axis := newMailbox(map[string]func() *pieces{
			"7": func() *pieces { <-time.After(3 * time.Minute); return incoming(envelope(t, document("1", "H41"))) },
			"8": func() *pieces { return incoming(envelope(t, update)) },
		})
		s.noisy = bubbleStore(t, t.TempDir())
		inbox := make(chan *node.Transfer, 10)
		run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: slowly{inbox}}))
		<-time.After(time.Hour)
		close(inbox)
		var order []string
		for x := range inbox {
			order = append(order, string(x.DocType))
		}
		if !slices.Equal(order, []string{"0", "2"}) {
			t.Errorf("delivered in the order %v", order)
		}
	})
}
