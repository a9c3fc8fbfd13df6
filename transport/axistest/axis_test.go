package axistest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

// start runs an axis and returns it with its folder and a maker of clients.
func start(t *testing.T, o axistest.Options) (*axistest.Axis, string, func(organ string) *edoc.Client) {
	t.Helper()
	o.Dir, o.Gentle = t.TempDir(), true
	axis := axistest.New(o)
	srv := httptest.NewServer(axis)
	t.Cleanup(func() {
		srv.Close()
		if err := axis.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(o.Dir); err != nil || len(left) != 0 {
			t.Errorf("after Close the folder holds %v, %v", left, err)
		}
	})
	return axis, o.Dir, func(organ string) *edoc.Client {
		c := &edoc.Client{URL: srv.URL, Organ: organ, Token: axistest.Token(organ)}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// packet is a Document of a kind from one organ to others, with one file.
func packet(t *testing.T, from, number string, kind edxml.BusinessDocType, file string, to ...string) *transport.Packet {
	t.Helper()
	d := &edxml.Document{
		From: edxml.Organ{OrganID: from, OrganName: from}, Code: edxml.Code{CodeNumber: number, CodeNotation: "QĐ"},
		PromulgationInfo: edxml.PromulgationInfo{PromulgationDate: "2026/03/02"}, Subject: "Thử", TraceHeaders: []edxml.TraceHeader{{OrganID: from, Timestamp: "2026/03/02 08:00:00"}}, Business: &edxml.Business{DocType: kind},
		Attachments: []edxml.Attachment{{Name: "a.pdf", ContentID: "a@b"}},
	}
	d.DocumentID = edxml.DocumentID(from, "2026/03/02", d.Code)
	for _, id := range to {
		d.To = append(d.To, edxml.Organ{OrganID: id, OrganName: "Tên " + id})
	}
	var b bytes.Buffer
	if err := edxml.WriteEnvelope(&b, d); err != nil {
		t.Fatal(err)
	}
	return &transport.Packet{
		Envelope: content(b.Bytes()), TokenAt: int64(bytes.Index(b.Bytes(), []byte("</SOAP-ENV:Header>"))),
		Parts: []transport.Part{{ID: "a@b", Type: "application/pdf", Content: content([]byte(file))}},
	}
}

func code(err error) string {
	var f *transport.Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return fmt.Sprint(err)
}

// TestOrgans asks who exists: every root of the register in both spellings,
// and what lies below one.
func TestOrgans(t *testing.T) {
	_, _, client := start(t, axistest.Options{})
	for id, exists := range map[string]bool{
		"G22": true, "H41": true, "H41.1": true, "H41.1.2": true, "000.00.00.H41": true, "000.00.13.H53": true, "000.12.31.H53": true,
		"X99": false, "000.00.00.X99": false, "vxp.saas.03": false, " H41": false, "h41": false,
	} {
		if err := client(id).Check(t.Context()); exists != (err == nil) {
			t.Errorf("%q exists: %v, want %v", id, err, exists)
		}
	}
}

// TestSame sends Documents again, with the same content and with other.
func TestSame(t *testing.T) {
	_, dir, client := start(t, axistest.Options{})
	ctx, g22 := t.Context(), client("G22")
	for i, tc := range []struct {
		kind     edxml.BusinessDocType
		from     string
		file     string
		id, code string
	}{
		{edxml.New, "G22", "một", "1", ""},
		{edxml.New, "G22", "một", "1", ""},
		{edxml.New, "G22", "hai", "", edoc.CodeOtherContent},
		{edxml.New, "G23", "một", "2", ""}, // of another sender
		{edxml.Recall, "G22", "một", "3", ""},
		{edxml.Recall, "G22", "một", "3", ""},
		{edxml.Update, "G22", "hai", "4", ""}, // other content of a kind that may come again
		{edxml.Update, "G22", "ba", "5", ""},
		{edxml.Update, "G22", "hai", "4", ""},
		{edxml.New, "G22", "một", "1", ""},
	} {
		receipt, err := client(tc.from).Send(ctx, packet(t, tc.from, "1", tc.kind, tc.file, "H41"))
		if receipt.ID != tc.id || tc.code != "" && code(err) != tc.code || tc.code == "" && err != nil {
			t.Errorf("%d: %+v, %v; want %q, %q", i, receipt, err, tc.id, tc.code)
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(files) != 5*2 {
		t.Errorf("%d files for 5 documents, %v", len(files), err)
	}
	if pending, err := client("H41").Pending(ctx); err != nil || len(pending) != 5 {
		t.Errorf("pending %v, %v", pending, err)
	}
	if _, err := g22.Send(ctx, packet(t, "G22", "2", edxml.New, "x", "H42", "H42")); code(err) != "M.DOC-11" {
		t.Errorf("the same receiver twice: %v", err)
	}
	if pending, err := client("H42").Pending(ctx); err != nil || len(pending) != 0 {
		t.Errorf("pending %v, %v", pending, err)
	}
}

// TestStatuses routes statuses between sender and receivers, take-back included.
func TestStatuses(t *testing.T) {
	_, _, client := start(t, axistest.Options{})
	ctx, g22, h41 := t.Context(), client("G22"), client("H41")
	if _, err := g22.Send(ctx, packet(t, "G22", "7", edxml.New, "x", "H41")); err != nil {
		t.Fatal(err)
	}
	status := func(from, to, id, number string, s edxml.StatusCode) *edxml.Status {
		return &edxml.Status{From: edxml.Organ{OrganID: from}, StatusCode: s, Description: "Lý do", Timestamp: edxml.TimestampOf(time.Now()),
			ResponseFor: edxml.ResponseFor{OrganID: to, DocumentID: id, Code: number}}
	}
	const id = "G22,2026/03/02,7/QĐ"
	for i, tc := range []struct {
		c    *edoc.Client
		s    *edxml.Status
		code string
	}{
		{h41, status("H41", "G22", id, "7/QĐ", "03"), ""},
		{h41, status("H41", "G22", id, "7/QĐ", "03"), ""},
		{h41, status("H41", "G22", id, "7/QĐ", "05"), ""},
		{h41, status("H41", "G22", id, "7/QĐ", "05"), ""}, // may come several times
		{h41, status("H41", "G22", "", "7/QĐ", "06"), ""}, // by code alone
		{h41, status("H41", "G22", "G22,2026/03/02,8/QĐ", "7/QĐ", "06"), edoc.CodeStatusDocument},
		{h41, status("H41", "G23", id, "7/QĐ", "06"), edoc.CodeStatusDocument},
		{h41, status("H41", "G22", id, "7/QĐ", "13"), edoc.CodeStatusDocument}, // only the sender takes back
		{g22, status("G22", "H41", id, "7/QĐ", "13"), ""},
		{h41, status("H41", "G22", id, "7/QĐ", "15"), ""},
	} {
		if err := tc.c.SendStatus(ctx, tc.s); tc.code != "" && code(err) != tc.code || tc.code == "" && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	codes := func(c *edoc.Client) (s string) {
		list, err := c.Statuses(ctx, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range list {
			s += string(st.StatusCode) + " "
		}
		return s
	}
	if got := codes(g22); got != "03 05 05 06 15 " {
		t.Errorf("of the sender: %s", got)
	}
	if got := codes(h41); got != "13 " {
		t.Errorf("of the receiver: %s", got)
	}
}

// TestAtOnce has many clients send, collect and confirm at the same time.
func TestAtOnce(t *testing.T) {
	axis, _, client := start(t, axistest.Options{})
	const senders, each = 8, 10
	ctx := t.Context()
	var wg sync.WaitGroup
	for i := range senders {
		c := client(fmt.Sprintf("G22.%d", i+1))
		wg.Go(func() {
			for n := range each {
				if _, err := c.Send(ctx, packet(t, c.Organ, fmt.Sprint(n), edxml.New, strings.Repeat("x", 1+n*1000), "H41")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h41 := client("H41")
	pending, err := h41.Pending(ctx)
	if err != nil || len(pending) != senders*each {
		t.Fatalf("%d pending, %v", len(pending), err)
	}
	for i := range senders {
		wg.Go(func() {
			for _, p := range pending[i*each : (i+1)*each] {
				if err := h41.Acknowledge(ctx, p.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range senders {
		if got, err := client(fmt.Sprintf("G22.%d", i+1)).Statuses(ctx, time.Time{}); err != nil || len(got) != each {
			t.Errorf("%d statuses, %v", len(got), err)
		}
	}
	counts := map[string]int{}
	for _, e := range axis.Journal() {
		counts[e.Operation+" "+e.Outcome]++
	}
	if counts["SendDocument ok"] != senders*each || counts["ConfirmReceived ok"] != senders*each || counts["GetTraces ok"] != senders {
		t.Errorf("journal: %v", counts)
	}
}

// TestFull refuses for a while what does not fit, and takes what does.
func TestFull(t *testing.T) {
	axis, dir, client := start(t, axistest.Options{Total: 100_000})
	g22 := client("G22")
	_, err := g22.Send(t.Context(), packet(t, "G22", "1", edxml.New, strings.Repeat("x", 100_000), "H41"))
	var f *transport.Fault
	if !errors.As(err, &f) || f.Code != edoc.CodeSave || !f.Temporary() {
		t.Errorf("%v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(files) != 0 {
		t.Errorf("files are left: %v", files)
	}
	if _, err := g22.Send(t.Context(), packet(t, "G22", "1", edxml.New, "y", "H41")); err != nil {
		t.Error(err)
	}
	j := axis.Journal()
	if len(j) != 2 || j[0].Outcome != edoc.CodeSave || j[0].Organ != "G22" || j[0].Text == "" || j[0].At.IsZero() || j[1].Outcome != "ok" {
		t.Errorf("journal: %+v", j)
	}
}
