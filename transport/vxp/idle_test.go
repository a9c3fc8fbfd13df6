package vxp_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// TestIdleConnections leaves 1,000 connections behind, as the SDK's list calls
// do until its garbage is collected: all of them together cost less than 40 MB,
// and the server goes on answering.
func TestIdleConnections(t *testing.T) {
	srv := transport.NewHTTPServer(vxp.NewHandler(newAxis(t), vxp.HandlerOptions{}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listener) }()
	defer func() {
		srv.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	var request bytes.Buffer
	r := listCall(listener.Addr().String())
	if err := r.Write(&request); err != nil {
		t.Fatal(err)
	}
	used := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapInuse + stats.StackInuse
	}
	before := used()
	for range 1000 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(request.Bytes()); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), r)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || !bytes.Contains(b, []byte(`"ErrorCode":"0"`)) || res.Close {
			t.Fatalf("%s, %v, closed %v", b, err, res.Close)
		}
	}
	cost := used() - before
	t.Logf("1,000 idle connections cost %d KB", cost>>10)
	if cost > 40<<20 {
		t.Errorf("1,000 idle connections cost %d octets", cost)
	}
}

// listCall is a list call to an address.
func listCall(addr string) *http.Request {
	r := request{path: "/getReceivedEdocList", params: id(ministry, "messagetype", "edoc")}.http()
	r.Host, r.URL.Host, r.RequestURI = addr, addr, ""
	return r
}
