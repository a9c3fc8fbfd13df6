package main

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

func (p *program) certCommand() *cli.Command {
	at := &cli.StringFlag{Name: "at", Usage: p.say("xét tại thời điểm này (RFC 3339), mặc định là bây giờ", "as of this time (RFC 3339), default now")}
	roots := &cli.StringFlag{Name: "roots", Usage: p.say("tệp PEM các chứng thư gốc được tin cậy (bắt buộc)", "PEM file of the trusted roots (required)")}
	conf := &cli.StringFlag{Name: "config", Usage: p.say("tệp cấu hình của nút", "the node's configuration")}
	where := p.say("[TỆP hoặc THƯ MỤC…]", "[FILE or FOLDER…]")
	return &cli.Command{
		Name: "cert", Usage: p.say("xem và kiểm tra chứng thư số", "look at certificates"),
		Subcommands: []*cli.Command{
			{
				Name: "show", Usage: p.say("xem chứng thư trong tệp PEM hoặc DER, thư mục hoặc cấu hình của nút", "show the certificates in PEM or DER files, folders or a node's configuration"),
				ArgsUsage: where, Flags: []cli.Flag{conf, p.jsonFlag()}, Action: p.certShow,
			},
			{
				Name: "check", Usage: p.say("chứng thư có được tin cậy, còn hạn, chưa bị thu hồi không (mã thoát 4 khi không)", "is a certificate trusted, in force and not revoked (exits with 4 when not)"),
				ArgsUsage: where, Flags: append([]cli.Flag{roots, at, conf, p.jsonFlag()}, p.revocationFlags()...), Action: p.certCheck,
			},
			{
				Name: "forecast", Usage: p.say("chứng thư sắp hết hạn trong tệp, thư mục hoặc cấu hình của nút", "what expires when, in files, folders or a node's configuration"),
				ArgsUsage: where,
				Flags: []cli.Flag{
					conf,
					&cli.IntFlag{Name: "days", Usage: p.say("chỉ những chứng thư hết hạn trong số ngày này; mã thoát 4 khi có", "only what expires within so many days; exits with 4 when there is any")},
					at, p.jsonFlag(),
				},
				Action: p.certForecast,
			},
		},
	}
}

// certificate is a certificate with the file it came from.
type certificate struct {
	*x509.Certificate
	file string
}

// certView is a certificate in JSON.
type certView struct {
	File      string `json:"file"`
	Subject   string `json:"subject"`
	Issuer    string `json:"issuer"`
	Serial    string `json:"serial"` // hexadecimal
	NotBefore string `json:"not_before"`
	NotAfter  string `json:"not_after"`
	Key       string `json:"key"` // for example "RSA 2048"
	Days      *int   `json:"days,omitempty"`
	State     string `json:"state,omitempty"` // check: trusted, untrusted, expired, not-yet-valid, revoked, revocation-unknown or pending

	why edxml.Text
}

// readCertificates reads every certificate of a PEM or DER file.
func readCertificates(file string) ([]certificate, error) {
	data, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	var ders [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	if ders == nil && !bytes.Contains(data, []byte("-----BEGIN")) {
		ders = [][]byte{data}
	}
	var all []certificate
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fileError{file, told{exitFailed, with("chứng thư không đọc được", "a certificate cannot be read", err), edxml.Text{}}}
		}
		all = append(all, certificate{c, file})
	}
	return all, nil
}

// view describes a certificate.
func (c certificate) view() certView {
	key := c.PublicKeyAlgorithm.String()
	switch public := c.PublicKey.(type) {
	case *rsa.PublicKey:
		key = fmt.Sprintf("%s %d", key, public.N.BitLen())
	case *ecdsa.PublicKey:
		key += " " + public.Curve.Params().Name
	}
	return certView{
		File: c.file, Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: fmt.Sprintf("%x", c.SerialNumber),
		NotBefore: c.NotBefore.UTC().Format(time.RFC3339), NotAfter: c.NotAfter.UTC().Format(time.RFC3339), Key: key,
	}
}

func (p *program) certShow(c *cli.Context) error {
	return p.eachCertificate(c, func(cert certificate, _ []certificate) (certView, int, error) { return cert.view(), exitDone, nil })
}

// eachCertificate shows every certificate of the files, folders and the
// configuration that were named.
func (p *program) eachCertificate(c *cli.Context, look func(certificate, []certificate) (certView, int, error)) error {
	files, err := certificateFiles(c)
	if err != nil {
		return err
	}
	worst := exitDone
	for _, file := range files {
		certs, err := readCertificates(file.name)
		if err == nil && len(certs) == 0 && file.named {
			err = noCertificate(file.name)
		}
		if err != nil {
			worst = heavier(worst, p.report(err))
			continue
		}
		for _, cert := range certs {
			v, code, err := look(cert, certs)
			if err == nil {
				err = p.showCertificate(c, cert, v)
			}
			if err != nil {
				return err
			}
			worst = heavier(worst, code)
		}
	}
	if worst != exitDone {
		return quietError{worst}
	}
	return nil
}

func (p *program) showCertificate(c *cli.Context, cert certificate, v certView) error {
	if c.Bool("json") {
		return p.record(v)
	}
	s := sheet{tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0), p}
	s.line("tệp", "file", v.File)
	s.line("kết quả", "state", v.State, v.why.In(p.lang))
	s.line("chủ thể", "subject", v.Subject)
	s.line("nơi cấp", "issued by", v.Issuer)
	s.line("số sê-ri", "serial", v.Serial)
	s.line("hiệu lực", "valid", fmt.Sprintf("%s – %s", local(cert.NotBefore), local(cert.NotAfter)))
	s.line("khóa", "key", v.Key)
	return s.w.Flush()
}

// certCheck finds a chain to the roots.
func (p *program) certCheck(c *cli.Context) error {
	if err := require(c, "roots"); err != nil {
		return err
	}
	roots, err := readRoots(c.String("roots"))
	if err != nil {
		return err
	}
	at, err := timeFlag(c)
	if err != nil {
		return err
	}
	q, err := readInquiry(c)
	if err != nil {
		return err
	}
	return p.eachCertificate(c, func(cert certificate, beside []certificate) (certView, int, error) {
		v := cert.view()
		between := x509.NewCertPool()
		for _, b := range beside {
			between.AddCert(b.Certificate)
		}
		chains, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		var invalid x509.CertificateInvalidError
		switch {
		case err == nil:
			return q.judge(v, chains[0], at)
		case at.Before(cert.NotBefore):
			v.State = "not-yet-valid"
		case at.After(cert.NotAfter), errors.As(err, &invalid) && invalid.Reason == x509.Expired:
			v.State = "expired"
		default:
			v.State = "untrusted"
		}
		return v, exitSignature, nil
	})
}

// judge asks whether a trusted certificate was revoked.
func (q inquiry) judge(v certView, chain []*x509.Certificate, at time.Time) (certView, int, error) {
	v.State = "trusted"
	if q.Revocation == nil {
		return v, exitDone, nil
	}
	_, _, err := q.Check(chain, at, q.outage, q.grace)
	if err == nil {
		return v, exitDone, nil
	}
	verdict := signature.Verdict{Err: err}
	v.State, v.why = verdict.Reason(), verdict.Message()
	if errors.Is(err, signature.ErrPending) {
		return v, exitAxis, nil
	}
	return v, exitSignature, nil
}

// timeFlag reads --at, by default now.
func timeFlag(c *cli.Context) (time.Time, error) {
	text := c.String("at")
	if text == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usageError{edxml.Text{
			VI: fmt.Sprintf("--at %q không phải thời điểm; viết như 2026-01-31T08:00:00+07:00", text),
			EN: fmt.Sprintf("--at %q is no time; write it like 2026-01-31T08:00:00+07:00", text),
		}, c.Command.HelpName}
	}
	return at, nil
}

// certForecast lists certificates by the day they expire.
func (p *program) certForecast(c *cli.Context) error {
	at, err := timeFlag(c)
	if err != nil {
		return err
	}
	certs, err := p.certificatesOf(c)
	if err != nil {
		return err
	}
	slices.SortStableFunc(certs, func(a, b certificate) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), cmp.Compare(a.file, b.file))
	})
	soon := false
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, cert := range certs {
		left := cert.NotAfter.Sub(at)
		days := int(left.Hours() / 24)
		if c.IsSet("days") && left > time.Duration(c.Int("days"))*24*time.Hour {
			continue
		}
		soon = true
		v := cert.view()
		v.Days = &days
		if c.Bool("json") {
			if err := p.record(v); err != nil {
				return err
			}
			continue
		}
		state := fmt.Sprintf(p.say("còn %d ngày", "%d days left"), days)
		if left < 0 {
			state = p.say("đã hết hạn", "expired")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", local(cert.NotAfter), state, clean(v.Subject), clean(cert.file))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if soon && c.IsSet("days") {
		return quietError{exitSignature}
	}
	return nil
}

// certificatesOf reads what the arguments and the configuration name.
func (p *program) certificatesOf(c *cli.Context) ([]certificate, error) {
	files, err := certificateFiles(c)
	if err != nil {
		return nil, err
	}
	var all []certificate
	for _, file := range files {
		certs, err := readCertificates(file.name)
		if err != nil {
			p.report(err) // one file that is none does not hide the others
			continue
		}
		all = append(all, certs...)
	}
	return all, nil
}

// certificateFile is a file to look for certificates in.
type certificateFile struct {
	name  string
	named bool // by the user, not found in a folder
}

// certificateFiles lists what the arguments and the configuration name. In a
// folder only files that look like certificates are opened.
func certificateFiles(c *cli.Context) ([]certificateFile, error) {
	var files []certificateFile
	for _, arg := range c.Args().Slice() {
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return fileError{path, errors.Unwrap(err)}
			}
			fits := slices.Contains([]string{".pem", ".crt", ".cer", ".der"}, strings.ToLower(filepath.Ext(path)))
			if named := path == arg && !d.IsDir(); named || fits && d.Type().IsRegular() {
				files = append(files, certificateFile{path, named})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if file := c.String("config"); file != "" {
		named, err := certFilesOf(file)
		if err != nil {
			return nil, err
		}
		for _, name := range named {
			files = append(files, certificateFile{name, true})
		}
	}
	if c.NArg() == 0 && !c.IsSet("config") {
		return nil, usageError{edxml.Text{VI: "thiếu tệp, thư mục hoặc --config", EN: "a file, a folder or --config is missing"}, c.Command.HelpName}
	}
	return files, nil
}

// certFilesOf names the certificate files of a node's configuration.
func certFilesOf(file string) ([]string, error) {
	conf, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range []string{conf.Sign.Cert, conf.Verify.Roots} {
		if name != "" {
			files = append(files, conf.path(name))
		}
	}
	return files, nil
}
