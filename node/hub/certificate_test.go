package hub_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	mathbig "math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// certificate is one of its own making: which are good, the hub is told.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: mathbig.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

// TestCertificates lets an agency in by its client certificate, without a
// token: its own, as long as it is registered, and for itself alone.
func TestCertificates(t *testing.T) {
	w := open(t, nil, hub.Options{})
	server := httptest.NewUnstartedServer(w.hub.Handler())
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)

	own, other := certificate(t, "Sở Y tế"), certificate(t, "Sở Nội vụ")
	w.agency("H41.1", func(a *hub.Agency) { a.Certs = []string{hub.Fingerprint(own.Leaf)} })
	w.agency("H41.2", func(a *hub.Agency) { a.Certs = []string{hub.Fingerprint(other.Leaf)} })
	as := func(id string, token edxml.Secret, cert ...tls.Certificate) *edoc.Client {
		t.Helper()
		http := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, Certificates: cert,
		}}}
		c := &edoc.Client{URL: server.URL, Organ: id, Token: token, HTTP: http}
		t.Cleanup(func() { c.Close() })
		return c
	}
	a := as("H41.1", "", own)
	send(t, a, "1", "x", "H41.2")
	d := letter("H41.1", "1", "x", "H41.2")
	b := as("H41.2", "", other)
	if got := collect(t, b, one(t, b)); got.file != "x" || got.Credential != nil {
		t.Errorf("collected %+v", got)
	}
	if err := b.SendStatus(t.Context(), status("H41.2", d, edxml.StatusDone, "")); err != nil {
		t.Error(err)
	}
	for why, c := range map[string]*edoc.Client{
		"the certificate of another agency": as("H41.1", "", other), "an unknown certificate": as("H41.1", "", certificate(t, "ai đó")),
		"no certificate and no token": as("H41.1", ""), "a wrong token without a certificate": as("H41.1", "no"),
	} {
		var f *transport.Fault
		if _, err := c.Pending(t.Context()); !errors.As(err, &f) || !f.Credential {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := w.hub.Change(t.Context(), "H41.1", func(a *hub.Agency) error { a.Certs = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Pending(t.Context()); err == nil {
		t.Error("a certificate that was taken away was let in")
	}
	if _, err := as("H41.1", w.clientOf("H41.1").Token, certificate(t, "ai đó")).Pending(t.Context()); err != nil {
		t.Errorf("a token beside some certificate: %v", err)
	}
}
