package edxml_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/wsdl"
)

// The schemas of the strict form.
const (
	schemaSingle = "edxml-qcvn102.xsd"
	schemaSOAP   = "edxml-soap.xsd"
	schemaStatus = "edxml-status.xsd"
)

// published validates with the schemas as importers of package wsdl get them.
type published struct{ tool, dir string }

func newPublished(t *testing.T) published {
	t.Helper()
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is not installed (package libxml2-utils)")
		}
		t.Skip("xmllint is not installed (package libxml2-utils)")
	}
	p := published{tool, t.TempDir()}
	if err := os.CopyFS(p.dir, wsdl.Files); err != nil {
		t.Fatal(err)
	}
	return p
}

// refusal returns what the schema has against the document, "" for nothing. A
// schema that does not compile, or a document that is not well-formed, ends
// the test: neither is a refusal.
func (p published) refusal(t *testing.T, schema, document string) string {
	t.Helper()
	cmd := exec.Command(p.tool, "--noout", "--nonet", "--schema", filepath.Join(p.dir, schema), "-")
	cmd.Stdin = strings.NewReader(document)
	out, err := cmd.CombinedOutput()
	const invalid = 3 // xmllint: the schema compiled, the document breaks it
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == invalid {
		return string(out)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", schema, err, out, document)
	}
	return ""
}

// A ds:Signature as it is spliced in, and an access token; the schemas look
// inside the second only.
const (
	dsSignature = `<ds:Signature xmlns:ds="` + edxml.NamespaceDSig + `"><ds:SignedInfo>` +
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>` +
		`<ds:Reference URI=""><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>` +
		`<ds:SignatureValue>AAAA</ds:SignatureValue><ds:Object Id="o"><x xmlns="urn:x"></x></ds:Object></ds:Signature>`
	accessToken = `<edXML:Signature xmlns:edXML="` + edxml.NamespaceEDoc + `"><edXML:KeyInfo><edXML:OrganId>000.00.00.G22</edXML:OrganId>` +
		`<edXML:Token>bWF0LWtoYXU=</edXML:Token></edXML:KeyInfo></edXML:Signature>`
)

var (
	headerEnd  = swap("</edXML:edXMLHeader>", dsSignature+"</edXML:edXMLHeader>")
	blocksEnd  = func(blocks string) edit { return swap("</SOAP-ENV:Header>", blocks+"</SOAP-ENV:Header>") }
	identified = edits(swap("<edXML:MessageHeader>", `<edXML:MessageHeader Id="MessageHeader-1">`),
		swap("<edXML:Bussiness>", `<edXML:Bussiness Id="Bussiness-1">`))
	singleIDs = edits(identified, swap("<edXML:edXMLManifest ", `<edXML:edXMLManifest Id="Manifest-1" `))
	soapIDs   = edits(identified, swap("<edXML:Manifest>", `<edXML:Manifest Id="Manifest-1">`))
)

// edit changes the text of a packet.
type edit func(string) string

// swap replaces one occurrence.
func swap(old, with string) edit {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

func edits(list ...edit) edit {
	return func(s string) string {
		for _, e := range list {
			s = e(s)
		}
		return s
	}
}

// cut returns the first element of this name with its indentation, and the
// text around it.
func cut(s, name string) (before, element, after string) {
	i, end := strings.Index(s, "<"+name+">"), "</"+name+">"
	if i < 0 {
		return s, "", ""
	}
	j := i + strings.Index(s[i:], end) + len(end)
	return s[:i], s[i:j], s[j:]
}

func drop(name string) edit {
	return func(s string) string {
		before, _, after := cut(s, name)
		return before + after
	}
}

func double(name string) edit {
	return func(s string) string {
		before, element, after := cut(s, name)
		return before + element + element + after
	}
}

// move puts the first element of this name in front of another.
func move(name, to string) edit {
	return func(s string) string {
		before, element, after := cut(s, name)
		return strings.Replace(before+after, "<"+to+">", element+"<"+to+">", 1)
	}
}

// value replaces the text of the first element of this name.
func value(name, text string) edit {
	return func(s string) string {
		before, element, after := cut(s, "edXML:"+name)
		if element == "" {
			return s
		}
		return before + "<edXML:" + name + ">" + text + "</edXML:" + name + ">" + after
	}
}

// inTrace changes the first TraceHeader.
func inTrace(e edit) edit {
	return func(s string) string {
		before, element, after := cut(s, "edXML:TraceHeader")
		return before + e(element) + after
	}
}

// smallest are Documents of every kind with nothing that may be absent.
func smallest() map[string]*edxml.Document {
	list := map[string]*edxml.Document{}
	for kind, b := range map[string]*edxml.Business{
		"new":         nil,
		"new, said":   {DocType: edxml.New},
		"recall":      {DocType: edxml.Recall},
		"update":      {DocType: edxml.Update, DocumentID: "d1", DocumentInfo: "1"},
		"update, To":  {DocType: edxml.Update, DocumentID: "d1", Receivers: []edxml.Receiver{{OrganID: "H41", ReceiverType: "1"}}},
		"replace":     {DocType: edxml.Replace, Replacements: []edxml.Replacement{{DocumentID: "d1", OrganIDs: []string{"H41"}}}},
		"empty staff": {DocType: edxml.New, StaffInfo: &edxml.StaffInfo{}},
	} {
		list[kind] = &edxml.Document{
			From:       edxml.Organ{OrganID: "000.00.00.G22", OrganName: "Bộ"},
			To:         []edxml.Organ{{OrganID: "000.00.00.H41", OrganName: "Ủy ban"}},
			DocumentID: "d2", Code: edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH"},
			PromulgationInfo: edxml.PromulgationInfo{PromulgationDate: "2026/03/02"},
			DocumentType:     edxml.DocumentType{Type: "2"}, Subject: "Báo cáo",
			ResponseFor:  []edxml.ResponseFor{{Code: "1/A"}, {DocumentID: "d0"}},
			TraceHeaders: []edxml.TraceHeader{{OrganID: "000.00.00.G22", Timestamp: "2026/03/02 08:00:00"}},
			Business:     b,
		}
		if kind == "new" {
			list[kind].Attachments = []edxml.Attachment{{Name: "a", Content: strings.NewReader("x")}, {Name: "b.pdf", Content: strings.NewReader("")}}
		}
	}
	return list
}

// TestDocumentsObeySchemas: whatever the writer writes of a Document that has
// what its kind needs is valid, unsigned and signed, in both profiles.
func TestDocumentsObeySchemas(t *testing.T) {
	p := newPublished(t)
	forms := map[edxml.Profile]map[string]edit{
		edxml.ProfileQCVN102: {"plain": edits(), "signed whole": headerEnd, "signed by parts": edits(singleIDs, headerEnd)},
		edxml.ProfileSOAP: {"plain": edits(), "signed": edits(soapIDs, blocksEnd(dsSignature)), "token": blocksEnd(accessToken),
			"signed, token": edits(soapIDs, blocksEnd(dsSignature+accessToken)), "token, signed": edits(soapIDs, blocksEnd(accessToken+dsSignature))},
	}
	schema := map[edxml.Profile]string{edxml.ProfileQCVN102: schemaSingle, edxml.ProfileSOAP: schemaSOAP}
	for extent, list := range map[string]map[string]*edxml.Document{"full": documents(), "smallest": smallest()} {
		for kind, d := range list {
			for _, w := range writers {
				text := write(t, w.write, d)
				for form, e := range forms[w.profile] {
					changed := e(text)
					if (changed == text) != (form == "plain") {
						t.Fatalf("%s %s %s: the form was not made", extent, kind, form)
					}
					if out := p.refusal(t, schema[w.profile], changed); out != "" {
						t.Errorf("%s %s, %s, %s:\n%s%s", extent, kind, w.profile, form, out, changed)
					}
				}
			}
		}
	}
}

// TestStatusesObeySchemas does the same for a Status of every code.
func TestStatusesObeySchemas(t *testing.T) {
	p := newPublished(t)
	codes := []edxml.StatusCode{
		edxml.StatusArrived, edxml.StatusRefused, edxml.StatusAccepted, edxml.StatusAssigned, edxml.StatusProcessing,
		edxml.StatusDone, edxml.StatusTakeBack, edxml.StatusTakeBackAgreed, edxml.StatusTakeBackDenied,
	}
	for i := range 100 { // no code that is in use is forgotten
		code := edxml.StatusCode(fmt.Sprintf("%02d", i))
		if _, used := code.Name(); used != slices.Contains(codes, code) {
			t.Errorf("code %s: in use %t", code, used)
		}
	}
	for _, code := range codes {
		full := status()
		full.StatusCode = code
		small := &edxml.Status{
			From:        edxml.Organ{OrganID: "000.00.00.H41"},
			ResponseFor: edxml.ResponseFor{OrganID: "000.00.00.G22", DocumentID: "d1"},
			StatusCode:  code, Timestamp: "2024/02/29 23:59:59",
		}
		for name, s := range map[string]*edxml.Status{"full": full, "smallest": small} {
			text := write(t, edxml.WriteStatus, s)
			parts := edits(swap("<edXML:MessageHeader>", `<edXML:MessageHeader Id="m">`), headerEnd)
			for form, e := range map[string]edit{"plain": edits(), "signed whole": headerEnd, "signed by parts": parts} {
				if out := p.refusal(t, schemaStatus, e(text)); out != "" {
					t.Errorf("%s %s, %s:\n%s%s", name, code, form, out, e(text))
				}
			}
		}
	}
}

// TestSchemasTellPacketsApart: document and status have root and namespace in
// common, and no schema takes the other's packet.
func TestSchemasTellPacketsApart(t *testing.T) {
	p := newPublished(t)
	d, s := documents()["new"], status()
	texts := map[string]string{
		schemaSingle: write(t, edxml.Write, d), schemaSOAP: write(t, edxml.WriteEnvelope, d), schemaStatus: write(t, edxml.WriteStatus, s),
	}
	for _, schema := range slices.Sorted(maps.Keys(texts)) {
		for of, text := range texts {
			if taken := p.refusal(t, schema, text) == ""; taken != (of == schema) {
				t.Errorf("%s takes the packet of %s: %t", schema, of, taken)
			}
		}
	}
}

// mutation is a change of a strict packet that a schema must refuse, and what
// xmllint then says.
type mutation struct {
	constraint string
	kind       string // "" for new
	change     edit
	want       string
}

// What xmllint says.
const (
	misplaced   = "': This element is not expected."
	unmatched   = "is not accepted by the pattern"
	unlisted    = "[facet 'enumeration']"
	tooLong     = "[facet 'maxLength']"
	tooShort    = "[facet 'minLength']"
	notOfType   = "is not a valid value of the atomic type"
	missing     = "Missing child element(s)"
	noAttribute = "' is not allowed."
)

func long(n int) string { return strings.Repeat("ệ", n) }

// everywhere are mutations that both profiles refuse.
var everywhere = []mutation{
	{"one From", "", double("edXML:From"), "From" + misplaced},
	{"a receiver", "", edits(drop("edXML:To"), drop("edXML:To")), "DocumentId" + misplaced},
	{"a receiver stands once", "", swap("<edXML:OrganId>H36.17<", "<edXML:OrganId>000.00.00.H41<"), "}receiver'."},
	{"OrganId of From", "", drop("edXML:OrganId"), "OrganizationInCharge" + misplaced},
	{"OrganId has text", "", value("OrganId", ""), tooShort},
	{"OrganId, QĐ 20/2020 Art. 4: 35 characters", "", value("OrganId", long(36)), tooLong},
	{"OrganName of From", "", drop("edXML:OrganName"), "OrganAdd" + misplaced},
	{"OrganName, NĐ 30/2020 PL VI: 200 characters", "", value("OrganName", long(201)), tooLong},
	{"OrganizationInCharge before OrganName", "", move("edXML:OrganName", "edXML:OrganizationInCharge"), misplaced},
	{"Email: 100 characters", "", value("Email", long(101)), tooLong},
	{"CodeNumber", "", drop("edXML:CodeNumber"), "CodeNotation" + misplaced},
	{"CodeNumber, NĐ 30/2020 PL VI: 11 characters", "", value("CodeNumber", "118/BC-TTTH1"), tooLong},
	{"CodeNotation", "", drop("edXML:CodeNotation"), missing},
	{"CodeNotation, NĐ 30/2020 PL VI: 30 characters", "", value("CodeNotation", long(31)), tooLong},
	{"PromulgationDate", "", drop("edXML:PromulgationDate"), missing},
	{"PromulgationDate with the year first", "", value("PromulgationDate", "02/03/2026"), unmatched},
	{"PromulgationDate with slashes", "", value("PromulgationDate", "2026-03-02"), unmatched},
	{"PromulgationDate without a time", "", value("PromulgationDate", "2026/03/02 00:00:00"), unmatched},
	{"PromulgationDate without white space", "", value("PromulgationDate", " 2026/03/02"), unmatched},
	{"no 30 February", "", value("PromulgationDate", "2014/02/30"), unmatched},
	{"no 31 April", "", value("DueDate", "2026/04/31"), unmatched},
	{"no month 13", "", value("DueDate", "2026/13/01"), unmatched},
	{"DocumentType", "", drop("edXML:DocumentType"), "Subject" + misplaced},
	{"Type is a number", "", value("Type", "Công văn"), "Type': "},
	{"Subject", "", drop("edXML:Subject"), "Content" + misplaced},
	{"Subject has text", "", value("Subject", ""), tooShort},
	{"Subject, NĐ 30/2020 PL VI: 500 characters", "", value("Subject", long(501)), tooLong},
	{"Subject before Content", "", move("edXML:Content", "edXML:Subject"), "Content" + misplaced},
	{"Position, NĐ 30/2020 PL VI: 100 characters", "", value("Position", long(101)), tooLong},
	{"FullName, NĐ 30/2020 PL VI: 50 characters", "", value("FullName", long(51)), tooLong},
	{"OtherInfo", "", drop("edXML:OtherInfo"), "ResponseFor" + misplaced},
	{"Priority up to 4", "", value("Priority", "5"), "Priority': "},
	{"PageAmount is a count", "", value("PageAmount", "-1"), notOfType},
	{"Direction is true or false", "", value("Direction", "0"), unlisted},
	{"SteeringType is a number", "", value("SteeringType", "null"), "SteeringType': "},
	{"SteeringType before ResponseForTask", "", move("edXML:ResponseForTask", "edXML:SteeringType"), "SteeringType" + misplaced},
	{"an element of the standard", "", swap("</edXML:OtherInfo>", "<edXML:Secret>Mật</edXML:Secret></edXML:OtherInfo>"), "Secret" + misplaced},
	{"a TraceHeader", "", edits(drop("edXML:TraceHeader"), drop("edXML:TraceHeader")), "}TraceHeader )."},
	{"OrganId of a TraceHeader", "", inTrace(drop("edXML:OrganId")), "Timestamp" + misplaced},
	{"Timestamp with the year first", "", value("Timestamp", "02/03/2026 08:00:00"), unmatched},
	{"Timestamp with seconds", "", value("Timestamp", "2026/03/02 08:00"), unmatched},
	{"no hour 24", "", value("Timestamp", "2026/03/02 24:00:00"), unmatched},
	{"Bussiness", "", drop("edXML:Bussiness"), missing},
	{"one Bussiness", "", double("edXML:Bussiness"), "Bussiness" + misplaced},
	{"the spelling Bussiness", "", func(s string) string { return strings.ReplaceAll(s, "edXML:Bussiness>", "edXML:Business>") }, "Business" + misplaced},
	{"BussinessDocType", "", drop("edXML:BussinessDocType"), "BussinessDocReason" + misplaced},
	{"BussinessDocType up to 3", "recall", value("BussinessDocType", "4"), "BussinessDocType': "},
	{"Paper is 0 or 1", "", value("Paper", "2"), "Paper': "},
	{"ReceiverType is 0 or 1", "update", value("ReceiverType", "2"), "ReceiverType': "},
	{"DocumentInfo is 0 or 1", "update", value("DocumentInfo", "x"), "DocumentInfo': "},
	{"a ReceiverList has receivers", "update", value("ReceiverList", ""), missing},
	{"BussinessDocumentInfo after the reason", "update", move("edXML:BussinessDocumentInfo", "edXML:BussinessDocReason"), "BussinessDocReason" + misplaced},
	{"a replacement names the document", "replace", swap("<edXML:DocumentId>d1</edXML:DocumentId>", ""), "OrganIdList" + misplaced},
	{"a replacement names its organs", "replace", value("OrganIdList", ""), missing},
	{"ReplacementInfoList is not empty", "replace", edits(drop("edXML:ReplacementInfo"), drop("edXML:ReplacementInfo")), missing},
	{"an Id is a name", "", edits(identified, swap("MessageHeader-1", "#1")), "not a valid value of the atomic type 'xs:ID'"},
	{"an Id stands once", "", edits(identified, swap("Bussiness-1", "MessageHeader-1")), "xs:ID"},
}

// singleFile are mutations of a document as a single file.
var singleFile = []mutation{
	{"the namespace of QCVN 102", "", func(s string) string {
		return strings.ReplaceAll(s, edxml.NamespaceQCVN102, edxml.NamespaceQCVN102+"/")
	}, "No matching global declaration"},
	{"the envelope is in the namespace", "", swap(`xmlns:edXML="`+edxml.NamespaceQCVN102, `xmlns:edXML="`+edxml.NamespaceEDoc), misplaced},
	{"no empty element", "", value("Email", ""), tooShort},
	{"DocumentId", "", drop("edXML:DocumentId"), "Code" + misplaced},
	{"ToPlaces last", "", move("edXML:ToPlaces", "edXML:OtherInfo"), "ToPlaces" + misplaced},
	{"Appendixes last", "", move("edXML:Appendixes", "edXML:ReplyFors"), "ReplyFors" + misplaced},
	{"ReplyFors before Direction", "", move("edXML:Direction", "edXML:ReplyFors"), "ReplyFors" + misplaced},
	{"Paper before what is updated", "update", move("edXML:BussinessDocumentInfo", "edXML:Paper"), "Paper" + misplaced},
	{"OrganId before ReceiverType", "update", swap("<edXML:Receiver>", "<edXML:Receiver><edXML:ReceiverType>0</edXML:ReceiverType>"), "ReceiverType" + misplaced},
	{"Email before Mobile", "", edits(swap("<edXML:Mobile>0900</edXML:Mobile>", ""), swap("<edXML:StaffId>", "<edXML:Mobile>0900</edXML:Mobile><edXML:StaffId>")), "StaffId" + misplaced},
	{"update or replacement, not both", "update", swap("</edXML:BussinessDocumentInfo>", "</edXML:BussinessDocumentInfo><edXML:ReplacementInfoList><edXML:ReplacementInfo><edXML:DocumentId>d</edXML:DocumentId><edXML:OrganIdList><edXML:OrganId>H41</edXML:OrganId></edXML:OrganIdList></edXML:ReplacementInfo></edXML:ReplacementInfoList>"), "ReplacementInfoList" + misplaced},
	{"a reply names its document", "", edits(drop("edXML:ResponseFor"), value("ResponseFor", "<edXML:OrganId>H41</edXML:OrganId>")), missing},
	{"SteeringType without white space", "", value("SteeringType", " 1"), unmatched},
	{"BussinessDocType without white space", "", value("BussinessDocType", "0 "), unlisted},
	{"Place of ToPlaces: 150 characters", "", swap(">Như trên<", ">"+long(151)+"<"), tooLong},
	{"Appendix: 250 characters", "", value("Appendix", long(251)), tooLong},
	{"version of the manifest", "", swap(` version="1.0">`, ">"), "'version' is required"},
	{"version 1.0 of the manifest", "", swap(` version="1.0">`, ` version="2.0">`), "'version'"},
	{"no other attribute", "", swap("<edXML:TraceHeaderList>", `<edXML:TraceHeaderList id="1">`), noAttribute},
	{"the body", "", drop("edXML:edXMLBody"), missing},
	{"AttachmentEncoded, also without files", "", drop("AttachmentEncoded"), missing},
	{"every listed file is there", "", drop("Attachment"), "}listedIsAttached'."},
	{"every file is listed", "", drop("edXML:Reference"), "}attachedIsListed'."},
	{"a file is listed once", "", double("edXML:Reference"), "}listed'."},
	{"a file stands once", "", double("Attachment"), "}attached'."},
	{"cid: before a ContentId", "", func(s string) string { return strings.ReplaceAll(s, ">cid:", ">") }, unmatched},
	{"AttachmentName", "", drop("AttachmentName"), "Description" + misplaced},
	{"the name of a listed file", "", drop("edXML:AttachmentName"), missing},
	{"ContentType", "", drop("ContentType"), "ContentTransferEncoded" + misplaced},
	{"the content is base64", "", swap(`QCVN_102_2016">WGlu`, `QCVN_102_2016">W-l_`), "xs:base64Binary"},
	{"the content is there", "", func(s string) string {
		i := strings.Index(s, "<edXML:ContentTransferEncoded")
		return s[:i] + s[i+strings.Index(s[i:], "</Attachment>"):]
	}, missing},
	{"one signature", "", edits(headerEnd, headerEnd), misplaced},
	{"the signature comes last", "", swap("<edXML:MessageHeader>", dsSignature+"<edXML:MessageHeader>"), "Signature" + misplaced},
	{"a signature in the namespace of XML Signature", "", swap("</edXML:edXMLHeader>", `<Signature></Signature></edXML:edXMLHeader>`), "Signature" + misplaced},
}

// soaped are mutations of an envelope.
var soaped = []mutation{
	{"the namespace with its slash", "", swap(edxml.NamespaceEDoc, strings.TrimSuffix(edxml.NamespaceEDoc, "/")), misplaced},
	{"SOAP 1.1", "", swap(edxml.NamespaceSOAP, "http://www.w3.org/2003/05/soap-envelope"), "No matching global declaration"},
	{"MessageHeader", "", drop("edXML:MessageHeader"), "TraceHeaderList" + misplaced},
	{"TraceHeaderList", "", drop("edXML:TraceHeaderList"), "ErrorList" + misplaced},
	{"TraceHeader before Bussiness", "", move("edXML:Bussiness", "edXML:TraceHeader"), misplaced},
	{"ErrorList", "", swap("<edXML:ErrorList/>", ""), missing},
	{"Manifest", "", drop("edXML:Manifest"), missing},
	{"Manifest is of the body", "", move("edXML:Manifest", "edXML:MessageHeader"), "Manifest" + misplaced},
	{"no block but the profile's", "", blocksEnd(`<Token xmlns="http://e-doc.vn/xsd">x</Token>`), "Token" + misplaced},
	{"one token", "", blocksEnd(accessToken + accessToken), "Signature" + misplaced},
	{"one signature", "", blocksEnd(dsSignature + accessToken + dsSignature), "Signature" + misplaced},
	{"a token has text", "", blocksEnd(strings.Replace(accessToken, "bWF0LWtoYXU=", "", 1)), tooShort},
	{"the token is no XML signature", "", blocksEnd(`<edXML:Signature><edXML:SignedInfo/></edXML:Signature>`), "SignedInfo" + misplaced},
	{"DueDate, also when empty", "", drop("edXML:DueDate"), "ToPlaces" + misplaced},
	{"ToPlaces before OtherInfo", "", move("edXML:OtherInfo", "edXML:ToPlaces"), "OtherInfo" + misplaced},
	{"Appendixes before Direction", "", move("edXML:Direction", "edXML:Appendixes"), "Direction" + misplaced},
	{"a list of appendixes, also when empty", "", drop("edXML:Appendixes"), "Direction" + misplaced},
	{"Paper last", "", move("edXML:Paper", "edXML:StaffInfo"), "StaffInfo" + misplaced},
	{"Mobile before Email", "", edits(swap("<edXML:Mobile>0900</edXML:Mobile>", ""), swap("</edXML:StaffInfo>", "<edXML:Mobile>0900</edXML:Mobile></edXML:StaffInfo>")), "Email" + misplaced},
	{"ReceiverType before OrganId", "update", swap("<edXML:ReceiverType>0</edXML:ReceiverType>", ""), "OrganId" + misplaced},
	{"a Reference points to its part", "", swap(` xlink:href="cid:id-1@example.vn"`, ""), "'{" + edxml.NamespaceXLink + "}href' is required"},
	{"a part is listed once", "", swap("cid:id-2@", "cid:id-1@"), "}file'."},
	{"AttachmentName", "", drop("edXML:AttachmentName"), "Description" + misplaced},
}

// statuses are mutations of a status.
var statuses = []mutation{
	{"From", "", drop("edXML:From"), "ResponseFor" + misplaced},
	{"OrganId of From", "", drop("edXML:OrganId"), "OrganizationInCharge" + misplaced},
	{"From before ResponseFor", "", move("edXML:ResponseFor", "edXML:From"), "ResponseFor" + misplaced},
	{"ResponseFor", "", drop("edXML:ResponseFor"), "StaffInfo" + misplaced},
	{"organ of the document", "", swap("<edXML:OrganId>000.00.00.G22</edXML:OrganId>", ""), "Code" + misplaced},
	{"name of the document", "", edits(drop("edXML:Code"), drop("edXML:DocumentId")), "PromulgationDate" + misplaced},
	{"DocumentId before PromulgationDate", "", move("edXML:PromulgationDate", "edXML:DocumentId"), misplaced},
	{"StaffInfo before StatusCode", "", move("edXML:StatusCode", "edXML:StaffInfo"), "StaffInfo" + misplaced},
	{"StatusCode", "", drop("edXML:StatusCode"), "Description" + misplaced},
	{"StatusCode has two digits", "", value("StatusCode", "2"), unlisted},
	{"StatusCode is in use", "", value("StatusCode", "14"), unlisted},
	{"Description: 500 characters", "", value("Description", long(501)), tooLong},
	{"Timestamp", "", drop("edXML:Timestamp"), missing},
	{"Timestamp with a time", "", value("Timestamp", "2026/03/02"), unmatched},
	{"MessageHeader, not Status", "", func(s string) string { return strings.ReplaceAll(s, "edXML:MessageHeader", "edXML:Status") }, "Status" + misplaced},
	{"no traces", "", swap("</edXML:edXMLHeader>", "<edXML:TraceHeaderList/></edXML:edXMLHeader>"), "TraceHeaderList" + misplaced},
	{"no files", "", swap("</edXML:edXMLEnvelope>", "</edXML:edXMLEnvelope><AttachmentEncoded/>"), "AttachmentEncoded" + misplaced},
	{"one signature", "", edits(headerEnd, headerEnd), misplaced},
}

// TestSchemasRefuse breaks one constraint at a time.
func TestSchemasRefuse(t *testing.T) {
	p := newPublished(t)
	list := documents()
	for _, of := range []struct {
		schema    string
		write     func(kind string) string
		mutations []mutation
	}{
		{schemaSingle, func(kind string) string { return write(t, edxml.Write, list[kind]) }, slices.Concat(everywhere, singleFile)},
		{schemaSOAP, func(kind string) string { return write(t, edxml.WriteEnvelope, list[kind]) }, slices.Concat(everywhere, soaped)},
		{schemaStatus, func(string) string { return write(t, edxml.WriteStatus, status()) }, statuses},
	} {
		for _, m := range of.mutations {
			if m.kind == "" {
				m.kind = "new"
			}
			text := of.write(m.kind)
			changed := m.change(text)
			if changed == text {
				t.Errorf("%s, %s: nothing was changed", of.schema, m.constraint)
				continue
			}
			switch out := p.refusal(t, of.schema, changed); {
			case out == "":
				t.Errorf("%s takes a packet that breaks: %s", of.schema, m.constraint)
			case !strings.Contains(out, m.want):
				t.Errorf("%s, %s: the refusal does not say %q:\n%s", of.schema, m.constraint, m.want, out)
			}
		}
	}
}
