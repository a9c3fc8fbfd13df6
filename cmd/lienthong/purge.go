package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

func (p *program) purgeCommand() *cli.Command {
	ref := p.say("MÃ", "ID")
	return &cli.Command{
		Name: "purge", Usage: p.say("hủy nội dung văn bản đã hết thời hạn lưu; hồ sơ và bằng chứng ở lại", "give up the content of documents past their retention; records and evidence stay"),
		Flags: append([]cli.Flag{
			p.configFlag(), p.jsonFlag(),
			&cli.StringFlag{Name: "older-than", Usage: p.say("xong từ bao lâu, ví dụ 730d (bắt buộc)", "how long ago they ended, 730d for example (required)")},
			&cli.BoolFlag{Name: "dry-run", Usage: p.say("chỉ đếm, không hủy gì", "only count, give up nothing")},
		}, p.byFlags()...),
		Action: p.purge,
		Subcommands: []*cli.Command{
			{
				Name: "hold", Usage: p.say("giữ nội dung theo pháp luật: không bị hủy, phải có --reason", "legal hold: its content is not given up, needs --reason"), ArgsUsage: ref,
				Flags:  append([]cli.Flag{p.configFlag(), p.jsonFlag()}, p.byFlags()...),
				Action: func(c *cli.Context) error { return p.legalHold(c, true) },
			},
			{
				Name: "release", Usage: p.say("thôi giữ theo pháp luật", "end the legal hold"), ArgsUsage: ref,
				Flags:  append([]cli.Flag{p.configFlag(), p.jsonFlag()}, p.byFlags()...),
				Action: func(c *cli.Context) error { return p.legalHold(c, false) },
			},
		},
	}
}

// age reads a span of time that may be written in days.
func age(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36_500 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q", text)
}

func (p *program) purge(c *cli.Context) error {
	if c.NArg() > 0 {
		return p.noCommand(c)
	}
	if err := require(c, "older-than"); err != nil {
		return err
	}
	d, err := age(c.String("older-than"))
	if err != nil {
		return usageError{edxml.Text{VI: "--older-than " + err.Error() + " không phải khoảng thời gian; viết như 730d hoặc 48h", EN: "--older-than " + err.Error() + " is no span of time; write it like 730d or 48h"}, c.Command.HelpName}
	}
	return p.keeping(c, func(k keeper, _ bool) error {
		sum, failed := k.purge(c.Context, node.PurgeOptions{Before: time.Now().Add(-d), Dry: c.Bool("dry-run"), By: by(c)})
		if sum == nil {
			return failed
		}
		if c.Bool("json") {
			if err := p.printJSON(sum); err != nil {
				return err
			}
			return failed
		}
		if sum.Dry {
			fmt.Fprintf(p.out, p.say("sẽ hủy nội dung của %d văn bản: %d nội dung, nhiều nhất %s\n", "would give up the content of %d documents: %d contents, at most %s\n"), sum.Transfers, sum.Contents, octets(sum.Octets))
		} else {
			fmt.Fprintf(p.out, p.say("đã hủy nội dung của %d văn bản; xóa %d nội dung, %s\n", "gave up the content of %d documents; removed %d contents, %s\n"), sum.Transfers, sum.Removed, octets(sum.Freed))
		}
		if sum.LegalHold > 0 {
			p.talk("%d văn bản đang được giữ theo pháp luật", "%d documents are under a legal hold", sum.LegalHold)
		}
		if sum.Unfinished > 0 {
			p.talk("%d văn bản cũ chưa xong việc; xem bằng outbox why, inbox why", "%d old documents are not finished; see outbox why, inbox why", sum.Unfinished)
		}
		if failed != nil {
			p.talk("dừng giữa chừng: những gì đã hủy là đã hủy, chạy lại để tiếp tục", "stopped on the way: what was given up is given up, run it again to go on")
		}
		return failed
	})
}

func (p *program) legalHold(c *cli.Context, hold bool) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	reason := ""
	if hold {
		if err := require(c, "reason"); err != nil {
			return err
		}
		reason = c.String("reason")
	}
	return p.keeping(c, func(k keeper, _ bool) error {
		t, err := k.legalHold(c.Context, ref, reason, by(c))
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(t)
		}
		fmt.Fprintln(p.out, t.ID)
		return nil
	})
}
