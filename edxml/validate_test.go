package edxml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// soundDocument has nothing that any rule could find, but for its signature.
func soundDocument() *edxml.Document {
	organ := func(id, name string) edxml.Organ {
		return edxml.Organ{OrganID: id, OrganizationInCharge: "Cơ quan chủ quản", OrganName: name, OrganAdd: "Số 1", Email: "vt@example.vn", Telephone: "1", Fax: "2", Website: "example.vn"}
	}
	return &edxml.Document{
		From: organ("G22", "Văn phòng thử nghiệm"), To: []edxml.Organ{organ("H41", "Ủy ban thử nghiệm"), organ("H41.7", "Sở thử nghiệm")},
		DocumentID: "G22,2026/03/02,118/BC-TTTH", Code: edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "14", TypeName: "Báo cáo"},
		Subject:          "Báo cáo thử nghiệm", Content: "Nội dung",
		SignerInfo: edxml.SignerInfo{Competence: "TM.", Position: "Chánh văn phòng", FullName: "Nguyễn Văn A"},
		DueDate:    "2026/03/20", ToPlaces: []string{"Như trên"},
		OtherInfo:    edxml.OtherInfo{Priority: "0", SphereOfPromulgation: "Toàn quốc", TyperNotation: "NVA", PromulgationAmount: "3", PageAmount: "4", Appendixes: []string{"Phụ lục I"}},
		ResponseFor:  []edxml.ResponseFor{{OrganID: "H41", Code: "7/CV-UBND", DocumentID: "x", PromulgationDate: "2026/01/01"}},
		SteeringType: "1",
		TraceHeaders: []edxml.TraceHeader{{OrganID: "G22", Timestamp: "2026/03/02 08:00:00"}},
		Business:     &edxml.Business{DocType: edxml.New, Paper: "0"},
		Attachments:  []edxml.Attachment{{Name: "a.txt", ContentID: "a", Content: strings.NewReader("x")}},
	}
}

func soundStatus() *edxml.Status {
	return &edxml.Status{
		From:        soundDocument().From,
		ResponseFor: edxml.ResponseFor{OrganID: "H41", Code: "7/CV-UBND", DocumentID: "x", PromulgationDate: "2026/03/01"},
		StaffInfo:   &edxml.StaffInfo{Department: "VT", Staff: "A", Email: "a@example.vn", Mobile: "09"},
		StatusCode:  edxml.StatusArrived, Description: "Đã đến", Timestamp: "2026/03/02 09:15:00",
	}
}

// sound returns the text of a packet of each form that no rule has anything
// against.
func sound(t testing.TB) map[string]string {
	t.Helper()
	const signature = `<ds:Signature xmlns:ds="` + edxml.NamespaceDSig + `"><ds:SignedInfo><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod></ds:SignedInfo></ds:Signature>`
	text := func(err error, b *strings.Builder) string {
		if err != nil {
			t.Fatal(err)
		}
		s := b.String()
		for _, end := range []string{"</edXML:edXMLHeader>", "</SOAP-ENV:Header>"} {
			s = strings.Replace(s, end, signature+end, 1)
		}
		return s
	}
	var single, envelope, status strings.Builder
	return map[string]string{
		"document": text(edxml.Write(&single, soundDocument()), &single),
		"soap":     text(edxml.WriteEnvelope(&envelope, soundDocument()), &envelope),
		"status":   text(edxml.WriteStatus(&status, soundStatus()), &status),
		"older": `<SOAP-ENV:Envelope xmlns:SOAP-ENV="` + edxml.NamespaceSOAP + `"><SOAP-ENV:Header><Status><From><OrganId>G22</OrganId></From>` +
			`<ResponseFor><OrganId>H41</OrganId><Code>7/CV</Code></ResponseFor><StaffInfo><Staff>A</Staff></StaffInfo><StatusCode>01</StatusCode>` +
			`<Timestamp>2026/03/02 09:15:00</Timestamp></Status></SOAP-ENV:Header><SOAP-ENV:Body/></SOAP-ENV:Envelope>`,
	}
}

// alter replaces in pairs, once each; what to replace must be there.
func alter(t testing.TB, s string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("%q is not in the packet:\n%s", pairs[i], s)
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

// el writes an element as the writer does.
func el(name, value string) string { return "<edXML:" + name + ">" + value + "</edXML:" + name + ">" }

// judgements is one row for every rule that validation finds over and above
// those of the fixtures in testdata: a change to a sound packet that the rule
// finds, and where, and a similar one that it does not.
var judgements = []struct {
	rule, form, path string
	against          edxml.Against
	hit, miss        []string
}{
	{"ID-1a", "document", "To[1]/OrganId", edxml.Law, []string{el("OrganId", "H41"), el("OrganId", "28.22.H17")}, []string{el("OrganId", "H41"), el("OrganId", "000.00.00.H41")}},
	{"ID-1a", "status", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "77")}, []string{el("OrganId", "G22"), el("OrganId", "0101234567")}},
	{"ID-2", "document", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "G22."+strings.Repeat("1", 32))}, []string{el("OrganId", "G22"), el("OrganId", "G22."+strings.Repeat("1", 31))}},
	{"ID-3", "document", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "vxp.saas.02")}, []string{el("OrganId", "G22"), el("OrganId", "G22.SAAS.02")}},
	{"ID-3", "document", "To[2]/OrganId", edxml.Law, []string{"H41.7", "H41..7"}, []string{"H41.7", "H41.7.7"}},
	{"ID-4", "document", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "G14")}, []string{el("OrganId", "G22"), el("OrganId", "G14"), "2026/03/02</edXML:PromulgationDate>", "2023/03/02</edXML:PromulgationDate>"}},
	{"ID-4", "document", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "W00")}, []string{el("OrganId", "G22"), el("OrganId", "A01")}},
	{"ID-5", "document", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "002.00.20.H13")}, []string{el("OrganId", "G22"), el("OrganId", "002.01.20.H13")}},
	{"ID-6", "document", "From/OrganId", edxml.Law, []string{el("OrganId", "G22"), el("OrganId", "000.00.00.G22")}, []string{el("OrganId", "G22"), el("OrganId", "000.00.00.G22"), "2026/03/02</edXML:PromulgationDate>", "2022/09/14</edXML:PromulgationDate>"}},
	{"ID-7", "document", "To[1]/OrganId", edxml.Law, []string{"Ủy ban thử nghiệm", "UBND huyện Thử Nghiệm"}, []string{"Ủy ban thử nghiệm", "UBND xã Huyện Môn"}},
	{"DOC-2", "document", "Subject", edxml.Law, []string{"Báo cáo thử nghiệm", strings.Repeat("ệ", 501)}, []string{"Báo cáo thử nghiệm", strings.Repeat("ệ", 500)}},
	{"DOC-2", "document", "To[2]/OrganName", edxml.Law, []string{"Sở thử nghiệm", strings.Repeat("S", 201)}, []string{"Sở thử nghiệm", strings.Repeat("e\u0302\u0323", 200)}},
	{"DOC-4", "document", "DocumentType/TypeName", edxml.Law, []string{el("TypeName", "Báo cáo"), el("TypeName", "Báo cáo nhanh")}, []string{el("TypeName", "Báo cáo"), el("TypeName", "công  VĂN")}},
	{"DOC-4a", "document", "Code/CodeNotation", edxml.Law, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "TB-TTTH")}, []string{el("TypeName", "Báo cáo"), el("TypeName", "Quyết định (cá biệt)"), el("CodeNotation", "BC-TTTH"), el("CodeNotation", "2026/QĐ-TTg")}},
	{"DOC-4", "document", "DocumentType/TypeName", edxml.Law, []string{el("TypeName", "Báo cáo"), el("TypeName", "Giấy chứng tử")}, []string{el("TypeName", "Báo cáo"), el("TypeName", "Giấy chứng nhận")}},
	{"DOC-4b", "document", "Code/CodeNotation", edxml.Law, []string{el("TypeName", "Báo cáo"), el("TypeName", "Công văn"), el("CodeNotation", "BC-TTTH"), el("CodeNotation", "QĐ-TTTH")}, []string{el("TypeName", "Báo cáo"), el("TypeName", "Công văn"), el("CodeNotation", "BC-TTTH"), el("CodeNotation", "TTr-TTTH")}},
	{"DOC-5", "document", "Code/CodeNumber", edxml.Law, []string{el("CodeNumber", "118"), el("CodeNumber", "8")}, []string{el("CodeNumber", "118"), el("CodeNumber", "08")}},
	{"DOC-6", "document", "Code/CodeNotation", edxml.Law, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "BC - TTTH")}, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", " BC-TTTH ")}},
	{"DOC-6", "document", "Code/CodeNotation", edxml.Law, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "QÐ-TTTH")}, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "QĐ-TTTH")}},
	{"DOC-6", "document", "Code/CodeNotation", edxml.Law, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "QD-TTTH")}, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "HD-TTTH")}},
	{"DOC-6", "document", "Code/CodeNotation", edxml.Law, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "BC-O\u0302")}, []string{el("CodeNotation", "BC-TTTH"), el("CodeNotation", "BC-Ô")}},
	{"DOC-7a", "document", "OtherInfo/Priority", edxml.Law, []string{el("Priority", "0"), el("Priority", "4")}, []string{el("Priority", "0"), el("Priority", "3")}},
	{"DOC-8", "document", "OtherInfo/SphereOfPromulgation", edxml.Axis, []string{"Toàn quốc", "TỐI MẬT"}, []string{"Toàn quốc", "Bí mật nhà trường"}},
	{"DOC-8", "document", "OtherInfo/Secret", edxml.Law, []string{el("Priority", "0"), el("Priority", "0") + el("Secret", "Mật")}, []string{el("Priority", "0"), el("Priority", "0") + el("Secret", "0")}},
	{"DOC-8a", "document", "Subject", edxml.Law, []string{"Báo cáo thử nghiệm", "(MẬT) Báo cáo"}, []string{"Báo cáo thử nghiệm", "Mật ong và MẬT độ dân số"}},
	{"DOC-13", "document", "Bussiness/BussinessDocReason", edxml.Law, []string{el("BussinessDocType", "0"), el("BussinessDocType", "1")}, []string{el("BussinessDocType", "0"), el("BussinessDocType", "1") + el("BussinessDocReason", "Sai")}},
	{"DOC-14", "document", "Bussiness/DocumentId", edxml.Law, []string{el("BussinessDocType", "0"), el("BussinessDocType", "2")}, []string{el("BussinessDocType", "0"), el("DocumentId", "x") + el("BussinessDocType", "2")}},
	{"DOC-15", "document", "Bussiness/ReplacementInfoList", edxml.Law, []string{el("BussinessDocType", "0"), el("BussinessDocType", "3")}, []string{el("BussinessDocType", "0"), el("BussinessDocType", "3") + replaced(el("DocumentId", "x")+el("OrganIdList", el("OrganId", "H41")))}},
	{"DOC-15", "document", "Bussiness/ReplacementInfoList/ReplacementInfo[1]/DocumentId", edxml.Law, []string{el("BussinessDocType", "0"), el("BussinessDocType", "3") + replaced(el("OrganIdList", el("OrganId", "H41")))}, nil},
	{"DOC-15", "document", "Bussiness/ReplacementInfoList/ReplacementInfo[1]/OrganIdList", edxml.Law, []string{el("BussinessDocType", "0"), el("BussinessDocType", "3") + replaced(el("DocumentId", "x"))}, nil},
	{"TIME-1", "document", "TraceHeader[1]/Timestamp", edxml.Law, []string{"2026/03/02 08:00:00", "2026/03/03 12:00:01"}, []string{"2026/03/02 08:00:00", "2026/03/03 11:59:59"}},
	{"TIME-1", "document", "TraceHeader[1]/Timestamp", edxml.Law, []string{el("PromulgationDate", "2026/03/02"), el("PromulgationDate", "2026/02/26")}, []string{el("PromulgationDate", "2026/03/02"), el("PromulgationDate", "2026/02/27")}}, // a Friday
	{"TIME-2", "document", "TraceHeader[1]/Timestamp", edxml.Law, []string{el("Priority", "0"), el("Priority", "1"), "2026/03/02 08:00:00", "2026/03/03 00:00:00"}, []string{el("Priority", "0"), el("Priority", "1"), "2026/03/02 08:00:00", "2026/03/02 23:59:59"}},
	{"TIME-4", "document", "TraceHeader[1]/Timestamp", edxml.Law, []string{"2026/03/02 08:00:00", "2026/03/03 12:05:01"}, []string{"2026/03/02 08:00:00", "2026/03/03 12:05:00"}},
	{"TIME-2", "document", "TraceHeader[1]/Timestamp", edxml.Law, []string{el("Priority", "0"), el("Priority", "1"), "</ds:SignedInfo>", "</ds:SignedInfo>" + signingTime("2026-03-02T07:29:59+07:00")}, []string{el("Priority", "0"), el("Priority", "1"), "</ds:SignedInfo>", "</ds:SignedInfo>" + signingTime("2026-03-02T00:30:00Z")}},
	{"TIME-4a", "document", "TraceHeader[2]/Timestamp", edxml.Law, []string{"</edXML:TraceHeader>", "</edXML:TraceHeader>" + el("TraceHeader", el("OrganId", "H41")+el("Timestamp", "2026/03/02 07:54:59"))}, []string{"</edXML:TraceHeader>", "</edXML:TraceHeader>" + el("TraceHeader", el("OrganId", "H41")+el("Timestamp", "2026/03/02 07:55:00"))}},
	{"TIME-4", "status", "Timestamp", edxml.Law, []string{"2026/03/02 09:15:00", "2026/03/04 09:15:00"}, []string{"2026/03/02 09:15:00", "2026/03/03 09:15:00"}},
	{"SIG-3", "document", "Signature", edxml.Law, []string{"2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1"}, []string{"rsa-sha256", "rsa-sha512"}},
	{"ST-1", "status", "StatusCode", edxml.Law, []string{el("StatusCode", "01"), el("StatusCode", "07")}, []string{el("StatusCode", "01"), el("StatusCode", "6")}},
	{"ST-1a", "status", "StatusCode", edxml.Law, []string{el("StatusCode", "01"), el("StatusCode", "14")}, []string{el("StatusCode", "01"), el("StatusCode", "15")}},
	{"STR-1", "document", "Code", edxml.Law, []string{el("CodeNumber", "118"), "", el("CodeNotation", "BC-TTTH"), el("CodeNotation", "BC-TTTH") + el("CodeNumber", "118")}, []string{el("CodeNumber", "118"), el("CodeNumber", "119")}},
	{"STR-1", "status", "MessageHeader", edxml.Law, []string{el("StatusCode", "01"), "", el("Description", "Đã đến"), el("Description", "Đã đến") + el("StatusCode", "01")}, nil},
	{"STR-2", "document", "DocumentType/Type", edxml.Law, []string{el("Type", "2"), ""}, []string{el("TypeDetail", "14"), ""}},
	{"STR-2", "soap", "ToPlaces", edxml.Law, []string{"<edXML:ToPlaces>", "<edXML:Other>", "</edXML:ToPlaces>", "</edXML:Other>"}, []string{el("Place", "Như trên"), ""}},
	{"STR-2", "document", "OtherInfo", edxml.Law, []string{el("PageAmount", "4"), "", el("PromulgationAmount", "3"), ""}, []string{el("PageAmount", "4"), ""}},
	{"STR-3", "document", "OtherInfo/PageAmount", edxml.Law, []string{el("PageAmount", "4"), el("PageAmount", "bốn")}, []string{el("PageAmount", "4"), el("PageAmount", " 4 ")}},
	{"STR-3", "soap", "TraceHeader[1]/Timestamp", edxml.Law, []string{"2026/03/02 08:00:00", "02/03/2026 08:00:00"}, nil},
	{"STR-4", "document", "MessageHeader", edxml.Law, []string{el("Subject", "Báo cáo thử nghiệm"), `<Subject xmlns="urn:x">Báo cáo thử nghiệm</Subject>`}, []string{el("Subject", "Báo cáo thử nghiệm"), "<Subject>Báo cáo thử nghiệm</Subject>"}},
	{"STR-5", "document", "ResponseFor[1]", edxml.Law, []string{el("Code", "7/CV-UBND"), "", el("DocumentId", "x"), ""}, []string{el("Code", "7/CV-UBND"), ""}},
	{"AXS-1", "soap", "To[2]/Fax", edxml.Axis, []string{el("Fax", "2"), el("Fax", "3"), el("Fax", "2"), el("Fax", "4"), el("Fax", "2"), ""}, []string{el("Fax", "2"), el("Fax", "")}},
	{"AXS-1", "soap", "ErrorList", edxml.Axis, []string{"<edXML:ErrorList/>", ""}, nil},
	{"STR-2", "soap", "ErrorList/Error[1]/Description", edxml.Law, []string{"<edXML:ErrorList/>", el("ErrorList", el("Error", el("Code", "1")))}, []string{"<edXML:ErrorList/>", el("ErrorList", el("Error", el("Code", "1")+el("Description", "x")))}},
	{"AXS-2", "soap", "MessageHeader", edxml.Axis, []string{"<edXML:MessageHeader>", `<edXML:MessageHeader xmlns:edXML="http://www.e-doc.vn/Schema">`}, []string{"edXML:Subject>", "Subject>", "/edXML:Subject>", "/Subject>"}},
	{"AXS-3", "document", "PromulgationInfo/PromulgationDate", edxml.Axis, []string{el("PromulgationDate", "2026/03/02"), el("PromulgationDate", "2026/03/04")}, []string{el("PromulgationDate", "2026/03/02"), el("PromulgationDate", "2026/03/03")}},
	{"AXS-4", "document", "DocumentType/Type", edxml.Axis, []string{el("Type", "2"), el("Type", "18")}, []string{el("Type", "2"), ""}},
	{"AXS-5", "document", "OtherInfo/PageAmount", edxml.Axis, []string{el("PageAmount", "4"), el("PageAmount", "-1")}, []string{el("PageAmount", "4"), el("PageAmount", "0")}},
	{"AXS-6", "document", "To[2]/OrganId", edxml.Axis, []string{"H41.7", "H41.7.7.7.7"}, []string{"H41.7", "H41.7.7.7"}},
	{"AXS-7", "document", "TraceHeader[1]/OrganId", edxml.Axis, []string{"<edXML:TraceHeader>\n          " + el("OrganId", "G22"), "<edXML:TraceHeader>"}, []string{"<edXML:TraceHeader>\n          " + el("OrganId", "G22"), "<edXML:TraceHeader>" + el("OrganId", "null")}},
	{"AXS-8", "soap", "Bussiness", edxml.Axis, []string{"<edXML:Bussiness>", "<edXML:Other>", "</edXML:Bussiness>", "</edXML:Other>"}, []string{"<edXML:Bussiness>", "<edXML:Business>", "</edXML:Bussiness>", "</edXML:Business>"}},
	{"AXS-9", "document", "", edxml.Axis, []string{">eA==<", "><"}, []string{">eA==<", ">AA==<"}},
	{"AXS-10", "older", "StaffInfo", edxml.Axis, []string{"<StaffInfo>", "<Other>", "</StaffInfo>", "</Other>"}, []string{"<Staff>A</Staff>", ""}},
	{"VND-1", "document", "", edxml.Vendor, []string{"<?xml", "1212<?xml"}, []string{"<?xml", "\uFEFF<?xml"}},
	{"VND-1", "document", "", edxml.Vendor, []string{"</edXML>", "</edXML>1212"}, []string{"</edXML>", "</edXML><!-- -->"}},
	{"VND-2", "document", "edXMLEnvelope", edxml.Vendor, []string{`edXMLEnvelope xmlns:edXML="` + edxml.NamespaceQCVN102, `edXMLEnvelope xmlns:edXML="` + edxml.NamespaceQCVN102 + "/"}, []string{"Báo", "Bao"}},
	{"VND-2", "soap", "edXMLEnvelope", edxml.Vendor, []string{"Báo", "Bao"}, nil},
	{"VND-3", "document", "SteeringType", edxml.Vendor, []string{el("SteeringType", "1"), el("SteeringType", " 1")}, []string{el("SteeringType", "1"), ""}},
	{"VND-3", "document", "SteeringType", edxml.Vendor, []string{el("SteeringType", "1"), el("SteeringType", "")}, []string{el("SteeringType", "1"), el("SteeringType", "10")}},
	{"VND-4", "document", "DocumentId", edxml.Vendor, []string{el("DocumentId", "G22,2026/03/02,118/BC-TTTH"), ""}, []string{el("DocumentId", "G22,2026/03/02,118/BC-TTTH"), el("DocumentId", "")}},
	{"VND-5", "document", "DueDate", edxml.Vendor, []string{"2026/03/20", "20/03/2026"}, []string{"2026/03/20", "2026/12/31"}},
	{"VND-5", "status", "Timestamp", edxml.Vendor, []string{"2026/03/02 09:15:00", "2026-03-02T09:15:00"}, []string{"2026/03/02 09:15:00", "2026/03/02 23:15:00"}},
	{"VND-6", "document", "/edXML/edXMLEnvelope/edXMLHeader/TraceHeaderList/Business", edxml.Vendor, []string{"<edXML:Bussiness>", "<edXML:Business>", "</edXML:Bussiness>", "</edXML:Business>"}, []string{"edXML:DueDate>", "edXML:ResponseDate>", "/edXML:DueDate>", "/edXML:ResponseDate>"}},
	{"VND-7", "document", "DocumentType/Type", edxml.Vendor, []string{el("Type", "2"), el("Type", "hai")}, []string{el("Type", "2"), el("Type", "18")}},
}

func replaced(inside string) string {
	return el("ReplacementInfoList", el("ReplacementInfo", inside))
}

// signingTime is the time in a signature, as XAdES has it.
func signingTime(at string) string {
	return `<ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"><xades:SignedProperties><xades:SignedSignatureProperties><xades:SigningTime>` +
		at + `</xades:SigningTime></xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object>`
}

// judged are the rules of this file's tables; the fixtures need not hold them.
var judged = func() map[string]bool {
	rules := map[string]bool{
		"DOC-9": true, "ST-3": true, "ST-4": true, "TIME-3": true, // exchange_test.go
		"ATT-2": true, "ATT-3": true, "SIG-4": true, // pdf_test.go
		edxml.RuleSignature: true, edxml.RuleWeakKey: true, // for those who know signatures
	}
	for _, j := range judgements {
		rules[j.rule] = true
	}
	delete(rules, "DOC-8")
	return rules
}()

func validate(t *testing.T, doc string, against edxml.Against) []edxml.Finding {
	t.Helper()
	p, err := edxml.Read(strings.NewReader(doc), edxml.ReadOptions{})
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return edxml.ValidateWith(p, edxml.ValidateOptions{Now: now, Against: against})
}

// TestSound: a packet in order has no findings, of whatever set.
func TestSound(t *testing.T) {
	for form, doc := range sound(t) {
		for _, f := range validate(t, doc, edxml.All) {
			if form != "document" && strings.HasPrefix(f.Rule, "VND-2") {
				continue // the library reads single files only
			}
			t.Errorf("%s: %v (%s)\n%s", form, f, f.Path, doc)
		}
	}
}

func TestJudgements(t *testing.T) {
	texts := sound(t)
	for i, c := range judgements {
		t.Run(fmt.Sprintf("%s-%d", c.rule, i), func(t *testing.T) {
			hit := func(pairs []string) (edxml.Finding, bool) {
				for _, f := range validate(t, alter(t, texts[c.form], pairs...), c.against) {
					if f.Rule == c.rule && f.Path == c.path {
						return f, true
					}
				}
				return edxml.Finding{}, false
			}
			f, ok := hit(c.hit)
			if !ok {
				t.Errorf("%q is not found at %q; found %v", c.hit, c.path, validate(t, alter(t, texts[c.form], c.hit...), c.against))
			}
			for _, text := range []string{f.Message.VI, f.Message.EN, f.Remedy.VI, f.Remedy.EN, string(f.Clause)} {
				if text == "" || strings.Contains(text, "%!") {
					t.Errorf("it says %q", text)
				}
			}
			if f.Message.VI == f.Message.EN && c.rule != "DOC-6" {
				t.Errorf("both languages say %q", f.Message.EN)
			}
			if f.Pos.Line < 1 && c.path != "" {
				t.Errorf("no place: %+v", f)
			}
			if c.miss != nil {
				if f, found := hit(c.miss); found {
					t.Errorf("%q is found: %v", c.miss, f)
				}
			}
		})
	}
}

// TestPlaces: a value's place is its element, a missing element's is the one
// it is missing in; a packet that was built has no places.
func TestPlaces(t *testing.T) {
	doc := sound(t)["document"]
	at := func(doc, tag string) (line, column int) {
		before, _, ok := strings.Cut(doc, tag)
		if !ok {
			t.Fatalf("no %s", tag)
		}
		return strings.Count(before, "\n") + 1, len(before) - strings.LastIndex(before, "\n")
	}
	for _, c := range []struct{ rule, old, new, tag string }{
		{"DOC-5", el("CodeNumber", "118"), el("CodeNumber", "8"), "<edXML:CodeNumber>"},
		{"DOC-1", el("CodeNumber", "118"), "", "<edXML:Code>"},
		{"STR-3", el("PageAmount", "4"), el("PageAmount", "x"), "<edXML:PageAmount>"},
		{"STR-2", el("PageAmount", "4"), "", "<edXML:OtherInfo>"},
		{"ID-3", "H41.7", "h41.7", el("OrganId", "h41.7")},
	} {
		changed := alter(t, doc, c.old, c.new)
		line, column := at(changed, c.tag)
		found := false
		for _, f := range validate(t, changed, edxml.Law) {
			if f.Rule == c.rule {
				if found = true; f.Pos.Line != line || f.Pos.Column != column {
					t.Errorf("%s at %d:%d, want %d:%d", c.rule, f.Pos.Line, f.Pos.Column, line, column)
				}
			}
		}
		if !found {
			t.Errorf("%s is not found", c.rule)
		}
	}
	d := soundDocument()
	d.Subject = ""
	for _, f := range edxml.Validate(&edxml.Packet{Kind: edxml.KindDocument, Document: d}, now) {
		if f.Pos.Line != 0 {
			t.Errorf("%v", f)
		}
	}
}

// TestOnePlaceOneFinding: what a rule of our own says, the schema does not
// repeat.
func TestOnePlaceOneFinding(t *testing.T) {
	doc := sound(t)["document"]
	for _, pairs := range [][]string{
		{el("Subject", "Báo cáo thử nghiệm"), ""}, {el("Subject", "Báo cáo thử nghiệm"), el("Subject", "")}, {el("Priority", "0"), el("Priority", "9")},
		{el("PromulgationDate", "2026/03/02"), el("PromulgationDate", "2026/02/30")}, {el("CodeNumber", "118"), el("CodeNumber", "123456789012")},
		{el("OrganId", "G22"), el("OrganId", "G22."+strings.Repeat("1", 40))}, {el("BussinessDocType", "0"), el("BussinessDocType", "7")},
	} {
		found := validate(t, alter(t, doc, pairs...), edxml.Law)
		places := map[string]string{}
		for _, f := range found {
			if other, ok := places[f.Path]; ok {
				t.Errorf("%s and %s about %s", other, f.Rule, f.Path)
			}
			places[f.Path] = f.Rule
		}
		if len(found) != 1 || strings.HasPrefix(found[0].Rule, "STR") {
			t.Errorf("%q: %v", pairs[1], found)
		}
	}
}

// TestAllAtOnce: several missing and wrong values are told in one go.
func TestAllAtOnce(t *testing.T) {
	doc := alter(t, sound(t)["document"], el("Type", "2"), "", el("FullName", "Nguyễn Văn A"), el("FullName", strings.Repeat("A", 60)),
		el("PageAmount", "4"), "", el("PromulgationAmount", "3"), el("PromulgationAmount", "x"), el("Timestamp", "2026/03/02 08:00:00"), "", el("Paper", "0"), el("Paper", "9"))
	var got []string
	for _, f := range validate(t, doc, edxml.Law) {
		got = append(got, f.Rule+" "+f.Path)
	}
	want := "DOC-2 SignerInfo/FullName|STR-2 DocumentType/Type|STR-2 OtherInfo/PageAmount|STR-2 TraceHeader[1]/Timestamp|STR-3 OtherInfo/PromulgationAmount|STR-3 Bussiness/Paper"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

// TestSparse: what many elements lack is told once, and says how many.
func TestSparse(t *testing.T) {
	d := soundDocument()
	for i := range 50 {
		d.To = append(d.To, edxml.Organ{OrganID: fmt.Sprint("H41.", 100+i)})
	}
	doc := write(t, edxml.WriteEnvelope, d)
	for _, tag := range []string{"OrganAdd", "Fax"} {
		doc = strings.ReplaceAll(doc, "<edXML:"+tag+"></edXML:"+tag+">", "")
	}
	var got []string
	for _, f := range validate(t, doc, edxml.Law) {
		if f.Rule == "STR-2" {
			got = append(got, f.Path+": "+f.Message.EN+" "+f.Message.VI)
		}
	}
	want := "To[3]: missing from the strict form: To[3]/(OrganAdd, Fax), and in 49 more elements To thiếu phần tử To[3]/(OrganAdd, Fax) của dạng chuẩn, và ở 49 phần tử To khác"
	if len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWorkday: a holiday of the caller's calendar moves the deadline.
func TestWorkday(t *testing.T) {
	d := soundDocument()
	d.TraceHeaders[0].Timestamp = "2026/03/04 09:00:00"
	p := &edxml.Packet{Kind: edxml.KindDocument, Document: d, Signatures: []edxml.SignatureBlock{{}}}
	o := edxml.ValidateOptions{Now: now.AddDate(0, 0, 7)}
	if f := edxml.ValidateWith(p, o); len(f) != 1 || f[0].Rule != "TIME-1" {
		t.Errorf("%v", f)
	}
	o.Workday = func(day time.Time) bool { return day.Day() != 3 }
	if f := edxml.ValidateWith(p, o); len(f) != 0 {
		t.Errorf("%v", f)
	}
}

func TestAgainst(t *testing.T) {
	for _, a := range []edxml.Against{edxml.Law, edxml.Axis, edxml.Vendor, edxml.All} {
		if b, err := edxml.ParseAgainst(a.String()); err != nil || a != b {
			t.Errorf("%v: %v, %v", a, b, err)
		}
	}
	if _, err := edxml.ParseAgainst("luật"); err == nil {
		t.Error("a set that is not there")
	}
	findings := []edxml.Finding{{Rule: "DOC-1"}, {Rule: "AXS-1"}, {Rule: "VND-1"}, {Rule: "PKT-3"}}
	for a, want := range map[edxml.Against]string{
		edxml.Law: "DOC-1 PKT-3", edxml.Axis: "DOC-1 AXS-1", edxml.Vendor: "VND-1", edxml.All: "DOC-1 AXS-1 VND-1 PKT-3",
	} {
		var got []string
		for _, f := range a.Of(findings) {
			got = append(got, f.Rule)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %v, want %s", a, got, want)
		}
	}
}
