package edxml_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
)

func essentials() edxml.Essentials {
	return edxml.Essentials{
		From: edxml.Organ{OrganID: "000.00.00.G22", OrganName: "Bộ thử"},
		To:   []edxml.Organ{{OrganID: "000.00.00.H41", OrganName: "Ủy ban A"}, {OrganID: "H36.17", OrganName: "Sở B"}},
		Code: edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH#x"}, Promulgated: "2026/03/02", Place: "Hà Nội",
		TypeName: "Báo cáo", Subject: "Báo cáo thử", Signer: edxml.SignerInfo{FullName: "Người Ký"}, At: now,
	}
}

// made is one packet of every constructor.
func made(t testing.TB) (map[string]*edxml.Document, map[string]*edxml.Status) {
	t.Helper()
	docs, statuses := map[string]*edxml.Document{}, map[string]*edxml.Status{}
	var failed error
	keep := func(name string) func(*edxml.Document, error) {
		return func(d *edxml.Document, err error) { docs[name], failed = d, errors.Join(failed, err) }
	}
	keep("new")(edxml.NewDocument(essentials()))
	keep("recall")(edxml.NewRecall(docs["new"], "Ban hành nhầm", now))
	keep("update")(edxml.NewUpdate(essentials(), "000.00.00.G22,2026/01/01,7/CV", "Sửa số liệu"))
	keep("receivers")(edxml.NewUpdate(essentials(), "000.00.00.G22,2026/01/01,7/CV", "Đổi nơi nhận", edxml.Receiver{OrganID: "H36.17", ReceiverType: edxml.ReceiverAdded}))
	keep("replace")(edxml.NewReplacement(essentials(), "Thay bản cũ", edxml.Replacement{DocumentID: "a"}, edxml.Replacement{DocumentID: "b", OrganIDs: []string{"H36.17"}}))
	staff := edxml.StaffInfo{Department: "Văn thư"}
	for _, c := range edxml.StatusCodes.Codes() {
		var s *edxml.Status
		var err error
		if edxml.StatusCode(c.Code) == edxml.StatusTakeBack {
			s, err = edxml.NewTakeBack(docs["new"], "H36.17", staff, "Gửi nhầm", now)
		} else {
			s, err = edxml.NewStatus(docs["new"].To[0], staff, docs["new"], edxml.StatusCode(c.Code), "Lý do", now)
		}
		statuses[c.Code], failed = s, errors.Join(failed, err)
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return docs, statuses
}

// TestMadePacketsAreWhole: what a constructor makes obeys the contract, in both
// profiles, and no error Finding is left.
func TestMadePacketsAreWhole(t *testing.T) {
	p := newPublished(t)
	docs, statuses := made(t)
	for name, d := range docs {
		d.Attachments = files("Nội dung")
		for schema, text := range map[string]string{schemaSingle: write(t, edxml.Write, d), schemaSOAP: write(t, edxml.WriteEnvelope, d)} {
			if why := p.refusal(t, schema, text); why != "" {
				t.Errorf("%s by %s: %s\n%s", name, schema, why, text)
			}
		}
		if got := edxml.Worst(edxml.Validate(&edxml.Packet{Kind: edxml.KindDocument, Document: d}, now)); got == edxml.Error {
			t.Errorf("%s: %v", name, edxml.Validate(&edxml.Packet{Document: d}, now))
		}
	}
	for code, s := range statuses {
		text := write(t, edxml.WriteStatus, s)
		if why := p.refusal(t, schemaStatus, text); why != "" {
			t.Errorf("%s: %s\n%s", code, why, text)
		}
		if got := edxml.Validate(&edxml.Packet{Kind: edxml.KindStatus, Status: s}, now); edxml.Worst(got) == edxml.Error {
			t.Errorf("%s: %v", code, got)
		}
	}
}

func TestMadeValues(t *testing.T) {
	docs, statuses := made(t)
	recall := docs["recall"]
	if recall.DocumentID != docs["new"].DocumentID || recall.DocType() != edxml.Recall || !cmp.Equal(recall.To, docs["new"].To) {
		t.Errorf("recall %+v", recall)
	}
	if b := docs["update"].Business; b.DocumentReceiver != "0" || b.DocumentInfo != "1" || b.DocumentID == "" {
		t.Errorf("update %+v", b)
	}
	if b := docs["receivers"].Business; b.DocumentReceiver != "1" || len(b.Receivers) != 1 {
		t.Errorf("change of receivers %+v", b)
	}
	if r := docs["replace"].Business.Replacements; !slices.Equal(r[0].OrganIDs, []string{"000.00.00.H41", "H36.17"}) || !slices.Equal(r[1].OrganIDs, []string{"H36.17"}) {
		t.Errorf("replacements %+v", r)
	}
	if s := statuses["03"]; s.From.OrganID != "000.00.00.H41" || s.ResponseFor.OrganID != "000.00.00.G22" || s.ResponseFor.Code != "118/BC-TTTH" {
		t.Errorf("status %+v", s)
	}
	if s := statuses["13"]; s.From.OrganID != "000.00.00.G22" || s.ResponseFor.OrganID != "H36.17" {
		t.Errorf("take back %+v: the roles are reversed", s)
	}
}

// TestMakingRefuses leaves out one thing after the other; it is named.
func TestMakingRefuses(t *testing.T) {
	lacks := func(what string, err error) {
		t.Helper()
		var e *edxml.IncompleteError
		if !errors.As(err, &e) || !slices.Contains(e.Fields, what) || len(e.Fields) != 1 || !strings.Contains(e.Error(), what) {
			t.Errorf("without %s: %v", what, err)
		}
	}
	for what, spoil := range map[string]func(*edxml.Essentials){
		"From/OrganId": func(e *edxml.Essentials) { e.From.OrganID = "" }, "From/OrganName": func(e *edxml.Essentials) { e.From.OrganName = "" },
		"To": func(e *edxml.Essentials) { e.To = nil }, "To[2]/OrganId": func(e *edxml.Essentials) { e.To = []edxml.Organ{e.To[0], e.To[0]} },
		"To[1]/OrganName": func(e *edxml.Essentials) { e.To = []edxml.Organ{{OrganID: "x"}} },
		"Code/CodeNumber": func(e *edxml.Essentials) { e.Code.CodeNumber = "" }, "Code/CodeNotation": func(e *edxml.Essentials) { e.Code.CodeNotation = "" },
		"PromulgationInfo/PromulgationDate": func(e *edxml.Essentials) { e.Promulgated = "2014/02/30" }, "DocumentType/TypeName": func(e *edxml.Essentials) { e.TypeName = "" },
		"Subject": func(e *edxml.Essentials) { e.Subject = "" }, "SignerInfo/FullName": func(e *edxml.Essentials) { e.Signer.FullName = "" },
		"TraceHeader/Timestamp": func(e *edxml.Essentials) { e.At = time.Time{} },
	} {
		e := essentials()
		spoil(&e)
		_, err := edxml.NewDocument(e)
		lacks(what, err)
		_, err = edxml.NewReplacement(e, "r", edxml.Replacement{DocumentID: "x"})
		lacks(what, err)
	}
	docs, _ := made(t)
	staff, of := edxml.StaffInfo{Department: "VT"}, docs["new"]
	_, err := edxml.NewRecall(of, "", now)
	lacks("BussinessDocReason", err)
	_, err = edxml.NewUpdate(essentials(), "", "r")
	lacks("Bussiness/DocumentId", err)
	_, err = edxml.NewUpdate(essentials(), "x", "r", edxml.Receiver{OrganID: "H41"})
	lacks("Receiver[1]/ReceiverType", err)
	_, err = edxml.NewReplacement(essentials(), "r")
	lacks("ReplacementInfo", err)
	_, err = edxml.NewReplacement(essentials(), "r", edxml.Replacement{})
	lacks("ReplacementInfo[1]/DocumentId", err)
	_, err = edxml.NewStatus(of.To[0], staff, of, edxml.StatusRefused, "", now)
	lacks("Description", err)
	_, err = edxml.NewStatus(of.To[0], staff, of, "14", "", now)
	lacks("StatusCode", err)
	_, err = edxml.NewStatus(of.To[0], edxml.StaffInfo{}, of, "3", "", now)
	lacks("StaffInfo/Department", err)
	_, err = edxml.NewTakeBack(of, "", staff, "r", now)
	lacks("ResponseFor/OrganId", err)
}

func TestCodeLists(t *testing.T) {
	for _, l := range []edxml.CodeList{edxml.BusinessDocTypes, edxml.Priorities, edxml.SteeringTypes, edxml.Papers, edxml.ReceiverTypes, edxml.DocumentGroups, edxml.DocumentTypes, edxml.StatusCodes} {
		codes := l.Codes()
		if len(codes) < 2 {
			t.Errorf("%s has %d codes", l, len(codes))
		}
		for _, c := range codes {
			if name, ok := l.Name(edxml.Number(c.Code)); !ok || name != c.Name || name.VI == "" || name.EN == "" {
				t.Errorf("%s %s is %v", l, c.Code, name)
			}
		}
	}
	for _, c := range []struct {
		list edxml.CodeList
		code edxml.Number
		vi   string // "" for none
	}{
		{edxml.Priorities, "4", "hỏa tốc hẹn giờ"}, {edxml.Priorities, "5", ""}, {edxml.Priorities, "", ""}, {edxml.Priorities, "một", ""},
		{edxml.DocumentTypes, " 18 ", "Công văn"}, {edxml.BusinessDocTypes, "1", "thu hồi"}, {edxml.StatusCodes, "1", "đã đến"}, {edxml.StatusCodes, "14", ""},
		{edxml.ReceiverTypes, "1", "thêm nơi nhận"}, {"Ghế", "1", ""},
	} {
		if name, ok := c.list.Name(c.code); name.VI != c.vi || ok != (c.vi != "") {
			t.Errorf("%s %q is %q", c.list, c.code, name.VI)
		}
	}
}

// TestCodedTypes: every type of code reads and writes JSON as numbers do, keeps
// what no list knows, and has its names.
func TestCodedTypes(t *testing.T) {
	type all struct {
		D edxml.BusinessDocType
		P edxml.Priority
		S edxml.SteeringType
		R edxml.ReceiverType
		Q edxml.Paper
	}
	known := all{edxml.Replace, edxml.PriorityExpress, edxml.SteeringReport, edxml.ReceiverAdded, edxml.PaperFollows}
	odd := all{" 9 ", "khẩn", "10", "", "có"}
	for _, c := range []struct {
		codes all
		json  string
	}{
		{known, `{"D":3,"P":3,"S":2,"R":1,"Q":1}`},
		{odd, `{"D":9,"P":"khẩn","S":10,"R":"","Q":"có"}`},
	} {
		text, err := json.Marshal(c.codes)
		if err != nil || string(text) != c.json {
			t.Errorf("%s (%v), want %s", text, err, c.json)
		}
		var back all
		if err := json.Unmarshal(text, &back); err != nil {
			t.Error(err)
		}
		if again, _ := json.Marshal(back); string(again) != c.json {
			t.Errorf("%s came back as %s", c.json, again)
		}
	}
	type coded interface {
		Int() (int, bool)
		Name() (edxml.Text, bool)
	}
	for _, c := range []struct {
		code coded
		n    int // -1 for none
		vi   string
	}{
		{known.D, 3, "thay thế"}, {known.P, 3, "hỏa tốc"}, {known.S, 2, "báo cáo chỉ đạo"}, {known.R, 1, "thêm nơi nhận"}, {known.Q, 1, "có bản giấy gửi kèm"},
		{odd.D, 9, ""}, {odd.P, -1, ""}, {odd.S, 10, ""}, {odd.R, -1, ""}, {odd.Q, -1, ""},
	} {
		n, isNumber := c.code.Int()
		if name, ok := c.code.Name(); ok != (c.vi != "") || name.VI != c.vi || isNumber != (c.n >= 0) || isNumber && n != c.n {
			t.Errorf("%T %q: %d, %q", c.code, c.code, n, name.VI)
		}
	}
}
