package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// The two wires carry two profiles. A packet that has to change its profile is
// written anew: every field and every file stays, but no signature, since the
// profiles have different namespaces.

// KeepFile stores a single-file packet as it comes, and each of its
// attachments as the user's file. It returns ErrBusy as Accept does.
func (n *Node) KeepFile(ctx context.Context, file io.Reader) (*Stored, error) {
	leave, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	k, err := n.keepFile(ctx, file)
	if err != nil {
		return nil, err
	}
	s := &Stored{Packet: k.packet}
	s.like.Envelope, s.like.Parts, s.like.Profile = k.file, k.parts, edxml.ProfileQCVN102
	return s, nil
}

// Recast returns the packet in the other profile; its files stay what they are.
// A single file is made as content of its own.
func (n *Node) Recast(ctx context.Context, s *Stored, to edxml.Profile) (*Stored, error) {
	if s.profile() == to {
		return s, nil
	}
	d, err := n.whole(ctx, &s.like)
	if err != nil {
		return nil, err
	}
	other := &Stored{Packet: s.Packet, like: s.like}
	other.like.Profile = to
	if to == edxml.ProfileSOAP {
		other.like.Profile = ""
		envelope, at, err := envelopeOf(d)
		if err != nil {
			return nil, err
		}
		other.like.TokenAt = at
		other.like.Parts = identified(s.like.Parts)
		other.like.Envelope, err = n.Store.Put(ctx, bytes.NewReader(envelope))
		return other, err
	}
	other.like.TokenAt = 0
	other.like.Envelope, err = n.putWritten(ctx, func(w io.Writer) error { return n.writeSingle(ctx, w, d, s.like.Parts) })
	return other, err
}

// keepAttachments stores the attachments of a packet that is being read.
func (n *Node) keepAttachments(ctx context.Context, r *edxml.Reader) ([]Part, error) {
	var parts []Part
	for {
		a, err := r.Next()
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		c, err := n.Store.Put(ctx, a.Content)
		if fault := (*edxml.ContentError)(nil); errors.As(err, &fault) {
			continue // Next makes it a Finding
		}
		if err != nil {
			return nil, err
		}
		a.SHA256 = c.SHA256
		parts = append(parts, Part{Name: a.Name, Type: edxml.TypeByName(a.Name), Content: c})
	}
}

// putWritten stores what a function writes.
func (n *Node) putWritten(ctx context.Context, write func(io.Writer) error) (Content, error) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.CloseWithError(write(w))
	}()
	c, err := n.Store.Put(ctx, r)
	_ = r.CloseWithError(io.ErrClosedPipe) // ends the writer when the store gave up
	<-done
	return c, err
}

// whole reads the Document of a stored packet, without its files.
// It has a TraceHeader of this node at the end: whoever gets the packet can see
// that it was written anew, and by whom.
func (n *Node) whole(ctx context.Context, t *Transfer) (*edxml.Document, error) {
	f, err := n.Store.Open(ctx, t.Envelope.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parts := t.Parts
	r, err := edxml.NewReader(f, edxml.ReadOptions{SkipContent: true, Parts: func() (*edxml.Part, error) {
		if len(parts) == 0 {
			return nil, io.EOF
		}
		p := edxml.Part{ID: parts[0].ID, Type: parts[0].Type, Content: strings.NewReader("")}
		parts = parts[1:]
		return &p, nil
	}})
	if err != nil {
		return nil, err
	}
	for {
		if _, err := r.Next(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	d := r.Packet().Document
	if d == nil || len(d.Attachments) != len(t.Parts) {
		return nil, fmt.Errorf("node: transfer %s: its envelope does not name its %d files", t.ID, len(t.Parts))
	}
	at := t.Created
	if at.IsZero() {
		at = time.Now()
	}
	d.TraceHeaders = append(d.TraceHeaders, edxml.TraceHeader{OrganID: n.Organ.OrganID, Timestamp: edxml.TimestampOf(at)})
	return d, nil
}

// writeSingle writes a Document with its stored files, each opened when its
// turn comes.
func (n *Node) writeSingle(ctx context.Context, w io.Writer, d *edxml.Document, parts []Part) error {
	one := *d
	one.Attachments = append([]edxml.Attachment(nil), d.Attachments...)
	var all []*turned
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	for i, p := range parts {
		c := &turned{open: n.sendable(ctx, p.Content).Open}
		all = append(all, c)
		one.Attachments[i].Content = c
	}
	return edxml.Write(w, &one)
}

// turned is a content that is opened when its turn comes, and closed behind it.
type turned struct {
	open func() (io.ReadCloser, error)
	file io.ReadCloser
	over bool
}

// Read implements io.Reader.
func (c *turned) Read(p []byte) (int, error) {
	if c.over {
		return 0, io.EOF
	}
	if c.file == nil {
		f, err := c.open()
		if err != nil {
			return 0, err
		}
		c.file = f
	}
	k, err := c.file.Read(p)
	if err != nil {
		c.close()
	}
	return k, err
}

func (c *turned) close() {
	c.over = true
	if c.file != nil {
		_ = c.file.Close()
		c.file = nil
	}
}

// envelopeOf writes a Document as a SOAP envelope, its files named so that
// MIME and the Manifest agree, and tells where the token goes.
func envelopeOf(d *edxml.Document) (envelope []byte, tokenAt int64, err error) {
	one := *d
	one.Attachments = append([]edxml.Attachment(nil), d.Attachments...)
	for i := range one.Attachments {
		one.Attachments[i].ContentID = fileID(i)
	}
	var b bytes.Buffer
	if err := edxml.WriteEnvelope(&b, &one); err != nil {
		return nil, 0, err
	}
	r, err := edxml.NewReader(bytes.NewReader(b.Bytes()), edxml.ReadOptions{})
	if err != nil {
		return nil, 0, err
	}
	return b.Bytes(), r.Packet().HeaderEnd, nil
}

// identified returns the parts under the Content-IDs of envelopeOf.
func identified(parts []Part) []Part {
	all := append([]Part(nil), parts...)
	for i := range all {
		all[i].ID = fileID(i)
	}
	return all
}

// Envelope returns the SOAP envelope of a stored packet and its parts: as it is
// kept, or written anew for one that came as a single file.
func (n *Node) Envelope(ctx context.Context, t *Transfer) (envelope []byte, tokenAt int64, parts []Part, err error) {
	d, err := n.whole(ctx, t)
	if err != nil {
		return nil, 0, nil, err
	}
	envelope, tokenAt, err = envelopeOf(d)
	return envelope, tokenAt, identified(t.Parts), err
}
