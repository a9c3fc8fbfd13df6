package conform

import (
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// style is the evidence of what concerns clients alone.
const style = "practice: store and forward needs it"

func habitGroup() Group {
	return Group{"J", edxml.Text{VI: "Client: thói quen", EN: "A client: its habits"}, []Case{
		{ID: "J01", Wire: wireEdoc, Clause: soap11 + " §6", Expect: edxml.Text{
			VI: "Mọi yêu cầu là POST với SOAPAction", EN: "Every request is a POST with SOAPAction"},
			score: every(wireEdoc, func(e *entry) bool { return e.Method == "POST" && e.Action != "" })},
		{ID: "J02", Wire: wireEdoc, Clause: swa, Expect: edxml.Text{
			VI: "Content-Type là multipart/related hoặc text/xml", EN: "Content-Type is multipart/related or text/xml"},
			score: every(wireEdoc, func(e *entry) bool {
				return strings.HasPrefix(e.ContentType, "multipart/related") || strings.HasPrefix(e.ContentType, "text/xml")
			})},
		{ID: "J03", Clause: bkav, Expect: edxml.Text{
			VI: "Không yêu cầu nào hỏng khung (SOAP Fault, HTTP 4xx)", EN: "No request is broken (SOAP fault, HTTP 4xx)"},
			score: every("", func(e *entry) bool {
				return e.Operation != "" && !slices.Contains([]string{"Client", "VersionMismatch"}, e.Outcome) && (e.Status < 400 || e.Status >= 500)
			})},
		{ID: "J04", Clause: bkav, Expect: edxml.Text{
			VI: "Cặp mã và token (systemid và secret) đúng, và chỉ gửi thay mình", EN: "The pair of organ and token (systemid and secret) is right, and nobody sends for another"},
			score: every("", func(e *entry) bool {
				return !slices.Contains([]string{"Permission", "CheckPermission", "CheckSignature", "401", "403", "refused"}, e.Outcome)
			})},
		{ID: "J05", Clause: bkav + "; " + qcvn102, Expect: edxml.Text{
			VI: "Mọi gói tin đạt quy tắc của trục (docs/RULES.md, bộ axis)", EN: "Every packet keeps the rules of the axis (docs/RULES.md, set axis)"},
			score: func(j *journal) error {
				for key, tries := range j.sends("") {
					for _, e := range tries {
						if len(e.Document.Findings) > 0 {
							return wrong("%s: %v (số %d trong nhật ký)", "%s: %v (number %d in the journal)", key, e.Document.Findings, e.Seq)
						}
					}
				}
				return j.some(func(e *entry) bool { return e.Document != nil }, "gửi một văn bản", "send a Document")
			}},
		{ID: "J06", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetTraces luôn có TimeStamp: dạng cũ mất trạng thái khi mất câu trả lời", EN: "GetTraces always has TimeStamp: the old form loses statuses with a lost answer"},
			score: func(j *journal) error {
				return first(j.all(func(e *entry) bool { return e.Operation != "GetTraces" || !e.ok() || e.Since != "" }),
					j.some(func(e *entry) bool { return e.Operation == "GetTraces" }, "hỏi trạng thái (GetTraces)", "ask for statuses (GetTraces)"))
			}},
		{ID: "J07", Clause: bkav + "; " + style, Expect: edxml.Text{
			VI: "Chỉ xác nhận văn bản đã lấy được trọn vẹn", EN: "Only what was collected whole is confirmed"}, score: confirmsAfter},
		{ID: "J08", Clause: style, Expect: edxml.Text{
			VI: "Mọi văn bản lấy về đều được xác nhận", EN: "Whatever was collected is confirmed"}, score: confirmsAll},
		{ID: "J09", Clause: style, Expect: edxml.Text{
			VI: "Danh sách ghi một văn bản hai lần: chỉ xác nhận một lần", EN: "What a list names twice is confirmed once"}, score: onceDespiteDoubles},
		{ID: "J10", Clause: qd28 + " Art. 5", Expect: edxml.Text{
			VI: "Trạng thái báo về đúng văn bản đã nhận và được trục nhận", EN: "Statuses are about Documents that were received, and the axis takes them"},
			score: func(j *journal) error {
				return first(j.all(func(e *entry) bool { return e.Reported == nil || e.ok() || e.Temporary || e.Trouble != "" }),
					j.some(func(e *entry) bool { return e.Reported != nil && e.ok() }, "báo một trạng thái", "report a status"))
			}},
		{ID: "J11", Clause: style, Expect: edxml.Text{
			VI: "Không dồn dập: không quá 20 lần gửi một văn bản trong 10 giây", EN: "It does not hammer: at most 20 tries to send one Document within 10 s"},
			score: func(j *journal) error {
				for key, tries := range j.sends("") {
					for i := 20; i < len(tries); i++ {
						if tries[i].At.Sub(tries[i-20].At) < 10*time.Second {
							return wrong("%s: hơn 20 lần trong 10 giây", "%s: more than 20 tries in 10 s", key)
						}
					}
				}
				return j.some(func(e *entry) bool { return e.Document != nil }, "gửi một văn bản", "send a Document")
			}},
	}}
}

// all expects something of every request.
func (j *journal) all(good func(*entry) bool) error {
	for i := range j.entries {
		if e := &j.entries[i]; !good(e) {
			return wrong("yêu cầu số %d (%s %s, %s): %s %s", "request number %d (%s %s, %s): %s %s", e.Seq, e.Method, e.Operation, e.ContentType, e.Outcome, clip(e.Text))
		}
	}
	return nil
}

// some expects that a client did something at all.
func (j *journal) some(did func(*entry) bool, vi, en string) error {
	for i := range j.entries {
		if did(&j.entries[i]) {
			return nil
		}
	}
	return &failure{text: edxml.Text{VI: "chưa thấy: " + vi, EN: "not seen: " + en}, unseen: true}
}

// every expects something of every request of a wire.
func every(wire string, good func(*entry) bool) func(*journal) error {
	return func(j *journal) error {
		of := func(e *entry) bool { return wire == "" || e.Wire == wire }
		return first(j.all(func(e *entry) bool { return !of(e) || good(e) }), j.some(of, "gọi trục", "call the axis"))
	}
}

// confirmsAfter looks for a confirmation that comes before the packet did.
func confirmsAfter(j *journal) error {
	have, confirmed := map[string]bool{}, false
	for i := range j.entries {
		e := &j.entries[i]
		if e.collects() {
			have[e.Organ+" "+e.Number] = true
		}
		if e.confirms() && e.ok() && e.Number != "" {
			if confirmed = true; !have[e.Organ+" "+e.Number] {
				return wrong("%s xác nhận văn bản số %s trước khi lấy được (số %d trong nhật ký)", "%s confirms document %s before it has it (number %d in the journal)", e.Organ, e.Number, e.Seq)
			}
		}
	}
	if !confirmed {
		return unseen("xác nhận một văn bản", "confirm a document")
	}
	return nil
}

// confirmsAll looks for packets that nobody confirmed.
func confirmsAll(j *journal) error {
	open, seen := map[string]int64{}, false
	for i := range j.entries {
		e := &j.entries[i]
		key := e.Organ + " " + e.Number
		if e.Number == "" {
			continue
		}
		if e.collects() {
			open[key], seen = e.Seq, true
		}
		if e.ok() && (e.confirms() || strings.EqualFold(e.State, "fail")) {
			delete(open, key)
		}
	}
	for key, seq := range open {
		return wrong("%s: đã lấy (số %d trong nhật ký) nhưng không xác nhận", "%s: collected (number %d in the journal), never confirmed", key, seq)
	}
	if !seen {
		return unseen("lấy một văn bản", "collect a document")
	}
	return nil
}

// onceDespiteDoubles counts confirmations of what a list named twice.
func onceDespiteDoubles(j *journal) error {
	doubled, confirmed := map[string]bool{}, map[string]int{}
	for i := range j.entries {
		e := &j.entries[i]
		if e.Doubled && !e.lost() && e.Trouble == "" {
			times := map[string]int{}
			for _, id := range e.Listed {
				if times[id]++; times[id] == 2 {
					doubled[e.Organ+" "+id] = true
				}
			}
		}
		if e.confirms() && e.ok() && !e.lost() && e.Number != "" {
			confirmed[e.Organ+" "+e.Number]++
		}
	}
	if len(doubled) == 0 {
		return unseen("một danh sách ghi văn bản hai lần; chạy trục thử không có --gentle", "a list that names a document twice; run the test axis without --gentle")
	}
	for key := range doubled {
		if confirmed[key] > 1 {
			return wrong("%s: xác nhận %d lần", "%s: confirmed %d times", key, confirmed[key])
		}
	}
	return nil
}
