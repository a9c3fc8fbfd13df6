package axistest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// exchange is one request being answered: what the wire's handler asks of the
// Axis, and how it is treated. It implements edoc.Backend.
type exchange struct {
	axis *Axis
	manners
	treated bool // the manners are decided
	entry   Entry
}

// The wires, as the journal names them.
const (
	wireEdoc = "edoc"
	wireVXP  = "vxp"
)

// methods are those of VXP. What is none of them, and says what it wants in
// SOAPAction or not at all, is eDoc.
var methods = map[string]bool{
	"sendEdoc": true, "getReceivedEdocList": true, "getSentEdocList": true, "getEdoc": true, "downloadEdoc": true, "updateStatus": true,
	"countReceiveEdoc": true, "countReceiveStatus": true, "getAgenciesList": true, "getAgenciesListQD20": true, "getSynchronizeUnit": true,
	"registerAgency": true, "deleteAgency": true,
}

// begin looks at a request before its handler does.
func (a *Axis) begin(w http.ResponseWriter, r *http.Request) (*exchange, *answer) {
	wire, operation := wireEdoc, soap.Action(r.Header)
	if last := path.Base(r.URL.Path); operation == "" && methods[last] {
		wire, operation = wireVXP, last
	}
	x := &exchange{axis: a, entry: Entry{
		At: time.Now(), Wire: wire, Method: r.Method, Path: r.URL.Path, Operation: operation,
		Action: r.Header.Get("SOAPAction"), ContentType: r.Header.Get("Content-Type"), UserAgent: r.UserAgent(),
	}}
	r.Body = &counted{r.Body, &x.entry.Received}
	return x, &answer{ResponseWriter: w, x: x, r: r}
}

// done notes what an eDoc handler made of the request.
func (x *exchange) done(c edoc.Call) {
	x.entry.Operation, x.entry.Organ, x.entry.Outcome = c.Operation, c.Organ, "ok"
	if c.Err != nil {
		x.failed(c.Code, c.Err)
	}
}

func (x *exchange) failed(code string, err error) {
	if code == "" {
		code = "refused"
	}
	x.entry.Outcome, x.entry.Text = code, err.Error()
	var f *transport.Fault
	x.entry.Temporary = errors.As(err, &f) && f.Temporary()
}

// end files the request in the journal, lets the end of the answer go and, for
// Drop, breaks the connection off.
func (x *exchange) end(out *answer) {
	x.entry.Status, x.entry.Sent, x.entry.Took = out.status, out.octets+int64(len(out.held)), time.Since(x.entry.At).Milliseconds()
	if out.replaced {
		x.entry.Status, x.entry.Sent = out.other.status, out.other.length
	}
	if x.entry.Outcome == "" { // it was not even looked at
		x.entry.Outcome = "HTTP " + strconv.Itoa(out.status)
	}
	x.axis.note(x.entry)
	switch {
	case out.other.status != 0:
		out.other.write(out.ResponseWriter)
	case len(out.held) > 0:
		_, _ = out.ResponseWriter.Write(out.held) // nobody is left to tell
	}
	if x.trouble == Drop && out.replaced {
		panic(http.ErrAbortHandler)
	}
}

// answer passes an answer on, or something else in its place.
type answer struct {
	http.ResponseWriter
	x        *exchange
	r        *http.Request
	status   int    // 0 when nothing was answered
	octets   int64  // of the body
	replaced bool   // what the handler answers goes nowhere
	other    other  // what is answered then; the zero value is nothing
	held     []byte // the last octet, so that who has an answer finds it in the journal
}

// Unwrap lets http.ResponseController reach the connection.
func (w *answer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader waits where the answer is slow, and puts another one in its place
// where the Trouble is one.
func (w *answer) WriteHeader(status int) {
	if w.status != 0 || w.replaced {
		return
	}
	if w.x.delay > 0 {
		t := time.NewTimer(w.x.delay)
		select {
		case <-t.C:
		case <-w.r.Context().Done():
			t.Stop()
		}
	}
	switch w.x.trouble {
	case Ahead:
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
	case Behind:
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	case Drop:
		w.replaced = true
		return
	case Gateway:
		w.replaced, w.other = true, other{http.StatusBadGateway, "text/html", page, int64(len(page))}
		return
	case Page:
		w.replaced, w.other = true, other{http.StatusOK, "text/html; charset=utf-8", page, int64(len(page))}
		return
	case Oversize:
		w.replaced, w.other = true, other{http.StatusOK, w.Header().Get("Content-Type"), oversized(w.x.entry.Wire), w.x.axis.o.Oversize}
		return
	}
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *answer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.replaced {
		return len(p), nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.ResponseWriter.Write(w.held)
	if err == nil {
		w.octets += int64(n)
		n, err = w.ResponseWriter.Write(p[:len(p)-1])
		w.octets += int64(n)
	}
	if err != nil {
		w.held = nil
		return 0, err
	}
	w.held = append(w.held[:0], p[len(p)-1])
	return len(p), nil
}

const page = `<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>` + "\n"

// oversized begins an answer of a wire that then does not end.
func oversized(wire string) string {
	if wire == wireVXP {
		return `{"status":"OK","ErrorCode":"0","DocId":"","ErrorDesc":"`
	}
	return `<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="` + soap.Namespace + `"><SOAP-ENV:Body><Report>`
}

// other is an answer in the place of the handler's: text, and filler up to a
// length.
type other struct {
	status int
	media  string
	text   string
	length int64
}

// write answers with it.
func (o other) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", o.media)
	w.Header().Set("Content-Length", strconv.FormatInt(o.length, 10))
	w.WriteHeader(o.status)
	chunk := []byte(o.text)
	for left := o.length; left > 0; {
		n, err := w.Write(chunk[:min(int64(len(chunk)), left)])
		if left -= int64(n); err != nil {
			return // the client has had enough
		}
		chunk = bytes.Repeat([]byte("x"), 32<<10)
	}
}

// counted counts what is read of a request.
type counted struct {
	io.ReadCloser
	n *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += int64(n)
	return n, err
}
