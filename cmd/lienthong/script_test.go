package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lienthong": main})
}

// TestScript runs testdata/script against the program. Beside the usual
// commands a script has
//
//	exits CODE PROGRAM ARG…    run a program, which must end with this code
//	interrupt CODE FILE PROGRAM ARG…
//	                           run a program that reads standard input, feed it FILE
//	                           without end, interrupt it; it must end with this code
//	mkcert NAME [rsa]          make NAME.key, NAME.crt and, as their root, NAME-ca.crt
//	authority NAME             a certification authority with services, see authority_test.go
//	collector NAME             a server at $NAME that takes traces until the script ends, see
//	                           collector_test.go; said NAME waits for a span
//	alter FILE OLD NEW         replace the one occurrence of OLD in FILE
//	mode MODE FILE             fail unless FILE has these permissions, in octal
//	tidy                       fail when the program left temporary files behind
//	start NAME PROGRAM ARG…    run a program in the background until the script ends,
//	                           and wait for its first line, which becomes $NAME
//	                           (without http:// also $NAME_ADDR); "WORD VALUE" in a line
//	                           that comes with it becomes $NAME_WORD
//	halt CODE NAME             interrupt what start started; it must end with this code
//	hup NAME                   have what start started read its configuration anew
//	said NAME PATTERN          wait until it has said something on standard error
//	kill9 NAME                 kill -9 what start started, and wait for its end
//	await PATTERN PROGRAM ARG… run a program again and again until its standard output
//	                           matches
//	field NAME PATTERN         set $NAME to the first group of PATTERN in the last output
//	large FILE                 make the attachment of FILE 1 MiB long
//	ports NAME…                set NAME_PORT to a free port each
//	full PROGRAM ARG…          run a program that may write no file longer than 16 KiB, as
//	                           on a full disk; it must end with code 1
//
// and the conditions [tool:NAME], [examples] (with CI or
// LIENTHONG_EXAMPLES set) and [samples], the vendor's packets at
// $SAMPLES. The clients of docs/examples are at $EXAMPLES. With CI set a tool must be there.
func TestScript(t *testing.T) { testscript.Run(t, scripts(t, "testdata/script", nil)) }

// TestShared runs testdata/shared beside a PostgreSQL, at $PG.
func TestShared(t *testing.T) {
	server := pgtest.New(t, "")
	testscript.Run(t, scripts(t, "testdata/shared", func(e *testscript.Env) {
		e.Setenv("PG", server.Schema(t))
		e.Setenv("PG2", server.Schema(t))
	}))
}

// scripts says how the scripts of a folder are run.
func scripts(t *testing.T, dir string, setup func(*testscript.Env)) testscript.Params {
	samples, err := filepath.Abs("../../../shared/samples")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs("../../docs/examples")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("/tmp"); err == nil && info.IsDir() { // a script's folder holds sockets, whose paths are short
		t.Setenv("GOTMPDIR", "/tmp")
	}
	cache := os.Getenv("GOCACHE")
	if home, err := os.UserCacheDir(); cache == "" && err == nil {
		cache = filepath.Join(home, "go-build")
	}
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "en_US.UTF-8")
			e.Setenv("SAMPLES", samples)
			e.Setenv("EXAMPLES", examples)
			e.Setenv("GOCACHE", cache)
			e.Values[started{}] = map[string]*child{}
			if setup != nil {
				setup(e)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			var err error
			if tool, ok := strings.CutPrefix(cond, "tool:"); ok {
				_, err = exec.LookPath(tool)
			} else if cond == "examples" { // takes a registry and a minute
				_, ci := os.LookupEnv("CI")
				return ci || os.Getenv("LIENTHONG_EXAMPLES") != "", nil
			} else if cond == "samples" { // other people's files, not everywhere beside the checkout
				_, err := os.Stat(samples)
				return err == nil, nil
			} else {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			if _, ci := os.LookupEnv("CI"); ci && err != nil {
				return false, err
			}
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "interrupt": interrupt, "mkcert": mkcert, "authority": authority, "collector": collector, "alter": alter, "tidy": tidy,
			"start": start, "halt": halt, "kill9": kill9, "hup": hup, "said": said, "await": await, "field": field, "ports": ports, "full": full, "large": large, "mode": mode,
		},
	}
}

// usage fails the script when a command is called wrongly.
func usage(ts *testscript.TestScript, neg bool, ok bool, text string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func wantCode(ts *testscript.TestScript, text string, err error) {
	want, bad := strconv.Atoi(text)
	ts.Check(bad)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "exits CODE PROGRAM ARG…")
	wantCode(ts, args[0], ts.Exec(args[1], args[2:]...))
}

// interrupt feeds far more than a pipe holds, so that the program is known to
// be reading when the signal comes.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 3, "interrupt CODE FILE PROGRAM ARG…")
	text := []byte(ts.ReadFile(args[1]))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := inScript(ts, args[2:])
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	in, err := cmd.StdinPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	for fed := 0; fed < 1<<20; fed += len(text) {
		_, err := in.Write(text)
		ts.Check(err)
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	wantCode(ts, args[0], cmd.Wait())
}

// ports finds a free port of the loopback for each name, as NAME_PORT: a server
// that is killed comes back at its address.
func ports(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) > 0, "ports NAME…")
	found, release, err := freePorts(len(args))
	ts.Check(err)
	ts.Defer(release)
	for i, name := range args {
		ts.Setenv(name+"_PORT", found[i])
	}
}

func alter(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "alter FILE OLD NEW")
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%q stands %d times in %s", args[1], n, args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

func tidy(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "tidy")
	for _, pattern := range []string{filepath.Join(ts.Getenv("TMPDIR"), "lienthong-*"), ts.MkAbs(".lienthong-*")} {
		left, err := filepath.Glob(pattern)
		ts.Check(err)
		if len(left) > 0 {
			ts.Fatalf("left behind: %v", left)
		}
	}
}

func mkcert(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1 || len(args) == 2 && args[1] == "rsa", "mkcert NAME [rsa]")
	name := args[0]
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	var key crypto.Signer
	if len(args) == 2 {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	ts.Check(err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root of " + name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(2, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	ts.Check(err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: root.NotBefore, NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), rootKey)
	ts.Check(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for _, f := range []struct {
		file, kind string
		der        []byte
	}{
		{name + ".key", "PRIVATE KEY", keyDER}, {name + ".crt", "CERTIFICATE", leafDER}, {name + "-ca.crt", "CERTIFICATE", rootDER},
	} {
		var b bytes.Buffer
		ts.Check(pem.Encode(&b, &pem.Block{Type: f.kind, Bytes: f.der}))
		ts.Check(os.WriteFile(ts.MkAbs(f.file), b.Bytes(), 0o600))
	}
}

// child is a program that start runs, and what it said.
type child struct {
	cmd  *exec.Cmd
	errs talk
	done chan struct{} // closed when it has ended
	end  error         // of Wait, when it has ended
}

// started is the key of a script's children by name.
type started struct{}

func start(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "start NAME PROGRAM ARG…")
	c := &child{cmd: inScript(ts, args[1:]), done: make(chan struct{})}
	c.cmd.Stderr = &c.errs
	out, err := c.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(c.cmd.Start())
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	for err == nil && lines.Buffered() > 0 { // what was written together came together
		more, _ := lines.ReadString('\n')
		word, value, _ := strings.Cut(strings.TrimSpace(more), " ")
		ts.Setenv(args[0]+"_"+word, value)
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		c.end = c.cmd.Wait()
		close(c.done)
	}()
	ts.Defer(func() {
		_ = c.cmd.Process.Signal(os.Interrupt)
		<-c.done
		ts.Logf("[%s]\n%s", args[0], c.errs.String())
	})
	if err != nil {
		ts.Fatalf("%s said nothing: %v", strings.Join(args[1:], " "), err)
	}
	ts.Value(started{}).(map[string]*child)[args[0]] = c
	_, value, _ := strings.Cut(strings.TrimSpace(line), " ")
	ts.Setenv(args[0], value)
	ts.Setenv(args[0]+"_ADDR", strings.Trim(strings.TrimPrefix(value, "http://"), "/"))
}

func halt(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "halt CODE NAME")
	c := ts.Value(started{}).(map[string]*child)[args[1]]
	if c == nil {
		ts.Fatalf("%s was not started", args[1])
	}
	ts.Check(c.cmd.Process.Signal(os.Interrupt))
	<-c.done
	wantCode(ts, args[0], c.end)
}

// talk is what a child says, which may be read while it goes on.
type talk struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *talk) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *talk) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func hup(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "hup NAME")
	ts.Check(ts.Value(started{}).(map[string]*child)[args[0]].cmd.Process.Signal(syscall.SIGHUP))
}

// longest is how long await and said wait at most, on a machine that has much
// else to do.
const longest = 2 * time.Minute

func said(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "said NAME PATTERN")
	c := ts.Value(started{}).(map[string]*child)[args[0]]
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(longest); time.Now().Before(end); <-tick.C {
		if pattern.MatchString(c.errs.String()) {
			return
		}
	}
	ts.Fatalf("%s did not say %q within %v: %s", args[0], args[1], longest, c.errs.String())
}

// kill9 waits until the system has taken its ports and locks back: what comes
// next may want them.
func kill9(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "kill9 NAME")
	c := ts.Value(started{}).(map[string]*child)[args[0]]
	if c == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	ts.Check(c.cmd.Process.Kill())
	<-c.done
}

// inScript makes a command that runs in the script's folder and environment.
func inScript(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "TMPDIR", "LANG", "HOME"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	if url := ts.Getenv("LIENTHONG_AXIS_URL"); url != "" { // of an axis whose port is known when it runs
		cmd.Env = append(cmd.Env, "LIENTHONG_AXIS_URL="+url)
	}
	return cmd
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "await PATTERN PROGRAM ARG…")
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(longest); time.Now().Before(end); <-tick.C {
		if err := ts.Exec(args[1], args[2:]...); err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("no match for %q within %v", args[0], longest)
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "field NAME PATTERN")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	m := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) < 2 {
		ts.Fatalf("no match for %q", args[1])
	}
	ts.Setenv(args[0], m[1])
}

func full(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 1, "full PROGRAM ARG…")
	// A Go program does not die of SIGXFSZ: its writes fail with EFBIG.
	err := ts.Exec("sh", append([]string{"-c", `ulimit -f 32; exec "$@"`, "sh"}, args...)...)
	wantCode(ts, "1", err)
}

func large(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "large FILE")
	text := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, "bW90LCBoYWkK", strings.Repeat("bW90LCBoYWkK", 1<<20/9), 1)), 0o644))
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "mode MODE FILE")
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}
