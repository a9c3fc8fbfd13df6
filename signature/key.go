package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
)

// Key signs: any crypto.Signer (RSA from 2,048 bits, ECDSA P-256, P-384 or
// P-521, Ed25519) with the certificates that go into KeyInfo, the signer's own
// first.
type Key struct {
	Signer crypto.Signer
	Chain  []*x509.Certificate
}

// ParseKey reads a private key (PKCS#8, PKCS#1 or SEC 1) and its certificates,
// the signer's first, from PEM. The error is [ErrKeyMismatch] when they do not
// belong together. No error holds anything of the key.
func ParseKey(keyPEM, certPEM []byte) (*Key, error) {
	signer, err := parsePrivate(keyPEM)
	if err != nil {
		return nil, err
	}
	k := &Key{Signer: signer}
	for rest := certPEM; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("signature: certificate %d: %w", len(k.Chain)+1, err)
		}
		k.Chain = append(k.Chain, c)
	}
	if len(k.Chain) == 0 {
		return nil, errors.New("signature: no certificate in the PEM text")
	}
	return k, k.match()
}

func parsePrivate(text []byte) (crypto.Signer, error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("signature: no private key in the PEM text")
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, errors.New("signature: the private key is encrypted; decrypt it first")
			}
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("signature: the private key is encrypted; decrypt it first")
		default: // EC PARAMETERS, certificates
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("signature: the %s cannot be read", block.Type)
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, refuse(ErrAlgorithm, "a key of type %T cannot sign", key)
		}
		return signer, nil
	}
}

// match reports whether key and certificate belong together.
func (k *Key) match() error {
	if k == nil || k.Signer == nil || len(k.Chain) == 0 {
		return errors.New("signature: a key needs a signer and its certificate")
	}
	if len(k.Chain) > maxCertificates {
		return refuse(ErrShape, "more than %d certificates", maxCertificates)
	}
	public, ok := k.Signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(k.Chain[0].PublicKey) {
		return fmt.Errorf("%w (%s)", ErrKeyMismatch, k.Chain[0].Subject)
	}
	return nil
}

// scheme returns the signature method to use; "" is the key's default.
func (k *Key) scheme(name Algorithm) (scheme, error) {
	var kinds []kind
	def := Algorithm("rsa-sha256")
	switch public := k.Signer.Public().(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			return scheme{}, refuse(ErrAlgorithm, "an RSA key of %d bits; %d to %d are needed", bits, minRSA, maxRSA)
		}
		kinds = []kind{pkcs1, pss}
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			def = "ecdsa-sha256"
		case elliptic.P384():
			def = "ecdsa-sha384"
		case elliptic.P521():
			def = "ecdsa-sha512"
		default:
			return scheme{}, refuse(ErrAlgorithm, "an ECDSA key on %s; P-256, P-384 or P-521 is needed", public.Curve.Params().Name)
		}
		kinds = []kind{ecRaw}
	case ed25519.PublicKey:
		def, kinds = "eddsa-ed25519", []kind{edwards}
	default:
		return scheme{}, refuse(ErrAlgorithm, "a key of type %T; RSA, ECDSA or Ed25519 is needed", public)
	}
	if name == "" {
		name = def
	}
	for _, s := range schemes() {
		if Algorithm(short(s.uri)) == name && s.hash != crypto.SHA1 {
			if !slices.Contains(kinds, s.kind) {
				return scheme{}, refuse(ErrAlgorithm, "%s with a key of type %T", name, k.Signer.Public())
			}
			return s, nil
		}
	}
	return scheme{}, refuse(ErrAlgorithm, "%q", name)
}

// rawSigner writes ECDSA signatures as XML Signature §6.4.3 wants them, r and
// s of fixed length one behind the other, where crypto.Signer gives DER.
type rawSigner struct{ crypto.Signer }

func (s rawSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	value, err := s.Signer.Sign(random, digest, opts)
	public, ok := s.Public().(*ecdsa.PublicKey)
	if err != nil || !ok {
		return value, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(value, &pair); err != nil {
		return nil, fmt.Errorf("signature: the signer's ECDSA value is no DER: %w", err)
	}
	n := (public.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*n)
	pair.R.FillBytes(raw[:n])
	pair.S.FillBytes(raw[n:])
	return raw, nil
}
