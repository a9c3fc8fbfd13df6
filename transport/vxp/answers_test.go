package vxp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// answers runs an axis that answers everything with the same.
func answers(t *testing.T, status int, media, body string) *vxp.Client {
	t.Helper()
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	return client(t, srv.URL, ministry)
}

const okay = `"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong"`

// calls are the calls that a bad answer is tried on.
var calls = map[string]func(context.Context, *vxp.Client) error{
	"send": func(ctx context.Context, c *vxp.Client) error {
		_, err := c.Send(ctx, exampleTo("H41"))
		return err
	},
	"pending": func(ctx context.Context, c *vxp.Client) error { _, err := c.Pending(ctx); return err },
	"fetch": func(ctx context.Context, c *vxp.Client) error {
		in, err := c.Fetch(ctx, "1")
		if err != nil {
			return err
		}
		_, err = collect(in)
		return err
	},
	"raw": func(ctx context.Context, c *vxp.Client) error {
		c.Raw = true
		in, err := c.Fetch(ctx, "1")
		if err != nil {
			return err
		}
		_, err = collect(in)
		return err
	},
	"ack":    func(ctx context.Context, c *vxp.Client) error { return c.Acknowledge(ctx, "1") },
	"organs": func(ctx context.Context, c *vxp.Client) error { _, err := c.Organs(ctx); return err },
	"count":  func(ctx context.Context, c *vxp.Client) error { _, err := c.Count(ctx, edxml.KindDocument); return err },
}

// TestBadAnswers names what is wrong with an answer, and says whether to try again.
func TestBadAnswers(t *testing.T) {
	field := func(name, fault string) error { return &vxp.FieldError{Field: name, Fault: fault} }
	limit := func(name string) error { return &vxp.LimitError{Limit: name} }
	for name, c := range map[string]struct {
		calls  string
		status int
		media  string
		body   string
		want   error
		final  bool
	}{
		"HTML page":                {"send pending fetch raw ack organs count", 200, "text/html", "<!DOCTYPE html><html><body>Đăng nhập</body></html>", vxp.ErrHTML, false},
		"HTML page 502":            {"send pending fetch raw ack", 502, "text/html", "<html>Bad Gateway</html>", vxp.ErrHTML, false},
		"HTML page 403":            {"send pending fetch raw ack", 403, "text/html", "<html>Forbidden</html>", vxp.ErrHTML, true},
		"plain text":               {"send pending fetch ack", 200, "text/plain", "404 page not found", vxp.ErrNotJSON, false},
		"array":                    {"send pending fetch ack", 200, "application/json", "[]", vxp.ErrNotJSON, false},
		"empty":                    {"send pending fetch raw ack", 200, "application/json", "", vxp.ErrEmpty, false},
		"empty 204":                {"send pending fetch raw ack", 204, "application/json", "", vxp.ErrEmpty, false},
		"cut off":                  {"send pending fetch ack", 200, "application/json", `{"status":"OK","Err`, vxp.ErrTruncated, false},
		"syntax":                   {"send pending fetch ack", 200, "application/json", `{"status":OK}`, vxp.ErrNotJSON, false},
		"status null":              {"send pending fetch ack", 200, "application/json", `{"status":null,"ErrorCode":"0","ErrorDesc":"x","data":[]}`, field("status", "null"), false},
		"ErrorCode null":           {"send pending ack", 200, "application/json", `{"status":"OK","ErrorCode":null,"ErrorDesc":"x","data":[]}`, field("ErrorCode", "null"), false},
		"ErrorDesc missing":        {"send pending ack", 200, "application/json", `{"status":"OK","ErrorCode":"0"}`, field("ErrorDesc", "missing"), false},
		"status an object":         {"send pending ack", 200, "application/json", `{"status":{"a":1},"ErrorCode":"0"}`, field("status", "not a text"), false},
		"DocId missing":            {"send", 200, "application/json", "{" + okay + "}", field("DocId", "missing"), false},
		"DocId null":               {"send", 200, "application/json", "{" + okay + `,"DocId":null}`, field("DocId", "null"), false},
		"data missing":             {"pending fetch organs", 200, "application/json", "{" + okay + "}", field("data", "missing"), false},
		"data null":                {"pending fetch organs", 200, "application/json", "{" + okay + `,"data":null}`, field("data", "null"), false},
		"data no list":             {"pending organs", 200, "application/json", "{" + okay + `,"data":"x"}`, field("data", "not a list"), false},
		"data no text":             {"fetch", 200, "application/json", "{" + okay + `,"data":[]}`, field("data", "not a text"), false},
		"data empty":               {"fetch", 200, "application/json", "{" + okay + `,"data":""}`, field("data", "empty"), false},
		"data twice":               {"pending", 200, "application/json", "{" + okay + `,"data":[],"data":[]}`, field("data", "there twice"), false},
		"only nulls":               {"pending", 200, "application/json", "{" + okay + `,"data":[null,{"docId":null}]}`, field("data[].docId", "missing"), false},
		"entry no object":          {"pending organs", 200, "application/json", "{" + okay + `,"data":[1]}`, field("data[0]", "not an object of texts"), false},
		"entry of lists":           {"pending", 200, "application/json", "{" + okay + `,"data":[{"docId":"1","to":["a","b"]}]}`, field("data[0]", "not an object of texts"), false},
		"count null":               {"count", 200, "application/json", "{" + okay + `,"count":null}`, field("count", "null"), false},
		"count missing":            {"count", 200, "application/json", "{" + okay + "}", field("count", "not a number"), false},
		"base64 cut off":           {"fetch", 200, "application/json", "{" + okay + `,"data":"PGVkWE1`, vxp.ErrTruncated, false},
		"base64 not whole":         {"fetch", 200, "application/json", "{" + okay + `,"data":"PGVkWE1"}`, vxp.ErrBase64, false},
		"base64 alien":             {"fetch", 200, "application/json", "{" + okay + `,"data":"PGVk*E1M"}`, vxp.ErrBase64, false},
		"base64 goes on":           {"fetch", 200, "application/json", "{" + okay + `,"data":"PGVkWA==PGVkWE1M"}`, vxp.ErrBase64, false},
		"base64 escape":            {"fetch", 200, "application/json", "{" + okay + `,"data":"PGVk\u1ed9WE1M"}`, vxp.ErrBase64, false},
		"cut off behind data":      {"fetch", 200, "application/json", "{" + okay + `,"data":"PGVkWE1M"`, vxp.ErrTruncated, false},
		"missing behind data":      {"fetch", 200, "application/json", `{"data":"PGVkWE1M","status":"OK"}`, field("ErrorCode", "missing"), false},
		"oversize control":         {"count", 200, "application/json", `{"x":"` + strings.Repeat("a", 3000) + `"}`, limit("answer"), true},
		"oversize, it may be done": {"send ack", 200, "application/json", `{"x":"` + strings.Repeat("a", 3000) + `"}`, limit("answer"), false},
		"oversize list":            {"pending organs", 200, "application/json", "{" + okay + `,"data":[` + strings.Repeat(`{"docId":"1","code":"1"},`, 300) + "1]}", limit("directory"), true},
		"oversize packet":          {"fetch", 200, "application/json", "{" + okay + `,"data":"` + strings.Repeat("PGVk", 900) + `"}`, limit("packet"), true},
		"oversize raw":             {"raw", 200, "application/octet-stream", "<" + strings.Repeat("a", 3000), limit("packet"), true},
		"redirect":                 {"send pending fetch raw ack", 302, "text/html", "<html>", nil, true},
		"deep":                     {"ack", 200, "application/json", `{"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, field("status", "missing"), false},
	} {
		for call := range strings.FieldsSeq(c.calls) {
			t.Run(name+" "+call, func(t *testing.T) {
				cl := answers(t, c.status, c.media, c.body)
				cl.Limits = vxp.Limits{Answer: 2000, Directory: 2000, Packet: 2000}
				f := refused(t, calls[call](t.Context(), cl))
				if f.Temporary() == c.final {
					t.Errorf("Temporary is %v: %v", f.Temporary(), f)
				}
				var wantField *vxp.FieldError
				var wantLimit *vxp.LimitError
				switch {
				case errors.As(c.want, &wantField):
					var got *vxp.FieldError
					if !errors.As(f, &got) || *got != *wantField {
						t.Errorf("got %v, want %v", f, wantField)
					}
				case errors.As(c.want, &wantLimit):
					var got *vxp.LimitError
					if !errors.As(f, &got) || got.Limit != wantLimit.Limit {
						t.Errorf("got %v, want the limit %q", f, wantLimit.Limit)
					}
				case c.want != nil && !errors.Is(f, c.want):
					t.Errorf("got %v, want %v", f, c.want)
				}
			})
		}
	}
}

// TestValueLimit stops at a value that never ends, in whatever field, without
// keeping more of it than the limit.
func TestValueLimit(t *testing.T) {
	for _, field := range []string{"ErrorDesc", "x"} {
		srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"status":"OK","`+field+`":"`)
			block := strings.Repeat("a", 64<<10)
			for range 1600 { // 100 MB
				if _, err := io.WriteString(w, block); err != nil {
					return
				}
			}
			io.WriteString(w, `"}`)
		}))
		c := client(t, srv.URL, ministry)
		_, err := c.Pending(t.Context())
		var limit *vxp.LimitError
		if f := refused(t, err); !errors.As(f, &limit) || limit.Limit != "value" || f.Temporary() {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestGoodAnswers takes what is unusual and means the same.
func TestGoodAnswers(t *testing.T) {
	packet := "<edXML>\n" + strings.Repeat("tệp ", 40000) + "</edXML>"
	text := base64.StdEncoding.EncodeToString([]byte(packet))
	var broken, escaped strings.Builder
	for i := 0; i < len(text); i += 76 {
		broken.WriteString(text[i:min(i+76, len(text))] + `\r\n`)
	}
	escaped.WriteString(strings.NewReplacer("/", `\/`, "=", `\u003d`, "+", `\u002B`).Replace(text))
	for name, body := range map[string]string{
		"plain":            "{" + okay + `,"data":"` + text + `"}`,
		"data first":       `{"data":"` + text + `",` + okay + "}",
		"data in between":  `{"status":"OK","data" : "` + text + `" , "ErrorDesc":"","ErrorCode":0}`,
		"lines":            "{" + okay + `,"data":"` + broken.String() + `"}`,
		"escapes of gson":  "{" + okay + `,"data":"` + escaped.String() + `"}`,
		"byte order mark":  "\ufeff{" + okay + `,"data":"` + text + `"}`,
		"pretty, more":     "\n{\n  \"x\" : {\"data\":[null]}, " + okay + ",\n\"data\"\t:\n\"" + text + "\"\n,\"y\":null}\n",
		"lower-case names": `{"status":"OK","errorcode":"0","errordesc":"","data":"` + text + `"}`,
	} {
		in, err := answers(t, 200, "text/plain", body).Fetch(t.Context(), "1")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := collect(in); err != nil || string(got) != packet {
			t.Errorf("%s: %d octets of %d, %v", name, len(got), len(packet), err)
		}
	}
	pending, err := answers(t, 201, "application/json", `{"data":[{"docId":17,"to":null},null,{"docId":" b "}],`+okay+"}").Pending(t.Context())
	if err != nil || len(pending) != 2 || pending[0].ID != "17" || pending[1].ID != "b" {
		t.Errorf("Pending: %v, %v", pending, err)
	}
	if n, err := answers(t, 200, "application/json", "{"+okay+`,"count":"12"}`).Count(t.Context(), edxml.KindStatus); n != 12 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
}

// TestRefusedBehindData gives the refusal that comes after the packet, as the
// error of the last Read.
func TestRefusedBehindData(t *testing.T) {
	c := answers(t, 200, "application/json", `{"data":"PGVkWE1M","ErrorCode":"7","ErrorDesc":"Khong tim thay","status":"FAIL"}`)
	in, err := c.Fetch(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = collect(in)
	if f := refused(t, err); f.Code != "7" || f.Temporary() || f.Text != "Khong tim thay" {
		t.Errorf("got %+v", f)
	}
}

// TestAxisCodes tells who or what is at fault by what the national axis says.
func TestAxisCodes(t *testing.T) {
	for name, c := range map[string]struct {
		status                int
		body                  string
		credential, temporary bool
	}{
		"organ not of the systemid": {200, `{"status":"FAIL","ErrorCode":"1","ErrorDesc":"Don vi gui H41 khong dung voi ma da dang ky: x","DocId":""}`, true, false},
		"unknown code":              {200, `{"status":"FAIL","ErrorCode":"12","ErrorDesc":"Goi tin loi","DocId":""}`, false, false},
		"FAIL with 0":               {200, `{"status":"FAIL","ErrorCode":"0","ErrorDesc":"","DocId":""}`, false, false},
		"OK with a code":            {200, `{"status":"OK","ErrorCode":"-1","ErrorDesc":"x","DocId":"1"}`, false, false},
		"503 with an object":        {503, `{"status":"FAIL","ErrorCode":"-1","ErrorDesc":"bao tri","DocId":""}`, false, true},
		"500 with an object":        {500, `{"status":"FAIL","ErrorCode":"500","ErrorDesc":"loi"}`, false, true},
	} {
		_, err := answers(t, c.status, "application/json", c.body).Send(t.Context(), exampleTo("H41"))
		if f := refused(t, err); f.Credential != c.credential || f.Temporary() != c.temporary {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestSecretScrubbed keeps the secret out of errors even when the axis repeats it.
func TestSecretScrubbed(t *testing.T) {
	for _, body := range []string{
		fmt.Sprintf(`{"status":"FAIL","ErrorCode":"1","ErrorDesc":"sai khoa %s"}`, secret), "<x>" + secret, `{"` + secret + `":`, secret,
	} {
		c := answers(t, 200, "application/json", body)
		refused(t, c.Acknowledge(t.Context(), "1"))
		_, err := c.Fetch(t.Context(), "1")
		refused(t, err)
	}
}

// TestHeaderValues refuses what no header can carry before anything is sent.
func TestHeaderValues(t *testing.T) {
	c := answers(t, 500, "text/plain", "never")
	var header *vxp.HeaderError
	if f := refused(t, c.Acknowledge(t.Context(), "số\r\nX: 1")); !errors.As(f, &header) || header.Name != "docId" || f.Temporary() {
		t.Errorf("got %v", f)
	}
	d := document("1", "H41")
	d.From.OrganID = "Đơn vị"
	_, err := c.Send(t.Context(), &transport.Packet{Envelope: octets(file(t, d, "x"))})
	if f := refused(t, err); !errors.As(f, &header) || header.Name != "from" || f.Temporary() {
		t.Errorf("got %v", f)
	}
}

// TestUnreachable is temporary; an address that is none is not.
func TestUnreachable(t *testing.T) {
	srv := listen(t, http.NotFoundHandler())
	srv.Close()
	if f := refused(t, client(t, srv.URL, ministry).Acknowledge(t.Context(), "1")); !f.Temporary() {
		t.Errorf("nobody there: %v", f)
	}
	if f := refused(t, client(t, "http://[::1", ministry).Acknowledge(t.Context(), "1")); f.Temporary() {
		t.Errorf("no address: %v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := refused(t, client(t, srv.URL, ministry).Acknowledge(ctx, "1")); !errors.Is(f, context.Canceled) {
		t.Errorf("cancelled: %v", f)
	}
}
