package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
)

// ErrWithdrawn says that the sender of a Document took it back: its content is
// not handed out any more (QĐ 28/2018/QĐ-TTg Art. 9(2)).
var ErrWithdrawn = errors.New("node: the sender took this document back; its content is not handed out any more")

// errLegalHold says that a recalled Document stays, sealed, until somebody
// lifts its legal hold.
var errLegalHold = errors.New("node: a legal hold keeps its content from being destroyed")

// settled is how old content must be before it is swept away: by then nobody is
// still taking in a packet that has the same file. What is recalled within the
// hour of its coming is sealed at once, and destroyed when the hour is over.
const settled = time.Hour

// await is what an incoming follower does before it is delivered: it waits for
// the Document it is about, ties itself to it, and takes it back if it is a
// recall. It returns nil when the follower has to wait; the Transfer is
// recorded then.
func (n *Node) await(ctx context.Context, t *Transfer) (ready bool, after *Transfer, err error) {
	select { // what was listed with it, and before it, may not be in the store yet
	case n.listing <- struct{}{}:
		<-n.listing
	case <-ctx.Done():
		return false, nil, ctx.Err()
	}
	waits := []string{}
	targets, err := n.targets(ctx, t)
	if err == nil && len(targets) == 0 && time.Since(t.Created) < strangers {
		if waits, err = n.unread(ctx, t); err == nil && len(waits) == 0 {
			targets, err = n.targets(ctx, t) // it may have been read between the two looks
		}
	}
	if err != nil {
		return false, nil, err
	}
	for _, p := range targets {
		if p.State == Fetched || p.State == Verified {
			waits = append(waits, p.ID)
		}
	}
	recall := takesBack(t)
	if len(waits) > 0 && !recall { // a recall need not wait: it is applied to what comes later, too
		after, err := n.record(ctx, t.ID, func(t *Transfer) {
			t.Waits, t.Due = waits, time.Now().UTC().Add(lookAgain)
			for _, id := range waits {
				if key := waitKey(id); !slices.Contains(t.Lookup, key) {
					t.Lookup = append(t.Lookup, key)
				}
			}
		})
		return false, after, err
	}
	if err := n.tie(ctx, t, targets); err != nil {
		return false, nil, err
	}
	if recall {
		failpoint.Hit(failpoint.RecallTied)
		for _, p := range targets {
			if err := n.takeBack(ctx, p, back{t.From, t.ID, reasonOf(t), mayRecall(t)}); err != nil {
				return false, nil, err
			}
			failpoint.Hit(failpoint.RecallTaken)
		}
	}
	after, err = n.record(ctx, t.ID, func(t *Transfer) {
		t.Waits = nil
		if recall && n.Recalls == AgreeRecall && mayRecall(t) == "" && t.Withdrawn == nil { // it carries the files again
			t.Withdrawn = &Act{At: time.Now().UTC(), Actor: t.From, Action: "recall", Reason: reasonOf(t)}
		}
	})
	return true, after, err
}

// unread returns what was listed before t and has not been fetched: t may be
// about any of it.
func (n *Node) unread(ctx context.Context, t *Transfer) ([]string, error) {
	older, err := n.Store.List(ctx, In, t.ID, recent)
	waits := []string{}
	for _, p := range older {
		if p.State == Listed {
			waits = append(waits, p.ID)
		}
	}
	return waits, err
}

// targets returns the received Documents that t is about.
func (n *Node) targets(ctx context.Context, t *Transfer) ([]*Transfer, error) {
	var all []*Transfer
	for _, id := range t.About {
		found, err := n.Store.Find(ctx, documentKey(In, id), "", recent)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if p.ID != t.ID && sameOrgan(p.From, t.From) && p.SameAs == "" && p.DocType != edxml.Recall {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// mayRecall says why a recall is not obeyed, "" when it is. It came over the
// axis that vouches for its sender; a signature that is there and does not fit
// speaks against it all the same.
func mayRecall(t *Transfer) string {
	if t.Signature != nil && t.Signature.Broken {
		return "its signature does not fit: " + t.Signature.Reason
	}
	return ""
}

// recalledBefore returns the recall that came before the Document itself. The
// Document must be in the store, under its DocumentId: a recall that comes at
// the same moment either is found here, or finds it.
func (n *Node) recalledBefore(ctx context.Context, t *Transfer) (*Transfer, error) {
	if n.Recalls != AgreeRecall || t.DocType == edxml.Recall || t.Service != "" {
		return nil, nil
	}
	found, err := n.Store.Find(ctx, aboutKey(In, t.DocumentID), "", recent)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if f.ID != t.ID && f.DocType == edxml.Recall && sameOrgan(f.From, t.From) && f.State != Listed && f.State != Fetched && f.State != Rejected && mayRecall(f) == "" {
			return f, nil
		}
	}
	return nil, nil
}

// back is a recall as it reaches a received Document.
type back struct {
	sender  string
	cause   string // the Transfer that asks for it, or the status 13
	reason  string
	refusal string // why it is not to be obeyed
}

// takeBack obeys the recall of a received Document, or answers 16 where the
// configuration says so.
func (n *Node) takeBack(ctx context.Context, p *Transfer, b back) error {
	switch {
	case p.State == Rejected, p.State == Recalled, p.Withdrawn != nil, p.DocType == edxml.Recall, n.Recalls == PassRecall:
		return nil
	case b.refusal != "":
		n.Log.WarnContext(ctx, "recall not obeyed", "transfer", p.ID, "document", p.DocumentID, "from", b.sender, "reason", b.refusal)
		_, err := n.Store.Update(ctx, p.ID, func(p *Transfer) error {
			note(p, "RC-1", fmt.Sprintf("a recall by %s was not obeyed: %s", b.sender, b.refusal))
			return nil
		})
		return err
	case n.Recalls == DenyRecall:
		_, err := n.report(ctx, p, reportKey(p.ID, edxml.StatusTakeBackDenied)+" "+b.cause, edxml.StatusTakeBackDenied,
			"Nơi nhận được cấu hình không hủy văn bản khi nơi gửi lấy lại", nil)
		return err
	}
	act := Act{At: time.Now().UTC(), Actor: b.sender, Action: "recall", Reason: b.reason}
	_, err := n.Store.Update(ctx, p.ID, func(p *Transfer) error {
		if p.Withdrawn != nil {
			return errUnchanged
		}
		p.Withdrawn = &act
		p.Acts = append(p.Acts, act)
		p.Lookup = slices.DeleteFunc(p.Lookup, func(k string) bool { return k == waitingKey })
		if p.State == Confirmed && !leased(p) { // else its next step sees it
			p.State, p.Due, p.Finished = Sealed, act.At, time.Time{}
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err == nil {
		n.Log.InfoContext(ctx, "recalled by its sender", "transfer", p.ID, "document", p.DocumentID, "from", b.sender)
		n.Wake(In)
	}
	return err
}

// withdraw tells the Sink that a Document was taken back. Its content is
// given up only when the Sink has confirmed.
func (n *Node) withdraw(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	if t.LegalHold != "" {
		return nil, fmt.Errorf("%w: %s", errLegalHold, t.LegalHold)
	}
	if n.Sink != nil {
		if err := n.Sink.Notify(ctx, t); err != nil {
			return nil, err
		}
	}
	now := time.Now().UTC()
	return func(t *Transfer) { t.State, t.Purged = Recalled, now }, nil
}

// destroy takes the content that was given up off the disk, and reports 15.
func (n *Node) destroy(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	if wait := time.Until(arrived(t).Add(settled)); wait > 0 {
		return func(t *Transfer) { t.Due = time.Now().UTC().Add(wait) }, nil
	}
	if _, err := n.Store.Sweep(ctx, time.Now().Add(-settled), false); err != nil {
		return nil, err
	}
	if _, err := n.report(ctx, t, reportKey(t.ID, edxml.StatusTakeBackAgreed), edxml.StatusTakeBackAgreed, "", nil); err != nil {
		return nil, err
	}
	n.Log.InfoContext(ctx, "destroyed", "transfer", t.ID, "document", t.DocumentID)
	return func(t *Transfer) { finish(t, Recalled) }, nil
}

// arrived returns when the content of a Document was stored, at the latest.
func arrived(t *Transfer) time.Time {
	at := t.Created
	for _, a := range t.Attempts {
		if a.Step == "fetch" {
			at = a.Start.Add(a.Duration)
		}
	}
	return at
}

// maxNotes is how many findings are added to a Transfer after it was read.
const maxNotes = 100

// note keeps a finding about what happened to a Transfer, once, and reports
// whether it is new.
func note(t *Transfer, rule, text string) bool {
	f := edxml.FindingText{Rule: rule, Severity: edxml.Warning, Message: text}
	if slices.Contains(t.Findings, f) || len(t.Findings) >= maxNotes {
		return false
	}
	t.Findings = append(t.Findings, f)
	return true
}
