package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

func (p *program) outboxCommand() *cli.Command {
	return &cli.Command{
		Name: "outbox", Usage: p.say("văn bản và trạng thái gửi đi", "outgoing documents and statuses"),
		Subcommands: p.boxCommands(node.Out),
	}
}

// boxCommands are the reading commands that both boxes have.
func (p *program) boxCommands(box node.Direction) []*cli.Command {
	ref := p.say("MÃ", "ID")
	return append([]*cli.Command{
		{
			Name: "list", Usage: p.say("liệt kê, mới nhất trước", "list, newest first"),
			Flags:  []cli.Flag{p.configFlag(), p.jsonFlag(), &cli.IntFlag{Name: "limit", Value: 50, Usage: p.say("số dòng", "number of lines")}},
			Action: func(c *cli.Context) error { return p.listBox(c, box) },
		},
		{
			Name: "show", Usage: p.say("chi tiết một văn bản: nơi nhận, trạng thái, các lần thử", "one document: receivers, states, attempts"), ArgsUsage: ref,
			Flags:  []cli.Flag{p.configFlag(), p.jsonFlag()},
			Action: func(c *cli.Context) error { return p.showTransfer(c, box) },
		},
		{
			Name: "why", Usage: p.say("vì sao nó ở đây, và phải làm gì", "why it is where it is, and what to do"), ArgsUsage: ref,
			Flags:  []cli.Flag{p.configFlag(), p.jsonFlag()},
			Action: func(c *cli.Context) error { return p.why(c, box) },
		},
	}, p.operateCommands(box)...)
}

// newest reads as many of a box as are asked for, page by page.
func newest(ctx context.Context, d *api.Client, box node.Direction, limit int) ([]*node.Transfer, error) {
	const page = 1000
	all, before := []*node.Transfer{}, ""
	for len(all) < limit {
		ask := min(page, limit-len(all))
		some, err := d.List(ctx, box, before, ask)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(some) < ask {
			break
		}
		before = some[ask-1].ID
	}
	return all, nil
}

func (p *program) listBox(c *cli.Context, box node.Direction) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	return p.through(c, func(d *api.Client) error {
		all, err := newest(c.Context, d, box, c.Int("limit"))
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(all)
		}
		if len(all) == 0 {
			p.talk("hộp trống", "the box is empty")
			return nil
		}
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		for _, t := range all {
			other := clean(t.From)
			if box == node.Out {
				other = receivers(t)
			}
			what := clean(t.Code + "  " + t.Subject)
			if t.Kind == edxml.KindStatus && t.Status != nil {
				name, _ := t.Status.StatusCode.Name()
				what = clean(fmt.Sprintf("%s  %s %s", t.Code, t.Status.StatusCode, name.In(p.lang)))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.ID, local(t.Created), p.state(t), other, what)
		}
		return w.Flush()
	})
}

// receivers sums up who a Document goes to and how far it is there.
func receivers(t *node.Transfer) string {
	var all []string
	for i, r := range t.Receivers {
		if i == 3 {
			all = append(all, fmt.Sprintf("+%d", len(t.Receivers)-3))
			break
		}
		s := clean(r.OrganID)
		if r.Code != "" {
			s += "=" + string(r.Code)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// state names a state in the language of this run.
func (p *program) state(t *node.Transfer) string {
	names := map[node.State]string{
		node.Queued: "chờ gửi", node.Sent: "đã gửi", node.Failed: "thất bại", node.Listed: "chờ lấy về", node.Fetched: "đã lấy về",
		node.Verified: "đã kiểm tra", node.Delivered: "đã giao", node.Confirmed: "đã nhận", node.Rejected: "bị từ chối",
		node.Cancelled: "đã hủy", node.Sealed: "đã niêm phong", node.Recalled: "đã thu hồi",
	}
	if t.Held != nil {
		return p.say(names[t.State]+" (đang giữ)", string(t.State)+" (held)")
	}
	return p.say(names[t.State], string(t.State))
}

func local(t time.Time) string { return t.In(edxml.Vietnam).Format("02/01/2006 15:04:05") }

func (p *program) showTransfer(c *cli.Context, box node.Direction) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	return p.through(c, func(d *api.Client) error {
		t, err := d.Transfer(c.Context, box, ref)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(t)
		}
		p.printTransfer(t)
		return nil
	})
}

func (p *program) printTransfer(t *node.Transfer) {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	line := func(vi, en, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", p.say(vi, en), clean(value))
		}
	}
	line("mã", "id", t.ID)
	line("trạng thái", "state", p.state(t))
	line("nhận lúc", "created", local(t.Created))
	line("nơi gửi", "from", t.From+" "+t.FromName)
	line("DocumentId", "DocumentId", t.DocumentID)
	line("số, ký hiệu", "code", t.Code)
	line("trích yếu", "subject", t.Subject)
	line("số của trục", "axis number", t.AxisID)
	line("lỗi cuối", "last error", t.LastError)
	line("lý do từ chối", "refused because", t.Refusal)
	if w := t.Withdrawn; w != nil {
		line("thu hồi", "recalled", w.Actor+"  "+local(w.At)+"  "+w.Reason)
	}
	line("chờ", "waits for", strings.Join(t.Waits, " "))
	if s := t.Signature; s != nil {
		verdict := p.say("hợp lệ", "acceptable") + ": " + s.Signer
		if s.Reason != "" {
			verdict = s.Reason
		}
		line("chữ ký số", "signature", verdict)
		line("  bao phủ", "  covers", strings.Join(s.Coverage, ", "))
		line("  không bao phủ", "  leaves out", strings.Join(s.Missing, ", "))
	}
	for i, f := range t.Parts {
		line(fmt.Sprintf("tệp %d", i), fmt.Sprintf("file %d", i), fmt.Sprintf("%s  %d bytes  sha256 %s", f.Name, f.Content.Size, f.Content.SHA256))
	}
	for _, r := range t.Receivers {
		line("nơi nhận", "receiver", r.OrganID+" "+r.OrganName)
		for _, e := range r.Events {
			name, _ := e.Code.Name()
			line("", "", fmt.Sprintf("  %s  %s %s  %s  %s", local(e.At), e.Code, name.In(p.lang), e.Description, e.Illegal))
		}
	}
	for _, a := range t.Acts {
		line("thao tác", "act", fmt.Sprintf("%s  %s  %s  %s", local(a.At), a.Action, a.Actor, a.Reason))
	}
	for _, a := range t.Attempts {
		result := p.say("được", "done")
		if a.Error != "" {
			result = a.Error
		} else if a.Duration == 0 {
			result = p.say("chưa có kết quả", "no result yet")
		}
		line("lần thử", "attempt", fmt.Sprintf("%s  %s  %s  %s", local(a.Start), a.Step, a.Duration.Round(time.Millisecond), result))
	}
}

func (p *program) why(c *cli.Context, box node.Direction) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	return p.through(c, func(d *api.Client) error {
		why, err := d.Why(c.Context, box, ref)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(map[string]string{"vi": why.VI, "en": why.EN})
		}
		fmt.Fprintln(p.out, clean(why.In(p.lang)))
		return nil
	})
}
