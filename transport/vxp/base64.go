package vxp

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// chunk is how many octets of a file are coded at once: a multiple of 3.
const chunk = 48 << 10

func encodedSize(n int64) int64 { return (n + 2) / 3 * 4 }

// encode writes the base64 text of src, in one line.
func encode(w io.Writer, src io.Reader) error {
	raw, text := make([]byte, chunk), make([]byte, encodedSize(chunk))
	for {
		n, err := io.ReadFull(src, raw)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		base64.StdEncoding.Encode(text, raw[:n])
		if _, werr := w.Write(text[:encodedSize(int64(n))]); werr != nil {
			return werr
		}
		if err != nil {
			return nil
		}
	}
}

// decoder yields the octets of base64 text: standard alphabet, padded, white
// space anywhere.
type decoder struct {
	src    io.Reader
	text   []byte // room for a chunk
	held   int    // octets of text that are not decoded yet
	room   []byte
	ready  []byte // decoded, not handed out
	padded bool
	err    error
}

func newDecoder(src io.Reader) *decoder {
	return &decoder{src: src, text: make([]byte, encodedSize(chunk)), room: make([]byte, chunk)}
}

// Read implements io.Reader. The error for what is no base64 is [ErrBase64].
func (d *decoder) Read(p []byte) (int, error) {
	for {
		if len(d.ready) > 0 {
			n := copy(p, d.ready)
			d.ready = d.ready[n:]
			return n, nil
		}
		if d.err != nil || len(p) == 0 {
			return 0, d.err
		}
		into := d.room
		if len(p) >= chunk {
			into = p
		}
		n, err := d.decode(into)
		if d.err = err; n > 0 {
			if len(p) >= chunk {
				return n, nil
			}
			d.ready = d.room[:n]
		}
	}
}

// prime decodes the first octets; io.EOF says that there are none.
func (d *decoder) prime() error {
	for len(d.ready) == 0 && d.err == nil {
		n, err := d.decode(d.room)
		d.ready, d.err = d.room[:n], err
	}
	if len(d.ready) > 0 {
		return nil
	}
	return d.err
}

// decode decodes what the next read brings.
func (d *decoder) decode(into []byte) (int, error) {
	n, err := d.src.Read(d.text[d.held:])
	fresh := squeeze(d.text[d.held : d.held+n])
	d.held += len(fresh)
	if d.padded && d.held > 0 {
		return 0, fmt.Errorf("%w: text goes on behind the padding", ErrBase64)
	}
	whole := d.held / 4 * 4
	n, cerr := base64.StdEncoding.Decode(into, d.text[:whole])
	if cerr != nil {
		return 0, fmt.Errorf("%w: %w", ErrBase64, cerr)
	}
	d.padded = n < whole/4*3
	d.held = copy(d.text, d.text[whole:d.held])
	if err == io.EOF && d.held > 0 {
		err = fmt.Errorf("%w: it ends in the middle of a group of four", ErrBase64)
	}
	return n, err
}

// squeeze takes white space out of text, in place.
func squeeze(text []byte) []byte {
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 && // four searches are much faster than one IndexAny
		bytes.IndexByte(text, '\t') < 0 && bytes.IndexByte(text, ' ') < 0 {
		return text
	}
	kept := text[:0]
	for _, c := range text {
		if c != '\r' && c != '\n' && c != '\t' && c != ' ' {
			kept = append(kept, c)
		}
	}
	return kept
}

// jsonText yields what a JSON string holds. It begins behind the key the
// string belongs to and ends behind its closing quote.
//
// Only ASCII may be escaped in it: it is there for base64 text, in which gson
// writes "=" as \u003d and others the slash as \/.
type jsonText struct {
	src  *bufio.Reader
	open bool
	err  error
}

// Read implements io.Reader.
func (t *jsonText) Read(p []byte) (int, error) {
	if t.err == nil && !t.open {
		t.err = t.begin()
		t.open = true
	}
	for t.err == nil {
		if _, err := t.src.Peek(1); err != nil {
			t.err = cutOff(err)
			break
		}
		ready, _ := t.src.Peek(min(t.src.Buffered(), len(p)))
		end := bytes.IndexByte(ready, '"')
		if end < 0 {
			end = len(ready)
		}
		if escape := bytes.IndexByte(ready[:end], '\\'); escape >= 0 {
			end = escape
		}
		if end > 0 || len(p) == 0 {
			copy(p, ready[:end])
			_, err := t.src.Discard(end)
			return end, err
		}
		c, err := t.special(ready[0])
		if t.err = err; err == nil {
			p[0] = c
			return 1, nil
		}
	}
	return 0, t.err
}

// begin reads up to the opening quote.
func (t *jsonText) begin() error {
	for colon := false; ; {
		c, err := t.src.ReadByte()
		switch {
		case err != nil:
			return cutOff(err)
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c == ':' && !colon:
			colon = true
		case c == '"' && colon:
			return nil
		case c == 'n' && colon:
			return &FieldError{Field: "data", Fault: "null"}
		default:
			return &FieldError{Field: "data", Fault: "not a text"}
		}
	}
}

// special reads the closing quote, as io.EOF, or an escape.
func (t *jsonText) special(first byte) (byte, error) {
	_, _ = t.src.Discard(1) // it was seen
	if first == '"' {
		return 0, io.EOF
	}
	c, err := t.src.ReadByte()
	if err != nil {
		return 0, cutOff(err)
	}
	switch c {
	case '/', '\\', '"':
		return c, nil
	case 'n', 'r', 't':
		return '\n', nil
	case 'u':
		var digits [4]byte
		if _, err := io.ReadFull(t.src, digits[:]); err != nil {
			return 0, cutOff(err)
		}
		if n, err := strconv.ParseUint(string(digits[:]), 16, 16); err == nil && n < 0x80 {
			return byte(n), nil
		}
	}
	return 0, fmt.Errorf("%w: an escape stands for no letter of base64", ErrBase64)
}

// cutOff names the end of an answer where more of it was due.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}
