package edxml_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
)

// maker makes values at random: whatever a packet can hold.
type maker struct{ *rand.Rand }

// text is text that is not blank and has no white space at its ends, which a
// reader takes for layout.
func (m maker) text() string {
	pieces := []string{"Ủy ban", "nhân dân", "<", ">", "&", "]]>", `"`, "'", "\n", "\r", "\r\n", "\t", " ", "𝒳", "e\u0323", "cid:", "&amp;", "<!--", "0", "-"}
	for {
		var b strings.Builder
		for range 1 + m.IntN(6) {
			b.WriteString(pieces[m.IntN(len(pieces))])
		}
		if s := strings.Trim(b.String(), " \t\r\n"); s != "" {
			return s
		}
	}
}

// fill gives every exported field of a struct a value or leaves it empty.
func (m maker) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if _, number := v.Interface().(interface{ Int() (int, bool) }); number {
			v.SetString(fmt.Sprint(m.IntN(20)))
		} else if m.IntN(3) > 0 {
			v.SetString(m.text())
		}
	case reflect.Pointer:
		if m.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			m.fill(v.Elem())
		}
	case reflect.Slice:
		for range m.IntN(4) {
			item := reflect.New(v.Type().Elem()).Elem()
			if m.fill(item); item.Kind() == reflect.String && item.Len() == 0 {
				item.SetString(m.text())
			}
			v.Set(reflect.Append(v, item))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			m.fill(v.Field(i))
		}
	}
}

// document is a Document that both profiles can say: what is left out here is
// what has no form on the wire.
func (m maker) document() *edxml.Document {
	d := &edxml.Document{}
	m.fill(reflect.ValueOf(d).Elem())
	d.OtherInfo.Secret = "" // never written
	d.Errors = nil          // in the one profile only, see TestErrorList
	if d.Business == nil {
		d.Business = &edxml.Business{DocType: edxml.New} // absent means new
	}
	d.Extra, d.Business.Extra = m.extra("MessageHeader"), m.extra("Bussiness")
	for i := range d.ResponseFor { // an empty one says nothing
		d.ResponseFor[i].Code = m.text()
	}
	d.Attachments = nil
	for i := range m.IntN(4) {
		content := make([]byte, m.IntN(5000))
		_, _ = rand.NewChaCha8([32]byte{byte(m.Uint32())}).Read(content)
		d.Attachments = append(d.Attachments, edxml.Attachment{
			Name: m.text(), ContentID: fmt.Sprintf("%d@example.vn", i), ContentType: "application/octet-stream", Description: m.text(),
			Size: int64(len(content)), SHA256: sum(string(content)), Content: bytes.NewReader(content),
		})
	}
	return d
}

func (m maker) extra(block string) []edxml.Extra {
	var list []edxml.Extra
	for i := range m.IntN(3) {
		list = append(list, edxml.Extra{Path: block, Name: fmt.Sprintf("Riêng_%d", i), Text: m.text()})
	}
	return list
}

func (m maker) status() *edxml.Status {
	s := &edxml.Status{}
	m.fill(reflect.ValueOf(s).Elem())
	s.Extra = m.extra("MessageHeader")
	return s
}

// understand reads what a writer wrote, with the parts of d beside it.
func understand(t *testing.T, text string, profile edxml.Profile, d *edxml.Document) *edxml.Document {
	t.Helper()
	var o edxml.ReadOptions
	if profile == edxml.ProfileSOAP {
		o.Parts = partsOf(d)
	}
	p, err := edxml.Read(strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for i := range p.Document.Attachments {
		a := &p.Document.Attachments[i]
		a.DetectedType = ""
	}
	return p.Document
}

const rounds = 300

// TestReadOfWrite: what is written is read as it was, in both profiles; and
// what was read is written as it was read, byte for byte.
func TestReadOfWrite(t *testing.T) {
	for seed := range uint64(rounds) {
		m := maker{rand.New(rand.NewPCG(seed, 3))}
		d := m.document()
		for _, w := range writers {
			text := write(t, w.write, d)
			got := understand(t, text, w.profile, d)
			if diff := cmp.Diff(d, got, ignoreContent); diff != "" {
				t.Fatalf("seed %d, %s (-written +read):\n%s\n%s", seed, w.profile, diff, text)
			}
			for i := range got.Attachments {
				got.Attachments[i].Content = d.Attachments[i].Content
			}
			if again := write(t, w.write, got); again != text {
				t.Fatalf("seed %d, %s, written again:\n%s", seed, w.profile, cmp.Diff(text, again))
			}
		}
		s := m.status()
		text := write(t, edxml.WriteStatus, s)
		p, err := edxml.Read(strings.NewReader(text), edxml.ReadOptions{})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if diff := cmp.Diff(s, p.Status); diff != "" {
			t.Fatalf("seed %d (-written +read):\n%s\n%s", seed, diff, text)
		}
	}
}

// inMemory keeps a content for a test.
func inMemory(a *edxml.Attachment) (io.Reader, error) {
	b, err := io.ReadAll(a.Content)
	return bytes.NewReader(b), err
}

// TestConvert goes from each profile to the other and back: the same fields,
// the same bytes.
func TestConvert(t *testing.T) {
	for seed := range uint64(rounds / 3) {
		d := maker{rand.New(rand.NewPCG(seed, 4))}.document()
		for _, from := range writers {
			for _, to := range writers {
				var o edxml.ReadOptions
				if from.parts {
					o.Parts = partsOf(d)
				}
				r, err := edxml.NewReader(strings.NewReader(write(t, from.write, d)), o)
				if err != nil {
					t.Fatal(err)
				}
				var out strings.Builder
				c, err := edxml.Convert(&out, r, to.profile, inMemory)
				if err != nil {
					t.Fatalf("seed %d, %s to %s: %v", seed, from.profile, to.profile, err)
				}
				got := understand(t, out.String(), to.profile, c)
				if diff := cmp.Diff(d, got, ignoreContent); diff != "" {
					t.Fatalf("seed %d, %s to %s (-before +behind):\n%s", seed, from.profile, to.profile, diff)
				}
			}
		}
	}
}

// TestConvertFixtures converts whatever can be read, and reads it again.
func TestConvertFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, w := range writers {
			r, err := edxml.NewReader(bytes.NewReader(f.doc), f.options())
			if err != nil || r.Packet().Document == nil {
				continue
			}
			var out strings.Builder
			c, err := edxml.Convert(&out, r, w.profile, inMemory)
			if err != nil {
				var fault *edxml.ContentError
				if _, whole := edxml.Read(bytes.NewReader(f.doc), f.options()); whole == nil && !errors.As(err, &fault) {
					t.Errorf("%s to %s: %v", f.name, w.profile, err)
				}
				continue
			}
			got := understand(t, out.String(), w.profile, c)
			if got.Digest() != r.Packet().Document.Digest() {
				t.Errorf("%s to %s: another content digest", f.name, w.profile)
			}
			ids := map[string]bool{}
			for _, a := range c.Attachments {
				if a.ContentID == "" || ids[a.ContentID] {
					t.Errorf("%s to %s: part %q", f.name, w.profile, a.ContentID)
				}
				ids[a.ContentID] = true
			}
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	reader := func(text string, o edxml.ReadOptions) *edxml.Reader {
		r, err := edxml.NewReader(strings.NewReader(text), o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	doc := write(t, edxml.Write, documents()["new"])
	broken := errors.New("đĩa đầy")
	if _, err := edxml.Convert(io.Discard, reader(doc, edxml.ReadOptions{}), edxml.ProfileSOAP, func(*edxml.Attachment) (io.Reader, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a store that fails: %v", err)
	}
	if _, err := edxml.Convert(io.Discard, reader(doc, edxml.ReadOptions{SkipContent: true}), edxml.ProfileSOAP, inMemory); !errors.Is(err, edxml.ErrNoContent) {
		t.Errorf("a reader that skips: %v", err)
	}
	if _, err := edxml.Convert(io.Discard, reader(doc, edxml.ReadOptions{}), "fax", inMemory); err == nil {
		t.Error("an unknown profile is written")
	}
	if _, err := edxml.Convert(io.Discard, reader(doc, edxml.ReadOptions{}), edxml.ProfileQCVN102, func(a *edxml.Attachment) (io.Reader, error) {
		_, err := io.Copy(io.Discard, a.Content)
		return iotest.ErrReader(broken), err
	}); !errors.Is(err, broken) {
		t.Errorf("a store that loses: %v", err)
	}
	if _, err := edxml.Convert(io.Discard, reader(write(t, edxml.WriteStatus, status()), edxml.ReadOptions{}), edxml.ProfileQCVN102, inMemory); err == nil {
		t.Error("a status is converted")
	}
}

// TestExtraNames: a name that XML cannot have is refused, never written.
func TestExtraNames(t *testing.T) {
	for _, name := range []string{"", "a b", "a>", "1a", "p:a"} {
		for _, w := range writers {
			if err := w.write(io.Discard, &edxml.Document{Extra: []edxml.Extra{{Path: "MessageHeader", Name: name}}}); err == nil {
				t.Errorf("%q was written", name)
			}
		}
	}
}

// TestErrorList: what an axis or an older sender put into the ErrorList is kept,
// and written where the profile has a place for it.
func TestErrorList(t *testing.T) {
	d := soundDocument()
	d.Errors = []edxml.ErrorEntry{{Code: "M.Exist", Description: "Văn bản <đã> có"}, {Code: "2"}}
	text := write(t, edxml.WriteEnvelope, d)
	p, err := edxml.Read(strings.NewReader(text), edxml.ReadOptions{Parts: queue([]edxml.Part{{ID: "a", Content: strings.NewReader("x")}})})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.Errors, p.Document.Errors); diff != "" || len(p.Findings) != 0 {
		t.Errorf("%v\n%s", p.Findings, diff)
	}
	if again := write(t, edxml.WriteEnvelope, p.Document); again != text {
		t.Errorf("written again:\n%s", again)
	}
	odd := alter(t, text, "<edXML:ErrorList>", `<edXML:ErrorList id="7"><edXML:Tip>x</edXML:Tip>`)
	if p, err = edxml.Read(strings.NewReader(odd), edxml.ReadOptions{}); err != nil || len(p.Document.Errors) != 2 || len(p.Document.Extra) != 2 {
		t.Errorf("%v, %+v", err, p.Document)
	}
}
