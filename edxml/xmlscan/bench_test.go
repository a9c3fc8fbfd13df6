package xmlscan_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// BenchmarkText reads 20 MB of base64 in one line and in lines. The floor is one
// pass of bytes.IndexByte over the same bytes, which makes no check at all.
func BenchmarkText(b *testing.B) {
	raw := make([]byte, 15<<20)
	for i := range raw {
		raw[i] = byte(i * 7)
	}
	line := base64.StdEncoding.EncodeToString(raw)
	var lines strings.Builder
	for i := 0; i < len(line); i += 76 {
		lines.WriteString(line[i:min(len(line), i+76)] + "\r\n")
	}
	window := make([]byte, 64<<10)
	for name, text := range map[string]string{"one line": line, "lines of 76": lines.String()} {
		doc := []byte("<a>" + text + "</a>")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var floor, ours time.Duration
			for b.Loop() {
				start := time.Now()
				for r := bytes.NewReader(doc); ; {
					n, err := r.Read(window)
					if err == io.EOF {
						break
					}
					if bytes.IndexByte(window[:n], '\x00') >= 0 {
						b.Fatal("no such byte")
					}
				}
				floor += time.Since(start)
				start = time.Now()
				if err := drain(bytes.NewReader(doc), xmlscan.Options{}); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
			}
			rate := func(d time.Duration) float64 { return float64(len(doc)) * float64(b.N) / 1e6 / d.Seconds() }
			b.ReportMetric(rate(ours), "ours-MB/s")
			b.ReportMetric(rate(floor), "floor-MB/s")
			b.ReportMetric(float64(floor)/float64(ours), "ratio")
		})
	}
}

// BenchmarkHeader reads a header of some fifty elements, as tokens and as a tree.
func BenchmarkHeader(b *testing.B) {
	doc := header()
	b.Run("tokens", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			if err := drain(strings.NewReader(doc), xmlscan.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
			if _, err := s.Next(); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Tree(0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func header() string {
	var b strings.Builder
	b.WriteString("<h:header xmlns:h='urn:example:header' xmlns:x='urn:example:link'>\n")
	for range 12 {
		b.WriteString("  <h:to>\n    <h:id>000.00.01.H01</h:id>\n    <h:name>Ủy ban nhân dân tỉnh</h:name>\n" +
			"    <h:due x:type='simple' x:href='cid:1'>2021/06/30</h:due>\n  </h:to>\n")
	}
	b.WriteString("</h:header>\n")
	return b.String()
}
