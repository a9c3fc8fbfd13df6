package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/api"
)

func (p *program) submitCommand() *cli.Command {
	return &cli.Command{
		Name: "submit", Usage: p.say("giao văn bản hoặc trạng thái cho nút gửi đi", "hand documents or statuses to the node for sending"),
		ArgsUsage: p.say("TỆP…", "FILE…"),
		Flags:     []cli.Flag{p.configFlag(), p.jsonFlag()},
		Action:    p.submit,
	}
}

// submitted is a line of submit --json.
type submitted struct {
	File       string        `json:"file"`
	Transfer   string        `json:"transfer"`
	Existed    bool          `json:"existed"`
	Kind       edxml.Kind    `json:"kind"`
	DocumentID string        `json:"documentId"`
	State      string        `json:"state"`
	Findings   []api.Finding `json:"findings,omitempty"`
}

// submit hands every file over; one bad file does not keep the others back.
func (p *program) submit(c *cli.Context) error {
	if c.NArg() == 0 {
		return usageError{edxml.Text{VI: "thiếu tệp gói tin", EN: "a packet file is missing"}, c.Command.HelpName}
	}
	return p.through(c, func(d *api.Client) error {
		var first error
		for _, file := range c.Args().Slice() {
			err := p.submitFile(c, d, file)
			if err == nil {
				continue
			}
			if c.NArg() == 1 || c.Context.Err() != nil {
				return err
			}
			code := p.report(err)
			if first == nil {
				first = quietError{code}
			}
		}
		return first
	})
}

func (p *program) submitFile(c *cli.Context, d *api.Client, file string) error {
	f, err := p.input(file)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := d.Submit(c.Context, f)
	if err != nil {
		var refusal *api.Problem
		if errors.As(err, &refusal) {
			p.list(file, refusal.Findings)
		}
		return fileError{file, err}
	}
	t := s.Transfer
	if c.Bool("json") {
		return p.record(submitted{file, t.ID, s.Existed, t.Kind, t.DocumentID, string(t.State), s.Findings})
	}
	p.list(file, s.Findings)
	fmt.Fprintln(p.out, t.ID)
	if s.Existed {
		p.talk("%s: đã nhận trước đó, không gửi lần hai (%s)", "%s: accepted before, it is not sent twice (%s)", file, t.State)
	} else {
		p.talk("%s: đã nhận, đang chờ gửi; xem: lienthong outbox why %s", "%s: accepted and queued; see: lienthong outbox why %s", file, t.ID)
	}
	return nil
}

// list prints findings to standard error, one line each.
func (p *program) list(file string, findings []api.Finding) {
	for _, f := range findings {
		t := f.EN
		if p.lang == "vi" {
			t = f.VI
		}
		place := ""
		if t.Line > 0 {
			place = fmt.Sprintf("%d:%d:", t.Line, t.Column)
		} else if t.Path != "" {
			place = t.Path + ":"
		}
		fmt.Fprintf(p.err, "%s:%s %s %s: %s\n", file, place, t.Severity, t.Rule, clean(t.Message))
	}
}
