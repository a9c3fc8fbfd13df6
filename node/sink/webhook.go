package sink

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// Webhook posts each Event to an address, as multipart/form-data: "event" is
// the Event as JSON; of a Document follow "envelope" and a "file" for each
// file, in their order. An answer of 200 to 299 means "we have it for good";
// it is posted at least once, see Event.ID.
//
// It is signed as Standard Webhooks says: webhook-signature is "v1," and the
// base64 HMAC-SHA256 of webhook-id "." webhook-timestamp "." body.
type Webhook struct {
	URL          string
	Secret       edxml.Secret  // the key of the HMAC; required
	InsecureHTTP bool          // plain HTTP to somewhere else than this machine
	Timeout      time.Duration // of one post; 0: 10 min
	HTTP         *http.Client  // nil: the default transport
}

// Check says what is wrong with a Webhook.
func (h Webhook) Check() error {
	u, err := url.Parse(h.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("sink: webhook %q is no http or https address", h.URL)
	case h.Secret == "":
		return fmt.Errorf("sink: webhook %s has no secret", h.URL)
	case u.Scheme == "http" && !h.InsecureHTTP && !local(u.Hostname()):
		return fmt.Errorf("sink: webhook %s is plain http: the documents would cross the network in clear", h.URL)
	}
	return nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// AnswerError says that the other side did not take an Event.
type AnswerError struct {
	Status string // "503 Service Unavailable"
	Said   string // the beginning of the answer
}

// Error gives the status.
func (e *AnswerError) Error() string { return "sink: webhook: the answer is " + e.Status }

// Output returns the beginning of the answer.
func (e *AnswerError) Output() string { return e.Said }

// Deliver posts a Document.
func (h Webhook) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	return h.post(ctx, event(Deliver, t), open)
}

// Notify posts a notice.
func (h Webhook) Notify(ctx context.Context, t *node.Transfer) error {
	return h.post(ctx, about(t), nil)
}

func (h Webhook) post(ctx context.Context, e Event, open func(node.Content) (io.ReadCloser, error)) error {
	if err := h.Check(); err != nil {
		return err
	}
	form, err := newForm(e, open)
	if err != nil {
		return err
	}
	timeout := h.Timeout
	if timeout == 0 {
		timeout = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	size, signature, err := form.sign(h.Secret, e.ID, stamp)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, form.open())
	if err != nil {
		return fmt.Errorf("sink: webhook: %w", err)
	}
	req.ContentLength, req.GetBody = size, func() (io.ReadCloser, error) { return form.open(), nil }
	req.Header.Set("Content-Type", "multipart/form-data; boundary="+form.boundary)
	req.Header.Set("Webhook-Id", e.ID)
	req.Header.Set("Webhook-Timestamp", stamp)
	req.Header.Set("Webhook-Signature", signature)
	client := &http.Client{}
	if h.HTTP != nil {
		*client = *h.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		var at *url.Error // names the address, which may hold a secret
		if errors.As(err, &at) {
			err = at.Err
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("sink: webhook: %w", err)
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxSaid))         // what cannot be read is not said
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxSaid<<5)) // lets the connection serve again
	if res.StatusCode/100 != 2 {
		return &AnswerError{Status: res.Status, Said: strings.ToValidUTF8(string(said), "�")}
	}
	return nil
}

// form is a body that can be written as often as needed, always the same.
type form struct {
	boundary string
	event    []byte
	transfer *node.Transfer
	content  func(node.Content) (io.ReadCloser, error)
}

func newForm(e Event, open func(node.Content) (io.ReadCloser, error)) (*form, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	sum := sha256.Sum256(text) // nobody who wrote a file could know it before
	return &form{boundary: "lienthong-" + hex.EncodeToString(sum[:16]), event: text, transfer: e.Transfer, content: open}, nil
}

// sign returns the size of the body and its signature.
func (f *form) sign(secret edxml.Secret, id, stamp string) (int64, string, error) {
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "%s.%s.", id, stamp)
	counted := &counter{w: m}
	if err := f.write(counted); err != nil {
		return 0, "", err
	}
	return counted.n, "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// open returns the body as a stream.
func (f *form) open() io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(f.write(w)) }()
	return r
}

func (f *form) write(to io.Writer) error {
	w := multipart.NewWriter(to)
	if err := w.SetBoundary(f.boundary); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	part := func(name, file, mediaType string) (io.Writer, error) {
		h := textproto.MIMEHeader{"Content-Type": {mediaType}}
		disposition := `form-data; name="` + name + `"`
		if file != "" {
			disposition += `; filename="` + strings.NewReplacer(`"`, "_", `\`, "_").Replace(file) + `"`
		}
		h.Set("Content-Disposition", disposition)
		return w.CreatePart(h)
	}
	p, err := part("event", "", "application/json")
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if _, err := p.Write(f.event); err != nil {
		return err
	}
	if f.content == nil {
		return w.Close()
	}
	copyPart := func(name, file, mediaType string, c node.Content) error {
		p, err := part(name, file, mediaType)
		if err != nil {
			return fmt.Errorf("sink: %w", err)
		}
		r, err := f.content(c)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(p, r)
		return err
	}
	if err := copyPart("envelope", "envelope.xml", "text/xml", f.transfer.Envelope); err != nil {
		return err
	}
	used := map[string]bool{"envelope.xml": true}
	for i, file := range f.transfer.Parts {
		if err := copyPart("file", FileName(file.Name, i, used), "application/octet-stream", file.Content); err != nil {
			return err
		}
	}
	return w.Close()
}
