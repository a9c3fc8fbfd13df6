package edoc_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// hashing is the axis of the transcripts, but hashes the files it is sent.
type hashing struct{ fixed }

func (h hashing) Accept(_ context.Context, s *edoc.Submission) (transport.Receipt, error) {
	for {
		piece, err := s.Next()
		if err == io.EOF {
			return transport.Receipt{ID: "1"}, nil
		}
		if err != nil {
			return transport.Receipt{}, err
		}
		if _, err := io.Copy(sha256.New(), piece.Content); err != nil {
			return transport.Receipt{}, err
		}
	}
}

// BenchmarkSend sends one file from client to handler. Its floor, in the same
// rounds, is a plain HTTP POST of the same octets, hashed and discarded.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{20 << 10, 5 << 20, 100 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) { benchmarkSend(b, size) })
	}
}

func benchmarkSend(b *testing.B, size int) {
	axis := httptest.NewServer(edoc.NewHandler(hashing{}, edoc.HandlerOptions{}))
	defer axis.Close()
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(sha256.New(), r.Body)
		io.WriteString(w, "ok")
	}))
	defer sink.Close()
	p := packet(b, document("1", office), file{"f@x", "f.bin", "application/octet-stream", randomish(size)})
	c := client(b, axis.URL, ministry)
	plain := &http.Client{Transport: &http.Transport{WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}}
	defer plain.CloseIdleConnections()
	wire := framed(b, p)

	ours := func() {
		if _, err := c.Send(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
	floor := func() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, sink.URL, bytes.NewReader(wire))
		if err != nil {
			b.Fatal(err)
		}
		res, err := plain.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	race(b, ours, floor, len(wire))
}

// BenchmarkFetch fetches a Document of one file; its floor is a plain POST
// that is answered with the same octets, hashed and discarded.
func BenchmarkFetch(b *testing.B) {
	for _, size := range []int{20 << 10, 5 << 20, 100 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) { benchmarkFetch(b, size) })
	}
}

// holding is the axis of the transcripts with another Document.
type holding struct{ fixed }

func (h holding) Document(context.Context, string, string) (*transport.Packet, error) {
	return h.held, nil
}

func benchmarkFetch(b *testing.B, size int) {
	p := packet(b, document("1", office), file{"f@x", "f.bin", "application/octet-stream", randomish(size)})
	wire := framed(b, p)
	axis := httptest.NewServer(edoc.NewHandler(holding{fixed{held: p}}, edoc.HandlerOptions{}))
	defer axis.Close()
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(wire)))
		w.Write(wire)
	}))
	defer source.Close()
	c := client(b, axis.URL, office)
	plain := &http.Client{Transport: &http.Transport{WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}}
	defer plain.CloseIdleConnections()

	ours := func() {
		in, err := c.Fetch(b.Context(), "1")
		if err != nil {
			b.Fatal(err)
		}
		defer in.Close()
		for {
			piece, err := in.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(sha256.New(), piece.Content); err != nil {
				b.Fatal(err)
			}
		}
	}
	floor := func() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, source.URL, bytes.NewReader(wire[:500]))
		if err != nil {
			b.Fatal(err)
		}
		res, err := plain.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(sha256.New(), res.Body)
		res.Body.Close()
	}
	race(b, ours, floor, len(wire))
}

// race runs both sides in turns and reports their MB/s and the ratio.
func race(b *testing.B, ours, floor func(), octets int) {
	for range 3 { // connections, buffers
		ours()
		floor()
	}
	var spent [2]time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		for i, side := range []func(){ours, floor} {
			begun := time.Now()
			side()
			spent[i] += time.Since(begun)
		}
	}
	mb := float64(n) * float64(octets) / 1e6
	b.ReportMetric(0, "ns/op") // of both sides together, which says nothing
	b.ReportMetric(mb/spent[0].Seconds(), "ours-MB/s")
	b.ReportMetric(mb/spent[1].Seconds(), "floor-MB/s")
	b.ReportMetric(spent[1].Seconds()/spent[0].Seconds(), "ratio")
}

// framed is a packet as a message of the same size as the client sends.
func framed(b *testing.B, p *transport.Packet) []byte {
	b.Helper()
	body, err := soap.NewBody(soap.Part{ID: "envelope", Size: p.Envelope.Size, Open: p.Envelope.Open},
		[]soap.Part{{ID: p.Parts[0].ID, Size: p.Parts[0].Size, Open: p.Parts[0].Open}})
	if err != nil {
		b.Fatal(err)
	}
	r, err := body.Open()
	if err != nil {
		b.Fatal(err)
	}
	wire, err := io.ReadAll(r)
	if err != nil {
		b.Fatal(err)
	}
	return wire
}

func randomish(size int) []byte {
	data := make([]byte, size)
	newNoise(nil).Read(data)
	return data
}
