package edxml_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lienthong/lienthong/edxml"
)

// pdf makes something like a PDF of a version, with signature dictionaries far
// apart.
func pdf(version string, signatures int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", version)
	for i := range signatures {
		b.WriteString(strings.Repeat("0 0 m /Byte 1 0 l\n", 40+30*i))
		fmt.Fprintf(&b, "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached\n/ByteRange\r\n[0 %d\t%d 96 ] /Contents <30> >>\n", 840+i, 960)
	}
	return b.String() + "%%EOF\n"
}

func stamp(text string) string {
	return strings.Replace(text, "/adbe.pkcs7.detached", "/ETSI.RFC3161", 1)
}

// seenIn reads a packet whose only file has this content, in pieces as they
// come.
func seenIn(t testing.TB, content string, pieces func(io.Reader) io.Reader) *edxml.PDF {
	t.Helper()
	d := soundDocument()
	d.Attachments = []edxml.Attachment{{Name: "a.pdf", Content: strings.NewReader(content)}}
	p, err := edxml.Read(pieces(strings.NewReader(write(t, edxml.Write, d))), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Document.Attachments[0].PDF
}

func whole(r io.Reader) io.Reader { return r }

func TestPDF(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          *edxml.PDF
	}{
		{"two signatures", pdf("1.7", 2), &edxml.PDF{Version: "1.7", Signatures: 2}},
		{"five, over many windows", pdf("1.4", 5), &edxml.PDF{Version: "1.4", Signatures: 5}},
		{"none", pdf("2.0", 0), &edxml.PDF{Version: "2.0"}},
		{"one of two is a time stamp", stamp(pdf("1.7", 2)), &edxml.PDF{Version: "1.7", Signatures: 1}},
		{"prepared, never signed", strings.Replace(pdf("1.7", 2), "[0 840", "[0 /********", 1), &edxml.PDF{Version: "1.7", Signatures: 1}},
		{"the name alone", strings.Replace(pdf("1.7", 1), "[0 840", "(0 840", 1), &edxml.PDF{Version: "1.7"}},
		{"junk before the header", strings.Repeat("x", 900) + pdf("1.5", 1), &edxml.PDF{Version: "1.5", Signatures: 1}},
		{"the catalog knows better", strings.Replace(pdf("1.3", 0), "/Catalog", "/Catalog /Version /1.6", 1), &edxml.PDF{Version: "1.6"}},
		{"the catalog knows less", strings.Replace(pdf("1.3", 0), "/Catalog", "/Catalog /Version /1.2", 1), &edxml.PDF{Version: "1.3"}},
		{"only a header", "%PDF-1.0", &edxml.PDF{Version: "1.0"}},
		{"no version", "%PDF-x.y\n/ByteRange [0 1 2 3]", nil},
		{"text", "Nói về %PDF và /ByteRange [0 1 2 3]", nil},
		{"header too late", strings.Repeat("x", 1100) + pdf("1.5", 1), nil},
	} {
		for how, pieces := range map[string]func(io.Reader) io.Reader{"whole": whole, "one byte": iotest.OneByteReader, "half": iotest.HalfReader} {
			got := seenIn(t, c.content, pieces)
			if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("%s, %s: %+v, want %+v", c.name, how, got, c.want)
			}
		}
	}
}

// TestPDFAnywhere moves a signature over every place that the reader's pieces
// and the window can cut.
func TestPDFAnywhere(t *testing.T) {
	for pad := range 700 {
		content := "%PDF-1.7\n" + strings.Repeat("/", 700+pad) + "/ByteRange [0 1 2 3]" + strings.Repeat("/", 1400-pad)
		if got := seenIn(t, content, whole); got == nil || got.Signatures != 1 {
			t.Fatalf("after %d bytes: %+v", 709+pad, got)
		}
	}
	var big bytes.Buffer
	big.WriteString("%PDF-1.7\n")
	for big.Len() < 300<<10 { // many buffers of whoever reads
		big.WriteString(strings.Repeat("z", 997) + "/ByteRange[0 1 2 3]")
	}
	if got := seenIn(t, big.String(), whole); got.Signatures != strings.Count(big.String(), "/ByteRange") {
		t.Errorf("%d signatures, want %d", got.Signatures, strings.Count(big.String(), "/ByteRange"))
	}
}

// TestPDFRules judges what passed by.
func TestPDFRules(t *testing.T) {
	type file struct{ name, content string }
	for _, c := range []struct {
		name, typeName, notation string
		files                    []file
		want                     string
	}{
		{"signed twice, an annex signed once", "Báo cáo", "BC-TTTH", []file{{"a.pdf", pdf("1.7", 2)}, {"b.pdf", pdf("1.3", 1)}}, ""},
		{"signed once", "Báo cáo", "BC-TTTH", []file{{"a.pdf", pdf("1.7", 1)}}, "SIG-4 Attachment[1]"},
		{"an annex without a signature", "Báo cáo", "BC-TTTH", []file{{"a.pdf", pdf("1.7", 2)}, {"b.pdf", pdf("1.7", 0)}, {"c.xls", "xls"}}, "ATT-3 Attachment[2]"},
		{"an old copy, by its kind", "Bản sao y", "BC-TTTH", []file{{"a.pdf", pdf("1.3", 2)}}, "DOC-4a Code/CodeNotation|ATT-2 Attachment[1]"},
		{"an old copy, by its notation", "", "TrS-TTTH", []file{{"a.pdf", pdf("1.3", 2)}}, "ATT-2 Attachment[1]"},
		{"a copy", "Bản sao y", "SY-TTTH", []file{{"a.pdf", pdf("1.4", 2)}}, ""},
		{"the document is no PDF", "Báo cáo", "BC-TTTH", []file{{"a.docx", "PK"}}, ""},
	} {
		d := soundDocument()
		d.DocumentType.TypeName, d.Code.CodeNotation = c.typeName, c.notation
		d.Attachments = nil
		for _, f := range c.files {
			d.Attachments = append(d.Attachments, edxml.Attachment{Name: f.name, Content: strings.NewReader(f.content)})
		}
		p, err := edxml.Read(strings.NewReader(write(t, edxml.Write, d)), edxml.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range edxml.Validate(p, now) {
			if f.Rule == "SIG-1" || strings.HasPrefix(f.Rule, "STR-") {
				continue
			}
			if got = append(got, f.Rule+" "+f.Path); f.Pos.Line < 1 || strings.Contains(f.Message.VI+f.Message.EN, "%!") {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// FuzzPDF: whatever the file and however it comes, what is told of it is the
// same.
func FuzzPDF(f *testing.F) {
	for n := range 3 {
		f.Add(pdf("1.3", n))
		f.Add(stamp(pdf("1.7", n)))
	}
	f.Add("%PDF-1.3 /Version/1.9 /ByteRange [ 1 2 3 4 ] /ByteRange [")
	f.Fuzz(func(t *testing.T, content string) {
		all, single := seenIn(t, content, whole), seenIn(t, content, iotest.OneByteReader)
		if (all == nil) != (single == nil) || all != nil && *all != *single {
			t.Errorf("%+v whole, %+v byte by byte", all, single)
		}
	})
}
