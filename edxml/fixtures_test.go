package edxml_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// understood compares packets by what was understood of them.
var understood = cmpopts.IgnoreUnexported(edxml.Packet{})

// now is the moment the fixtures are judged at.
var now = time.Date(2026, 3, 3, 12, 0, 0, 0, edxml.Vietnam)

// The files beside a fixture testdata/NN-title.xml:
//
//	.findings  one "RULE path" per line in their order, "-" for no path; or
//	           "! cause" when the reading must stop
//	.txt       why the fixture is there
//	.parts     the MIME parts of a SOAP packet, "cid type base64" per line
//	.with      the second file of a dialect that sends two
type fixture struct {
	name  string
	doc   []byte
	want  []string
	parts []edxml.Part
	with  []byte // nil if there is none
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in testdata (%v)", err)
	}
	var all []fixture
	for _, file := range files {
		base := strings.TrimSuffix(file, ".xml")
		f := fixture{name: filepath.Base(base), doc: slurp(t, file)}
		for line := range strings.Lines(string(slurp(t, base+".findings"))) {
			f.want = append(f.want, strings.TrimSpace(line))
		}
		if why := slurp(t, base+".txt"); len(bytes.TrimSpace(why)) == 0 {
			t.Errorf("%s.txt does not say why the fixture is there", base)
		}
		if text, err := os.ReadFile(base + ".parts"); err == nil {
			f.parts = []edxml.Part{}
			for line := range strings.Lines(string(text)) {
				f.parts = append(f.parts, part(t, strings.Fields(line)))
			}
		}
		if second, err := os.ReadFile(base + ".with"); err == nil {
			f.with = second
		}
		all = append(all, f)
	}
	return all
}

func slurp(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func part(t testing.TB, fields []string) edxml.Part {
	t.Helper()
	if len(fields) != 3 {
		t.Fatalf("a part has three fields, not %q", fields)
	}
	b, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		t.Fatal(err)
	}
	return edxml.Part{ID: fields[0], Type: fields[1], Content: bytes.NewReader(b)}
}

// options reads the fixture's parts and its second file, if it has any.
func (f fixture) options() edxml.ReadOptions {
	var o edxml.ReadOptions
	if f.parts != nil {
		o.Parts = queue(f.parts)
	}
	if f.with != nil {
		o.With = bytes.NewReader(f.with)
	}
	return o
}

// queue hands out parts from their beginning.
func queue(parts []edxml.Part) func() (*edxml.Part, error) {
	i := 0
	return func() (*edxml.Part, error) {
		if i == len(parts) {
			return nil, io.EOF
		}
		p := parts[i]
		i++
		if s, ok := p.Content.(io.Seeker); ok {
			if _, err := s.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
		}
		return &p, nil
	}
}

// cause names the kind of error that stopped a reading.
func cause(err error) string {
	var syntax *xmlscan.SyntaxError
	switch {
	case errors.Is(err, xmlscan.ErrDTD):
		return "dtd"
	case errors.Is(err, xmlscan.ErrEncoding):
		return "encoding"
	case errors.Is(err, xmlscan.ErrTruncated):
		return "truncated"
	case errors.Is(err, xmlscan.ErrNotXML):
		return "not-xml"
	case errors.Is(err, edxml.ErrNotPacket):
		return "not-packet"
	case errors.Is(err, edxml.ErrAntivirusReport):
		return "antivirus"
	case errors.As(err, &syntax):
		return "syntax"
	}
	return err.Error()
}

func findingLines(findings []edxml.Finding) []string {
	var lines []string
	for _, f := range findings {
		if judged[f.Rule] { // in validate_test.go
			continue
		}
		path := f.Path
		if path == "" {
			path = "-"
		}
		lines = append(lines, f.Rule+" "+path)
	}
	return lines
}

func TestFixtures(t *testing.T) {
	unseen := make(map[string]bool)
	for _, r := range edxml.Rules() {
		unseen[r.ID] = !judged[r.ID]
	}
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			p, err := edxml.Read(bytes.NewReader(f.doc), f.options())
			var got []string
			if err != nil {
				got = []string{"! " + cause(err)}
				if p != nil {
					t.Error("an error and a packet")
				}
			} else {
				findings := append(p.Findings, edxml.Validate(p, now)...)
				got = findingLines(findings)
				for _, finding := range findings {
					delete(unseen, finding.Rule)
					checkFinding(t, f, finding)
				}
				if (p.Document == nil) == (p.Status == nil) || (p.Kind == edxml.KindDocument) != (p.Document != nil) {
					t.Errorf("kind %q with document %v and status %v", p.Kind, p.Document != nil, p.Status != nil)
				}
			}
			if diff := cmp.Diff(f.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			slow, slowErr := edxml.Read(iotest.OneByteReader(bytes.NewReader(f.doc)), f.options())
			if diff := cmp.Diff(p, slow, understood); diff != "" {
				t.Errorf("another packet byte by byte:\n%s", diff)
			}
			if (err == nil) != (slowErr == nil) || err != nil && err.Error() != slowErr.Error() {
				t.Errorf("byte by byte %v, else %v", slowErr, err)
			}
		})
	}
	for id, missed := range unseen {
		if missed {
			t.Errorf("no fixture is hit by rule %s", id)
		}
	}
}

// checkFinding holds every finding to its rule's promises.
func checkFinding(t *testing.T, f fixture, finding edxml.Finding) {
	t.Helper()
	for _, text := range []string{finding.Message.VI, finding.Message.EN, finding.Remedy.VI, finding.Remedy.EN, string(finding.Clause)} {
		if text == "" || strings.Contains(text, "%!") {
			t.Errorf("%s says %q", finding.Rule, text)
		}
	}
	if finding.Pos.Offset > int64(len(f.doc)) || finding.Pos.Line > 1+bytes.Count(f.doc, []byte("\n")) {
		t.Errorf("%s stands at %v, behind the file", finding.Rule, finding.Pos)
	}
	if strings.HasPrefix(finding.Path, "/") && !bytes.HasPrefix(f.doc[finding.Pos.Offset:], []byte("<")) {
		t.Errorf("%s points at %.20q, not at an element", finding.Rule, f.doc[finding.Pos.Offset:])
	}
}

// TestFixtureValues says what was understood, beside what was complained about.
func TestFixtureValues(t *testing.T) {
	const note = "Ghi chú thử nghiệm.\n"
	read := map[string]*edxml.Packet{}
	for _, f := range fixtures(t) {
		if p, err := edxml.Read(bytes.NewReader(f.doc), f.options()); err == nil {
			_, title, _ := strings.Cut(f.name, "-")
			read[title] = p
		}
	}
	doc := func(title string) *edxml.Document {
		if read[title] == nil || read[title].Document == nil {
			t.Fatalf("%s is no document", title)
		}
		return read[title].Document
	}
	for _, title := range []string{
		"strict", "no-namespace", "wrong-namespace", "other-prefix", "cid-absent", "cid-doubled", "content-before-name", "content-first",
		"base64-with-breaks", "zip-wrapped", "zip-unsaid", "zip-stored", "zip-second-entry", "crlf", "byte-order-mark", "stray-bytes",
		"trailing-junk", "unbound-prefix", "two-contents", "soap", "soap-token", "soap-inline", "soap-inline-and-parts",
		"dotnet-sdk", "organ-null", "line-before-declaration", "no-declaration", "utf16-with-mark", "utf16-without-mark", "xml-1-1",
		"default-namespace-only", "cdata", "padded-texts", "trace-list-paper", "manifest-plain", "attachments-inside", "attachment-other-name",
		"zip-type-in-capitals", "header-in-body", "two-tokens", "block-namespace", "extra",
	} {
		d := doc(title)
		if d.Digest() != doc("strict").Digest() {
			t.Errorf("%s: another content digest than the strict packet", title)
		}
		a := d.Attachments[0]
		if a.Name != "ghi-chu.txt" || a.ContentID != "a1" || a.Size != int64(len(note)) || a.SHA256 != sum(note) || a.DetectedType != "text/plain; charset=utf-8" {
			t.Errorf("%s: attachment %+v", title, a)
		}
	}
	for _, c := range []struct{ what, got, want string }{
		{"kind of one-s spelling", string(doc("spellings-one-s").DocType()), "2"},
		{"reason of one-s spelling", doc("spellings-one-s").Business.DocReason, "Sửa"},
		{"position, older", doc("spellings-older").SignerInfo.Position, "Phó Giám đốc"},
		{"date, older", string(doc("spellings-older").PromulgationInfo.PromulgationDate), "2026/03/02"},
		{"organ in charge, older", doc("spellings-older").From.OrganizationInCharge, "Bộ thử nghiệm"},
		{"type by the first bytes of a zip", doc("zip-is-the-file").Attachments[0].DetectedType, "application/zip"},
		{"no Bussiness", string(doc("no-bussiness").DocType()), "0"},
		{"Bussiness beside", string(doc("bussiness-beside").DocType()), "1"},
		{"comments", doc("comments-inside-values").Subject, "Báo cáo <thử> & nghiệm"},
		{"the last Subject", doc("doubled-elements").Subject, "Ba"},
		{"the last TraceHeaderList", doc("doubled-elements").TraceHeaders[0].OrganID, "000.00.00.H41"},
		{"the outer From", doc("from-inside-from").From.OrganID, "000.00.00.G22"},
		{"the file behind a bad one", doc("base64-bad").Attachments[3].SHA256, sum(note)},
		{"no digest of a bad one", doc("base64-bad").Attachments[0].SHA256, ""},
		{"no digest of a damaged zip", doc("zip-damaged-body").Attachments[0].SHA256, ""},
		{"code of a BKAV status", string(read["status-bkav"].Status.StatusCode.Canonical()), "03"},
		{"status in a body", read["status-soap-body"].Status.ResponseFor.Code, "118/BC-TTTH"},
		{"file of CV 512", doc("two-files-512").Attachments[0].SHA256, sum(note)},
		{"file of CV 2803", doc("two-files-2803").Attachments[0].SHA256, sum(note)},
		{"file of iVBDH", doc("two-files-ivbdh").Attachments[0].SHA256, sum(note)},
		{"name of a file of iVBDH", doc("two-files-ivbdh").Attachments[0].Name, "ghi-chu.txt"},
		{"type, iVBDH", doc("two-files-ivbdh").DocumentType.TypeName, "Công văn"},
		{"secrecy, iVBDH", doc("two-files-ivbdh").OtherInfo.Secret, "Thường"},
		{"sender of a trace, iVBDH", doc("two-files-ivbdh").TraceHeaders[0].OrganID, "000.00.00.G22"},
		{"subject of a packet in a zip", doc("packet-in-zip").Subject, "Báo cáo thử nghiệm"},
		{"file of GetDocument", doc("soap-part-base64").Attachments[0].DetectedType, "application/pdf"},
		{"organ in charge, rebuilt", doc("names-in-soap").From.OrganizationInCharge, "Bộ thử nghiệm"},
		{"a number that is none", string(doc("odd-numbers").OtherInfo.PromulgationAmount), "nhiều"},
		{"an element of a vendor's own", extra(doc("extra").Extra, "MessageHeader", "Hồ_sơ"), "H-7"},
		{"one inside such an element", extra(doc("extra").Extra, "MessageHeader/Nhóm", "Hai"), "2"},
		{"an attribute of a vendor's own", extra(doc("extra").Extra, "MessageHeader", "@OriginalBodyRequested"), "false"},
		{"one of the Bussiness", extra(doc("extra").Business.Extra, "Bussiness", "BussinessNote"), "ghi chú"},
		{"Paper in the list of traces", extra(doc("trace-list-paper").Extra, "TraceHeaderList", "Paper"), "1"},
		{"status in a header", read["status-soap-header"].Status.From.OrganID, "000.00.00.H41"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	tokens := read["two-tokens"].Credentials
	if len(tokens) != 3 || read["two-tokens"].Credential.OrganID == "" {
		t.Fatalf("%d blocks with a token", len(tokens))
	}
	for _, f := range fixtures(t) {
		for _, c := range tokens {
			if block := f.doc; strings.HasSuffix(f.name, "two-tokens") {
				block = block[c.Span.Start:c.Span.End]
				if !bytes.HasPrefix(block, []byte("<")) || !bytes.HasSuffix(block, []byte(">")) || !bytes.Contains(block, []byte("khong-duoc-lo-ra")) {
					t.Errorf("the block of a token is %q", block)
				}
			}
		}
	}
	if n := len(doc("empty-response-for").ResponseFor); n != 0 {
		t.Errorf("%d empty ResponseFor kept", n)
	}
	for _, title := range []string{"day-first-dates", "status-soap-prefix"} {
		var got time.Time
		var err error
		if p := read[title]; p.Document != nil {
			got, err = p.Document.TraceHeaders[0].Timestamp.Time()
		} else {
			got, err = p.Status.Timestamp.Time()
		}
		if err != nil || got.Month() != time.March || got.Day() != 2 {
			t.Errorf("%s: %v, %v", title, got, err)
		}
	}
}

// extra finds what was kept besides the standard.
func extra(list []edxml.Extra, path, name string) string {
	for _, e := range list {
		if e.Path == path && e.Name == name {
			return e.Text
		}
	}
	return "nothing at " + path + "/" + name
}

// TestHeaderEnd splices a block where the packet says, and finds it as the
// header's last child.
func TestHeaderEnd(t *testing.T) {
	const block = "<Signature><KeyInfo><OrganId>X</OrganId><Token>tk</Token></KeyInfo></Signature>"
	for _, f := range fixtures(t) {
		p, err := edxml.Read(bytes.NewReader(f.doc), f.options())
		if err != nil || p.HeaderEnd == 0 { // flat, or bytes that nothing can be spliced into
			continue
		}
		if !bytes.HasPrefix(f.doc[p.HeaderEnd:], []byte("</")) || !bytes.Contains(f.doc[p.HeaderEnd:p.HeaderEnd+20], []byte("Header>")) {
			t.Errorf("%s: HeaderEnd points at %.20q", f.name, f.doc[p.HeaderEnd:])
			continue
		}
		spliced := string(f.doc[:p.HeaderEnd]) + block + string(f.doc[p.HeaderEnd:])
		again, err := edxml.Read(strings.NewReader(spliced), f.options())
		if err != nil || again.Credential == nil {
			t.Errorf("%s: no credential after splicing (%v)", f.name, err)
			continue
		}
		want := edxml.Span{Start: p.HeaderEnd, End: p.HeaderEnd + int64(len(block))}
		if p.Credential == nil && again.Credential.Span != want {
			t.Errorf("%s: credential at %v, spliced at %v", f.name, again.Credential.Span, want)
		}
	}
}
