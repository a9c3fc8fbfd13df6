package axistest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// form is one way to write a Document. Of a single file the whole packet is
// the envelope, and there are no parts.
type form struct {
	profile edxml.Profile
	rebuilt bool // as the national axis does
}

// in returns a Document in a form, which is made when it is asked for first. As
// it came it is byte for byte what was taken.
func (c *content) in(a *Axis, f form) (*transport.Packet, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.forms[f]; p != nil {
		return p, nil
	}
	in := &intake{axis: a}
	p, err := in.write(c.forms[form{profile: c.profile}], f)
	if err != nil {
		in.discard()
		return nil, fmt.Errorf("axistest: %w", err)
	}
	c.forms[f] = p
	return p, nil
}

// write makes a form of a packet. The files of a single file become parts, and
// parts go into a single file.
func (in *intake) write(from *transport.Packet, f form) (*transport.Packet, error) {
	envelope, err := from.Envelope.Open()
	if err != nil {
		return nil, err
	}
	defer envelope.Close()
	parts := &partReader{left: from.Parts}
	defer parts.close()
	r, err := edxml.NewReader(envelope, edxml.ReadOptions{Parts: parts.next})
	if err != nil {
		return nil, err
	}
	if f.rebuilt {
		habits(r.Packet().Document)
	}
	var kept []transport.Content
	keep := func(a *edxml.Attachment) (io.Reader, error) {
		c, _, err := in.store(a.Content)
		if err == nil && f.rebuilt {
			c, err = in.wrapped(a, c)
		}
		kept = append(kept, c)
		return &lazy{open: c.Open}, err
	}
	var d *edxml.Document
	written, _, err := in.storing(func(w io.Writer) (err error) {
		d, err = edxml.Convert(w, r, f.profile, keep)
		return err
	})
	if err != nil {
		return nil, err
	}
	p := &transport.Packet{Envelope: written}
	if f.profile == edxml.ProfileSOAP {
		for i, a := range d.Attachments {
			p.Parts = append(p.Parts, transport.Part{ID: a.ContentID, Type: a.ContentType, Content: kept[i]})
		}
	}
	if f.rebuilt {
		return p, in.signed(p, from, r.Packet(), f.profile)
	}
	return p, nil
}

// habits fills in what the national axis fills in, and puts its trace in: in
// files of 2025 it has no OrganId.
func habits(d *edxml.Document) {
	d.TraceHeaders = append(d.TraceHeaders, edxml.TraceHeader{Timestamp: edxml.TimestampOf(time.Now())})
	if d.OtherInfo.Direction == "" {
		d.OtherInfo.Direction = "false"
	}
	if d.DocumentType.TypeDetail == "" {
		d.DocumentType.TypeDetail = "0"
	}
}

// wrapped zips a PDF: in files of 2025 it still says that it is a PDF.
func (in *intake) wrapped(a *edxml.Attachment, c transport.Content) (transport.Content, error) {
	if !strings.HasSuffix(strings.ToLower(a.Name), ".pdf") {
		return c, nil
	}
	zipped, _, err := in.storing(func(w io.Writer) error {
		src, err := c.Open()
		if err != nil {
			return err
		}
		defer src.Close()
		z := zip.NewWriter(w)
		entry, err := z.Create(uuid.NewString() + ".pdf")
		if err != nil {
			return err
		}
		if _, err := io.Copy(entry, src); err != nil {
			return err
		}
		return z.Close()
	})
	return zipped, err
}

// signed carries the signatures over, which the new packet no longer fits: into
// a single file as the national axis does, in its own namespace.
func (in *intake) signed(p, from *transport.Packet, old *edxml.Packet, profile edxml.Profile) error {
	var blocks bytes.Buffer
	for _, s := range old.Signatures {
		block, err := cut(from.Envelope, s.Span)
		if err != nil {
			return err
		}
		if profile == edxml.ProfileQCVN102 {
			block = bytes.ReplaceAll(block, []byte(edxml.NamespaceDSig), []byte(edxml.NamespaceQCVN102))
		}
		blocks.Write(block)
	}
	src, err := p.Envelope.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	r, err := edxml.NewReader(src, edxml.ReadOptions{SkipContent: true})
	if err != nil {
		return err
	}
	at, whole := r.Packet().HeaderEnd, p.Envelope
	p.TokenAt = at + int64(blocks.Len())
	p.Envelope = transport.Content{Size: whole.Size + int64(blocks.Len()), Open: func() (io.ReadCloser, error) {
		src, err := whole.Open()
		if err != nil {
			return nil, err
		}
		return &readCloser{io.MultiReader(io.LimitReader(src, at), bytes.NewReader(blocks.Bytes()), src), src}, nil
	}}
	return nil
}

// cut returns a span of a content.
func cut(c transport.Content, s edxml.Span) ([]byte, error) {
	src, err := c.Open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if _, err := io.CopyN(io.Discard, src, s.Start); err != nil {
		return nil, err
	}
	block := make([]byte, s.End-s.Start)
	_, err = io.ReadFull(src, block)
	return block, err
}

// partReader hands out parts as an edxml.Reader asks for them.
type partReader struct {
	left []transport.Part
	open io.Closer
}

func (p *partReader) next() (*edxml.Part, error) {
	p.close()
	if len(p.left) == 0 {
		return nil, io.EOF
	}
	part := p.left[0]
	p.left = p.left[1:]
	src, err := part.Open()
	if err != nil {
		return nil, err
	}
	p.open = src
	return &edxml.Part{ID: part.ID, Type: part.Type, Content: src}, nil
}

func (p *partReader) close() {
	if p.open != nil {
		p.open.Close()
		p.open = nil
	}
}

// lazy opens a content when it is read and closes it at its end, so that a
// packet with many files does not hold them all open.
type lazy struct {
	open func() (io.ReadCloser, error)
	src  io.ReadCloser
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.src == nil {
		src, err := l.open()
		if err != nil {
			return 0, err
		}
		l.src = src
	}
	n, err := l.src.Read(p)
	if err != nil {
		l.src.Close()
	}
	return n, err
}

type readCloser struct {
	io.Reader
	io.Closer
}

// corrupted returns a packet of which one octet of the last file is another.
func corrupted(p *transport.Packet) *transport.Packet {
	q := *p
	if n := len(p.Parts); n > 0 {
		q.Parts = append([]transport.Part(nil), p.Parts...)
		last := &q.Parts[n-1]
		last.Content = flipped(last.Content, last.Size/2, func(b byte) byte { return b ^ 1 })
		return &q
	}
	if at := inFile(p.Envelope); at > 0 {
		q.Envelope = flipped(p.Envelope, at, func(b byte) byte {
			if b == 'A' {
				return 'B'
			}
			return 'A'
		})
	}
	return &q
}

// flipped is a content with one octet changed.
func flipped(c transport.Content, at int64, flip func(byte) byte) transport.Content {
	return transport.Content{Size: c.Size, Open: func() (io.ReadCloser, error) {
		src, err := c.Open()
		if err != nil {
			return nil, err
		}
		return &flipper{src, at, flip}, nil
	}}
}

type flipper struct {
	io.ReadCloser
	at   int64 // from where it stands
	flip func(byte) byte
}

func (f *flipper) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.at >= 0 && f.at < int64(n) {
		p[f.at] = f.flip(p[f.at])
	}
	f.at -= int64(n)
	return n, err
}

// inFile finds a place some octets into the base64 of the first file of a
// single file, 0 when it has none.
func inFile(c transport.Content) int64 {
	src, err := c.Open()
	if err != nil {
		return 0
	}
	defer src.Close()
	mark := []byte("ContentTransferEncoded")
	buf, base := make([]byte, 0, 64<<10), int64(0)
	for {
		n, err := io.ReadFull(src, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if i := bytes.Index(buf, mark); i >= 0 {
			if j := bytes.IndexByte(buf[i:], '>'); j >= 0 && i+j+4 < len(buf) {
				return base + int64(i+j+4)
			}
		}
		if err != nil {
			return 0
		}
		keep := min(len(buf), 1<<10)
		base += int64(len(buf) - keep)
		buf = append(buf[:0], buf[len(buf)-keep:]...)
	}
}
