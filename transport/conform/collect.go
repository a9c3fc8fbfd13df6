package conform

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
)

func collectGroup() Group {
	return Group{"D", edxml.Text{VI: "Lấy văn bản (GetPendingDocumentIds, GetDocument)", EN: "Collecting (GetPendingDocumentIds, GetDocument)"}, []Case{
		{ID: "D01", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Văn bản đã gửi nằm trong danh sách chờ của nơi nhận, bằng số của trục", EN: "A sent Document waits for its receiver under the axis's number"},
			try: sentWaits(func(p *probe) Party { return p.Receiver }, true)},
		{ID: "D02", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Không nằm trong danh sách chờ của cơ quan khác", EN: "It does not wait for anybody else"},
			try: sentWaits(func(p *probe) Party { return p.Stranger }, false)},
		{ID: "D03", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Hỏi danh sách nhiều lần không làm mất gì", EN: "Listing takes nothing away"},
			try: func(ctx context.Context, p *probe) error {
				id, err := p.deliver(ctx, p.document(), pdf())
				if err != nil {
					return err
				}
				return first(p.waits(ctx, p.Receiver, id, true), p.waits(ctx, p.Receiver, id, true), p.waits(ctx, p.Receiver, id, true))
			}},
		{ID: "D04", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetDocument trả phong bì edXML với MessageHeader, không bọc trong GetDocumentResponse", EN: "GetDocument gives the edXML envelope with MessageHeader, not wrapped into GetDocumentResponse"},
			try: fetched(func(_ *probe, d *edxml.Document, r *reply) error {
				h := at(r.envelope, "Header", "MessageHeader")
				switch {
				case h == nil:
					return wrong("Header không có MessageHeader", "the Header has no MessageHeader")
				case at(r.envelope, "Body", "GetDocumentResponse") != nil:
					return wrong("kết quả bị bọc trong GetDocumentResponse", "the result is wrapped into GetDocumentResponse")
				case text(h, "From", "OrganId") != d.From.OrganID || text(h, "Code", "CodeNumber") != d.Code.CodeNumber || text(h, "Subject") != d.Subject:
					return wrong("MessageHeader không phải của văn bản đã gửi", "the MessageHeader is not that of the Document sent")
				}
				return nil
			})},
		{ID: "D05", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Tệp đi kèm, Reference trỏ tới bằng cid:, nội dung đúng (nhị phân hoặc base64)", EN: "The file comes along, a Reference points to it with cid:, its content is right (binary or base64 text)"},
			try: fetched(func(_ *probe, _ *edxml.Document, r *reply) error { return r.holds(pdf()) })},
		{ID: "D06", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Lấy lại được nhiều lần, kể cả sau khi xác nhận", EN: "It can be collected again, also after it was confirmed"},
			try: func(ctx context.Context, p *probe) error {
				id, err := p.deliver(ctx, p.document(), pdf())
				if err != nil {
					return err
				}
				for try := range 3 {
					r, err := p.fetch(ctx, p.Receiver, id)
					if err != nil {
						return err
					}
					if err := r.holds(pdf()); err != nil {
						return err
					}
					if try == 1 {
						if r, err = p.confirm(ctx, p.Receiver, id); err == nil {
							_, err = r.done("ConfirmReceived")
						}
						if err != nil {
							return err
						}
					}
				}
				return nil
			}},
		{ID: "D07", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "DocumentId không phải số: từ chối", EN: "A DocumentId that is no number is refused"},
			try: unknownNumber("khong-phai-so")},
		{ID: "D08", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Số không có: từ chối bằng Report đặt thẳng trong Body", EN: "A number that does not exist is refused with a Report directly in the Body"},
			try: unknownNumber("999999999999")},
		{ID: "D09", Wire: wireEdoc, Clause: qd28 + " Art. 9; " + bkav, Expect: edxml.Text{
			VI: "DocumentId, Code và ngày ban hành của nơi gửi giữ nguyên", EN: "The sender's DocumentId, Code and date stay as they are"},
			try: fetched(func(_ *probe, d *edxml.Document, r *reply) error {
				h := at(r.envelope, "Header", "MessageHeader")
				if got := text(h, "DocumentId"); got != d.DocumentID {
					return wrong("DocumentId thành %q", "DocumentId became %q", got)
				}
				if got := text(h, "PromulgationInfo", "PromulgationDate"); got != string(d.PromulgationInfo.PromulgationDate) {
					return wrong("PromulgationDate thành %q", "PromulgationDate became %q", got)
				}
				return nil
			})},
	}}
}

// sentWaits sends a Document and looks whether it waits for a party.
func sentWaits(who func(*probe) Party, want bool) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		id, err := p.deliver(ctx, p.document(), pdf())
		if err != nil {
			return err
		}
		return p.waits(ctx, who(p), id, want)
	}
}

// fetched sends a Document, collects it and looks at what came.
func fetched(look func(*probe, *edxml.Document, *reply) error) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		d := p.document()
		id, err := p.deliver(ctx, d, pdf())
		if err != nil {
			return err
		}
		r, err := p.fetch(ctx, p.Receiver, id)
		if err != nil {
			return err
		}
		if _, err := r.body(); err != nil {
			return err
		}
		return look(p, d, r)
	}
}

// unknownNumber asks for what is not there.
func unknownNumber(id string) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		r, err := p.fetch(ctx, p.Receiver, id)
		if err != nil {
			return err
		}
		return r.refused("GetDocument")
	}
}

// holds expects the files in an answer to GetDocument, each under its name in
// the Manifest.
func (r *reply) holds(files ...file) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	if report := at(body, "Report"); report != nil {
		return wrong("GetDocument bị từ chối: %s", "GetDocument was refused: %s", refusalText(report))
	}
	references := children(at(body, "Manifest"), "Reference")
	for _, f := range files {
		i := slices.IndexFunc(references, func(ref *etree.Element) bool { return text(ref, "AttachmentName") == f.name })
		if i < 0 {
			return wrong("Manifest không có tệp %q", "the Manifest has no file %q", f.name)
		}
		href := ""
		for _, a := range references[i].Attr {
			if a.Key == "href" {
				href = strings.TrimPrefix(a.Value, "cid:")
			}
		}
		part, there := r.parts[href]
		if !there {
			return wrong("không có phần %q cho tệp %q", "there is no part %q for file %q", href, f.name)
		}
		if !bytes.Equal(part, f.content) && !bytes.Equal(decoded(part), f.content) {
			return wrong("tệp %q đổi nội dung (%d byte, gửi đi %d)", "file %q changed (%d octets, %d were sent)", f.name, len(part), len(f.content))
		}
	}
	return nil
}

// decoded reads base64 text, nil for what is none.
func decoded(text []byte) []byte {
	clean := bytes.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, text)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(clean)))
	n, err := base64.StdEncoding.Decode(out, clean)
	if err != nil {
		return nil
	}
	return out[:n]
}
