package edoc_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
)

// noise is a stream of octets that look random and are the same every time.
type noise struct {
	src  *rand.ChaCha8
	heap *heap
	read int64
}

func newNoise(h *heap) *noise { return &noise{src: rand.NewChaCha8([32]byte{}), heap: h} }

func (n *noise) Read(p []byte) (int, error) {
	n.src.Read(p) // never fails
	if before := n.read >> 20; n.heap != nil && (n.read+int64(len(p)))>>20 > before {
		n.heap.look()
	}
	n.read += int64(len(p))
	return len(p), nil
}

// heap remembers the most that was in use.
type heap struct{ start, peak atomic.Uint64 }

func (h *heap) begin() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.start.Store(m.HeapAlloc)
	h.peak.Store(m.HeapAlloc)
}

func (h *heap) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.peak.Store(max(h.peak.Load(), m.HeapAlloc))
}

func (h *heap) grown() uint64 { return h.peak.Load() - h.start.Load() }

// TestStreaming takes a file of 64 MB through client and handler and back,
// the second time as base64 text, and looks at the heap on the way.
func TestStreaming(t *testing.T) {
	if testing.Short() {
		t.Skip("three times 64 MB in short mode")
	}
	const size, most = 64 << 20, 32 << 20
	_, srv := start(t, axistest.Options{})
	var h heap
	p := packet(t, document("1", office), pdf)
	p.Parts[0].Content = transport.Content{Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(newNoise(&h), size)), nil
	}}
	sent := sha256.New()
	io.Copy(sent, io.LimitReader(newNoise(nil), size))
	h.begin()
	if _, err := client(t, srv.URL, ministry).Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if grown := h.grown(); grown > most {
		t.Errorf("sending: the heap grew by %d MB", grown>>20)
	}
	for name, wire := range map[string]roundTripper{
		"binary": http.DefaultTransport.RoundTrip,
		"base64": func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Del("Lienthong-Parts")
			return http.DefaultTransport.RoundTrip(r)
		},
	} {
		c := client(t, srv.URL, office)
		c.HTTP = &http.Client{Transport: wire}
		h.begin()
		in, err := c.Fetch(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		got := sha256.New()
		for {
			piece, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if piece.Root {
				continue
			}
			for err == nil {
				_, err = io.CopyN(got, piece.Content, 1<<20)
				h.look()
			}
			if err != io.EOF {
				t.Fatal(err)
			}
		}
		in.Close()
		if hex.EncodeToString(got.Sum(nil)) != hex.EncodeToString(sent.Sum(nil)) {
			t.Errorf("%s: other octets arrived than were sent", name)
		}
		if grown := h.grown(); grown > most {
			t.Errorf("%s: the heap grew by %d MB", name, grown>>20)
		}
		t.Logf("%s: the heap grew by %d KB", name, h.grown()>>10)
	}
}

// TestCloseEarly leaves a packet in the middle: the call ends at once.
func TestCloseEarly(t *testing.T) {
	gone := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", `multipart/related; boundary=B`)
		io.WriteString(w, "--B\r\nContent-Type: text/xml\r\n\r\n")
		w.Write(bytesOf(t, packet(t, document("1", office), pdf).Envelope))
		io.WriteString(w, "\r\n--B\r\nContent-ID: <"+pdf.id+">\r\n\r\n%PDF-1.7 ")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	}))
	defer srv.Close()
	in, err := client(t, srv.URL, office).Fetch(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	if piece, err := in.Next(); err != nil || !piece.Root {
		t.Fatalf("%+v, %v", piece, err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	<-gone
	if _, err := in.Next(); err == nil {
		t.Error("there is a part behind Close")
	}
}
