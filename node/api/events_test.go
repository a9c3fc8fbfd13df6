package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
)

// stream reads the events of a stream until n have come.
func (r *remote) stream(token, last string, n int) []Event {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/v1/events", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Last-Event-ID", last)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		r.t.Fatalf("%s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	var found []Event
	id := ""
	for lines := bufio.NewScanner(resp.Body); len(found) < n && lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = v
		}
		if v, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var e Event
			if err := json.Unmarshal([]byte(v), &e); err != nil || e.ID != id {
				r.t.Fatalf("%v: %s", err, v)
			}
			found = append(found, e)
		}
	}
	return found
}

// TestEvents reads what happened as pages and as a stream, goes on where it
// left off, and misses nothing that happens meanwhile.
func TestEvents(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Read)
	submit := func(number string) string {
		s, err := r.node.Submit(t.Context(), bytes.NewReader(packet(t, number, []byte("x"))))
		if err != nil {
			t.Fatal(err)
		}
		return s.Transfer.ID
	}
	ids := []string{submit("1"), submit("2"), submit("3")}
	var page Events
	r.ask(token, "GET", "/v1/events?limit=2", nil, &page)
	if len(page.Events) != 2 || page.Events[0].Transfer != ids[0] || page.Events[0].State != node.Queued || page.Events[0].Event != "created" {
		t.Fatalf("%+v", page)
	}
	last := page.Events[1].ID
	r.ask(token, "GET", "/v1/events?after="+last, nil, &page)
	if len(page.Events) != 1 || page.Events[0].Transfer != ids[2] {
		t.Fatalf("%+v", page)
	}
	came := make(chan []Event)
	go func() { came <- r.stream(token, last, 2) }()
	ids = append(ids, submit("4"))
	got := <-came
	if len(got) != 2 || got[0].Transfer != ids[2] || got[1].Transfer != ids[3] {
		t.Errorf("the stream: %+v", got)
	}
	if again := r.stream(token, got[0].ID, 1); len(again) != 1 || again[0].Transfer != ids[3] {
		t.Errorf("resumed: %+v", again)
	}
	p, err := present(t.Context(), r.node.Store)
	if err != nil || p.String() != got[1].ID {
		t.Errorf("present is %s, want %s, %v", p, got[1].ID, err)
	}
}

// TestStreamEnds: a node that stops does not wait for its readers.
func TestStreamEnds(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Read)
	ended := make(chan []Event)
	go func() { ended <- r.stream(token, "", 1) }()
	r.door.Stop()
	if got := <-ended; len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestPosition reads what it writes, and refuses the rest.
func TestPosition(t *testing.T) {
	p := position{"nút số 1, chính": 7, "b:c": 12}
	got, err := parsePosition(p.String())
	if err != nil || len(got) != 2 || got["b:c"] != 12 || got.String() != p.String() {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"x", "a:", "a:-1", "%zz:1", "a:1,"} {
		if _, err := parsePosition(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// TestWebhook pushes every event, signed and in order, although the other side
// fails in between and the node is restarted.
func TestWebhook(t *testing.T) {
	r := openRemote(t, Options{})
	type call struct {
		id    string
		event Event
	}
	calls := make(chan call, 100)
	refuse := make(chan int, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		id, stamp := q.Header.Get("Webhook-Id"), q.Header.Get("Webhook-Timestamp")
		if q.Header.Get("Webhook-Signature") != sign("bí mật", id, stamp, body) {
			t.Errorf("signature %q", q.Header.Get("Webhook-Signature"))
		}
		var e Event
		if err := json.Unmarshal(body, &e); err != nil {
			t.Error(err)
		}
		select { // before the call is seen: what is put in then is for the next one
		case status := <-refuse:
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		default:
		}
		calls <- call{id, e}
	}))
	defer srv.Close()
	hook := Webhook{URL: srv.URL, Secret: "bí mật", First: time.Millisecond, Max: 5 * time.Millisecond}
	push := func() func() {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.door.Push(ctx, hook) }()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	submit := func(number int) string {
		s, err := r.node.Submit(t.Context(), bytes.NewReader(packet(t, fmt.Sprint(number), []byte("x"))))
		if err != nil {
			t.Fatal(err)
		}
		return s.Transfer.ID
	}
	before := submit(1) // before the webhook's time
	if sent, err := r.door.tell(t.Context(), hook.subscriber()); err != nil || !sent {
		t.Fatal(err) // begins with the present
	}
	stop := push()
	first := submit(2)
	if c := <-calls; c.event.Transfer != first || c.event.Transfer == before {
		t.Errorf("%+v", c)
	}
	refuse <- http.StatusInternalServerError
	refuse <- http.StatusFound // never followed
	second := submit(3)
	var tries []call
	for range 3 {
		tries = append(tries, <-calls)
	}
	for _, c := range tries {
		if c.event.Transfer != second || c.id != tries[0].id {
			t.Errorf("try of %s: %+v", second, c)
		}
	}
	stop()
	third := submit(4)
	stop = push()
	for c := range calls { // the last one's position may not have been stored
		if c.event.Transfer == third {
			break
		}
		if c.event.Transfer != second {
			t.Errorf("%+v", c)
		}
	}
	stop()
	for what, h := range map[string]Webhook{
		"no secret": {URL: "https://example.vn"}, "no address": {URL: "example.vn", Secret: "x"}, "in clear": {URL: "http://example.vn", Secret: "x"},
	} {
		if err := r.door.Push(t.Context(), h); err == nil {
			t.Errorf("%s passes", what)
		}
	}
}
