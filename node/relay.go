package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// What stands here is for a node that also listens: a hub takes packets on its
// own wires and lets the engine carry them on.

// Stored is a packet whose content is in the store, but that no Transfer has
// yet.
type Stored struct {
	Packet *edxml.Packet // nil in one made by StoredBy
	like   Transfer      // what every Transfer of the packet says

	said map[Direction]*Transfer // what the packet says, once it was asked for
}

// Keep stores the envelope of a packet and the parts that follow it. The
// content is swept away again unless a Transfer comes to need it. It returns
// ErrBusy as Accept does.
func (n *Node) Keep(ctx context.Context, envelope []byte, in transport.Incoming) (*Stored, error) {
	leave, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	kept, err := n.Store.Put(ctx, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	parts, packet, err := n.keepParts(ctx, envelope, in)
	if err != nil {
		return nil, err
	}
	s := &Stored{Packet: packet}
	s.like.Envelope, s.like.Parts, s.like.TokenAt = kept, parts, packet.HeaderEnd
	return s, nil
}

// StoredBy returns the packet of a Transfer, for another way of it.
func StoredBy(t *Transfer) *Stored { return &Stored{like: *t} }

// saying returns what a Transfer of one direction says of the packet. A packet
// for 4,000 mailboxes is described once: each time names 4,000 receivers.
func (s *Stored) saying(d Direction) *Transfer {
	if s.said[d] == nil {
		t := &Transfer{Direction: d}
		describe(t, s.Packet)
		// they are shared: appending to one makes a copy
		t.Findings, t.Receivers, t.Lookup = slices.Clip(t.Findings), slices.Clip(t.Receivers), slices.Clip(t.Lookup)
		t.Via, t.About = slices.Clip(t.Via), slices.Clip(t.About)
		if s.said == nil {
			s.said = map[Direction]*Transfer{}
		}
		s.said[d] = t
	}
	return s.said[d]
}

// Transfer makes a Transfer of the packet, not yet committed; it is due at
// once.
func (s *Stored) Transfer(d Direction, state State) (*Transfer, error) {
	t, err := newTransfer(d, edxml.KindDocument, state)
	if err != nil {
		return nil, err
	}
	if s.Packet != nil {
		said := *s.saying(d)
		said.ID, said.State, said.Created, said.Due = t.ID, t.State, t.Created, t.Due
		t = &said
	} else {
		l := s.like
		t.Kind, t.From, t.FromName, t.Receivers = l.Kind, l.From, l.FromName, l.Receivers
		t.DocumentID, t.DocType, t.Code, t.Subject = l.DocumentID, l.DocType, l.Code, l.Subject
		t.PromulgationDate, t.Digest, t.Signature = l.PromulgationDate, l.Digest, l.Signature
	}
	t.Profile, t.Envelope, t.Parts, t.TokenAt = s.like.Profile, s.like.Envelope, s.like.Parts, s.like.TokenAt
	return t, nil
}

// profile returns the profile of the stored bytes.
func (s *Stored) profile() edxml.Profile {
	if s.like.Profile == "" {
		return edxml.ProfileSOAP
	}
	return s.like.Profile
}

// NewStatus makes a Transfer of a Status, not yet committed; it is due at once.
func NewStatus(d Direction, state State, s *edxml.Status) (*Transfer, error) {
	t, err := newTransfer(d, edxml.KindStatus, state)
	if err != nil {
		return nil, err
	}
	describe(t, &edxml.Packet{Kind: edxml.KindStatus, Status: s})
	return t, nil
}

// Commit creates Transfers, all or none, and puts the workers to what is due.
// Its errors are those of Store.Create.
func (n *Node) Commit(ctx context.Context, ts ...*Transfer) error {
	for _, t := range ts {
		if t.Direction == Out && t.Deadline.IsZero() {
			t.Deadline = t.Created.Add(n.Deadline)
		}
	}
	if err := n.Store.Create(ctx, ts...); err != nil {
		return err
	}
	for _, t := range ts {
		if !t.Due.IsZero() {
			n.Wake(t.Direction)
		}
	}
	return nil
}

// Forward queues a Status of a hosted agency for the axis. The same Status
// again is queued once.
func (n *Node) Forward(ctx context.Context, s *edxml.Status) error {
	r := s.ResponseFor
	_, err := n.queueStatus(ctx, s, fmt.Sprintf("forward %q %q %q %q %s %q", s.From.OrganID, r.OrganID, r.DocumentID, r.Code, s.StatusCode.Canonical(), string(s.Timestamp)))
	return err
}

// Hear files a Status with a Transfer, at the receiver it concerns, and reports
// whether that says something new. It is for whoever changes the Transfer in
// the same commit; see Apply.
func Hear(t *Transfer, receiver string, s *edxml.Status) (bool, error) {
	at, err := s.Timestamp.Time()
	if err != nil {
		return false, fmt.Errorf("node: status %s about %q: %w", s.StatusCode, s.ResponseFor.DocumentID, err)
	}
	l := ledgerOf(t, "")
	organ, is := l.receiver(receiver)
	return is && l.add(organ, Event{Code: codeOf(s), At: at.UTC(), Description: clip(s.Description, maxDescription)}), nil
}

// Apply files a Status with a Transfer, at the receiver it concerns. Applying
// it twice changes nothing.
func (n *Node) Apply(ctx context.Context, id, receiver string, s *edxml.Status) error {
	_, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		news, err := Hear(t, receiver, s)
		if err == nil && !news {
			err = errUnchanged
		}
		return err
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// ApplyOut files a Status with the outgoing Document of a sender that it is
// about, and reports whether there is one that went to receiver.
func (n *Node) ApplyOut(ctx context.Context, sender, receiver string, s *edxml.Status) (bool, error) {
	found, err := newBatch(n).about(ctx, Out, sender, s)
	if err != nil {
		return false, err
	}
	for _, l := range found {
		if _, is := l.receiver(receiver); is {
			return true, n.Apply(ctx, l.t.ID, receiver, s)
		}
	}
	return false, nil
}
