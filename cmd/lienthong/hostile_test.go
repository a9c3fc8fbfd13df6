package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// stranger is a node as a process, and somebody who wishes it ill.
type stranger struct {
	*testing.T
	url      string
	out, log talk
	refused  map[string]int // by code, as it has to be counted
	http     *http.Client
}

// TestHostile asks a running node for what it must refuse: each is refused
// cleanly, is one line of the log without a secret, and is counted.
func TestHostile(t *testing.T) {
	dir, err := os.MkdirTemp("", "hostile") // its path leaves room for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "node.toml")
	if err := os.WriteFile(config, []byte("organ = \"G22\"\nstore = \"bolt:./data\"\n[api]\nmax_body = \"64KiB\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stranger{T: t, refused: map[string]int{}, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	end := s.start(config)
	token := func(scopes string) string {
		out, err := exec.Command("lienthong", "token", "create", "--config", config, "--scope", scopes, scopes).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	submit, look, scrape := token("submit"), token("read"), token("metrics")

	for _, c := range []struct {
		name, token, method, path string
		body                      io.Reader
		kind                      string
		status                    int
		code                      string
	}{
		{"no token", "", "GET", "/v1/outbox", nil, "", 401, "unauthorized"},
		{"wrong token", "lt_" + strings.Repeat("A", 26), "GET", "/v1/outbox", nil, "", 401, "unauthorized"},
		{"wrong scope", look, "POST", "/v1/outbox", nil, "", 403, "forbidden"},
		{"no packet", submit, "POST", "/v1/outbox", strings.NewReader("xin chào"), "text/plain", 422, "not-xml"},
		{"oversize", submit, "POST", "/v1/outbox", strings.NewReader(strings.Repeat(" ", 70<<10)), "application/xml", 413, "too-large"},
		{"no route", look, "GET", "/v1/../../etc/passwd", nil, "", 404, "no-route"},
		{"path", look, "GET", "/v1/outbox/..%2f..%2fetc%2fpasswd", nil, "", 404, "not-found"},
		{"method", look, "DELETE", "/v1/outbox", nil, "", 405, "method"},
	} {
		s.refuse(c.name, c.token, c.method, c.path, c.body, c.kind, c.status, c.code)
	}
	header := func(number string) string {
		return `{"to":[{"organId":"H41","organName":"Tỉnh"}],"code":{"codeNumber":"` + number + `","codeNotation":"VP"},"promulgationInfo":{"place":"Hà Nội","promulgationDate":"2026/03/02"},
			"documentType":{"type":1,"typeName":"Công văn"},"subject":"` + evilText + `","signerInfo":{"position":"Chánh Văn phòng","fullName":"Lê Văn Mẫu"}}`
	}
	for _, c := range []struct {
		name, header, file string
		status             int
		code               string
	}{
		{"invalid JSON", `{"to":`, "a.pdf", 400, "bad-request"},
		{"path in a file name", header("1"), "../../etc/passwd", 422, "file-name"},
		{"root in a file name", header("1"), "/etc/passwd", 422, "file-name"},
		{"NUL in a file name", header("1"), "a\x00.pdf", 400, "bad-request"},
	} {
		body, kind := formOf(t, c.header, c.file)
		s.refuse(c.name, submit, "POST", "/v1/outbox", body, kind, c.status, c.code)
	}
	s.cut(submit)
	for i, want := range []int{http.StatusCreated, http.StatusOK} {
		body, kind := formOf(t, header("1"), "a.pdf")
		if resp, text := s.ask(submit, "POST", "/v1/outbox", body, kind, "Idempotency-Key", "k"); resp.StatusCode != want {
			t.Errorf("submission %d: %s %s", i, resp.Status, text)
		}
	}
	body, kind := formOf(t, header("2"), "a.pdf")
	s.refuse("a key for another document", submit, "POST", "/v1/outbox", body, kind, 422, "key-reused", "Idempotency-Key", "k")

	const form = "application/x-www-form-urlencoded"
	s.refuse("wrong login", "", "POST", "/console/login", strings.NewReader("token=lt_wrong"), form, 401, "login")
	if resp, text := s.ask("", "POST", "/console/login", strings.NewReader("token="+look), form); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("login: %s %s", resp.Status, text)
	}
	_, list := s.ask("", "GET", "/console/out", nil, "")
	found := regexp.MustCompile(`/console/out/([0-9a-f-]{36})`).FindStringSubmatch(list)
	if found == nil {
		t.Fatalf("no document in the list:\n%s", list)
	}
	for _, path := range []string{"/console/", "/console/out", found[0], "/console/out?q=" + url.QueryEscape(evilText)} {
		resp, page := s.ask("", "GET", path, nil, "")
		if csp := resp.Header.Get("Content-Security-Policy"); resp.StatusCode != http.StatusOK || strings.Contains(page, "<script>") || !strings.Contains(page, "&lt;script&gt;") ||
			!strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s, policy %q\n%s", path, resp.Status, csp, page)
		}
	}
	proof := regexp.MustCompile(`name="proof" value="([0-9a-f]{64})"`).FindStringSubmatch(list)[1]
	s.refuse("no proof", "", "POST", found[0]+"/cancel", strings.NewReader("reason=x"), form, 403, "csrf")
	s.refuse("another site", "", "POST", found[0]+"/cancel", strings.NewReader("reason=x&proof="+proof), form, 403, "csrf", "Origin", "https://evil.example")
	s.refuse("a viewer", "", "POST", found[0]+"/cancel", strings.NewReader("reason=x&proof="+proof), form, 403, "forbidden")
	s.refuse("a big form", "", "POST", found[0]+"/cancel", strings.NewReader(strings.Repeat("x", 20<<10)), form, 413, "too-large")

	_, metrics := s.ask(scrape, "GET", "/metrics", nil, "")
	for code, n := range s.refused {
		total := 0
		for _, m := range regexp.MustCompile(`lienthong_api_requests_total\{code="`+code+`",route="[^"]*",status="[0-9]+"\} ([0-9]+)`).FindAllStringSubmatch(metrics, -1) {
			var one int
			_, _ = fmt.Sscan(m[1], &one) // only digits
			total += one
		}
		if total != n {
			t.Errorf("%s is counted %d times, want %d", code, total, n)
		}
	}
	end()
	sum := 0
	for _, n := range s.refused {
		sum += n
	}
	if got := strings.Count(s.log.String(), " refused\""); got != sum {
		t.Errorf("%d refusals are logged, want %d:\n%s", got, sum, s.log.String())
	}
	if strings.Contains(s.log.String(), "lt_") {
		t.Errorf("a token is in the log:\n%s", s.log.String())
	}
	for name, lines := range map[string]string{`(?m)^api http://127\.0\.0\.1:[0-9]+$`: s.out.String(), `(?m)msg="api http://127\.0\.0\.1:[0-9]+"$`: s.log.String()} {
		if n := len(regexp.MustCompile(name).FindAllString(lines, -1)); n != 1 {
			t.Errorf("%d lines are like %s:\n%s", n, name, lines)
		}
	}
}

const evilText = `</title><script>alert(1)</script><img src=x onerror=alert(1)>`

// start runs the node until end is called.
func (s *stranger) start(config string) (end func()) {
	cmd := exec.Command("lienthong", "node", "--config", config)
	cmd.Stdout, cmd.Stderr = &s.out, &s.log
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(os.Interrupt)
			if err := cmd.Wait(); err != nil {
				s.Errorf("the node ended with %v:\n%s", err, s.log.String())
			}
		}
	}
	s.Cleanup(end)
	s.await(func() bool { return strings.Contains(s.out.String(), "\nconsole ") })
	s.url = regexp.MustCompile(`(?m)^api (.*)$`).FindStringSubmatch(s.out.String())[1]
	return end
}

// await waits until something is so.
func (s *stranger) await(is func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !is(); <-tick.C {
		if time.Now().After(end) {
			s.Fatalf("it did not come to it:\n%s\n%s", s.out.String(), s.log.String())
		}
	}
}

func (s *stranger) ask(token, method, path string, body io.Reader, kind string, more ...string) (*http.Response, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, body)
	if err != nil {
		s.Fatal(err)
	}
	req.URL.Opaque, _, _ = strings.Cut(path, "?") // goes out as it is
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp, string(text)
}

// refuse asks for what is to be refused, and waits for its line in the log.
func (s *stranger) refuse(name, token, method, path string, body io.Reader, kind string, status int, code string, more ...string) {
	s.Helper()
	resp, text := s.ask(token, method, path, body, kind, more...)
	if resp.StatusCode != status || !strings.Contains(text, code) && !strings.Contains(text, `role="alert"`) {
		s.Errorf("%s: %s, want %d %s\n%s", name, resp.Status, status, code, text)
	}
	s.logged(code)
}

// logged waits for one more line with a code.
func (s *stranger) logged(code string) {
	s.Helper()
	s.refused[code]++
	s.await(func() bool { return strings.Count(s.log.String(), " code="+code+" ") >= s.refused[code] })
}

// cut breaks an upload off in the middle.
func (s *stranger) cut(token string) {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/outbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/xml\r\nContent-Length: 5000\r\n\r\n<edXML>", token)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		s.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(answer, []byte(" 400 ")) || !bytes.Contains(answer, []byte(`"code":"cut-off"`)) {
		s.Errorf("a cut upload: %v\n%s", err, answer)
	}
	s.logged("cut-off")
}

// formOf is a header with one file.
func formOf(t *testing.T, header, file string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, part := range [][2]string{{`name="header"`, header}, {`name="file"; filename="` + file + `"`, "%PDF"}} {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {"form-data; " + part[0]}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(p, part[1]) // to memory
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, w.FormDataContentType()
}
