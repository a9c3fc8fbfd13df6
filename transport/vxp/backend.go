package vxp

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// Backend keeps the packets that a handler takes and gives out. Its names do
// not meet those of the eDoc backend but where they mean the same, so that one
// value can serve both wires. Methods may be called concurrently. A
// *transport.Fault that one returns (or wraps) reaches the caller with its
// Code and Text; any other error only as "internal error", and whole in [Call].
type Backend interface {
	// System returns what a systemid stands for, and ErrSystem (or wraps it)
	// for one that is not known.
	System(ctx context.Context, systemID string) (System, error)
	// AcceptFile takes a Document. It reads f.Content up to io.EOF, which
	// stands for a file that is whole and is the one that was signed; the
	// Document is durable when AcceptFile returns nil. The same Document again,
	// or the same Key, is no error but the Receipt of the first time.
	AcceptFile(ctx context.Context, f *File) (transport.Receipt, error)
	// AcceptStatus takes a Status for the organ in ResponseFor. The same
	// Status again is no error.
	AcceptStatus(ctx context.Context, s *edxml.Status) error
	// Deliveries lists what waits for these organs and fits a Query, oldest
	// first. More than fits does no harm, but for Kind and Most.
	Deliveries(ctx context.Context, organs []string, q Query) ([]Delivery, error)
	// CountDeliveries returns how many edXML packets of a kind wait for these
	// organs.
	CountDeliveries(ctx context.Context, organs []string, k edxml.Kind) (int, error)
	// DeliveredPacket returns the packet of a delivery to one of these organs,
	// also after it ended, else a Fault with CodeNotFound. One of the SOAP
	// profile is turned into a single file on its way out.
	DeliveredPacket(ctx context.Context, organs []string, id string) (*transport.Packet, error)
	// UpdateDelivery notes what a receiver says about a delivery to one of
	// these organs; Done and Fail end it. It may be repeated.
	UpdateDelivery(ctx context.Context, organs []string, id string, s State, description string) error
	// SentPackets tells what became of a packet that one of these organs sent,
	// by the number in its Receipt.
	SentPackets(ctx context.Context, organs []string, id string, k edxml.Kind) ([]Sent, error)
	// Organs lists the organs known here.
	Organs(ctx context.Context) ([]edxml.Organ, error)
	// Register enters an organ for a systemid into the directory, or refuses to.
	Register(ctx context.Context, systemID string, a Agency) error
	// Unregister takes an organ of a systemid out of the directory, or refuses to.
	Unregister(ctx context.Context, systemID, code string) error
}

// ErrSystem says that a systemid is not known.
var ErrSystem = errors.New("vxp: no such systemid")

// Query says which deliveries are asked for.
type Query struct {
	Kind         edxml.Kind
	Service      string    // servicetype of what is no edXML, in letters of any case; "" for edXML
	Since, Until time.Time // when they came here; zero: whenever
	Most         int       // how many, from the oldest on; 0: as many as the backend gives in one answer
}

// System is what a systemid stands for.
type System struct {
	Secret edxml.Secret // the key of its signatures
	Organs []string     // the organs it may send and collect for
}

// File is a Document on its way in, checked as far as it goes without reading
// it to the end: the call is signed, it is a packet, its sender is an organ of
// the systemid, there is a receiver.
type File struct {
	// Service is the servicetype of what is no edXML, "" for edXML: such a file
	// is carried as it is. Packet is nil then, and it is From who sends it.
	Service  string
	From     string
	SystemID string
	Key      string        // names the call: the same for one that is sent again after a lost answer; of a carried file also from axis to axis
	To       []string      // the receivers
	Packet   *edxml.Packet // without attachments; offsets count in Content
	Content  io.Reader     // the single file from its beginning
}

// HandlerOptions says how a handler behaves. The zero value is the default.
type HandlerOptions struct {
	Limits HandlerLimits
	Idle   time.Duration // within which a caller must move 4 KiB, either way; default 2 min

	// Done is told of every call when it is over; nil is nobody.
	Done func(Call)
}

// HandlerLimits bounds what a handler takes. The zero value of a field means
// its default. The headers of a request are bounded by the http.Server.
type HandlerLimits struct {
	Packet int64 // octets of a packet; default 4 GiB
	Status int64 // octets of a status packet; default 1 MiB
	Body   int64 // octets of the body of any other call; default 64 KiB
}

// Call is one request that a handler has answered.
type Call struct {
	Operation string // "" for what was no method
	SystemID  string // as claimed, good or not
	Code      string // of the refusal, "" when there was none
	Err       error  // why it was refused, nil when it was not
}

func (l HandlerLimits) withDefaults() HandlerLimits {
	if l.Packet == 0 {
		l.Packet = 4 << 30
	}
	if l.Status == 0 {
		l.Status = 1 << 20
	}
	if l.Body == 0 {
		l.Body = 64 << 10
	}
	return l
}
