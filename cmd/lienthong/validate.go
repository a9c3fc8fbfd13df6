package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

func (p *program) validateCommand() *cli.Command {
	return &cli.Command{
		Name:      "validate",
		Usage:     p.say("kiểm tra gói tin theo quy chuẩn", "check packets against the rules"),
		ArgsUsage: p.say("TỆP…", "FILE…"),
		Description: p.say(
			"Mỗi phát hiện in một dòng TỆP:DÒNG:CỘT, kèm cách sửa. Tệp là gói tin XML, hoặc gói tin SOAP\n"+
				"trong một tệp MIME; - là đầu vào chuẩn. Mã thoát 3 khi có lỗi hoặc không đọc được.",
			"Prints one line FILE:LINE:COLUMN per finding, and how to mend it. A file is an XML packet or a SOAP\n"+
				"packet in one MIME file; - is standard input. Exits with 3 on errors and on what cannot be read."),
		Flags:  []cli.Flag{p.jsonFlag()},
		Action: p.validate,
	}
}

// validation is the result for one file, a line of validate --json.
type validation struct {
	File     string              `json:"file"`
	Valid    bool                `json:"valid"`
	Findings []edxml.FindingText `json:"findings"`
	Error    string              `json:"error,omitempty"` // why the file could not be read
	Hint     string              `json:"hint,omitempty"`
}

// tally counts over all files.
type tally struct {
	files, invalid   int
	errors, warnings int
}

func (p *program) validate(c *cli.Context) error {
	var sum tally
	err := p.eachPacket(c, func(file string) (int, error) {
		findings, err := p.findings(c, file)
		if c.Context.Err() != nil {
			return exitFailed, nil
		}
		sum.files++
		v := validation{File: file, Valid: err == nil && edxml.Worst(findings) != edxml.Error, Findings: []edxml.FindingText{}}
		if !v.Valid {
			sum.invalid++
		}
		for _, f := range findings {
			v.Findings = append(v.Findings, f.In(p.lang))
			switch f.Severity {
			case edxml.Error:
				sum.errors++
			case edxml.Warning:
				sum.warnings++
			}
		}
		if err != nil {
			sum.errors++
			return p.unreadable(c, v, err)
		}
		if c.Bool("json") {
			err = p.record(v)
		} else {
			for _, f := range v.Findings {
				p.finding(file+":", f)
			}
		}
		if !v.Valid {
			return exitInvalid, err
		}
		return exitDone, err
	})
	if sum.files > 0 {
		p.talk("%d tệp: %d hợp lệ, %d không; %d lỗi, %d cảnh báo", "files: %d, valid: %d, not: %d; errors: %d, warnings: %d",
			sum.files, sum.files-sum.invalid, sum.invalid, sum.errors, sum.warnings)
	}
	return err
}

// findings reads a packet and returns everything there is to say about it.
func (p *program) findings(c *cli.Context, file string) ([]edxml.Finding, error) {
	f, err := p.openPacket(c.Context, file, true)
	if err != nil {
		return nil, err
	}
	packet, err := f.read(false)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fileError{file, err}
	}
	return append(packet.Findings, edxml.Validate(packet, time.Now())...), nil
}

// unreadable reports a file without findings. That a packet cannot be read is
// a result like any other; that there is no file is not.
func (p *program) unreadable(c *cli.Context, v validation, err error) (int, error) {
	e := explain(err)
	if c.Bool("json") {
		v.Error, v.Hint = e.what.In(p.lang), e.hint.In(p.lang)
		return e.code, p.record(v)
	}
	if e.code != exitInvalid {
		return e.code, err
	}
	var fe fileError
	if errors.As(err, &fe) {
		e = diagnose(fe.err)
	}
	p.finding(v.File+":", edxml.FindingText{
		Severity: edxml.Error, Line: place(err).Line, Column: place(err).Column, Message: e.what.In(p.lang), Remedy: e.hint.In(p.lang),
	})
	return exitInvalid, nil
}

// place tells where reading stopped.
func place(err error) xmlscan.Pos {
	var syntax *xmlscan.SyntaxError
	var limit *xmlscan.LimitError
	switch {
	case errors.As(err, &syntax):
		return syntax.Pos
	case errors.As(err, &limit):
		return limit.Pos
	}
	return xmlscan.Pos{}
}

// finding prints a finding on one line and its remedy on the next. What was
// found by its absence has no line; then the path stands there.
func (p *program) finding(prefix string, f edxml.FindingText) {
	switch {
	case f.Line > 0:
		prefix += fmt.Sprintf("%d:%d:", f.Line, f.Column)
	case f.Path != "":
		prefix += f.Path + ":"
	}
	severity := map[edxml.Severity]edxml.Text{
		edxml.Error: {VI: "lỗi", EN: "error"}, edxml.Warning: {VI: "cảnh báo", EN: "warning"}, edxml.Info: {VI: "lưu ý", EN: "info"},
	}[f.Severity]
	line := strings.TrimSpace(prefix + " " + severity.In(p.lang) + " " + f.Rule)
	line += ": " + f.Message
	if f.Clause != "" {
		line += " (" + f.Clause + ")"
	}
	fmt.Fprintln(p.out, clean(line))
	if f.Remedy != "" {
		fmt.Fprintln(p.out, clean("    "+p.say("cách sửa: ", "remedy: ")+f.Remedy))
	}
}
