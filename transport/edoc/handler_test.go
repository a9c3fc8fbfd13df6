package edoc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// dotnet is a request as the public .NET client of an axis writes it: start
// without brackets, Content-ID without a space, the token twice, LF line ends
// in the envelope and no declaration.
const dotnet = "--Boundary\r\n" +
	"Content-Type: text/xml; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"Content-ID:<Start>\r\n" +
	"\r\n" +
	`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">
 <SOAP-ENV:Header><Token xmlns="http://e-doc.vn/xsd">test-000.00.00.H36</Token></SOAP-ENV:Header>
 <SOAP-ENV:Body>
  <GetOrganizations><Token>test-000.00.00.H36</Token><OrganId>000.00.00.H36</OrganId></GetOrganizations>
 </SOAP-ENV:Body>
</SOAP-ENV:Envelope>` + "\r\n--Boundary--\r\n"

// TestDotnetClient answers the .NET client, whose request is written by hand.
func TestDotnetClient(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	res, body := post(t, srv.URL+"/any/path", "GetOrganizations", `multipart/related;type="text/xml";boundary="Boundary";start="Start"`, dotnet)
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/xml") {
		t.Errorf("%s, %s", res.Status, res.Header)
	}
	for _, want := range []string{
		`<edXML:GetOrganizationsResponse xmlns:edXML="http://www.e-doc.vn/Schema/"><edXML:Organizations><edXML:Organization><edXML:OrganId>`,
		`<edXML:OrganId>000.00.00.H36</edXML:OrganId><edXML:OrganizationInCharge/><edXML:OrganName>`, `<edXML:Email/>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the answer of %d octets", want, len(body))
		}
	}
}

func bare(header, body string) string {
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:edXML="http://www.e-doc.vn/Schema/"><s:Header>` + header +
		`</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

// TestRequests sends requests written by hand, good and bad ones, and looks
// at the answer.
func TestRequests(t *testing.T) {
	const pair = `<OrganId>H41</OrganId><Token>test-H41</Token>`
	report := func(code string) string {
		if code == "" {
			return `<edXML:IsSuccess>false</edXML:IsSuccess><edXML:ErrorList/>`
		}
		return `<edXML:IsSuccess>false</edXML:IsSuccess><edXML:ErrorList><edXML:Error><edXML:Code>` + code + `</edXML:Code><edXML:Description>`
	}
	fault := func(code string) string { return "<SOAP-ENV:Fault><faultcode>SOAP-ENV:" + code + "</faultcode>" }
	_, srv := start(t, axistest.Options{})
	for name, tc := range map[string]struct {
		action, mime, body string
		status             int
		want               string
	}{
		"action in quotes":          {`"GetPendingDocumentIds"`, "text/xml", bare("", "<GetPendingDocumentIdsRequest>"+pair+"</GetPendingDocumentIdsRequest>"), 200, "<edXML:DocumentIds></edXML:DocumentIds>"},
		"no action":                 {"", "text/xml", bare("", "<GetPendingDocumentIdsRequest>"+pair+"</GetPendingDocumentIdsRequest>"), 200, "<edXML:DocumentIds></edXML:DocumentIds>"},
		"no action, header call":    {"", "text/xml", bare("<CheckPermission>"+pair+"</CheckPermission>", ""), 200, "CheckPermissionResponse " + edocNS + "><edXML:Report><edXML:IsSuccess>true</edXML:IsSuccess><edXML:ErrorList/>"},
		"namespaced request":        {"GetPendingDocumentIds", "text/xml", bare("", `<edXML:GetPendingDocumentIdsRequest><edXML:OrganId> H41 </edXML:OrganId><edXML:Token>test-H41</edXML:Token></edXML:GetPendingDocumentIdsRequest>`), 200, "<edXML:DocumentIds>"},
		"wrong pair":                {"CheckPermission", "text/xml", bare("<CheckPermission><OrganId>H41</OrganId><Token>x</Token></CheckPermission>", ""), 200, report("")},
		"no token":                  {"GetTraces", "text/xml", bare("", "<GetTraces><OrganId>H41</OrganId></GetTraces>"), 200, report("CheckPermission")},
		"no signature block":        {"SendDocument", "text/xml", bare("", "<edXML:Manifest/>"), 200, report("CheckSignature")},
		"wrong element":             {"GetTraces", "text/xml", bare("", "<GetOrganizations>"+pair+"</GetOrganizations>"), 200, report("N.GetTraces")},
		"no suffix":                 {"GetPendingDocumentIds", "text/xml", bare("", "<GetPendingDocumentIds>"+pair+"</GetPendingDocumentIds>"), 200, report("N.GetPendingDocumentIdsRequest")},
		"empty Body":                {"GetDocument", "text/xml", bare("", ""), 200, "<SOAP-ENV:Body><edXML:Report " + edocNS + ">" + report("N.GetDocumentRequest")},
		"empty Body, no action":     {"", "text/xml", bare("", ""), 500, fault("Client")},
		"day that is none":          {"GetTraces", "text/xml", bare("", "<GetTraces>"+pair+"<TimeStamp>2026/02/30 00:00:00</TimeStamp></GetTraces>"), 200, report("T.TimeStamp")},
		"wrong action":              {"RegisterAgency", "text/xml", bare("", "<x/>"), 500, fault("Client")},
		"action in lower case":      {"gettraces", "text/xml", bare("", "<x/>"), 500, fault("Client")},
		"SOAP 1.2 by type":          {"GetTraces", "application/soap+xml", bare("", "<x/>"), 500, fault("VersionMismatch")},
		"SOAP 1.2 by namespace":     {"GetTraces", "text/xml", `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>`, 500, fault("VersionMismatch")},
		"DTD":                       {"GetTraces", "text/xml", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + bare("", "<GetTraces>&e;</GetTraces>"), 500, "a document type declaration is never taken"},
		"not XML":                   {"GetTraces", "text/xml", "xin chào", 500, fault("Client")},
		"not SOAP":                  {"GetTraces", "text/xml", "<GetTraces/>", 500, fault("Client")},
		"no Body":                   {"GetTraces", "text/xml", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>`, 500, "0 Body elements"},
		"two Bodies":                {"GetTraces", "text/xml", strings.Replace(bare("", ""), "<s:Body></s:Body>", "<s:Body/><s:Body/>", 1), 500, "2 Body elements"},
		"JSON":                      {"GetTraces", "application/json", "{}", 500, "application/json"},
		"no boundary":               {"GetTraces", "multipart/related", "", 500, fault("Client")},
		"cut off":                   {"GetTraces", "multipart/related; boundary=Boundary", dotnet[:300], 500, fault("Server")},
		"large control envelope":    {"GetTraces", "text/xml", bare("", "<GetTraces>"+strings.Repeat(" ", 1<<20)+"</GetTraces>"), 500, "limit &#34;envelope&#34; of 1048576"},
		"deep":                      {"GetTraces", "text/xml", bare("", strings.Repeat("<a>", 200)), 500, "limit &#34;depth&#34;"},
		"text that would break out": {"GetTraces", "text/xml", bare("", "<GetTraces>"+pair+"<TimeStamp>&lt;/edXML:Report&gt;</TimeStamp></GetTraces>"), 200, "&lt;/edXML:Report&gt;"},
	} {
		res, body := post(t, srv.URL, tc.action, tc.mime, tc.body)
		if res.StatusCode != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s: %s\n%s\nwant %d, %s", name, res.Status, body, tc.status, tc.want)
		}
		if strings.Contains(body, "root:") {
			t.Errorf("%s: an external entity was opened", name)
		}
	}
	res, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %s", res.Status)
	}
}

// TestTokenStays sends a packet with the token in every place where clients
// put it, and with a signature: a receiver gets all of it but the tokens.
func TestTokenStays(t *testing.T) {
	const token = "test-" + ministry
	const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/><ds:KeyInfo><ds:KeyName>a</ds:KeyName></ds:KeyInfo></ds:Signature>` +
		`<edXML:Signature><SignedInfo/><KeyInfo><X509Data/></KeyInfo></edXML:Signature>` // the second is a dummy of the wild
	_, srv := start(t, axistest.Options{})
	clean := string(bytesOf(t, packet(t, document("1", office)).Envelope))
	at := strings.Index(clean, "</SOAP-ENV:Header>")
	clean = clean[:at] + signature + clean[at:]
	at += len(signature)
	dirty := clean[:at] + `<edXML:Signature><edXML:KeyInfo><edXML:OrganId>` + ministry + `</edXML:OrganId><edXML:Token>` + token +
		`</edXML:Token></edXML:KeyInfo></edXML:Signature><Token xmlns="http://e-doc.vn/xsd">` + token + `</Token>` + clean[at:]
	res, body := post(t, srv.URL, "SendDocument", "text/xml", dirty)
	if !strings.Contains(body, `<edXML:DocumentId>1</edXML:DocumentId>`) {
		t.Fatalf("%s %s", res.Status, body)
	}
	in, err := client(t, srv.URL, office).Fetch(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	envelope, _, err := collect(in)
	if err != nil || string(envelope) != clean {
		t.Errorf("%v\n%s\nwant\n%s", err, envelope, clean)
	}
	// An axis that hands the sender's envelope on as it came.
	leaky := listen(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, dirty)
	})
	if in, err = client(t, leaky.URL, office).Fetch(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if envelope, _, err = collect(in); err != nil || string(envelope) != clean {
		t.Errorf("%v\n%s\nwant\n%s", err, envelope, clean)
	}
}

// TestLimits sends more than the axis takes.
func TestLimits(t *testing.T) {
	big := pdf
	big.content = bytes.Repeat([]byte("x"), 10_000)
	for name, tc := range map[string]struct {
		o         axistest.Options
		want      string
		temporary bool
	}{
		"envelope": {axistest.Options{Limits: soap.Limits{Envelope: 1000}}, `limit "envelope"`, false},
		"file":     {axistest.Options{Limits: soap.Limits{Part: 1000}}, `limit "part"`, false},
		"files":    {axistest.Options{Limits: soap.Limits{Parts: 1}}, `limit "parts"`, false},
		"axis":     {axistest.Options{Total: 8000}, "M.SaveDocError", true},
	} {
		axis, srv := start(t, tc.o)
		second := pdf
		second.id = "second@x"
		_, err := client(t, srv.URL, ministry).Send(t.Context(), packet(t, document("1", office), big, second))
		if f := refused(t, err, ""); !strings.Contains(err.Error(), tc.want) || f.Temporary() != tc.temporary {
			t.Errorf("%s: %v", name, err)
		}
		if j := axis.Journal(); len(j) != 1 || j[0].Outcome == "ok" || j[0].Operation != "SendDocument" && name != "envelope" {
			t.Errorf("%s: journal %+v", name, j)
		}
	}
}

// failing holds a Document whose file cannot be read to its end, or at all.
type failing struct {
	fixed
	open error
}

func (f failing) Document(context.Context, string, string) (*transport.Packet, error) {
	p := *f.held
	p.Parts = []transport.Part{{ID: pdf.id, Type: pdf.mime, Content: transport.Content{Size: 1 << 20, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(make([]byte, 1<<19)), iotest.ErrReader(errors.New("disk")))), f.open
	}}}}
	return &p, nil
}

// TestBrokenStore breaks off an answer that has begun: the client must not
// take it for a whole packet.
func TestBrokenStore(t *testing.T) {
	for _, open := range []error{nil, errors.New("disk")} {
		var calls []edoc.Call
		h := edoc.NewHandler(failing{fixed{t, packet(t, document("1", office), pdf)}, open}, edoc.HandlerOptions{Done: func(c edoc.Call) { calls = append(calls, c) }})
		srv := httptest.NewServer(h)
		in, err := client(t, srv.URL, office).Fetch(t.Context(), "1")
		if err == nil {
			_, _, err = collect(in)
		}
		if f := refused(t, err, ""); !f.Temporary() {
			t.Errorf("%v", err)
		}
		srv.Close()
		if len(calls) != 1 || calls[0].Err == nil || calls[0].Code != "M.GetDocument" || !strings.Contains(calls[0].Err.Error(), "disk") || calls[0].Organ != office {
			t.Errorf("%+v", calls)
		}
	}
}

// TestRefusedLarge refuses a packet that is large: the client gets the
// refusal, and not a broken connection.
func TestRefusedLarge(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	big := pdf
	big.content = make([]byte, 20<<20)
	for range 5 {
		_, err := client(t, srv.URL, ministry).Send(t.Context(), packet(t, document("1", "X99"), big))
		if f := refused(t, err, ""); f.Code != edoc.CodeUnknownReceiver {
			t.Errorf("%v", err)
		}
	}
}
