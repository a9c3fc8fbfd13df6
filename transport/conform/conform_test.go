package conform_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/conform"
)

// serve runs a test axis behind whatever stands before it.
func serve(t *testing.T, o axistest.Options, before func(http.Handler) http.Handler) (*axistest.Axis, string) {
	t.Helper()
	o.Dir = t.TempDir()
	axis := axistest.New(o)
	var h http.Handler = axis
	if before != nil {
		h = before(axis)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		axis.Close()
	})
	return axis, srv.URL
}

// TestAxis: a gentle test axis passes every case.
func TestAxis(t *testing.T) {
	_, url := serve(t, axistest.Options{Gentle: true}, nil)
	var seen []string
	report, err := conform.RunAxis(t.Context(), conform.Target{URL: url}, func(r conform.Result) { seen = append(seen, r.ID) })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.ID, r.Expect.EN, r.Why.EN)
	}
	if len(report.Results) < 40 || len(seen) != len(report.Results) || !slices.IsSortedFunc(report.Results, func(a, b conform.Result) int { return strings.Compare(a.ID, b.ID) }) {
		t.Errorf("%d results, told of %d", len(report.Results), len(seen))
	}
}

// TestTwice: a run does not stand in the way of the next.
func TestTwice(t *testing.T) {
	_, url := serve(t, axistest.Options{Gentle: true}, nil)
	for range 2 {
		report, err := conform.RunAxis(t.Context(), conform.Target{URL: url, Sender: conform.Party{Organ: "G10"}, Receiver: conform.Party{Organ: "000.00.00.H41"}}, nil)
		if err != nil || len(report.Failed()) > 0 {
			t.Errorf("%v, %v", report, err)
		}
	}
}

const soapSuccess = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body><e:%[1]sResponse xmlns:e="http://www.e-doc.vn/Schema/">` +
	`<e:Report><e:IsSuccess>true</e:IsSuccess><e:ErrorList/></e:Report><e:DocumentId>7</e:DocumentId><e:DocumentIds/><e:Traces/><e:Organizations/></e:%[1]sResponse></s:Body></s:Envelope>`

const soapFailure = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body><e:%[1]sResponse xmlns:e="http://www.e-doc.vn/Schema/">` +
	`<e:Report><e:IsSuccess>false</e:IsSuccess><e:ErrorList><e:Error><e:Code>X</e:Code></e:Error></e:ErrorList></e:Report></e:%[1]sResponse></s:Body></s:Envelope>`

// constant is an axis with one answer for everything.
func constant(soap, json string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			op := strings.Trim(r.Header.Get("SOAPAction"), `"`)
			if op == "" {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, json)
				return
			}
			w.Header().Set("Content-Type", "text/xml")
			fmt.Fprintf(w, soap, op)
		})
	}
}

// altered is an axis whose requests or answers are changed on the way.
func altered(request func(*http.Request, []byte) []byte, answer func(*http.Request, []byte) []byte) func(http.Handler) http.Handler {
	return func(axis http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if request != nil {
				body = request(r, body)
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			rec := httptest.NewRecorder()
			axis.ServeHTTP(rec, r)
			out := rec.Body.Bytes()
			if answer != nil && len(out) < 1<<20 { // the larger ones fail elsewhere
				out = answer(r, out)
			}
			for k, v := range rec.Header() {
				if k != "Content-Length" {
					w.Header()[k] = v
				}
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(out)
		})
	}
}

// replacing is an answer with some text changed.
func replacing(pairs ...string) func(*http.Request, []byte) []byte {
	return func(_ *http.Request, b []byte) []byte {
		return []byte(strings.NewReplacer(pairs...).Replace(string(b)))
	}
}

// TestEveryCaseCanFail runs the catalogue against axes that are wrong in many
// ways: there is no case that none of them fails.
func TestEveryCaseCanFail(t *testing.T) {
	method := func(r *http.Request) string { return path.Base(r.URL.Path) }
	worlds := map[string]func(http.Handler) http.Handler{
		"says yes to all":              constant(soapSuccess, `{"status":"OK","ErrorCode":"0","ErrorDesc":"","DocId":"1","data":[]}`),
		"says no to all":               constant(soapFailure, `{"status":"FAIL","ErrorCode":"9","ErrorDesc":"","DocId":"","data":""}`),
		"loses octets":                 altered(nil, func(_ *http.Request, b []byte) []byte { return bytes.ReplaceAll(b, []byte("%PDF"), []byte("%pdf")) }),
		"other namespace, other order": altered(nil, replacing("http://www.e-doc.vn/Schema/", "http://e-doc.vn/Schema/", "<edXML:StatusCode>", "<edXML:StatusCode>9")),
		"talks too much": altered(nil, func(r *http.Request, b []byte) []byte {
			if method(r) == "downloadEdoc" {
				return append(b, "thêm"...)
			}
			return bytes.ReplaceAll(b, []byte("</SOAP-ENV:Envelope>"), []byte("<!-- test-G22 khong-phai-token --></SOAP-ENV:Envelope>"))
		}),
		"forgets names":   altered(nil, replacing("X99", "?", "<edXML:OrganName>", "<edXML:Ten>", "</edXML:OrganName>", "</edXML:Ten>", `"docId"`, `"docId":null,"x"`, "&lt;", "[", "G22,", "G22;")),
		"knows everybody": altered(nil, replacing("<edXML:OrganId>G23</edXML:OrganId>", "<edXML:OrganId>X99</edXML:OrganId>")),
		"answers GET": func(axis http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && r.Header.Get("SOAPAction") != "" {
					w.WriteHeader(http.StatusOK)
					return
				}
				axis.ServeHTTP(w, r)
			})
		},
	}
	left := map[string]string{}
	for _, g := range conform.AxisGroups() {
		for _, c := range g.Cases {
			left[c.ID] = c.Expect.EN
		}
	}
	for name, world := range worlds {
		_, url := serve(t, axistest.Options{Gentle: true}, world)
		report, err := conform.RunAxis(t.Context(), conform.Target{URL: url}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, r := range report.Failed() {
			if r.Why.VI == "" || r.Why.EN == "" || strings.Contains(r.Why.EN, "%!") || strings.Contains(r.Why.VI, "%!") {
				t.Errorf("%s: %s fails with %q, %q", name, r.ID, r.Why.VI, r.Why.EN)
			}
			delete(left, r.ID)
		}
	}
	for id, expect := range left {
		t.Errorf("%s never fails: %s", id, expect)
	}
}

// TestUnreachable tells nothing from something else.
func TestUnreachable(t *testing.T) {
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><html>Xin chào") }))
	defer html.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	for url, no := range map[string]bool{html.URL: true, dead.URL: false} {
		for _, wires := range [][]string{{"edoc"}, {"vxp"}, nil} {
			_, err := conform.RunAxis(t.Context(), conform.Target{URL: url, Wires: wires}, nil)
			var away *conform.UnreachableError
			if !errors.As(err, &away) || errors.Is(err, conform.ErrNoAxis) != no || no && !strings.Contains(err.Error(), "an HTML page") {
				t.Errorf("%s %v: %v", url, wires, err)
			}
		}
		if _, err := conform.ScoreClient(t.Context(), url, nil); errors.Is(err, conform.ErrNoJournal) != no {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := conform.RunAxis(t.Context(), conform.Target{URL: html.URL, Wires: []string{"post"}}, nil); err == nil {
		t.Error("a strange wire was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := conform.RunAxis(ctx, conform.Target{URL: html.URL}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("when stopped: %v", err)
	}
}

// TestWires runs the cases of one wire alone.
func TestWires(t *testing.T) {
	_, url := serve(t, axistest.Options{Gentle: true}, nil)
	for wire, first := range map[string]string{"edoc": "A01", "vxp": "V01"} {
		report, err := conform.RunAxis(t.Context(), conform.Target{URL: url, Wires: []string{wire}}, nil)
		if err != nil || report.Results[0].ID != first {
			t.Fatalf("%v, %v", report, err)
		}
		for _, r := range report.Results {
			if r.Wire != wire {
				t.Errorf("%s runs with --wire %s", r.ID, wire)
			}
		}
	}
}
