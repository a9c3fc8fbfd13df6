package conform

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/soap"
)

func statusGroup() Group {
	return Group{"F", edxml.Text{VI: "Trạng thái (UpdateTraces, GetTraces)", EN: "Statuses (UpdateTraces, GetTraces)"}, []Case{
		{ID: "F01", Wire: wireEdoc, Clause: qd28 + " Art. 5; " + bkav, Expect: edxml.Text{
			VI: "Trạng thái nơi nhận báo tới được nơi gửi", EN: "What a receiver reports reaches the sender"},
			try: reporting([]string{"03", "04", "05", "06"}, []string{"3", "4", "5", "6"})},
		{ID: "F02", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetTraces: From, ResponseFor và Timestamp của từng trạng thái đúng", EN: "GetTraces gives From, ResponseFor and Timestamp of each status"},
			try: func(ctx context.Context, p *probe) error {
				d, err := p.answered(ctx, "03")
				if err != nil {
					return err
				}
				list, err := p.traces(ctx, p.Sender, recently())
				if err != nil {
					return err
				}
				list = about(list, d)
				if len(list) != 1 {
					return wrong("có %d trạng thái, phải là 1", "there are %d statuses, it must be 1", len(list))
				}
				s := list[0]
				if _, err := edxml.Timestamp(text(s, "Timestamp")).Time(); err != nil || text(s, "From", "OrganId") != p.Receiver.Organ ||
					text(s, "ResponseFor", "OrganId") != p.Sender.Organ || text(s, "ResponseFor", "Code") != d.Code.String() {
					return wrong("From %q, ResponseFor %q %q, Timestamp %q", "From %q, ResponseFor %q %q, Timestamp %q",
						text(s, "From", "OrganId"), text(s, "ResponseFor", "OrganId"), text(s, "ResponseFor", "Code"), text(s, "Timestamp"))
				}
				return nil
			}},
		{ID: "F03", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetTraces có TimeStamp lặp lại được, không làm mất gì", EN: "GetTraces with TimeStamp can be repeated and takes nothing away"},
			try: func(ctx context.Context, p *probe) error {
				d, err := p.answered(ctx, "03")
				if err != nil {
					return err
				}
				return first(p.reported(ctx, p.Sender, d, []string{"3"}), p.reported(ctx, p.Sender, d, []string{"3"}))
			}},
		{ID: "F04", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetTraces không có TimeStamp: mỗi trạng thái chỉ một lần", EN: "GetTraces without TimeStamp gives each status once"},
			try: func(ctx context.Context, p *probe) error {
				d, err := p.answered(ctx, "03")
				if err != nil {
					return err
				}
				for try, want := range []int{1, 0} {
					list, err := p.traces(ctx, p.Sender, "")
					if err != nil {
						return err
					}
					if got := len(about(list, d)); got != want {
						return wrong("lần %d: %d trạng thái, phải là %d", "time %d: %d statuses, it must be %d", try+1, got, want)
					}
				}
				return p.reported(ctx, p.Sender, d, []string{"3"})
			}},
		{ID: "F05", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetTraces với TimeStamp ở tương lai: danh sách rỗng", EN: "GetTraces from a moment that lies ahead gives an empty list"},
			try: func(ctx context.Context, p *probe) error {
				list, err := p.traces(ctx, p.Sender, string(edxml.TimestampOf(time.Now().AddDate(1, 0, 0))))
				if err == nil && len(list) > 0 {
					err = wrong("có %d trạng thái", "there are %d statuses", len(list))
				}
				return err
			}},
		{ID: "F06", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "TimeStamp sai dạng: từ chối", EN: "A malformed TimeStamp is refused"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, query("GetTraces", "GetTraces", p.Sender, "<TimeStamp>hôm qua</TimeStamp>"))
				if err != nil {
					return err
				}
				return r.refused("GetTraces")
			}},
		{ID: "F07", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Báo lại đúng trạng thái ấy: thành công hoặc M.UpdateTraces, nơi gửi thấy một", EN: "The same status again: success or M.UpdateTraces, the sender sees one"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				m := p.status(p.Receiver, p.Sender.Organ, d, "03")
				r, err := p.soap(ctx, m)
				if err == nil {
					_, err = r.done("UpdateTraces")
				}
				if err != nil {
					return err
				}
				if r, err = p.soap(ctx, m); err != nil {
					return err
				}
				if _, err := r.done("UpdateTraces"); err != nil {
					if err := r.refused("UpdateTraces", "M.UpdateTraces"); err != nil {
						return err
					}
				}
				return p.reported(ctx, p.Sender, d, []string{"3"})
			}},
		{ID: "F08", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Trạng thái 05 (đang xử lý) báo được nhiều lần", EN: "Status 05 (processing) may come several times"},
			try: reporting([]string{"05", "05"}, []string{"5", "5"})},
		{ID: "F09", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Trạng thái về văn bản không có: từ chối", EN: "A status about an unknown Document is refused"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.soap(ctx, p.status(p.Receiver, p.Sender.Organ, p.document(), "03"))
				if err != nil {
					return err
				}
				return r.refused("UpdateTraces")
			}},
		{ID: "F10", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Cơ quan không nhận văn bản thì không báo trạng thái được", EN: "Who did not get a Document cannot report on it"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				r, err := p.soap(ctx, p.status(p.Stranger, p.Sender.Organ, d, "03"))
				if err != nil {
					return err
				}
				return first(r.refused("UpdateTraces"), p.reported(ctx, p.Sender, d, nil))
			}},
		{ID: "F11", Wire: wireEdoc, Clause: qd28 + " Art. 5(4); " + bkav, Expect: edxml.Text{
			VI: "Lấy lại (13): nơi gửi báo cho nơi nhận", EN: "A take-back (13) goes from the sender to the receiver"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				r, err := p.soap(ctx, p.status(p.Sender, p.Receiver.Organ, d, "13"))
				if err != nil {
					return err
				}
				if _, err := r.done("UpdateTraces"); err != nil {
					return err
				}
				return first(p.reported(ctx, p.Receiver, d, []string{"13"}), p.reported(ctx, p.Sender, d, nil))
			}},
		{ID: "F12", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "StatusCode không phải số: từ chối", EN: "A StatusCode that is no number is refused"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				if _, err := p.deliver(ctx, d, pdf()); err != nil {
					return err
				}
				r, err := p.soap(ctx, p.status(p.Receiver, p.Sender.Organ, d, "xong"))
				if err != nil {
					return err
				}
				return r.refused("UpdateTraces")
			}},
		{ID: "F13", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "GetTraces có TimeStamp: mới nhất trước", EN: "GetTraces with TimeStamp gives the newest first"},
			try: func(ctx context.Context, p *probe) error {
				d, err := p.answered(ctx, "03", "04", "06")
				if err != nil {
					return err
				}
				list, err := p.traces(ctx, p.Sender, recently())
				if err != nil {
					return err
				}
				if got := codes(about(list, d)); !slices.Equal(got, []string{"6", "4", "3"}) {
					return wrong("thứ tự là %v, phải là [6 4 3]", "the order is %v, it must be [6 4 3]", got)
				}
				return nil
			}},
	}}
}

// answered sends a Document and has its receiver report on it.
func (p *probe) answered(ctx context.Context, codes ...string) (*edxml.Document, error) {
	d := p.document()
	if _, err := p.deliver(ctx, d, pdf()); err != nil {
		return nil, err
	}
	for _, code := range codes {
		r, err := p.soap(ctx, p.status(p.Receiver, p.Sender.Organ, d, code))
		if err != nil {
			return nil, err
		}
		if _, err := r.done("UpdateTraces"); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// reporting expects that reported codes arrive.
func reporting(report, want []string) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		d, err := p.answered(ctx, report...)
		if err != nil {
			return err
		}
		return p.reported(ctx, p.Sender, d, slices.Clone(want))
	}
}

// status is the message that reports on a Document. No two have one moment.
func (p *probe) status(by Party, to string, d *edxml.Document, code string) message {
	fields := func(o edxml.Organ) string {
		return "<OrganId>" + o.OrganID + "</OrganId><OrganizationInCharge/><OrganName>Cơ quan thử</OrganName><OrganAdd/><Email/><Telephone/><Fax/><Website/>"
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace
	return message{op: "UpdateTraces", envelope: string(soap.ControlEnvelope(signature(by.Organ, by.Token), "<Status><ResponseFor><OrganId>"+to+
		"</OrganId><Code>"+escape(d.Code.String())+"</Code><PromulgationDate>"+string(d.PromulgationInfo.PromulgationDate)+"</PromulgationDate><DocumentId>"+
		escape(d.DocumentID)+"</DocumentId></ResponseFor><From>"+fields(edxml.Organ{OrganID: by.Organ})+"</From><StatusCode>"+code+
		"</StatusCode><Description>Kiểm tra sự phù hợp</Description><Timestamp>"+string(edxml.TimestampOf(time.Now().Add(-time.Hour+time.Duration(p.count.Add(1))*time.Second)))+
		"</Timestamp><StaffInfo><Department/><Staff>Trần Thị Thử</Staff><Mobile/><Email/></StaffInfo></Status>"))}
}
