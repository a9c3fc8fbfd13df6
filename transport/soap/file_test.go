package soap

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFileBothWays(t *testing.T) {
	open := func(s string) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
	}
	body, err := NewBody(Part{ID: "root", Type: "text/xml", Size: 4, Open: open("<a/>")},
		[]Part{{ID: "f", Type: "text/plain", Size: 5, Open: open("hello")}})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := body.WriteFile(&file); err != nil {
		t.Fatal(err)
	}
	if !IsFile(file.Bytes()) {
		t.Errorf("not taken for a file: %.60q", file.Bytes())
	}
	for _, ends := range []string{"\r\n", "\n"} { // editors turn the header's line ends
		head, rest, _ := strings.Cut(file.String(), "\r\n\r\n")
		m, err := ReadFile(strings.NewReader(strings.ReplaceAll(head, "\r\n", ends)+ends+ends+rest), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			p, err := m.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p.Content)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.ID+"="+string(b))
		}
		if want := "root=<a/> f=hello"; strings.Join(got, " ") != want {
			t.Errorf("%q: read %q, want %q", ends, got, want)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFileRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		is   func(error) bool
	}{
		"no empty line":     {"Content-Type: text/xml\r\n", func(err error) bool { return errors.Is(err, ErrTruncated) }},
		"endless header":    {"Content-Type: " + strings.Repeat("x", 1<<20), func(err error) bool { return errors.As(err, new(*LimitError)) }},
		"many header lines": {strings.Repeat("Content-X: y\r\n", 10_000), func(err error) bool { return errors.As(err, new(*LimitError)) }},
		"no header line":    {"hello\r\n\r\n", func(err error) bool { return errors.Is(err, ErrMalformed) }},
		"no Content-Type":   {"MIME-Version: 1.0\r\n\r\n", func(err error) bool { return errors.As(err, new(*ContentTypeError)) }},
	} {
		if _, err := ReadFile(strings.NewReader(c.text), Limits{}); err == nil || !c.is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"<edXML>", "", "Subject: x", "Content", "\ufeffContent-Type: x"} {
		if IsFile([]byte(text)) {
			t.Errorf("%q is taken for a message in one file", text)
		}
	}
}

// A wire that ends inside a part's header must not pass for a message that is
// complete with one part less.
func TestEndInsideAPartHeader(t *testing.T) {
	whole := "--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--"
	for n := range len(whole) + 1 {
		m, err := Read(`multipart/related; boundary=b; type="text/xml"`, strings.NewReader(whole[:n]), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			var p *Incoming
			if p, err = m.Next(); err == nil {
				_, err = io.Copy(io.Discard, p.Content)
			}
		}
		if complete := n == len(whole); (err == io.EOF) != complete {
			t.Errorf("cut at %d (%q): %v", n, whole[max(0, n-12):n], err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
