package metrics

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// Axis is an axis whose calls are measured. The axis behind it can be replaced
// while it is in use, as when its token was renewed.
type Axis struct {
	now atomic.Pointer[node.Axis]
	m   *Metrics
}

// operations are the calls of an axis.
var operations = []string{"send", "pending", "fetch", "acknowledge", "send_status", "statuses", "organs"}

// Axis measures every call of an axis. All counts are there from the beginning:
// an alert sees how one grows, and would not see the first of its kind.
func (m *Metrics) Axis(a node.Axis) *Axis {
	for _, operation := range operations {
		for _, o := range []string{ok, temporary, permanent, credential} {
			m.calls.WithLabelValues(operation, o)
		}
	}
	x := &Axis{m: m}
	x.Replace(a)
	return x
}

// Replace has another axis answer from now on; calls under way end as they began.
func (a *Axis) Replace(by node.Axis) { a.now.Store(&by) }

func (a *Axis) behind() node.Axis { return *a.now.Load() }

// call counts one call; a call that was given up because the node stops is none.
func (a *Axis) call(operation string, began time.Time, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	a.m.calls.WithLabelValues(operation, outcome(err)).Inc()
	a.m.took.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

// Send hands a packet over; see node.Axis.
func (a *Axis) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	began := time.Now()
	r, err := a.behind().Send(ctx, p)
	if err == nil && r.Existed {
		a.m.calls.WithLabelValues("send", existed).Inc()
		a.m.took.WithLabelValues("send").Observe(time.Since(began).Seconds())
	} else {
		a.call("send", began, err)
	}
	if err == nil {
		size := p.Envelope.Size
		for _, part := range p.Parts {
			size += part.Content.Size
		}
		a.m.octets.WithLabelValues(sent).Add(float64(size))
	}
	return r, err
}

// Pending lists what waits; see node.Axis.
func (a *Axis) Pending(ctx context.Context) ([]transport.Pending, error) {
	began := time.Now()
	v, err := a.behind().Pending(ctx)
	a.call("pending", began, err)
	return v, err
}

// Fetch reads a document; it is counted when its last part was read; see node.Axis.
func (a *Axis) Fetch(ctx context.Context, id string) (transport.Incoming, error) {
	began := time.Now()
	in, err := a.behind().Fetch(ctx, id)
	if err != nil {
		a.call("fetch", began, err)
		return nil, err
	}
	return &incoming{Incoming: in, axis: a, began: began}, nil
}

// incoming counts a fetch when its last part has been read.
type incoming struct {
	transport.Incoming
	axis  *Axis
	began time.Time
	ended bool
}

func (in *incoming) end(err error) {
	if !in.ended {
		in.ended = true
		in.axis.call("fetch", in.began, err)
	}
}

func (in *incoming) Next() (*transport.Piece, error) {
	p, err := in.Incoming.Next()
	if errors.Is(err, io.EOF) {
		in.end(nil)
		return p, err
	}
	if err != nil {
		in.end(err)
		return p, err
	}
	counted := *p
	counted.Content = &counter{p.Content, in}
	return &counted, nil
}

type counter struct {
	io.Reader
	in *incoming
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.in.axis.m.octets.WithLabelValues(received).Add(float64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		c.in.end(err)
	}
	return n, err
}

// Acknowledge acknowledges a document; see node.Axis.
func (a *Axis) Acknowledge(ctx context.Context, id string) error {
	began := time.Now()
	err := a.behind().Acknowledge(ctx, id)
	a.call("acknowledge", began, err)
	return err
}

// SendStatus hands a status over; see node.Axis.
func (a *Axis) SendStatus(ctx context.Context, s *edxml.Status) error {
	began := time.Now()
	err := a.behind().SendStatus(ctx, s)
	a.call("send_status", began, err)
	return err
}

// Statuses reads statuses; see node.Axis.
func (a *Axis) Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error) {
	began := time.Now()
	v, err := a.behind().Statuses(ctx, since)
	if errors.Is(err, transport.ErrMore) { // it worked
		a.call("statuses", began, nil)
	} else {
		a.call("statuses", began, err)
	}
	return v, err
}

// Organs reads the directory; see node.Axis.
func (a *Axis) Organs(ctx context.Context) ([]edxml.Organ, error) {
	began := time.Now()
	v, err := a.behind().Organs(ctx)
	a.call("organs", began, err)
	return v, err
}

// Sink measures every delivery; nil stays nil.
func (m *Metrics) Sink(s node.Sink) node.Sink {
	if s == nil {
		return nil
	}
	return &sink{s, m}
}

type sink struct {
	node.Sink
	m *Metrics
}

func (s *sink) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	began := time.Now()
	err := s.Sink.Deliver(ctx, t, open)
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		s.m.handed.WithLabelValues(failed).Inc()
	default:
		s.m.handed.WithLabelValues(ok).Inc()
		s.m.handing.Observe(time.Since(began).Seconds())
	}
	return err
}
