package console

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

var boxes = map[node.Direction]edxml.Text{
	node.Out: {VI: "Văn bản đi", EN: "Outbox"},
	node.In:  {VI: "Văn bản đến", EN: "Inbox"},
	node.Box: {VI: "Hộp thư", EN: "Mailbox"},
}

var stateNames = map[node.State]edxml.Text{
	node.Queued:    {VI: "Chờ gửi", EN: "Queued"},
	node.Sent:      {VI: "Đã gửi", EN: "Sent"},
	node.Failed:    {VI: "Không gửi được", EN: "Failed"},
	node.Cancelled: {VI: "Đã hủy", EN: "Cancelled"},
	node.Listed:    {VI: "Trục đang giữ", EN: "At the axis"},
	node.Fetched:   {VI: "Đã lấy về", EN: "Fetched"},
	node.Verified:  {VI: "Đã kiểm tra", EN: "Verified"},
	node.Delivered: {VI: "Đã chuyển", EN: "Delivered"},
	node.Confirmed: {VI: "Đã nhận", EN: "Received"},
	node.Rejected:  {VI: "Bị từ chối", EN: "Rejected"},
	node.Sealed:    {VI: "Niêm phong", EN: "Sealed"},
	node.Recalled:  {VI: "Đã thu hồi", EN: "Recalled"},
	node.Waiting:   {VI: "Chưa lấy", EN: "Waiting"},
	node.Collected: {VI: "Đã lấy", EN: "Collected"},
}

// boxStates are the states of each direction, in the order of the walk.
var boxStates = map[node.Direction][]node.State{
	node.Out: {node.Queued, node.Sent, node.Failed, node.Cancelled},
	node.In:  {node.Listed, node.Fetched, node.Verified, node.Delivered, node.Confirmed, node.Rejected, node.Sealed, node.Recalled},
}

// mood is how a state looks: "good", "bad", "over", or "busy" while a step is left.
func mood(s node.State) string {
	switch s {
	case node.Sent, node.Confirmed, node.Collected:
		return "good"
	case node.Failed, node.Rejected:
		return "bad"
	case node.Cancelled, node.Recalled, node.Sealed:
		return "over"
	}
	return "busy"
}

var verbNames = map[node.Verb]edxml.Text{
	node.Retry:   {VI: "Thử lại ngay", EN: "Try again now"},
	node.Hold:    {VI: "Giữ lại", EN: "Hold"},
	node.Release: {VI: "Thả", EN: "Release"},
	node.Cancel:  {VI: "Hủy, không gửi nữa", EN: "Cancel, do not send"},
	exported:     {VI: "Xuất gói tin", EN: "Export the packet"},
	accept:       {VI: "Tiếp nhận (03)", EN: "Accept (03)"},
	reject:       {VI: "Từ chối (02)", EN: "Refuse (02)"},
	finish:       {VI: "Hoàn thành (06)", EN: "Finish (06)"},
}

// actionName is what a person did, in the past.
func actionName(action, lang string) string {
	names := map[string]edxml.Text{
		"retry": {VI: "thử lại", EN: "tried again"}, "hold": {VI: "giữ lại", EN: "held"}, "release": {VI: "thả", EN: "released"},
		"cancel": {VI: "hủy", EN: "cancelled"}, "export": {VI: "xuất gói tin", EN: "exported the packet"},
		"accept": {VI: "tiếp nhận, báo 03", EN: "accepted it, status 03"}, "reject": {VI: "từ chối, báo 02", EN: "refused it, status 02"},
		"finish": {VI: "hoàn thành, báo 06", EN: "finished it, status 06"},
		"purge":  {VI: "xóa nội dung", EN: "purged the content"}, "recall": {VI: "thu hồi", EN: "recalled"},
	}
	if t, ok := names[action]; ok {
		return t.In(lang)
	}
	return action
}

func stepName(step, lang string) string {
	names := map[string]edxml.Text{
		"send": {VI: "gửi lên trục", EN: "send to the axis"}, "fetch": {VI: "lấy từ trục về", EN: "fetch from the axis"},
		"verify":  {VI: "kiểm tra chữ ký và tính đầy đủ", EN: "judge signature and completeness"},
		"deliver": {VI: "chuyển cho hệ thống văn bản", EN: "hand to the document system"},
		"confirm": {VI: "báo trục là đã nhận", EN: "tell the axis"}, "notify": {VI: "báo là đã thôi gửi", EN: "tell that it was given up"},
		"withdraw": {VI: "báo hệ thống văn bản là đã thu hồi", EN: "tell the document system of the recall"}, "destroy": {VI: "hủy nội dung", EN: "destroy the content"},
		"report": {VI: "báo trạng thái", EN: "report the status"},
	}
	if t, ok := names[step]; ok {
		return t.In(lang)
	}
	return step
}

var urgencies = map[int]edxml.Text{
	1: {VI: "Khẩn", EN: "Urgent"}, 2: {VI: "Thượng khẩn", EN: "Very urgent"}, 3: {VI: "Hỏa tốc", EN: "Most urgent"},
}

var severities = map[edxml.Severity]edxml.Text{
	edxml.Error: {VI: "Lỗi", EN: "Error"}, edxml.Warning: {VI: "Cảnh báo", EN: "Warning"}, edxml.Info: {VI: "Ghi chú", EN: "Note"},
}

// kindName is what kind of packet a Transfer is.
func kindName(t *node.Transfer) edxml.Text {
	if t.Kind == edxml.KindStatus {
		return edxml.Text{VI: "Trạng thái", EN: "Status"}
	}
	switch t.DocType {
	case edxml.Recall:
		return edxml.Text{VI: "Thu hồi", EN: "Recall"}
	case edxml.Update:
		return edxml.Text{VI: "Cập nhật", EN: "Update"}
	case edxml.Replace:
		return edxml.Text{VI: "Thay thế", EN: "Replacement"}
	}
	return edxml.Text{VI: "Văn bản", EN: "Document"}
}

func statusName(c edxml.StatusCode, lang string) string {
	name, ok := c.Name()
	if !ok {
		return string(c)
	}
	return string(c.Canonical()) + " " + name.In(lang)
}

// date writes a day for people: 22/11/2026.
func date(d edxml.Date) string {
	at, err := d.Time()
	if err != nil {
		return string(d)
	}
	return at.Format("02/01/2006")
}

// size writes a number of octets for people.
func size(n int64, lang string) string {
	value, unit := float64(n), "B"
	for _, u := range []string{"KB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1024, u
	}
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if unit != "B" {
		text = fmt.Sprintf("%.1f", value)
	}
	if lang == "vi" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + "\u00a0" + unit
}

// grouped writes a number with its thousands apart.
func grouped(n int64, lang string) string {
	sep := ","
	if lang == "vi" {
		sep = "."
	}
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + sep + text[i:]
	}
	return text
}

// span writes how long something takes or took, in its largest unit.
func span(d time.Duration, say func(vi, en string) string) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return fmt.Sprintf(say("%d giây", "%d s"), int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf(say("%d phút", "%d min"), int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf(say("%d giờ", "%d h"), int(d.Hours()))
	}
	return fmt.Sprintf(say("%d ngày", "%d days"), int(d.Hours()/24))
}

// heading is what a Transfer is called: by its code, a Status by that of the
// Document it is about; "" when nothing is known of it yet.
func heading(t *node.Transfer) string {
	if t.Status != nil && t.Code == "" {
		return t.Status.ResponseFor.Code
	}
	return cmp.Or(t.Code, t.DocumentID)
}

// peers says whom a Transfer goes to, or whom it comes from.
func peers(t *node.Transfer, say func(vi, en string) string) string {
	if t.Direction == node.In {
		return say("từ ", "from ") + cmp.Or(t.FromName, t.From)
	}
	if len(t.Receivers) == 0 {
		return ""
	}
	const few = 2
	var names []string
	for _, r := range t.Receivers[:min(few, len(t.Receivers))] {
		names = append(names, cmp.Or(r.OrganName, r.OrganID))
	}
	text := say("tới ", "to ") + strings.Join(names, "; ")
	if more := len(t.Receivers) - few; more > 0 {
		text += fmt.Sprintf(say(" và %d nơi khác", " and %d more"), more)
	}
	return text
}

// reached says how far a Document that was sent has come at its receivers.
func reached(t *node.Transfer, lang string) string {
	if t.State != node.Sent || len(t.Receivers) == 0 {
		return ""
	}
	if len(t.Receivers) == 1 {
		if code := t.Receivers[0].Code; code != "" {
			return statusName(code, lang)
		}
		return ""
	}
	answered, refused := 0, 0
	for _, r := range t.Receivers {
		if r.Code != "" {
			answered++
		}
		if r.Code == edxml.StatusRefused {
			refused++
		}
	}
	text := fmt.Sprintf(edxml.Text{VI: "%d/%d nơi đã phản hồi", EN: "%d of %d answered"}.In(lang), answered, len(t.Receivers))
	if refused > 0 {
		text += fmt.Sprintf(edxml.Text{VI: ", %d từ chối", EN: ", %d refused"}.In(lang), refused)
	}
	return text
}

// sentence begins a text with a capital letter.
func sentence(text string) string {
	for i, r := range text {
		return strings.ToUpper(string(r)) + text[i+utf8.RuneLen(r):]
	}
	return text
}

// briefly is how long a text in a list may be, in characters.
const briefly = 300

// brief cuts a text that is too long for a list, between two words if it can.
func brief(text string) string {
	n, space := 0, 0
	for i, r := range text {
		if n == briefly {
			if space == 0 {
				space = i
			}
			return text[:space] + " …"
		}
		if n++; r == ' ' && n > briefly/2 {
			space = i
		}
	}
	return text
}
