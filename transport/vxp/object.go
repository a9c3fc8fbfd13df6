package vxp

import (
	"encoding/json"
	"net/http"
	"strconv"
	"unicode/utf16"
)

// object is a JSON object being written, in ASCII.
//
// QUIRK: the SDK reads the answer of sendEdoc as US-ASCII, and an answer that
// lacks one of status, ErrorCode and ErrorDesc, in this spelling, as nothing.
type object struct{ b []byte }

// status writes the three fields of every answer.
func (o *object) status(status, code, text string) {
	o.field("status", status)
	o.field("ErrorCode", code)
	o.field("ErrorDesc", text)
}

// field writes a field; v is one that JSON can hold.
func (o *object) field(name string, v any) {
	o.key(name)
	o.value(v)
}

// key writes the name of a field.
func (o *object) key(name string) {
	if o.b == nil {
		o.b = append(o.b, '{')
	} else {
		o.b = append(o.b, ',')
	}
	o.value(name)
	o.b = append(o.b, ':')
}

// value writes a value without anything around it.
func (o *object) value(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only texts, numbers and structs of them are written here
	}
	o.b = ascii(o.b, text)
}

// ascii appends JSON with everything beyond ASCII as \uXXXX.
func ascii(to, text []byte) []byte {
	for _, r := range string(text) {
		switch {
		case r < 0x80:
			to = append(to, byte(r))
		case r < 0x10000:
			to = escaped(to, r)
		default:
			high, low := utf16.EncodeRune(r)
			to = escaped(escaped(to, high), low)
		}
	}
	return to
}

func escaped(to []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(to, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}

// answer sends a whole object.
func (s *served) answer(status int, o *object) {
	o.b = append(o.b, '}')
	s.begin(status, int64(len(o.b)))
	_, _ = s.w.Write(o.b) // nobody is left to tell
}

// begin sends the header of a JSON answer; its size is -1 where it is not known.
func (s *served) begin(status int, size int64) {
	h := s.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	s.begun = true
	s.w.WriteHeader(status)
}

// good begins an object of success.
func good() *object {
	o := &object{}
	o.status("OK", CodeOK, "Thanh cong")
	return o
}

// ok answers with success and nothing else.
func (s *served) ok() error {
	s.answer(http.StatusOK, good())
	return nil
}
