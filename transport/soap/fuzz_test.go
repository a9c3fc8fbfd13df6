package soap

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// FuzzRead: whatever comes, reading ends with a typed error or a message whose envelope is its first part and only
// that, and yields no more than came in.
func FuzzRead(f *testing.F) {
	golden, err := os.ReadFile("testdata/01-message.http")
	if err != nil {
		f.Fatal(err)
	}
	head, body, _ := bytes.Cut(golden, []byte("\r\n\r\n"))
	f.Add(strings.TrimPrefix(string(head), "Content-Type: "), body)
	f.Add("multipart/related; boundary=b; start=r", []byte("--b\r\nContent-ID: f\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41=\r\n\r\n"+
		"--b\r\nContent-ID: r\r\nContent-Type: text/xml\r\n\r\n<Envelope/>\r\n--b--"))
	f.Add("multipart/related; boundary=b", []byte("--b\nContent-Type: text/xml\nContent-Transfer-Encoding: base64\n\nPGEvPg==\n--b--"))
	f.Add("text/xml; charset", []byte("<a/>"))
	f.Add(`multipart/related; boundary="\"`, []byte("--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		parts, err := readAll(contentType, bytes.NewReader(body), Limits{Parts: 20})
		total := 0
		for i, p := range parts {
			total += len(p.Content)
			if p.Root != (i == 0) {
				t.Errorf("part %d: root %v", i, p.Root)
			}
		}
		if total > len(body)/3*4+4 { // what an xop:Include names becomes base64
			t.Errorf("%d octets out of %d", total, len(body))
		}
		if err == nil && len(parts) == 0 {
			t.Error("a message without an envelope")
		}
		for _, want := range []error{ErrMalformed, ErrTruncated, ErrVersion} {
			if errors.Is(err, want) {
				return
			}
		}
		if err == nil {
			return
		}
		if _, ok := errors.AsType[*LimitError](err); ok {
			return
		}
		if _, ok := errors.AsType[*DuplicateError](err); ok {
			return
		}
		if _, ok := errors.AsType[*ContentTypeError](err); !ok {
			t.Errorf("untyped error %v", err)
		}
	})
}

// FuzzParseFault: a fault, or none, or an error, and never two of them.
func FuzzParseFault(f *testing.F) {
	f.Add([]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>` +
		`<faultstring>x</faultstring><detail><a>b</a></detail></s:Fault></s:Body></s:Envelope>`))
	f.Add([]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>`))
	f.Add([]byte(`<!DOCTYPE a>`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		fault, ok, err := ParseFault(envelope)
		if ok != (fault != nil) || ok && err != nil {
			t.Errorf("%v, %v, %v", fault, ok, err)
		}
	})
}
