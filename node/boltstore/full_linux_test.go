package boltstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/lienthong/lienthong/node"
)

// fillDisk mounts a disk of 2 MB, visible to this process alone, and fills it.
func fillDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		fmt.Println("no mount:", err)
		return nil
	}
	return overflow(dir, syscall.ENOSPC)
}

// loseWriting mounts a disk and makes it read-only under an open store: what is
// stored stays readable, and every change says why it cannot be.
func loseWriting(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		fmt.Println("no mount:", err)
		return nil
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	c, err := s.Put(ctx, strings.NewReader(large("kept")))
	if err != nil {
		return err
	}
	if err := s.Create(ctx, &node.Transfer{ID: "1", Direction: node.Out, Envelope: c}); err != nil {
		return err
	}
	if err := s.Close(); err != nil { // a file that is open for writing keeps the disk from it
		return err
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		fmt.Println("no mount:", err)
		return nil
	}
	if _, err := Open(dir); err != nil {
		return refusedWith(err, syscall.EROFS, dir)
	}
	return errors.New("opened on a read-only disk")
}

func TestReadOnlyDiskIsNamed(t *testing.T) { ownDisk(t, "readonly", 1) }

func TestFullDiskIsNamed(t *testing.T) { ownDisk(t, "full", 2) }

// ownDisk runs a role that mounts its own disk, and counts its refusals.
func ownDisk(t *testing.T, as string, refusals int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+as, folder+"="+t.TempDir())
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
	finished(t, cmd, out, refusals)
}
