package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFaultBothWays writes faults and reads them back.
func TestFaultBothWays(t *testing.T) {
	for _, f := range []*Fault{
		{Code: "Client", String: "SOAPAction thiếu"},
		{Code: "Client.Authentication", String: `<script>&"'`, Actor: "http://axis.example.vn/a?b=1&c=2", Detail: "line 1\nline ]]> 2"},
		{Code: "Server", Detail: "\tđuôi"},
	} {
		var b bytes.Buffer
		if err := WriteFault(&b, f); err != nil {
			t.Fatal(err)
		}
		got, ok, err := ParseFault(b.Bytes())
		want := *f
		want.Detail = strings.TrimSpace(want.Detail)
		if err != nil || !ok {
			t.Errorf("%v: %v, %v", f, ok, err)
		} else if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	var b bytes.Buffer
	if err := WriteFault(&b, &Fault{String: "a\x00b<"}); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault>` +
		`<faultcode>SOAP-ENV:Server</faultcode><faultstring>a` + "\uFFFD" + `b&lt;</faultstring></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>`
	if b.String() != want {
		t.Errorf("fault:\n%s\nwant:\n%s", b.String(), want)
	}
	for _, code := range []string{"a:b", "Client</faultcode>", "Khách"} {
		if err := WriteFault(&b, &Fault{Code: code}); err == nil {
			t.Errorf("code %q was written", code)
		}
	}
}

// TestParseFault reads what stacks write, and refuses what is no SOAP.
func TestParseFault(t *testing.T) {
	const open, end = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">`, `</s:Envelope>`
	for name, tc := range map[string]struct {
		envelope string
		want     *Fault
		err      error
	}{
		"Axis2, with a stack trace": {open + `<s:Body><s:Fault><faultcode xmlns:ax="urn:x">ax:Sender</faultcode><faultstring xml:lang="en"> no
 operation </faultstring><detail><Exception>java.lang.NullPointerException</Exception></detail></s:Fault></s:Body>` + end,
			&Fault{Code: "Sender", String: "no\n operation", Detail: "java.lang.NullPointerException"}, nil},
		"code without prefix":             {open + `<s:Body><s:Fault><faultcode>Server</faultcode><faultstring/></s:Fault></s:Body>` + end, &Fault{Code: "Server"}, nil},
		"an answer":                       {open + `<s:Header><s:Fault><faultcode>x</faultcode></s:Fault></s:Header><s:Body><a><faultcode>x</faultcode></a></s:Body>` + end, nil, nil},
		"an answer that talks of a fault": {open + `<s:Body><a/><s:Fault><faultcode>x</faultcode></s:Fault></s:Body>` + end, nil, nil},
		"a Fault of another namespace":    {open + `<s:Body><Fault><faultcode>x</faultcode></Fault></s:Body>` + end, nil, nil},
		"a second Fault changes nothing": {open + `<s:Body><s:Fault><faultcode>a</faultcode></s:Fault><s:Fault><faultcode>b</faultcode></s:Fault></s:Body>` + end,
			&Fault{Code: "a"}, nil},
		"an empty Body":   {open + `<s:Body/>` + end, nil, nil},
		"SOAP 1.2":        {`<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"/>`, nil, ErrVersion},
		"a DTD":           {`<!DOCTYPE a [<!ENTITY b "c">]>` + open + end, nil, ErrMalformed},
		"HTML":            {`<html><body>502</body></html>`, nil, ErrMalformed},
		"nothing":         {"", nil, ErrMalformed},
		"cut":             {open + `<s:Body><s:Fault><faultcode>`, nil, ErrMalformed},
		"an entity":       {open + `<s:Body><s:Fault><faultcode>&b;</faultcode></s:Fault></s:Body>` + end, nil, ErrMalformed},
		"two roots":       {open + end + open + end, nil, ErrMalformed},
		"too long":        {open + strings.Repeat(" ", 1<<20), nil, &LimitError{"fault", 1 << 20}},
		"very deep, read": {open + `<s:Body>` + strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000) + `</s:Body>` + end, nil, nil},
	} {
		got, ok, err := ParseFault([]byte(tc.envelope))
		if tc.err != nil {
			if !same(err, tc.err) {
				t.Errorf("%s: error %v, want %v", name, err, tc.err)
			}
			continue
		}
		if err != nil || ok != (tc.want != nil) {
			t.Errorf("%s: %v, %v", name, ok, err)
		} else if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFaultError(t *testing.T) {
	var err error = &Fault{Code: "Client", String: "no such operation"}
	if got, ok := errors.AsType[*Fault](err); !ok || got.Error() != "soap: fault Client: no such operation" {
		t.Errorf("%v", err)
	}
}

func TestAction(t *testing.T) {
	for value, want := range map[string]string{
		`SendDocument`: "SendDocument", `"SendDocument"`: "SendDocument", ` " GetTraces " `: "GetTraces", `""`: "", "": "", `"`: `"`,
	} {
		h := http.Header{}
		h.Set("SOAPAction", value)
		if got := Action(h); got != want {
			t.Errorf("Action(%q) = %q, want %q", value, got, want)
		}
	}
	if got := Action(nil); got != "" {
		t.Errorf("without header: %q", got)
	}
}

func TestControlEnvelope(t *testing.T) {
	for _, header := range []string{"", "<h/>"} {
		var got struct {
			XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
			Header  *struct {
				Inner string `xml:",innerxml"`
			} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Header"`
			Body struct {
				Inner string `xml:",innerxml"`
			} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
		}
		if err := xml.Unmarshal(ControlEnvelope(header, "<b>&amp;</b>"), &got); err != nil {
			t.Fatal(err)
		}
		if got.Body.Inner != "<b>&amp;</b>" || (got.Header != nil) != (header != "") {
			t.Errorf("%+v", got)
		}
	}
}
