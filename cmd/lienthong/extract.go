package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/sink"
)

func (p *program) extractCommand() *cli.Command {
	return &cli.Command{
		Name:      "extract",
		Usage:     p.say("lấy tệp đính kèm ra khỏi gói tin", "take the attachments out of packets"),
		ArgsUsage: p.say("TỆP…", "FILE…"),
		Description: p.say(
			"Tên tệp được làm an toàn, không bao giờ ra ngoài thư mục và không ghi đè tệp có sẵn: tên đã có thì\n"+
				"thêm số. Tệp hỏng hoặc thiếu được nêu tên (mã thoát 3), các tệp khác vẫn được lấy ra.",
			"Names are made safe, never lead out of the folder, and nothing is overwritten: a name that is taken\n"+
				"gets a number. A damaged or missing file is named (exit code 3); the others are taken out all the same."),
		Flags: []cli.Flag{
			p.jsonFlag(), p.withFlag(),
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Value: ".", Usage: p.say("thư mục để ghi", "the folder to write to")},
		},
		Action: p.extract,
	}
}

// extracted is a file that was taken out, or why one was not: a line of
// extract --json.
type extracted struct {
	Packet string `json:"packet"`
	Name   string `json:"name,omitempty"` // as the packet has it
	File   string `json:"file,omitempty"` // where it is now
	Size   *int64 `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Error  string `json:"error,omitempty"`
}

// extraction is one run of extract.
type extraction struct {
	*program
	json bool
	dir  string
	root *os.Root        // nothing is written outside
	used map[string]bool // names that are taken
}

func (p *program) extract(c *cli.Context) error {
	x := &extraction{program: p, json: c.Bool("json"), dir: c.String("out"), used: map[string]bool{}}
	defer func() {
		if x.root != nil {
			x.root.Close()
		}
	}()
	return p.eachPacket(c, func(file string) (int, error) {
		f, err := p.openPacket(c.Context, file, true)
		if err != nil {
			return exitDone, err
		}
		f.with = c.String("with")
		code, err := x.packet(f, file)
		if err = errors.Join(err, f.Close()); err != nil {
			var known fileError
			if !errors.As(err, &known) {
				err = fileError{file, err}
			}
		}
		return code, err
	})
}

// packet takes out what is in one packet.
func (x *extraction) packet(f *packetFile, file string) (int, error) {
	if err := x.open(); err != nil {
		return exitDone, err
	}
	var written string // the content of the attachment at hand, under a name that nobody looks at
	defer func() {
		if written != "" {
			_ = x.root.Remove(written) // the error that led here is the one to tell
		}
	}()
	count, begun := 0, 0
	packet, err := f.walk(func(a *edxml.Attachment) error {
		var err error
		written, err = x.write(a.Content)
		return err
	}, func(a edxml.Attachment, findings []edxml.Finding) error { // now its name and digest are known
		damaged := slices.ContainsFunc(findings[begun:], func(f edxml.Finding) bool { return f.Rule == "ATT-6" || f.Rule == "ATT-8" })
		begun, count = len(findings), count+1
		if damaged {
			err := x.root.Remove(written)
			written = ""
			return err
		}
		name, err := x.keep(written, a.Name, count-1)
		if err != nil {
			return err
		}
		written = ""
		if x.json {
			return x.record(extracted{Packet: file, Name: a.Name, File: filepath.Join(x.dir, name), Size: &a.Size, SHA256: a.SHA256})
		}
		_, err = fmt.Fprintln(x.out, clean(filepath.Join(x.dir, name)))
		return err
	})
	if err != nil {
		return exitDone, err
	}
	if count == 0 {
		x.talk("%s: không có tệp đính kèm", "%s: there is no attachment", file)
	}
	return x.complain(file, packet), nil
}

// open opens the folder, which is made when there is none.
func (x *extraction) open() (err error) {
	if x.root != nil {
		return nil
	}
	if err := os.MkdirAll(x.dir, 0o777); err != nil {
		return fileError{x.dir, errors.Unwrap(err)}
	}
	if x.root, err = os.OpenRoot(x.dir); err != nil {
		return fileError{x.dir, errors.Unwrap(err)}
	}
	return nil
}

// write writes content to a new file. Damaged content is cut short there and
// shows among the packet's findings.
func (x *extraction) write(content io.Reader) (name string, err error) {
	name = ".lienthong-" + rand.Text()
	w, err := x.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return "", fileError{x.dir, errors.Unwrap(err)}
	}
	_, err = io.Copy(w, content)
	var damage *edxml.ContentError
	if errors.As(err, &damage) {
		err = nil
	}
	return name, errors.Join(err, w.Close())
}

// keep gives a written file its name: the first safe one that is not taken.
// The name is reserved first, so that no file of somebody else's is replaced.
func (x *extraction) keep(written, name string, i int) (string, error) {
	for {
		safe := sink.FileName(name, i, x.used)
		w, err := x.root.OpenFile(safe, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fileError{filepath.Join(x.dir, safe), errors.Unwrap(err)}
		}
		if err := errors.Join(w.Close(), x.root.Rename(written, safe)); err != nil {
			return "", fileError{filepath.Join(x.dir, safe), errors.Join(err, x.root.Remove(safe))}
		}
		return safe, nil
	}
}

// complain names what could not be taken out and returns the exit code.
func (x *extraction) complain(file string, packet *edxml.Packet) int {
	code := exitDone
	for _, f := range incomplete(packet.Findings) {
		err := fileError{file, told{exitInvalid, f.Message, f.Remedy}}
		if x.json {
			if err := x.record(extracted{Packet: file, Error: f.Message.In(x.lang)}); err != nil {
				code = heavier(code, x.report(err))
			}
		}
		if x.report(err); f.Severity == edxml.Error {
			code = heavier(code, exitInvalid)
		}
	}
	return code
}

// incomplete returns the findings which say that a file is not there as it was
// put in: missing, damaged, or one of several contents.
func incomplete(findings []edxml.Finding) []edxml.Finding {
	var found []edxml.Finding
	for _, f := range findings {
		switch f.Rule {
		case "ATT-1", "ATT-6", "ATT-7", "ATT-8", "ATT-11":
			found = append(found, f)
		}
	}
	return found
}

// walk reads the packet. begin gets each attachment while its content can be
// read; end gets it with everything that is known when it is over, and the
// findings so far.
func (f *packetFile) walk(begin func(*edxml.Attachment) error, end func(edxml.Attachment, []edxml.Finding) error) (*edxml.Packet, error) {
	o, done, err := f.options(false)
	if err != nil {
		return nil, err
	}
	defer done()
	r, err := edxml.NewReader(io.NewSectionReader(f.xml, 0, f.size), o)
	if err != nil {
		return nil, err
	}
	ended := 0
	for {
		a, err := r.Next()
		packet := r.Packet()
		if packet.Document != nil {
			for ; ended < len(packet.Document.Attachments); ended++ {
				if err := end(packet.Document.Attachments[ended], packet.Findings); err != nil {
					return nil, err
				}
			}
		}
		if err == io.EOF {
			return packet, nil
		}
		if err != nil {
			return nil, err
		}
		if err := begin(a); err != nil {
			return nil, err
		}
	}
}
