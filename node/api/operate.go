package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

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
	d.handle("GET /v1/link", Read, d.link)
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
		l.w.Header().Set("X-Content-Type-Options", "nosniff")
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
