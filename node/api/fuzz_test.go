package api

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// FuzzForm reads a form as it comes from outside: whatever it holds, it is
// read or refused with a Problem, and no name of a file is a path.
func FuzzForm(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"header\"\r\n\r\n{\"subject\":\"x\"}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"header\"\r\n\r\n{\"statusCode\":\"03\"}\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"header\"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"..\\\\x\"\r\n\r\n--b--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := &parts{multipart.NewReader(bytes.NewReader(body), "b")}
		h, err := p.header()
		if err == nil && h.document != nil {
			_, err = p.files(h.document, measure)
			if err == nil {
				for _, a := range h.document.Attachments {
					if a.Name == "" || a.Name == ".." || strings.ContainsAny(a.Name, "/\\\x00\n") {
						t.Errorf("name %q", a.Name)
					}
				}
				succeed(h.document, &edxml.Document{}, edxml.Replace)
			}
		}
		if err != nil && problem(err).Status >= 500 {
			t.Errorf("not the caller's fault: %v", err)
		}
	})
}

// FuzzPosition reads ids of events: what it takes, it writes the same.
func FuzzPosition(f *testing.F) {
	for _, s := range []string{"", "a:1", "a:1,b:2", "n%C3%BAt:18446744073709551615"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePosition(s)
		if err != nil {
			return
		}
		again, err := parsePosition(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q is %q, then %q, %v", s, p, again, err)
		}
	})
}
