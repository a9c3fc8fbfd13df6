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
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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
	for field, standard := range map[*time.Duration]time.Duration{&h.Timeout: 30 * time.Second, &h.First: time.Second, &h.Max: 5 * time.Minute} {
		if *field == 0 {
			*field = standard
		}
	}
	client := &http.Client{}
	if h.HTTP != nil {
		*client = *h.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	failures, trouble := 0, ""
	for {
		sent, err := d.pushSome(ctx, h, client)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			failures++
			if err.Error() != trouble {
				trouble = err.Error()
				d.options.Log.WarnContext(ctx, "webhook trouble", "url", h.URL, "error", err)
			}
		case trouble != "":
			failures, trouble = 0, ""
			d.options.Log.InfoContext(ctx, "webhook trouble is over", "url", h.URL)
		}
		wait := look
		if failures > 0 {
			wait = min(h.Max, h.First<<min(failures-1, 20))
			wait -= rand.N(wait/5 + 1)
		} else if sent {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// batch is how many events are read from the journal at once.
const batch = 100

// pushSome sends what there is, and stores the position after each event.
func (d *Door) pushSome(ctx context.Context, h Webhook, client *http.Client) (bool, error) {
	name := webhookName + h.URL
	old, err := d.node.Store.Value(ctx, name)
	if err != nil {
		return false, err
	}
	p, err := parsePosition(strings.TrimSuffix(string(old), ","))
	if err != nil {
		return false, fmt.Errorf("api: stored position: %w", err)
	}
	if old == nil {
		if p, err = present(ctx, d.node.Store); err != nil {
			return false, err
		}
		_, err = d.node.Store.SwapValue(ctx, name, nil, []byte(p.String()+",")) // never empty: an empty value is none
		return true, err
	}
	found, err := after(ctx, d.node.Store, p, batch)
	if err != nil {
		return false, err
	}
	for _, e := range found {
		if err := h.send(ctx, client, e, time.Now()); err != nil {
			return true, err
		}
		next := []byte(e.ID)
		if ok, err := d.node.Store.SwapValue(ctx, name, old, next); err != nil || !ok { // another node on this store is ahead
			return true, err
		}
		old = next
	}
	return len(found) > 0, nil
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
