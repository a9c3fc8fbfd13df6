package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
)

// TestLogin: a token lets in, with a cookie that no script and no other site
// can use and that is nowhere stored.
func TestLogin(t *testing.T) {
	h := openHouse(t, Options{})
	v := h.visitor()
	resp, body := v.get("/console/out?q=abc")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/console/login?back=%2Fconsole%2Fout%3Fq%3Dabc" || strings.Contains(body, "VPCP") {
		t.Fatalf("outside: %s to %s", resp.Status, resp.Header.Get("Location"))
	}
	h.refusedOnce("outside", "session")
	if resp, body = v.get(resp.Header.Get("Location")); resp.StatusCode != http.StatusOK || !strings.Contains(body, `name="back" value="/console/out?q=abc"`) || strings.Contains(body, `role="alert"`) {
		t.Fatalf("the login: %s\n%s", resp.Status, body)
	}
	h.forget()
	if resp, _ = v.post("/console/logout", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("a change from outside: %s", resp.Status)
	}
	h.refusedOnce("a change from outside", "session")

	resp, body = v.post("/console/login", url.Values{"token": {"lt_wrong"}})
	if resp.StatusCode != http.StatusUnauthorized || len(resp.Cookies()) > 0 || !strings.Contains(body, `role="alert"`) {
		t.Fatalf("wrong token: %s, %v", resp.Status, resp.Cookies())
	}
	h.refusedOnce("wrong token", "login")

	resp, _ = v.post("/console/login", url.Values{"token": {" lt_look\n"}, "back": {"/console/out?q=abc"}})
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/console/out?q=abc" || len(resp.Cookies()) != 1 {
		t.Fatalf("login: %s to %s, %v", resp.Status, resp.Header.Get("Location"), resp.Cookies())
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/console/" || c.MaxAge != 8*3600 || c.Secure {
		t.Errorf("cookie: %+v", c)
	}
	stored, err := h.node.Store.Values(t.Context(), "", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stored {
		if strings.Contains(s.Name+string(s.Value), c.Value) || strings.Contains(s.Name+string(s.Value), "lt_look") {
			t.Errorf("the store has a secret: %s", s.Name)
		}
	}
	if resp, body := v.get("/console/"); resp.StatusCode != http.StatusOK || !strings.Contains(body, "token Xem") || !strings.Contains(body, `<html lang="vi">`) {
		t.Errorf("inside: %s\n%s", resp.Status, body)
	}
	if _, body := v.get("/console/?lang=en"); !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "Outbox") {
		t.Errorf("English:\n%s", body)
	}
	if _, body := v.get("/console/in"); !strings.Contains(body, "<h1>Inbox</h1>") {
		t.Errorf("the language was forgotten:\n%s", body)
	}
}

// TestLogout: what is left of a session lets nobody in.
func TestLogout(t *testing.T) {
	h := openHouse(t, Options{})
	v := h.enter("lt_look")
	stolen := v.http.Jar.Cookies(must(url.Parse(h.url + "/console/")))
	if resp, _ := v.post("/console/logout", url.Values{"proof": {v.proof()}}); resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp.Status)
	}
	v.http.Jar.SetCookies(must(url.Parse(h.url+"/console/")), stolen)
	if resp, _ := v.get("/console/"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("after logout: %s", resp.Status)
	}
}

// TestSessionEnds: by time, and with the token.
func TestSessionEnds(t *testing.T) {
	short := openHouse(t, Options{Session: time.Nanosecond})
	v := short.visitor()
	v.post("/console/login", url.Values{"token": {"lt_look"}})
	short.forget()
	v.http.Jar.SetCookies(must(url.Parse(short.url+"/console/")), []*http.Cookie{{Name: "lienthong_x", Value: "y"}})
	if resp, _ := v.get("/console/"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("expired: %s", resp.Status)
	}
	short.refusedOnce("expired", "session")
	short.enter("lt_act") // which sweeps
	if left, err := short.node.Store.Values(t.Context(), sessionName, "", 10); err != nil || len(left) != 1 {
		t.Errorf("%d sessions are stored, %v; want the last one", len(left), err)
	}

	h := openHouse(t, Options{})
	v = h.enter("lt_look")
	h.mu.Lock()
	delete(h.accounts, "lt_look")
	h.mu.Unlock()
	if resp, _ := v.get("/console/"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("revoked: %s", resp.Status)
	}
	h.refusedOnce("revoked", "session")
	if _, body := v.get("/console/login"); !strings.Contains(body, "Phiên làm việc đã hết") {
		t.Errorf("the login does not say so:\n%s", body)
	}
	if _, body := v.get("/console/login"); strings.Contains(body, "Phiên làm việc đã hết") {
		t.Error("the login says so for ever")
	}
}

// TestForged: a change needs the form of the session itself.
func TestForged(t *testing.T) {
	h := openHouse(t, Options{})
	x := h.document(node.Out, node.Queued, 1, nil)
	path := "/console/out/" + x.ID + "/hold"
	v, other := h.enter("lt_act"), h.enter("lt_act")
	proof := v.proof()
	for name, c := range map[string]struct {
		form   url.Values
		header []string
		status int
		code   string
	}{
		"no form at all":  {nil, nil, 403, "csrf"},
		"no proof":        {url.Values{"reason": {"x"}}, nil, 403, "csrf"},
		"wrong proof":     {url.Values{"proof": {strings.Repeat("0", 64)}}, nil, 403, "csrf"},
		"another session": {url.Values{"proof": {other.proof()}}, nil, 403, "csrf"},
		"another site":    {url.Values{"proof": {proof}}, []string{"Sec-Fetch-Site", "cross-site"}, 403, "csrf"},
		"another origin":  {url.Values{"proof": {proof}}, []string{"Origin", "https://evil.example"}, 403, "csrf"},
		"no form":         {url.Values{"proof": {proof}}, []string{"Content-Type", "text/plain"}, 415, "form"},
		"oversize":        {url.Values{"proof": {proof}, "reason": {strings.Repeat("x", maxForm)}}, nil, 413, "too-large"},
		"long reason":     {url.Values{"proof": {proof}, "reason": {strings.Repeat("x", maxReason+1)}}, nil, 400, "reason"},
	} {
		h.forget()
		resp, body := v.post(path, c.form, c.header...)
		if resp.StatusCode != c.status || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %s\n%s", name, resp.Status, body)
		}
		h.refusedOnce(name, c.code)
	}
	if now := must(h.node.Store.Transfer(t.Context(), x.ID)); now.Held != nil {
		t.Errorf("it is held: %+v", now.Held)
	}
	resp, _ := v.post("/console/login", url.Values{"token": {"lt_act"}}, "Sec-Fetch-Site", "cross-site")
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("login from another site: %s", resp.Status)
	}
}

// TestBack: after a login one comes to a page of ours, whatever was asked for.
func TestBack(t *testing.T) {
	for asked, want := range map[string]string{
		"/console/out?state=failed": "/console/out?state=failed", "": Path, "https://evil.example/console/": Path, "//evil.example/console/": Path,
		`/\evil.example/console/`: Path, `/console/\\evil.example`: Path, "/v1/outbox": Path, "/console/events": Path, "/console/login?back=x": Path, "javascript:alert(1)": Path,
	} {
		if got := back(asked); got != want {
			t.Errorf("back(%q) = %q, want %q", asked, got, want)
		}
	}
}

// TestGuessing is slow.
func TestGuessing(t *testing.T) {
	h := openHouse(t, Options{})
	h.console.guesses.SetLimit(0) // as time goes by on a machine that is fast enough
	v := h.visitor()
	slowed := false
	for range 30 {
		resp, _ := v.post("/console/login", url.Values{"token": {"lt_guess"}})
		slowed = slowed || resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "1"
	}
	if !slowed {
		t.Error("thirty guesses were answered at once")
	}
	if resp, _ := v.post("/console/login", url.Values{"token": {"lt_look"}}); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("who has a token is kept out by guesses of others: %s", resp.Status)
	}
}

// TestSecureCookie: over TLS the cookie does not go in clear.
func TestSecureCookie(t *testing.T) {
	h := openHouse(t, Options{})
	c, err := New(h.node, Options{Enter: h.account, Account: h.account})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(c)
	defer srv.Close()
	v := h.visitor()
	v.http.Transport = srv.Client().Transport
	h.url = srv.URL
	resp, _ := v.post("/console/login", url.Values{"token": {"lt_look"}})
	if len(resp.Cookies()) != 1 || !resp.Cookies()[0].Secure {
		t.Errorf("cookies over TLS: %v", resp.Cookies())
	}
}

// TestGone: a browser that does not wait is no fault of the node's.
func TestGone(t *testing.T) {
	h := openHouse(t, Options{})
	v := h.enter("lt_look")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	req := httptest.NewRequestWithContext(gone, "GET", "/console/out", nil)
	for _, c := range v.http.Jar.Cookies(must(url.Parse(h.url + "/console/"))) {
		req.AddCookie(c)
	}
	h.console.ServeHTTP(httptest.NewRecorder(), req)
	h.refusedOnce("gone", "gone")
}
