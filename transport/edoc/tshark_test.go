package edoc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/transport/edoc"
)

// TestShark shows what went over the socket to a dissector that knows nothing
// of us: HTTP, the parts and their order, the root elements of the envelopes.
func TestShark(t *testing.T) {
	tool, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tshark is not installed (package tshark)")
		}
		t.Skip("tshark is not installed (package tshark)")
	}
	held := written(t, office)
	srv := httptest.NewServer(edoc.NewHandler(fixed{t, held}, edoc.HandlerOptions{}))
	defer srv.Close()
	var seen tap
	c := client(t, srv.URL+"/edoc", ministry)
	c.HTTP = &http.Client{Transport: &http.Transport{DialContext: seen.dial}}
	defer c.HTTP.CloseIdleConnections()
	if _, err := c.Send(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	in, err := c.Fetch(t.Context(), "40215")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := collect(in); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pending(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "wire.pcap")
	if err := os.WriteFile(file, seen.pcap(), 0o600); err != nil {
		t.Fatal(err)
	}
	fields := []string{"http.request.method", "http.request.uri", "http.response.code", "http.request.line", "mime_multipart.header.content-type",
		"mime_multipart.header.content-transfer-encoding", "mime_multipart.header.content-id", "xml.tag", "_ws.malformed"}
	args := []string{"-n", "-r", file, "-Y", "http", "-T", "fields", "-E", "separator=|", "-E", "aggregator=;"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir()) // no preferences of whoever runs this
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	compare(t, "testdata/tshark.golden", dissected(string(out)))
}

// dissected keeps of tshark's lines what the wire is about: of the header
// lines the action, of the elements the root of the envelope and those in Body.
func dissected(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimRight(line, "\n"), "|")
		for len(f) < 9 {
			f = append(f, "")
		}
		action := ""
		if _, rest, ok := strings.Cut(f[3], "SOAPAction: "); ok {
			action, _, _ = strings.Cut(rest, `\r`)
		} else if _, rest, ok := strings.Cut(f[3], "Soapaction: "); ok {
			action, _, _ = strings.Cut(rest, `\r`)
		}
		var names []string
		for tag := range strings.SplitSeq(f[7], ";") {
			name, _, _ := strings.Cut(strings.TrimRight(strings.TrimPrefix(tag, "<"), "/> "), " ")
			if name != "" && (len(names) == 0 || names[len(names)-1] != name) {
				names = append(names, name)
			}
		}
		b.WriteString(strings.TrimSpace(f[0]+" "+f[1]+" "+f[2]+" "+action) + "\n")
		for _, part := range []struct{ what, value string }{
			{"Content-Type", f[4]}, {"Content-Transfer-Encoding", f[5]}, {"Content-ID", f[6]}, {"elements", strings.Join(names, " ")}, {"malformed", f[8]},
		} {
			if part.value != "" {
				b.WriteString("\t" + part.what + ": " + part.value + "\n")
			}
		}
	}
	return b.String()
}

// tap remembers what goes over the connections it opens.
type tap struct {
	mu       sync.Mutex
	segments []tapped
}

// tapped is one write or read.
type tapped struct {
	out  bool
	data []byte
}

func (s *tap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	return &tappedConn{conn, s}, err
}

type tappedConn struct {
	net.Conn
	tap *tap
}

func (c *tappedConn) note(out bool, data []byte) {
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	if len(data) > 0 {
		c.tap.segments = append(c.tap.segments, tapped{out, bytes.Clone(data)})
	}
}

func (c *tappedConn) Write(p []byte) (int, error) {
	c.note(true, p) // before the answer can be read
	return c.Conn.Write(p)
}

func (c *tappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.note(false, p[:n])
	return n, err
}

// pcap writes what was seen as a capture of one TCP connection to port 80
// (libpcap 2.4, link type 101: IPv4 without anything below).
func (s *tap) pcap() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	le, be := binary.LittleEndian, binary.BigEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 65535)
	b = le.AppendUint32(b, 101)
	next := map[bool]uint32{true: 1, false: 1}
	count := uint32(0)
	packet := func(out bool, flags byte, data []byte) {
		ports := [2]uint16{50000, 80}
		hosts := [2]byte{1, 2}
		if !out {
			ports, hosts = [2]uint16{80, 50000}, [2]byte{2, 1}
		}
		size := 40 + len(data)
		b = le.AppendUint32(b, 1_772_400_000)
		b = le.AppendUint32(b, count)
		b = le.AppendUint32(b, uint32(size))
		b = le.AppendUint32(b, uint32(size))
		b = append(b, 0x45, 0)
		b = be.AppendUint16(b, uint16(size))
		b = append(b, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, hosts[0], 10, 0, 0, hosts[1])
		b = be.AppendUint16(b, ports[0])
		b = be.AppendUint16(b, ports[1])
		b = be.AppendUint32(b, next[out])
		b = be.AppendUint32(b, next[!out])
		b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
		b = append(b, data...)
		next[out] += uint32(len(data))
		count++
	}
	const syn, ack, push = 2, 16, 8
	next[true], next[false] = 0, 0
	packet(true, syn, nil)
	next[true] = 1
	packet(false, syn|ack, nil)
	next[false] = 1
	packet(true, ack, nil)
	for _, segment := range s.segments {
		for data := segment.data; len(data) > 0; {
			n := min(len(data), 32<<10)
			packet(segment.out, ack|push, data[:n])
			data = data[n:]
		}
	}
	return b
}
