package vxp

import (
	"fmt"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// single is a packet as the single file this wire carries.
type single struct {
	size int64 // -1 when it is made on the way
	file io.ReadCloser
	made *edxml.Document // of a packet of the SOAP profile, its attachments opened when they are read
}

// openSingle opens a packet of either profile. One of the SOAP profile becomes
// a single file: every field and file stays, signatures do not, since they are
// about the other namespace.
func openSingle(p *transport.Packet) (*single, error) {
	file, err := p.Envelope.Open()
	if err != nil {
		return nil, err
	}
	parts := p.Parts
	r, err := edxml.NewReader(file, edxml.ReadOptions{SkipContent: true, Parts: func() (*edxml.Part, error) {
		if len(parts) == 0 {
			return nil, io.EOF
		}
		part := edxml.Part{ID: parts[0].ID, Type: parts[0].Type, Content: strings.NewReader("")}
		parts = parts[1:]
		return &part, nil
	}})
	if len(p.Parts) == 0 && (err != nil || r.Packet().Profile == edxml.ProfileQCVN102) { // who collects it judges it
		file.Close()
		if file, err = p.Envelope.Open(); err != nil {
			return nil, err
		}
		return &single{size: p.Envelope.Size, file: file}, nil
	}
	defer file.Close()
	if err != nil {
		return nil, fmt.Errorf("vxp: stored packet: %w", err)
	}
	for {
		_, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("vxp: stored packet: %w", err)
		}
	}
	d := r.Packet().Document
	if d == nil || len(d.Attachments) != len(p.Parts) {
		return nil, fmt.Errorf("vxp: stored packet: its envelope does not name its %d files", len(p.Parts))
	}
	for i, part := range p.Parts {
		d.Attachments[i].Content = &lazy{open: part.Open}
	}
	return &single{size: -1, made: d}, nil
}

// copy gives the file to a function that reads it.
func (s *single) copy(to func(io.Reader) error) error {
	if s.made == nil {
		return to(s.file)
	}
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(edxml.Write(w, s.made))
	}()
	err := to(r)
	r.CloseWithError(io.ErrClosedPipe) // ends the writer when the reader gave up
	<-done
	return err
}

// close ends the reading, also in the middle of a file.
func (s *single) close() {
	if s.file != nil {
		s.file.Close()
	}
	if s.made != nil {
		for _, a := range s.made.Attachments {
			a.Content.(*lazy).close()
		}
	}
}

// lazy is a content that is opened when it is read.
type lazy struct {
	open func() (io.ReadCloser, error)
	file io.ReadCloser
	done bool
}

// Read implements io.Reader.
func (l *lazy) Read(p []byte) (int, error) {
	if l.done {
		return 0, io.EOF
	}
	if l.file == nil {
		file, err := l.open()
		if err != nil {
			return 0, err
		}
		l.file = file
	}
	n, err := l.file.Read(p)
	if err != nil {
		l.close()
	}
	return n, err
}

func (l *lazy) close() {
	l.done = true
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
