package soap

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
)

// maxBoundary is the longest boundary taken; RFC 2046 §5.1.1 allows 70 characters.
const maxBoundary = 200

// parseContentType splits a Content-Type into its media type and parameters, names in lower case.
//
// It takes more than RFC 2045 §5.1 allows: boundary=----=_Part_1 and start=<root> need no quotes. A parameter that comes
// twice is refused, since two readers would see two messages.
func parseContentType(value string) (media string, params map[string]string, err error) {
	media, rest, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	params = map[string]string{}
	for rest = strings.TrimSpace(rest); rest != ""; {
		name, value, ok := strings.Cut(rest, "=")
		if !ok || strings.Contains(name, ";") {
			// A bare word such as "charset" says nothing and is skipped.
			_, rest, _ = strings.Cut(rest, ";")
			rest = strings.TrimSpace(rest)
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if value, rest, ok = parameterValue(strings.TrimSpace(value)); !ok {
			return "", nil, fmt.Errorf("%w: Content-Type parameter %q has no closing quote", ErrMalformed, clip(name))
		}
		if _, twice := params[name]; twice {
			return "", nil, fmt.Errorf("%w: Content-Type has two parameters %q", ErrMalformed, clip(name))
		}
		params[name] = value
	}
	return media, params, nil
}

// parameterValue takes a value, quoted or bare, from the beginning of text and returns what follows its semicolon.
func parameterValue(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		value, rest, _ = strings.Cut(text, ";")
		return strings.TrimSpace(value), strings.TrimSpace(rest), true
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			_, rest, _ = strings.Cut(text[i+1:], ";")
			return b.String(), strings.TrimSpace(rest), true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// contentID strips the angle brackets of a Content-ID or of a start parameter.
//
// QUIRK: a public .NET client of the eDoc axis sends start="Start" and Content-ID:<Start>.
func contentID(value string) string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "<") && strings.HasSuffix(value, ">") {
		value = value[1 : len(value)-1]
	}
	return value
}

// clip shortens text from the wire to what an error may hold.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most]
	}
	return text
}

// decode returns src after its Content-Transfer-Encoding (RFC 2045 §6).
func (m *Message) decode(src io.Reader, encoding string) (io.Reader, error) {
	r := &decodeReader{wire: &errorReader{src: src}, part: m.count}
	switch r.encoding = strings.ToLower(strings.TrimSpace(encoding)); r.encoding {
	case "", "binary", "8bit", "7bit":
		return src, nil
	case "base64":
		r.src = base64.NewDecoder(base64.StdEncoding, r.wire)
	case "quoted-printable":
		r.src = quotedprintable.NewReader(r.wire)
	default:
		return nil, fmt.Errorf("%w: part %d has the unknown Content-Transfer-Encoding %q", ErrMalformed, m.count, clip(encoding))
	}
	return r, nil
}

// decodeReader tells an error of the encoding, which is the sender's, from one of the wire below.
type decodeReader struct {
	wire     *errorReader
	src      io.Reader
	encoding string
	part     int
}

func (r *decodeReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	switch {
	case err == nil || err == io.EOF:
	case r.wire.err != nil:
		err = r.wire.err
	default:
		err = fmt.Errorf("%w: part %d is not %s", ErrMalformed, r.part, r.encoding)
	}
	return n, err
}

// errorReader remembers the error of its source, io.EOF apart.
type errorReader struct {
	src io.Reader
	err error
}

func (r *errorReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
