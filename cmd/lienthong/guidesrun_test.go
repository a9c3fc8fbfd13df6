package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestGuides does what the guides say. In a block "console" each line after $ is
// a command, the lines behind it what the program says, where … stands for
// anything; nothing there means anything. README.md is followed as well. A command that ends in & goes on in
// the background; "echo $?" shows the exit code of the command before, which
// else must be 0. A block "toml NAME" (or json, csv) is that file. In comments,
// <!-- run: COMMAND --> does what readers need not see. Addresses of the loopback
// get free ports. Blocks of other kinds are not run. A guide finds key.pem and
// cert.pem of G22, their roots.pem, and congvan.pdf.
func TestGuides(t *testing.T) {
	for lang, files := range guides(t) {
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				newWalk(t, lang, string(text)).run(string(text))
			})
		}
	}
	t.Run("README.md", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("../../README.md")
		if err != nil {
			t.Fatal(err)
		}
		w := newWalk(t, "en", string(text))
		w.real = true
		w.run(string(text))
	})
}

// walk is one guide as somebody follows it.
type walk struct {
	*testing.T
	dir   string
	state string   // file with the exported variables
	env   []string // of every command
	ports map[string]string
	real  bool // it shows what was said once: numbers and ids are others
	code  int  // of the last command
	tried string
}

var loopback = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}\b`)

func newWalk(t *testing.T, lang, text string) *walk {
	t.Helper()
	w := &walk{T: t, dir: t.TempDir(), state: filepath.Join(t.TempDir(), "env")}
	w.ports = moved(t, loopback.FindAllString(text, -1)...)
	w.env = append(os.Environ(), "LIENTHONG_LANG="+lang, "TMPDIR="+t.TempDir())
	ca, err := newTestCA()
	if err != nil {
		t.Fatal(err)
	}
	key, cert, err := ca.issue("G22", "Văn phòng Chính phủ")
	if err != nil {
		t.Fatal(err)
	}
	// A program in a guide is built with what is here.
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	exe, err := exec.LookPath("lienthong")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, filepath.Join(w.dir, "lienthong")); err != nil {
		t.Fatal(err)
	}
	const module = "github.com/lienthong/lienthong"
	own := strings.Replace(string(mod), "module "+module, "module guide", 1) + "\nrequire " + module + " v0.0.0\nreplace " + module + " => " + strconv.Quote(root) + "\n"
	for file, text := range map[string][]byte{
		filepath.Join(w.dir, "go.mod"): []byte(own), filepath.Join(w.dir, "go.sum"): sum,
		w.state: nil, filepath.Join(w.dir, "key.pem"): key, filepath.Join(w.dir, "cert.pem"): cert, filepath.Join(w.dir, "roots.pem"): ca.pem,
		filepath.Join(w.dir, "congvan.pdf"): testPDF(time.Now()),
	} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// move puts addresses where they are in this run.
func (w *walk) move(s string) string {
	return loopback.ReplaceAllStringFunc(s, func(a string) string { return w.ports[a] })
}

var hidden = regexp.MustCompile(`^<!-- run: (.*) -->$`)

// run follows the guide from its first line to its last.
func (w *walk) run(text string) {
	var open *block
	for i, line := range strings.Split(text, "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch m := hidden.FindStringSubmatch(line); {
		case m != nil:
			w.command(i+1, m[1], nil)
		case fence && open == nil:
			open = &block{info: info, line: i + 1}
		case fence:
			w.block(*open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		}
	}
}

func (w *walk) block(b block) {
	kind, name, _ := strings.Cut(b.info, " ")
	switch {
	case kind == "console":
		lines := joined(b.lines)
		for i := 0; i < len(lines); {
			command, ok := strings.CutPrefix(lines[i], "$ ")
			if !ok {
				w.Fatalf("line %d: %q is no command", b.line+1+i, lines[i])
			}
			at := b.line + 1 + i
			var said []string
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "$ "); i++ {
				said = append(said, lines[i])
			}
			w.command(at, command, said)
		}
	case name != "":
		file := filepath.Join(w.dir, name)
		if err := os.WriteFile(file, []byte(w.move(strings.Join(b.lines, "\n"))+"\n"), 0o600); err != nil {
			w.Fatal(err)
		}
	}
}

// reads are commands that may be asked again until what they tell has happened.
var reads = regexp.MustCompile(`^((\./)?lienthong (outbox|inbox) (list|show|why)|(\./)?lienthong (stats|agency (mailbox|report))|ls |cat |curl -sf? )`)

// command runs one command and compares what it says.
func (w *walk) command(line int, command string, said []string) {
	w.Helper()
	command = strings.TrimSpace(command)
	if i := strings.Index(command, "   #"); i > 0 { // what it is for
		command = strings.TrimSpace(command[:i])
	}
	want := expected(w.move(strings.TrimSpace(strings.Join(said, "\n"))), w.real)
	if command == "echo $?" {
		if got := strconv.Itoa(w.code); !want.MatchString(got) {
			w.Errorf("line %d: %s\nended with %s", line, w.tried, got)
		}
		w.code = 0
		return
	}
	if w.code != 0 {
		w.Fatalf("before line %d: %s\nended with %d, and nothing says so", line, w.tried, w.code)
	}
	w.tried = command
	if begin, ok := strings.CutSuffix(command, " &"); ok {
		w.start(line, begin, said, want)
		return
	}
	deadline := time.Now().Add(2 * time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		out, code := w.shell(command)
		if len(said) == 0 || want.MatchString(strings.TrimSpace(out)) {
			w.code = code
			if testing.Verbose() {
				w.Logf("$ %s\n%s", command, out)
			}
			return
		}
		if !reads.MatchString(command) || time.Now().After(deadline) {
			w.Fatalf("line %d: %s\nsays (exit code %d)\n%s\nthe guide has\n%s", line, command, code, out, strings.Join(said, "\n"))
		}
		<-tick.C
	}
}

// shell runs a command with the variables that were exported before.
func (w *walk) shell(command string) (string, int) {
	ctx, cancel := context.WithTimeout(w.Context(), 5*time.Minute) // a program may have to be built
	defer cancel()
	script := fmt.Sprintf(". '%[1]s'\n%[2]s\nret=$?\nexport -p >'%[1]s'\nexit $ret", w.state, w.move(command))
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env, cmd.WaitDelay = w.dir, w.env, 10*time.Second // what it started may hold its output
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return string(out), exit.ExitCode()
	case err != nil:
		w.Fatal(err)
	}
	return string(out), 0
}

// start runs a command in the background until the test ends.
func (w *walk) start(line int, command string, said []string, want *regexp.Regexp) {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), "bash", "-c", fmt.Sprintf(". '%s'\nexec %s", w.state, w.move(command)))
	cmd.Dir, cmd.Env = w.dir, w.env
	var out talk
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	w.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); ; <-tick.C {
		got := strings.TrimSpace(out.String())
		if len(said) == 0 && got != "" || len(said) > 0 && want.MatchString(got) {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			w.Fatalf("line %d: %s\nended with %v:\n%s", line, command, err, got)
		default:
		}
		if time.Now().After(deadline) {
			w.Fatalf("line %d: %s\nsays\n%s\nthe guide has\n%s", line, command, got, strings.Join(said, "\n"))
		}
	}
}

// columns are apart as far as what stands in them asks for.
var columns = regexp.MustCompile(` {2,}`)

// numbers are what differs from run to run: times, ports, identifiers.
var numbers = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)

// expected makes an expression of what a guide shows: … stands for anything in a
// line, and in a line of its own for any lines.
func expected(said string, anyNumber bool) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i, line := range strings.Split(said, "\n") {
		if line == "…" {
			b.WriteString(`(\n?.*)`)
			continue
		}
		if i > 0 {
			b.WriteString(`\n`)
		}
		parts := strings.Split(strings.TrimRight(line, " "), "…")
		for j, p := range parts {
			if j > 0 {
				b.WriteString(`[^\n]*`)
			}
			p = columns.ReplaceAllString(regexp.QuoteMeta(p), ` +`)
			if anyNumber {
				p = numbers.ReplaceAllString(p, `[0-9a-f]+`)
			}
			b.WriteString(p)
		}
		b.WriteString(`[ \t]*`)
	}
	b.WriteString(`$`)
	return regexp.MustCompile(b.String())
}
