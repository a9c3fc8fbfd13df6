package boltstore

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"
)

// TestUploadKeepsNoRoom: what was reserved for more than came is given back,
// for files that end within a stretch, with it, and shortly behind it.
func TestUploadKeepsNoRoom(t *testing.T) {
	for _, size := range []int{1, maxSmall, stride - 1, stride, stride + 1, 3*stride + 7} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text := bytes.Repeat([]byte("octets "), size/7+1)[:size]
		c, err := fill(&upload{File: f}, &source{ctx: t.Context(), r: bytes.NewReader(text)}, make([]byte, maxSmall)[:0])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, text) || c.Size != int64(size) || c.SHA256 != digestOf(text) {
			t.Errorf("%d octets: %d came, as %+v, error %v", size, len(got), c, err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil { // some file systems keep room for more until then
			t.Fatal(err)
		}
		if took, known := onDisk(t, f.Name()); known && took > int64(size)+64<<10 {
			t.Errorf("%d octets take %d on the disk", size, took)
		}
	}
}

// TestSameContentAtOnce lets many bring the same content at the same moment,
// over what a power cut left of it: it is whole for each of them.
func TestSameContentAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	text := large("x")
	digest := digestOf([]byte(text))
	if _, err := s.shelf(digest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.content(digest[:2], digest), make([]byte, 5), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Check(t.Context(), CheckOptions{Deep: true}); err != nil || r.Damaged() || r.Orphans != 1 {
		t.Errorf("what nobody needs counts as damage: %+v, error %v", r, err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			c := put(t, s, text)
			if read1(t, s, c.SHA256) != text {
				t.Error("other content comes back")
			}
		})
	}
	all.Wait()
	if names := contentFiles(t, s); len(names) != 1 {
		t.Errorf("content holds %v", names)
	}
}
