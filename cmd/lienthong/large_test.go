//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// TestGigabyteNode sends a document with a file of 1 GB through two nodes and
// an axis, each a process, and looks at the memory of the nodes: RssAnon, as
// bbolt's mapping is the kernel's. LIENTHONG_LARGE is how large, in MB, 1 for
// 1 GB; without it the test is skipped, as it takes its time.
func TestGigabyteNode(t *testing.T) {
	size, err := strconv.ParseInt(os.Getenv("LIENTHONG_LARGE"), 10, 64)
	if err != nil {
		t.Skip("LIENTHONG_LARGE is not set: 1 GB takes its time")
	}
	if size == 1 {
		size = 1024
	}
	size <<= 20
	s := openScene(t)
	if err := pause(t.Context(), 2*time.Second); err != nil { // the directory comes, and then there is nothing to do
		t.Fatal(err)
	}
	for _, v := range s.victims() {
		if idle := rssAnon(t, v); idle > 40<<20 {
			t.Errorf("the idle %s takes %d MB, more than 40", v.role, idle>>20)
		} else {
			t.Logf("the idle %s takes %d MB", v.role, idle>>20)
		}
	}
	packet, want := gigabyte(t, s, size)
	peak := map[string]int64{}
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		f, err := os.Open(packet)
		if err == nil {
			_, err = s.sender.client.Submit(t.Context(), f)
			f.Close()
		}
		done <- err
	}()
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		for _, v := range s.victims() {
			peak[v.role] = max(peak[v.role], rssAnon(t, v))
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("accepted after %v", time.Since(began))
		default:
		}
		got, err := transfers(t.Context(), s.receiver, node.In)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 1 && got[0].State == node.Confirmed {
			if sum := got[0].Parts[0].Content.SHA256; sum != want {
				t.Errorf("delivered with %s, sent with %s", sum, want)
			}
			break
		}
	}
	t.Logf("%d MB delivered after %v", size>>20, time.Since(began))
	for role, most := range peak {
		t.Logf("the %s took %d MB at most", role, most>>20)
		if most > 64<<20 {
			t.Errorf("the %s took %d MB, more than 64", role, most>>20)
		}
	}
}

// openScene builds the program and starts two nodes of it with an axis between
// them that has bad manners.
func openScene(t *testing.T) *scene {
	t.Helper()
	dir := t.TempDir()
	exe := filepath.Join(dir, "lienthong")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r := &rehearsal{program: &program{out: io.Discard, err: io.Discard, lang: "en"}, exe: exe, dir: dir, rng: rand.New(rand.NewPCG(1, 1)), began: time.Now()}
	r.report.Seed = 1
	s, err := r.scene(filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
	for _, v := range s.victims() {
		if err := v.start(""); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// rssAnon is the memory of a node that is its own.
func rssAnon(t *testing.T, v *victim) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// gigabyte writes a packet with one large file of noise.
func gigabyte(t *testing.T, s *scene, size int64) (file, sha string) {
	t.Helper()
	code := edxml.Code{CodeNumber: "1", CodeNotation: "LON"}
	sum := sha256.New()
	noise := rand.NewChaCha8([32]byte{1})
	d := s.letterOf(code, io.TeeReader(io.LimitReader(noise, size), sum))
	file = filepath.Join(s.dir, "large.edxml")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := edxml.Write(f, d); err != nil {
		t.Fatal(err)
	}
	return file, hex.EncodeToString(sum.Sum(nil))
}
