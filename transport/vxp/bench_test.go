package vxp_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// sizes are the packets of the benchmarks, in octets.
var sizes = []int64{20 << 10, 5 << 20, 100 << 20}

// floor runs a server that hashes and discards, and returns a plain POST to it
// by the same HTTP client that ours uses.
func floor(b *testing.B) func(transport.Content) {
	srv := listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(sha256.New(), r.Body); err != nil {
			b.Error(err)
		}
	}))
	c := transport.NewHTTPClient(transport.HTTPOptions{})
	b.Cleanup(c.CloseIdleConnections)
	return func(content transport.Content) {
		body, err := content.Open()
		if err != nil {
			b.Fatal(err)
		}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, srv.URL, body)
		if err != nil {
			b.Fatal(err)
		}
		req.ContentLength = content.Size
		res, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

// compare runs ours and the floor in turn and reports the share of the floor's
// rate that ours reaches.
func compare(b *testing.B, size int64, ours, plain func()) {
	b.SetBytes(size)
	ours() // connections stand
	plain()
	var mine, its time.Duration
	for b.Loop() {
		begun := time.Now()
		ours()
		between := time.Now()
		plain()
		mine += between.Sub(begun)
		its += time.Since(between)
	}
	rate := func(d time.Duration) float64 { return float64(size) * float64(b.N) / d.Seconds() / 1e6 }
	b.ReportMetric(rate(mine), "ours-MB/s")
	b.ReportMetric(rate(its), "floor-MB/s")
	b.ReportMetric(its.Seconds()/mine.Seconds()*100, "%-of-floor")
}

// BenchmarkSend sends packets whose digest is known, as a store knows it, and
// packets that have to be read for it first.
func BenchmarkSend(b *testing.B) {
	for _, known := range []bool{true, false} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("digest-known=%v/%dKB", known, size>>10), func(b *testing.B) {
				content := large(b, size)
				r := &relay{discard: true}
				c := client(b, listen(b, vxp.NewHandler(r, vxp.HandlerOptions{})).URL, ministry)
				plain := floor(b)
				ours := content
				if !known {
					ours.SHA256 = ""
				}
				compare(b, content.Size, func() {
					if _, err := c.Send(context.Background(), &transport.Packet{Envelope: ours}); err != nil {
						b.Fatal(err)
					}
				}, func() { plain(content) })
			})
		}
	}
}

// BenchmarkFetch collects packets either way; the floor is the plain POST.
func BenchmarkFetch(b *testing.B) {
	for _, raw := range []bool{false, true} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("raw=%v/%dKB", raw, size>>10), func(b *testing.B) {
				content := large(b, size)
				c := client(b, listen(b, vxp.NewHandler(&relay{packet: content}, vxp.HandlerOptions{})).URL, ministry)
				c.Raw = raw
				plain := floor(b)
				compare(b, content.Size, func() {
					in, err := c.Fetch(context.Background(), "1")
					if err != nil {
						b.Fatal(err)
					}
					piece, err := in.Next()
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(sha256.New(), piece.Content); err != nil {
						b.Fatal(err)
					}
					in.Close()
				}, func() { plain(content) })
			})
		}
	}
}
