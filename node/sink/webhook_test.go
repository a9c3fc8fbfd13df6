package sink_test

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
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
)

// TestWebhook posts a document to a server that checks the signature as
// Standard Webhooks says.
func TestWebhook(t *testing.T) {
	type part struct{ name, file, content string }
	var got []part
	var ids []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || int64(len(body)) != r.ContentLength {
			t.Errorf("%d octets of %d: %v", len(body), r.ContentLength, err)
		}
		m := hmac.New(sha256.New, []byte("khóa"))
		fmt.Fprintf(m, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
		if want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)); r.Header.Get("webhook-signature") != want {
			t.Errorf("signature %q, want %q", r.Header.Get("webhook-signature"), want)
		}
		ids = append(ids, r.Header.Get("webhook-id"))
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		got = nil
		for form := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
			p, err := form.NextPart()
			if err != nil {
				break
			}
			content, _ := io.ReadAll(p)
			got = append(got, part{p.FormName(), p.FileName(), string(content)})
		}
	}))
	defer srv.Close()
	h := sink.Webhook{URL: srv.URL, Secret: "khóa"}
	x := transfer("công văn.pdf", "../../etc/passwd")
	for range 2 {
		if err := h.Deliver(t.Context(), x, opener); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 4 || got[1] != (part{"envelope", "envelope.xml", "<envelope/>"}) || got[2] != (part{"file", "công văn.pdf", "content of công văn.pdf"}) ||
		strings.ContainsAny(got[3].file, "/") {
		t.Errorf("%q", got)
	}
	var e sink.Event
	if err := json.Unmarshal([]byte(got[0].content), &e); err != nil || e.What != sink.Deliver || !slices.Equal(ids, []string{e.ID, e.ID}) {
		t.Errorf("%s, ids %q: %v", got[0].content, ids, err)
	}
	if err := h.Notify(t.Context(), given(x)); err != nil || len(got) != 1 || !strings.Contains(got[0].content, `"what":"failed"`) {
		t.Errorf("%q: %v", got, err)
	}
}

// TestWebhookFails has every answer that is no yes.
func TestWebhookFails(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/slow":
			<-release
		default:
			http.Error(w, "cơ sở dữ liệu đang bảo trì", http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	defer close(release)
	var answer *sink.AnswerError
	h := sink.Webhook{URL: srv.URL + "/x?token=s3cret", Secret: "k"}
	if err := h.Deliver(t.Context(), transfer(), opener); !errors.As(err, &answer) || !strings.Contains(answer.Output(), "bảo trì") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	h.URL = srv.URL + "/redirect"
	if err := h.Deliver(t.Context(), transfer(), opener); !errors.As(err, &answer) || elsewhere != 0 {
		t.Errorf("%v, %d calls elsewhere", err, elsewhere)
	}
	h.URL, h.Timeout = srv.URL+"/slow", 50*time.Millisecond
	if err := h.Notify(t.Context(), transfer()); err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("%v", err)
	}
	x := transfer()
	x.Parts = []node.Part{{Name: "a", Content: node.Content{SHA256: "broken"}}}
	if err := h.Deliver(t.Context(), x, opener); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	for url, bad := range map[string]bool{"http://qlvb.example/hook": true, "https://qlvb.example/hook": false, "ftp://x": true, "http://127.0.0.1:1/": false, "http://localhost/": false} {
		if err := (sink.Webhook{URL: url, Secret: "k"}).Check(); (err != nil) != bad {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := (sink.Webhook{URL: "https://x"}).Check(); err == nil {
		t.Error("no secret is accepted")
	}
}

// TestFunc calls a function.
func TestFunc(t *testing.T) {
	var said []string
	f := sink.Func(func(_ context.Context, e sink.Event, open func(node.Content) (io.ReadCloser, error)) error {
		said = append(said, fmt.Sprintf("%s %v", e.ID, open != nil))
		return nil
	})
	var s node.Sink = f
	x := transfer()
	if err := errors.Join(s.Deliver(t.Context(), x, opener), s.Notify(t.Context(), x), s.Notify(t.Context(), given(x))); err != nil {
		t.Error(err)
	}
	if !slices.Equal(said, []string{"id-1-deliver true", "id-1-recalled false", "id-1-failed false"}) {
		t.Errorf("%q", said)
	}
}
