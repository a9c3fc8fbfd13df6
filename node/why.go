package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Why says in plain words where a Transfer stands: who holds it, since when,
// what went wrong last, when the next try is, and what to do. l is what is
// known of the way to the axis, see [Node.Link].
func Why(t *Transfer, l Link, now time.Time) edxml.Text {
	switch {
	case t.Held != nil:
		return whyHeldBy(t)
	case t.State == Cancelled:
		return whyCancelled(t)
	case t.Direction == In:
		return whyIn(t, l, now)
	case t.State == Sent:
		return whySent(t)
	case t.State == Failed:
		tries := 0
		for _, a := range t.Attempts {
			if a.Step == "send" {
				tries++
			}
		}
		return sentences(
			fmt.Sprintf("Đã dừng gửi sau %d lần thử.", tries), fmt.Sprintf("Given up after %d attempts.", tries),
			"Lỗi cuối: "+t.LastError+".", "Last error: "+t.LastError+".",
			"Cần làm: "+advice(t, l).VI, "What to do: "+advice(t, l).EN,
		)
	case len(t.Waits) > 0:
		return whyWaits(t)
	}
	return waiting(t, l, now, edxml.Text{VI: "Nút này đang giữ, chờ gửi lên trục", EN: "This node holds it, waiting to send it to the axis"})
}

// sentences puts pairs of Vietnamese and English sentences in a row.
func sentences(pairs ...string) edxml.Text {
	var vi, en []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != "" {
			vi, en = append(vi, pairs[i]), append(en, pairs[i+1])
		}
	}
	return edxml.Text{VI: strings.Join(vi, " "), EN: strings.Join(en, " ")}
}

// clock writes a moment for people.
func clock(at time.Time) string { return at.In(edxml.Vietnam).Format("15:04:05 02/01/2006") }

// because adds what somebody gave as a reason.
func because(reason string) edxml.Text {
	if reason == "" {
		return edxml.Text{}
	}
	return edxml.Text{VI: "Lý do: " + reason + ".", EN: "Reason: " + reason + "."}
}

func whyHeldBy(t *Transfer) edxml.Text {
	reason := because(t.Held.Reason)
	box := string(t.Direction) + "box"
	return sentences(
		fmt.Sprintf("%s giữ lại từ %s; nút không làm gì với văn bản này cho tới khi được thả.", t.Held.Actor, clock(t.Held.At)),
		fmt.Sprintf("Held by %s since %s; the node does nothing with it until it is released.", t.Held.Actor, clock(t.Held.At)),
		reason.VI, reason.EN,
		fmt.Sprintf("Cần làm: hỏi %s, rồi lienthong %s release %s", t.Held.Actor, box, t.ID),
		fmt.Sprintf("What to do: ask %s, then lienthong %s release %s", t.Held.Actor, box, t.ID),
	)
}

func whyCancelled(t *Transfer) edxml.Text {
	pairs := []string{"Đã hủy, không gửi nữa.", "Cancelled; it is not sent any more."}
	if n := len(t.Acts); n > 0 && t.LastError == "" {
		a := t.Acts[n-1]
		reason := because(a.Reason)
		pairs = append(pairs, fmt.Sprintf("Bởi %s lúc %s.", a.Actor, clock(a.At)), fmt.Sprintf("By %s at %s.", a.Actor, clock(a.At)), reason.VI, reason.EN)
	} else if t.LastError != "" {
		pairs = append(pairs, "Văn bản gốc chưa từng được gửi nên không còn gì để thu hồi hay cập nhật.",
			"The document it is about was never sent, so there is nothing to recall or to update.")
	}
	if unsure(t) {
		pairs = append(pairs, "Chú ý: có lần gửi không rõ kết quả, trục có thể đã nhận; hỏi đơn vị quản lý trục, cần thì gửi văn bản thu hồi.",
			"Note: the answer to a try was lost, the axis may have it; ask whoever runs it, and send a recall if need be.")
	}
	return sentences(pairs...)
}

func whyWaits(t *Transfer) edxml.Text {
	return sentences(
		fmt.Sprintf("Nút này đang giữ từ %s: phải đi sau %s, là văn bản mà nó thu hồi, cập nhật hoặc thay thế.", clock(t.Created), strings.Join(t.Waits, ", ")),
		fmt.Sprintf("This node holds it since %s: it has to go after %s, which it recalls, updates or replaces.", clock(t.Created), strings.Join(t.Waits, ", ")),
		"Nút tự gửi khi văn bản đó kết thúc.", "The node sends it by itself when that one has ended.",
		fmt.Sprintf("Cần làm: xem vì sao văn bản đó còn ở đây: lienthong %sbox why %s", t.Direction, t.Waits[0]),
		fmt.Sprintf("What to do: see why that one is still here: lienthong %sbox why %s", t.Direction, t.Waits[0]),
	)
}

// waiting explains a Transfer that a step is due for.
func waiting(t *Transfer, l Link, now time.Time, where edxml.Text) edxml.Text {
	pairs := []string{fmt.Sprintf("%s từ %s.", where.VI, clock(t.Created)), fmt.Sprintf("%s since %s.", where.EN, clock(t.Created))}
	add := func(vi, en string, args ...any) {
		pairs = append(pairs, fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...))
	}
	if t.LastError != "" {
		add("Đã thử %d lần. Lỗi cuối: %s.", "Tried %d times. Last error: %s.", t.Tries, t.LastError)
	}
	next := t.Due
	if l.Open() && usesAxis(t) {
		add("Trục không dùng được từ %s (%d lỗi liên tiếp), nút tạm ngừng gọi.", "The axis does not work since %s (%d faults in a row), the node has stopped calling it for a while.", clock(l.Down), l.Faults)
		if t.LastError == "" {
			add("Lỗi của trục: %s.", "The axis's error: %s.", l.Error)
		}
		if l.Next.After(next) {
			next = l.Next
		}
	}
	switch wait := next.Sub(now).Round(time.Second); {
	case t.LeasedUntil.After(now):
		add("Đang được xử lý.", "It is being worked on right now.")
	case wait > 0:
		add("Lần thử tiếp theo sau %s, lúc %s.", "Next try in %s, at %s.", wait, clock(next))
	default:
		add("Đến lượt: sẽ gửi ngay khi nút chạy (lienthong node).", "It is due: it goes as soon as the node runs (lienthong node).")
	}
	if t.LastError != "" || l.Open() && usesAxis(t) {
		a := advice(t, l)
		pairs = append(pairs, "Cần làm: "+a.VI+" (nút tự thử lại, không cần gửi lại).", "What to do: "+a.EN+" (the node tries again by itself, do not submit it again).")
	}
	return sentences(pairs...)
}

// usesAxis reports whether the next step of a Transfer calls the axis.
func usesAxis(t *Transfer) bool {
	switch t.State {
	case Queued, Listed, Delivered, Confirmed, Rejected:
		return true
	}
	return false
}

// nameable is how many receivers are named one by one.
const nameable = 20

// receiversAt says how far a Document is at its receivers: of each, or of many
// how many are how far, and who refused.
func receiversAt(t *Transfer) (all edxml.Text) {
	var vi, en []string
	if len(t.Receivers) > nameable {
		counts, refused := map[edxml.StatusCode]int{}, []string{}
		for _, r := range t.Receivers {
			if counts[r.Code]++; r.Code == edxml.StatusRefused {
				refused = append(refused, r.OrganID)
			}
		}
		for _, code := range slices.Sorted(maps.Keys(counts)) {
			name, _ := code.Name()
			if code == "" {
				name = edxml.Text{VI: "chưa có phản hồi", EN: "no answer yet"}
			}
			vi = append(vi, fmt.Sprintf("%s: %d", strings.TrimSpace(string(code)+" "+name.VI), counts[code]))
			en = append(en, fmt.Sprintf("%s: %d", strings.TrimSpace(string(code)+" "+name.EN), counts[code]))
		}
		if n := len(refused); n > 0 {
			names, more := strings.Join(refused[:min(n, nameable)], ", "), edxml.Text{}
			if n > nameable {
				more = edxml.Text{VI: " và các nơi khác", EN: " and others"}
			}
			vi, en = append(vi, "bị từ chối bởi "+names+more.VI), append(en, "refused by "+names+more.EN)
		}
		return edxml.Text{VI: strings.Join(vi, "; "), EN: strings.Join(en, "; ")}
	}
	for _, r := range t.Receivers {
		if r.Code == "" || len(r.Events) == 0 {
			vi = append(vi, r.OrganID+": chưa có phản hồi")
			en = append(en, r.OrganID+": no answer yet")
			continue
		}
		last := r.Events[len(r.Events)-1]
		for _, e := range r.Events {
			if e.Code == r.Code {
				last = e
			}
		}
		name, _ := r.Code.Name()
		vi = append(vi, fmt.Sprintf("%s: %s %s lúc %s", r.OrganID, r.Code, name.VI, clock(last.At)))
		en = append(en, fmt.Sprintf("%s: %s %s at %s", r.OrganID, r.Code, name.EN, clock(last.At)))
	}
	return edxml.Text{VI: strings.Join(vi, "; "), EN: strings.Join(en, "; ")}
}

func whySent(t *Transfer) edxml.Text {
	at := receiversAt(t)
	pairs := []string{
		fmt.Sprintf("Trục đã nhận (số %s). Nơi nhận giữ văn bản: %s.", t.AxisID, at.VI),
		fmt.Sprintf("The axis took it (number %s). It is with the receivers: %s.", t.AxisID, at.EN),
	}
	if t.Withdrawn != nil {
		pairs = append(pairs, fmt.Sprintf("Cơ quan gửi đã thu hồi lúc %s: bản ghi này được đóng băng và giữ nguyên.", clock(t.Withdrawn.At)),
			fmt.Sprintf("Recalled by its sender at %s: this record is frozen and kept.", clock(t.Withdrawn.At)))
	}
	return sentences(pairs...)
}

func whyIn(t *Transfer, l Link, now time.Time) edxml.Text {
	switch {
	case t.State == Rejected && t.Due.IsZero():
		return edxml.Text{
			VI: "Văn bản bị từ chối: " + t.Refusal + ". Gói tin được giữ làm bằng chứng. Cần làm: báo nơi gửi gửi lại.",
			EN: "The document was rejected: " + t.Refusal + ". The packet is kept as evidence. What to do: ask the sender to send it again.",
		}
	case t.State == Recalled && t.Due.IsZero():
		return edxml.Text{
			VI: fmt.Sprintf("%s đã thu hồi lúc %s. Nội dung đã hủy, đã báo 15; mã, mã băm, thời điểm và lý do còn giữ. Không cần làm gì.", t.Withdrawn.Actor, clock(t.Withdrawn.At)),
			EN: fmt.Sprintf("Recalled by %s at %s. Its content is destroyed and 15 reported; ids, digests, times and the reason stay. There is nothing to do.", t.Withdrawn.Actor, clock(t.Withdrawn.At)),
		}
	case t.State == Confirmed && t.Due.IsZero():
		return edxml.Text{
			VI: "Văn bản đã ở đây và trục đã biết. Cần làm: lienthong inbox accept, reject hoặc finish " + t.ID,
			EN: "The document is here and the axis knows. What to do: lienthong inbox accept, reject or finish " + t.ID,
		}
	case len(t.Waits) > 0:
		return whyWaits(t)
	}
	return waiting(t, l, now, map[State]edxml.Text{
		Listed:    {VI: "Trục đang giữ, chờ nút này lấy về", EN: "The axis holds it, waiting to be fetched by this node"},
		Fetched:   {VI: "Đã lấy về, chờ kiểm tra chữ ký", EN: "Fetched, waiting for its signature to be judged"},
		Verified:  {VI: "Đã kiểm tra, chờ chuyển cho hệ thống văn bản", EN: "Judged, waiting to be handed to the document system"},
		Delivered: {VI: "Đã chuyển, chờ báo cho trục", EN: "Handed over, waiting to tell the axis"},
		Confirmed: {VI: "Đã nhận, chờ báo lại cho trục", EN: "Received, waiting to tell the axis once more"},
		Rejected:  {VI: "Đã từ chối, chờ báo cho trục", EN: "Rejected, waiting to tell the axis"},
		Sealed:    {VI: "Cơ quan gửi đã thu hồi; nội dung đã niêm phong, chờ hệ thống văn bản xác nhận để hủy", EN: "Recalled by its sender; its content is sealed, waiting for the document system to confirm before it is destroyed"},
		Recalled:  {VI: "Nội dung đã hủy, chờ báo 15 cho nơi gửi", EN: "Its content is destroyed, waiting to report 15 to the sender"},
	}[t.State])
}

// Why explains a Transfer with what this node knows of the axis.
func (n *Node) Why(ctx context.Context, t *Transfer) (edxml.Text, error) {
	l, err := n.Link(ctx)
	return Why(t, l, time.Now()), err
}
