package edoc_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// The sizes of whole processes are measured only when LIENTHONG_LARGE is set,
// as 1 GB takes its time. The test program starts itself again in a role.
const (
	largeSwitch = "LIENTHONG_LARGE"
	role        = "LIENTHONG_TEST_ROLE"
	gigabyte    = 1 << 30
)

// large holds a Document with a file of 1 GB.
type large struct{ hashing }

func (large) Document(context.Context, string, string) (*transport.Packet, error) {
	return largePacket()
}

func largePacket() (*transport.Packet, error) {
	data, err := os.ReadFile("testdata/packet.xml")
	if err != nil {
		return nil, err
	}
	return &transport.Packet{
		Envelope: content(data), TokenAt: int64(strings.Index(string(data), "</SOAP-ENV:Header>")),
		Parts: []transport.Part{{ID: "f1@example.vn", Type: "application/pdf", Content: transport.Content{Size: gigabyte, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(newNoise(nil), gigabyte)), nil
		}}}},
	}, nil
}

// play runs this program in a role: an axis that answers "memory" on its
// standard input, or a client that sends 1 GB and fetches it.
func play(as string) error {
	if as == "axis" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		srv := transport.NewHTTPServer(edoc.NewHandler(large{}, edoc.HandlerOptions{}))
		go srv.Serve(l)
		fmt.Println("http://" + l.Addr().String())
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			runtime.GC()
			fmt.Println(memory("RssAnon"), memory("VmHWM"))
		}
		return srv.Close()
	}
	c := &edoc.Client{URL: as, Organ: "000.00.00.G22", Token: "t"}
	p, err := largePacket()
	if err != nil {
		return err
	}
	if _, err := c.Send(context.Background(), p); err != nil {
		return err
	}
	in, err := c.Fetch(context.Background(), "1")
	if err != nil {
		return err
	}
	defer in.Close()
	hash := sha256.New()
	for {
		piece, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if n, err := io.Copy(hash, piece.Content); err != nil || !piece.Root && n != gigabyte {
			return fmt.Errorf("%d octets, %w", n, err)
		}
	}
	fmt.Println(memory("RssAnon"), memory("VmHWM"))
	return nil
}

// memory reads one of this process's sizes, in kB.
func memory(field string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "\n"+field+":")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		panic(err)
	}
	return n
}

// axisProcess starts an axis of its own and returns its address and a
// question for its sizes, in kB.
func axisProcess(t *testing.T) (url string, sizes func() (anonymous, peak int)) {
	t.Helper()
	if os.Getenv(largeSwitch) == "" {
		t.Skipf("set %s to measure the sizes of processes", largeSwitch)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=axis")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	lines := bufio.NewReader(out)
	if url, err = lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(url), func() (anonymous, peak int) {
		fmt.Fprintln(in, "memory")
		if _, err := fmt.Fscanln(lines, &anonymous, &peak); err != nil {
			t.Fatal(err)
		}
		return anonymous, peak
	}
}

// TestGigabyte sends a file of 1 GB and fetches it, between two processes of
// which neither may become larger than 64 MB.
func TestGigabyte(t *testing.T) {
	const most = 64 << 10
	url, sizes := axisProcess(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var anonymous, client int
	if _, err := fmt.Sscan(string(out), &anonymous, &client); err != nil {
		t.Fatal(err)
	}
	_, axis := sizes()
	t.Logf("peak resident: client %d MB, axis %d MB", client>>10, axis>>10)
	if client > most || axis > most {
		t.Errorf("peak resident: client %d kB, axis %d kB, want under %d", client, axis, most)
	}
}

// TestIdleConnections leaves 1,000 connections open behind a call each.
func TestIdleConnections(t *testing.T) {
	const count, most = 1000, 40 << 10
	url, sizes := axisProcess(t)
	addr := strings.TrimPrefix(url, "http://")
	call := func() net.Conn {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		body := bare("<CheckPermission><OrganId>H41</OrganId><Token>t</Token></CheckPermission>", "")
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nSOAPAction: CheckPermission\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if answer, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(answer), "true") {
			t.Fatalf("%s, %v", answer, err)
		}
		return conn
	}
	call().Close()
	before, _ := sizes()
	for range count {
		defer call().Close()
	}
	after, _ := sizes()
	t.Logf("%d idle connections cost %d kB", count, after-before)
	if after-before > most {
		t.Errorf("%d idle connections cost %d kB, want under %d", count, after-before, most)
	}
}
