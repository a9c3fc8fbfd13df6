package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

// TestNodeNotifies is systemd for a node: it listens where NOTIFY_SOCKET points, and
// hears when the node is ready, reads its configuration anew, and stops. The
// unit is of Type=notify: without READY=1 it would be killed after a while.
func TestNodeNotifies(t *testing.T) {
	dir, err := os.MkdirTemp("", "sd") // its path must fit into a socket's
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "node.toml")
	if err := os.WriteFile(config, []byte("organ = \"G22\"\n[api]\nlisten = \"off\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hear := func() string {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1024)
		n, err := l.Read(b)
		if err != nil {
			t.Fatalf("systemd hears nothing: %v", err)
		}
		return string(b[:n])
	}
	cmd := exec.Command("lienthong", "node", "--config", config)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	for _, step := range []struct {
		signal os.Signal
		want   []string
	}{
		{nil, []string{"READY=1"}},
		{syscall.SIGHUP, []string{"RELOADING=1", "READY=1"}},
		{syscall.SIGTERM, []string{"STOPPING=1"}},
	} {
		if step.signal != nil {
			if err := cmd.Process.Signal(step.signal); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range step.want {
			if got := hear(); got != want {
				t.Fatalf("after %v systemd hears %q, want %q", step.signal, got, want)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
}
