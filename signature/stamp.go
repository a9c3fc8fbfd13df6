package signature

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/beevik/etree"
	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// The limits for a time stamp. One with a chain has 6 KB, and is nested 12 deep.
const (
	maxStamp      = 64 << 10 // bytes
	maxStampDepth = 32
)

// Imprint is what a time stamp binds: SHA-256 over the exclusive canonical
// form of ds:SignatureValue (EN 319 132-1 §5.3.1 SignatureTimeStamp).
type Imprint [sha256.Size]byte

// Stamp is the word of a time-stamping authority that a signature existed at a
// time: a TimeStampToken in DER (RFC 3161 §2.4.2). It binds one [Imprint], so
// it needs no place in the packet: Sign puts the one it gets at once into the
// unsigned properties (XAdES-T), and one that comes later is kept in a file or
// record of its own and handed to [Verify].
type Stamp []byte

// ErrStamp says that a time stamp cannot be read or believed.
var ErrStamp = errors.New("signature: the time stamp is no good")

// ReadStamp reads a time stamp from a file: a TimeStampToken, or the whole
// TimeStampResp that "openssl ts -reply" writes, both DER. The error is
// [ErrStamp]. That the stamp belongs to a signature, and whether its authority
// is trusted, is for [Verify] to say.
func ReadStamp(data []byte) (Stamp, error) {
	s := Stamp(data)
	var response tsaResponse
	if rest, err := asn1.Unmarshal(data, &response); err == nil && len(rest) == 0 && len(response.Token.FullBytes) > 0 {
		s = response.Token.FullBytes
	}
	_, err := s.read()
	return s, err
}

// Time is when the authority says it made the stamp. The error is [ErrStamp].
func (s Stamp) Time() (time.Time, error) {
	t, err := s.read()
	if err != nil {
		return time.Time{}, err
	}
	return t.info.Time, nil
}

// Imprints gives what a time stamp has to bind, for each ds:Signature of a
// packet in document order. It reads the packet once; errors are those of
// reading, and [ErrShape] for a signature without a value.
func Imprints(packet io.ReaderAt, size int64) ([]Imprint, error) {
	var all []Imprint
	r := newReading(packet, size, Limits{})
	r.block = func(tree *xmlscan.Tree) error {
		for _, c := range tree.Root.ChildElements() {
			if isDSig(c, "SignatureValue") {
				of, err := imprintOf(c)
				all = append(all, of)
				return err
			}
		}
		return refuse(ErrShape, "a Signature without SignatureValue")
	}
	return all, r.run()
}

// imprintOf takes the digest of a SignatureValue.
func imprintOf(value *etree.Element) (Imprint, error) {
	h := sha256.New()
	if err := c14n.Element(h, value, c14n.Exclusive, nil); err != nil {
		return Imprint{}, digestError(err)
	}
	return Imprint(h.Sum(nil)), nil
}

// token is a time stamp taken apart: well made, but its authority not judged.
type token struct {
	info   *timestamp.Timestamp
	signer *x509.Certificate
}

var (
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// read checks the stamp's own signature: one signer, whose certificate is in
// the stamp, meant for time stamps and named in the signed attributes (RFC 3161
// §2.4.2, RFC 5816). What the library lets pass is checked here: it takes a
// token without a certificate, or with several signers, and never looks at
// what kind of content was signed.
func (s Stamp) read() (t *token, err error) {
	defer func() { // the token may come from a packet, and the parser is not ours
		if recover() != nil {
			t, err = nil, fmt.Errorf("%w: it cannot be read", ErrStamp)
		}
	}()
	if len(s) > maxStamp {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrStamp, maxStamp)
	}
	if !shallow(s, maxStampDepth) {
		return nil, fmt.Errorf("%w: it is nested deeper than %d, or cut short", ErrStamp, maxStampDepth)
	}
	parsing.Lock()
	defer parsing.Unlock()
	p7, err := pkcs7.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrStamp, err)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return nil, fmt.Errorf("%w: not exactly one signer with a certificate", ErrStamp)
	}
	if err := p7.Verify(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrStamp, err)
	}
	var kind asn1.ObjectIdentifier
	if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &kind); err != nil || !kind.Equal(oidTSTInfo) {
		return nil, fmt.Errorf("%w: what it signs is no TSTInfo", ErrStamp)
	}
	if !namedIn(p7, signer) {
		return nil, fmt.Errorf("%w: it was made with another certificate than it names", ErrStamp)
	}
	info, err := timestamp.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrStamp, err)
	}
	return &token{info, signer}, nil
}

// parsing keeps the library's callers apart: it counts in a variable of its
// package while it parses.
var parsing sync.Mutex

// shallow reports whether BER is nested no deeper than most, whatever its
// lengths say. The library's work grows with the product of size and depth.
func shallow(ber []byte, most int) bool {
	var ends []int // of the open elements; -1 where two zeros end it
	for i := 0; i < len(ber); {
		for len(ends) > 0 && ends[len(ends)-1] == i {
			ends = ends[:len(ends)-1]
		}
		if len(ends) > 0 && ends[len(ends)-1] < 0 && i+1 < len(ber) && ber[i] == 0 && ber[i+1] == 0 {
			ends, i = ends[:len(ends)-1], i+2
			continue
		}
		constructed := ber[i]&0x20 != 0
		if ber[i]&0x1F == 0x1F {
			for i++; i < len(ber) && ber[i] >= 0x80; i++ {
			}
		}
		if i += 2; i > len(ber) {
			return false
		}
		length := int(ber[i-1])
		if length > 0x80 {
			n := length & 0x7F
			if n > 4 || i+n > len(ber) {
				return false
			}
			length = 0
			for _, b := range ber[i : i+n] {
				length = length<<8 | int(b)
			}
			i += n
		} else if length == 0x80 {
			length = -1
		}
		switch {
		case length > len(ber)-i:
			return false
		case constructed && length < 0:
			ends = append(ends, -1)
		case constructed:
			ends = append(ends, i+length)
		case length < 0:
			return false
		default:
			i += length
		}
		if len(ends) > most {
			return false
		}
	}
	return true
}

// namedIn reports whether the signed attributes name the certificate.
func namedIn(p7 *pkcs7.PKCS7, signer *x509.Certificate) bool {
	var v2 struct {
		Certs []struct {
			Algorithm pkix.AlgorithmIdentifier `asn1:"optional"`
			Sum       []byte
			Issuer    asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if err := p7.UnmarshalSignedAttribute(oidSigningCertV2, &v2); err == nil && len(v2.Certs) > 0 {
		h := crypto.SHA256
		if oid := v2.Certs[0].Algorithm.Algorithm; len(oid) > 0 {
			h = cmsHash(oid)
		}
		return h != 0 && bytes.Equal(hashOf(h, signer.Raw), v2.Certs[0].Sum)
	}
	var v1 struct {
		Certs []struct {
			Sum    []byte
			Issuer asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	err := p7.UnmarshalSignedAttribute(oidSigningCert, &v1)
	return err == nil && len(v1.Certs) > 0 && bytes.Equal(hashOf(crypto.SHA1, signer.Raw), v1.Certs[0].Sum)
}

func cmsHash(oid asn1.ObjectIdentifier) crypto.Hash {
	for h, known := range map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA256: pkcs7.OIDDigestAlgorithmSHA256, crypto.SHA384: pkcs7.OIDDigestAlgorithmSHA384, crypto.SHA512: pkcs7.OIDDigestAlgorithmSHA512,
	} {
		if known.Equal(oid) {
			return h
		}
	}
	return 0
}

func hashOf(h crypto.Hash, b []byte) []byte {
	sum := h.New()
	sum.Write(b)
	return sum.Sum(nil)
}

// trusted returns the chain of the authority, as it was when it made the stamp.
func (t *token) trusted(roots, between *x509.CertPool) ([]*x509.Certificate, error) {
	if roots == nil {
		roots = x509.NewCertPool()
	}
	help := x509.NewCertPool()
	if between != nil {
		help = between.Clone()
	}
	for _, c := range t.info.Certificates {
		help.AddCert(c)
	}
	chains, err := t.signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: help, CurrentTime: t.info.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not trusted for time stamps: %v", ErrStamp, t.signer.Subject, err)
	}
	return chains[0], nil
}

// found is a time stamp with the canonical form its imprint was made of.
type found struct {
	stamp  Stamp
	octets []byte
	beside bool // given by the caller
}

// stamped looks for the earliest time stamp that binds the signature and whose
// authority is trusted. Stamps that are not believed spoil nothing: they prove
// nothing, and a warning says why.
func (v *verifying) stamped(c *candidate) {
	var all []found
	if p := c.block.properties; p != nil {
		for _, in := range p.stamps {
			var b bytes.Buffer
			if err := c14n.Element(&b, c.block.valueEl, in.canonical, in.prefixes); err == nil {
				all = append(all, found{in.stamp, b.Bytes(), false})
			}
		}
	}
	var own bytes.Buffer
	if len(v.o.Stamps) > 0 && c14n.Element(&own, c.block.valueEl, c14n.Exclusive, nil) == nil {
		for _, s := range v.o.Stamps {
			all = append(all, found{s, own.Bytes(), true})
		}
	}
	for _, f := range all {
		at, warning, err := v.believe(f)
		if err != nil {
			c.Warnings = append(c.Warnings, fmt.Sprintf("a time stamp is not believed: %v", err))
			continue
		}
		if warning != "" {
			c.Warnings = append(c.Warnings, warning)
		}
		if c.Trusted.IsZero() || at.Before(c.Trusted) {
			c.Trusted = at
		}
	}
	if !c.Trusted.IsZero() && c.Claimed.After(c.Trusted.Add(clockSkew)) {
		c.Warnings = append(c.Warnings, "SigningTime lies behind the time stamp")
	}
}

// clockSkew is how far two honest clocks may differ.
const clockSkew = 5 * time.Minute

// believe returns the time of a stamp over these octets.
func (v *verifying) believe(f found) (at time.Time, warning string, err error) {
	t, err := f.stamp.read()
	if err != nil {
		return at, "", err
	}
	h := t.info.HashAlgorithm
	if digestURI(h) == "" || h == crypto.SHA1 && !v.o.AllowLegacy {
		return at, "", fmt.Errorf("%w: its digest %v is not accepted", ErrStamp, h)
	}
	if !bytes.Equal(hashOf(h, f.octets), t.info.HashedMessage) {
		return at, "", fmt.Errorf("%w: it belongs to another signature", ErrStamp)
	}
	now := v.o.at()
	if t.info.Time.After(now) {
		return at, "", fmt.Errorf("%w: it was made on %s, after the time of the verdict", ErrStamp, t.info.Time.Format(time.RFC3339))
	}
	roots := v.o.StampRoots
	if roots == nil {
		roots = v.o.Roots
	}
	chain, err := t.trusted(roots, v.o.Intermediates)
	if err != nil {
		return at, "", err
	}
	if v.o.Revocation != nil {
		if _, _, err := v.o.Revocation.Check(chain, now, v.o.Outage, v.o.Grace); err != nil {
			return at, "", fmt.Errorf("%w: %s: %v", ErrStamp, t.signer.Subject, err)
		}
	}
	if now.After(t.signer.NotAfter) {
		warning = "the certificate of the time-stamping authority has ended since"
	}
	return t.info.Time, warning, nil
}
