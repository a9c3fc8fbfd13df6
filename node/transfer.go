package node

import (
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Direction tells the two walks apart.
type Direction string

// The directions, which are also the names of the boxes.
const (
	Out Direction = "out" // outbox: from this house to the axis
	In  Direction = "in"  // inbox: from the axis to this house
	Box Direction = "box" // mailbox: a Document or Status that waits here for a hosted agency to collect it
)

// State is where a Transfer stands on its walk. ARCHITECTURE.md has the picture.
type State string

// The states. A Transfer is durable in each of them.
const (
	Queued State = "queued" // out: accepted here, ours for good; waits for the axis
	Sent   State = "sent"   // out: the axis gave a Receipt
	Failed State = "failed" // out: given up, after a permanent Fault or the deadline
	// Cancelled: out: taken back here; the axis never had it, or its answer is not known.
	Cancelled State = "cancelled"

	Listed    State = "listed"    // in: the axis says it waits for us
	Fetched   State = "fetched"   // in: its bytes are stored here
	Verified  State = "verified"  // in: signature and completeness were judged
	Delivered State = "delivered" // in: handed over
	Confirmed State = "confirmed" // in: the axis knows that we have it; over eDoc this is status 01
	Rejected  State = "rejected"  // in: refused by the three checks of QĐ 28/2018 Art. 9; the evidence is kept
	Sealed    State = "sealed"    // in: recalled by its sender; nothing of its content is handed out any more
	Recalled  State = "recalled"  // in: its content is destroyed; ids, digests, times, actors and the reason stay (NĐ 30/2020 Annex VI)

	Waiting   State = "waiting"   // box: not collected yet
	Collected State = "collected" // box: the agency said that it has it
)

// Content names stored bytes by their digest.
type Content struct {
	SHA256 string `json:"sha256"` // lower-case hex
	Size   int64  `json:"size"`
}

// Part is a file of a stored packet.
type Part struct {
	ID      string  `json:"id"` // Content-ID
	Name    string  `json:"name"`
	Type    string  `json:"type,omitempty"`
	Content Content `json:"content"`

	Unknown Unknown `json:"-"`
}

// Attempt is one try at one step of a Transfer.
type Attempt struct {
	Step     string        `json:"step"` // "send", "fetch", "verify", "deliver", "confirm"
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"`       // nanoseconds
	Code     string        `json:"code,omitempty"` // the axis's code
	Error    string        `json:"error,omitempty"`
	Output   string        `json:"output,omitempty"` // what the sink's command or hook said

	Unknown Unknown `json:"-"`
}

// Follower is a Document, or a status 13, that recalls, updates or replaces another.
type Follower struct {
	Transfer string                `json:"transfer,omitempty"` // of the other; "" for a status 13
	DocType  edxml.BusinessDocType `json:"docType"`            // what the other does
	At       time.Time             `json:"at"`

	Unknown Unknown `json:"-"`
}

// Event is one Status that was applied to a Receiver.
type Event struct {
	Code        edxml.StatusCode `json:"code"`
	At          time.Time        `json:"at"` // by the Status's own Timestamp
	Description string           `json:"description,omitempty"`
	Illegal     string           `json:"illegal,omitempty"` // ST-3: what it cannot follow; only what leaves steps out counts all the same

	Unknown Unknown `json:"-"`
}

// Receiver is the state of a Document at one of its receivers.
type Receiver struct {
	OrganID   string           `json:"organId"`
	OrganName string           `json:"organName,omitempty"`
	Code      edxml.StatusCode `json:"code,omitempty"` // the latest status that counts, "" before the first
	Events    []Event          `json:"events,omitempty"`

	Unknown Unknown `json:"-"`
}

// Transfer is one packet's way through this node. A Store keeps it as a whole,
// as its Record; the fields under "for the store" are all that a Store looks at.
type Transfer struct {
	ID        string     `json:"id"` // UUIDv7: sorts by creation
	Direction Direction  `json:"direction"`
	Kind      edxml.Kind `json:"kind"`
	State     State      `json:"state"`
	Created   time.Time  `json:"created"`

	From             string                `json:"from,omitempty"` // OrganId of the sender
	FromName         string                `json:"fromName,omitempty"`
	DocumentID       string                `json:"documentId,omitempty"`
	DocType          edxml.BusinessDocType `json:"docType,omitempty"`
	Code             string                `json:"code,omitempty"` // number/notation
	Subject          string                `json:"subject,omitempty"`
	PromulgationDate edxml.Date            `json:"promulgationDate,omitempty"`
	Digest           string                `json:"digest,omitempty"`  // content digest of the Document, see edxml.Digest
	Urgency          int                   `json:"urgency,omitempty"` // 1 khẩn, 2 thượng khẩn, 3 hỏa tốc
	Reason           string                `json:"reason,omitempty"`  // of a recall, an update or a replacement
	About            []string              `json:"about,omitempty"`   // DocumentIds of the same sender that it recalls, updates or replaces
	Receivers        []Receiver            `json:"receivers,omitempty"`
	Status           *edxml.Status         `json:"status,omitempty"` // of a status packet

	// Profile is that of the stored bytes, "" for SOAP. In a single file the
	// files are inside; Parts are its attachments all the same, as the user's
	// files.
	Profile  edxml.Profile `json:"profile,omitempty"`
	Via      []string      `json:"via,omitempty"`     // whose TraceHeaders stand beside the sender's: axes on the way; "" where one names nobody
	Envelope Content       `json:"envelope,omitzero"` // the single file, or the envelope that stands beside the Parts
	TokenAt  int64         `json:"tokenAt,omitempty"` // see transport.Packet
	Parts    []Part        `json:"parts,omitempty"`

	Stamps    []Content           `json:"stamps,omitempty"` // out: RFC 3161 time stamps of its signatures, kept beside the packet
	Signature *Signature          `json:"signature,omitempty"`
	Findings  []edxml.FindingText `json:"findings,omitempty"` // of reading it
	Refusal   string              `json:"refusal,omitempty"`  // why it was rejected
	SameAs    string              `json:"sameAs,omitempty"`   // in: the Transfer that brought the same Document
	AxisID    string              `json:"axisId,omitempty"`   // the axis's number for it; ours, where this node is the axis
	Service   string              `json:"service,omitempty"`  // the servicetype of what is no edXML and is carried as it is; its DocumentID is its key
	For       string              `json:"for,omitempty"`      // in: the organ in whose name it was fetched, where the node collects for several
	Attempts  []Attempt           `json:"attempts,omitempty"`
	Tries     int                 `json:"tries,omitempty"`   // of the current step
	Unsure    bool                `json:"unsure,omitempty"`  // out: a try ended without the axis's word, so it may have the packet
	Deadline  time.Time           `json:"deadline,omitzero"` // out: given up after this
	Finished  time.Time           `json:"finished,omitzero"` // when no step was left
	LastError string              `json:"lastError,omitempty"`
	Permanent bool                `json:"permanent,omitempty"` // the last error cannot be cured by waiting
	Cause     Cause               `json:"cause,omitempty"`     // what the last error is about

	Held      *Act       `json:"held,omitempty"`      // by an operator: no step is due
	Waits     []string   `json:"waits,omitempty"`     // Transfers that go before this one
	Withdrawn *Act       `json:"withdrawn,omitempty"` // its sender took it back: out, it is frozen; in, see Sealed
	Followers []Follower `json:"followers,omitempty"` // what recalls, updates or replaces it

	Pickup *Pickup `json:"pickup,omitempty"` // in: who collects it, see Node.Take

	Acts      []Act     `json:"acts,omitempty"`      // what people did with it, oldest first
	LegalHold string    `json:"legalHold,omitempty"` // why its content must not be purged
	Purged    time.Time `json:"purged,omitzero"`     // when its content was given up; the record stays as evidence

	// For the store.
	Due         time.Time `json:"due,omitzero"`         // when the next step is to be tried; zero: nothing is due
	Lease       string    `json:"lease,omitempty"`      // the holder of the lease
	LeasedUntil time.Time `json:"leasedUntil,omitzero"` // when the lease ends by itself
	Unique      []string  `json:"unique,omitempty"`     // keys that no other Transfer may have
	Lookup      []string  `json:"lookup,omitempty"`     // keys to find it by
	Holds       []string  `json:"holds,omitempty"`      // digests of content it needs beside its Envelope and Parts
	Count       []string  `json:"count,omitempty"`      // keys under which it is counted
	Words       []string  `json:"words,omitempty"`      // words by which it is searched, folded; see Store.Search

	Unknown Unknown `json:"-"`
}

// Act is something that a person did with a Transfer.
type Act struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`            // who
	Action string    `json:"action"`           // "hold", "release", "retry", "cancel", "purge", …
	Reason string    `json:"reason,omitempty"` // in the actor's words

	Unknown Unknown `json:"-"`
}

// Needs returns the digests of the content that a Store must keep for t, in
// order and each once: none after it was purged.
func (t *Transfer) Needs() []string {
	if !t.Purged.IsZero() {
		return nil
	}
	all := slices.Clone(t.Holds)
	if t.Envelope.SHA256 != "" {
		all = append(all, t.Envelope.SHA256)
	}
	for _, p := range t.Parts {
		if p.Content.SHA256 != "" {
			all = append(all, p.Content.SHA256)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Pickup is how a document system collects a Document from the inbox by itself.
type Pickup struct {
	By    string    `json:"by,omitempty"`    // who holds it, or has taken it
	Lease string    `json:"lease,omitempty"` // the hold's own number, secret to the holder
	Until time.Time `json:"until,omitzero"`  // when the hold ends by itself
	Done  time.Time `json:"done,omitzero"`   // when it was taken for good

	Unknown Unknown `json:"-"`
}

// Signature is what was found out about a packet's signatures.
type Signature struct {
	Signed   bool     `json:"signed"`           // there is at least one XML Signature
	Reason   string   `json:"reason,omitempty"` // why it is not acceptable, "" when it is; "unsigned" when there is none
	Broken   bool     `json:"broken,omitempty"` // it does not fit the bytes, whoever made it
	Signer   string   `json:"signer,omitempty"`
	Coverage []string `json:"coverage,omitempty"` // what the signatures bind, by name
	Missing  []string `json:"missing,omitempty"`  // what they do not bind

	Unknown Unknown `json:"-"`
}

// Public returns a copy without what only the store needs, to be shown to others.
func (t *Transfer) Public() *Transfer {
	v := *t
	v.Unique, v.Lookup, v.Lease, v.LeasedUntil, v.Unknown = nil, nil, "", time.Time{}, ""
	if v.Pickup != nil {
		p := *v.Pickup
		p.Lease = ""
		v.Pickup = &p
	}

	v.Holds, v.Count, v.Words = nil, nil, nil
	return &v
}
