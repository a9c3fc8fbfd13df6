package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
)

// remote is a door that is asked over HTTP with tokens, whose answers are held
// against openapi.json.
type remote struct {
	t    *testing.T
	node *node.Node
	door *Door
	url  string

	mu      sync.Mutex
	log     bytes.Buffer
	counted []Request
}

// Write is the log.
func (r *remote) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func openRemote(t *testing.T, o Options) *remote {
	t.Helper()
	n, _ := open(t)
	r := &remote{t: t, node: n}
	o.Log = slog.New(slog.NewTextHandler(r, nil))
	o.Count = func(q Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.counted = append(r.counted, q)
	}
	r.door = New(n, o)
	srv := httptest.NewServer(judged(t, r.door, r.door.Remote()))
	t.Cleanup(func() { r.door.Stop(); srv.Close() })
	r.url = srv.URL
	return r
}

// token makes a token.
func (r *remote) token(scopes ...Scope) string {
	r.t.Helper()
	_, secret, err := CreateToken(r.t.Context(), r.node.Store, "qlvb", scopes, time.Time{})
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// ask makes a request and decodes the answer.
func (r *remote) ask(token, method, path string, body io.Reader, into any, header ...string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			r.t.Fatalf("%s %s: %v: %s", method, path, err, b)
		}
	}
	return resp.StatusCode
}

// refusedOnce fails unless exactly one line was logged and one request counted
// since the last call, both with this code.
func (r *remote) refusedOnce(what, code string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], "code="+code) || strings.Contains(lines[0], tokenPrefix) {
		r.t.Errorf("%s: logged %q, want one line with %s", what, lines, code)
	}
	if len(r.counted) != 1 || r.counted[0].Code != code {
		r.t.Errorf("%s: counted %+v, want %s", what, r.counted, code)
	}
	r.log.Reset()
	r.counted = nil
}

func (r *remote) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Reset()
	r.counted = nil
}

// upload is a form of a header and files.
func upload(t *testing.T, header string, files ...string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="header"`}, "Content-Type": {"application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(part, header)
	for i := 0; i+1 < len(files); i += 2 {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + files[i] + `"`}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, files[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, w.FormDataContentType()
}

// letter is the header of a document with a number.
func letter(number string) string {
	return fmt.Sprintf(`{"to":[{"organId":"H41","organName":"Tỉnh"}],"code":{"codeNumber":%q,"codeNotation":"VP-TTĐT"},
		"promulgationInfo":{"place":"Hà Nội","promulgationDate":"2026/03/02"},"documentType":{"type":1,"typeDetail":0,"typeName":"Công văn"},
		"subject":"Về việc %s","signerInfo":{"competence":"TL.","position":"Chánh Văn phòng","fullName":"Lê Văn Mẫu"}}`, number, number)
}

// TestForm hands a header and files over, as a vendor's system would.
func TestForm(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Submit, Read)
	content := strings.Repeat("%PDF nội dung\n", 10_000)
	body, kind := upload(t, letter("1"), "Công văn số 1.pdf", content, "phụ lục.docx", "hai")
	var first Submitted
	if code := r.ask(token, "POST", "/v1/outbox", body, &first, "Content-Type", kind, "Idempotency-Key", "một hai"); code != http.StatusBadRequest {
		t.Errorf("a key that is no ASCII: %d", code)
	}
	body, kind = upload(t, letter("1"), "Công văn số 1.pdf", content, "phụ lục.docx", "hai")
	if code := r.ask(token, "POST", "/v1/outbox", body, &first, "Content-Type", kind, "Idempotency-Key", "k1"); code != http.StatusCreated {
		t.Fatalf("%d, %+v", code, first)
	}
	x := first.Transfer
	if x.DocumentID != "G22,2026/03/02,1/VP-TTĐT" || x.From != "G22" || len(x.Parts) != 2 || x.Parts[0].Name != "Công văn số 1.pdf" || x.Parts[0].Content.Size != int64(len(content)) {
		t.Errorf("%+v", x)
	}
	// the answer was lost: another boundary, the same document
	body, kind = upload(t, letter("1"), "Công văn số 1.pdf", content, "phụ lục.docx", "hai")
	var again Submitted
	if code := r.ask(token, "POST", "/v1/outbox", body, &again, "Content-Type", kind, "Idempotency-Key", "k1"); code != http.StatusOK || !again.Existed || again.Transfer.ID != x.ID {
		t.Errorf("again: %d, %+v", code, again)
	}
	var p Problem
	body, kind = upload(t, letter("2"), "a.pdf", content)
	if code := r.ask(token, "POST", "/v1/outbox", body, &p, "Content-Type", kind, "Idempotency-Key", "k1"); code != http.StatusUnprocessableEntity || p.Code != "key-reused" {
		t.Errorf("the key for another document: %d, %+v", code, p)
	}
	var l List
	if r.ask(token, "GET", "/v1/outbox?q=viec+vp", nil, &l); len(l.Transfers) != 1 || l.Transfers[0].ID != x.ID {
		t.Errorf("search: %+v", l)
	}
	if r.ask(token, "GET", "/v1/outbox?q=khongco", nil, &l); len(l.Transfers) != 0 {
		t.Errorf("search for nothing: %+v", l)
	}
	// another token's key is another key
	body, kind = upload(t, letter("2"), "a.pdf", content)
	if code := r.ask(r.token(Submit), "POST", "/v1/outbox", body, &again, "Content-Type", kind, "Idempotency-Key", "k1"); code != http.StatusCreated {
		t.Errorf("another token: %d", code)
	}
	status := `{"kind":"status","from":{"organId":"G22","organName":"Bộ"},"responseFor":{"organId":"H41","code":"9/X","documentId":"H41,2026/03/02,9/X","promulgationDate":"2026/03/02"},
		"staffInfo":{"staff":"Mai"},"statusCode":"03","description":"đã nhận","timestamp":"2026/03/02 08:00:00"}`
	body, kind = upload(t, status)
	if code := r.ask(token, "POST", "/v1/outbox", body, &again, "Content-Type", kind); code != http.StatusCreated || again.Transfer.Kind != "status" {
		t.Errorf("status: %d, %+v", code, again)
	}
}

// TestPreflightRemote says everything and keeps nothing.
func TestPreflightRemote(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Submit, Read)
	var c Checked
	body, kind := upload(t, letter("1"), "a.pdf", "một")
	if code := r.ask(token, "POST", "/v1/preflight", body, &c, "Content-Type", kind); code != http.StatusOK || !c.Accepted || c.DocumentID == "" {
		t.Errorf("a good one: %d, %+v", code, c)
	}
	if code := r.ask(token, "POST", "/v1/preflight", bytes.NewReader(packet(t, "1", []byte("x"))), &c); code != http.StatusOK || !c.Accepted {
		t.Errorf("a good packet: %d, %+v", code, c)
	}
	body, kind = upload(t, `{"from":{"organId":"H41","organName":"Tỉnh"},"subject":"x"}`)
	if code := r.ask(token, "POST", "/v1/preflight", body, &c, "Content-Type", kind); code != http.StatusOK || c.Accepted || len(c.Problems) != 2 || len(c.Findings) < 3 {
		t.Errorf("a bad one: %d, %+v", code, c)
	}
	for _, f := range c.Findings {
		if f.VI.Rule == "" || f.VI.Message == "" || f.VI.Severity == "error" && f.VI.Remedy == f.EN.Remedy {
			t.Errorf("finding %+v", f)
		}
	}
	var l List
	if r.ask(token, "GET", "/v1/outbox", nil, &l); len(l.Transfers) != 0 {
		t.Errorf("kept: %+v", l)
	}
}

// TestBadInput sends what must be refused: cleanly, logged once, counted.
func TestBadInput(t *testing.T) {
	r := openRemote(t, Options{MaxBody: 64 << 10})
	submit, look := r.token(Submit), r.token(Read)
	_, old, err := CreateToken(t.Context(), r.node.Store, "cũ", []Scope{Submit, Read}, time.Now().Add(-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	revoked, gone, err := CreateToken(t.Context(), r.node.Store, "mất", []Scope{Submit, Read}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RevokeToken(t.Context(), r.node.Store, revoked.ID); err != nil {
		t.Fatal(err)
	}
	form := func(header string, files ...string) func() (io.Reader, string) {
		return func() (io.Reader, string) { return upload(t, header, files...) }
	}
	text := func(s string) func() (io.Reader, string) {
		return func() (io.Reader, string) { return strings.NewReader(s), "application/xml" }
	}
	cut := func() (io.Reader, string) {
		b, kind := upload(t, letter("1"), "a.pdf", strings.Repeat("x", 1000))
		return io.LimitReader(b, 1200), kind
	}
	for _, c := range []struct {
		name, token, method, path string
		body                      func() (io.Reader, string)
		status                    int
		code                      string
	}{
		{"no token", "", "GET", "/v1/outbox", nil, 401, "unauthorized"},
		{"wrong token", "lt_NONSENSE", "GET", "/v1/outbox", nil, 401, "unauthorized"},
		{"expired token", old, "GET", "/v1/outbox", nil, 401, "unauthorized"},
		{"revoked token", gone, "GET", "/v1/outbox", nil, 401, "unauthorized"},
		{"wrong scope", look, "POST", "/v1/outbox", text("x"), 403, "forbidden"},
		{"wrong scope to look", submit, "GET", "/v1/inbox", nil, 403, "forbidden"},
		{"tokens are not for tokens", look, "GET", "/v1/tokens", nil, 403, "forbidden"},
		{"no route", look, "GET", "/v1/nothing", nil, 404, "no-route"},
		{"path trick", look, "GET", "/v1/outbox/..%2F..%2Fetc%2Fpasswd", nil, 404, "not-found"},
		{"method", look, "PATCH", "/v1/outbox", nil, 405, "method"},
		{"oversize", submit, "POST", "/v1/outbox", text("<edXML>" + strings.Repeat(" ", 70<<10)), 413, "too-large"},
		{"oversize form", submit, "POST", "/v1/outbox", form(letter("1"), "a.pdf", strings.Repeat("x", 70<<10)), 413, "too-large"},
		{"no packet", submit, "POST", "/v1/outbox", text("xin chào"), 422, "not-xml"},
		{"cut upload", submit, "POST", "/v1/outbox", cut, 400, "cut-off"},
		{"cut packet", submit, "POST", "/v1/outbox", text(string(packet(t, "7", []byte("nội dung"))[:900])), 422, "truncated"},
		{"invalid JSON", submit, "POST", "/v1/outbox", form(`{"to":`), 400, "bad-request"},
		{"unknown field", submit, "POST", "/v1/outbox", form(`{"too":[]}`), 400, "bad-request"},
		{"no header", submit, "POST", "/v1/outbox", func() (io.Reader, string) {
			return strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n"), "multipart/form-data; boundary=b"
		}, 400, "bad-request"},
		{"file name with a path", submit, "POST", "/v1/outbox", form(letter("1"), "../../etc/passwd", "x"), 422, "file-name"},
		{"file name with a drive", submit, "POST", "/v1/outbox", form(letter("1"), `C:\\a.pdf`, "x"), 422, "file-name"},
		{"file name from the root", submit, "POST", "/v1/outbox", form(letter("1"), "/etc/passwd", "x"), 422, "file-name"},
		{"file name of a folder", submit, "POST", "/v1/outbox", form(letter("1"), "..", "x"), 422, "file-name"},
		{"file name with NUL", submit, "POST", "/v1/outbox", form(letter("1"), "a\x00.pdf", "x"), 400, "bad-request"},
		{"file name that turns letters", submit, "POST", "/v1/outbox", form(letter("1"), "a\u202efdp.exe", "x"), 422, "file-name"},
		{"file name of no letters", submit, "POST", "/v1/outbox", form(letter("1"), "\xff\xfe.pdf", "x"), 422, "file-name"},
		{"file name too long", submit, "POST", "/v1/outbox", form(letter("1"), strings.Repeat("x", 300)+".pdf", "x"), 422, "file-name"},
		{"file name empty", submit, "POST", "/v1/outbox", form(letter("1"), "", "x"), 422, "file-name"},
		{"described file missing", submit, "POST", "/v1/outbox", form(strings.Replace(letter("1"), "{", `{"attachments":[{"name":"b.pdf"}],`, 1), "a.pdf", "x"), 400, "bad-request"},
		{"invalid packet", submit, "POST", "/v1/outbox", form(`{"subject":"x"}`, "a.pdf", "x"), 422, "packet-invalid"},
		{"foreign sender", submit, "POST", "/v1/outbox", form(strings.Replace(letter("1"), "{", `{"from":{"organId":"H41","organName":"Tỉnh"},`, 1), "a.pdf", "x"), 422, "foreign-sender"},
		{"recall of nothing", submit, "POST", "/v1/outbox/nothing/recall", text(`{"reason":"x"}`), 404, "not-found"},
		{"limit of nothing", look, "GET", "/v1/outbox?limit=0", nil, 400, "bad-request"},
		{"limit of too many", look, "GET", "/v1/inbox?limit=1001", nil, 400, "bad-request"},
		{"limit that is no number", look, "GET", "/v1/events?limit=x", nil, 400, "bad-request"},
		{"no id of an event", look, "GET", "/v1/events?after=x", nil, 400, "bad-request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			var body io.Reader
			kind := ""
			if c.body != nil {
				body, kind = c.body()
			}
			r.forget()
			var p Problem
			if code := r.ask(c.token, c.method, c.path, body, &p, "Content-Type", kind); code != c.status || p.Code != c.code || p.Status != c.status {
				t.Errorf("%d, %+v; want %d %s", code, p, c.status, c.code)
			}
			if p.Message.VI == "" || p.Message.EN == "" || p.Type != "urn:lienthong:problem:"+c.code || p.Remedy.VI == "" || p.Remedy.EN == "" {
				t.Errorf("%+v", p)
			}
			r.refusedOnce(c.name, c.code)
		})
	}
	r.t = t
	if all, err := r.node.Store.List(t.Context(), node.Out, "", 10); err != nil || len(all) != 0 {
		t.Errorf("something was accepted: %v, %v", all, err)
	}
}

// TestAnswerHeaders: no answer is kept or guessed at, and a wrong method is told
// the right ones.
func TestAnswerHeaders(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Read)
	for path, allow := range map[string]string{"/healthz": "", "/v1/outbox": "", "/v1/nothing": "", "/v1/inbox/x/lease": "DELETE, POST"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if h := resp.Header; h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Allow") != allow {
			t.Errorf("%s: %s %v", path, resp.Status, h)
		}
	}
}

// TestReset cuts an upload off by resetting the connection, which is no fault of
// the node's; nor is a caller who does not wait.
func TestReset(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Submit)
	form, kind := upload(t, letter("1"), "a.pdf", strings.Repeat("x", 1000))
	for _, c := range []struct {
		kind string
		part io.Reader
	}{{kind, io.LimitReader(form, 900)}, {"application/xml", strings.NewReader("<edXML><a>")}} {
		r.forget()
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /v1/outbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n", token, c.kind)
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") { // the door reads
			t.Fatalf("%q, %v", line, err)
		}
		if _, err := io.Copy(conn, c.part); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		answered := func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.counted) > 0
		}
		for end := time.Now().Add(time.Minute); !answered() && time.Now().Before(end); {
			<-time.After(time.Millisecond)
		}
		r.refusedOnce(c.kind, "cut-off")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	req := httptest.NewRequestWithContext(gone, "GET", "/v1/inbox", nil)
	req.Header.Set("Authorization", "Bearer "+r.token(Read))
	r.forget()
	r.door.Remote().ServeHTTP(httptest.NewRecorder(), req)
	r.refusedOnce("a caller who went away", "gone")
}

// TestReady: a node is ready as long as it would take a document.
func TestReady(t *testing.T) {
	r := openRemote(t, Options{})
	free := int64(1 << 40)
	r.node.Intake.Free = func() (int64, error) { return free, nil }
	is := func(want int, reason string) {
		t.Helper()
		var h Health
		if code := r.ask("", "GET", "/readyz", nil, &h); code != want || h.Reason != reason || h.OK != (want == http.StatusOK) {
			t.Errorf("%d, %+v; want %d %q", code, h, want, reason)
		}
		if code := r.ask("", "GET", "/healthz", nil, &h); code != http.StatusOK {
			t.Errorf("healthz: %d", code)
		}
	}
	is(200, "")
	free = 1 << 20
	is(503, "the disk is nearly full")
	var p Problem
	if code := r.ask(r.token(Submit), "POST", "/v1/outbox", bytes.NewReader(packet(t, "1", []byte("x"))), &p); code != http.StatusInsufficientStorage || p.Code != "disk-low" {
		t.Errorf("a submission: %d, %+v", code, p)
	}
	free = 1 << 40
	is(200, "")
	r.door.Stop()
	is(503, "the node is stopping")
	if err := r.node.Store.Close(); err != nil {
		t.Fatal(err)
	}
	r.door = New(r.node, Options{})
	w := httptest.NewRecorder()
	if r.door.Remote().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil)); w.Code != 503 || !strings.Contains(w.Body.String(), "the store does not answer") {
		t.Errorf("without a store: %d %s", w.Code, w.Body)
	}
}

// TestStandardPage gives the newest 50 to who asks for no number.
func TestStandardPage(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Read)
	for i := range 60 {
		receive(t, r.node, fmt.Sprintf("in-%02d", i), fmt.Sprint("d", i))
	}
	for query, want := range map[string]int{"": 50, "?limit=60": 60, "?limit=7": 7, "?before=in-30": 30} {
		var l List
		if r.ask(token, "GET", "/v1/inbox"+query, nil, &l); len(l.Transfers) != want {
			t.Errorf("%q: %d, want %d", query, len(l.Transfers), want)
		}
	}
}

// TestRate holds a token to its rate, and another one not.
func TestRate(t *testing.T) {
	r := openRemote(t, Options{Rate: 0.001, Burst: 3})
	a, b := r.token(Read), r.token(Read)
	for range 3 {
		if code := r.ask(a, "GET", "/v1/outbox", nil, nil); code != http.StatusOK {
			t.Fatal(code)
		}
	}
	r.forget()
	var p Problem
	if code := r.ask(a, "GET", "/v1/outbox", nil, &p); code != http.StatusTooManyRequests || p.Code != "rate" {
		t.Errorf("%d, %+v", code, p)
	}
	r.refusedOnce("rate", "rate")
	if code := r.ask(b, "GET", "/v1/outbox", nil, nil); code != http.StatusOK {
		t.Errorf("another token: %d", code)
	}
	r.door.SetRate(1e6, 1000)
	for range 5 { // the bucket fills within a request's time
		if r.ask(a, "GET", "/v1/outbox", nil, nil) == http.StatusOK {
			return
		}
	}
	t.Error("the new rate does not count")
}

// TestGuessing slows down whoever tries tokens.
func TestGuessing(t *testing.T) {
	r := openRemote(t, Options{})
	r.door.held.loopback.SetLimit(0) // as time goes by on a machine that is fast enough
	for range 10 * strangers {
		if r.ask("lt_GUESS", "GET", "/v1/outbox", nil, nil) == http.StatusTooManyRequests {
			if code := r.ask(r.token(Read), "GET", "/v1/outbox", nil, nil); code != http.StatusOK {
				t.Errorf("who has a token is kept out: %d", code)
			}
			return
		}
	}
	t.Error("guessing goes on at any speed")
}

// TestTake collects a document over the door: peek, lease, content, done.
func TestTake(t *testing.T) {
	r := openRemote(t, Options{})
	token, other := r.token(Receive, Read), r.token(Receive)
	var l List
	if r.ask(token, "GET", "/v1/inbox/waiting", nil, &l); len(l.Transfers) != 0 {
		t.Errorf("%+v", l)
	}
	if code := r.ask(token, "POST", "/v1/inbox/lease", nil, nil); code != http.StatusNoContent {
		t.Errorf("nothing waits: %d", code)
	}
	receive(t, r.node, "in-1", "d1")
	if r.ask(token, "GET", "/v1/inbox/waiting", nil, &l); len(l.Transfers) != 1 || l.Transfers[0].ID != "in-1" {
		t.Errorf("%+v", l)
	}
	var taken, second Taken
	if code := r.ask(token, "POST", "/v1/inbox/lease", strings.NewReader(`{"seconds":60}`), &taken); code != http.StatusOK || taken.Transfer.ID != "in-1" || time.Until(taken.Until) > time.Minute {
		t.Fatalf("%d, %+v", code, taken)
	}
	if taken.Transfer.Pickup.Lease != "" || taken.Transfer.Pickup.By != "token qlvb" {
		t.Errorf("%+v", taken.Transfer.Pickup)
	}
	var p Problem
	if code := r.ask(other, "POST", "/v1/inbox/in-1/lease", nil, &p); code != http.StatusConflict || p.Code != "held" {
		t.Errorf("%d, %+v", code, p)
	}
	if code := r.ask(other, "POST", "/v1/inbox/in-1/done", strings.NewReader(`{"lease":"x"}`), &p); code != http.StatusConflict {
		t.Errorf("%d, %+v", code, p)
	}
	if code := r.ask(token, "POST", "/v1/inbox/lease", strings.NewReader(`{"seconds":3601}`), &p); code != http.StatusBadRequest {
		t.Errorf("%d, %+v", code, p)
	}
	if code := r.ask(token, "GET", "/v1/inbox/in-1/envelope", nil, nil); code != http.StatusOK {
		t.Errorf("envelope: %d", code)
	}
	if code := r.ask(token, "DELETE", "/v1/inbox/in-1/lease?lease="+taken.Lease, nil, nil); code != http.StatusOK {
		t.Errorf("put back: %d", code)
	}
	if code := r.ask(other, "POST", "/v1/inbox/lease", nil, &second); code != http.StatusOK || second.Lease == taken.Lease {
		t.Errorf("%d, %+v", code, second)
	}
	done := func() int {
		return r.ask(other, "POST", "/v1/inbox/in-1/done", strings.NewReader(`{"lease":"`+second.Lease+`"}`), nil)
	}
	if a, b := done(), done(); a != http.StatusOK || b != http.StatusOK {
		t.Errorf("done: %d, %d", a, b)
	}
	if code := r.ask(token, "POST", "/v1/inbox/in-1/lease", nil, &p); code != http.StatusConflict || p.Code != "taken" {
		t.Errorf("%d, %+v", code, p)
	}
	if r.ask(token, "GET", "/v1/inbox/waiting", nil, &l); len(l.Transfers) != 0 {
		t.Errorf("%+v", l)
	}
	var x node.Transfer
	if code := r.ask(token, "POST", "/v1/inbox/in-1/status", strings.NewReader(`{"code":"06","staffInfo":{"staff":"Mai"}}`), &x); code != http.StatusCreated {
		t.Errorf("report: %d", code)
	}
	var s Statuses
	if r.ask(token, "GET", "/v1/inbox/in-1/statuses", nil, &s); len(s.Receivers) != 1 || s.Receivers[0].Code != "06" {
		t.Errorf("%+v", s)
	}
}

// TestVerbs recalls, updates and replaces a document.
func TestVerbs(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Submit, Read)
	body, kind := upload(t, letter("1"), "a.pdf", "một")
	var first, next Submitted
	r.ask(token, "POST", "/v1/outbox", body, &first, "Content-Type", kind)
	path := "/v1/outbox/" + first.Transfer.ID
	var p Problem
	if code := r.ask(token, "POST", path+"/recall", strings.NewReader(`{}`), &p); code != http.StatusUnprocessableEntity || p.Code != "incomplete" {
		t.Errorf("recall without a reason: %d, %+v", code, p)
	}
	if code := r.ask(token, "POST", path+"/recall", strings.NewReader(`{"reason":"nhầm","receivers":["H99"]}`), &p); code != http.StatusUnprocessableEntity || p.Code != "unknown-receiver" {
		t.Errorf("recall from a stranger: %d, %+v", code, p)
	}
	if code := r.ask(token, "POST", path+"/recall", strings.NewReader(`{"reason":"Phát hành nhầm","staffInfo":{"staff":"Mai"}}`), &next); code != http.StatusCreated ||
		next.Transfer.DocType != "1" || next.Transfer.DocumentID != first.Transfer.DocumentID || len(next.Transfer.Parts) != 1 {
		t.Errorf("recall: %d, %+v", code, next.Transfer)
	}
	if code := r.ask(token, "POST", path+"/recall", strings.NewReader(`{"reason":"Phát hành nhầm"}`), &next); code != http.StatusOK || !next.Existed {
		t.Errorf("recall again: %d, %+v", code, next)
	}
	body, kind = upload(t, `{"subject":"Sửa","business":{"docReason":"Bổ sung"}}`, "b.pdf", "hai")
	if code := r.ask(token, "POST", path+"/update", body, &next, "Content-Type", kind); code != http.StatusCreated || next.Transfer.DocType != "2" || next.Transfer.Subject != "Sửa" {
		t.Errorf("update: %d, %+v", code, next.Transfer)
	}
	body, kind = upload(t, `{"code":{"codeNumber":"2","codeNotation":"VP-TTĐT"},"business":{"docReason":"Sai mục 2"}}`, "c.pdf", "ba")
	if code := r.ask(token, "POST", path+"/replace", body, &next, "Content-Type", kind); code != http.StatusCreated || next.Transfer.DocType != "3" || next.Transfer.Code != "2/VP-TTĐT" {
		t.Errorf("replace: %d, %+v", code, next.Transfer)
	}
	if code := r.ask(token, "POST", path+"/replace", strings.NewReader("x"), &p); code != http.StatusBadRequest {
		t.Errorf("replace without a form: %d, %+v", code, p)
	}
}

// TestOrgans finds agencies with and without accents.
func TestOrgans(t *testing.T) {
	r := openRemote(t, Options{})
	token := r.token(Read)
	for q, want := range map[string]string{"da+nang": "H17", "Đà+Nẵng": "H17", "h17": "H17", "bo+noi+vu": "G09"} {
		var o Organs
		r.ask(token, "GET", "/v1/organs?limit=5&q="+q, nil, &o)
		found := false
		for _, one := range o.Organs {
			found = found || one.OrganID == want
		}
		if !found {
			t.Errorf("%s: %+v", q, o.Organs)
		}
	}
	var o Organs
	if r.ask(token, "GET", "/v1/organs?q=khongco", nil, &o); len(o.Organs) != 0 {
		t.Errorf("%+v", o)
	}
	if r.ask(token, "GET", "/v1/organs?limit=3", nil, &o); len(o.Organs) != 3 {
		t.Errorf("%d", len(o.Organs))
	}
}

// TestTokens makes, lists and revokes tokens on the local side.
func TestTokens(t *testing.T) {
	_, all := open(t)
	for way, c := range all {
		ctx := t.Context()
		made, err := c.CreateToken(ctx, Asked{Name: way, Scopes: []Scope{Read}})
		if err != nil || !strings.HasPrefix(made.Secret, tokenPrefix) || made.Token.Name != way {
			t.Fatalf("%+v, %v", made, err)
		}
		if _, err := c.CreateToken(ctx, Asked{Name: way, Scopes: []Scope{"root"}}); err == nil || !strings.Contains(err.Error(), "receive") {
			t.Errorf("a scope that there is not: %v", err)
		}
		list, err := c.Tokens(ctx)
		if err != nil || len(list) == 0 || strings.Contains(fmt.Sprint(list), made.Secret) {
			t.Errorf("%v, %v", list, err)
		}
		if got, err := c.RevokeToken(ctx, way); err != nil || got.ID != made.Token.ID {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := c.RevokeToken(ctx, way); !errors.Is(err, node.ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}
	}
}

// TestCheckAddress: without TLS the door opens on the loopback only.
func TestCheckAddress(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:0": true, "[::1]:80": true, "localhost:8071": true, "0.0.0.0:8071": false, ":8071": false, "10.0.0.1:80": false, "example.vn:80": false, "127.0.0.1": false, "127.0.0.1:http": false,
	} {
		if err := CheckAddress(address, false); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := CheckAddress("0.0.0.0:8071", true); err != nil {
		t.Error(err)
	}
}
