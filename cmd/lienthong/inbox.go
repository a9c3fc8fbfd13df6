package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/sink"
)

func (p *program) inboxCommand() *cli.Command {
	report := func(name string, code edxml.StatusCode, vi, en string, reason bool) *cli.Command {
		return &cli.Command{
			Name: name, Usage: p.say(vi, en), ArgsUsage: p.say("MÃ", "ID"),
			Flags: []cli.Flag{
				p.configFlag(), p.jsonFlag(),
				&cli.StringFlag{Name: "reason", Usage: p.say("lý do, ghi vào trạng thái", "reason, written into the status")},
				&cli.StringFlag{Name: "staff", Usage: p.say("người xử lý", "the person who did it")},
			},
			Action: func(c *cli.Context) error {
				if reason && c.NArg() > 0 {
					if err := require(c, "reason"); err != nil {
						return err
					}
				}
				return p.reportStatus(c, code)
			},
		}
	}
	return &cli.Command{
		Name: "inbox", Usage: p.say("văn bản đến", "incoming documents"),
		Subcommands: append(p.boxCommands(node.In),
			&cli.Command{
				Name: "save", Usage: p.say("lưu gói tin và các tệp vào thư mục", "save the packet and its files to a folder"), ArgsUsage: p.say("MÃ", "ID"),
				Flags: []cli.Flag{
					p.configFlag(), p.jsonFlag(),
					&cli.StringFlag{Name: "to", Value: ".", Usage: p.say("thư mục", "the folder")},
				},
				Action: p.save,
			},
			report("accept", edxml.StatusAccepted, "báo 03 đã tiếp nhận", "report 03 accepted", false),
			report("reject", edxml.StatusRefused, "báo 02 từ chối, phải có --reason", "report 02 refused, needs --reason", true),
			report("finish", edxml.StatusDone, "báo 06 hoàn thành", "report 06 done", false),
		),
	}
}

// reportStatus reports what happened to a Document here.
func (p *program) reportStatus(c *cli.Context, code edxml.StatusCode) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	r := api.Report{Code: code, Description: c.String("reason")}
	if staff := c.String("staff"); staff != "" {
		r.StaffInfo = &edxml.StaffInfo{Staff: staff}
	}
	return p.through(c, func(d *api.Client) error {
		t, err := d.Report(c.Context, ref, r)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(t)
		}
		fmt.Fprintln(p.out, t.ID)
		name, _ := code.Name()
		p.talk("trạng thái %s %s đang chờ gửi", "status %s %s is queued", code, name.In(p.lang))
		return nil
	})
}

// saved is a file that inbox save wrote.
type saved struct {
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// save writes the envelope and the files of a Document. Names from the packet
// are made safe, and nothing is overwritten.
func (p *program) save(c *cli.Context) error {
	ref, err := argument(c, "mã văn bản", "the document's id")
	if err != nil {
		return err
	}
	dir := c.String("to")
	return p.through(c, func(d *api.Client) error {
		t, err := d.Transfer(c.Context, node.In, ref)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fileError{dir, err}
		}
		used := map[string]bool{"envelope.xml": true}
		all := []saved{}
		put := func(name string, content node.Content, open func() (io.ReadCloser, error)) error {
			file := filepath.Join(dir, name)
			if err := write(file, open); err != nil {
				return err
			}
			all = append(all, saved{file, content.Size, content.SHA256})
			return nil
		}
		err = put("envelope.xml", t.Envelope, func() (io.ReadCloser, error) { return d.Envelope(c.Context, node.In, t.ID) })
		for i, part := range t.Parts {
			if err != nil {
				return err
			}
			err = put(sink.FileName(part.Name, i, used), part.Content, func() (io.ReadCloser, error) { return d.File(c.Context, node.In, t.ID, i) })
		}
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(all)
		}
		for _, s := range all {
			fmt.Fprintln(p.out, s.File)
		}
		return nil
	})
}

// write copies a stream into a new file; a cut-off copy is removed.
func write(file string, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := createFile(file, 0o644, edxml.Text{VI: "chọn thư mục khác bằng --to", EN: "choose another folder with --to"})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err := errors.Join(err, w.Close()); err != nil {
		return fileError{file, errors.Join(err, os.Remove(file))}
	}
	return nil
}
