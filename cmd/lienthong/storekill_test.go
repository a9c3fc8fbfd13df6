package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/node/pgstore"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

// TestCopyKilled kills -9 a copy over and over, from a folder to PostgreSQL and
// from there to another folder: until it is whole no node opens it, and in the
// end it is the same store.
func TestCopyKilled(t *testing.T) {
	server := pgtest.New(t, "")
	shared := server.Schema(t)
	first, back := t.TempDir(), filepath.Join(t.TempDir(), "back")
	folder := func(dir string) depot {
		s, err := boltstore.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	source := folder(first)
	const records = 120
	for n := range records {
		b := make([]byte, 300_000)
		_, _ = rand.Read(b)
		c, err := source.Put(t.Context(), bytes.NewReader(b))
		x := numberedTransfer(n)
		x.Envelope = c
		if err = errors.Join(err, source.Create(t.Context(), x)); err != nil {
			t.Fatal(err)
		}
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	kills := killedCopy(t, "bolt:"+first, shared) + killedCopy(t, shared, "bolt:"+back)
	t.Logf("%d times killed", kills)
	if kills == 0 {
		t.Error("no copy was killed: they were too fast")
	}

	source = folder(first)
	defer source.Close()
	copied := folder(back)
	defer copied.Close()
	equal(t, source, copied)
	middle, err := pgstore.Open(t.Context(), shared, pgstore.Options{Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	defer middle.Close()
	equal(t, source, middle)
}

// killedCopy runs a copy until one is not killed, and returns how many were,
// each a little later than the one before.
func killedCopy(t *testing.T, from, to string) (kills int) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "target.toml")
	if err := os.WriteFile(config, []byte(fmt.Sprintf("organ = \"G22\"\nstore = %q\n[cluster]\nfolder = \"run\"\n", to)), 0o600); err != nil {
		t.Fatal(err)
	}
	for try := 1; ; try++ {
		cmd := exec.CommandContext(t.Context(), "lienthong", "store", "copy", from, to)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var late <-chan time.Time
		if try < 12 {
			late = time.After(time.Duration(try)*100*time.Millisecond + mathrand.N(50*time.Millisecond))
		}
		select {
		case err := <-ended:
			if err != nil && strings.Contains(said.String(), "other nodes use the store") { // PostgreSQL has not noticed yet that the one before is dead
				continue
			}
			if err != nil {
				t.Fatalf("store copy: %v: %s", err, said.String())
			}
			return kills
		case <-late:
			_ = cmd.Process.Kill()
			if err := <-ended; err == nil {
				return kills // it was just done
			}
			kills++
		}
		out, err := exec.CommandContext(t.Context(), "lienthong", "--lang", "en", "outbox", "list", "--config", config).CombinedOutput()
		if err == nil && !strings.Contains(string(out), "the box is empty") { // else it was killed before anything was there
			return kills // it was whole already; whether it is, equal will say
		}
	}
}
