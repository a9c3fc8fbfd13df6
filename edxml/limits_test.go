package edxml_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// single writes a single file around header, manifest and attachments.
func single(header, refs, attachments string) string {
	return `<edXML xmlns="` + edxml.NamespaceQCVN102 + `"><edXMLEnvelope><edXMLHeader>` + header + "</edXMLHeader><edXMLBody><edXMLManifest>" +
		refs + "</edXMLManifest></edXMLBody></edXMLEnvelope><AttachmentEncoded>" + attachments + "</AttachmentEncoded></edXML>"
}

func attachment(id, name, content string) string {
	return "<Attachment><ContentId>" + id + "</ContentId><AttachmentName>" + name + "</AttachmentName><ContentType>application/zip</ContentType><ContentTransferEncoded>" +
		content + "</ContentTransferEncoded></Attachment>"
}

// pack gives a zip of one entry.
func pack(t testing.TB, name string, content io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	w, err := z.Create(name)
	if err == nil {
		_, err = io.Copy(w, content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

const header = "<MessageHeader><From><OrganId>A</OrganId></From></MessageHeader>"

func TestLimits(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	hundred := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'x'}, 100))
	bomb := base64.StdEncoding.EncodeToString(pack(t, "b.txt", io.LimitReader(zeros{}, 11<<20)))
	parts := func(n int) func() (*edxml.Part, error) {
		var list []edxml.Part
		for i := range n {
			list = append(list, edxml.Part{ID: fmt.Sprint(i), Content: strings.NewReader("x")})
		}
		return queue(list)
	}
	envelope := `<e:Envelope xmlns:e="` + edxml.NamespaceSOAP + `"><e:Header>` + header + `</e:Header><e:Body/></e:Envelope>`
	for _, c := range []struct {
		limit  string
		within string // reads with the same limits
		beyond string
		o      edxml.ReadOptions
		much   func() (*edxml.Part, error) // parts for beyond
	}{
		{limit: "attachment", within: single(header, "", attachment("a", "a.txt", hundred)), beyond: single(header, "", attachment("a", "a.txt", hundred+"")+attachment("b", "b.txt", base64.StdEncoding.EncodeToString(make([]byte, 101)))),
			o: edxml.ReadOptions{Limits: edxml.Limits{Attachment: 100}}},
		{limit: "attachment", within: single(header, "", ""), beyond: single(header, "", attachment("b", "b.txt", bomb)), o: edxml.ReadOptions{Limits: edxml.Limits{Attachment: 5 << 20}}},
		{limit: "unzip ratio", within: single(header, "", attachment("b", "b.zip", bomb)), beyond: single(header, "", attachment("b", "b.txt", bomb))},
		{limit: "attachments", within: single(header, "", many(3, attachment("#", "#", ""))), beyond: single(header, "", many(4, attachment("#", "#", ""))),
			o: edxml.ReadOptions{Limits: edxml.Limits{Attachments: 3}}},
		{limit: "attachments", within: single(header, many(3, "<Reference/>"), ""), beyond: single(header, many(4, "<Reference/>"), ""),
			o: edxml.ReadOptions{Limits: edxml.Limits{Attachments: 3}}},
		{limit: "attachments", within: envelope, beyond: envelope, o: edxml.ReadOptions{Limits: edxml.Limits{Attachments: 3}, Parts: parts(3)}, much: parts(4)},
		{limit: "receivers", within: single("<MessageHeader>"+many(3, "<To/>")+"</MessageHeader>", "", ""), beyond: single("<MessageHeader>"+many(4, "<To/>")+"</MessageHeader>", "", ""),
			o: edxml.ReadOptions{Limits: edxml.Limits{Receivers: 3}}},
		{limit: "xml header", within: single(header, "", ""), beyond: single("<MessageHeader><Subject>"+many(40, "0123456789")+"</Subject></MessageHeader>", "", ""),
			o: edxml.ReadOptions{Limits: edxml.Limits{Header: 300}}},
		{limit: "header", within: single(header, "", many(1, attachment("#", strings.Repeat("n", 90), ""))), beyond: single(header, "", many(3, attachment("#", strings.Repeat("n", 90), ""))),
			o: edxml.ReadOptions{Limits: edxml.Limits{Header: 300}}},
		{limit: "xml size", within: single(header, "", ""), beyond: single(header, "", attachment("a", "a", many(200, "QUJD"))),
			o: edxml.ReadOptions{Limits: edxml.Limits{Packet: 500}}},
		{limit: "xml depth", within: single(header, "", ""), beyond: single(many(8, "<Header>")+many(8, "</Header>")+header, "", ""),
			o: edxml.ReadOptions{Limits: edxml.Limits{XML: xmlscan.Limits{Depth: 8}}}},
		{limit: "xml depth", within: single(header, "", ""), beyond: single("<MessageHeader>"+many(101, "<a>")+many(101, "</a>")+"</MessageHeader>", "", "")},
		{limit: "xml elements", within: single(header, "", ""), beyond: single(many(20, "<Extra/>")+header, "", ""),
			o: edxml.ReadOptions{Limits: edxml.Limits{XML: xmlscan.Limits{Elements: 20}}}},
		{limit: "xml text", within: single(header, "", attachment("a", "a", many(2000, "QUJD"))), beyond: single("<MessageHeader><Subject>"+many(200, "0123456789")+"</Subject></MessageHeader>", "", ""),
			o: edxml.ReadOptions{Limits: edxml.Limits{XML: xmlscan.Limits{Text: 1000}}}},
		{limit: "xml attributes", within: single(header, "", ""), beyond: single("<MessageHeader "+many(65, "a#='' ")+"/>", "", "")},
	} {
		t.Run(c.limit, func(t *testing.T) {
			if _, err := edxml.Read(strings.NewReader(c.within), c.o); err != nil {
				t.Errorf("within the limit: %v", err)
			}
			o := c.o
			if c.much != nil {
				o.Parts = c.much
			}
			p, err := edxml.Read(strings.NewReader(c.beyond), o)
			var own *edxml.LimitError
			var scanner *xmlscan.LimitError
			got := ""
			switch {
			case errors.As(err, &own):
				got = own.Limit
			case errors.As(err, &scanner):
				got = "xml " + scanner.Limit
			}
			if got != c.limit || p != nil {
				t.Fatalf("beyond the limit: %v", err)
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("%q", strings.TrimPrefix(c.limit, "xml "))) {
				t.Errorf("the message does not name the limit: %v", err)
			}
		})
	}
}

// TestFindingsAreBounded: a flood of one kind neither grows without end nor
// hides another.
func TestFindingsAreBounded(t *testing.T) {
	flood := strings.Repeat("<Extra/>", 5000)
	p, err := edxml.Read(strings.NewReader(single(flood+header, "<Reference><ContentId>a</ContentId></Reference>", "")), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, f := range p.Findings {
		count[f.Rule]++
	}
	if count["PKT-2"] != 1000 || count["ATT-1"] != 1 || edxml.Worst(p.Findings) != edxml.Error {
		t.Errorf("findings %v, worst %s", count, edxml.Worst(p.Findings))
	}
}

// TestReadErrors: what fails below the packet is an error, never a Finding.
func TestReadErrors(t *testing.T) {
	lost := errors.New("connection lost")
	packed := pack(t, "a.txt", strings.NewReader(strings.Repeat("nội dung ", 5000)))
	envelope := `<e:Envelope xmlns:e="` + edxml.NamespaceSOAP + `"><e:Header>` + header + `</e:Header><e:Body><Manifest><Reference href="cid:a"><AttachmentName>a.txt</AttachmentName></Reference></Manifest></e:Body></e:Envelope>`
	for cut := range len(packed) {
		if cut > 40 && cut < len(packed)-30 && cut%97 != 0 {
			continue
		}
		content := io.MultiReader(bytes.NewReader(packed[:cut]), &failing{lost})
		o := edxml.ReadOptions{Parts: queue([]edxml.Part{{ID: "a", Content: content}})}
		if _, err := edxml.Read(strings.NewReader(envelope), o); !errors.Is(err, lost) {
			t.Errorf("part lost after %d of %d bytes: %v", cut, len(packed), err)
		}
	}
	doc := single(header, "<Reference><ContentId>a</ContentId></Reference>", attachment("a", "a.txt", base64.StdEncoding.EncodeToString(packed)))
	for cut := range len(doc) {
		p, err := edxml.Read(io.MultiReader(strings.NewReader(doc[:cut]), &failing{lost}), edxml.ReadOptions{})
		if !errors.Is(err, lost) || p != nil {
			t.Errorf("packet lost after %d of %d bytes: %v", cut, len(doc), err)
		}
		if _, err := edxml.Read(strings.NewReader(doc[:cut]), edxml.ReadOptions{}); cut > 0 && !errors.Is(err, xmlscan.ErrTruncated) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("packet cut after %d of %d bytes: %v", cut, len(doc), err)
		}
	}
	parts := func() (*edxml.Part, error) { return nil, lost }
	if _, err := edxml.Read(strings.NewReader(envelope), edxml.ReadOptions{Parts: parts}); !errors.Is(err, lost) {
		t.Errorf("no next part: %v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestNextIsFinal: an error stays, and so does the end.
func TestNextIsFinal(t *testing.T) {
	r, err := edxml.NewReader(strings.NewReader(single(header, "", attachment("a", "a", "QUJD")+attachment("b", "b", "<x/>"))), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var buf [1]byte
	if _, err := io.ReadFull(first.Content, buf[:]); err != nil || buf[0] != 'A' {
		t.Errorf("read %q, %v", buf, err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if first.Size != 3 || first.SHA256 != sum("ABC") || first.Content != nil {
		t.Errorf("the attachment that was left half read: %+v", first)
	}
	_, one := r.Next()
	_, two := r.Next()
	if one == nil || one == io.EOF || one != two {
		t.Errorf("first %v, then %v", one, two)
	}
}

// TestPacketInZipIsBounded: a zip around a packet, or around its second file,
// grows no further than the ratio allows.
func TestPacketInZipIsBounded(t *testing.T) {
	long := func(begin string) io.Reader {
		return io.MultiReader(strings.NewReader(begin), io.LimitReader(spaces{}, 40<<20))
	}
	var limit *edxml.LimitError
	_, err := edxml.Read(bytes.NewReader(pack(t, "header.xml", long("<edXML><edXMLEnvelope>"))), edxml.ReadOptions{})
	if !errors.As(err, &limit) || limit.Limit != "unzip ratio" {
		t.Errorf("a packet: %v", err)
	}
	with := bytes.NewReader(pack(t, "Attachment.xml", long("<document><attach>")))
	_, err = edxml.Read(strings.NewReader(write(t, edxml.WriteEnvelope, documents()["new"])), edxml.ReadOptions{With: with})
	if !errors.As(err, &limit) || limit.Limit != "unzip ratio" {
		t.Errorf("a second file: %v", err)
	}
	damaged := pack(t, "header.xml", strings.NewReader(single(header, "", "")))
	for cut := range 60 {
		if p, err := edxml.Read(bytes.NewReader(damaged[:cut]), edxml.ReadOptions{}); err == nil {
			t.Errorf("%d bytes of a zip are read as %+v", cut, p)
		}
	}
}

// spaces reads white space for ever.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// zipOf makes a zip with a line of text in each entry.
func zipOf(t testing.TB, method uint16, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "Nội dung của "+name+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
