package failpoint_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/lienthong/lienthong/node/failpoint"
)

// TestMain makes the test binary a process that passes two points, and then
// says that it lives.
func TestMain(m *testing.M) {
	if os.Getenv("FAILPOINT_PROCESS") == "" {
		os.Exit(m.Run())
	}
	if err := failpoint.Fault(); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	defer fmt.Println("closed") // as SIGKILL cannot be caught, this is not said
	for range 2 {
		failpoint.Hit(failpoint.SendAttempted)
		fmt.Println("called")
		failpoint.Hit(failpoint.SendAnswered)
	}
}

func TestHit(t *testing.T) {
	for _, c := range []struct {
		arm, out string
		killed   bool
	}{
		{"", "called called closed", false},
		{"send.attempted", "", true},
		{"send.answered", "called", true},
		{"send.answered:2", "called called", true},
		{"send.answered:3", "called called closed", false},
		{"fetch.done", "called called closed", false},
	} {
		t.Run(c.arm, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "FAILPOINT_PROCESS=1", failpoint.Variable+"="+c.arm)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			err := cmd.Run()
			if got := strings.Join(strings.Fields(out.String()), " "); got != c.out {
				t.Errorf("it said %q, want %q", got, c.out)
			}
			if !c.killed {
				if err != nil || errs.Len() > 0 {
					t.Errorf("ended with %v, %q", err, errs.String())
				}
				return
			}
			status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !ok || status.Signal() != syscall.SIGKILL {
				t.Errorf("ended with %v, want SIGKILL", err)
			}
			point, _, _ := strings.Cut(c.arm, ":")
			if want := failpoint.Point(point).Said() + "\n"; errs.String() != want {
				t.Errorf("said %q, want %q", errs.String(), want)
			}
		})
	}
}

// TestFault refuses what names no point: a rehearsal that kills nobody proves
// nothing.
func TestFault(t *testing.T) {
	for _, arm := range []string{"send.answer", "send.answered:", "send.answered:0", "send.answered:-1", "send.answered:x", ":1"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FAILPOINT_PROCESS=1", failpoint.Variable+"="+arm)
		if out, err := cmd.Output(); err == nil || !strings.Contains(string(out), "names no failpoint") {
			t.Errorf("%q: %v, said %q", arm, err, out)
		}
	}
}

// TestAll holds the constants against All, and each against the places where
// it is passed.
func TestAll(t *testing.T) {
	source, err := os.ReadFile("failpoint.go")
	if err != nil {
		t.Fatal(err)
	}
	all, names := map[failpoint.Point]bool{}, map[string]bool{}
	for _, p := range failpoint.All() {
		all[p] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) +Point = "([a-z.]+)"`).FindAllStringSubmatch(string(source), -1) {
		names[m[1]] = true
		if !all[failpoint.Point(m[2])] {
			t.Errorf("All lacks %s", m[1])
		}
	}
	if len(names) != len(all) || len(all) != len(failpoint.All()) {
		t.Errorf("%d constants, %d points, %d of them different", len(names), len(failpoint.All()), len(all))
	}
	passed := map[string]bool{}
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`failpoint\.(\w+)`).FindAllStringSubmatch(string(text), -1) {
			passed[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range names {
		if !passed[name] {
			t.Errorf("nobody passes %s", name)
		}
	}
}
