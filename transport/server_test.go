package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/transport"
)

// quiet is the log of servers whose callers misbehave.
var quiet = log.New(io.Discard, "", 0)

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// serve runs a server of this package without TLS.
func serve(t testing.TB, h http.Handler) (addr string) {
	t.Helper()
	srv := transport.NewHTTPServer(h)
	srv.ErrorLog = quiet
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return l.Addr().String()
}

// TestSlowBody gives up on a caller that sends a request octet by octet.
func TestSlowBody(t *testing.T) {
	failed := make(chan error, 1)
	addr := serve(t, transport.Paced(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		failed <- err
	}), 100*time.Millisecond))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
	ticks := time.NewTicker(5 * time.Millisecond) // one octet each: never idle, yet no progress
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			conn.Write([]byte("x"))
		case err := <-failed:
			var stall *transport.StallError
			if !errors.As(err, &stall) || stall.Phase != "receiving" {
				t.Error(err)
			}
			return
		}
	}
}

// TestSlowReader gives up on a caller that does not take its answer.
func TestSlowReader(t *testing.T) {
	failed := make(chan error, 1)
	addr := serve(t, transport.Paced(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, io.LimitReader(zeros{}, 256<<20))
		failed <- err
	}), 100*time.Millisecond))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	var stall *transport.StallError
	if err := <-failed; !errors.As(err, &stall) || stall.Phase != "sending" {
		t.Error(err)
	}
}

// TestSlowHandler does not count the time that a handler takes, before, between and after.
func TestSlowHandler(t *testing.T) {
	const idle = 40 * time.Millisecond
	pause := func() { <-time.After(2 * idle) }
	h := transport.Paced(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pause()
		io.ReadFull(r.Body, make([]byte, 10))
		pause()
		n, err := io.Copy(io.Discard, r.Body)
		pause()
		fmt.Fprint(w, n+10, " ", err, " ")
		http.NewResponseController(w).Flush()
		pause()
		fmt.Fprint(w, r.Context().Err())
	}), idle)
	for _, secure := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { // no octet takes any time of this clock
			p := newPipes(t, h, secure)
			for range 2 { // the second request over the same connection
				if got, err := post(t, p.client, p.url, strings.Repeat("x", 200_000)); err != nil || got != "200000 <nil> <nil>" {
					t.Errorf("TLS %v: %q, %v", secure, got, err)
				}
			}
			if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[secure]; p.proto != want || p.dialled != 1 {
				t.Errorf("TLS %v: %s over %d connections, want %s over one", secure, p.proto, p.dialled, want)
			}
		})
	}
}

// pipes is a network within the process, which a bubble of synctest can hold:
// a listener and a client of it.
type pipes struct {
	client  *http.Client
	url     string
	conns   chan net.Conn
	closed  chan struct{}
	close   func()
	dialled int
	proto   string // of the last request
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }
func (p *pipes) Close() error   { p.close(); return nil }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// newPipes serves h until the test ends, with TLS over HTTP/2.
func newPipes(t *testing.T, h http.Handler, secure bool) *pipes {
	t.Helper()
	p := &pipes{url: "http://pipes.test", conns: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	base := &http.Transport{ForceAttemptHTTP2: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		p.dialled++
		p.conns <- there
		return here, nil
	}}
	srv := transport.NewHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.proto = r.Proto
		h.ServeHTTP(w, r)
	}))
	serve := func() error { return srv.Serve(p) }
	if secure {
		a := newAuthority(t)
		p.url, base.TLSClientConfig = "https://127.0.0.1", &tls.Config{RootCAs: a.pool()}
		pair, err := tls.X509KeyPair(a.issue(t, 7, "truc.example.vn"))
		if err != nil {
			t.Fatal(err)
		}
		srv.TLSConfig.Certificates = []tls.Certificate{pair}
		serve = func() error { return srv.ServeTLS(p, "", "") }
	}
	p.client = &http.Client{Transport: base}
	done := make(chan struct{})
	go func() { defer close(done); serve() }()
	t.Cleanup(func() { base.CloseIdleConnections(); srv.Close(); <-done })
	return p
}

// TestEndlessHeader refuses a request whose header does not end.
func TestEndlessHeader(t *testing.T) {
	addr := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") }))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\n")
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(res.Status)
	}
}
