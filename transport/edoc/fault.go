package edoc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// transient are the codes that speak of the axis and not of what it was sent:
// exceptions in an operation, the database, the way to the national axis (BKAV
// axis, public server code). Every other code is a refusal for good.
var transient = map[string]bool{
	"M.SendDocument": true, "M.GetPendingDocumentIds": true, "M.GetDocument": true, CodeConfirm: true,
	"M.UpdateTraces": true, "M.GetTraces": true, "M.GetOrganizations": true, "M.CheckPermission": true,
	CodeSave: true, CodeBusy: true, "M.UpdateStatus": true, "M.UpdateTrace": true,
}

// unaccepted are the codes that say the pair of organ and token was not
// accepted (BKAV axis, public server code).
var unaccepted = map[string]bool{CodePermission: true, "CheckPermission": true, "CheckSignature": true}

// refusal turns a Report into a Fault, nil for success.
func (c *Client) refusal(op string, r *wire.Report) error {
	if r.IsSuccess {
		return nil
	}
	f := &transport.Fault{Operation: op}
	var texts []string
	if r.ErrorList != nil {
		for i, e := range r.ErrorList.Error {
			if e == nil || i >= 10 {
				break
			}
			text := c.scrub(clip(e.Description))
			if i == 0 {
				f.Code = c.scrub(clip(e.Code))
			} else if e.Code != "" {
				text = c.scrub(clip(e.Code)) + ": " + text
			}
			if text != "" {
				texts = append(texts, text)
			}
		}
	}
	f.Text = strings.Join(texts, "; ")
	f.Transient, f.Credential = transient[f.Code], unaccepted[f.Code] || f.Code == "" && f.Text == ""
	switch {
	case f.Text == "" && f.Code == "":
		f.Text = "it gave no reason; the usual one is a wrong pair of organ and token for " + c.Organ
	case f.Text == "":
		f.Text = "no description"
	}
	return f
}

// fromFault turns a SOAP fault into a Fault: those whose code blames the
// message are final (SOAP 1.1 §4.4.1).
func (c *Client) fromFault(op string, f *soap.Fault) error {
	text := f.String
	if text == "" {
		text = f.Detail
	}
	blame, _, _ := strings.Cut(f.Code, ".")
	return &transport.Fault{
		Operation: op, Code: c.scrub(clip(f.Code)), Text: c.scrub(clip(text)),
		Transient: blame != "Client" && blame != "VersionMismatch" && blame != "MustUnderstand",
	}
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
	var limit *soap.LimitError
	var ratio *transport.RatioError
	var address *url.Error
	tooLarge := (errors.As(err, &limit) || errors.As(err, &ratio)) && op != opSend && op != opConfirm && op != opStatus // these may be done, and answer otherwise the next time
	final := tooLarge || errors.As(err, &address) && address.Op == "parse"
	return &transport.Fault{Operation: op, Transient: !final, Err: err}
}

// ill is the Fault for an answer that breaks the contract.
func (c *Client) ill(op string, temporary bool, format string, args ...any) error {
	return &transport.Fault{Operation: op, Transient: temporary, Err: errors.New(c.scrub(fmt.Sprintf(format, args...)))}
}

// fromStatus is the Fault for an HTTP status that no operation answers with.
func (c *Client) fromStatus(op string, res *http.Response) error {
	f := &transport.Fault{Operation: op, RetryAfter: transport.RetryAfter(res.Header.Get("Retry-After"), time.Now())}
	code := res.StatusCode
	switch {
	case code >= 300 && code < 400:
		// Following it would hand the token to another address.
		f.Err = fmt.Errorf("HTTP %d: the axis sends elsewhere, to %q; set that address if it is right", code, c.scrub(clip(res.Header.Get("Location"))))
		return f
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code == http.StatusTooEarly,
		code == http.StatusNotFound: // an ESB answers so while it deploys the axis anew
		f.Transient = true
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		f.Credential = true
	}
	f.Err = fmt.Errorf("HTTP %d %s in place of an answer; %s", code, http.StatusText(code), hint(code))
	return f
}

func hint(code int) string {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return "something before the axis refuses access"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "check the address, its path most of all"
	case http.StatusRequestEntityTooLarge:
		return "the packet is larger than the axis, or something before it, allows"
	}
	return "the axis or something before it is out of order"
}

// scrub removes the access token from text that an axis or a proxy sent back.
func (c *Client) scrub(text string) string {
	if c.Token == "" {
		return text
	}
	return strings.ReplaceAll(text, string(c.Token), c.Token.String())
}
