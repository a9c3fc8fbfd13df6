package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

func (p *program) journalCommand() *cli.Command {
	return &cli.Command{
		Name: "journal", Usage: p.say("nhật ký: mọi chuyển biến, mỗi hàng mang mã băm của hàng trước", "the journal: every transition, each row with the hash of the row before"),
		Subcommands: []*cli.Command{
			{
				Name: "export", Usage: p.say("chép nhật ký, mỗi hàng một dòng JSON", "copy the journal, one row of JSON per line"),
				Flags: []cli.Flag{
					p.configFlag(),
					&cli.StringFlag{Name: "to", Value: "-", Usage: p.say("tệp mới, - là đầu ra chuẩn", "a new file, - is standard output")},
					&cli.Uint64Flag{Name: "after", Usage: p.say("chỉ các hàng sau hàng này", "only the rows behind this one")},
				},
				Action: p.journalExport,
			},
			{
				Name: "verify", Usage: p.say("kiểm tra một bản chép, không cần gì khác; không có TỆP thì kiểm tra kho của nút", "check a copy, with nothing else at hand; without FILE the node's store"),
				ArgsUsage: p.say("[TỆP]", "[FILE]"),
				Flags: []cli.Flag{
					p.configFlag(), p.jsonFlag(),
					&cli.StringSliceFlag{Name: "hash", Usage: p.say("mã băm của một hàng đã ghi lại từ trước: hàng ấy phải còn", "the hash of a row, noted before: that row must still be there")},
				},
				Action: p.journalVerify,
			},
		},
	}
}

func (p *program) journalExport(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return p.keeping(c, func(k keeper, _ bool) error {
		copied := func(w io.Writer) error { return k.journal(c.Context, w, c.Uint64("after")) }
		if file := c.String("to"); file != "-" {
			return writeNew(file, copied)
		}
		return copied(p.out)
	})
}

// verified is what journal verify prints as JSON.
type verified struct {
	Sound  bool               `json:"sound"`
	Chains []node.ChainReport `json:"chains"`
	Broken *node.JournalError `json:"broken,omitempty"`
}

func (p *program) journalVerify(c *cli.Context) error {
	if c.NArg() > 1 {
		_, err := argument(c, "", "")
		return err
	}
	var v verified
	var err error
	if c.NArg() == 1 {
		var in io.ReadCloser
		if in, err = p.input(c.Args().First()); err != nil {
			return err
		}
		defer in.Close()
		v.Chains, err = node.VerifyJournal(lively(c.Context, in), c.StringSlice("hash")...)
	} else {
		err = p.keeping(c, func(k keeper, _ bool) (err error) {
			r, w := io.Pipe()
			go func() { w.CloseWithError(k.journal(c.Context, w, 0)) }()
			v.Chains, err = node.VerifyJournal(r, c.StringSlice("hash")...)
			r.CloseWithError(err)
			return err
		})
	}
	if err != nil && !errors.As(err, &v.Broken) {
		return err
	}
	v.Sound = err == nil
	if c.Bool("json") {
		if err := p.printJSON(v); err != nil {
			return err
		}
	} else {
		p.printChains(v.Chains)
	}
	if v.Broken == nil {
		return nil
	}
	broken := told{exitFailed, with("nhật ký bị sửa hoặc bị hỏng", "the journal was changed or damaged", v.Broken), edxml.Text{
		VI: "các hàng trước đó còn nguyên; so với bản chép hoặc bản sao lưu khác, và giữ cả hai làm bằng chứng",
		EN: "the rows before are as they were written; compare it with another copy or backup, and keep both as evidence",
	}}
	if c.NArg() == 1 {
		return fileError{c.Args().First(), broken}
	}
	return broken
}

func (p *program) printChains(chains []node.ChainReport) {
	if len(chains) == 0 {
		p.talk("nhật ký trống", "the journal is empty")
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	for _, r := range chains {
		fmt.Fprintf(w, "%s\t%s\t%s – %s\t%s\n", clean(r.Chain),
			fmt.Sprintf(p.say("hàng %d–%d", "rows %d–%d"), r.First, r.First+r.Rows-1), local(r.Begin), local(r.End), r.Head)
	}
}
