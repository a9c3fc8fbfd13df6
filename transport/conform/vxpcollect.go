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

func vxpCollecting() []Case {
	return []Case{
		{ID: "V24", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Gói tin đã gửi nằm trong getReceivedEdocList và getEdoc trả lại đúng văn bản ấy", EN: "A sent packet is in getReceivedEdocList, and getEdoc gives that Document"},
			try: arriving(func(_ context.Context, _ *probe, d *edxml.Document, id string, packet []byte) error {
				read, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
				if err != nil {
					return wrong("gói tin không đọc được: %v", "the packet cannot be read: %v", err)
				}
				if got := read.Document; got.Subject != d.Subject || len(got.Attachments) != 1 || got.Attachments[0].Size != int64(len(pdf().content)) {
					return wrong("Subject %q, %d tệp", "Subject %q, %d files", got.Subject, len(got.Attachments))
				}
				return nil
			})},
		{ID: "V25", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Danh sách không có null và không có mảng bên trong mục", EN: "No entry of a list holds null or an array"},
			try: arriving(func(ctx context.Context, p *probe, _ *edxml.Document, _ string, _ []byte) error {
				r, err := p.vxp(ctx, vxpCall{method: "getReceivedEdocList", by: p.Receiver, params: [][2]string{{"servicetype", "eDoc"}, {"messagetype", "edoc"}}})
				if err != nil {
					return err
				}
				var list []map[string]json.RawMessage
				if err := json.Unmarshal(r.object["data"], &list); err != nil || len(list) == 0 {
					return wrong("data rỗng hoặc không phải danh sách: %v", "data is empty or no list: %v", err)
				}
				for _, entry := range list {
					for name, value := range entry {
						if string(value) == "null" || strings.HasPrefix(string(value), "[") || strings.HasPrefix(string(value), "{") {
							return wrong("trường %s là %s", "field %s is %s", name, clip(string(value)))
						}
					}
				}
				return nil
			})},
		{ID: "V26", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "getSentEdocList tra theo số mà nơi gửi được cấp (có thể khác số của nơi nhận)", EN: "getSentEdocList goes by the number the sender got (which may be another than the receiver's)"},
			try: func(ctx context.Context, p *probe) error {
				_, _, number, err := p.deliverVXP(ctx, nil)
				if err != nil {
					return err
				}
				r, err := p.vxp(ctx, vxpCall{method: "getSentEdocList", by: p.Sender, params: [][2]string{{"servicetype", "eDoc"}, {"messagetype", "edoc"}, {"docId", number}}})
				if err != nil {
					return err
				}
				if err := r.done(); err != nil {
					return err
				}
				var list []struct{ SenderDocID, ToCode string }
				if err := json.Unmarshal(r.object["data"], &list); err != nil || len(list) != 1 || list[0].SenderDocID != number || list[0].ToCode != p.Receiver.Organ {
					return wrong("data là %s", "data is %s", clip(string(r.object["data"])))
				}
				return nil
			}},
		{ID: "V27", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "updateStatus done: gói tin rời danh sách; lặp lại không phải là lỗi", EN: "updateStatus done takes a packet off the list, and may be repeated"},
			try: arriving(func(ctx context.Context, p *probe, _ *edxml.Document, id string, _ []byte) error {
				for range 2 {
					r, err := p.updateStatus(ctx, p.Receiver, "docId", id, "done")
					if err != nil {
						return err
					}
					if err := r.done(); err != nil {
						return err
					}
				}
				list, err := p.inbox(ctx, p.Receiver, "edoc")
				if err == nil && slices.ContainsFunc(list, func(i item) bool { return i.DocID == id }) {
					err = wrong("gói tin vẫn nằm trong danh sách", "the packet is still listed")
				}
				return err
			})},
		{ID: "V28", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "updateStatus processing: gói tin vẫn nằm trong danh sách", EN: "updateStatus processing leaves a packet on the list"},
			try: arriving(func(ctx context.Context, p *probe, _ *edxml.Document, id string, _ []byte) error {
				r, err := p.updateStatus(ctx, p.Receiver, "docId", id, "processing")
				if err != nil {
					return err
				}
				if err := r.done(); err != nil {
					return err
				}
				list, err := p.inbox(ctx, p.Receiver, "edoc")
				if err == nil && !slices.ContainsFunc(list, func(i item) bool { return i.DocID == id }) {
					err = wrong("gói tin đã rời danh sách", "the packet has left the list")
				}
				return err
			})},
		{ID: "V29", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "docid viết thường được nhận như docId", EN: "docid in lower case is taken for docId"},
			try: arriving(func(ctx context.Context, p *probe, _ *edxml.Document, id string, _ []byte) error {
				r, err := p.updateStatus(ctx, p.Receiver, "docid", id, "done")
				if err != nil {
					return err
				}
				return r.done()
			})},
		{ID: "V30", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "downloadEdoc (GET) trả nguyên gói tin", EN: "downloadEdoc (GET) gives the packet as it is"},
			try: arriving(func(ctx context.Context, p *probe, _ *edxml.Document, id string, packet []byte) error {
				r, err := p.vxp(ctx, vxpCall{method: "downloadEdoc", verb: "GET", by: p.Receiver, params: [][2]string{{"docId", id}, {"filePath", "C:/edoc"}}})
				if err != nil {
					return err
				}
				if !bytes.Equal(r.raw, packet) {
					return wrong("khác với getEdoc: %d và %d byte", "it differs from getEdoc: %d and %d octets", len(r.raw), len(packet))
				}
				return nil
			})},
		{ID: "V31", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "downloadEdoc bị từ chối: không có byte nào trong thân", EN: "A refused downloadEdoc has an empty body: any octet would be stored as the packet"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.vxp(ctx, vxpCall{method: "downloadEdoc", verb: "GET", by: p.Receiver, params: [][2]string{{"docId", "khong-co"}}})
				if err == nil && len(r.raw) > 0 {
					err = wrong("thân có %d byte: %s", "the body has %d octets: %s", len(r.raw), clip(string(r.raw)))
				}
				return err
			}},
		{ID: "V32", Wire: wireVXP, Clause: safe, Expect: edxml.Text{
			VI: "Gói tin của người khác không lấy được; getEdoc bị từ chối có data rỗng", EN: "Nobody collects another's packet; a refused getEdoc has an empty data"},
			try: arriving(func(ctx context.Context, p *probe, _ *edxml.Document, id string, _ []byte) error {
				r, err := p.vxp(ctx, vxpCall{method: "getEdoc", by: p.Stranger, params: [][2]string{{"docId", id}}, body: []byte("{}")})
				if err != nil {
					return err
				}
				if raw, there := r.object["data"]; !there || string(raw) != `""` {
					return wrong("data là %s, phải là chuỗi rỗng (SDK 2.0.0)", "data is %s, it must be an empty text (SDK 2.0.0)", clip(string(raw)))
				}
				return r.refused()
			})},
		{ID: "V33", Wire: wireVXP, Clause: sdk + "; " + qd28 + " Art. 5", Expect: edxml.Text{
			VI: "Gói tin trạng thái gửi bằng sendEdoc tới được nơi gửi văn bản", EN: "A status packet sent by sendEdoc reaches the Document's sender"},
			try: func(ctx context.Context, p *probe) error {
				d, _, _, err := p.deliverVXP(ctx, nil)
				if err != nil {
					return err
				}
				var b bytes.Buffer
				if err := edxml.WriteStatus(&b, p.answer(d)); err != nil {
					return err
				}
				r, err := p.vxp(ctx, sendEdoc(p.Receiver, b.Bytes(), "status"))
				if err != nil {
					return err
				}
				if err := r.done(); err != nil {
					return err
				}
				_, packet, err := p.arrived(ctx, p.Sender, "status", d.DocumentID)
				if err != nil {
					return err
				}
				read, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
				if err != nil || read.Status == nil || read.Status.StatusCode.Canonical() != edxml.StatusAccepted {
					return wrong("gói tin trạng thái không đúng: %v", "the status packet is not right: %v", err)
				}
				return nil
			}},
		{ID: "V34", Wire: wireVXP, Clause: sdk, Expect: edxml.Text{
			VI: "Số không có: từ chối bằng JSON", EN: "A number that does not exist is refused in JSON"},
			try: refusedCall(func(p *probe) vxpCall {
				return vxpCall{method: "updateStatus", by: p.Receiver, params: [][2]string{{"status", "done"}, {"docId", "khong-co"}}, body: []byte("{}")}
			})},
		{ID: "V35", Clause: practiceHub, Expect: edxml.Text{
			VI: "Văn bản gửi bằng SOAP tới được nơi nhận dùng VXP, và ngược lại", EN: "A Document sent over SOAP reaches a receiver over VXP, and the other way round"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				if _, _, err := p.arrived(ctx, p.Receiver, "edoc", d.DocumentID); err != nil {
					return err
				}
				before, err := p.pending(ctx, p.Receiver)
				if err != nil {
					return err
				}
				if _, _, _, err := p.deliverVXP(ctx, nil); err != nil {
					return err
				}
				after, err := p.pending(ctx, p.Receiver)
				if err != nil {
					return err
				}
				for _, id := range after {
					if !slices.Contains(before, id) {
						r, err := p.fetch(ctx, p.Receiver, id)
						if err != nil {
							return err
						}
						return r.holds(pdf())
					}
				}
				return wrong("văn bản gửi bằng VXP không nằm trong danh sách chờ", "the Document sent over VXP does not wait")
			}},
	}
}

const practiceHub = "practice: BKAV axis forwards to the national axis and back, public server code"

// arriving sends a Document, collects it and looks at what came.
func arriving(look func(ctx context.Context, p *probe, d *edxml.Document, id string, packet []byte) error) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		d, _, _, err := p.deliverVXP(ctx, nil)
		if err != nil {
			return err
		}
		id, packet, err := p.arrived(ctx, p.Receiver, "edoc", d.DocumentID)
		if err != nil {
			return err
		}
		return look(ctx, p, d, id, packet)
	}
}

// answer is a Status of Receiver about a Document of Sender.
func (p *probe) answer(d *edxml.Document) *edxml.Status {
	return &edxml.Status{
		From: edxml.Organ{OrganID: p.Receiver.Organ, OrganName: "Cơ quan nhận thử"}, StatusCode: edxml.StatusAccepted,
		Description: "Kiểm tra sự phù hợp", Timestamp: edxml.TimestampOf(time.Now()),
		StaffInfo:   &edxml.StaffInfo{Department: "Văn thư", Staff: "Trần Thị Thử"},
		ResponseFor: edxml.ResponseFor{OrganID: p.Sender.Organ, Code: d.Code.String(), DocumentID: d.DocumentID, PromulgationDate: d.PromulgationInfo.PromulgationDate},
	}
}
