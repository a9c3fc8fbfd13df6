package vxp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// ErrNotFile says that a packet is an envelope with parts; this wire carries
// single files only. [edxml.Convert] makes one of the other.
var ErrNotFile = errors.New("vxp: the packet is a SOAP envelope; this wire carries single files (QCVN 102)")

// maxReceivers bounds the header that names the receivers, in octets: servers
// take headers of 8 KiB and up, and the names stand there twice.
const maxReceivers = 2 << 10

// Send hands a packet over, a Document or a Status: its Envelope is the single
// file, byte for byte, and there are no Parts. Sender and receivers are those
// in the packet. A packet may be sent again after a failure; every try opens
// it anew, and a second time where its SHA256 is not given.
//
// The receivers travel in a header, too, while they fit into 2 KiB; the axis
// reads them in the packet where the header is missing (vendor's sample).
func (c *Client) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	if len(p.Parts) > 0 || p.Envelope.Open == nil {
		return transport.Receipt{}, c.ill(opSend, ErrNotFile)
	}
	if p.Carriage != nil {
		return c.Carry(ctx, *p.Carriage, p.Envelope)
	}
	packet, sum, err := examine(ctx, p.Envelope)
	if err != nil {
		return transport.Receipt{}, c.ill(opSend, err)
	}
	message, from, to := "edoc", "", []string(nil)
	if s := packet.Status; s != nil {
		message, from, to = "status", s.From.OrganID, []string{s.ResponseFor.OrganID}
	} else {
		from = packet.Document.From.OrganID
		for _, o := range packet.Document.To {
			to = append(to, o.OrganID)
		}
	}
	params := []param{{paramFrom, from}, {paramService, "eDoc"}, {paramMessage, message}}
	if header, err := json.Marshal(to); err != nil {
		return transport.Receipt{}, c.ill(opSend, err)
	} else if len(to) > 0 && len(header) <= maxReceivers && printable(string(header)) {
		params = append(params, param{paramTo, string(header)})
	}
	return c.hand(ctx, p.Envelope, "", append(params, param{paramFileHash, FileHash(sum)}))
}

// Carry hands over a file of another service than edXML, as it is, from one
// organ to others. What it is remains between them. Our own axis takes a Key
// once; the national axis does not know it, so that a file whose answer was
// lost may arrive there twice.
func (c *Client) Carry(ctx context.Context, k transport.Carriage, file transport.Content) (transport.Receipt, error) {
	sum, err := digest(ctx, file)
	if err != nil {
		return transport.Receipt{}, c.ill(opSend, err)
	}
	header, err := json.Marshal(k.To)
	if err != nil {
		return transport.Receipt{}, c.ill(opSend, err)
	}
	return c.hand(ctx, file, k.Key, []param{
		{paramFrom, k.From}, {paramService, k.Service}, {paramMessage, "edoc"}, {paramTo, string(header)}, {paramFileHash, FileHash(sum)}})
}

// hand makes the call that hands a file over.
func (c *Client) hand(ctx context.Context, file transport.Content, key string, params []param) (transport.Receipt, error) {
	a, err := c.ask(ctx, call{
		op: opSend, media: "application/octet-stream", size: file.Size + int64(len(lineEnd)), key: key,
		params: params, body: func() (io.ReadCloser, error) { return withLineEnd(file) },
	}, "answer", c.Limits.withDefaults().Answer, nil)
	switch {
	case err != nil:
		return transport.Receipt{}, err
	case a.docID == "":
		return transport.Receipt{}, c.unreached(ctx, opSend, &FieldError{Field: "DocId", Fault: "missing"})
	}
	return transport.Receipt{ID: a.docID, Existed: a.existed}, nil
}

// digest is the SHA-256 of a content.
func digest(ctx context.Context, content transport.Content) (sum [sha256.Size]byte, err error) {
	if content.SHA256 != "" {
		return knownDigest(content.SHA256)
	}
	file, err := content.Open()
	if err != nil {
		return sum, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, &cancellable{ctx, file}); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// knownDigest reads a digest.
func knownDigest(text string) (sum [sha256.Size]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(sum) {
		return sum, fmt.Errorf("vxp: %.80q is no SHA-256", text)
	}
	return [sha256.Size]byte(raw), nil
}

// lineEnd stands behind the file in the body of sendEdoc.
//
// QUIRK: the SDK puts it there, a remainder of multipart; the digest does not
// cover it. The axis may well cut off two octets unseen.
const lineEnd = "\r\n"

// withLineEnd opens a packet as the body of sendEdoc.
func withLineEnd(content transport.Content) (io.ReadCloser, error) {
	file, err := content.Open()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(file, strings.NewReader(lineEnd)), file}, nil
}

// examine reads what the headers of sendEdoc have to say about a packet.
func examine(ctx context.Context, content transport.Content) (*edxml.Packet, [sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	file, err := content.Open()
	if err != nil {
		return nil, sum, err
	}
	defer file.Close()
	hash := sha256.New()
	src := io.Reader(&cancellable{ctx, file})
	known := content.SHA256 != ""
	if !known {
		src = io.TeeReader(src, hash)
	}
	r, err := edxml.NewReader(src, edxml.ReadOptions{})
	if err != nil {
		return nil, sum, err
	}
	if r.Packet().Profile != edxml.ProfileQCVN102 {
		return nil, sum, ErrNotFile
	}
	if known {
		sum, err := knownDigest(content.SHA256)
		return r.Packet(), sum, err
	}
	if _, err := io.Copy(io.Discard, src); err != nil {
		return nil, sum, err
	}
	return r.Packet(), [sha256.Size]byte(hash.Sum(nil)), nil
}

// cancellable ends with its context.
type cancellable struct {
	ctx context.Context
	src io.Reader
}

// Read implements io.Reader.
func (r *cancellable) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.src.Read(p)
}

// ill is the Fault for a packet that cannot be sent here; where the fault is
// the reading of it, another try may help.
func (c *Client) ill(op string, err error) error {
	var content bool
	for _, final := range []error{ErrNotFile, edxml.ErrNotPacket, edxml.ErrAntivirusReport} {
		content = content || errors.Is(err, final)
	}
	return &transport.Fault{Operation: op, Transient: !content, Err: err}
}

// SendStatus reports a Status as a packet of its own.
func (c *Client) SendStatus(ctx context.Context, s *edxml.Status) error {
	var b bytes.Buffer
	if err := edxml.WriteStatus(&b, s); err != nil {
		return c.ill(opSend, err)
	}
	_, err := c.Send(ctx, &transport.Packet{Envelope: transport.Content{Size: int64(b.Len()), Open: fixed(b.Bytes())}})
	return err
}
