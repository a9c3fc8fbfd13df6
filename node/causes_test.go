package node_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// selfSigned is a server certificate for 127.0.0.1, and the pool that trusts it.
func selfSigned(t *testing.T, from, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "axis"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))
	pool := x509.NewCertPool()
	pool.AddCert(must(x509.ParseCertificate(der)))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestWhyNamesTheCause asks why in the situations that operators meet, over
// real connections: seven different texts, each with what to do.
func TestWhyNamesTheCause(t *testing.T) {
	now := time.Now()
	serve := func(t *testing.T, h http.Handler) string {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	secure := func(t *testing.T, from, until time.Time) (string, *x509.CertPool) {
		cert, pool := selfSigned(t, from, until)
		srv := httptest.NewUnstartedServer(newAxis(t))
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.URL, pool
	}
	type situation struct {
		url   string
		token string
		roots *x509.CertPool
		clock *transport.Clock
		to    string
		held  bool
	}
	seen := map[string]string{}
	for _, c := range []struct {
		name   string
		cause  node.Cause
		set    func(t *testing.T) situation
		vi, en []string
	}{
		{"axis down", node.CauseUnreached, func(*testing.T) situation { return situation{url: "http://127.0.0.1:1"} },
			[]string{"kiểm tra mạng"}, []string{"connection refused", "check the network", "Next try in"}},
		{"wrong token", node.CauseCredential, func(t *testing.T) situation { return situation{url: serve(t, newAxis(t)), token: "wrong"} },
			[]string{"token"}, []string{"new token"}},
		{"unknown receiver", node.CauseReceiver, func(t *testing.T) situation { return situation{url: serve(t, newAxis(t)), to: "X99"} },
			[]string{"mã định danh nơi nhận"}, []string{"X99", "receiver's identifier"}},
		{"expired certificate", node.CauseExpired, func(t *testing.T) situation {
			url, pool := secure(t, now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0))
			return situation{url: url, roots: pool}
		}, []string{"chứng thư TLS đã hết hạn"}, []string{"certificate has expired", "renew it"}},
		{"clock skew", node.CauseClock, func(t *testing.T) situation {
			url, pool := secure(t, now.AddDate(0, 0, 1), now.AddDate(1, 0, 0)) // valid from tomorrow: the axis is three days ahead
			clock := &transport.Clock{}
			dated := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().AddDate(0, 0, 3).UTC().Format(http.TimeFormat))
			}))
			res := must((&http.Client{Transport: clock.Watch(http.DefaultTransport)}).Get(dated))
			res.Body.Close()
			return situation{url: url, roots: pool, clock: clock}
		}, []string{"đồng hồ của máy này chậm 72h", "NTP"}, []string{"clock is 72h", "slow against the axis", "nothing wrong with the certificate"}},
		{"oversize", node.CauseOversize, func(t *testing.T) situation {
			axis := axistest.New(axistest.Options{Dir: t.TempDir(), Limits: soap.Limits{Part: 10}})
			t.Cleanup(func() { axis.Close() })
			return situation{url: serve(t, axis)}
		}, []string{"giảm dung lượng"}, []string{"larger than allowed", "smaller"}},
		{"oversize, said by a proxy", node.CauseOversize, func(t *testing.T) situation {
			return situation{url: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) }))}
		}, []string{"giảm dung lượng"}, []string{"larger than allowed", "HTTP 413"}},
		{"held", "", func(*testing.T) situation { return situation{url: "http://127.0.0.1:1", held: true} },
			[]string{"chị Mai giữ lại từ", "Lý do: chờ ý kiến"}, []string{"Held by chị Mai since", "Reason: chờ ý kiến", "release"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			situation := c.set(t)
			client := transport.NewHTTPClient(transport.HTTPOptions{Roots: situation.roots})
			token := axistest.Token("G22")
			if situation.token != "" {
				token = "wrong"
			}
			to := "H41"
			if situation.to != "" {
				to = situation.to
			}
			n := newNode(t, node.Config{Organ: ministry, Store: s, Clock: situation.clock,
				Axis: &edoc.Client{URL: situation.url, Organ: "G22", Token: token, HTTP: client}})
			id := must(n.Submit(t.Context(), bytes.NewReader(single(t, document("1", to), file{"a.pdf", pdf})))).Transfer.ID
			if situation.held {
				must(n.Operate(t.Context(), node.Hold, id, node.By{Actor: "chị Mai", Reason: "chờ ý kiến"}))
			}
			run(t, n)
			var x *node.Transfer
			// An axis that answers in the middle of a request closes the connection:
			// now and then the first answer is lost on the way, and the next tells.
			s.until(t, "an attempt that failed", func() bool {
				x = must(s.Transfer(t.Context(), id))
				return situation.held || x.LastError != "" && x.Lease == "" && (x.Cause == c.cause || x.Tries > 2)
			})
			if x.Cause != c.cause {
				t.Errorf("cause %q: %s", x.Cause, x.LastError)
			}
			why := must(n.Why(t.Context(), x))
			for _, want := range c.en {
				if !strings.Contains(why.EN, want) {
					t.Errorf("%q is not in: %s", want, why.EN)
				}
			}
			for _, want := range c.vi {
				if !strings.Contains(why.VI, want) {
					t.Errorf("%q is not in: %s", want, why.VI)
				}
			}
			_, advice, _ := strings.Cut(why.EN, "What to do: ")
			if before, twice := seen[advice]; twice && !strings.HasPrefix(c.name, "oversize") {
				t.Errorf("the same advice as for %s: %s", before, advice)
			}
			seen[advice] = c.name
		})
	}
}

// TestFirstAttempt measures how long a submitted document waits for its first
// attempt in a node that idles: it is woken, and does not poll.
func TestFirstAttempt(t *testing.T) {
	s := openStore(t, t.TempDir())
	tried := make(chan time.Time, 1)
	n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: &scripted{send: func(_ context.Context, _ *packet) (receipt, error) {
		tried <- time.Now()
		return receipt{ID: "1"}, nil
	}}})
	run(t, n)
	var worst time.Duration
	for i := range 20 {
		p := plain(t, strings.Repeat("1", i+1)[:min(i+1, 9)]+string(rune('a'+i)))
		submit(t, n, p)
		done := time.Now()
		worst = max(worst, (<-tried).Sub(done))
	}
	t.Logf("from the end of Submit to the attempt: at worst %s", worst)
	if worst > time.Second {
		t.Errorf("%s until the first attempt: something polls", worst)
	}
}
