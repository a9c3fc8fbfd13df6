package organ

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ID is the identifier of an agency as it stands on the wire (OrganId), for
// example "000.00.13.H53" or "H53.13". Use [Parse] for text from outside; the
// methods are safe on any string.
type ID string

// maxCharacters bounds an identifier. QĐ 20/2020 Art. 4 allows 35 characters;
// a document system in use stores 50, and the larger one decides what is read.
const maxCharacters = 50

// maxBytes is what the longest identifier takes before composition: a letter,
// and two marks of two bytes each.
const maxBytes = maxCharacters * 5

// ParseError says why a text cannot be an identifier.
type ParseError struct {
	Input  string // the text as given, cut after 64 bytes
	Reason string // what is wrong, in one sentence part
}

// Error gives the fault and the text.
func (e *ParseError) Error() string {
	return fmt.Sprintf("organ: %s in %q", e.Reason, e.Input)
}

// Parse reads an identifier. It removes XML white space (XML 1.0 §2.3) at both
// ends, composes Vietnamese letters written as letter and marks (the part of
// Unicode NFC that their alphabet needs; other text keeps its code points),
// and refuses only what no system can mean as an identifier: nothing at all,
// more than 50 characters, invalid UTF-8, white space inside, and control or
// invisible characters (Unicode Cc and Cf). The error is a [*ParseError].
//
// QUIRK: no form is required, because ids of none of the published ones are in
// use: 28.22.H17, 01.02.G22, vxp.saas.03 (vendor sample packets and public code
// of systems on the national axis).
func Parse(s string) (ID, error) {
	refuse := func(reason string) (ID, error) {
		return "", &ParseError{Input: strings.Clone(s[:min(len(s), 64)]), Reason: reason}
	}
	text := strings.Trim(s, " \t\r\n")
	switch {
	case text == "":
		return refuse("empty identifier")
	case len(text) > maxBytes:
		return refuse(fmt.Sprintf("more than %d characters", maxCharacters))
	case !utf8.ValidString(text):
		return refuse("invalid UTF-8")
	}
	text = compose(text)
	if utf8.RuneCountInString(text) > maxCharacters {
		return refuse(fmt.Sprintf("more than %d characters", maxCharacters))
	}
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			return refuse(fmt.Sprintf("white space (U+%04X)", r))
		case unicode.IsControl(r):
			return refuse(fmt.Sprintf("control character U+%04X", r))
		case unicode.Is(unicode.Cf, r):
			return refuse(fmt.Sprintf("invisible character U+%04X", r))
		}
	}
	return ID(text), nil
}
