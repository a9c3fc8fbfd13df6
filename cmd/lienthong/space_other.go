//go:build !linux && !darwin && !freebsd

package main

// freeSpace is not known here.
func freeSpace(string) func() (int64, error) { return nil }
