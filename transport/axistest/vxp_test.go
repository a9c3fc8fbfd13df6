package axistest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// both runs an axis and returns makers of clients for both its wires.
func both(t *testing.T, o axistest.Options) (*axistest.Axis, func(string) *edoc.Client, func(string) *vxp.Client) {
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
	return axis, func(organ string) *edoc.Client {
			c := &edoc.Client{URL: srv.URL, Organ: organ, Token: axistest.Token(organ)}
			t.Cleanup(func() { c.Close() })
			return c
		}, func(organ string) *vxp.Client {
			c := &vxp.Client{URL: srv.URL + "/XrdAdapter/", SystemID: organ, Secret: axistest.Secret}
			t.Cleanup(func() { c.Close() })
			return c
		}
}

// single is the same Document as packet makes, as a single file.
func single(t *testing.T, from, number, file string, to ...string) []byte {
	t.Helper()
	read, err := edxml.Read(bytes.NewReader(whole(t, packet(t, from, number, edxml.New, file, to...).Envelope)), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d := read.Document
	d.Attachments = []edxml.Attachment{{Name: "a.pdf", ContentID: "a@b", ContentType: "application/pdf", Content: strings.NewReader(file)}}
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sendFile(t *testing.T, c *vxp.Client, packet []byte) (transport.Receipt, error) {
	return c.Send(t.Context(), &transport.Packet{Envelope: content(packet)})
}

// fetchFile collects what waits first.
func fetchFile(t *testing.T, c *vxp.Client, id string) []byte {
	t.Helper()
	in, err := c.Fetch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var b bytes.Buffer
	for {
		piece, err := in.Next()
		if err == io.EOF {
			return b.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&b, piece.Content); err != nil {
			t.Fatal(err)
		}
	}
}

func waiting(t *testing.T, c *vxp.Client, want int) []transport.Pending {
	t.Helper()
	list, err := c.Pending(t.Context())
	if err != nil || len(list) != want {
		t.Fatalf("%d wait, want %d; %v", len(list), want, err)
	}
	return list
}

// TestScriptsOverVXP sends a Document to each reserved receiver again and
// again over the other wire.
func TestScriptsOverVXP(t *testing.T) {
	lost, busy, taken := answer{code: "?", temporary: true}, answer{code: "20", temporary: true}, answer{id: "number"}
	existed := answer{id: "number", existed: true}
	for _, s := range axistest.Scripts() {
		want := map[axistest.Trouble][]answer{
			axistest.Refuse: {{code: "23"}, {code: "23"}}, axistest.Busy: {busy, busy, taken, existed}, axistest.Gateway: {lost, lost, taken, existed},
			axistest.Drop: {lost, existed}, axistest.Page: {lost, existed}, axistest.Oversize: {lost, existed},
			axistest.Slow: {taken, existed}, axistest.Twice: {taken, existed},
		}[s.Trouble]
		if want == nil {
			continue
		}
		t.Run(string(s.Trouble), func(t *testing.T) {
			axis, _, client := both(t, axistest.Options{Delay: time.Millisecond, Oversize: 2 << 20})
			c, file, id := client("G22"), single(t, "G22", "1", "x", s.Organ), ""
			for i, w := range want {
				got := answerOf(sendFile(t, c, file))
				if got.id != "" {
					if len(got.id) != 24 || id != "" && got.id != id {
						t.Errorf("try %d: number %q, before it %q", i, got.id, id)
					}
					id, got.id = got.id, "number"
				}
				if got != w {
					t.Errorf("try %d: %+v, want %+v", i, got, w)
				}
			}
			for i, e := range axis.Journal() {
				if e.Wire != "vxp" || e.Operation != "sendEdoc" || e.Organ != "G22" || e.Document == nil || (s.Times == 0 || i < s.Times) != (e.Trouble == s.Trouble) {
					t.Errorf("journal %d: %+v", i, e)
				}
			}
			n := 1
			switch s.Trouble {
			case axistest.Refuse:
				n = 0
			case axistest.Twice:
				n = 2
			}
			waiting(t, client(s.Organ), n)
		})
	}
}

// resend is a client that loses every first answer and sends the very same call
// again, as the JDK of the vendor's SDK does.
type resend struct{}

func (resend) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	send := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return http.DefaultTransport.RoundTrip(again)
	}
	lost, err := send()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, lost.Body); err != nil {
		return nil, err
	}
	lost.Body.Close()
	return send()
}

// TestSameCallOverVXP has a call that comes twice, its signature included, meet
// the Trouble of its receiver both times.
func TestSameCallOverVXP(t *testing.T) {
	for _, s := range axistest.Scripts() {
		if s.Trouble != axistest.Twice && s.Trouble != axistest.Slow {
			continue
		}
		axis, _, client := both(t, axistest.Options{Delay: time.Millisecond})
		c := client("G22")
		c.HTTP = &http.Client{Transport: resend{}}
		got, err := sendFile(t, c, single(t, "G22", "1", "x", s.Organ))
		if err != nil || !got.Existed {
			t.Errorf("%s: %+v, %v", s.Trouble, got, err)
		}
		journal := axis.Journal()
		if len(journal) != 2 {
			t.Fatalf("%s: %d calls", s.Trouble, len(journal))
		}
		for i, e := range journal {
			if e.Trouble != s.Trouble {
				t.Errorf("%s, call %d: %+v", s.Trouble, i, e)
			}
		}
	}
}

// TestCorruptOverVXP and what the national axis does to a packet, as verifying
// a signed single file tells them apart.
func TestCorruptOverVXP(t *testing.T) {
	_, _, client := both(t, axistest.Options{})
	key, roots := trusted(t)
	pdf := "%PDF-1.7\n" + strings.Repeat("nội dung\n", 1000)
	var signed bytes.Buffer
	file := single(t, "G22", "1", pdf, "X00.05", "X00.11", "H41")
	if err := signature.Sign(&signed, bytes.NewReader(file), int64(len(file)), nil, key, signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := sendFile(t, client("G22"), signed.Bytes()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{"H41": nil, "X00.05": signature.ErrDigest, "X00.11": signature.ErrNamespace} {
		c := client(id)
		got := fetchFile(t, c, waiting(t, c, 1)[0].ID)
		if (id == "H41") != bytes.Equal(got, signed.Bytes()) {
			t.Errorf("%s: verbatim or not", id)
		}
		verdicts, err := signature.Verify(bytes.NewReader(got), int64(len(got)), nil, signature.VerifyOptions{Roots: roots})
		if err != nil || len(verdicts) != 1 || !errors.Is(verdicts[0].Err, want) {
			t.Errorf("%s: %+v, %v; want %v", id, verdicts, err, want)
		}
		read, err := edxml.Read(bytes.NewReader(got), edxml.ReadOptions{})
		if err != nil || read.Document.Attachments[0].Size != int64(len(pdf)) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestAcross sends over one wire and collects over the other, Documents and
// Statuses, both ways.
func TestAcross(t *testing.T) {
	_, soaped, filed := both(t, axistest.Options{})
	ctx := t.Context()
	if _, err := soaped("G22").Send(ctx, packet(t, "G22", "1", edxml.New, "một", "H41")); err != nil {
		t.Fatal(err)
	}
	h41 := filed("H41")
	first := waiting(t, h41, 1)[0].ID
	read, err := edxml.Read(bytes.NewReader(fetchFile(t, h41, first)), edxml.ReadOptions{})
	if err != nil || read.Profile != edxml.ProfileQCVN102 || read.Document.Attachments[0].Size != int64(len("một")) || read.Document.Subject != "Thử" {
		t.Fatalf("%+v, %v", read, err)
	}
	if err := h41.Acknowledge(ctx, first); err != nil {
		t.Fatal(err)
	}
	waiting(t, h41, 0)
	if list, err := soaped("H41").Pending(ctx); err != nil || len(list) != 0 {
		t.Errorf("over eDoc it waits still: %v, %v", list, err)
	}
	s := &edxml.Status{From: edxml.Organ{OrganID: "H41", OrganName: "Lâm Đồng"}, StatusCode: "03", Description: "Đã tiếp nhận", Timestamp: edxml.TimestampOf(time.Now()),
		ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: read.Document.DocumentID, Code: "1/QĐ"}}
	if err := h41.SendStatus(ctx, s); err != nil {
		t.Fatal(err)
	}
	if list, err := soaped("G22").Statuses(ctx, time.Time{}); err != nil || len(list) != 1 || list[0].StatusCode != "03" {
		t.Errorf("statuses over eDoc: %v, %v", list, err)
	}

	if _, err := sendFile(t, filed("H41"), single(t, "H41", "2", "hai", "G22")); err != nil {
		t.Fatal(err)
	}
	g22 := soaped("G22")
	pending, err := g22.Pending(ctx)
	if err != nil || len(pending) != 1 {
		t.Fatalf("%v, %v", pending, err)
	}
	if got := fetch(t, g22, pending[0].ID); got.files["a@b"] != "hai" {
		t.Errorf("files %v", got.files)
	}
	if err := g22.Acknowledge(ctx, pending[0].ID); err != nil {
		t.Fatal(err)
	}
	if list, err := filed("H41").Statuses(ctx, time.Time{}); err != nil || len(list) != 1 || list[0].StatusCode != "01" {
		t.Errorf("statuses over VXP: %v, %v", list, err)
	}
}

// TestDirectoryOverVXP registers an organ, writes to it and takes it out.
func TestDirectoryOverVXP(t *testing.T) {
	_, _, client := both(t, axistest.Options{})
	ctx, h41 := t.Context(), client("H41")
	if _, err := sendFile(t, client("G22"), single(t, "G22", "1", "x", "Q17.1")); answerOf(transport.Receipt{}, err).code != "18" {
		t.Errorf("to nobody: %v", err)
	}
	if err := h41.Register(ctx, vxp.Agency{Code: "Q17.1", Name: "Đơn vị thử"}); err != nil {
		t.Fatal(err)
	}
	if _, err := sendFile(t, client("G22"), single(t, "G22", "2", "x", "Q17.1")); err != nil {
		t.Error(err)
	}
	waiting(t, h41, 1)
	organs, err := h41.Organs(ctx)
	if err != nil || organs[len(organs)-1].OrganID != "Q17.1" {
		t.Errorf("%v", err)
	}
	for name, err := range map[string]error{
		"another's":      client("G22").Unregister(ctx, "Q17.1"),
		"again":          client("G22").Register(ctx, vxp.Agency{Code: "Q17.1", Name: "x"}),
		"the register's": h41.Register(ctx, vxp.Agency{Code: "G22", Name: "x"}),
		"misspelt":       h41.Register(ctx, vxp.Agency{Code: "Q 17", Name: "x"}),
	} {
		if err == nil {
			t.Errorf("%s organ was changed", name)
		}
	}
	if err := h41.Unregister(ctx, "Q17.1"); err != nil {
		t.Error(err)
	}
	waiting(t, h41, 0)
}

// TestSentOverVXP tells the sender what became of a Document by its own number.
func TestSentOverVXP(t *testing.T) {
	_, _, client := both(t, axistest.Options{})
	ctx, g22, h41 := t.Context(), client("G22"), client("H41")
	receipt, err := sendFile(t, g22, single(t, "G22", "1", "x", "H41", "H02"))
	if err != nil {
		t.Fatal(err)
	}
	id := waiting(t, h41, 1)[0].ID
	if err := h41.Update(ctx, id, vxp.Fail, "hong"); err != nil {
		t.Fatal(err)
	}
	if err := h41.Acknowledge(ctx, id); err != nil { // too late
		t.Error(err)
	}
	list, err := g22.Sent(ctx, receipt.ID, edxml.KindDocument)
	if err != nil || len(list) != 2 || list[1].To != "H41" || list[1].State != vxp.Fail || list[1].Description != "hong" || list[0].State != vxp.Waiting ||
		list[1].DeliveryID != id || list[1].ReceivedAt.IsZero() || !list[0].ReceivedAt.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := h41.Sent(ctx, receipt.ID, edxml.KindDocument); err != nil || len(list) != 0 {
		t.Errorf("another's: %v, %v", list, err)
	}
}

// TestMannersOverVXP: the same bad manners, and a client that loses nothing.
func TestMannersOverVXP(t *testing.T) {
	dir := t.TempDir()
	axis := axistest.New(axistest.Options{Dir: dir, Seed: 5, Delay: 20 * time.Millisecond})
	srv := httptest.NewServer(axis)
	defer func() {
		srv.Close()
		axis.Close()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}()
	client := func(organ string) *vxp.Client {
		return &vxp.Client{URL: srv.URL, SystemID: organ, Secret: axistest.Secret}
	}
	g22, h41 := client("G22"), client("H41")
	defer g22.Close()
	defer h41.Close()
	const documents = 15
	for n := range documents {
		file := single(t, "G22", string(rune('a'+n)), "x", "H41")
		again(t, func() error { _, err := sendFile(t, g22, file); return err })
	}
	seen := map[string]bool{}
	for len(seen) < documents {
		var list []transport.Pending
		again(t, func() (err error) { list, err = h41.Pending(t.Context()); return err })
		if len(list) == 0 {
			t.Fatalf("%d of %d came", len(seen), documents)
		}
		seen[list[0].ID] = true
		again(t, func() error { return h41.Acknowledge(t.Context(), list[0].ID) })
	}
	met := map[axistest.Trouble]bool{}
	for _, e := range axis.Journal() {
		met[e.Trouble] = true
	}
	if !met[axistest.Drop] || !met[axistest.Busy] {
		t.Errorf("met %v", met)
	}
}

// TestClocksOverVXP: the times of an hour ago, or of the next, in lists and in
// the date of the answer.
func TestClocksOverVXP(t *testing.T) {
	for id, off := range map[string]time.Duration{"X00.09": time.Hour, "X00.10": -time.Hour} {
		axis, _, client := both(t, axistest.Options{})
		if _, err := sendFile(t, client("G22"), single(t, "G22", "1", "x", id)); err != nil {
			t.Fatal(err)
		}
		list, err := client(id).Deliveries(t.Context(), edxml.KindDocument)
		if err != nil || len(list) != 1 || time.Until(list[0].Created.Add(-off)).Abs() > time.Minute {
			t.Errorf("%s: %+v, %v", id, list, err)
		}
		if e := axis.Journal()[0]; e.Trouble == "" || e.Outcome != "ok" {
			t.Errorf("%s: %+v", id, e)
		}
		if err := client(id).Acknowledge(t.Context(), list[0].ID); err != nil {
			t.Error(err)
		}
	}
}

// TestLarge passes a file through both wires, and from each into the other,
// without holding it: all the memory that is ever asked for is less than a
// third of it.
func TestLarge(t *testing.T) {
	const size = 96 << 20
	_, soaped, filed := both(t, axistest.Options{})
	large := transport.Content{Size: size, Open: func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(pattern{}, size)), nil }}
	p := packet(t, "G22", "1", edxml.New, "x", "H41")
	p.Parts[0].Content = large
	drain := func(in transport.Incoming, err error) int64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var total int64
		for {
			piece, err := in.Next()
			if err == io.EOF {
				return total
			}
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, piece.Content)
			if total += n; err != nil {
				t.Fatal(err)
			}
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := soaped("G22").Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if n := drain(soaped("H41").Fetch(t.Context(), "1")); n < size {
		t.Errorf("%d octets over eDoc", n)
	}
	h41 := filed("H41")
	in, err := h41.Fetch(t.Context(), waiting(t, h41, 1)[0].ID)
	if n := drain(in, err); n < size/3*4 {
		t.Errorf("%d octets over VXP", n)
	}
	runtime.ReadMemStats(&after)
	if asked := after.TotalAlloc - before.TotalAlloc; asked > size/3 {
		t.Errorf("%d MiB of memory for a file of %d", asked>>20, size>>20)
	}
}

// pattern is content without end.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}
