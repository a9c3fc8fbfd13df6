package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport/soap"
)

// maxSpool is the limit for a packet that comes through a pipe, in bytes.
const maxSpool = 4 << 30

// packetFile is a packet on disk, in either form: one XML file, or a SOAP
// packet in one MIME file (header lines, an empty line, the body). It can be
// read as often as needed; Close removes what was spooled.
type packetFile struct {
	name   string
	screen *screen
	xml    io.ReaderAt // the single file, or the envelope
	size   int64
	mime   bool
	root   string // Content-ID of the envelope
	parts  []packetPart

	file     io.ReaderAt // the bytes as they lie there, in either form
	fileSize int64

	with   string       // the second file of a two-file dialect
	alive  func() error // why to stop reading, nil to go on
	opened []io.Closer
	temps  []*os.File
}

// packetPart is a file beside the envelope, its Content-Transfer-Encoding
// taken off.
type packetPart struct {
	id, contentType string
	content         *io.SectionReader // nil when the parts were not asked for
}

// openPacket opens a packet file, "-" for standard input. Without withParts
// the files beside an envelope are listed, and their content is passed over.
func (p *program) openPacket(ctx context.Context, name string, withParts bool) (*packetFile, error) {
	in, err := p.input(name)
	if err != nil {
		return nil, err
	}
	f := &packetFile{name: name, screen: p.screen, alive: ctx.Err, opened: []io.Closer{in}}
	if err := f.open(ctx, in, withParts); err != nil {
		return nil, fileError{name, errors.Join(err, f.Close())}
	}
	return f, nil
}

func (f *packetFile) open(ctx context.Context, in io.Reader, withParts bool) error {
	file, ok := in.(*os.File)
	if ok {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		ok, f.size = info.Mode().IsRegular(), info.Size()
	}
	if !ok {
		var err error
		if file, f.size, err = f.spool(ctx, in); err != nil {
			return err
		}
	}
	f.xml = f.screen.watch(f.name, f.size, interruptible{file, f.alive})
	f.file, f.fileSize = f.xml, f.size
	head := make([]byte, 64)
	n, err := f.xml.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	if f.mime = soap.IsFile(head[:n]); !f.mime {
		return nil
	}
	return f.split(io.NewSectionReader(f.xml, 0, f.size), withParts)
}

// spool copies a stream to a temporary file. A stream that never ends its
// silence does not keep the program from ending.
func (f *packetFile) spool(ctx context.Context, in io.Reader) (*os.File, int64, error) {
	tmp, err := f.temp()
	if err != nil {
		return nil, 0, err
	}
	type result struct {
		n   int64
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := io.Copy(tmp, io.LimitReader(in, maxSpool+1))
		done <- result{n, err}
	}()
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case r := <-done:
		if r.n > maxSpool {
			r.err = &edxml.LimitError{Limit: "packet", Max: maxSpool}
		}
		return tmp, r.n, r.err
	}
}

// temp makes a temporary file that Close removes.
func (f *packetFile) temp() (*os.File, error) {
	tmp, err := os.CreateTemp("", "lienthong-*")
	if err == nil {
		f.temps = append(f.temps, tmp)
	}
	return tmp, err
}

// Close closes the files and removes the temporary ones.
func (f *packetFile) Close() error {
	var errs []error
	for _, c := range f.opened {
		errs = append(errs, c.Close())
	}
	for _, t := range f.temps {
		errs = append(errs, t.Close(), os.Remove(t.Name()))
	}
	f.opened, f.temps = nil, nil
	return errors.Join(errs...)
}

// split takes a MIME file apart into the envelope and its files.
func (f *packetFile) split(file io.Reader, withParts bool) error {
	message, err := soap.ReadFile(file, soap.Limits{})
	if err != nil {
		return err
	}
	defer message.Close()
	tmp, err := f.temp()
	if err != nil {
		return err
	}
	var at int64
	for {
		part, err := message.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var content *io.SectionReader
		if part.Root || withParts {
			n, err := io.Copy(tmp, part.Content)
			if err != nil {
				return err
			}
			content = io.NewSectionReader(interruptible{tmp, f.alive}, at, n)
			at += n
		}
		if part.Root {
			f.xml, f.size, f.root = content, content.Size(), part.ID
			continue
		}
		f.parts = append(f.parts, packetPart{part.ID, part.Type, content})
	}
}

// read reads the packet: fields, findings, sizes and digests.
func (f *packetFile) read(skipContent bool) (*edxml.Packet, error) {
	o, done, err := f.options(skipContent)
	if err != nil {
		return nil, err
	}
	defer done()
	return edxml.Read(io.NewSectionReader(f.xml, 0, f.size), o)
}

// options says how to read the packet: with the files beside an envelope, and
// with the second file if there is one. done closes it.
func (f *packetFile) options(skipContent bool) (o edxml.ReadOptions, done func(), err error) {
	o, done = edxml.ReadOptions{SkipContent: skipContent}, func() {}
	if f.with != "" {
		second, err := os.Open(f.with)
		if err != nil {
			return o, nil, fileError{f.with, errors.Unwrap(err)}
		}
		o.With, done = second, func() { second.Close() }
	}
	if f.mime {
		rest := f.parts
		o.Parts = func() (*edxml.Part, error) {
			if len(rest) == 0 {
				return nil, io.EOF
			}
			part := rest[0]
			rest = rest[1:]
			e := &edxml.Part{ID: part.id, Type: part.contentType}
			if part.content != nil {
				e.Content = part.open()
			}
			return e, nil
		}
	}
	return o, done, nil
}

// contents returns the files beside the envelope, for package signature.
func (f *packetFile) contents() []signature.Content {
	all := make([]signature.Content, 0, len(f.parts))
	for _, part := range f.parts {
		id := strings.TrimPrefix(part.id, "cid:")
		all = append(all, signature.Content{ID: id, Name: id, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(part.open()), nil
		}})
	}
	return all
}

// open returns the part's content from its beginning.
func (p packetPart) open() io.Reader { return io.NewSectionReader(p.content, 0, p.content.Size()) }

// interruptible stops reading when the program is told to end.
type interruptible struct {
	io.ReaderAt
	alive func() error
}

// ReadAt implements io.ReaderAt.
func (r interruptible) ReadAt(b []byte, at int64) (int, error) {
	if err := r.alive(); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(b, at)
}

// eachPacket does something with every file that was named; one that fails
// does not keep the others back. do returns the exit code for its file; an
// error is reported here.
func (p *program) eachPacket(c *cli.Context, do func(file string) (int, error)) error {
	return p.eachOf(c, c.Args().Slice(), do)
}

// eachOf is eachPacket for a list of files.
func (p *program) eachOf(c *cli.Context, files []string, do func(file string) (int, error)) error {
	if len(files) == 0 {
		return usageError{edxml.Text{VI: "thiếu tệp gói tin", EN: "a packet file is missing"}, c.Command.HelpName}
	}
	if c.IsSet("with") && len(files) > 1 {
		return usageError{edxml.Text{VI: "--with chỉ dùng với một gói tin", EN: "--with goes with one packet"}, c.Command.HelpName}
	}
	stdin := false
	for _, file := range files {
		if file == "-" && stdin {
			return usageError{edxml.Text{VI: "đầu vào chuẩn (-) chỉ đọc được một lần", EN: "standard input (-) can be read once only"}, c.Command.HelpName}
		}
		stdin = stdin || file == "-"
	}
	worst := exitDone
	for _, file := range files {
		code, err := do(file)
		if c.Context.Err() != nil {
			return interrupted()
		}
		if err != nil {
			code = p.report(err)
		}
		worst = heavier(worst, code)
	}
	if worst != exitDone {
		return quietError{worst}
	}
	return nil
}

// heavier chooses the exit code of a run over several files: an invalid packet
// counts more than a signature that is not acceptable, that more than a file
// that is not there, and that more than any other failure.
func heavier(a, b int) int {
	for _, code := range []int{exitInvalid, exitSignature, exitNotFound, exitFailed} {
		if a == code || b == code {
			return code
		}
	}
	return max(a, b)
}

// interrupted is what a run says that was told to end.
func interrupted() error {
	return told{exitFailed, edxml.Text{VI: "đã dừng theo yêu cầu", EN: "stopped as asked"}, edxml.Text{}}
}

// withFlag names the second file of the dialects that send two.
func (p *program) withFlag() cli.Flag {
	return &cli.StringFlag{Name: "with", Usage: p.say(
		"tệp thứ hai của gói tin hai tệp (CV 512, CV 2803, iVBDH)", "the second file of a two-file packet (CV 512, CV 2803, iVBDH)")}
}
