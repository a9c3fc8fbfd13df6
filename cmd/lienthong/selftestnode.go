package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/failpoint"
)

// victim is a node that is killed and started again.
type victim struct {
	exe, role, home string
	client          *api.Client
	keeper          remoteKeeper

	cue     cue
	spared  bool          // it is not to be killed any more
	kill    time.Time     // when it is killed at the latest
	process *exec.Cmd     // nil when none runs
	died    chan struct{} // closed when the process has ended
	mu      sync.Mutex
	said    []string // its last lines on standard error
	log     *os.File // all of them
}

const selftestConfig = `organ = %q
store = "bolt:./data"
[axis]
url = %q
token_file = "token.txt"
poll = "30ms"
[sign]
key = "key.pem"
cert = "cert.pem"
[verify]
roots = "../ca.pem"
policy = "require"
[sink]
folder = "./incoming"
[retry]
first = "20ms"
max = "200ms"
[breaker]
first = "20ms"
max = "100ms"
[api]
listen = "off"
[log]
level = "warn"
`

// newVictim makes the home of a node.
func newVictim(exe, role, home, organ, url string, ca *testCA) (*victim, error) {
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	key, cert, err := ca.issue(organ, organName(organ))
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		"key.pem": key, "cert.pem": cert, "token.txt": []byte("test-" + organ + "\n"), "lienthong.toml": fmt.Appendf(nil, selftestConfig, organ, url),
	} {
		if err := os.WriteFile(filepath.Join(home, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(filepath.Join(home, "node.log"))
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(home, "data", "node.sock")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &victim{
		exe: exe, role: role, home: home, log: log, client: api.Dial(socket),
		keeper: remoteKeeper{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}},
	}, nil
}

func (v *victim) config() string { return filepath.Join(v.home, "lienthong.toml") }

// start starts the node with a point armed, and waits until its door is open,
// or it is dead already.
func (v *victim) start(armed string) error {
	cmd := exec.Command(v.exe, "node", "--config", v.config())
	cmd.Env = append(os.Environ(), failpoint.Variable+"="+armed)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	v.mu.Lock()
	v.said = nil
	v.mu.Unlock()
	v.process, v.died = cmd, make(chan struct{})
	open := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(open)
		lines := bufio.NewReader(out)
		_, _ = lines.ReadString('\n') // its door, or its end
		go func() { _, _ = io.Copy(io.Discard, lines) }()
	})
	reading.Go(func() {
		for lines := bufio.NewReader(errs); ; {
			line, err := lines.ReadString('\n')
			if line != "" {
				v.hear(strings.TrimSuffix(line, "\n"))
			}
			if err != nil {
				return
			}
		}
	})
	go func(died chan struct{}) {
		reading.Wait()
		_ = cmd.Wait() // how it ended is seen in its state
		close(died)
	}(v.died)
	<-open
	return nil
}

const keptLines = 20

func (v *victim) hear(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fmt.Fprintln(v.log, line)
	if v.said = append(v.said, line); len(v.said) > keptLines {
		v.said = v.said[1:]
	}
}

// alive reports whether the process runs.
func (v *victim) alive() bool {
	if v.process == nil {
		return false
	}
	select {
	case <-v.died:
		return false
	default:
		return true
	}
}

// errDiedByItself says that a node ended without having been killed.
var errDiedByItself = errors.New("the node ended by itself")

// bury takes note of a dead process and returns the point that it died at, ""
// when it was killed from outside.
func (v *victim) bury(killed bool) (failpoint.Point, error) {
	<-v.died
	state := v.process.ProcessState
	v.process = nil
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range failpoint.All() {
		if slices.Contains(v.said, p.Said()) { // other goroutines may say something yet
			return p, nil
		}
	}
	if killed {
		return "", nil
	}
	return "", fmt.Errorf("%w: %s, %s: %s", errDiedByItself, v.role, state, strings.Join(v.said, "\n"))
}

// stop ends the process as an administrator would.
func (v *victim) stop() error {
	if !v.alive() {
		return nil
	}
	if err := v.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-v.died:
	case <-time.After(2 * shutdown):
		_ = v.process.Process.Kill()
		<-v.died
		return fmt.Errorf("%s did not stop when it was told to", v.role)
	}
	state := v.process.ProcessState
	v.process = nil
	if !state.Success() {
		return fmt.Errorf("%s did not stop well: %s: %s", v.role, state, strings.Join(v.said, "\n"))
	}
	return nil
}

// end ends the process however it stands.
func (v *victim) end() {
	if v.alive() {
		_ = v.process.Process.Kill() // it may have ended meanwhile
		<-v.died
	}
	v.process = nil
}

// run runs a command of the program on the node's files and returns its
// standard output, and whether it was killed at the armed point.
func (v *victim) run(ctx context.Context, armed string, args ...string) (out []byte, killed bool, err error) {
	cmd := exec.CommandContext(ctx, v.exe, append(args, "--config", v.config())...)
	cmd.Env = append(os.Environ(), failpoint.Variable+"="+armed)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err = cmd.Output()
	point, _, _ := strings.Cut(armed, ":")
	if err != nil && point != "" && strings.Contains(errs.String(), failpoint.Point(point).Said()+"\n") {
		return nil, true, nil
	}
	if err != nil {
		err = fmt.Errorf("%s: lienthong %s: %w: %s", v.role, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out, false, err
}
