package node

import (
	"context"
	"io"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// Axis is the hub this node sends to and collects from. Every method gives up
// when its context ends. A refusal is a *transport.Fault, which says by
// Temporary whether to try again; any other error counts as temporary.
type Axis interface {
	// Send hands a Document over. The same bytes may be sent again after a
	// lost answer: the axis then answers with Existed.
	Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error)
	// Pending lists what waits to be collected; it changes nothing.
	Pending(ctx context.Context) ([]transport.Pending, error)
	// Fetch begins to read a waiting Document; it changes nothing.
	Fetch(ctx context.Context, id string) (transport.Incoming, error)
	// Acknowledge says that a Document is durable here. It may be repeated.
	Acknowledge(ctx context.Context, id string) error
	// SendStatus hands a Status over. It may be repeated.
	SendStatus(ctx context.Context, s *edxml.Status) error
	// Statuses returns the Statuses addressed to this node since a moment, in
	// any order; asking again gives them again. With transport.ErrMore they are
	// the oldest, and those since the latest of them are still to be had. A later
	// moment than that of the call before, by a nanosecond at least, says that
	// what it gave is applied; of transport.MostStatuses or more, an axis that
	// pages gives what comes behind them then.
	Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error)
	// Organs returns the axis's directory.
	Organs(ctx context.Context) ([]edxml.Organ, error)
}

// Sink is where incoming Documents are handed over.
type Sink interface {
	// Deliver hands over a Document that was fetched and judged. When it
	// returns nil the other side has it for good. It may be called again with
	// the same Transfer after a crash, and must then change nothing.
	Deliver(ctx context.Context, t *Transfer, open func(Content) (io.ReadCloser, error)) error
	// Notify tells that an outgoing Transfer was given up. It may be called
	// again with the same Transfer.
	Notify(ctx context.Context, t *Transfer) error
}
