package edoc_test

import (
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// TestHTTP2 walks a Document over HTTP/2, which the axis offers.
func TestHTTP2(t *testing.T) {
	big := pdf
	big.content = randomish(8 << 20)
	held := packet(t, document("1", office), big)
	handler := edoc.NewHandler(fixed{t, held}, edoc.HandlerOptions{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s came over %s", r.Header.Get("SOAPAction"), r.Proto)
		}
		handler.ServeHTTP(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	c := client(t, srv.URL, ministry)
	c.HTTP = transport.NewHTTPClient(transport.HTTPOptions{Roots: roots})
	if receipt, err := c.Send(t.Context(), held); err != nil || receipt.ID != "40215" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	in, err := c.Fetch(t.Context(), "40215")
	if err != nil {
		t.Fatal(err)
	}
	if _, files, err := collect(in); err != nil || files[pdf.id] != string(big.content) {
		t.Errorf("%d octets, %v", len(files[pdf.id]), err)
	}
	if _, err := c.Pending(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestKeepAlive makes every operation twice over one connection, whose
// answers come as plain XML and as multipart.
func TestKeepAlive(t *testing.T) {
	held := packet(t, document("1", office), pdf)
	srv := httptest.NewUnstartedServer(edoc.NewHandler(fixed{t, held}, edoc.HandlerOptions{}))
	var opened atomic.Int32
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := client(t, srv.URL, ministry)
	for range 2 {
		if _, err := c.Send(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		in, err := c.Fetch(t.Context(), "40215")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := collect(in); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Organs(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 8 calls", n)
	}
}
