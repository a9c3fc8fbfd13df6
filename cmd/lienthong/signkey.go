package main

import (
	"crypto/x509"
	"errors"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

// keyFlags name the key that signs.
func (p *program) keyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "key", Usage: p.say("tệp PEM khóa bí mật", "PEM file of the private key")},
		&cli.StringFlag{Name: "cert", Usage: p.say("tệp PEM chứng thư, của người ký trước", "PEM file of the certificates, the signer's first")},
		&cli.StringFlag{Name: "p12", Usage: p.say("tệp PKCS#12 (.p12, .pfx) thay cho --key và --cert", "PKCS#12 file (.p12, .pfx) in place of --key and --cert")},
		&cli.StringFlag{Name: "password-file", Usage: p.say("tệp có mật khẩu của --p12 ở dòng đầu", "file whose first line is the password of --p12")},
		&cli.StringFlag{Name: "pkcs11", Usage: p.say("thư viện PKCS#11 của thiết bị (.so, .dll), thay cho --key", "PKCS#11 library of a token (.so, .dll), in place of --key")},
		&cli.StringFlag{Name: "token", Usage: p.say("nhãn của thiết bị", "label of the token")},
		&cli.StringFlag{Name: "key-label", Usage: p.say("nhãn của khóa trên thiết bị", "label of the key on the token")},
		&cli.StringFlag{Name: "pin-file", Usage: p.say("tệp có mã PIN của --pkcs11 ở dòng đầu", "file whose first line is the PIN of --pkcs11")},
	}
}

// signingKey opens the key the flags name: --p12, --pkcs11, or --key and
// --cert. The closer is done with when everything is signed.
func signingKey(c *cli.Context) (*signature.Key, io.Closer, error) {
	switch {
	case c.IsSet("p12"):
		if c.IsSet("key") || c.IsSet("cert") || c.IsSet("pkcs11") {
			return nil, nil, usageError{edxml.Text{
				VI: "--p12 thay cho --key, --cert và --pkcs11, không dùng cùng lúc", EN: "--p12 stands in place of --key, --cert and --pkcs11, not beside them",
			}, c.Command.HelpName}
		}
		if err := require(c, "password-file"); err != nil {
			return nil, nil, err
		}
		key, err := openPKCS12(c.String("p12"), c.String("password-file"))
		return key, nothing{}, err
	case c.IsSet("pkcs11"):
		if c.IsSet("key") {
			return nil, nil, usageError{edxml.Text{
				VI: "--pkcs11 thay cho --key, không dùng cùng lúc", EN: "--pkcs11 stands in place of --key, not beside it",
			}, c.Command.HelpName}
		}
		if err := require(c, "token", "key-label", "pin-file"); err != nil {
			return nil, nil, err
		}
		return openToken(tokenKey{c.String("pkcs11"), c.String("token"), c.String("key-label"), c.String("pin-file"), c.String("cert")})
	}
	if err := require(c, "key", "cert"); err != nil {
		return nil, nil, err
	}
	key, err := readKey(c.String("key"), c.String("cert"))
	return key, nothing{}, err
}

// nothing needs no closing.
type nothing struct{}

// Close implements io.Closer.
func (nothing) Close() error { return nil }

func openPKCS12(file, passwordFile string) (*signature.Key, error) {
	data, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	password, err := firstLine(passwordFile)
	if err != nil {
		return nil, err
	}
	key, err := signature.ParsePKCS12(data, password)
	if errors.Is(err, signature.ErrPassword) {
		err = told{exitFailed, edxml.Text{VI: "mật khẩu không mở được tệp PKCS#12", EN: "the password does not open the PKCS#12 file"}, edxml.Text{
			VI: "xem lại dòng đầu của tệp mật khẩu " + passwordFile, EN: "check the first line of the password file " + passwordFile,
		}}
	}
	if err != nil {
		return nil, fileError{file, err}
	}
	return key, nil
}

// tokenKey says where a key on a token is.
type tokenKey struct{ module, token, label, pinFile, cert string }

func openToken(k tokenKey) (*signature.Key, io.Closer, error) {
	pin, err := firstLine(k.pinFile)
	if err != nil {
		return nil, nil, err
	}
	token := signature.Token{Module: k.module, Token: k.token, Key: k.label, PIN: pin}
	if k.cert != "" {
		if token.Chain, err = readChain(k.cert); err != nil {
			return nil, nil, err
		}
	}
	key, closer, err := signature.OpenToken(token)
	switch {
	case err == nil, errors.Is(err, signature.ErrKeyMismatch): // has words of its own
	case errors.Is(err, signature.ErrNoTokens):
		err = told{exitFailed, edxml.Text{
			VI: "bản chương trình này không có PKCS#11", EN: "this program was built without PKCS#11",
		}, edxml.Text{
			VI: "dựng lại với cgo: CGO_ENABLED=1 go build -tags pkcs11 ./cmd/lienthong; hoặc dùng --p12, --key",
			EN: "build it with cgo: CGO_ENABLED=1 go build -tags pkcs11 ./cmd/lienthong; or use --p12 or --key",
		}}
	default:
		err = told{exitFailed, with("không dùng được khóa trên thiết bị", "the key on the token cannot be used", err), edxml.Text{
			VI: "xem lại nhãn thiết bị, nhãn khóa và mã PIN; chứng thư không nằm trên thiết bị thì thêm tệp chứng thư (cert)",
			EN: "check the token's label, the key's label and the PIN; add the certificate file (cert) when it is not on the token",
		}}
	}
	return key, closer, err
}

// firstLine reads a file that holds a secret in its first line.
func firstLine(file string) (string, error) {
	text, err := readSmall(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(text), "\uFEFF"), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// readChain reads the certificates of a PEM file in their order.
func readChain(file string) ([]*x509.Certificate, error) {
	certs, err := readCertificates(file)
	if err == nil && len(certs) == 0 {
		err = noCertificate(file)
	}
	var chain []*x509.Certificate
	for _, c := range certs {
		chain = append(chain, c.Certificate)
	}
	return chain, err
}

// noCertificate says that a file has none.
func noCertificate(file string) error {
	return fileError{file, told{exitFailed, edxml.Text{VI: "không có chứng thư nào", EN: "there is no certificate in it"}, edxml.Text{}}}
}
