package main

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

func (p *program) xmldsigCommand() *cli.Command {
	return &cli.Command{
		Name:  "xmldsig",
		Usage: p.say("chữ ký XML trong tệp bất kỳ, không chỉ gói tin", "XML signatures in any file, not only packets"),
		Subcommands: []*cli.Command{{
			Name:      "verify",
			Usage:     p.say("kiểm tra một chữ ký XML", "verify one XML signature"),
			ArgsUsage: p.say("TỆP", "FILE"),
			Description: p.say(
				"Chỉ kiểm tra chữ ký có đúng với nội dung không; người ký có đáng tin không thì không xét.\n"+
					"Mã thoát 0 khi đúng; 4 khi sai, khi không có chữ ký và khi ngoài các thuật toán được hỗ trợ (unsupported).",
				"Tells whether the signature fits the content; whether the signer is to be trusted is not asked.\n"+
					"Exits with 0 when it does; with 4 when it does not, when there is none, and when it is unsupported."),
			Flags: []cli.Flag{
				&cli.IntFlag{Name: "index", Value: 1, Usage: p.say("chữ ký thứ mấy (đếm từ 1, chỉ kể chữ ký có SignedInfo)", "which signature, counted from 1 among those with a SignedInfo")},
				&cli.StringFlag{Name: "key", Usage: p.say("tệp PEM khóa công khai; mặc định lấy khóa trong KeyInfo", "PEM file of the public key; default the key in KeyInfo")},
				&cli.StringFlag{Name: "cert", Usage: p.say("tệp PEM chứng thư, thay cho --key", "PEM file of the certificate, in place of --key")},
				&cli.BoolFlag{Name: "legacy", Usage: p.say("chấp nhận SHA-1 và khóa RSA từ 512 bit, kèm cảnh báo", "accept SHA-1 and RSA keys from 512 bits, with a warning")},
				&cli.StringFlag{Name: "signed-out", Usage: p.say("ghi vào tệp này đúng các byte đã được ký, chỉ khi chữ ký đúng", "write exactly the octets that were digested to this file, only when the signature is good")},
				p.jsonFlag(),
			},
			Action: p.verifyXML,
		}},
	}
}

// The states of xmldsig verify.
const (
	stateValid       = "valid"
	stateInvalid     = "invalid"
	stateUnsupported = "unsupported"
)

func (p *program) verifyXML(c *cli.Context) (err error) {
	name, err := argument(c, "tệp XML", "the XML file")
	if err != nil {
		return err
	}
	o := signature.XMLOptions{Index: c.Int("index"), AllowLegacy: c.Bool("legacy")}
	if o.Index < 1 {
		return usageError{edxml.Text{VI: "--index đếm từ 1", EN: "--index counts from 1"}, c.Command.HelpName}
	}
	if o.Key, err = publicKey(c); err != nil {
		return err
	}
	f, err := p.openXML(c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	v, err := signature.VerifyXML(f.xml, f.size, o)
	if err != nil {
		return fileError{name, err}
	}
	if out := c.String("signed-out"); out != "" && v.Err == nil {
		if err := replaceFile(out, func(w io.Writer) error {
			o.SignedOut = w
			again, err := signature.VerifyXML(f.xml, f.size, o)
			return errors.Join(err, again.Err)
		}); err != nil {
			return err
		}
	}
	return p.showXML(c, name, v)
}

// openXML opens any XML file, or spools standard input.
func (p *program) openXML(c *cli.Context, name string) (*packetFile, error) {
	f, err := p.openPacket(c.Context, name, false)
	if err == nil && f.mime {
		err = errors.Join(fileError{name, signature.ErrNotPacket}, f.Close())
	}
	return f, err
}

// publicKey reads the key that --key or --cert names, nil without either.
func publicKey(c *cli.Context) (crypto.PublicKey, error) {
	file := c.String("key")
	if file == "" {
		file = c.String("cert")
	} else if c.IsSet("cert") {
		return nil, usageError{edxml.Text{VI: "chỉ dùng một trong --key và --cert", EN: "use one of --key and --cert"}, c.Command.HelpName}
	}
	if file == "" {
		return nil, nil
	}
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PUBLIC KEY":
			if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
				return key, nil
			}
		case "RSA PUBLIC KEY":
			if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
				return key, nil
			}
		case "CERTIFICATE":
			if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
				return cert.PublicKey, nil
			}
		}
	}
	return nil, fileError{file, told{exitFailed,
		edxml.Text{VI: "không có khóa công khai hay chứng thư PEM nào đọc được", EN: "there is no PEM public key or certificate in it that can be read"},
		edxml.Text{VI: "tệp phải có khối BEGIN PUBLIC KEY hoặc BEGIN CERTIFICATE", EN: "the file must hold a BEGIN PUBLIC KEY or BEGIN CERTIFICATE block"},
	}}
}

func (p *program) showXML(c *cli.Context, name string, v signature.XMLVerdict) error {
	state := stateValid
	switch {
	case errors.Is(v.Err, signature.ErrAlgorithm):
		state = stateUnsupported
	case errors.Is(v.Err, signature.ErrUnsigned):
		state = stateUnsigned
	case v.Err != nil:
		state = stateInvalid
	}
	var err error
	if c.Bool("json") {
		err = p.recordXML(name, state, v)
	} else {
		err = p.printXML(name, state, v)
	}
	if err == nil && v.Err != nil {
		err = quietError{exitSignature}
	}
	return err
}

func (p *program) recordXML(name, state string, v signature.XMLVerdict) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	fields := make(map[string]any)
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	fields["file"], fields["state"], fields["message"] = name, state, v.Message().In(p.lang)
	return p.record(fields)
}

func (p *program) printXML(name, state string, v signature.XMLVerdict) error {
	if _, err := fmt.Fprintf(p.out, "%s: %s: %s\n", clean(name), state, clean(v.Message().In(p.lang))); err != nil {
		return err
	}
	s := sheet{tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0), p}
	s.line("  thuật toán", "  algorithm", v.Algorithm)
	s.line("  khóa", "  key", v.KeyFrom)
	if v.Signer != nil {
		s.line("  chứng thư (chưa xét độ tin cậy)", "  certificate (trust not judged)", v.Signer.Subject.String())
	}
	for _, r := range v.References {
		what := r.Element
		if what == "" {
			what = p.say("không có phần tử nào", "no element")
		}
		if !r.Intact {
			what += p.say(" (không khớp)", " (does not fit)")
		}
		s.line("  bao phủ", "  covers", fmt.Sprintf("%q", r.URI), what)
	}
	s.line("  lưu ý", "  note", strings.Join(v.Warnings, ", "))
	return s.w.Flush()
}
