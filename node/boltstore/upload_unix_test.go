//go:build unix

package boltstore

import (
	"os"
	"syscall"
	"testing"
)

// onDisk returns how many octets of the disk a file takes.
func onDisk(t *testing.T, path string) (int64, bool) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return s.Blocks * 512, true
}
