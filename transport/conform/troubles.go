package conform

import (
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// The reserved receivers of a test axis (package axistest).
const (
	toRefuse   = "X00.01"
	toBusy     = "X00.02"
	toDrop     = "X00.03"
	toTwice    = "X00.04"
	toCorrupt  = "X00.05"
	toOversize = "X00.06"
	toSlow     = "X00.07"
	toGateway  = "X00.08"
	toAhead    = "X00.09"
	toBehind   = "X00.10"
	toRebuild  = "X00.11"
	toPage     = "X00.12"
)

func troubleGroup() Group {
	return Group{"K", edxml.Text{VI: "Client: khi trục gặp sự cố", EN: "A client: when the axis is in trouble"}, []Case{
		{ID: "K01", Clause: style, Expect: edxml.Text{
			VI: "Bị từ chối hẳn (X00.01): không gửi lại", EN: "Refused for good (X00.01): it is not sent again"},
			score: func(j *journal) error {
				return j.judge(toRefuse, func(tries []entry) error {
					if len(tries) > 1 {
						return wrong("gửi %d lần", "it was sent %d times", len(tries))
					}
					return nil
				})
			}},
		{ID: "K02", Clause: style, Expect: edxml.Text{
			VI: "Tạm bị từ chối (X00.02): gửi lại đúng nội dung ấy tới khi được nhận", EN: "Refused for now (X00.02): the same content goes again until it is taken"},
			score: untilTaken(toBusy)},
		{ID: "K03", Clause: style, Expect: edxml.Text{
			VI: "Mất câu trả lời (X00.03): gửi lại đúng nội dung ấy, coi \"đã có\" là thành công", EN: `A lost answer (X00.03): the same content goes again, and "exists" is success`},
			score: untilTaken(toDrop)},
		{ID: "K04", Clause: style, Expect: edxml.Text{
			VI: "Câu trả lời quá dài (X00.06): bỏ dở và gửi lại", EN: "An answer without end (X00.06): it is broken off, and the Document goes again"},
			score: untilTaken(toOversize)},
		{ID: "K05", Clause: style, Expect: edxml.Text{
			VI: "Trang HTML với HTTP 200 (X00.12): không coi là thành công, gửi lại", EN: "An HTML page with HTTP 200 (X00.12) is no success: the Document goes again"},
			score: untilTaken(toPage)},
		{ID: "K06", Clause: style, Expect: edxml.Text{
			VI: "HTTP 502 (X00.08): gửi lại tới khi được nhận", EN: "HTTP 502 (X00.08): it goes again until it is taken"},
			score: untilTaken(toGateway)},
		{ID: "K07", Clause: style, Expect: edxml.Text{
			VI: "Câu trả lời chậm (X00.07): chờ, không gửi lần hai", EN: "A slow answer (X00.07) is waited for; nothing is sent twice"},
			score: func(j *journal) error {
				return j.judge(toSlow, func(tries []entry) error {
					if len(tries) > 1 {
						return wrong("gửi %d lần", "it was sent %d times", len(tries))
					}
					return nil
				})
			}},
		{ID: "K08", Clause: style, Expect: edxml.Text{
			VI: "Một văn bản dưới hai số (X00.04): lấy và xác nhận cả hai", EN: "One Document under two numbers (X00.04): both are collected and confirmed"},
			score: func(j *journal) error {
				n := j.confirmed(toTwice)
				switch {
				case len(n) == 0:
					return unseen("lấy và xác nhận với mã X00.04", "collect and confirm as X00.04")
				case len(n)%2 != 0:
					return wrong("chỉ xác nhận số %v", "only %v were confirmed", n)
				}
				return nil
			}},
		{ID: "K09", Clause: qd28 + " Art. 9", Expect: edxml.Text{
			VI: "Tệp đã ký bị đổi một byte (X00.05): không tiếp nhận (không báo 03..06)", EN: "A signed file with one octet changed (X00.05) is not accepted (no status 03..06)"},
			score: corruptedIsNotTaken},
		{ID: "K10", Clause: practiceRebuilt, Expect: edxml.Text{
			VI: "Gói tin do trục dựng lại (X00.11): lấy và xác nhận được", EN: "A packet that the axis wrote anew (X00.11) is collected and confirmed"},
			score: func(j *journal) error {
				if len(j.confirmed(toRebuild)) == 0 {
					return unseen("lấy và xác nhận với mã X00.11", "collect and confirm as X00.11")
				}
				return nil
			}},
		{ID: "K11", Wire: wireEdoc, Clause: style, Expect: edxml.Text{
			VI: "Trạng thái từ đồng hồ nhanh một giờ (X00.09): vẫn hỏi trạng thái từ thời điểm không ở tương lai", EN: "A status from a clock an hour ahead (X00.09): statuses are not asked for from a moment that lies ahead"},
			score: clockOff(toAhead)},
		{ID: "K12", Wire: wireEdoc, Clause: style, Expect: edxml.Text{
			VI: "Trạng thái từ đồng hồ chậm một giờ (X00.10): vẫn hỏi được trạng thái sau đó", EN: "A status from a clock an hour behind (X00.10): statuses are asked for all the same"},
			score: clockOff(toBehind)},
	}}
}

const practiceRebuilt = "practice: three files saved from the national axis, 2019 and 2025"

// judge looks at the tries to send to a reserved receiver, Document by Document.
func (j *journal) judge(receiver string, look func(tries []entry) error) error {
	all := j.sends(receiver)
	if len(all) == 0 {
		return unseen("gửi một văn bản tới %[1]s", "send a Document to %[1]s", receiver)
	}
	for key, tries := range all {
		if err := look(tries); err != nil {
			return wrong("%[1]s → %[2]s: %[3]v", "%[1]s → %[2]s: %[4]v", key, receiver, err.(*failure).text.VI, err.(*failure).text.EN) //nolint:errorlint,forcetypeassert // made by wrong
		}
	}
	return nil
}

// same expects that every try had the same content, as far as it was read.
func same(tries []entry) error {
	digest := ""
	for _, e := range tries {
		if d := e.Document.Digest; d != "" && digest != "" && d != digest {
			return wrong("nội dung đổi giữa các lần gửi", "the content changed between tries")
		} else if d != "" {
			digest = d
		}
	}
	return nil
}

// untilTaken expects tries up to the one that is taken, and none after.
func untilTaken(receiver string) func(*journal) error {
	return func(j *journal) error {
		return j.judge(receiver, func(tries []entry) error {
			i := slices.IndexFunc(tries, func(e entry) bool { return e.ok() && !e.lost() })
			switch {
			case i < 0:
				return wrong("gửi %d lần rồi bỏ", "given up after %d tries", len(tries))
			case i < len(tries)-1:
				return wrong("vẫn gửi lại sau khi đã được nhận", "sent again after it was taken")
			}
			return same(tries)
		})
	}
}

// confirmed lists the numbers that a reserved receiver confirmed.
func (j *journal) confirmed(receiver string) (numbers []string) {
	for i := range j.entries {
		e := &j.entries[i]
		if reserved(e.Organ, receiver) && e.confirms() && e.ok() && e.Number != "" && !slices.Contains(numbers, e.Number) {
			numbers = append(numbers, e.Number)
		}
	}
	return numbers
}

// corruptedIsNotTaken looks for a status of acceptance about a signed Document
// that reached its receiver changed.
func corruptedIsNotTaken(j *journal) error {
	signed := map[string]bool{} // DocumentIds
	for _, tries := range j.sends(toCorrupt) {
		for _, e := range tries {
			signed[e.Document.DocumentID] = signed[e.Document.DocumentID] || e.Document.Signed
		}
	}
	collected := slices.ContainsFunc(j.entries, func(e entry) bool { return e.collects() && reserved(e.Organ, toCorrupt) })
	if !collected || len(signed) == 0 {
		return unseen("gửi một văn bản đã ký tới X00.05 và lấy về với mã ấy", "send a signed Document to X00.05 and collect it as that organ")
	}
	for _, e := range j.entries {
		if r := e.Reported; r != nil && reserved(r.From, toCorrupt) && signed[r.DocumentID] && slices.Contains([]string{"03", "04", "05", "06"}, r.StatusCode) {
			return wrong("báo %s về văn bản %s", "status %s was reported about Document %s", r.StatusCode, r.DocumentID)
		}
	}
	return nil
}

// clockOff looks at what a sender asks after a status with a wrong clock.
func clockOff(receiver string) func(*journal) error {
	return func(j *journal) error {
		for i := range j.entries {
			e := &j.entries[i]
			if !reserved(e.Organ, receiver) || !e.confirms() || !e.ok() {
				continue
			}
			sender := j.senderOf(e.Number)
			asked := 0
			for _, later := range j.entries[i+1:] {
				if later.Operation != "GetTraces" || later.Organ != sender || later.Since == "" {
					continue
				}
				asked++
				if since, err := time.Parse(time.RFC3339, later.Since); err != nil || since.After(later.At.Add(time.Minute)) {
					return wrong("hỏi từ %s vào lúc %s", "asked from %s at %s", later.Since, later.At.Format(time.RFC3339))
				}
			}
			if asked > 1 { // the first brings the status, the second shows what it made of it
				return nil
			}
		}
		return unseen("gửi tới %[1]s, xác nhận với mã ấy, rồi nơi gửi hỏi trạng thái hai lần", "send to %[1]s, confirm as that organ, and have the sender ask for statuses twice", receiver)
	}
}

// senderOf finds who sent a Document.
func (j *journal) senderOf(number string) string {
	for _, e := range j.entries {
		if e.Document != nil && e.Number == number {
			return e.Document.From
		}
	}
	return ""
}
