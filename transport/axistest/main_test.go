package axistest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
)

// TestMain fails when the tests together left a goroutine behind.
func TestMain(m *testing.M) {
	flag.Parse()
	before := runtime.NumGoroutine()
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	deadline := time.After(time.Minute)
	for runtime.NumGoroutine() > before && code == 0 {
		select {
		case <-deadline:
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			fmt.Fprintln(os.Stderr, "goroutines were left behind")
			code = 1
		case <-time.After(10 * time.Millisecond):
		}
	}
	os.Exit(code)
}

// trusted makes a key with a certificate, and the roots to believe it.
func trusted(t *testing.T) (*signature.Key, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Van thu"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return &signature.Key{Signer: key, Chain: []*x509.Certificate{c}}, roots
}

// sign signs the parts of a packet.
func sign(t *testing.T, p *transport.Packet, key *signature.Key) *transport.Packet {
	t.Helper()
	env := whole(t, p.Envelope)
	var files []signature.Content
	for _, f := range p.Parts {
		files = append(files, signature.Content{ID: f.ID, Name: f.ID, Open: f.Open})
	}
	var b bytes.Buffer
	if err := signature.Sign(&b, bytes.NewReader(env), int64(len(env)), files, key, signature.SignOptions{Placement: signature.Parts}); err != nil {
		t.Fatal(err)
	}
	q := *p
	q.Envelope, q.TokenAt = content(b.Bytes()), int64(bytes.Index(b.Bytes(), []byte("</SOAP-ENV:Header>")))
	return &q
}

// reason verifies the one signature of a packet and returns the word for what
// is wrong with it, "" for nothing.
func reason(t *testing.T, f fetched, roots *x509.CertPool) string {
	t.Helper()
	var files []signature.Content
	for id, data := range f.files {
		files = append(files, signature.Content{ID: id, Name: id, Open: content([]byte(data)).Open})
	}
	verdicts, err := signature.Verify(bytes.NewReader(f.envelope), int64(len(f.envelope)), files, signature.VerifyOptions{Roots: roots})
	if err != nil || len(verdicts) != 1 {
		t.Fatalf("%d verdicts, %v", len(verdicts), err)
	}
	if verdicts[0].Err == nil {
		return ""
	}
	return verdicts[0].Reason()
}

// parts hands the files of a packet to a reader.
func parts(f fetched) func() (*edxml.Part, error) {
	var left []*edxml.Part
	for id, data := range f.files {
		left = append(left, &edxml.Part{ID: id, Type: "application/pdf", Content: bytes.NewReader([]byte(data))})
	}
	return func() (*edxml.Part, error) {
		if len(left) == 0 {
			return nil, io.EOF
		}
		p := left[0]
		left = left[1:]
		return p, nil
	}
}

func content(data []byte) transport.Content {
	return transport.Content{Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func whole(t *testing.T, c transport.Content) []byte {
	t.Helper()
	src, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	b, err := io.ReadAll(src)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
