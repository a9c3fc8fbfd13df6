// Package api is the node's own door: the routes by which the command line,
// and later document systems, reach a running node.
//
// The door is HTTP with JSON. A running node answers on a Unix socket in its
// folder that only its user can open ([Listen]); when no node runs, the
// command line serves the same routes to itself in process ([InProcess]), so
// there is one way to do everything.
//
//	POST /v1/outbox                 submit a packet: the body is the file
//	GET  /v1/outbox, /v1/inbox      newest first; ?limit=, ?before=ID
//	GET  /v1/outbox/{ref}           one Transfer; also /v1/inbox/{ref}
//	GET  /v1/outbox/{ref}/why       where it stands, in both languages
//	GET  /v1/inbox/{ref}/envelope   the envelope as received
//	GET  /v1/inbox/{ref}/files/{n}  an attachment, counted from 0
//	POST /v1/inbox/{ref}/status     report a status about it
//
// A refusal is a problem document (RFC 9457) with a stable code.
package api

import (
	"encoding/json"
	"fmt"
	"io"
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

// Explanation says where a Transfer stands.
type Explanation struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

type door struct {
	node *node.Node
}

// New returns the routes of a node.
func New(n *node.Node) http.Handler {
	d := &door{n}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/outbox", d.submit)
	for _, box := range []node.Direction{node.Out, node.In} {
		path := "/v1/" + string(box) + "box"
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { d.list(w, r, box) })
		mux.HandleFunc("GET "+path+"/{ref}", d.with(box, d.transfer))
		mux.HandleFunc("GET "+path+"/{ref}/why", d.with(box, d.why))
		mux.HandleFunc("GET "+path+"/{ref}/envelope", d.with(box, d.envelope))
		mux.HandleFunc("GET "+path+"/{ref}/files/{n}", d.with(box, d.file))
	}
	mux.HandleFunc("POST /v1/inbox/{ref}/status", d.with(node.In, d.report))
	return mux
}

func (d *door) submit(w http.ResponseWriter, r *http.Request) {
	s, err := d.node.Submit(r.Context(), r.Body)
	if err != nil {
		refuse(w, err)
		return
	}
	status := http.StatusCreated
	if s.Existed {
		status = http.StatusOK
	}
	answer(w, status, Submitted{s.Transfer.Public(), s.Existed, findings(s.Findings)})
}

func (d *door) list(w http.ResponseWriter, r *http.Request, box node.Direction) {
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit < 1 || limit > maxList {
		limit = maxList
	}
	found, err := d.node.Store.List(r.Context(), box, r.FormValue("before"), limit)
	if err != nil {
		refuse(w, err)
		return
	}
	page := List{Transfers: []*node.Transfer{}}
	for _, t := range found {
		page.Transfers = append(page.Transfers, t.Public())
	}
	answer(w, http.StatusOK, page)
}

// with finds the Transfer that a route names.
func (d *door) with(box node.Direction, do func(http.ResponseWriter, *http.Request, *node.Transfer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := d.node.Resolve(r.Context(), box, r.PathValue("ref"))
		if err != nil {
			refuse(w, err)
			return
		}
		do(w, r, t)
	}
}

func (d *door) transfer(w http.ResponseWriter, _ *http.Request, t *node.Transfer) {
	answer(w, http.StatusOK, t.Public())
}

func (d *door) why(w http.ResponseWriter, _ *http.Request, t *node.Transfer) {
	answer(w, http.StatusOK, Explanation(node.Why(t, time.Now())))
}

func (d *door) envelope(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	d.content(w, r, "text/xml; charset=utf-8", t.Envelope)
}

func (d *door) file(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	i, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || i < 0 || i >= len(t.Parts) {
		refuse(w, fmt.Errorf("%w: transfer %s has %d files, counted from 0", node.ErrNotFound, t.ID, len(t.Parts)))
		return
	}
	d.content(w, r, "application/octet-stream", t.Parts[i].Content)
}

func (d *door) content(w http.ResponseWriter, r *http.Request, mediaType string, c node.Content) {
	f, err := d.node.Store.Open(r.Context(), c.SHA256)
	if err != nil {
		refuse(w, err)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.FormatInt(c.Size, 10))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.Copy(w, f) // a cut-off client sees it by the length
}

func (d *door) report(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	var req Report
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	body.DisallowUnknownFields()
	if err := body.Decode(&req); err != nil {
		refuse(w, &Problem{Status: http.StatusBadRequest, Code: "bad-request", Detail: "api: " + err.Error()})
		return
	}
	s, err := d.node.Report(r.Context(), t.ID, req.Code, req.Description, req.StaffInfo)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusCreated, s.Public())
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a cut-off client sees it by the end of the stream
}
