package axistest

import (
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

// Trouble is a way in which an axis behaves badly.
type Trouble string

// The Troubles. Each can be scripted by a reserved receiver, or ordered for
// the next calls.
const (
	Refuse   Trouble = "refuse"   // refused for good; nothing is applied
	Busy     Trouble = "busy"     // refused for now; nothing is applied
	Gateway  Trouble = "502"      // an HTML page with status 502; nothing is applied
	Drop     Trouble = "drop"     // applied, then the connection breaks off without an answer
	Oversize Trouble = "oversize" // applied, then an answer that does not end within reason
	Page     Trouble = "page"     // applied, then an HTML page with status 200
	Slow     Trouble = "slow"     // applied, then the answer takes its time
	Twice    Trouble = "twice"    // taken once, filed under two numbers
	Corrupt  Trouble = "corrupt"  // one octet of a file is another when it is collected
	Rebuild  Trouble = "rebuild"  // written anew when it is collected, as the national axis does
	Ahead    Trouble = "ahead"    // the clock is an hour ahead
	Behind   Trouble = "behind"   // the clock is an hour behind
)

// Script is the Trouble of a reserved receiver.
type Script struct {
	Organ   string     // reserved for tests; its older form is reserved, too
	Trouble Trouble    // what happens to Documents for it
	Times   int        // how often, for each Document; 0 is always
	Text    edxml.Text // what happens, for people
}

// Root is the root of the reserved identifiers: well-formed under QĐ 20/2020,
// and a letter that its tables do not give to anybody.
const Root = "X00"

// Scripts lists the reserved receivers. A Document for one of them meets its
// Trouble whatever the manners, and a client written in any language needs no
// other means to meet it. What happens to one Document does not touch the next.
func Scripts() []Script {
	return []Script{
		{Root + ".01", Refuse, 0, edxml.Text{VI: "Từ chối hẳn", EN: "Refused for good"}},
		{Root + ".02", Busy, 2, edxml.Text{VI: "Tạm từ chối hai lần rồi nhận", EN: "Refused for now twice, then taken"}},
		{Root + ".03", Drop, 1, edxml.Text{VI: "Đã nhận nhưng câu trả lời bị mất", EN: "Taken, but the answer is lost"}},
		{Root + ".04", Twice, 0, edxml.Text{VI: "Nhận một, giao hai lần với hai số", EN: "Taken once, listed twice under two numbers"}},
		{Root + ".05", Corrupt, 0, edxml.Text{VI: "Một byte của tệp bị đổi khi lấy về", EN: "One octet of a file changes on the way to the receiver"}},
		{Root + ".06", Oversize, 1, edxml.Text{VI: "Đã nhận, câu trả lời dài quá mức", EN: "Taken, and the answer is far too long"}},
		{Root + ".07", Slow, 0, edxml.Text{VI: "Đã nhận, câu trả lời chậm 10 giây", EN: "Taken, and the answer comes after 10 seconds"}},
		{Root + ".08", Gateway, 2, edxml.Text{VI: "Lỗi 502 hai lần rồi nhận", EN: "Status 502 twice, then taken"}},
		{Root + ".09", Ahead, 0, edxml.Text{VI: "Đồng hồ nhanh một giờ", EN: "The clock is an hour ahead"}},
		{Root + ".10", Behind, 0, edxml.Text{VI: "Đồng hồ chậm một giờ", EN: "The clock is an hour behind"}},
		{Root + ".11", Rebuild, 0, edxml.Text{VI: "Gói tin bị dựng lại như trục quốc gia làm", EN: "The packet is written anew, as the national axis does"}},
		{Root + ".12", Page, 1, edxml.Text{VI: "Đã nhận, trả lời bằng trang HTML", EN: "Taken, and answered with an HTML page"}},
	}
}

// scripted finds the Script of a reserved identifier in either form. Root
// itself is reserved without one.
func scripted(id string) (Script, bool) {
	if !strings.Contains(id, Root) {
		return Script{}, false
	}
	for _, s := range Scripts() {
		if old, _ := organ.ID(s.Organ).Counterpart(); id == s.Organ || id == string(old) {
			return s, true
		}
	}
	return Script{}, id == Root || id == "000.00.00."+Root
}

// try is one Document's way into a Trouble.
type try struct {
	organ string
	sent
}

// script returns the first Trouble that the receivers of a Document script,
// "" if there is none or it is over.
func (a *Axis) script(d *edxml.Document) Trouble {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, to := range d.To {
		s, _ := scripted(to.OrganID)
		if s.Trouble == "" {
			continue
		}
		key := try{s.Organ, sent{d.From.OrganID, d.DocumentID}}
		if a.tries[key]++; s.Times == 0 || a.tries[key] <= s.Times {
			return s.Trouble
		}
	}
	return ""
}
