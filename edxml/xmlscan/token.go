package xmlscan

import "fmt"

// Kind says what a [Token] is.
type Kind uint8

// The kinds of token. The end of the document is io.EOF, not a token.
const (
	Declaration Kind = iota + 1 // <?xml … ?>, always the first token if present
	Start                       // a start tag, or the first half of an empty-element tag
	End                         // an end tag, or the second half of an empty-element tag
	Text                        // a chunk of character data; one text node may be several chunks
	Comment                     // <!-- … -->
	ProcInst                    // <? … ?>
)

// Name is a qualified name with the namespace it resolves to.
type Name struct {
	Prefix string // as written, "" if none
	Local  string
	Space  string // namespace URI, "" if none or if the prefix is unbound (see QuirkUnboundPrefix)
}

// Is reports whether the name is local in the namespace space.
func (n Name) Is(space, local string) bool { return n.Local == local && n.Space == space }

// String gives the name as written, with its prefix.
func (n Name) String() string {
	if n.Prefix == "" {
		return n.Local
	}
	return n.Prefix + ":" + n.Local
}

// Attr is an attribute that is no namespace declaration. Value is normalised
// as XML 1.0 §3.3.3 says for CDATA attributes.
type Attr struct {
	Name
	Value string
}

// Binding is a namespace declaration; an empty URI undoes the default namespace.
type Binding struct {
	Prefix string // "" for the default namespace
	URI    string
}

// Token is one piece of the document. The scanner reuses it: what a caller
// keeps beyond the next call of Next it must copy (names and attribute values
// are strings and may be kept).
type Token struct {
	Kind     Kind
	Name     Name      // Start, End; of a ProcInst the target, in Local
	Attrs    []Attr    // Start: in document order
	Bindings []Binding // Start: in document order
	Empty    bool      // Start of <a/>; its End token follows
	Text     []byte    // Text, Comment, ProcInst: line ends normalised, references resolved
	Plain    bool      // Text holds no '&', '<', '>' or CR, so canonical XML writes it as it is
	Start    int64     // offset of the first byte
	End      int64     // offset behind the last byte
}

// Pos is a place in the input. Line and Column count from 1. Column counts
// characters (code points), as editors show it, a byte order mark not among
// them; Offset counts bytes.
type Pos struct {
	Offset int64
	Line   int
	Column int
}

// String gives line:column.
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }
