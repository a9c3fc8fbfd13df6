package edxml

import (
	"fmt"
	"io"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Packet is what a [Reader] found out about a packet: exactly one of Document
// and Status is set. Offsets count bytes of the packet, except in one that came
// as UTF-16 or in a zip (Findings XML-6, PKT-7): there HeaderEnd and all spans
// are zero, since nothing of it can be cut out or spliced in.
type Packet struct {
	Kind     Kind
	Profile  Profile
	Document *Document
	Status   *Status
	Findings []Finding

	Signatures []SignatureBlock // every element named Signature or DigitalSignature in the header, except a token block
	HeaderEnd  int64            // offset of the end tag of the header, where a block can be spliced in

	Credential  *Credential   // SOAP: the access token the packet carries; of several the last with an OrganId
	Credentials []*Credential // every block with a token, in document order: whoever hands a packet on takes out all of them

	outline *outline // nil for a packet that was built
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
// carries in a header block named Signature, or a token alone in a header block
// named Token (QUIRK: one .NET client). It is never written out again.
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
	// With is the second file of the dialects that send two (CV 512, CV 2803 and
	// iVBDH, by e-mail): the first has the envelope, this one the attachments.
	// It may be zipped. Next reads it behind what the packet itself holds.
	With io.Reader
	// SkipContent leaves the attachments' content undecoded: Next hands out
	// attachments without Content, Size and SHA256.
	SkipContent bool
	// Undigested leaves SHA256 to the caller, who digests the Content anyhow and
	// sets it before the next call of Next.
	Undigested bool
}

// Part is one MIME part of a SOAP packet.
type Part struct {
	ID      string // Content-ID, without brackets
	Type    string
	Content io.Reader
}
