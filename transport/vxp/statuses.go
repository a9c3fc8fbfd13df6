package vxp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// maxStatuses is how many Statuses one call of [Client.Statuses] gives.
const maxStatuses = 1000

// Acknowledge tells the axis that a delivery is safe here ([Done]); it does
// not wait any more then. It may be repeated.
func (c *Client) Acknowledge(ctx context.Context, id string) error {
	return c.Update(ctx, id, Done, "")
}

// Update tells the axis the state of a delivery. The description may be
// empty; it travels without diacritics, since headers carry ASCII only.
func (c *Client) Update(ctx context.Context, id string, s State, description string) error {
	params := []param{{paramState, string(s)}, {paramID, id}}
	if description = plain(clip(description)); description != "" {
		params = append(params, param{paramText, description})
	}
	_, err := c.ask(ctx, call{op: opUpdate, params: params, body: braces, size: 2}, "answer", c.Limits.withDefaults().Answer, nil)
	return err
}

// Register enters an organ of this systemid into the axis's directory.
func (c *Client) Register(ctx context.Context, a Agency) error {
	body, err := json.Marshal(agency{
		ID: scalar(a.ID), PCode: scalar(a.Parent), Code: scalar(a.Code), Name: scalar(a.Name), Mail: scalar(a.Mail),
		Mobile: scalar(a.Mobile), Fax: scalar(a.Fax),
	})
	if err != nil {
		return c.ill(opRegister, err)
	}
	_, err = c.ask(ctx, call{op: opRegister, body: fixed(body), size: int64(len(body))}, "answer", c.Limits.withDefaults().Answer, nil)
	return err
}

// Unregister takes an organ of this systemid out of the directory.
func (c *Client) Unregister(ctx context.Context, code string) error {
	_, err := c.ask(ctx, call{op: opDelete, params: []param{{paramAgency, code}}, body: braces, size: 2},
		"answer", c.Limits.withDefaults().Answer, nil)
	return err
}

// Statuses returns Statuses that wait for this systemid, at most 1,000 at a
// time, those first that were not given before.
//
// The axis lists a Status until it is told [Done]. That is done for all that
// this Client gave out as soon as it is called with a later since than before:
// a caller moves on only when it has applied what it got. Until then, and after
// a restart, Statuses come again. Their own times are not compared with since:
// a Status may have been under way for days.
func (c *Client) Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error) {
	if err := c.applied(ctx, since); err != nil {
		return nil, err
	}
	deliveries, err := c.Deliveries(ctx, edxml.KindStatus)
	if err != nil {
		return nil, err
	}
	given := c.known()
	slices.SortStableFunc(deliveries, func(a, b Delivery) int { return order(given[a.ID] != nil) - order(given[b.ID] != nil) })
	deliveries = deliveries[:min(len(deliveries), maxStatuses)]
	found := make([]*edxml.Status, len(deliveries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(statusCalls)
	for i, d := range deliveries {
		if found[i] = given[d.ID]; found[i] == nil {
			g.Go(func() (err error) { found[i], err = c.status(ctx, d.ID); return err })
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var statuses []edxml.Status
	for i, d := range deliveries {
		if s := found[i]; s != nil {
			statuses, c.given[d.ID] = append(statuses, *s), s
		}
	}
	return statuses, nil
}

// statusCalls is how many Statuses are collected or confirmed at a time: each is
// a call of its own.
const statusCalls = 8

func order(later bool) int {
	if later {
		return 1
	}
	return 0
}

// known returns the Statuses that were given out and not confirmed.
func (c *Client) known() map[string]*edxml.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given == nil {
		c.given = map[string]*edxml.Status{}
	}
	return maps.Clone(c.given)
}

// applied confirms what was given out when the caller has moved on.
func (c *Client) applied(ctx context.Context, since time.Time) error {
	given := c.known()
	c.mu.Lock()
	before := c.since
	c.mu.Unlock()
	if !before.IsZero() && since.After(before) {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(statusCalls)
		for id := range given {
			g.Go(func() error { return c.confirmed(ctx, id) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.since = since
	c.mu.Unlock()
	return nil
}

// confirmed confirms one Status that was given out.
func (c *Client) confirmed(ctx context.Context, id string) error {
	err := c.Acknowledge(ctx, id)
	var f *transport.Fault
	if errors.As(err, &f) && !f.Temporary() && !f.Credential {
		err = nil // the axis has it no longer
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.given, id)
	return nil
}

// status collects a Status. One that cannot be read is refused, and nil.
func (c *Client) status(ctx context.Context, id string) (*edxml.Status, error) {
	in, err := c.Fetch(ctx, id)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	piece, err := in.Next()
	if err != nil {
		return nil, err
	}
	max := c.Limits.withDefaults().Status
	src := &bounded{src: piece.Content, left: max, limit: LimitError{Limit: "status", Max: max}}
	packet, err := edxml.Read(src, edxml.ReadOptions{})
	if err == nil {
		_, err = io.Copy(io.Discard, src) // the end of the answer may still refuse it
	}
	var f *transport.Fault
	if errors.As(err, &f) {
		return nil, err
	}
	if err == nil && packet.Status == nil {
		err = errors.New("vxp: it is listed as a status, but is a document")
	}
	if err == nil {
		return packet.Status, nil
	}
	if err := c.Update(ctx, id, Fail, err.Error()); err != nil {
		return nil, err
	}
	if c.Refused != nil {
		c.Refused(id, fmt.Errorf("vxp: status packet %s: %w", clip(id), err))
	}
	return nil, nil
}

// bounded refuses to bring more than its limit.
type bounded struct {
	src   io.Reader
	left  int64
	limit LimitError
}

// Read implements io.Reader.
func (r *bounded) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, &r.limit
	}
	return n, err
}
