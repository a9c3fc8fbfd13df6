package edxml

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Vietnam is the zone of every time on the wire: UTC+07:00, without daylight
// saving. Packets carry no zone.
var Vietnam = time.FixedZone("+07:00", 7*60*60)

// Number is an integer as it stands in the packet; "" when absent. Packets of
// the wild hold other text there, which is kept.
type Number string

// Int returns the number and whether the text is one.
func (n Number) Int() (int, bool) {
	v, err := strconv.Atoi(strings.TrimSpace(string(n)))
	return v, err == nil
}

// MarshalJSON gives a JSON number where the text is an integer, else a string.
func (n Number) MarshalJSON() ([]byte, error) {
	if v, ok := n.Int(); ok {
		return strconv.AppendInt(nil, int64(v), 10), nil
	}
	return json.Marshal(string(n))
}

// UnmarshalJSON takes a JSON number or a string.
func (n *Number) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(n))
	}
	var v json.Number
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("edxml: number: %w", err)
	}
	*n = Number(v)
	return nil
}

// Date is a day as it stands in the packet, yyyy/MM/dd in the strict form.
type Date string

const (
	dateLayout = "2006/01/02"
	timeLayout = "2006/01/02 15:04:05"
)

// DateOf returns the day of t in Vietnam, in the strict form.
func DateOf(t time.Time) Date { return Date(t.In(Vietnam).Format(dateLayout)) }

// Time returns the beginning of the day in [Vietnam], also where the packet
// adds a time of day. The order of the groups is
// told by the length of the first (QUIRK: older axes write dd/MM/yyyy, one
// .NET client yyyy-MM-dd); impossible dates such as 2014/02/30 are errors.
func (d Date) Time() (time.Time, error) {
	t, err := parseTime(string(d), "date", "yyyy/MM/dd", dateLayout, "02/01/2006", "2006-01-02", "02-01-2006",
		timeLayout, "02/01/2006 15:04:05", "2006-01-02T15:04:05", time.RFC3339)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, Vietnam), nil
}

// Timestamp is a moment as it stands in the packet, yyyy/MM/dd HH:mm:ss in
// the strict form.
type Timestamp string

// TimestampOf returns t in Vietnam, in the strict form.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.In(Vietnam).Format(timeLayout)) }

// Time returns the moment; text without a zone is in [Vietnam].
func (t Timestamp) Time() (time.Time, error) {
	return parseTime(string(t), "timestamp", "yyyy/MM/dd HH:mm:ss", timeLayout, "02/01/2006 15:04:05",
		"2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339, dateLayout, "02/01/2006", "2006-01-02")
}

// LatestTimestamp returns the latest moment that any of the statuses says, the
// zero time where none says one that can be read. A moment later than end does
// not count, as a sender's clock may be ahead; where end is the zero time, all do.
func LatestTimestamp(statuses []Status, end time.Time) (latest time.Time) {
	for i := range statuses {
		at, err := statuses[i].Timestamp.Time()
		if err == nil && at.After(latest) && (end.IsZero() || !at.After(end)) {
			latest = at
		}
	}
	return latest
}

func parseTime(text, what, strict string, layouts ...string) (time.Time, error) {
	s := strings.TrimSpace(text)
	for _, layout := range layouts {
		if v, err := time.ParseInLocation(layout, s, Vietnam); err == nil {
			return v.In(Vietnam), nil
		}
	}
	return time.Time{}, fmt.Errorf("edxml: %.40q is no %s; write %s", text, what, strict)
}

// StatusCode is what happened to a Document at its receiver (mã trạng thái
// xử lý), two digits in the strict form.
type StatusCode string

// The codes in use (QĐ 28/2018/QĐ-TTg Art. 10 names them, the axis numbers them).
const (
	StatusArrived        StatusCode = "01" // đã đến
	StatusRefused        StatusCode = "02" // từ chối tiếp nhận, with a reason
	StatusAccepted       StatusCode = "03" // đã tiếp nhận
	StatusAssigned       StatusCode = "04" // phân công
	StatusProcessing     StatusCode = "05" // đang xử lý
	StatusDone           StatusCode = "06" // hoàn thành
	StatusTakeBack       StatusCode = "13" // lấy lại: the sender asks the Document back
	StatusTakeBackAgreed StatusCode = "15" // đồng ý cập nhật / lấy lại
	StatusTakeBackDenied StatusCode = "16" // từ chối cập nhật / lấy lại
)

// Canonical returns the code in two digits. QUIRK: the SOAP axis writes "1"
// for "01"; other text is returned as it is.
func (c StatusCode) Canonical() StatusCode {
	s := strings.TrimSpace(string(c))
	if len(s) == 1 && s[0] >= '0' && s[0] <= '9' {
		return StatusCode("0" + s)
	}
	return StatusCode(s)
}

var statusNames = map[StatusCode]Text{
	StatusArrived:        {"đã đến", "arrived"},
	StatusRefused:        {"từ chối tiếp nhận", "refused"},
	StatusAccepted:       {"đã tiếp nhận", "accepted"},
	StatusAssigned:       {"phân công", "assigned"},
	StatusProcessing:     {"đang xử lý", "in process"},
	StatusDone:           {"hoàn thành", "done"},
	StatusTakeBack:       {"lấy lại", "take-back asked"},
	StatusTakeBackAgreed: {"đồng ý lấy lại hoặc cập nhật", "take-back or update agreed"},
	StatusTakeBackDenied: {"từ chối lấy lại hoặc cập nhật", "take-back or update denied"},
}

// Name returns what the code means; the second result is false for a code
// that is not in use.
func (c StatusCode) Name() (Text, bool) {
	t, ok := statusNames[c.Canonical()]
	return t, ok
}

// Text is one message in both languages of the house.
type Text struct {
	VI, EN string
}

// In returns the text in lang: "vi" gives Vietnamese, anything else English.
func (t Text) In(lang string) string {
	if lang == "vi" {
		return t.VI
	}
	return t.EN
}

// DocumentID builds the recommended identifier
// OrganId,yyyy/MM/dd,CodeNumber/CodeNotation.
func DocumentID(organID string, promulgated Date, code Code) string {
	return organID + "," + string(promulgated) + "," + code.String()
}
