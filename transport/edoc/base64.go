package edoc

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
)

// sniff is how much of a part is looked at to tell base64 text from a file.
const sniff = 4 << 10

// unwrap decodes a part that is the base64 text of a file, and leaves any
// other as it is. A part counts as base64 text when its first 4 KiB are that
// and nothing else, line ends apart; shorter parts are judged whole. A text
// file without a space, a hyphen or a full stop in 4 KiB would be taken for
// it too; none has been seen, and the binary form leaves nothing to guess.
func unwrap(content io.Reader) (io.Reader, error) {
	r := bufio.NewReaderSize(content, 32<<10)
	head, err := r.Peek(sniff)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !isBase64(head, err == io.EOF) {
		return r, nil
	}
	return &decoder{src: base64.NewDecoder(base64.StdEncoding, r)}, nil
}

// isBase64 tells whether text is the beginning of base64 text, or all of it.
func isBase64(text []byte, whole bool) bool {
	text = bytes.Trim(text, "\r\n")
	var letters, padding int
	for _, c := range text {
		switch {
		case c == '\r' || c == '\n':
		case c == '=':
			padding++
		case padding > 0:
			return false
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			letters++
		default:
			return false
		}
	}
	if letters == 0 || padding > 2 {
		return false
	}
	return !whole || (letters+padding)%4 == 0 // the padding may just be where the beginning ends
}

// decoder names the fault when text that began as base64 does not go on so.
type decoder struct {
	src io.Reader
}

func (d *decoder) Read(p []byte) (int, error) {
	n, err := d.src.Read(p)
	if _, bad := err.(base64.CorruptInputError); bad { // whose offset counts from anywhere
		err = errors.New("edoc: a part that begins as base64 text does not go on as such")
	} else if err == io.ErrUnexpectedEOF { // a wire that breaks has an error of its own
		err = errors.New("edoc: a part that begins as base64 text ends in the middle of a group")
	}
	return n, err
}

func encodedSize(n int64) int64 { return (n + 2) / 3 * 4 }

// encoder yields the base64 text of its source, in one line.
type encoder struct {
	src  io.Reader
	raw  [24 << 10]byte
	text [32 << 10]byte
	rest []byte
	err  error
}

func newEncoder(src io.Reader) io.Reader { return &encoder{src: src} }

func (e *encoder) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		n, err := io.ReadFull(e.src, e.raw[:])
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		e.err = err
		if err != nil && err != io.EOF {
			return 0, err
		}
		base64.StdEncoding.Encode(e.text[:], e.raw[:n])
		e.rest = e.text[:base64.StdEncoding.EncodedLen(n)]
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	if n == 0 && len(p) > 0 {
		return 0, e.err
	}
	return n, nil
}
