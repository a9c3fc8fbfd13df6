package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

type (
	packet  = transport.Packet
	receipt = transport.Receipt
)

// submit submits a packet that must be accepted.
func submit(t testing.TB, n *node.Node, p []byte) *node.Transfer {
	t.Helper()
	s, err := n.Submit(t.Context(), bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	return s.Transfer
}

// hand is a sink that hands Transfers to a channel.
type hand chan<- *node.Transfer

func (h hand) Deliver(ctx context.Context, t *node.Transfer, _ func(node.Content) (io.ReadCloser, error)) error {
	h <- t
	return nil
}

func (h hand) Notify(context.Context, *node.Transfer) error { return nil }

// scripted is an axis whose every answer the test writes; what it does not
// write answers with nothing.
type scripted struct {
	send     func(context.Context, *transport.Packet) (transport.Receipt, error)
	pending  func() ([]transport.Pending, error)
	fetch    func(id string) (transport.Incoming, error)
	ack      func(id string) error
	status   func(*edxml.Status) error
	statuses func(since time.Time) ([]edxml.Status, error)
	organs   func() ([]edxml.Organ, error)
}

func (s *scripted) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	if s.send == nil {
		return transport.Receipt{ID: "1"}, nil
	}
	return s.send(ctx, p)
}

func (s *scripted) Pending(context.Context) ([]transport.Pending, error) {
	if s.pending == nil {
		return nil, nil
	}
	return s.pending()
}

func (s *scripted) Fetch(_ context.Context, id string) (transport.Incoming, error) {
	if s.fetch == nil {
		return nil, errors.New("nothing to fetch")
	}
	return s.fetch(id)
}

func (s *scripted) Acknowledge(_ context.Context, id string) error {
	if s.ack == nil {
		return nil
	}
	return s.ack(id)
}

func (s *scripted) SendStatus(_ context.Context, st *edxml.Status) error {
	if s.status == nil {
		return nil
	}
	return s.status(st)
}

func (s *scripted) Statuses(_ context.Context, since time.Time) ([]edxml.Status, error) {
	if s.statuses == nil {
		return nil, nil
	}
	return s.statuses(since)
}

func (s *scripted) Organs(context.Context) ([]edxml.Organ, error) {
	if s.organs == nil {
		return nil, nil
	}
	return s.organs()
}

// pieces is a packet as it comes off the wire.
type pieces struct{ rest []*transport.Piece }

func (p *pieces) Next() (*transport.Piece, error) {
	if len(p.rest) == 0 {
		return nil, io.EOF
	}
	next := p.rest[0]
	p.rest = p.rest[1:]
	return next, nil
}

func (p *pieces) Close() error { return nil }

// incoming makes a packet of an envelope and its files.
func incoming(env []byte, files ...file) *pieces {
	p := &pieces{[]*transport.Piece{{Root: true, Type: "text/xml", Content: bytes.NewReader(env)}}}
	for i, f := range files {
		p.rest = append(p.rest, &transport.Piece{ID: fmt.Sprintf("f%d", i+1), Content: bytes.NewReader(f.content)})
	}
	return p
}

// mailbox is a scripted axis with packets that wait until acknowledged.
type mailbox struct {
	scripted
	mu     sync.Mutex
	waits  map[string]func() *pieces
	stays  bool     // the axis forgets acknowledgements
	acked  []string // in order
	status []edxml.Status
}

func newMailbox(waits map[string]func() *pieces) *mailbox {
	m := &mailbox{waits: waits}
	m.scripted.pending = func() ([]transport.Pending, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		var list []transport.Pending
		for id := range m.waits {
			if m.stays || !slices.Contains(m.acked, id) {
				list = append(list, transport.Pending{ID: id})
			}
		}
		slices.SortFunc(list, func(a, b transport.Pending) int { return strings.Compare(a.ID, b.ID) })
		return list, nil
	}
	m.scripted.fetch = func(id string) (transport.Incoming, error) { return m.waits[id](), nil }
	m.scripted.ack = func(id string) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.acked = append(m.acked, id)
		return nil
	}
	m.scripted.status = func(s *edxml.Status) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.status = append(m.status, *s)
		return nil
	}
	return m
}

// reported returns the statuses that were sent.
func (m *mailbox) reported() []edxml.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.status)
}

// acks counts the acknowledgements of a number.
func (m *mailbox) acks(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, a := range m.acked {
		if a == id {
			n++
		}
	}
	return n
}
