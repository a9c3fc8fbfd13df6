package node

import (
	"bufio"
	"bytes"
	"context"
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
	rd, err := edxml.NewReader(in, edxml.ReadOptions{})
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
// what the packet says.
func (n *Node) keepParts(ctx context.Context, envelope []byte, in transport.Incoming) ([]Part, *edxml.Packet, error) {
	var parts []Part
	var last Opened // each part is read before the next is asked for
	shut := func() {
		if last != nil {
			last.Close()
		}
	}
	defer shut()
	r, err := edxml.NewReader(bytes.NewReader(envelope), edxml.ReadOptions{Parts: func() (*edxml.Part, error) {
		shut()
		last = nil
		piece, err := in.Next()
		if err != nil {
			return nil, err
		}
		kept, err := n.Store.Put(ctx, piece.Content)
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{ID: piece.ID, Type: piece.Type, Content: kept})
		f, err := n.Store.Open(ctx, kept.SHA256)
		if err != nil {
			return nil, err
		}
		last = f
		return &edxml.Part{ID: piece.ID, Type: piece.Type, Content: f}, nil
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
	}
}
