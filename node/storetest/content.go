package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing/iotest"

	"github.com/lienthong/lienthong/node"
)

var contentCases = []testCase{
	{"what was put comes back under its digest", putAndOpen},
	{"the same content again costs no space", putTwice},
	{"the same content from many at once is stored", putAtOnce},
	{"an error of the reader keeps nothing", readerFails},
	{"a cancelled context keeps nothing", putCancelled},
	{"unknown and malformed digests are not found", openUnknown},
	{"50 MB pass through a small heap", streamed},
}

// bytesOf returns n octets that do not compress, other ones for each seed.
func bytesOf(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func all(h *house, r io.Reader) []byte {
	h.Helper()
	b, err := io.ReadAll(r)
	h.must(err)
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func putAndOpen(h *house) {
	for _, size := range []int64{0, 1, 4096, 1 << 20} {
		want := all(h, bytesOf(1, size))
		c, err := h.Put(h.Context(), iotest.HalfReader(bytes.NewReader(want)))
		h.must(err)
		h.same("content", c, node.Content{SHA256: digest(want), Size: size})
		o, err := h.Open(h.Context(), c.SHA256)
		h.must(err)
		h.same("Size", o.Size(), size)
		part := make([]byte, size/2)
		if _, err := o.ReadAt(part, size-size/2); err != nil && err != io.EOF {
			h.Error(err)
		}
		if !bytes.Equal(part, want[size-size/2:]) {
			h.Errorf("%d octets: ReadAt gives other octets", size)
		}
		if !bytes.Equal(all(h, o), want) { // after ReadAt, which must not move Read
			h.Errorf("%d octets: Read gives other octets", size)
		}
		h.must(o.Close())
	}
}

func putTwice(h *house) {
	const size = 4 << 20
	first, err := h.Put(h.Context(), bytesOf(1, size))
	h.must(err)
	before := h.disk()
	second, err := h.Put(h.Context(), bytesOf(1, size))
	h.must(err)
	h.same("content", second, first)
	if grown := h.disk() - before; grown > size/4 {
		h.Errorf("the store grew by %d octets", grown)
	}
}

func putAtOnce(h *house) {
	want := all(h, bytesOf(1, 200_000))
	together(16, func(int) {
		c, err := h.Put(h.Context(), bytes.NewReader(want))
		if err != nil {
			h.Error(err)
			return
		}
		o, err := h.Open(h.Context(), c.SHA256)
		if err != nil {
			h.Error(err)
			return
		}
		defer o.Close()
		if got, err := io.ReadAll(o); err != nil || !bytes.Equal(got, want) {
			h.Errorf("other octets come back, error %v", err)
		}
	})
}

// keptNothing tests that neither all of b nor what it takes is in the store.
func keptNothing(h *house, before int64, b []byte) {
	h.Helper()
	_, err := h.Open(h.Context(), digest(b))
	h.is("Open", err, node.ErrNotFound)
	if grown := h.disk() - before; grown >= int64(len(b)) {
		h.Errorf("the store grew by %d octets", grown)
	}
}

func readerFails(h *house) {
	broken := errors.New("the line broke")
	head := all(h, bytesOf(1, 1<<20))
	before := h.disk()
	_, err := h.Put(h.Context(), io.MultiReader(bytes.NewReader(head), iotest.ErrReader(broken)))
	if err != broken {
		h.Errorf("error %v, want the reader's own", err)
	}
	keptNothing(h, before, head)
}

// after calls do when its reader is at its end.
type after struct {
	r  io.Reader
	do func()
}

func (a after) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if err == io.EOF {
		a.do()
		err = nil
	}
	return n, err
}

func putCancelled(h *house) {
	head := all(h, bytesOf(1, 1<<20))
	before := h.disk()
	ctx, cancel := context.WithCancel(h.Context())
	_, err := h.Put(ctx, after{bytes.NewReader(head), cancel})
	h.is("cancelled on the way", err, context.Canceled)
	_, err = h.Put(cancelled(), bytes.NewReader(head))
	h.is("cancelled before", err, context.Canceled)
	keptNothing(h, before, head)
}

func openUnknown(h *house) {
	c, err := h.Put(h.Context(), strings.NewReader("content"))
	h.must(err)
	for _, name := range []string{
		digest([]byte("other content")), "", "00", strings.ToUpper(c.SHA256), c.SHA256[:63], c.SHA256 + "0",
		"../" + c.SHA256[3:], strings.Repeat("/", 64), strings.Repeat("z", 64), "\x00" + c.SHA256[1:],
	} {
		_, err := h.Open(h.Context(), name)
		h.is(name, err, node.ErrNotFound)
	}
}

// heap measures what is alive while octets pass.
type heap struct{ passed, measured, start, peak uint64 }

func (m *heap) Write(p []byte) (int, error) {
	m.passed += uint64(len(p))
	if m.start == 0 || m.passed-m.measured >= 5_000_000 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		m.measured, m.peak = m.passed, max(m.peak, stats.HeapAlloc)
		if m.start == 0 {
			m.start = stats.HeapAlloc
		}
	}
	return len(p), nil
}

func (m *heap) check(h *house, what string) {
	h.Helper()
	if grown := m.peak - m.start; grown > 8<<20 {
		h.Errorf("%s: %d octets of the heap for %d of content", what, grown, m.passed)
	}
}

func streamed(h *house) {
	const size = 50_000_000
	var in, out heap
	sum := sha256.New()
	c, err := h.Put(h.Context(), io.TeeReader(bytesOf(1, size), io.MultiWriter(&in, sum)))
	h.must(err)
	in.check(h, "Put")
	h.same("content", c, node.Content{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size})
	o, err := h.Open(h.Context(), c.SHA256)
	h.must(err)
	defer o.Close()
	sum.Reset()
	_, err = io.Copy(io.MultiWriter(&out, sum), o)
	h.must(err)
	out.check(h, "Open")
	h.same("digest", hex.EncodeToString(sum.Sum(nil)), c.SHA256)
}
