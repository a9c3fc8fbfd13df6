package edoc

import (
	"context"
	"errors"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// Backend keeps the Documents and Statuses that a handler takes and gives out.
// Methods may be called concurrently. A *transport.Fault that one returns (or
// wraps) reaches the caller with its Code and Text; any other error only as
// "internal error", and whole in [Call].
type Backend interface {
	// Authenticate tells what a pair of organ and access token may do, and
	// returns ErrCredential (or wraps it) for a pair that is not good. It is
	// shown the token and keeps no more than a hash: it looks the hash up. The
	// token is "" only where the caller presents a TLS certificate in its place.
	Authenticate(ctx context.Context, organ string, token edxml.Secret) (Speaker, error)
	// Accept takes a Document. It reads s.Next up to io.EOF, which stands for a
	// packet that was whole; the Document is durable when Accept returns nil.
	// The same Document again is no error but the Receipt of the first time.
	Accept(ctx context.Context, s *Submission) (transport.Receipt, error)
	// Pending lists what waits for organ.
	Pending(ctx context.Context, organ string) ([]transport.Pending, error)
	// Document returns a Document by its number here if organ is one of its
	// receivers, else a Fault with CodeNotReceiver. The packet has no token.
	Document(ctx context.Context, organ, id string) (*transport.Packet, error)
	// Confirm ends the delivery of a Document to organ, one of its receivers,
	// and reports status 01 to the sender in the receiver's name.
	Confirm(ctx context.Context, organ, id string) error
	// AcceptStatus takes a Status for the organ in ResponseFor. The same
	// Status again is no error.
	AcceptStatus(ctx context.Context, s *edxml.Status) error
	// Statuses lists the Statuses addressed to organ since a moment, newest
	// first. With the zero time it is the old form: those not yet given out in
	// this form, each once.
	Statuses(ctx context.Context, organ string, since time.Time) ([]edxml.Status, error)
	// Organs lists the organs known here.
	Organs(ctx context.Context) ([]edxml.Organ, error)
}

// Follower is a Backend that knows in which order Statuses came to it, so that a
// client can go on where it stopped and need not be given again what came
// before.
type Follower interface {
	// StatusesFrom lists at most so many Statuses from a cursor on, newest
	// first: "0" are those since the moment, anything else is a next or a mark
	// that was given before. next is where the following page begins, "" behind
	// the last one; then mark is where whatever comes later can be asked for,
	// the latest ones given here perhaps again. ErrCursor if the cursor is none.
	StatusesFrom(ctx context.Context, organ string, since time.Time, cursor string, most int) (list []edxml.Status, next, mark string, err error)
}

// ErrCursor says that a cursor of GetTraces is none of this axis.
var ErrCursor = errors.New("edoc: no cursor of this axis")

// ErrCredential says that a pair of organ and access token is not good.
var ErrCredential = errors.New("edoc: wrong pair of organ and access token")

// Speaker is who a credential stands for.
type Speaker struct {
	Organs []string // the organs it may send and collect for
}

// Submission is a Document on its way in, checked as far as it goes without
// its files: it is a packet, From is an organ of the credential, there is a
// receiver.
type Submission struct {
	Organ    string        // the organ of the credential
	Packet   *edxml.Packet // without attachments; offsets count in Envelope
	Envelope []byte        // as received, without the access token

	// Next returns the files one after the other, io.EOF behind the last. A
	// Piece is valid until the next call. A file that no Reference names, or a
	// Reference whose file did not come, is a *transport.Fault.
	Next func() (*transport.Piece, error)
}

// HandlerOptions says how a handler behaves. The zero value is the default.
type HandlerOptions struct {
	Limits  soap.Limits // of SendDocument
	Control int64       // octets of the envelope of any other operation; default 1 MiB

	// Idle is how long a caller may take to move 4 KiB either way; default 2
	// min. See transport.Paced.
	Idle time.Duration

	// Done is told of every call when it is over; nil is nobody.
	Done func(Call)
}

// Call is one request that a handler has answered.
type Call struct {
	Operation string // "" for what was no operation
	Organ     string // of the credential, good or not
	Code      string // of the refusal, "" when there was none
	Err       error  // why it was refused, nil when it was not
}
