package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Verb is something that an operator does to a Transfer.
type Verb string

// The verbs.
const (
	// Retry makes the next step due at once; an outgoing Transfer that was given
	// up or cancelled is queued anew, with a new deadline.
	Retry Verb = "retry"
	// Hold stops a Transfer before its next step, until it is released. A step
	// that is under way is finished.
	Hold Verb = "hold"
	// Release lets a held Transfer go on.
	Release Verb = "release"
	// Cancel ends an outgoing Transfer. Where the answer to a try is not known,
	// the axis may have it all the same; the Transfer says so by Unsure.
	Cancel Verb = "cancel"
)

// By is who asks for something, and why.
type By struct {
	Actor  string // a person or a program; required
	Reason string
}

// MoveError says that an operator asked for what the state does not allow.
type MoveError struct {
	Verb     Verb
	Transfer string
	State    State
	Why      edxml.Text
}

// Error says why in English.
func (e *MoveError) Error() string {
	return fmt.Sprintf("node: %s: transfer %s is %s: %s", e.Verb, e.Transfer, e.State, e.Why.EN)
}

// ErrNoActor says that nobody's name stands behind an operation.
var ErrNoActor = errors.New("node: an operation needs the name of who asks for it")

// The reasons why a move is not legal.
var (
	whyBusy    = edxml.Text{VI: "đang được xử lý đúng lúc này; thử lại sau ít giây", EN: "it is being worked on right now; try again in a few seconds"}
	whyDone    = edxml.Text{VI: "không còn bước nào để làm", EN: "there is no step left to take"}
	whyHeld    = edxml.Text{VI: "đang bị giữ; dùng release để thả", EN: "it is held; release it"}
	whyNotHeld = edxml.Text{VI: "không bị giữ", EN: "it is not held"}
	whySentOff = edxml.Text{VI: "trục đã nhận; muốn lấy lại thì gửi văn bản thu hồi hoặc trạng thái 13", EN: "the axis has it; to take it back send a recall or status 13"}
	whyArrived = edxml.Text{VI: "văn bản đến không hủy được; dùng inbox reject để từ chối", EN: "an incoming document cannot be cancelled; refuse it with inbox reject"}
	whyBack    = edxml.Text{VI: "đã được thu hồi; không thay đổi được nữa", EN: "it was recalled; nothing changes it any more"}
	whyAgain   = edxml.Text{VI: "văn bản cùng DocumentId đã được nộp lại", EN: "a document with its DocumentId was submitted since"}
)

// states in which an operator may do something; each verb has its row.
var legal = map[Verb]map[Direction][]State{
	Retry:  {Out: {Queued, Failed, Cancelled}, In: {Listed, Fetched, Verified, Delivered, Rejected, Confirmed, Sealed, Recalled}},
	Hold:   {Out: {Queued, Failed}, In: {Listed, Fetched, Verified, Delivered, Rejected, Confirmed, Sealed, Recalled}},
	Cancel: {Out: {Queued, Failed}},
}

// illegal says why a verb may not be done to t, nil when it may.
func illegal(verb Verb, t *Transfer) error {
	no := func(why edxml.Text) error {
		return &MoveError{Verb: verb, Transfer: t.ID, State: t.State, Why: why}
	}
	switch {
	case verb == Release && t.Held == nil:
		return no(whyNotHeld)
	case verb == Release:
		return nil
	case verb == Cancel && t.Direction == In:
		return no(whyArrived)
	case verb == Cancel && t.State == Sent:
		return no(whySentOff)
	case t.Direction == Out && t.Withdrawn != nil:
		return no(whyBack)
	case verb == Retry && !t.Purged.IsZero() && t.State != Recalled:
		return no(whyPurged)
	case !slices.Contains(legal[verb][t.Direction], t.State):
		return no(whyDone)
	case verb != Cancel && t.Held != nil:
		return no(whyHeld)
	case verb != Hold && leased(t):
		return no(whyBusy)
	case verb == Hold && t.Due.IsZero():
		return no(whyDone)
	case verb == Retry && t.Due.IsZero() && t.State != Failed && t.State != Cancelled:
		return no(whyDone)
	}
	return nil
}

// Operate does something to a Transfer in somebody's name. It returns a
// *MoveError if the state does not allow it, ErrNoActor, or ErrNotFound.
func (n *Node) Operate(ctx context.Context, verb Verb, id string, by By) (*Transfer, error) {
	if by.Actor == "" {
		return nil, ErrNoActor
	}
	act := Act{At: time.Now().UTC(), Actor: clip(by.Actor, 200), Action: string(verb), Reason: clip(by.Reason, maxDescription)}
	t, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		if err := illegal(verb, t); err != nil {
			return err
		}
		t.Acts = append(t.Acts, act)
		n.move(verb, t, &act)
		return nil
	})
	var exists *ExistsError
	if errors.As(err, &exists) {
		return nil, &MoveError{Verb: verb, Transfer: id, State: Failed, Why: edxml.Text{
			VI: whyAgain.VI + ": " + exists.ID, EN: whyAgain.EN + ": " + exists.ID}}
	}
	if err != nil {
		return nil, err
	}
	n.Log.InfoContext(ctx, "operated", "verb", verb, "transfer", id, "document", t.DocumentID, "actor", by.Actor, "reason", by.Reason)
	switch verb {
	case Retry:
		n.link.hurry(time.Now())
	case Cancel:
		err = n.ended(ctx, t)
	}
	n.Wake(t.Direction)
	return t, err
}

// Record files that somebody did something with a Transfer that changes nothing
// of it, such as exporting its packet: the Act is in the record and in the
// journal. It returns ErrNoActor or ErrNotFound.
func (n *Node) Record(ctx context.Context, action, id string, by By) (*Transfer, error) {
	if by.Actor == "" {
		return nil, ErrNoActor
	}
	act := Act{At: time.Now().UTC(), Actor: clip(by.Actor, 200), Action: action, Reason: clip(by.Reason, maxDescription)}
	t, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		t.Acts = append(t.Acts, act)
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.Log.InfoContext(ctx, "operated", "verb", action, "transfer", id, "document", t.DocumentID, "actor", by.Actor, "reason", by.Reason)
	return t, nil
}

// May says why a verb may not be done to a Transfer as it is now, nil when it
// may: a *MoveError.
func May(verb Verb, t *Transfer) error { return illegal(verb, t) }

// move changes a Transfer as a verb says.
func (n *Node) move(verb Verb, t *Transfer, act *Act) {
	switch verb {
	case Retry:
		if t.Direction == Out && t.State != Queued {
			t.State, t.Finished, t.Deadline = Queued, time.Time{}, act.At.Add(n.Deadline)
			t.Tries, t.Permanent, t.LastError, t.Cause = 0, false, "", ""
			for _, k := range uniqueOut(t) {
				if !slices.Contains(t.Unique, k) {
					t.Unique = append(t.Unique, k)
				}
			}
		}
		t.Due = dueNow(t)
	case Hold:
		t.Held, t.Due = act, time.Time{}
	case Release:
		t.Held = nil
		if t.Finished.IsZero() {
			t.Due = dueNow(t)
		}
		if !t.Deadline.IsZero() && act.At.After(t.Deadline) { // it was held, not tried
			t.Deadline = act.At.Add(n.Deadline)
		}
	case Cancel:
		cancelled(t)
	}
}

// uniqueOut returns the keys of an outgoing Document that no other may have.
func uniqueOut(t *Transfer) []string {
	if t.Kind == edxml.KindStatus {
		return nil
	}
	keys := []string{identityKey(Out, t)}
	if t.DocType == edxml.New {
		keys = append(keys, nameKey(t))
	}
	return keys
}
