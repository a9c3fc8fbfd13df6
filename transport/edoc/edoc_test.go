package edoc

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lienthong/lienthong/edxml"
)

// TestUnwrap tells base64 text from files.
func TestUnwrap(t *testing.T) {
	long := strings.Repeat("%PDF-1.7 \x00\xff", 3000)
	encode := base64.StdEncoding.EncodeToString
	folded := func(s string) string {
		var b strings.Builder
		for text := encode([]byte(s)); text != ""; {
			n := min(76, len(text))
			b.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
		return b.String()
	}
	for name, tc := range map[string]struct{ in, want string }{
		"empty":                 {"", ""},
		"short file":            {"%PDF-1.7", "%PDF-1.7"},
		"short text":            {encode([]byte("xin chào")), "xin chào"},
		"short text, folded":    {folded("xin chào"), "xin chào"},
		"long file":             {long, long},
		"long text":             {encode([]byte(long)), long},
		"long text, folded":     {folded(long), long},
		"text file":             {strings.Repeat("một dòng\n", 2000), strings.Repeat("một dòng\n", 2000)},
		"looks like it, odd":    {"abcde", "abcde"},
		"padding in the middle": {"YQ==YQ==", "YQ==YQ=="},
		"only padding":          {"====", "===="},
	} {
		r, err := unwrap(iotest.HalfReader(strings.NewReader(tc.in)))
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %d octets, %v; want %d", name, len(got), err, len(tc.want))
		}
	}
	var r io.Reader
	var err error
	for end, want := range map[string]string{"QU!D": "does not go on as such", "QU": "in the middle of a group"} {
		if r, err = unwrap(strings.NewReader(strings.Repeat("QUJD", 2000) + end)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("text that stops being base64 with %q: %v", end, err)
		}
	}
	broken := io.MultiReader(strings.NewReader(strings.Repeat("QUJD", 2000)), iotest.ErrReader(io.ErrNoProgress))
	if r, err = unwrap(broken); err == nil {
		_, err = io.ReadAll(r)
	}
	if err != io.ErrNoProgress {
		t.Errorf("a wire that breaks: %v", err)
	}
}

// TestUnwrapAtTheEdge: base64 text is told from a file wherever it ends, also
// just where the part that is looked at ends, or in its line end.
func TestUnwrapAtTheEdge(t *testing.T) {
	for n := sniff/4*3 - 140; n < sniff/4*3+10; n++ {
		file := bytes.Repeat([]byte{'%', 0xea}, n/2+1)[:n]
		text := base64.StdEncoding.EncodeToString(file)
		var lines strings.Builder
		for rest := text; rest != ""; rest = rest[min(76, len(rest)):] {
			lines.WriteString(rest[:min(76, len(rest))] + "\r\n")
		}
		for form, sent := range map[string]string{"one line": text, "one line and its end": text + "\r\n", "two ends": text + "\n\n", "lines of 76": lines.String()} {
			r, err := unwrap(strings.NewReader(sent))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, file) {
				t.Errorf("%d octets in %s of %d: %d octets read, %v", n, form, len(sent), len(got), err)
			}
		}
	}
}

// FuzzEncoder reads back what the encoder wrote, through the sniffing too.
func FuzzEncoder(f *testing.F) {
	for _, seed := range []string{"", "a", "ab", "abc", "%PDF-1.7", strings.Repeat("x", 24<<10), strings.Repeat("y", 24<<10+1)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := io.ReadAll(iotest.OneByteReader(newEncoder(bytes.NewReader(data))))
		if err != nil || string(text) != base64.StdEncoding.EncodeToString(data) || int64(len(text)) != encodedSize(int64(len(data))) {
			t.Fatalf("%q, %v", text, err)
		}
		r, err := unwrap(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(r); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%q, %v", back, err)
		}
	})
}

// FuzzOutline reads any bytes as a message: what is cut out must leave a
// message that has no token any more and is otherwise the same.
func FuzzOutline(f *testing.F) {
	head := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:edXML="http://www.e-doc.vn/Schema/" xmlns:xlink="http://www.w3.org/1999/xlink"><s:Header>`
	for _, seed := range []string{
		head + tokenHeader("H41", "t") + `</s:Header><s:Body><edXML:Manifest><edXML:Reference xlink:href="cid:cid:a"/></edXML:Manifest></s:Body></s:Envelope>`,
		head + `<Token>t</Token><Signature><KeyInfo/></Signature></s:Header><s:Body/></s:Envelope>`,
		head + `</s:Header><s:Body><Status><From/></Status></s:Body></s:Envelope>`,
		`<!DOCTYPE x><x/>`, ``, "\xef\xbb\xbf<a/>", `7283<?xml version="1.0"?><a/>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := outline(data)
		if err != nil {
			return
		}
		_, carriers := e.tokens()
		rest := e.without(carriers)
		again, err := outline(rest)
		if err != nil {
			t.Fatalf("%v\n%q\n%q", err, data, rest)
		}
		if c, more := again.tokens(); len(more) != 0 || c.Token != "" {
			t.Fatalf("a token is left in %q", rest)
		}
		if len(again.header)+len(carriers) != len(e.header) || len(again.body) != len(e.body) || len(again.hrefs) != len(e.hrefs) {
			t.Fatalf("%q\n%q", data, rest)
		}
	})
}

// TestOutline knows what stands where, in the dialects of the wild.
func TestOutline(t *testing.T) {
	e, err := outline([]byte("\xef\xbb\xbf" + `<?xml version="1.0"?><E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><!-- x --><E:Header>
	 <Signature><KeyInfo><OrganId> H41 </OrganId><Token>first</Token></KeyInfo></Signature>
	 <edXML:Signature xmlns:edXML="http://www.e-doc.vn/Schema/"><edXML:KeyInfo><edXML:OrganId>H41</edXML:OrganId><edXML:Token> last
	 </edXML:Token></edXML:KeyInfo></edXML:Signature></E:Header><E:Body>
	 <Manifest><Reference xlink:href="cid:a@b"/><Reference href="cid:cid:c"/><Reference href="d"/><x><Reference href="no"/></x></Manifest></E:Body></E:Envelope>`))
	if err != nil {
		t.Fatal(err)
	}
	c, carriers := e.tokens()
	if c.Organ != "H41" || c.Token != "last" || len(carriers) != 2 {
		t.Errorf("%+v in %d blocks", c, len(carriers))
	}
	if got := strings.Join(e.hrefs, " "); got != "a@b c d" {
		t.Errorf("references %q", got)
	}
	if rest := string(e.without(carriers)); strings.Contains(rest, "Token") || !strings.Contains(rest, "<!-- x -->") {
		t.Errorf("%s", rest)
	}
}

// TestSecrets prints what holds a token and finds none in it.
func TestSecrets(t *testing.T) {
	for _, v := range []any{credential{"H41", "s3cret"}, &Client{Token: "s3cret"}} {
		if text := fmt.Sprintf("%v %+v %#v %s", v, v, v, v); strings.Contains(text, "s3cret") {
			t.Error(text)
		}
	}
}

// TestClip keeps stack traces and binary out of errors.
func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		" a ": "a", "a\nb\nc": "a …", "": "", strings.Repeat("ệ", 200): strings.Repeat("ệ", 133) + " …",
	} {
		if got := clip(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := element("a", "\x00<&>\xff"); got != "<a>\uFFFD&lt;&amp;&gt;\uFFFD</a>" {
		t.Errorf("%q", got)
	}
	if say(edxml.Text{VI: "%d một", EN: "%d one"}, 1) != "1 một / 1 one" {
		t.Error("say")
	}
}
