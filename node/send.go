package node

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// sendStep takes the one step of the way out: the axis is asked to take the
// packet. After a lost answer the same bytes go again, and "exists" is done.
func (n *Node) sendStep(ctx context.Context, t *Transfer) (*Transfer, error) {
	if t.State == Failed {
		return n.notify(ctx, t)
	}
	t, err := n.attempt(ctx, t, "send")
	if err != nil {
		return nil, err
	}
	receipt, err := n.send(ctx, t)
	if err != nil {
		return n.fail(ctx, t, err, func(t *Transfer) { t.State, t.Due = Failed, time.Now().UTC() })
	}
	n.Log.InfoContext(ctx, "sent", "transfer", t.ID, "kind", t.Kind, "document", t.DocumentID, "axis", receipt.ID)
	return n.succeed(ctx, t, func(t *Transfer) {
		t.AxisID = receipt.ID
		finish(t, Sent)
	})
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
	for _, part := range t.Parts {
		p.Parts = append(p.Parts, transport.Part{ID: part.ID, Type: part.Type, Content: n.sendable(ctx, part.Content)})
	}
	return n.Axis.Send(ctx, p)
}

// sendable makes stored content ready to be sent as often as needed.
func (n *Node) sendable(ctx context.Context, c Content) transport.Content {
	return transport.Content{Size: c.Size, Open: func() (io.ReadCloser, error) { return n.Store.Open(ctx, c.SHA256) }}
}

// notify tells the Sink that a Transfer was given up, and ends it.
func (n *Node) notify(ctx context.Context, t *Transfer) (*Transfer, error) {
	if n.Sink == nil {
		return n.record(ctx, t.ID, func(t *Transfer) { finish(t, Failed) })
	}
	last, permanent := t.LastError, t.Permanent // why it was given up
	t, err := n.attempt(ctx, t, "notify")
	if err != nil {
		return nil, err
	}
	if err := n.Sink.Notify(ctx, t); err != nil {
		t, err := n.fail(ctx, t, err, func(t *Transfer) {})
		if err != nil {
			return nil, err
		}
		return n.record(ctx, t.ID, func(t *Transfer) { t.LastError, t.Permanent = last, permanent })
	}
	return n.record(ctx, t.ID, func(t *Transfer) {
		closeAttempt(t, nil)
		finish(t, Failed)
	})
}
