package soap

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// Part is one MIME part on its way out: the envelope or a file.
type Part struct {
	ID       string // Content-ID without brackets: visible ASCII, none of <>"\
	Type     string // Content-Type; empty is text/xml; charset=utf-8 for the envelope, application/octet-stream for a file
	Encoding string // Content-Transfer-Encoding: "binary" (also when empty), "8bit" or "base64"
	Size     int64  // octets that Open yields, -1 when unknown

	// Open returns the content from its beginning. It is called once each time the Body is opened.
	Open func() (io.ReadCloser, error)
}

// Body is a multipart/related message (RFC 2387) ready to be sent as often as needed. It may be opened by several
// goroutines at once when the parts may.
type Body struct {
	boundary string
	start    string
	segments []segment
	size     int64
}

// segment is a stretch of a Body: framing, or the content of a part after it.
type segment struct {
	framing string
	part    *Part
}

// NewBody returns the message of an envelope and its files, in their order. The boundary is random (130 bits), chosen
// once for the Body. Errors name the part that could not stand in a MIME header.
func NewBody(root Part, files []Part) (*Body, error) {
	return newBody("lienthong-"+rand.Text(), root, files)
}

func newBody(boundary string, root Part, files []Part) (*Body, error) {
	if root.Type == "" {
		root.Type = "text/xml; charset=utf-8"
	}
	if media, _, _ := strings.Cut(root.Type, ";"); !strings.EqualFold(strings.TrimSpace(media), "text/xml") {
		return nil, fmt.Errorf("soap: envelope %q: Content-Type %q is not text/xml", root.ID, root.Type)
	}
	b := &Body{boundary: boundary, start: root.ID}
	seen := make(map[string]bool, len(files)+1)
	lead := "--" + boundary
	for i := range len(files) + 1 {
		part := root
		if i > 0 {
			part = files[i-1]
		}
		if err := part.complete(); err != nil {
			return nil, err
		}
		if seen[part.ID] {
			return nil, &DuplicateError{ID: part.ID}
		}
		seen[part.ID] = true
		b.add(segment{lead + "\r\nContent-Type: " + part.Type + "\r\nContent-Transfer-Encoding: " + part.Encoding +
			"\r\nContent-ID: <" + part.ID + ">\r\n\r\n", &part})
		lead = "\r\n--" + boundary
	}
	b.add(segment{framing: lead + "--\r\n"})
	return b, nil
}

// complete fills in the defaults of a part and checks that nothing in it breaks out of its header.
func (p *Part) complete() error {
	if p.ID == "" || strings.ContainsFunc(p.ID, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"\`, r) }) {
		return fmt.Errorf("soap: Content-ID %q is empty or holds a character that it may not", p.ID)
	}
	if p.Type == "" {
		p.Type = "application/octet-stream"
	}
	if strings.ContainsFunc(p.Type, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("soap: part %q: Content-Type %q holds a character that it may not", p.ID, p.Type)
	}
	switch p.Encoding {
	case "":
		p.Encoding = "binary"
	case "binary", "8bit", "base64":
	default:
		return fmt.Errorf("soap: part %q: Content-Transfer-Encoding %q is none of binary, 8bit, base64", p.ID, p.Encoding)
	}
	if p.Open == nil {
		return fmt.Errorf("soap: part %q has no content", p.ID)
	}
	return nil
}

// add appends a segment and accounts for its octets.
func (b *Body) add(s segment) {
	b.segments = append(b.segments, s)
	if b.size < 0 {
		return
	}
	b.size += int64(len(s.framing))
	switch {
	case s.part == nil:
	case s.part.Size < 0:
		b.size = -1
	case s.part.Encoding == "base64":
		b.size += (s.part.Size + 2) / 3 * 4
	default:
		b.size += s.part.Size
	}
}

// ContentType returns the value of the HTTP header Content-Type.
func (b *Body) ContentType() string {
	return `multipart/related; type="text/xml"; boundary="` + b.boundary + `"; start="<` + b.start + `>"`
}

// Size returns the octets of the whole message, framing included, or -1 when the size of a part is unknown.
func (b *Body) Size() int64 { return b.size }

// Open returns a fresh stream over the message, fit for http.Request.GetBody. It opens one part at a time, when the
// stream gets there, and starts no goroutine. A part that yields another number of octets than its Size fails the
// stream, since the Content-Length has been sent by then.
func (b *Body) Open() (io.ReadCloser, error) {
	return &bodyReader{rest: b.segments}, nil
}

// bodyReader is one pass over a Body.
type bodyReader struct {
	rest    []segment
	framing string
	part    *Part
	file    io.Closer
	content io.Reader
	err     error
}

// Read fills p across framing and contents, so that a small message reaches the wire in one piece.
func (r *bodyReader) Read(p []byte) (int, error) {
	n := 0
	for r.err == nil && n < len(p) {
		switch {
		case r.framing != "":
			copied := copy(p[n:], r.framing)
			n, r.framing = n+copied, r.framing[copied:]
		case r.part == nil:
			r.advance()
		case r.content == nil:
			r.open()
		default:
			got, err := r.content.Read(p[n:])
			if n += got; err != nil {
				r.leave(err)
			}
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, r.err
}

// advance goes to the next segment.
func (r *bodyReader) advance() {
	if len(r.rest) == 0 {
		r.err = io.EOF
		return
	}
	r.framing, r.part, r.rest = r.rest[0].framing, r.rest[0].part, r.rest[1:]
}

// open opens the content of the current part.
func (r *bodyReader) open() {
	file, err := r.part.Open()
	if err != nil {
		r.err = fmt.Errorf("soap: part %q: %w", r.part.ID, err)
		return
	}
	r.file, r.content = file, &exactReader{src: file, want: r.part.Size}
	if r.part.Encoding == "base64" {
		r.content = &base64Reader{src: r.content}
	}
}

// leave ends the current part, for io.EOF as for any other error of its content.
func (r *bodyReader) leave(err error) {
	closing := r.file.Close()
	if err == io.EOF {
		err = closing
	}
	if err != nil {
		r.err = fmt.Errorf("soap: part %q: %w", r.part.ID, err)
	}
	r.file, r.content, r.part = nil, nil, nil
}

// Close closes the part that is open. Reading goes no further.
func (r *bodyReader) Close() error {
	r.err = fmt.Errorf("soap: body is closed: %w", io.ErrClosedPipe)
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file, r.content, r.part = nil, nil, nil
	return err
}

// exactReader fails when its source does not yield just as many octets as were promised; -1 promises nothing.
type exactReader struct {
	src  io.Reader
	want int64
	got  int64
}

func (r *exactReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	r.got += int64(n)
	if r.want >= 0 && (r.got > r.want || err == io.EOF && r.got < r.want) {
		return 0, fmt.Errorf("content has another size than the %d octets announced (%d read)", r.want, r.got)
	}
	return n, err
}

// base64Reader encodes its source on the fly, without line breaks.
type base64Reader struct {
	src   io.Reader
	in    [24 << 10]byte // whole triplets
	out   [32 << 10]byte
	have  int    // octets in in
	ready []byte // encoded, not read yet
	err   error
}

func (r *base64Reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.src.Read(r.in[r.have:])
		r.have += n
		whole := r.have - r.have%3
		if r.err == io.EOF {
			whole = r.have
		}
		if r.err != nil && r.err != io.EOF {
			continue
		}
		base64.StdEncoding.Encode(r.out[:], r.in[:whole])
		r.ready = r.out[:base64.StdEncoding.EncodedLen(whole)]
		r.have = copy(r.in[:], r.in[whole:r.have])
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}
