package edoc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// envelopeID is the Content-ID of the envelope in what this package sends.
const envelopeID = "envelope"

// Send hands a Document to the axis. The envelope travels byte for byte, but
// for the access token, which is put in at TokenAt as a header block of its
// own. The answer "exists already" is success: an earlier answer was lost. An
// answer without SendDocumentResponse is a failure. A packet may be sent again
// after a failure; every try opens its contents anew.
func (c *Client) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	body, err := c.sendBody(p)
	if err != nil {
		return transport.Receipt{}, c.ill(opSend, false, "%v", err)
	}
	x := c.exchange(ctx, opSend)
	defer x.close()
	if err := x.post(body); err != nil {
		return transport.Receipt{}, err
	}
	e, err := x.root()
	if err != nil {
		return transport.Receipt{}, err
	}
	x.whole = true
	if err := c.expect(opSend, e); err != nil {
		return transport.Receipt{}, exists(err)
	}
	var r wire.SendDocumentResponse
	switch err := e.decode(e.body[0], &r); {
	case err != nil:
		return transport.Receipt{}, c.ill(opSend, true, "%v", err)
	case r.Report == nil:
		return transport.Receipt{}, c.ill(opSend, true, "the answer has no Report")
	}
	id := strings.TrimSpace(r.DocumentId)
	err = exists(c.refusal(opSend, r.Report))
	if errors.Is(err, errExists) {
		return transport.Receipt{ID: id, Existed: true}, nil
	}
	if err != nil {
		return transport.Receipt{}, err
	}
	return transport.Receipt{ID: id}, nil
}

var errExists = errors.New("edoc: the axis has the document already")

// exists turns the refusal M.Exist into errExists.
func exists(err error) error {
	var f *transport.Fault
	if errors.As(err, &f) && f.Code == CodeExist {
		return errExists
	}
	return err
}

// sendBody frames a packet for the wire.
func (c *Client) sendBody(p *transport.Packet) (*soap.Body, error) {
	if p.Envelope.Open == nil || p.TokenAt <= 0 || p.TokenAt >= p.Envelope.Size {
		return nil, fmt.Errorf("the packet has no place for the access token: offset %d of %d", p.TokenAt, p.Envelope.Size)
	}
	token := tokenHeader(c.Organ, c.Token)
	root := soap.Part{
		ID: envelopeID, Encoding: "8bit", Size: p.Envelope.Size + int64(len(token)),
		Open: func() (io.ReadCloser, error) {
			content, err := p.Envelope.Open()
			if err != nil {
				return nil, err
			}
			return &spliced{Reader: splice(content, p.TokenAt, token), Closer: content}, nil
		},
	}
	files := make([]soap.Part, len(p.Parts))
	for i, f := range p.Parts {
		files[i] = soap.Part{ID: f.ID, Type: f.Type, Encoding: "binary", Size: f.Size, Open: f.Open}
	}
	return soap.NewBody(root, files)
}

// tokenHeader is the header block that carries the access token. It declares
// its own namespace, so that it can stand in any envelope.
func tokenHeader(organ string, token edxml.Secret) string {
	return `<edXML:Signature xmlns:edXML="` + edxml.NamespaceEDoc + `"><edXML:KeyInfo>` +
		element("edXML:OrganId", organ) + element("edXML:Token", string(token)) +
		`</edXML:KeyInfo></edXML:Signature>`
}

type spliced struct {
	io.Reader
	io.Closer
}

// splice yields src with text put in at an offset, where an end tag must begin.
func splice(src io.Reader, at int64, text string) io.Reader {
	return io.MultiReader(io.LimitReader(src, at), strings.NewReader(text), &endTag{src: src, at: at})
}

// endTag passes src on if it begins with an end tag, so that a wrong offset
// cannot put a token into the middle of a signed element's text.
type endTag struct {
	src     io.Reader
	at      int64
	checked bool
}

func (r *endTag) Read(p []byte) (int, error) {
	if r.checked {
		return r.src.Read(p)
	}
	head := make([]byte, 2)
	if _, err := io.ReadFull(r.src, head); err != nil || string(head) != "</" {
		return 0, fmt.Errorf("edoc: no end tag at offset %d of the envelope, the access token cannot go there", r.at)
	}
	r.checked, r.src = true, io.MultiReader(bytes.NewReader(head), r.src)
	return r.src.Read(p)
}
