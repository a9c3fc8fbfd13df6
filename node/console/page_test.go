package console

import (
	"context"
	"crypto/x509"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestHeaders: every answer forbids script and style that is not ours.
func TestHeaders(t *testing.T) {
	h := openHouse(t, Options{})
	v := h.enter("lt_look")
	for _, path := range []string{"/console/", "/console/out", "/console/login", "/console/nowhere", "/console/style.css", "/console/live.js", "/console/icon.svg", "/console/out/x"} {
		resp, body := v.get(path)
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
			resp.Header.Get("X-Frame-Options") != "DENY" || resp.Header.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, resp.Header)
		}
		for _, bad := range []string{"<script>", " style=", " onclick=", "javascript:"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %q in it", path, bad)
			}
		}
	}
}

// TestScript: what a packet says is text, wherever it is shown.
func TestScript(t *testing.T) {
	h := openHouse(t, Options{})
	const evil = `</title><script>alert(1)</script><img src=x onerror=alert(1)>"'`
	for _, d := range []node.Direction{node.Out, node.In} {
		x := h.document(d, node.Failed, len(d), func(t *node.Transfer) {
			t.Subject, t.Code, t.FromName, t.From, t.DocumentID, t.LastError, t.Refusal, t.Reason = evil, evil, evil, evil, evil, evil, evil, evil
			t.Receivers = []node.Receiver{{OrganID: evil, OrganName: evil, Code: evil, Events: []node.Event{{Code: evil, Description: evil, Illegal: evil}}}}
			t.Parts[0].Name = evil
			t.Attempts = []node.Attempt{{Step: evil, Code: evil, Error: evil, Output: evil}}
			t.Acts = []node.Act{{Actor: evil, Action: evil, Reason: evil}}
			t.Findings = []edxml.FindingText{{Rule: evil, Severity: edxml.Error, Message: evil, Clause: evil, Remedy: evil}}
			t.Signature = &node.Signature{Signed: true, Reason: evil, Signer: evil, Coverage: []string{evil}, Missing: []string{evil}}
			t.Withdrawn, t.LegalHold, t.About = &node.Act{Actor: evil, Reason: evil}, evil, []string{evil}
		})
		v := h.enter("lt_act")
		for _, path := range []string{"/console/", "/console/" + string(d), "/console/" + string(d) + "/" + x.ID, "/console/" + string(d) + "?q=" + url.QueryEscape(evil) + "&agency=" + url.QueryEscape(evil) + "&from=" + url.QueryEscape(evil)} {
			resp, body := v.get(path)
			if resp.StatusCode != http.StatusOK || strings.Contains(body, "<script>") || strings.Contains(body, "<img") || !strings.Contains(body, "&lt;script&gt;") {
				t.Errorf("%s: %s\n%s", path, resp.Status, body)
			}
		}
	}
}

// TestDownload: a file is saved, never shown, and its name is a name.
func TestDownload(t *testing.T) {
	h := openHouse(t, Options{})
	names := map[string]string{
		"công văn.pdf":                    "công văn.pdf",
		"../../etc/passwd":                "etc-passwd",
		`C:\Windows\system.ini`:           "C--Windows-system.ini",
		"a\r\nSet-Cookie: x=y.pdf":        "aSet-Cookie- x=y.pdf",
		"hóa đơn\u202efdp.exe":            "hóa đơnfdp.exe",
		"  ..  ":                          "file",
		`"><script>.html`:                 "script-.html",
		strings.Repeat("ă", 300) + ".pdf": strings.Repeat("ă", 75) + ".pdf",
	}
	var parts []node.Part
	var wants []string
	x := h.document(node.In, node.Confirmed, 1, func(t *node.Transfer) {
		for name, want := range names {
			parts = append(parts, node.Part{ID: "p", Name: name, Content: t.Parts[0].Content})
			wants = append(wants, want)
		}
		t.Parts = parts
	})
	v := h.enter("lt_look")
	for i, want := range wants {
		resp, body := v.get(fmt.Sprintf("/console/in/%s/files/%d", x.ID, i))
		kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err != nil || resp.StatusCode != http.StatusOK || kind != "attachment" || params["filename"] != want || resp.Header.Get("Content-Type") != "application/octet-stream" ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" || body != "<phong-bi>1</phong-bi>" || len(resp.Cookies()) > 0 {
			t.Errorf("%q: %s, %v, %v, want %q", parts[i].Name, resp.Status, resp.Header, err, want)
		}
	}
	h.forget()
	for _, n := range []string{"-1", "99", "x", "..%2f..%2fnode.db"} {
		if resp, _ := v.get("/console/in/" + x.ID + "/files/" + n); resp.StatusCode != http.StatusNotFound {
			t.Errorf("file %s: %s", n, resp.Status)
		}
		h.refusedOnce(n, "not-found")
	}
	if resp, _ := v.get("/console/out/" + x.ID); resp.StatusCode != http.StatusNotFound {
		t.Errorf("in another box: %s", resp.Status)
	}
	h.forget()
	sealed := h.document(node.In, node.Sealed, 2, func(t *node.Transfer) { t.Withdrawn = &node.Act{Actor: "H41"} })
	if resp, _ := v.get("/console/in/" + sealed.ID + "/files/0"); resp.StatusCode != http.StatusGone {
		t.Errorf("recalled: %s", resp.Status)
	}
	h.refusedOnce("recalled", "withdrawn")
	if _, body := v.get("/console/in/" + sealed.ID); strings.Contains(body, "/files/0") {
		t.Error("the page of a recalled document links to its content")
	}
}

// TestOperate: the buttons do what why says, in the token's name, and a viewer
// has none.
func TestOperate(t *testing.T) {
	h := openHouse(t, Options{})
	x := h.document(node.Out, node.Queued, 7, nil)
	path := "/console/out/" + x.ID
	look := h.enter("lt_look")
	if _, body := look.get(path); strings.Contains(body, "formaction") {
		t.Error("a viewer has buttons")
	}
	proof := look.proof()
	for _, verb := range []string{"hold", "retry", "release", "cancel", "export"} {
		if resp, _ := look.post(path+"/"+verb, url.Values{"proof": {proof}}); resp.StatusCode != http.StatusForbidden {
			t.Errorf("a viewer may %s: %s", verb, resp.Status)
		}
		h.refusedOnce(verb, "forbidden")
	}

	v := h.enter("lt_act")
	proof = v.proof()
	press := func(verb, reason string, want int) string {
		t.Helper()
		resp, body := v.post(path+"/"+verb, url.Values{"proof": {proof}, "reason": {reason}})
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d\n%s", verb, resp.Status, want, body)
		}
		return body
	}
	press("hold", "chờ lãnh đạo", 303)
	if _, body := v.get(path + "?done=hold"); !strings.Contains(body, "chờ lãnh đạo") || !strings.Contains(body, "/release") || strings.Contains(body, "/hold\"") || !strings.Contains(body, "Đã ghi nhận") {
		t.Errorf("held:\n%s", body)
	}
	if body := press("hold", "", 409); !strings.Contains(body, "đang bị giữ") {
		t.Errorf("twice:\n%s", body)
	}
	press("release", "", 303)
	press("retry", "", 303)
	press("cancel", "", 400)
	press("cancel", "sai nơi nhận", 303)
	if body := press("export", "gửi thanh tra", 200); !strings.Contains(body, "<phong-bi>7</phong-bi>") {
		t.Errorf("export: %q", body)
	}

	got := must(h.node.Store.Transfer(t.Context(), x.ID))
	var acts []string
	for _, a := range got.Acts {
		acts = append(acts, a.Actor+" "+a.Action+" "+a.Reason)
	}
	if want := "token Làm hold chờ lãnh đạo|token Làm release |token Làm retry |token Làm cancel sai nơi nhận|token Làm export gửi thanh tra"; strings.Join(acts, "|") != want {
		t.Errorf("acts %q, want %q", strings.Join(acts, "|"), want)
	}
	chains := must(h.node.Store.Chains(t.Context()))
	rows := must(h.node.Store.Journal(t.Context(), chains[0], 0, 100))
	if last := string(rows[len(rows)-1]); !strings.Contains(last, `"action":"export"`) || !strings.Contains(last, "gửi thanh tra") {
		t.Errorf("the journal ends with %s", last)
	}
}

// TestPaths: what is not there is not found, and logged once.
func TestPaths(t *testing.T) {
	h := openHouse(t, Options{})
	v := h.enter("lt_act")
	for path, code := range map[string]string{
		"/console/nowhere": "no-page", "/console/hub": "no-page", "/console/events": "no-page", "/console/out/nobody": "not-found",
		"/console/out/%2e%2e%2f%2e%2e": "not-found", "/console/out/x/hold": "no-page",
	} {
		if resp, _ := v.get(path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
		h.refusedOnce(path, code)
	}
}

// TestSearch narrows by words, agency, days and state.
func TestSearch(t *testing.T) {
	h := openHouse(t, Options{})
	for i := range 130 {
		h.document(node.Out, node.Sent, i+1, func(t *node.Transfer) {
			if i%2 == 1 {
				t.Receivers = []node.Receiver{{OrganID: "H29", OrganName: "UBND Thành phố Hồ Chí Minh"}}
			}
			switch {
			case i == 5:
				t.Subject, t.State = "Về việc đôn đốc Nghệ An", node.Failed
			case i == 100:
				t.Created = time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)
				t.ID = idAt(t.Created)
			}
		})
	}
	v := h.enter("lt_look")
	count := func(path string) (int, string) {
		_, body := v.get(path)
		return strings.Count(body, `class="what"`), body
	}
	for path, want := range map[string]int{
		"/console/out": 50, "/console/out?q=don+doc": 1, "/console/out?q=%C4%91%C3%B4n": 1, "/console/out?q=77%2Fvpcp": 1, "/console/out?q=khong+co": 0,
		"/console/out?state=failed": 1, "/console/out?state=failed&q=thu": 0, "/console/out?agency=nghe+an&q=don+doc": 0, "/console/out?agency=h29&q=don": 1,
		"/console/out?from=2026-03-09": 1, "/console/out?from=2026-03-03&to=2026-03-08": 0, "/console/out?to=2026-03-02": 50, "/console/out?state=nonsense": 50, "/console/in": 0,
	} {
		if got, body := count(path); got != want {
			t.Errorf("%s: %d rows, want %d\n%s", path, got, want, body)
		}
	}
	if _, body := count("/console/out?from=32%2F13"); !strings.Contains(body, "Ngày không đọc được: 32/13") {
		t.Errorf("bad day:\n%s", body)
	}
	// All pages together have every document once.
	for _, start := range []string{"/console/out", "/console/out?agency=ubnd", "/console/out?q=viec"} {
		seen, path := map[string]bool{}, start
		for range 10 {
			_, body := v.get(path)
			for _, row := range strings.Split(body, `<a href="/console/out/`)[1:] {
				id, _, _ := strings.Cut(row, `"`)
				if seen[id] {
					t.Errorf("%s: %s twice", start, id)
				}
				seen[id] = true
			}
			_, next, _ := strings.Cut(body, `<a href="/console/out?`)
			next, _, ok := strings.Cut(next, `" rel="next"`)
			if !ok {
				break
			}
			next = next[strings.LastIndex(next, `?`)+1:]
			path = "/console/out?" + strings.ReplaceAll(next, "&amp;", "&")
		}
		if len(seen) != 130 {
			t.Errorf("%s: the pages have %d documents, want 130", start, len(seen))
		}
	}
}

// TestRareState: what few are in is found behind any number of others, the
// oldest first.
func TestRareState(t *testing.T) {
	h := openHouse(t, Options{})
	for i := range 4 {
		h.document(node.Out, node.Failed, 1+i, nil)
	}
	for i := range 300 {
		h.document(node.Out, node.Sent, 1000+i, nil)
	}
	_, body := h.enter("lt_look").get("/console/out?state=failed")
	first, last := strings.Index(body, "1/VPCP-TH"), strings.Index(body, "4/VPCP-TH")
	if first < 0 || last < first {
		t.Errorf("failed ones at %d and %d:\n%s", first, last, body)
	}
}

// TestMailboxes: a hub shows who has not collected, the longest waiting first.
func TestMailboxes(t *testing.T) {
	var h *house
	now := time.Now()
	h = openHouse(t, Options{
		Mailboxes: func(context.Context) ([]Mailbox, error) {
			return []Mailbox{
				{OrganID: "H41.01", OrganName: "Sở Nội vụ", Documents: 12},
				{OrganID: "H41.02", OrganName: "Sở Tư pháp <b>", Documents: 5, Waiting: 1, Oldest: now.Add(-time.Hour)},
				{OrganID: "H41.03", OrganName: "Xã Mường Típ", Documents: 70, Waiting: 60, Oldest: now.Add(-75 * time.Hour), Closed: true},
			}, nil
		},
		Waiting: func(ctx context.Context, organ, after string, limit int) ([]*node.Transfer, error) {
			if organ != "H41.03" {
				return nil, fmt.Errorf("asked for %q", organ)
			}
			return h.node.Store.Find(ctx, "waits", after, limit)
		},
	})
	for i := range 60 {
		h.document(node.Box, node.Waiting, i+1, func(t *node.Transfer) { t.Lookup = []string{"waits"} })
	}
	v := h.enter("lt_look")
	_, body := v.get("/console/hub")
	if a, b, c := strings.Index(body, "Xã Mường Típ"), strings.Index(body, "Sở Tư pháp"), strings.Index(body, "Sở Nội vụ"); a < 0 || b < a || c < b {
		t.Errorf("the order is %d %d %d:\n%s", a, b, c, body)
	}
	if !strings.Contains(body, "1 cơ quan có văn bản chờ hơn một ngày") || !strings.Contains(body, "3 ngày") || !strings.Contains(body, "1 giờ") || strings.Contains(body, "<b>") {
		t.Errorf("mailboxes:\n%s", body)
	}
	_, body = v.get("/console/hub/H41.03")
	_, next, ok := strings.Cut(body, `href="/console/hub/H41.03?after=`)
	if !ok || strings.Count(body, "/VPCP-TH") != perPage {
		t.Fatalf("what waits:\n%s", body)
	}
	next, _, _ = strings.Cut(next, `"`)
	if _, body = v.get("/console/hub/H41.03?after=" + next); strings.Count(body, "/VPCP-TH") != 60-perPage {
		t.Errorf("the second page:\n%s", body)
	}
	h.forget()
	if resp, _ := v.get("/console/hub/H99"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an agency that is not here: %s", resp.Status)
	}
	h.refusedOnce("no such agency", "not-found")
}

// TestManyMailboxes: of thousands those that wait longest are listed, all at a
// click.
func TestManyMailboxes(t *testing.T) {
	h := openHouse(t, Options{
		Mailboxes: func(context.Context) ([]Mailbox, error) {
			all := make([]Mailbox, 3000)
			for i := range all {
				all[i] = Mailbox{OrganID: fmt.Sprintf("H41.%04d", i), OrganName: "Xã"}
			}
			all[2999].Waiting, all[2999].Oldest = 1, time.Now()
			return all, nil
		},
		Waiting: func(context.Context, string, string, int) ([]*node.Transfer, error) { return nil, nil },
	})
	v := h.enter("lt_look")
	for query, want := range map[string]int{"": shownMailboxes, "?mailboxes=all": 3000} {
		_, body := v.get("/console/hub" + query)
		if got := strings.Count(body, `class="id">H41.`); got != want || !strings.Contains(body, "/console/hub/H41.2999") || strings.Contains(body, "(3.000)") != (query == "") {
			t.Errorf("%q: %d mailboxes", query, got)
		}
	}
}

// TestEvents: what happens is streamed to whoever is logged in, and to nobody
// else.
func TestEvents(t *testing.T) {
	h := openHouse(t, Options{Events: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, bounded := r.Context().Deadline(); !bounded {
			t.Error("the stream has no end")
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("event: changed\n\n"))
		_ = http.NewResponseController(w).Flush()
	})})
	if resp, body := h.visitor().get("/console/events"); resp.StatusCode != http.StatusUnauthorized || strings.Contains(body, "event:") {
		t.Errorf("outside: %s", resp.Status)
	}
	v := h.enter("lt_look")
	if resp, body := v.get("/console/events"); resp.Header.Get("Content-Type") != "text/event-stream" || body != "event: changed\n\n" {
		t.Errorf("inside: %v %q", resp.Header, body)
	}
	if _, body := v.get("/console/"); !strings.Contains(body, `src="/console/live.js"`) {
		t.Error("the page does not follow")
	}
}

// TestOverview: the figures of the page are those of the store.
func TestOverview(t *testing.T) {
	h := openHouse(t, Options{
		Free: func() (int64, error) { return 5 << 30, nil },
		Certificates: func() map[string]*x509.Certificate {
			return map[string]*x509.Certificate{"sign": {NotAfter: time.Now().Add(13*24*time.Hour + time.Hour)}}
		},
	})
	today := func(late bool) func(*node.Transfer) {
		return func(t *node.Transfer) {
			t.Created = time.Now().UTC()
			t.Finished, t.PromulgationDate = t.Created, edxml.DateOf(t.Created)
			if late {
				t.PromulgationDate = edxml.DateOf(t.Created.AddDate(0, 0, -20))
			}
		}
	}
	for i := range 4 {
		h.document(node.Out, node.Sent, i+1, today(i == 0))
	}
	h.document(node.Out, node.Failed, 9, today(false))
	h.document(node.In, node.Confirmed, 10, today(false))
	_, body := h.enter("lt_look").get("/console/")
	for _, want := range []string{"75%", "3 / 4 ", "5,0\u00a0GB", `state bad">13 ngày`, `<span class="key out">đi: 5</span>`, `<span class="key in">đến: 1</span>`,
		`href="/console/out?state=failed">1</a>`, "Cần xử lý", "Chưa cấu hình"} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview lacks %q:\n%s", want, body)
		}
	}
}
