package node

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
	"github.com/lienthong/lienthong/transport"
)

// sendStep takes the one step of the way out: the axis is asked to take the
// packet, after everything that goes before it. After a lost answer the same
// bytes go again, and "exists" is done.
func (n *Node) sendStep(ctx context.Context, t *Transfer) (*Transfer, error) {
	if t.State == Failed {
		return n.notify(ctx, t)
	}
	if len(t.Waits) > 0 {
		return n.queueUp(ctx, t)
	}
	if !t.Deadline.IsZero() && t.LastError != "" && time.Now().After(t.Deadline) {
		return n.giveUp(ctx, t) // its time passed while the axis was not called
	}
	if len(t.About) > 0 {
		targets, err := n.before(ctx, t)
		if err == nil {
			err = n.tie(ctx, t, targets)
		}
		if err != nil {
			return nil, err
		}
	}
	var receipt transport.Receipt
	var attempted error
	err := n.call(ctx, t.ID, func(ctx context.Context) (err error) {
		claimed, err := n.attempt(ctx, t, "send")
		if err != nil {
			attempted = err
			return err
		}
		t = claimed
		failpoint.Hit(failpoint.SendAttempted)
		if receipt, err = n.send(ctx, t); err == nil {
			failpoint.Hit(failpoint.SendAnswered)
		}
		return err
	})
	switch {
	case attempted != nil, errors.Is(err, errLinkDown):
		return nil, err
	case err != nil:
		after, err := n.fail(ctx, t, err, failed)
		if err == nil && after.State == Failed {
			err = n.ended(ctx, after)
		}
		return after, err
	}
	n.Log.InfoContext(ctx, "sent", "transfer", t.ID, "kind", t.Kind, "document", t.DocumentID, "axis", receipt.ID)
	sent, err := n.succeed(ctx, t, func(t *Transfer) {
		t.AxisID, t.Unsure = receipt.ID, false
		finish(t, Sent)
	})
	if err != nil {
		return nil, err
	}
	failpoint.Hit(failpoint.SendRecorded)
	return sent, n.ended(ctx, sent)
}

// failed gives an outgoing Transfer up; the Sink is told next.
func failed(t *Transfer) {
	t.State, t.Due = Failed, time.Now().UTC()
	freeKeys(t)
}

// freeKeys lets a Document that the axis cannot have be submitted again, put
// right, under its DocumentId.
func freeKeys(t *Transfer) {
	if t.Kind == edxml.KindDocument && !unsure(t) {
		own := uniqueOut(t)
		t.Unique = slices.DeleteFunc(t.Unique, func(k string) bool { return slices.Contains(own, k) })
	}
}

// giveUp ends a Transfer whose deadline has passed.
func (n *Node) giveUp(ctx context.Context, t *Transfer) (*Transfer, error) {
	t, err := n.record(ctx, t.ID, failed)
	if err != nil {
		return nil, err
	}
	return t, n.ended(ctx, t)
}

// errNoAxis is the fault of a node that has nobody to send to.
var errNoAxis = errors.New("node: no axis is configured; write its address under [axis]")

func (n *Node) send(ctx context.Context, t *Transfer) (transport.Receipt, error) {
	if n.Axis == nil {
		return transport.Receipt{}, errNoAxis
	}
	if t.Kind == edxml.KindStatus {
		return transport.Receipt{}, n.Axis.SendStatus(ctx, t.Status)
	}
	p := &transport.Packet{Envelope: n.sendable(ctx, t.Envelope), TokenAt: t.TokenAt}
	if t.Service != "" {
		c, err := n.carriage(t)
		if err != nil {
			return transport.Receipt{}, err
		}
		p.Carriage = c
	}
	if t.Profile == edxml.ProfileQCVN102 { // its files are inside
		return n.Axis.Send(ctx, p)
	}
	for _, part := range t.Parts {
		p.Parts = append(p.Parts, transport.Part{ID: part.ID, Type: part.Type, Content: n.sendable(ctx, part.Content)})
	}
	return n.Axis.Send(ctx, p)
}

// sendable makes stored content ready to be sent as often as needed.
func (n *Node) sendable(ctx context.Context, c Content) transport.Content {
	return transport.Content{Size: c.Size, SHA256: c.SHA256, Open: func() (io.ReadCloser, error) { return n.Store.Open(ctx, c.SHA256) }}
}

// notify tells the Sink that a Transfer was given up, and ends it.
func (n *Node) notify(ctx context.Context, t *Transfer) (*Transfer, error) {
	if n.Sink == nil {
		return n.record(ctx, t.ID, func(t *Transfer) { finish(t, Failed) })
	}
	last, permanent, why := t.LastError, t.Permanent, t.Cause // why it was given up
	t, err := n.attempt(ctx, t, "notify")
	if err != nil {
		return nil, err
	}
	if err := n.Sink.Notify(ctx, t); err != nil {
		t, err := n.fail(ctx, t, err, func(t *Transfer) {})
		if err != nil {
			return nil, err
		}
		return n.record(ctx, t.ID, func(t *Transfer) { t.LastError, t.Permanent, t.Cause = last, permanent, why })
	}
	return n.record(ctx, t.ID, func(t *Transfer) {
		closeAttempt(t, nil)
		finish(t, Failed)
	})
}
