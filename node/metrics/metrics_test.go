package metrics

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/transport"
)

// answers is an axis that answers what it is told to.
type answers struct {
	node.Axis
	err     error
	existed bool
	pieces  []*transport.Piece
}

func (a *answers) Send(context.Context, *transport.Packet) (transport.Receipt, error) {
	return transport.Receipt{ID: "1", Existed: a.existed}, a.err
}
func (a *answers) Pending(context.Context) ([]transport.Pending, error) { return nil, a.err }
func (a *answers) Fetch(context.Context, string) (transport.Incoming, error) {
	return a, a.err
}
func (a *answers) Acknowledge(context.Context, string) error                   { return a.err }
func (a *answers) SendStatus(context.Context, *edxml.Status) error             { return a.err }
func (a *answers) Statuses(context.Context, time.Time) ([]edxml.Status, error) { return nil, a.err }
func (a *answers) Organs(context.Context) ([]edxml.Organ, error)               { return nil, a.err }
func (a *answers) Deliver(context.Context, *node.Transfer, func(node.Content) (io.ReadCloser, error)) error {
	return a.err
}
func (a *answers) Notify(context.Context, *node.Transfer) error { return nil }
func (a *answers) Close() error                                 { return nil }
func (a *answers) Next() (*transport.Piece, error) {
	if len(a.pieces) == 0 {
		return nil, io.EOF
	}
	p := a.pieces[0]
	a.pieces = a.pieces[1:]
	return p, nil
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !slices.Contains(strings.Split(text, "\n"), line) {
			t.Errorf("no line %q", line)
		}
	}
}

// TestPorts measures calls by their outcome, and octets both ways.
func TestPorts(t *testing.T) {
	m, ctx := New("v1"), t.Context()
	a := &answers{}
	x := m.Axis(a)
	packet := &transport.Packet{Envelope: transport.Content{Size: 10}, Parts: []transport.Part{{Content: transport.Content{Size: 32}}}}
	send := func(err error, existed bool) {
		a.err, a.existed = err, existed
		_, _ = x.Send(ctx, packet)
	}
	send(nil, false)
	send(nil, true)
	send(errors.New("connection refused"), false)
	send(&transport.Fault{Code: "x"}, false)
	send(&transport.Fault{Credential: true}, false)
	send(context.Canceled, false)
	a.err = nil
	_ = x.Acknowledge(ctx, "1")
	_ = x.SendStatus(ctx, nil)
	_, _ = x.Pending(ctx)
	_, _ = x.Statuses(ctx, time.Now())
	_, _ = x.Organs(ctx)
	a.pieces = []*transport.Piece{{Content: strings.NewReader("năm")}, {Content: strings.NewReader("x")}}
	in, err := x.Fetch(ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := in.Next()
		if err == io.EOF {
			break
		}
		if _, err := io.Copy(io.Discard, p.Content); err != nil {
			t.Fatal(err)
		}
	}
	s := m.Sink(a)
	_ = s.Deliver(ctx, nil, nil)
	a.err = errors.New("disk full")
	_ = s.Deliver(ctx, nil, nil)
	if m.Sink(nil) != nil {
		t.Error("no sink became one")
	}
	for _, operation := range operations { // each is there before it goes wrong for the first time
		if operation != "send" {
			has(t, scrape(t, m), `lienthong_axis_calls_total{operation="`+operation+`",outcome="permanent"} 0`, `lienthong_axis_calls_total{operation="`+operation+`",outcome="ok"} 1`)
		}
	}
	m.Request("POST /v1/outbox", 422, "packet-invalid", time.Second)
	has(t, scrape(t, m),
		`lienthong_axis_calls_total{operation="send",outcome="ok"} 1`, `lienthong_axis_calls_total{operation="send",outcome="existed"} 1`,
		`lienthong_axis_calls_total{operation="send",outcome="temporary"} 1`, `lienthong_axis_calls_total{operation="send",outcome="permanent"} 1`,
		`lienthong_axis_calls_total{operation="send",outcome="credential"} 1`, `lienthong_axis_call_seconds_count{operation="send"} 5`,
		`lienthong_axis_calls_total{operation="fetch",outcome="ok"} 1`, `lienthong_axis_bytes_total{direction="sent"} 84`,
		`lienthong_axis_bytes_total{direction="received"} 5`, `lienthong_deliveries_total{outcome="ok"} 1`, `lienthong_deliveries_total{outcome="failed"} 1`,
		`lienthong_api_requests_total{code="packet-invalid",route="POST /v1/outbox",status="422"} 1`, `lienthong_build_info{version="v1"} 1`)
}

// TestWatch reads queues, leases and certificates from a real store.
func TestWatch(t *testing.T) {
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, Store: s, Axis: &answers{}})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now().Add(-time.Hour)
	for i, x := range []*node.Transfer{
		{Direction: node.Out, State: node.Queued, Due: begun}, {Direction: node.Out, State: node.Failed, Finished: begun},
		{Direction: node.In, State: node.Confirmed, Finished: begun, Lookup: []string{"waiting"}},
	} {
		x.ID, x.Created, x.Kind = string(rune('a'+i)), begun, edxml.KindDocument
		if err := n.Store.Create(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Take(t.Context(), "c", "A", time.Minute); err != nil {
		t.Fatal(err)
	}
	m := New("v1")
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "Bộ"}, NotAfter: time.Now().Add(48 * time.Hour)}
	m.Watch(Watched{Node: n, Free: func() (int64, error) { return 12345, nil }, Certificates: func() map[string]*x509.Certificate { return map[string]*x509.Certificate{"sign": cert} }})
	text := scrape(t, m)
	has(t, text, `lienthong_transfers{direction="out",state="queued"} 1`, `lienthong_transfers{direction="out",state="failed"} 1`,
		`lienthong_transfers{direction="in",state="confirmed"} 1`, `lienthong_inbox_waiting 1`, `lienthong_inbox_leases 1`, `lienthong_breaker_open 0`,
		`lienthong_axis_faults 0`, `lienthong_clock_offset_seconds 0`, `lienthong_store_free_bytes 12345`, `lienthong_collect_errors 0`)
	for _, pattern := range []string{
		`lienthong_queue_overdue_seconds\{direction="out"\} 36\d\d`, `lienthong_queue_oldest_seconds\{direction="out"\} 36\d\d`,
		`lienthong_certificate_days_left\{subject="CN=Bộ",use="sign"\} 1\.99`,
	} {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("nothing fits %s", pattern)
		}
	}
	s.Close()
	if text := scrape(t, m); !regexp.MustCompile(`lienthong_collect_errors [1-9]`).MatchString(text) {
		t.Error("a store that does not answer is not counted")
	}
}

// TestNames holds dashboard, alert rules and the metrics together: neither asks
// for a name that there is not.
func TestNames(t *testing.T) {
	m := New("v1")
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	m.Watch(Watched{Node: n})
	known := map[string]bool{}
	for _, c := range []string{"metrics.go"} {
		source, err := os.ReadFile(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?:counter|histogram|desc)\("([a-z_]+)"|Name: "lienthong_([a-z_]+)"`).FindAllSubmatch(source, -1) {
			known["lienthong_"+string(bytes.Join(found[1:], nil))] = true
		}
	}
	if len(known) < 15 {
		t.Fatalf("%d names known", len(known))
	}
	asked := 0
	for _, file := range []string{"../../cmd/lienthong/dist/grafana-dashboard.json", "../../cmd/lienthong/dist/alerts.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`lienthong_[a-z_]+`).FindAllString(string(text), -1) {
			asked++
			if !known[strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"), "_sum")] {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
	if asked < 20 {
		t.Errorf("%d names asked for", asked)
	}
}
