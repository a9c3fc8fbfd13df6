package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

// operateCommands are what an operator can do to a document of a box.
func (p *program) operateCommands(box node.Direction) []*cli.Command {
	ref := p.say("MÃ", "ID")
	verb := func(v node.Verb, vi, en string) *cli.Command {
		return &cli.Command{
			Name: string(v), Usage: p.say(vi, en), ArgsUsage: ref,
			Flags: []cli.Flag{
				p.configFlag(), p.jsonFlag(),
				&cli.StringFlag{Name: "by", EnvVars: []string{"LIENTHONG_ACTOR", "USER", "LOGNAME"}, Usage: p.say("ai yêu cầu", "who asks for it")},
				&cli.StringFlag{Name: "reason", Usage: p.say("lý do, được ghi lại", "why; it is recorded")},
			},
			Action: func(c *cli.Context) error { return p.operate(c, box, v) },
		}
	}
	commands := []*cli.Command{
		verb(node.Retry, "thử lại ngay bước kế tiếp; văn bản đã dừng hoặc đã hủy được xếp hàng lại", "try the next step at once; what was given up or cancelled is queued anew"),
		verb(node.Hold, "giữ lại trước bước kế tiếp", "stop it before its next step"),
		verb(node.Release, "thả văn bản đang bị giữ", "let a held document go on"),
	}
	if box == node.Out {
		commands = append(commands, verb(node.Cancel, "hủy văn bản mà trục chưa nhận", "cancel a document that the axis does not have"))
	}
	return append(commands, &cli.Command{
		Name: "export", Usage: p.say("ghi gói tin, đúng từng byte đã ký, thành một tệp", "write the packet, its bytes as they were signed, to one file"), ArgsUsage: ref,
		Flags: []cli.Flag{
			p.configFlag(),
			&cli.StringFlag{Name: "out", Value: "-", Usage: p.say("tệp để viết, - là đầu ra chuẩn", "file to write, - is standard output")},
		},
		Action: func(c *cli.Context) error { return p.export(c, box) },
	})
}

func (p *program) operate(c *cli.Context, box node.Direction, verb node.Verb) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	if err := require(c, "by"); err != nil {
		return err
	}
	return p.through(c, func(d *api.Client) error {
		t, err := d.Operate(c.Context, box, ref, api.Operation{Verb: verb, Actor: c.String("by"), Reason: c.String("reason")})
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(t)
		}
		fmt.Fprintln(p.out, t.ID)
		why, err := d.Why(c.Context, box, t.ID)
		if err != nil {
			return err
		}
		fmt.Fprintln(p.err, clean(why.In(p.lang)))
		return nil
	})
}

// export writes a packet to a file that must not exist, or to standard output.
func (p *program) export(c *cli.Context, box node.Direction) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	return p.through(c, func(d *api.Client) error {
		open := func() (io.ReadCloser, error) { return d.Packet(c.Context, box, ref) }
		if out := c.String("out"); out != "-" {
			if err := write(out, open); err != nil {
				return err
			}
			p.talk("đã viết %s", "wrote %s", out)
			return p.exportStamps(c, d, box, ref, out)
		}
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(p.out, r)
		return err
	})
}

// exportStamps writes the time stamps of a packet beside it.
func (p *program) exportStamps(c *cli.Context, d *api.Client, box node.Direction, ref, beside string) error {
	t, err := d.Transfer(c.Context, box, ref)
	if err != nil {
		return err
	}
	for i := range t.Stamps {
		file := beside + ".tst"
		if i > 0 {
			file = fmt.Sprintf("%s.%d.tst", beside, i+1)
		}
		if err := write(file, func() (io.ReadCloser, error) { return d.Stamp(c.Context, ref, i) }); err != nil {
			return err
		}
		p.talk("đã viết %s (dấu thời gian; verify --stamp)", "wrote %s (a time stamp; verify --stamp)", file)
	}
	return nil
}

// nodeFault explains what a node refuses for the state of a document or of the
// machine.
func nodeFault(err error) (told, bool) {
	var move *node.MoveError
	var order *node.StatusOrderError
	var receivers *node.NewReceiversError
	var space *node.SpaceError
	switch {
	case errors.As(err, &move):
		return told{exitFailed, with("trạng thái của văn bản không cho phép", "the document's state does not allow it", err), move.Why}, true
	case errors.As(err, &order):
		return told{exitInvalid, with("trạng thái này không thể đi sau trạng thái đã báo", "this status cannot follow what was reported before", err), edxml.Text{
			VI: "lienthong inbox show xem các trạng thái đã báo", EN: "lienthong inbox show lists the statuses so far",
		}}, true
	case errors.As(err, &receivers):
		return told{exitInvalid, with("văn bản này đã được gửi, và nay có thêm nơi nhận", "this document was accepted before, and now names further receivers", err), edxml.Text{
			VI: "thêm nơi nhận bằng văn bản cập nhật (BussinessDocType 2)", EN: "add receivers by an update (BussinessDocType 2)",
		}}, true
	case errors.As(err, &space):
		return told{exitFailed, with("ổ đĩa gần đầy, nút tạm ngừng nhận", "the disk is nearly full, the node takes nothing in", err), edxml.Text{
			VI: "dọn chỗ trống rồi nộp lại; ngưỡng nằm trong mục [intake] của cấu hình", EN: "make space, then submit again; the limits stand under [intake] in the configuration",
		}}, true
	case errors.Is(err, node.ErrBusy):
		return told{exitFailed, with("nút đang nhận quá nhiều gói tin cùng lúc", "the node takes in too many packets at once", err), edxml.Text{
			VI: "chưa có gì được nhận; nộp lại sau vài giây", EN: "nothing was accepted; submit again in a few seconds",
		}}, true
	case errors.Is(err, node.ErrWithdrawn):
		return told{exitFailed, with("nơi gửi đã thu hồi văn bản này", "the sender took this document back", err), edxml.Text{
			VI: "hủy bản đã lấy về, nếu có", EN: "destroy any copy that was taken",
		}}, true
	}
	return told{}, false
}
