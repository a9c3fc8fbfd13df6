//go:build !unix

package boltstore

import (
	"os"
	"testing"
)

func onDisk(*testing.T, *os.File) (int64, bool) { return 0, false }
