package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// Client calls the door of a node. Its errors are a *[Problem] where the node
// refused, else those of the connection.
type Client struct {
	http *http.Client
}

// Dial returns a Client for the node that answers on a Unix socket. Nothing is
// sent before the first call.
func Dial(socket string) *Client {
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}}
}

// InProcess returns a Client that calls the routes without a network.
func InProcess(routes http.Handler) *Client {
	return &Client{&http.Client{Transport: direct{routes}}}
}

// Submit submits a packet.
func (c *Client) Submit(ctx context.Context, packet io.Reader) (*Submitted, error) {
	var s Submitted
	return &s, c.call(ctx, http.MethodPost, "/v1/outbox", packet, &s)
}

// List returns a page of a box, newest first, of Transfers older than before: at
// most limit, up to 1000; 0: 50.
func (c *Client) List(ctx context.Context, box node.Direction, before string, limit int) ([]*node.Transfer, error) {
	q := url.Values{"before": {before}, "limit": {strconv.Itoa(cmp.Or(limit, standardPage))}}
	var l List
	err := c.call(ctx, http.MethodGet, "/v1/"+string(box)+"box?"+q.Encode(), nil, &l)
	return l.Transfers, err
}

// Transfer returns one Transfer by what a person would type, see node.Resolve.
func (c *Client) Transfer(ctx context.Context, box node.Direction, ref string) (*node.Transfer, error) {
	var t node.Transfer
	return &t, c.call(ctx, http.MethodGet, path(box, ref), nil, &t)
}

// Why returns where a Transfer stands.
func (c *Client) Why(ctx context.Context, box node.Direction, ref string) (edxml.Text, error) {
	var e Bilingual
	err := c.call(ctx, http.MethodGet, path(box, ref)+"/why", nil, &e)
	return edxml.Text(e), err
}

// Report reports a status about a Document in the inbox and returns the
// Transfer that carries it.
func (c *Client) Report(ctx context.Context, ref string, r Report) (*node.Transfer, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	var t node.Transfer
	return &t, c.call(ctx, http.MethodPost, path(node.In, ref)+"/status", bytes.NewReader(body), &t)
}

// Waiting lists Documents that wait in the inbox to be taken, oldest first, held
// ones included.
func (c *Client) Waiting(ctx context.Context, limit int) ([]*node.Transfer, error) {
	var l List
	err := c.call(ctx, http.MethodGet, "/v1/inbox/waiting?limit="+strconv.Itoa(limit), nil, &l)
	return l.Transfers, err
}

// Take holds a Document of the inbox for so many seconds, see node.Take.
func (c *Client) Take(ctx context.Context, ref string, seconds int) (*Taken, error) {
	body, err := json.Marshal(Taking{Seconds: seconds})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	var t Taken
	return &t, c.call(ctx, http.MethodPost, path(node.In, ref)+"/lease", bytes.NewReader(body), &t)
}

// Done says that the caller has a Document for good which it holds by a lease.
func (c *Client) Done(ctx context.Context, ref, lease string) (*node.Transfer, error) {
	body, err := json.Marshal(Held{lease})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	var t node.Transfer
	return &t, c.call(ctx, http.MethodPost, path(node.In, ref)+"/done", bytes.NewReader(body), &t)
}

// Envelope opens the envelope of a Transfer.
func (c *Client) Envelope(ctx context.Context, box node.Direction, ref string) (io.ReadCloser, error) {
	return c.open(ctx, path(box, ref)+"/envelope")
}

// File opens an attachment of a Transfer, counted from 0.
func (c *Client) File(ctx context.Context, box node.Direction, ref string, i int) (io.ReadCloser, error) {
	return c.open(ctx, path(box, ref)+"/files/"+strconv.Itoa(i))
}

// Tokens lists the tokens there are; the local side only.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	var l TokenList
	err := c.call(ctx, http.MethodGet, "/v1/tokens", nil, &l)
	return l.Tokens, err
}

// CreateToken makes a token; the local side only.
func (c *Client) CreateToken(ctx context.Context, a Asked) (*Created, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	var made Created
	return &made, c.call(ctx, http.MethodPost, "/v1/tokens", bytes.NewReader(body), &made)
}

// RevokeToken revokes a token by its ID or name; the local side only.
func (c *Client) RevokeToken(ctx context.Context, ref string) (*Token, error) {
	var t Token
	return &t, c.call(ctx, http.MethodDelete, "/v1/tokens/"+url.PathEscape(ref), nil, &t)
}

func path(box node.Direction, ref string) string {
	return "/v1/" + string(box) + "box/" + url.PathEscape(ref)
}

func (c *Client) open(ctx context.Context, path string) (io.ReadCloser, error) {
	resp, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// call sends a request and decodes the answer.
func (c *Client) call(ctx context.Context, method, path string, body io.Reader, into any) error {
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("api: %s %s: %w", method, path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://node"+path, body)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	p := &Problem{}
	if err := json.NewDecoder(resp.Body).Decode(p); err != nil || p.Code == "" {
		return nil, fmt.Errorf("api: %s %s: the node answered %s", method, path, resp.Status)
	}
	return nil, p
}

// direct serves requests in process; bodies stream both ways.
type direct struct {
	routes http.Handler
}

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		req.Body = http.NoBody
	}
	body, w := io.Pipe()
	rec := &streamed{header: make(http.Header), body: w, ready: make(chan struct{})}
	go func() {
		defer w.Close()
		defer func() { // as net/http does it: an aborted answer is cut off
			if v := recover(); v == http.ErrAbortHandler {
				rec.WriteHeader(http.StatusOK)
				w.CloseWithError(io.ErrUnexpectedEOF)
			} else if v != nil {
				panic(v)
			}
		}()
		d.routes.ServeHTTP(rec, req)
		rec.WriteHeader(http.StatusOK)
		req.Body.Close()
		// as by a network, a body that is shorter than it said is no whole one
		if size, err := strconv.ParseInt(rec.header.Get("Content-Length"), 10, 64); err == nil && rec.written < size {
			w.CloseWithError(io.ErrUnexpectedEOF)
		}
	}()
	<-rec.ready
	if err := req.Context().Err(); err != nil {
		body.Close()
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(rec.status), StatusCode: rec.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.header, Body: body, ContentLength: -1, Request: req,
	}, nil
}

// streamed is the answer of a request in process.
type streamed struct {
	header  http.Header
	status  int
	body    *io.PipeWriter
	written int64
	ready   chan struct{} // closed when the header is complete
}

func (s *streamed) Header() http.Header { return s.header }

func (s *streamed) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
		close(s.ready)
	}
}

func (s *streamed) Write(p []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	n, err := s.body.Write(p)
	s.written += int64(n)
	return n, err
}
