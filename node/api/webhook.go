package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Webhook is where events are pushed to: each as a POST of its JSON, in order,
// at least once. It is signed as Standard Webhooks says: webhook-signature is
// "v1," and the base64 HMAC-SHA256 of webhook-id "." webhook-timestamp "." body.
// webhook-id is the same whenever the same event is sent.
type Webhook struct {
	URL          string
	Secret       edxml.Secret  // the key of the HMAC; required
	InsecureHTTP bool          // plain HTTP to somewhere else than this machine
	Timeout      time.Duration // for one event; 0: 30 s
	First, Max   time.Duration // the pause after a failure, doubled each time; 0: 1 s, 5 min
	HTTP         *http.Client  // nil: the default transport
}

// Check says what is wrong with a Webhook.
func (h Webhook) Check() error {
	u, err := url.Parse(h.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("api: webhook %q is no http or https address", h.URL)
	case h.Secret == "":
		return fmt.Errorf("api: webhook %s has no secret", h.URL)
	case u.Scheme == "http" && !h.InsecureHTTP && !loopback(u.Hostname()+":0"):
		return fmt.Errorf("api: webhook %s is plain http", h.URL)
	}
	return nil
}

// webhookName is the beginning of the names under which a webhook's position
// is stored.
const webhookName = "api webhook "

// Push sends events to a Webhook until ctx ends. Where it stands is stored: a
// restart goes on there. The first time it begins with the present.
func (d *Door) Push(ctx context.Context, h Webhook) error {
	if err := h.Check(); err != nil {
		return err
	}
	if h.Timeout == 0 {
		h.Timeout = 30 * time.Second
	}
	return d.Inform(ctx, h.subscriber())
}

// subscriber sends events one by one.
func (h Webhook) subscriber() Subscriber {
	client := &http.Client{}
	if h.HTTP != nil {
		*client = *h.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	tell := func(ctx context.Context, events []Event) error { return h.send(ctx, client, events[0], time.Now()) }
	return Subscriber{Name: webhookName + h.URL, Tell: tell, Most: 1, First: h.First, Max: h.Max}
}

// send posts one event.
func (h Webhook) send(ctx context.Context, client *http.Client, e Event, now time.Time) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("api: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("api: %w", err)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", e.ID)
	req.Header.Set("Webhook-Timestamp", stamp)
	req.Header.Set("Webhook-Signature", sign(h.Secret, e.ID, stamp, body))
	resp, err := client.Do(req)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("api: webhook: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // lets the connection serve again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("api: webhook: %s", resp.Status)
	}
	return nil
}

// sign makes the signature of a push.
func sign(secret edxml.Secret, id, stamp string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "%s.%s.%s", id, stamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}
