package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/conform"
)

func (p *program) conformCommand() *cli.Command {
	report := []cli.Flag{
		p.jsonFlag(),
		&cli.StringFlag{Name: "junit", Usage: p.say("ghi kết quả vào tệp JUnit XML", "write the results to a JUnit XML file")},
	}
	party := func(name, organ, vi, en string) []cli.Flag {
		return []cli.Flag{
			&cli.StringFlag{Name: name, Value: organ, Usage: p.say(vi, en)},
			&cli.StringFlag{Name: name + "-token", Usage: p.say("token của cơ quan ấy, hoặc @TỆP; mặc định test-MÃ", "that organ's token, or @FILE; default test-ORGAN")},
			&cli.StringFlag{Name: name + "-systemid", Usage: p.say("systemid (VXP); mặc định là mã", "its systemid (VXP); default the identifier")},
			&cli.StringFlag{Name: name + "-secret", Usage: p.say("secret (VXP), hoặc @TỆP; mặc định test-secret", "its secret (VXP), or @FILE; default test-secret")},
		}
	}
	return &cli.Command{
		Name: "conform", Usage: p.say("kiểm tra một trục hoặc một client theo docs/CONFORMANCE.md", "test an axis, or a client of one, by docs/CONFORMANCE.md"),
		Subcommands: []*cli.Command{
			{
				Name: "axis", Usage: p.say("chạy mọi trường hợp với một trục đang chạy", "run every case against an axis that runs"), ArgsUsage: "URL",
				Description: p.say("Gửi văn bản thử giữa ba cơ quan của trục: không chạy với trục thật đang dùng.",
					"It sends test documents between three organs of the axis: not for an axis in production."),
				Flags: slices.Concat(report, []cli.Flag{
					&cli.StringFlag{Name: "wire", Value: "edoc,vxp", Usage: p.say("giao thức cần kiểm tra", "the wires to be tested")},
					&cli.StringFlag{Name: "vxp", Usage: p.say("địa chỉ VXP nếu khác URL", "address of VXP where it is not URL")},
					&cli.StringFlag{Name: "unknown", Value: "X99", Usage: p.say("một mã mà trục không biết", "an identifier the axis does not know")},
					&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: p.say("thời gian cho một yêu cầu", "time for one request")},
				}, party("sender", "G22", "cơ quan gửi", "the organ that sends"), party("receiver", "H41", "cơ quan nhận", "the organ that receives"),
					party("stranger", "H02", "cơ quan thứ ba", "a third organ")),
				Action: p.conformAxis,
			},
			{
				Name: "client", Usage: p.say("chấm một client theo nhật ký của trục thử", "judge a client by the journal of the test axis"),
				ArgsUsage:   p.say("URL của axis --test --admin", "URL of axis --test --admin"),
				Description: p.say("Cho client làm việc với trục thử trước: gửi tới X00.01 … X00.12, nhận với các mã ấy.", "Let the client work with the test axis first: send to X00.01 … X00.12, and collect as those organs."),
				Flags:       report, Action: p.conformClient,
			},
			{
				Name: "cases", Usage: p.say("in danh mục các trường hợp", "print the catalogue of cases"),
				Flags:  []cli.Flag{p.jsonFlag(), &cli.BoolFlag{Name: "markdown", Usage: p.say("dạng Markdown, hai ngôn ngữ", "as Markdown, in both languages")}},
				Action: p.conformCases,
			},
		},
	}
}

// conformURL returns the one argument.
func (p *program) conformURL(c *cli.Context) (string, error) {
	wrong := func(vi, en string) error { return usageError{edxml.Text{VI: vi, EN: en}, c.Command.HelpName} }
	switch {
	case c.NArg() == 0:
		return "", wrong("thiếu URL", "the URL is missing")
	case c.NArg() > 1:
		return "", wrong("thừa đối số: "+c.Args().Get(1), "too many arguments: "+c.Args().Get(1))
	}
	text := c.Args().First()
	if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", wrong(fmt.Sprintf("%q không phải địa chỉ http:// hay https://", text), fmt.Sprintf("%q is no http:// or https:// address", text))
	}
	return text, nil
}

func (p *program) conformAxis(c *cli.Context) error {
	address, err := p.conformURL(c)
	if err != nil {
		return err
	}
	t := conform.Target{URL: address, VXP: c.String("vxp"), Unknown: c.String("unknown"), Timeout: c.Duration("timeout")}
	for name, party := range map[string]*conform.Party{"sender": &t.Sender, "receiver": &t.Receiver, "stranger": &t.Stranger} {
		party.Organ, party.SystemID = c.String(name), c.String(name+"-systemid")
		if party.Token, err = secretFlag(c.String(name + "-token")); err != nil {
			return err
		}
		if party.Secret, err = secretFlag(c.String(name + "-secret")); err != nil {
			return err
		}
	}
	for _, w := range strings.Split(c.String("wire"), ",") {
		if w != "edoc" && w != "vxp" {
			return usageError{edxml.Text{VI: fmt.Sprintf("không có giao thức %q: edoc, vxp", w), EN: fmt.Sprintf("there is no wire %q: edoc, vxp", w)}, c.Command.HelpName}
		}
		t.Wires = append(t.Wires, w)
	}
	seen := func(r conform.Result) { p.conformLine(r) }
	if c.Bool("json") {
		seen = nil
	}
	report, err := conform.RunAxis(c.Context, t, seen)
	if err != nil {
		return conformFault(err)
	}
	return p.conformReport(c, report)
}

// secretFlag reads a secret that stands in a flag or, behind @, in a file: what
// stands in a flag everybody on the machine can see.
func secretFlag(value string) (edxml.Secret, error) {
	name, inFile := strings.CutPrefix(value, "@")
	if !inFile {
		return edxml.Secret(value), nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fileError{name, errors.Unwrap(err)}
	}
	return edxml.Secret(strings.TrimSpace(string(text))), nil
}

func (p *program) conformClient(c *cli.Context) error {
	address, err := p.conformURL(c)
	if err != nil {
		return err
	}
	report, err := conform.ScoreClient(c.Context, address, nil)
	if err != nil {
		return conformFault(err)
	}
	if !c.Bool("json") {
		for _, r := range report.Results {
			p.conformLine(r)
		}
	}
	return p.conformReport(c, report)
}

// conformLine prints a Result.
func (p *program) conformLine(r conform.Result) {
	word := p.say("đạt", "pass")
	if !r.Passed {
		word = p.say("HỎNG", "FAIL")
	}
	fmt.Fprintf(p.out, "%-4s %s %s\n", word, r.ID, clean(r.Expect.In(p.lang)))
	if !r.Passed {
		fmt.Fprintf(p.out, "         %s (%s)\n", clean(r.Why.In(p.lang)), r.Clause)
	}
}

// conformed is the output of conform --json.
type conformed struct {
	Cases  int              `json:"cases"`
	Passed int              `json:"passed"`
	Failed []conformFailure `json:"failed"`
}

// conformReport prints the sum, writes the JUnit file and chooses the exit code.
func (p *program) conformReport(c *cli.Context, report *conform.Report) error {
	failed := report.Failed()
	sum := conformed{Cases: len(report.Results), Passed: len(report.Results) - len(failed), Failed: []conformFailure{}}
	for _, r := range failed {
		sum.Failed = append(sum.Failed, conformFailure{r.ID, r.Expect.In(p.lang), r.Why.In(p.lang), r.Clause, r.Unseen})
	}
	if name := c.String("junit"); name != "" {
		text, err := p.conformJUnit(report)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return fileError{name, err}
		}
	}
	if c.Bool("json") {
		if err := p.printJSON(sum); err != nil {
			return err
		}
	} else {
		p.talk("%d/%d trường hợp đạt", "%d of %d cases pass", sum.Passed, sum.Cases)
	}
	switch {
	case sum.Cases == 0:
		return told{exitFailed, edxml.Text{VI: "nhật ký chưa có yêu cầu nào", EN: "the journal has no request yet"}, edxml.Text{
			VI: "cho client làm việc với trục thử trước", EN: "let the client work with the test axis first",
		}}
	case len(failed) > 0:
		return quietError{exitFailed}
	}
	return nil
}

// conformFailure is a case that did not pass.
type conformFailure struct {
	ID     string `json:"id"`
	Expect string `json:"expected"`
	Why    string `json:"why"`
	Clause string `json:"clause"`
	Unseen bool   `json:"unseen,omitempty"` // a client never did it
}

// conformJUnit writes a report for build servers.
func (p *program) conformJUnit(report *conform.Report) ([]byte, error) {
	suite := junitSuite{Name: "lienthong conform " + report.Kind, Tests: len(report.Results)}
	for _, r := range report.Results {
		c := junitCase{Class: "conform." + report.Kind, Name: r.ID + " " + r.Expect.In(p.lang)}
		if !r.Passed {
			suite.Failures++
			c.Failure = &junitProblem{Message: r.Why.In(p.lang), Type: r.ID, Text: r.Clause}
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite.text()
}

// conformFault explains why there is no report.
func conformFault(err error) error {
	var away *conform.UnreachableError
	if !errors.As(err, &away) {
		return err
	}
	switch {
	case errors.Is(err, conform.ErrNoJournal):
		return told{exitAxis, with("địa chỉ này không phải cổng quản lý của trục thử", "this is not the management door of a test axis", err), edxml.Text{
			VI: "dùng địa chỉ mà lienthong axis --test --admin ĐỊA-CHỈ in ra sau chữ admin", EN: "take the address that lienthong axis --test --admin ADDR prints behind admin",
		}}
	case errors.Is(err, conform.ErrNoAxis):
		return told{exitAxis, with("ở địa chỉ này không có trục", "there is no axis at this address", err), edxml.Text{
			VI: "kiểm tra URL, cả phần đường dẫn; trục chỉ có một giao thức thì thêm --wire edoc hoặc --wire vxp",
			EN: "check the URL, the path too; for an axis with one wire add --wire edoc or --wire vxp",
		}}
	}
	return told{exitAxis, with("không kết nối được với trục", "the axis cannot be reached", err), edxml.Text{
		VI: "kiểm tra địa chỉ, mạng và tường lửa", EN: "check the address, the network and the firewall",
	}}
}
