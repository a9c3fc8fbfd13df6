package main

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

func (p *program) statsCommand() *cli.Command {
	return &cli.Command{
		Name: "stats", Usage: p.say("thống kê gửi, nhận theo cơ quan và loại, đúng hạn hay trễ (QĐ 28/2018 Điều 11)",
			"what was sent and received, by agency and kind, on time or late (QĐ 28/2018 Art. 11)"),
		Flags: []cli.Flag{
			p.configFlag(), p.jsonFlag(),
			&cli.BoolFlag{Name: "csv", Usage: p.say("in CSV", "print CSV")},
			&cli.StringFlag{Name: "from", Usage: p.say("ngày đầu yyyy/MM/dd, mặc định đầu tháng", "first day yyyy/MM/dd, by default of this month")},
			&cli.StringFlag{Name: "to", Usage: p.say("ngày cuối, mặc định hôm nay", "last day, by default today")},
		},
		Action: p.stats,
	}
}

// outcomes are the columns of a table of statistics.
var outcomes = []struct {
	outcome node.Outcome
	name    edxml.Text
}{
	{node.OnTime, edxml.Text{VI: "đúng hạn", EN: "on time"}},
	{node.Late, edxml.Text{VI: "trễ", EN: "late"}},
	{node.Received, edxml.Text{VI: "đã nhận", EN: "received"}},
	{node.Waits, edxml.Text{VI: "đang chờ", EN: "waiting"}},
	{node.GivenUp, edxml.Text{VI: "thất bại", EN: "failed"}},
	{node.Refused, edxml.Text{VI: "từ chối", EN: "rejected"}},
	{node.TakenBack, edxml.Text{VI: "thu hồi", EN: "recalled"}},
}

func (p *program) stats(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	for _, name := range []string{"from", "to"} {
		if day := edxml.Date(c.String(name)); day != "" {
			if _, err := day.Time(); err != nil {
				return usageError{edxml.Text{VI: "--" + name + " không phải ngày yyyy/MM/dd: " + string(day), EN: "--" + name + " is no day yyyy/MM/dd: " + string(day)}, c.Command.HelpName}
			}
		}
	}
	return p.through(c, func(d *api.Client) error {
		s, err := d.Stats(c.Context, edxml.Date(c.String("from")), edxml.Date(c.String("to")))
		if err != nil {
			return err
		}
		switch {
		case c.Bool("json"):
			return p.printJSON(s)
		case c.Bool("csv"):
			return p.statsCSV(s)
		}
		return p.statsTable(s)
	})
}

func (p *program) statsTable(s *api.Statistics) error {
	p.talk("từ %s đến %s", "from %s to %s", s.From, s.To)
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\t%s\t%s", p.say("hộp", "box"), p.say("cơ quan", "agency"), p.say("loại", "kind"), p.say("tổng", "total"))
	for _, o := range outcomes {
		fmt.Fprintf(w, "\t%s", o.name.In(p.lang))
	}
	fmt.Fprintln(w)
	for _, r := range s.Rows {
		agency := clean(r.Agency)
		if agency == "" {
			agency = p.say("tất cả", "all")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d", p.boxName(r.Direction), agency, p.kindName(r.DocType), r.Total)
		for _, o := range outcomes {
			fmt.Fprintf(w, "\t%d", r.Outcomes[o.outcome])
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if l := s.Link; l.Open() {
		p.talk("trục không dùng được từ %s (%d lỗi liên tiếp): %s", "the axis does not work since %s (%d faults in a row): %s", local(l.Down), l.Faults, clean(l.Error))
	}
	return nil
}

func (p *program) statsCSV(s *api.Statistics) error {
	w := csv.NewWriter(p.out)
	head := []string{"from", "to", "box", "agency", "kind", "total"}
	for _, o := range outcomes {
		head = append(head, string(o.outcome))
	}
	if err := w.Write(head); err != nil {
		return err
	}
	for _, r := range s.Rows {
		line := []string{string(s.From), string(s.To), string(r.Direction), r.Agency, string(r.DocType), strconv.FormatInt(r.Total, 10)}
		for _, o := range outcomes {
			line = append(line, strconv.FormatInt(r.Outcomes[o.outcome], 10))
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (p *program) boxName(d node.Direction) string {
	if d == node.Out {
		return p.say("gửi", "sent")
	}
	return p.say("nhận", "received")
}

// kindName names what a Document does.
func (p *program) kindName(k edxml.BusinessDocType) string {
	switch k {
	case edxml.New:
		return p.say("mới", "new")
	case edxml.Recall:
		return p.say("thu hồi", "recall")
	case edxml.Update:
		return p.say("cập nhật", "update")
	case edxml.Replace:
		return p.say("thay thế", "replacement")
	}
	return clean(string(k))
}

func (p *program) reconcileCommand() *cli.Command {
	return &cli.Command{
		Name: "reconcile", Usage: p.say("so hai hộp với danh sách của trục, báo hoặc sửa chỗ lệch (sau khi phục hồi từ bản sao lưu)",
			"compare both boxes with the axis's lists, report or repair drift (after a restore)"),
		Flags: []cli.Flag{
			p.configFlag(), p.jsonFlag(),
			&cli.DurationFlag{Name: "since", Value: 30 * 24 * time.Hour, Usage: p.say("xem trạng thái lùi lại bao lâu", "how far back statuses are compared")},
			&cli.BoolFlag{Name: "repair", Usage: p.say("sửa những gì sửa được", "put right what can be")},
		},
		Action: p.reconcile,
	}
}

func (p *program) reconcile(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	return p.through(c, func(d *api.Client) error {
		drift, err := d.Reconcile(c.Context, api.Reconciling{Since: time.Now().Add(-c.Duration("since")), Repair: c.Bool("repair")})
		if err != nil {
			return err
		}
		if c.Bool("json") {
			if err := p.printJSON(drift); err != nil {
				return err
			}
		} else {
			p.printDrift(drift)
		}
		if drift.Clean() || drift.Repaired {
			return nil
		}
		return quietError{exitFailed}
	})
}

func (p *program) printDrift(d *node.Drift) {
	if d.Clean() {
		p.talk("nút và trục khớp nhau", "the node and the axis agree")
		return
	}
	line := func(vi, en string, what []string) {
		for _, w := range what {
			fmt.Fprintf(p.out, "%s  %s\n", clean(w), p.say(vi, en))
		}
	}
	line("chờ ở trục, nút chưa biết", "waits at the axis, not known here", d.Unfetched)
	line("đã xong ở đây, trục vẫn liệt kê", "finished here, still listed by the axis", d.Unconfirmed)
	line("chưa gửi ở đây, nhưng nơi nhận đã phản hồi", "not sent here, although receivers have reported on it", d.Unsent)
	line("đã gửi hơn một ngày, chưa có phản hồi nào", "sent more than a day ago, nothing was heard of it", d.Silent)
	for _, s := range d.Unknown {
		line("trạng thái về văn bản không có ở đây", "a status about a document that is not here", []string{fmt.Sprintf("%s %s %s %s", s.From.OrganID, s.ResponseFor.DocumentID, s.ResponseFor.Code, s.StatusCode)})
	}
	if d.Statuses > 0 {
		fmt.Fprintf(p.out, p.say("%d trạng thái nút chưa biết\n", "%d statuses not known here\n"), d.Statuses)
	}
	if d.Repaired {
		p.talk("đã sửa những gì sửa được", "what could be was put right")
	} else {
		p.talk("chưa sửa gì; chạy lại với --repair để sửa", "nothing was changed; run it again with --repair to put it right")
	}
}
