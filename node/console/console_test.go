package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// house is a node on a real store with its pages behind a real server.
type house struct {
	t    *testing.T
	node *node.Node
	url  string

	console *Console

	mu       sync.Mutex
	accounts map[string]*Account // by token
	log      bytes.Buffer
	counted  []Request
}

// Write is the log.
func (h *house) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(b)
}

// account finds an account by its token or its ID.
func (h *house) account(_ context.Context, ref string) (*Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for token, a := range h.accounts {
		if ref == token || ref == a.ID {
			return a, nil
		}
	}
	return nil, ErrNoAccount
}

func openHouse(t *testing.T, o Options) *house {
	t.Helper()
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Văn phòng Chính phủ"}, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, node: n, accounts: map[string]*Account{
		"lt_look": {ID: "a1", Name: "token Xem"}, "lt_act": {ID: "a2", Name: "token Làm", Operator: true},
	}}
	o.Enter, o.Account = h.account, h.account
	o.Log = slog.New(slog.NewTextHandler(h, nil))
	o.Count = func(q Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.counted = append(h.counted, q)
	}
	c, err := New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	h.url, h.console = srv.URL, c
	return h
}

// refusedOnce fails unless exactly one line was logged and one request counted
// since the last call, both with this code and without any secret.
func (h *house) refusedOnce(what, code string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], `code=`+code) || strings.Contains(lines[0], "lt_") {
		h.t.Errorf("%s: logged %q, want one line with %s", what, lines, code)
	}
	if len(h.counted) != 1 || h.counted[0].Code != code {
		h.t.Errorf("%s: counted %+v, want one %s", what, h.counted, code)
	}
	h.log.Reset()
	h.counted = nil
}

func (h *house) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log.Reset()
	h.counted = nil
}

// visitor is a browser with cookies that follows no redirect by itself.
type visitor struct {
	h    *house
	http *http.Client
}

func (h *house) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &visitor{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// enter logs a visitor in.
func (h *house) enter(token string) *visitor {
	h.t.Helper()
	v := h.visitor()
	if resp, _ := v.post("/console/login", url.Values{"token": {token}}); resp.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("login: %s", resp.Status)
	}
	h.forget()
	return v
}

func (v *visitor) do(req *http.Request) (*http.Response, string) {
	v.h.t.Helper()
	resp, err := v.http.Do(req)
	if err != nil {
		v.h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.h.t.Fatal(err)
	}
	return resp, string(body)
}

func (v *visitor) get(path string) (*http.Response, string) {
	v.h.t.Helper()
	req, err := http.NewRequestWithContext(v.h.t.Context(), http.MethodGet, v.h.url+path, nil)
	if err != nil {
		v.h.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visitor) post(path string, form url.Values, header ...string) (*http.Response, string) {
	v.h.t.Helper()
	req, err := http.NewRequestWithContext(v.h.t.Context(), http.MethodPost, v.h.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return v.do(req)
}

var proofField = regexp.MustCompile(`name="proof" value="([0-9a-f]{64})"`)

// proof is what the forms of this session carry.
func (v *visitor) proof() string {
	v.h.t.Helper()
	_, body := v.get("/console/")
	found := proofField.FindStringSubmatch(body)
	if found == nil {
		v.h.t.Fatalf("no proof on the page:\n%s", body)
	}
	v.h.forget()
	return found[1]
}

// document puts a Document into a box; change may alter it first.
func (h *house) document(d node.Direction, s node.State, number int, change func(*node.Transfer)) *node.Transfer {
	h.t.Helper()
	c, err := h.node.Store.Put(h.t.Context(), strings.NewReader(fmt.Sprintf("<phong-bi>%d</phong-bi>", number)))
	if err != nil {
		h.t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 1, 0, number, 0, time.UTC)
	t := &node.Transfer{
		ID: idAt(at)[:24] + fmt.Sprintf("%012x", number), Direction: d, Kind: edxml.KindDocument, DocType: edxml.New, State: s, Created: at,
		From: "G22", FromName: "Văn phòng Chính phủ", Code: fmt.Sprintf("%d/VPCP-TH", number), Subject: "Về việc thử", DocumentID: fmt.Sprintf("G22,2026/03/02,%d/VPCP-TH", number),
		PromulgationDate: "2026/03/02", Envelope: c, Receivers: []node.Receiver{{OrganID: "H41", OrganName: "UBND tỉnh Nghệ An"}},
		Parts: []node.Part{{ID: "file-1", Name: "công văn.pdf", Content: c}},
	}
	if s == node.Queued || s == node.Listed {
		t.Due = at
	} else {
		t.Finished = at
	}
	if change != nil {
		change(t)
	}
	if err := h.node.Store.Create(h.t.Context(), t); err != nil {
		h.t.Fatal(err)
	}
	return t
}
