package boltstore

import "os"

// upload is a content file on its way: under a temporary name until it is
// complete. What is written goes to the disk while more comes, so that little
// is left to wait for in the end.
type upload struct {
	*os.File
	written int64 // octets
	asked   int64 // octets that the disk was asked to write already
	room    int64 // octets that have their place on the disk already
	synced  bool  // all of them are durable
	named   bool
}

// stride is after how many octets the disk is asked for room, and to write.
const stride = 1 << 20

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	for u.room >= 0 && u.room < u.written+int64(len(p)) {
		if !reserve(u.File, u.room, stride) {
			u.room = -1 // not here; without room Write says so
			break
		}
		u.room += stride
	}
	n, err := u.File.Write(p)
	u.written += int64(n)
	if u.written-u.asked >= stride {
		begin(u.File, u.asked, u.written-u.asked)
		u.asked = u.written
	}
	return n, err
}

// complete gives back the room that was not needed.
func (u *upload) complete() error {
	if u.room > u.written {
		return u.Truncate(u.written)
	}
	return nil
}

// sync makes the octets durable.
func (u *upload) sync() error {
	err := u.Sync()
	u.synced = err == nil
	return err
}

// rename gives the file its name.
func (u *upload) rename(path string) error {
	err := os.Rename(u.Name(), path)
	u.named = err == nil
	return err
}

// discard closes the file, and removes it if it has no name.
func (u *upload) discard() {
	_ = u.Close() // what was written is synced, or of no use
	if !u.named {
		_ = os.Remove(u.Name())
	}
}
