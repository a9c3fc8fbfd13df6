package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
)

func (p *program) axisCommand() *cli.Command {
	return &cli.Command{
		Name: "axis", Usage: p.say("chạy trục thử trong bộ nhớ (không dùng thật)", "run a test axis in memory (never in production)"),
		Description: p.axisDescription(),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "test", Usage: p.say("trục thử: mọi cơ quan trong danh mục đều có, token là test-MÃ", "a test axis: every organ of the register exists, its token is test-ORGAN")},
			&cli.BoolFlag{Name: "gentle", Usage: p.say("không gây lỗi ngẫu nhiên", "no bad manners")},
			&cli.Uint64Flag{Name: "seed", Usage: p.say("hạt giống của lỗi ngẫu nhiên; 0 để máy tự chọn", "seed of the bad manners; 0 for any")},
			&cli.DurationFlag{Name: "delay", Value: 10 * time.Second, Usage: p.say("thời gian chờ của câu trả lời chậm", "how late a slow answer is")},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8070", Usage: p.say("địa chỉ nghe; cổng 0 để máy tự chọn", "address to listen on; port 0 for a free one")},
			&cli.StringFlag{Name: "admin", Usage: p.say("địa chỉ của cổng quản lý: nhật ký, lỗi theo lệnh, đặt lại", "address of the management door: journal, Troubles to order, reset")},
			&cli.StringFlag{Name: "tls-expired", Usage: p.say("địa chỉ nghe thêm bằng TLS với chứng thư hết hạn", "address to listen on as well, with TLS and an expired certificate")},
		},
		Action: p.axis,
	}
}

// axisDescription lists the reserved receivers.
func (p *program) axisDescription() string {
	var b strings.Builder
	b.WriteString(p.say("Văn bản gửi tới các mã sau luôn gặp cùng một sự cố:", "A Document for one of these receivers always meets the same Trouble:"))
	for _, s := range axistest.Scripts() {
		fmt.Fprintf(&b, "\n%s  %-9s %s", s.Organ, s.Trouble, s.Text.In(p.lang))
	}
	return b.String()
}

// axisDoor is one address a test axis answers at.
type axisDoor struct {
	word    string // what its line says
	address string
	handler http.Handler
	cert    *tls.Certificate
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
	if c.Duration("delay") <= 0 {
		return usageError{edxml.Text{VI: "--delay phải lớn hơn 0", EN: "--delay must be more than 0"}, c.Command.HelpName}
	}
	a := axistest.New(axistest.Options{Gentle: c.Bool("gentle"), Seed: c.Uint64("seed"), Delay: c.Duration("delay")})
	defer a.Close()
	doors := []axisDoor{{"axis", c.String("listen"), a, nil}}
	if address := c.String("admin"); address != "" {
		doors = append(doors, axisDoor{"admin", address, a.Admin(), nil})
	}
	if address := c.String("tls-expired"); address != "" {
		cert, err := a.ExpiredCertificate()
		if err != nil {
			return err
		}
		doors = append(doors, axisDoor{"tls-expired", address, a, &cert})
	}
	listeners, lines, err := p.openDoors(doors)
	if err != nil {
		return err
	}
	p.talk("trục thử, chỉ trong bộ nhớ: KHÔNG BAO GIỜ dùng thật. Token của cơ quan X là test-X; systemid là X, secret là test-secret. Dừng: Ctrl-C",
		"a test axis, memory only: NEVER use it in production. The token of organ X is test-X; its systemid is X, its secret test-secret. Stop it with Ctrl-C")
	if !c.Bool("gentle") {
		p.talk("cư xử xấu có chủ ý, hạt giống %d; tắt bằng --gentle", "bad manners on purpose, seed %d; --gentle turns them off", a.Seed())
	}
	fmt.Fprint(p.out, lines)
	return serveDoors(c.Context, doors, listeners)
}

// openDoors listens on every address, or on none, and returns what to say about them.
func (p *program) openDoors(doors []axisDoor) (listeners []net.Listener, lines string, err error) {
	for _, d := range doors {
		l, err := net.Listen("tcp", d.address)
		if err != nil {
			for _, open := range listeners {
				open.Close()
			}
			return nil, "", err
		}
		if host, _, err := net.SplitHostPort(l.Addr().String()); err != nil || !net.ParseIP(host).IsLoopback() {
			p.talk("CẢNH BÁO: trục thử đang nghe ngoài máy này (%s)", "WARNING: the test axis listens beyond this machine (%s)", l.Addr())
		}
		scheme := "http"
		if d.cert != nil {
			scheme = "https"
		}
		lines += fmt.Sprintf("%s %s://%s/\n", d.word, scheme, l.Addr())
		listeners = append(listeners, l)
	}
	return listeners, lines, nil
}

// serveDoors answers until the context ends.
func serveDoors(ctx context.Context, doors []axisDoor, listeners []net.Listener) error {
	g, stopped := errgroup.WithContext(ctx)
	for i, d := range doors {
		server := transport.NewHTTPServer(d.handler)
		server.MaxHeaderBytes = 1 << 20              // over VXP the receivers of a Document stand there
		server.ErrorLog = log.New(io.Discard, "", 0) // connections that clients break off, and certificates they refuse
		g.Go(func() error {
			var err error
			if d.cert != nil {
				server.TLSConfig.Certificates = []tls.Certificate{*d.cert}
				err = server.ServeTLS(listeners[i], "", "")
			} else {
				err = server.Serve(listeners[i])
			}
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return err
		})
		g.Go(func() error {
			<-stopped.Done()
			stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
			defer done()
			err := server.Shutdown(stop)
			if errors.Is(err, context.DeadlineExceeded) {
				return server.Close()
			}
			return err
		})
	}
	return g.Wait()
}
