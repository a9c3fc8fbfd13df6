package vxp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lienthong/lienthong/transport"
)

// The codes with which a handler of this package refuses; those of its
// [Backend] stand beside them. They read like HTTP's. Of the national axis's
// own codes only "0", success, is known.
const (
	CodeOK        = "0"
	CodeRequest   = "400" // the call, or the packet in it, is not what it must be
	CodeSignature = "401" // no such systemid, or the signature does not fit
	CodeFrom      = "403" // the organ does not belong to the systemid
	CodeNotFound  = "404" // no such method, or nothing of that number for this systemid
	CodeMethod    = "405" // sendEdoc is a POST
	CodeLimit     = "413" // larger than is taken here
	CodeInternal  = "500" // temporary
)

// The ways in which an answer breaks the contract of the adapter. A *Fault
// wraps them.
var (
	ErrHTML      = errors.New("vxp: an HTML page came in place of an answer: the address is not the axis's, or a proxy stands before it")
	ErrNotJSON   = errors.New("vxp: the answer is not one JSON object")
	ErrEmpty     = errors.New("vxp: the answer is empty")
	ErrTruncated = errors.New("vxp: the answer breaks off")
	ErrBase64    = errors.New("vxp: the packet in the answer is not whole base64 text")
)

// FieldError says that a field of an answer is missing, null, or not of its type.
type FieldError struct {
	Field string // "ErrorCode", "data", "data[].docId", …
	Fault string // "missing", "null", "not a text", …
}

// Error names the field.
func (e *FieldError) Error() string {
	return fmt.Sprintf("vxp: field %q of the answer is %s", e.Field, e.Fault)
}

// LimitError says that something on the wire is larger than its limit.
type LimitError struct {
	Limit string // the name of the field of Limits or HandlerLimits in lower case, "sign-header" or "parameters"
	Max   int64  // octets, or a count
}

// Error names the limit and its value.
func (e *LimitError) Error() string {
	return fmt.Sprintf("vxp: the limit %q of %d is exceeded", e.Limit, e.Max)
}

// refusal turns an answer into a Fault, nil for success.
//
// QUIRK: the axis says in ErrorDesc that an organ is not of the systemid, in
// this wording (public usage code); which code goes with it is unknown.
func (c *Client) refusal(op string, a *answer) error {
	if a.code == CodeOK && !strings.EqualFold(a.status, "FAIL") {
		return nil
	}
	f := &transport.Fault{Operation: op, Code: c.scrub(clip(a.code)), Text: c.scrub(clip(a.text)), RetryAfter: a.retryAfter}
	f.Credential = f.Code == CodeSignature || f.Code == CodeFrom || strings.Contains(f.Text, "khong dung voi ma da dang ky")
	f.Transient = !f.Credential && (f.Code == CodeInternal || temporary(a.http))
	if f.Text == "" {
		f.Text = "no description"
	}
	return f
}

// temporary tells whether an HTTP status speaks of the axis, and not of what
// it was sent.
func temporary(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

// unreached is the Fault for a call that got no answer one could read.
func (c *Client) unreached(ctx context.Context, op string, err error) error {
	var already *transport.Fault
	if errors.As(err, &already) {
		return already
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", cause, err)
	}
	if text := err.Error(); c.scrub(text) != text {
		err = errors.New(c.scrub(text))
	}
	var limit *LimitError
	var ratio *transport.RatioError
	var header *HeaderError
	var address *url.Error
	tooLarge := (errors.As(err, &limit) || errors.As(err, &ratio)) && op != opSend && op != opUpdate // these may be done, and answer otherwise the next time
	final := tooLarge || errors.As(err, &header) || errors.As(err, &address) && address.Op == "parse"
	return &transport.Fault{Operation: op, Transient: !final, Err: err}
}

// fromStatus is the Fault for an HTTP status whose body is no answer.
func (c *Client) fromStatus(op string, res *http.Response, cause error) error {
	code := res.StatusCode
	f := &transport.Fault{Operation: op, RetryAfter: transport.RetryAfter(res.Header.Get("Retry-After"), time.Now())}
	if code >= 300 && code < 400 { // following it would hand the signed headers to another address
		f.Err = fmt.Errorf("HTTP %d: the axis sends elsewhere, to %q; set that address if it is right", code, c.scrub(clip(res.Header.Get("Location"))))
		return f
	}
	// A gateway answers 404 while it deploys the axis anew.
	f.Transient = temporary(code) || code == http.StatusNotFound
	f.Credential = code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired
	f.Err = fmt.Errorf("HTTP %d %s: %w", code, http.StatusText(code), cause)
	return f
}

// scrub removes the secret from text that an axis or a proxy sent back.
func (c *Client) scrub(text string) string {
	if c.Secret == "" {
		return text
	}
	return strings.ReplaceAll(text, string(c.Secret), c.Secret.String())
}

// clip shortens text from the wire to what an error may hold.
func clip(text string) string {
	const most = 400
	text = strings.TrimSpace(text)
	if line, _, cut := strings.Cut(text, "\n"); cut {
		text = strings.TrimSpace(line) + " …"
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}
