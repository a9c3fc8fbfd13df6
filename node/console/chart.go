package console

import (
	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// The chart, in its own units.
const (
	chartWidth  = 720
	chartHeight = 150
	chartLeft   = 40 // where the numbers stand
)

// chart is the last days as bars, for an inline SVG.
type chart struct {
	Width, Height, Left int
	Days                []bar
	Lines               []line
	Out, In             int64 // all in all
}

// bar is one day: what went out, and what came in.
type bar struct {
	Date           string
	Label          string // under the bar, "" for most
	X, Wide        float64
	OutY, OutH     float64
	InX, InY, InH  float64
	LabelX         float64
	Out, Late, In  int64
	Failed, Denied int64
}

// line is a mark on the scale.
type line struct {
	Y     float64
	Count int64
}

// draw makes the chart of some days.
func draw(days []node.Day) chart {
	c := chart{Width: chartWidth, Height: chartHeight, Left: chartLeft}
	most := int64(1)
	for _, d := range days {
		most = max(most, total(d.Out), total(d.In))
	}
	top := roof(most)
	for _, part := range []int64{0, 1, 2} {
		count := top * part / 2
		c.Lines = append(c.Lines, line{chartHeight - float64(count)*chartHeight/float64(top), count})
	}
	slot := float64(chartWidth-chartLeft) / float64(max(len(days), 1))
	for i, d := range days {
		b := bar{
			Date: date(d.Date), X: chartLeft + float64(i)*slot + slot*0.12, Wide: slot * 0.36,
			Out: total(d.Out), Late: d.Out[node.Late], Failed: d.Out[node.GivenUp], In: total(d.In), Denied: d.In[node.Refused],
		}
		b.InX, b.LabelX = b.X+slot*0.4, chartLeft+(float64(i)+0.5)*slot
		b.OutH, b.InH = float64(b.Out)*chartHeight/float64(top), float64(b.In)*chartHeight/float64(top)
		b.OutY, b.InY = chartHeight-b.OutH, chartHeight-b.InH
		if (len(days)-1-i)%5 == 0 {
			b.Label = short(d.Date)
		}
		c.Out, c.In = c.Out+b.Out, c.In+b.In
		c.Days = append(c.Days, b)
	}
	return c
}

func total(o map[node.Outcome]int64) (n int64) {
	for _, count := range o {
		n += count
	}
	return n
}

// roof is the next even round number: 2, 4, 10, 20, 40, 100, …
func roof(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, step := range []int64{2, 4, 10} {
			if unit*step >= n {
				return unit * step
			}
		}
	}
}

// short writes a day without its year.
func short(d edxml.Date) string {
	at, err := d.Time()
	if err != nil {
		return string(d)
	}
	return at.Format("02/01")
}
