package api

import (
	"context"
	_ "embed" // for the document
	"net/http"
)

// openapi is the contract of the door, OpenAPI 3.1. It was there first: the
// tests hold the handlers to it.
//
//go:embed openapi.json
var openapi []byte

func (d *Door) document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openapi) // a cut-off client sees it by the end of the stream
}

// Health is the answer of /healthz and /readyz.
type Health struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

func (d *Door) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, Health{OK: true})
}

// readyz says whether a submission would be taken: not when the store cannot be
// read, the disk has no room or the node is about to end. That the axis is away
// is no reason, what is submitted waits.
func (d *Door) readyz(w http.ResponseWriter, r *http.Request) {
	reason := ""
	if _, err := d.node.Store.Value(r.Context(), "ready"); err != nil {
		reason = "the store does not answer"
	} else if err := d.node.Room(r.Context()); err != nil {
		reason = "the disk is nearly full"
	}
	select {
	case <-d.stopped:
		reason = "the node is stopping"
	default:
	}
	if reason != "" {
		answer(w, http.StatusServiceUnavailable, Health{Reason: reason})
		return
	}
	answer(w, http.StatusOK, Health{OK: true})
}

// Ready asks the node whether it takes documents; nil says that it does.
func (c *Client) Ready(ctx context.Context) error {
	var h Health
	return c.call(ctx, http.MethodGet, "/readyz", nil, &h)
}
