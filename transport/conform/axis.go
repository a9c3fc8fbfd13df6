package conform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// RunAxis runs every Case of the wires that the Target speaks. seen is told of
// each Result as it comes; nil is nobody. The error is an [*UnreachableError]
// when there is nothing to be tested, and the context's when that ended first.
func RunAxis(ctx context.Context, t Target, seen func(Result)) (*Report, error) {
	for _, w := range t.Wires {
		if w != wireEdoc && w != wireVXP {
			return nil, fmt.Errorf("conform: there is no wire %q, there are %q and %q", w, wireEdoc, wireVXP)
		}
	}
	p := newProbe(t)
	defer p.client.CloseIdleConnections()
	if err := p.reach(ctx); err != nil {
		return nil, err
	}
	report := &Report{Kind: "axis", URL: t.URL}
	for _, g := range AxisGroups() {
		for _, c := range g.Cases {
			if c.Wire != "" && !slices.Contains(p.Wires, c.Wire) || c.Wire == "" && len(p.Wires) < 2 {
				continue
			}
			began := time.Now()
			r := Result{Case: c}
			err := c.try(ctx, p)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			r.settle(err)
			r.Took = time.Since(began)
			report.Results = append(report.Results, r)
			if seen != nil {
				seen(r)
			}
		}
	}
	return report, nil
}

// reach makes sure that something at the address speaks one of the wires.
func (p *probe) reach(ctx context.Context) error {
	if slices.Contains(p.Wires, wireEdoc) {
		r, err := p.soap(ctx, check(p.Sender.Organ, p.Sender.Token))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return &UnreachableError{p.URL, err}
		}
		if r.envelope == nil {
			return &UnreachableError{p.URL, noAxis(r.status, r.raw, "SOAP")}
		}
	}
	if slices.Contains(p.Wires, wireVXP) {
		r, err := p.vxp(ctx, vxpCall{method: "countReceiveEdoc", by: p.Sender, body: []byte("{}")})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return &UnreachableError{p.VXP, err}
		}
		if r.object == nil {
			return &UnreachableError{p.VXP, noAxis(r.status, r.raw, "JSON")}
		}
	}
	return nil
}

// ErrNoAxis says that something answers which is no axis.
var ErrNoAxis = errors.New("what answers there is no axis")

// noAxis says what answered in place of an axis.
func noAxis(status int, raw []byte, want string) error {
	what := "no " + want
	if head := strings.ToLower(string(raw[:min(len(raw), 512)])); strings.Contains(head, "<html") || strings.Contains(head, "<!doctype html") {
		what = "an HTML page"
	}
	return fmt.Errorf("%w: HTTP %d %s, %s", ErrNoAxis, status, http.StatusText(status), what)
}
