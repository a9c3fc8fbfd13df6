package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
		ArgsUsage: p.say("TỆP|THƯ_MỤC…", "FILE|FOLDER…"),
		Description: p.say(
			"Mỗi phát hiện in một dòng TỆP:DÒNG:CỘT, kèm cách sửa. Tệp là gói tin XML, hoặc gói tin SOAP\n"+
				"trong một tệp MIME; - là đầu vào chuẩn. Trong thư mục, các tệp *.edxml, *.xml và *.mime được\n"+
				"kiểm tra, cả ở thư mục con. Mã thoát 3 khi có lỗi theo bộ quy tắc đã chọn, hoặc không đọc được.",
			"Prints one line FILE:LINE:COLUMN per finding, and how to mend it. A file is an XML packet or a SOAP\n"+
				"packet in one MIME file; - is standard input. Of a folder *.edxml, *.xml and *.mime are checked, in the\n"+
				"folders below, too. Exits with 3 on errors of the chosen set of rules, and on what cannot be read."),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "against", Value: edxml.Law.String(), Usage: p.say(
				"bộ quy tắc: law (pháp luật), axis (trục eDoc từ chối), vendor (thư viện Java từ chối) hoặc all",
				"set of rules: law, axis (what the eDoc axis refuses), vendor (what the Java library refuses) or all")},
			p.jsonFlag(), p.withFlag(),
			&cli.StringFlag{Name: "junit", Usage: p.say("ghi kết quả vào tệp JUnit XML", "write the results to a JUnit XML file")},
			&cli.StringFlag{Name: "sarif", Usage: p.say("ghi kết quả vào tệp SARIF 2.1.0", "write the results to a SARIF 2.1.0 file")},
			&cli.BoolFlag{Name: "rules", Usage: p.say("in danh mục quy tắc", "print the catalogue of rules")},
			&cli.BoolFlag{Name: "markdown", Usage: p.say("cùng --rules: in tài liệu song ngữ", "with --rules: print it as a document in both languages")},
		},
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

// checking is one run of validate.
type checking struct {
	*program
	against edxml.Against
	json    bool
	seen    edxml.Seen
	keep    bool // results are for a report, too
	results []validation

	files, invalid   int
	errors, warnings int
}

func (p *program) validate(c *cli.Context) error {
	against, err := edxml.ParseAgainst(c.String("against"))
	if err != nil {
		return usageError{edxml.Text{
			VI: fmt.Sprintf("không có bộ quy tắc %q", c.String("against")), EN: fmt.Sprintf("there is no set of rules %q", c.String("against")),
		}, c.Command.HelpName}
	}
	if c.Bool("rules") {
		return p.rules(against, c.IsSet("against"), c.Bool("json"), c.Bool("markdown"))
	}
	files, err := packetsIn(c.Args().Slice())
	if err != nil {
		return err
	}
	if len(files) == 0 && c.NArg() > 0 {
		return told{exitNotFound, edxml.Text{VI: "không có gói tin nào trong thư mục", EN: "there is no packet in the folder"},
			edxml.Text{VI: "gói tin có đuôi .edxml, .xml hoặc .mime", EN: "packets end in .edxml, .xml or .mime"}}
	}
	k := &checking{program: p, against: against, json: c.Bool("json"), keep: c.IsSet("junit") || c.IsSet("sarif")}
	result := p.eachOf(c, files, func(file string) (int, error) { return k.check(c, file) })
	if k.files > 0 {
		p.talk("%d tệp: %d hợp lệ, %d không; %d lỗi, %d cảnh báo", "files: %d, valid: %d, not: %d; errors: %d, warnings: %d",
			k.files, k.files-k.invalid, k.invalid, k.errors, k.warnings)
	}
	if c.Context.Err() != nil {
		return result
	}
	for flag, write := range map[string]func([]validation) ([]byte, error){"junit": junit, "sarif": p.sarif} {
		if name := c.String(flag); name != "" {
			text, err := write(k.results)
			if err == nil {
				err = os.WriteFile(name, text, 0o644)
			}
			if err != nil {
				return errors.Join(err, result)
			}
		}
	}
	return result
}

// packetsIn puts the packets of a folder in its place, in the order of their
// names.
func packetsIn(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		if info, err := os.Stat(arg); arg == "-" || err != nil || !info.IsDir() {
			files = append(files, arg) // what is wrong with it, reading says
			continue
		}
		err := filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			switch strings.ToLower(filepath.Ext(name)) {
			case ".edxml", ".xml", ".mime":
				if d.Type().IsRegular() {
					files = append(files, name)
				}
			}
			return nil
		})
		if err != nil {
			return nil, fileError{arg, err}
		}
	}
	return files, nil
}

// check checks one file, prints what there is to say, and returns its exit
// code.
func (k *checking) check(c *cli.Context, file string) (int, error) {
	findings, err := k.findings(c, file)
	if c.Context.Err() != nil {
		return exitFailed, nil
	}
	k.files++
	v := validation{File: file, Valid: err == nil && edxml.Worst(findings) != edxml.Error, Findings: []edxml.FindingText{}}
	if !v.Valid {
		k.invalid++
	}
	for _, f := range findings {
		v.Findings = append(v.Findings, f.In(k.lang))
		switch f.Severity {
		case edxml.Error:
			k.errors++
		case edxml.Warning:
			k.warnings++
		}
	}
	if err != nil {
		k.errors++
		e := explain(err)
		v.Error, v.Hint = e.what.In(k.lang), e.hint.In(k.lang)
	}
	if k.keep {
		k.results = append(k.results, v)
	}
	switch {
	case err != nil:
		return k.unreadable(v, err)
	case k.json:
		err = k.record(v)
	default:
		for _, f := range v.Findings {
			k.finding(file+":", f)
		}
	}
	if !v.Valid {
		return exitInvalid, err
	}
	return exitDone, err
}

// findings reads a packet and returns everything the chosen rules have to say
// about it, in the order of the places.
func (k *checking) findings(c *cli.Context, file string) ([]edxml.Finding, error) {
	f, err := k.openPacket(c.Context, file, true)
	if err != nil {
		return nil, err
	}
	f.with = c.String("with")
	packet, err := f.read(false)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fileError{file, err}
	}
	all := slices.Concat(k.against.Of(packet.Findings), edxml.ValidateWith(packet, edxml.ValidateOptions{Now: time.Now(), Against: k.against}),
		k.against.Of(k.seen.Find(packet)))
	slices.SortStableFunc(all, func(a, b edxml.Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return all, nil
}

// unreadable reports a file without findings. That a packet cannot be read is
// a result like any other; that there is no file is not.
func (k *checking) unreadable(v validation, err error) (int, error) {
	e := explain(err)
	if k.json {
		return e.code, k.record(v)
	}
	if e.code != exitInvalid {
		return e.code, err
	}
	var fe fileError
	if errors.As(err, &fe) {
		e = diagnose(fe.err)
	}
	k.finding(v.File+":", edxml.FindingText{
		Severity: edxml.Error, Line: place(err).Line, Column: place(err).Column, Message: e.what.In(k.lang), Remedy: e.hint.In(k.lang),
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
	line := strings.TrimSpace(prefix + " " + severityName(f.Severity).In(p.lang) + " " + f.Rule)
	line += ": " + f.Message
	if f.Clause != "" {
		line += " (" + f.Clause + ")"
	}
	fmt.Fprintln(p.out, clean(line))
	if f.Remedy != "" {
		fmt.Fprintln(p.out, clean("    "+p.say("cách sửa: ", "remedy: ")+f.Remedy))
	}
}
