// Package soap carries SOAP 1.1 messages with files: envelopes, faults and multipart/related, as streams and the same
// for both ends of the wire.
//
// A message is one envelope and any number of files (SOAP Messages with Attachments, over RFC 2387). To send one, name
// its parts and hand the [Body] to HTTP; it can be opened as often as a retry needs:
//
//	body, err := soap.NewBody(envelope, files)
//	req.Header.Set("Content-Type", body.ContentType())
//	req.ContentLength, req.GetBody = body.Size(), body.Open
//
// To receive one, [Read] it and ask for its parts; the envelope comes first whatever the order on the wire:
//
//	msg, err := soap.Read(r.Header.Get("Content-Type"), r.Body, soap.Limits{})
//	defer msg.Close()
//	part, err := msg.Next() // the envelope; then the files; then io.EOF
//
// Nothing of a part is kept in memory. The package knows MIME and SOAP; which elements an envelope holds and what the
// files mean is known further up.
package soap

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Namespace is the namespace of the SOAP 1.1 envelope (SOAP 1.1 §3).
const Namespace = "http://schemas.xmlsoap.org/soap/envelope/"

// namespace12 is the namespace of SOAP 1.2, which no document axis speaks.
const namespace12 = "http://www.w3.org/2003/05/soap-envelope"

var (
	// ErrVersion is returned for a message of SOAP 1.2; the document axes speak SOAP 1.1 only.
	ErrVersion = errors.New("soap: message is SOAP 1.2, only SOAP 1.1 is spoken here")

	// ErrTruncated is returned where a message ends before its closing boundary or its Content-Length.
	ErrTruncated = errors.New("soap: message is truncated")

	// ErrMalformed is returned for a message that breaks MIME, or whose envelope breaks XML or SOAP.
	ErrMalformed = errors.New("soap: message is malformed")
)

// ContentTypeError is returned for a message, or a root part, whose Content-Type no SOAP 1.1 message has; an HTML error
// page of a proxy is the usual case.
type ContentTypeError struct {
	Type string // as received, at most 200 octets of it
}

// Error names the type.
func (e *ContentTypeError) Error() string {
	return fmt.Sprintf("soap: Content-Type %q is neither multipart/related nor text/xml", e.Type)
}

// DuplicateError is returned for a message in which two parts have the same Content-ID, so that a reference to it is
// ambiguous.
type DuplicateError struct {
	ID string // without brackets
}

// Error names the Content-ID.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("soap: two parts have the Content-ID %q", e.ID)
}

// LimitError is returned where a message exceeds one of its [Limits].
type LimitError struct {
	Limit string // the name of the field of Limits in lower case, "fault" for ParseFault, or what else a reader of messages bounds
	Max   int64  // the limit: octets, or a count for "parts"
}

// Error names the limit and its value.
func (e *LimitError) Error() string {
	unit := " octets"
	if e.Limit == "parts" {
		unit = ""
	}
	return fmt.Sprintf("soap: message exceeds the limit %q of %d%s", e.Limit, e.Max, unit)
}

// Limits bounds what [Read] takes. A zero field has its default.
type Limits struct {
	Envelope int64 // octets of the envelope after Content-Transfer-Encoding; default 32 MiB
	Part     int64 // octets of one file after Content-Transfer-Encoding; default 2 GiB
	Message  int64 // octets of the whole message as received, spooled parts included; default 4 GiB
	Spool    int64 // octets of the parts that come before the envelope and wait in a file; default 256 MiB
	Parts    int   // files beside the envelope; default 1,000
	Header   int   // octets of the header of one part; default 16 KiB
}

func (l Limits) withDefaults() Limits {
	if l.Envelope == 0 {
		l.Envelope = 32 << 20
	}
	if l.Part == 0 {
		l.Part = 2 << 30
	}
	if l.Message == 0 {
		l.Message = 4 << 30
	}
	if l.Spool == 0 {
		l.Spool = 256 << 20
	}
	if l.Parts == 0 {
		l.Parts = 1000
	}
	if l.Header == 0 {
		l.Header = 16 << 10
	}
	return l
}

// Takes tells from its Content-Length alone whether a message may be within the limits, so that one that is not can be
// refused before it is sent (Expect: 100-continue). The error is a *LimitError; -1 stands for an unknown length.
func (l Limits) Takes(contentLength int64) error {
	if most := l.withDefaults().Message; contentLength > most {
		return &LimitError{Limit: "message", Max: most}
	}
	return nil
}

// Action returns the SOAPAction of a request without its quotes, empty when there is none (SOAP 1.1 §6.1.1).
//
// QUIRK: the value is quoted by some clients and bare from others; the BKAV axis, public server code, takes both.
func Action(h http.Header) string {
	action := strings.TrimSpace(h.Get("SOAPAction"))
	if len(action) >= 2 && action[0] == '"' && action[len(action)-1] == '"' {
		action = action[1 : len(action)-1]
	}
	return strings.TrimSpace(action)
}

// ControlEnvelope returns a SOAP 1.1 envelope around a header and a body that are XML already; an empty header gives no
// Header element. It is meant for the small calls and answers that carry no document.
func ControlEnvelope(header, body string) []byte {
	var b strings.Builder
	b.Grow(len(header) + len(body) + 256)
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<SOAP-ENV:Envelope xmlns:SOAP-ENV="` + Namespace + `">`)
	if header != "" {
		b.WriteString(`<SOAP-ENV:Header>` + header + `</SOAP-ENV:Header>`)
	}
	b.WriteString(`<SOAP-ENV:Body>` + body + `</SOAP-ENV:Body></SOAP-ENV:Envelope>`)
	return []byte(b.String())
}
