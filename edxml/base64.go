package edxml

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
)

// ContentError is a fault of one attachment's encoding. Reading its Content
// fails with it; the reading of the packet goes on, and Next makes it a Finding.
type ContentError struct {
	Rule string // of the catalogue
	Text string
}

// Error says what is wrong with the content.
func (e *ContentError) Error() string { return "edxml: attachment content: " + e.Text }

// base64Reader decodes base64 text that arrives in chunks: standard alphabet,
// white space anywhere, nothing behind the padding.
type base64Reader struct {
	next   func() ([]byte, error) // the next chunk, io.EOF behind the last; valid until the next call
	chunk  []byte
	quad   [4]byte // characters of an unfinished group
	held   int
	ready  []byte // decoded bytes of a group that found no room
	store  [3]byte
	padded bool
	ended  bool
	bare   bool // the padding was missing
	url    bool // letters of the other alphabet were met
	err    error
}

// Read implements io.Reader.
func (b *base64Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if len(b.ready) > 0 {
			n := copy(p, b.ready)
			b.ready = b.ready[n:]
			return n, nil
		}
		if b.err != nil {
			return 0, b.err
		}
		if len(b.chunk) == 0 {
			b.fill()
			continue
		}
		if n := b.whole(p); n > 0 {
			return n, nil
		}
		b.group()
	}
}

// fill fetches the next chunk. At the end an unfinished group is decoded
// without its padding (QUIRK: some writers leave it out).
func (b *base64Reader) fill() {
	chunk, err := b.next()
	if err == nil {
		b.chunk = chunk
		return
	}
	b.err = err
	if err == io.EOF && b.held > 0 && !b.ended {
		b.ended = true
		n, derr := base64.RawStdEncoding.Strict().Decode(b.store[:], b.quad[:b.held])
		if derr != nil {
			b.err = &ContentError{Rule: "ATT-6", Text: "it ends inside a group of four characters"}
			return
		}
		b.ready, b.bare = b.store[:n], true
	}
}

// whole decodes the groups of four at the front of the chunk straight into p.
func (b *base64Reader) whole(p []byte) int {
	if b.held > 0 || b.padded {
		return 0
	}
	src := b.chunk[:min(len(b.chunk), len(p)/3*4)&^3]
	if i := indexSpace(src); i >= 0 {
		src = src[:i&^3]
	}
	if i := bytes.IndexByte(src, '='); i >= 0 {
		src = src[:i&^3] // a padded group takes the careful way
	}
	if len(src) == 0 {
		return 0
	}
	n, _ := base64.StdEncoding.Decode(p, src) // a fault ends it early; group meets and names it
	b.chunk = b.chunk[n/3*4:]
	return n
}

// group takes single characters until a group of four is full.
func (b *base64Reader) group() {
	for i, c := range b.chunk {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		case b.padded:
			b.chunk = nil
			b.err = &ContentError{Rule: "ATT-6", Text: "there is text behind the padding"}
			return
		}
		b.quad[b.held] = b.standard(c)
		if b.held++; b.held < 4 {
			continue
		}
		b.held = 0
		b.chunk = b.chunk[i+1:]
		n, err := base64.StdEncoding.Decode(b.store[:], b.quad[:])
		if err != nil {
			b.fault()
			return
		}
		b.padded = b.quad[3] == '='
		b.ready = b.store[:n]
		return
	}
	b.chunk = nil
}

// standard returns the letter of the standard alphabet. QUIRK: RFC 4648 §5 has
// two others, which the VNPT library takes too.
func (b *base64Reader) standard(c byte) byte {
	switch c {
	case '-':
		c = '+'
	case '_':
		c = '/'
	default:
		return c
	}
	b.url = true
	return c
}

func (b *base64Reader) fault() {
	b.chunk = nil
	b.err = &ContentError{Rule: "ATT-6", Text: "it holds characters outside the alphabet"}
}

// sniff is how much of a part is looked at to tell base64 text from a file.
const sniff = 4 << 10

// encodedTwice returns the reader of a part that is the base64 text of a file,
// nil for any other part: its first 4 KiB, or all of it, must be base64 text
// and decode to the beginning of a file of a known kind.
//
// QUIRK: the BKAV axis answers GetDocument so, under the type of the file.
func encodedTwice(r *bufio.Reader) *base64Reader {
	head, err := r.Peek(sniff)
	if err != nil && err != io.EOF {
		return nil // whoever reads on meets it
	}
	text := make([]byte, 0, len(head))
	for _, c := range head {
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(c)) {
			text = append(text, c)
		}
	}
	if err == nil { // there is more: look at whole groups
		text = text[:len(text)&^3]
	}
	file := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(file, text)
	if err != nil || !knownMagic(file[:n]) {
		return nil
	}
	return &base64Reader{next: chunks(r)}
}

// chunks hands out what r reads.
func chunks(r io.Reader) func() ([]byte, error) {
	buf := make([]byte, 32<<10)
	return func() ([]byte, error) {
		for range 100 {
			n, err := r.Read(buf)
			if n > 0 {
				return buf[:n], nil
			}
			if err != nil {
				return nil, err
			}
		}
		return nil, io.ErrNoProgress
	}
}

// knownMagic reports whether a file of a kind that offices exchange begins so.
func knownMagic(head []byte) bool {
	for _, magic := range []string{
		"%PDF-", "PK\x03\x04", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "{\\rtf", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF8",
		"II*\x00", "MM\x00*", "<?xml", "Rar!\x1a\x07", "7z\xbc\xaf\x27\x1c",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// indexSpace returns the index of the first white space, or -1.
func indexSpace(b []byte) int {
	first := -1
	for _, c := range []byte("\n\r \t") {
		if i := bytes.IndexByte(b, c); i >= 0 {
			b, first = b[:i], i
		}
	}
	return first
}
