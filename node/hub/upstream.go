package hub

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// Named makes an HTTP client say which hub asks, so that a hub finds out that
// its upstream axis is itself. nil is the client of transport.NewHTTPClient.
func Named(c *http.Client, name string) *http.Client {
	if c == nil {
		c = transport.NewHTTPClient(transport.HTTPOptions{})
	}
	named := *c
	base := c.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	named.Transport = naming{base, name}
	return &named
}

type naming struct {
	http.RoundTripper
	name string
}

// RoundTrip implements http.RoundTripper.
func (n naming) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(NameHeader, n.name)
	return n.RoundTripper.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (n naming) CloseIdleConnections() {
	if c, ok := n.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Upstream is an axis that gives each agency a token of its own, as the BKAV
// axis does: every agency is asked for in its own name. An axis on which one
// credential speaks for all needs no Upstream, its client is enough.
type Upstream struct {
	organs []string
	axes   map[string]node.Axis
}

var _ node.Axis = (*Upstream)(nil)

// NewUpstream puts the clients of several organs together, by OrganId.
func NewUpstream(axes map[string]node.Axis) *Upstream {
	u := &Upstream{axes: axes}
	for id := range axes {
		u.organs = append(u.organs, id)
	}
	slices.Sort(u.organs)
	return u
}

// of returns the client of an organ.
func (u *Upstream) of(operation, organ string) (node.Axis, error) {
	for _, id := range forms(organ) {
		if a := u.axes[id]; a != nil {
			return a, nil
		}
	}
	return nil, &transport.Fault{Operation: operation, Credential: true, Text: "this hub has no token of " + organ + " for the upstream axis"}
}

// split takes a number of Pending apart.
func (u *Upstream) split(operation, id string) (node.Axis, string, error) {
	organ, number, _ := strings.Cut(id, "/")
	a, err := u.of(operation, organ)
	return a, number, err
}

// Send implements node.Axis, in the name of the packet's sender.
func (u *Upstream) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	from, err := sender(p)
	if err != nil {
		return transport.Receipt{}, err
	}
	a, err := u.of("SendDocument", from)
	if err != nil {
		return transport.Receipt{}, err
	}
	return a.Send(ctx, p)
}

// sender reads who a packet is from.
func sender(p *transport.Packet) (string, error) {
	f, err := p.Envelope.Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	r, err := edxml.NewReader(f, edxml.ReadOptions{SkipContent: true})
	if err != nil {
		return "", err
	}
	if d := r.Packet().Document; d != nil {
		return d.From.OrganID, nil
	}
	return "", &transport.Fault{Operation: "SendDocument", Text: "the packet is no document"}
}

// Pending implements node.Axis: what waits for each of the organs.
func (u *Upstream) Pending(ctx context.Context) ([]transport.Pending, error) {
	var all []transport.Pending
	return all, u.each(func(organ string, a node.Axis) error {
		list, err := a.Pending(ctx)
		for _, p := range list {
			all = append(all, transport.Pending{ID: organ + "/" + p.ID, For: organ})
		}
		return err
	})
}

// each asks for every organ; one whose token is not accepted does not stop the
// others, but shows as the error in the end.
func (u *Upstream) each(do func(organ string, a node.Axis) error) error {
	var first error
	for _, organ := range u.organs {
		if err := do(organ, u.axes[organ]); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Fetch implements node.Axis.
func (u *Upstream) Fetch(ctx context.Context, id string) (transport.Incoming, error) {
	a, number, err := u.split("GetDocument", id)
	if err != nil {
		return nil, err
	}
	return a.Fetch(ctx, number)
}

// Acknowledge implements node.Axis.
func (u *Upstream) Acknowledge(ctx context.Context, id string) error {
	a, number, err := u.split("ConfirmReceived", id)
	if err != nil {
		return err
	}
	return a.Acknowledge(ctx, number)
}

// SendStatus implements node.Axis, in the name of whom the Status is from.
func (u *Upstream) SendStatus(ctx context.Context, s *edxml.Status) error {
	a, err := u.of("UpdateTraces", s.From.OrganID)
	if err != nil {
		return err
	}
	return a.SendStatus(ctx, s)
}

// Statuses implements node.Axis. Where there are more for one of the organs,
// nothing later than those that came is given for the others either: whoever
// asks goes on from the latest.
func (u *Upstream) Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error) {
	var all []edxml.Status
	var end time.Time
	more := false
	err := u.each(func(_ string, a node.Axis) error {
		list, err := a.Statuses(ctx, since)
		all = append(all, list...)
		if !errors.Is(err, transport.ErrMore) {
			return err
		}
		if last := edxml.LatestTimestamp(list, time.Time{}); !more || last.Before(end) {
			end = last
		}
		more = true
		return nil
	})
	if err != nil || !more {
		return all, err
	}
	return slices.DeleteFunc(all, func(s edxml.Status) bool {
		at, err := s.Timestamp.Time()
		return err == nil && at.After(end)
	}), transport.ErrMore
}

// Organs implements node.Axis: any of the organs may ask.
func (u *Upstream) Organs(ctx context.Context) (organs []edxml.Organ, err error) {
	for _, organ := range u.organs {
		if organs, err = u.axes[organ].Organs(ctx); err == nil {
			return organs, nil
		}
	}
	return nil, err
}
