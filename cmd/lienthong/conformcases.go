package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/conform"
)

//go:generate sh -c "go run . conform cases --markdown > cases.tmp && mv cases.tmp ../../docs/CONFORMANCE.md"

// conformCase is a case in one language, a line of conform cases --json.
type conformCase struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"` // axis or client
	Wire   string `json:"wire"` // "" for both
	Group  string `json:"group"`
	Expect string `json:"expected"`
	Clause string `json:"clause"`
}

func (p *program) conformCases(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	if c.Bool("markdown") {
		_, err := fmt.Fprint(p.out, conformDocument())
		return err
	}
	if err := p.conformList(c, "axis", conform.AxisGroups()); err != nil {
		return err
	}
	return p.conformList(c, "client", conform.ClientGroups())
}

func (p *program) conformList(c *cli.Context, kind string, groups []conform.Group) error {
	for _, g := range groups {
		if !c.Bool("json") {
			fmt.Fprintf(p.out, "%s  %s\n", g.Letter, g.Title.In(p.lang))
		}
		for _, k := range g.Cases {
			if c.Bool("json") {
				if err := p.record(conformCase{k.ID, kind, k.Wire, g.Title.In(p.lang), k.Expect.In(p.lang), k.Clause}); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(p.out, "  %s  %s (%s)\n", k.ID, k.Expect.In(p.lang), k.Clause)
		}
	}
	return nil
}

// conformDocument is the catalogue as docs/CONFORMANCE.md.
func conformDocument() string {
	var b strings.Builder
	b.WriteString(`# Kiểm tra sự phù hợp · Conformance

<!-- Written by go generate from the catalogue in package transport/conform; do not edit. -->

` + "`lienthong conform axis URL`" + ` chạy các trường hợp A…V với một trục đang chạy, ` + "`lienthong conform client URL`" + ` chấm một client
theo nhật ký của trục thử (các trường hợp J, K). Số hiệu đã cấp không đổi. Kết quả: ` + "`--json`, `--junit TỆP`" + `; mã thoát 0 khi đạt hết,
1 khi có trường hợp hỏng, 6 khi không tới được.

` + "`lienthong conform axis URL`" + ` runs the cases A…V against an axis that runs, ` + "`lienthong conform client URL`" + ` judges a client by the
journal of the test axis (cases J, K). A number once given stays. Results: ` + "`--json`, `--junit FILE`" + `; exit code 0 when all pass, 1 when one
fails, 6 when nothing can be reached. "practice" before a clause names evidence instead of a text: running code or captured calls.

` + "```" + `
lienthong axis --test --gentle --listen 127.0.0.1:8070 &
lienthong conform axis http://127.0.0.1:8070/
` + "```" + `

## Mã nhận dành riêng của trục thử · Reserved receivers of the test axis

Văn bản gửi tới một mã dưới đây luôn gặp sự cố ấy, trên cả hai giao thức; dạng cũ của mã (000.00.01.X00 …) cũng vậy. Client phải gửi tới
từng mã và nhận với từng mã để được chấm ở nhóm K.

A Document for one of these always meets that Trouble, on both wires; so does the older form of the identifier (000.00.01.X00 …). To be
judged in group K a client sends to each and collects as each.

| OrganId | Trouble | | |
|---|---|---|---|
`)
	for _, s := range axistest.Scripts() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Organ, s.Trouble, cell(s.Text.VI), cell(s.Text.EN))
	}
	b.WriteString(`
## Cổng quản lý của trục thử · The management door of the test axis

` + "```" + `
lienthong axis --test --listen 127.0.0.1:8070 --admin 127.0.0.1:8071
` + "```" + `

| | | |
|---|---|---|
| GET / | nhật ký dạng trang web | the journal as a page |
| GET /journal?after=SEQ | nhật ký dạng JSON | the journal as JSON |
| GET /organs | mọi cơ quan, kèm sự cố của mã dành riêng | every organ, with the Trouble of the reserved ones |
| GET /orders | sự cố còn chờ | the Troubles still to come |
| POST /orders | sự cố cho N lần gọi tới: ` + "`" + `{"trouble":"drop","operation":"SendDocument","organ":"H41","times":3}` + "`" + ` | a Trouble for the next N calls |
| GET /expired.pem | chứng thư hết hạn của --tls-expired, để client tin nó | the expired certificate of --tls-expired, for a client to believe |
| POST /reset | như lúc đầu | everything as in the beginning |
`)
	for _, g := range append(conform.AxisGroups(), conform.ClientGroups()...) {
		fmt.Fprintf(&b, "\n## %s · %s · %s\n\n| | Mong đợi · Expected | Căn cứ · Clause |\n|---|---|---|\n", g.Letter, g.Title.VI, g.Title.EN)
		for _, k := range g.Cases {
			fmt.Fprintf(&b, "| **%s** | %s<br>%s | %s |\n", k.ID, cell(k.Expect.VI), cell(k.Expect.EN), cell(k.Clause))
		}
	}
	return b.String()
}
