package vxp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/lienthong/lienthong/transport"
)

// Fetch begins to collect a packet by the number of its delivery. Its one
// Piece is the single file, as it came. Nothing is changed by it: the delivery
// waits until [Client.Acknowledge].
//
// The packet is decoded while it is read. An axis that refuses only behind the
// packet, in the last fields of its answer, shows as the error of the last Read.
func (c *Client) Fetch(ctx context.Context, id string) (transport.Incoming, error) {
	if c.Raw {
		return c.download(ctx, id)
	}
	res, err := c.do(ctx, call{op: opFetch, params: []param{{paramID, id}}, body: braces, size: 2})
	if err != nil {
		return nil, err
	}
	max := c.Limits.withDefaults().Packet
	r := newReader(res.Body, "packet", encodedSize(max)+maxValue)
	r.response(res)
	in := &incoming{c: c, ctx: ctx, op: opFetch, res: res, left: max}
	if err := in.begin(r); err != nil {
		res.Body.Close()
		return nil, err
	}
	return in, nil
}

// begin reads up to the first octets of the packet.
func (in *incoming) begin(r *reader) error {
	err := r.open()
	found := false
	if err == nil {
		found, err = r.toData()
	}
	if f := in.c.refusal(in.op, &r.a); r.a.code != "" && f != nil {
		return f
	}
	if err != nil {
		return in.c.unreadable(in.ctx, in.op, in.res, err)
	}
	if !found {
		return in.c.unreached(in.ctx, in.op, &FieldError{Field: "data", Fault: "missing"})
	}
	text := r.text()
	packet := newDecoder(text)
	if err = packet.prime(); err == io.EOF {
		if err = r.behind(text); err == nil {
			if f := in.c.refusal(in.op, &r.a); f != nil {
				return f
			}
			err = &FieldError{Field: "data", Fault: "empty"}
		}
	}
	if err != nil {
		return in.c.unreadable(in.ctx, in.op, in.res, err)
	}
	in.packet = packet
	in.end = func() error {
		if err := r.behind(text); err != nil {
			return err
		}
		return in.c.refusal(in.op, &r.a)
	}
	return nil
}

// download begins to collect a packet as it is.
func (c *Client) download(ctx context.Context, id string) (transport.Incoming, error) {
	res, err := c.do(ctx, call{op: opDownload, method: http.MethodGet, params: []param{{paramID, id}}})
	if err != nil {
		return nil, err
	}
	in := &incoming{c: c, ctx: ctx, op: opDownload, res: res, left: c.Limits.withDefaults().Packet, end: func() error { return nil }}
	if err := in.beginRaw(); err != nil {
		res.Body.Close()
		return nil, err
	}
	return in, nil
}

// beginRaw looks at the first octets: an answer without any is a refusal.
func (in *incoming) beginRaw() error {
	body := bufio.NewReaderSize(in.res.Body, 64<<10)
	head, err := body.Peek(512)
	if err != nil && err != io.EOF {
		return in.c.unreached(in.ctx, in.op, cutOff(err))
	}
	a := answer{
		status: "FAIL", code: in.res.Header.Get(headerCode), text: in.res.Header.Get(headerText),
		http: in.res.StatusCode, retryAfter: transport.RetryAfter(in.res.Header.Get("Retry-After"), time.Now()),
	}
	low := bytes.ToLower(bytes.TrimSpace(head))
	switch {
	case a.code != "":
		return in.c.refusal(in.op, &a)
	case bytes.HasPrefix(low, []byte("<!doctype html")), bytes.HasPrefix(low, []byte("<html")):
		return in.c.unreadable(in.ctx, in.op, in.res, ErrHTML)
	case bytes.HasPrefix(low, []byte("{")):
		return in.refusedRaw(body)
	case len(low) == 0, in.res.StatusCode != http.StatusOK:
		return in.c.unreadable(in.ctx, in.op, in.res, ErrEmpty)
	}
	in.packet = body
	return nil
}

// refusedRaw reads an answer that is JSON in place of a packet.
func (in *incoming) refusedRaw(body io.Reader) error {
	r := newReader(body, "answer", in.c.Limits.withDefaults().Answer)
	r.response(in.res)
	if err := r.all(nil); err != nil {
		return in.c.unreadable(in.ctx, in.op, in.res, err)
	}
	if f := in.c.refusal(in.op, &r.a); f != nil {
		return f
	}
	return in.c.unreached(in.ctx, in.op, &FieldError{Field: "data", Fault: "missing"})
}

// incoming is a packet on its way in.
type incoming struct {
	c      *Client
	ctx    context.Context
	op     string
	res    *http.Response
	packet io.Reader
	end    func() error // what stands behind the packet
	left   int64
	given  bool
	err    error
}

// Next implements transport.Incoming: the packet, then io.EOF.
func (in *incoming) Next() (*transport.Piece, error) {
	if in.given {
		if in.err == nil { // whoever asks for more says that this one is read
			_, in.err = io.Copy(io.Discard, content{in})
		}
		if in.err != nil && in.err != io.EOF {
			return nil, in.err
		}
		return nil, io.EOF
	}
	in.given = true
	return &transport.Piece{Root: true, Type: "application/xml", Content: content{in}}, nil
}

// Close ends the call, also in the middle of the packet.
func (in *incoming) Close() error {
	if in.err == io.EOF {
		_, _ = io.CopyN(io.Discard, in.res.Body, 4<<10) // the rest of the framing, so that the connection can be used again
	}
	return in.res.Body.Close()
}

// content is the packet; its errors are Faults.
type content struct{ in *incoming }

// Read implements io.Reader.
func (r content) Read(p []byte) (int, error) {
	in := r.in
	if in.err != nil {
		return 0, in.err
	}
	n, err := in.packet.Read(p)
	if in.left -= int64(n); in.left < 0 {
		err = &LimitError{Limit: "packet", Max: in.c.Limits.withDefaults().Packet}
		n = 0
	}
	if err == io.EOF {
		if end := in.end(); end != nil {
			err = end
		}
	}
	if err != nil {
		if err != io.EOF {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = ErrTruncated
			}
			err = in.c.unreached(in.ctx, in.op, err)
		}
		in.err = err
	}
	return n, err
}
