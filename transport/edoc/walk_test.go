package edoc_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

// TestWalk takes one Document from a ministry to two receivers and its
// statuses back, through every operation.
func TestWalk(t *testing.T) {
	ctx := t.Context()
	axis, srv := start(t, axistest.Options{})
	from, to, other := client(t, srv.URL, ministry), client(t, srv.URL, office), client(t, srv.URL, province)
	for _, c := range []*edoc.Client{from, to, other} {
		if err := c.Check(ctx); err != nil {
			t.Fatal(err)
		}
	}
	text := file{"f2@example.vn", "Phụ lục.txt", "text/plain", []byte("aGVsbG8=")} // a text file that looks like base64
	p := packet(t, document("118", office, province), pdf, text)
	receipt, err := from.Send(ctx, p)
	if err != nil || receipt.ID != "1" {
		t.Fatalf("Send: %+v, %v", receipt, err)
	}
	pending, err := to.Pending(ctx)
	if diff := cmp.Diff([]transport.Pending{{ID: "1"}}, pending); err != nil || diff != "" {
		t.Fatalf("Pending: %v\n%s", err, diff)
	}
	in, err := to.Fetch(ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	envelope, files, err := collect(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytesOf(t, p.Envelope)), string(envelope)); diff != "" {
		t.Errorf("the envelope is not the one that was signed:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{pdf.id: string(pdf.content), text.id: string(text.content)}, files); diff != "" {
		t.Errorf("files:\n%s", diff)
	}
	for range 2 { // the second confirmation changes nothing
		if err := to.Acknowledge(ctx, "1"); err != nil {
			t.Fatal(err)
		}
	}
	if pending, err = to.Pending(ctx); err != nil || len(pending) != 0 {
		t.Errorf("pending after the acknowledgement: %v, %v", pending, err)
	}
	if pending, err = other.Pending(ctx); err != nil || len(pending) != 1 {
		t.Errorf("pending of the other receiver: %v, %v", pending, err)
	}
	reportBack(t, to, from)
	organs, err := from.Organs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, o := range organs {
		known[o.OrganID] = true
	}
	if !known["H41"] || !known["000.00.00.H41"] || !known["G22"] {
		t.Errorf("the directory of %d organs lacks H41, 000.00.00.H41 or G22", len(organs))
	}
	for _, e := range axis.Journal() {
		if e.Outcome != "ok" {
			t.Errorf("journal: %+v", e)
		}
	}
}

// reportBack sends a status after the axis's own 01 and reads both.
func reportBack(t *testing.T, to, from *edoc.Client) {
	t.Helper()
	status := &edxml.Status{
		From:        edxml.Organ{OrganID: office, OrganName: "Sở Khoa học và Công nghệ"},
		ResponseFor: edxml.ResponseFor{OrganID: ministry, Code: "118/BC-TTTH", DocumentID: document("118").DocumentID, PromulgationDate: "2026/03/02"},
		StaffInfo:   &edxml.StaffInfo{Department: "Văn phòng", Staff: "Lê Thị Mai"},
		StatusCode:  edxml.StatusAccepted, Description: "Đã tiếp nhận <&>", Timestamp: edxml.TimestampOf(time.Now().Add(time.Minute)),
	}
	for range 2 { // the same status again is no second one
		if err := to.SendStatus(t.Context(), status); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // asking again gives the same again
		got, err := from.Statuses(t.Context(), time.Now().Add(-time.Minute))
		if err != nil || len(got) != 2 {
			t.Fatalf("Statuses: %+v, %v", got, err)
		}
		if got[0].StatusCode != edxml.StatusArrived || got[0].From.OrganID != office || got[0].ResponseFor != status.ResponseFor {
			t.Errorf("the first status is %+v", got[0])
		}
		if diff := cmp.Diff(*status, got[1]); diff != "" {
			t.Errorf("the second status:\n%s", diff)
		}
	}
	if got, err := from.Statuses(t.Context(), time.Now().Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("statuses of the future: %+v, %v", got, err)
	}
}

// TestRefusals makes each operation do what it must not.
func TestRefusals(t *testing.T) {
	ctx := t.Context()
	_, srv := start(t, axistest.Options{})
	from, to, stranger := client(t, srv.URL, ministry), client(t, srv.URL, office), client(t, srv.URL, "000.00.00.H53")
	if _, err := from.Send(ctx, packet(t, document("1", office), pdf)); err != nil {
		t.Fatal(err)
	}
	wrong := &edoc.Client{URL: srv.URL, Organ: ministry, Token: "s3cret-and-wrong"}
	t.Cleanup(func() { wrong.Close() })
	about := edxml.ResponseFor{OrganID: ministry, DocumentID: document("1").DocumentID, Code: "1/BC-TTTH"}
	status := func(from string, about edxml.ResponseFor) *edxml.Status {
		return &edxml.Status{From: edxml.Organ{OrganID: from}, ResponseFor: about, StatusCode: "03", Timestamp: "2026/03/02 09:00:00"}
	}
	send := func(c *edoc.Client, d *edxml.Document, files ...file) error {
		_, err := c.Send(ctx, packet(t, d, files...))
		return err
	}
	changed := pdf
	changed.content = []byte("%PDF-1.7 khác")
	cases := map[string]struct {
		err        error
		code, text string
	}{
		"send, wrong token":    {send(wrong, document("2", office), pdf), edoc.CodePermission, "do not match"},
		"pending, wrong token": {second(wrong.Pending(ctx)), "", "wrong pair"},
		"fetch, wrong token":   {second(wrong.Fetch(ctx, "1")), "", "wrong pair"},
		"confirm, wrong token": {wrong.Acknowledge(ctx, "1"), "", "wrong pair"},
		"status, wrong token":  {wrong.SendStatus(ctx, status(ministry, about)), edoc.CodePermission, "do not match"},
		"traces, wrong token":  {second(wrong.Statuses(ctx, time.Time{})), "", "wrong pair"},
		"organs, wrong token":  {second(wrong.Organs(ctx)), "", "wrong pair"},
		"check, wrong token":   {wrong.Check(ctx), "", "wrong pair"},

		"unknown receiver":            {send(from, document("3", office, "000.00.00.X99"), pdf), edoc.CodeUnknownReceiver, "000.00.00.X99"},
		"From of another":             {send(stranger, document("4", office), pdf), edoc.CodePermission, ministry},
		"status From of another":      {stranger.SendStatus(ctx, status(office, about)), edoc.CodePermission, office},
		"status of no receiver":       {stranger.SendStatus(ctx, status("000.00.00.H53", about)), edoc.CodeStatusDocument, "no document"},
		"no receiver":                 {send(from, document("5"), pdf), "N.MessageHeader.To", "no receiver"},
		"same id, other content":      {send(from, document("1", office), changed), edoc.CodeOtherContent, "other content"},
		"fetch what is for others":    {second(stranger.Fetch(ctx, "1")), edoc.CodeNotReceiver, "no receiver"},
		"fetch what is not there":     {second(to.Fetch(ctx, "77")), edoc.CodeNotReceiver, "no receiver"},
		"fetch no number":             {second(to.Fetch(ctx, "-1")), "M.DocumentId", "no number"},
		"reference without its part":  {send(from, withReference(document("6", office), "gone@x")), "N.Attachment", "gone@x"},
		"status without a code":       {to.SendStatus(ctx, &edxml.Status{From: edxml.Organ{OrganID: office}, ResponseFor: about}), "T.Status.StatusCode", "no code"},
		"status without ResponseFor":  {to.SendStatus(ctx, status(office, edxml.ResponseFor{})), "N.Status", "ResponseFor"},
		"confirm what is for another": {stranger.Acknowledge(ctx, "1"), edoc.CodeConfirm, "no receiver"},
	}
	for name, tc := range cases {
		f := refused(t, tc.err, "s3cret")
		if f.Code != tc.code || !strings.Contains(f.Text, tc.text) {
			t.Errorf("%s: %v, want code %q and %q", name, tc.err, tc.code, tc.text)
		}
		if want := tc.code == edoc.CodeConfirm; f.Temporary() != want { // that code also stands for failures of an axis
			t.Errorf("%s: temporary is %v", name, f.Temporary())
		}
	}
	if got, err := from.Statuses(ctx, time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("a refused status was kept: %+v, %v", got, err)
	}
	if pending, err := to.Pending(ctx); err != nil || len(pending) != 1 {
		t.Errorf("refused documents were kept: %v, %v", pending, err)
	}
}

func second[T any](_ T, err error) error { return err }

// withReference adds a Reference to a part that does not exist.
func withReference(d *edxml.Document, id string) *edxml.Document {
	d.Attachments = append(d.Attachments, edxml.Attachment{Name: "x.pdf", ContentID: id})
	return d
}

// TestPartWithoutReference sends a file that the Manifest does not name.
func TestPartWithoutReference(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	p := packet(t, document("1", office))
	p.Parts = append(p.Parts, transport.Part{ID: "stray@x", Type: "application/pdf", Content: content(pdf.content)})
	_, err := client(t, srv.URL, ministry).Send(t.Context(), p)
	if f := refused(t, err, ""); f.Code != "N.Reference" || !strings.Contains(f.Text, "stray@x") {
		t.Errorf("%v", err)
	}
}

// roundTripper is a wire with a fault.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestLostAnswer loses the answers of the axis: what was asked for has been
// done, and asking again does it no second time.
func TestLostAnswer(t *testing.T) {
	ctx := t.Context()
	_, srv := start(t, axistest.Options{})
	lose := true
	wire := roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := http.DefaultTransport.RoundTrip(r)
		if lose && err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			return nil, errors.New("connection reset by peer")
		}
		return res, err
	})
	from, to := client(t, srv.URL, ministry), client(t, srv.URL, office)
	from.HTTP, to.HTTP = &http.Client{Transport: wire}, &http.Client{Transport: wire}
	kinds := map[edxml.BusinessDocType]string{edxml.New: "1", edxml.Recall: "2", edxml.Update: "3", edxml.Replace: "4"}
	for kind, number := range kinds {
		d := document(number, office)
		d.Business.DocType = kind
		p := packet(t, d, pdf)
		lose = true
		_, err := from.Send(ctx, p)
		if f := refused(t, err, ""); !f.Temporary() || !strings.Contains(f.Error(), "connection reset") {
			t.Fatalf("kind %s: %v", kind, err)
		}
		lose = false
		first, err := from.Send(ctx, p)
		if err != nil {
			t.Fatalf("kind %s: %v", kind, err)
		}
		again, err := from.Send(ctx, p)
		if err != nil || again.ID != first.ID || first.ID == "" {
			t.Errorf("kind %s: %+v, then %+v, %v", kind, first, again, err)
		}
	}
	pending, err := to.Pending(ctx)
	if err != nil || len(pending) != len(kinds) {
		t.Errorf("pending: %v, %v", pending, err)
	}
	for _, p := range pending {
		lose = true
		if err := to.Acknowledge(ctx, p.ID); !refused(t, err, "").Temporary() {
			t.Errorf("%v", err)
		}
		lose = false
		if err := to.Acknowledge(ctx, p.ID); err != nil {
			t.Error(err)
		}
	}
	if got, err := from.Statuses(ctx, time.Time{}); err != nil || len(got) != len(kinds) {
		t.Errorf("%d statuses, %v", len(got), err)
	}
}

// TestParts fetches over an axis that gives base64 text in the parts, as it
// does for every client that does not ask otherwise.
func TestParts(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	files := []file{
		pdf,
		{"zip@x", "a.docx", "application/zip", append([]byte("PK\x03\x04"), make([]byte, 10_000)...)},
		{"txt@x", "a.txt", "text/plain", []byte(strings.Repeat("dòng chữ\r\n", 2000))},
		{"b64@x", "b.txt", "text/plain", []byte("aGVsbG8=")},
	}
	if _, err := client(t, srv.URL, ministry).Send(t.Context(), packet(t, document("1", office), files...)); err != nil {
		t.Fatal(err)
	}
	to := client(t, srv.URL, office)
	var answered http.Header
	var plain string
	to.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Del("Lienthong-Parts")
		res, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			b, rerr := io.ReadAll(res.Body)
			res.Body.Close()
			plain, answered, err = string(b), res.Header, rerr
			res.Body = io.NopCloser(strings.NewReader(plain))
		}
		return res, err
	})}
	in, err := to.Fetch(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := collect(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if got[f.id] != string(f.content) {
			t.Errorf("%s: %d octets arrived, %d sent", f.name, len(got[f.id]), len(f.content))
		}
		if text := base64.StdEncoding.EncodeToString(f.content); !strings.Contains(plain, "\r\n\r\n"+text+"\r\n") {
			t.Errorf("%s does not stand in the answer as base64 text", f.name)
		}
	}
	if answered.Get("Lienthong-Parts") != "" {
		t.Error("the answer claims raw parts")
	}
}

// TestReadOnce asks in the old form, which gives each status once; asking
// with a moment is not affected.
func TestReadOnce(t *testing.T) {
	ctx := t.Context()
	_, srv := start(t, axistest.Options{})
	from, to := client(t, srv.URL, ministry), client(t, srv.URL, office)
	if _, err := from.Send(ctx, packet(t, document("1", office))); err != nil {
		t.Fatal(err)
	}
	if err := to.Acknowledge(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	request := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetTraces><OrganId>` + ministry +
		`</OrganId><Token>test-` + ministry + `</Token></GetTraces></s:Body></s:Envelope>`
	for i, want := range []int{1, 0, 0} {
		if _, answer := post(t, srv.URL, "GetTraces", "text/xml", request); strings.Count(answer, "<edXML:Status>") != want {
			t.Errorf("asked %d times: %s", i+1, answer)
		}
		if got, err := from.Statuses(ctx, time.Time{}); err != nil || len(got) != 1 {
			t.Errorf("with a moment: %+v, %v", got, err)
		}
	}
}

// post sends a request written by hand.
func post(t *testing.T, url, action, contentType, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if action != "" {
		req.Header.Set("SOAPAction", action)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}
