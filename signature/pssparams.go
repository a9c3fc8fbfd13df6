package signature

import (
	"crypto"
	"strconv"

	"github.com/beevik/etree"
)

// methodPSS is RSASSA-PSS with its parameters written out (RFC 9231 §2.3.9).
const methodPSS = more2007 + "rsa-pss"

// signatureMethod reads SignatureMethod. Only RSASSA-PSS may have parameters.
func signatureMethod(el *etree.Element) (scheme, error) {
	if uri, _ := attribute(el, "Algorithm"); uri == methodPSS {
		return pssParameters(el)
	}
	name, err := bare(el)
	if err != nil {
		return scheme{}, err
	}
	s, ok := schemeOf(name)
	if !ok {
		return scheme{}, refuse(ErrAlgorithm, "SignatureMethod %q", name)
	}
	return s, nil
}

// pssParameters reads RSAPSSParams, each of which has a default: SHA-256, MGF1
// with the same digest, a salt as long as the digest, trailer 1. Two digests,
// which Go does not compute, are refused.
func pssParameters(el *etree.Element) (scheme, error) {
	s := scheme{uri: methodPSS, kind: pss, hash: crypto.SHA256}
	var mask crypto.Hash
	outer, err := elements(el)
	if err != nil {
		return s, err
	}
	var params []*etree.Element
	if len(outer) == 1 && outer[0].Tag == "RSAPSSParams" && outer[0].NamespaceURI() == more2007 {
		if params, err = elements(outer[0]); err != nil {
			return s, err
		}
	} else if len(outer) > 0 {
		return s, refuse(ErrAlgorithm, "parameters of SignatureMethod %q", methodPSS)
	}
	seen := make(map[string]bool)
	for _, p := range params {
		if seen[p.Tag] {
			return s, refuse(ErrShape, "%s twice", p.FullTag())
		}
		seen[p.Tag] = true
		switch {
		case isDSig(p, "DigestMethod"):
			s.hash, err = digestOf(p)
		case p.NamespaceURI() != more2007:
			err = refuse(ErrAlgorithm, "%s in RSAPSSParams", p.FullTag())
		case p.Tag == "MaskGenerationFunction":
			mask, err = maskDigest(p)
		case p.Tag == "SaltLength":
			if s.salt, err = strconv.Atoi(p.Text()); err != nil || s.salt < 1 || s.salt > maxRSA/8 {
				err = refuse(ErrAlgorithm, "SaltLength %q", p.Text())
			}
		case p.Tag != "TrailerField" || p.Text() != "1":
			err = refuse(ErrAlgorithm, "%s in RSAPSSParams", p.FullTag())
		}
		if err != nil {
			return s, err
		}
	}
	if mask != 0 && mask != s.hash {
		return s, refuse(ErrAlgorithm, "RSASSA-PSS with two digests")
	}
	return s, nil
}

// maskDigest reads MGF1 with its digest, 0 when it names none.
func maskDigest(el *etree.Element) (crypto.Hash, error) {
	if uri, _ := attribute(el, "Algorithm"); uri != more2007+"MGF1" {
		return 0, refuse(ErrAlgorithm, "MaskGenerationFunction %q", uri)
	}
	children, err := elements(el)
	switch {
	case err != nil:
		return 0, err
	case len(children) == 0:
		return 0, nil
	case len(children) > 1 || !isDSig(children[0], "DigestMethod"):
		return 0, refuse(ErrShape, "MaskGenerationFunction does not hold one DigestMethod")
	}
	return digestOf(children[0])
}

// digestOf reads a DigestMethod.
func digestOf(el *etree.Element) (crypto.Hash, error) {
	name, err := bare(el)
	if err != nil {
		return 0, err
	}
	h := digestHash(name)
	if h == 0 {
		return 0, refuse(ErrAlgorithm, "DigestMethod %q", name)
	}
	return h, nil
}
