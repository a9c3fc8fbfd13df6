package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"syscall"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// Problem is a refusal (RFC 9457). It is also the error a [Client] returns:
// errors.Is and errors.As find through it what the node's own error was.
type Problem struct {
	Type     string    `json:"type"`  // "urn:lienthong:problem:" and the code
	Title    string    `json:"title"` // what is wrong, in English; also Message.EN
	Status   int       `json:"status"`
	Code     string    `json:"code"`   // stable, for programs
	Detail   string    `json:"detail"` // the technical text: it names the place
	Message  Bilingual `json:"message"`
	Remedy   Bilingual `json:"remedy"`
	Names    []string  `json:"names,omitempty"` // the receivers nobody knows, or the Transfers that fit
	Findings []Finding `json:"findings,omitempty"`
}

// Bilingual is a text in both languages.
type Bilingual struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Finding is a Finding in both languages.
type Finding struct {
	VI edxml.FindingText `json:"vi"`
	EN edxml.FindingText `json:"en"`
}

func findings(list []edxml.Finding) []Finding {
	var out []Finding
	for _, f := range list {
		out = append(out, Finding{f.In("vi"), f.In("en")})
	}
	return out
}

// value gives back the Finding of the node.
func (f Finding) value() edxml.Finding {
	return edxml.Finding{
		Rule: f.EN.Rule, Severity: f.EN.Severity, Path: f.EN.Path, Clause: edxml.Clause(f.EN.Clause),
		Pos:     xmlscan.Pos{Line: f.EN.Line, Column: f.EN.Column},
		Message: edxml.Text{VI: f.VI.Message, EN: f.EN.Message},
		Remedy:  edxml.Text{VI: f.VI.Remedy, EN: f.EN.Remedy},
	}
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// Unwrap gives back the error that the node refused with, as far as callers
// branch on it.
func (p *Problem) Unwrap() error {
	var causes []error // a code may stand for several
	for _, k := range kinds {
		if k.code == p.Code {
			causes = append(causes, k.cause(p))
		}
	}
	return errors.Join(causes...)
}

// kind ties an error of the node to its code, both ways.
type kind struct {
	code   string
	status int
	is     func(error, *Problem) bool // also fills in particulars
	cause  func(*Problem) error
}

// sentinel is a kind whose error has no particulars.
func sentinel(code string, status int, err error) kind {
	return kind{code, status,
		func(e error, _ *Problem) bool { return errors.Is(e, err) },
		func(*Problem) error { return err }}
}

// typed is a kind whose error is told by its type.
func typed[E error](code string, status int, fill func(*Problem, E), cause func(*Problem) error) kind {
	return kind{code, status, func(e error, p *Problem) bool {
		var v E
		if !errors.As(e, &v) {
			return false
		}
		fill(p, v)
		return true
	}, cause}
}

var kinds = []kind{
	typed("packet-invalid", http.StatusUnprocessableEntity,
		func(p *Problem, e *node.InvalidError) { p.Findings = findings(e.Findings) },
		func(p *Problem) error {
			e := &node.InvalidError{}
			for _, f := range p.Findings {
				e.Findings = append(e.Findings, f.value())
			}
			return e
		}),
	typed("unknown-receiver", http.StatusUnprocessableEntity,
		func(p *Problem, e *node.UnknownReceiverError) { p.Names = e.OrganIDs },
		func(p *Problem) error { return &node.UnknownReceiverError{OrganIDs: p.Names} }),
	sentinel("dtd", http.StatusUnprocessableEntity, xmlscan.ErrDTD),
	sentinel("truncated", http.StatusUnprocessableEntity, xmlscan.ErrTruncated),
	sentinel("not-xml", http.StatusUnprocessableEntity, xmlscan.ErrNotXML),
	sentinel("no-packet", http.StatusUnprocessableEntity, edxml.ErrNotPacket),
	typed("not-well-formed", http.StatusUnprocessableEntity,
		func(*Problem, *xmlscan.SyntaxError) {},
		func(p *Problem) error { return &xmlscan.SyntaxError{Text: p.Detail} }),
	typed("limit", http.StatusUnprocessableEntity,
		func(*Problem, *xmlscan.LimitError) {},
		func(*Problem) error { return &xmlscan.LimitError{} }),
	typed("limit", http.StatusUnprocessableEntity,
		func(*Problem, *edxml.LimitError) {},
		func(*Problem) error { return &edxml.LimitError{} }),
	sentinel("mime-truncated", http.StatusUnprocessableEntity, soap.ErrTruncated),
	sentinel("mime-malformed", http.StatusUnprocessableEntity, soap.ErrMalformed),
	sentinel("soap-version", http.StatusUnprocessableEntity, soap.ErrVersion),
	typed("mime-limit", http.StatusUnprocessableEntity,
		func(*Problem, *soap.LimitError) {},
		func(*Problem) error { return &soap.LimitError{} }),
	typed("mime-duplicate", http.StatusUnprocessableEntity,
		func(*Problem, *soap.DuplicateError) {},
		func(*Problem) error { return &soap.DuplicateError{} }),
	typed("mime-type", http.StatusUnprocessableEntity,
		func(*Problem, *soap.ContentTypeError) {},
		func(*Problem) error { return &soap.ContentTypeError{} }),
	sentinel("foreign-sender", http.StatusUnprocessableEntity, node.ErrForeignSender),
	sentinel("other-content", http.StatusConflict, node.ErrOtherContent),
	sentinel("token", http.StatusUnprocessableEntity, node.ErrToken),
	sentinel("signature-tolerance", http.StatusUnprocessableEntity, signature.ErrTolerance),
	sentinel("signature-missing-content", http.StatusUnprocessableEntity, signature.ErrMissingContent),
	sentinel("signature-shape", http.StatusUnprocessableEntity, signature.ErrShape),
	sentinel("signature-coverage", http.StatusUnprocessableEntity, signature.ErrCoverage),
	sentinel("signature-duplicate-id", http.StatusUnprocessableEntity, signature.ErrDuplicateID),
	sentinel("signature-lost", http.StatusUnprocessableEntity, node.ErrSignatureLost),
	typed("ambiguous", http.StatusConflict,
		func(p *Problem, e *node.AmbiguousError) { p.Names = append([]string{e.Ref}, e.IDs...) },
		func(p *Problem) error {
			e := &node.AmbiguousError{}
			if len(p.Names) > 0 {
				e.Ref, e.IDs = p.Names[0], p.Names[1:]
			}
			return e
		}),
	typed("move", http.StatusConflict,
		func(p *Problem, e *node.MoveError) { p.Names = []string{string(e.Verb), e.Transfer, string(e.State)} },
		func(p *Problem) error {
			e := &node.MoveError{Why: edxml.Text(p.Remedy)}
			if len(p.Names) == 3 {
				e.Verb, e.Transfer, e.State = node.Verb(p.Names[0]), p.Names[1], node.State(p.Names[2])
			}
			return e
		}),
	typed("status-order", http.StatusConflict,
		func(p *Problem, e *node.StatusOrderError) {
			p.Names = []string{e.Transfer, string(e.Code), string(e.After)}
		},
		func(p *Problem) error {
			e := &node.StatusOrderError{}
			if len(p.Names) == 3 {
				e.Transfer, e.Code, e.After = p.Names[0], edxml.StatusCode(p.Names[1]), edxml.StatusCode(p.Names[2])
			}
			return e
		}),
	typed("new-receivers", http.StatusConflict,
		func(p *Problem, e *node.NewReceiversError) { p.Names = append([]string{e.Transfer}, e.OrganIDs...) },
		func(p *Problem) error {
			e := &node.NewReceiversError{}
			if len(p.Names) > 0 {
				e.Transfer, e.OrganIDs = p.Names[0], p.Names[1:]
			}
			return e
		}),
	typed("disk-low", http.StatusInsufficientStorage,
		func(p *Problem, e *node.SpaceError) { p.Names = []string{e.Limit} },
		func(p *Problem) error {
			e := &node.SpaceError{}
			if len(p.Names) > 0 {
				e.Limit = p.Names[0]
			}
			return e
		}),
	typed("axis", http.StatusBadGateway,
		func(p *Problem, e *transport.Fault) {
			p.Names = []string{e.Operation, e.Code, strconv.FormatBool(e.Temporary())}
		},
		func(p *Problem) error {
			e := &transport.Fault{Err: errors.New(p.Detail)}
			if len(p.Names) == 3 {
				e.Operation, e.Code, e.Transient = p.Names[0], p.Names[1], p.Names[2] == "true"
			}
			return e
		}),
	sentinel("withdrawn", http.StatusGone, node.ErrWithdrawn),
	sentinel("no-actor", http.StatusBadRequest, node.ErrNoActor),
	sentinel("not-found", http.StatusNotFound, node.ErrNotFound),
	sentinel("disk-full", http.StatusInsufficientStorage, syscall.ENOSPC),
	sentinel("disk-full", http.StatusInsufficientStorage, syscall.EFBIG),
	sentinel("key-reused", http.StatusUnprocessableEntity, node.ErrKeyReused),
	sentinel("busy", http.StatusServiceUnavailable, node.ErrBusy),
	sentinel("held", http.StatusConflict, node.ErrHeld),
	sentinel("taken", http.StatusConflict, node.ErrTaken),
	typed("too-large", http.StatusRequestEntityTooLarge,
		func(p *Problem, e *http.MaxBytesError) {
			p.Detail = fmt.Sprintf("api: the body is larger than %d bytes", e.Limit)
		},
		func(*Problem) error { return &http.MaxBytesError{} }),
	typed("incomplete", http.StatusUnprocessableEntity,
		func(*Problem, *edxml.IncompleteError) {},
		func(*Problem) error { return &edxml.IncompleteError{} }),
	typed("stalled", http.StatusRequestTimeout,
		func(*Problem, *transport.StallError) {},
		func(*Problem) error { return &transport.StallError{} }),
	sentinel("cut-off", http.StatusBadRequest, io.ErrUnexpectedEOF),
}

// statusGone is the status of an answer to somebody who did not wait for it; no
// client sees it, the log and the counts do.
const statusGone = 499

// problem gives an error its status, code and particulars.
func problem(err error) *Problem {
	var p *Problem
	if !errors.As(err, &p) {
		p = &Problem{Status: http.StatusInternalServerError, Code: "failed", Detail: err.Error()}
		if errors.Is(err, context.Canceled) {
			p.Status, p.Code = statusGone, "gone"
		}
		if i := slices.IndexFunc(kinds, func(k kind) bool { return k.is(err, p) }); i >= 0 {
			p.Status, p.Code = kinds[i].status, kinds[i].code
		}
	}
	t := texts[p.Code]
	p.Type, p.Message, p.Remedy = "urn:lienthong:problem:"+p.Code, Bilingual(t.message), Bilingual(t.remedy)
	var move *node.MoveError
	if errors.As(err, &move) {
		p.Remedy = Bilingual(move.Why)
	}
	for _, f := range p.Findings { // the first error says it better
		if f.EN.Severity == edxml.Error {
			p.Message, p.Remedy = Bilingual{f.VI.Message, f.EN.Message}, Bilingual{f.VI.Remedy, f.EN.Remedy}
			break
		}
	}
	p.Title = p.Message.EN
	return p
}

// refuse answers with a Problem.
func refuse(w http.ResponseWriter, err error) {
	p := problem(err)
	if out, ok := w.(*reply); ok {
		out.problem = p
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Code == "busy" {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a cut-off client sees it by the end of the stream
}

// badRequest says that a request is not what openapi.json says it is.
func badRequest(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &Problem{Status: http.StatusBadRequest, Code: "bad-request", Detail: "api: " + err.Error()}
}
