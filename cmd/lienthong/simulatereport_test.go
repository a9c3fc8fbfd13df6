package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

func sampleDay() *dayResult {
	return &dayResult{
		OK: true, Version: `v1 "<b>"`, Factor: 0.5, Seed: 7, Documents: 10, Deliveries: 36, Statuses: 144, Octets: 3 << 20, Seconds: 4, Processors: 2,
		Hops:     []hopTimes{{hopUp, 10, 0.1, 0.2, 0.4, 0.5}, {hopStatus, 36, 1, 2, 4, 5}},
		Stations: []stationUsage{{Organ: "<script>alert(1)</script>", Role: atLeaf, CPU: 1.5, Memory: 20 << 20}},
		Timeline: []instant{{At: 1, Documents: 4, Statuses: 90, Leaves: 1.5, Memory: 9 << 20}, {At: 4, Documents: 2, Statuses: 10}},
		Hours:    [24]int{9: 6, 10: 4}, Saturated: saturation{What: satProcessors, Busy: 0.97, Own: 0.9, Most: atLeaf, MostCPU: 0.5},
		Carries: carries{Transfers: 1_234_567, Days: 43.7, Peak: 12.5},
	}
}

// The report is read by people of two languages, and nothing in it that came
// from elsewhere can be markup.
func TestDayReport(t *testing.T) {
	for lang, want := range map[string][]string{
		"vi": {`<html lang="vi">`, "Một ngày liên thông văn bản toàn quốc", "trạng thái cuối, quay về nơi gửi", "bộ xử lý: bận 97", "1234567"},
		"en": {`<html lang="en">`, "A national day of document exchange", "last status, back to the sender", "the processors: 97 % busy", "1234567"},
	} {
		var b strings.Builder
		if err := writeDayReport(&b, sampleDay(), lang); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, w := range append(want, "prefers-color-scheme: dark", "@media print", "&lt;script&gt;alert(1)", `v1 &#34;&lt;b&gt;`, `class="l2" points="198.0,`) {
			if !strings.Contains(page, w) {
				t.Errorf("%s: %q is not in the report", lang, w)
			}
		}
		for _, not := range []string{"<script", "ZgotmplZ", "NaN", "http://", "https://"} {
			if strings.Contains(page, not) {
				t.Errorf("%s: %q is in the report", lang, not)
			}
		}
		wellFormed(t, page)
	}
}

// wellFormed reads what is inside <body> as XML: every SVG is closed.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	_, body, _ := strings.Cut(page, "<body>")
	d := xml.NewDecoder(strings.NewReader("<body>" + strings.TrimSuffix(strings.TrimSpace(body), "</html>")))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDayReportOfNothing(t *testing.T) {
	var b strings.Builder
	r := &dayResult{Troubles: []string{"a & b"}, Lost: 3}
	if err := writeDayReport(&b, r, "en"); err != nil {
		t.Fatal(err)
	}
	if page := b.String(); !strings.Contains(page, "3 lost") || !strings.Contains(page, "a &amp; b") || strings.Contains(page, "NaN") {
		t.Error("a day on which nothing worked is not shown as one")
	}
}

func TestChartScale(t *testing.T) {
	for most, top := range map[float64]float64{0: 0.001, 1: 1, 3.9: 4, 4: 4, 4.1: 8, 97: 100, 101: 200, 1000: 1000} {
		c := &chart{}
		if got := c.scale(most); math.Abs(got-top) > 1e-9 || len(c.Grid) != 5 {
			t.Errorf("scale(%g) = %g, want %g; %d lines", most, got, top, len(c.Grid))
		}
	}
}

// A journal tells how long each part of the way took, and how many statuses a
// row stands for.
func TestChronicle(t *testing.T) {
	at := func(s float64) time.Time {
		return time.Unix(1_800_000_000, 0).Add(time.Duration(s * float64(time.Second)))
	}
	journal := func(rows ...node.Entry) io.Reader {
		var b strings.Builder
		for i := range rows {
			rows[i].Kind = edxml.KindDocument
			line, err := rows[i].Seal("")
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		return strings.NewReader(b.String())
	}
	c := newChronicle()
	for _, s := range []struct {
		station *station
		rows    io.Reader
	}{
		{&station{Role: atLeaf, Organ: "H41.1"}, journal(
			node.Entry{At: at(0), Event: "created", Transfer: "a", Direction: node.Out, DocumentID: "d", State: node.Queued},
			node.Entry{At: at(1), Event: "changed", Transfer: "a", Direction: node.Out, DocumentID: "d", State: node.Sent, Was: node.Queued},
			node.Entry{At: at(7), Event: "changed", Transfer: "a", Direction: node.Out, DocumentID: "d", State: node.Sent, Receivers: []node.Reported{{OrganID: "H49.1", Code: "03"}}},
			node.Entry{At: at(9), Event: "changed", Transfer: "a", Direction: node.Out, DocumentID: "d", State: node.Sent, Receivers: []node.Reported{{OrganID: "H49.1", Code: "05"}}},
		)},
		{&station{Role: atProvince, Organ: "H41"}, journal(
			node.Entry{At: at(1), Event: "created", Transfer: "b", Direction: node.Out, DocumentID: "d", State: node.Queued},
			node.Entry{At: at(3), Event: "changed", Transfer: "b", Direction: node.Out, DocumentID: "d", State: node.Sent, Was: node.Queued},
		)},
		{&station{Role: atLeaf, Organ: "H49.1"}, journal(
			node.Entry{At: at(4), Event: "created", Transfer: "c", Direction: node.In, State: node.Listed},
			node.Entry{At: at(5), Event: "changed", Transfer: "c", Direction: node.In, DocumentID: "d", State: node.Confirmed, Was: node.Delivered},
			node.Entry{At: at(6), Event: "changed", Transfer: "c", Direction: node.In, DocumentID: "d", State: node.Confirmed, Receivers: []node.Reported{{OrganID: "H49.1", Code: "05"}}},
		)},
	} {
		if err := c.read(s.station, s.rows); err != nil {
			t.Fatal(err)
		}
	}
	c.close()
	for h, want := range map[hop]time.Duration{hopUp: time.Second, hopOver: 2 * time.Second, hopWhole: 5 * time.Second, hopStatus: 3 * time.Second} {
		if got := c.took[h]; len(got) != 1 || got[0] != want {
			t.Errorf("%s took %v, want %v", h, got, want)
		}
	}
	if len(c.statuses) != 4 {
		t.Errorf("%d statuses, want 4: 01 and 03 in one row, then 04 and 05", len(c.statuses))
	}
}

func TestJudge(t *testing.T) {
	second := time.Second
	from := sample{Machine: machineUsage{Busy: 10 * second, DiskWait: second}}
	look := func(busy, disk float64) sample {
		s := sample{At: 10 * second, Machine: from.Machine}
		s.Machine.Busy += time.Duration(busy * 10 * float64(second) * float64(runtime.NumCPU()))
		s.Machine.DiskWait += time.Duration(disk * 10 * float64(second))
		return s
	}
	for _, c := range []struct {
		busy, disk float64
		want       saturated
	}{{0.9, 0.9, satProcessors}, {0.5, 0.7, satDisk}, {0.4, 0.1, satNothing}} {
		if got, busy, _ := judge(from, look(c.busy, c.disk)); got != c.want || math.Abs(busy-c.busy) > 0.01 {
			t.Errorf("%.1f busy, %.1f waiting: %s at %.2f, want %s", c.busy, c.disk, got, busy, c.want)
		}
	}
	if got, _, _ := judge(sample{}, sample{At: second}); got != satUnknown {
		t.Errorf("nothing measured: %s", got)
	}
}
