package soap

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// part is an Incoming whose content has been read.
type part struct {
	Root              bool
	ID, Type, Content string
}

// readAll reads a whole message. A failing content ends it, with the parts before it.
func readAll(contentType string, body io.Reader, limits Limits) ([]part, error) {
	m, err := Read(contentType, body, limits)
	if err != nil {
		return nil, err
	}
	var parts []part
	for {
		in, err := m.Next()
		if err == io.EOF {
			return parts, m.Close()
		}
		if err != nil {
			return parts, errors.Join(err, m.Close())
		}
		content, err := io.ReadAll(in.Content)
		if err != nil {
			return parts, errors.Join(err, m.Close())
		}
		parts = append(parts, part{in.Root, in.ID, in.Type, string(content)})
	}
}

// crlf writes a message with the line ends of the wire.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") }

// TestReadTolerance reads what is on the wire beside the form that Body writes.
func TestReadTolerance(t *testing.T) {
	const envelope = "<Envelope/>"
	root := part{Root: true, ID: "Start", Type: "text/xml; charset=utf-8", Content: envelope}
	for name, tc := range map[string]struct {
		contentType, body string
		want              []part
	}{
		"one part, start without brackets, no spaces": {
			`multipart/related;type="text/xml";boundary="Boundary";start="Start"`,
			crlf("--Boundary", "Content-Type: text/xml; charset=utf-8", "Content-Transfer-Encoding: 8bit", "Content-ID:<Start>", "", envelope, "--Boundary--"),
			[]part{root},
		},
		"everything bare": {
			`Multipart/Related; Boundary=----=_Part_1.2; START=<Start>; type=text/xml`,
			crlf("------=_Part_1.2", "Content-Type: text/xml; charset=utf-8", "Content-Id: Start", "", envelope, "------=_Part_1.2--", ""),
			[]part{root},
		},
		"no start: the first part, which has no Content-ID": {
			`multipart/related; boundary=b`,
			crlf("--b", "Content-Type: text/xml", "", envelope, "--b", "Content-ID: <f>", "", "1", "--b--", ""),
			[]part{{Root: true, Type: "text/xml", Content: envelope}, {ID: "f", Content: "1"}},
		},
		"preamble, epilogue, blanks after the boundary": {
			`multipart/related; boundary=b`,
			crlf("This is a message in MIME format.", "", "--b  ", "Content-Type: text/xml", "", envelope, "--b--", "the end"),
			[]part{{Root: true, Type: "text/xml", Content: envelope}},
		},
		"the envelope comes last": {
			`multipart/related; boundary=b; start="<Start>"`,
			crlf("--b", "Content-ID: <1>", "", "one", "--b", "Content-ID: <2>", "Content-Transfer-Encoding: base64", "", "dHdv", "--b",
				"Content-Type: text/xml; charset=utf-8", "Content-ID: <Start>", "", envelope, "--b--", ""),
			[]part{root, {ID: "1", Content: "one"}, {ID: "2", Content: "two"}},
		},
		"the envelope in the middle": {
			`multipart/related; boundary=b; start="<Start>"`,
			crlf("--b", "Content-ID: <1>", "", "one", "--b", "Content-Type: text/xml; charset=utf-8", "Content-ID: <Start>", "", envelope,
				"--b", "Content-ID: <2>", "", "", "--b--", ""),
			[]part{root, {ID: "1", Content: "one"}, {ID: "2", Content: ""}},
		},
		"encodings": {
			`multipart/related; boundary=b`,
			crlf("--b", "Content-Type: text/xml", "Content-Transfer-Encoding: Quoted-Printable", "", "<Envelope/=", ">", "--b",
				"Content-Transfer-Encoding: BASE64 ", "", "VsSDbiBi", "4bqjbg==", "", "--b",
				"Content-Transfer-Encoding: 7bit", "", "7", "--b", "Content-Transfer-Encoding: binary", "", "\x00\r\n-\xff", "--b--", ""),
			[]part{{Root: true, Type: "text/xml", Content: envelope}, {Content: "Văn bản"}, {Content: "7"}, {Content: "\x00\r\n-\xff"}},
		},
		"lines end in LF": {
			`multipart/related; boundary=b`,
			"--b\nContent-Type: text/xml\n\n" + envelope + "\n--b--\n",
			[]part{{Root: true, Type: "text/xml", Content: envelope}},
		},
		"MTOM": {
			`multipart/related; type="application/xop+xml"; start-info="text/xml"; boundary="b"`,
			crlf("--b", `Content-Type: application/xop+xml; type="text/xml"`, "", envelope, "--b--"),
			[]part{{Root: true, Type: `application/xop+xml; type="text/xml"`, Content: envelope}},
		},
		"MTOM, included from before and from behind": {
			`multipart/related; type="application/xop+xml"; start="<r>"; boundary="b"`,
			crlf("--b", "Content-ID: <a@x>", "", "AB", "--b", "Content-ID: <r>", `Content-Type: application/xop+xml; type="text/xml"`, "",
				`<E xmlns:x="http://www.w3.org/2004/08/xop/include"><A><x:Include href="cid:c%40x"/></A> <B><x:Include href="cid:a@x"></x:Include></B></E>`,
				"--b", "Content-ID: <other>", "", "1", "--b", "Content-ID: <c@x>", "Content-Transfer-Encoding: binary", "", "xin chào", "--b", "Content-ID: <last>", "", "2", "--b--"),
			[]part{{Root: true, ID: "r", Type: `application/xop+xml; type="text/xml"`,
				Content: `<E xmlns:x="http://www.w3.org/2004/08/xop/include"><A>eGluIGNow6Bv</A> <B>QUI=</B></E>`},
				{ID: "other", Content: "1"}, {ID: "last", Content: "2"}},
		},
		"the envelope alone":      {"text/xml; charset=utf-8", envelope, []part{{Root: true, Type: "text/xml; charset=utf-8", Content: envelope}}},
		"alone, application/xml":  {"application/xml", envelope, []part{{Root: true, Type: "application/xml", Content: envelope}}},
		"alone, a bare parameter": {"text/xml; charset", envelope, []part{{Root: true, Type: "text/xml; charset", Content: envelope}}},
	} {
		got, err := readAll(tc.contentType, strings.NewReader(tc.body), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestReadRefuses: each broken message gets its typed error.
func TestReadRefuses(t *testing.T) {
	const related = `multipart/related; boundary=b; start=r`
	const root = "--b\r\nContent-ID: <r>\r\nContent-Type: text/xml\r\n\r\n<Envelope/>\r\n"
	for name, tc := range map[string]struct {
		contentType, body string
		want              error
	}{
		"SOAP 1.2 alone":               {"application/soap+xml", "<a/>", ErrVersion},
		"SOAP 1.2 as type":             {`multipart/related; type="application/soap+xml"; boundary=b`, root + "--b--", ErrVersion},
		"SOAP 1.2 over MTOM":           {`multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary=b`, root + "--b--", ErrVersion},
		"SOAP 1.2 as root part":        {related, "--b\r\nContent-ID: r\r\nContent-Type: application/soap+xml\r\n\r\n<a/>\r\n--b--", ErrVersion},
		"HTML":                         {"text/html", "<html>502</html>", &ContentTypeError{Type: "text/html"}},
		"no Content-Type":              {"", "", &ContentTypeError{}},
		"root part is no XML":          {related, "--b\r\nContent-ID: r\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--b--", &ContentTypeError{Type: "application/pdf"}},
		"no boundary":                  {"multipart/related", root, ErrMalformed},
		"endless boundary":             {"multipart/related; boundary=" + strings.Repeat("b", 201), root, ErrMalformed},
		"two boundaries":               {"multipart/related; boundary=b; boundary=c", root, ErrMalformed},
		"open quote":                   {`multipart/related; boundary="b`, root, ErrMalformed},
		"empty body":                   {related, "", ErrTruncated},
		"no closing boundary":          {related, root, ErrTruncated},
		"cut in the closing boundary":  {related, root + "--b-", ErrTruncated},
		"cut in the envelope":          {related, root[:len(root)-6], ErrTruncated},
		"cut in a header":              {related, root + "--b\r\nContent-Ty", ErrTruncated},
		"cut in a file":                {related, root + "--b\r\nContent-ID: f\r\n\r\n1234", ErrTruncated},
		"cut in a base64 file":         {related, root + "--b\r\nContent-ID: f\r\nContent-Transfer-Encoding: base64\r\n\r\nMTIz", ErrTruncated},
		"header without colon":         {related, root + "--b\r\nnonsense\r\n\r\n\r\n--b--", ErrMalformed},
		"text where a part should be":  {related, root + "--b\r\n--bb", ErrTruncated},
		"no envelope":                  {`multipart/related; boundary=b; start=x`, root + "--b--", ErrMalformed},
		"no parts":                     {related, "--b--\r\n", ErrMalformed},
		"not base64":                   {related, root + "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nMT!z\r\n--b--", ErrMalformed},
		"base64 that stops":            {related, root + "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nMTI\r\n--b--", ErrMalformed},
		"unknown transfer encoding":    {related, root + "--b\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nMTI\r\n--b--", ErrMalformed},
		"same Content-ID":              {related, root + "--b\r\nContent-ID: <f>\r\n\r\n\r\n--b\r\nContent-ID:f\r\n\r\n\r\n--b--", &DuplicateError{ID: "f"}},
		"two envelopes":                {related, root + root + "--b--", &DuplicateError{ID: "r"}},
		"too long an envelope":         {related, strings.Replace(root, "<Env", strings.Repeat(" ", 100), 1) + "--b--", &LimitError{"envelope", 80}},
		"too long an envelope, alone":  {"text/xml", strings.Repeat(" ", 81), &LimitError{"envelope", 80}},
		"too long a file":              {related, root + "--b\r\n\r\n" + strings.Repeat("x", 101) + "\r\n--b--", &LimitError{"part", 100}},
		"too long before the envelope": {related, "--b\r\n\r\n" + strings.Repeat("x", 101) + "\r\n" + root + "--b--", &LimitError{"part", 100}},
		"too much before the envelope": {related, strings.Repeat("--b\r\n\r\n"+strings.Repeat("x", 60)+"\r\n", 3) + root + "--b--", &LimitError{"spool", 150}},
		"included, not there":          {related, include("x") + "--b--", ErrMalformed},
		"included twice":               {related, include("f", "f") + "--b\r\nContent-ID: f\r\n\r\n1\r\n--b--", ErrMalformed},
		"too large an inclusion":       {related, include("f") + "--b\r\nContent-ID: f\r\n\r\n" + strings.Repeat("1", 99) + "\r\n--b--", &LimitError{"envelope", 180}},
		"too long a message":           {related, root + strings.Repeat("--b\r\n\r\n"+strings.Repeat("x", 99)+"\r\n", 4) + "--b--", &LimitError{"message", 400}},
		"too many parts":               {related, root + strings.Repeat("--b\r\n\r\n1\r\n", 6) + "--b--", &LimitError{"parts", 5}},
		"too long a header":            {related, root + "--b\r\nX: " + strings.Repeat("x", 64) + "\r\n\r\n1\r\n--b--", &LimitError{"header", 64}},
	} {
		limits := Limits{Envelope: 80, Part: 100, Message: 400, Parts: 5, Header: 64, Spool: 150}
		if strings.Contains(name, "inclu") {
			limits.Envelope = 180
		}
		_, err := readAll(tc.contentType, strings.NewReader(tc.body), limits)
		if !same(err, tc.want) {
			t.Errorf("%s: error %v, want %v", name, err, tc.want)
		}
	}
}

// include is the root part of a message in MTOM that includes the parts with these Content-IDs.
func include(ids ...string) string {
	text := "--b\r\nContent-ID: <r>\r\nContent-Type: application/xop+xml\r\n\r\n" + `<E xmlns:x="` + namespaceXOP + `">`
	for _, id := range ids {
		text += `<x:Include href="cid:` + id + `"/>`
	}
	return text + "</E>\r\n"
}

// same compares an error with a sentinel, or with a typed error by value.
func same(err, want error) bool {
	switch want := want.(type) {
	case *LimitError:
		got, ok := errors.AsType[*LimitError](err)
		return ok && *got == *want
	case *DuplicateError:
		got, ok := errors.AsType[*DuplicateError](err)
		return ok && *got == *want
	case *ContentTypeError:
		got, ok := errors.AsType[*ContentTypeError](err)
		return ok && *got == *want
	}
	return errors.Is(err, want)
}

// TestLimitsAreExact: what just reaches a limit is read.
func TestLimitsAreExact(t *testing.T) {
	const body = "--b\r\nContent-ID: <r>\r\nContent-Type: text/xml\r\n\r\n<Envelope/>\r\n--b\r\nX: 45678\r\n\r\n12345678\r\n--b--"
	exact := Limits{Envelope: 11, Part: 8, Message: int64(len(body)), Parts: 1, Header: len("Content-Id: <r>\r\nContent-Type: text/xml\r\n")}
	if parts, err := readAll("multipart/related; boundary=b", strings.NewReader(body), exact); err != nil || len(parts) != 2 {
		t.Errorf("%d parts, %v", len(parts), err)
	}
	for name, change := range map[string]func(*Limits){
		"envelope": func(l *Limits) { l.Envelope-- }, "part": func(l *Limits) { l.Part-- },
		"message": func(l *Limits) { l.Message-- }, "header": func(l *Limits) { l.Header-- },
	} {
		limits := exact
		change(&limits)
		_, err := readAll("multipart/related; boundary=b", strings.NewReader(body), limits)
		if got, ok := errors.AsType[*LimitError](err); !ok || got.Limit != name {
			t.Errorf("%s one below: %v", name, err)
		}
	}
}

// TestBombs sends what is made to fill memory, with the default limits, and looks at how much was taken from the wire.
func TestBombs(t *testing.T) {
	const related = "multipart/related; boundary=b"
	const root = "--b\r\nContent-Type: text/xml\r\n\r\n<Envelope/>\r\n"
	for name, tc := range map[string]struct {
		body io.Reader
		want string
		most int64 // octets taken from the wire
	}{
		"a header line without end":  {io.MultiReader(strings.NewReader(root+"--b\r\nX: "), zeros{}), "header", 256 << 10},
		"a header of endless lines":  {io.MultiReader(strings.NewReader(root+"--b\r\n"), &repeat{"X: y\r\n", 0}), "header", 256 << 10},
		"a preamble of empty lines":  {&repeat{"\r\n", 0}, "header", 256 << 10},
		"10,000 tiny parts":          {strings.NewReader(root + strings.Repeat("--b\r\n\r\n\r\n", 10_000) + "--b--"), "parts", 256 << 10},
		"parts before an envelope":   {&repeat{"--b\r\n\r\n\r\n", 0}, "parts", 256 << 10},
		"an envelope without end":    {io.MultiReader(strings.NewReader("--b\r\nContent-Type: text/xml\r\n\r\n"), zeros{}), "envelope", 33 << 20},
		"an envelope alone, endless": {zeros{}, "envelope", 33 << 20},
	} {
		wire := &counter{src: tc.body}
		contentType := related
		switch name {
		case "an envelope alone, endless":
			contentType = "text/xml"
		case "parts before an envelope":
			contentType += "; start=r"
		}
		m, err := Read(contentType, wire, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			var in *Incoming
			if in, err = m.Next(); err == nil {
				_, err = io.Copy(io.Discard, in.Content)
			}
		}
		if got, ok := errors.AsType[*LimitError](err); !ok || got.Limit != tc.want || wire.n > tc.most {
			t.Errorf("%s: %v after %d octets, want the limit %q within %d", name, err, wire.n, tc.want, tc.most)
		}
		if err := m.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// repeat yields a text over and over.
type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}

// TestSpoolIsRemoved: the file of the parts before the envelope goes with Close, read to the end or not.
func TestSpoolIsRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	const body = "--b\r\nContent-ID: f\r\n\r\n1\r\n--b\r\nContent-ID: r\r\nContent-Type: text/xml\r\n\r\n<Envelope/>\r\n--b--"
	for _, cut := range []int{len(body), len(body) - 5, 30} {
		m, err := Read("multipart/related; boundary=b; start=r", strings.NewReader(body[:cut]), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Next()
		if (err == nil) != (cut > 60) || files() != 1 {
			t.Errorf("cut at %d: %v, %d files", cut, err, files())
		}
		if err := m.Close(); err != nil || files() != 0 {
			t.Errorf("cut at %d: Close %v, %d files left", cut, err, files())
		}
		if _, err := m.Next(); err == nil {
			t.Error("Next after Close")
		}
	}
}

// TestNextSkips: a part that was not read, or only begun, does not stand in the way; errors stay.
func TestNextSkips(t *testing.T) {
	body := "--b\r\nContent-Type: text/xml\r\n\r\n" + strings.Repeat("<a/>", 50_000) + "\r\n--b\r\nContent-ID: f\r\n\r\n12345\r\n--b--"
	m, err := Read("multipart/related; boundary=b", strings.NewReader(body), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	first, err := m.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first.Content, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	second, err := m.Next()
	if err != nil || second.ID != "f" {
		t.Fatalf("%+v, %v", second, err)
	}
	for range 2 {
		if _, err := m.Next(); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
	}
}

// TestWireErrors: the error of the connection comes through, and a Content-Length that lies is a truncation.
func TestWireErrors(t *testing.T) {
	reset := errors.New("connection reset")
	const head = "--b\r\nContent-Type: text/xml\r\n\r\n<Env"
	for _, tc := range []struct{ wire, want error }{{reset, reset}, {io.ErrUnexpectedEOF, ErrTruncated}} {
		for _, contentType := range []string{"multipart/related; boundary=b", "text/xml"} {
			_, err := readAll(contentType, io.MultiReader(strings.NewReader(head), failing{tc.wire}), Limits{})
			if !errors.Is(err, tc.want) || !errors.Is(err, tc.wire) {
				t.Errorf("%s, %v: %v", contentType, tc.wire, err)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
