package edoc_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// bounded runs what meets bad input, and fails when goroutines are left of
// it, when the heap stays larger, or when it took much memory on the way.
func bounded(t *testing.T, run func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	var start, end runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&start)
	run()
	left := goleak.Find(before)
	for until := time.Now().Add(time.Minute); left != nil && time.Now().Before(until); { // net/http waits 500 ms for a caller to leave
		left = goleak.Find(before)
	}
	if left != nil {
		t.Errorf("left behind: %v", left)
	}
	runtime.GC()
	runtime.ReadMemStats(&end)
	if grown := int64(end.HeapAlloc) - int64(start.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap stays %d KB larger", grown>>10)
	}
	if taken := end.TotalAlloc - start.TotalAlloc; taken > 64<<20 {
		t.Errorf("%d MB were allocated", taken>>20)
	}
}

// is tells whether an error is, or wraps, one of type T.
func is[T error](err error) bool { _, ok := errors.AsType[T](err); return ok }

// exceeds tells whether an error names a limit.
func exceeds(name string) func(error) bool {
	return func(err error) bool {
		limit, ok := errors.AsType[*soap.LimitError](err)
		return ok && limit.Limit == name
	}
}

// refuses tells whether an error is a refusal with a code.
func refuses(code string) func(error) bool {
	return func(err error) bool {
		f, ok := errors.AsType[*transport.Fault](err)
		return ok && f.Code == code
	}
}

func wraps(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// forever is a body that does not end.
type forever struct{ text string }

func (f forever) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], f.text)
	}
	return n, nil
}

// drip is a body of one octet every 10 ms.
type drip struct{}

func (drip) Read(p []byte) (int, error) {
	<-time.After(10 * time.Millisecond)
	p[0] = ' '
	return 1, nil
}

// patience is how long the other end may be idle: short for a drip, and so long
// for the rest that no busy machine makes a stall of it.
func patience(more io.Reader) time.Duration {
	if more == (drip{}) {
		return 200 * time.Millisecond
	}
	return time.Minute
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

const (
	tinyPart = "--b\r\n\r\nx\r\n"
	related  = "multipart/related; boundary=b"
	soap12   = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>`
	withDTD  = `<!DOCTYPE x [<!ENTITY e "x">]>`
)

// TestBadRequests sends the handler what must not shake it. Each request is
// answered, or given up, with an error that has a name.
func TestBadRequests(t *testing.T) {
	held := packet(t, document("1", office), pdf)
	envelope := string(bytesOf(t, held.Envelope))
	token := `<edXML:Signature xmlns:edXML="http://www.e-doc.vn/Schema/"><edXML:KeyInfo><edXML:OrganId>` + ministry +
		`</edXML:OrganId><edXML:Token>test-` + ministry + `</edXML:Token></edXML:KeyInfo></edXML:Signature>`
	envelope = strings.Replace(envelope, "</SOAP-ENV:Header>", token+"</SOAP-ENV:Header>", 1)
	root := "--b\r\nContent-Type: text/xml\r\nContent-ID: <r>\r\n\r\n" + envelope + "\r\n"
	file := "--b\r\nContent-ID: <" + pdf.id + ">\r\n\r\n%PDF\r\n"
	for name, tc := range map[string]struct {
		action, mime, coding string
		body                 string
		more                 io.Reader // behind body
		length               int64     // Content-Length, 0 for the length of body
		want                 func(error) bool
	}{
		"10,000 tiny parts":               {"SendDocument", related, "", root + file + strings.Repeat(tinyPart, 10_000) + "--b--", nil, 0, refuses("N.Reference")},
		"10,000 tiny parts, then nothing": {"SendDocument", related + "; start=r", "", strings.Repeat(tinyPart, 10_000) + root + "--b--", nil, 0, exceeds("parts")},
		"header of a part without end":    {"SendDocument", related, "", root + "--b\r\n", forever{"X: y\r\n"}, 1 << 30, exceeds("header")},
		"header line without end":         {"SendDocument", related, "", root + "--b\r\nX: ", forever{"y"}, 1 << 30, exceeds("header")},
		"envelope without end":            {"GetTraces", "text/xml", "", "<a>", forever{" "}, 1 << 30, exceeds("envelope")},
		"parts before, without end":       {"SendDocument", related + "; start=r", "", "--b\r\n\r\n", forever{"x"}, 1 << 30, exceeds("spool")},
		"announced too large":             {"SendDocument", related, "", root, nil, 1 << 40, exceeds("message")},
		"octet by octet":                  {"SendDocument", related, "", root, drip{}, 1 << 20, is[*transport.StallError]},
		"less than announced":             {"SendDocument", related, "", root + file + "--b--", nil, 100_000, wraps(soap.ErrTruncated)},
		"more than announced":             {"SendDocument", related, "", root + file + "--b--", nil, int64(len(root)), wraps(soap.ErrTruncated)},
		"part without Reference":          {"SendDocument", related, "", root + file + "--b\r\nContent-ID: <x>\r\n\r\nx\r\n--b--", nil, 0, refuses("N.Reference")},
		"Reference without part":          {"SendDocument", related, "", root + "--b--", nil, 0, refuses("N.Attachment")},
		"Content-ID twice":                {"SendDocument", related, "", root + file + file + "--b--", nil, 0, is[*soap.DuplicateError]},
		"SOAP 1.2":                        {"GetTraces", "text/xml", "", soap12, nil, 0, wraps(soap.ErrVersion)},
		"DTD":                             {"GetTraces", "text/xml", "", withDTD + bare("", "<x>&e;</x>"), nil, 0, wraps(xmlscan.ErrDTD)},
		"wrong action":                    {"RegisterAgency", "text/xml", "", bare("", "<x/>"), nil, 0, is[*soap.Fault]},
		"empty Body":                      {"GetDocument", "text/xml", "", bare("", ""), nil, 0, refuses("N.GetDocumentRequest")},
		"HTML":                            {"GetTraces", "text/html", "", "<html>", nil, 0, is[*soap.ContentTypeError]},
		"gzip that explodes":              {"SendDocument", related, "gzip", zipped("--b\r\nContent-Type: text/xml\r\n\r\n" + strings.Repeat(" ", 16<<20)), nil, 0, is[*transport.RatioError]},
		"gzip that is none":               {"GetTraces", "text/xml", "gzip", "<a>this is no gzip</a>", nil, 0, wraps(gzip.ErrHeader)},
		"another coding":                  {"GetTraces", "text/xml", "br", "<a/>", nil, 0, is[*transport.EncodingError]},
		"empty request":                   {"SendDocument", related, "", "", nil, 0, wraps(soap.ErrTruncated)},
	} {
		t.Run(name, func(t *testing.T) {
			bounded(t, func() {
				outcome := make(chan error, 1)
				addr, stop := raise(t, edoc.NewHandler(fixed{t, held}, edoc.HandlerOptions{
					Limits: soap.Limits{Spool: 4 << 20, Envelope: 24 << 20}, Idle: patience(tc.more),
					Done: func(c edoc.Call) { outcome <- c.Err },
				}))
				defer stop()
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				length := tc.length
				if length == 0 {
					length = int64(len(tc.body))
				}
				sent := make(chan struct{})
				go func() { // until the other end has had enough
					defer close(sent)
					fmt.Fprintf(conn, "POST /edoc HTTP/1.1\r\nHost: x\r\nSOAPAction: %s\r\nContent-Type: %s\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s",
						tc.action, tc.mime, tc.coding, length, tc.body)
					if tc.more != nil {
						io.Copy(conn, tc.more)
					}
					conn.(*net.TCPConn).CloseWrite()
				}()
				err = <-outcome
				conn.Close()
				<-sent
				if !tc.want(err) {
					t.Errorf("%T %v", err, err)
				}
			})
		})
	}
}

// raise runs a handler behind the server of package transport.
func raise(t *testing.T, h http.Handler) (addr string, stop func()) {
	t.Helper()
	srv := transport.NewHTTPServer(h)
	srv.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }()
	return l.Addr().String(), func() { srv.Close(); <-done }
}

// TestBadAnswers gives the client what must not shake it.
func TestBadAnswers(t *testing.T) {
	envelope := string(bytesOf(t, packet(t, document("1", office), pdf).Envelope))
	root := "--b\r\nContent-Type: text/xml\r\n\r\n" + envelope + "\r\n"
	one := "--b\r\nContent-ID: <" + pdf.id + ">\r\n\r\n%PDF\r\n"
	fetched, sent := "GetDocument", "SendDocument"
	says := func(text string) func(error) bool {
		return func(err error) bool { return strings.Contains(err.Error(), text) }
	}
	for name, tc := range map[string]struct {
		op, header string // header lines beside Content-Length
		body       string
		more       io.Reader
		length     int64
		want       func(error) bool
		temporary  bool
	}{
		"HTML page with 200":           {sent, "Content-Type: text/html\r\n", "<html><body>Đang bảo trì</body></html>", nil, 0, is[*soap.ContentTypeError], true},
		"HTML that says it is XML":     {sent, "Content-Type: text/xml\r\n", "<!DOCTYPE html><html></html>", nil, 0, wraps(xmlscan.ErrDTD), true},
		"10,000 tiny parts":            {fetched, "Content-Type: " + related + "\r\n", root + strings.Repeat(tinyPart, 10_000) + "--b--", nil, 0, exceeds("parts"), false},
		"HTTP header without end":      {sent, "", "", forever{"X-A: y\r\n"}, -1, says("header"), true},
		"header of a part without end": {fetched, "Content-Type: " + related + "\r\n", root + "--b\r\n", forever{"X: y\r\n"}, 1 << 40, exceeds("header"), false},
		"answer without end":           {sent, "Content-Type: text/xml\r\n", "<a>", forever{" "}, 1 << 40, exceeds("envelope"), true}, // it may have taken the document,
		"octet by octet":               {sent, "Content-Type: text/xml\r\n", "<a>", drip{}, 1 << 20, is[*transport.StallError], true},
		"less than announced":          {fetched, "Content-Type: " + related + "\r\n", root + one, nil, 100_000, wraps(soap.ErrTruncated), true},
		"more than announced":          {fetched, "Content-Type: " + related + "\r\n", root + one + "--b--", nil, int64(len(root)), wraps(soap.ErrTruncated), true},
		"Content-ID twice":             {fetched, "Content-Type: " + related + "\r\n", root + one + one + "--b--", nil, 0, is[*soap.DuplicateError], true},
		"SOAP 1.2 by type":             {sent, "Content-Type: application/soap+xml\r\n", soap12, nil, 0, wraps(soap.ErrVersion), false},
		"SOAP 1.2 by namespace":        {sent, "Content-Type: text/xml\r\n", soap12, nil, 0, wraps(soap.ErrVersion), false},
		"DTD":                          {fetched, "Content-Type: text/xml\r\n", withDTD + bare("", "<x>&e;</x>"), nil, 0, wraps(xmlscan.ErrDTD), true},
		"empty Body":                   {sent, "Content-Type: text/xml\r\n", bare("", ""), nil, 0, says("empty Body"), false},
		"no SendDocumentResponse":      {sent, "Content-Type: text/xml\r\n", bare("", "<edXML:Report><edXML:IsSuccess>true</edXML:IsSuccess></edXML:Report>"), nil, 0, says("no SendDocumentResponse"), true},
		"gzip that explodes":           {sent, "Content-Type: text/xml\r\nContent-Encoding: gzip\r\n", zipped(strings.Repeat(" ", 16<<20)), nil, 0, is[*transport.RatioError], true},
		"gzip that is none":            {sent, "Content-Type: text/xml\r\nContent-Encoding: gzip\r\n", "<a>this is no gzip</a>", nil, 0, wraps(gzip.ErrHeader), true},
	} {
		t.Run(name, func(t *testing.T) {
			bounded(t, func() {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					conn, err := l.Accept()
					if err != nil {
						return
					}
					defer conn.Close()
					req, err := http.ReadRequest(bufio.NewReader(conn))
					if err == nil {
						io.Copy(io.Discard, req.Body)
					}
					switch {
					case tc.length < 0:
						io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
					case tc.length == 0:
						tc.length = int64(len(tc.body))
						fallthrough
					default:
						fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", tc.header, tc.length, tc.body)
					}
					if tc.more != nil {
						io.Copy(conn, tc.more)
					}
				}()
				c := client(t, "http://"+l.Addr().String(), ministry)
				c.Limits.Answer, c.Limits.Packet.Envelope = 12<<20, 12<<20
				c.HTTP = transport.NewHTTPClient(transport.HTTPOptions{Idle: patience(tc.more)})
				if tc.op == sent {
					_, err = c.Send(t.Context(), packet(t, document("1", office), pdf))
				} else {
					var in transport.Incoming
					if in, err = c.Fetch(t.Context(), "1"); err == nil {
						_, _, err = collect(in)
					}
				}
				f := refused(t, err, "test-"+ministry)
				if !tc.want(err) || f.Temporary() != tc.temporary || f.Operation != tc.op {
					t.Errorf("%T %v, temporary %v", err, err, f.Temporary())
				}
				c.Close()
				c.HTTP.CloseIdleConnections()
				l.Close()
				<-done
			})
		})
	}
}
