package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/soap"
)

// draft is a packet that is about to be written. The content of its
// attachments is read anew each time it is needed.
type draft struct {
	profile  edxml.Profile
	document *edxml.Document
	status   *edxml.Status
	files    []draftFile // the content of the document's attachments, in their order
}

// draftFile is the content of an attachment.
type draftFile struct {
	size int64
	open func() (io.ReadCloser, error)
	sum  string // SHA-256 of what was read last, lower-case hex
}

// writable refuses what has no form in its profile.
func (d *draft) writable() error {
	switch d.profile {
	case edxml.ProfileQCVN102:
	case edxml.ProfileSOAP:
		if d.status != nil {
			return told{exitInvalid, edxml.Text{
				VI: "gói tin trạng thái chỉ có dạng một tệp (qcvn102)", EN: "a status packet has the form of a single file only (qcvn102)",
			}, edxml.Text{VI: "bỏ --profile soap", EN: "leave out --profile soap"}}
		}
	default:
		return told{exitInvalid, edxml.Text{
			VI: fmt.Sprintf("profile là %q, phải là qcvn102 hoặc soap", d.profile), EN: fmt.Sprintf("profile is %q, it must be qcvn102 or soap", d.profile),
		}, edxml.Text{}}
	}
	return nil
}

// section is a stretch of a file that is closed with it.
type section struct {
	io.Reader
	io.Closer
}

// write writes the packet.
func (d *draft) write(w io.Writer) error {
	switch {
	case d.status != nil:
		return edxml.WriteStatus(w, d.status)
	case d.profile == edxml.ProfileSOAP:
		return d.writeSOAP(w)
	}
	doc := *d.document
	doc.Attachments = slices.Clone(doc.Attachments)
	for i := range doc.Attachments {
		content := &lateContent{file: &d.files[i]}
		defer content.Close()
		doc.Attachments[i].Content = content
	}
	return edxml.Write(w, &doc)
}

func (d *draft) writeSOAP(w io.Writer) error {
	var envelope bytes.Buffer
	if err := edxml.WriteEnvelope(&envelope, d.document); err != nil {
		return err
	}
	root := soap.Part{ID: "envelope-" + rand.Text(), Size: int64(envelope.Len()), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(envelope.Bytes())), nil
	}}
	files := make([]soap.Part, len(d.files))
	for i, a := range d.document.Attachments {
		files[i] = soap.Part{ID: a.ContentID, Type: a.ContentType, Size: d.files[i].size, Open: func() (io.ReadCloser, error) {
			return &lateContent{file: &d.files[i]}, nil
		}}
	}
	body, err := soap.NewBody(root, files)
	if err != nil {
		return err
	}
	return body.WriteFile(w)
}

// lateContent reads a file that is opened with the first Read, so that a
// packet of many files does not hold them all open, and notes its digest.
type lateContent struct {
	file   *draftFile
	r      io.ReadCloser
	hash   hash.Hash
	closed bool
}

// Read implements io.Reader.
func (l *lateContent) Read(b []byte) (int, error) {
	if l.r == nil {
		var err error
		if l.r, err = l.file.open(); err != nil {
			return 0, err
		}
		l.hash = sha256.New()
	}
	n, err := l.r.Read(b)
	l.hash.Write(b[:n])
	if err == io.EOF {
		l.file.sum = hex.EncodeToString(l.hash.Sum(nil))
		if err := l.Close(); err != nil {
			return n, err
		}
	}
	return n, err
}

// Close implements io.Closer. It may be called again.
func (l *lateContent) Close() error {
	if l.r == nil || l.closed {
		return nil
	}
	l.closed = true
	return l.r.Close()
}

// read reads the packet as it will be written, without keeping it anywhere: so
// every rule is checked before the first byte goes out, and that each file
// comes out as it went in.
func (d *draft) read() (*edxml.Packet, error) {
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.CloseWithError(d.write(in))
	}()
	packet, err := d.parse(out)
	out.CloseWithError(err) // so that the writer ends in any case
	<-ended
	if err != nil {
		return nil, err
	}
	for i, f := range d.files {
		if a := packet.Document.Attachments[i]; a.SHA256 != f.sum {
			return nil, told{exitInvalid, edxml.Text{
				VI: fmt.Sprintf("tệp đính kèm %q: nơi nhận sẽ tưởng đây là lớp nén của gói tin và bung ra", a.Name),
				EN: fmt.Sprintf("attachment %q: its readers would take it for the packet's own zip and unpack it", a.Name),
			}, edxml.Text{VI: "đặt đuôi .zip cho tệp nén", EN: "let the name of a zip end in .zip"}}
		}
	}
	return packet, nil
}

func (d *draft) parse(r io.Reader) (*edxml.Packet, error) {
	if d.status != nil || d.profile != edxml.ProfileSOAP {
		return edxml.Read(r, edxml.ReadOptions{})
	}
	message, err := soap.ReadFile(r, soap.Limits{})
	if err != nil {
		return nil, err
	}
	defer message.Close()
	root, err := message.Next()
	if err != nil {
		return nil, err
	}
	return edxml.Read(root.Content, edxml.ReadOptions{Parts: func() (*edxml.Part, error) {
		part, err := message.Next()
		if err != nil {
			return nil, err
		}
		return &edxml.Part{ID: part.ID, Type: part.Type, Content: part.Content}, nil
	}})
}
