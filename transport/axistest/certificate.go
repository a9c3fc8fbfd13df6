package axistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// ExpiredCertificate returns a certificate for this machine that ended a day
// ago. It signs itself, so that a client which believes it (it is in Leaf, and
// at the management door under /expired.pem) has nothing to object to but the
// date. An Axis has one of its own.
func (a *Axis) ExpiredCertificate() (tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.expired.Leaf != nil {
		return a.expired, nil
	}
	cert, err := expired()
	if err == nil {
		a.expired = cert
	}
	return cert, err
}

func expired() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("axistest: %w", err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Expired test axis"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, -1), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("axistest: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("axistest: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
