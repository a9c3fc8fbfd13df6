package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
)

func (p *program) convertCommand() *cli.Command {
	return &cli.Command{
		Name:      "convert",
		Usage:     p.say("chuyển gói tin giữa dạng một tệp và dạng SOAP", "turn a single-file packet into a SOAP packet, and back"),
		ArgsUsage: p.say("TỆP", "FILE"),
		Description: p.say(
			"Giữ mọi trường và từng byte của tệp đính kèm, ghi ở dạng chặt chẽ. Hai dạng có không gian tên khác\n"+
				"nhau nên chữ ký số không còn giá trị: gói tin đã ký bị từ chối (mã thoát 4), trừ khi có --drop-signature.",
			"Keeps every field and every byte of the attachments, and writes the strict form. The two forms have\n"+
				"different namespaces, so no signature survives: a signed packet is refused (exit code 4) unless\n"+
				"--drop-signature is given."),
		Flags: []cli.Flag{
			p.profileFlag(p.say("mặc định là dạng còn lại", "default the other one")),
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: p.say("tệp ra; mặc định là đầu ra chuẩn", "output file; default standard output")},
			p.withFlag(),
			&cli.BoolFlag{Name: "drop-signature", Usage: p.say("bỏ chữ ký số của gói tin", "give up the packet's signature")},
		},
		Action: p.convert,
	}
}

func (p *program) convert(c *cli.Context) error {
	name, err := argument(c, "tệp gói tin", "the packet file")
	if err != nil {
		return err
	}
	asked, err := profile(c)
	if err != nil {
		return err
	}
	err = p.convertFile(c, name, asked)
	if c.Context.Err() != nil {
		return interrupted()
	}
	return err
}

func (p *program) convertFile(c *cli.Context, name string, asked edxml.Profile) (err error) {
	f, err := p.openPacket(c.Context, name, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	f.with = c.String("with")
	if packet, err := f.read(true); err != nil { // the header alone says whether it may be converted
		return fileError{name, err}
	} else if err := p.signedAlready(name, packet, c.Bool("drop-signature")); err != nil {
		return err
	}
	d, packet, err := f.draft()
	if err != nil {
		return fileError{name, err}
	}
	switch {
	case asked != "":
		d.profile = asked
	case packet.Profile == edxml.ProfileQCVN102 && packet.Status == nil: // a status has the one form only
		d.profile = edxml.ProfileSOAP
	default:
		d.profile = edxml.ProfileQCVN102
	}
	if err := d.writable(); err != nil {
		return fileError{name, err}
	}
	for _, f := range incomplete(packet.Findings) {
		if f.Severity == edxml.Error {
			return fileError{name, told{exitInvalid, f.Message, f.Remedy}}
		}
		p.talk("%s: %s", "%s: %s", name, clean(f.Message.In(p.lang)))
	}
	for _, f := range packet.Findings {
		switch f.Rule {
		case "PKT-1", "PKT-2", "PKT-5": // what was not understood, or stands twice
			p.talk("%s:%d: %s", "%s:%d: %s", name, f.Pos.Line, clean(f.Message.In(p.lang)))
		}
	}
	if d.document != nil {
		d.document.Label(d.profile)
	}
	written, err := d.read()
	if err != nil {
		return fileError{name, err}
	}
	if err := p.kept(name, compare(packet, written)); err != nil {
		return err
	}
	if packet.Credential != nil {
		p.talk("%s: token truy cập trong gói tin không được chép lại", "%s: the access token in the packet is not copied", name)
	}
	return p.output(c, d.write)
}

// signedAlready refuses a signed packet, and says which blocks are left out.
func (p *program) signedAlready(name string, packet *edxml.Packet, drop bool) error {
	for _, b := range packet.Signatures {
		switch {
		case b.Name.Space != edxml.NamespaceDSig:
			p.talk("%s:%d: khối %s không phải chữ ký số và không được chép lại", "%s:%d: block %s is no signature and is not copied", name, b.Pos.Line, clean(b.Name.String()))
		case drop:
			p.talk("%s:%d: chữ ký số bị bỏ, cần ký lại: lienthong sign", "%s:%d: the signature is dropped, sign it again: lienthong sign", name, b.Pos.Line)
		default:
			return fileError{name, told{exitSignature,
				edxml.Text{
					VI: fmt.Sprintf("gói tin đã ký số (dòng %d); chữ ký sẽ mất khi chuyển dạng", b.Pos.Line),
					EN: fmt.Sprintf("the packet is signed (line %d); the signature would not survive", b.Pos.Line),
				},
				edxml.Text{
					VI: "thêm --drop-signature nếu chấp nhận bỏ chữ ký, rồi ký lại bằng lienthong sign",
					EN: "add --drop-signature to give the signature up, then sign again with lienthong sign",
				}}}
		}
	}
	return nil
}

// draft reads the packet into a draft; the content of its attachments waits in
// a temporary file.
func (f *packetFile) draft() (*draft, *edxml.Packet, error) {
	o, done, err := f.options(false)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	r, err := edxml.NewReader(io.NewSectionReader(f.xml, 0, f.size), o)
	if err != nil {
		return nil, nil, err
	}
	if status := r.Packet().Status; status != nil {
		if _, err := r.Next(); err != io.EOF {
			return nil, nil, err
		}
		return &draft{status: status}, r.Packet(), nil
	}
	tmp, err := f.temp()
	if err != nil {
		return nil, nil, err
	}
	d := &draft{}
	var at int64
	d.document, err = r.Collect(func(a *edxml.Attachment) (io.Reader, error) {
		n, err := io.Copy(tmp, a.Content)
		var damage *edxml.ContentError
		if errors.As(err, &damage) { // a finding by now
			err = nil
		}
		begin := at
		at += n
		section := func() io.Reader { return io.NewSectionReader(interruptible{tmp, f.alive}, begin, n) }
		d.files = append(d.files, draftFile{size: n, open: func() (io.ReadCloser, error) { return io.NopCloser(section()), nil }})
		return section(), err
	})
	if err != nil {
		return nil, nil, err
	}
	return d, r.Packet(), nil
}

// kept makes sure that nothing a packet said is missing from what will be
// written. Of what the standard does not know, it names what has no place.
func (p *program) kept(name string, differences []difference) error {
	var lost []string
	for _, d := range differences {
		switch {
		case d.A == nil:
		case strings.HasPrefix(d.Path, extraPath):
			p.talk("%s: %s nằm ngoài quy chuẩn và không được chép lại", "%s: %s is not in the standard and is not copied", name, clean(strings.TrimPrefix(d.Path, extraPath)))
		case strings.HasPrefix(d.Path, "errors["):
			p.talk("%s: %s (ErrorList) chỉ có chỗ trong dạng SOAP và không được chép lại", "%s: %s (ErrorList) has a place in the SOAP form only and is not copied", name, d.Path)
		case !d.Harmless || strings.HasPrefix(d.Path, "traceHeaders["):
			lost = append(lost, d.Path)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	fields := strings.Join(lost[:min(len(lost), 10)], ", ")
	return fileError{name, told{exitInvalid,
		edxml.Text{VI: "các trường sau không ghi được đúng như đã cho: " + fields, EN: "these cannot be written as they are: " + fields},
		edxml.Text{VI: "xem các phát hiện của lienthong validate về những trường này", EN: "see what lienthong validate finds about them"}}}
}
