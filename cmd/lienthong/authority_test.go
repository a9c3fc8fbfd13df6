package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ocsp"
)

// authority is a certification authority with a time-stamping service, an OCSP
// responder and a revocation list over real HTTP, for scripts:
//
//	authority NAME    make NAME-ca.crt, NAME.key, NAME.crt, the revoked pair
//	                  NAME-revoked.key and NAME-revoked.crt, and NAME.crl; $NAME is
//	                  where /tsa, /slow, /broken, /ocsp and /crl answer
func authority(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "authority NAME")
	a := &authorities{ts: ts, end: make(chan struct{})}
	a.root = a.certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Root of " + args[0]}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
	good := a.certify(&x509.Certificate{Subject: pkix.Name{CommonName: args[0]}, KeyUsage: x509.KeyUsageDigitalSignature}, a.root)
	a.revoked = a.certify(&x509.Certificate{Subject: pkix.Name{CommonName: args[0] + " cũ"}, KeyUsage: x509.KeyUsageDigitalSignature}, a.root)
	a.clock = a.certify(&x509.Certificate{Subject: pkix.Name{CommonName: "Clock of " + args[0]}, ExtraExtensions: []pkix.Extension{{
		Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: []byte("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08"),
	}}}, a.root)
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: a.revoked.cert.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)}},
	}, a.root.cert, a.root.key)
	ts.Check(err)
	a.list = list
	for name, k := range map[string]*certified{args[0]: good, args[0] + "-revoked": a.revoked} {
		der, err := x509.MarshalPKCS8PrivateKey(k.key)
		ts.Check(err)
		a.write(name+".key", "PRIVATE KEY", der)
		a.write(name+".crt", "CERTIFICATE", k.cert.Raw)
	}
	a.write(args[0]+"-ca.crt", "CERTIFICATE", a.root.cert.Raw)
	a.write(args[0]+".crl", "X509 CRL", list)
	s := httptest.NewServer(a)
	ts.Defer(func() {
		close(a.end)
		s.Close()
	})
	ts.Setenv(args[0], s.URL)
}

type authorities struct {
	ts                   *testscript.TestScript
	root, revoked, clock *certified
	list                 []byte
	serial               int64
	end                  chan struct{}
}

type certified struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func (a *authorities) certify(c *x509.Certificate, by *certified) *certified {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.ts.Check(err)
	a.serial++
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(a.serial), time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	if by == nil {
		by = &certified{key, c}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key)
	a.ts.Check(err)
	cert, err := x509.ParseCertificate(der)
	a.ts.Check(err)
	return &certified{key, cert}
}

func (a *authorities) write(name, kind string, der []byte) {
	var b bytes.Buffer
	a.ts.Check(pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}))
	a.ts.Check(os.WriteFile(a.ts.MkAbs(name), b.Bytes(), 0o600))
}

// ServeHTTP implements http.Handler.
func (a *authorities) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var answer []byte
	switch {
	case err != nil || strings.HasPrefix(r.URL.Path, "/broken"):
		w.WriteHeader(http.StatusInternalServerError)
		return
	case r.URL.Path == "/slow":
		select {
		case <-a.end:
		case <-r.Context().Done():
		}
		return
	case r.URL.Path == "/crl":
		answer = a.list
	case r.URL.Path == "/tsa":
		answer, err = a.stamp(body)
	case r.URL.Path == "/ocsp":
		answer, err = a.standing(body)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = w.Write(answer)
}

func (a *authorities) stamp(query []byte) ([]byte, error) {
	q, err := timestamp.ParseRequest(query)
	if err != nil {
		return nil, err
	}
	t := timestamp.Timestamp{
		HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Nonce: q.Nonce, Time: time.Now().UTC(), AddTSACertificate: true,
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1},
	}
	return t.CreateResponseWithOpts(a.clock.cert, a.clock.key, crypto.SHA256)
}

func (a *authorities) standing(query []byte) ([]byte, error) {
	q, err := ocsp.ParseRequest(query)
	if err != nil {
		return nil, err
	}
	answer := ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber, ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}
	if q.SerialNumber.Cmp(a.revoked.cert.SerialNumber) == 0 {
		answer.Status, answer.RevokedAt = ocsp.Revoked, time.Now().Add(-time.Minute)
	}
	return ocsp.CreateResponse(a.root.cert, a.root.cert, answer, a.root.key)
}
