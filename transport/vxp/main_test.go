package vxp_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

// TestMain fails when the tests together left a goroutine behind.
func TestMain(m *testing.M) {
	flag.Parse()
	if as := os.Getenv(role); as != "" {
		if err := play(as); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	deadline := time.After(time.Minute)
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // leaves goroutines of its own
	for runtime.NumGoroutine() > before && code == 0 && !fuzzing {
		select {
		case <-deadline:
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			fmt.Fprintln(os.Stderr, "goroutines were left behind")
			code = 1
		case <-time.After(10 * time.Millisecond):
		}
	}
	os.Exit(code)
}

const (
	ministry = "G22"
	province = "H41"
	office   = "000.00.16.H41"
	secret   = "test-secret"
)

// axis is the Backend of the tests. The systemid of the province stands for
// its office, too. The numbers a sender gets are not those of its receivers.
type axis struct {
	dir string

	mu         sync.Mutex
	accepted   int
	packets    map[string]*transport.Packet // by the sender's number
	calls      map[string]string            // sender's number, by Key
	sent       []vxp.Sent
	deliveries []vxp.Delivery
	content    map[string]*transport.Packet // by delivery
	updates    []string
	registered []vxp.Agency
	fail       error // what every method answers
}

func newAxis(t testing.TB) *axis {
	return &axis{dir: t.TempDir(), packets: map[string]*transport.Packet{}, calls: map[string]string{}, content: map[string]*transport.Packet{}}
}

func (a *axis) System(_ context.Context, id string) (vxp.System, error) {
	switch id {
	case ministry:
		return vxp.System{Secret: secret, Organs: []string{ministry}}, nil
	case province:
		return vxp.System{Secret: secret, Organs: []string{province, office}}, nil
	}
	return vxp.System{}, vxp.ErrSystem
}

func (a *axis) AcceptFile(_ context.Context, f *vxp.File) (transport.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return transport.Receipt{}, a.fail
	}
	if id, here := a.calls[f.Key]; here {
		return transport.Receipt{ID: id, Existed: true}, nil
	}
	for _, to := range f.To {
		if to == "X99" {
			return transport.Receipt{}, &transport.Fault{Code: "M.UnknownReceiver", Text: "trục không có đơn vị nhận X99"}
		}
	}
	file, err := os.CreateTemp(a.dir, "packet-")
	if err != nil {
		return transport.Receipt{}, err
	}
	defer file.Close()
	n, err := io.Copy(file, f.Content)
	if err != nil {
		return transport.Receipt{}, err
	}
	a.accepted++
	id := fmt.Sprintf("%024x", a.accepted)
	p := &transport.Packet{Envelope: transport.Content{Size: n, Open: func() (io.ReadCloser, error) { return os.Open(file.Name()) }}}
	a.packets[id], a.calls[f.Key] = p, id
	for _, to := range f.To {
		a.deliver(id, edxml.KindDocument, f.Packet.Document.From.OrganID, to, p)
	}
	return transport.Receipt{ID: id}, nil
}

// deliver puts a packet into a mailbox.
func (a *axis) deliver(id string, k edxml.Kind, from, to string, p *transport.Packet) string {
	at := time.Date(2026, 3, 2, 8, 0, len(a.deliveries), 0, edxml.Vietnam)
	d := vxp.Delivery{ID: fmt.Sprintf("d-%d", len(a.deliveries)+1), Kind: k, From: from, To: to, Created: at, Updated: at, State: vxp.Waiting}
	a.deliveries = append(a.deliveries, d)
	a.content[d.ID] = p
	a.sent = append(a.sent, vxp.Sent{ID: id, DeliveryID: d.ID, Kind: k, From: from, To: to, Title: "Về việc thử", Notation: "1/BC", SentAt: at})
	return d.ID
}

func (a *axis) AcceptStatus(_ context.Context, s *edxml.Status) error {
	var b bytes.Buffer
	if err := edxml.WriteStatus(&b, s); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return a.fail
	}
	a.deliver("status", edxml.KindStatus, s.From.OrganID, s.ResponseFor.OrganID, &transport.Packet{Envelope: octets(b.Bytes())})
	return nil
}

func (a *axis) Deliveries(_ context.Context, organs []string, q vxp.Query) ([]vxp.Delivery, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return nil, a.fail
	}
	var list []vxp.Delivery
	for _, d := range a.deliveries {
		if d.Kind == q.Kind && slices.Contains(organs, d.To) && d.State != vxp.Done && d.State != vxp.Fail {
			list = append(list, d)
		}
	}
	return list, nil
}

func (a *axis) CountDeliveries(ctx context.Context, organs []string, k edxml.Kind) (int, error) {
	all, err := a.Deliveries(ctx, organs, vxp.Query{Kind: k})
	return len(all), err
}

func (a *axis) find(organs []string, id string) (*vxp.Delivery, error) {
	for i := range a.deliveries {
		if d := &a.deliveries[i]; d.ID == id && slices.Contains(organs, d.To) {
			return d, nil
		}
	}
	return nil, &transport.Fault{Code: vxp.CodeNotFound, Text: "không có gói tin " + id}
}

func (a *axis) DeliveredPacket(_ context.Context, organs []string, id string) (*transport.Packet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return nil, a.fail
	}
	if _, err := a.find(organs, id); err != nil {
		return nil, err
	}
	return a.content[id], nil
}

func (a *axis) UpdateDelivery(_ context.Context, organs []string, id string, s vxp.State, description string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return a.fail
	}
	d, err := a.find(organs, id)
	if err != nil {
		return err
	}
	d.State, d.Description = s, description
	a.updates = append(a.updates, strings.TrimSpace(id+" "+string(s)+" "+description))
	return nil
}

func (a *axis) SentPackets(_ context.Context, organs []string, id string, k edxml.Kind) ([]vxp.Sent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []vxp.Sent
	for _, s := range a.sent {
		if s.ID == id && s.Kind == k && slices.Contains(organs, s.From) {
			if d, err := a.find([]string{s.To}, s.DeliveryID); err == nil {
				s.State, s.Description = d.State, d.Description
			}
			list = append(list, s)
		}
	}
	return list, nil
}

func (a *axis) Organs(context.Context) ([]edxml.Organ, error) {
	return []edxml.Organ{
		{OrganID: ministry, OrganName: "Bộ Khoa học và Công nghệ", Email: "vt@example.vn"}, {OrganID: province, OrganName: "Nghệ An"},
		{OrganID: "H41.16", OrganName: "Sở Tư pháp"}, {OrganID: office, OrganName: "Sở Tư pháp"},
	}, nil
}

func (a *axis) Register(_ context.Context, systemID string, v vxp.Agency) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.registered = append(a.registered, v)
	return nil
}

func (a *axis) Unregister(_ context.Context, systemID, code string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := slices.DeleteFunc(a.registered, func(v vxp.Agency) bool { return v.Code == code })
	if len(kept) == len(a.registered) {
		return &transport.Fault{Code: vxp.CodeNotFound, Text: "không có đơn vị " + code}
	}
	a.registered = kept
	return nil
}

// serve runs a handler over an axis.
func serve(t testing.TB, a *axis, o vxp.HandlerOptions) *httptest.Server {
	t.Helper()
	return listen(t, vxp.NewHandler(a, o))
}

func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func client(t testing.TB, url, systemID string) *vxp.Client {
	t.Helper()
	c := &vxp.Client{URL: url, SystemID: systemID, Secret: secret}
	t.Cleanup(func() { c.Close() })
	return c
}

// document is a Document of the ministry.
func document(number string, to ...string) *edxml.Document {
	d := &edxml.Document{
		From:             edxml.Organ{OrganID: ministry, OrganName: "Bộ Khoa học và Công nghệ"},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "BC-TTTH"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"},
		DocumentType:     edxml.DocumentType{Type: "2", TypeName: "Báo cáo"},
		Subject:          "Về kết nối các hệ thống quản lý văn bản <thử & nghiệm>",
	}
	d.DocumentID = edxml.DocumentID(ministry, d.PromulgationInfo.PromulgationDate, d.Code)
	for _, id := range to {
		d.To = append(d.To, edxml.Organ{OrganID: id, OrganName: "Nơi nhận " + id})
	}
	return d
}

// file writes a Document with one attachment as a single file.
func file(t testing.TB, d *edxml.Document, attachment string) []byte {
	t.Helper()
	d.Attachments = []edxml.Attachment{{Name: "118.BC-TTTH.pdf", Content: strings.NewReader(attachment)}}
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// status is a Status of the province about a Document of the ministry.
func status(of *edxml.Document, code edxml.StatusCode) *edxml.Status {
	return &edxml.Status{
		From:        edxml.Organ{OrganID: province, OrganName: "Nghệ An"},
		ResponseFor: edxml.ResponseFor{OrganID: ministry, Code: of.Code.String(), DocumentID: of.DocumentID, PromulgationDate: of.PromulgationInfo.PromulgationDate},
		StatusCode:  code, Description: "Đã đến", Timestamp: "2026/03/02 09:00:00",
	}
}

func octets(b []byte) transport.Content {
	return transport.Content{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// collect reads a fetched packet.
func collect(in transport.Incoming) ([]byte, error) {
	defer in.Close()
	piece, err := in.Next()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(piece.Content)
	if err != nil {
		return b, err
	}
	if _, err := in.Next(); err != io.EOF {
		return b, fmt.Errorf("after the packet: %w", err)
	}
	return b, nil
}

// refused returns the Fault an error is, and checks that it keeps the secret to itself.
func refused(t *testing.T, err error) *transport.Fault {
	t.Helper()
	var f *transport.Fault
	if !errors.As(err, &f) {
		t.Fatalf("error %v (%T) is no *transport.Fault", err, err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, f, f), secret) {
		t.Errorf("the secret stands in the error: %v", err)
	}
	return f
}
