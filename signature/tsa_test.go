package signature_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/lienthong/lienthong/signature"
)

// authorityOfTime is an RFC 3161 responder over real HTTP. Its fields say what
// is wrong with the answers.
type authorityOfTime struct {
	key      crypto.Signer
	cert     *x509.Certificate
	at       time.Time // zero is now
	slow     <-chan struct{}
	code     int
	refuse   []byte // sent in place of an answer
	spoil    func(*timestamp.Timestamp)
	requests int
}

func (a *authorityOfTime) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.requests++
	if a.slow != nil {
		select {
		case <-a.slow:
		case <-r.Context().Done():
		}
		return
	}
	if a.code != 0 {
		w.WriteHeader(a.code)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	q, err := timestamp.ParseRequest(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	if a.refuse != nil {
		w.Write(a.refuse)
		return
	}
	t := &timestamp.Timestamp{
		HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Nonce: q.Nonce, Time: a.at, AddTSACertificate: true,
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1},
	}
	if t.Time.IsZero() {
		t.Time = time.Now().UTC()
	}
	if a.spoil != nil {
		a.spoil(t)
	}
	answer, err := t.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
	if err != nil {
		panic(err)
	}
	w.Write(answer)
}

// clockKey is the authority's key, certified by the test CA for time stamps.
var clockKey = sync.OnceValue(func() *signature.Key {
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	a := ca()
	cert := a.issue(&x509.Certificate{
		Subject: name("Dong ho"), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{ // critical, and nothing else (RFC 3161 §2.3)
			Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})),
		}},
	}, k, a.root)
	return &signature.Key{Signer: k, Chain: []*x509.Certificate{cert}}
})

func clock(t testing.TB, set func(*authorityOfTime)) signature.TSA {
	t.Helper()
	a := &authorityOfTime{key: clockKey().Signer, cert: clockKey().Chain[0]}
	if set != nil {
		set(a)
	}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	return signature.TSA{URL: s.URL, Client: s.Client()}
}

func imprint(t testing.TB, packet string) signature.Imprint {
	t.Helper()
	all, err := signature.Imprints(strings.NewReader(packet), int64(len(packet)))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// TestStampInside signs with a time stamp at once: XAdES-T. Every shape of
// packet, and xmlsec1 is not disturbed by the unsigned property.
func TestStampInside(t *testing.T) {
	tsa := clock(t, nil)
	for _, s := range shapes() {
		before := time.Now().Add(-time.Second)
		signed, err := signWith(s.packet, s.contents, ca().rsa, signature.SignOptions{Placement: s.at, Stamp: func(of signature.Imprint) (signature.Stamp, error) {
			return tsa.Stamp(context.Background(), of)
		}})
		if err != nil {
			t.Fatal(err)
		}
		v := one(t, signed, s.contents)
		if v.Err != nil || v.Trusted.Before(before) || len(v.Warnings) > 0 || !strings.Contains(signed, "SignatureTimeStamp") {
			t.Errorf("%s: %v, trusted %v, %v", s.name, v.Err, v.Trusted, v.Warnings)
		}
		space := nsQCVN
		if strings.Contains(s.packet, "SOAP-ENV") {
			space = nsEDoc
		}
		dir := folder(t, ca().rsa)
		if err := os.WriteFile(filepath.Join(dir, "packet.xml"), []byte(signed), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(xmlsec1(t), append(append([]string{"--verify", "--trusted-pem", "ca.pem"}, idAttrs(space)...), "packet.xml")...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: xmlsec1: %v\n%s", s.name, err, out)
		}
	}
}

// TestStampBeside: a stamp that came later lies beside the packet, in either
// DER form, and keeps the signature good after the certificate's end.
func TestStampBeside(t *testing.T) {
	short := *ca().rsa
	leaf := &x509.Certificate{Subject: name("Ngan han"), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	short.Chain = []*x509.Certificate{ca().issue(leaf, short.Signer, ca().root)}
	signed := sign(t, soap(files...), beside(files...), &short, signature.Auto)
	stamp, err := clock(t, nil).Stamp(context.Background(), imprint(t, signed))
	if err != nil {
		t.Fatal(err)
	}
	whole := must(asn1.Marshal(struct {
		Status struct{ Status int }
		Token  asn1.RawValue
	}{Token: asn1.RawValue{FullBytes: stamp}}))
	for _, data := range [][]byte{stamp, whole} {
		read, err := signature.ReadStamp(data)
		if err != nil || !bytes.Equal(read, stamp) {
			t.Fatalf("%v", err)
		}
	}
	late := time.Now().AddDate(1, 0, 0)
	look := func(o signature.VerifyOptions) signature.Verdict {
		o.Roots = ca().roots
		v, err := signature.Verify(strings.NewReader(signed), int64(len(signed)), beside(files...), o)
		if err != nil || len(v) != 1 {
			t.Fatal(v, err)
		}
		return v[0]
	}
	if v := look(signature.VerifyOptions{At: late}); !errors.Is(v.Err, signature.ErrExpired) {
		t.Errorf("without the stamp: %v", v.Err)
	}
	if v := look(signature.VerifyOptions{At: late, Stamps: []signature.Stamp{stamp}}); v.Err != nil || v.Trusted.IsZero() || len(v.Warnings) > 0 {
		t.Errorf("with the stamp: %v %v %v", v.Err, v.Trusted, v.Warnings)
	}
	other := must(clock(t, nil).Stamp(context.Background(), signature.Imprint{1}))
	outside := ca().roots.Clone()
	for _, c := range []struct {
		why     string
		o       signature.VerifyOptions
		warning string
	}{
		{"a stamp of another signature", signature.VerifyOptions{At: late, Stamps: []signature.Stamp{other}}, "belongs to another signature"},
		{"an authority nobody trusts", signature.VerifyOptions{At: late, Stamps: []signature.Stamp{stamp}, StampRoots: x509.NewCertPool()}, "not trusted"},
		{"a broken stamp", signature.VerifyOptions{At: late, Stamps: []signature.Stamp{stamp[:len(stamp)-9]}}, "no good"},
	} {
		if v := look(c.o); !errors.Is(v.Err, signature.ErrExpired) || !v.Trusted.IsZero() || len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], c.warning) {
			t.Errorf("%s: %v %v %v", c.why, v.Err, v.Trusted, v.Warnings)
		}
	}
	if v := look(signature.VerifyOptions{At: time.Now().Add(-time.Minute), Stamps: []signature.Stamp{stamp}}); v.Err != nil || !v.Trusted.IsZero() || len(v.Warnings) != 1 {
		t.Errorf("before the stamp was made: %v %v %v", v.Err, v.Trusted, v.Warnings)
	}
	if v := look(signature.VerifyOptions{At: late, Stamps: []signature.Stamp{stamp}, StampRoots: outside}); v.Err != nil {
		t.Errorf("roots of its own: %v", v.Err)
	}
}

// TestTSAFails: every way an authority can fail is a typed error, in time.
func TestTSAFails(t *testing.T) {
	foreign := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	web := ca().issue(&x509.Certificate{Subject: name("Web"), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, foreign, ca().root)
	self := ca().issue(&x509.Certificate{Subject: name("Tu phong"), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}, foreign, nil)
	never := make(chan struct{})
	defer close(never)
	for _, c := range []struct {
		why       string
		set       func(*authorityOfTime)
		temporary bool
		want      error
	}{
		{"slow", func(a *authorityOfTime) { a.slow = never }, true, context.DeadlineExceeded},
		{"HTTP 500", func(a *authorityOfTime) { a.code = 500 }, true, nil},
		{"HTTP 429", func(a *authorityOfTime) { a.code = 429 }, true, nil},
		{"HTTP 403", func(a *authorityOfTime) { a.code = 403 }, false, nil},
		{"a redirect", func(a *authorityOfTime) { a.code = 302 }, false, nil},
		{"no DER", func(a *authorityOfTime) { a.refuse = []byte("<html/>") }, false, signature.ErrStamp},
		{"too long", func(a *authorityOfTime) { a.refuse = make([]byte, 1<<20) }, false, nil},
		{"waiting", func(a *authorityOfTime) {
			a.refuse = must(timestamp.CreateErrorResponse(timestamp.Waiting, timestamp.SystemFailure))
		}, true, nil},
		{"rejected", func(a *authorityOfTime) {
			a.refuse = must(timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadAlgorithm))
		}, false, nil},
		{"another nonce", func(a *authorityOfTime) { a.spoil = func(s *timestamp.Timestamp) { s.Nonce = big.NewInt(7) } }, false, signature.ErrStamp},
		{"no nonce", func(a *authorityOfTime) { a.spoil = func(s *timestamp.Timestamp) { s.Nonce = nil } }, false, signature.ErrStamp},
		{"another imprint", func(a *authorityOfTime) {
			a.spoil = func(s *timestamp.Timestamp) { s.HashedMessage = make([]byte, 32) }
		}, false, signature.ErrStamp},
		{"another digest", func(a *authorityOfTime) {
			a.spoil = func(s *timestamp.Timestamp) { s.HashAlgorithm, s.HashedMessage = crypto.SHA512, make([]byte, 64) }
		}, false, signature.ErrStamp},
		{"no certificate", func(a *authorityOfTime) { a.spoil = func(s *timestamp.Timestamp) { s.AddTSACertificate = false } }, false, signature.ErrStamp},
		{"a certificate for web servers", func(a *authorityOfTime) { a.key, a.cert = foreign, web }, false, signature.ErrStamp},
		{"an authority nobody trusts", func(a *authorityOfTime) { a.key, a.cert = foreign, self }, false, signature.ErrStamp},
		{"a key that is not the certificate's", func(a *authorityOfTime) { a.key = foreign }, false, signature.ErrStamp},
	} {
		tsa := clock(t, c.set)
		tsa.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		tsa.Roots = ca().roots
		if c.why == "slow" {
			tsa.Timeout = 50 * time.Millisecond
		}
		stamp, err := tsa.Stamp(context.Background(), sha256.Sum256([]byte("x")))
		var typed *signature.TSAError
		if !errors.As(err, &typed) || typed.Temporary() != c.temporary || stamp != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	down := signature.TSA{URL: "http://127.0.0.1:1/"}
	var typed *signature.TSAError
	if _, err := down.Stamp(context.Background(), signature.Imprint{}); !errors.As(err, &typed) || !typed.Temporary() {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := signWith(single(), nil, ca().ec, signature.SignOptions{Stamp: func(of signature.Imprint) (signature.Stamp, error) {
		return down.Stamp(context.Background(), of)
	}}); !errors.As(err, &typed) {
		t.Errorf("Sign: %v", err)
	}
	if _, err := signWith(single(), nil, ca().ec, signature.SignOptions{Plain: true, Stamp: func(signature.Imprint) (signature.Stamp, error) { return nil, nil }}); err == nil {
		t.Error("a stamp without properties")
	}
}

// TestOpenSSLStamp: OpenSSL agrees on the stamp, and we on what it writes.
func TestOpenSSLStamp(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is missing")
		}
		t.Skip("openssl is not installed")
	}
	dir := folder(t, clockKey())
	of := sha256.Sum256([]byte("chữ ký"))
	stamp := must(clock(t, nil).Stamp(context.Background(), of))
	if err := os.WriteFile(filepath.Join(dir, "a.tst"), stamp, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(tool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "data"), []byte("chữ ký"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("ts", "-verify", "-in", "a.tst", "-token_in", "-data", "data", "-CAfile", "ca.pem")
	conf := "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ncrypto_device = builtin\nsigner_cert = cert.pem\nsigner_key = key.pem\nsigner_digest = sha256\n" +
		"default_policy = 1.2.3.4\ndigests = sha256\ness_cert_id_alg = sha1\n"
	if err := os.WriteFile(filepath.Join(dir, "tsa.cnf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq")
	run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-out", "r.tsr")
	theirs, err := signature.ReadStamp(must(os.ReadFile(filepath.Join(dir, "r.tsr"))))
	if err != nil {
		t.Fatal(err)
	}
	if at, err := theirs.Time(); err != nil || time.Since(at) > time.Hour {
		t.Errorf("%v %v", at, err)
	}
}

// TestStampAtOnce: stamps are read by several at a time, and hostile ones cost
// little.
func TestStampAtOnce(t *testing.T) {
	stamp := must(clock(t, nil).Stamp(context.Background(), signature.Imprint{1}))
	deep := bytes.Repeat([]byte{0x30, 0x80}, 15_000)
	deep = append(deep, make([]byte, 30_000)...)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := stamp.Time(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for why, bad := range map[string][]byte{"deep": deep, "deep, with lengths": nested(5_000), "long": make([]byte, 1<<20), "empty": {}, "cut": stamp[:100]} {
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := signature.ReadStamp(bad); !errors.Is(err, signature.ErrStamp) {
				t.Errorf("%s: %v", why, err)
			}
		})
		if allocated > 1000 {
			t.Errorf("%s: %v allocations", why, allocated)
		}
	}
}

// nested is DER of n SEQUENCEs, one in the other.
func nested(n int) []byte {
	var b []byte
	for range n {
		b = append([]byte{0x30, 0x83, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
	}
	return b
}

// FuzzReadStamp: a stamp may come from a packet.
func FuzzReadStamp(f *testing.F) {
	stamp := must(clock(f, nil).Stamp(context.Background(), signature.Imprint{1}))
	f.Add([]byte(stamp))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := signature.ReadStamp(data)
		if err != nil && !errors.Is(err, signature.ErrStamp) {
			t.Error(err)
		}
		if err == nil {
			if _, err := s.Time(); err != nil {
				t.Error(err)
			}
		}
	})
}
