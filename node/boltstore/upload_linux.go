package boltstore

import (
	"os"
	"syscall"
)

const (
	keepSize   = 1 // FALLOC_FL_KEEP_SIZE, fallocate(2)
	writeRange = 2 // SYNC_FILE_RANGE_WRITE, sync_file_range(2)
)

// reserve gives a stretch of a file its place on the disk, beyond its end: the
// file system has less to do than if it looked for one when it writes. It
// reports false where that cannot be.
func reserve(f *os.File, from, n int64) bool {
	return syscall.Fallocate(int(f.Fd()), keepSize, from, n) == nil
}

// begin asks the disk to write a stretch of a file, without waiting for it; it
// makes nothing durable.
func begin(f *os.File, from, n int64) {
	_ = syscall.SyncFileRange(int(f.Fd()), from, n, writeRange)
}
