package xmlscan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// errUTF16 says that UTF-16 ends or breaks inside a character.
var errUTF16 = errors.New("a character of the UTF-16 text is not whole")

// transcoder turns UTF-16 into UTF-8 while it is read.
type transcoder struct {
	src   io.Reader
	order binary.ByteOrder
	in    []byte // units not yet turned, at most one window
	out   []byte // UTF-8 not yet handed out
	high  rune   // first half of a surrogate pair, 0 if none
	err   error
}

// Read implements io.Reader.
func (t *transcoder) Read(p []byte) (int, error) {
	for len(t.out) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		n, err := t.src.Read(t.in[len(t.in):cap(t.in)])
		t.in = t.in[:len(t.in)+n]
		t.turn()
		if err != nil && t.err == nil {
			if t.err = err; err == io.EOF && (len(t.in) > 0 || t.high != 0) {
				t.err = errUTF16
			}
		}
		if n == 0 && err == nil {
			return 0, nil // the scanner knows when to give up
		}
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	return n, nil
}

// turn turns the whole units of t.in.
func (t *transcoder) turn() {
	t.out = t.out[:0]
	i := 0
	for ; i+2 <= len(t.in); i += 2 {
		r := rune(t.order.Uint16(t.in[i:]))
		switch {
		case t.high != 0:
			if r = utf16.DecodeRune(t.high, r); r == utf8.RuneError {
				t.err = errUTF16
				return
			}
			t.high = 0
		case 0xD800 <= r && r < 0xDC00:
			t.high = r
			continue
		case 0xDC00 <= r && r < 0xE000:
			t.err = errUTF16
			return
		}
		t.out = utf8.AppendRune(t.out, r)
	}
	t.in = t.in[:copy(t.in, t.in[i:])]
}

// utf16At tells UTF-16 by the first bytes of a document (XML 1.0 appendix F):
// its byte order, nil when it is not UTF-16, and the length of its mark.
func utf16At(head []byte) (order binary.ByteOrder, mark int) {
	switch {
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return binary.BigEndian, 2
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return binary.LittleEndian, 2
	case bytes.HasPrefix(head, []byte{0, '<'}):
		return binary.BigEndian, 0
	case bytes.HasPrefix(head, []byte{'<', 0}):
		return binary.LittleEndian, 0
	}
	return nil, 0
}

// transcode makes the scanner read UTF-16 as the UTF-8 it stands for, or
// refuses it when the scanner is strict. From here on every offset counts
// bytes of the UTF-8.
func (s *Scanner) transcode(order binary.ByteOrder, mark int) error {
	if s.strict {
		return s.syntax(s.pos, "XML 1.0 §4.3.3", "the document is UTF-16; write it as UTF-8", ErrEncoding)
	}
	if err := s.pass(QuirkUTF16, s.pos, "XML 1.0 §4.3.3", "the document is %s", "UTF-16"); err != nil {
		return err
	}
	var rest io.Reader = bytes.NewReader(bytes.Clone(s.buf[s.pos+mark:]))
	if !s.eof {
		rest = io.MultiReader(rest, s.r)
	} else if s.rerr != nil {
		rest = io.MultiReader(rest, failing{s.rerr})
	}
	s.r = &transcoder{src: rest, order: order, in: make([]byte, 0, firstWindow)}
	s.buf, s.pos, s.eof, s.rerr, s.transcoded = s.buf[:0], 0, false, nil, true
	return nil
}

// failing is a reader that always fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// declared reports whether a declaration may name this encoding: it must be
// what the bytes are.
func (s *Scanner) declared(encoding string) bool {
	if s.transcoded {
		switch strings.ToUpper(encoding) {
		case "UTF-16", "UTF-16LE", "UTF-16BE":
			return true
		}
		return false
	}
	return strings.EqualFold(encoding, "UTF-8") || strings.EqualFold(encoding, "US-ASCII")
}
