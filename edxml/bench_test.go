package edxml_test

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// sizes are those of the attachment.
var sizes = []struct {
	name string
	n    int64
}{{"1MB", 1 << 20}, {"20MB", 20 << 20}}

func packetOf(b *testing.B, size int64) (packet, file []byte) {
	b.Helper()
	file, err := io.ReadAll(noise(size))
	if err != nil {
		b.Fatal(err)
	}
	return packetWith(b, edxml.Attachment{Name: "lon.bin"}, file), file
}

func packetWith(b *testing.B, a edxml.Attachment, content []byte) []byte {
	b.Helper()
	d := documents()["new"]
	a.Content = bytes.NewReader(content)
	d.Attachments = []edxml.Attachment{a}
	return []byte(write(b, edxml.Write, d))
}

// against does the floor and the work in turns, so that a machine that is busy
// with something else slows down both, and reports what they do with size
// bytes, and their ratio: the metrics of which make bench makes a table.
func against(b *testing.B, size int, floor, work func() error) {
	b.Helper()
	b.ReportAllocs()
	var least, ours time.Duration
	timed := func(sum *time.Duration, do func() error) {
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		*sum += time.Since(start)
	}
	for b.Loop() {
		b.StopTimer()
		timed(&least, floor)
		b.StartTimer()
		timed(&ours, work)
	}
	rate := func(d time.Duration) float64 { return float64(size) * float64(b.N) / 1e6 / d.Seconds() }
	b.ReportMetric(rate(ours), "ours-MB/s")
	b.ReportMetric(rate(least), "floor-MB/s")
	b.ReportMetric(float64(least)/float64(ours), "ratio")
}

// decoding is the floor of reading: one pass of base64 and SHA-256.
func decoding(file []byte) func() error {
	text := []byte(base64.StdEncoding.EncodeToString(file))
	return func() error {
		_, err := io.Copy(sha256.New(), base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
		return err
	}
}

func readAndValidate(packet []byte) func() error {
	return func() error {
		p, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
		if err == nil {
			edxml.Validate(p, now)
		}
		return err
	}
}

// BenchmarkReadValidate reads and judges a packet with one file; the floor is
// base64 and SHA-256 over the same bytes. 60 % of it are asked for.
func BenchmarkReadValidate(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			packet, file := packetOf(b, s.n)
			against(b, len(packet), decoding(file), readAndValidate(packet))
		})
	}
}

// BenchmarkReadValidateZip does it for a file in the packet's own zip; the floor
// inflates, too, and does it with the standard library, like the reader.
func BenchmarkReadValidateZip(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			file := prose(s.n)
			packet := packetWith(b, edxml.Attachment{Name: "lon.txt", ContentType: "application/zip"}, pack(b, "a.txt", bytes.NewReader(file)))
			var packed bytes.Buffer
			w, err := flate.NewWriter(&packed, flate.DefaultCompression)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := w.Write(file); err != nil {
				b.Fatal(err)
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			text := []byte(base64.StdEncoding.EncodeToString(packed.Bytes()))
			floor := func() error {
				_, err := io.Copy(sha256.New(), flate.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text))))
				return err
			}
			if p, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{}); err != nil || p.Document.Attachments[0].Size != s.n {
				b.Fatalf("not unpacked: %v", err)
			}
			against(b, len(file), floor, readAndValidate(packet))
		})
	}
}

// prose is text that packs to about a quarter, as office documents do.
func prose(n int64) []byte {
	words := []string{"Ủy ban", "nhân dân", "tỉnh", "triển khai", "kế hoạch", "báo cáo", "số liệu", "Nghị định", "Chính phủ", "<w:p>", "</w:p>", "w:val=\"24\""}
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for int64(b.Len()) < n {
		fmt.Fprintf(&b, "%s %x ", words[r.IntN(len(words))], r.IntN(256))
	}
	return b.Bytes()[:n]
}

// BenchmarkReadSmall reads a packet of 17 KB, without validating: 5,000 a second
// on one core are asked for (-cpu 1). The floor is that of its file, which is a
// small part of it.
func BenchmarkReadSmall(b *testing.B) {
	packet, file := packetOf(b, 9<<10)
	against(b, len(packet), decoding(file), func() error {
		_, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
		return err
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

// BenchmarkReadValidateSmall judges it by the law, too: 2,000 a second.
func BenchmarkReadValidateSmall(b *testing.B) {
	packet, file := packetOf(b, 9<<10)
	against(b, len(packet), decoding(file), readAndValidate(packet))
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

// BenchmarkWrite writes a packet with one file; the floor is base64 of the same
// bytes alone, which is less than what is asked for.
func BenchmarkWrite(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			_, file := packetOf(b, s.n)
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
		})
	}
}

// BenchmarkValidate judges a packet of 17 KB that was read, against each set.
// Read and validate together is BenchmarkReadValidateSmall.
func BenchmarkValidate(b *testing.B) {
	packet, _ := packetOf(b, 9<<10)
	p, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, set := range []edxml.Against{edxml.Law, edxml.Axis, edxml.Vendor, edxml.All} {
		b.Run(set.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				edxml.ValidateWith(p, edxml.ValidateOptions{Now: now, Against: set})
			}
		})
	}
}
