package metrics

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// Axis measures every call of an axis.
func (m *Metrics) Axis(a node.Axis) node.Axis { return &axis{a, m} }

type axis struct {
	node.Axis
	m *Metrics
}

// call counts one call; a call that was given up because the node stops is none.
func (a *axis) call(operation string, began time.Time, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	a.m.calls.WithLabelValues(operation, outcome(err)).Inc()
	a.m.took.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

func (a *axis) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	began := time.Now()
	r, err := a.Axis.Send(ctx, p)
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

func (a *axis) Pending(ctx context.Context) ([]transport.Pending, error) {
	began := time.Now()
	v, err := a.Axis.Pending(ctx)
	a.call("pending", began, err)
	return v, err
}

func (a *axis) Fetch(ctx context.Context, id string) (transport.Incoming, error) {
	began := time.Now()
	in, err := a.Axis.Fetch(ctx, id)
	if err != nil {
		a.call("fetch", began, err)
		return nil, err
	}
	return &incoming{Incoming: in, axis: a, began: began}, nil
}

// incoming counts a fetch when its last part has been read.
type incoming struct {
	transport.Incoming
	axis  *axis
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

func (a *axis) Acknowledge(ctx context.Context, id string) error {
	began := time.Now()
	err := a.Axis.Acknowledge(ctx, id)
	a.call("acknowledge", began, err)
	return err
}

func (a *axis) SendStatus(ctx context.Context, s *edxml.Status) error {
	began := time.Now()
	err := a.Axis.SendStatus(ctx, s)
	a.call("send_status", began, err)
	return err
}

func (a *axis) Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error) {
	began := time.Now()
	v, err := a.Axis.Statuses(ctx, since)
	a.call("statuses", began, err)
	return v, err
}

func (a *axis) Organs(ctx context.Context) ([]edxml.Organ, error) {
	began := time.Now()
	v, err := a.Axis.Organs(ctx)
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
