// Package api is the node's own door: the routes by which the command line and
// document systems reach a running node.
//
// The door is HTTP with JSON; openapi.json, served at /openapi.json, says what
// there is. It has two sides. [Door.Local] trusts whoever comes: a running node
// answers so on a Unix socket in its folder that only its user can open
// ([Listen]), and when no node runs the command line serves the same routes to
// itself in process ([InProcess]). [Door.Remote] asks for a token, which has
// scopes, and holds its bearer to a rate; it is meant for the loopback or TLS
// ([CheckAddress]).
//
// A document system hands a packet over (POST /v1/outbox), as a finished file
// or as a header and files, with an Idempotency-Key if it likes; it collects
// what came in by taking it (POST /v1/inbox/lease), reading envelope and files,
// and saying done; it reports with POST /v1/inbox/{ref}/status, and follows what
// happens by /v1/events or a webhook ([Webhook]).
//
// A refusal is a problem document (RFC 9457) with a stable code, and with what
// to do about it in Vietnamese and English.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// maxList is how many Transfers one answer lists at the most.
const maxList = 1000

// maxRequest is the limit for a JSON request body.
const maxRequest = 64 << 10

// List is a page of a box, newest first.
type List struct {
	Transfers []*node.Transfer `json:"transfers"`
}

// Submitted is the answer to a submission.
type Submitted struct {
	Transfer *node.Transfer `json:"transfer"`
	Existed  bool           `json:"existed"` // it had been accepted before
	Findings []Finding      `json:"findings,omitempty"`
}

// Report asks for a status about a Document in the inbox.
type Report struct {
	Code        edxml.StatusCode `json:"code"`
	Description string           `json:"description,omitempty"`
	StaffInfo   *edxml.StaffInfo `json:"staffInfo,omitempty"`
}

// Options are how a Door is held. The zero value is the default.
type Options struct {
	MaxBody int64        // the largest request body in octets; 0: 4 GiB, as for a packet
	Rate    float64      // requests per second that a token may make; 0: 50
	Burst   int          // how many at once; 0: twice the rate
	Log     *slog.Logger // one line for every change and every refusal; nil: silent
	// Metrics answers /metrics; nil: there is no such route.
	Metrics http.Handler
	// Count is told of every request that has been answered; nil: nobody is.
	Count func(Request)
}

// Request is what there is to count about an answered request.
type Request struct {
	Route    string // as in openapi.json: "POST /v1/outbox"; "" when there is none
	Status   int
	Code     string // of the Problem, "" when it was not refused
	Duration time.Duration
}

// Door serves the routes of a node.
type Door struct {
	node    *node.Node
	options Options
	mux     *http.ServeMux
	scopes  map[string]Scope // by route
	held    *limiters
	streams chan struct{} // one for each event stream that is open
	stopped <-chan struct{}
	stop    func()
}

// New makes the door of a node.
func New(n *node.Node, o Options) *Door {
	if o.MaxBody == 0 {
		o.MaxBody = 4 << 30
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Door{node: n, options: o, mux: http.NewServeMux(), scopes: map[string]Scope{}, held: newLimiters(o.Rate, o.Burst), streams: make(chan struct{}, maxStreams)}
	stopped, stop := context.WithCancel(context.Background())
	d.stopped, d.stop = stopped.Done(), stop
	d.handle("GET /openapi.json", Anyone, d.document)
	d.handle("GET /healthz", Anyone, d.healthz)
	d.handle("GET /readyz", Anyone, d.readyz)
	d.handle("POST /v1/outbox", Submit, d.submit)
	d.handle("POST /v1/preflight", Submit, d.preflight)
	d.handle("POST /v1/outbox/{ref}/recall", Submit, d.with(node.Out, d.recall))
	d.handle("POST /v1/outbox/{ref}/update", Submit, d.with(node.Out, d.follow(edxml.Update)))
	d.handle("POST /v1/outbox/{ref}/replace", Submit, d.with(node.Out, d.follow(edxml.Replace)))
	for _, box := range []node.Direction{node.Out, node.In} {
		path := "/v1/" + string(box) + "box"
		d.handle("GET "+path, Read, func(w http.ResponseWriter, r *http.Request) { d.list(w, r, box) })
		d.handle("GET "+path+"/{ref}", Read, d.with(box, d.transfer))
		d.handle("GET "+path+"/{ref}/why", Read, d.with(box, d.why))
		d.handle("GET "+path+"/{ref}/envelope", Read, d.with(box, d.envelope))
		d.handle("GET "+path+"/{ref}/files/{n}", Read, d.with(box, d.file))
		d.handle("GET "+path+"/{ref}/statuses", Read, d.with(box, d.statuses))
	}
	d.handle("GET /v1/inbox/waiting", Receive, d.waiting)
	d.handle("POST /v1/inbox/lease", Receive, d.takeNext)
	d.handle("POST /v1/inbox/{ref}/lease", Receive, d.with(node.In, d.take))
	d.handle("DELETE /v1/inbox/{ref}/lease", Receive, d.with(node.In, d.putBack))
	d.handle("POST /v1/inbox/{ref}/done", Receive, d.with(node.In, d.done))
	d.handle("POST /v1/inbox/{ref}/status", Receive, d.with(node.In, d.report))
	d.handle("GET /v1/organs", Read, d.organs)
	d.handle("GET /v1/events", Read, d.events)
	d.handle("GET /v1/tokens", Own, d.tokens)
	d.handle("POST /v1/tokens", Own, d.createToken)
	d.handle("DELETE /v1/tokens/{id}", Own, d.revokeToken)
	if o.Metrics != nil {
		d.handle("GET /metrics", Metrics, o.Metrics.ServeHTTP)
	}
	d.operations()
	return d
}

// handle adds a route, which needs a scope.
func (d *Door) handle(route string, s Scope, do http.HandlerFunc) {
	d.scopes[route] = s
	d.mux.HandleFunc(route, do)
}

func (d *Door) list(w http.ResponseWriter, r *http.Request, box node.Direction) {
	most, ok := limit(w, r)
	if !ok {
		return
	}
	found, err := d.node.Store.Search(r.Context(), box, node.Words(r.FormValue("q")), r.FormValue("before"), most)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, page(found))
}

// with finds the Transfer that a route names.
func (d *Door) with(box node.Direction, do func(http.ResponseWriter, *http.Request, *node.Transfer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := d.node.Resolve(r.Context(), box, r.PathValue("ref"))
		if err != nil {
			refuse(w, err)
			return
		}
		about(w, t)
		do(w, r, t)
	}
}

func (d *Door) transfer(w http.ResponseWriter, _ *http.Request, t *node.Transfer) {
	answer(w, http.StatusOK, t.Public())
}

func (d *Door) why(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	why, err := d.node.Why(r.Context(), t)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, Bilingual(why))
}

func (d *Door) envelope(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	d.content(w, r, "text/xml; charset=utf-8", t, t.Envelope)
}

func (d *Door) file(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	i, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || i < 0 || i >= len(t.Parts) {
		refuse(w, fmt.Errorf("%w: transfer %s has %d files, counted from 0", node.ErrNotFound, t.ID, len(t.Parts)))
		return
	}
	d.content(w, r, "application/octet-stream", t, t.Parts[i].Content)
}

func (d *Door) content(w http.ResponseWriter, r *http.Request, mediaType string, t *node.Transfer, c node.Content) {
	f, err := d.node.Open(r.Context(), t, c)
	if err != nil {
		refuse(w, err)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.FormatInt(c.Size, 10))
	if _, err := io.Copy(w, f); errors.Is(err, node.ErrDamaged) { // as a cut-off client, this one sees it by the length
		d.node.Log.ErrorContext(r.Context(), "content not handed out", "transfer", t.ID, "error", err)
	}
}

func (d *Door) report(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	var req Report
	if !read(w, r, &req) {
		return
	}
	s, err := d.node.Report(r.Context(), t.ID, req.Code, req.Description, req.StaffInfo)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusCreated, s.Public())
}

// Statuses are the statuses of a Document, by receiver.
type Statuses struct {
	Receivers []node.Receiver `json:"receivers"`
}

func (d *Door) statuses(w http.ResponseWriter, _ *http.Request, t *node.Transfer) {
	answer(w, http.StatusOK, Statuses{append([]node.Receiver{}, t.Receivers...)})
}

// read decodes a JSON body, or refuses the request and reports false. An empty
// body leaves the value alone.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	body.DisallowUnknownFields()
	err := body.Decode(into)
	if err == nil {
		if _, more := body.Token(); more != io.EOF {
			err = errors.New("one JSON object is expected, and there is more")
		}
	} else if errors.Is(err, io.EOF) {
		return true
	}
	if err != nil {
		refuse(w, badRequest(err))
	}
	return err == nil
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a cut-off client sees it by the end of the stream
}
