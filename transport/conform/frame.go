package conform

import (
	"context"
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/soap"
)

// Where the clauses stand that are no clauses of a text.
const (
	bkav    = "practice: BKAV axis, public server code"
	dotnet  = "practice: public .NET client"
	soap11  = "SOAP 1.1 (W3C Note 8 May 2000)"
	swa     = "SOAP Messages with Attachments (W3C Note 11 December 2000)"
	rfc2387 = "RFC 2387"
	qcvn102 = "QCVN 102:2016/BTTTT"
	qd28    = "QĐ 28/2018/QĐ-TTg"
	safe    = "practice: security fault of the BKAV axis, not to be repeated"
)

func frameGroup() Group {
	return Group{"A", edxml.Text{VI: "Khung SOAP và MIME", EN: "The frame: SOAP and MIME"}, []Case{
		{ID: "A01", Wire: wireEdoc, Clause: soap11 + " §6", Expect: edxml.Text{
			VI: "Nhận yêu cầu text/xml không có MIME", EN: "A request as text/xml without MIME is taken"},
			try: fits(func(m message) message { m.plain = true; return m })},
		{ID: "A02", Wire: wireEdoc, Clause: rfc2387 + " §3; " + swa, Expect: edxml.Text{
			VI: "Nhận yêu cầu multipart/related, start trong ngoặc nhọn", EN: "A request as multipart/related with start in brackets is taken"},
			try: fits(func(m message) message { return m })},
		{ID: "A03", Wire: wireEdoc, Clause: dotnet, Expect: edxml.Text{
			VI: "Nhận start không có ngoặc nhọn", EN: "start without brackets is taken"},
			try: fits(func(m message) message {
				m.media = `multipart/related;type="text/xml";boundary="` + boundary + `";start="root"`
				return m
			})},
		{ID: "A04", Wire: wireEdoc, Clause: "RFC 2045 §5.1", Expect: edxml.Text{
			VI: "Nhận boundary không có dấu nháy", EN: "A boundary without quotes is taken"},
			try: fits(func(m message) message {
				m.media = `multipart/related; type="text/xml"; boundary=` + boundary + `; start="<root>"`
				return m
			})},
		{ID: "A05", Wire: wireEdoc, Clause: soap11 + " §6.1.1; " + bkav, Expect: edxml.Text{
			VI: "Nhận SOAPAction không có dấu nháy", EN: "SOAPAction without quotes is taken"},
			try: fits(func(m message) message { m.action = m.op; return m })},
		{ID: "A06", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Phần tử trả lời là {Thao tác}Response trong không gian tên e-doc.vn, HTTP 200", EN: "The answer is {Operation}Response in the e-doc.vn namespace, with HTTP 200"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, check(p.Sender.Organ, p.Sender.Token))
				if err != nil {
					return err
				}
				_, err = r.response("CheckPermission")
				return err
			}},
		{ID: "A07", Wire: wireEdoc, Clause: soap11 + " §4.1.2", Expect: edxml.Text{
			VI: "Từ chối phong bì SOAP 1.2", EN: "An envelope of SOAP 1.2 is refused"},
			try: unfits(func(m message) message {
				m.envelope = strings.ReplaceAll(m.envelope, soap.Namespace, "http://www.w3.org/2003/05/soap-envelope")
				return m
			})},
		{ID: "A08", Wire: wireEdoc, Clause: soap11 + " §3", Expect: edxml.Text{
			VI: "Từ chối khai báo DTD, không mở rộng thực thể", EN: "A DTD is refused, and no entity is expanded"},
			try: unfits(func(m message) message {
				at := strings.Index(m.envelope, "<SOAP-ENV:")
				m.envelope = m.envelope[:at] + `<!DOCTYPE x [<!ENTITY e "H41">]>` + m.envelope[at:]
				return m
			})},
		{ID: "A09", Wire: wireEdoc, Clause: soap11 + " §4.4", Expect: edxml.Text{
			VI: "Từ chối XML hỏng", EN: "XML that is not well-formed is refused"},
			try: unfits(func(m message) message { m.envelope = m.envelope[:len(m.envelope)-8]; return m })},
		{ID: "A10", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Không nhận thao tác không có (SOAPAction lạ)", EN: "An operation that does not exist is not taken (strange SOAPAction)"},
			try: func(ctx context.Context, p *probe) error {
				m := check(p.Sender.Organ, p.Sender.Token)
				m.op = "GetEverything"
				r, err := p.soap(ctx, m)
				if err != nil {
					return err
				}
				if body := at(r.envelope, "Body"); r.status >= 400 || r.fault() != nil || body != nil && len(body.ChildElements()) == 0 {
					return nil
				}
				return r.unfit(m.op)
			}},
		{ID: "A11", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Từ chối thao tác mà Body không có phần tử yêu cầu", EN: "An operation whose Body lacks the request is refused"},
			try: func(ctx context.Context, p *probe) error {
				m := query("GetPendingDocumentIds", "GetPendingDocumentIdsRequest", p.Receiver, "")
				m.envelope = string(soap.ControlEnvelope("", ""))
				return p.refuses(ctx, m)
			}},
		{ID: "A12", Wire: wireEdoc, Clause: "RFC 9110 §15.5.6", Expect: edxml.Text{
			VI: "Không trả 2xx cho GET", EN: "A GET gets no 2xx"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, message{op: "CheckPermission", method: "GET", plain: true})
				if err != nil {
					return err
				}
				if r.status < 300 {
					return wrong("GET nhận HTTP %d", "GET got HTTP %d", r.status)
				}
				return nil
			}},
		{ID: "A13", Wire: wireEdoc, Clause: swa + "; RFC 2045 §7", Expect: edxml.Text{
			VI: "Từ chối hai phần có cùng Content-ID", EN: "Two parts with one Content-ID are refused"},
			try: func(ctx context.Context, p *probe) error {
				m, err := p.packet(p.Sender, p.document(), pdf())
				if err != nil {
					return err
				}
				m.files = append(m.files, pdf())
				return p.refuses(ctx, m)
			}},
		{ID: "A14", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Từ chối phần mà Manifest không nhắc tới", EN: "A part that the Manifest does not refer to is refused"},
			try: func(ctx context.Context, p *probe) error {
				m, err := p.packet(p.Sender, p.document(), pdf())
				if err != nil {
					return err
				}
				m.files = append(m.files, file{"f2@kiemtra", "Thừa.pdf", "application/pdf", []byte("x"), "binary"})
				return p.refuses(ctx, m)
			}},
		{ID: "A15", Wire: wireEdoc, Clause: qd28 + " Art. 9(1)", Expect: edxml.Text{
			VI: "Từ chối khi Manifest nhắc tới phần không có", EN: "A Reference whose part did not come is refused"},
			try: func(ctx context.Context, p *probe) error {
				m, err := p.packet(p.Sender, p.document(), pdf())
				if err != nil {
					return err
				}
				m.files = nil
				return p.refuses(ctx, m)
			}},
		{ID: "A16", Wire: wireEdoc, Clause: "RFC 2045 §6.8", Expect: edxml.Text{
			VI: "Giải mã phần có Content-Transfer-Encoding: base64", EN: "A part in base64 is decoded"},
			try: func(ctx context.Context, p *probe) error {
				f := pdf()
				f.encoding = "base64"
				return p.roundTrip(ctx, f)
			}},
		{ID: "A17", Wire: wireEdoc, Clause: swa, Expect: edxml.Text{
			VI: "Giữ nguyên từng byte của phần nhị phân, kể cả dòng giống boundary", EN: "A binary part keeps every octet, also in what looks like a boundary"},
			try: func(ctx context.Context, p *probe) error { return p.roundTrip(ctx, pdf()) }},
		{ID: "A18", Wire: wireEdoc, Clause: swa, Expect: edxml.Text{
			VI: "Nhận một tệp 5 MB", EN: "A file of 5 MB is taken"},
			try: func(ctx context.Context, p *probe) error {
				f := pdf()
				f.content = []byte(strings.Repeat("0123456789abcde\n", 5<<20/16))
				return p.roundTrip(ctx, f)
			}},
		{ID: "A19", Wire: wireEdoc, Clause: swa, Expect: edxml.Text{
			VI: "Nhận 20 tệp trong một văn bản, đúng thứ tự tên", EN: "20 files in one Document are taken, each under its name"},
			try: func(ctx context.Context, p *probe) error {
				var files []file
				for i := range 20 {
					files = append(files, file{fmt.Sprintf("f%d@kiemtra", i), fmt.Sprintf("Phụ lục %d.pdf", i), "application/pdf", fmt.Appendf(nil, "%%PDF %d", i), "binary"})
				}
				return p.roundTrip(ctx, files...)
			}},
	}}
}

// fits expects that a good request is taken in another frame.
func fits(frame func(message) message) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		r, err := p.soap(ctx, frame(query("GetPendingDocumentIds", "GetPendingDocumentIdsRequest", p.Receiver, "")))
		if err != nil {
			return err
		}
		el, err := r.response("GetPendingDocumentIds")
		if err == nil && at(el, "DocumentIds") == nil {
			err = wrong("bị từ chối: %s", "refused: %s", refusalText(at(el, "Report")))
		}
		return err
	}
}

// unfits expects that a request is refused in a frame that is none.
func unfits(frame func(message) message) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		return p.refuses(ctx, frame(query("GetPendingDocumentIds", "GetPendingDocumentIdsRequest", p.Receiver, "")))
	}
}

// refuses expects that a message is refused in some way.
func (p *probe) refuses(ctx context.Context, m message) error {
	r, err := p.soap(ctx, m)
	if err != nil {
		return err
	}
	if m.op == "GetPendingDocumentIds" && r.status < 400 && r.fault() == nil {
		if el, err := r.response(m.op); err == nil && at(el, "DocumentIds") != nil {
			return wrong("yêu cầu được nhận, lẽ ra phải bị từ chối", "the request was taken, it must be refused")
		}
	}
	return r.unfit(m.op)
}

// roundTrip sends files and expects the receiver to get the same.
func (p *probe) roundTrip(ctx context.Context, files ...file) error {
	id, err := p.deliver(ctx, p.document(), files...)
	if err != nil {
		return err
	}
	r, err := p.fetch(ctx, p.Receiver, id)
	if err != nil {
		return err
	}
	return r.holds(files...)
}
