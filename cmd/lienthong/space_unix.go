//go:build linux || darwin || freebsd

package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// freeSpace returns what tells the free space of the file system that a folder
// is on, or will be on.
func freeSpace(dir string) func() (int64, error) {
	return func() (int64, error) {
		var s syscall.Statfs_t
		err := syscall.Statfs(dir, &s)
		if errors.Is(err, fs.ErrNotExist) {
			err = syscall.Statfs(filepath.Dir(dir), &s)
		}
		return int64(s.Bavail) * int64(s.Bsize), err
	}
}
