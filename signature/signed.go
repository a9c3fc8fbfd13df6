package signature

import (
	"bytes"
	"crypto"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync/atomic"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Signed is one piece of content that an acceptable signature binds. A verdict
// lists them all, and there is no other way to content as it was signed.
type Signed struct {
	// Name is "packet" for the whole XML but the signature, MessageHeader,
	// Bussiness or Manifest for a part, else the attachment's name.
	Name string
	ID   string // Content-ID of an attachment; "" for the packet and its parts

	open func() (io.ReadCloser, error)
}

// Open reads exactly what was digested: canonical XML of the packet or part;
// the octets of a file beside an envelope; what the base64 of an attachment
// inside a packet stands for. The digest is compared once more on the way: the
// content counts only when reading ends with io.EOF, and with [ErrDigest] what
// was read is not, or no longer, what was signed. The packet and the files
// given to Verify must still be there; the reader must be closed.
func (s Signed) Open() (io.ReadCloser, error) {
	if s.open == nil {
		return nil, fmt.Errorf("%w: no verdict covers %q", ErrCoverage, s.Name)
	}
	return s.open()
}

// contents lists what an acceptable signature binds.
func (v *verifying) contents(c *candidate) []Signed {
	var all []Signed
	for i, r := range c.block.refs {
		job := c.jobs[i]
		switch {
		case c.block.properties != nil && c.block.properties.ref == r:
		case job == nil:
			all = append(all, v.file(c, r))
		default:
			name := "packet"
			if !job.whole {
				name = job.part.String()
			}
			all = append(all, Signed{Name: name, open: v.opener(func(packet io.ReaderAt, w io.Writer) error {
				return v.again(packet, c, r, w, nil)
			})})
			if job.whole {
				for n, a := range v.inline {
					all = append(all, Signed{Name: a.label(), ID: a.id, open: v.opener(func(packet io.ReaderAt, w io.Writer) error {
						return v.again(packet, c, r, nil, &oneInline{which: n, w: w})
					})})
				}
			}
		}
	}
	return all
}

// file is an attachment that has a Reference of its own.
func (v *verifying) file(c *candidate, r *ref) Signed {
	id := strings.TrimPrefix(r.uri, "cid:")
	s := Signed{Name: v.nameOf(id), ID: id}
	if v.profile == edxml.ProfileSOAP {
		s.open = func() (io.ReadCloser, error) { return openFile(v.content[id], r) }
		return s
	}
	for n, a := range v.inline {
		if a.id == id {
			s.open = v.opener(func(packet io.ReaderAt, w io.Writer) error {
				one := &oneInline{which: n, w: w, method: r.method, digest: r.digest}
				return v.again(packet, c, nil, nil, one)
			})
		}
	}
	return s
}

// again reads the packet once more: the octets of a Reference go to w, those
// of an attachment where it says, and the digest is compared at the end.
func (v *verifying) again(packet io.ReaderAt, c *candidate, r *ref, w io.Writer, one *oneInline) error {
	read := newReading(packet, v.size, v.o.Limits)
	read.leaveOut = c.Place.Offset
	read.block = func(*xmlscan.Tree) error { return nil }
	var job *octets
	if r != nil {
		var err error
		if job, err = newJob(r, w); err != nil {
			return err
		}
		read.listeners = append(read.listeners, job)
	}
	if one != nil {
		read.listeners = append(read.listeners, one)
	}
	if err := read.run(); err != nil {
		return err
	}
	if one != nil && one.err != nil {
		return one.err
	}
	if job == nil {
		return nil
	}
	sum, err := job.sum()
	if err == nil && !bytes.Equal(sum, r.digest) {
		err = refuse(ErrDigest, "the packet is no longer what was verified")
	}
	return err
}

// oneInline takes one attachment out of a single-file packet.
type oneInline struct {
	which  int
	w      io.Writer
	method crypto.Hash // 0: a Reference to the whole packet binds it
	digest []byte

	seen int
	cur  *decoder
	err  error
}

func (d *oneInline) tree(*etree.Element) {}

func (d *oneInline) token(o *outline, t *xmlscan.Token) {
	switch {
	case t.Kind == xmlscan.Start && o.inAttachment(0):
		d.seen++
	case d.seen != d.which+1 || !o.inAttachment(1):
	case t.Kind == xmlscan.Start && t.Name.Local == "ContentTransferEncoded":
		method := d.method
		if method == 0 {
			method = crypto.SHA256 // nobody compares it
		}
		d.cur = &decoder{h: &tee{Hash: method.New(), w: d.w}}
	case t.Kind == xmlscan.Text && d.cur != nil:
		d.cur.write(t.Text)
	case t.Kind == xmlscan.End && d.cur != nil:
		sum, err := d.cur.close()
		if err == nil && d.method != 0 && !bytes.Equal(sum, d.digest) {
			err = refuse(ErrDigest, "the attachment is no longer what was verified")
		}
		d.cur, d.err = nil, err
	}
}

// tee is a hash that also hands on what it gets.
type tee struct {
	hash.Hash
	w   io.Writer
	err error
}

// Write implements io.Writer; the reader at the other end may have gone, which
// ends the reading of the packet.
func (t *tee) Write(b []byte) (int, error) {
	if t.err == nil {
		_, t.err = t.w.Write(b)
	}
	return t.Hash.Write(b)
}

// opener makes a reader out of a function that reads the packet and writes.
func (v *verifying) opener(run func(packet io.ReaderAt, w io.Writer) error) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		s := &stream{PipeReader: r}
		go func() { w.CloseWithError(run(stoppable{v.packet, s}, w)) }()
		return s, nil
	}
}

// stream is the reading end.
type stream struct {
	*io.PipeReader
	closed atomic.Bool
}

// Close ends the reading of the packet.
func (s *stream) Close() error {
	s.closed.Store(true)
	return s.PipeReader.Close()
}

// stoppable is a packet nobody needs to read on when the stream is closed.
type stoppable struct {
	io.ReaderAt
	stream *stream
}

// ReadAt implements io.ReaderAt.
func (s stoppable) ReadAt(b []byte, at int64) (int, error) {
	if s.stream.closed.Load() {
		return 0, io.ErrClosedPipe
	}
	return s.ReaderAt.ReadAt(b, at)
}

// openFile opens a file beside the envelope whose digest is compared at its end.
func openFile(f Content, r *ref) (io.ReadCloser, error) {
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMissingContent, f.Name, err)
	}
	return &checked{in, r.method.New(), r.digest, f.Name}, nil
}

// checked compares the digest of what was read at its end.
type checked struct {
	io.ReadCloser
	h      hash.Hash
	digest []byte
	name   string
}

// Read implements io.Reader.
func (c *checked) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.h.Write(b[:n])
	if err == io.EOF && !bytes.Equal(c.h.Sum(nil), c.digest) {
		err = refuse(ErrDigest, "%s is no longer what was verified", c.name)
	}
	return n, err
}
