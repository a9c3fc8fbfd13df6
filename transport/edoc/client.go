package edoc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// Client calls an axis for one organ. URL, Organ and Token are needed; the
// other fields have defaults. It may be used by several goroutines at once and
// keeps connections open between calls.
type Client struct {
	URL   string       // of the axis; its path differs from axis to axis
	Organ string       // the organ it speaks for
	Token edxml.Secret // the organ's access token; "" where a TLS certificate of HTTP stands for it

	// HTTP makes the calls and bounds their time; nil is that of
	// transport.NewHTTPClient with its defaults. Redirects are never followed:
	// they would hand the token on.
	HTTP   *http.Client
	Limits Limits

	// Gzip packs requests. No public axis is known to take that, our own does.
	Gzip bool

	// Follow says that Statuses is asked with a later moment only when what it
	// gave before has been applied. From an axis that can tell what came later
	// ([Follower]) it then gives that alone, and all since the moment every five
	// minutes. A look further back is given everything as ever.
	Follow bool

	once   sync.Once
	http   *http.Client
	follow follow
}

// Limits bounds what a [Client] takes from an axis. The zero value of a field
// means its default.
type Limits struct {
	Answer    int64       // octets of a control answer; default 1 MiB
	Directory int64       // octets of an answer of GetOrganizations or GetPendingDocumentIds, which list all there is; default 32 MiB
	Traces    int64       // octets of an answer of GetTraces, most of which are not held in memory; default 1 GiB
	Packet    soap.Limits // of GetDocument; see there
}

func (l Limits) withDefaults() Limits {
	if l.Answer == 0 {
		l.Answer = 1 << 20
	}
	if l.Directory == 0 {
		l.Directory = 32 << 20
	}
	if l.Traces == 0 {
		l.Traces = 1 << 30
	}
	return l
}

// of returns the limits for the answer of an operation.
func (l Limits) of(op string) soap.Limits {
	l = l.withDefaults()
	switch op {
	case opFetch:
	case opTraces:
		l.Packet.Envelope = l.Traces
	case opOrgans, opPending:
		l.Packet.Envelope = l.Directory
	default:
		l.Packet.Envelope = l.Answer
	}
	return l.Packet
}

// client returns the HTTP client of all calls.
func (c *Client) client() *http.Client {
	c.once.Do(func() { c.http = transport.WithoutRedirects(c.HTTP) })
	return c.http
}

// Close closes the connections that idle. The Client stays usable.
func (c *Client) Close() error {
	c.client().CloseIdleConnections()
	return nil
}

// exchange is one call: what is asked beside the request, and the answer as far
// as it was read. It must be closed, also when nothing was posted.
type exchange struct {
	c      *Client
	op     string
	ctx    context.Context
	header http.Header // of the request, beside what every call has
	traces *gather     // takes the statuses out of the answer; nil where there are none

	res   *http.Response
	msg   *soap.Message
	whole bool // nothing of interest is left of the answer
}

// exchange returns one about to be posted.
func (c *Client) exchange(ctx context.Context, op string) *exchange {
	return &exchange{c: c, op: op, ctx: ctx}
}

// post sends body and reads the answer as far as its header.
func (x *exchange) post(body *soap.Body) error {
	c := x.c
	open, size, err := c.pack(body)
	if err != nil {
		return c.unreached(x.ctx, x.op, err)
	}
	content, err := open()
	if err != nil {
		return c.unreached(x.ctx, x.op, err)
	}
	req, err := http.NewRequestWithContext(x.ctx, http.MethodPost, c.URL, content)
	if err != nil {
		content.Close()
		return c.unreached(x.ctx, x.op, err)
	}
	for name, values := range x.header {
		req.Header[name] = values
	}
	if req.ContentLength, req.GetBody = size, open; c.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	req.Header.Set("Content-Type", body.ContentType())
	req.Header.Set("SOAPAction", x.op) // bare: every client seen writes it so, SOAP 1.1 §6.1.1 would quote it
	req.Header.Set("Accept", "text/xml, multipart/related")
	req.Header.Set("User-Agent", "lienthong")
	res, err := c.client().Do(req)
	if err != nil {
		return c.unreached(x.ctx, x.op, err)
	}
	x.res = res
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusInternalServerError {
		return c.fromStatus(x.op, res)
	}
	x.msg, err = soap.Read(res.Header.Get("Content-Type"), res.Body, c.Limits.of(x.op))
	if err != nil {
		return x.unreadable(err)
	}
	return nil
}

// pack returns the octets of a request, and how many there are, -1 when that
// is not known before.
func (c *Client) pack(body *soap.Body) (open func() (io.ReadCloser, error), size int64, err error) {
	if !c.Gzip {
		return body.Open, body.Size(), nil
	}
	open = func() (io.ReadCloser, error) {
		content, err := body.Open()
		if err != nil {
			return nil, err
		}
		return transport.Gzip(content), nil
	}
	if body.Size() < 0 || body.Size() > packWhole {
		return open, -1, nil
	}
	content, err := open()
	if err != nil {
		return nil, 0, err
	}
	defer content.Close()
	packed, err := io.ReadAll(content)
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil }, int64(len(packed)), err
}

// packWhole is the size up to which a request is packed before it goes.
const packWhole = 64 << 10

// unreadable is the Fault for an answer that is no SOAP message.
func (x *exchange) unreadable(err error) error {
	var media *soap.ContentTypeError
	switch {
	case x.res.StatusCode != http.StatusOK:
		return x.c.fromStatus(x.op, x.res)
	case errors.As(err, &media):
		what, _, _ := mime.ParseMediaType(x.res.Header.Get("Content-Type"))
		if what == "text/html" {
			return x.c.unreached(x.ctx, x.op, fmt.Errorf("an HTML page came in place of an answer: the address is not the axis's, or a proxy stands before it: %w", err))
		}
	case errors.Is(err, soap.ErrVersion):
		return &transport.Fault{Operation: x.op, Err: fmt.Errorf("the answer is SOAP 1.2, the eDoc operations are SOAP 1.1: %w", err)}
	}
	return x.c.unreached(x.ctx, x.op, fmt.Errorf("the answer cannot be read: %w", err))
}

// close ends the exchange; the connection is kept when the answer was read whole.
func (x *exchange) close() error {
	var err error
	if x.msg != nil {
		err = x.msg.Close()
	}
	if x.res != nil {
		if x.whole {
			_, _ = io.CopyN(io.Discard, x.res.Body, 4<<10) // the rest of the framing, so that the connection can be used again
		}
		x.res.Body.Close()
	}
	return err
}

// root reads the envelope of the answer and its outline. A SOAP fault is
// returned as the error.
func (x *exchange) root() (*envelope, error) {
	part, err := x.msg.Next()
	if err != nil {
		return nil, x.unreadable(err)
	}
	var data []byte
	if x.traces != nil {
		data, err = x.traces.read(part.Content, x.c.Limits.withDefaults().Answer)
	} else {
		data, err = io.ReadAll(part.Content)
	}
	if err != nil {
		return nil, x.unreadable(describe(data, err))
	}
	e, err := outline(data)
	if err != nil {
		return nil, x.unreadable(describe(data, err))
	}
	if first, ok := e.first(); ok && first.name.Is(soap.Namespace, "Fault") {
		f, _, err := soap.ParseFault(data)
		if err != nil {
			return nil, x.unreadable(err)
		}
		return nil, x.c.fromFault(x.op, f)
	}
	if x.res.StatusCode != http.StatusOK {
		return nil, x.c.fromStatus(x.op, x.res)
	}
	return e, nil
}

// describe names an HTML page that says it is XML.
func describe(data []byte, err error) error {
	head := strings.ToLower(string(data[:min(len(data), 512)]))
	if strings.Contains(head, "<html") || strings.Contains(head, "<!doctype html") {
		return fmt.Errorf("an HTML page came in place of an answer: %w", err)
	}
	return err
}

// ask makes a control call and returns the envelope of its answer, which holds
// the operation's response element. The exchange is closed then.
func (x *exchange) ask(request []byte) (*envelope, error) {
	defer x.close()
	body, err := controlBody(request)
	if err != nil {
		return nil, x.c.ill(x.op, false, "%v", err)
	}
	if err := x.post(body); err != nil {
		return nil, err
	}
	e, err := x.root()
	if err != nil {
		return nil, err
	}
	x.whole = true
	return e, x.c.expect(x.op, e)
}

// controlBody frames an envelope that has no files. QUIRK: it is a multipart
// message all the same, as the only public client of an axis sends it.
func controlBody(request []byte) (*soap.Body, error) {
	return soap.NewBody(soap.Part{
		ID: envelopeID, Encoding: "8bit", Size: int64(len(request)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(request)), nil },
	}, nil)
}

// expect checks that the Body holds the response element of op.
func (c *Client) expect(op string, e *envelope) error {
	first, ok := e.first()
	switch {
	case !ok && op == opSend:
		// QUIRK: the BKAV axis answers so when a tag is missing that it demands.
		return c.ill(op, false, "the axis answered with an empty Body: it refuses the packet without saying why, usually for a missing element")
	case !ok:
		return c.ill(op, false, "the axis answered with an empty Body: it does not know the operation %s at this address", op)
	case first.name.Local == "Report":
		var r wire.Report
		if err := e.decode(first, &r); err != nil {
			return c.ill(op, true, "%v", err)
		}
		if err := c.refusal(op, &r); err != nil {
			return err
		}
		return c.ill(op, true, "the answer holds a bare Report, there is no %sResponse", op)
	case first.name.Local != op+"Response":
		return c.ill(op, true, "the answer holds %q, there is no %sResponse", clip(first.name.Local), op)
	}
	return nil
}
