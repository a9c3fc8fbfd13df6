package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// sdk is the evidence of most of what follows.
const sdk = "practice: VNPT SDKVXP 2.0.0 and 2.0.1, executed and captured"

func vxpGroup() Group {
	return Group{"V", edxml.Text{VI: "Giao tiếp VXP của trục quốc gia", EN: "The national axis's adapter (VXP)"}, slices.Concat(vxpCalls(), vxpSending(), vxpCollecting())}
}

func vxpCalls() []Case {
	return []Case{
		{ID: "V01", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Câu trả lời là một đối tượng JSON có status, ErrorCode, ErrorDesc khác null", EN: "The answer is one JSON object with status, ErrorCode, ErrorDesc, none null"},
			try: func(ctx context.Context, p *probe) error {
				_, err := p.inbox(ctx, p.Receiver, "edoc")
				return err
			}},
		{ID: "V02", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "HMAC sai: từ chối, vẫn bằng JSON (getReceivedEdocList không bao giờ trả thứ khác)", EN: "A wrong HMAC is refused, in JSON all the same (getReceivedEdocList never gives anything else)"},
			try: refusedCall(func(p *probe) vxpCall {
				return vxpCall{method: "getReceivedEdocList", by: p.Receiver, secret: "sai", params: [][2]string{{"servicetype", "eDoc"}, {"messagetype", "edoc"}}}
			})},
		{ID: "V03", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Tiêu đề khác với phần đã ký: từ chối", EN: "A header that is not what was signed is refused"},
			try: refusedCall(func(p *probe) vxpCall {
				return vxpCall{method: "getReceivedEdocList", by: p.Stranger, params: [][2]string{{"messagetype", "edoc"}}, header: map[string]string{"XroadVnpt-systemid": p.Receiver.SystemID}}
			})},
		{ID: "V04", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Không có chữ ký: từ chối", EN: "A call without a signature is refused"},
			try: refusedCall(func(p *probe) vxpCall {
				return vxpCall{method: "getReceivedEdocList", by: p.Receiver, params: [][2]string{{"messagetype", "edoc"}},
					header: map[string]string{"XroadVnpt-sign-header": "", "XroadVnpt-hash-header": ""}}
			})},
		{ID: "V05", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "systemid không có: từ chối", EN: "An unknown systemid is refused"},
			try: refusedCall(func(p *probe) vxpCall {
				return vxpCall{method: "getReceivedEdocList", by: Party{Organ: p.Unknown, SystemID: p.Unknown, Secret: p.Receiver.Secret}, params: [][2]string{{"messagetype", "edoc"}}}
			})},
		{ID: "V06", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Dấu thời gian cũ vẫn được nhận (SDK ký một lần cho cả đời đối tượng)", EN: "An old time stamp is taken (the SDK states one for the life of an object)"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.vxp(ctx, vxpCall{method: "getReceivedEdocList", by: p.Receiver, params: [][2]string{{"messagetype", "edoc"}}, stamp: "01012020T000000+0001"})
				if err != nil {
					return err
				}
				return r.done()
			}},
		{ID: "V07", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Tham số còn sót của lần gọi trước không phải là lỗi và không lọc danh sách", EN: "Parameters left over from earlier calls are no error and no filter"},
			try: func(ctx context.Context, p *probe) error {
				d, _, _, err := p.deliverVXP(ctx, nil)
				if err != nil {
					return err
				}
				_, _, err = p.arrived(ctx, p.Receiver, "edoc", d.DocumentID, [2]string{"status", "done"}, [2]string{"to", `["` + p.Stranger.Organ + `"]`},
					[2]string{"docId", "0"}, [2]string{"from", p.Stranger.Organ}, [2]string{"hash-file", "0"})
				return err
			}},
		{ID: "V08", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "countReceiveEdoc và countReceiveStatus trả count là số", EN: "countReceiveEdoc and countReceiveStatus give count as a number"},
			try: func(ctx context.Context, p *probe) error {
				for _, method := range []string{"countReceiveEdoc", "countReceiveStatus"} {
					r, err := p.vxp(ctx, vxpCall{method: method, by: p.Receiver, body: []byte("{}")})
					if err != nil {
						return err
					}
					if err := r.done(); err != nil {
						return err
					}
					var n int
					if err := json.Unmarshal([]byte(r.field("count")), &n); err != nil {
						return wrong("%s: count là %s", "%s: count is %s", method, r.field("count"))
					}
				}
				return nil
			}},
		{ID: "V09", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "getAgenciesList có nơi gửi và nơi nhận", EN: "getAgenciesList has the sender and the receiver"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.vxp(ctx, vxpCall{method: "getAgenciesList", by: p.Sender})
				if err != nil {
					return err
				}
				if err := r.done(); err != nil {
					return err
				}
				var list []struct{ ID, Code, Name string }
				if err := json.Unmarshal(r.object["data"], &list); err != nil {
					return wrong("data không phải danh sách: %v", "data is no list: %v", err)
				}
				for _, id := range []string{p.Sender.Organ, p.Receiver.Organ} {
					if !slices.ContainsFunc(list, func(a struct{ ID, Code, Name string }) bool { return a.Code == id && a.Name != "" }) {
						return wrong("không có %s (%d cơ quan)", "there is no %s (%d organs)", id, len(list))
					}
				}
				return nil
			}},
		{ID: "V10", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Expect: 100-continue không làm chậm hay làm hỏng cuộc gọi", EN: "Expect: 100-continue neither delays nor breaks a call"},
			try: func(ctx context.Context, p *probe) error {
				var took time.Duration
				for range 3 { // one that waits for the body always does; one on a busy machine is slow now and then
					began := time.Now()
					r, err := p.vxp(ctx, vxpCall{method: "countReceiveEdoc", by: p.Receiver, body: []byte("{}"), header: map[string]string{"Expect": "100-continue"}})
					if err != nil {
						return err
					}
					if took = time.Since(began); took <= 3*time.Second {
						return r.done()
					}
				}
				return wrong("ba lần đều lâu, lần cuối %v", "it took long three times, the last time %v", took)
			}},
	}
}

// refusedCall expects that a call is refused.
func refusedCall(call func(*probe) vxpCall) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		r, err := p.vxp(ctx, call(p))
		if err != nil {
			return err
		}
		return r.refused()
	}
}

func vxpSending() []Case {
	sent := func(change func(*vxpCall)) func(context.Context, *probe) error {
		return func(ctx context.Context, p *probe) error {
			_, _, _, err := p.deliverVXP(ctx, change)
			return err
		}
	}
	return []Case{
		{ID: "V11", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "sendEdoc nhận gói tin và trả DocId", EN: "sendEdoc takes a packet and gives DocId"}, try: sent(nil)},
		{ID: "V12", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "hash-file đủ số 0 (64 ký tự) cũng được nhận", EN: "hash-file with its zeros (64 characters) is taken, too"},
			try: sent(func(c *vxpCall) { c.params[3][1] = padded(bytes.TrimSuffix(c.body, []byte("\r\n"))) })},
		{ID: "V13", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Nhận cả khi không có CRLF sau tệp", EN: "A file without CRLF behind it is taken"},
			try: sent(func(c *vxpCall) { c.body = bytes.TrimSuffix(c.body, []byte("\r\n")) })},
		{ID: "V14", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Đường dẫn //sendEdoc được nhận, không chuyển hướng", EN: "The path //sendEdoc is taken without a redirect"},
			try: sent(func(c *vxpCall) { c.slash = "//" })},
		{ID: "V15", Wire: wireVXP, Clause: "practice: public .NET clients", Expect: edxml.Text{
			VI: "servicetype viết thường và to là mảng JSON được nhận", EN: "servicetype in lower case and to as a JSON array are taken"},
			try: func(ctx context.Context, p *probe) error {
				_, _, _, err := p.deliverVXP(ctx, func(c *vxpCall) {
					c.params[1][1] = "edoc"
					c.params = append(c.params, [2]string{"to", `["` + p.Receiver.Organ + `"]`})
				})
				return err
			}},
		{ID: "V16", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Gửi lại y nguyên (JDK tự gửi lại): cùng DocId, nơi nhận thấy một", EN: "The same call again (the JDK repeats it by itself): the same DocId, the receiver sees one"},
			try: func(ctx context.Context, p *probe) error {
				before, err := p.inbox(ctx, p.Receiver, "edoc")
				if err != nil {
					return err
				}
				d := p.document()
				packet, err := p.single(d)
				if err != nil {
					return err
				}
				ids := map[string]bool{}
				for range 2 {
					r, err := p.vxp(ctx, sendEdoc(p.Sender, packet, "edoc"))
					if err != nil {
						return err
					}
					if err := r.done(); err != nil {
						return err
					}
					ids[r.field("DocId")] = true
				}
				after, err := p.inbox(ctx, p.Receiver, "edoc")
				if err != nil {
					return err
				}
				if len(ids) != 1 || len(after) != len(before)+1 {
					return wrong("%d DocId, %d gói tin mới; phải là 1 và 1", "%d DocIds, %d new packets; it must be 1 and 1", len(ids), len(after)-len(before))
				}
				return nil
			}},
		{ID: "V17", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "hash-file không khớp với tệp: từ chối, có DocId rỗng", EN: "A hash-file that is not the file's is refused, with an empty DocId"},
			try: func(ctx context.Context, p *probe) error {
				packet, err := p.single(p.document())
				if err != nil {
					return err
				}
				c := sendEdoc(p.Sender, packet, "edoc")
				c.body = append(bytes.Replace(packet, []byte("Nguyễn Văn Thử"), []byte("Nguyễn Văn Hai"), 1), "\r\n"...)
				r, err := p.vxp(ctx, c)
				if err != nil {
					return err
				}
				if _, there := r.object["DocId"]; !there {
					return wrong("câu trả lời không có DocId", "the answer has no DocId")
				}
				return r.refused()
			}},
		{ID: "V18", Wire: wireVXP, Clause: "practice: answers of the national axis seen by its users", Expect: edxml.Text{
			VI: "from không thuộc systemid: từ chối", EN: "A from that is not of the systemid is refused"},
			try: func(ctx context.Context, p *probe) error {
				packet, err := p.single(p.document())
				if err != nil {
					return err
				}
				c := sendEdoc(p.Stranger, packet, "edoc")
				c.params[0][1] = p.Sender.Organ
				r, err := p.vxp(ctx, c)
				if err != nil {
					return err
				}
				return r.refused()
			}},
		{ID: "V19", Wire: wireVXP, Clause: safe, Expect: edxml.Text{
			VI: "From trong gói tin không thuộc systemid: từ chối", EN: "A From in the packet that is not of the systemid is refused"},
			try: func(ctx context.Context, p *probe) error {
				packet, err := p.single(p.document())
				if err != nil {
					return err
				}
				r, err := p.vxp(ctx, sendEdoc(p.Stranger, packet, "edoc"))
				if err != nil {
					return err
				}
				return r.refused()
			}},
		{ID: "V20", Wire: wireVXP, Clause: "practice: guide of the Lạng Sơn LGSP v2.2, code 22", Expect: edxml.Text{
			VI: "Tệp không phải gói tin edXML: từ chối", EN: "A file that is no edXML packet is refused"},
			try: refusedCall(func(p *probe) vxpCall { return sendEdoc(p.Sender, []byte("%PDF-1.7 không phải gói tin"), "edoc") })},
		{ID: "V21", Wire: wireVXP, Clause: "practice: guide of the Lạng Sơn LGSP v2.2, code 18", Expect: edxml.Text{
			VI: "Nơi nhận không có: từ chối và nêu tên", EN: "An unknown receiver is refused by name"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				d.To[0].OrganID = p.Unknown
				packet, err := p.single(d)
				if err != nil {
					return err
				}
				r, err := p.vxp(ctx, sendEdoc(p.Sender, packet, "edoc"))
				if err != nil {
					return err
				}
				if err := r.refused(); err != nil {
					return err
				}
				if !strings.Contains(r.field("ErrorDesc"), p.Unknown) {
					return wrong("ErrorDesc không nêu %s: %s", "ErrorDesc does not name %s: %s", p.Unknown, clip(r.field("ErrorDesc")))
				}
				return nil
			}},
		{ID: "V22", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "GET sendEdoc bị từ chối (JDK gửi lại như vậy sau chuyển hướng)", EN: "GET sendEdoc is refused (the JDK does that after a redirect)"},
			try: refusedCall(func(p *probe) vxpCall { return vxpCall{method: "sendEdoc", verb: "GET", by: p.Sender} })},
		{ID: "V23", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Câu trả lời của sendEdoc chỉ có ASCII, kể cả khi từ chối", EN: "sendEdoc answers in ASCII, also when it refuses"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.vxp(ctx, sendEdoc(p.Sender, []byte("<không/>"), "edoc"))
				if err != nil {
					return err
				}
				if bytes.ContainsFunc(r.raw, func(c rune) bool { return c > '~' }) {
					return wrong("có ký tự ngoài ASCII: %s", "there are characters beyond ASCII: %s", clip(string(r.raw)))
				}
				return r.refused()
			}},
	}
}
