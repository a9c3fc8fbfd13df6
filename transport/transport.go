// Package transport holds the words both wires share: what is sent, what the
// axis answers, and how its refusals are told apart; and how both speak HTTP:
// [NewHTTPClient] reaches an axis with a bound for each phase of a call,
// [NewHTTPServer] and [Paced] bound what a caller may do to one. The wires
// themselves are packages below: transport/soap frames messages,
// transport/edoc speaks the eDoc operations over it, transport/vxp the national axis's HTTP adapter.
package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Content is a sequence of bytes that can be opened as often as it is sent.
type Content struct {
	Size   int64  // octets
	SHA256 string // lower-case hex, "" when it is not known
	Open   func() (io.ReadCloser, error)
}

// Part is a file that travels with a packet.
type Part struct {
	ID   string // Content-ID, without "cid:" and brackets
	Type string // MIME type
	Content
}

// Packet is a packet ready to travel: the bytes that were signed and, apart
// from them, the place where the eDoc wire puts its access token. A single-file
// packet, as the VXP wire carries it, is its Envelope and has no Parts.
type Packet struct {
	Envelope Content
	TokenAt  int64 // offset in Envelope of the end tag of the SOAP Header
	Parts    []Part

	// Carriage makes the Envelope a file of another service than edXML.
	Carriage *Carriage
}

// Carriage is what stands beside a file of another service than edXML, which is
// carried as it is: nobody on its way looks into it. Only the VXP wire has
// services.
type Carriage struct {
	Service string   // servicetype
	From    string   // OrganId of the sender
	To      []string // of the receivers
	Key     string   // 64 hex digits that name the file on all of its way, so that it is taken once; "": each call is another file
}

// Receipt is the axis's word that it took a Document.
type Receipt struct {
	ID      string // the axis's own number for it
	Existed bool   // the axis had it already, so an earlier answer was lost
}

// MostStatuses is how many statuses are taken at once from an axis that gives
// all since a moment: the oldest. Where there are more ErrMore comes with them.
const MostStatuses = 10_000

// ErrMore says that what came with it is not all: there are more statuses since
// the latest of these.
var ErrMore = errors.New("transport: there are more statuses")

// Pending is a Document that waits at the axis to be collected.
type Pending struct {
	ID  string // the axis's number
	For string // the receiver whose mailbox it is in, "" where the axis does not say

	// Service is the servicetype of what is no edXML; From, its sender, is known
	// of such a file only.
	Service, From string
}

// Piece is one part of a packet that is being read off the wire.
type Piece struct {
	Root    bool   // the envelope; it is always the first piece
	ID      string // Content-ID, without brackets
	Type    string // MIME type as declared
	Content io.Reader
}

// Incoming is a packet that is being read off the wire. Next returns the
// envelope first, then every part, io.EOF behind the last; a Piece is valid
// until the next call. Close must be called.
type Incoming interface {
	Next() (*Piece, error)
	Close() error
}

// Fault is the axis's refusal of one operation, or the failure to reach it.
type Fault struct {
	Operation  string        // "SendDocument", …
	Code       string        // as the axis gave it, "" when the axis did not answer
	Text       string        // as the axis gave it
	Transient  bool          // worth trying again
	Credential bool          // the axis did not accept who we are; no document is at fault
	RetryAfter time.Duration // what the axis asked for; 0 when it did not say
	Err        error         // the cause when the axis did not answer
}

// Error gives operation, code and text.
func (f *Fault) Error() string {
	switch {
	case f.Err != nil:
		return fmt.Sprintf("transport: %s: %v", f.Operation, f.Err)
	case f.Code == "":
		return fmt.Sprintf("transport: %s: the axis refused: %s", f.Operation, f.Text)
	}
	return fmt.Sprintf("transport: %s: the axis refused with %s: %s", f.Operation, f.Code, f.Text)
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Temporary reports whether the same call may succeed later. It is the one
// question a node asks.
func (f *Fault) Temporary() bool { return f.Transient }

// RetryAfter reads the header of that name: seconds or a date (RFC 9110
// §10.2.3), at most a day; 0 for what is neither.
func RetryAfter(value string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), 24*time.Hour)
}
