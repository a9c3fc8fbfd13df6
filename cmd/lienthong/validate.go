package main

import (
	"cmp"
	"crypto/rsa"
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
	"github.com/lienthong/lienthong/signature"
)

func (p *program) validateCommand() *cli.Command {
	return &cli.Command{
		Name:      "validate",
		Usage:     p.say("kiểm tra gói tin theo quy chuẩn", "check packets against the rules"),
		ArgsUsage: p.say("TỆP|THƯ_MỤC…", "FILE|FOLDER…"),
		Description: p.say(
			"Mỗi phát hiện in một dòng TỆP:DÒNG:CỘT, kèm cách sửa. Nhiều tệp cùng lúc thì các gói tin còn được\n"+
				"so với nhau: văn bản trùng, trạng thái sai trình tự. Tệp là gói tin XML, hoặc gói tin SOAP\n"+
				"trong một tệp MIME; - là đầu vào chuẩn. Trong thư mục, các tệp *.edxml, *.xml và *.mime được\n"+
				"kiểm tra, cả ở thư mục con. Mã thoát 3 khi có lỗi theo bộ quy tắc đã chọn, hoặc không đọc được.",
			"Prints one line FILE:LINE:COLUMN per finding, and how to mend it. Several files are compared with each\n"+
				"other, too: documents that stand twice, statuses out of order. A file is an XML packet or a SOAP\n"+
				"packet in one MIME file; - is standard input. Of a folder *.edxml, *.xml and *.mime are checked, in the\n"+
				"folders below, too. Exits with 3 on errors of the chosen set of rules, and on what cannot be read."),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "against", Value: edxml.Law.String(), Usage: p.say(
				"bộ quy tắc: law (pháp luật), axis (trục eDoc từ chối), vendor (thư viện Java từ chối) hoặc all",
				"set of rules: law, axis (what the eDoc axis refuses), vendor (what the Java library refuses) or all")},
			p.jsonFlag(), p.withFlag(),
			&cli.StringFlag{Name: "calendar", Usage: p.say("tệp TOML ghi ngày nghỉ (off) và ngày làm bù (work); mặc định thứ hai đến thứ sáu", "a TOML file of days off and days to work; default Monday to Friday")},
			&cli.DurationFlag{Name: "urgent-within", Value: 30 * time.Minute, Usage: p.say("văn bản khẩn phải gửi trong bao lâu sau khi ký", "how long after signing an urgent document may be sent")},
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

// waiting is a status that was read; what it means shows with the others.
type waiting struct {
	file     string
	findings []edxml.Finding
}

// checking is one run of validate.
type checking struct {
	*program
	options  edxml.ValidateOptions
	json     bool
	with     string // the second file
	exchange edxml.Exchange
	waiting  []waiting // statuses, until every file was read
	wait     bool      // there are others to wait for
	keep     bool      // results are for a report, too
	results  []validation

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
	files, err := p.packetsIn(c.Args().Slice())
	if err != nil {
		return err
	}
	if len(files) == 0 && c.NArg() > 0 {
		return told{exitNotFound, edxml.Text{VI: "không có gói tin nào trong thư mục", EN: "there is no packet in the folder"},
			edxml.Text{VI: "gói tin có đuôi .edxml, .xml hoặc .mime", EN: "packets end in .edxml, .xml or .mime"}}
	}
	k := &checking{
		program: p, json: c.Bool("json"), with: c.String("with"), wait: len(files) > 1, keep: c.IsSet("junit") || c.IsSet("sarif"),
		options: edxml.ValidateOptions{Now: time.Now(), Against: against, UrgentWithin: c.Duration("urgent-within")},
	}
	if k.options.UrgentWithin <= 0 {
		return usageError{edxml.Text{VI: "--urgent-within phải lớn hơn 0, ví dụ 30m", EN: "--urgent-within must be more than 0, for example 30m"}, c.Command.HelpName}
	}
	if name := c.String("calendar"); name != "" {
		days, err := readCalendar(name)
		if err != nil {
			return err
		}
		k.options.Workday = days.workday
	}
	result := k.settle(c, p.eachOf(c, files, func(file string) (int, error) { return k.check(c, file) }))
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
				return fileError{name, err}
			}
		}
	}
	return result
}

// packetsIn puts the packets of a folder in its place, in the order of their
// names. A file that was named twice stands there once: it is no double of
// itself.
func (p *program) packetsIn(args []string) ([]string, error) {
	var files []string
	named := map[string]bool{}
	add := func(name string) {
		if full, err := filepath.Abs(name); err == nil && name != "-" {
			if named[full] {
				p.talk("%s được nêu nhiều lần, chỉ kiểm tra một lần", "%s is named more than once and is checked once", name)
				return
			}
			named[full] = true
		}
		files = append(files, name)
	}
	for _, arg := range args {
		if info, err := os.Stat(arg); arg == "-" || err != nil || !info.IsDir() {
			add(arg) // what is wrong with it, reading says
			continue
		}
		err := filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			switch strings.ToLower(filepath.Ext(name)) {
			case ".edxml", ".xml", ".mime":
				if d.Type().IsRegular() {
					add(name)
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
	packet, findings, err := k.findings(c, file)
	if c.Context.Err() != nil {
		return exitFailed, nil
	}
	if err == nil {
		if findings = append(findings, k.options.Against.Of(k.exchange.Add(file, packet))...); k.wait && packet.Status != nil {
			k.waiting = append(k.waiting, waiting{file, findings})
			return exitDone, nil
		}
	}
	return k.conclude(file, findings, err)
}

// settle says what there is to say about the statuses, now that every file was
// read, and returns the result of the run.
func (k *checking) settle(c *cli.Context, result error) error {
	if c.Context.Err() != nil {
		return result
	}
	worst := exitDone
	var quiet quietError
	if errors.As(result, &quiet) {
		worst = quiet.code
	} else if result != nil {
		return result
	}
	together := k.exchange.Statuses()
	for _, w := range k.waiting {
		code, err := k.conclude(w.file, append(w.findings, k.options.Against.Of(together[w.file])...), nil)
		if err != nil {
			code = k.report(err)
		}
		worst = heavier(worst, code)
	}
	if worst != exitDone {
		return quietError{worst}
	}
	return nil
}

// conclude prints the result for one file, which err says could not be read,
// and returns its exit code.
func (k *checking) conclude(file string, findings []edxml.Finding, err error) (int, error) {
	k.files++
	v := validation{File: file, Valid: err == nil && edxml.Worst(findings) != edxml.Error, Findings: k.texts(findings, k.with)}
	if !v.Valid {
		k.invalid++
	}
	for _, f := range findings {
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
			if err = k.finding(file+":", f); err != nil {
				break
			}
		}
	}
	if !v.Valid {
		return exitInvalid, err
	}
	return exitDone, err
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// texts gives findings in the language of this run and in the order of their
// places; with is the name of the second file.
func (p *program) texts(findings []edxml.Finding, with string) []edxml.FindingText {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b edxml.Finding) int {
		return cmp.Or(compareBool(a.Second, b.Second), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	texts := make([]edxml.FindingText, 0, len(findings))
	for _, f := range findings {
		t := f.In(p.lang)
		if f.Second {
			t.File = with
		}
		texts = append(texts, t)
	}
	return texts
}

// findings reads a packet and returns everything the chosen rules have to say
// about it alone.
func (k *checking) findings(c *cli.Context, file string) (_ *edxml.Packet, _ []edxml.Finding, err error) {
	f, err := k.openPacket(c.Context, file, true)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if closed := f.Close(); closed != nil && err == nil {
			err = fileError{file, closed}
		}
	}()
	f.with = k.with
	packet, err := f.read(false)
	if err != nil {
		return nil, nil, fileError{file, err}
	}
	against := k.options.Against
	found := slices.Concat(against.Of(packet.Findings), edxml.ValidateWith(packet, k.options))
	if against.Has(edxml.RuleSignature) {
		broken, err := f.broken(packet)
		if err != nil {
			return nil, nil, fileError{file, err}
		}
		found = append(found, broken...)
	}
	return packet, found, nil
}

// broken returns what package signature has against the packet's signatures,
// whoever made them: that what was signed is not what is there.
func (f *packetFile) broken(packet *edxml.Packet) ([]edxml.Finding, error) {
	if !slices.ContainsFunc(packet.Signatures, func(b edxml.SignatureBlock) bool { return b.Name.Space == edxml.NamespaceDSig }) {
		return nil, nil
	}
	holds, _ := edxml.RuleByID(edxml.RuleSignature)
	weak, _ := edxml.RuleByID(edxml.RuleWeakKey)
	verdicts, err := signature.Verify(f.xml, f.size, f.contents(), signature.VerifyOptions{AllowLegacy: true})
	if err != nil {
		if err := f.alive(); err != nil {
			return nil, err
		}
		return []edxml.Finding{holds.Find(xmlscan.Pos{}, "Signature", explain(err).what)}, nil
	}
	var found []edxml.Finding
	for _, v := range verdicts {
		if errors.Is(v.Err, signature.ErrNamespace) { // no signature: SIG-5
			continue
		}
		if !intact(v) {
			found = append(found, holds.Find(v.Place, "Signature", v.Message()))
		}
		if v.Signer == nil {
			continue
		}
		if key, ok := v.Signer.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < 2048 {
			found = append(found, weak.Find(v.Place, "Signature", key.N.BitLen()))
		}
	}
	return found, nil
}

// intact says that what was signed is still what is there; whether the signer
// is to be trusted is another question.
func intact(v signature.Verdict) bool {
	return v.Err == nil || errors.Is(v.Err, signature.ErrUntrusted) && v.Signer != nil
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
	return exitInvalid, k.finding(v.File+":", edxml.FindingText{
		Severity: edxml.Error, Line: place(err).Line, Column: place(err).Column, Message: e.what.In(k.lang), Remedy: e.hint.In(k.lang),
	})
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
func (p *program) finding(prefix string, f edxml.FindingText) error {
	if f.File != "" {
		prefix = f.File + ":"
	}
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
	line = clean(line) + "\n"
	if f.Remedy != "" {
		line += clean("    "+p.say("cách sửa: ", "remedy: ")+f.Remedy) + "\n"
	}
	_, err := fmt.Fprint(p.out, line)
	return err
}
