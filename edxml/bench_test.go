package edxml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

func packetOf(b *testing.B, size int64) (packet, file []byte) {
	b.Helper()
	file, err := io.ReadAll(noise(size))
	if err != nil {
		b.Fatal(err)
	}
	d := documents()["new"]
	d.Attachments = []edxml.Attachment{{Name: "lon.bin", Content: bytes.NewReader(file)}}
	return []byte(write(b, edxml.Write, d)), file
}

// against reports what share of the floor's speed the work reaches.
func against(b *testing.B, size int, floor, work func() error) {
	b.Helper()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	runs, start := 0, time.Now()
	for ; time.Since(start) < 300*time.Millisecond; runs++ {
		if err := floor(); err != nil {
			b.Fatal(err)
		}
	}
	least := time.Since(start) / time.Duration(runs)
	for b.Loop() {
		if err := work(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100*float64(least)*float64(b.N)/float64(b.Elapsed()), "%floor")
}

// BenchmarkRead reads and validates a packet with one file of 20 MB; the floor
// is base64 and SHA-256 over the same bytes.
func BenchmarkRead(b *testing.B) { benchmarkRead(b, 20<<20) }

// BenchmarkReadSmall reads a packet of 17 KB, without validating: 5,000 a second
// on one core are asked for. The floor is base64 and SHA-256 of its file.
func BenchmarkReadSmall(b *testing.B) {
	packet, floor := smallPacket(b)
	against(b, len(packet), floor, func() error {
		_, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
		return err
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

// BenchmarkReadHeader reads a packet of 20 MB without its content: nothing is
// decoded. The floor is a look through its bytes.
func BenchmarkReadHeader(b *testing.B) {
	packet, _ := packetOf(b, 20<<20)
	floor := func() error {
		if bytes.Count(packet, []byte("<")) == 0 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	against(b, len(packet), floor, func() error {
		_, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{SkipContent: true})
		return err
	})
}

func smallPacket(b *testing.B) (packet []byte, floor func() error) {
	packet, file := packetOf(b, 9<<10)
	text := []byte(base64.StdEncoding.EncodeToString(file))
	return packet, func() error {
		_, err := io.Copy(sha256.New(), base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
		return err
	}
}

func benchmarkRead(b *testing.B, size int64) {
	packet, file := packetOf(b, size)
	text := []byte(base64.StdEncoding.EncodeToString(file))
	floor := func() error {
		_, err := io.Copy(sha256.New(), base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
		return err
	}
	against(b, len(packet), floor, func() error {
		p, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
		if err == nil {
			edxml.Validate(p, now)
		}
		return err
	})
}

// BenchmarkWrite writes a packet with one file of 20 MB; the floor is base64
// of the same bytes.
func BenchmarkWrite(b *testing.B) {
	_, file := packetOf(b, 20<<20)
	d := documents()["new"]
	floor := func() error {
		enc := base64.NewEncoder(base64.StdEncoding, io.Discard)
		if _, err := io.Copy(enc, bytes.NewReader(file)); err != nil {
			return err
		}
		return enc.Close()
	}
	against(b, len(file), floor, func() error {
		d.Attachments = []edxml.Attachment{{Name: "lon.bin", Content: bytes.NewReader(file)}}
		return edxml.Write(io.Discard, d)
	})
}
