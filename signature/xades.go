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
	stamps   []embedded
}

// embedded is a time stamp in the unsigned properties, with how the value it
// binds was written.
type embedded struct {
	stamp     Stamp
	canonical c14n.Method
	prefixes  []string
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

// object takes what a ds:Object may hold here: SignedProperties, bound by a
// Reference of their own, and behind them UnsignedProperties, of which only
// time stamps are read: these prove themselves. Whatever else stood there no
// digest would cover, or would cover in a place nobody reads.
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
	children, err := elements(qualifying)
	if err != nil {
		return err
	}
	if len(children) == 0 || len(children) > 2 || !isXAdES(children[0], "SignedProperties") || len(children) == 2 && !isXAdES(children[1], "UnsignedProperties") {
		return refuse(ErrShape, "%s does not hold SignedProperties, and at most UnsignedProperties behind them", qualifying.FullTag())
	}
	signed := children[0]
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
	if len(children) == 2 {
		if err := p.unsigned(children[1], b.limits.Certificates); err != nil {
			return err
		}
	}
	return p.read()
}

func isXAdES(el *etree.Element, name string) bool {
	return el.Tag == name && el.NamespaceURI() == xades
}

// unsigned takes the time stamps over the signature value (EN 319 132-1
// §5.3.1). What else other programs put there (revocation values, archive time
// stamps) is passed over, but has to be of XAdES.
func (p *properties) unsigned(el *etree.Element, most int) error {
	if err := namesOf(el, "UnsignedProperties", xades, xades141, edxml.NamespaceDSig); err != nil {
		return err
	}
	groups, err := elements(el)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if !isXAdES(group, "UnsignedSignatureProperties") {
			continue
		}
		items, err := elements(group)
		if err != nil {
			return err
		}
		for _, item := range items {
			if !isXAdES(item, "SignatureTimeStamp") {
				continue
			}
			if err := p.stamp(item); err != nil {
				return err
			}
			if len(p.stamps) > most {
				return refuse(ErrShape, "more than %d time stamps", most)
			}
		}
	}
	return nil
}

// stamp reads a SignatureTimeStamp. Without a CanonicalizationMethod it is
// Canonical XML 1.0.
func (p *properties) stamp(el *etree.Element) error {
	children, err := elements(el)
	if err != nil {
		return err
	}
	in := embedded{canonical: c14n.Inclusive10}
	if len(children) > 0 && isDSig(children[0], "CanonicalizationMethod") {
		uri, prefixes, err := method(children[0])
		if err != nil {
			return err
		}
		_, plain, ok := canonical(uri)
		if !ok {
			return refuse(ErrAlgorithm, "CanonicalizationMethod %q of a time stamp", uri)
		}
		in.canonical, in.prefixes, children = plain, prefixes, children[1:]
	}
	for _, c := range children {
		if !isXAdES(c, "EncapsulatedTimeStamp") {
			return refuse(ErrAlgorithm, "%s in a time stamp", c.FullTag())
		}
		if in.stamp, err = octetsOf(c); err != nil {
			return err
		}
		p.stamps = append(p.stamps, in)
	}
	return nil
}

// addStamp puts a time stamp over the value into the block that has properties.
func addStamp(sig *etree.Element, stamp Stamp) {
	qualifying := sig.FindElement("Object/QualifyingProperties")
	el := qualifying
	for _, tag := range []string{"UnsignedProperties", "UnsignedSignatureProperties", "SignatureTimeStamp"} {
		el = el.CreateElement(tag)
		el.Space = "xades"
	}
	child(el, dsig.CanonicalizationMethodTag).CreateAttr(dsig.AlgorithmAttr, string(c14n.Exclusive))
	token := el.CreateElement("EncapsulatedTimeStamp")
	token.Space = "xades"
	token.SetText(base64.StdEncoding.EncodeToString(stamp))
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
	if p.certHash, err = digestOf(children[0]); err != nil {
		return err
	}
	p.certSum, err = octetsOf(children[1])
	return err
}

// names reports whether the certificate is the one the signer named.
func (p *properties) names(c *x509.Certificate) bool {
	return bytes.Equal(hashOf(p.certHash, c.Raw), p.certSum)
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
