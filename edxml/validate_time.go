package edxml

import (
	"strconv"
	"time"
)

// clockError is how far a sender's clock may be ahead.
const clockError = 5 * time.Minute

// times compares when the packet was sent, the first TraceHeader, with the day
// of the Document.
func (v *validation) times(d *Document) {
	for i, t := range d.TraceHeaders {
		v.moment("TraceHeader["+strconv.Itoa(i+1)+"]/Timestamp", t.Timestamp)
	}
	if len(d.TraceHeaders) == 0 {
		return
	}
	stamp := d.TraceHeaders[0].Timestamp
	sent, err := stamp.Time()
	day, err2 := d.PromulgationInfo.PromulgationDate.Time()
	if err != nil || err2 != nil {
		return
	}
	const path = "TraceHeader[1]/Timestamp"
	if n, ok := d.OtherInfo.Priority.Int(); ok && n > 0 && n <= 4 {
		if !sent.Before(day.AddDate(0, 0, 1)) {
			v.find("TIME-2", path, string(stamp), string(d.PromulgationInfo.PromulgationDate))
		}
		return
	}
	if sent.After(v.nextWorkday(day).Add(12 * time.Hour)) {
		v.find("TIME-1", path, string(stamp), string(d.PromulgationInfo.PromulgationDate))
	}
}

// moment finds a time of the packet that has not come yet.
func (v *validation) moment(path string, t Timestamp) {
	if at, err := t.Time(); t != "" && err == nil && at.After(v.Now.Add(clockError)) {
		v.find("TIME-4", path, path, string(t))
	}
}

// nextWorkday returns the first working day after day.
func (v *validation) nextWorkday(day time.Time) time.Time {
	work := v.Workday
	if work == nil {
		work = func(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }
	}
	const longest = 60 // no holiday is longer
	for range longest {
		if day = day.AddDate(0, 0, 1); work(day) {
			return day
		}
	}
	return day
}
