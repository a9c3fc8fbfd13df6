package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/signature"
)

// signSection is what the node signs with: PEM files, a PKCS#12 file, or a key
// on a token.
type signSection struct {
	Key          string `toml:"key"`
	Cert         string `toml:"cert"`
	P12          string `toml:"p12"`
	PasswordFile string `toml:"password_file"`
	PKCS11       string `toml:"pkcs11"` // library of the token's maker
	Token        string `toml:"token_label"`
	KeyLabel     string `toml:"key_label"`
	PinFile      string `toml:"pin_file"`
	Replace      bool   `toml:"replace"`

	TSA        string   `toml:"tsa"` // time-stamping authority; stamps come later and are kept beside the packets
	TSARoots   string   `toml:"tsa_roots"`
	TSATimeout duration `toml:"tsa_timeout"`
}

// verifySection is how the node judges signatures.
type verifySection struct {
	Roots    string                          `toml:"roots"`
	Policy   string                          `toml:"policy"`
	Senders  map[string]node.SignaturePolicy `toml:"senders"` // by OrganId or code of the first level
	Recalls  string                          `toml:"recalls"`
	OCSP     []string                        `toml:"ocsp"`
	CRL      []string                        `toml:"crl"`       // files or addresses
	AskHosts []string                        `toml:"ask_hosts"` // hosts to which addresses in certificates may lead
	Outage   string                          `toml:"outage"`    // fail, grace, queue
	Grace    duration                        `toml:"grace"`
}

// check says what is wrong with the section by itself.
func (s signSection) check() error {
	ways := 0
	for _, is := range []bool{s.Key != "", s.P12 != "", s.PKCS11 != ""} {
		if is {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("[sign] has more than one of key, p12 and pkcs11")
	case s.Key != "" && s.Cert == "", s.Cert != "" && s.Key == "" && s.PKCS11 == "":
		return errors.New("sign.key and sign.cert go together: give both or none")
	case s.P12 != "" && s.PasswordFile == "":
		return errors.New("sign.password_file is missing: the file whose first line opens sign.p12")
	case s.PKCS11 != "" && (s.Token == "" || s.KeyLabel == "" || s.PinFile == ""):
		return errors.New("sign.pkcs11 needs sign.token_label, sign.key_label and sign.pin_file")
	case s.TSA != "" && !isWeb(s.TSA):
		return fmt.Errorf("sign.tsa %q is no http or https address", s.TSA)
	case s.TSA != "" && ways == 0:
		return errors.New("sign.tsa stamps what the node signs, but there is no key")
	}
	return nil
}

// check says what is wrong with the section by itself.
func (v verifySection) check() error {
	switch signature.Outage(v.Outage) {
	case "", signature.OutageFail, signature.OutageGrace, signature.OutageQueue:
	default:
		return fmt.Errorf("verify.outage %q is none of fail, grace and queue", v.Outage)
	}
	for _, at := range v.OCSP {
		if !isWeb(at) {
			return fmt.Errorf("verify.ocsp %q is no http or https address", at)
		}
	}
	return nil
}

// isWeb reports whether text is an address that can be asked.
func isWeb(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// signing reads the key and names the time-stamping authority.
func (c *config) signing(nc *node.Config) (err error) {
	s := c.Sign
	switch {
	case s.Key != "":
		nc.Key, err = readKey(c.path(s.Key), c.path(s.Cert))
	case s.P12 != "":
		nc.Key, err = openPKCS12(c.path(s.P12), c.path(s.PasswordFile))
	case s.PKCS11 != "": // open as long as the process lives
		nc.Key, _, err = openToken(tokenKey{c.path(s.PKCS11), s.Token, s.KeyLabel, c.path(s.PinFile), c.path(s.Cert)})
	}
	if err != nil || s.TSA == "" {
		return err
	}
	nc.TSA = &signature.TSA{URL: s.TSA, Timeout: time.Duration(s.TSATimeout)}
	if s.TSARoots != "" {
		nc.TSA.Roots, err = readRoots(c.path(s.TSARoots))
	}
	return err
}

// renew reads the files of the key and of the roots again. A key on a token
// stays: the session with it is open.
func (c *config) renew(n *node.Node) error {
	fresh := node.Config{Key: n.Key}
	var err error
	if c.Sign.PKCS11 == "" {
		err = c.signing(&fresh)
	}
	if err := errors.Join(err, c.judging(&fresh)); err != nil {
		return err
	}
	n.Renew(fresh.Key, fresh.Roots)
	return nil
}

// judging reads whom to trust, and where to ask about revocation.
func (c *config) judging(nc *node.Config) (err error) {
	v := c.Verify
	if v.Roots != "" {
		if nc.Roots, err = readRoots(c.path(v.Roots)); err != nil {
			return err
		}
	}
	r := &signature.Revocation{OCSP: v.OCSP, Hosts: v.AskHosts}
	for _, place := range v.CRL {
		if isWeb(place) {
			r.CRLs = append(r.CRLs, place)
			continue
		}
		list, err := readRevocationList(c.path(place))
		if err != nil {
			return err
		}
		r.Lists = append(r.Lists, list)
	}
	if len(r.OCSP)+len(r.CRLs)+len(r.Lists)+len(r.Hosts) > 0 {
		nc.Revocation, nc.Outage, nc.Grace = r, signature.Outage(v.Outage), time.Duration(v.Grace)
	}
	return nil
}
