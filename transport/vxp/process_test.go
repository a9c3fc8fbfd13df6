package vxp_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// The sizes of whole processes are measured only when LIENTHONG_LARGE is set,
// as 1 GB takes its time. The test program starts itself again in a role: an
// axis, or a client of the axis whose address the role is.
const (
	largeSwitch = "LIENTHONG_LARGE"
	role        = "LIENTHONG_TEST_ROLE"
	gigabyte    = 1 << 30
)

// gigabyteFile is a packet with 1 GB of base64 text, made while it is read.
func gigabyteFile() (transport.Content, error) {
	small, err := exampleTo(province).Envelope.Open()
	if err != nil {
		return transport.Content{}, err
	}
	whole, err := io.ReadAll(small)
	head, tail, found := bytes.Cut(whole, []byte("JVBERg=="))
	if err != nil || !found {
		return transport.Content{}, fmt.Errorf("no attachment: %w", err)
	}
	block := []byte(strings.Repeat("JVBERi0xLjcK0dFz", 4<<10))
	return transport.Content{Size: int64(len(head)+len(tail)) + gigabyte, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(head), io.LimitReader(&wheel{block: block}, gigabyte), bytes.NewReader(tail))), nil
	}}, nil
}

// play runs this program in a role. It prints its largest size in the end, in kB.
func play(as string) error {
	content, err := gigabyteFile()
	if err != nil {
		return err
	}
	if as == "axis" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		srv := transport.NewHTTPServer(vxp.NewHandler(&relay{packet: content}, vxp.HandlerOptions{}))
		go srv.Serve(l)
		fmt.Println("http://" + l.Addr().String())
		_, _ = io.Copy(io.Discard, os.Stdin) // which ends when the axis is no longer needed
		fmt.Println(peakSize())
		return srv.Close()
	}
	c := &vxp.Client{URL: as, SystemID: ministry, Secret: secret}
	if _, err := c.Send(context.Background(), &transport.Packet{Envelope: content}); err != nil {
		return err
	}
	for _, c.Raw = range []bool{false, true} {
		in, err := c.Fetch(context.Background(), "1")
		if err != nil {
			return err
		}
		piece, err := in.Next()
		if err != nil {
			return err
		}
		n, err := io.Copy(sha256.New(), piece.Content)
		in.Close()
		if err != nil || n != content.Size {
			return fmt.Errorf("%d octets of %d, %w", n, content.Size, err)
		}
	}
	fmt.Println(peakSize())
	return nil
}

// peakSize is the most that this process has had in memory, in kB.
func peakSize() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		panic(err)
	}
	return n
}

// TestGigabyte sends a packet of 1 GB and fetches it either way, between two
// processes of which neither may become larger than 64 MB.
func TestGigabyte(t *testing.T) {
	const most = 64 << 10
	if os.Getenv(largeSwitch) == "" {
		t.Skipf("set %s to measure the sizes of processes", largeSwitch)
	}
	axis := exec.Command(os.Args[0])
	axis.Env, axis.Stderr = append(os.Environ(), role+"=axis"), os.Stderr
	in, err := axis.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := axis.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := axis.Start(); err != nil {
		t.Fatal(err)
	}
	defer axis.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the axis did not start")
	}
	client := exec.Command(os.Args[0])
	client.Env, client.Stderr = append(os.Environ(), role+"="+lines.Text()), os.Stderr
	said, err := client.Output()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	lines.Scan()
	for who, text := range map[string]string{"client": string(said), "axis": lines.Text()} {
		size, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d MB at most", who, size>>10)
		if size > most {
			t.Errorf("%s became as large as %d kB, want under %d", who, size, most)
		}
	}
}
