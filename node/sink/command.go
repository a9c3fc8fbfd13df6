package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
)

// Command runs a program for each Event: the Event as JSON on standard input,
// exit code 0 for "we have it for good". A Document that is delivered lies in a
// folder, as [Folder] writes it, which is the program's working directory and
// is removed when it ends. It is run at least once, see Event.ID.
type Command struct {
	Path    string
	Args    []string
	Dir     string        // where the folders are made
	Timeout time.Duration // then it is killed; 0: 10 min
}

// maxSaid is how much of a program's output is kept, in octets: the end.
const maxSaid = 2000

// ended is how long a killed program's children may keep its output open.
const ended = 5 * time.Second

// CommandError says how a program failed.
type CommandError struct {
	Path string
	Err  error
	Said string // the end of its output
}

// Error names the program and how it ended.
func (e *CommandError) Error() string { return fmt.Sprintf("sink: %s: %v", e.Path, e.Err) }

// Unwrap returns how it ended.
func (e *CommandError) Unwrap() error { return e.Err }

// Output returns the end of what the program said.
func (e *CommandError) Output() string { return e.Said }

// Deliver writes the Document's folder and runs the program in it.
func (c Command) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) (err error) {
	dir := filepath.Join(c.Dir, t.ID)
	if err := os.RemoveAll(dir); err != nil { // of a crash
		return fmt.Errorf("sink: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := fill(dir, t, open); err != nil {
		return err
	}
	e := event(Deliver, t)
	e.Folder = dir
	return c.run(ctx, e)
}

// Notify runs the program without a folder.
func (c Command) Notify(ctx context.Context, t *node.Transfer) error { return c.run(ctx, about(t)) }

func (c Command) run(ctx context.Context, e Event) error {
	input, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Minute
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it did not end within %s", timeout))
	defer cancel()
	said := &tail{}
	cmd := exec.CommandContext(limited, c.Path, c.Args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = e.Folder, bytes.NewReader(input), said, said, ended
	// what the node knows by its environment is not for others
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LIENTHONG_") })
	if err := cmd.Run(); err != nil {
		if limited.Err() != nil {
			err = context.Cause(limited)
		}
		return &CommandError{Path: c.Path, Err: err, Said: said.String()}
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct{ end []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.end = append(t.end, p[max(0, len(p)-maxSaid):]...)
	t.end = t.end[max(0, len(t.end)-maxSaid):]
	return len(p), nil
}

func (t *tail) String() string { return strings.ToValidUTF8(strings.TrimSpace(string(t.end)), "�") }
