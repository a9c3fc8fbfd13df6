package boltstore

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// fillDisk mounts a disk of 2 MB, visible to this process alone, and fills it.
func fillDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		fmt.Println("no mount:", err)
		return nil
	}
	return overflow(dir, syscall.ENOSPC)
}

func TestFullDiskIsNamed(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"=full", folder+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("the kernel gives no namespace of our own: %v", err)
	}
	out := bufio.NewReader(pipe)
	if first, _ := out.Peek(9); string(first) == "no mount:" {
		said, _ := io.ReadAll(out)
		_ = cmd.Wait()
		t.Skip(strings.TrimSpace(string(said)))
	}
	finished(t, cmd, out)
}
