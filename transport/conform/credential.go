package conform

import (
	"bytes"
	"context"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/soap"
)

const notToken = edxml.Secret("khong-phai-token")

func credentialGroup() Group {
	return Group{"B", edxml.Text{VI: "Xác thực và quyền", EN: "Credentials and what they may do"}, []Case{
		{ID: "B01", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "CheckPermission: cặp đúng được chấp nhận", EN: "CheckPermission accepts a right pair"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, check(p.Sender.Organ, p.Sender.Token))
				if err == nil {
					_, err = r.done("CheckPermission")
				}
				return err
			}},
		{ID: "B02", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "CheckPermission: cặp sai bị từ chối với ErrorList rỗng", EN: "CheckPermission refuses a wrong pair with an empty ErrorList"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, check(p.Sender.Organ, notToken))
				if err != nil {
					return err
				}
				if err := r.refused("CheckPermission"); err != nil {
					return err
				}
				report, _ := r.report("CheckPermission")
				if n := len(children(at(report, "ErrorList"), "Error")); n > 0 {
					return wrong("ErrorList có %d lỗi, phải rỗng", "the ErrorList has %d errors, it must be empty", n)
				}
				return nil
			}},
		{ID: "B03", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Thao tác tra cứu thiếu Token: mã CheckPermission", EN: "A query without Token: code CheckPermission"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, query("GetPendingDocumentIds", "GetPendingDocumentIdsRequest", Party{Organ: p.Receiver.Organ}, ""))
				if err != nil {
					return err
				}
				return r.refused("GetPendingDocumentIds", "CheckPermission")
			}},
		{ID: "B04", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Thao tác tra cứu với cặp sai bị từ chối, không lộ danh sách", EN: "A query with a wrong pair is refused and gives no list"},
			try: func(ctx context.Context, p *probe) error {
				for op, element := range map[string]string{"GetPendingDocumentIds": "GetPendingDocumentIdsRequest", "GetTraces": "GetTraces", "GetOrganizations": "GetOrganizations"} {
					r, err := p.soap(ctx, query(op, element, Party{Organ: p.Receiver.Organ, Token: notToken}, ""))
					if err != nil {
						return err
					}
					if err := r.refused(op); err != nil {
						return err
					}
				}
				return nil
			}},
		{ID: "B05", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "SendDocument không có Signature/KeyInfo: mã CheckSignature", EN: "SendDocument without Signature/KeyInfo: code CheckSignature"},
			try: sending("CheckSignature", nil, func(p *probe, m *message) {
				m.envelope = strings.Replace(m.envelope, signature(p.Sender.Organ, p.Sender.Token), "", 1)
			})},
		{ID: "B06", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "SendDocument với token sai: mã Permission", EN: "SendDocument with a wrong token: code Permission"},
			try: sending("Permission", nil, func(p *probe, m *message) {
				m.envelope = strings.Replace(m.envelope, signature(p.Sender.Organ, p.Sender.Token), signature(p.Sender.Organ, notToken), 1)
			})},
		{ID: "B07", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Không cho gửi thay cơ quan khác: From phải thuộc chủ token", EN: "Nobody sends for another organ: From must belong to the token"},
			try: sending("Permission", nil, func(p *probe, m *message) {
				m.envelope = strings.Replace(m.envelope, signature(p.Sender.Organ, p.Sender.Token), signature(p.Stranger.Organ, p.Stranger.Token), 1)
			})},
		{ID: "B08", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Không cho báo trạng thái thay cơ quan khác", EN: "Nobody reports a status for another organ"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				m := p.status(p.Receiver, p.Sender.Organ, d, "03")
				m.envelope = strings.Replace(m.envelope, signature(p.Receiver.Organ, p.Receiver.Token), signature(p.Stranger.Organ, p.Stranger.Token), 1)
				r, err := p.soap(ctx, m)
				if err != nil {
					return err
				}
				return r.refused("UpdateTraces", "Permission")
			}},
		{ID: "B09", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Token của nơi gửi không bao giờ tới nơi nhận", EN: "The sender's token never reaches the receiver"},
			try: func(ctx context.Context, p *probe) error {
				id, err := p.deliver(ctx, p.document(), pdf())
				if err != nil {
					return err
				}
				r, err := p.fetch(ctx, p.Receiver, id)
				if err != nil {
					return err
				}
				if err := r.holds(pdf()); err != nil {
					return err
				}
				if bytes.Contains(r.raw, []byte(p.Sender.Token)) {
					return wrong("GetDocument trả về token của nơi gửi", "GetDocument hands out the sender's token")
				}
				return nil
			}},
		{ID: "B10", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Văn bản của người khác không lấy được", EN: "Nobody collects another's Document"},
			try: func(ctx context.Context, p *probe) error {
				id, err := p.deliver(ctx, p.document(), pdf())
				if err != nil {
					return err
				}
				r, err := p.fetch(ctx, p.Stranger, id)
				if err != nil {
					return err
				}
				return r.refused("GetDocument", "M.GetDocumentCheckAllow")
			}},
		{ID: "B11", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Câu trả lời không lặp lại token sai", EN: "No answer repeats the token it refuses"},
			try: func(ctx context.Context, p *probe) error {
				for _, m := range []message{check(p.Sender.Organ, notToken), query("GetTraces", "GetTraces", Party{Organ: p.Sender.Organ, Token: notToken}, ""),
					{op: "SendDocument", envelope: string(soap.ControlEnvelope(signature(p.Sender.Organ, notToken), ""))}} {
					r, err := p.soap(ctx, m)
					if err != nil {
						return err
					}
					if bytes.Contains(r.raw, []byte(notToken)) {
						return wrong("%s: câu trả lời chứa token", "%s: the answer holds the token", m.op)
					}
				}
				return nil
			}},
	}}
}
