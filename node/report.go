package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
)

// Report queues a Status about a Document in the inbox: what happened to it
// here. A code is reported once: reporting it again gives the Transfer of the
// first time. Whoever needs to repeat 04 or 05 submits a status packet.
func (n *Node) Report(ctx context.Context, id string, code edxml.StatusCode, description string, staff *edxml.StaffInfo) (*Transfer, error) {
	t, err := n.Store.Transfer(ctx, id)
	if err != nil {
		return nil, err
	}
	if t.Direction != In || t.Digest == "" {
		return nil, fmt.Errorf("%w: transfer %s is no document that was received: a status cannot be reported about it", ErrNotFound, id)
	}
	key := reportKey(id, code)
	before, err := n.Store.Find(ctx, key, "", recent)
	if err != nil {
		return nil, err
	}
	code = code.Canonical()
	if _, inUse := code.Name(); inUse && len(before) == 0 { // of others the rules know more to say
		if after, ok := t.allows(n.Organ.OrganID, code); !ok {
			return nil, &StatusOrderError{Transfer: id, Code: code, After: after}
		}
	}
	return n.report(ctx, t, key, code, description, staff)
}

// MayReport says why a code is not the next step of the work on a Document in
// the inbox as it is now: a *StatusOrderError, or ErrNotFound for what has not
// come in whole or was taken back; nil when it is. It is stricter than Report,
// which lets steps be left out and a code be reported again.
func (n *Node) MayReport(t *Transfer, code edxml.StatusCode) error {
	if t.Direction != In || t.State != Confirmed || t.Withdrawn != nil {
		return fmt.Errorf("%w: transfer %s is no document that came in and is still here: a status cannot be reported about it", ErrNotFound, t.ID)
	}
	own := n.receiver(t).OrganID
	l := ledgerOf(t, own)
	c := l.course(own)
	if after := c.code(); l.said(own, code) || !c.follow(code) {
		return &StatusOrderError{Transfer: t.ID, Code: code, After: after}
	}
	return nil
}

// StatusOrderError says that a status cannot follow what was reported before.
type StatusOrderError struct {
	Transfer    string
	Code, After edxml.StatusCode
}

// Error names both statuses.
func (e *StatusOrderError) Error() string {
	name, _ := e.Code.Name()
	after, _ := e.After.Name()
	return fmt.Sprintf("node: status %s (%s) cannot follow %s (%s) of transfer %s", e.Code, name.EN, e.After, after.EN, e.Transfer)
}

// reportKey makes a report unique: a code is reported once.
func reportKey(id string, code edxml.StatusCode) string {
	return fmt.Sprintf("report %s %s", id, code)
}

// receiver returns the organ in whose name this node has a Document: its own,
// or the one it collected it for.
func (n *Node) receiver(t *Transfer) edxml.Organ {
	if t.For == "" || sameOrgan(t.For, n.Organ.OrganID) {
		return n.Organ
	}
	for _, r := range t.Receivers {
		if r.OrganID == t.For {
			return edxml.Organ{OrganID: r.OrganID, OrganName: r.OrganName}
		}
	}
	return edxml.Organ{OrganID: t.For, OrganName: t.For}
}

func (n *Node) report(ctx context.Context, about *Transfer, key string, code edxml.StatusCode, description string, staff *edxml.StaffInfo) (*Transfer, error) {
	if staff == nil {
		staff = &edxml.StaffInfo{Staff: n.Organ.OrganName}
	}
	now, own := time.Now(), n.receiver(about)
	s := &edxml.Status{
		From: own,
		ResponseFor: edxml.ResponseFor{
			OrganID: about.From, Code: about.Code, DocumentID: about.DocumentID, PromulgationDate: about.PromulgationDate,
		},
		StaffInfo: staff, StatusCode: code, Description: description, Timestamp: edxml.TimestampOf(now),
	}
	if err := refuse(edxml.Validate(&edxml.Packet{Kind: edxml.KindStatus, Status: s}, now)); err != nil {
		return nil, err
	}
	t, err := n.queueStatus(ctx, s, key)
	if err != nil {
		return nil, err
	}
	failpoint.Hit(failpoint.ReportQueued)
	at, err := t.Status.Timestamp.Time() // of the first time
	if err != nil {
		return nil, fmt.Errorf("node: transfer %s: %w", t.ID, err)
	}
	_, err = n.Store.Update(ctx, about.ID, func(a *Transfer) error {
		if !ledgerOf(a, own.OrganID).add(own.OrganID, Event{Code: code, At: at.UTC(), Description: t.Status.Description}) {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return t, err
}

// queueStatus commits a Status for sending. key makes it unique.
func (n *Node) queueStatus(ctx context.Context, s *edxml.Status, key string) (*Transfer, error) {
	t, err := newTransfer(Out, edxml.KindStatus, Queued)
	if err != nil {
		return nil, err
	}
	describe(t, &edxml.Packet{Kind: edxml.KindStatus, Status: s})
	t.Deadline, t.Unique = t.Created.Add(n.Deadline), []string{key}
	if err := n.line(ctx, t); err != nil {
		return nil, err
	}
	t.Due = dueNow(t)
	err = n.begin(ctx, t, "send")
	var exists *ExistsError
	if errors.As(err, &exists) {
		return n.Store.Transfer(ctx, exists.ID)
	}
	if err != nil {
		return nil, err
	}
	if len(t.Waits) > 0 {
		if t, err = n.settle(ctx, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}
