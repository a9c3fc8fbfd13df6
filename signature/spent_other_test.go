//go:build !linux

package signature_test

import "time"

var began = time.Now()

// spent is the time since the tests began, where a thread's own is not told.
func spent() time.Duration { return time.Since(began) }
