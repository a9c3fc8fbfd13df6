package vxp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// request is a signed request as some client might make it.
type request struct {
	method, path string
	params       [][2]string // what is signed
	headers      [][2]string // what is sent instead, or beside it; "-" takes it away
	secret       string
	body         io.Reader
}

func (q request) do(t *testing.T, h http.Handler) map[string]any {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, q.http())
	var m map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &m); err != nil {
		t.Fatalf("%s: the answer is no JSON: %q", q.path, rec.Body)
	}
	for _, f := range []string{"status", "ErrorCode", "ErrorDesc"} {
		if s, ok := m[f].(string); !ok {
			t.Fatalf("%s: %s is %v", q.path, f, s)
		}
	}
	return m
}

func (q request) http() *http.Request {
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.secret == "" {
		q.secret = secret
	}
	r := httptest.NewRequest(q.method, "http://axis.example.vn/", q.body)
	r.URL.Path = q.path
	var pairs []string
	for _, p := range q.params {
		name, _ := json.Marshal("XroadVnpt-" + p[0])
		value, _ := json.Marshal(p[1])
		pairs = append(pairs, string(name)+":"+string(value))
		r.Header.Add("XroadVnpt-"+p[0], p[1])
	}
	text := "{" + strings.Join(pairs, ",") + "}"
	r.Header.Set("XroadVnpt-sign-header", text)
	r.Header.Set("XroadVnpt-hash-header", vxp.Sign(edxml.Secret(q.secret), text))
	for _, h := range q.headers {
		if h[1] == "-" {
			r.Header.Del(h[0])
		} else {
			r.Header.Set(h[0], h[1])
		}
	}
	return r
}

// id is the parameters that every call has.
func id(systemID string, more ...string) [][2]string {
	params := [][2]string{{"systemid", systemID}, {"timestamp", sdkTime}, {"Content-Type", "application/json"}}
	for i := 0; i < len(more); i += 2 {
		params = append(params, [2]string{more[i], more[i+1]})
	}
	return params
}

// TestSignature tells the calls that were signed from those that were not.
func TestSignature(t *testing.T) {
	h := vxp.NewHandler(newAxis(t), vxp.HandlerOptions{})
	inbox := func(headers ...[2]string) request {
		return request{path: "/getReceivedEdocList", params: id(ministry, "messagetype", "edoc", "docId", "1"), headers: headers}
	}
	unknown := request{params: id("X99")}.http().Header.Get("XroadVnpt-sign-header")
	reordered := `{"XroadVnpt-timestamp":"` + sdkTime + `", "XroadVnpt-systemid" : "G22","XroadVnpt-docId":17,"XroadVnpt-x":true}`
	for name, c := range map[string]struct {
		request
		code string
	}{
		"good":              {inbox(), "0"},
		"upper-case hex":    {inbox([2]string{"XroadVnpt-hash-header", strings.ToUpper(inbox().http().Header.Get("XroadVnpt-hash-header"))}), "0"},
		"other order, odd":  {inbox([2]string{"XroadVnpt-sign-header", reordered}, [2]string{"XroadVnpt-hash-header", vxp.Sign(secret, reordered)}, [2]string{"XroadVnpt-docId", "17"}, [2]string{"XroadVnpt-x", "true"}), "0"},
		"wrong secret":      {request{path: "/getReceivedEdocList", params: id(ministry), secret: "other"}, vxp.CodeSignature},
		"unknown systemid":  {request{path: "/getReceivedEdocList", params: id("X99")}, vxp.CodeSignature},
		"no systemid":       {request{path: "/getReceivedEdocList", params: id("")}, vxp.CodeSignature},
		"empty secret":      {request{path: "/getReceivedEdocList", params: id("X99"), headers: [][2]string{{"XroadVnpt-hash-header", vxp.Sign("", unknown)}}}, vxp.CodeSignature},
		"UTF-8":             {request{path: "/getReceivedEdocList", params: id(ministry, "filePath", "/văn bản")}, "0"},
		"low octets":        {inbox([2]string{"XroadVnpt-filePath", "/v\x03n"}, [2]string{"XroadVnpt-sign-header", "{\"XroadVnpt-filePath\":\"/v\x03n\"}"}), vxp.CodeSignature},
		"no signature":      {inbox([2]string{"XroadVnpt-hash-header", "-"}), vxp.CodeSignature},
		"no signed text":    {inbox([2]string{"XroadVnpt-sign-header", "-"}), vxp.CodeSignature},
		"signature no hex":  {inbox([2]string{"XroadVnpt-hash-header", "zz"}), vxp.CodeSignature},
		"text changed":      {inbox([2]string{"XroadVnpt-sign-header", reordered}), vxp.CodeSignature},
		"header changed":    {inbox([2]string{"XroadVnpt-messagetype", "status"}), vxp.CodeSignature},
		"header missing":    {inbox([2]string{"XroadVnpt-docId", "-"}), vxp.CodeSignature},
		"systemid changed":  {inbox([2]string{"XroadVnpt-systemid", province}), vxp.CodeSignature},
		"not an object":     {signedText(`["XroadVnpt-systemid"]`), vxp.CodeSignature},
		"nested":            {signedText(`{"XroadVnpt-systemid":"G22","XroadVnpt-docId":{"a":"b"}}`), vxp.CodeSignature},
		"null":              {signedText(`{"XroadVnpt-systemid":null}`), vxp.CodeSignature},
		"cut off":           {signedText(`{"XroadVnpt-systemid":"G22"`), vxp.CodeSignature},
		"something behind":  {signedText(`{"XroadVnpt-systemid":"G22"} {}`), vxp.CodeSignature},
		"systemid unsigned": {signedText(`{"XroadVnpt-timestamp":"`+sdkTime+`"}`, [2]string{"XroadVnpt-timestamp", sdkTime}), vxp.CodeSignature},
		"many":              {signedText("{" + strings.Repeat(`"XroadVnpt-systemid":"G22",`, 300) + `"a":"b"}`), vxp.CodeSignature},
	} {
		m := c.do(t, h)
		if m["ErrorCode"] != c.code {
			t.Errorf("%s: %v", name, m)
		}
		if hint := strings.Contains(m["ErrorDesc"].(string), "ASCII"); hint != (name == "low octets") {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// signedText is a request of the ministry with any text signed.
func signedText(text string, headers ...[2]string) request {
	return request{path: "/getReceivedEdocList", params: id(ministry), headers: append(headers,
		[2]string{"XroadVnpt-sign-header", text}, [2]string{"XroadVnpt-hash-header", vxp.Sign(secret, text)})}
}

// TestUnsignedParameters believes only what was signed.
func TestUnsignedParameters(t *testing.T) {
	a := newAxis(t)
	h := vxp.NewHandler(a, vxp.HandlerOptions{})
	q := request{path: "/updateStatus", params: id(ministry, "status", "done"), headers: [][2]string{{"XroadVnpt-docId", "d-1"}}}
	if m := q.do(t, h); m["ErrorCode"] != vxp.CodeRequest || len(a.updates) != 0 {
		t.Errorf("an unsigned docId was believed: %v, %v", m, a.updates)
	}
}

// upload is the parameters and the body of sendEdoc.
func upload(packet []byte, body string, more ...string) request {
	return request{path: "/sendEdoc", body: strings.NewReader(body), params: id(ministry, append([]string{
		"hash-file", vxp.FileHash(sha256.Sum256(packet)), "from", ministry, "messagetype", "edoc"}, more...)...)}
}

// TestSendBody finds the file in the body of sendEdoc: with the SDK's line end
// behind it or without, its digest in the SDK's form or in the proper one.
func TestSendBody(t *testing.T) {
	packet := string(file(t, document("118", province), strings.Repeat("x", 100_000)))
	crlf := packet + "\r\n" // a file that itself ends so, as the vendor's builder writes it
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	for name, c := range map[string]struct {
		file, body string
		request
		code string
	}{
		"SDK":                          {file: packet, body: packet + "\r\n", code: "0"},
		"no line end":                  {file: packet, body: packet, code: "0"},
		"own line end and the SDK's":   {file: crlf, body: crlf + "\r\n", code: "0"},
		"own line end only":            {file: crlf, body: crlf, code: "0"},
		"proper digest":                {file: packet, body: packet + "\r\n", request: request{headers: [][2]string{{"hash", sum(packet)}}}, code: "0"},
		"upper-case digest":            {file: packet, body: packet, request: request{headers: [][2]string{{"hash", strings.ToUpper(sum(packet))}}}, code: "0"},
		"one octet changed":            {file: packet, body: strings.Replace(packet, "eHh4", "eHh5", 1) + "\r\n", code: vxp.CodeRequest},
		"cut off":                      {file: packet, body: packet[:len(packet)-9], code: vxp.CodeRequest},
		"longer":                       {file: packet, body: packet + "\r\n\r\n", code: vxp.CodeRequest},
		"other line end":               {file: packet, body: packet + "\n", code: vxp.CodeRequest},
		"empty":                        {file: "", body: "", code: vxp.CodeRequest},
		"one octet":                    {file: "x", body: "x", code: vxp.CodeRequest},
		"only the line end":            {file: "", body: "\r\n", code: vxp.CodeRequest},
		"no XML":                       {file: "văn bản", body: "văn bản\r\n", code: vxp.CodeRequest},
		"a DTD":                        {file: "<!DOCTYPE x><edXML/>", body: "<!DOCTYPE x><edXML/>\r\n", code: vxp.CodeRequest},
		"other XML":                    {file: "<x/>", body: "<x/>\r\n", code: vxp.CodeRequest},
		"a status that says edoc":      {file: statusFile(t), body: statusFile(t), code: vxp.CodeRequest},
		"too large by what it says":    {file: packet, body: packet + strings.Repeat(" ", 300_000), code: vxp.CodeLimit},
		"too large by what is sent":    {file: packet, body: packet + strings.Repeat(" ", 300_000), request: request{method: "chunked"}, code: vxp.CodeLimit},
		"a header without end":         {file: packet, body: "<edXML><edXMLEnvelope><edXMLHeader>" + strings.Repeat("<a>", 60_000), code: vxp.CodeRequest},
		"receiver unknown to the axis": {file: string(file(t, document("1", "X99"), "")), body: string(file(t, document("1", "X99"), "")), code: "M.UnknownReceiver"},
	} {
		a := newAxis(t)
		h := vxp.NewHandler(a, vxp.HandlerOptions{Limits: vxp.HandlerLimits{Packet: 300_000}})
		q := upload([]byte(c.file), c.body)
		for _, o := range c.headers {
			q.params[3][1] = o[1]
		}
		if c.method == "chunked" {
			q.body = struct{ io.Reader }{q.body}
		}
		m := q.do(t, h)
		if m["ErrorCode"] != c.code || m["DocId"] == nil {
			t.Errorf("%s: %v", name, m)
		}
		if want := c.code == "0"; want != (a.accepted == 1) {
			t.Errorf("%s: %d accepted", name, a.accepted)
		}
		if a.accepted == 1 {
			kept, err := a.packets[fmt.Sprintf("%024x", 1)].Envelope.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(kept)
			kept.Close()
			if string(got) != c.file {
				t.Errorf("%s: %d octets kept, want %d", name, len(got), len(c.file))
			}
		}
	}
}

func statusFile(t *testing.T) string {
	var b bytes.Buffer
	if err := edxml.WriteStatus(&b, status(document("1"), "01")); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSendReads hands the file out right whatever the pieces it comes in, and
// is asked for.
func TestSendReads(t *testing.T) {
	packet := file(t, document("118", province), "nội dung")
	for _, step := range []int{1, 2, 3, 7} {
		a := newAxis(t)
		q := upload(packet, "")
		q.body = &pieces{rest: append(slices.Clone(packet), "\r\n"...), step: step}
		got := make([]byte, 0, len(packet))
		h := vxp.NewHandler(reading{a, func(r io.Reader) error {
			p := make([]byte, step)
			for {
				n, err := r.Read(p)
				got = append(got, p[:n]...)
				if err == io.EOF {
					return nil
				}
				if err != nil {
					return err
				}
			}
		}}, vxp.HandlerOptions{})
		if m := q.do(t, h); m["ErrorCode"] != "0" || !bytes.Equal(got, packet) {
			t.Errorf("in steps of %d: %v, %d octets of %d", step, m, len(got), len(packet))
		}
	}
}

// reading is an axis that reads packets its own way.
type reading struct {
	*axis
	read func(io.Reader) error
}

func (r reading) AcceptFile(_ context.Context, f *vxp.File) (transport.Receipt, error) {
	return transport.Receipt{ID: "1"}, r.read(f.Content)
}

// pieces yields a few octets at a time.
type pieces struct {
	rest []byte
	step int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.step, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

// TestFrom takes packets only of the organs of the systemid, whatever of the
// two places claims otherwise.
func TestFrom(t *testing.T) {
	own, foreign := document("1", province), document("1", province)
	foreign.From.OrganID = "H42"
	for name, c := range map[string]struct {
		d    *edxml.Document
		from string
		code string
	}{
		"both own":         {own, ministry, "0"},
		"header foreign":   {own, "H42", vxp.CodeFrom},
		"envelope foreign": {foreign, ministry, vxp.CodeFrom},
		"no header":        {own, "", "0"},
	} {
		packet := file(t, c.d, "x")
		q := upload(packet, string(packet))
		q.params[4][1] = c.from
		if m := q.do(t, vxp.NewHandler(newAxis(t), vxp.HandlerOptions{})); m["ErrorCode"] != c.code {
			t.Errorf("%s: %v", name, m)
		}
	}
	s := status(document("1"), "01") // from the province
	var b bytes.Buffer
	if err := edxml.WriteStatus(&b, s); err != nil {
		t.Fatal(err)
	}
	q := upload(b.Bytes(), b.String())
	q.params[5][1] = "status"
	if m := q.do(t, vxp.NewHandler(newAxis(t), vxp.HandlerOptions{})); m["ErrorCode"] != vxp.CodeFrom {
		t.Errorf("a status in another's name: %v", m)
	}
}

// TestTo takes the receivers in the forms of the clients.
func TestTo(t *testing.T) {
	packet := file(t, document("1", province, office), "x")
	for to, want := range map[string][]string{
		"":                      {province, office},
		`["H41"]`:               {"H41"},
		`["H41", " G22","H41"]`: {"H41", "G22"},
		`"H41"`:                 {"H41"},
		`H41`:                   {"H41"},
		`[]`:                    nil,
	} {
		var got []string
		a := newAxis(t)
		q := upload(packet, string(packet), "to", to)
		m := q.do(t, vxp.NewHandler(recording{a, &got}, vxp.HandlerOptions{}))
		if ok := m["ErrorCode"] == "0"; ok != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("to %q: %v, receivers %q, want %q", to, m, got, want)
		}
	}
}

// recording notes the receivers of a packet.
type recording struct {
	*axis
	to *[]string
}

func (r recording) AcceptFile(_ context.Context, f *vxp.File) (transport.Receipt, error) {
	*r.to = f.To
	return transport.Receipt{ID: "1"}, nil
}

// TestHandlerRequests refuses, in JSON, what is no call.
func TestHandlerRequests(t *testing.T) {
	var done []vxp.Call
	h := vxp.NewHandler(newAxis(t), vxp.HandlerOptions{Done: func(c vxp.Call) { done = append(done, c) }})
	for name, c := range map[string]struct {
		request
		code string
	}{
		"no method":          {request{path: "/nothing", params: id(ministry)}, vxp.CodeNotFound},
		"other case":         {request{path: "/SENDEDOC", params: id(ministry)}, vxp.CodeNotFound},
		"root":               {request{path: "/", params: id(ministry)}, vxp.CodeNotFound},
		"GET sendEdoc":       {request{method: "GET", path: "/sendEdoc", params: id(ministry)}, vxp.CodeMethod},
		"PUT updateStatus":   {request{method: "PUT", path: "/updateStatus", params: id(ministry)}, vxp.CodeMethod},
		"GET count":          {request{method: "GET", path: "/countReceiveEdoc", params: id(ministry)}, "0"},
		"any path":           {request{path: "/a/b//c/getAgenciesList", params: id(ministry)}, "0"},
		"no hash-file":       {request{path: "/sendEdoc", params: id(ministry)}, vxp.CodeRequest},
		"no docId":           {request{path: "/getEdoc", params: id(ministry)}, vxp.CodeRequest},
		"no status":          {request{path: "/updateStatus", params: id(ministry, "docId", "d-1")}, vxp.CodeRequest},
		"no such delivery":   {request{path: "/updateStatus", params: id(ministry, "docId", "d-1", "status", "done")}, vxp.CodeNotFound},
		"messagetype":        {request{path: "/getReceivedEdocList", params: id(ministry, "messagetype", "fax")}, vxp.CodeRequest},
		"EDOC":               {request{path: "/getReceivedEdocList", params: id(ministry, "messagetype", "EDOC", "servicetype", "EDOC")}, "0"},
		"fromDate":           {request{path: "/getReceivedEdocList", params: id(ministry, "fromDate", "2026-01-01")}, vxp.CodeRequest},
		"pageSize":           {request{path: "/getReceivedEdocList", params: id(ministry, "pageSize", "0")}, vxp.CodeRequest},
		"pageIndex":          {request{path: "/getReceivedEdocList", params: id(ministry, "pageSize", "5", "pageIndex", "-1")}, vxp.CodeRequest},
		"page far off":       {request{path: "/getReceivedEdocList", params: id(ministry, "pageSize", "100000", "pageIndex", "922337203685477580")}, "0"},
		"level":              {request{path: "/getAgenciesListQD20", params: id(ministry, "level", "x")}, vxp.CodeRequest},
		"register no JSON":   {request{path: "/registerAgency", params: id(ministry), body: strings.NewReader("<x/>")}, vxp.CodeRequest},
		"register nulls":     {request{path: "/registerAgency", params: id(ministry), body: strings.NewReader(`{"code":null,"name":null}`)}, vxp.CodeRequest},
		"register empty":     {request{path: "/registerAgency", params: id(ministry)}, vxp.CodeRequest},
		"register too large": {request{path: "/registerAgency", params: id(ministry), body: strings.NewReader(`{"code":"` + strings.Repeat("a", 70_000) + `"}`)}, vxp.CodeLimit},
		"delete nothing":     {request{path: "/deleteAgency", params: id(ministry)}, vxp.CodeRequest},
	} {
		done = nil
		if m := c.do(t, h); m["ErrorCode"] != c.code {
			t.Errorf("%s: %v", name, m)
		}
		if len(done) != 1 || (done[0].Code == "") != (c.code == "0") || (done[0].Err == nil) != (c.code == "0") {
			t.Errorf("%s: told of %+v", name, done)
		}
	}
}

// TestPages hands every delivery out, whichever number a client gives the
// first page.
func TestPages(t *testing.T) {
	a := newAxis(t)
	for range 5 {
		a.deliver("1", edxml.KindDocument, province, ministry, nil)
	}
	h := vxp.NewHandler(a, vxp.HandlerOptions{})
	for index, want := range map[string]int{"": 2, "0": 2, "1": 2, "2": 2, "3": 1, "4": 0, "9": 0} {
		m := request{path: "/getReceivedEdocList", params: id(ministry, "pageSize", "2", "pageIndex", index)}.do(t, h)
		if got := m["data"].([]any); len(got) != want {
			t.Errorf("page %q has %d entries, want %d", index, len(got), want)
		}
	}
	m := request{path: "/getReceivedEdocList", params: id(ministry, "fromDate", "02/03/2026 08:00:01", "toDate", "02/03/2026 08:00:03")}.do(t, h)
	if got := m["data"].([]any); len(got) != 3 {
		t.Errorf("between two moments: %d", len(got))
	}
}

// TestConverted gives a packet of the SOAP profile out as a single file.
func TestConverted(t *testing.T) {
	a := newAxis(t)
	d := document("118", province)
	d.Attachments = []edxml.Attachment{{Name: "a.pdf", ContentID: "a", Content: strings.NewReader("")}, {Name: "b.txt", ContentID: "b", Content: strings.NewReader("")}}
	var envelope bytes.Buffer
	if err := edxml.WriteEnvelope(&envelope, d); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("nội dung ", 50_000)
	p := &transport.Packet{Envelope: octets(envelope.Bytes()), TokenAt: 1, Parts: []transport.Part{
		{ID: "a", Type: "application/pdf", Content: octets([]byte(big))}, {ID: "b", Type: "text/plain", Content: octets([]byte("b"))}}}
	id := a.deliver("1", edxml.KindDocument, ministry, province, p)
	c := client(t, serve(t, a, vxp.HandlerOptions{}).URL, province)
	for _, c.Raw = range []bool{false, true} {
		in, err := c.Fetch(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := collect(in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := edxml.NewReader(bytes.NewReader(got), edxml.ReadOptions{})
		if err != nil || r.Packet().Profile != edxml.ProfileQCVN102 || r.Packet().Document.Subject != d.Subject {
			t.Fatalf("converted: %v", err)
		}
		for _, want := range []string{big, "b"} {
			at, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(at.Content); err != nil || string(b) != want {
				t.Errorf("%s: %d octets, %v", at.Name, len(b), err)
			}
		}
	}
	// A file that cannot be read breaks the answer off: it must not look whole.
	fault := errors.New("disk")
	p.Parts[1].Open = func() (io.ReadCloser, error) { return nil, fault }
	for _, c.Raw = range []bool{false, true} {
		in, err := c.Fetch(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := collect(in); err == nil || !refused(t, err).Temporary() {
			t.Errorf("raw %v: a packet that breaks off: %v", c.Raw, err)
		}
	}
}

// TestGone gives up when the caller has gone, and keeps nothing.
func TestGone(t *testing.T) {
	a := newAxis(t)
	over := make(chan vxp.Call, 1)
	srv := serve(t, a, vxp.HandlerOptions{Done: func(c vxp.Call) { over <- c }})
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	packet := file(t, document("118", province), strings.Repeat("x", 100_000))
	r := upload(packet, string(packet)).http()
	fmt.Fprintf(conn, "POST /sendEdoc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", len(packet))
	r.Header.Write(conn)
	fmt.Fprint(conn, "\r\n")
	conn.Write(packet[:50_000])
	conn.Close()
	if c := <-over; c.Err == nil || c.Code != vxp.CodeInternal || a.accepted != 0 {
		t.Errorf("told of %+v, %d accepted", c, a.accepted)
	}
}

// TestGivenUp ends both sides of a collection that is given up in the middle,
// also where the packet is made on the way: TestMain looks for what is left.
func TestGivenUp(t *testing.T) {
	d := document("118", province)
	d.Attachments = []edxml.Attachment{{Name: "a.pdf", ContentID: "a", Content: strings.NewReader("")}}
	var envelope bytes.Buffer
	if err := edxml.WriteEnvelope(&envelope, d); err != nil {
		t.Fatal(err)
	}
	endless := transport.Content{Size: 1 << 40, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&wheel{block: []byte("văn bản ")}), nil
	}}
	a := newAxis(t)
	made := a.deliver("1", edxml.KindDocument, ministry, province, &transport.Packet{
		Envelope: octets(envelope.Bytes()), Parts: []transport.Part{{ID: "a", Type: "application/pdf", Content: endless}}})
	plain := a.deliver("2", edxml.KindDocument, ministry, province, &transport.Packet{Envelope: endless})
	over := make(chan vxp.Call, 1)
	c := client(t, serve(t, a, vxp.HandlerOptions{Done: func(c vxp.Call) { over <- c }}).URL, province)
	for _, id := range []string{made, plain} {
		for _, c.Raw = range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			in, err := c.Fetch(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			piece, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, piece.Content, 100_000); err != nil {
				t.Fatal(err)
			}
			cancel()
			_, err = io.Copy(io.Discard, piece.Content)
			if f := refused(t, err); !errors.Is(f, context.Canceled) || !f.Temporary() {
				t.Errorf("%s, raw %v: %v", id, c.Raw, err)
			}
			in.Close()
			if call := <-over; call.Err == nil {
				t.Errorf("%s, raw %v: the handler was told of %+v", id, c.Raw, call)
			}
		}
	}
}
