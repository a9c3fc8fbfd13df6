package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/transport"
)

// TestMain fails when the tests together left a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	left := goleak.Find()
	for until := time.Now().Add(time.Minute); left != nil && time.Now().Before(until); { // a server waits 500 ms for a caller to leave
		left = goleak.Find()
	}
	if code == 0 && left != nil {
		fmt.Fprintln(os.Stderr, left)
		code = 1
	}
	os.Exit(code)
}

func dial(t testing.TB, o transport.HTTPOptions) *http.Client {
	t.Helper()
	c := transport.NewHTTPClient(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func post(t testing.TB, c *http.Client, url, body string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// authority makes certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gốc thử"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, cert}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue returns a certificate and its key, each in PEM.
func (a *authority) issue(t testing.TB, serial int64, name string) (cert, key []byte) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// serveTLS runs a server of this package, with TLS; it answers with the
// protocol and the serial number of the caller's certificate.
func serveTLS(t testing.TB, a *authority, change func(*tls.Config)) string {
	t.Helper()
	srv := transport.NewHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serial := "none"
		if len(r.TLS.PeerCertificates) > 0 {
			serial = r.TLS.PeerCertificates[0].SerialNumber.String()
		}
		fmt.Fprint(w, r.Proto, " ", serial)
	}))
	srv.ErrorLog = quiet
	pair, err := tls.X509KeyPair(a.issue(t, 7, "truc.example.vn"))
	if err != nil {
		t.Fatal(err)
	}
	srv.TLSConfig.Certificates = []tls.Certificate{pair}
	if change != nil {
		change(srv.TLSConfig)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); srv.ServeTLS(l, "", "") }()
	t.Cleanup(func() { srv.Close(); <-done })
	return "https://" + l.Addr().String()
}

// TestRoots reaches a server of a private authority only when told of it, over HTTP/2.
func TestRoots(t *testing.T) {
	a := newAuthority(t)
	url := serveTLS(t, a, nil)
	if got, err := post(t, dial(t, transport.HTTPOptions{Roots: a.pool()}), url, "x"); err != nil || got != "HTTP/2.0 none" {
		t.Errorf("private root: %q, %v", got, err)
	}
	var unknown x509.UnknownAuthorityError
	if _, err := post(t, dial(t, transport.HTTPOptions{}), url, "x"); !errors.As(err, &unknown) {
		t.Errorf("without the root: %v", err)
	}
}

// TestPins takes the pinned authority and refuses any other key, although it is trusted.
func TestPins(t *testing.T) {
	a := newAuthority(t)
	url := serveTLS(t, a, nil)
	pin, err := transport.ParsePin(transport.PinOf(a.cert).String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := post(t, dial(t, transport.HTTPOptions{Roots: a.pool(), Pins: []transport.Pin{{}, pin}}), url, "x"); err != nil {
		t.Error(err)
	}
	var other *transport.PinError
	if _, err := post(t, dial(t, transport.HTTPOptions{Roots: a.pool(), Pins: []transport.Pin{{}}}), url, "x"); !errors.As(err, &other) || other.Got == (transport.Pin{}) {
		t.Errorf("another pin: %v", err)
	}
	if _, err := transport.ParsePin("sha256//abc"); err == nil {
		t.Error("a pin of two octets was taken")
	}
}

// TestOldTLS does not speak TLS 1.1.
func TestOldTLS(t *testing.T) {
	a := newAuthority(t)
	url := serveTLS(t, a, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	if _, err := post(t, dial(t, transport.HTTPOptions{Roots: a.pool()}), url, "x"); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}

// TestClientCertificate shows a certificate, and after its files were replaced the new one; a half-written
// replacement changes nothing.
func TestClientCertificate(t *testing.T) {
	a := newAuthority(t)
	url := serveTLS(t, a, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool() })
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(file string, data []byte) {
		t.Helper()
		next := file + ".next"
		if err := errors.Join(os.WriteFile(next, data, 0o600), os.Rename(next, file)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := transport.LoadCertificate(certFile, keyFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no files: %v", err)
	}
	cert, key := a.issue(t, 21, "nut.example.vn")
	write(certFile, cert)
	write(keyFile, key)
	files, err := transport.LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, transport.HTTPOptions{Roots: a.pool(), Certificate: files.Client})
	shown := func(want string) {
		t.Helper()
		c.CloseIdleConnections()
		if got, err := post(t, c, url, "x"); err != nil || !strings.HasSuffix(got, " "+want) {
			t.Errorf("%q, %v; want certificate %s", got, err, want)
		}
	}
	shown("21")
	cert, key = a.issue(t, 22, "nut.example.vn")
	write(certFile, cert)
	shown("21") // the key does not fit yet
	write(keyFile, key)
	shown("22")
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	shown("22")
	if pair, err := files.Server(nil); err != nil || pair == nil {
		t.Errorf("as a server: %v", err)
	}
	if _, err := post(t, dial(t, transport.HTTPOptions{Roots: a.pool()}), url, "x"); err == nil {
		t.Error("a server that demands a certificate took none")
	}
}

// TestProxy goes through an HTTP proxy, by CONNECT where the axis has TLS.
func TestProxy(t *testing.T) {
	a := newAuthority(t)
	target := serveTLS(t, a, nil)
	asked := make(chan string, 4)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		if r.Method != http.MethodConnect {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, "by the proxy")
			return
		}
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		w.WriteHeader(http.StatusOK)
		down, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() { io.Copy(up, rest); up.Close() }()
		io.Copy(down, up)
		down.Close()
	}))
	t.Cleanup(proxy.Close)
	o := transport.HTTPOptions{Roots: a.pool(), Proxy: http.ProxyURL(mustURL(t, proxy.URL))}
	c := dial(t, o)
	if got, err := post(t, c, target, "x"); err != nil || got != "HTTP/2.0 none" {
		t.Errorf("%q, %v", got, err)
	}
	if got := <-asked; got != "CONNECT "+strings.TrimPrefix(target, "https://") {
		t.Errorf("the proxy was asked for %q", got)
	}
	if got, err := post(t, c, "http://truc.example.vn/edoc", "x"); err != nil || got != "by the proxy" {
		t.Errorf("%q, %v", got, err)
	}
	if got := <-asked; got != "POST truc.example.vn" {
		t.Errorf("the proxy was asked for %q", got)
	}
	o.Proxy = transport.NoProxy
	if got, err := post(t, dial(t, o), target, "x"); err != nil || len(asked) != 0 {
		t.Errorf("no proxy: %q, %v, %d at the proxy", got, err, len(asked))
	}
}

// TestSmallBody sends what was announced, and nothing else.
func TestSmallBody(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	t.Cleanup(srv.Close)
	c := dial(t, transport.HTTPOptions{})
	broken := errors.New("disk")
	for name, tc := range map[string]struct {
		body io.Reader
		want error // nil for any
		ok   bool
	}{
		"as announced": {strings.NewReader("12345"), nil, true},
		"too short":    {strings.NewReader("1234"), io.ErrUnexpectedEOF, false},
		"too long":     {strings.NewReader("123456"), nil, false},
		"breaks":       {io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), broken, false},
		"breaks late":  {io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(broken)), broken, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, io.NopCloser(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = 5
		res, err := c.Do(req)
		if err == nil {
			got, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if string(got) != "12345" {
				t.Errorf("%s: %q arrived", name, got)
			}
		}
		if (err == nil) != tc.ok || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedirect does not carry a request to where an answer points.
func TestRedirect(t *testing.T) {
	srv := httptest.NewServer(http.RedirectHandler("http://elsewhere.invalid/", http.StatusTemporaryRedirect))
	t.Cleanup(srv.Close)
	if _, err := post(t, dial(t, transport.HTTPOptions{}), srv.URL, "token"); err != nil {
		t.Error(err)
	}
}

// TestPhases gives up in each phase of a call with an error that names it.
func TestPhases(t *testing.T) {
	const soon = 50 * time.Millisecond
	var release chan struct{} // a server sees a caller leave only when it reads
	never := func(*http.Request) { <-release }
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		body   io.Reader
		limits transport.HTTPOptions // only the phase that is meant is short
		phase  string
	}{
		"sending": {func(_ http.ResponseWriter, r *http.Request) { never(r) }, io.LimitReader(zeros{}, 64<<20), transport.HTTPOptions{Idle: soon}, "sending"},
		"waiting": {func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); never(r) }, strings.NewReader("x"), transport.HTTPOptions{Answer: soon}, "waiting for the answer"},
		"receiving": {func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("begun"))
			w.(http.Flusher).Flush()
			never(r)
		}, strings.NewReader("x"), transport.HTTPOptions{Idle: soon}, "receiving"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(tc.answer)
			release = make(chan struct{})
			t.Cleanup(func() { close(release); srv.Close() })
			c := dial(t, tc.limits)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if name == "sending" {
				req.ContentLength = 64 << 20
				req.Header.Set("Content-Type", "application/octet-stream")
			}
			res, err := c.Do(req)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			var stall *transport.StallError
			if !errors.As(err, &stall) || stall.Phase != tc.phase || !stall.Timeout() {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestCancelReachesTheSocket sees the connection close when the context of a call ends.
func TestCancelReachesTheSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			closed <- err
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1))
		cancel()
		_, err = io.Copy(io.Discard, conn)
		closed <- err
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.Addr().String(), strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t, transport.HTTPOptions{}).Do(req); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-closed
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func zipped(t testing.TB, r io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGzip unpacks an answer, and stops at one that is made to explode.
func TestGzip(t *testing.T) {
	answers := map[string][]byte{
		"/honest": zipped(t, strings.NewReader("trả lời")), "/bomb": zipped(t, io.LimitReader(zeros{}, 64<<20)),
		"/lie": []byte("this is no gzip"), "/cut": zipped(t, io.LimitReader(zeros{}, 1<<20))[:200],
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/other" {
			w.Header().Set("Content-Encoding", "br")
		}
		w.Write(answers[r.URL.Path])
	}))
	t.Cleanup(srv.Close)
	c := dial(t, transport.HTTPOptions{})
	if got, err := post(t, c, srv.URL+"/honest", "x"); err != nil || got != "trả lời" {
		t.Errorf("%q, %v", got, err)
	}
	var ratio *transport.RatioError
	if got, err := post(t, c, srv.URL+"/bomb", "x"); !errors.As(err, &ratio) || len(got) > 12<<20 {
		t.Errorf("bomb: %d octets, %v", len(got), err)
	}
	if _, err := post(t, c, srv.URL+"/lie", "x"); !errors.Is(err, gzip.ErrHeader) {
		t.Errorf("lie: %v", err)
	}
	if _, err := post(t, c, srv.URL+"/cut", "x"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
	var encoding *transport.EncodingError
	if _, err := post(t, c, srv.URL+"/other", "x"); !errors.As(err, &encoding) || encoding.Encoding != "br" {
		t.Errorf("other: %v", err)
	}
}

// TestExpect asks before a large body goes, and does not send it where it is
// refused. The clock of a bubble stands still while somebody reads from the
// network, so that no answer comes too late.
func TestExpect(t *testing.T) { synctest.Test(t, expect) }

func expect(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/full" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Header.Get("Expect"))
	}))
	t.Cleanup(srv.Close)
	c := dial(t, transport.HTTPOptions{})
	for size, want := range map[int64]string{1 << 20: "", 1<<20 + 1: "100-continue"} {
		if got, err := post(t, c, srv.URL, strings.Repeat("x", int(size))); err != nil || got != want {
			t.Errorf("%d octets: %q, %v; want %q", size, got, err, want)
		}
	}
	body := &remembering{Reader: io.LimitReader(zeros{}, 8<<20)}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/full", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 8 << 20
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if body.read {
		t.Error("the body was sent to who would not have it")
	}
}

type remembering struct {
	io.Reader
	read bool
}

func (r *remembering) Read(p []byte) (int, error) { r.read = true; return r.Reader.Read(p) }

// TestGzipBothWays packs and unpacks, read in any steps.
func TestGzipBothWays(t *testing.T) {
	text := strings.Repeat("trục liên thông ", 100_000)
	packed := transport.Gzip(io.NopCloser(iotest.HalfReader(strings.NewReader(text))))
	got, err := io.ReadAll(transport.Gunzip(iotest.OneByteReader(packed)))
	if err != nil || string(got) != text {
		t.Errorf("%d octets of %d, %v", len(got), len(text), err)
	}
	broken := errors.New("disk")
	if _, err := io.ReadAll(transport.Gzip(io.NopCloser(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))))); err != broken {
		t.Errorf("a source that breaks: %v", err)
	}
}

// TestTakesGzip reads Accept-Encoding.
func TestTakesGzip(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP ;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false, "*": true, "br": false, "gzip;q=1.0": true,
	} {
		if got := transport.TakesGzip(http.Header{"Accept-Encoding": {value}}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
