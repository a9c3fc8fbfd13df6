package xmlscan

import (
	"errors"
	"fmt"
)

// The causes a caller may want to tell apart with errors.Is. All of them
// arrive inside a [SyntaxError].
var (
	ErrDTD       = errors.New("a document type declaration is never allowed here")
	ErrEncoding  = errors.New("the document is not UTF-8")
	ErrTruncated = errors.New("the document ends too early")
	ErrNotXML    = errors.New("this is not XML")
)

// SyntaxError says that a document breaks XML 1.0 or Namespaces in XML.
type SyntaxError struct {
	Rule string // the production or constraint, for example "XML 1.0 §3.1, WFC: Unique Att Spec"
	Text string // what is wrong, in one sentence part
	Pos  Pos
	Err  error // one of the Err… causes, or nil
}

// Error gives place, fault and rule.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("xml: line %d, column %d: %s (%s)", e.Pos.Line, e.Pos.Column, e.Text, e.Rule)
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// QuirkKind names a fault that a tolerant scanner lets pass.
type QuirkKind string

// The faults a tolerant scanner lets pass.
const (
	// QUIRK: bytes before the XML declaration; the vendor's sample of a new
	// document begins with four digits. XML 1.0 production [1].
	QuirkStrayBytes QuirkKind = "stray-bytes"
	// QUIRK: bytes that are no Misc after the root element, for example the
	// CRLF and padding some senders add. XML 1.0 production [1].
	QuirkTrailingJunk QuirkKind = "trailing-junk"
	// QUIRK: a prefix without a declaration; a vendor sample has xlink:href
	// and edXML:AttachmentEncoded outside any. Namespaces §5, NSC: Prefix Declared.
	QuirkUnboundPrefix QuirkKind = "unbound-prefix"
	// QUIRK: the same attribute twice, the last wins, as the vendor's parser
	// does. XML 1.0 §3.1, WFC: Unique Att Spec.
	QuirkDuplicateAttribute QuirkKind = "duplicate-attribute"
	// QUIRK: UTF-16, with a byte order mark or without; the vendor's parser
	// takes it. Positions count the bytes of the UTF-8 it stands for, so no
	// byte range of such a document may be cut or spliced. XML 1.0 §4.3.3.
	QuirkUTF16 QuirkKind = "utf-16"
)

// Quirk is one fault that was let pass.
type Quirk struct {
	Kind    QuirkKind
	Text    string // what was found, in one sentence part
	Subject string // the bytes, name or thing it is about
	Pos     Pos
}
