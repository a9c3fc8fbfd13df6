package edoc_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
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
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
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
	ministry = "000.00.00.G22"
	province = "H41"
	office   = "000.00.16.H41"
)

// start runs a test axis.
func start(t testing.TB, o axistest.Options) (*axistest.Axis, *httptest.Server) {
	t.Helper()
	o.Dir, o.Gentle = t.TempDir(), true
	axis := axistest.New(o)
	srv := httptest.NewServer(axis)
	t.Cleanup(func() {
		srv.Close()
		if err := axis.Close(); err != nil {
			t.Error(err)
		}
	})
	return axis, srv
}

// listen runs an axis that answers as the test says.
func listen(t testing.TB, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	return srv
}

func client(t testing.TB, url, organ string) *edoc.Client {
	t.Helper()
	c := &edoc.Client{URL: url, Organ: organ, Token: axistest.Token(organ)}
	t.Cleanup(func() { c.Close() })
	return c
}

// file is a file of a packet in a test.
type file struct {
	id, name, mime string
	content        []byte
}

var pdf = file{"f1@example.vn", "118.BC-TTTH.pdf", "application/pdf", []byte("%PDF-1.7\nnội dung\r\n--\x00\xff\n")}

// document is a Document with everything an axis demands.
func document(number string, to ...string) *edxml.Document {
	d := &edxml.Document{
		From:             edxml.Organ{OrganID: ministry, OrganizationInCharge: "Chính phủ", OrganName: "Bộ Khoa học và Công nghệ"},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "BC-TTTH"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "14", TypeName: "Báo cáo"},
		Subject:          "Về kết nối các hệ thống quản lý văn bản <thử & nghiệm>",
		SignerInfo:       edxml.SignerInfo{Competence: "KT.", Position: "Thứ trưởng", FullName: "Trần Văn Nam"},
		OtherInfo:        edxml.OtherInfo{Priority: "0", PromulgationAmount: "1", PageAmount: "3"},
		TraceHeaders:     []edxml.TraceHeader{{OrganID: ministry, Timestamp: "2026/03/02 08:00:00"}},
		Business: &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0",
			StaffInfo: &edxml.StaffInfo{Department: "Văn phòng", Staff: "Lê Thị Mai"}},
	}
	d.DocumentID = edxml.DocumentID(ministry, d.PromulgationInfo.PromulgationDate, d.Code)
	for _, id := range to {
		d.To = append(d.To, edxml.Organ{OrganID: id, OrganName: "Nơi nhận " + id})
	}
	return d
}

// packet makes a packet of a Document and its files.
func packet(t testing.TB, d *edxml.Document, files ...file) *transport.Packet {
	t.Helper()
	for _, f := range files {
		d.Attachments = append(d.Attachments, edxml.Attachment{Name: f.name, ContentID: f.id, ContentType: f.mime})
	}
	var b bytes.Buffer
	if err := edxml.WriteEnvelope(&b, d); err != nil {
		t.Fatal(err)
	}
	r, err := edxml.NewReader(bytes.NewReader(b.Bytes()), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := &transport.Packet{Envelope: content(b.Bytes()), TokenAt: r.Packet().HeaderEnd}
	for _, f := range files {
		p.Parts = append(p.Parts, transport.Part{ID: f.id, Type: f.mime, Content: content(f.content)})
	}
	return p
}

func content(b []byte) transport.Content {
	return transport.Content{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

func bytesOf(t testing.TB, c transport.Content) []byte {
	t.Helper()
	r, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// collect reads a fetched packet: the envelope and the files by Content-ID.
func collect(in transport.Incoming) (envelope []byte, files map[string]string, err error) {
	defer in.Close()
	files = map[string]string{}
	for {
		piece, err := in.Next()
		if err == io.EOF {
			return envelope, files, nil
		}
		if err != nil {
			return envelope, files, err
		}
		b, err := io.ReadAll(piece.Content)
		if err != nil {
			return envelope, files, err
		}
		if piece.Root {
			envelope = b
		} else {
			files[piece.ID] = string(b)
		}
	}
}

// refused returns the Fault an error is, and checks that it keeps the token to itself.
func refused(t *testing.T, err error, token string) *transport.Fault {
	t.Helper()
	var f *transport.Fault
	if !errors.As(err, &f) {
		t.Fatalf("error %v (%T) is no *transport.Fault", err, err)
	}
	if token != "" && strings.Contains(fmt.Sprintf("%v %+v %#v", err, f, f), token) {
		t.Errorf("the token stands in the error: %v", err)
	}
	return f
}
