package edxml_test

import (
	"archive/zip"
	"bytes"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// FuzzRead: whatever comes in, reading ends without panic, within its limits,
// in the same way byte by byte, and what is a packet is exactly one thing.
func FuzzRead(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add(x.doc, x.parts != nil)
	}
	for _, d := range documents() {
		for _, w := range writers {
			f.Add([]byte(write(f, w.write, d)), w.parts)
		}
	}
	limits := edxml.Limits{Packet: 1 << 20, Attachment: 1 << 20, Attachments: 20, Receivers: 20, Header: 64 << 10, XML: xmlscan.Limits{Depth: 30}}
	f.Fuzz(func(t *testing.T, doc []byte, withParts bool) {
		options := func() edxml.ReadOptions {
			o := edxml.ReadOptions{Limits: limits}
			if withParts {
				o.Parts = queue([]edxml.Part{{ID: "a1", Content: strings.NewReader("một")}, {ID: "zz", Content: strings.NewReader("PK\x03\x04")}})
			}
			return o
		}
		p, err := edxml.Read(bytes.NewReader(doc), options())
		slow, slowErr := edxml.Read(iotest.OneByteReader(bytes.NewReader(doc)), options())
		if diff := cmp.Diff(p, slow, understood); diff != "" || (err == nil) != (slowErr == nil) {
			t.Errorf("byte by byte %v, else %v\n%s", slowErr, err, diff)
		}
		if err != nil {
			return
		}
		if (p.Document == nil) == (p.Status == nil) || (p.Kind == edxml.KindDocument) != (p.Document != nil) {
			t.Fatalf("kind %q with document %v and status %v", p.Kind, p.Document != nil, p.Status != nil)
		}
		for _, finding := range append(p.Findings, edxml.Validate(p, now)...) {
			if finding.Pos.Offset > int64(len(doc)) && !recoded(p) || strings.Contains(finding.Message.EN+finding.Message.VI, "%!") {
				t.Errorf("finding %+v", finding)
			}
		}
		if p.HeaderEnd < 0 || p.HeaderEnd > int64(len(doc)) {
			t.Errorf("header ends at %d of %d", p.HeaderEnd, len(doc))
		}
		if p.Status != nil {
			again(t, p, edxml.WriteStatus, p.Status)
			return
		}
		p.Document.Digest()
		for i := range p.Document.Attachments {
			p.Document.Attachments[i].Content = strings.NewReader("x")
		}
		again(t, p, edxml.Write, p.Document)
	})
}

// recoded reports that offsets do not count the packet's own bytes.
func recoded(p *edxml.Packet) bool {
	return slices.ContainsFunc(p.Findings, func(f edxml.Finding) bool { return f.Rule == "XML-6" || f.Rule == "PKT-7" })
}

// FuzzSecondFile: the second file of two, too.
func FuzzSecondFile(f *testing.F) {
	envelope := []byte(write(f, edxml.WriteEnvelope, documents()["new"]))
	for _, x := range fixtures(f) {
		if x.with != nil {
			f.Add(x.with)
		}
	}
	limits := edxml.Limits{Packet: 1 << 20, Attachment: 1 << 20, Attachments: 20, Header: 64 << 10, XML: xmlscan.Limits{Depth: 30}}
	f.Fuzz(func(t *testing.T, second []byte) {
		p, err := edxml.Read(bytes.NewReader(envelope), edxml.ReadOptions{Limits: limits, With: bytes.NewReader(second)})
		slow, slowErr := edxml.Read(bytes.NewReader(envelope), edxml.ReadOptions{Limits: limits, With: iotest.OneByteReader(bytes.NewReader(second))})
		if diff := cmp.Diff(p, slow, understood); diff != "" || (err == nil) != (slowErr == nil) {
			t.Errorf("byte by byte %v, else %v\n%s", slowErr, err, diff)
		}
		if err == nil && len(p.Document.Attachments) > limits.Attachments {
			t.Errorf("%d attachments", len(p.Document.Attachments))
		}
	})
}

// FuzzZip: an attachment that may be in the packet's own zip. What comes out is
// the same byte by byte, within its limits, and what archive/zip finds in a zip
// that was unwrapped without a complaint.
func FuzzZip(f *testing.F) {
	for _, name := range []string{"a.txt", "a.zip", "a.docx"} {
		for _, c := range []string{"application/zip", "text/plain"} {
			f.Add(name, c, zipOf(f, zip.Deflate, "0b0e.txt"))
			f.Add(name, c, zipOf(f, zip.Store, "0b0e.txt", "../hai.txt"))
		}
	}
	f.Add("a.txt", "application/zip", zipOf(f, zip.Deflate, "../../etc/passwd"))
	f.Add("a.docx", "application/zip", zipOf(f, zip.Deflate, "[Content_Types].xml"))
	limits := edxml.Limits{Attachment: 1 << 20, UnzipRatio: 50}
	f.Fuzz(func(t *testing.T, name, contentType string, octets []byte) {
		read := func(pieces func(io.Reader) io.Reader) (edxml.Attachment, []edxml.Finding, []byte, error) {
			d := &edxml.Document{Attachments: []edxml.Attachment{{Name: name, ContentType: contentType, Content: bytes.NewReader(octets)}}}
			var packet, content bytes.Buffer
			if err := edxml.Write(&packet, d); err != nil {
				t.Skip(err) // the name cannot be written
			}
			r, err := edxml.NewReader(pieces(&packet), edxml.ReadOptions{Limits: limits})
			if err != nil {
				t.Fatal(err)
			}
			a, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if _, err = io.Copy(&content, a.Content); err != nil {
				return edxml.Attachment{}, nil, nil, err
			}
			_, _ = r.Next()
			return r.Packet().Document.Attachments[0], r.Packet().Findings, content.Bytes(), nil
		}
		a, findings, content, err := read(whole)
		slow, _, slowContent, slowErr := read(iotest.OneByteReader)
		if diff := cmp.Diff(a, slow); diff != "" || !bytes.Equal(content, slowContent) || (err == nil) != (slowErr == nil) {
			t.Fatalf("byte by byte %v, else %v\n%s", slowErr, err, diff)
		}
		if err != nil || bytes.Equal(content, octets) {
			return
		}
		if int64(len(content)) != a.Size || a.SHA256 != sum(string(content)) {
			t.Errorf("%d bytes, said %d", len(content), a.Size)
		}
		damaged := slices.ContainsFunc(findings, func(f edxml.Finding) bool { return f.Rule == "ATT-8" })
		z, zipErr := zip.NewReader(bytes.NewReader(octets), int64(len(octets)))
		if damaged || zipErr != nil || len(z.File) != 1 {
			return // archive/zip reads from the end, we from the front
		}
		if offset, err := z.File[0].DataOffset(); err != nil || int(offset) != 30+len(z.File[0].Name)+len(z.File[0].Extra) {
			return
		}
		in, err := z.File[0].Open()
		if err != nil {
			return
		}
		if want, err := io.ReadAll(in); err == nil && !bytes.Equal(content, want) {
			t.Errorf("%q, archive/zip has %q", content, want)
		}
	})
}

// FuzzStatus: a status, in its form or an older one, comes out of the strict
// writer as it went in, and is judged without a panic alone and beside others.
func FuzzStatus(f *testing.F) {
	for _, x := range fixtures(f) {
		if strings.Contains(x.name, "status") {
			f.Add(x.doc)
		}
	}
	_, statuses := made(f)
	for _, s := range statuses {
		f.Add([]byte(write(f, edxml.WriteStatus, s)))
	}
	f.Add([]byte(`<edXML:edXMLEnvelope><edXML:edXMLHeader><edXML:MessageHeader><edXML:StatusCode/></edXML:MessageHeader></edXML:edXMLHeader></edXML:edXMLEnvelope>`))
	limits := edxml.Limits{Packet: 1 << 20, Header: 64 << 10, XML: xmlscan.Limits{Depth: 30}}
	f.Fuzz(func(t *testing.T, doc []byte) {
		p, err := edxml.Read(bytes.NewReader(doc), edxml.ReadOptions{Limits: limits})
		if err != nil || p.Status == nil {
			return
		}
		again(t, p, edxml.WriteStatus, p.Status)
		var x edxml.Exchange
		x.Add("document", &edxml.Packet{Kind: edxml.KindDocument, Document: soundDocument()})
		x.Add("a", p)
		x.Add("b", p)
		for _, list := range x.Statuses() {
			for _, finding := range list {
				if strings.Contains(finding.Message.EN+finding.Message.VI, "%!") || finding.Message.VI == "" {
					t.Errorf("finding %+v", finding)
				}
			}
		}
	})
}

// again writes what was read; what the writer makes of it is read as the same.
func again[T any](t *testing.T, p *edxml.Packet, write func(io.Writer, T) error, v T) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, v); err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	q, err := edxml.Read(&b, edxml.ReadOptions{})
	if err != nil || q.Kind != p.Kind {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if p.Document != nil && (q.Document.Subject != p.Document.Subject || q.Document.DocumentID != p.Document.DocumentID || len(q.Document.Attachments) != len(p.Document.Attachments)) {
		t.Errorf("%+v became %+v", p.Document, q.Document)
	}
	if p.Status != nil && !reflect.DeepEqual(p.Status, q.Status) && p.Status.StaffInfo == nil {
		t.Errorf("%+v became %+v", p.Status, q.Status)
	}
}
