//go:build unix

package boltstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
)

// role makes the test binary another process: one that holds a folder, that
// works until it is killed, or that runs into a full disk.
const (
	role   = "BOLTSTORE_TEST_ROLE"
	folder = "BOLTSTORE_TEST_FOLDER"
)

func TestMain(m *testing.M) {
	run, ok := map[string]func(string) error{
		"hold": holdFolder, "work": workUntilKilled, "limit": limitFileSize, "full": fillDisk, "readonly": loseWriting, "idle": stayIdle, "narrow": liveNarrow,
	}[os.Getenv(role)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := run(os.Getenv(folder)); err != nil {
		fmt.Println("child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child starts this binary in a role; it ends with the test at the latest.
func child(t *testing.T, as, dir string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+as, folder+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, bufio.NewReader(out)
}

// holdFolder keeps a store open until its input ends.
func holdFolder(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Close()
}

func TestSecondOpenInAnotherProcessIsLocked(t *testing.T) {
	dir := t.TempDir()
	cmd, in, out := child(t, "hold", dir)
	if line, err := out.ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("%q, error %v", line, err)
	}
	checkLocked(t, dir)
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

// workUntilKilled stores content and Transfers from eight goroutines, and
// prints what was acknowledged, one write per line.
func workUntilKilled(dir string) error {
	s, err := OpenWith(dir, Options{free: -rand.IntN(2)}) // -1: the list of free pages is nowhere when it is killed
	if err != nil {
		return err
	}
	errs := make(chan error)
	for w := range 8 {
		go func() {
			for n := 0; ; n++ {
				if err := work(s, fmt.Sprintf("%d-%06d", w, n)); err != nil {
					errs <- err
				}
			}
		}()
	}
	return <-errs
}

func work(s *Store, id string) error {
	ctx := context.Background()
	c, err := s.Put(ctx, strings.NewReader(contentOf(id)))
	if err != nil {
		return err
	}
	if err := s.Create(ctx, &node.Transfer{
		ID: id, Direction: node.Out, State: node.Queued, Envelope: c, Due: time.Unix(1, 0),
		Unique: []string{"unique " + id}, Lookup: []string{"lookup"},
		Count: []string{"all", "queued"}, Words: []string{"new", id[2:], id[:1]},
	}); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("created " + id + "\n"); err != nil {
		return err
	}
	if _, err := s.Update(ctx, id, func(t *node.Transfer) error {
		t.State, t.Due, t.Unique = node.Sent, time.Time{}, []string{"sent " + id}
		t.Count, t.Words[0] = []string{"all", "sent"}, "old"
		return nil
	}); err != nil {
		return err
	}
	_, err = os.Stdout.WriteString("sent " + id + "\n")
	return err
}

// contentOf is small, but for one in eight.
func contentOf(id string) string {
	if id[len(id)-1] == '7' {
		return large(id)
	}
	return strings.Repeat(id+"\n", 500)
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5 {
		dir := t.TempDir()
		cmd, _, out := child(t, "work", dir)
		states := map[string]node.State{}
		for left := 1 + r.IntN(300); ; left-- {
			line, err := out.ReadString('\n')
			if err != nil {
				break // what was printed before the kill has been read
			}
			what, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch what {
			case "created":
				states[id] = node.Queued
			case "sent":
				states[id] = node.Sent
			default:
				t.Fatal(line)
			}
			if left == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
		survived(t, dir, states)
	}
}

// survived checks that every Transfer is in its acknowledged state, or in the
// next one, whose acknowledgement may have been cut off.
func survived(t *testing.T, dir string, states map[string]node.State) {
	t.Helper()
	if records := audit(t, dir); records < len(states) {
		t.Errorf("%d records, %d acknowledged", records, len(states))
	}
	s := open(t, dir)
	defer s.Close()
	for id, state := range states {
		tr, err := s.Transfer(t.Context(), id)
		if err != nil {
			t.Error(err)
			continue
		}
		if tr.State != state && tr.State != node.Sent {
			t.Errorf("%s is %s, %s was acknowledged", id, tr.State, state)
		}
		o, err := s.Open(t.Context(), tr.Envelope.SHA256)
		if err != nil {
			t.Error(err)
			continue
		}
		if b, err := io.ReadAll(o); err != nil || string(b) != contentOf(id) {
			t.Errorf("%s: other content, error %v", id, err)
		}
		o.Close()
	}
	all, err := s.Counts(t.Context(), "all")
	if err != nil || all["all"] < int64(len(states)) {
		t.Errorf("counted %v of %d, error %v", all, len(states), err)
	}
	found, err := s.Search(t.Context(), node.Out, []string{"o"}, "", 10*len(states)+10)
	if sent, _ := s.Counts(t.Context(), "sent"); err != nil || int64(len(found)) != sent["sent"] {
		t.Errorf("%d found of %v, error %v", len(found), sent, err)
	}
	t.Logf("%d acknowledged", len(states))
}

// limitFileSize forbids files over 8 MB, as a quota does, and then writes.
func limitFileSize(dir string) error {
	signal.Ignore(syscall.SIGXFSZ) // a write beyond then gives EFBIG
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 8 << 20, Max: 8 << 20}); err != nil {
		return err
	}
	return overflow(dir, syscall.EFBIG)
}

// overflow fills a store until content and records are refused with want, and
// checks that the errors say so and that what was acknowledged stays.
func overflow(dir string, want syscall.Errno) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	_, err = s.Put(ctx, io.LimitReader(rand.NewChaCha8([32]byte{}), 16<<20))
	if err := refusedWith(err, want, s.content("tmp")); err != nil {
		return err
	}
	if left, err := os.ReadDir(s.content("tmp")); err != nil || len(left) > 0 {
		return fmt.Errorf("left in tmp: %v, error %v", left, err)
	}
	created := 0
	for err = nil; err == nil && created < 1000; created++ {
		err = s.Create(ctx, &node.Transfer{ID: fmt.Sprintf("%04d", created), Direction: node.Out, Subject: strings.Repeat("x", 20_000), Due: time.Unix(1, 0)})
	}
	created--
	if err := refusedWith(err, want, s.file()); err != nil {
		return err
	}
	if created == 0 {
		return errors.New("not one record was taken")
	}
	for range 2 { // in this process, and opened again
		all, err := s.List(ctx, node.Out, "", 2000)
		if err != nil || len(all) != created {
			return fmt.Errorf("%d of %d records can be read, error %v", len(all), created, err)
		}
		if err := s.Close(); err != nil {
			return err
		}
		if s, err = Open(dir); err != nil {
			return fmt.Errorf("opening again: %w", err)
		}
	}
	return s.Close()
}

func refusedWith(err error, want syscall.Errno, path string) error {
	if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "boltstore: ") || !strings.Contains(err.Error(), path) {
		return fmt.Errorf("error %v, want one with %q that names %s", err, want, path)
	}
	fmt.Println("refused:", err)
	return nil
}

func finished(t *testing.T, cmd *exec.Cmd, out *bufio.Reader, refusals int) {
	t.Helper()
	said, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if n := strings.Count(string(said), "refused:"); n != refusals {
		t.Errorf("%d refusals, want %d\n%s", n, refusals, said)
	}
}

func TestFileSizeLimitIsNamed(t *testing.T) {
	if runtime.GOOS == "aix" {
		t.Skip("no such limit here")
	}
	dir := t.TempDir()
	cmd, _, out := child(t, "limit", dir)
	finished(t, cmd, out, 2)
	audit(t, dir)
}

// TestTrouble finds the system's error again where bbolt hands on its text.
func TestTrouble(t *testing.T) {
	s := &Store{dir: "/data"}
	for _, c := range []struct {
		err  error
		want error
		text string
	}{
		{fmt.Errorf("file resize error: %s", &os.PathError{Op: "truncate", Path: "/x", Err: syscall.ENOSPC}), syscall.ENOSPC,
			"boltstore: /data/lienthong.db: file resize error: truncate /x: no space left on device"},
		{&os.PathError{Op: "write", Path: "/x", Err: syscall.EROFS}, syscall.EROFS,
			"boltstore: /data/lienthong.db: write /x: read-only file system"},
		{io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, "boltstore: /data/lienthong.db: unexpected EOF"},
	} {
		if err := s.trouble(c.err); !errors.Is(err, c.want) || err.Error() != c.text {
			t.Errorf("%v, want %v in %q", err, c.want, c.text)
		}
	}
}

// stayIdle opens a store with 20,000 records and prints what it takes when
// nothing happens: the anonymous memory of the process in kB.
func stayIdle(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	for at := 0; at < 20_000; at += 1000 {
		var some []*node.Transfer
		for i := range 1000 {
			some = append(some, document(at+i))
		}
		if err := s.Create(context.Background(), some...); err != nil {
			return err
		}
	}
	for more := true; more; {
		if more, err = s.index(); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fmt.Println(strings.Fields(rest)[0])
	return s.Close()
}

func TestIdleStoreTakesLittleMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("RssAnon is a word of Linux")
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes memory of its own")
	}
	cmd, _, out := child(t, "idle", t.TempDir())
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	var kB int
	if _, err := fmt.Sscan(line, &kB); err != nil || kB == 0 || kB > 40<<10 {
		t.Errorf("%q kB, error %v, want less than 40 MB", line, err)
	}
	t.Logf("%d kB", kB)
}

// liveNarrow works where the process may not have many addresses.
func liveNarrow(dir string) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 16 << 30, Max: 16 << 30}); err != nil {
		return err
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(work(s, "0-000000"), s.Close())
}

func TestFewAddressesAreEnough(t *testing.T) {
	dir := t.TempDir()
	cmd, _, out := child(t, "narrow", dir)
	said, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if records := audit(t, dir); records != 1 {
		t.Errorf("%d records\n%s", records, said)
	}
}
