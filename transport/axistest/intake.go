package axistest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// intake is a Document being taken: its contents become files.
type intake struct {
	axis    *Axis
	head    edxml.Document
	profile edxml.Profile
	packet  transport.Packet
	files   []string
	octets  int64
}

// take stores the envelope and the files of a Submission.
func (in *intake) take(s *edoc.Submission) error {
	content, _, err := in.store(bytes.NewReader(s.Envelope))
	if err != nil {
		return err
	}
	in.profile, in.packet = edxml.ProfileSOAP, transport.Packet{Envelope: content, TokenAt: s.Packet.HeaderEnd}
	for {
		piece, err := s.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		content, sum, err := in.store(piece.Content)
		if err != nil {
			return err
		}
		in.head.Attachments = append(in.head.Attachments, edxml.Attachment{Name: piece.ID, ContentID: piece.ID, Size: content.Size, SHA256: sum})
		in.packet.Parts = append(in.packet.Parts, transport.Part{ID: piece.ID, Type: piece.Type, Content: content})
	}
}

// store writes one content to a file.
func (in *intake) store(r io.Reader) (transport.Content, string, error) {
	return in.storing(func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// storing makes a file of what write writes.
func (in *intake) storing(write func(io.Writer) error) (transport.Content, string, error) {
	dir, err := in.axis.folder()
	if err != nil {
		return transport.Content{}, "", err
	}
	f, err := os.CreateTemp(dir, "content-")
	if err != nil {
		return transport.Content{}, "", err
	}
	name := filepath.Join(dir, filepath.Base(f.Name()))
	in.files = append(in.files, name)
	hash := sha256.New()
	m := &metered{w: io.MultiWriter(f, hash), in: in}
	err = write(m)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return transport.Content{}, "", err
	}
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	return transport.Content{Size: m.n, Open: open}, hex.EncodeToString(hash.Sum(nil)), nil
}

// discard removes what was stored.
func (in *intake) discard() {
	for _, name := range in.files {
		os.Remove(name) // Close removes what stays
	}
	in.axis.grow(-in.octets)
}

// metered counts what is stored against Options.Total.
type metered struct {
	w  io.Writer
	in *intake
	n  int64
}

func (m *metered) Write(p []byte) (int, error) {
	m.n += int64(len(p))
	m.in.octets += int64(len(p))
	if m.in.axis.grow(int64(len(p))) > m.in.axis.o.Total {
		return 0, &transport.Fault{Operation: "SendDocument", Code: edoc.CodeSave, Transient: true, Text: fmt.Sprintf(
			"trục thử đã đầy (%[1]d byte) / the test axis is full (%[1]d bytes)", m.in.axis.o.Total)}
	}
	return m.w.Write(p)
}

// grow accounts for octets stored or removed and returns how many there are.
func (a *Axis) grow(n int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stored += n
	return a.stored
}
