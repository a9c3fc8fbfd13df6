package conform

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

func sendGroup() Group {
	return Group{"C", edxml.Text{VI: "Gửi văn bản (SendDocument)", EN: "Sending (SendDocument)"}, []Case{
		{ID: "C01", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Văn bản đúng được nhận và có số nguyên của trục", EN: "A good Document is taken and gets the axis's number, an integer"},
			try: func(ctx context.Context, p *probe) error {
				_, err := p.deliver(ctx, p.document(), pdf())
				return err
			}},
		{ID: "C02", Wire: wireEdoc, Clause: bkav + "; " + qd28 + " Art. 9", Expect: edxml.Text{
			VI: "Gửi lại đúng văn bản ấy: cùng số, hoặc M.Exist; nơi nhận chỉ thấy một", EN: "The same Document again: the same number, or M.Exist; the receiver sees it once"},
			try: sameAgain},
		{ID: "C03", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Cùng DocumentId nhưng nội dung khác (văn bản mới): từ chối", EN: "The same DocumentId with other content (kind 0) is refused"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				f := pdf()
				f.content = []byte("%PDF khác")
				m, err := p.packet(p.Sender, d, f)
				if err != nil {
					return err
				}
				r, err := p.soap(ctx, m)
				if err != nil {
					return err
				}
				return r.refused("SendDocument")
			}},
		{ID: "C04", Wire: wireEdoc, Clause: qd28 + " Art. 8(2)(c); " + bkav, Expect: edxml.Text{
			VI: "Thu hồi (BussinessDocType 1) được nhận như một gói tin mới", EN: "A recall (BussinessDocType 1) is taken as a packet of its own"},
			try: kindAgain(edxml.Recall)},
		{ID: "C05", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Cập nhật (BussinessDocType 2) được nhận như một gói tin mới", EN: "An update (BussinessDocType 2) is taken as a packet of its own"},
			try: kindAgain(edxml.Update)},
		{ID: "C06", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Nơi nhận không có: từ chối và nêu tên", EN: "An unknown receiver is refused by name"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				d.To[0].OrganID = p.Unknown
				m, err := p.packet(p.Sender, d, pdf())
				if err != nil {
					return err
				}
				r, err := p.soap(ctx, m)
				if err != nil {
					return err
				}
				if err := r.refused("SendDocument"); err != nil {
					return err
				}
				if report, _ := r.report("SendDocument"); !strings.Contains(refusalText(report), p.Unknown) {
					return wrong("lý do không nêu %s: %s", "the reason does not name %s: %s", p.Unknown, refusalText(report))
				}
				return nil
			}},
		{ID: "C07", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Không có nơi nhận: từ chối", EN: "A Document without a receiver is refused"},
			try: sending("", func(_ *probe, d *edxml.Document) { d.To = nil }, nil)},
		{ID: "C08", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Một nơi nhận ghi hai lần: từ chối", EN: "A receiver that stands twice is refused"},
			try: sending("", func(_ *probe, d *edxml.Document) { d.To = append(d.To, d.To[0]) }, nil)},
		{ID: "C09", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Thiếu thẻ bắt buộc: từ chối bằng Report, không phải Body rỗng", EN: "A missing tag is refused with a Report, not with an empty Body"},
			try: sending("", nil, func(_ *probe, m *message) { m.envelope = without(m.envelope, "edXML:SignerInfo") })},
		{ID: "C10", Wire: wireEdoc, Clause: qd28 + " Art. 10(2); " + bkav, Expect: edxml.Text{
			VI: "Thiếu trích yếu (Subject): từ chối", EN: "A Document without Subject is refused"},
			try: sending("", func(_ *probe, d *edxml.Document) { d.Subject = "" }, nil)},
		{ID: "C11", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Ngày ban hành ở tương lai: từ chối", EN: "A promulgation date that lies ahead is refused"},
			try: sending("", func(_ *probe, d *edxml.Document) {
				d.PromulgationInfo.PromulgationDate = edxml.DateOf(time.Now().AddDate(1, 0, 0))
			}, nil)},
		{ID: "C12", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "DocumentType/Type ngoài 1 và 2: từ chối", EN: "DocumentType/Type other than 1 and 2 is refused"},
			try: sending("", func(_ *probe, d *edxml.Document) { d.DocumentType.Type = "3" }, nil)},
		{ID: "C13", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Độ khẩn ngoài 0..4: từ chối", EN: "Priority outside 0..4 is refused"},
			try: sending("", func(_ *probe, d *edxml.Document) { d.OtherInfo.Priority = "9" }, nil)},
		{ID: "C14", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Tệp rỗng: từ chối", EN: "An empty file is refused"},
			try: func(ctx context.Context, p *probe) error {
				f := pdf()
				f.content = nil
				m, err := p.packet(p.Sender, p.document(), f)
				if err != nil {
					return err
				}
				return p.refuses(ctx, m)
			}},
		{ID: "C15", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Thiếu Bussiness: từ chối", EN: "A Document without Bussiness is refused"},
			try: sending("", nil, func(_ *probe, m *message) { m.envelope = without(m.envelope, "edXML:Bussiness") })},
		{ID: "C16", Wire: wireEdoc, Clause: qcvn102, Expect: edxml.Text{
			VI: "Hai nơi nhận: mỗi nơi có văn bản trong danh sách chờ của mình", EN: "Two receivers: it waits for each"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				d.To = append(d.To, edxml.Organ{OrganID: p.Stranger.Organ, OrganName: "Nơi nhận thứ hai"})
				id, err := p.deliver(ctx, d, pdf())
				if err != nil {
					return err
				}
				return first(p.waits(ctx, p.Receiver, id, true), p.waits(ctx, p.Stranger, id, true))
			}},
		{ID: "C17", Wire: wireEdoc, Clause: qcvn102 + "; RFC 3629", Expect: edxml.Text{
			VI: "Chữ tiếng Việt và ký tự đặc biệt trong Subject giữ nguyên", EN: "Vietnamese letters and markup characters in Subject stay as they are"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				d.Subject = `Về việc "thử" <nghiệm> & đối chiếu: Ựợệẫỹ đĐ – 'xong'`
				id, err := p.deliver(ctx, d, pdf())
				if err != nil {
					return err
				}
				r, err := p.fetch(ctx, p.Receiver, id)
				if err != nil {
					return err
				}
				if got := text(r.envelope, "Header", "MessageHeader", "Subject"); got != d.Subject {
					return wrong("Subject thành %q", "Subject became %q", got)
				}
				return nil
			}},
	}}
}

// sameAgain sends one Document twice.
func sameAgain(ctx context.Context, p *probe) error {
	d := p.document()
	before, err := p.pending(ctx, p.Receiver)
	if err != nil {
		return err
	}
	id, err := p.deliver(ctx, d, pdf())
	if err != nil {
		return err
	}
	m, err := p.packet(p.Sender, d, pdf())
	if err != nil {
		return err
	}
	r, err := p.soap(ctx, m)
	if err != nil {
		return err
	}
	if again, err := r.number(); err == nil && again != id {
		return wrong("lần đầu số %s, lần sau số %s", "first number %s, then %s", id, again)
	} else if err != nil {
		if err := r.refused("SendDocument", "M.Exist"); err != nil {
			return err
		}
	}
	after, err := p.pending(ctx, p.Receiver)
	if err != nil {
		return err
	}
	for _, old := range before {
		after = slices.DeleteFunc(after, func(id string) bool { return id == old })
	}
	if len(after) != 1 {
		return wrong("nơi nhận thấy %d văn bản mới, phải là 1", "the receiver sees %d new Documents, it must be 1", len(after))
	}
	return nil
}

// kindAgain sends a Document and, with its DocumentId, one of another kind.
func kindAgain(kind edxml.BusinessDocType) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		d := p.document()
		one, err := p.deliver(ctx, d, pdf())
		if err != nil {
			return err
		}
		of := *d
		of.Business = &edxml.Business{DocType: kind, DocReason: "Ban hành nhầm", Paper: "0", DocumentID: d.DocumentID, StaffInfo: d.Business.StaffInfo}
		if kind == edxml.Update {
			of.Business.DocumentInfo, of.Business.DocumentReceiver = "1", "0"
		}
		two, err := p.deliver(ctx, &of, pdf())
		if err == nil && one == two {
			err = wrong("hai gói tin có chung số %s", "both packets have number %s", one)
		}
		return err
	}
}

// sending expects that a Document is refused after a change to it, or to the
// message; code "" is any.
func sending(code string, change func(*probe, *edxml.Document), alter func(*probe, *message)) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		d := p.document()
		if change != nil {
			change(p, d)
		}
		m, err := p.packet(p.Sender, d, pdf())
		if err != nil {
			return err
		}
		if alter != nil {
			alter(p, &m)
		}
		r, err := p.soap(ctx, m)
		if err != nil {
			return err
		}
		if code == "" {
			return r.refused("SendDocument")
		}
		return r.refused("SendDocument", code)
	}
}

// without cuts an element out of an envelope that this package wrote.
func without(envelope, name string) string {
	from, end := strings.Index(envelope, "<"+name+">"), "</"+name+">"
	to := strings.Index(envelope, end)
	if from < 0 || to < from {
		return envelope
	}
	return envelope[:from] + envelope[to+len(end):]
}
