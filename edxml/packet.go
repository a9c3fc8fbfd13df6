package edxml

import (
	"fmt"
	"io"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Packet is what a [Reader] found out about a packet: exactly one of Document
// and Status is set.
type Packet struct {
	Kind     Kind
	Profile  Profile
	Document *Document
	Status   *Status
	Findings []Finding

	Signatures []SignatureBlock // every element named Signature or DigitalSignature in the header, except a token block
	Credential *Credential      // SOAP: the access token the packet carries
	HeaderEnd  int64            // offset of the end tag of the header, where a block can be spliced in
}

// Span is a byte range of the packet.
type Span struct {
	Start, End int64
}

// SignatureBlock is an element that looks like a signature. Package signature
// tells what it is worth.
type SignatureBlock struct {
	Name xmlscan.Name
	Span Span
	Pos  xmlscan.Pos
}

// Credential is the pair of OrganId and access token that the SOAP profile
// carries in a header block named Signature. It is never written out again.
type Credential struct {
	OrganID string
	Token   Secret
	Span    Span // the whole block
}

// Format gives OrganId and place, never the token: fmt would skip the methods
// of a field when a verb does not fit its struct.
func (c Credential) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{%s %s %d-%d}", c.OrganID, c.Token, c.Span.Start, c.Span.End)
}

// Secret is text that must not reach a log: it prints as "***".
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// Format hides the secret under every verb, the wrong ones too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalJSON hides the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

// ReadOptions says how to read. The zero value reads a single file, or an
// envelope without parts, within the default limits.
type ReadOptions struct {
	Limits Limits
	// Parts returns the MIME parts that follow a SOAP envelope, one after the
	// other, io.EOF behind the last. A Part is read before the next is asked for.
	Parts func() (*Part, error)
	// SkipContent leaves the attachments' content undecoded: Next hands out
	// attachments without Content, Size and SHA256.
	SkipContent bool
}

// Part is one MIME part of a SOAP packet.
type Part struct {
	ID      string // Content-ID, without brackets
	Type    string
	Content io.Reader
}
