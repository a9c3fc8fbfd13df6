package traces

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/transport"
)

// axis is one that is not there for the first packet of each document.
type axis struct {
	node.Axis
	mu   sync.Mutex
	seen map[string]bool
}

func (a *axis) Send(_ context.Context, p *transport.Packet) (transport.Receipt, error) {
	f, err := p.Envelope.Open()
	if err != nil {
		return transport.Receipt{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return transport.Receipt{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.seen[string(text)] {
		a.seen[string(text)] = true
		return transport.Receipt{}, &transport.Fault{Operation: "SendDocument", Code: "M.Busy", Text: "hôm nay bận", Transient: true}
	}
	return transport.Receipt{ID: "17"}, nil
}
func (a *axis) Pending(context.Context) ([]transport.Pending, error)        { return nil, nil }
func (a *axis) Statuses(context.Context, time.Time) ([]edxml.Status, error) { return nil, nil }
func (a *axis) Organs(context.Context) ([]edxml.Organ, error)               { return nil, nil }

// house is a node that runs, with the collector to which its traces go.
type house struct {
	t         *testing.T
	node      *node.Node
	door      *api.Door
	collector Collector
	taken     chan *tracepb.Span // of requests that were answered with 200
	before    []byte             // the trace that came before
	answers   chan func(http.ResponseWriter)
	mu        sync.Mutex
	log       bytes.Buffer
}

func (h *house) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(b)
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, taken: make(chan *tracepb.Span, 1000), answers: make(chan func(http.ResponseWriter), 10)}
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	log := slog.New(slog.NewTextHandler(h, nil))
	h.node, err = node.New(node.Config{
		Organ: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, Store: s, Log: log, Axis: &axis{seen: map[string]bool{}},
		Retry: node.Backoff{First: time.Millisecond, Max: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.door = api.New(h.node, api.Options{Log: log})
	srv := httptest.NewServer(http.HandlerFunc(h.collect))
	t.Cleanup(srv.Close)
	h.collector = Collector{URL: srv.URL, Token: "bí mật", Version: "v1.2.3", First: time.Millisecond, Max: time.Millisecond}
	h.run(h.node.Run)
	return h
}

// run runs something until the test ends, or the returned function is called.
func (h *house) run(do func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- do(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(stop)
	return stop
}

// collect is the collector, which answers as it was told, or takes everything.
func (h *house) collect(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Error(err)
	}
	if r.Method != "POST" || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Authorization") != "Bearer bí mật" {
		h.t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
	}
	req := &tracepb.TracesData{}
	if err := proto.Unmarshal(body, req); err != nil {
		h.t.Error(err)
	}
	if len(req.ProtoReflect().GetUnknown()) > 0 || bytes.Contains(body, []byte("Về việc")) {
		h.t.Errorf("the request says too much: %q", body)
	}
	select {
	case answer := <-h.answers:
		answer(w)
		return
	default:
	}
	for _, of := range req.ResourceSpans {
		checkStrings(h.t, of.Resource.Attributes, map[string]string{"service.name": "lienthong", "service.version": "v1.2.3", "lienthong.organ": "G22"})
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				h.taken <- s
			}
		}
	}
}

func (h *house) submit(number string) *node.Transfer {
	h.t.Helper()
	d := &edxml.Document{
		From: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, To: []edxml.Organ{{OrganID: "H41"}, {OrganID: "H42"}},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "VPCP-TTĐT"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"}, Subject: "Về việc " + number,
		Attachments: []edxml.Attachment{{Name: "tệp.pdf", Content: strings.NewReader(number)}},
	}
	d.DocumentID = edxml.DocumentID("G22", "2026/03/02", d.Code)
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		h.t.Fatal(err)
	}
	s, err := h.node.Submit(h.t.Context(), &b)
	if err != nil {
		h.t.Fatal(err)
	}
	return s.Transfer
}

// trace waits for the three spans of a document that was sent on the second
// try. Those of the one before may come again, where the answer to them was lost.
func (h *house) trace(of *node.Transfer) []*tracepb.Span {
	h.t.Helper()
	id := uuid.MustParse(of.ID)
	var all []*tracepb.Span
	for len(all) < 3 {
		s := <-h.taken
		switch string(s.TraceId) {
		case string(id[:]):
			all = append(all, s)
		case string(h.before):
		default:
			h.t.Fatalf("a span of %x, want one of %s", s.TraceId, of.ID)
		}
	}
	h.before = id[:]
	return all
}

// TestFeed: a document that is sent on the second try is a trace of three
// spans, which reaches a collector that is away at first.
func TestFeed(t *testing.T) {
	h := open(t)
	feed := func(ctx context.Context) error { return h.collector.Feed(ctx, h.door, h.node) }
	unavailable := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	stop := h.run(feed)
	for v := []byte(nil); v == nil; { // it begins with the present
		var err error
		if v, err = h.node.Store.Value(t.Context(), subscriber+h.collector.URL); err != nil {
			t.Fatal(err)
		}
	}
	h.answers <- unavailable
	h.answers <- func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) } // a token that is not right yet
	first := h.submit("1")
	spans := h.trace(first)
	stored, err := h.node.Store.Transfer(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	walk, failed, sent := spans[0], spans[1], spans[2]
	if walk.Name != "document out" || len(walk.ParentSpanId) != 0 || walk.Status != nil || walk.StartTimeUnixNano != uint64(stored.Created.UnixNano()) || walk.EndTimeUnixNano != uint64(stored.Finished.UnixNano()) {
		t.Errorf("the walk: %v", walk)
	}
	checkStrings(t, walk.Attributes, map[string]string{"lienthong.transfer": first.ID, "lienthong.state": "sent", "lienthong.document_id": first.DocumentID, "lienthong.from": "G22", "lienthong.to": "H41 H42", "lienthong.axis_id": "17"})
	for i, s := range []*tracepb.Span{failed, sent} {
		a := stored.Attempts[i]
		if s.Name != "send" || s.Kind != tracepb.Span_SPAN_KIND_CLIENT || !bytes.Equal(s.ParentSpanId, walk.SpanId) || s.StartTimeUnixNano != uint64(a.Start.UnixNano()) || s.EndTimeUnixNano-s.StartTimeUnixNano != uint64(a.Duration) {
			t.Errorf("try %d: %v", i, s)
		}
	}
	if failed.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || !strings.Contains(failed.Status.GetMessage(), "hôm nay bận") || sent.Status != nil {
		t.Errorf("%v, %v", failed.Status, sent.Status)
	}
	checkStrings(t, failed.Attributes, map[string]string{"lienthong.code": "M.Busy"})

	stop()
	second := h.submit("2") // while nobody feeds it
	stop = h.run(feed)
	h.trace(second)

	refused := make(chan struct{})
	h.answers <- func(w http.ResponseWriter) { // this batch is lost, the next is not
		w.WriteHeader(http.StatusBadRequest)
		close(refused)
	}
	h.submit("3")
	<-refused
	h.trace(h.submit("4"))
	stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	if log := h.log.String(); strings.Count(log, "traces are lost") != 1 || !strings.Contains(log, "503") || !strings.Contains(log, "401") || strings.Contains(log, "bí mật") {
		t.Errorf("the log: %s", log)
	}
}

// TestSpans: what a record says is what its trace says, and nothing else.
func TestSpans(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var many []node.Receiver
	for range 4000 {
		many = append(many, node.Receiver{OrganID: "H41"})
	}
	for name, c := range map[string]struct {
		record node.Transfer
		want   string // the errors of the spans, in order
	}{
		"all went well":         {node.Transfer{State: node.Confirmed, Attempts: []node.Attempt{{Step: "fetch", Start: at, Duration: 1}, {Step: "verify", Start: at, Duration: 1}}}, "||"},
		"refused here":          {node.Transfer{State: node.Rejected, Refusal: "chữ ký không khớp"}, "chữ ký không khớp"},
		"given up":              {node.Transfer{State: node.Failed, LastError: "the axis is away", Attempts: []node.Attempt{{Step: "send", Start: at, Duration: 5, Error: "no route"}}}, "the axis is away|no route"},
		"given up by a person":  {node.Transfer{State: node.Failed}, "failed"},
		"cancelled, not failed": {node.Transfer{State: node.Cancelled, LastError: "the axis is away"}, ""},
		"killed in the middle":  {node.Transfer{State: node.Sent, Attempts: []node.Attempt{{Step: "send", Start: at}}}, "|nobody knows how it ended: the node was stopped before it did"},
		"a number of its own":   {node.Transfer{ID: "không phải uuid", State: node.Sent}, ""},
		"4,000 receivers":       {node.Transfer{State: node.Sent, Receivers: many}, ""},
		"no time at all":        {node.Transfer{State: node.Collected, Acts: []node.Act{{Action: "retry", Actor: "Nguyễn Văn A"}}}, ""},
	} {
		r := c.record
		if r.ID == "" {
			r.ID = "019a2b3c-4d5e-7f60-8123-456789abcdef"
		}
		r.Kind, r.Direction, r.Subject = edxml.KindDocument, node.Out, "mật"
		all := spans(&r)
		var errs []string
		ids := map[string]bool{}
		for _, s := range all {
			errs = append(errs, s.Status.GetMessage())
			ids[hex.EncodeToString(s.SpanId)] = true
			if len(s.TraceId) != 16 || len(s.SpanId) != 8 || (s.Status != nil) != (s.Status.GetMessage() != "") {
				t.Errorf("%s: %v", name, s)
			}
		}
		if got := strings.Join(errs, "|"); got != c.want {
			t.Errorf("%s: errors %q, want %q", name, got, c.want)
		}
		if len(ids) != len(all) {
			t.Errorf("%s: spans of one number", name)
		}
		if diff := cmp.Diff(all, spans(&r), protocmp.Transform()); diff != "" {
			t.Errorf("%s: another time it is another trace:\n%s", name, diff)
		}
		data, err := proto.Marshal(request("G22", "v1", []*node.Transfer{&r}))
		if err != nil || len(data) > 4000 || bytes.Contains(data, []byte("mật")) || bytes.Contains(data, []byte("Nguyễn")) {
			t.Errorf("%s: %d octets, %v", name, len(data), err)
		}
	}
}

// TestFinished: a trace is made once of a walk that is over, whatever came later.
func TestFinished(t *testing.T) {
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	over := time.Now()
	for id, r := range map[string]node.Transfer{"a": {State: node.Sent, Finished: over}, "b": {State: node.Queued}, "c": {State: node.Recalled, Finished: over}} {
		r.ID, r.Direction, r.Kind = id, node.Out, edxml.KindDocument
		if err := s.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := finished(t.Context(), s, []api.Event{
		{Transfer: "a", State: node.Queued}, {Transfer: "a", State: node.Sent, Was: node.Queued}, {Transfer: "a", State: node.Sent},
		{Transfer: "b", State: node.Queued, Was: node.Failed}, {Transfer: "c", State: node.Confirmed, Was: node.Delivered},
		{Transfer: "removed", State: node.Sent, Was: node.Queued}, {Transfer: "c", State: node.Recalled, Was: node.Confirmed},
		{Transfer: "a", State: node.Sent, Was: node.Failed},
	})
	var ids []string
	for _, r := range got {
		ids = append(ids, r.ID)
	}
	if err != nil || strings.Join(ids, " ") != "a c" {
		t.Errorf("%v, %v", ids, err)
	}
}

// TestCheck: what would leave the machine in clear, or shows a password, is refused.
func TestCheck(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/traces", "http://localhost:4318/": "http://localhost:4318/v1/traces",
		"https://otel.example.vn": "https://otel.example.vn/v1/traces", "https://otel.example.vn/otlp/v1/traces": "https://otel.example.vn/otlp/v1/traces",
		"http://[::1]:4318": "http://[::1]:4318/v1/traces", "http://otel.example.vn:4318": "", "otel.example.vn": "", "grpc://otel.example.vn": "",
		"": "", "https://a:s3cret@otel.example.vn": "", "https://\x7f": "", "http://10.0.0.1": "", "http://127.0.0.1:99999": "", "https://127.0.0.1:x": "",
	} {
		c := Collector{URL: url}
		got, err := c.address()
		if got != want || (err == nil) != (want != "") || (c.Check() == nil) != (want != "") {
			t.Errorf("%q: %q, %v", url, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v shows a password", err)
		}
	}
	if err := (Collector{URL: "http://otel.example.vn:4318", InsecureHTTP: true}).Check(); err != nil {
		t.Error(err)
	}
}

// says is an ExportTraceServiceResponse.
func says(rejected uint64, message string) []byte {
	var partial []byte
	if rejected > 0 {
		partial = protowire.AppendVarint(protowire.AppendTag(partial, 1, protowire.VarintType), rejected)
	}
	if message != "" {
		partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), message)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial)
}

// TestRejection reads what a collector says about spans it did not take.
func TestRejection(t *testing.T) {
	for _, c := range []struct {
		says []byte
		want string
	}{
		{nil, ""}, {says(0, ""), ""}, {says(0, "nén lại đi"), ""},
		{says(3, "quá cũ"), `that 3 spans are not taken: "quá cũ"`}, {says(1, ""), `that 1 spans are not taken: ""`},
		{[]byte("<html>"), ""}, {says(3, "quá cũ")[:4], ""},
	} {
		if got := rejection(c.says); got != c.want {
			t.Errorf("%q: %q, want %q", c.says, got, c.want)
		}
	}
}

// FuzzRejection: whatever a collector answers is read or says nothing, and what
// a later version of the protocol adds changes nothing.
func FuzzRejection(f *testing.F) {
	f.Add(says(3, "quá cũ"))
	f.Add(says(0, "nén lại đi"))
	f.Add([]byte("<html>502</html>"))
	f.Add([]byte(`{"partialSuccess":{}}`))
	added := protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), "mới")
	f.Fuzz(func(t *testing.T, body []byte) {
		if before, later := rejection(body), rejection(append(added[:len(added):len(added)], body...)); before != later {
			t.Errorf("%q: %q, with a field more %q", body, before, later)
		}
	})
}

// checkStrings compares the attributes that are text.
func checkStrings(t *testing.T, attributes []*commonpb.KeyValue, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, a := range attributes {
		if s := a.GetValue().GetStringValue(); s != "" {
			got[a.GetKey()] = s
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}
