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
		for at := dir; errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at); {
			at = filepath.Dir(at)
			err = syscall.Statfs(at, &s)
		}
		return int64(s.Bavail) * int64(s.Bsize), err
	}
}
