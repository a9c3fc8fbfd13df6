package vxp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// TestWalk sends a Document to two organs of one systemid, collects both
// deliveries either way, and reports back.
func TestWalk(t *testing.T) {
	for _, raw := range []bool{false, true} {
		a := newAxis(t)
		srv := serve(t, a, vxp.HandlerOptions{})
		ctx := t.Context()
		from, to := client(t, srv.URL, ministry), client(t, srv.URL+"/", province)
		to.Raw = raw
		d := document("118", province, office)
		packet := file(t, d, "%PDF-1.7\nnội dung\r\n\x00\xff")

		receipt, err := from.Send(ctx, &transport.Packet{Envelope: octets(packet)})
		if err != nil || receipt.Existed || receipt.ID == "" {
			t.Fatalf("Send: %+v, %v", receipt, err)
		}
		if n, err := to.Count(ctx, edxml.KindDocument); n != 2 || err != nil {
			t.Errorf("Count: %d, %v", n, err)
		}
		pending, err := to.Pending(ctx)
		if err != nil || len(pending) != 2 {
			t.Fatalf("Pending: %v, %v", pending, err)
		}
		for _, p := range pending {
			in, err := to.Fetch(ctx, p.ID)
			if err != nil {
				t.Fatal(err)
			}
			got, err := collect(in)
			if err != nil || !bytes.Equal(got, packet) {
				t.Fatalf("raw %v: fetched %d octets of %d, %v", raw, len(got), len(packet), err)
			}
			for range 2 { // an answer may be lost
				if err := to.Acknowledge(ctx, p.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if pending, err = to.Pending(ctx); err != nil || len(pending) != 0 {
			t.Errorf("Pending after Acknowledge: %v, %v", pending, err)
		}
		sent, err := from.Sent(ctx, receipt.ID, edxml.KindDocument)
		if err != nil || len(sent) != 2 || sent[0].State != vxp.Done || sent[0].To != province || sent[0].Title != "Về việc thử" || sent[0].SentAt.IsZero() {
			t.Errorf("Sent: %+v, %v", sent, err)
		}
	}
}

// TestSendKnownDigest does not read the packet twice when its digest is given.
func TestSendKnownDigest(t *testing.T) {
	a := newAxis(t)
	srv := serve(t, a, vxp.HandlerOptions{})
	packet := file(t, document("1", province), string(bytes.Repeat([]byte("tệp "), 1<<16)))
	sum := sha256.Sum256(packet)
	for known, want := range map[string]int{"": 2, hex.EncodeToString(sum[:]): 1} {
		whole := 0
		content := octets(packet)
		content.SHA256 = known
		open := content.Open
		content.Open = func() (io.ReadCloser, error) {
			r, err := open()
			return readTo{r, func() { whole++ }}, err
		}
		if _, err := client(t, srv.URL, ministry).Send(t.Context(), &transport.Packet{Envelope: content}); err != nil {
			t.Fatal(err)
		}
		if whole != want {
			t.Errorf("with digest %q the packet was read %d times, want %d", known, whole, want)
		}
	}
	content := octets(packet)
	content.SHA256 = hex.EncodeToString(make([]byte, 32))
	_, err := client(t, srv.URL, ministry).Send(t.Context(), &transport.Packet{Envelope: content})
	if f := refused(t, err); f.Code != vxp.CodeRequest || f.Temporary() {
		t.Errorf("a wrong digest: %v", err)
	}
	if a.accepted != 2 {
		t.Errorf("%d packets accepted", a.accepted)
	}
}

// readTo tells when its source has been read to the end.
type readTo struct {
	io.ReadCloser
	ended func()
}

func (r readTo) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err == io.EOF {
		r.ended()
	}
	return n, err
}

// TestStatuses gives Statuses again until the caller moves on, and then tells
// the axis; one that cannot be read is refused.
func TestStatuses(t *testing.T) {
	a := newAxis(t)
	srv := serve(t, a, vxp.HandlerOptions{})
	ctx := t.Context()
	province, ministryClient := client(t, srv.URL, province), client(t, srv.URL, ministry)
	d := document("118", "H41")
	first, second := status(d, edxml.StatusArrived), status(d, edxml.StatusProcessing)
	if err := province.SendStatus(ctx, first); err != nil {
		t.Fatal(err)
	}
	a.deliver("", edxml.KindStatus, "H41", ministry, &transport.Packet{Envelope: octets([]byte("<edXML>nothing</edXML>"))})
	var told []string
	ministryClient.Refused = func(id string, err error) { told = append(told, id) }

	since := time.Unix(0, 0)
	for range 2 { // not applied yet
		got, err := ministryClient.Statuses(ctx, since)
		if err != nil || len(got) != 1 {
			t.Fatalf("Statuses: %v, %v", got, err)
		}
		if diff := cmp.Diff(*first, got[0]); diff != "" {
			t.Error(diff)
		}
	}
	if want := []string{"d-2 fail"}; len(a.updates) != 1 || a.updates[0][:len("d-2 fail")] != want[0] || !slices.Equal(told, []string{"d-2"}) {
		t.Errorf("updates %q, told %q", a.updates, told)
	}
	if err := province.SendStatus(ctx, second); err != nil {
		t.Fatal(err)
	}
	got, err := ministryClient.Statuses(ctx, since.Add(time.Hour)) // the first was applied
	if err != nil || len(got) != 1 || got[0].StatusCode != edxml.StatusProcessing {
		t.Fatalf("Statuses after the first was applied: %+v, %v", got, err)
	}
	if n, err := ministryClient.Count(ctx, edxml.KindStatus); n != 1 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	again := client(t, srv.URL, ministry) // a new process: what was not confirmed comes again
	if got, err := again.Statuses(ctx, since.Add(time.Hour)); err != nil || len(got) != 1 {
		t.Errorf("Statuses in a new process: %v, %v", got, err)
	}
}

// TestDirectory reads the directory in its three forms.
func TestDirectory(t *testing.T) {
	srv := serve(t, newAxis(t), vxp.HandlerOptions{})
	c := client(t, srv.URL, ministry)
	organs, err := c.Organs(t.Context())
	if err != nil || len(organs) != 4 || organs[0].OrganName != "Bộ Khoa học và Công nghệ" || organs[0].Email != "vt@example.vn" {
		t.Errorf("Organs: %+v, %v", organs, err)
	}
	var second []vxp.Agency
	if err := c.AgenciesQD20(t.Context(), 2, func(a vxp.Agency) error { second = append(second, a); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(second) != 1 || second[0].Code != "H41.16" || second[0].OldCode != office {
		t.Errorf("AgenciesQD20: %+v", second)
	}
	var units []vxp.Unit
	if err := c.Units(t.Context(), func(u vxp.Unit) error { units = append(units, u); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(units) != 4 || !units[2].IsAgency || units[2].PID != province {
		t.Errorf("Units: %+v", units)
	}
	stop := errors.New("enough")
	if err := c.Agencies(t.Context(), func(vxp.Agency) error { return stop }); err != stop {
		t.Errorf("an error of the caller came back as %v", err)
	}
}

// TestRegister enters an organ and takes it out again.
func TestRegister(t *testing.T) {
	a := newAxis(t)
	c := client(t, serve(t, a, vxp.HandlerOptions{}).URL, province)
	want := vxp.Agency{ID: "7", Parent: province, Code: "H41.99", Name: "Xã Thử Nghiệm", Mail: "x@example.vn", Mobile: "0", Fax: "1"}
	if err := c.Register(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]vxp.Agency{want}, a.registered); diff != "" {
		t.Error(diff)
	}
	if err := c.Unregister(t.Context(), "H41.99"); err != nil {
		t.Error(err)
	}
	if f := refused(t, c.Unregister(t.Context(), "H41.99")); f.Code != vxp.CodeNotFound || f.Temporary() {
		t.Errorf("a second time: %v", f)
	}
	if f := refused(t, c.Register(t.Context(), vxp.Agency{Code: "H41.98"})); f.Code != vxp.CodeRequest {
		t.Errorf("without a name: %v", f)
	}
}

// TestRefused tells the refusals of an axis apart.
func TestRefused(t *testing.T) {
	a := newAxis(t)
	srv := serve(t, a, vxp.HandlerOptions{})
	send := func(c *vxp.Client, d *edxml.Document) error {
		_, err := c.Send(context.Background(), &transport.Packet{Envelope: octets(file(t, d, "x"))})
		return err
	}
	good, foreign := client(t, srv.URL, ministry), client(t, srv.URL, province)
	stranger, wrong := client(t, srv.URL, "X99"), &vxp.Client{URL: srv.URL, SystemID: ministry, Secret: "other"}
	defer wrong.Close()
	_, notThere := good.Fetch(t.Context(), "d-77")
	raw := client(t, srv.URL, ministry)
	raw.Raw = true
	_, notThereRaw := raw.Fetch(t.Context(), "d-77")
	_, parts := good.Send(t.Context(), &transport.Packet{Envelope: octets(nil), Parts: []transport.Part{{}}})
	for name, c := range map[string]struct {
		err                   error
		code                  string
		credential, temporary bool
	}{
		"unknown receiver":     {send(good, document("1", "X99")), "M.UnknownReceiver", false, false},
		"no receiver":          {send(good, document("1")), vxp.CodeRequest, false, false},
		"somebody else's":      {send(foreign, document("1", province)), vxp.CodeFrom, true, false},
		"unknown systemid":     {send(stranger, document("1", province)), vxp.CodeSignature, true, false},
		"wrong secret":         {send(wrong, document("1", province)), vxp.CodeSignature, true, false},
		"no such delivery":     {notThere, vxp.CodeNotFound, false, false},
		"no such delivery raw": {notThereRaw, vxp.CodeNotFound, false, false},
		"SOAP profile":         {parts, "", false, false},
	} {
		f := refused(t, c.err)
		if f.Code != c.code || f.Credential != c.credential || f.Temporary() != c.temporary {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if !errors.Is(parts, vxp.ErrNotFile) {
		t.Errorf("SOAP profile: %v", parts)
	}
	if a.accepted != 0 {
		t.Errorf("%d packets accepted", a.accepted)
	}
	a.fail = errors.New("disk on fire")
	if f := refused(t, send(good, document("1", province))); f.Code != vxp.CodeInternal || !f.Temporary() {
		t.Errorf("an internal error: %+v", f)
	}
	a.fail = &transport.Fault{Code: "M.SaveDocError", Transient: true, RetryAfter: time.Minute, Text: "đầy"}
	if _, err := good.Pending(t.Context()); !refused(t, err).Temporary() || refused(t, err).RetryAfter < time.Minute || refused(t, err).Text != "đầy" {
		t.Errorf("a temporary fault: %+v", err)
	}
}
