package axistest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// answer is what a client makes of one call.
type answer struct {
	id        string
	existed   bool
	code      string // "" for no Fault, "?" for one without a code
	temporary bool
}

func answerOf(r transport.Receipt, err error) answer {
	a := answer{id: r.ID, existed: r.Existed}
	var f *transport.Fault
	if errors.As(err, &f) {
		if a.code, a.temporary = f.Code, f.Temporary(); a.code == "" {
			a.code = "?"
		}
	}
	return a
}

// TestScriptsOfSending sends a Document to each reserved receiver again and
// again, as a client does that retries what is temporary.
func TestScriptsOfSending(t *testing.T) {
	lost := answer{code: "?", temporary: true}
	taken := answer{id: "1"}
	for trouble, want := range map[axistest.Trouble][]answer{
		axistest.Refuse:   {{code: axistest.CodeRefused}, {code: axistest.CodeRefused}},
		axistest.Busy:     {{code: "M.SendDocument", temporary: true}, {code: "M.SendDocument", temporary: true}, taken, taken},
		axistest.Gateway:  {lost, lost, taken, taken},
		axistest.Drop:     {lost, taken, taken},
		axistest.Page:     {lost, taken, taken},
		axistest.Oversize: {lost, taken, taken},
		axistest.Slow:     {taken, taken},
		axistest.Twice:    {taken, taken},
	} {
		for _, s := range axistest.Scripts() {
			if s.Trouble != trouble {
				continue
			}
			t.Run(string(trouble), func(t *testing.T) {
				axis, _, client := start(t, axistest.Options{Delay: time.Millisecond, Oversize: 2 << 20})
				c := client("G22")
				for i, w := range want {
					if got := answerOf(c.Send(t.Context(), packet(t, "G22", "1", edxml.New, "x", s.Organ))); got != w {
						t.Errorf("try %d: %+v, want %+v", i, got, w)
					}
				}
				for i, e := range axis.Journal() {
					if met := s.Times == 0 || i < s.Times; met != (e.Trouble == trouble) || e.Document == nil || e.Document.To[0] != s.Organ {
						t.Errorf("journal %d: %+v", i, e)
					}
				}
				// Another Document has its own way through the same Script.
				if got := answerOf(c.Send(t.Context(), packet(t, "G22", "2", edxml.New, "x", s.Organ))); got.code != want[0].code {
					t.Errorf("the next: %+v", got)
				}
			})
		}
	}
}

// TestEveryScript holds the list together: identifiers are well-formed, exist,
// stand in the directory in both forms, and each Trouble has one.
func TestEveryScript(t *testing.T) {
	_, _, client := start(t, axistest.Options{})
	organs, err := client("G22").Organs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, o := range organs {
		listed[o.OrganID] = true
	}
	seen := map[axistest.Trouble]bool{}
	for i, s := range axistest.Scripts() {
		old := "000.00." + s.Organ[4:] + ".X00"
		if !listed[s.Organ] || !listed[old] || seen[s.Trouble] || s.Text.VI == "" || s.Text.EN == "" || len(s.Organ) != 6 {
			t.Errorf("%d: %+v", i, s)
		}
		seen[s.Trouble] = true
		for _, id := range []string{s.Organ, old} {
			if err := client(id).Check(t.Context()); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	if err := client("X00.77").Check(t.Context()); err == nil {
		t.Error("X00.77 exists")
	}
}

// TestTwice has one Document come under two numbers, with the same bytes.
func TestTwice(t *testing.T) {
	_, _, client := start(t, axistest.Options{})
	if _, err := client("G22").Send(t.Context(), packet(t, "G22", "1", edxml.New, "nội dung", "X00.04", "H41")); err != nil {
		t.Fatal(err)
	}
	c := client("X00.04")
	pending, err := c.Pending(t.Context())
	if err != nil || len(pending) != 2 || pending[0] == pending[1] {
		t.Fatalf("%v, %v", pending, err)
	}
	first, second := fetch(t, c, pending[0].ID), fetch(t, c, pending[1].ID)
	if !bytes.Equal(first.envelope, second.envelope) || first.files["a@b"] != "nội dung" || second.files["a@b"] != "nội dung" {
		t.Error("the two are not the same")
	}
	for _, p := range pending {
		if err := c.Acknowledge(t.Context(), p.ID); err != nil {
			t.Error(err)
		}
	}
	if others, err := client("H41").Pending(t.Context()); err != nil || len(others) != 1 {
		t.Errorf("the other receiver: %v, %v", others, err)
	}
}

// fetched is a packet as a client collected it.
type fetched struct {
	envelope []byte
	files    map[string]string
}

func fetch(t *testing.T, c *edoc.Client, id string) fetched {
	t.Helper()
	in, err := c.Fetch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f := fetched{files: map[string]string{}}
	for {
		piece, err := in.Next()
		if err == io.EOF {
			return f
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(piece.Content)
		if err != nil {
			t.Fatal(err)
		}
		if piece.Root {
			f.envelope = b
		} else {
			f.files[piece.ID] = string(b)
		}
	}
}

// TestCorrupt changes one octet of the file and nothing else, for that
// receiver only.
func TestCorrupt(t *testing.T) {
	_, _, client := start(t, axistest.Options{})
	key, roots := trusted(t)
	p := sign(t, packet(t, "G22", "1", edxml.New, strings.Repeat("nguyên vẹn ", 1000), "X00.05", "H41"), key)
	r, err := client("G22").Send(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	bad, good := fetch(t, client("X00.05"), r.ID), fetch(t, client("H41"), r.ID)
	if !bytes.Equal(bad.envelope, good.envelope) || good.files["a@b"] != strings.Repeat("nguyên vẹn ", 1000) {
		t.Error("more is changed than one file of one receiver")
	}
	differ := 0
	for i := range good.files["a@b"] {
		if good.files["a@b"][i] != bad.files["a@b"][i] {
			differ++
		}
	}
	if differ != 1 {
		t.Errorf("%d octets differ", differ)
	}
	if word := reason(t, bad, roots); word != "digest" {
		t.Errorf("the signature: %q", word)
	}
}

// TestRebuild reads a packet that was written anew: every field is there, a
// trace without an organ has come, a PDF is zipped and says it is none, and the
// signature no longer fits.
func TestRebuild(t *testing.T) {
	_, _, client := start(t, axistest.Options{})
	pdf := "%PDF-1.7\n" + strings.Repeat("nội dung\n", 100)
	key, roots := trusted(t)
	r, err := client("G22").Send(t.Context(), sign(t, packet(t, "G22", "1", edxml.New, pdf, "X00.11", "H41"), key))
	if err != nil {
		t.Fatal(err)
	}
	got := fetch(t, client("X00.11"), r.ID)
	read, err := edxml.Read(bytes.NewReader(got.envelope), edxml.ReadOptions{Parts: parts(got)})
	if err != nil {
		t.Fatal(err)
	}
	d := read.Document
	if len(d.TraceHeaders) != 2 || d.TraceHeaders[1].OrganID != "" || d.TraceHeaders[1].Timestamp == "" {
		t.Errorf("traces: %+v", d.TraceHeaders)
	}
	if !strings.HasPrefix(got.files["a@b"], "PK\x03\x04") || d.Attachments[0].Size != int64(len(pdf)) || d.OtherInfo.Direction != "false" {
		t.Errorf("file %q, read as %+v", got.files["a@b"][:4], d.Attachments)
	}
	if word := reason(t, got, roots); word != "rebuilt" {
		t.Errorf("the signature: %q", word)
	}
	if word := reason(t, fetch(t, client("H41"), r.ID), roots); word != "" {
		t.Errorf("the signature as it was sent: %q", word)
	}
}

// TestClocks reports 01 with a moment an hour off, and gives it out all the same.
func TestClocks(t *testing.T) {
	for id, off := range map[string]time.Duration{"X00.09": time.Hour, "X00.10": -time.Hour} {
		_, _, client := start(t, axistest.Options{})
		r, err := client("G22").Send(t.Context(), packet(t, "G22", "1", edxml.New, "x", id))
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		if err := client(id).Acknowledge(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		list, err := client("G22").Statuses(t.Context(), before)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		if at, err := list[0].Timestamp.Time(); err != nil || at.Sub(before.Add(off)).Abs() > time.Minute {
			t.Errorf("%s: %s, %v", id, list[0].Timestamp, err)
		}
	}
}

// TestDates shows the clock that is off in the date of the answer.
func TestDates(t *testing.T) {
	axis := axistest.New(axistest.Options{Dir: t.TempDir(), Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()
	for trouble, off := range map[axistest.Trouble]time.Duration{axistest.Ahead: time.Hour, axistest.Behind: -time.Hour} {
		if err := axis.Order(axistest.Order{Trouble: trouble, Times: 1}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []time.Duration{off, 0} {
			body := string(soap.ControlEnvelope("", "<GetPendingDocumentIdsRequest><OrganId>H41</OrganId><Token>test-H41</Token></GetPendingDocumentIdsRequest>"))
			_, header, _ := ask(t, "POST", srv.URL, body, "SOAPAction", "GetPendingDocumentIds", "Content-Type", "text/xml")
			if at, err := http.ParseTime(header.Get("Date")); err != nil || time.Until(at.Add(-want)).Abs() > time.Minute {
				t.Errorf("%s: %s, %v", trouble, header.Get("Date"), err)
			}
		}
	}
}

// TestSlow waits ten seconds by default, and no longer than its client does.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)))
		axis := axistest.New(axistest.Options{Dir: t.TempDir(), Gentle: true})
		defer axis.Close()
		c := &edoc.Client{URL: "http://axis.test", Organ: "G22", Token: axistest.Token("G22"), HTTP: &http.Client{Transport: inProcess{axis}}}
		began := time.Now()
		if _, err := c.Send(t.Context(), packet(t, "G22", "1", edxml.New, "x", "X00.07")); err != nil || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		_, err := c.Send(ctx, packet(t, "G22", "2", edxml.New, "x", "X00.07"))
		if err == nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// inProcess is the wire to an axis without a network.
type inProcess struct{ axis http.Handler }

func (w inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	served := req.Clone(req.Context())
	rec := httptest.NewRecorder()
	w.axis.ServeHTTP(rec, served)
	served.Body.Close()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	res := rec.Result()
	res.Request = req
	return res, nil
}
