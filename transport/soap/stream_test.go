package soap

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
)

// TestStreaming sends and reads 256 MB over HTTP (64 MB of them in base64) without holding them.
func TestStreaming(t *testing.T) {
	if testing.Short() {
		t.Skip("256 MB in short mode")
	}
	const most = 16 << 20
	axis := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := Read(r.Header.Get("Content-Type"), r.Body, Limits{})
		if err != nil {
			t.Error(err)
			return
		}
		defer m.Close()
		var octets int64
		for {
			in, err := m.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Error(err)
				return
			}
			n, err := io.Copy(io.Discard, in.Content)
			if err != nil {
				t.Error(err)
			}
			if !in.Root {
				octets += n
			}
		}
		io.WriteString(w, strconv.FormatInt(octets, 10))
	}))
	defer axis.Close()
	for encoding, size := range map[string]int64{"binary": 256 << 20, "base64": 64 << 20} {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		var peak uint64
		file := Part{ID: "f", Encoding: encoding, Size: size, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(&heapWatch{peak: &peak}, size)), nil
		}}
		body, err := NewBody(text("root", "<Envelope/>"), []Part{file})
		if err != nil {
			t.Fatal(err)
		}
		stream, _ := body.Open()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, axis.URL, stream)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", body.ContentType())
		req.ContentLength, req.GetBody = body.Size(), body.Open
		resp, err := axis.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != strconv.FormatInt(size, 10) {
			t.Errorf("%s: %s octets arrived, %v", encoding, got, err)
		}
		if peak == 0 || peak > before.HeapAlloc+most {
			t.Errorf("%s: heap rose from %d to %d octets, want under %d more", encoding, before.HeapAlloc, peak, most)
		}
	}
}

// heapWatch yields zeros and keeps the highest heap seen, every 4 MB.
type heapWatch struct {
	peak  *uint64
	since int
}

func (h *heapWatch) Read(p []byte) (int, error) {
	if h.since += len(p); h.since > 4<<20 {
		h.since = 0
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		*h.peak = max(*h.peak, stats.HeapAlloc)
	}
	clear(p)
	return len(p), nil
}
