package signature_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/lienthong/lienthong/signature"
)

// registry is an OCSP responder and a CRL server over real HTTP.
type registry struct {
	ocsp.Response // what is answered; SerialNumber 0: the one that was asked for
	by            *x509.Certificate
	key           crypto.Signer
	list          []byte
	down          bool
	asked         int
}

func (r *registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.asked++
	if r.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if q.Method == http.MethodGet {
		w.Write(r.list)
		return
	}
	body := must(io.ReadAll(q.Body))
	ask, err := ocsp.ParseRequest(body)
	if err != nil || ask.HashAlgorithm != crypto.SHA1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer := r.Response
	if answer.SerialNumber == nil {
		answer.SerialNumber = ask.SerialNumber
	}
	by, key := r.by, r.key
	if by == nil {
		by, key = ca().root, ca().rootKey
	} else {
		answer.Certificate = by
	}
	w.Write(must(ocsp.CreateResponse(ca().root, by, answer, key)))
}

// crl makes a list of the test CA.
func crl(from, next time.Time, more []pkix.Extension, serials ...*big.Int) []byte {
	t := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: next, ExtraExtensions: more}
	for _, s := range serials {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: from})
	}
	return must(x509.CreateRevocationList(rand.Reader, t, ca().root, ca().rootKey))
}

func readCRL(der []byte) *x509.RevocationList { return must(signature.ReadCRL(der)) }

func TestRevocation(t *testing.T) {
	signed := sign(t, single(files...), nil, ca().rsa, signature.Auto)
	serial := ca().rsa.Chain[0].SerialNumber
	now := time.Now()
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	responder := ca().issue(&x509.Certificate{Subject: name("Tra loi"), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}, ca().ec.Signer, ca().root)
	scope := func(s string) []pkix.Extension {
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte(s)}}
	}
	good := func(r *registry) { r.Status, r.ThisUpdate, r.NextUpdate = ocsp.Good, hour(-1), hour(1) }
	stale := func(r *registry) { r.Status, r.ThisUpdate, r.NextUpdate = ocsp.Good, hour(-9), hour(-8) }
	for _, c := range []struct {
		why     string
		ocsp    func(*registry) // nil: nobody is asked
		lists   [][]byte
		fetched []byte // at an address
		o       signature.VerifyOptions
		want    error
		warning string
	}{
		{why: "OCSP says good", ocsp: good},
		{why: "a delegated responder says good", ocsp: func(r *registry) { good(r); r.by, r.key = responder, ca().ec.Signer }},
		{why: "another agency answers", ocsp: func(r *registry) { good(r); r.by, r.key = ca().ec.Chain[0], ca().ec.Signer }, want: signature.ErrRevocation},
		{why: "somebody answers", ocsp: func(r *registry) { good(r); r.by, r.key = ca().self.Chain[0], ca().self.Signer }, want: signature.ErrRevocation},
		{why: "an answer about another certificate", ocsp: func(r *registry) { good(r); r.SerialNumber = big.NewInt(77777) }, want: signature.ErrRevocation},
		{why: "revoked", ocsp: func(r *registry) { good(r); r.Status, r.RevokedAt = ocsp.Revoked, hour(-2) }, want: signature.ErrRevoked},
		{why: "revoked later", ocsp: func(r *registry) { good(r); r.Status, r.RevokedAt = ocsp.Revoked, hour(-2) },
			o: signature.VerifyOptions{At: hour(-3)}, warning: "revoked later"},
		{why: "the responder does not know", ocsp: func(r *registry) { good(r); r.Status = ocsp.Unknown }, want: signature.ErrRevocation},
		{why: "no next update", ocsp: func(r *registry) { good(r); r.NextUpdate = time.Time{} }, want: signature.ErrRevocation},
		{why: "no next update, just made", ocsp: func(r *registry) { good(r); r.ThisUpdate, r.NextUpdate = now.Add(-time.Minute), time.Time{} }},
		{why: "out of date", ocsp: stale, want: signature.ErrRevocation},
		{why: "out of date, but not then", ocsp: stale, o: signature.VerifyOptions{At: hour(-10)}},
		{why: "out of date, within grace", ocsp: stale, o: signature.VerifyOptions{Outage: signature.OutageGrace}, warning: "out of date"},
		{why: "out of date, behind grace", ocsp: stale, o: signature.VerifyOptions{Outage: signature.OutageGrace, Grace: time.Hour}, want: signature.ErrRevocation},
		{why: "down", ocsp: func(r *registry) { r.down = true }, want: signature.ErrRevocation},
		{why: "down, queue", ocsp: func(r *registry) { r.down = true }, o: signature.VerifyOptions{Outage: signature.OutageQueue}, want: signature.ErrPending},
		{why: "down, grace without a last word", ocsp: func(r *registry) { r.down = true }, o: signature.VerifyOptions{Outage: signature.OutageGrace}, want: signature.ErrRevocation},
		{why: "down, but a list is at hand", ocsp: func(r *registry) { r.down = true }, lists: [][]byte{crl(hour(-1), hour(1), nil)}},
		{why: "nobody to ask", want: signature.ErrRevocation},
		{why: "a list", lists: [][]byte{crl(hour(-1), hour(1), nil, big.NewInt(4242))}},
		{why: "a list as PEM", lists: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl(hour(-1), hour(1), nil)})}},
		{why: "on the list", lists: [][]byte{crl(hour(-1), hour(1), nil, big.NewInt(4242), serial)}, want: signature.ErrRevoked},
		{why: "on an old list", lists: [][]byte{crl(hour(-9), hour(-8), nil, serial)}, want: signature.ErrRevoked},
		{why: "an old list", lists: [][]byte{crl(hour(-9), hour(-8), nil)}, want: signature.ErrRevocation},
		{why: "an old list, queue", lists: [][]byte{crl(hour(-9), hour(-8), nil)}, o: signature.VerifyOptions{Outage: signature.OutageQueue}, want: signature.ErrPending},
		{why: "an old and a new list", lists: [][]byte{crl(hour(-9), hour(-8), nil), crl(hour(-1), hour(1), nil)}},
		{why: "OCSP good, but on the list", ocsp: good, lists: [][]byte{crl(hour(-1), hour(1), nil, serial)}, want: signature.ErrRevoked},
		{why: "a list of CAs only", lists: [][]byte{crl(hour(-1), hour(1), scope("\x30\x03\x82\x01\xff"))}, want: signature.ErrRevocation},
		{why: "a list of users", lists: [][]byte{crl(hour(-1), hour(1), scope("\x30\x03\x81\x01\xff"))}},
		{why: "an indirect list", lists: [][]byte{crl(hour(-1), hour(1), scope("\x30\x03\x84\x01\xff"))}, want: signature.ErrRevocation},
		{why: "a list for another distribution point", lists: [][]byte{crl(hour(-1), hour(1), scope("\x30\x09\xa0\x07\xa0\x05\x86\x03a:b"))}, want: signature.ErrRevocation},
		{why: "a delta list", lists: [][]byte{crl(hour(-1), hour(1), []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}})}, want: signature.ErrRevocation},
		{why: "a list at an address", fetched: crl(hour(-1), hour(1), nil)},
		{why: "on the list at an address", fetched: crl(hour(-1), hour(1), nil, serial), want: signature.ErrRevoked},
		{why: "no list at an address", fetched: []byte("<html/>"), want: signature.ErrRevocation},
		{why: "a list made after the certificate ended", o: signature.VerifyOptions{At: ca().to.Add(-time.Hour)}, lists: [][]byte{crl(ca().to.Add(time.Hour), ca().to.Add(2*time.Hour), nil)}, want: signature.ErrRevocation},
	} {
		r := &signature.Revocation{}
		for _, l := range c.lists {
			r.Lists = append(r.Lists, readCRL(l))
		}
		answers := &registry{list: c.fetched}
		s := httptest.NewServer(answers)
		if c.ocsp != nil {
			c.ocsp(answers)
			r.OCSP = []string{s.URL}
		}
		if c.fetched != nil {
			r.CRLs = []string{s.URL}
		}
		o := c.o
		o.Roots, o.Revocation = ca().roots, r
		v, err := signature.Verify(strings.NewReader(signed), int64(len(signed)), nil, o)
		s.Close()
		if err != nil || len(v) != 1 {
			t.Fatal(v, err)
		}
		if c.want == nil && v[0].Err != nil || !errors.Is(v[0].Err, c.want) {
			t.Errorf("%s: %v, want %v", c.why, v[0].Err, c.want)
		}
		if c.want == nil && (len(v[0].Revocation) != 1 || len(v[0].Revocation[0].Evidence) == 0) {
			t.Errorf("%s: %v", c.why, v[0].Revocation)
		}
		if got := strings.Join(v[0].Warnings, "; "); c.warning == "" != (got == "") || !strings.Contains(got, c.warning) {
			t.Errorf("%s: %q, want %q", c.why, got, c.warning)
		}
		if c.want != nil && v[0].Message().VI == v[0].Message().EN {
			t.Errorf("%s: one language", c.why)
		}
	}
}

// TestRevocationCache: a responder is asked once until its next update, and an
// address that failed is left alone for a while.
func TestRevocationCache(t *testing.T) {
	chain := []*x509.Certificate{ca().rsa.Chain[0], ca().root}
	now := time.Now()
	answers := &registry{Response: ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}, list: crl(now.Add(-time.Hour), now.Add(time.Hour), nil)}
	s := httptest.NewServer(answers)
	defer s.Close()
	for _, r := range []*signature.Revocation{{OCSP: []string{s.URL}}, {CRLs: []string{s.URL}}} {
		answers.asked, answers.down = 0, false
		for range 3 {
			if _, _, err := r.Check(chain, now, signature.OutageFail, 0); err != nil {
				t.Fatal(err)
			}
		}
		if answers.asked != 1 {
			t.Errorf("asked %d times before the next update", answers.asked)
		}
		later := now.Add(2 * time.Hour)
		answers.down = true
		for range 3 {
			if _, _, err := r.Check(chain, later, signature.OutageFail, 0); !errors.Is(err, signature.ErrRevocation) {
				t.Errorf("behind the next update: %v", err)
			}
			if _, warnings, err := r.Check(chain, later, signature.OutageGrace, 0); err != nil || len(warnings) != 1 {
				t.Errorf("the last word, within grace: %v %v", err, warnings)
			}
		}
		if answers.asked != 2 {
			t.Errorf("asked %d times; an address that failed is left alone", answers.asked)
		}
	}
}

// TestRevocationRests: after half a minute an address that failed is asked again.
func TestRevocationRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := &signature.Revocation{OCSP: []string{"http://ocsp.test/"}, Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			asked++
			return nil, errors.New("no route")
		})}}
		chain := []*x509.Certificate{ca().rsa.Chain[0], ca().root}
		for i := range 4 {
			if _, _, err := r.Check(chain, time.Now(), signature.OutageQueue, 0); !errors.Is(err, signature.ErrPending) || !strings.Contains(fmt.Sprint(err), "no route") {
				t.Errorf("%d: %v", i, err)
			}
			time.Sleep(16 * time.Second)
		}
		if asked != 2 {
			t.Errorf("asked %d times within 48 s", asked)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestAddressesInCertificates: what a packet's certificate says about where to
// ask is followed only to hosts the operator named.
func TestAddressesInCertificates(t *testing.T) {
	now := time.Now()
	answers := &registry{Response: ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}, list: crl(now.Add(-time.Hour), now.Add(time.Hour), nil)}
	s := httptest.NewServer(answers)
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	for _, where := range []x509.Certificate{{OCSPServer: []string{s.URL}}, {CRLDistributionPoints: []string{s.URL}}} {
		leaf := where
		leaf.Subject = name("Chi cho")
		key := *ca().ec
		key.Chain = []*x509.Certificate{ca().issue(&leaf, key.Signer, ca().root)}
		signed := sign(t, single(), nil, &key, signature.Auto)
		for _, c := range []struct {
			hosts []string
			asked int
		}{{nil, 0}, {[]string{"127.0.0.1"}, 0}, {[]string{"ocsp.ca.gov.vn"}, 0}, {[]string{host}, 1}} {
			answers.asked = 0
			o := signature.VerifyOptions{Roots: ca().roots, Revocation: &signature.Revocation{Hosts: c.hosts}}
			v, err := signature.Verify(strings.NewReader(signed), int64(len(signed)), nil, o)
			if err != nil || answers.asked != c.asked || (v[0].Err == nil) != (c.asked > 0) {
				t.Errorf("%v: asked %d times, want %d: %v", c.hosts, answers.asked, c.asked, v[0].Err)
			}
		}
		// A signer nobody trusts gets nobody asked.
		answers.asked = 0
		o := signature.VerifyOptions{Revocation: &signature.Revocation{Hosts: []string{host}}}
		if v, err := signature.Verify(strings.NewReader(signed), int64(len(signed)), nil, o); err != nil || answers.asked != 0 || !errors.Is(v[0].Err, signature.ErrUntrusted) {
			t.Errorf("asked %d times for an unknown signer", answers.asked)
		}
	}
}

// TestKnown: a signature with a name or a bare key, and the certificate handed in.
func TestKnown(t *testing.T) {
	signed, err := signWith(single(files...), nil, ca().rsa, signature.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data := between(t, signed, "<ds:X509Data>", "</ds:X509Data>")
	der := base64Of(must(x509.MarshalPKIXPublicKey(ca().rsa.Signer.Public())))
	other := ca().ec.Chain[0]
	for _, c := range []struct {
		why, info string
		known     map[string]*x509.Certificate
		want      error
	}{
		{"a name", "<ds:KeyName>văn thư</ds:KeyName>", map[string]*x509.Certificate{"văn thư": ca().rsa.Chain[0], "khác": other}, nil},
		{"a name nobody has", "<ds:KeyName>ai đó</ds:KeyName>", map[string]*x509.Certificate{"văn thư": ca().rsa.Chain[0]}, signature.ErrUntrusted},
		{"the name of another key", "<ds:KeyName>khác</ds:KeyName>", map[string]*x509.Certificate{"khác": other}, signature.ErrSignatureValue},
		{"a key", `<DEREncodedKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">` + der + "</DEREncodedKeyValue>", map[string]*x509.Certificate{"x": ca().rsa.Chain[0]}, nil},
		{"a key nobody has", `<DEREncodedKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">` + der + "</DEREncodedKeyValue>", map[string]*x509.Certificate{"x": other}, signature.ErrUntrusted},
		{"a key and nothing handed in", `<DEREncodedKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">` + der + "</DEREncodedKeyValue>", nil, signature.ErrUntrusted},
		{"a self-made certificate of the name", "<ds:KeyName>x</ds:KeyName>", map[string]*x509.Certificate{"x": ca().self.Chain[0]}, signature.ErrCertificate},
		{"several X509Data, the signer's last", strings.Replace(data, between(t, data, "<ds:X509Certificate>", "</ds:X509Certificate>"),
			"<ds:X509Certificate>"+base64Of(other.Raw)+"</ds:X509Certificate>", 1) + data, nil, nil},
		{"a name before the certificate", "<ds:KeyName>x</ds:KeyName>" + data, nil, nil},
	} {
		packet := swap(t, signed, data, c.info)
		v, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{Roots: ca().roots, Known: c.known})
		if err != nil || len(v) != 1 || c.want == nil && v[0].Err != nil || !errors.Is(v[0].Err, c.want) {
			t.Errorf("%s: %v %v, want %v", c.why, v, err, c.want)
		}
	}
}
