package node

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// kept is a packet whose attachments are stored.
type kept struct {
	packet   *edxml.Packet
	envelope []byte  // SOAP profile: as it came
	file     Content // single file: as it came, where the wire carries those
	parts    []Part
}

// keep reads a packet and stores its attachments, each as the user's file.
func (n *Node) keep(ctx context.Context, r io.Reader) (*kept, error) {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(64); soap.IsFile(head) {
		return n.keepMIME(ctx, in)
	}
	if n.Wire == edxml.ProfileQCVN102 {
		return n.keepFile(ctx, in)
	}
	rd, err := edxml.NewReader(in, edxml.ReadOptions{Undigested: true})
	if err != nil {
		return nil, err
	}
	parts, err := n.keepAttachments(ctx, rd)
	if err != nil {
		return nil, err
	}
	return &kept{packet: rd.Packet(), parts: parts}, nil
}

// identify gives every part of a packet that changes its profile a Content-ID
// that MIME and the Manifest agree on.
func (k *kept) identify() {
	for i := range k.parts {
		k.parts[i].ID, k.packet.Document.Attachments[i].ContentID = fileID(i), fileID(i)
	}
}

// fileID is the Content-ID that this house gives a file.
func fileID(i int) string { return fmt.Sprintf("file-%d", i+1) }

// keepMIME reads a SOAP packet in one file.
func (n *Node) keepMIME(ctx context.Context, in io.Reader) (*kept, error) {
	m, err := soap.ReadFile(in, soap.Limits{})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	root, err := m.Next()
	if err != nil {
		return nil, err
	}
	envelope, err := io.ReadAll(root.Content)
	if err != nil {
		return nil, err
	}
	parts, packet, err := n.keepParts(ctx, envelope, &soapPieces{m})
	if err != nil {
		return nil, err
	}
	return &kept{packet: packet, envelope: envelope, parts: parts}, nil
}

// soapPieces gives a SOAP message the shape of an Incoming.
type soapPieces struct {
	*soap.Message
}

func (s *soapPieces) Next() (*transport.Piece, error) {
	p, err := s.Message.Next()
	if err != nil {
		return nil, err
	}
	return &transport.Piece{Root: p.Root, ID: p.ID, Type: p.Type, Content: p.Content}, nil
}

// unreadable reports that the packet itself is at fault: fetching it again
// would bring the same bytes.
func unreadable(err error) bool {
	var syntax *xmlscan.SyntaxError
	var xmlLimit *xmlscan.LimitError
	var limit *edxml.LimitError
	return errors.Is(err, edxml.ErrNotPacket) || errors.As(err, &syntax) || errors.As(err, &xmlLimit) || errors.As(err, &limit)
}

// keepParts stores the parts that follow an envelope and returns them with
// what the packet says. A part is looked at on its way into the store.
func (n *Node) keepParts(ctx context.Context, envelope []byte, in transport.Incoming) ([]Part, *edxml.Packet, error) {
	var parts []Part
	var latest *passing
	r, err := edxml.NewReader(bytes.NewReader(envelope), edxml.ReadOptions{Undigested: true, Parts: func() (*edxml.Part, error) {
		piece, err := in.Next()
		if err != nil {
			return nil, err
		}
		latest = &passing{octets: piece.Content}
		parts = append(parts, Part{ID: piece.ID, Type: piece.Type})
		return &edxml.Part{ID: piece.ID, Type: piece.Type, Content: latest}, nil
	}})
	if err != nil {
		return nil, nil, err
	}
	for i := 0; ; i++ {
		a, err := r.Next()
		if err == io.EOF {
			return parts, r.Packet(), nil
		}
		if err != nil {
			return nil, nil, err
		}
		parts[i].Name = a.Name
		if parts[i].Content, err = n.keepPart(ctx, a, latest); err != nil {
			return nil, nil, err
		}
	}
}

// keepPart stores the octets of a part, and sees to it that the attachment gets
// the digest of the user's file: the same octets, unless the file is wrapped.
func (n *Node) keepPart(ctx context.Context, a *edxml.Attachment, p *passing) (Content, error) {
	if !a.Wrapped {
		p.known = true
		c, err := n.Store.Put(ctx, a.Content)
		a.SHA256 = c.SHA256
		return c, err
	}
	octets := io.MultiReader(bytes.NewReader(p.head.Bytes()), p.octets)
	p.known = true
	c, err := n.Store.Put(ctx, octets)
	if err != nil {
		return c, err
	}
	f, err := n.Store.Open(ctx, c.SHA256)
	if err != nil {
		return c, err
	}
	defer f.Close()
	p.octets = io.NewSectionReader(f, int64(p.head.Len()), f.Size()-int64(p.head.Len()))
	sum := sha256.New()
	_, err = io.Copy(sum, a.Content)
	if fault := (*edxml.ContentError)(nil); errors.As(err, &fault) {
		return c, nil // Next makes it a Finding
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return c, err
}

// passing is a part on its way through the reader of a packet. It remembers
// what is read before it is known how the part is to be stored.
type passing struct {
	octets io.Reader
	known  bool
	head   bytes.Buffer
}

// Read implements io.Reader.
func (p *passing) Read(b []byte) (int, error) {
	n, err := p.octets.Read(b)
	if !p.known {
		p.head.Write(b[:n])
	}
	return n, err
}
