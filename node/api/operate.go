package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// Operation asks for something that an operator does.
type Operation struct {
	Verb   node.Verb `json:"verb"`             // "retry", "hold", "release", "cancel"
	Actor  string    `json:"actor,omitempty"`  // who; the token's name where there is one
	Reason string    `json:"reason,omitempty"` // in the actor's words
}

// operations adds the routes of operators.
func (d *Door) operations() {
	for _, box := range []node.Direction{node.Out, node.In} {
		path := "/v1/" + string(box) + "box/{ref}"
		d.handle("POST "+path+"/operate", Operate, d.with(box, d.operate))
		d.handle("GET "+path+"/packet", Operate, d.with(box, d.packet))
	}
	d.handle("GET /v1/outbox/{ref}/stamps/{n}", Read, d.with(node.Out, d.stamp))
	d.handle("GET /v1/link", Read, d.link)
	d.handle("GET /v1/stats", Read, d.stats)
	d.handle("POST /v1/reconcile", Operate, d.reconcile)
}

// stamp hands out a time stamp of a signature, in DER (RFC 3161).
func (d *Door) stamp(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	i, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || i < 0 || i >= len(t.Stamps) {
		refuse(w, fmt.Errorf("%w: transfer %s has %d time stamps, counted from 0", node.ErrNotFound, t.ID, len(t.Stamps)))
		return
	}
	d.content(w, r, "application/timestamp-reply", t, t.Stamps[i])
}

// Stamp opens a time stamp of an outgoing Document, counted from 0.
func (c *Client) Stamp(ctx context.Context, ref string, i int) (io.ReadCloser, error) {
	return c.open(ctx, fmt.Sprintf("%s/stamps/%d", path(node.Out, ref), i))
}

func (d *Door) operate(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	var op Operation
	if !read(w, r, &op) {
		return
	}
	switch op.Verb {
	case node.Retry, node.Hold, node.Release, node.Cancel:
	default:
		refuse(w, badRequest(fmt.Errorf("there is no verb %q; there are retry, hold, release and cancel", op.Verb)))
		return
	}
	after, err := d.node.Operate(r.Context(), op.Verb, t.ID, node.By{Actor: actor(r, op.Actor), Reason: op.Reason})
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, after.Public())
}

// actor is whose name stands behind an operation: a token's own name cannot be
// changed, the local side says who it is.
func actor(r *http.Request, said string) string {
	if c, ok := r.Context().Value(callerKey{}).(*caller); ok && (c.id != "" || said == "") {
		return c.name
	}
	return said
}

// packet gives a Transfer's packet as one file.
func (d *Door) packet(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	out := &late{w: w}
	err := d.node.Export(r.Context(), t, out)
	switch {
	case err != nil && !out.begun:
		refuse(w, err)
	case err != nil:
		panic(http.ErrAbortHandler) // the client must not take it for whole
	}
}

// late sends the header with the first octet, so that a refusal can still be said.
type late struct {
	w     http.ResponseWriter
	begun bool
}

func (l *late) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", "application/octet-stream")
		l.w.WriteHeader(http.StatusOK)
	}
	return l.w.Write(p)
}

func (d *Door) link(w http.ResponseWriter, r *http.Request) {
	l, err := d.node.Link(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, l)
}

// Operate does something to a Transfer in somebody's name.
func (c *Client) Operate(ctx context.Context, box node.Direction, ref string, op Operation) (*node.Transfer, error) {
	body, err := json.Marshal(op)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	var t node.Transfer
	return &t, c.call(ctx, http.MethodPost, path(box, ref)+"/operate", bytes.NewReader(body), &t)
}

// Packet opens the packet of a Transfer as one file.
func (c *Client) Packet(ctx context.Context, box node.Direction, ref string) (io.ReadCloser, error) {
	return c.open(ctx, path(box, ref)+"/packet")
}

// Link returns what the node knows of the way to the axis.
func (c *Client) Link(ctx context.Context) (node.Link, error) {
	var l node.Link
	return l, c.call(ctx, http.MethodGet, "/v1/link", nil, &l)
}

// Statistics is what was sent and received in some days.
type Statistics struct {
	From edxml.Date     `json:"from"` // both included
	To   edxml.Date     `json:"to"`
	Rows []node.StatRow `json:"rows"`
	Link node.Link      `json:"link"`
}

// stats answers for the days ?from= to ?to= (yyyy/MM/dd), by default this month.
func (d *Door) stats(w http.ResponseWriter, r *http.Request) {
	to := time.Now()
	from := to.AddDate(0, 0, 1-to.In(edxml.Vietnam).Day())
	for name, into := range map[string]*time.Time{"from": &from, "to": &to} {
		day := edxml.Date(r.FormValue(name))
		if day == "" {
			continue
		}
		at, err := day.Time()
		if err != nil {
			refuse(w, badRequest(fmt.Errorf("%s: %w", name, err)))
			return
		}
		*into = at
	}
	if to.Sub(from) > maxStats {
		refuse(w, badRequest(fmt.Errorf("more than %d days at once", maxStats/24/time.Hour)))
		return
	}
	rows, err := d.node.Stats(r.Context(), from, to)
	if err != nil {
		refuse(w, err)
		return
	}
	l, err := d.node.Link(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, Statistics{edxml.DateOf(from), edxml.DateOf(to), rows, l})
}

// maxStats is how long a time statistics are given for at once.
const maxStats = 3660 * 24 * time.Hour

// Reconciling asks to compare the boxes with the axis's lists.
type Reconciling struct {
	Since  time.Time `json:"since,omitzero"` // of statuses; zero: 30 days ago
	Repair bool      `json:"repair,omitempty"`
}

func (d *Door) reconcile(w http.ResponseWriter, r *http.Request) {
	var q Reconciling
	if !read(w, r, &q) {
		return
	}
	if q.Since.IsZero() {
		q.Since = time.Now().AddDate(0, 0, -30)
	}
	drift, err := d.node.Reconcile(r.Context(), q.Since, q.Repair)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, drift)
}

// Stats returns the statistics of some days; zero times are this month.
func (c *Client) Stats(ctx context.Context, from, to edxml.Date) (*Statistics, error) {
	var s Statistics
	q := url.Values{"from": {string(from)}, "to": {string(to)}}
	return &s, c.call(ctx, http.MethodGet, "/v1/stats?"+q.Encode(), nil, &s)
}

// Reconcile compares the boxes with the axis's lists.
func (c *Client) Reconcile(ctx context.Context, q Reconciling) (*node.Drift, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	var d node.Drift
	return &d, c.call(ctx, http.MethodPost, "/v1/reconcile", bytes.NewReader(body), &d)
}
