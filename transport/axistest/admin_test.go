package axistest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

// ask makes one call at a door.
func ask(t *testing.T, method, url, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// TestAdmin walks through the management door.
func TestAdmin(t *testing.T) {
	axis, _, client := start(t, axistest.Options{Seed: 7})
	door := httptest.NewServer(axis.Admin())
	defer door.Close()
	if _, _, page := ask(t, "GET", door.URL, ""); !strings.Contains(page, "no request yet") || !strings.Contains(page, "NEVER") {
		t.Errorf("empty page: %s", page)
	}

	g22 := client("G22")
	const evil = `<script>alert("1")</script>`
	p := packet(t, "G22", evil, edxml.New, "x", "H41")
	if _, err := g22.Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	status, header, page := ask(t, "GET", door.URL, "")
	if status != 200 || strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("%d: %s", status, page)
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("CSP %q", csp)
	}
	if status, header, _ := ask(t, "GET", door.URL+"/admin.css", ""); status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", status)
	}

	var journal struct {
		Seed    uint64
		Gentle  bool
		Entries []axistest.Entry
	}
	_, _, text := ask(t, "GET", door.URL+"/journal", "")
	if err := json.Unmarshal([]byte(text), &journal); err != nil || journal.Seed != 7 || !journal.Gentle || len(journal.Entries) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	if e := journal.Entries[0]; e.Wire != "edoc" || e.Operation != "SendDocument" || e.Number != "1" || e.Document == nil || len(e.Document.Digest) != 64 ||
		e.Document.Files != 1 || e.Received == 0 || e.Status != 200 || e.Sent == 0 {
		t.Errorf("%+v", e)
	}
	if strings.Contains(text, "test-G22") {
		t.Error("the journal holds a token")
	}
	if _, _, text := ask(t, "GET", door.URL+"/journal?after=1", ""); !strings.Contains(text, `"entries": []`) {
		t.Errorf("after 1: %s", text)
	}
	if _, _, text := ask(t, "GET", door.URL+"/organs", ""); !strings.Contains(text, `"organ": "X00.03"`) || !strings.Contains(text, `"trouble": "drop"`) ||
		!strings.Contains(text, `"000.00.00.H41"`) {
		t.Error("organs")
	}
	for path, want := range map[string]int{"/journal?after=x": 400, "/nothing": 404, "/reset": 405} {
		if status, _, _ := ask(t, "GET", door.URL+path, ""); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, _ := ask(t, "POST", door.URL+"/reset", "", "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("another site resets: %d", status)
	}
	if status, _, _ := ask(t, "POST", door.URL+"/reset", ""); status != 204 || len(axis.Journal()) != 0 {
		t.Errorf("reset: %d, %v", status, axis.Journal())
	}
	if list, err := client("H41").Pending(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("after the reset: %v, %v", list, err)
	}
	if r, err := g22.Send(t.Context(), p); err != nil || r.ID != "2" {
		t.Errorf("after the reset: %+v, %v", r, err)
	}
}

// TestOrders has the next calls go wrong as ordered, and no others.
func TestOrders(t *testing.T) {
	axis, _, client := start(t, axistest.Options{Oversize: 2 << 20})
	door := httptest.NewServer(axis.Admin())
	defer door.Close()
	for _, bad := range []string{``, `{`, `{"trouble":"nonsense"}`, `{"trouble":"drop","times":0}`, `{"trouble":"drop","more":1}`, `{"trouble":"drop"} {}`} {
		if status, _, _ := ask(t, "POST", door.URL+"/orders", bad); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
	h41, g22 := client("H41"), client("G22")
	h41.Limits.Directory = 1 << 20 // less than the answer
	for _, tc := range []struct {
		trouble   axistest.Trouble
		code      string
		temporary bool
	}{
		{axistest.Busy, "M.GetPendingDocumentIds", true}, {axistest.Refuse, axistest.CodeRefused, false},
		{axistest.Gateway, "", true}, {axistest.Drop, "", true}, {axistest.Page, "", true}, {axistest.Oversize, "", false},
	} {
		order := `{"trouble":"` + string(tc.trouble) + `","operation":"GetPendingDocumentIds","organ":"H41","times":2}`
		if status, _, text := ask(t, "POST", door.URL+"/orders", order); status != 204 {
			t.Fatalf("%s: %d, %s", order, status, text)
		}
		if _, err := g22.Pending(t.Context()); err != nil {
			t.Errorf("%s: another organ: %v", tc.trouble, err)
		}
		if err := h41.Check(t.Context()); err != nil {
			t.Errorf("%s: another operation: %v", tc.trouble, err)
		}
		for range 2 {
			_, err := h41.Pending(t.Context())
			var f *transport.Fault
			if !errors.As(err, &f) || f.Code != tc.code || f.Temporary() != tc.temporary {
				t.Errorf("%s: %v", tc.trouble, err)
			}
		}
		if _, err := h41.Pending(t.Context()); err != nil {
			t.Errorf("%s: the third call: %v", tc.trouble, err)
		}
	}
	if err := axis.Order(axistest.Order{Trouble: axistest.Twice, Times: 1}); err != nil {
		t.Fatal(err)
	}
	if _, _, text := ask(t, "GET", door.URL+"/orders", ""); !strings.Contains(text, `"twice"`) {
		t.Errorf("orders: %s", text)
	}
	if _, err := g22.Send(t.Context(), packet(t, "G22", "1", edxml.New, "x", "H41")); err != nil {
		t.Fatal(err)
	}
	if list, err := h41.Pending(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestExpired has a client object to the date, and to nothing else.
func TestExpired(t *testing.T) {
	axis := axistest.New(axistest.Options{Dir: t.TempDir(), Gentle: true})
	defer axis.Close()
	cert, err := axis.ExpiredCertificate()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(axis)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.Config.ErrorLog = quiet()
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	door := httptest.NewServer(axis.Admin())
	defer door.Close()
	if _, _, text := ask(t, "GET", door.URL+"/expired.pem", ""); !roots.AppendCertsFromPEM([]byte(text)) {
		t.Fatalf("no certificate: %s", text)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer tr.CloseIdleConnections()
	c := &edoc.Client{URL: srv.URL, Organ: "G22", Token: axistest.Token("G22"), HTTP: &http.Client{Transport: tr}}
	err = c.Check(t.Context())
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		t.Errorf("%v", err)
	}
}
