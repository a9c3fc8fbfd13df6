package conform_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/conform"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// signer makes a key.
func signer(t *testing.T) *signature.Key {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Van thu"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &signature.Key{Signer: private, Chain: []*x509.Certificate{c}}
}

func octets(b []byte) transport.Content {
	return transport.Content{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// document is a Document with one file.
func document(number, to string) *edxml.Document {
	d := &edxml.Document{
		From: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, To: []edxml.Organ{{OrganID: to, OrganName: "Nơi nhận"}},
		Code: edxml.Code{CodeNumber: number, CodeNotation: "CV"}, PromulgationInfo: edxml.PromulgationInfo{PromulgationDate: "2026/03/02"},
		Subject: "Thử", TraceHeaders: []edxml.TraceHeader{{OrganID: "G22", Timestamp: "2026/03/02 08:00:00"}}, Business: &edxml.Business{DocType: edxml.New},
		Attachments: []edxml.Attachment{{Name: "a.pdf", ContentID: "a@b"}},
	}
	d.DocumentID = edxml.DocumentID("G22", "2026/03/02", d.Code)
	return d
}

const pdf = "%PDF-1.7 nội dung"

// single is a signed Document as a single file.
func single(t *testing.T, key *signature.Key, number, to string) *transport.Packet {
	t.Helper()
	d := document(number, to)
	d.Attachments[0].Content = bytes.NewReader([]byte(pdf))
	var plain, signed bytes.Buffer
	if err := edxml.Write(&plain, d); err != nil {
		t.Fatal(err)
	}
	if err := signature.Sign(&signed, bytes.NewReader(plain.Bytes()), int64(plain.Len()), nil, key, signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	return &transport.Packet{Envelope: octets(signed.Bytes())}
}

// packet is a signed Document as an envelope with a part.
func packet(t *testing.T, key *signature.Key, number, to string) *transport.Packet {
	t.Helper()
	d := document(number, to)
	var plain, signed bytes.Buffer
	if err := edxml.WriteEnvelope(&plain, d); err != nil {
		t.Fatal(err)
	}
	part := transport.Part{ID: "a@b", Type: "application/pdf", Content: octets([]byte(pdf))}
	err := signature.Sign(&signed, bytes.NewReader(plain.Bytes()), int64(plain.Len()), []signature.Content{{ID: part.ID, Name: "a.pdf", Open: part.Open}}, key,
		signature.SignOptions{Placement: signature.Parts})
	if err != nil {
		t.Fatal(err)
	}
	return &transport.Packet{
		Envelope: octets(signed.Bytes()), TokenAt: int64(bytes.Index(signed.Bytes(), []byte("</SOAP-ENV:Header>"))), Parts: []transport.Part{part},
	}
}

// again makes a call until it goes well, or is refused for good.
func again(t *testing.T, call func() error) {
	t.Helper()
	for try := range 10 {
		err := call()
		var f *transport.Fault
		if err == nil || errors.As(err, &f) && !f.Temporary() {
			return
		}
		if try == 9 {
			t.Fatal(err)
		}
	}
}

// client is what both wires' clients do.
type client interface {
	Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error)
	Pending(ctx context.Context) ([]transport.Pending, error)
	Fetch(ctx context.Context, id string) (transport.Incoming, error)
	Acknowledge(ctx context.Context, id string) error
	SendStatus(ctx context.Context, s *edxml.Status) error
	Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error)
	Close() error
}

// work is a client that does everything right: it sends to each reserved
// receiver, collects as each, and asks for the statuses.
func work(t *testing.T, of func(organ string) client, packet func(t *testing.T, key *signature.Key, number, to string) *transport.Packet) {
	t.Helper()
	ctx, key := t.Context(), signer(t)
	client := func(organ string) client {
		c := of(organ)
		t.Cleanup(func() { c.Close() })
		return c
	}
	g22 := client("G22")
	for round := range 3 {
		for i, s := range axistest.Scripts() {
			p := packet(t, key, fmt.Sprint(100*round+i), s.Organ)
			again(t, func() error { _, err := g22.Send(ctx, p); return err })
			c := client(s.Organ)
			done := map[string]bool{}
			for {
				var list []transport.Pending
				again(t, func() (err error) { list, err = c.Pending(ctx); return err })
				list = slices.DeleteFunc(list, func(p transport.Pending) bool { return done[p.ID] })
				if len(list) == 0 {
					break
				}
				id := list[0].ID
				done[id] = true
				again(t, func() error { return collect(c, t, id) })
				again(t, func() error { return c.Acknowledge(ctx, id) })
			}
			if s.Trouble == axistest.Rebuild {
				again(t, func() error {
					return c.SendStatus(ctx, &edxml.Status{From: edxml.Organ{OrganID: s.Organ}, StatusCode: "03", Timestamp: edxml.TimestampOf(time.Now()),
						ResponseFor: edxml.ResponseFor{OrganID: "G22", DocumentID: fmt.Sprintf("G22,2026/03/02,%d/CV", 100*round+i), Code: fmt.Sprintf("%d/CV", 100*round+i)}})
				})
			}
			again(t, func() error { _, err := g22.Statuses(ctx, time.Now().Add(-time.Hour)); return err })
		}
	}
}

func collect(c client, t *testing.T, id string) error {
	in, err := c.Fetch(t.Context(), id)
	if err != nil {
		return err
	}
	defer in.Close()
	for {
		piece, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = io.Copy(io.Discard, piece.Content)
		}
		if err != nil {
			return err
		}
	}
}

// journal returns what a management door says.
func journal(t *testing.T, axis *axistest.Axis) map[string]any {
	t.Helper()
	rec := httptest.NewRecorder()
	axis.Admin().ServeHTTP(rec, httptest.NewRequest("GET", "/journal", nil))
	var doc map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// score judges a journal.
func score(t *testing.T, doc map[string]any) map[string]conform.Result {
	t.Helper()
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(doc) }))
	defer door.Close()
	report, err := conform.ScoreClient(t.Context(), door.URL, door.Client())
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]conform.Result{}
	for _, r := range report.Results {
		results[r.ID] = r
	}
	return results
}

// TestClient: a client that is right passes every case, with bad manners on;
// and for every case there is a journal that fails it.
func TestClient(t *testing.T) {
	axis, url := serve(t, axistest.Options{Seed: 1, Delay: time.Millisecond, Oversize: 2 << 20}, nil)
	work(t, func(organ string) client { return &edoc.Client{URL: url, Organ: organ, Token: axistest.Token(organ)} }, packet)
	good := journal(t, axis)
	for id, r := range score(t, good) {
		if !r.Passed {
			t.Errorf("%s %s: %s", id, r.Expect.EN, r.Why.EN)
		}
	}
	type row = map[string]any
	is := func(e row, op string) bool {
		return e["operation"] == op && e["outcome"] == "ok" && e["trouble"] == nil
	}
	to := func(e row, receiver string) bool {
		d, sent := e["document"].(row)
		return sent && d["to"].([]any)[0] == receiver
	}
	// change sets fields of the first entry that fits.
	change := func(fits func(row) bool, set row) func([]any) []any {
		return func(list []any) []any {
			for i, e := range list {
				if fits(e.(row)) {
					e := maps.Clone(e.(row))
					maps.Copy(e, set)
					list[i] = e
					return list
				}
			}
			t.Fatal("nothing to change")
			return nil
		}
	}
	// drop leaves out what fits.
	drop := func(fits func(row) bool) func([]any) []any {
		return func(list []any) []any { return slices.DeleteFunc(list, func(e any) bool { return fits(e.(row)) }) }
	}
	// twice repeats the last entry that fits.
	twice := func(n int, fits func(row) bool) func([]any) []any {
		return func(list []any) []any {
			for i := len(list) - 1; i >= 0; i-- {
				if fits(list[i].(row)) {
					return slices.Insert(list, i, slices.Repeat([]any{list[i]}, n)...)
				}
			}
			t.Fatal("nothing to repeat")
			return nil
		}
	}
	all := func(row) bool { return true }
	taken := func(receiver string) func(row) bool {
		return func(e row) bool { return to(e, receiver) && e["trouble"] == nil && e["outcome"] == "ok" }
	}
	otherDigest := func(receiver string) func([]any) []any {
		return func(list []any) []any {
			for i := len(list) - 1; i >= 0; i-- {
				if e := list[i].(row); taken(receiver)(e) {
					e := maps.Clone(e)
					d := maps.Clone(e["document"].(row))
					d["digest"] = "another"
					e["document"] = d
					list[i] = e
					return list
				}
			}
			t.Fatal("nothing to change")
			return nil
		}
	}
	clock := func(receiver string) func([]any) []any {
		return func(list []any) []any {
			confirmed := false
			for i, e := range list {
				e := e.(row)
				confirmed = confirmed || e["organ"] == receiver && is(row{"operation": e["operation"], "outcome": e["outcome"]}, "ConfirmReceived")
				if confirmed && e["operation"] == "GetTraces" && e["since"] != nil {
					e := maps.Clone(e)
					e["since"] = "2099-01-01T00:00:00Z"
					list[i] = e
				}
			}
			return list
		}
	}
	for id, bad := range map[string]func([]any) []any{
		"J01": change(all, row{"action": ""}),
		"J02": change(all, row{"contentType": "application/soap+xml"}),
		"J03": change(all, row{"outcome": "Client"}),
		"J04": change(all, row{"outcome": "Permission"}),
		"J05": change(func(e row) bool { return to(e, "X00.01") }, row{"document": row{"documentId": "x", "from": "G22", "to": []string{"H41"}, "findings": []string{"AXS-1"}}}),
		"J06": change(func(e row) bool { return is(e, "GetTraces") }, row{"since": ""}),
		"J07": drop(func(e row) bool { return e["operation"] == "GetDocument" && e["organ"] == "X00.11" }),
		"J08": drop(func(e row) bool { return e["operation"] == "ConfirmReceived" && e["organ"] == "X00.05" }),
		"J09": func(list []any) []any {
			for i, e := range list {
				if e := e.(row); e["doubled"] == true && e["trouble"] == nil {
					again := row{"operation": "ConfirmReceived", "organ": e["organ"], "number": e["listed"].([]any)[0], "outcome": "ok", "wire": "edoc", "status": 200, "method": "POST"}
					return slices.Insert(list, i+1, any(again), any(again))
				}
			}
			t.Fatal("no list is doubled")
			return nil
		},
		"J10": change(func(e row) bool { return e["reported"] != nil && e["outcome"] == "ok" }, row{"outcome": "M.UpdateStatusDoc", "trouble": ""}),
		"J11": twice(30, taken("X00.12")),
		"K01": twice(1, func(e row) bool { return to(e, "X00.01") }),
		"K02": drop(taken("X00.02")),
		"K03": otherDigest("X00.03"),
		"K04": drop(taken("X00.06")),
		"K05": twice(1, taken("X00.12")),
		"K06": drop(taken("X00.08")),
		"K07": twice(1, func(e row) bool { return to(e, "X00.07") }),
		"K08": func(list []any) []any {
			first := ""
			return slices.DeleteFunc(list, func(v any) bool {
				e := v.(row)
				if e["operation"] != "ConfirmReceived" || e["organ"] != "X00.04" {
					return false
				}
				if first == "" {
					first = e["number"].(string)
				}
				return e["number"] == first
			})
		},
		"K09": func(list []any) []any {
			return append(list, row{"operation": "UpdateTraces", "organ": "X00.05", "outcome": "ok", "wire": "edoc",
				"reported": row{"from": "X00.05", "to": "G22", "documentId": "G22,2026/03/02,4/CV", "statusCode": "03"}})
		},
		"K10": drop(func(e row) bool { return e["organ"] == "X00.11" }),
		"K11": clock("X00.09"),
		"K12": clock("X00.10"),
	} {
		doc := maps.Clone(good)
		doc["entries"] = bad(slices.Clone(good["entries"].([]any)))
		r, there := score(t, doc)[id]
		if !there || r.Passed || r.Unseen && id != "K10" || r.Why.VI == "" {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

// TestClientOverVXP: the same client over the other wire passes the cases that
// are not of SOAP alone.
func TestClientOverVXP(t *testing.T) {
	axis, url := serve(t, axistest.Options{Seed: 2, Delay: time.Millisecond, Oversize: 2 << 20}, nil)
	work(t, func(organ string) client { return &vxp.Client{URL: url, SystemID: organ, Secret: axistest.Secret} }, single)
	results := score(t, journal(t, axis))
	for id, r := range results {
		if !r.Passed {
			t.Errorf("%s %s: %s", id, r.Expect.EN, r.Why.EN)
		}
	}
	if _, there := results["J01"]; there || len(results) != 23-5 {
		t.Errorf("%d results: %v", len(results), slices.Sorted(maps.Keys(results)))
	}
}

// TestUnseen: what a client did not do is not held for right.
func TestUnseen(t *testing.T) {
	axis, url := serve(t, axistest.Options{Gentle: true}, nil)
	c := &edoc.Client{URL: url, Organ: "G22", Token: axistest.Token("G22")}
	defer c.Close()
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	passed := ""
	for id, r := range score(t, journal(t, axis)) {
		if r.Passed {
			passed += id + " "
		} else if !r.Unseen {
			t.Errorf("%s fails, but nothing of it was done: %s", id, r.Why.EN)
		}
	}
	for _, id := range []string{"J01", "J02", "J03", "J04"} {
		if !bytes.Contains([]byte(passed), []byte(id)) {
			t.Errorf("%s does not pass", id)
		}
	}
	if len(passed) != 4*4 {
		t.Errorf("passed: %s", passed)
	}
}
