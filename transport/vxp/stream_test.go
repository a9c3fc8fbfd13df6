package vxp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// relay is a Backend that keeps nothing of what it takes but its digest, if
// that, and gives out one packet.
type relay struct {
	vxp.Backend
	packet  transport.Content
	discard bool // the handler has hashed it already
	sum     string
}

func (r *relay) System(context.Context, string) (vxp.System, error) {
	return vxp.System{Secret: secret, Organs: []string{ministry, province}}, nil
}

func (r *relay) AcceptFile(_ context.Context, f *vxp.File) (transport.Receipt, error) {
	if r.discard {
		_, err := io.Copy(io.Discard, f.Content)
		return transport.Receipt{ID: "1"}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f.Content); err != nil {
		return transport.Receipt{}, err
	}
	r.sum = hex.EncodeToString(h.Sum(nil))
	return transport.Receipt{ID: "1"}, nil
}

func (r *relay) DeliveredPacket(context.Context, []string, string) (*transport.Packet, error) {
	return &transport.Packet{Envelope: r.packet}, nil
}

// large is a single file whose one attachment makes it about size octets; it
// is made while it is read.
func large(t testing.TB, size int64) transport.Content {
	t.Helper()
	whole := file(t, document("118", province), "@@@@@@@@@@@@")
	head, tail, found := bytes.Cut(whole, []byte("QEBAQEBAQEBAQEBA"))
	if !found {
		t.Fatal("no attachment")
	}
	block := []byte(strings.Repeat("JVBERi0xLjcK0dFz", 4<<10)) // base64, whole groups
	n := size / 4 * 4
	c := transport.Content{Size: int64(len(head)+len(tail)) + n, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(head), io.LimitReader(&wheel{block: block}, n), bytes.NewReader(tail))), nil
	}}
	r, _ := c.Open()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		t.Fatal(err)
	}
	c.SHA256 = hex.EncodeToString(h.Sum(nil))
	return c
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

// heapWatch passes a content on and keeps the highest heap seen, every 16 MB.
type heapWatch struct {
	io.Reader
	peak  uint64
	since int
}

func (h *heapWatch) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if h.since += n; h.since > 16<<20 {
		h.since = 0
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		h.peak = max(h.peak, stats.HeapAlloc)
	}
	return n, err
}

// heap is what is in use now, garbage apart.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestStreaming passes 1 GB through client and handler, each way, in less than
// 32 MB of memory for both ends together.
func TestStreaming(t *testing.T) {
	if testing.Short() {
		t.Skip("1 GB in short mode")
	}
	size := int64(1 << 30)
	if raceEnabled {
		size = 64 << 20
	}
	const most = 32 << 20
	content := large(t, size)
	r := &relay{packet: content}
	c := client(t, listen(t, vxp.NewHandler(r, vxp.HandlerOptions{})).URL, ministry)

	watched := content
	var send *heapWatch
	watched.Open = func() (io.ReadCloser, error) {
		src, err := content.Open()
		send = &heapWatch{Reader: src}
		return io.NopCloser(send), err
	}
	before := heap()
	if _, err := c.Send(t.Context(), &transport.Packet{Envelope: watched}); err != nil {
		t.Fatal(err)
	}
	if r.sum != content.SHA256 {
		t.Errorf("sent %s, arrived %s", content.SHA256, r.sum)
	}
	report(t, "sendEdoc", before, send.peak, most)

	for _, c.Raw = range []bool{false, true} {
		before = heap()
		in, err := c.Fetch(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		piece, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		fetch := &heapWatch{Reader: piece.Content}
		if _, err := io.Copy(h, fetch); err != nil {
			t.Fatal(err)
		}
		in.Close()
		if got := hex.EncodeToString(h.Sum(nil)); got != content.SHA256 {
			t.Errorf("fetched %s, want %s", got, content.SHA256)
		}
		report(t, fmt.Sprintf("fetch, raw %v", c.Raw), before, fetch.peak, most)
	}
}

func report(t *testing.T, what string, before, peak uint64, most uint64) {
	t.Helper()
	t.Logf("%s: heap from %d to at most %d octets", what, before, peak)
	if peak == 0 || peak > before+most {
		t.Errorf("%s: heap rose from %d to %d octets, want under %d more", what, before, peak, most)
	}
}

// TestDirectoryStreams reads a directory of 111,000 organs, the size of the
// national axis's, without holding the answer.
func TestDirectoryStreams(t *testing.T) {
	a := directory{newAxis(t)}
	c := client(t, listen(t, vxp.NewHandler(a, vxp.HandlerOptions{})).URL, ministry)
	organs, err := a.Organs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	var n int
	var peak uint64
	err = c.Agencies(t.Context(), func(v vxp.Agency) error {
		if n++; n%10_000 == 0 {
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			peak = max(peak, stats.HeapAlloc)
		}
		return nil
	})
	if err != nil || n != len(organs) {
		t.Fatalf("%d organs of %d, %v", n, len(organs), err)
	}
	// The handler's list of organs is its backend's to hold.
	report(t, "getAgenciesList", before, peak, 64<<20)
}

// directory is an axis that knows as many organs as the national one.
type directory struct{ *axis }

func (directory) Organs(context.Context) ([]edxml.Organ, error) {
	organs := make([]edxml.Organ, 111_000)
	for i := range organs {
		organs[i] = edxml.Organ{OrganID: fmt.Sprintf("H%02d.%d.%d", i%64+1, i/64+1, i), OrganName: "Ủy ban nhân dân xã Thử Nghiệm"}
	}
	return organs, nil
}
