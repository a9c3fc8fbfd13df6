package edoc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// Fetch begins to collect a Document by the axis's number for it. It can be
// collected again, also after [Client.Acknowledge]. The envelope is given as
// it came, except that an access token in it is cut out.
//
// QUIRK: the BKAV axis hands on the sender's envelope with the sender's token,
// and gives each file as base64 text in a part that says it is the file
// (public server code). Text of that kind is decoded on the way, unless the
// axis agrees to send parts as they are.
func (c *Client) Fetch(ctx context.Context, id string) (transport.Incoming, error) {
	request := soap.ControlEnvelope("", "<GetDocumentRequest>"+element("OrganId", c.Organ)+
		element("DocumentId", id)+element("Token", string(c.Token))+"</GetDocumentRequest>")
	body, err := controlBody(request)
	if err != nil {
		return nil, c.ill(opFetch, false, "%v", err)
	}
	x := c.exchange(ctx, opFetch)
	x.header = http.Header{partsHeader: {partsBinary}, "Accept-Encoding": {"identity"}} // files are packed already
	in, err := c.incoming(x, body)
	if err != nil {
		x.close()
		return nil, err
	}
	return in, nil
}

// incoming asks for a Document and looks at the envelope of the answer.
func (c *Client) incoming(x *exchange, request *soap.Body) (*incoming, error) {
	if err := x.post(request); err != nil {
		return nil, err
	}
	e, err := x.root()
	if err != nil {
		return nil, err
	}
	first, ok := e.first()
	switch {
	case !ok && len(e.header) == 0:
		return nil, c.ill(opFetch, true, "the axis answered with an empty envelope")
	case ok && first.name.Local == "Report":
		var r wire.Report
		if err := e.decode(first, &r); err != nil {
			return nil, c.ill(opFetch, true, "%v", err)
		}
		if err := c.refusal(opFetch, &r); err != nil {
			return nil, err
		}
		return nil, c.ill(opFetch, true, "the answer is a Report of success without the document")
	case ok && !e.isPacket():
		return nil, c.ill(opFetch, true, "the answer holds %q, no document", clip(first.name.Local))
	}
	_, carriers := e.tokens()
	return &incoming{x: x, envelope: e.without(carriers), binary: x.res.Header.Get(partsHeader) == partsBinary}, nil
}

// isPacket tells whether the message carries a Document or a Status.
func (e *envelope) isPacket() bool {
	for _, b := range e.header {
		if b.name.Local == "MessageHeader" || b.name.Local == "Status" {
			return true
		}
	}
	return false
}

// incoming is a Document on its way in.
type incoming struct {
	x        *exchange
	envelope []byte // nil once handed out
	binary   bool
}

// Next implements transport.Incoming.
func (in *incoming) Next() (*transport.Piece, error) {
	if in.envelope != nil {
		piece := &transport.Piece{Root: true, ID: envelopeID, Type: "text/xml; charset=utf-8", Content: bytes.NewReader(in.envelope)}
		in.envelope = nil
		return piece, nil
	}
	part, err := in.x.msg.Next()
	if err == io.EOF {
		in.x.whole = true
		return nil, io.EOF
	}
	if err != nil {
		return nil, in.broken(err)
	}
	content := part.Content
	if !in.binary {
		if content, err = unwrap(content); err != nil {
			return nil, in.broken(err)
		}
	}
	return &transport.Piece{ID: part.ID, Type: part.Type, Content: &faulty{content, in}}, nil
}

// Close ends the call, also in the middle of a part.
func (in *incoming) Close() error {
	in.envelope = nil
	return in.x.close()
}

func (in *incoming) broken(err error) error {
	return in.x.c.unreached(in.x.ctx, opFetch, fmt.Errorf("the packet breaks off: %w", err))
}

// faulty makes Faults of the errors of a part.
type faulty struct {
	io.Reader
	in *incoming
}

func (r *faulty) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = r.in.broken(err)
	}
	return n, err
}

// packetAnswer frames a packet as the answer to GetDocument.
func packetAnswer(p *transport.Packet, binary bool) (*soap.Body, error) {
	root := soap.Part{ID: envelopeID, Encoding: "8bit", Size: p.Envelope.Size, Open: p.Envelope.Open}
	files := make([]soap.Part, len(p.Parts))
	for i, f := range p.Parts {
		files[i] = soap.Part{ID: f.ID, Type: f.Type, Encoding: "binary", Size: f.Size, Open: f.Open}
		if !binary {
			files[i].Size = encodedSize(f.Size)
			files[i].Open = func() (io.ReadCloser, error) {
				content, err := f.Open()
				if err != nil {
					return nil, err
				}
				return &spliced{Reader: newEncoder(content), Closer: content}, nil
			}
		}
	}
	return soap.NewBody(root, files)
}
