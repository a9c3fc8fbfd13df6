package signature

import (
	"crypto"
	"crypto/ecdsa"
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
	minLegacyRSA = 1024 // with AllowLegacy
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
	switch uri {
	case digestSHA1:
		return crypto.SHA1
	case digestSHA256:
		return crypto.SHA256
	case digestSHA384:
		return crypto.SHA384
	case digestSHA512:
		return crypto.SHA512
	}
	return 0
}

// signatureMethod is the list of signature methods; a zero hash is none of them.
func signatureMethod(uri string) (hash crypto.Hash, ec bool) {
	switch uri {
	case dsig.RSASHA1SignatureMethod:
		return crypto.SHA1, false
	case dsig.RSASHA256SignatureMethod:
		return crypto.SHA256, false
	case dsig.RSASHA384SignatureMethod:
		return crypto.SHA384, false
	case dsig.RSASHA512SignatureMethod:
		return crypto.SHA512, false
	case dsig.ECDSASHA1SignatureMethod:
		return crypto.SHA1, true
	case dsig.ECDSASHA256SignatureMethod:
		return crypto.SHA256, true
	case dsig.ECDSASHA384SignatureMethod:
		return crypto.SHA384, true
	case dsig.ECDSASHA512SignatureMethod:
		return crypto.SHA512, true
	}
	return 0, false
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

// checkValue verifies the signature value over a hashed SignedInfo with a
// certificate's key of the right kind.
func checkValue(public crypto.PublicKey, ec bool, h crypto.Hash, digest, value []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return !ec && rsa.VerifyPKCS1v15(key, h, digest, value) == nil
	case *ecdsa.PublicKey:
		n := (key.Curve.Params().BitSize + 7) / 8
		if !ec || len(value) != 2*n {
			return false
		}
		return ecdsa.Verify(key, digest, new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:]))
	}
	return false
}

// short is the name of an algorithm without the namespace, for reports.
func short(uri string) string { return uri[strings.LastIndexByte(uri, '#')+1:] }
