package edoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// NewHandler returns the axis's end of the wire over a Backend. It answers at
// any path, tells the operation by SOAPAction and, where that is missing, by
// the first element of the Body. Refusals of an operation are Reports with
// HTTP 200; a SOAP fault with HTTP 500 is the answer to what is no SOAP, or
// asks for no operation.
func NewHandler(b Backend, o HandlerOptions) http.Handler {
	if o.Control == 0 {
		o.Control = 1 << 20
	}
	return transport.Paced(&handler{backend: b, o: o}, o.Idle)
}

type handler struct {
	backend Backend
	o       HandlerOptions
}

// operations tells, for each operation, the element that asks for it, where
// it stands, and who serves it.
var operations = map[string]struct {
	request string
	inBody  bool
	serve   func(*call) error
}{
	opSend:    {"Manifest", true, (*call).send},
	opPending: {"GetPendingDocumentIdsRequest", true, (*call).pending},
	opFetch:   {"GetDocumentRequest", true, (*call).fetch},
	opConfirm: {"ConfirmReceived", true, (*call).confirm},
	opStatus:  {"Status", true, (*call).status},
	opTraces:  {"GetTraces", true, (*call).traces},
	opOrgans:  {"GetOrganizations", true, (*call).organs},
	opCheck:   {"CheckPermission", false, (*call).check},
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "SOAP 1.1: POST", http.StatusMethodNotAllowed)
		return
	}
	c := &call{h: h, w: w, r: r}
	err := c.serve()
	if h.o.Done != nil {
		done := Call{Operation: c.op, Organ: c.cred.Organ, Err: err}
		var refused *transport.Fault
		var broken *soap.Fault
		switch {
		case errors.As(err, &refused):
			done.Code = refused.Code
		case errors.As(err, &broken):
			done.Code = broken.Code
		case err != nil:
			done.Code = "M." + c.op
		}
		h.o.Done(done)
	}
}

// call is one request being served.
type call struct {
	h       *handler
	w       http.ResponseWriter
	r       *http.Request
	msg     *soap.Message
	env     *envelope
	request block // the element that asks for the operation
	op      string
	cred    credential
	speaker Speaker
}

// serve answers the request and returns why it was refused.
func (c *call) serve() error {
	if err := c.h.o.Limits.Takes(c.r.ContentLength); err != nil {
		return c.fault(err)
	}
	body, err := transport.Decode(c.r.Header.Get("Content-Encoding"), c.r.Body)
	if err != nil {
		return c.fault(err)
	}
	msg, err := soap.Read(c.r.Header.Get("Content-Type"), body, c.h.o.Limits)
	if err != nil {
		return c.fault(err)
	}
	defer msg.Close()
	c.msg = msg
	if err := c.open(); err != nil {
		return c.fault(err)
	}
	err = c.find()
	if err == nil {
		err = operations[c.op].serve(c)
	}
	if err != nil {
		return c.refuse(err)
	}
	return nil
}

// open reads the envelope and tells the operation.
func (c *call) open() error {
	action := soap.Action(c.r.Header)
	_, known := operations[action]
	if action != "" && !known {
		return &soap.Fault{Code: "Client", String: say(edxml.Text{
			VI: "không có thao tác %q (SOAPAction)", EN: "there is no operation %q (SOAPAction)"}, clip(action))}
	}
	root, err := c.msg.Next()
	if err != nil {
		return err
	}
	content := root.Content
	if known && action != opSend {
		content = &limited{src: content, left: c.h.o.Control, max: c.h.o.Control}
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if c.env, err = outline(data); err != nil {
		return err
	}
	if c.op = action; action == "" {
		c.op = c.env.operation()
	}
	if c.op == "" {
		return &soap.Fault{Code: "Client", String: say(edxml.Text{
			VI: "không có SOAPAction, và Body không nói lên thao tác nào", EN: "there is no SOAPAction, and the Body asks for no operation"})}
	}
	return nil
}

// operation tells what a message without SOAPAction asks for, "" if nothing.
func (e *envelope) operation() string {
	for op, o := range operations {
		blocks := e.header
		if o.inBody {
			blocks = e.body
		}
		if len(blocks) > 0 && blocks[0].name.Local == o.request {
			return op
		}
	}
	return ""
}

// find looks for the element that asks for the operation.
func (c *call) find() error {
	o := operations[c.op]
	blocks := c.env.body
	if !o.inBody {
		blocks = c.env.header
	}
	for _, b := range blocks {
		if b.name.Local == o.request {
			c.request = b
			return nil
		}
	}
	place, found := "Body", "nothing"
	if !o.inBody {
		place = "Header"
	}
	if len(blocks) > 0 {
		found = clip(blocks[0].name.Local)
	}
	return c.refusal("N."+o.request, edxml.Text{
		VI: "thiếu phần tử %s trong %s của %s (thấy: %s)", EN: "element %s is missing in the %s of %s (found: %s)"}, o.request, place, c.op, found)
}

// refusal is a Fault that becomes a Report.
func (c *call) refusal(code string, text edxml.Text, args ...any) error {
	return &transport.Fault{Operation: c.op, Code: code, Text: say(text, args...)}
}

// authenticate checks a credential. missing is the code for an incomplete
// one, wrong that for a pair that is not good; "" answers without a reason.
func (c *call) authenticate(cred credential, missing, wrong string) error {
	c.cred = cred
	certified := c.r.TLS != nil && len(c.r.TLS.PeerCertificates) > 0 // the backend may know the certificate
	if cred.Organ == "" || cred.Token == "" && !certified {
		return c.refusal(missing, edxml.Text{VI: "thiếu OrganId hoặc Token", EN: "OrganId or Token is missing"})
	}
	var err error
	c.speaker, err = c.h.backend.Authenticate(c.r.Context(), cred.Organ, cred.Token)
	switch {
	case errors.Is(err, ErrCredential) || err == nil && !slices.Contains(c.speaker.Organs, cred.Organ):
		if wrong == "" {
			return &transport.Fault{Operation: c.op}
		}
		return c.refusal(wrong, edxml.Text{VI: "OrganId và Token không khớp", EN: "OrganId and Token do not match"})
	case err != nil:
		return err
	}
	return nil
}

// speaksFor checks that the credential covers the organ a message is from.
func (c *call) speaksFor(organ string) error {
	if slices.Contains(c.speaker.Organs, organ) {
		return nil
	}
	return c.refusal(CodePermission, edxml.Text{
		VI: "đơn vị %q không được gửi thay đơn vị %q (From/OrganId)", EN: "organ %q may not send for organ %q (From/OrganId)"}, clip(c.cred.Organ), clip(organ))
}

// refuse answers with a Report, or with a SOAP fault where the message itself
// is broken. It returns err.
func (c *call) refuse(err error) error {
	if c.w.Header().Get("Content-Length") != "" {
		return err // the answer has begun: the connection breaks off
	}
	if c.speaker.Organs != nil {
		_, _ = io.CopyN(io.Discard, c.r.Body, 64<<20) // many clients read an answer only when all is sent
	}
	var f *transport.Fault
	if !errors.As(err, &f) {
		if broken(err) {
			return c.fault(err)
		}
		f = &transport.Fault{Code: "M." + c.op, Text: say(edxml.Text{VI: "lỗi bên trong, hãy thử lại", EN: "internal error, try again"})}
	}
	body := report(f)
	if c.op != opFetch { // whose result, and whose Report, stands in the Body itself
		body = response(c.op, body)
	}
	c.write(http.StatusOK, soap.ControlEnvelope("", body))
	return err
}

// broken tells whether the message is at fault, and not what it asks for.
func broken(err error) bool {
	var limit *soap.LimitError
	var double *soap.DuplicateError
	var media *soap.ContentTypeError
	var ratio *transport.RatioError
	var stall *transport.StallError
	return errors.Is(err, soap.ErrMalformed) || errors.Is(err, soap.ErrTruncated) || errors.Is(err, soap.ErrVersion) ||
		errors.As(err, &limit) || errors.As(err, &double) || errors.As(err, &media) || errors.As(err, &ratio) || errors.As(err, &stall)
}

// fault answers with a SOAP fault and returns it, or what caused it.
func (c *call) fault(err error) error {
	var f *soap.Fault
	if !errors.As(err, &f) {
		f = &soap.Fault{Code: "Client", String: clip(err.Error())}
		switch {
		case errors.Is(err, soap.ErrVersion):
			f.Code = "VersionMismatch"
		case errors.Is(err, soap.ErrTruncated):
			f.Code = "Server" // the sender may well have sent all of it
		case errors.Is(err, xmlscan.ErrDTD):
			f.String = say(edxml.Text{VI: "không chấp nhận khai báo DTD", EN: "a document type declaration is never taken"})
		}
		err = fmt.Errorf("%w: %w", f, err)
	}
	var b strings.Builder
	if werr := soap.WriteFault(&b, f); werr != nil {
		http.Error(c.w, "fault", http.StatusInternalServerError)
		return err
	}
	c.write(http.StatusInternalServerError, []byte(b.String()))
	return err
}

// write sends an envelope that carries no files.
func (c *call) write(status int, envelope []byte) {
	h := c.w.Header()
	h.Set("Content-Type", "text/xml; charset=utf-8")
	if len(envelope) > worthPacking && transport.TakesGzip(c.r.Header) {
		if packed, err := io.ReadAll(transport.Gzip(io.NopCloser(bytes.NewReader(envelope)))); err == nil {
			envelope = packed
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(envelope)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(envelope) // nobody is left to tell
}

// worthPacking is the size from which on an answer goes in gzip, where the caller takes it.
const worthPacking = 8 << 10

// limited bounds the envelope of a control call.
type limited struct {
	src       io.Reader
	left, max int64
}

func (r *limited) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, &soap.LimitError{Limit: "envelope", Max: r.max}
	}
	return n, err
}
