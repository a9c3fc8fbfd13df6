package node

import (
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Why says in plain words where a Transfer stands: who holds it, since when,
// what went wrong last, when the next try is, and what to do.
func Why(t *Transfer, now time.Time) edxml.Text {
	if t.Direction == In {
		return whyIn(t, now)
	}
	switch t.State {
	case Sent:
		return whySent(t)
	case Failed:
		tries := t.Tries
		for _, a := range t.Attempts {
			if a.Step == "notify" {
				tries--
			}
		}
		return edxml.Text{
			VI: fmt.Sprintf("Đã dừng gửi sau %d lần thử. Lỗi cuối: %s. Cần làm: %s", tries, t.LastError, advice(t).VI),
			EN: fmt.Sprintf("Given up after %d attempts. Last error: %s. What to do: %s", tries, t.LastError, advice(t).EN),
		}
	}
	return waiting(t, now, edxml.Text{VI: "Nút này đang giữ, chờ gửi lên trục", EN: "This node holds it, waiting to send it to the axis"})
}

// waiting explains a Transfer that a step is due for.
func waiting(t *Transfer, now time.Time, where edxml.Text) edxml.Text {
	since := t.Created.In(edxml.Vietnam).Format("15:04:05 02/01/2006")
	vi := fmt.Sprintf("%s từ %s.", where.VI, since)
	en := fmt.Sprintf("%s since %s.", where.EN, since)
	if t.LastError != "" {
		vi += fmt.Sprintf(" Đã thử %d lần. Lỗi cuối: %s.", t.Tries, t.LastError)
		en += fmt.Sprintf(" Tried %d times. Last error: %s.", t.Tries, t.LastError)
	}
	switch wait := t.Due.Sub(now).Round(time.Second); {
	case t.LeasedUntil.After(now):
		vi, en = vi+" Đang được xử lý.", en+" It is being worked on right now."
	case wait > 0:
		vi, en = vi+fmt.Sprintf(" Lần thử tiếp theo sau %s.", wait), en+fmt.Sprintf(" Next try in %s.", wait)
	default:
		vi += " Đến lượt: sẽ gửi ngay khi nút chạy (lienthong node)."
		en += " It is due: it goes as soon as the node runs (lienthong node)."
	}
	if t.LastError != "" {
		a := advice(t)
		vi, en = vi+" Cần làm: "+a.VI, en+" What to do: "+a.EN
	}
	return edxml.Text{VI: vi, EN: en}
}

func whySent(t *Transfer) edxml.Text {
	var vi, en []string
	for _, r := range t.Receivers {
		if r.Code == "" {
			vi = append(vi, r.OrganID+": chưa có phản hồi")
			en = append(en, r.OrganID+": no answer yet")
			continue
		}
		last := r.Events[len(r.Events)-1]
		name, _ := r.Code.Name()
		at := last.At.In(edxml.Vietnam).Format("15:04:05 02/01/2006")
		vi = append(vi, fmt.Sprintf("%s: %s %s lúc %s", r.OrganID, r.Code, name.VI, at))
		en = append(en, fmt.Sprintf("%s: %s %s at %s", r.OrganID, r.Code, name.EN, at))
	}
	return edxml.Text{
		VI: fmt.Sprintf("Trục đã nhận (số %s). Nơi nhận giữ văn bản: %s.", t.AxisID, strings.Join(vi, "; ")),
		EN: fmt.Sprintf("The axis took it (number %s). It is with the receivers: %s.", t.AxisID, strings.Join(en, "; ")),
	}
}

func whyIn(t *Transfer, now time.Time) edxml.Text {
	switch {
	case t.State == Rejected:
		return edxml.Text{
			VI: "Văn bản bị từ chối: " + t.Refusal + ". Gói tin được giữ làm bằng chứng. Cần làm: báo nơi gửi gửi lại.",
			EN: "The document was rejected: " + t.Refusal + ". The packet is kept as evidence. What to do: ask the sender to send it again.",
		}
	case t.State == Confirmed:
		return edxml.Text{
			VI: "Văn bản đã ở đây và trục đã biết. Cần làm: lienthong inbox accept, reject hoặc finish " + t.ID,
			EN: "The document is here and the axis knows. What to do: lienthong inbox accept, reject or finish " + t.ID,
		}
	}
	return waiting(t, now, map[State]edxml.Text{
		Listed:    {VI: "Trục đang giữ, chờ nút này lấy về", EN: "The axis holds it, waiting to be fetched by this node"},
		Fetched:   {VI: "Đã lấy về, chờ kiểm tra chữ ký", EN: "Fetched, waiting for its signature to be judged"},
		Verified:  {VI: "Đã kiểm tra, chờ chuyển cho hệ thống văn bản", EN: "Judged, waiting to be handed to the document system"},
		Delivered: {VI: "Đã chuyển, chờ báo cho trục", EN: "Handed over, waiting to tell the axis"},
	}[t.State])
}

// advice says what to do about the last error, by the axis's code and by what
// the error says.
func advice(t *Transfer) edxml.Text {
	code := ""
	for _, a := range t.Attempts {
		if a.Step != "notify" {
			code = a.Code
		}
	}
	switch {
	case code == "Permission" || code == "CheckPermission" || code == "CheckSignature" || strings.Contains(t.LastError, "wrong token"):
		return edxml.Text{
			VI: "kiểm tra organ và token trong mục [axis] của cấu hình; xin lại token ở đơn vị quản lý trục",
			EN: "check organ and token under [axis] in the configuration; ask whoever runs the axis for a new token",
		}
	case strings.Contains(strings.ToLower(t.LastError), "receiver"):
		return edxml.Text{
			VI: "sửa mã định danh nơi nhận theo danh bạ của trục rồi gửi lại",
			EN: "correct the receiver's identifier by the axis's directory and submit it again",
		}
	case strings.Contains(t.LastError, "certificate"):
		return edxml.Text{
			VI: "kiểm tra chứng thư số và đồng hồ của máy",
			EN: "check the certificate and this machine's clock",
		}
	case t.Permanent:
		return edxml.Text{
			VI: "sửa văn bản theo lỗi của trục rồi gửi lại",
			EN: "mend the document as the axis says and submit it again",
		}
	case code == "":
		return edxml.Text{
			VI: "kiểm tra mạng và địa chỉ trục; nút tự thử lại, không cần gửi lại",
			EN: "check the network and the axis's address; the node tries again by itself, do not submit it again",
		}
	}
	return edxml.Text{
		VI: "chờ: nút tự thử lại; nếu kéo dài, báo đơn vị quản lý trục mã lỗi này",
		EN: "wait: the node tries again by itself; if it goes on, tell whoever runs the axis this code",
	}
}
