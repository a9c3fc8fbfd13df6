package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestNotify tells systemd on its socket, and is silent without one.
func TestNotify(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := notify("READY=1"); err != nil {
		t.Error(err)
	}
	dir, err := os.MkdirTemp("", "sd") // its path must fit into a socket's
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{filepath.Join(dir, "notify"), "@lienthong-test-" + filepath.Base(dir)} {
		address := name
		if address[0] == '@' {
			address = "\x00" + address[1:]
		}
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", name)
		if err := notify("READY=1"); err != nil {
			t.Error(err)
		}
		b := make([]byte, 100)
		if n, err := l.Read(b); err != nil || string(b[:n]) != "READY=1" {
			t.Errorf("%q, %v", b[:n], err)
		}
		l.Close()
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "nobody"))
	if err := notify("READY=1"); err == nil {
		t.Error("nobody listens, and nothing is said")
	}
}
