package edxml_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

func TestDate(t *testing.T) {
	for text, want := range map[string]string{
		"2026/03/02": "2026/03/02", " 2026/03/02\n": "2026/03/02", "02/03/2026": "2026/03/02", "2026-03-02": "2026/03/02", "02-03-2026": "2026/03/02",
		"2026/03/02 23:59:59": "2026/03/02", "02/03/2026 00:00:00": "2026/03/02", "2026-03-02T10:00:00": "2026/03/02",
		"2026-03-02T20:00:00Z": "2026/03/03", "2026-03-02T10:00:00.1234567+07:00": "2026/03/02", "2024/02/29": "2024/02/29", "31/12/1999": "1999/12/31",
		"": "", "null": "", "2014/02/30": "", "30/02/2014": "", "2023/02/29": "", "2019/13/01": "", "13/13/2019": "", "2019/00/01": "", "2019/01/00": "",
		"20/10/01": "", "2026/3/2": "", "2026/03/02x": "", "02/2026/03": "", "hôm nay": "", "2026": "",
	} {
		got, err := edxml.Date(text).Time()
		if want == "" {
			if err == nil || !strings.HasPrefix(err.Error(), "edxml: ") || !strings.Contains(err.Error(), "yyyy/MM/dd") {
				t.Errorf("%q: %v, %v; want an error that says how to write it", text, got, err)
			}
			continue
		}
		if err != nil || string(edxml.DateOf(got)) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
		if h, m, s := got.Clock(); h+m+s != 0 || got.Location() != edxml.Vietnam {
			t.Errorf("%q: %v is not the beginning of a day in Vietnam", text, got)
		}
	}
	if got := edxml.DateOf(time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC)); got != "2026/03/02" {
		t.Errorf("midnight in Vietnam is %s", got)
	}
}

func TestTimestamp(t *testing.T) {
	for text, want := range map[string]string{
		"2026/03/02 09:15:01": "2026/03/02 09:15:01", "02/03/2026 09:15:01": "2026/03/02 09:15:01", "2026-03-02 09:15:01": "2026/03/02 09:15:01",
		"2026-03-02T09:15:01": "2026/03/02 09:15:01", "2026-03-02T02:15:01Z": "2026/03/02 09:15:01", "2026-03-02T09:15:01+07:00": "2026/03/02 09:15:01",
		"2026/03/02": "2026/03/02 00:00:00", "02/03/2026": "2026/03/02 00:00:00", "2026-03-02": "2026/03/02 00:00:00", "\t2026/03/02 00:00:00 ": "2026/03/02 00:00:00",
		"": "", "2014/02/30 00:00:00": "", "2026/03/02 24:00:00": "", "2026/03/02 09:60:00": "", "2026/03/02 9h15": "", "null": "",
	} {
		got, err := edxml.Timestamp(text).Time()
		if want == "" {
			if err == nil {
				t.Errorf("%q became %v", text, got)
			}
			continue
		}
		if err != nil || string(edxml.TimestampOf(got)) != want || got.Location() != edxml.Vietnam {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestLatestTimestamp(t *testing.T) {
	for _, c := range []struct {
		name, end string
		moments   []string
		want      string // "" for the zero time
	}{
		{name: "none", want: ""},
		{name: "none that can be read", moments: []string{"", "hôm nay", "2014/02/30 00:00:00"}, want: ""},
		{name: "in any order", moments: []string{"2026/03/02 09:00:00", "2026/03/02 11:00:00", "", "2026/03/02 10:00:00"}, want: "2026/03/02 11:00:00"},
		{name: "in any form", moments: []string{"2026/03/02 09:00:00", "02/03/2026 11:00:00", "2026-03-02T05:00:00Z"}, want: "2026/03/02 12:00:00"},
		{name: "behind the end", end: "2026/03/02 10:30:00", moments: []string{"2026/03/02 11:00:00", "2026/03/02 10:00:00", "2099/01/01 00:00:00"}, want: "2026/03/02 10:00:00"},
		{name: "at the end", end: "2026/03/02 10:30:00", moments: []string{"2026/03/02 10:30:00", "2026/03/02 10:30:01"}, want: "2026/03/02 10:30:00"},
		{name: "all behind the end", end: "2026/03/02 08:00:00", moments: []string{"2026/03/02 09:00:00"}, want: ""},
	} {
		var statuses []edxml.Status
		for _, m := range c.moments {
			statuses = append(statuses, edxml.Status{Timestamp: edxml.Timestamp(m)})
		}
		end, _ := edxml.Timestamp(c.end).Time() // the zero time where there is none
		got := edxml.LatestTimestamp(statuses, end)
		if c.want == "" && !got.IsZero() || c.want != "" && string(edxml.TimestampOf(got)) != c.want {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
}

func FuzzDates(f *testing.F) {
	for _, s := range []string{"2026/03/02", "02/03/2026", "2014/02/30", "2026-03-02T09:15:01+07:00", "2026/03/02 09:15:01", "", "null"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := edxml.Date(s).Time(); err == nil && d.Year() > 0 && d.Year() < 10000 {
			again, err := edxml.DateOf(d).Time()
			if err != nil || !again.Equal(d) {
				t.Errorf("%q is %v, and written again %v, %v", s, d, again, err)
			}
		}
		if m, err := edxml.Timestamp(s).Time(); err == nil && m.Year() > 0 && m.Year() < 10000 {
			again, err := edxml.TimestampOf(m).Time()
			if err != nil || !again.Equal(m.Truncate(time.Second)) {
				t.Errorf("%q is %v, and written again %v, %v", s, m, again, err)
			}
		}
	})
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		text edxml.Number
		want int
		ok   bool
		json string
	}{
		{"0", 0, true, "0"}, {"18", 18, true, "18"}, {" 5 ", 5, true, "5"}, {"-1", -1, true, "-1"}, {"", 0, false, `""`},
		{"hai", 0, false, `"hai"`}, {"1.5", 0, false, `"1.5"`}, {"99999999999999999999", 0, false, `"99999999999999999999"`}, {`"`, 0, false, `"\""`},
	} {
		if got, ok := c.text.Int(); ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %d, %v", c.text, got, ok)
		}
		b, err := json.Marshal(c.text)
		if err != nil || string(b) != c.json {
			t.Errorf("%q is %s in JSON (%v), want %s", c.text, b, err, c.json)
		}
		var back edxml.Number
		if err := json.Unmarshal(b, &back); err != nil || back != edxml.Number(strings.TrimSpace(string(c.text))) {
			t.Errorf("%s came back as %q (%v)", b, back, err)
		}
	}
	for _, bad := range []string{"true", "{}", "[1]"} {
		var n edxml.Number
		if err := json.Unmarshal([]byte(bad), &n); err == nil {
			t.Errorf("%s became the number %q", bad, n)
		}
	}
}

func TestStatusCode(t *testing.T) {
	for _, c := range []struct{ text, canonical, en string }{
		{"01", "01", "arrived"}, {"1", "01", "arrived"}, {" 3\n", "03", "accepted"}, {"02", "02", "refused"}, {"04", "04", "assigned"}, {"5", "05", "in process"},
		{"06", "06", "done"}, {"13", "13", "take-back asked"}, {"15", "15", "take-back or update agreed"}, {"16", "16", "take-back or update denied"},
		{"14", "14", ""}, {"07", "07", ""}, {"999", "999", ""}, {"", "", ""}, {"x", "x", ""}, {"001", "001", ""},
	} {
		code := edxml.StatusCode(c.text)
		if got := code.Canonical(); string(got) != c.canonical {
			t.Errorf("%q is %q, want %q", c.text, got, c.canonical)
		}
		name, ok := code.Name()
		if ok != (c.en != "") || name.EN != c.en || ok && (name.VI == "" || name.In("vi") != name.VI || name.In("fr") != name.EN) {
			t.Errorf("%q means %v, %v", c.text, name, ok)
		}
	}
}

func TestCode(t *testing.T) {
	for _, c := range []struct {
		code edxml.Code
		want string
	}{
		{edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH"}, "118/BC-TTTH"}, {edxml.Code{CodeNumber: "15", CodeNotation: "2020/QĐ-UBND"}, "15/2020/QĐ-UBND"},
		{edxml.Code{CodeNumber: "118"}, "118"}, {edxml.Code{}, ""},
	} {
		if got := c.code.String(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.code, got, c.want)
		}
	}
	if got := edxml.DocumentID("000.00.00.G22", "2026/03/02", edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH"}); got != "000.00.00.G22,2026/03/02,118/BC-TTTH" {
		t.Errorf("identifier %q", got)
	}
}

func TestDocType(t *testing.T) {
	for _, c := range []struct {
		b    *edxml.Business
		want edxml.BusinessDocType
	}{{nil, edxml.New}, {&edxml.Business{}, edxml.New}, {&edxml.Business{DocType: edxml.Recall}, edxml.Recall}} {
		if got := (&edxml.Document{Business: c.b}).DocType(); got != c.want {
			t.Errorf("%+v is kind %q, want %q", c.b, got, c.want)
		}
	}
}
