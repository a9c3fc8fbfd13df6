package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
)

// TestHeaderForms reads the same header as TOML and as JSON.
func TestHeaderForms(t *testing.T) {
	const asTOML = `
subject = """
  Mời họp
"""
promulgationInfo = {promulgationDate = 2026-01-15}
otherInfo.pageAmount = 3
[business]
docType = 3
[[business.replacements]]
documentId = "D1"
organIds = ["H26", "H41"]
[[traceHeaders]]
timestamp = 2026-01-15T01:00:00Z
`
	const asJSON = "\ufeff" + `{"subject": "Mời họp", "promulgationInfo": {"promulgationDate": "2026/01/15"}, "otherInfo": {"pageAmount": 3},
"business": {"docType": 3, "replacements": [{"documentId": "D1", "organIds": ["H26", "H41"]}]},
"traceHeaders": [{"timestamp": "2026/01/15 08:00:00"}],
"file": "x", "signatures": [{"state": "broken"}], "findings": [1]}`
	a, err := parseHeader("-", []byte(asTOML))
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseHeader("-", []byte(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.document, b.document); diff != "" {
		t.Error(diff)
	}
	want := &edxml.Document{
		Subject: "Mời họp", PromulgationInfo: edxml.PromulgationInfo{PromulgationDate: "2026/01/15"}, OtherInfo: edxml.OtherInfo{PageAmount: "3"},
		Business:     &edxml.Business{DocType: edxml.Replace, Replacements: []edxml.Replacement{{DocumentID: "D1", OrganIDs: []string{"H26", "H41"}}}},
		TraceHeaders: []edxml.TraceHeader{{Timestamp: "2026/01/15 08:00:00"}},
	}
	if diff := cmp.Diff(want, a.document); diff != "" {
		t.Error(diff)
	}
}

// TestHeaderKind tells a status by what it holds.
func TestHeaderKind(t *testing.T) {
	h, err := parseHeader("-", []byte("statusCode = \"03\"\n[[responseFor]]\ncode = \"1/A\""))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&edxml.Status{StatusCode: "03", ResponseFor: edxml.ResponseFor{Code: "1/A"}}, h.status); diff != "" {
		t.Error(diff)
	}
	_, err = parseHeader("-", []byte("statusCode = \"03\"\nresponseFor = [{code = \"1\"}, {code = \"2\"}]"))
	if err == nil || !strings.Contains(err.Error(), "about one document") {
		t.Errorf("two documents: %v", err)
	}
}

func TestTooDeep(t *testing.T) {
	many := strings.Repeat("[", 1000)
	for _, c := range []struct {
		text string
		want bool
	}{
		{"a = " + many, true},
		{"a = " + strings.Repeat("{b=", 1000), true},
		{"a = " + strings.Repeat("[\n", 1000), true},
		{strings.Repeat("[[to]]\norganId = \"H26\"\n", 5000), false},
		{strings.Repeat("a.", 1000) + "b = 1", true},
		{strings.Repeat("otherInfo.pageAmount = 1 # một\n", 1000), false},
		{"a = \"" + many + "\"", false},
		{"a = '" + many + "'", false},
		{"a = \"\\\"" + many + "\"", false},
		{"a = \"\"\"\n" + many + "\n\"\"\"", false},
		{"# it's " + many, false},
		{"# \"\nb = " + many, true},                             // a quote in a comment opens nothing
		{"a = '\\'\nb = " + many, true},                         // nor does a backslash in a literal hide the end
		{"a = [\"\"\"x\"\"\"\", " + many, true},                 // a quote before the closing three
		{"a = \"open\nb = " + many, true},                       // the parser stops at the line end
		{"a = \"]]]]]]]]]]\"\nb = " + many[:maxNesting], false}, // nothing in a string closes
	} {
		if got := tooDeep(c.text); got != c.want {
			t.Errorf("%.40q: %v, want %v", c.text, got, c.want)
		}
	}
}

// FuzzHeader reads any text as a header file: it is refused with a reason in
// both languages, or it is a header that JSON can say again.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{
		"subject = \"Thử\"\n[[to]]\norganId = \"H26\"", "statusCode = \"03\"", `{"subject": "Thử", "to": [{"organId": "H26"}]}`,
		"promulgationInfo.promulgationDate = 2026-01-15", "dueDate = 08:00:00", `{"attachments": [{"name": "a", "size": 3}]}`,
		"to = 1", "to = [[[[1]]]]", `{"to": null}`, "subjcet = \"\"", "kind = \"letter\"", `{"a"`, "a = \"\"\"\"\"\"", "\ufeff{}", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHeader("-", []byte(text))
		if err != nil {
			var e told
			if !errors.As(err, &e) || e.code != exitInvalid || e.what.VI == "" || e.what.EN == "" {
				t.Fatalf("refused without a word: %v", err)
			}
			return
		}
		var said any = h.document
		if h.document == nil {
			said = statusAsHeader(h.status)
		}
		b, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseHeader("again.json", b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		// A number is kept as it was written; JSON says it in one way.
		if diff := cmp.Diff(leaves(&edxml.Packet{Document: h.document, Status: h.status}), leaves(&edxml.Packet{Document: again.document, Status: again.status}), cmp.AllowUnexported(leaf{})); diff != "" {
			t.Error(diff)
		}
	})
}

// statusAsHeader gives a Status the shape that inspect --json prints.
func statusAsHeader(s *edxml.Status) any {
	return struct {
		Kind        edxml.Kind          `json:"kind"`
		From        edxml.Organ         `json:"from"`
		ResponseFor []edxml.ResponseFor `json:"responseFor"`
		statusView
	}{edxml.KindStatus, s.From, []edxml.ResponseFor{s.ResponseFor}, statusView{s.StaffInfo, s.StatusCode, s.Description, s.Timestamp}}
}
