package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// statusesSince is the value that holds the time of the latest Status seen, in
// the form of RFC 3339.
const statusesSince = "statuses since"

// overlap is how far back statuses are asked for again, since clocks differ
// and the axis's order is not promised.
const overlap = 10 * time.Minute

// applyStatuses reads the statuses since the last look and applies each.
// Applying one twice changes nothing.
func (n *Node) applyStatuses(ctx context.Context) error {
	since := time.Unix(0, 0)
	if v, err := n.Store.Value(ctx, statusesSince); err != nil {
		return err
	} else if v != nil {
		if since, err = time.Parse(time.RFC3339, string(v)); err != nil {
			return fmt.Errorf("node: stored moment %q: %w", v, err)
		}
	}
	statuses, err := n.Axis.Statuses(ctx, since.Add(-overlap))
	if err != nil {
		return err
	}
	latest := since
	for i := range statuses {
		at, err := n.apply(ctx, &statuses[i])
		if err != nil {
			return err
		}
		if at.After(latest) && !at.After(time.Now()) {
			latest = at
		}
	}
	if latest.Equal(since) {
		return nil
	}
	return n.Store.SetValue(ctx, statusesSince, []byte(latest.UTC().Format(time.RFC3339)))
}

// apply adds a Status to the Document it is about and returns its moment. A
// Status of a receiver concerns our outbox; 13 comes from the sender of a
// Document in our inbox.
func (n *Node) apply(ctx context.Context, s *edxml.Status) (time.Time, error) {
	at, unreadable := s.Timestamp.Time()
	if unreadable != nil {
		n.Log.WarnContext(ctx, "status without a readable time", "from", s.From.OrganID, "document", s.ResponseFor.DocumentID, "error", unreadable)
		at = time.Now() // the moment at which it was read first
	}
	direction, owner, subject := Out, s.ResponseFor.OrganID, s.From.OrganID
	if s.StatusCode.Canonical() == edxml.StatusTakeBack {
		direction, owner, subject = In, s.From.OrganID, s.ResponseFor.OrganID
	}
	t, err := n.about(ctx, direction, owner, s)
	if err != nil {
		return at, err
	}
	if t == nil {
		n.Log.WarnContext(ctx, "status about an unknown document", "from", s.From.OrganID,
			"document", s.ResponseFor.DocumentID, "code", s.ResponseFor.Code, "status", s.StatusCode)
		return at, nil
	}
	e := Event{Code: s.StatusCode.Canonical(), At: at.UTC(), Description: s.Description}
	_, err = n.Store.Update(ctx, t.ID, func(t *Transfer) error {
		if unreadable != nil && hasEvent(t, subject, e) || !addEvent(t, subject, e) {
			return errUnchanged
		}
		return nil
	})
	if err == nil {
		n.Log.InfoContext(ctx, "status", "transfer", t.ID, "document", t.DocumentID, "organ", subject, "status", e.Code)
	} else if errors.Is(err, errUnchanged) {
		err = nil
	}
	return at, err
}

// about finds the Document a Status is about: by DocumentId, else by the code
// of its sender.
func (n *Node) about(ctx context.Context, d Direction, owner string, s *edxml.Status) (*Transfer, error) {
	for _, by := range []struct{ name, key string }{
		{s.ResponseFor.DocumentID, documentKey(d, s.ResponseFor.DocumentID)}, {s.ResponseFor.Code, codeKey(d, owner, s.ResponseFor.Code)},
	} {
		if by.name == "" {
			continue
		}
		found, err := n.Store.Find(ctx, by.key, "", recent)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if t.From == owner && t.SameAs == "" {
				return t, nil
			}
		}
	}
	return nil, nil
}

// hasEvent reports whether a Receiver has this Status, at whatever time.
func hasEvent(t *Transfer, organ string, e Event) bool {
	return slices.ContainsFunc(t.Receivers, func(r Receiver) bool {
		return r.OrganID == organ && slices.ContainsFunc(r.Events, func(o Event) bool { return o.Code == e.Code && o.Description == e.Description })
	})
}

// addEvent applies a Status to the Receiver it concerns and reports whether
// that changed anything. Events are kept in the order of their own times;
// polling brings them in any order.
func addEvent(t *Transfer, organ string, e Event) bool {
	i := slices.IndexFunc(t.Receivers, func(r Receiver) bool { return r.OrganID == organ })
	if i < 0 {
		t.Receivers = append(t.Receivers, Receiver{OrganID: organ})
		i = len(t.Receivers) - 1
	}
	r := &t.Receivers[i]
	if slices.ContainsFunc(r.Events, func(o Event) bool { return o.Code == e.Code && o.At.Unix() == e.At.Unix() }) {
		return false
	}
	r.Events = append(r.Events, e)
	slices.SortStableFunc(r.Events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At.Unix(), b.At.Unix()), cmp.Compare(a.Code, b.Code))
	})
	r.Code = r.Events[len(r.Events)-1].Code
	return true
}

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
	return n.report(ctx, t, code, description, staff)
}

func (n *Node) report(ctx context.Context, about *Transfer, code edxml.StatusCode, description string, staff *edxml.StaffInfo) (*Transfer, error) {
	if staff == nil {
		staff = &edxml.StaffInfo{Staff: n.Organ.OrganName}
	}
	now := time.Now()
	s := &edxml.Status{
		From: n.Organ,
		ResponseFor: edxml.ResponseFor{
			OrganID: about.From, Code: about.Code, DocumentID: about.DocumentID, PromulgationDate: about.PromulgationDate,
		},
		StaffInfo: staff, StatusCode: code, Description: description, Timestamp: edxml.TimestampOf(now),
	}
	if err := refuse(edxml.Validate(&edxml.Packet{Kind: edxml.KindStatus, Status: s}, now)); err != nil {
		return nil, err
	}
	t, err := n.queueStatus(ctx, s, fmt.Sprintf("report %s %s", about.ID, code))
	if err != nil {
		return nil, err
	}
	at, err := t.Status.Timestamp.Time() // of the first time
	if err != nil {
		return nil, fmt.Errorf("node: transfer %s: %w", t.ID, err)
	}
	_, err = n.Store.Update(ctx, about.ID, func(a *Transfer) error {
		addEvent(a, n.Organ.OrganID, Event{Code: code, At: at.UTC(), Description: t.Status.Description})
		return nil
	})
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
	err = n.Store.Create(ctx, t)
	var exists *ExistsError
	if errors.As(err, &exists) {
		return n.Store.Transfer(ctx, exists.ID)
	}
	if err != nil {
		return nil, err
	}
	n.wake(Out)
	return t, nil
}
