package vxp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// The headers of a refused downloadEdoc; ours, its body cannot say why.
const (
	headerCode = prefix + "ErrorCode"
	headerText = prefix + "ErrorDesc"
)

// NewHandler returns the axis's end of the wire over a Backend. It tells the
// method by the last segment of the path, whatever stands before it, and must
// not be put behind a mux that cleans paths: the SDK asks for //sendEdoc where
// its endpoint ends in a slash, and follows a redirect without its headers.
//
// Every answer is a JSON object in ASCII with status, ErrorCode and ErrorDesc,
// but that of downloadEdoc, which is the packet, or empty. A refusal for good
// has the HTTP status 200, a temporary one 503; the SDK looks at neither.
//
// A call may take as long as something moves: the SDK's downloadEdoc reads an
// octet at a time, and a server with a WriteTimeout would cut it off. It leaves
// connections open behind it, so the server needs an IdleTimeout;
// transport.NewHTTPServer has it.
func NewHandler(b Backend, o HandlerOptions) http.Handler {
	o.Limits = o.Limits.withDefaults()
	return transport.Paced(&handler{backend: b, o: o}, o.Idle)
}

type handler struct {
	backend Backend
	o       HandlerOptions
}

// methods tells, for each method, who serves it and which HTTP methods ask
// for it. QUIRK: the SDK's code says GET for the counts and sends a POST.
var methods = map[string]struct {
	serve func(*served) error
	verbs []string
}{
	opSend:         {(*served).send, []string{http.MethodPost}},
	opReceived:     {(*served).received, []string{http.MethodPost}},
	opSent:         {(*served).sent, []string{http.MethodPost}},
	opFetch:        {(*served).fetch, []string{http.MethodPost}},
	opDownload:     {(*served).download, []string{http.MethodGet, http.MethodPost}},
	opUpdate:       {(*served).update, []string{http.MethodPost}},
	opCount:        {(*served).count, []string{http.MethodPost, http.MethodGet}},
	opCountStatus:  {(*served).count, []string{http.MethodPost, http.MethodGet}},
	opAgencies:     {(*served).agencies, []string{http.MethodPost}},
	opAgenciesQD20: {(*served).agencies, []string{http.MethodPost}},
	opUnits:        {(*served).agencies, []string{http.MethodPost}},
	opRegister:     {(*served).register, []string{http.MethodPost}},
	opDelete:       {(*served).unregister, []string{http.MethodPost}},
}

// Asks reports whether a request speaks this wire: the last segment of its path
// names one of the methods. It is for a door that several wires share.
func Asks(r *http.Request) bool {
	_, ok := methods[lastSegment(r)]
	return ok
}

func lastSegment(r *http.Request) string {
	return r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &served{h: h, w: w, r: r}
	err := s.serve()
	broken := err != nil && s.begun
	if err != nil && !broken {
		s.refuse(err)
	}
	if h.o.Done != nil {
		done := Call{Operation: s.op, SystemID: s.systemID, Err: err}
		if err != nil {
			done.Code = fault(err).Code
		}
		h.o.Done(done)
	}
	if broken {
		panic(http.ErrAbortHandler) // breaks the connection: nothing else tells that an answer is not whole
	}
}

// served is one request being served.
type served struct {
	h        *handler
	w        http.ResponseWriter
	r        *http.Request
	op       string
	params   map[string]string // what was signed, by name in lower case
	systemID string
	system   System
	known    bool // the signature is good
	begun    bool // the answer has
}

// serve answers the request, or returns why it is refused.
func (s *served) serve() error {
	op := lastSegment(s.r)
	method, known := methods[op]
	if !known {
		return s.refusal(CodeNotFound, edxml.Text{VI: "không có phương thức %q", EN: "there is no method %q"}, clip(op))
	}
	s.op = op
	if !slices.Contains(method.verbs, s.r.Method) {
		s.w.Header().Set("Allow", strings.Join(method.verbs, ", "))
		return s.refusal(CodeMethod, edxml.Text{VI: "%s phải gọi bằng %s, không phải %s", EN: "%s is a %s, not a %s"},
			op, method.verbs[0], clip(s.r.Method))
	}
	if err := s.authenticate(); err != nil {
		return err
	}
	return method.serve(s)
}

// authenticate checks the signature, and that the headers are what was signed.
// The time in it is not looked at: the SDK states one for the life of an
// object, in the zone of its machine.
func (s *served) authenticate() error {
	h := s.r.Header
	text, hash := h.Get(headerSigned), h.Get(headerHash)
	for name, value := range map[string]string{headerSigned: text, headerHash: hash} {
		if value == "" {
			return s.refusal(CodeSignature, edxml.Text{VI: "thiếu tiêu đề %s", EN: "header %s is missing"}, name)
		}
	}
	s.systemID = clip(h.Get(prefix + paramSystem))
	system, err := s.h.backend.System(s.r.Context(), h.Get(prefix+paramSystem))
	if err != nil && !errors.Is(err, ErrSystem) {
		return err
	}
	if !verify(system.Secret, text, hash) || err != nil || system.Secret == "" { // in this order: an unknown systemid takes as long as a known one
		why := edxml.Text{
			VI: "systemid %q không có hoặc chữ ký tiêu đề (hash-header) không đúng",
			EN: "there is no systemid %q, or the signature of the headers (hash-header) is wrong"}
		if !printable(text) { // QUIRK: the SDK's Apache client sends the low octet of each letter, so no signature can fit
			why = edxml.Text{
				VI: "chữ ký tiêu đề của systemid %q không đúng: tham số có chữ ngoài ASCII, mà tiêu đề HTTP không mang được",
				EN: "the signature of the headers of systemid %q is wrong: a parameter has letters beyond ASCII, which no header carries"}
		}
		return s.refusal(CodeSignature, why, s.systemID)
	}
	if s.params, err = signedParams(h, text); err != nil {
		return s.refusal(CodeSignature, edxml.Text{VI: "tiêu đề khác với phần đã ký: %v", EN: "the headers are not what was signed: %v"}, err)
	}
	if _, signed := s.params[paramSystem]; !signed {
		return s.refusal(CodeSignature, edxml.Text{VI: "systemid không nằm trong phần đã ký", EN: "systemid is not among what was signed"})
	}
	s.system, s.known = system, true
	return nil
}

// param returns a parameter of the call, "" for one that was not signed.
func (s *served) param(name string) string { return s.params[strings.ToLower(name)] }

// need returns a parameter that must be there.
func (s *served) need(name string) (string, error) {
	v := s.param(name)
	if v == "" {
		return "", s.refusal(CodeRequest, edxml.Text{VI: "thiếu tham số %s", EN: "parameter %s is missing"}, name)
	}
	return v, nil
}

// kind reads the parameter messagetype.
func (s *served) kind() (edxml.Kind, error) {
	switch v := s.param(paramMessage); strings.ToLower(v) {
	case "", "edoc":
		return edxml.KindDocument, nil
	case "status":
		return edxml.KindStatus, nil
	default:
		return "", s.refusal(CodeRequest, edxml.Text{VI: "messagetype %q không phải edoc hay status", EN: "messagetype %q is neither edoc nor status"}, clip(v))
	}
}

// speaksFor checks that an organ is one of the systemid's.
//
// QUIRK: the wording is the national axis's (public usage code), and clients
// look for it.
func (s *served) speaksFor(organ string) error {
	if slices.Contains(s.system.Organs, organ) {
		return nil
	}
	return &transport.Fault{Operation: s.op, Code: CodeFrom, Text: fmt.Sprintf(
		"Don vi gui %s khong dung voi ma da dang ky: %s", clip(organ), s.systemID)}
}

// refusal is a Fault that becomes an answer, in both languages.
func (s *served) refusal(code string, text edxml.Text, args ...any) error {
	return &transport.Fault{Operation: s.op, Code: code, Text: fmt.Sprintf(text.VI, args...) + " / " + fmt.Sprintf(text.EN, args...)}
}

// fault returns what the caller is told of an error.
func fault(err error) *transport.Fault {
	var f *transport.Fault
	var limit *LimitError
	switch {
	case errors.As(err, &f):
		told := *f
		if told.Code == "" || told.Code == CodeOK {
			if told.Code = CodeRequest; told.Transient {
				told.Code = CodeInternal
			}
		}
		return &told
	case errors.As(err, &limit):
		return &transport.Fault{Code: CodeLimit, Text: fmt.Sprintf("vượt giới hạn %[1]q là %[2]d / the limit %[1]q of %[2]d is exceeded", limit.Limit, limit.Max)}
	case errors.Is(err, context.Canceled):
		return &transport.Fault{Code: CodeInternal, Transient: true, Text: "cuộc gọi bị ngắt / the call was broken off"}
	}
	return &transport.Fault{Code: CodeInternal, Transient: true, Text: "lỗi bên trong, hãy thử lại / internal error, try again"}
}

// refuse answers with FAIL. What a good caller still sends is read first: many
// clients read an answer only when all is sent.
func (s *served) refuse(err error) {
	f := fault(err)
	if s.known {
		_, _ = io.CopyN(io.Discard, s.r.Body, 64<<20)
	}
	status := http.StatusOK
	h := s.w.Header()
	switch {
	case s.op == "": // for people and their tools
		status = http.StatusNotFound
	case f.Code == CodeMethod:
		status = http.StatusMethodNotAllowed
	case f.Transient:
		status = http.StatusServiceUnavailable
		if f.RetryAfter > 0 {
			h.Set("Retry-After", fmt.Sprint(int64(f.RetryAfter.Seconds()+1)))
		}
	}
	if s.op == opDownload { // any octet would be taken for the packet
		h.Set(headerCode, plain(clip(f.Code)))
		h.Set(headerText, plain(clip(f.Text)))
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", "0")
		if status == http.StatusOK {
			status = http.StatusNotFound
		}
		s.begun = true
		s.w.WriteHeader(status)
		return
	}
	o := &object{}
	o.status("FAIL", clip(f.Code), clip(f.Text))
	switch s.op {
	case opSend: // the SDK takes an answer without it for none
		o.field("DocId", "")
	case opFetch: // so does 2.0.0
		o.field("data", "")
	}
	s.answer(status, o)
}
