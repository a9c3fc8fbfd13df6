package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // for old packets, see VerifyOptions.AllowLegacy
	_ "crypto/sha256"
	_ "crypto/sha512"
	"math/big"
	"strings"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/signature/c14n"
)

const (
	minRSA       = 2048 // bits of an RSA key
	minLegacyRSA = 1024 // with VerifyOptions.AllowLegacy
	minSuiteRSA  = 512  // with XMLOptions.AllowLegacy: old conformance suites
	maxRSA       = 8192 // a longer key costs too much time for what it adds
)

const (
	digestSHA1   = "http://www.w3.org/2000/09/xmldsig#sha1"
	digestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	digestSHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	digestSHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
)

// digestHash is the list of digest methods; 0 is none of them.
func digestHash(uri string) crypto.Hash {
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if digestURI(h) == uri {
			return h
		}
	}
	return 0
}

// digestURI is the identifier of a digest method, "" for one not on the list.
func digestURI(h crypto.Hash) string {
	switch h {
	case crypto.SHA1:
		return digestSHA1
	case crypto.SHA256:
		return digestSHA256
	case crypto.SHA384:
		return digestSHA384
	case crypto.SHA512:
		return digestSHA512
	}
	return ""
}

// Algorithm names a signature method: the part of its identifier behind "#",
// for example "rsa-sha256". [Algorithms] lists those there are.
type Algorithm string

// Algorithms returns the methods [Sign] and [Verify] know, the default of each
// kind of key first: RSA PKCS#1 v1.5 (RFC 8017 §8.2), RSA-PSS with a salt as
// long as the digest (RFC 6931 §2.3.10), ECDSA (§2.3.6), Ed25519 (RFC 9231
// §2.3.12). Verify also knows RSA-PSS with parameters (RFC
// 9231 §2.3.9), and SHA-1, see VerifyOptions.AllowLegacy.
func Algorithms() []Algorithm {
	var names []Algorithm
	for _, s := range schemes() {
		if s.hash != crypto.SHA1 {
			names = append(names, Algorithm(short(s.uri)))
		}
	}
	return names
}

// scheme is a signature method.
type scheme struct {
	uri  string
	kind kind
	hash crypto.Hash // of SignedInfo and, when signing, of what is referenced
	salt int         // of PSS, in bytes; 0 is as long as the digest
}

// kind is what a key has to be for a signature method.
type kind uint8

const (
	noKind kind = iota
	pkcs1
	pss
	ecRaw
	edwards
)

const (
	more2001 = "http://www.w3.org/2001/04/xmldsig-more#"
	more2007 = "http://www.w3.org/2007/05/xmldsig-more#"
	more2021 = "http://www.w3.org/2021/04/xmldsig-more#"
)

// schemes is the list of signature methods.
func schemes() []scheme {
	return []scheme{
		{dsig.RSASHA256SignatureMethod, pkcs1, crypto.SHA256, 0},
		{dsig.RSASHA384SignatureMethod, pkcs1, crypto.SHA384, 0},
		{dsig.RSASHA512SignatureMethod, pkcs1, crypto.SHA512, 0},
		{more2007 + "sha256-rsa-MGF1", pss, crypto.SHA256, 0},
		{more2007 + "sha384-rsa-MGF1", pss, crypto.SHA384, 0},
		{more2007 + "sha512-rsa-MGF1", pss, crypto.SHA512, 0},
		{dsig.ECDSASHA256SignatureMethod, ecRaw, crypto.SHA256, 0},
		{dsig.ECDSASHA384SignatureMethod, ecRaw, crypto.SHA384, 0},
		{dsig.ECDSASHA512SignatureMethod, ecRaw, crypto.SHA512, 0},
		{more2021 + "eddsa-ed25519", edwards, crypto.SHA512, 0},
		{dsig.RSASHA1SignatureMethod, pkcs1, crypto.SHA1, 0},
		{dsig.ECDSASHA1SignatureMethod, ecRaw, crypto.SHA1, 0},
	}
}

// schemeOf finds a signature method by its identifier.
func schemeOf(uri string) (scheme, bool) {
	for _, s := range schemes() {
		if s.uri == uri {
			return s, true
		}
	}
	return scheme{}, false
}

// canonical is the list of canonicalisation methods. plain is the same method
// without comments.
func canonical(uri string) (m, plain c14n.Method, ok bool) {
	m = c14n.Method(uri)
	switch m {
	case c14n.Exclusive, c14n.ExclusiveWithComments:
		return m, c14n.Exclusive, true
	case c14n.Inclusive10, c14n.Inclusive10WithComments:
		return m, c14n.Inclusive10, true
	case c14n.Inclusive11, c14n.Inclusive11WithComments:
		return m, c14n.Inclusive11, true
	}
	return "", "", false
}

// check verifies a signature value over the octets of SignedInfo with a key of
// the right kind.
func (s scheme) check(public crypto.PublicKey, info, value []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch s.kind {
		case pkcs1:
			if key.N.BitLen() < shortRSA {
				return verifyShort(key, s.hash, s.sum(info), value)
			}
			return rsa.VerifyPKCS1v15(key, s.hash, s.sum(info), value) == nil
		case pss:
			return rsa.VerifyPSS(key, s.hash, s.sum(info), value, s.pssOptions()) == nil
		}
	case *ecdsa.PublicKey:
		n := (key.Curve.Params().BitSize + 7) / 8
		if s.kind != ecRaw || !knownCurve(key.Curve) || len(value) != 2*n {
			return false
		}
		return ecdsa.Verify(key, s.sum(info), new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:]))
	case ed25519.PublicKey:
		return s.kind == edwards && ed25519.Verify(key, info, value)
	}
	return false
}

// sign makes the signature value over the octets of SignedInfo.
func (s scheme) sign(signer crypto.Signer, info []byte) ([]byte, error) {
	switch s.kind {
	case edwards: // signs the text, not a digest of it
		return signer.Sign(rand.Reader, info, crypto.Hash(0))
	case pss:
		return signer.Sign(rand.Reader, s.sum(info), s.pssOptions())
	}
	return rawSigner{signer}.Sign(rand.Reader, s.sum(info), s.hash)
}

func (s scheme) sum(b []byte) []byte { return hashOf(s.hash, b) }

func (s scheme) pssOptions() *rsa.PSSOptions {
	salt := s.salt
	if salt == 0 {
		salt = rsa.PSSSaltLengthEqualsHash
	}
	return &rsa.PSSOptions{SaltLength: salt, Hash: s.hash}
}

// digestMethod is the identifier of the digest that goes with the scheme.
func (s scheme) digestMethod() string { return digestURI(s.hash) }

func knownCurve(c elliptic.Curve) bool {
	return c == elliptic.P256() || c == elliptic.P384() || c == elliptic.P521()
}

// short is the name of an algorithm without the namespace, for reports.
func short(uri string) string { return uri[strings.LastIndexByte(uri, '#')+1:] }
