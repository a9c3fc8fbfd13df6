package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport/soap"
)

func (p *program) signCommand() *cli.Command {
	return &cli.Command{
		Name:      "sign",
		Usage:     p.say("ký số một gói tin", "sign a packet"),
		ArgsUsage: p.say("TỆP", "FILE"),
		Description: p.say(
			"Gói tin một tệp được ký toàn bộ; gói tin SOAP được ký theo từng phần cùng các tệp, nên chữ ký\n"+
				"còn nguyên khi trục thêm dấu vết chuyển tiếp. Tệp ra được ghi trọn vẹn hoặc không ghi gì.",
			"A single file is signed as a whole; a SOAP packet by its parts and files, so that the signature\n"+
				"survives what is added on the way. The output is written whole or not at all."),
		Flags: slices.Concat(p.keyFlags(), []cli.Flag{
			&cli.StringFlag{Name: "alg", Usage: p.say("thuật toán: ", "algorithm: ") + algorithms() + p.say("; mặc định theo khóa", "; default by the key")},
			&cli.BoolFlag{Name: "plain", Usage: p.say("không kèm thuộc tính XAdES (thời điểm ký, chứng thư người ký)", "without the XAdES properties (signing time, signer's certificate)")},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: p.say("tệp ra; mặc định là đầu ra chuẩn", "output file; default standard output")},
			&cli.StringFlag{Name: "placement", Usage: p.say("whole (toàn bộ) hoặc parts (từng phần); mặc định theo dạng gói tin", "whole or parts; default by the packet's profile")},
			&cli.StringFlag{Name: "detach-from", Usage: p.say("ký rời: đối số là tên các tệp đính kèm của gói tin này (không có đối số: chính gói tin); chữ ký nằm ở tệp riêng, kiểm tra bằng verify --detached",
				"a signature in a file of its own: the arguments name attachments of this packet (none: the packet itself); check it with verify --detached")},
		}, p.stampFlags()),
		Action: p.sign,
	}
}

func (p *program) sign(c *cli.Context) error {
	detached := c.String("detach-from")
	name := detached
	if detached == "" {
		var err error
		if name, err = argument(c, "tệp gói tin", "the packet file"); err != nil {
			return err
		}
	}
	if c.IsSet("stamp-out") {
		return p.stampLater(c, name)
	}
	o, err := p.signOptions(c)
	if err != nil {
		return err
	}
	key, closer, err := signingKey(c)
	if err != nil {
		return err
	}
	defer closer.Close()
	var missed *signature.TSAError
	if detached != "" {
		missed, err = p.detach(c, key, o)
	} else {
		missed, err = p.signFile(c, name, key, o)
	}
	if err != nil {
		if c.Context.Err() != nil {
			return interrupted()
		}
		return err
	}
	p.talk("%s: đã ký bởi %s", "%s: signed by %s", name, clean(key.Chain[0].Subject.String()))
	if missed != nil {
		return stampFault(missed, edxml.Text{
			VI: "gói tin đã ký, chưa có dấu thời gian; lấy sau: lienthong sign --tsa … --stamp-out TỆP GÓI-TIN-ĐÃ-KÝ",
			EN: "the packet is signed, without a stamp; fetch it later: lienthong sign --tsa … --stamp-out FILE SIGNED-PACKET",
		})
	}
	return nil
}

// signOptions reads how to sign.
func (p *program) signOptions(c *cli.Context) (o signature.SignOptions, err error) {
	o = signature.SignOptions{Plain: c.Bool("plain"), Algorithm: signature.Algorithm(c.String("alg"))}
	if alg := o.Algorithm; alg != "" && !slices.Contains(signature.Algorithms(), alg) {
		return o, usageError{edxml.Text{
			VI: fmt.Sprintf("--alg %q: chỉ có %s", alg, algorithms()), EN: fmt.Sprintf("--alg %q: it is one of %s", alg, algorithms()),
		}, c.Command.HelpName}
	}
	switch placement := c.String("placement"); placement {
	case "":
	case "whole":
		o.Placement = signature.Whole
	case "parts":
		o.Placement = signature.Parts
	default:
		return o, usageError{edxml.Text{
			VI: fmt.Sprintf("--placement %q: chỉ có whole hoặc parts", placement), EN: fmt.Sprintf("--placement %q: it is whole or parts", placement),
		}, c.Command.HelpName}
	}
	tsa, err := p.authority(c)
	if err != nil || tsa == nil {
		return o, err
	}
	if o.Plain {
		return o, usageError{edxml.Text{
			VI: "--tsa cần thuộc tính XAdES, không dùng cùng --plain", EN: "--tsa needs the XAdES properties, so it does not go with --plain",
		}, c.Command.HelpName}
	}
	o.Stamp = func(of signature.Imprint) (signature.Stamp, error) { return tsa.Stamp(c.Context, of) }
	return o, nil
}

// algorithms lists the signature methods for people.
func algorithms() string {
	var names []string
	for _, a := range signature.Algorithms() {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}

// signFile signs a packet. A time stamp that does not come is no reason not to:
// the packet is signed without, and told is why.
func (p *program) signFile(c *cli.Context, name string, key *signature.Key, o signature.SignOptions) (missed *signature.TSAError, err error) {
	f, err := p.openPacket(c.Context, name, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.read(true); err != nil { // says what is no packet, in the words of all commands
		return nil, fileError{name, err}
	}
	err = p.writeOut(c, func(w io.Writer) error {
		err := f.sign(w, key, o)
		if errors.As(err, &missed) {
			o.Stamp = nil
			err = f.sign(w, key, o)
		}
		if fault := signFault(err); fault != nil {
			return fileError{name, fault}
		}
		return err
	})
	return missed, err
}

// writeOut writes to the file of --out, whole or not at all, or to standard
// output.
func (p *program) writeOut(c *cli.Context, write func(io.Writer) error) error {
	if out := c.String("out"); out != "" && out != "-" {
		return replaceFile(out, write)
	}
	return write(p.out)
}

// sign writes the packet with its signature. Of a MIME file the envelope is
// replaced, and the files are copied.
func (f *packetFile) sign(w io.Writer, key *signature.Key, o signature.SignOptions) error {
	if !f.mime {
		return signature.Sign(w, f.xml, f.size, nil, key, o)
	}
	envelope, err := f.temp()
	if err != nil {
		return err
	}
	if err := signature.Sign(envelope, f.xml, f.size, f.contents(), key, o); err != nil {
		return err
	}
	size, err := envelope.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	root := packetPart{id: f.root, content: io.NewSectionReader(interruptible{envelope, f.alive}, 0, size)}
	if root.id == "" {
		root.id = "envelope-" + rand.Text()
	}
	files := make([]soap.Part, len(f.parts))
	for i, part := range f.parts {
		files[i] = part.outgoing()
	}
	body, err := soap.NewBody(root.outgoing(), files)
	if err != nil {
		return err
	}
	return body.WriteFile(w)
}

// outgoing is the part as it goes into another message.
func (p packetPart) outgoing() soap.Part {
	return soap.Part{ID: p.id, Type: p.contentType, Size: p.content.Size(), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(p.open()), nil
	}}
}

// signFault explains why a packet cannot be signed, nil when explain can.
func signFault(err error) error {
	reason := signature.Verdict{Err: err}
	switch {
	case errors.Is(err, signature.ErrNotPacket):
		return fmt.Errorf("%w (%w)", edxml.ErrNotPacket, err)
	case err == nil, reason.Reason() == "unreadable":
		return nil
	}
	text := reason.Message()
	e := told{exitInvalid, edxml.Text{VI: "không ký được: " + clean(text.VI), EN: "it cannot be signed: " + clean(text.EN)}, edxml.Text{
		VI: "xem lienthong validate", EN: "see lienthong validate",
	}}
	switch {
	case errors.Is(err, signature.ErrAlgorithm):
		e.code, e.hint = exitFailed, edxml.Text{VI: "dùng khóa RSA từ 2048 bit, ECDSA P-256, P-384, P-521 hoặc Ed25519, và thuật toán hợp với khóa", EN: "use an RSA key of 2,048 bits or more, ECDSA P-256, P-384, P-521 or Ed25519, and an algorithm that suits the key"}
	case errors.Is(err, signature.ErrMissingContent):
		e.hint = edxml.Text{
			VI: "ký tệp MIME có cả phong bì và mọi tệp đính kèm, không ký phong bì rời", EN: "sign the MIME file that holds the envelope and every attachment, not the envelope alone",
		}
	}
	return e
}

// replaceFile writes a file whole or not at all: beside it first, then renamed
// over it. What is no regular file, such as a pipe, is written straight.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	var w *os.File
	info, err := os.Stat(name)
	exists := err == nil
	if exists && !info.Mode().IsRegular() {
		if w, err = os.OpenFile(name, os.O_WRONLY, 0); err != nil {
			return fileError{name, errors.Unwrap(err)}
		}
		return errors.Join(write(w), w.Close())
	}
	w, err = os.OpenFile(filepath.Join(filepath.Dir(name), ".lienthong-"+rand.Text()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return fileError{name, errors.Unwrap(err)}
	}
	defer func() {
		if err != nil {
			w.Close()
			os.Remove(w.Name())
		}
	}()
	if exists {
		if err := w.Chmod(info.Mode().Perm()); err != nil {
			return fileError{name, err}
		}
	}
	if err := write(w); err != nil {
		return err
	}
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		return fileError{name, err}
	}
	if err := os.Rename(w.Name(), name); err != nil {
		return fileError{name, err}
	}
	return nil
}
