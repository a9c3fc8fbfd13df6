package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"

	dsig "github.com/russellhaering/goxmldsig"
)

// Key signs: any crypto.Signer (RSA from 2,048 bits, or ECDSA P-256) with the
// certificates that go into KeyInfo, the signer's own first.
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

// algorithm returns the signature method for the key.
func (k *Key) algorithm() (string, error) {
	switch public := k.Signer.Public().(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSA {
			return "", refuse(ErrAlgorithm, "an RSA key of %d bits; %d are needed", public.N.BitLen(), minRSA)
		}
		return dsig.RSASHA256SignatureMethod, nil
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return "", refuse(ErrAlgorithm, "an ECDSA key on %s; P-256 is needed", public.Curve.Params().Name)
		}
		return dsig.ECDSASHA256SignatureMethod, nil
	}
	return "", refuse(ErrAlgorithm, "a key of type %T; RSA or ECDSA P-256 is needed", k.Signer.Public())
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
