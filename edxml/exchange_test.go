package edxml_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

func TestExchangeDoubles(t *testing.T) {
	var x edxml.Exchange
	for i, c := range []struct {
		change func(*edxml.Document)
		want   string
	}{
		{func(*edxml.Document) {}, ""},
		{func(*edxml.Document) {}, "DOC-9 DocumentId p0|DOC-9 Code p0"},
		{func(d *edxml.Document) { d.Business.DocType = edxml.Recall }, ""},
		{func(d *edxml.Document) { d.DocumentID = "khác" }, "DOC-9 Code p0"},
		{func(d *edxml.Document) { d.Code.CodeNumber = "119" }, "DOC-9 DocumentId p0"},
		{func(d *edxml.Document) { d.DocumentID, d.PromulgationInfo.PromulgationDate = "y", "2025/03/02" }, ""},
		{func(d *edxml.Document) { d.Code.CodeNumber, d.DocumentID = "119", "" }, "DOC-9 Code p4"},
		{func(d *edxml.Document) { d.Code.CodeNumber, d.DocumentID = "120", "" }, ""},
	} {
		d := soundDocument()
		c.change(d)
		var got []string
		for _, f := range x.Add(fmt.Sprint("p", i), &edxml.Packet{Kind: edxml.KindDocument, Document: d}) {
			_, other, _ := strings.Cut(f.Message.EN, "the document in ")
			got = append(got, f.Rule+" "+f.Path+" "+strings.Fields(other)[0])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
	if f := x.Statuses(); len(f) != 0 {
		t.Errorf("%v", f)
	}
}

// TestExchangeStatuses: statuses against their document and against each other.
// A status is written code@time, with <organ for another sender than H41, >organ for another
// sender of the document, and +code where it names the document by its code alone.
func TestExchangeStatuses(t *testing.T) {
	for _, c := range []struct {
		name, statuses string
		document       string // "" for none, else the time it was sent
		want           string
	}{
		{"the whole life", "01@02T09 03@02T10 04@02T11 05@03T08 05@03T09 06@04T08", "02T08", ""},
		{"as they came, in another order", "06@04T08 01@02T09 05@03T09 03@02T10", "02T08", ""},
		{"refused", "01@02T09 02@02T10", "02T08", ""},
		{"assigned anew", "03@02T10 04@02T11 04@02T12", "02T08", ""},
		{"a step left out", "01@02T09 06@02T10", "02T08", "06: ST-3"},
		{"back", "03@02T10 05@02T11 04@02T12", "02T08", "04: ST-3"},
		{"after the end", "03@02T10 06@02T11 05@02T12", "02T08", "05: ST-3"},
		{"after a refusal", "02@02T10 03@02T11", "02T08", "03: ST-3"},
		{"without its beginning, nor the document", "05@02T11 06@02T12", "", ""},
		{"no document, a step left out", "01@02T11 05@02T12", "", "05: ST-3"},
		{"taken back", "03@02T10 13@02T11<G22 15@02T12", "02T08", ""},
		{"denied, and on", "03@02T10 13@02T11<G22 16@02T12 05@02T13 13@02T14<G22", "02T08", ""},
		{"at work while asked back", "03@02T10 13@02T11<G22 05@02T12 15@02T13", "02T08", ""},
		{"at work after giving it back", "03@02T10 13@02T11<G22 15@02T12 05@02T13", "02T08", "05: ST-3"},
		{"asked back when refused", "02@02T10 13@02T11<G22", "02T08", "13: ST-3"},
		{"an update agreed to", "03@02T10 15@02T11 05@02T12", "02T08", ""},
		{"asked back by a stranger", "13@02T11<H36", "02T08", "13: ST-4"},
		{"of another sender's document", "03@02T10<H36>H50", "02T08", ""},
		{"said by a stranger", "03@02T10<H36", "02T08", "03: ST-4"},
		{"the older identifier of a receiver", "03@02T10<000.00.00.H41", "02T08", ""},
		{"by the code alone", "03@02T10<H36+code", "02T08", "03: ST-4"},
		{"first word on the next day", "03@03T00", "02T08", "03: TIME-3"},
		{"first word at the end of the day", "01@02T23 03@03T08", "02T08", ""},
		{"before it was sent", "01@02T07", "02T08", "01: TIME-4a"},
		{"a code of nobody", "01@02T09 14@02T10 03@02T11", "02T08", ""},
	} {
		var x edxml.Exchange
		var added []string
		for _, word := range strings.Fields(c.statuses) {
			name, s := statusOf(word)
			for slices.Contains(added, name) {
				name += "'"
			}
			added = append(added, name)
			if f := x.Add(name, &edxml.Packet{Kind: edxml.KindStatus, Status: s}); f != nil {
				t.Errorf("%v at once", f)
			}
		}
		if c.document != "" {
			d := soundDocument()
			d.TraceHeaders[0].Timestamp = moment(c.document)
			x.Add("document", &edxml.Packet{Kind: edxml.KindDocument, Document: d})
		}
		var got []string
		for name, list := range x.Statuses() {
			for _, f := range list {
				got = append(got, name+": "+f.Rule)
				if strings.Contains(f.Message.VI+f.Message.EN, "%!") || f.Message.VI == f.Message.EN {
					t.Errorf("it says %q", f.Message)
				}
			}
		}
		if slices.Sort(got); strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// moment is day and hour of March 2026.
func moment(s string) edxml.Timestamp {
	day, hour, _ := strings.Cut(s, "T")
	return edxml.Timestamp("2026/03/" + day + " " + hour + ":00:00")
}

func statusOf(word string) (code string, s *edxml.Status) {
	word, byCode := strings.CutSuffix(word, "+code")
	word, to, elsewhere := strings.Cut(word, ">")
	word, from, other := strings.Cut(word, "<")
	code, at, _ := strings.Cut(word, "@")
	d := soundDocument()
	s = &edxml.Status{
		From: edxml.Organ{OrganID: "H41"}, StatusCode: edxml.StatusCode(code), Timestamp: moment(at),
		ResponseFor: edxml.ResponseFor{OrganID: "G22", Code: d.Code.String(), DocumentID: d.DocumentID},
	}
	if other {
		s.From.OrganID = from
	}
	if s.StatusCode == edxml.StatusTakeBack {
		s.ResponseFor.OrganID = "H41"
	}
	if byCode {
		s.ResponseFor.DocumentID = ""
	}
	if elsewhere {
		s.ResponseFor.OrganID = to
	}
	return code, s
}

// TestExchangeReceivers: a receiver that an update added may answer.
func TestExchangeReceivers(t *testing.T) {
	var x edxml.Exchange
	d := soundDocument()
	x.Add("new", &edxml.Packet{Kind: edxml.KindDocument, Document: d})
	_, s := statusOf("03@02T10<H36")
	x.Add("03", &edxml.Packet{Kind: edxml.KindStatus, Status: s})
	if found := x.Statuses()["03"]; len(found) != 1 || found[0].Rule != "ST-4" {
		t.Errorf("before the update: %v", found)
	}
	u := soundDocument()
	u.Business = &edxml.Business{DocType: edxml.Update, DocumentID: d.DocumentID, Receivers: []edxml.Receiver{{OrganID: "H36", ReceiverType: edxml.ReceiverAdded}}}
	u.DocumentID, u.Code.CodeNumber = "u", "119"
	x.Add("update", &edxml.Packet{Kind: edxml.KindDocument, Document: u})
	if found := x.Statuses()["03"]; len(found) != 0 {
		t.Errorf("after the update: %v", found)
	}
}

// TestExchangePlaces: the places are those of the status.
func TestExchangePlaces(t *testing.T) {
	var x edxml.Exchange
	x.Add("document", &edxml.Packet{Kind: edxml.KindDocument, Document: soundDocument()})
	text := alter(t, sound(t)["status"], el("OrganId", "G22"), el("OrganId", "H36"), el("OrganId", "H41"), el("OrganId", "G22"), "<edXML:DocumentId>x<", "<edXML:DocumentId>"+soundDocument().DocumentID+"<")
	p, err := edxml.Read(strings.NewReader(text), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x.Add("status", p)
	found := x.Statuses()["status"]
	before, _, _ := strings.Cut(text, el("OrganId", "H36"))
	if len(found) != 1 || found[0].Rule != "ST-4" || found[0].Pos.Line != strings.Count(before, "\n")+1 {
		t.Errorf("%+v", found)
	}
}
