package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
)

// hint is a key that KeyInfo offers, with the certificate it came in if any.
// Nothing about it is to be believed.
type hint struct {
	key  crypto.PublicKey
	cert *x509.Certificate
	from string // X509Data, KeyValue, DEREncodedKeyValue or KeyName
}

// hints reads the keys a KeyInfo offers, and those it names among given. What
// else stands there is passed over (XML Signature §4.5 has it extensible).
func hints(el *etree.Element, given map[string]crypto.PublicKey, most int) ([]hint, error) {
	var all []hint
	for _, c := range el.ChildElements() {
		var more []hint
		var err error
		switch space := c.NamespaceURI(); {
		case space == edxml.NamespaceDSig && c.Tag == "X509Data":
			more, err = certificateHints(c)
		case space == edxml.NamespaceDSig && c.Tag == "KeyValue":
			more, err = keyValue(c)
		case space == edxml.NamespaceDSig && c.Tag == "KeyName":
			if key := given[strings.TrimSpace(c.Text())]; key != nil {
				more = []hint{{key, nil, "KeyName"}}
			}
		case space == dsig11 && c.Tag == "DEREncodedKeyValue":
			var der []byte
			if der, err = octetsOf(c); err == nil {
				if key, bad := x509.ParsePKIXPublicKey(der); bad == nil {
					more = []hint{{key, nil, c.Tag}}
				}
			}
		}
		if err != nil {
			return nil, err
		}
		if all = append(all, more...); len(all) > most {
			return nil, refuse(ErrShape, "more than %d keys in KeyInfo", most)
		}
	}
	return all, nil
}

func certificateHints(data *etree.Element) ([]hint, error) {
	var all []hint
	for _, item := range data.ChildElements() {
		if !isDSig(item, "X509Certificate") {
			continue
		}
		der, err := octetsOf(item)
		if err != nil {
			return nil, err
		}
		if c, err := x509.ParseCertificate(der); err == nil { // another may do
			all = append(all, hint{c.PublicKey, c, "X509Data"})
		}
	}
	return all, nil
}

// keyValue reads RSAKeyValue (XML Signature §4.5.2.2), ECKeyValue with a named
// curve (§4.5.2.3.1), and its older form.
func keyValue(el *etree.Element) ([]hint, error) {
	children := el.ChildElements()
	if len(children) != 1 {
		return nil, refuse(ErrShape, "KeyValue holds %d elements", len(children))
	}
	value := children[0]
	inner := func(space, name string) ([]byte, error) {
		for _, c := range value.ChildElements() {
			if c.Tag == name && c.NamespaceURI() == space {
				return octetsOf(c)
			}
		}
		return nil, refuse(ErrShape, "%s without %s", value.Tag, name)
	}
	switch space := value.NamespaceURI(); {
	case space == edxml.NamespaceDSig && value.Tag == "RSAKeyValue":
		n, err := inner(space, "Modulus")
		if err != nil {
			return nil, err
		}
		e, err := inner(space, "Exponent")
		if err != nil {
			return nil, err
		}
		if e = bytes.TrimLeft(e, "\x00"); len(e) == 0 || len(e) > 4 || e[0] > 0x7F && len(e) == 4 {
			return nil, refuse(ErrAlgorithm, "an RSA exponent of %d bytes", len(e))
		}
		return []hint{{&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil, "KeyValue"}}, nil
	case space == dsig11 && value.Tag == "ECKeyValue":
		point, err := inner(space, "PublicKey")
		if err != nil {
			return nil, err
		}
		key, err := ecdsa.ParseUncompressedPublicKey(namedCurve(value), point)
		if err != nil {
			return nil, refuse(ErrAlgorithm, "a point or a curve that is not known")
		}
		return []hint{{key, nil, "KeyValue"}}, nil
	case space == more2001 && value.Tag == "ECDSAKeyValue":
		key, err := olderKey(value)
		if err != nil {
			return nil, err
		}
		return []hint{{key, nil, "KeyValue"}}, nil
	}
	return nil, nil
}

// namedCurve finds the curve; P-224, which no method takes, stands for any other.
func namedCurve(value *etree.Element) elliptic.Curve {
	for _, c := range value.ChildElements() {
		if c.Tag == "NamedCurve" && c.NamespaceURI() == dsig11 {
			uri, _ := attribute(c, "URI")
			return curveOf(uri)
		}
	}
	return elliptic.P224()
}

func curveOf(oid string) elliptic.Curve {
	switch oid {
	case "urn:oid:1.2.840.10045.3.1.7":
		return elliptic.P256()
	case "urn:oid:1.3.132.0.34":
		return elliptic.P384()
	case "urn:oid:1.3.132.0.35":
		return elliptic.P521()
	}
	return elliptic.P224()
}

// olderKey reads ECDSAKeyValue with a named curve (RFC 4050 §3.1), which
// programs from before XML Signature 1.1 write.
func olderKey(value *etree.Element) (*ecdsa.PublicKey, error) {
	curve := elliptic.P224()
	point := map[string]*big.Int{}
	for _, group := range value.ChildElements() {
		for _, c := range group.ChildElements() {
			if c.NamespaceURI() != more2001 {
				continue
			}
			switch c.Tag {
			case "NamedCurve":
				oid, _ := attribute(c, "URN")
				curve = curveOf(oid)
			case "X", "Y":
				text, _ := attribute(c, "Value")
				if n, ok := new(big.Int).SetString(text, 10); ok && len(text) <= 160 && n.Sign() >= 0 {
					point[c.Tag] = n
				}
			}
		}
	}
	size := (curve.Params().BitSize + 7) / 8
	x, y := point["X"], point["Y"]
	if x == nil || y == nil || x.BitLen() > 8*size || y.BitLen() > 8*size {
		return nil, refuse(ErrAlgorithm, "a point or a curve that is not known")
	}
	raw := append(append([]byte{4}, x.FillBytes(make([]byte, size))...), y.FillBytes(make([]byte, size))...)
	key, err := ecdsa.ParseUncompressedPublicKey(curve, raw)
	if err != nil {
		return nil, refuse(ErrAlgorithm, "a point or a curve that is not known")
	}
	return key, nil
}

// strongKey refuses keys that are too short or too long, and names what was
// let pass.
func strongKey(key crypto.PublicKey, legacy bool) (warning string, err error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); {
		case bits > maxRSA, bits < minSuiteRSA, bits < minRSA && !legacy:
			return "", refuse(ErrAlgorithm, "an RSA key of %d bits", bits)
		case bits < minRSA:
			return "a short RSA key", nil
		}
	case *ecdsa.PublicKey:
		if !knownCurve(key.Curve) {
			return "", refuse(ErrAlgorithm, "an ECDSA key on %s", key.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	default:
		return "", refuse(ErrAlgorithm, "a key of type %T", key)
	}
	return "", nil
}
