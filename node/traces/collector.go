// Package traces shows an OpenTelemetry collector how documents walked.
//
// Nothing is measured for it: what a Transfer's record says anyway becomes a
// trace as soon as no step is left. The whole walk is one span, each attempt that
// it remembers (the last fifty) is one within it, and what people did are its events. The number of the trace is
// that of the Transfer without the hyphens, so that a line of the log leads to
// the trace, and the same Transfer told twice is the same trace.
//
// What goes there are identifiers, times, sizes, codes and errors: no subject, no
// content, no file names but those that an error has, and not who did it.
package traces

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

// Collector is where traces are sent to: OTLP over HTTP (OpenTelemetry Protocol
// 1.x) in its protobuf form.
type Collector struct {
	URL          string        // where there is no path in it, /v1/traces is meant
	Token        edxml.Secret  // sent as a bearer token; "": none
	InsecureHTTP bool          // plain HTTP to somewhere else than this machine
	Version      string        // of the program
	Timeout      time.Duration // for one request; 0: 10 s
	First, Max   time.Duration // the pause after a failure, doubled each time; 0: 1 s, 5 min
	HTTP         *http.Client  // nil: the default transport
}

// Check says what is wrong with a Collector.
func (c Collector) Check() error {
	_, err := c.address()
	return err
}

// address is where to POST.
func (c Collector) address() (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("traces: the collector's address is no http or https address, or has a password in it") // so it is not shown
	}
	err = api.CheckAddress(net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")), u.Scheme == "https" || c.InsecureHTTP)
	switch {
	case errors.Is(err, api.ErrInClear):
		return "", fmt.Errorf("traces: %s is plain http to another machine: https, or, where the line is protected otherwise, insecure_http = true", u)
	case err != nil:
		return "", fmt.Errorf("traces: %s: %w", u, err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// subscriber is the beginning of the name under which the journal's position is stored.
const subscriber = "traces "

// Feed sends the trace of every Transfer that comes to its end, until ctx
// ends. The journal says which; where it stands there is stored, so that a
// restart goes on, and a collector that is away for a while misses none.
func (c Collector) Feed(ctx context.Context, d *api.Door, n *node.Node) error {
	to, err := c.address()
	if err != nil {
		return err
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	client := &http.Client{}
	if c.HTTP != nil {
		*client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return d.Inform(ctx, api.Subscriber{Name: subscriber + c.URL, First: c.First, Max: c.Max, Tell: func(ctx context.Context, events []api.Event) error {
		ended, err := finished(ctx, n.Store, events)
		if err != nil || len(ended) == 0 {
			return err
		}
		err = c.send(ctx, client, to, request(n.Organ.OrganID, c.Version, ended))
		var no *refusedError
		if errors.As(err, &no) { // it would be refused again
			n.Log.WarnContext(ctx, "traces are lost: the collector refuses them", "first", ended[0].ID, "transfers", len(ended), "error", err)
			return nil
		}
		return err
	}})
}

// finished returns the Transfers that some events brought to their end.
func finished(ctx context.Context, s node.Store, events []api.Event) ([]*node.Transfer, error) {
	var all []*node.Transfer
	seen := map[string]bool{}
	for _, e := range events {
		if e.Was == "" || seen[e.Transfer] {
			continue
		}
		t, err := s.Transfer(ctx, e.Transfer)
		if errors.Is(err, node.ErrNotFound) { // removed since
			continue
		}
		if err != nil {
			return nil, err
		}
		if t.State == e.State && !t.Finished.IsZero() {
			seen[t.ID] = true
			all = append(all, t)
		}
	}
	return all, nil
}

// refusedError says that a collector does not take what it was sent, and will not.
type refusedError struct{ why string }

func (e *refusedError) Error() string { return "traces: the collector says " + e.why }

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// send posts traces. A *refusedError is about what was sent; after any other
// error the same may be sent again.
func (c Collector) send(ctx context.Context, client *http.Client, to string, data *tracepb.TracesData) error {
	body, err := proto.Marshal(data) // field for field an ExportTraceServiceRequest
	if err != nil {
		return &refusedError{err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+string(c.Token))
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch status := resp.StatusCode; {
	case status/100 == 2 && err == nil:
		if why := rejection(said); why != "" {
			return &refusedError{why}
		}
		return nil
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return &refusedError{resp.Status}
	default:
		return errors.Join(fmt.Errorf("traces: the collector says %s", resp.Status), err)
	}
}

// rejection is what an ExportTraceServiceResponse says about spans that were
// not taken: partial_success (1), of which rejected_spans is 1 and
// error_message 2. A message alone is a hint, and no rejection.
func rejection(response []byte) string {
	partial := field(response, 1)
	count, n := protowire.ConsumeVarint(field(partial, 1))
	if n < 0 || count == 0 {
		return ""
	}
	return fmt.Sprintf("that %d spans are not taken: %q", count, field(partial, 2))
}

// field returns the octets of the last field of a message with a number.
func field(message []byte, number protowire.Number) (value []byte) {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil
		}
		length := protowire.ConsumeFieldValue(num, kind, message[n:])
		if length < 0 {
			return nil
		}
		if num == number {
			value = message[n : n+length]
			if kind == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
		}
		message = message[n+length:]
	}
	return value
}
