package edoc_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// fixed is an axis that holds one Document and one Status for ever.
type fixed struct {
	t    *testing.T
	held *transport.Packet
}

var fixedStatus = edxml.Status{
	From:        edxml.Organ{OrganID: office, OrganizationInCharge: "UBND tỉnh Nghệ An", OrganName: "Sở Khoa học và Công nghệ"},
	ResponseFor: edxml.ResponseFor{OrganID: ministry, Code: "118/BC-TTTH", PromulgationDate: "2026/03/02", DocumentID: ministry + ",2026/03/02,118/BC-TTTH"},
	StaffInfo:   &edxml.StaffInfo{Department: "Văn phòng", Staff: "Lê Thị Mai"},
	StatusCode:  "03", Description: `Đã tiếp nhận <"&'>`, Timestamp: "2026/03/02 09:15:00",
}

func (f fixed) Authenticate(_ context.Context, organ string, token edxml.Secret) (edoc.Speaker, error) {
	if token == "no" {
		return edoc.Speaker{}, fmt.Errorf("%w: told so", edoc.ErrCredential)
	}
	return edoc.Speaker{Organs: []string{organ}}, nil
}

func (f fixed) Accept(_ context.Context, s *edoc.Submission) (transport.Receipt, error) {
	for {
		if _, err := s.Next(); err == io.EOF {
			break
		} else if err != nil {
			return transport.Receipt{}, err
		}
	}
	if s.Packet.Document.To[0].OrganID == "X99" {
		return transport.Receipt{}, fmt.Errorf("wrapped: %w", &transport.Fault{Code: edoc.CodeUnknownReceiver, Text: "no <X99> & none other"})
	}
	return transport.Receipt{ID: "40215"}, nil
}

func (f fixed) Pending(_ context.Context, organ string) ([]transport.Pending, error) {
	if organ == "H99" {
		return nil, fmt.Errorf("the database at 10.0.0.1 is gone")
	}
	return []transport.Pending{{ID: "40215"}, {ID: "40216"}}, nil
}

func (f fixed) Document(_ context.Context, _, id string) (*transport.Packet, error) {
	if id != "40215" {
		return nil, &transport.Fault{Code: edoc.CodeNotReceiver, Text: "not yours"}
	}
	return f.held, nil
}

func (f fixed) Confirm(_ context.Context, organ, id string) error {
	if organ != office || id != "40215" {
		f.t.Errorf("Confirm(%q, %q)", organ, id)
	}
	return nil
}

func (f fixed) AcceptStatus(_ context.Context, s *edxml.Status) error {
	if diff := cmp.Diff(fixedStatus, *s); diff != "" {
		f.t.Errorf("status:\n%s", diff)
	}
	return nil
}

func (f fixed) Statuses(_ context.Context, _ string, since time.Time) ([]edxml.Status, error) {
	if want := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC); !since.Equal(want) {
		f.t.Errorf("since %v, want %v", since, want)
	}
	return []edxml.Status{fixedStatus}, nil
}

func (f fixed) Organs(context.Context) ([]edxml.Organ, error) {
	return []edxml.Organ{fixedStatus.From, {OrganID: "H41"}}, nil
}

// TestTranscripts holds every request and answer against its golden form:
// what the wire shows is the contract. Run with -update to write them anew.
func TestTranscripts(t *testing.T) {
	ctx := t.Context()
	held := written(t, office)
	srv := httptest.NewServer(edoc.NewHandler(fixed{t, held}, edoc.HandlerOptions{}))
	defer srv.Close()
	fetch := func(c *edoc.Client) error {
		in, err := c.Fetch(ctx, "40215")
		if err != nil {
			return err
		}
		_, files, err := collect(in)
		if files["f1@example.vn"] != "Nội dung" {
			t.Errorf("files %q", files)
		}
		return err
	}
	for name, tc := range map[string]struct {
		why, organ string
		token      edxml.Secret
		call       func(*edoc.Client) error
		refused    bool
		plain      bool // without Lienthong-Parts
	}{
		"01-send":           {"A packet with the token spliced in as the last header block.", ministry, "tok", func(c *edoc.Client) error { return second(c.Send(ctx, held)) }, false, false},
		"02-send-refused":   {"A refusal is a Report with HTTP 200 and no DocumentId.", ministry, "tok", func(c *edoc.Client) error { return second(c.Send(ctx, written(t, "X99"))) }, true, false},
		"03-send-no-token":  {"A wrong pair on SendDocument has the code Permission.", ministry, "no", func(c *edoc.Client) error { return second(c.Send(ctx, held)) }, true, false},
		"04-pending":        {"The request has the suffix Request, the action has not.", office, "tok", func(c *edoc.Client) error { return second(c.Pending(ctx)) }, false, false},
		"05-pending-pair":   {"A wrong pair on a query is IsSuccess false with an empty list.", office, "no", func(c *edoc.Client) error { return second(c.Pending(ctx)) }, true, false},
		"06-pending-broken": {"A failure inside the axis says nothing of its inside.", "H99", "tok", func(c *edoc.Client) error { return second(c.Pending(ctx)) }, true, false},
		"07-fetch":          {"The packet stands in the Body itself, its parts as they are.", office, "tok", fetch, false, false},
		"08-fetch-base64":   {"For a client that does not ask, parts are base64 text.", office, "tok", fetch, false, true},
		"09-fetch-refused":  {"The Report of GetDocument has no wrapper.", office, "tok", func(c *edoc.Client) error { return second(c.Fetch(ctx, "7")) }, true, false},
		"10-confirm":        {"Received.", office, "tok", func(c *edoc.Client) error { return c.Acknowledge(ctx, "40215") }, false, false},
		"11-status":         {"Status in no namespace, the token in the Header.", office, "tok", func(c *edoc.Client) error { return c.SendStatus(ctx, &fixedStatus) }, false, false},
		"12-traces": {"TimeStamp always; the code comes back without its zero.", ministry, "tok", func(c *edoc.Client) error {
			got, err := c.Statuses(ctx, time.Date(2026, 3, 2, 8, 0, 0, 0, edxml.Vietnam))
			if diff := cmp.Diff([]edxml.Status{fixedStatus}, got); diff != "" {
				t.Errorf("statuses:\n%s", diff)
			}
			return err
		}, false, false},
		"13-organs":     {"The token stands before the organ here.", office, "tok", func(c *edoc.Client) error { return second(c.Organs(ctx)) }, false, false},
		"14-check":      {"The pair stands in the Header, the Body is empty.", office, "tok", func(c *edoc.Client) error { return c.Check(ctx) }, false, false},
		"15-check-pair": {"A wrong pair.", office, "no", func(c *edoc.Client) error { return c.Check(ctx) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			fmt.Fprintf(&log, "# %s\n", tc.why)
			c := &edoc.Client{URL: srv.URL + "/edoc", Organ: tc.organ, Token: tc.token, HTTP: &http.Client{Transport: record(t, &log, tc.plain)}}
			if err := tc.call(c); tc.refused != (err != nil) {
				t.Fatal(err)
			}
			compare(t, filepath.Join("testdata", name+".txt"), log.String())
		})
	}
}

// written is the packet of testdata for a receiver. It is written by hand, so
// that the transcripts change only with the wire.
func written(t *testing.T, to string) *transport.Packet {
	t.Helper()
	data, err := os.ReadFile("testdata/packet.xml")
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte(office), []byte(to))
	return &transport.Packet{
		Envelope: content(data), TokenAt: int64(bytes.Index(data, []byte("</SOAP-ENV:Header>"))),
		Parts: []transport.Part{{ID: "f1@example.vn", Type: "text/plain", Content: content([]byte("Nội dung"))}},
	}
}

var boundary = regexp.MustCompile(`lienthong-[A-Z2-7]{26}`)

// record writes what passes over the wire, boundaries and hosts made equal.
func record(t *testing.T, log *bytes.Buffer, plain bool) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if r.ContentLength != int64(len(body)) {
			t.Errorf("Content-Length %d, the body has %d octets", r.ContentLength, len(body))
		}
		sent := r.Clone(r.Context())
		sent.Body = io.NopCloser(bytes.NewReader(body))
		if plain {
			sent.Header.Del("Lienthong-Parts")
		}
		res, err := http.DefaultTransport.RoundTrip(sent)
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(log, "POST %s HTTP/1.1\n%s\n%s\n", r.URL.Path, headers(sent.Header), readable(body))
		fmt.Fprintf(log, "\n########\nHTTP/1.1 %s\n%s\n%s\n", res.Status, headers(res.Header), readable(answer))
		res.Body = io.NopCloser(bytes.NewReader(answer))
		return res, nil
	})
}

func headers(h http.Header) string {
	var lines []string
	for name, values := range h {
		if name != "Date" {
			lines = append(lines, name+": "+boundary.ReplaceAllString(values[0], "BOUNDARY")+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func readable(b []byte) string {
	return boundary.ReplaceAllString(strings.ReplaceAll(string(b), "\r\n", "\n"), "BOUNDARY")
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-golden +now):\n%s", name, diff)
	}
}
