package signature

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature/c14n"
)

// Names of XAdES, ETSI TS 101 903 v1.4.2 and EN 319 132-1.
const (
	xades     = "http://uri.etsi.org/01903/v1.3.2#"
	xades141  = "http://uri.etsi.org/01903/v1.4.1#"
	xadesType = "http://uri.etsi.org/01903#SignedProperties" // of the Reference
)

// properties is what a signer signed about the signature itself: XAdES-BES.
type properties struct {
	el       *etree.Element // SignedProperties
	id       string
	ref      *ref
	time     time.Time // SigningTime, zero without one
	local    bool      // SigningTime has no time zone
	certHash crypto.Hash
	certSum  []byte // digest of the signer's certificate
}

// addProperties puts the Object with SignedProperties into the block and
// returns the Reference that binds them.
func addProperties(sig *etree.Element, signer *x509.Certificate, at time.Time, with scheme) (*ref, error) {
	mark := rand.Text()
	target, id := "signature-"+mark, "signed-properties-"+mark
	sig.CreateAttr("Id", target)
	in := func(el *etree.Element, tag string) *etree.Element {
		c := el.CreateElement(tag)
		c.Space = "xades"
		return c
	}
	qualifying := in(child(sig, "Object"), "QualifyingProperties")
	qualifying.CreateAttr("xmlns:xades", xades)
	qualifying.CreateAttr("Target", "#"+target)
	signed := in(qualifying, "SignedProperties")
	signed.CreateAttr("Id", id)
	about := in(signed, "SignedSignatureProperties")
	in(about, "SigningTime").SetText(at.UTC().Format(time.RFC3339))
	digest := in(in(in(about, "SigningCertificateV2"), "Cert"), "CertDigest")
	child(digest, dsig.DigestMethodTag).CreateAttr(dsig.AlgorithmAttr, with.digestMethod())
	child(digest, dsig.DigestValueTag).SetText(base64.StdEncoding.EncodeToString(with.sum(signer.Raw)))
	r := &ref{uri: "#" + id, kind: xadesType, transformed: true, canonical: c14n.Exclusive}
	h := with.hash.New()
	err := c14n.Element(h, signed, c14n.Exclusive, nil)
	r.digest = h.Sum(nil)
	return r, err
}

// object takes the one thing a ds:Object may hold here: SignedProperties,
// bound by a Reference of their own. Whatever else stood there no digest would
// cover, or would cover in a place nobody reads.
func (b *block) object(sig, el *etree.Element) error {
	for _, a := range el.Attr {
		if _, declares := c14n.Declaration(a); !declares && a.FullKey() != "Id" {
			return refuse(ErrShape, "the attribute %s of Object", a.FullKey())
		}
	}
	qualifying, err := only(el, xades, "QualifyingProperties")
	if err != nil {
		return err
	}
	target, _ := attribute(qualifying, "Target")
	if id, _ := attribute(sig, "Id"); id == "" || target != "#"+id {
		return refuse(ErrShape, "QualifyingProperties are about %q, not about this signature", target)
	}
	signed, err := only(qualifying, xades, "SignedProperties")
	if err != nil {
		return err
	}
	p := &properties{el: signed}
	p.id, _ = attribute(signed, "Id")
	for _, r := range b.refs {
		if r.kind == xadesType && r.uri == "#"+p.id && isNCName(p.id) && !r.enveloped {
			p.ref = r
		}
	}
	if p.ref == nil {
		return refuse(ErrCoverage, "no Reference binds SignedProperties")
	}
	if err := namesOf(signed, "SignedProperties", xades, xades141, edxml.NamespaceDSig); err != nil {
		return err
	}
	b.properties = p
	return p.read()
}

// only returns the one child of el, which must have this name.
func only(el *etree.Element, space, name string) (*etree.Element, error) {
	children, err := elements(el)
	if err != nil {
		return nil, err
	}
	if len(children) != 1 || children[0].Tag != name || children[0].NamespaceURI() != space {
		return nil, refuse(ErrShape, "%s does not hold %s alone", el.FullTag(), name)
	}
	return children[0], nil
}

// read takes SigningTime and the digest of the signer's certificate. The other
// properties there may be are signed, and passed over.
func (p *properties) read() error {
	children, err := elements(p.el)
	if err != nil {
		return err
	}
	if len(children) == 0 || children[0].Tag != "SignedSignatureProperties" {
		return refuse(ErrShape, "SignedProperties without SignedSignatureProperties")
	}
	if children, err = elements(children[0]); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for _, c := range children {
		name := c.Tag
		switch name {
		case "SigningTime":
			err = p.readTime(c)
		case "SigningCertificateV2", "SigningCertificate":
			name = "SigningCertificate"
			err = p.readCertificate(c)
		}
		if err == nil && seen[name] {
			err = refuse(ErrShape, "%s twice", c.FullTag())
		}
		if err != nil {
			return err
		}
		seen[name] = true
	}
	if p.certSum == nil {
		return refuse(ErrShape, "SignedProperties do not name the signer's certificate")
	}
	return nil
}

func (p *properties) readTime(el *etree.Element) (err error) {
	if len(el.Child) != 1 {
		return refuse(ErrShape, "SigningTime holds more than text")
	}
	text := strings.TrimSpace(el.Text())
	if p.time, err = time.Parse(time.RFC3339, text); err != nil {
		p.local = true
		p.time, err = time.Parse("2006-01-02T15:04:05", text)
	}
	if err != nil {
		return refuse(ErrShape, "SigningTime %q is no time", text)
	}
	return nil
}

// readCertificate takes the first Cert, which is the signer's (EN 319 132-1 §5.2.2).
func (p *properties) readCertificate(el *etree.Element) error {
	certs, err := elements(el)
	if err != nil {
		return err
	}
	if len(certs) == 0 || len(certs) > maxCertificates {
		return refuse(ErrShape, "%s holds %d certificates", el.FullTag(), len(certs))
	}
	children, err := elements(certs[0])
	if err != nil {
		return err
	}
	if len(children) == 0 || children[0].Tag != "CertDigest" {
		return refuse(ErrShape, "%s without CertDigest", el.FullTag())
	}
	if children, err = elements(children[0]); err != nil {
		return err
	}
	if len(children) != 2 || !isDSig(children[0], "DigestMethod") || !isDSig(children[1], "DigestValue") {
		return refuse(ErrShape, "CertDigest does not hold DigestMethod and DigestValue")
	}
	name, err := bare(children[0])
	if err != nil {
		return err
	}
	if p.certHash = digestHash(name); p.certHash == 0 {
		return refuse(ErrAlgorithm, "DigestMethod %q", name)
	}
	p.certSum, err = octetsOf(children[1])
	return err
}

// names reports whether the certificate is the one the signer named.
func (p *properties) names(c *x509.Certificate) bool {
	h := p.certHash.New()
	h.Write(c.Raw)
	return bytes.Equal(h.Sum(nil), p.certSum)
}

// sum returns the digest of SignedProperties as their Reference has it.
func (p *properties) sum() ([]byte, error) {
	h := p.ref.method.New()
	err := c14n.Element(h, p.el, p.ref.canonical, p.ref.prefixes)
	return h.Sum(nil), digestError(err)
}

// claim notes the time the signer gives, which nobody but the signer vouches for.
func (p *properties) claim(v *Verdict) {
	if v.Claimed = p.time; p.time.IsZero() {
		return
	}
	if p.local {
		v.Warnings = append(v.Warnings, "SigningTime has no time zone; it is taken for UTC")
	}
	if s := v.Signer; s != nil && (p.time.Before(s.NotBefore) || p.time.After(s.NotAfter)) {
		v.Warnings = append(v.Warnings, "SigningTime lies outside the certificate's validity")
	}
}
