package edoc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

const edocNS = `xmlns:edXML="http://www.e-doc.vn/Schema/"`

// operations calls every operation of a client and returns the errors.
func operations(t *testing.T, ctx context.Context, c *edoc.Client) map[string]error {
	t.Helper()
	errs := map[string]error{}
	_, errs["SendDocument"] = c.Send(ctx, packet(t, document("1", office), pdf))
	_, errs["GetPendingDocumentIds"] = c.Pending(ctx)
	if in, err := c.Fetch(ctx, "1"); err != nil {
		errs["GetDocument"] = err
	} else {
		_, _, errs["GetDocument"] = collect(in)
	}
	errs["ConfirmReceived"] = c.Acknowledge(ctx, "1")
	errs["UpdateTraces"] = c.SendStatus(ctx, &edxml.Status{From: edxml.Organ{OrganID: ministry}, ResponseFor: edxml.ResponseFor{OrganID: office}, StatusCode: "03"})
	_, errs["GetTraces"] = c.Statuses(ctx, time.Time{})
	_, errs["GetOrganizations"] = c.Organs(ctx)
	errs["CheckPermission"] = c.Check(ctx)
	return errs
}

// TestIllAnswers gives every operation answers that are none: each is a Fault
// with a clear text, and none repeats the token, which most of them echo.
func TestIllAnswers(t *testing.T) {
	const token = "tok+en/28=="
	envelope := func(body string) string {
		return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + body + `</s:Body></s:Envelope>`
	}
	failure := func(code, text string) string {
		return `<edXML:Report ` + edocNS + `><edXML:IsSuccess>false</edXML:IsSuccess><edXML:ErrorList><edXML:Error><edXML:Code>` + code +
			`</edXML:Code><edXML:Description>` + text + `</edXML:Description></edXML:Error></edXML:ErrorList></edXML:Report>`
	}
	fault := func(code string) string {
		return envelope(`<s:Fault><faultcode>s:` + code + `</faultcode><faultstring>broken ` + token + `</faultstring></s:Fault>`)
	}
	for name, tc := range map[string]struct {
		status       int
		mime, body   string
		header       http.Header
		want         string
		temporary    bool
		retryAfter   time.Duration
		except, only string // operations
	}{
		"HTML page with 200":       {200, "text/html; charset=utf-8", "<html>" + token, nil, "HTML page", true, 0, "", ""},
		"HTML page called XML":     {200, "text/xml", "<!DOCTYPE html><html><body>" + token, nil, "HTML page", true, 0, "", ""},
		"JSON":                     {200, "application/json", `{"token":"` + token + `"}`, nil, "application/json", true, 0, "", ""},
		"no Content-Type":          {200, "", token, nil, "Content-Type", true, 0, "", ""},
		"SOAP 1.2 by type":         {200, "application/soap+xml", "", nil, "SOAP 1.2", false, 0, "", ""},
		"SOAP 1.2 by namespace":    {200, "text/xml", `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>`, nil, "SOAP 1.2", false, 0, "", ""},
		"nothing":                  {200, "text/xml", "", nil, "cannot be read", true, 0, "", ""},
		"cut off":                  {200, "text/xml", envelope("")[:60], nil, "the document ends inside", true, 0, "", ""},
		"DTD":                      {200, "text/xml", `<!DOCTYPE x [<!ENTITY e "` + token + `">]>` + envelope(""), nil, "a DOCTYPE is refused", true, 0, "", ""},
		"other XML":                {200, "text/xml", `<a>` + token + `</a>`, nil, "root element", true, 0, "", ""},
		"empty Body":               {200, "text/xml", envelope(""), nil, "empty Body", false, 0, "GetDocument", ""},
		"empty Body for a packet":  {200, "text/xml", envelope(""), nil, "empty envelope", true, 0, "", "GetDocument"},
		"other element":            {200, "text/xml", envelope(`<x>` + token + `</x>`), nil, `holds "x"`, true, 0, "", ""},
		"bare Report of success":   {200, "text/xml", envelope(`<Report><IsSuccess>true</IsSuccess><ErrorList/></Report>`), nil, "Report", true, 0, "", ""},
		"bare Report of failure":   {200, "text/xml", envelope(failure("Permission", "sai "+token+"\n at com.example")), nil, "Permission: sai *** …", false, 0, "", ""},
		"exception in the axis":    {200, "text/xml", envelope(failure("M.SaveDocError", "")), nil, "M.SaveDocError", true, 0, "", ""},
		"fault that blames us":     {500, "text/xml", fault("Client"), nil, "Client: broken ***", false, 0, "", ""},
		"fault of the axis":        {500, "text/xml", fault("Server"), nil, "Server: broken ***", true, 0, "", ""},
		"fault with 200":           {200, "text/xml", fault("Server.Busy"), nil, "Server.Busy: broken ***", true, 0, "", ""},
		"500 without SOAP":         {500, "text/html", "<html>" + token, nil, "HTTP 500", true, 0, "", ""},
		"500 with an answer in it": {500, "text/xml", envelope("<x/>"), nil, "HTTP 500", true, 0, "", ""},
		"gateway":                  {502, "text/html", token, nil, "HTTP 502", true, 0, "", ""},
		"too many":                 {429, "", token, http.Header{"Retry-After": {"120"}}, "HTTP 429", true, 2 * time.Minute, "", ""},
		"not found":                {404, "", token, nil, "check the address", true, 0, "", ""},
		"forbidden":                {403, "", token, nil, "refuses access", false, 0, "", ""},
		"too large":                {413, "", token, nil, "larger than", false, 0, "", ""},
		"redirect":                 {307, "", "", http.Header{"Location": {"http://elsewhere.example/" + token}}, "elsewhere.example", false, 0, "", ""},
		"endless":                  {200, "text/xml", envelope("<x>" + strings.Repeat(" ", 70_000) + "</x>"), nil, "limit", false, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := listen(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				for k, v := range tc.header {
					w.Header()[k] = v
				}
				w.Header()["Content-Type"] = []string{tc.mime}
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			c := &edoc.Client{URL: srv.URL, Organ: ministry, Token: token, Limits: edoc.Limits{
				Answer: 60_000, Directory: 60_000, Packet: soap.Limits{Envelope: 60_000}}}
			defer c.Close()
			for op, err := range operations(t, t.Context(), c) {
				if op == tc.except || tc.only != "" && op != tc.only {
					continue
				}
				f := refused(t, err, token)
				// What changes something may have been done: asked again, the axis says so.
				temporary := tc.temporary || name == "endless" && (op == "SendDocument" || op == "ConfirmReceived" || op == "UpdateTraces")
				if f.Operation != op || !strings.Contains(err.Error(), tc.want) || f.Temporary() != temporary || f.RetryAfter != tc.retryAfter {
					t.Errorf("%s: %v\ntemporary %v, retry after %v; want %q, %v, %v", op, err, f.Temporary(), f.RetryAfter, tc.want, temporary, tc.retryAfter)
				}
			}
		})
	}
}

// answer makes an axis that gives one answer to every call.
func answer(t *testing.T, body string) *edoc.Client {
	t.Helper()
	srv := listen(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		w.Write(soap.ControlEnvelope("", body))
	})
	return client(t, srv.URL, ministry)
}

func wrapped(op, code, text, rest string) string {
	ok, list := "true", ""
	if code != "" {
		ok, list = "false", `<edXML:Error><edXML:Code>`+code+`</edXML:Code><edXML:Description>`+text+`</edXML:Description></edXML:Error>`
	}
	return fmt.Sprintf(`<edXML:%[1]sResponse %[2]s><edXML:Report><edXML:IsSuccess>%[3]s</edXML:IsSuccess><edXML:ErrorList>%[4]s</edXML:ErrorList></edXML:Report>%[5]s</edXML:%[1]sResponse>`,
		op, edocNS, ok, list, rest)
}

// TestExists reads "it is here already" as success, and nothing else.
func TestExists(t *testing.T) {
	receipt, err := answer(t, wrapped("SendDocument", "M.Exist", "Văn bản đã tồn tại", "")).Send(t.Context(), packet(t, document("1", office)))
	if err != nil || !receipt.Existed {
		t.Errorf("M.Exist: %+v, %v", receipt, err)
	}
	status := func(code edxml.StatusCode) *edxml.Status {
		return &edxml.Status{From: edxml.Organ{OrganID: ministry}, ResponseFor: edxml.ResponseFor{OrganID: office}, StatusCode: code}
	}
	for _, tc := range []struct {
		code edxml.StatusCode
		text string
		done bool
	}{
		{"03", "Trace already exist", true},
		{"03", "Trạng thái đã tồn tại", true},
		{"03", "document does not exist", false},
		{"03", "văn bản không tồn tại", false},
		{"03", "java.lang.NullPointerException", false},
		{"03", "", false},
		{"05", "Trace already exist", false}, // of this one there may be several
	} {
		err := answer(t, wrapped("UpdateTraces", "M.UpdateTraces", tc.text, "")).SendStatus(t.Context(), status(tc.code))
		if tc.done != (err == nil) {
			t.Errorf("status %s, %q: %v", tc.code, tc.text, err)
		}
		if err != nil && !refused(t, err, "").Temporary() {
			t.Errorf("status %s, %q: for good", tc.code, tc.text)
		}
	}
}

// TestDirectory reads the flags and second identifiers of newer axes.
func TestDirectory(t *testing.T) {
	organs, err := answer(t, `<edXML:GetOrganizationsResponse `+edocNS+`><edXML:Organizations>
	 <edXML:Organization><edXML:OrganId> 000.00.17.H36 </edXML:OrganId><edXML:OrganName>Sở Nội vụ</edXML:OrganName><edXML:agency>true</edXML:agency><edXML:domain_new>H36.17</edXML:domain_new></edXML:Organization>
	 <edXML:Organization><edXML:OrganId>H41</edXML:OrganId></edXML:Organization>
	</edXML:Organizations></edXML:GetOrganizationsResponse>`).Organs(t.Context())
	if err != nil || len(organs) != 3 || organs[0].OrganID != "000.00.17.H36" || organs[1].OrganID != "H36.17" ||
		organs[1].OrganName != "Sở Nội vụ" || organs[2].OrganID != "H41" {
		t.Errorf("%+v, %v", organs, err)
	}
}

// TestTracesOldestFirst reads what the BKAV axis gives: newest first, codes
// without their zero, days with a time.
func TestTracesOldestFirst(t *testing.T) {
	trace := func(code, at string) string {
		return `<edXML:Status><edXML:From><edXML:OrganId>H41</edXML:OrganId></edXML:From><edXML:ResponseFor><edXML:OrganId>G22</edXML:OrganId>` +
			`<edXML:PromulgationDate>2026/03/02 00:00:00</edXML:PromulgationDate></edXML:ResponseFor><edXML:StatusCode>` + code +
			`</edXML:StatusCode><edXML:Timestamp>` + at + `</edXML:Timestamp></edXML:Status>`
	}
	got, err := answer(t, `<edXML:GetTracesResponse `+edocNS+`><edXML:Traces>`+trace("4", "2026/03/02 10:00:00")+
		trace("3", "2026/03/02 09:00:00")+trace("1", "2026/03/02 09:00:00")+`</edXML:Traces></edXML:GetTracesResponse>`).Statuses(t.Context(), time.Time{})
	if err != nil || len(got) != 3 || got[0].StatusCode != "01" || got[1].StatusCode != "03" || got[2].StatusCode != "04" {
		t.Errorf("%+v, %v", got, err)
	}
	if got[0].ResponseFor.PromulgationDate != "2026/03/02" {
		t.Errorf("day %q", got[0].ResponseFor.PromulgationDate)
	}
}

// TestNoAxis calls an address where nobody listens.
func TestNoAxis(t *testing.T) {
	srv := listen(t, nil)
	srv.Close()
	for op, err := range operations(t, t.Context(), client(t, srv.URL, ministry)) {
		if f := refused(t, err, "test-"+ministry); !f.Temporary() || f.Code != "" {
			t.Errorf("%s: %v", op, err)
		}
	}
	for op, err := range operations(t, t.Context(), client(t, "http://[broken", ministry)) {
		if f := refused(t, err, ""); f.Temporary() {
			t.Errorf("%s: a broken address: %v", op, err)
		}
	}
}

// TestStall gives up on an axis that says nothing, and on one that stops in
// the middle of a packet.
func TestStall(t *testing.T) {
	for name, begin := range map[string]string{"silent": "", "stops": "<s:Envelope"} {
		srv := listen(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if begin != "" {
				w.Header().Set("Content-Type", "text/xml")
				io.WriteString(w, begin)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		c := client(t, srv.URL, ministry)
		c.HTTP = transport.NewHTTPClient(transport.HTTPOptions{Idle: 50 * time.Millisecond, Answer: 50 * time.Millisecond})
		for op, err := range operations(t, t.Context(), c) {
			var stall *transport.StallError
			if f := refused(t, err, ""); !f.Temporary() || !errors.As(err, &stall) {
				t.Errorf("%s, %s: %v", name, op, err)
			}
		}
	}
}

// TestCancel ends a call from outside, whatever it waits for.
func TestCancel(t *testing.T) {
	for _, op := range []string{"SendDocument", "GetTraces"} {
		ctx, cancel := context.WithCancel(t.Context())
		srv := listen(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
		})
		c := client(t, srv.URL, ministry)
		var err error
		if op == "SendDocument" {
			_, err = c.Send(ctx, packet(t, document("1", office), pdf))
		} else {
			_, err = c.Statuses(ctx, time.Time{})
		}
		if f := refused(t, err, ""); !errors.Is(err, context.Canceled) || f.Operation != op {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestBrokenPacket fetches packets that break off or exceed a limit.
func TestBrokenPacket(t *testing.T) {
	var p []byte
	head := "--B\r\nContent-Type: text/xml\r\nContent-ID: <e>\r\n\r\n"
	p = append(p, head...)
	p = append(p, bytesOf(t, packet(t, document("1", office), pdf).Envelope)...)
	p = append(p, "\r\n--B\r\nContent-Type: application/pdf\r\nContent-ID: <"+pdf.id+">\r\n\r\n"+strings.Repeat("%PDF-1.7 ", 1000)...)
	for name, tc := range map[string]struct {
		rest, want string
		max        int64
		temporary  bool
	}{
		"cut off":        {"", "truncated", 0, true},
		"file too large": {"\r\n--B--\r\n", `limit "part"`, 100, false},
		"two of one id":  {"\r\n--B\r\nContent-ID: <e>\r\n\r\n\r\n--B--\r\n", "two parts", 0, true},
	} {
		srv := listen(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", `multipart/related; boundary=B; type="text/xml"; start=e`)
			w.Write(p)
			io.WriteString(w, tc.rest)
		})
		c := client(t, srv.URL, office)
		c.Limits.Packet.Part = tc.max
		in, err := c.Fetch(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = collect(in)
		if f := refused(t, err, ""); f.Temporary() != tc.temporary || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTokenAt refuses to put a token where no end tag begins.
func TestTokenAt(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	p := packet(t, document("1", office), pdf)
	at := p.TokenAt
	for _, wrong := range []int64{0, -1, at - 1, at + 1, p.Envelope.Size, p.Envelope.Size + 9} {
		p.TokenAt = wrong
		_, err := client(t, srv.URL, ministry).Send(t.Context(), p)
		if err == nil || !strings.Contains(err.Error(), "access token") {
			t.Errorf("offset %d: %v", wrong, err)
		}
	}
}
