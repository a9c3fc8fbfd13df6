package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

//go:embed simulate.html
var dayTemplate string

// writeDayReport writes the HTML report of a day: one file, without scripts
// and without anything from a network.
func writeDayReport(w io.Writer, r *dayResult, lang string) error {
	t, err := template.New("day").Funcs(template.FuncMap{
		"say":     func(vi, en string) string { return edxml.Text{VI: vi, EN: en}.In(lang) },
		"text":    func(t edxml.Text) string { return t.In(lang) },
		"octets":  octets,
		"seconds": func(s float64) string { return strconv.FormatFloat(s, 'f', 2, 64) },
		"one":     func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) },
		"percent": func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) },
	}).Parse(dayTemplate)
	if err != nil {
		return fmt.Errorf("simulate.html: %w", err)
	}
	if lang != "vi" {
		lang = "en"
	}
	return t.Execute(w, dayPage{dayResult: r, Lang: lang, Charts: r.charts(lang), HopRows: r.hopRows(lang), Said: r.Saturated.said()})
}

// dayPage is what the template shows.
type dayPage struct {
	*dayResult
	Lang    string
	Charts  []chart
	HopRows []hopRow
	Said    edxml.Text
}

// The size of a chart in units of SVG, and of the frame inside it.
const (
	chartWide, chartHigh = 640.0, 220.0
	frameLeft, frameTop  = 54.0, 10.0
	frameWide, frameHigh = 576.0, 170.0
)

// chart is lines or bars over an axis.
type chart struct {
	Title string
	Unit  string
	Lines []chartLine
	Bars  []chartBar
	Grid  []chartGrid
	Ticks []chartTick
}

type chartLine struct {
	Name   string
	Class  int    // which colour
	Points string // of a polyline
	Last   float64
}

type chartBar struct {
	X, Y, Wide, High float64
	Label            string
}

type chartGrid struct {
	Y     float64
	Label string
}

type chartTick struct {
	X     float64
	Label string
}

// series is a line before it has its place.
type series struct {
	name edxml.Text
	of   func(instant) float64
}

// charts draws what happened over time, and the day that was planned.
func (r *dayResult) charts(lang string) []chart {
	per := edxml.Text{VI: "mỗi giây", EN: "per second"}.In(lang)
	cores := edxml.Text{VI: "bộ xử lý", EN: "processors"}.In(lang)
	all := []chart{
		r.working(lang),
		r.over(lang, edxml.Text{VI: "Lưu lượng", EN: "Traffic"}, per, []series{
			{edxml.Text{VI: "văn bản gửi", EN: "documents sent"}, func(m instant) float64 { return m.Documents }},
			{edxml.Text{VI: "lượt giao", EN: "deliveries"}, func(m instant) float64 { return m.Delivered }},
			{edxml.Text{VI: "trạng thái về", EN: "statuses back"}, func(m instant) float64 { return m.Statuses }},
		}),
		r.over(lang, edxml.Text{VI: "Bộ xử lý", EN: "Processors"}, cores, []series{
			{roleNames[atCentre], func(m instant) float64 { return m.Central }},
			{roleNames[atProvince], func(m instant) float64 { return m.Provinces }},
			{roleNames[atLeaf], func(m instant) float64 { return m.Leaves }},
			{edxml.Text{VI: "hệ thống văn bản", EN: "document systems"}, func(m instant) float64 { return m.Runner }},
			{edxml.Text{VI: "việc khác của máy", EN: "others on this machine"}, func(m instant) float64 { return m.Others }},
		}),
		r.over(lang, edxml.Text{VI: "Bộ nhớ của 12 nút (RssAnon)", EN: "Memory of the 12 nodes (RssAnon)"}, "MiB", []series{
			{edxml.Text{VI: "tất cả", EN: "all"}, func(m instant) float64 { return float64(m.Memory) / (1 << 20) }},
		}),
		r.over(lang, edxml.Text{VI: "Ổ đĩa", EN: "Disk"}, "MiB", []series{
			{edxml.Text{VI: "trong thư mục", EN: "in the folders"}, func(m instant) float64 { return float64(m.Disk) / (1 << 20) }},
		}),
	}
	return all
}

// over draws lines over the time of the run.
func (r *dayResult) over(lang string, title edxml.Text, unit string, lines []series) chart {
	c := chart{Title: title.In(lang), Unit: unit}
	most := 0.0
	for _, m := range r.Timeline {
		for _, s := range lines {
			most = max(most, s.of(m))
		}
	}
	top := c.scale(most)
	end := max(r.Seconds, 1e-9)
	for i, s := range lines {
		var points strings.Builder
		last := 0.0
		for _, m := range r.Timeline {
			last = s.of(m)
			fmt.Fprintf(&points, "%.1f,%.1f ", frameLeft+frameWide*min(m.At/end, 1), frameTop+frameHigh*(1-last/top))
		}
		c.Lines = append(c.Lines, chartLine{s.name.In(lang), i, strings.TrimSpace(points.String()), last})
	}
	for i := range 5 {
		share := float64(i) / 4
		c.Ticks = append(c.Ticks, chartTick{frameLeft + frameWide*share, fmt.Sprintf("%.0f s", end*share)})
	}
	return c
}

// working draws the plan of the day.
func (r *dayResult) working(lang string) chart {
	c := chart{
		Title: edxml.Text{VI: "Ngày làm việc được mô phỏng", EN: "The working day that was simulated"}.In(lang),
		Unit:  edxml.Text{VI: "văn bản mỗi giờ", EN: "documents an hour"}.In(lang),
	}
	most := 0
	for _, n := range r.Hours {
		most = max(most, n)
	}
	top, wide := c.scale(float64(most)), frameWide/24
	for hour, n := range r.Hours {
		high := frameHigh * float64(n) / top
		c.Bars = append(c.Bars, chartBar{frameLeft + wide*float64(hour) + 2, frameTop + frameHigh - high, wide - 4, high, fmt.Sprintf("%02d:00 – %d", hour, n)})
		if hour%3 == 0 {
			c.Ticks = append(c.Ticks, chartTick{frameLeft + wide*float64(hour), fmt.Sprintf("%02d", hour)})
		}
	}
	return c
}

// scale chooses the top of the axis, a round number, and draws its grid.
func (c *chart) scale(most float64) float64 {
	quarter := max(most, 1e-3) / 4
	step := math.Pow(10, math.Floor(math.Log10(quarter)))
	for _, by := range []float64{1, 2, 2.5, 5, 10} {
		if step*by*(1+1e-9) >= quarter {
			step *= by
			break
		}
	}
	for i := range 5 {
		v := step * float64(i)
		c.Grid = append(c.Grid, chartGrid{frameTop + frameHigh*(1-float64(i)/4), strconv.FormatFloat(v, 'g', 4, 64)})
	}
	return 4 * step
}

// hopRow is a hop with its bars, on a scale of roots so that short ones show.
type hopRow struct {
	hopTimes
	Name                string
	Wide50, Wide95, W99 float64 // of 300
}

func (r *dayResult) hopRows(lang string) (rows []hopRow) {
	most := 0.0
	for _, h := range r.Hops {
		most = max(most, h.P99)
	}
	root := func(v float64) float64 {
		if most <= 0 {
			return 0
		}
		return math.Round(300*math.Sqrt(v/most)*10) / 10
	}
	for _, h := range r.Hops {
		rows = append(rows, hopRow{h, hopNames[h.Hop].In(lang), root(h.P50), root(h.P95), root(h.P99)})
	}
	return rows
}
