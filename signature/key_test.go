package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestParseKey(t *testing.T) {
	a := ca()
	rsaKey, ecKey := a.rsa.Signer.(*rsa.PrivateKey), a.ec.Signer.(*ecdsa.PrivateKey)
	rsaCert, ecCert := pemOf("CERTIFICATE", a.rsa.Chain[0].Raw), pemOf("CERTIFICATE", a.ec.Chain[0].Raw)
	chain := append(append([]byte{}, rsaCert...), pemOf("CERTIFICATE", a.root.Raw)...)
	sec1 := pemOf("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ecKey)))
	for _, c := range []struct {
		why       string
		key, cert []byte
		chain     int // 0: refused
		want      error
	}{
		{"PKCS#8", pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey))), rsaCert, 1, nil},
		{"PKCS#1, with the chain", pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), chain, 2, nil},
		{"SEC 1", sec1, ecCert, 1, nil},
		{"SEC 1 behind its parameters", append(pemOf("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}), sec1...), ecCert, 1, nil},
		{"PKCS#8 ECDSA", pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ecKey))), ecCert, 1, nil},
		{"key of another certificate", sec1, rsaCert, 0, signature.ErrKeyMismatch},
		{"the signer's certificate is not the first", pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), append(pemOf("CERTIFICATE", a.root.Raw), rsaCert...), 0, signature.ErrKeyMismatch},
		{"no key", rsaCert, rsaCert, 0, nil},
		{"no certificate", sec1, sec1, 0, nil},
		{"encrypted", pemOf("ENCRYPTED PRIVATE KEY", []byte("x")), rsaCert, 0, nil},
		{"garbage", pemOf("PRIVATE KEY", []byte("s3cret")), rsaCert, 0, nil},
		{"a certificate that is none", sec1, pemOf("CERTIFICATE", []byte("x")), 0, nil},
	} {
		k, err := signature.ParseKey(c.key, c.cert)
		switch {
		case c.chain > 0 && (err != nil || len(k.Chain) != c.chain):
			t.Errorf("%s: %v", c.why, err)
		case c.chain == 0 && (err == nil || c.want != nil && !errors.Is(err, c.want)):
			t.Errorf("%s: %v, want %v", c.why, err, c.want)
		case err != nil && strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%s: the error shows the key: %v", c.why, err)
		}
	}
}

// TestWeakKeys: what would not be accepted is not made.
func TestWeakKeys(t *testing.T) {
	a := ca()
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	leaf := &x509.Certificate{Subject: name("x")}
	packet := single()
	for _, k := range []*signature.Key{
		{Signer: short, Chain: []*x509.Certificate{a.issue(leaf, short, a.root)}},
		{Signer: p224, Chain: []*x509.Certificate{a.issue(leaf, p224, a.root)}},
	} {
		err := signature.Sign(failing{}, strings.NewReader(packet), int64(len(packet)), nil, k, signature.SignOptions{})
		if !errors.Is(err, signature.ErrAlgorithm) {
			t.Errorf("%T: %v", k.Signer, err)
		}
	}
	for _, k := range []*signature.Key{nil, {}, {Signer: short}} {
		if err := signature.Sign(failing{}, strings.NewReader(packet), int64(len(packet)), nil, k, signature.SignOptions{}); err == nil {
			t.Error("half a key signs")
		}
	}
}
