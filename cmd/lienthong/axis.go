package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/axistest"
)

func (p *program) axisCommand() *cli.Command {
	return &cli.Command{
		Name: "axis", Usage: p.say("chạy trục thử trong bộ nhớ (không dùng thật)", "run a test axis in memory (never in production)"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "test", Usage: p.say("trục thử: mọi cơ quan trong danh mục đều có, token là test-MÃ", "a test axis: every organ of the register exists, its token is test-ORGAN")},
			&cli.BoolFlag{Name: "gentle", Usage: p.say("không gây lỗi ngẫu nhiên", "no bad manners")},
			&cli.Uint64Flag{Name: "seed", Usage: p.say("hạt giống của lỗi ngẫu nhiên; 0 để máy tự chọn", "seed of the bad manners; 0 for any")},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8070", Usage: p.say("địa chỉ nghe; cổng 0 để máy tự chọn", "address to listen on; port 0 for a free one")},
		},
		Action: p.axis,
	}
}

func (p *program) axis(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	if !c.Bool("test") {
		return told{exitUsage,
			edxml.Text{VI: "lệnh này chỉ chạy trục thử: thêm --test", EN: "this command runs a test axis only: add --test"},
			edxml.Text{VI: "trục thật là một nút có mục [hub] trong cấu hình", EN: "a real axis is a node with a [hub] section in its configuration"},
		}
	}
	a := axistest.New(axistest.Options{Gentle: c.Bool("gentle"), Seed: c.Uint64("seed")})
	defer a.Close()
	l, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err != nil || !net.ParseIP(host).IsLoopback() {
		p.talk("CẢNH BÁO: trục thử đang nghe ngoài máy này (%s)", "WARNING: the test axis listens beyond this machine (%s)", l.Addr())
	}
	p.talk("trục thử, chỉ trong bộ nhớ: KHÔNG BAO GIỜ dùng thật. Token của cơ quan X là test-X. Dừng: Ctrl-C",
		"a test axis, memory only: NEVER use it in production. The token of organ X is test-X. Stop it with Ctrl-C")
	if !c.Bool("gentle") {
		p.talk("cư xử xấu có chủ ý, hạt giống %d; tắt bằng --gentle", "bad manners on purpose, seed %d; --gentle turns them off", a.Seed())
	}
	fmt.Fprintf(p.out, "axis http://%s/\n", l.Addr())
	server := &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-c.Context.Done():
	}
	stop, done := context.WithTimeout(context.WithoutCancel(c.Context), shutdown)
	defer done()
	err = server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}
