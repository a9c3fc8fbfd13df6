package soap

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

// text is a part whose content is a string.
func text(id, content string) Part {
	return Part{ID: id, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// TestTranscript holds every octet of a message, line ends included, in testdata/01-message.http.
func TestTranscript(t *testing.T) {
	root := text("root", string(ControlEnvelope("<h/>", "<b>văn bản</b>")))
	root.Encoding = "8bit"
	pdf, doc := text("f1@example.vn", "%PDF-1.7\r\n\x00\xff--MIMEB\r\n"), text("f2@example.vn", "Tờ trình")
	pdf.Type, doc.Encoding = "application/pdf", "base64"
	body, err := newBody("MIMEB", root, []Part{pdf, doc})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := body.Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(stream)
	if err != nil {
		t.Fatal(err)
	}
	got = append([]byte("Content-Type: "+body.ContentType()+"\r\n\r\n"), got...)
	const golden = "testdata/01-message.http"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("message:\n%q\nwant:\n%q", got, want)
	}
}

// TestRoundTrip sends parts of awkward sizes in every encoding and reads them back, through one-octet reads too.
func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 4095, 4096, 24<<10 - 1, 24 << 10, 24<<10 + 1, 200_000}
	root := text("root", "<Envelope/>")
	var files []Part
	want := []part{{Root: true, ID: "root", Type: "text/xml; charset=utf-8", Content: "<Envelope/>"}}
	for _, encoding := range []string{"", "binary", "8bit", "base64"} {
		for _, size := range sizes {
			content := strings.Repeat("\r\n--lienthong-ă\x00=3D\n", size/18+1)[:size]
			file := text("f"+string(rune('a'+len(files))), content)
			if len(files) >= 26 {
				file.ID = "g" + string(rune('a'+len(files)-26))
			}
			file.Encoding = encoding
			files = append(files, file)
			want = append(want, part{ID: file.ID, Type: "application/octet-stream", Content: content})
		}
	}
	body, err := NewBody(root, files)
	if err != nil {
		t.Fatal(err)
	}
	for name, slow := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
		"octets": func(r io.Reader) io.Reader { return io.LimitReader(iotest.OneByteReader(r), 1<<30) },
	} {
		stream, err := body.Open()
		if err != nil {
			t.Fatal(err)
		}
		counted := &counter{src: slow(stream)}
		got, err := readAll(body.ContentType(), counted, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, err := io.Copy(io.Discard, counted); err != nil || counted.n != body.Size() {
			t.Errorf("%s: %d octets, Size says %d, %v", name, counted.n, body.Size(), err)
		}
	}
}

// counter counts the octets read through it.
type counter struct {
	src io.Reader
	n   int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += int64(n)
	return n, err
}

func TestNewBodyRefuses(t *testing.T) {
	ok := text("root", "<a/>")
	for name, tc := range map[string]struct {
		root  Part
		files []Part
		want  string
	}{
		"header through Content-ID": {ok, []Part{text("a>\r\nX-Evil: 1", "")}, "Content-ID"},
		"empty Content-ID":          {text("", ""), nil, "Content-ID"},
		"space in Content-ID":       {ok, []Part{text("a b", "")}, "Content-ID"},
		"Content-ID beyond ASCII":   {ok, []Part{text("văn", "")}, "Content-ID"},
		"bracket in the start":      {text(`r>"; x="`, ""), nil, "Content-ID"},
		"header through type":       {ok, []Part{{ID: "a", Type: "a/b\r\nX-Evil: 1", Open: ok.Open}}, "Content-Type"},
		"unknown encoding":          {ok, []Part{{ID: "a", Encoding: "gzip", Open: ok.Open}}, "gzip"},
		"no content":                {ok, []Part{{ID: "a"}}, "no content"},
		"twice the same":            {ok, []Part{text("root", "")}, "two parts"},
		"envelope that is no XML":   {Part{ID: "root", Type: "application/soap+xml", Open: ok.Open}, nil, "text/xml"},
	} {
		_, err := NewBody(tc.root, tc.files)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one that names %q", name, err, tc.want)
		}
	}
	if _, err := NewBody(ok, []Part{text("a", "1")}); err != nil {
		t.Errorf("good parts: %v", err)
	}
}

// TestBodyFailures: what goes wrong with a content reaches the reader of the message, with the part's name, and the
// part is closed.
func TestBodyFailures(t *testing.T) {
	broken := errors.New("disk gone")
	closed := 0
	open := func(r io.Reader) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return closer{r, &closed}, nil }
	}
	for name, tc := range map[string]struct {
		file Part
		want string
	}{
		"does not open": {Part{ID: "f", Size: -1, Open: func() (io.ReadCloser, error) { return nil, broken }}, "disk gone"},
		"breaks":        {Part{ID: "f", Size: -1, Open: open(iotest.ErrReader(broken))}, "disk gone"},
		"breaks with io.ErrUnexpectedEOF": {Part{ID: "f", Size: -1, Encoding: "base64",
			Open: open(io.MultiReader(strings.NewReader("abcd"), iotest.ErrReader(io.ErrUnexpectedEOF)))}, "unexpected EOF"},
		"too short": {Part{ID: "f", Size: 5, Open: open(strings.NewReader("1234"))}, "5 octets announced"},
		"too long":  {Part{ID: "f", Size: 3, Encoding: "base64", Open: open(strings.NewReader("1234"))}, "3 octets announced"},
	} {
		closed = 0
		body, err := NewBody(text("root", "<a/>"), []Part{tc.file})
		if err != nil {
			t.Fatal(err)
		}
		stream, _ := body.Open()
		_, err = io.Copy(io.Discard, stream)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `part "f"`) {
			t.Errorf("%s: %v", name, err)
		}
		if closed != 1 && name != "does not open" {
			t.Errorf("%s: closed %d times", name, closed)
		}
		if n, again := stream.Read(make([]byte, 8)); n != 0 || again != err {
			t.Errorf("%s: read on: %d, %v", name, n, again)
		}
	}
}

// TestBodyClose closes a message in the middle of a part, as HTTP does when the other end hangs up.
func TestBodyClose(t *testing.T) {
	closed := 0
	body, err := NewBody(text("root", "<a/>"), []Part{{ID: "f", Size: -1, Open: func() (io.ReadCloser, error) {
		return closer{zeros{}, &closed}, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if body.Size() != -1 {
		t.Errorf("Size %d of a message with a part of unknown size", body.Size())
	}
	stream, _ := body.Open()
	if _, err := io.CopyN(io.Discard, stream, 1000); err != nil {
		t.Fatal(err)
	}
	if err := stream.Close(); err != nil || closed != 1 {
		t.Errorf("Close: %v, part closed %d times", err, closed)
	}
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read after Close: %v", err)
	}
}

type closer struct {
	io.Reader
	n *int
}

func (c closer) Close() error { *c.n++; return nil }

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
