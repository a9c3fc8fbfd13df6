package edxml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/wsdl"
)

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func organ(id string) edxml.Organ {
	return edxml.Organ{
		OrganID: id, OrganizationInCharge: "Cơ quan chủ quản <" + id + ">", OrganName: "Cơ quan & " + id, OrganAdd: `Số "1"`,
		Email: id + "@example.vn", Telephone: "(84-24) 0000", Fax: "0001", Website: "https://example.vn/?a=1&b=2",
	}
}

// files gives attachments with their contents, as a reader would describe them.
func files(contents ...string) []edxml.Attachment {
	var list []edxml.Attachment
	for i, c := range contents {
		name := string(rune('a'+i)) + " tệp.txt"
		list = append(list, edxml.Attachment{
			Name: name, ContentID: "id-" + string(rune('1'+i)) + "@example.vn", ContentType: "text/plain", Description: "Tệp thứ " + name,
			DetectedType: "text/plain; charset=utf-8", Size: int64(len(c)), SHA256: sum(c), Content: strings.NewReader(c),
		})
	}
	return list
}

// document sets every field; the block Bussiness is the kind's own.
func document(b edxml.Business) *edxml.Document {
	staff := &edxml.StaffInfo{Department: "Văn thư", DepartmentID: "VT", Staff: "Người thử", StaffID: "7", Mobile: "0900", Email: "a@example.vn"}
	b.StaffInfo, b.Paper, b.DocReason = staff, "1", "Lý do"
	return &edxml.Document{
		From: organ("000.00.00.G22"), To: []edxml.Organ{organ("000.00.00.H41"), organ("H36.17")},
		DocumentID: "000.00.00.G22,2026/03/02,118/BC-TTTH", Code: edxml.Code{CodeNumber: "118a", CodeNotation: "15/BC-TTTH"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"},
		DocumentType:     edxml.DocumentType{Type: "1", TypeDetail: "18", TypeName: "Công văn"},
		Subject:          "Về việc thử\nhai dòng \"và\" <dấu> & ]]>", Content: "Nội dung\tngắn", DueDate: "2026/03/20",
		SignerInfo: edxml.SignerInfo{Competence: "KT.", Position: "Phó Giám đốc", FullName: "Người Ký"},
		ToPlaces:   []string{"Như trên", "Lưu: VT"},
		OtherInfo: edxml.OtherInfo{
			Priority: "2", SphereOfPromulgation: "Toàn quốc", TyperNotation: "NTH", PromulgationAmount: "3", PageAmount: "4",
			ReplyFors: "r", Direction: "false", ReferenceCodes: "ref", Appendixes: []string{"Phụ lục I", "Phụ lục II"},
		},
		ResponseFor: []edxml.ResponseFor{
			{OrganID: "000.00.00.H41", Code: "1/A", DocumentID: "x,2026/01/01,1/A", PromulgationDate: "2026/01/01"},
			{OrganID: "000.00.00.H42", Code: "2/B", DocumentID: "y", PromulgationDate: "2026/01/02"},
		},
		SteeringType: "1", ResponseForTask: []string{"T1", "T2"}, ApplicationType: "APP",
		TraceHeaders: []edxml.TraceHeader{{"000.00.00.G22", "2026/03/02 08:00:00"}, {"001.00.20.TT2", "2026/03/02 08:00:01"}},
		Business:     &b, Attachments: files("Xin chào", "", "\x00\x01PK nhị phân\xff"),
	}
}

// documents is one Document of every kind, every field set.
func documents() map[string]*edxml.Document {
	list := map[string]*edxml.Document{
		"new":    document(edxml.Business{DocType: edxml.New, DocumentID: "thừa"}),
		"recall": document(edxml.Business{DocType: edxml.Recall}),
		"update": document(edxml.Business{
			DocType: edxml.Update, DocumentID: "000.00.00.G22,2026/02/02,7/CV", DocumentInfo: "1", DocumentReceiver: "1",
			Receivers: []edxml.Receiver{{"000.00.00.H41", "0"}, {"000.00.00.H42", "1"}},
		}),
		"replace": document(edxml.Business{
			DocType:      edxml.Replace,
			Replacements: []edxml.Replacement{{"d1", []string{"000.00.00.H41", "000.00.00.H42"}}, {"d2", []string{"000.00.00.H43"}}},
		}),
	}
	for _, d := range list {
		d.Attachments[1].DetectedType = "text/plain; charset=utf-8"
		d.Attachments[2].DetectedType = "application/octet-stream"
	}
	return list
}

func status() *edxml.Status {
	return &edxml.Status{
		From:        organ("000.00.00.H41"),
		ResponseFor: edxml.ResponseFor{OrganID: "000.00.00.G22", Code: "118/BC-TTTH", DocumentID: "000.00.00.G22,2026/03/02,118/BC-TTTH", PromulgationDate: "2026/03/02"},
		StaffInfo:   &edxml.StaffInfo{Department: "VT", DepartmentID: "1", Staff: "A", StaffID: "2", Mobile: "09", Email: "a@example.vn"},
		StatusCode:  edxml.StatusRefused, Description: "Sai nơi nhận & <thiếu>", Timestamp: "2026/03/02 09:15:00",
	}
}

// writers are the two profiles of a Document; parts are the MIME parts beside it.
var writers = []struct {
	profile edxml.Profile
	write   func(io.Writer, *edxml.Document) error
	parts   bool
}{
	{edxml.ProfileQCVN102, edxml.Write, false},
	{edxml.ProfileSOAP, edxml.WriteEnvelope, true},
}

var ignoreContent = cmpopts.IgnoreFields(edxml.Attachment{}, "Content")

func rewind(d *edxml.Document) {
	for _, a := range d.Attachments {
		if s, ok := a.Content.(io.Seeker); ok {
			s.Seek(0, io.SeekStart)
		}
	}
}

func partsOf(d *edxml.Document) func() (*edxml.Part, error) {
	var parts []edxml.Part
	for _, a := range d.Attachments {
		parts = append(parts, edxml.Part{ID: a.ContentID, Type: a.ContentType, Content: a.Content})
	}
	return queue(parts)
}

// TestDocument goes from value to XML and back, and from that XML to the same XML.
func TestDocument(t *testing.T) {
	for _, w := range writers {
		for kind, d := range documents() {
			t.Run(string(w.profile)+"/"+kind, func(t *testing.T) {
				first := write(t, w.write, d)
				var o edxml.ReadOptions
				if w.parts {
					o.Parts = partsOf(d)
				}
				p, err := edxml.Read(strings.NewReader(first), o)
				if err != nil {
					t.Fatal(err)
				}
				if p.Profile != w.profile || p.Kind != edxml.KindDocument {
					t.Errorf("read as %s of profile %s", p.Kind, p.Profile)
				}
				if diff := cmp.Diff(d, p.Document, ignoreContent); diff != "" {
					t.Errorf("another value came back (-written +read):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"ATT-9 -"}, findingLines(p.Findings)); diff != "" {
					t.Errorf("findings of the strict form:\n%s", diff)
				}
				for i := range p.Document.Attachments {
					p.Document.Attachments[i].Content = d.Attachments[i].Content
				}
				if second := write(t, w.write, p.Document); second != first {
					t.Errorf("written again:\n%s", cmp.Diff(first, second))
				}
			})
		}
	}
}

func write[T any](t testing.TB, f func(io.Writer, T) error, v T) string {
	t.Helper()
	if d, ok := any(v).(*edxml.Document); ok {
		rewind(d)
		defer rewind(d)
	}
	var b strings.Builder
	if err := f(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStatusBothWays(t *testing.T) {
	envelope := func(block, where string) string {
		return `<e:Envelope xmlns:e="` + edxml.NamespaceSOAP + `"><e:` + where + ">" + block + "</e:" + where + "></e:Envelope>"
	}
	want := status()
	single := write(t, edxml.WriteStatus, want)
	element := statusElement(t, single)
	for name, doc := range map[string]string{"single": single, "header": envelope(element, "Header"), "body": envelope(element, "Body")} {
		p, err := edxml.Read(strings.NewReader(doc), edxml.ReadOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, p.Status); diff != "" || p.Kind != edxml.KindStatus || len(p.Findings) > 0 {
			t.Errorf("%s: %s %v\n%s", name, p.Kind, p.Findings, diff)
		}
		if again := write(t, edxml.WriteStatus, p.Status); again != single {
			t.Errorf("%s: written again:\n%s", name, cmp.Diff(single, again))
		}
	}
}

// TestWriteSmall shows what a value with little in it becomes: nothing empty in
// a single file, everything a BKAV axis demands in an envelope.
func TestWriteSmall(t *testing.T) {
	d := &edxml.Document{}
	single := write(t, edxml.Write, d)
	for _, line := range []string{
		`<?xml version="1.0" encoding="UTF-8"?>`, `<edXML xmlns="` + edxml.NamespaceQCVN102 + `">`, "<edXML:BussinessDocType>0</", "<AttachmentEncoded>",
	} {
		if !strings.Contains(single, line) {
			t.Errorf("the single file lacks %s:\n%s", line, single)
		}
	}
	for _, empty := range []string{"></edXML:OrganId", "></edXML:DueDate", "ToPlaces", "Appendix", "Direction"} {
		if strings.Contains(single, empty) {
			t.Errorf("an empty optional element %s:\n%s", empty, single)
		}
	}
	status, err := edxml.Read(strings.NewReader(write(t, edxml.WriteStatus, &edxml.Status{})), edxml.ReadOptions{})
	if err != nil || status.Kind != edxml.KindStatus {
		t.Errorf("an empty status is read as %q, %v", status.Kind, err)
	}
	envelope := write(t, edxml.WriteEnvelope, &edxml.Document{To: []edxml.Organ{{}}})
	tree := etree.NewDocument()
	if err := tree.ReadFromString(envelope); err != nil {
		t.Fatal(err)
	}
	// reference of the tags: the presence check of the BKAV axis
	for path, children := range map[string]string{
		"//MessageHeader":    "From To Code PromulgationInfo DocumentType Subject Content SignerInfo DueDate ToPlaces OtherInfo",
		"//From":             "OrganId OrganizationInCharge OrganName OrganAdd Email Telephone Fax Website",
		"//To":               "OrganId OrganizationInCharge OrganName OrganAdd Email Telephone Fax Website",
		"//Code":             "CodeNumber CodeNotation",
		"//PromulgationInfo": "Place PromulgationDate",
		"//DocumentType":     "Type TypeName",
		"//SignerInfo":       "Competence Position FullName",
		"//OtherInfo":        "Priority SphereOfPromulgation TyperNotation PromulgationAmount PageAmount Appendixes",
		"//TraceHeaderList":  "Bussiness",
		"//Header":           "MessageHeader TraceHeaderList ErrorList",
		"//Body":             "Manifest",
	} {
		var got []string
		for _, c := range tree.FindElement(path).ChildElements() {
			got = append(got, c.Tag)
		}
		if strings.Join(got, " ") != children {
			t.Errorf("%s holds %v, want %s", path, got, children)
		}
	}
}

// statusElement turns a status packet into the element that the wire carries:
// Status, in no namespace.
func statusElement(t *testing.T, single string) string {
	t.Helper()
	_, rest, ok := strings.Cut(single, "<edXML:MessageHeader>")
	fields, _, end := strings.Cut(rest, "</edXML:MessageHeader>")
	if !ok || !end {
		t.Fatalf("no MessageHeader in\n%s", single)
	}
	return "<Status>" + strings.NewReplacer("<edXML:", "<", "</edXML:", "</").Replace(fields) + "</Status>"
}

func TestWriterForm(t *testing.T) {
	for kind, d := range documents() {
		for _, w := range writers {
			a, b := write(t, w.write, d), write(t, w.write, d)
			if a != b {
				t.Errorf("%s %s: two runs, two packets", kind, w.profile)
			}
			if !strings.HasPrefix(a, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<") || strings.Contains(a, "\r") {
				t.Errorf("%s %s begins with %.50q", kind, w.profile, a)
			}
		}
	}
	if d := documents()["new"]; strings.Contains(write(t, edxml.WriteEnvelope, d), "Token") {
		t.Error("an envelope was written with a token")
	}
}

// TestEnvelopeObeysSchema holds the envelope's blocks to the published contract.
func TestEnvelopeObeysSchema(t *testing.T) {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is not installed (package libxml2-utils)")
		}
		t.Skip("xmllint is not installed (package libxml2-utils)")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, wsdl.Files); err != nil {
		t.Fatal(err)
	}
	check := func(name, schema string, el *etree.Element) {
		t.Helper()
		for _, b := range [][2]string{{"xmlns:edXML", edxml.NamespaceEDoc}, {"xmlns:xlink", edxml.NamespaceXLink}} {
			el.CreateAttr(b[0], b[1])
		}
		doc := etree.NewDocumentWithRoot(el)
		text, err := doc.WriteToBytes()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "block.xml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(lint, "--noout", "--nonet", "--schema", filepath.Join(dir, schema), file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
		}
	}
	for kind, d := range documents() {
		tree := etree.NewDocument()
		if err := tree.ReadFromString(write(t, edxml.WriteEnvelope, d)); err != nil {
			t.Fatal(err)
		}
		for _, block := range []string{"MessageHeader", "TraceHeaderList", "ErrorList", "Manifest"} {
			check(kind+" "+block, "edoc.xsd", tree.FindElement("//"+block).Copy())
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, bad := range []string{"a\x00b", "a\x0bb", "a\xffb", "\ufffe", "\uffff", "\x1b[31m"} {
		for _, w := range writers {
			for where, d := range map[string]*edxml.Document{
				"Subject":     {Subject: bad},
				"Place":       {ToPlaces: []string{bad}},
				"Name":        {Attachments: []edxml.Attachment{{Name: bad, Content: strings.NewReader("x")}}},
				"ContentID":   {Attachments: []edxml.Attachment{{ContentID: bad, Content: strings.NewReader("x")}}},
				"Replacement": {Business: &edxml.Business{Replacements: []edxml.Replacement{{OrganIDs: []string{bad}}}}},
			} {
				if err := w.write(io.Discard, d); err == nil || !strings.HasPrefix(err.Error(), "edxml: ") {
					t.Errorf("%s: %q in %s was written (%v)", w.profile, bad, where, err)
				}
			}
		}
		if err := edxml.WriteStatus(io.Discard, &edxml.Status{Description: bad}); err == nil {
			t.Errorf("%q was written into a status", bad)
		}
	}
	if err := edxml.Write(io.Discard, &edxml.Document{Attachments: []edxml.Attachment{{Name: "a"}}}); !errors.Is(err, edxml.ErrNoContent) {
		t.Errorf("an attachment without content: %v", err)
	}
	broken := errors.New("đĩa hỏng")
	if err := edxml.Write(io.Discard, &edxml.Document{Attachments: []edxml.Attachment{{Name: "a", Content: iotest.ErrReader(broken)}}}); !errors.Is(err, broken) {
		t.Errorf("an unreadable attachment: %v", err)
	}
	if err := edxml.Write(&full{room: 100}, documents()["new"]); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
}

var errFull = errors.New("no space left")

// full takes some bytes and then no more.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return f.room, errFull
	}
	f.room -= len(p)
	return len(p), nil
}

// TestContentIDs: an identifier that is made up must not meet one that is given.
func TestContentIDs(t *testing.T) {
	d := &edxml.Document{}
	for _, id := range []string{"", "file-1", "cid:file-5", "", "file-4", ""} {
		d.Attachments = append(d.Attachments, edxml.Attachment{Name: "n" + id, ContentID: id, Content: bytes.NewReader([]byte("x"))})
	}
	for _, w := range writers {
		text := write(t, w.write, d)
		p, err := edxml.Read(strings.NewReader(text), edxml.ReadOptions{SkipContent: true})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, a := range p.Document.Attachments {
			if seen[a.ContentID] {
				t.Errorf("%s: two attachments are %q", w.profile, a.ContentID)
			}
			seen[a.ContentID] = true
		}
		if w.profile == edxml.ProfileQCVN102 && len(seen) != len(d.Attachments) {
			t.Errorf("%d attachments came back", len(seen))
		}
		if strings.Contains(text, "cid:cid:") {
			t.Errorf("%s: cid: stands twice", w.profile)
		}
	}
}

// TestLabel: what serves stays; what stands twice, says zip of what is none, or
// cannot stand in a MIME header gets another.
func TestLabel(t *testing.T) {
	list := func(fields ...string) []edxml.Attachment {
		var all []edxml.Attachment
		for i := 0; i < len(fields); i += 3 {
			all = append(all, edxml.Attachment{Name: fields[i], ContentID: fields[i+1], ContentType: fields[i+2]})
		}
		return all
	}
	given := list("a.txt", "một", "text/plain", "b.pdf", "file-2", "application/zip", "c.zip", "file-2", "application/zip", "d", "cid:cid:x", "a\nb", "e.docx", "", "")
	for profile, want := range map[edxml.Profile][]edxml.Attachment{
		edxml.ProfileQCVN102: list("a.txt", "một", "text/plain", "b.pdf", "file-2", "application/pdf", "c.zip", "file-3", "application/zip", "d", "x", "a\nb", "e.docx", "file-5", edxml.TypeByName("e.docx")),
		edxml.ProfileSOAP:    list("a.txt", "file-1", "text/plain", "b.pdf", "file-2", "application/pdf", "c.zip", "file-3", "application/zip", "d", "x", "application/octet-stream", "e.docx", "file-5", edxml.TypeByName("e.docx")),
	} {
		d := &edxml.Document{Attachments: slices.Clone(given)}
		d.Label(profile)
		if diff := cmp.Diff(want, d.Attachments); diff != "" {
			t.Errorf("%s (-want +got):\n%s", profile, diff)
		}
	}
}
