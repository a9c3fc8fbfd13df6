//go:build !unix

package boltstore

import "testing"

func onDisk(*testing.T, string) (int64, bool) { return 0, false }
