package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// dayResult is the output of simulate --json. Seconds are floats, sizes octets.
type dayResult struct {
	OK      bool    `json:"ok"` // everything arrived, once
	Version string  `json:"version"`
	Factor  float64 `json:"factor"`
	Seed    uint64  `json:"seed"`
	Within  float64 `json:"within,omitempty"` // seconds; 0: as fast as it goes
	Flight  int     `json:"inFlight"`
	Kills   int     `json:"kills"` // of processes, where faults were asked for

	Documents  int      `json:"documents"`
	Deliveries int      `json:"deliveries"`
	Transfers  int      `json:"transfers"` // as July 2022 was counted: sent and received
	Statuses   int      `json:"statuses"`  // that came back to their senders
	Octets     int64    `json:"octets"`    // of files, each counted once
	Lost       int      `json:"lost"`
	Doubled    int      `json:"doubled"`
	Troubles   []string `json:"troubles"`

	Seconds    float64        `json:"seconds"` // from the first document to the last status at its sender
	PerSecond  dayRates       `json:"perSecond"`
	Hops       []hopTimes     `json:"hops"`
	CPU        cpuShare       `json:"cpu"`
	Stations   []stationUsage `json:"stations"`
	Disk       diskUse        `json:"disk"`
	Saturated  saturation     `json:"saturated"`
	Carries    carries        `json:"carries"`
	Hours      [24]int        `json:"hours"` // documents by the hour in which they leave
	Timeline   []instant      `json:"timeline"`
	Processors int            `json:"processors"`
}

// dayRates are averages over the whole time.
type dayRates struct {
	Documents  float64 `json:"documents"`
	Deliveries float64 `json:"deliveries"`
	Statuses   float64 `json:"statuses"`
}

// hopTimes are how long a part of the way took, in seconds.
type hopTimes struct {
	Hop   hop     `json:"hop"`
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// cpuShare is the time of processors, in seconds.
type cpuShare struct {
	Central   float64 `json:"central"`
	Provinces float64 `json:"provinces"`
	Leaves    float64 `json:"leaves"`
	Runner    float64 `json:"runner"` // this program, which plays the document systems
	Others    float64 `json:"others"` // of the machine, which are no part of it
}

// stationUsage is what one process has used.
type stationUsage struct {
	Organ   string  `json:"organ"`
	Role    role    `json:"role"`
	CPU     float64 `json:"cpu"`
	Memory  int64   `json:"memory"` // RssAnon at its highest
	Written int64   `json:"written"`
}

// diskUse is what was written, and how much of it lay there at once.
type diskUse struct {
	Written int64 `json:"written"`
	Peak    int64 `json:"peak"`
	Left    int64 `json:"left"` // at the end, after the purges
}

// saturation says what the machine ran out of first.
type saturation struct {
	What    saturated `json:"what"`
	Busy    float64   `json:"busy"`    // share of all processors, whoever's work
	Own     float64   `json:"own"`     // share of all processors that the simulation had
	Disk    float64   `json:"disk"`    // share of the time in which somebody waited for a disk
	Most    role      `json:"most"`    // which stations used most of the CPU
	MostCPU float64   `json:"mostCpu"` // their share of the simulation's CPU
}

// carries is what this machine would carry.
type carries struct {
	Transfers float64 `json:"transfersPerDay"`   // in 24 hours at the measured rate
	Days      float64 `json:"daysOfJuly2022"`    // the same, in days of July 2022
	Peak      float64 `json:"peakOfJuly2022"`    // how many times the busiest hour of such a day it keeps up with
	CPU       float64 `json:"cpuPerTransfer"`    // seconds, of all stations and the runner
	Alone     float64 `json:"transfersIfAlone"`  // in 24 hours, if all processors had been free for it
	FullDay   float64 `json:"secondsForFullDay"` // how long a day of factor 1 takes at the measured rate
	FullAlone float64 `json:"secondsIfAlone"`    // and if all processors had been free for it
}

// instant is a sample, as rates since the one before.
type instant struct {
	At        float64 `json:"at"` // seconds
	Documents float64 `json:"documents"`
	Delivered float64 `json:"delivered"`
	Statuses  float64 `json:"statuses"`
	Central   float64 `json:"cpuCentral"` // processors
	Provinces float64 `json:"cpuProvinces"`
	Leaves    float64 `json:"cpuLeaves"`
	Runner    float64 `json:"cpuRunner"`
	Others    float64 `json:"cpuOthers"`
	Memory    int64   `json:"memory"`
	Disk      int64   `json:"disk"`
}

// measured makes a result of what was seen from outside.
func (s *simulation) measured(d *drive, o *observer) *dayResult {
	first, last := o.samples[0], o.samples[len(o.samples)-1]
	r := &dayResult{
		Version: version(), Factor: s.plan.Factor, Seed: s.plan.Seed, Within: d.within.Seconds(), Flight: cap(d.flight), Kills: int(d.kills.Load()),
		Documents: len(s.plan.Documents), Deliveries: s.plan.deliveries(), Transfers: s.plan.transfers(), Octets: s.plan.octets(),
		Troubles: append([]string{}, d.troubles...), Hours: s.plan.hours(), Processors: runtime.NumCPU(), Seconds: last.At.Seconds(),
	}
	r.CPU = cpuShare{
		Central: (last.CPU[atCentre] - first.CPU[atCentre]).Seconds(), Provinces: (last.CPU[atProvince] - first.CPU[atProvince]).Seconds(),
		Leaves: (last.CPU[atLeaf] - first.CPU[atLeaf]).Seconds(), Runner: (last.Runner - first.Runner).Seconds(),
	}
	own := r.CPU.own()
	r.CPU.Others = max((last.Machine.Busy-first.Machine.Busy).Seconds()-own, 0)
	for _, st := range s.country.stations {
		u := st.used()
		r.Stations = append(r.Stations, stationUsage{st.Organ, st.Role, u.CPU.Seconds(), o.most[st.Organ], u.Written})
		r.Disk.Written += u.Written
	}
	r.Disk.Peak, r.Disk.Left = o.peak, last.Disk
	r.Saturated.What, r.Saturated.Busy, r.Saturated.Disk = judge(first, last)
	all := float64(r.Processors) * r.Seconds
	r.Saturated.Own = own / all
	for _, x := range []struct {
		role role
		cpu  float64
	}{{atCentre, r.CPU.Central}, {atProvince, r.CPU.Provinces}, {atLeaf, r.CPU.Leaves}} {
		if share := x.cpu / own; own > 0 && share > r.Saturated.MostCPU {
			r.Saturated.Most, r.Saturated.MostCPU = x.role, share
		}
	}
	rate := float64(r.Transfers) / r.Seconds
	day := dayDocuments * (1 + dayReceivers)
	r.Carries = carries{
		Transfers: rate * 86_400, Days: rate * 86_400 / day, Peak: rate * 3600 / (day * peakHour()), CPU: own / float64(r.Transfers),
		FullDay: day / rate,
	}
	if own > 0 {
		r.Carries.Alone = float64(r.Processors) * 86_400 / r.Carries.CPU
		r.Carries.FullAlone = day * r.Carries.CPU / float64(r.Processors)
	}
	r.Timeline = timeline(o.samples)
	return r
}

func (c cpuShare) own() float64 { return c.Central + c.Provinces + c.Leaves + c.Runner }

// timeline turns samples into rates.
func timeline(all []sample) (line []instant) {
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		span := (b.At - a.At).Seconds()
		if span < 0.05 {
			continue // the last look comes right behind another one
		}
		m := instant{
			At: b.At.Seconds(), Documents: float64(b.Sent-a.Sent) / span, Delivered: float64(b.Answered-a.Answered) / span, Disk: b.Disk,
			Central: (b.CPU[atCentre] - a.CPU[atCentre]).Seconds() / span, Provinces: (b.CPU[atProvince] - a.CPU[atProvince]).Seconds() / span,
			Leaves: (b.CPU[atLeaf] - a.CPU[atLeaf]).Seconds() / span, Runner: (b.Runner - a.Runner).Seconds() / span,
			Memory: b.Memory[atCentre] + b.Memory[atProvince] + b.Memory[atLeaf],
		}
		m.Others = max((b.Machine.Busy-a.Machine.Busy).Seconds()/span-m.Central-m.Provinces-m.Leaves-m.Runner, 0)
		line = append(line, m)
	}
	return line
}

// tell adds what the journals say.
func (r *dayResult) tell(c *chronicle, begin time.Time) {
	if r.Seconds > 0 {
		r.PerSecond = dayRates{float64(r.Documents) / r.Seconds, float64(r.Deliveries) / r.Seconds, float64(r.Statuses) / r.Seconds}
	}
	for _, h := range hops {
		all := c.took[h]
		if len(all) == 0 {
			continue
		}
		r.Hops = append(r.Hops, hopTimes{
			h, len(all), quantile(all, 0.5).Seconds(), quantile(all, 0.95).Seconds(), quantile(all, 0.99).Seconds(), all[len(all)-1].Seconds(),
		})
	}
	before := 0.0
	for i := range r.Timeline {
		m := &r.Timeline[i]
		n, _ := slices.BinarySearchFunc(c.statuses, begin.Add(time.Duration(m.At*float64(time.Second))), time.Time.Compare)
		earlier, _ := slices.BinarySearchFunc(c.statuses, begin.Add(time.Duration(before*float64(time.Second))), time.Time.Compare)
		m.Statuses = float64(n-earlier) / (m.At - before)
		before = m.At
	}
}

// hopNames say what a hop is.
var hopNames = map[hop]edxml.Text{
	hopUp:     {VI: "đơn vị gửi → trục tỉnh", EN: "sender → provincial hub"},
	hopOver:   {VI: "trục tỉnh → trục trung tâm", EN: "provincial hub → central hub"},
	hopDown:   {VI: "trục trung tâm → trục tỉnh", EN: "central hub → provincial hub"},
	hopHome:   {VI: "trục tỉnh → đơn vị nhận", EN: "provincial hub → receiver"},
	hopWhole:  {VI: "văn bản, từ đầu đến cuối", EN: "document, end to end"},
	hopStatus: {VI: "trạng thái cuối, quay về nơi gửi", EN: "last status, back to the sender"},
}

// roleNames say what a station is.
var roleNames = map[role]edxml.Text{
	atCentre:   {VI: "trục trung tâm", EN: "central hub"},
	atProvince: {VI: "trục tỉnh", EN: "provincial hubs"},
	atLeaf:     {VI: "đơn vị", EN: "leaves"},
}

// said says in words what the machine ran out of.
func (s saturation) said() edxml.Text {
	who := roleNames[s.Most]
	share := fmt.Sprintf("%.0f %%", 100*s.MostCPU)
	switch s.What {
	case satProcessors:
		t := edxml.Text{
			VI: fmt.Sprintf("bộ xử lý: bận %.0f %%, mô phỏng chiếm %.0f %%; nhiều nhất là %s (%s)", 100*s.Busy, 100*s.Own, who.VI, share),
			EN: fmt.Sprintf("the processors: %.0f %% busy, %.0f %% with the simulation; the %s took most of that (%s)", 100*s.Busy, 100*s.Own, who.EN, share),
		}
		if s.Own < s.Busy/2 {
			t.VI += "; việc khác trên máy chiếm hơn một nửa"
			t.EN += "; more than half of it was other work on this machine"
		}
		return t
	case satDisk:
		return edxml.Text{
			VI: fmt.Sprintf("ổ đĩa: %.0f %% thời gian có tiến trình chờ ghi; bộ xử lý bận %.0f %%", 100*s.Disk, 100*s.Busy),
			EN: fmt.Sprintf("the disk: somebody waited for it %.0f %% of the time; the processors were %.0f %% busy", 100*s.Disk, 100*s.Busy),
		}
	case satNothing:
		return edxml.Text{
			VI: fmt.Sprintf("chưa gì: bộ xử lý bận %.0f %%, chờ ổ đĩa %.0f %% thời gian; tăng --in-flight hoặc --factor", 100*s.Busy, 100*s.Disk),
			EN: fmt.Sprintf("nothing: the processors were %.0f %% busy, the disk was waited for %.0f %% of the time; raise --in-flight or --factor", 100*s.Busy, 100*s.Disk),
		}
	}
	return edxml.Text{VI: "không đo được trên hệ điều hành này", EN: "not measured on this system"}
}

// text is the result for a terminal.
func (r *dayResult) text(p *program) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(vi, en, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", p.say(vi, en), fmt.Sprintf(format, args...))
	}
	row("văn bản", "documents", p.say("%d tới %d nơi nhận, %s tệp", "%d to %d receivers, %s of files"), r.Documents, r.Deliveries, octets(r.Octets))
	row("thời gian", "time", "%.1f s", r.Seconds)
	row("mỗi giây", "per second", p.say("%.1f văn bản, %.1f lượt giao, %.1f trạng thái", "%.1f documents, %.1f deliveries, %.1f statuses"), r.PerSecond.Documents, r.PerSecond.Deliveries, r.PerSecond.Statuses)
	row("mất, lặp", "lost, doubled", "%d, %d", r.Lost, r.Doubled)
	if r.Kills > 0 {
		row("kill -9", "kill -9", "%d", r.Kills)
	}
	for _, h := range r.Hops {
		row(hopNames[h.Hop].VI, hopNames[h.Hop].EN, "p50 %.2f s  p95 %.2f s  p99 %.2f s", h.P50, h.P95, h.P99)
	}
	row("CPU", "CPU", p.say("%.1f s: trung tâm %.1f, tỉnh %.1f, đơn vị %.1f, hệ thống văn bản %.1f; việc khác của máy %.1f", "%.1f s: centre %.1f, provinces %.1f, leaves %.1f, document systems %.1f; others on this machine %.1f"),
		r.CPU.own(), r.CPU.Central, r.CPU.Provinces, r.CPU.Leaves, r.CPU.Runner, r.CPU.Others)
	most := slices.MaxFunc(r.Stations, func(a, b stationUsage) int { return int(a.Memory - b.Memory) })
	row("bộ nhớ", "memory", p.say("nhiều nhất %s ở %s (RssAnon)", "%s at the most, at %s (RssAnon)"), octets(most.Memory), most.Organ)
	row("ổ đĩa", "disk", p.say("ghi %s, nhiều nhất %s cùng lúc, còn %s", "%s written, at the most %s at once, %s left"), octets(r.Disk.Written), octets(r.Disk.Peak), octets(r.Disk.Left))
	row("bão hòa trước", "saturated first", "%s", r.Saturated.said().In(p.lang))
	row("máy này tải được", "this machine carries", p.say("%.0f lượt mỗi ngày = %.1f ngày tháng 7/2022; giờ cao điểm %.1f lần", "%.0f transfers a day = %.1f days of July 2022; %.1f times its busiest hour"),
		r.Carries.Transfers, r.Carries.Days, r.Carries.Peak)
	row("cả ngày (hệ số 1)", "a full day (factor 1)", p.say("%.0f s với tốc độ này; %.0f s nếu máy chỉ làm việc này", "%.0f s at this rate; %.0f s if the processors did nothing else"), r.Carries.FullDay, r.Carries.FullAlone)
	_ = w.Flush() // into memory
	return b.String()
}
