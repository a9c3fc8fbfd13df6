package vxp_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/vxp"
)

// sdk is a service object of the vendor's Java SDK as far as the wire goes: what
// it writes is written here octet for octet as it was captured. Its parameters
// stay from call to call.
type sdk struct {
	t        *testing.T
	host     string
	base     string // path of the endpoint; "/" gives //sendEdoc
	systemID string
	params   []param // as a HashMap has them: in the order of [sdk.signed]
	log      *bytes.Buffer
	lastRaw  []byte
}

type param struct{ name, value string }

const sdkTime = "22112026T080727+0466"

func newSDK(t *testing.T, base, systemID, endpoint string, log *bytes.Buffer) *sdk {
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return &sdk{t: t, host: u.Host, base: endpoint, systemID: systemID, log: log}
}

// put is HashMap.put.
func (s *sdk) put(name, value string) {
	for i := range s.params {
		if s.params[i].name == name {
			s.params[i].value = value
			return
		}
	}
	s.params = append(s.params, param{name, value})
}

// hashOrder puts parameters into the order in which java.util.HashMap lists
// them: by the hash of the name, where that is the same as they came.
func hashOrder(params []param) []param {
	size := uint32(16)
	for uint32(len(params)) > size*3/4 {
		size *= 2
	}
	bucket := func(p param) uint32 {
		var h uint32
		for _, c := range []byte(p.name) {
			h = 31*h + uint32(c)
		}
		return (h ^ h>>16) & (size - 1)
	}
	params = slices.Clone(params)
	slices.SortStableFunc(params, func(a, b param) int { return cmp.Compare(bucket(a), bucket(b)) })
	return params
}

// signed writes the parameters, and the headers that sign them, as lines.
func (s *sdk) signed(skip func(name string) bool) string {
	params := hashOrder(s.params)
	var lines, keys, text strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for i, p := range params {
		if !skip(p.name) {
			lines.WriteString("XroadVnpt-" + p.name + ": " + p.value + "\r\n")
		}
		if i > 0 {
			keys.WriteByte(';')
			text.WriteByte(',')
		}
		keys.WriteString(p.name)
		text.WriteString(`"XroadVnpt-` + p.name + `":"` + quote.Replace(p.value) + `"`)
	}
	signed := "{" + text.String() + "}"
	return lines.String() + "XroadVnpt-sign-header-key: " + keys.String() + "\r\nXroadVnpt-sign-header: " + signed +
		"\r\nXroadVnpt-hash-header: " + vxp.Sign(secret, signed) + "\r\nUser-Agent: JAVASDKAgent/1.0.0 XRoad/VPCP\r\nXroadVnpt-version: 3.0.201608\r\n"
}

func (s *sdk) begin(media string, params ...string) {
	s.put("systemid", s.systemID)
	s.put("timestamp", sdkTime)
	s.put("Content-Type", media)
	for i := 0; i < len(params); i += 2 {
		s.put(params[i], params[i+1])
	}
}

// apache makes a call through Apache HttpClient: with a body it waits for 100
// Continue before it sends that.
func (s *sdk) apache(verb, method, body string, params ...string) *http.Response {
	s.t.Helper()
	s.begin("application/json", params...)
	head := verb + " " + strings.TrimRight(s.base, "/") + "/" + method + " HTTP/1.1\r\nContent-Type: application/json\r\n" +
		s.signed(func(string) bool { return false })
	if verb == http.MethodPost {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	head += "Host: " + s.host + "\r\nConnection: Keep-Alive\r\n"
	if body != "" {
		head += "Expect: 100-continue\r\n"
	}
	return s.exchange(verb, head+"Accept-Encoding: gzip,deflate\r\n\r\n", []byte(body), body != "")
}

// send makes the call sendEdoc through HttpURLConnection: of two parameters
// whose names differ in case only the later is a header, and all of the body
// is sent whatever the answer.
func (s *sdk) send(file []byte, params ...string) *http.Response {
	s.t.Helper()
	s.put("hash-file", vxp.FileHash(sha256.Sum256(file)))
	s.begin("application/octet-stream", params...)
	both := slices.ContainsFunc(s.params, func(p param) bool { return p.name == "docid" })
	head := "POST " + s.base + "/sendEdoc HTTP/1.1\r\nContent-Type: application/octet-stream\r\n" +
		s.signed(func(name string) bool { return both && name == "docId" }) +
		"Cache-Control: no-cache\r\nPragma: no-cache\r\nHost: " + s.host +
		"\r\nAccept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2\r\nConnection: keep-alive\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(file)+2)
	return s.exchange(http.MethodPost, head, append(slices.Clone(file), "\r\n"...), false)
}

// exchange writes a request and reads the answer, and keeps both for the transcript.
func (s *sdk) exchange(verb, head string, body []byte, expect bool) *http.Response {
	s.t.Helper()
	s.lastRaw = append([]byte(head), body...)
	return s.write(verb, head, body, expect)
}

func (s *sdk) write(verb, head string, body []byte, expect bool) *http.Response {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, head); err != nil {
		s.t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	request := &http.Request{Method: verb}
	if expect {
		res, err := http.ReadResponse(in, request)
		if err != nil {
			s.t.Fatal(err)
		}
		if res.StatusCode != http.StatusContinue {
			s.note(head, nil, res)
			return s.whole(res)
		}
	}
	if _, err := conn.Write(body); err != nil {
		s.t.Fatal(err)
	}
	res, err := http.ReadResponse(in, request)
	if err != nil {
		s.t.Fatal(err)
	}
	res = s.whole(res)
	s.note(head, body, res)
	return res
}

// whole reads the body of an answer.
func (s *sdk) whole(res *http.Response) *http.Response {
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body = io.NopCloser(bytes.NewReader(b))
	return res
}

var port = regexp.MustCompile(`(?m)^Host: .*\r$`)

// note adds an exchange to the transcript. The address differs from run to run.
func (s *sdk) note(head string, body []byte, res *http.Response) {
	b, _ := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(b))
	fmt.Fprintf(s.log, "%s%s\n<<<\nHTTP/1.1 %s\r\n", port.ReplaceAllString(head, "Host: axis.example.vn\r"), body, res.Status)
	for _, name := range []string{"Content-Type", "Content-Length", "Transfer-Encoding", "XroadVnpt-ErrorCode", "XroadVnpt-ErrorDesc"} {
		if v := res.Header.Get(name); v != "" {
			fmt.Fprintf(s.log, "%s: %s\r\n", name, v)
		}
	}
	fmt.Fprintf(s.log, "\r\n%s\n>>>\n", b)
}

// answer reads an answer as the SDK does, and fails where the SDK would lose it.
func (s *sdk) answer(res *http.Response, more ...string) map[string]any {
	s.t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range body {
		if c >= 0x80 {
			s.t.Fatalf("the answer is not ASCII: %s", body)
		}
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		s.t.Fatalf("the answer is no JSON object: %s", body)
	}
	for _, name := range append([]string{"status", "ErrorCode", "ErrorDesc"}, more...) {
		if v, there := m[name]; !there || v == nil {
			s.t.Fatalf("the answer has no %s: %s", name, body)
		}
	}
	if list, ok := m["data"].([]any); ok {
		for _, item := range list {
			for name, v := range item.(map[string]any) {
				if _, array := v.([]any); v == nil || array {
					s.t.Fatalf("the SDK loses a list with %s = %v", name, v)
				}
			}
		}
	}
	return m
}

// ok reads an answer of success.
func (s *sdk) ok(res *http.Response, more ...string) map[string]any {
	s.t.Helper()
	m := s.answer(res, more...)
	if m["ErrorCode"] != "0" || m["status"] != "OK" {
		s.t.Fatalf("refused: %v", m)
	}
	return m
}

func list(m map[string]any) []map[string]any {
	var out []map[string]any
	for _, v := range m["data"].([]any) {
		out = append(out, v.(map[string]any))
	}
	return out
}

// TestSDKKnobstick walks through every method of the SDK's KnobstickService
// with one object for each side, so that parameters leak as they do.
func TestSDKKnobstick(t *testing.T) {
	var log bytes.Buffer
	a := newAxis(t)
	srv := serve(t, a, vxp.HandlerOptions{})
	from, to := newSDK(t, srv.URL, ministry, "/", &log), newSDK(t, srv.URL, province, "/vxp", &log)
	packet := file(t, document("118", province, office), "%PDF-1.7\r\n")

	// A packet whose receivers only the envelope names, to //sendEdoc.
	id := from.ok(from.send(packet, "from", ministry, "servicetype", "eDoc", "messagetype", "edoc"), "DocId")["DocId"]
	// The answer is lost, the JDK sends the same octets once more.
	again := from.ok(from.resend(), "DocId")
	if again["DocId"] != id || a.accepted != 1 {
		t.Errorf("sent again: %v after %v, %d packets", again["DocId"], id, a.accepted)
	}
	// The .NET clients name the receivers in a header, and write edoc.
	from.ok(from.send(file(t, document("119", "H42"), "x"), "from", ministry, "servicetype", "edoc", "messagetype", "edoc", "to", `["`+office+`"]`), "DocId")

	inbox := list(to.ok(to.apache("POST", "getReceivedEdocList", "", "servicetype", "eDoc", "messagetype", "edoc"), "data"))
	if len(inbox) != 3 || inbox[2]["to"] != office || inbox[0]["docId"] == id {
		t.Fatalf("inbox: %v", inbox)
	}
	for i, item := range inbox {
		id := item["docId"].(string)
		if i == 2 {
			res := to.apache("GET", "downloadEdoc", "", "docId", id, "filePath", `C:\vanban`)
			if got, _ := io.ReadAll(res.Body); !bytes.Contains(got, []byte("119")) || res.StatusCode != http.StatusOK {
				t.Errorf("downloadEdoc: %s %.80s", res.Status, got)
			}
		} else {
			data := to.ok(to.apache("POST", "getEdoc", "{}", "docId", id, "filePath", "/tmp/vanban"), "data")["data"].(string)
			if got, err := base64.StdEncoding.DecodeString(data); err != nil || !bytes.Equal(got, packet) {
				t.Errorf("getEdoc: %d octets of %d, %v", len(got), len(packet), err)
			}
		}
		// One production user names the delivery docid here, docId there; the first counts.
		to.ok(to.apache("POST", "updateStatus", "{}", "status", "done", "docid", id))
	}
	if want := []string{"d-1 done", "d-2 done", "d-3 done"}; !slices.Equal(a.updates, want) {
		t.Errorf("updates %q, want %q", a.updates, want)
	}

	// The status packet goes out with everything that leaked: docId, docid, status, filePath.
	var st bytes.Buffer
	if err := edxml.WriteStatus(&st, status(document("118"), edxml.StatusArrived)); err != nil {
		t.Fatal(err)
	}
	first := to.ok(to.send(st.Bytes(), "from", province, "servicetype", "eDoc", "messagetype", "status"), "DocId")["DocId"]
	if second := to.ok(to.resend(), "DocId")["DocId"]; first != second || len(first.(string)) != 24 {
		t.Errorf("status numbers %v, %v", first, second)
	}

	// The sender's object asks for statuses; of its own leaks there is hash-file, from, to.
	statuses := list(from.ok(from.apache("POST", "getReceivedEdocList", "", "servicetype", "eDoc", "messagetype", "status", "fromDate", "01/03/2026 00:00:00",
		"toDate", "31/03/2026 23:59:59", "pageSize", "10", "pageIndex", "1"), "data"))
	if len(statuses) == 0 || statuses[0]["messageType"] != "status" {
		t.Errorf("statuses: %v", statuses)
	}
	sent := list(from.ok(from.apache("POST", "getSentEdocList", "", "servicetype", "eDoc", "messagetype", "edoc", "docId", id.(string)), "data"))
	if len(sent) != 2 || sent[0]["receiveStatus"] != "done" || sent[0]["senderDocId"] != id {
		t.Errorf("sent: %v", sent)
	}
	if n := from.ok(from.apache("POST", "countReceiveEdoc", "{}"), "count")["count"]; n != float64(0) {
		t.Errorf("countReceiveEdoc: %v", n)
	}
	if n := from.ok(from.apache("POST", "countReceiveStatus", "{}"), "count")["count"]; n != float64(len(statuses)) {
		t.Errorf("countReceiveStatus: %v", n)
	}

	// An inbox is not empty because updateStatus left status=done behind.
	late := newSDK(t, srv.URL, ministry, "", &log)
	late.apache("POST", "updateStatus", "{}", "status", "done", "docId", "d-77")
	if got := list(late.ok(late.apache("POST", "getReceivedEdocList", "", "servicetype", "eDoc", "messagetype", "status"), "data")); len(got) != len(statuses) {
		t.Errorf("inbox after updateStatus: %v", got)
	}
	golden(t, "01-knobstick.transcript", log.Bytes())
}

// resend repeats the last request on a new connection, octet for octet.
func (s *sdk) resend() *http.Response {
	s.t.Helper()
	head, body, _ := bytes.Cut(s.lastRaw, []byte("\r\n\r\n"))
	return s.write(http.MethodPost, string(head)+"\r\n\r\n", body, false)
}

// TestSDKAgency walks through every method of the SDK's AgencyService.
func TestSDKAgency(t *testing.T) {
	var log bytes.Buffer
	a := newAxis(t)
	s := newSDK(t, serve(t, a, vxp.HandlerOptions{}).URL, province, "/vxp/", &log)
	s.ok(s.apache("POST", "registerAgency", `{"id":"","pcode":"H41","code":"H41.99","name":"Xã Thử","mail":"a@example.vn","mobile":"0912","fax":""}`))
	if len(a.registered) != 1 || a.registered[0].Name != "Xã Thử" || a.registered[0].Parent != province {
		t.Errorf("registered: %+v", a.registered)
	}
	if got := list(s.ok(s.apache("POST", "getAgenciesList", ""), "data")); len(got) != 4 {
		t.Errorf("getAgenciesList: %v", got)
	}
	if got := list(s.ok(s.apache("POST", "getSynchronizeUnit", ""), "data")); len(got) != 4 || got[0]["isAgency"] != true || got[0]["version"] != float64(0) {
		t.Errorf("getSynchronizeUnit: %v", got)
	}
	if got := list(s.ok(s.apache("POST", "getAgenciesListQD20", "", "level", "1"), "data")); len(got) != 2 {
		t.Errorf("getAgenciesListQD20: %v", got)
	}
	s.ok(s.apache("POST", "deleteAgency", "{}", "AgencyCode", "H41.99"))
	if len(a.registered) != 0 {
		t.Errorf("still registered: %+v", a.registered)
	}
	golden(t, "02-agency.transcript", log.Bytes())
}

// TestSDKRefused shows what the SDK is told: always an object it can read, on
// sendEdoc with DocId, on getEdoc with data (2.0.0 needs it), on downloadEdoc
// an empty body.
func TestSDKRefused(t *testing.T) {
	var log bytes.Buffer
	srv := serve(t, newAxis(t), vxp.HandlerOptions{})
	s := newSDK(t, srv.URL, ministry, "/", &log)
	packet := file(t, document("118", province), "x")
	foreign := s.answer(s.send(packet, "from", province, "servicetype", "eDoc", "messagetype", "edoc"), "DocId")
	if want := "Don vi gui H41 khong dung voi ma da dang ky: G22"; foreign["ErrorDesc"] != want || foreign["status"] != "FAIL" {
		t.Errorf("got %v, want %q", foreign, want)
	}
	if m := s.answer(s.apache("POST", "getEdoc", "{}", "docId", "d-99"), "data"); m["status"] != "FAIL" || m["data"] != "" {
		t.Errorf("getEdoc: %v", m)
	}
	res := s.apache("GET", "downloadEdoc", "", "docId", "d-99")
	if b, _ := io.ReadAll(res.Body); len(b) != 0 || res.StatusCode == http.StatusOK {
		t.Errorf("downloadEdoc: %s %q", res.Status, b)
	}
	s.answer(s.apache("POST", "getReceivedEdocList", "", "messagetype", "fax"))
	if m := s.answer(s.apache("GET", "sendEdoc", "")); m["ErrorCode"] != vxp.CodeMethod {
		t.Errorf("GET sendEdoc: %v", m)
	}
	s.answer(s.apache("POST", "noSuchMethod", ""))
	s.systemID = "X99"
	if m := s.answer(s.apache("POST", "getAgenciesList", "")); m["ErrorCode"] != vxp.CodeSignature {
		t.Errorf("unknown systemid: %v", m)
	}
	golden(t, "03-refused.transcript", log.Bytes())
}

// TestHashOrder holds the order of the signed text against a captured one.
func TestHashOrder(t *testing.T) {
	got := hashOrder([]param{{"timestamp", ""}, {"Content-Type", ""}, {"systemid", ""}})
	// as in the vector of TestSign
	if want := []param{{"systemid", ""}, {"timestamp", ""}, {"Content-Type", ""}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// golden compares a transcript with the one in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
		for i := range g {
			if i >= len(w) || !bytes.Equal(g[i], w[i]) {
				t.Fatalf("%s differs at line %d:\n got %q\nwant %q", name, i+1, g[i], w[min(i, len(w)-1)])
			}
		}
		t.Fatalf("%s is longer than what was exchanged", name)
	}
}
