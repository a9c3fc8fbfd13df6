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
		v.moment(tracePath(i), t.Timestamp)
		if i > 0 {
			v.backwards(tracePath(i), t.Timestamp, tracePath(i-1), d.TraceHeaders[i-1].Timestamp)
		}
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
	path := tracePath(0)
	if n, ok := d.OtherInfo.Priority.Int(); ok && n > 0 && n <= 4 {
		within := v.UrgentWithin
		if within == 0 {
			within = 30 * time.Minute
		}
		switch signed := v.signed(); {
		case !sent.Before(day.AddDate(0, 0, 1)):
			date := shorten(string(d.PromulgationInfo.PromulgationDate))
			v.find("TIME-2", path, string(stamp), Text{"ban hành ngày " + date, "of " + date})
		case !signed.IsZero() && sent.After(signed.Add(within)):
			at := string(TimestampOf(signed))
			v.find("TIME-2", path, string(stamp), Text{"ký lúc " + at, "signed at " + at})
		}
		return
	}
	if sent.After(v.nextWorkday(day).Add(12 * time.Hour)) {
		v.find("TIME-1", path, string(stamp), string(d.PromulgationInfo.PromulgationDate))
	}
}

func tracePath(i int) string { return "TraceHeader[" + strconv.Itoa(i+1) + "]/Timestamp" }

// signed returns when the packet was signed, by the signer's own word (XAdES
// SigningTime); zero when no signature says so.
func (v *validation) signed() time.Time {
	for _, t := range v.packet.outline.blocks("Signature") {
		if t.Root.NamespaceURI() != NamespaceDSig {
			continue
		}
		for _, el := range t.Root.FindElements(".//SigningTime") {
			if at, err := time.Parse(time.RFC3339, text(el)); err == nil {
				return at
			}
		}
	}
	return time.Time{}
}

// backwards finds a system that handled the packet before the one before it
// did.
func (v *validation) backwards(path string, t Timestamp, beforePath string, before Timestamp) {
	at, err := t.Time()
	earlier, err2 := before.Time()
	if err == nil && err2 == nil && at.Add(clockError).Before(earlier) {
		v.find("TIME-4a", path, path, string(t), beforePath, string(before))
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
