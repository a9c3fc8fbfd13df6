package soap

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"
	"time"
)

// benchmarkSize is the size of the one file of the benchmarks, in octets.
const benchmarkSize = 5 << 20

// benchmarkBody is a message with random-looking content, whose octets hold line ends and dashes as any file's.
func benchmarkBody(b *testing.B) *Body {
	content := make([]byte, benchmarkSize)
	for i, x := 0, uint32(1); i < len(content); i++ {
		x = x*1664525 + 1013904223
		content[i] = byte(x >> 24)
	}
	body, err := NewBody(text("root", "<Envelope/>"), []Part{{ID: "f", Size: benchmarkSize, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}})
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// hash reads to the end as the floor does: io.Copy into SHA-256.
func hash(b *testing.B, r io.Reader) {
	if _, err := io.Copy(sha256.New(), struct{ io.Reader }{r}); err != nil {
		b.Fatal(err)
	}
}

// race runs both sides in turns and reports their MB/s and the ratio. The floor hashes the octets of the message, which
// is the least that a reader or writer of them can do.
func race(b *testing.B, wire []byte, ours func()) {
	var spent [2]time.Duration
	rounds := 0
	b.ReportAllocs()
	for b.Loop() {
		rounds++
		for i, side := range []func(){ours, func() { hash(b, bytes.NewReader(wire)) }} {
			begun := time.Now()
			side()
			spent[i] += time.Since(begun)
		}
	}
	mb := float64(rounds) * float64(len(wire)) / 1e6
	b.ReportMetric(0, "ns/op") // of both sides together, which says nothing
	b.ReportMetric(mb/spent[0].Seconds(), "ours-MB/s")
	b.ReportMetric(mb/spent[1].Seconds(), "floor-MB/s")
	b.ReportMetric(spent[1].Seconds()/spent[0].Seconds(), "ratio")
}

// BenchmarkBody opens a message and hashes it.
func BenchmarkBody(b *testing.B) {
	body := benchmarkBody(b)
	race(b, serialise(b, body), func() {
		stream, err := body.Open()
		if err != nil {
			b.Fatal(err)
		}
		hash(b, stream)
	})
}

// BenchmarkRead reads a message and hashes its parts.
func BenchmarkRead(b *testing.B) {
	body := benchmarkBody(b)
	wire := serialise(b, body)
	race(b, wire, func() {
		m, err := Read(body.ContentType(), bytes.NewReader(wire), Limits{})
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		for {
			in, err := m.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			hash(b, in.Content)
		}
	})
}

func serialise(b *testing.B, body *Body) []byte {
	stream, err := body.Open()
	if err != nil {
		b.Fatal(err)
	}
	wire, err := io.ReadAll(stream)
	if err != nil {
		b.Fatal(err)
	}
	return wire
}
