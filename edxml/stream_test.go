package edxml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml"
)

// noise is n bytes made while they are read: one random block again and again,
// of a size that meets no buffer's.
func noise(n int64) io.Reader {
	block := make([]byte, 100_003)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(block); err != nil {
		panic(err)
	}
	return io.LimitReader(&wheel{block: block}, n)
}

// wheel reads its block for ever.
type wheel struct {
	block []byte
	at    int
}

func (w *wheel) Read(p []byte) (int, error) {
	n := copy(p, w.block[w.at:])
	w.at = (w.at + n) % len(w.block)
	return n, nil
}

// heapMeter measures the heap, garbage included, every few megabytes that pass it.
type heapMeter struct {
	io.Reader
	passed, next int64
	base, peak   uint64
}

func newHeapMeter(r io.Reader) *heapMeter {
	m := &heapMeter{Reader: r}
	runtime.GC()
	m.measure()
	m.base = m.peak
	return m
}

func (m *heapMeter) measure() {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	m.peak = max(m.peak, s.HeapAlloc)
}

func (m *heapMeter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.passed += int64(n); m.passed >= m.next {
		m.next += 8 << 20
		m.measure()
	}
	return n, err
}

// grown is what the heap grew at its highest.
func (m *heapMeter) grown() uint64 { return m.peak - min(m.base, m.peak) }

const roof = 16 << 20

// TestStreams writes and reads an attachment of 256 MB, in both profiles of
// the content, without ever holding it.
func TestStreams(t *testing.T) {
	size := int64(256 << 20)
	if testing.Short() || underRace {
		size = 32 << 20
	}
	h := sha256.New()
	if _, err := io.Copy(h, noise(size)); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(h.Sum(nil))
	check := func(t *testing.T, p *edxml.Packet, err error, m *heapMeter) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if a := p.Document.Attachments[0]; a.Size != size || a.SHA256 != want {
			t.Errorf("%d bytes with digest %s, want %d with %s", a.Size, a.SHA256, size, want)
		}
		if m.grown() > roof {
			t.Errorf("the heap grew by %d MB", m.grown()>>20)
		}
	}
	t.Run("single file", func(t *testing.T) {
		out, in := io.Pipe()
		meter := newHeapMeter(out)
		go func() {
			d := &edxml.Document{Attachments: []edxml.Attachment{{Name: "lon.bin", Content: noise(size)}}}
			in.CloseWithError(edxml.Write(in, d))
		}()
		p, err := edxml.Read(meter, edxml.ReadOptions{})
		check(t, p, err, meter)
	})
	t.Run("part", func(t *testing.T) {
		d := &edxml.Document{Attachments: []edxml.Attachment{{Name: "lon.bin"}}}
		meter := newHeapMeter(noise(size))
		p, err := edxml.Read(strings.NewReader(write(t, edxml.WriteEnvelope, d)), edxml.ReadOptions{Parts: queue([]edxml.Part{{ID: "file-1", Content: meter}})})
		check(t, p, err, meter)
	})
}

// TestZipBomb: what a small packet unpacks to is stopped soon, and never held.
func TestZipBomb(t *testing.T) {
	bomb := base64.StdEncoding.EncodeToString(pack(t, "bom.txt", io.LimitReader(zeros{}, 40<<20)))
	meter := newHeapMeter(strings.NewReader(single(header, "", attachment("a", "bom.txt", bomb))))
	r, err := edxml.NewReader(meter, edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, a.Content)
	meter.measure()
	var limit *edxml.LimitError
	if !errors.As(err, &limit) || limit.Limit != "unzip ratio" || limit.Name != "bom.txt" {
		t.Fatalf("after %d bytes: %v", n, err)
	}
	if n > 11<<20 || meter.grown() > roof {
		t.Errorf("%d MB came out and the heap grew by %d MB", n>>20, meter.grown()>>20)
	}
	if _, err := r.Next(); !errors.As(err, &limit) {
		t.Errorf("the packet goes on after the bomb: %v", err)
	}
}

// TestChunks reads big contents in every rhythm: the packet is the same.
func TestChunks(t *testing.T) {
	var raw bytes.Buffer
	if _, err := io.Copy(&raw, noise(200_000)); err != nil {
		t.Fatal(err)
	}
	wrapped := pack(t, "x.bin", bytes.NewReader(raw.Bytes()))
	doc := single(header, "", attachment("a", "a.bin", base64.StdEncoding.EncodeToString(raw.Bytes()))+
		attachment("b", "b.bin", base64.StdEncoding.EncodeToString(wrapped))+attachment("c", "c.bin", "QUJD"))
	want, err := edxml.Read(strings.NewReader(doc), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range want.Document.Attachments[:2] {
		if a.SHA256 != sum(raw.String()) {
			t.Errorf("attachment %d has digest %s", i, a.SHA256)
		}
	}
	for name, r := range map[string]io.Reader{
		"one byte": iotest.OneByteReader(strings.NewReader(doc)), "halves": iotest.HalfReader(strings.NewReader(doc)),
		"data with error": iotest.DataErrReader(strings.NewReader(doc)),
	} {
		got, err := edxml.Read(r, edxml.ReadOptions{})
		if diff := cmp.Diff(want, got, understood); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	r, err := edxml.NewReader(strings.NewReader(doc), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for a, err := r.Next(); err == nil; a, err = r.Next() {
		if err := iotest.TestReader(a.Content, contentOf(a.Name, raw.Bytes())); err != nil {
			t.Errorf("%s: %v", a.Name, err)
		}
	}
}

func contentOf(name string, raw []byte) []byte {
	if name == "c.bin" {
		return []byte("ABC")
	}
	return raw
}

// TestSkipContent passes the contents by and keeps the rest.
func TestSkipContent(t *testing.T) {
	for _, f := range fixtures(t) {
		o := f.options()
		full, err := edxml.Read(bytes.NewReader(f.doc), o)
		if err != nil || full.Document == nil {
			continue
		}
		o = f.options()
		o.SkipContent = true
		got, err := edxml.Read(bytes.NewReader(f.doc), o)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		for i := range full.Document.Attachments {
			a := &full.Document.Attachments[i]
			a.Size, a.SHA256, a.DetectedType, a.PDF = 0, "", "", nil
		}
		if diff := cmp.Diff(full.Document, got.Document); diff != "" {
			t.Errorf("%s:\n%s", f.name, diff)
		}
	}
}
