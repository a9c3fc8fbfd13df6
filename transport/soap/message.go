package soap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"os"
	"strings"
	"sync"
)

// readBuffer is the octets read at once from the wire.
const readBuffer = 64 << 10

// buffers keeps read buffers between messages.
var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}

// Message is a SOAP message being read: the envelope first, then the files in their order. It belongs to one goroutine.
type Message struct {
	limits   Limits
	wire     *wireReader
	buffer   *bufio.Reader // nil for a body that is the envelope alone
	header   *headerReader
	parts    *multipart.Reader // nil for a body that is the envelope alone
	alone    string            // Content-Type of such a body
	start    string            // Content-ID of the envelope, empty for the first part
	boundary string
	rooted   bool
	live     io.Reader // what the wire still holds of the last part
	seen     map[string]bool
	count    int
	spooled  spool
	err      error // what every further Next returns
}

// Incoming is one part of a message being read.
type Incoming struct {
	Root bool   // this is the envelope
	ID   string // Content-ID without brackets, as received; empty when the part has none
	Type string // Content-Type as received; never to be trusted

	// Content is the part after its Content-Transfer-Encoding. It ends with the next call of Next or Close.
	Content io.Reader
}

// Read begins to read a message of the given Content-Type: multipart/related, or an envelope alone as text/xml (or
// application/xml, which some tools say). It reads nothing yet. Next and the contents it gives return ErrTruncated,
// ErrMalformed, ErrVersion, *ContentTypeError, *DuplicateError or *LimitError, each wrapped where more can be said, or
// the error of body.
func Read(contentType string, body io.Reader, limits Limits) (*Message, error) {
	media, params, err := parseContentType(contentType)
	if err != nil {
		return nil, err
	}
	limits = limits.withDefaults()
	m := &Message{limits: limits, wire: &wireReader{src: body, max: limits.Message},
		seen: map[string]bool{}, spooled: spool{max: limits.Spool}}
	switch media {
	case "text/xml", "application/xml":
		m.alone = strings.TrimSpace(contentType)
		return m, nil
	case "application/soap+xml":
		return nil, ErrVersion
	case "multipart/related":
	default:
		return nil, &ContentTypeError{Type: clip(contentType)}
	}
	if strings.EqualFold(params["type"], "application/soap+xml") || strings.EqualFold(params["start-info"], "application/soap+xml") {
		return nil, ErrVersion
	}
	if params["boundary"] == "" || len(params["boundary"]) > maxBoundary {
		return nil, fmt.Errorf("%w: Content-Type has no boundary of 1 to %d characters", ErrMalformed, maxBoundary)
	}
	m.start = contentID(params["start"])
	m.boundary = params["boundary"]
	m.buffer = buffers.Get().(*bufio.Reader)
	m.buffer.Reset(m.wire)
	m.header = &headerReader{src: m.buffer}
	m.parts = multipart.NewReader(m.header, params["boundary"])
	return m, nil
}

// Next returns the next part, the envelope before all others even where other parts precede it on the wire: those wait
// in a temporary file, bounded by Limits.Spool. An envelope in MTOM has what its xop:Include elements refer to in their
// place, as base64; those parts are not given out again. What is left of the part before is skipped. At the end it returns
// io.EOF, which stands for a message that was complete.
func (m *Message) Next() (*Incoming, error) {
	if m.err != nil {
		return nil, m.err
	}
	in, err := m.next()
	if err != nil {
		m.err = err
		return nil, err
	}
	return in, nil
}

func (m *Message) next() (*Incoming, error) {
	switch {
	case m.parts == nil && m.rooted:
		return nil, io.EOF
	case m.parts == nil:
		m.rooted = true
		return &Incoming{Root: true, Type: m.alone, Content: m.limit(m.wire, "envelope", m.limits.Envelope)}, nil
	case !m.rooted:
		return m.root()
	}
	if in, err := m.spooled.next(); in != nil || err != nil {
		return in, err
	}
	in, err := m.part()
	if err != nil {
		return nil, err
	}
	in.Content = m.limit(in.Content, "part", m.limits.Part)
	return in, nil
}

// root goes to the envelope and spools what comes before it.
func (m *Message) root() (*Incoming, error) {
	for {
		in, err := m.part()
		if err == io.EOF {
			return nil, fmt.Errorf("%w: none of its %d parts is the envelope that start names", ErrMalformed, m.count)
		}
		if err != nil {
			return nil, err
		}
		// RFC 2387 §3.2: without start the first part is the root.
		if m.start != "" && in.ID != m.start {
			in.Content = m.limit(in.Content, "part", m.limits.Part)
			if err := m.spooled.add(in); err != nil {
				return nil, err
			}
			continue
		}
		// QUIRK: with MTOM switched on, as on the BKAV axis, public server code, the root is application/xop+xml even
		// when no xop:Include stands in it.
		media, _, err := parseContentType(in.Type)
		switch {
		case err != nil:
			return nil, err
		case media == "application/soap+xml":
			return nil, ErrVersion
		case media != "text/xml" && media != "application/xml" && media != "application/xop+xml":
			return nil, &ContentTypeError{Type: clip(in.Type)}
		}
		m.rooted, in.Root = true, true
		in.Content = m.limit(in.Content, "envelope", m.limits.Envelope)
		if media == "application/xop+xml" {
			err = m.include(in)
		}
		return in, err
	}
}

// part goes to the next part on the wire. Its content has no limit of its own yet.
func (m *Message) part() (*Incoming, error) {
	if m.live != nil {
		if _, err := io.Copy(io.Discard, m.live); err != nil {
			return nil, err
		}
		m.live = nil
	}
	m.header.arm(m.limits.Header)
	p, err := m.parts.NextRawPart()
	m.header.disarm()
	if err == io.EOF {
		// The MIME reader also says so when the wire ends inside the header of a part.
		if m.header.ended && !m.header.closed(m.boundary) {
			return nil, fmt.Errorf("%w: it ends inside the header of part %d", ErrTruncated, m.count+1)
		}
		return nil, io.EOF
	}
	m.count++
	if err != nil {
		return nil, m.failure(err)
	}
	if m.count > m.limits.Parts+1 {
		return nil, &LimitError{Limit: "parts", Max: int64(m.limits.Parts)}
	}
	if headerSize(p.Header) > m.limits.Header {
		return nil, &LimitError{Limit: "header", Max: int64(m.limits.Header)}
	}
	in := &Incoming{ID: contentID(p.Header.Get("Content-Id")), Type: strings.TrimSpace(p.Header.Get("Content-Type"))}
	if in.ID != "" {
		if m.seen[in.ID] {
			return nil, &DuplicateError{ID: clip(in.ID)}
		}
		m.seen[in.ID] = true
	}
	m.live = &partReader{m: m, src: p}
	in.Content, err = m.decode(m.live, p.Header.Get("Content-Transfer-Encoding"))
	return in, err
}

var errClosed = fmt.Errorf("soap: message is closed: %w", os.ErrClosed)

// closedReader stands where a message was read from.
type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, errClosed }

// Close removes the temporary file, if there was one. It does not close the body given to Read.
func (m *Message) Close() error {
	if m.buffer != nil && m.err == io.EOF { // else somebody may still be reading a part
		m.header.src = closedReader{}
		m.buffer.Reset(nil)
		buffers.Put(m.buffer)
		m.buffer = nil
	}
	if m.err == nil {
		m.err = errClosed
	}
	return m.spooled.close()
}

// failure names the cause of an error of the MIME reader, whose own text may quote the message.
func (m *Message) failure(err error) error {
	switch {
	case m.wire.err != nil && m.wire.err != io.EOF:
		return m.wire.err
	case m.header.err != nil:
		return m.header.err
	case m.header.ended, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: part %d has no closing boundary", ErrTruncated, m.count)
	}
	return fmt.Errorf("%w: header of part %d", ErrMalformed, m.count)
}

// limit returns a reader that fails with a LimitError beyond max octets.
func (m *Message) limit(src io.Reader, name string, max int64) io.Reader {
	return &limitReader{src: src, name: name, max: max, left: max}
}

// partReader reads the octets of a part as they are on the wire.
type partReader struct {
	m   *Message
	src *multipart.Part
}

func (r *partReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if err != nil && err != io.EOF {
		err = r.m.failure(err)
	}
	return n, err
}

// limitReader yields at most max octets and then fails, unless the source ends there.
type limitReader struct {
	src       io.Reader
	name      string
	max, left int64
}

func (r *limitReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if int64(n) > r.left {
		n, r.left = int(r.left), 0
		return n, &LimitError{Limit: r.name, Max: r.max}
	}
	r.left -= int64(n)
	return n, err
}

// wireReader counts what comes from the wire, bounds it, and keeps its error apart from those of the layers above.
type wireReader struct {
	src io.Reader
	max int64
	got int64
	err error
}

func (r *wireReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.src.Read(p)
	r.got += int64(n)
	switch {
	case r.got > r.max:
		n, err = 0, &LimitError{Limit: "message", Max: r.max}
	case err == io.ErrUnexpectedEOF:
		err = fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	r.err = err
	return n, err
}

// headerReader bounds what the MIME reader takes in while it looks for a part and reads its header; without it a header
// that does not end would be read up to 10 MB. It lets through one buffer more than the limit, since the MIME reader
// reads ahead; the exact limit is checked on the parsed header.
type headerReader struct {
	src   io.Reader
	armed bool
	left  int
	max   int
	ended bool   // the MIME reader was told that the wire ended
	tail  []byte // the last octets it was given
	err   error
}

// closed reports whether the last thing on the wire was the closing boundary.
func (r *headerReader) closed(boundary string) bool {
	return bytes.HasSuffix(bytes.TrimRight(r.tail, " \t\r\n"), []byte("--"+boundary+"--"))
}

func (r *headerReader) arm(max int) { r.armed, r.max, r.left = true, max, max+readAhead }
func (r *headerReader) disarm()     { r.armed = false }

// maxTail covers a closing boundary and the white space behind it.
const maxTail = 2*maxBoundary + 16

// readAhead covers the buffer of the MIME reader (4 KiB) and the boundary before a header.
const readAhead = 8 << 10

func (r *headerReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.src.Read(p)
	r.ended = err == io.EOF
	if r.tail = append(r.tail, p[max(0, n-maxTail):n]...); len(r.tail) > maxTail {
		r.tail = append(r.tail[:0], r.tail[len(r.tail)-maxTail:]...)
	}
	if r.armed {
		if r.left -= n; r.left < 0 {
			r.err = &LimitError{Limit: "header", Max: int64(r.max)}
			return 0, r.err
		}
	}
	return n, err
}

// headerSize returns the octets of a header as it is usually written.
func headerSize(h textproto.MIMEHeader) int {
	size := 0
	for name, values := range h {
		for _, value := range values {
			size += len(name) + len(": ") + len(value) + len("\r\n")
		}
	}
	return size
}
