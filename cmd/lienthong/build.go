package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/sink"
)

func (p *program) buildCommand() *cli.Command {
	return &cli.Command{
		Name:  "build",
		Usage: p.say("tạo gói tin từ tệp khai báo và các tệp đính kèm", "make a packet out of a header file and attachments"),
		Description: p.say(
			"Tệp khai báo là TOML hoặc JSON, các trường mang tên như trong inspect --json; đầu ra của inspect --json\n"+
				"cũng là một tệp khai báo. Gói tin có lỗi thì không được ghi ra (mã thoát 3).",
			"The header file is TOML or JSON, its fields named as in inspect --json, whose output is a header file too.\n"+
				"A packet with errors is not written (exit code 3)."),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: p.say("tệp khai báo (bắt buộc)", "the header file (required)")},
			&cli.StringSliceFlag{Name: "attach", Usage: p.say("tệp đính kèm; lặp lại cho mỗi tệp", "a file to attach; once for each")},
			p.profileFlag(p.say("mặc định theo tệp khai báo, không thì qcvn102", "default by the header file, else qcvn102")),
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: p.say("tệp ra; mặc định là đầu ra chuẩn", "output file; default standard output")},
			&cli.StringFlag{Name: "example", Usage: p.say("in một tệp khai báo mẫu: ", "print a sample header file: ") + strings.Join(exampleKinds(), ", ")},
		},
		Action: p.build,
	}
}

func (p *program) profileFlag(more string) cli.Flag {
	return &cli.StringFlag{Name: "profile", Usage: p.say("qcvn102 (một tệp XML) hoặc soap (một tệp MIME); ", "qcvn102 (one XML file) or soap (one MIME file); ") + more}
}

// profile returns the value of --profile, "" when it is not given.
func profile(c *cli.Context) (edxml.Profile, error) {
	switch v := edxml.Profile(c.String("profile")); v {
	case "", edxml.ProfileQCVN102, edxml.ProfileSOAP:
		return v, nil
	default:
		return "", usageError{edxml.Text{
			VI: fmt.Sprintf("--profile %q: chỉ có qcvn102 hoặc soap", v), EN: fmt.Sprintf("--profile %q: it is qcvn102 or soap", v),
		}, c.Command.HelpName}
	}
}

func (p *program) build(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{
			VI: "lệnh này không có đối số: " + c.Args().First() + " (mỗi tệp đính kèm cần --attach riêng)",
			EN: "this command takes no argument: " + c.Args().First() + " (every attachment needs its own --attach)",
		}, c.Command.HelpName}
	}
	if c.IsSet("example") {
		return p.example(c)
	}
	if err := require(c, "from"); err != nil {
		return err
	}
	asked, err := profile(c)
	if err != nil {
		return err
	}
	err = p.buildFile(c, asked)
	if c.Context.Err() != nil {
		return interrupted()
	}
	return err
}

func (p *program) buildFile(c *cli.Context, asked edxml.Profile) error {
	from := c.String("from")
	h, err := p.readHeader(c.Context, from)
	if err != nil {
		return err
	}
	if err := h.complete(from, time.Now()); err != nil {
		return err
	}
	d := &draft{profile: edxml.ProfileQCVN102, document: h.document, status: h.status}
	if h.profile != "" {
		d.profile = h.profile
	}
	if asked != "" {
		d.profile = asked
	}
	if err := d.writable(); err != nil {
		return fileError{from, err}
	}
	described := []edxml.Attachment{}
	if d.document != nil {
		described = d.document.Attachments
	}
	if err := p.attach(c.Context, d, from, c.StringSlice("attach")); err != nil {
		return err
	}
	if d.document != nil {
		d.document.Label(d.profile)
	}
	packet, err := d.read()
	if err != nil {
		return err
	}
	for i, a := range described {
		if got := packet.Document.Attachments[i]; a.SHA256 != "" && !strings.EqualFold(a.SHA256, got.SHA256) || a.Size > 0 && a.Size != got.Size {
			return headerFault(from, "tệp đính kèm %q không phải tệp mà khai báo mô tả (khác dung lượng hoặc mã băm)", "attachment %q is not the file that the header describes (size or digest differ)", a.Name)
		}
	}
	if err := p.refuse(from, packet); err != nil {
		return err
	}
	asDescribed := leaves(&edxml.Packet{Document: d.document, Status: d.status})
	if err := p.kept(from, compareLeaves(asDescribed, leaves(packet))); err != nil {
		return err
	}
	return p.output(c, d.write)
}

// refuse prints the findings of a packet that is to be written, and returns an
// error when there is one among them.
func (p *program) refuse(name string, packet *edxml.Packet) error {
	talk := *p
	talk.out = p.err
	findings := append(packet.Findings, edxml.Validate(packet, time.Now())...)
	bad := 0
	for _, f := range findings {
		if f.Severity == edxml.Error {
			bad++
		}
		if f.Severity != edxml.Info {
			f.Pos.Line, f.Pos.Column = 0, 0 // of a file that there is not yet
			if err := talk.finding(name+":", f.In(p.lang)); err != nil {
				return err
			}
		}
	}
	if bad == 0 {
		return nil
	}
	return fileError{name, told{exitInvalid, edxml.Text{
		VI: fmt.Sprintf("gói tin có %d lỗi nên không được ghi ra", bad), EN: fmt.Sprintf("the packet has errors (%d) and is not written", bad),
	}, edxml.Text{}}}
}

// output writes to the file of --out, whole or not at all, else to standard
// output.
func (p *program) output(c *cli.Context, write func(io.Writer) error) error {
	if out := c.String("out"); out != "" && out != "-" {
		return replaceFile(out, write)
	}
	return write(p.out)
}

// attach pairs the files with the attachments that the header describes, and
// appends the others.
func (p *program) attach(ctx context.Context, d *draft, from string, names []string) error {
	if d.document == nil {
		if len(names) > 0 {
			return headerFault(from, "gói tin trạng thái không mang tệp đính kèm", "a status carries no attachments")
		}
		return nil
	}
	safe := map[string]bool{}
	var files []draftFile
	for i, a := range d.document.Attachments {
		extracted := sink.FileName(a.Name, i, safe) // the name that extract gives it
		at := slices.IndexFunc(names, func(name string) bool { return filepath.Base(name) == a.Name || filepath.Base(name) == extracted })
		if at < 0 {
			return headerFault(from, "thiếu tệp đính kèm %q: dùng --attach", "attachment %q is missing: give it with --attach", a.Name)
		}
		f, err := p.openAttachment(ctx, names[at])
		if err != nil {
			return err
		}
		files, names = append(files, f), slices.Delete(slices.Clone(names), at, at+1)
	}
	for _, name := range names {
		f, err := p.openAttachment(ctx, name)
		if err != nil {
			return err
		}
		files = append(files, f)
		d.document.Attachments = append(d.document.Attachments, edxml.Attachment{Name: filepath.Base(name)})
	}
	d.files = files
	return nil
}

// openAttachment looks at a file on disk. It is opened when it is needed.
func (p *program) openAttachment(ctx context.Context, name string) (draftFile, error) {
	info, err := os.Stat(name)
	if err != nil {
		return draftFile{}, fileError{name, errors.Unwrap(err)}
	}
	if !info.Mode().IsRegular() {
		return draftFile{}, fileError{name, told{exitFailed, edxml.Text{VI: "không phải một tệp thường", EN: "this is no regular file"}, edxml.Text{}}}
	}
	return draftFile{size: info.Size(), open: func() (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, fileError{name, errors.Unwrap(err)}
		}
		return section{io.NewSectionReader(p.screen.watch(name, info.Size(), interruptible{f, ctx.Err}), 0, info.Size()), f}, nil
	}}, nil
}
