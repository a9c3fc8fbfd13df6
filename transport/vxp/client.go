package vxp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// The methods of the adapter, as its paths name them.
const (
	opSend         = "sendEdoc"
	opReceived     = "getReceivedEdocList"
	opSent         = "getSentEdocList"
	opFetch        = "getEdoc"
	opDownload     = "downloadEdoc"
	opUpdate       = "updateStatus"
	opCount        = "countReceiveEdoc"
	opCountStatus  = "countReceiveStatus"
	opAgencies     = "getAgenciesList"
	opAgenciesQD20 = "getAgenciesListQD20"
	opUnits        = "getSynchronizeUnit"
	opRegister     = "registerAgency"
	opDelete       = "deleteAgency"
)

// Client calls an axis for one systemid. URL, SystemID and Secret are needed;
// the other fields have defaults. It may be used by several goroutines at once
// and keeps connections open between calls.
type Client struct {
	URL      string       // of the adapter, with or without a slash at its end
	SystemID string       // who we are to the axis
	Secret   edxml.Secret // the key of the signatures, as it was handed out

	// HTTP makes the calls and bounds their time; nil is that of
	// transport.NewHTTPClient with its defaults. Redirects are never followed:
	// they would hand the signed headers on.
	HTTP   *http.Client
	Limits Limits

	// Raw fetches packets by downloadEdoc, as they are, in place of getEdoc,
	// which wraps them into base64 and JSON. The national axis cannot say there
	// why it refuses: its answer is then an empty one.
	Raw bool

	// Services are the servicetypes of what is no edXML that Pending lists
	// beside the Documents: an axis gives the list of one service at a time.
	Services []string

	// Refused is told of a status packet that cannot be read. The axis was told
	// "fail" about it, and it is not listed again. Nil is nobody.
	Refused func(id string, err error)

	once sync.Once
	http *http.Client

	mu    sync.Mutex
	given map[string]*edxml.Status // Statuses handed out that the axis still lists
	since time.Time                // of the latest call of Statuses
}

// Limits bounds what a [Client] takes from an axis. The zero value of a field
// means its default.
type Limits struct {
	Answer    int64 // octets of an answer that holds neither list nor packet; default 1 MiB
	Directory int64 // octets of an answer with a list; default 128 MiB: the axis lists 111,000 organs in one answer
	Packet    int64 // octets of a packet; default 4 GiB
	Status    int64 // octets of a status packet; default 1 MiB
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Answer, 1 << 20}, {&l.Directory, 128 << 20}, {&l.Packet, 4 << 30}, {&l.Status, 1 << 20}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
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

// call is one call to be made.
type call struct {
	op     string
	params []param
	method string // default POST
	body   func() (io.ReadCloser, error)
	size   int64
	media  string // default application/json
	key    string // see KeyHeader
}

// KeyHeader names a file that is carried on all of its way, with 64 hex digits:
// our axis takes it once, however often the call is made and signed anew.
const KeyHeader = "Lienthong-Key"

// braces is the body of the calls that have no other.
func braces() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("{}")), nil }

// fixed makes a body of octets.
func fixed(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// do makes a call and returns the HTTP answer, whatever it is.
func (c *Client) do(ctx context.Context, k call) (*http.Response, error) {
	if k.method == "" {
		k.method = http.MethodPost
	}
	if k.media == "" {
		k.media = "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, k.method, strings.TrimRight(c.URL, "/")+"/"+k.op, nil)
	if err != nil {
		return nil, c.unreached(ctx, k.op, err)
	}
	params := append([]param{{paramSystem, c.SystemID}, {paramTime, timestamp(time.Now())}, {paramType, k.media}}, k.params...)
	if err := sign(req.Header, c.Secret, params); err != nil {
		return nil, c.unreached(ctx, k.op, err)
	}
	req.Header.Set("Content-Type", k.media)
	req.Header.Set("User-Agent", "lienthong")
	if k.key != "" {
		req.Header.Set(KeyHeader, k.key)
	}
	if k.body != nil {
		if req.Body, err = k.body(); err != nil {
			return nil, c.unreached(ctx, k.op, err)
		}
		req.GetBody, req.ContentLength = k.body, k.size
	}
	res, err := c.client().Do(req)
	if err != nil {
		return nil, c.unreached(ctx, k.op, err)
	}
	return res, nil
}

// timestamp writes a moment as the SDK does: local time, and what looks like a
// zone are milliseconds.
func timestamp(t time.Time) string {
	t = t.In(edxml.Vietnam)
	return t.Format("02012006T150405") + fmt.Sprintf("+%04d", t.Nanosecond()/int(time.Millisecond))
}

// ask makes a call whose answer is JSON and reads it. data reads the field
// data, and is nil for a call that has none; the answer is not known to be
// good before ask returns.
func (c *Client) ask(ctx context.Context, k call, limit string, max int64, data func(*reader) error) (*answer, error) {
	res, err := c.do(ctx, k)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	r := newReader(res.Body, limit, max)
	r.response(res)
	err = r.all(data)
	if err == nil {
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // the rest of the framing, so that the connection can be used again
		return &r.a, c.refusal(k.op, &r.a)
	}
	if f := c.refusal(k.op, &r.a); r.a.code != "" && f != nil {
		return nil, f // what is wrong with the answer to a refused call is of no interest
	}
	return nil, c.unreadable(ctx, k.op, res, err)
}

// response notes what the HTTP answer says beside its body.
func (r *reader) response(res *http.Response) {
	r.a.http, r.a.retryAfter = res.StatusCode, transport.RetryAfter(res.Header.Get("Retry-After"), time.Now())
}

// all reads a whole answer.
func (r *reader) all(data func(*reader) error) error {
	if err := r.open(); err != nil {
		return err
	}
	found, err := r.toData()
	if err == nil && found {
		read := data
		if read == nil || r.a.code != "" && r.a.code != CodeOK {
			read = skip
		}
		if err = read(r); err == nil {
			_, err = r.toData()
		}
	}
	if err == nil && data != nil && !found && r.a.code == CodeOK {
		return &FieldError{Field: "data", Fault: "missing"}
	}
	return err
}

// skip reads a value that is not asked for, of which nothing is kept.
func skip(r *reader) error {
	for depth := 0; ; {
		t, err := r.dec.Token()
		if err != nil {
			return broken(err)
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// unreadable is the Fault for an answer that breaks the contract.
func (c *Client) unreadable(ctx context.Context, op string, res *http.Response, err error) error {
	if res.StatusCode >= 300 {
		return c.fromStatus(op, res, err)
	}
	return c.unreached(ctx, op, err)
}
