package conform

import (
	"context"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

func confirmGroup() Group {
	return Group{"E", edxml.Text{VI: "Xác nhận (ConfirmReceived)", EN: "Confirming (ConfirmReceived)"}, []Case{
		{ID: "E01", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Xác nhận xong, văn bản rời danh sách chờ", EN: "Once confirmed, a Document waits no longer"},
			try: confirming(func(ctx context.Context, p *probe, _ *edxml.Document, id string) error {
				return p.waits(ctx, p.Receiver, id, false)
			})},
		{ID: "E02", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Xác nhận lần hai không phải là lỗi", EN: "Confirming twice is no error"},
			try: confirming(func(ctx context.Context, p *probe, _ *edxml.Document, id string) error {
				r, err := p.confirm(ctx, p.Receiver, id)
				if err == nil {
					_, err = r.done("ConfirmReceived")
				}
				return err
			})},
		{ID: "E03", Wire: wireEdoc, Clause: bkav + "; " + qd28 + " Art. 5", Expect: edxml.Text{
			VI: "Xác nhận báo trạng thái 1 (đã đến) cho nơi gửi", EN: "Confirming reports status 1 (arrived) to the sender"},
			try: confirming(func(ctx context.Context, p *probe, d *edxml.Document, _ string) error {
				return p.reported(ctx, p.Sender, d, []string{"1"})
			})},
		{ID: "E04", Wire: wireEdoc, Clause: qd28 + " Art. 5", Expect: edxml.Text{
			VI: "Xác nhận hai lần chỉ báo trạng thái 1 một lần", EN: "Confirming twice reports status 1 once"},
			try: confirming(func(ctx context.Context, p *probe, d *edxml.Document, id string) error {
				if _, err := p.confirm(ctx, p.Receiver, id); err != nil {
					return err
				}
				return p.reported(ctx, p.Sender, d, []string{"1"})
			})},
		{ID: "E05", Wire: wireEdoc, Clause: safe, Expect: edxml.Text{
			VI: "Không phải nơi nhận thì không xác nhận được, và không có trạng thái nào được báo", EN: "Who is no receiver cannot confirm, and no status is reported"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				id, err := p.deliver(ctx, d, pdf())
				if err != nil {
					return err
				}
				r, err := p.confirm(ctx, p.Stranger, id)
				if err != nil {
					return err
				}
				return first(r.refused("ConfirmReceived", "M.ConfirmReceived"), p.reported(ctx, p.Sender, d, nil), p.waits(ctx, p.Receiver, id, true))
			}},
		{ID: "E06", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Số không có: từ chối với M.ConfirmReceived hoặc M.DocumentId", EN: "A number that does not exist is refused with M.ConfirmReceived or M.DocumentId"},
			try: func(ctx context.Context, p *probe) error {
				r, err := p.confirm(ctx, p.Receiver, "999999999999")
				if err != nil {
					return err
				}
				return r.refused("ConfirmReceived", "M.ConfirmReceived", "M.DocumentId")
			}},
		{ID: "E07", Wire: wireEdoc, Clause: qcvn102, Expect: edxml.Text{
			VI: "Một nơi nhận xác nhận, văn bản vẫn chờ nơi nhận khác", EN: "What one receiver confirms still waits for the other"},
			try: func(ctx context.Context, p *probe) error {
				d := p.document()
				d.To = append(d.To, edxml.Organ{OrganID: p.Stranger.Organ, OrganName: "Nơi nhận thứ hai"})
				id, err := p.deliver(ctx, d, pdf())
				if err != nil {
					return err
				}
				r, err := p.confirm(ctx, p.Receiver, id)
				if err == nil {
					_, err = r.done("ConfirmReceived")
				}
				return first(err, p.waits(ctx, p.Receiver, id, false), p.waits(ctx, p.Stranger, id, true))
			}},
	}}
}

// confirming sends a Document, confirms it and looks what follows.
func confirming(look func(context.Context, *probe, *edxml.Document, string) error) func(context.Context, *probe) error {
	return func(ctx context.Context, p *probe) error {
		d := p.document()
		id, err := p.deliver(ctx, d, pdf())
		if err != nil {
			return err
		}
		r, err := p.confirm(ctx, p.Receiver, id)
		if err != nil {
			return err
		}
		if _, err := r.done("ConfirmReceived"); err != nil {
			return err
		}
		return look(ctx, p, d, id)
	}
}

// recently is a moment before anything of this run.
func recently() string { return string(edxml.TimestampOf(time.Now().Add(-10 * time.Minute))) }

// reported expects that exactly these codes were reported about a Document, in
// any order.
func (p *probe) reported(ctx context.Context, to Party, d *edxml.Document, want []string) error {
	list, err := p.traces(ctx, to, recently())
	if err != nil {
		return err
	}
	got := codes(about(list, d))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return wrong("trạng thái được báo: %v, phải là %v", "the statuses reported are %v, they must be %v", got, want)
	}
	return nil
}
