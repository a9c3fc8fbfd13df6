//go:build unix

package sink_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node/sink"
)

// shell is a Command of a few lines.
func shell(t *testing.T, script string, timeout time.Duration) sink.Command {
	return sink.Command{Path: "/bin/sh", Args: []string{"-c", script}, Dir: filepath.Join(t.TempDir(), "handover"), Timeout: timeout}
}

// TestCommand hands a document and a notice to a program.
func TestCommand(t *testing.T) {
	t.Setenv("LIENTHONG_AXIS_TOKEN", "s3cret")
	kept := t.TempDir()
	t.Setenv("KEPT", kept)
	c := shell(t, `cat > "$KEPT/event.json"; env > "$KEPT/env"; ls > "$KEPT/files"; [ ! -e a.pdf ] || cp a.pdf "$KEPT/"`, 0)
	x := transfer("a.pdf")
	if err := c.Deliver(t.Context(), x, opener); err != nil {
		t.Fatal(err)
	}
	var e sink.Event
	b, _ := os.ReadFile(filepath.Join(kept, "event.json"))
	if err := json.Unmarshal(b, &e); err != nil || e.ID != "id-1-deliver" || e.What != sink.Deliver || e.Transfer.ID != "id-1" || e.Folder != filepath.Join(c.Dir, "id-1") {
		t.Errorf("%s: %v", b, err)
	}
	if b, _ := os.ReadFile(filepath.Join(kept, "a.pdf")); string(b) != "content of a.pdf" {
		t.Errorf("%q", b)
	}
	if b, _ := os.ReadFile(filepath.Join(kept, "env")); strings.Contains(string(b), "s3cret") {
		t.Error("the program knows the node's secrets")
	}
	if left := names(t, c.Dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	x.State = "sealed"
	if err := c.Notify(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(kept, "event.json")); !strings.Contains(string(b), `"what":"recalled"`) {
		t.Errorf("%s", b)
	}
}

// TestCommandFails has a program that fails, one that does not end, and none.
func TestCommandFails(t *testing.T) {
	var failed *sink.CommandError
	c := shell(t, `yes dòng | head -c 100000; echo cuối cùng >&2; exit 3`, 0)
	err := c.Deliver(t.Context(), transfer(), opener)
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "exit status 3") || !strings.HasSuffix(failed.Output(), "cuối cùng") || len(failed.Output()) > 2100 {
		t.Errorf("%v, %d octets said", err, len(failed.Output()))
	}
	if left := names(t, c.Dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := shell(t, `sleep 60`, 50*time.Millisecond).Notify(t.Context(), transfer()); err == nil || !strings.Contains(err.Error(), "within 50ms") {
		t.Errorf("%v", err)
	}
	if err := (sink.Command{Path: "/nowhere/program"}).Notify(t.Context(), transfer()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Notify(gone, transfer()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
