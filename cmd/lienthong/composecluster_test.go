package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

// yard is where the profile "cluster" of compose.yaml runs on this machine
// instead of in containers. Only names of hosts, ports and folders are others.
type yard struct {
	t    *testing.T
	c    composed
	dir  string // with a copy of dist/compose
	here map[string]string
}

// move puts what is in a container to where it is on this machine.
func (y *yard) move(s string) string {
	from := make([]string, 0, len(y.here))
	for f := range y.here {
		from = append(from, f)
	}
	slices.SortFunc(from, func(a, b string) int { return len(b) - len(a) })
	for _, f := range from {
		s = strings.ReplaceAll(s, f, y.here[f])
	}
	return s
}

// service makes a service: its command, its files, its environment and its
// secrets, as compose.yaml has them.
func (y *yard) service(name string, at map[string]string) *exec.Cmd {
	y.t.Helper()
	own := &yard{t: y.t, here: map[string]string{"/var/lib/lienthong": filepath.Join(y.dir, name)}}
	for from, to := range y.here {
		own.here[from] = to
	}
	for from, to := range at {
		own.here[from] = to
	}
	s := y.c.Services[name]
	for _, n := range s.Secrets {
		var long struct{ Source, Target string }
		if n.Kind == yaml.ScalarNode {
			long.Source, long.Target = n.Value, n.Value
		} else if err := n.Decode(&long); err != nil {
			y.t.Fatal(err)
		}
		own.here["/run/secrets/"+long.Target] = filepath.Join(y.dir, strings.TrimPrefix(y.c.Secrets[long.Source].File, "./"))
	}
	for _, v := range s.Volumes {
		parts := strings.Split(v, ":")
		if !strings.HasPrefix(parts[0], "./") {
			continue
		}
		text, err := os.ReadFile(filepath.Join("dist", parts[0]))
		if err != nil {
			y.t.Fatal(err)
		}
		to := filepath.Join(y.dir, name+"-"+filepath.Base(parts[1]))
		if err := os.WriteFile(to, []byte(own.move(string(text))), 0o600); err != nil {
			y.t.Fatal(err)
		}
		own.here[parts[1]] = to
	}
	cmd := exec.CommandContext(y.t.Context(), "lienthong")
	for _, a := range s.Command {
		cmd.Args = append(cmd.Args, own.move(a))
	}
	cmd.Env = os.Environ()
	for k, v := range s.Environment {
		cmd.Env = append(cmd.Env, k+"="+own.move(v))
	}
	return cmd
}

// run runs the program for a service and returns what it printed.
func (y *yard) run(env []string, args ...string) string {
	y.t.Helper()
	cmd := exec.CommandContext(y.t.Context(), "lienthong", args...)
	cmd.Env = env
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		y.t.Fatalf("%q: %v\n%s", args, err, said.String())
	}
	return string(out)
}

// engine stands in the place of docker: up tells the test and waits until it has
// started what is asked for, exec runs the program beside the hub.
const engine = `#!/bin/sh
set -eu
[ "$1 $2 $3 $4 $5" = "compose -f ../compose.yaml --profile cluster" ] || { echo "docker $*" >&2; exit 2; }
shift 5
verb=$1
shift
case $verb in
up)
	echo "$*" >"$YARD/asked.new"
	mv "$YARD/asked.new" "$YARD/asked"
	until [ ! -e "$YARD/asked" ]; do sleep 0.05; done ;;
exec)
	[ "$1 $3" = "-T /usr/bin/lienthong" ] || exit 2
	service=$2
	shift 3
	for a; do
		shift
		set -- "$@" "$(echo "$a" | sed "s,^/etc/lienthong/,$YARD/$service-,")"
	done
	exec lienthong "$@" ;;
*) exit 2 ;;
esac
`

// TestComposeCluster runs compose/cluster.sh and what the profile "cluster" then
// is: PostgreSQL, two hubs behind the load balancer, four leaves, with the very
// files. A document goes from a leaf to the three others; so does another one
// while a hub is dead.
func TestComposeCluster(t *testing.T) {
	server := pgtest.New(t, "")
	y := &yard{t: t, dir: t.TempDir()}
	readYAML(t, "dist/compose.yaml", &y.c)
	if err := os.CopyFS(filepath.Join(y.dir, "compose"), os.DirFS("dist/compose")); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(y.dir, "bin")
	if err := errors.Join(os.Mkdir(bin, 0o700), os.WriteFile(filepath.Join(bin, "docker"), []byte(engine), 0o700)); err != nil {
		t.Fatal(err)
	}
	ports := moved(t, "hub-1:8443", "hub-2:8443", "balancer:8443")
	y.here = map[string]string{
		"postgres://lienthong@db:5432/lienthong": server.Schema(t),
		"hub-1:8443":                             ports["hub-1:8443"], "hub-2:8443": ports["hub-2:8443"], "balancer:8443": ports["balancer:8443"],
	}

	script := exec.CommandContext(t.Context(), "sh", filepath.Join(y.dir, "compose", "cluster.sh"))
	script.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "YARD="+y.dir)
	var said talk
	script.Stdout, script.Stderr = &said, &said
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- script.Wait() }()

	y.asked("hub-1 hub-2 balancer", ended, &said)
	hubs := map[string]*exec.Cmd{}
	for _, name := range []string{"hub-1", "hub-2"} {
		hubs[name] = y.service(name, map[string]string{"0.0.0.0:8443": ports[name+":8443"]})
		background(t, hubs[name])
	}
	y.balancer(ports)
	y.ready()
	y.asked("leaf-1 leaf-2 leaf-3 leaf-4", ended, &said)
	leaves := []string{"leaf-1", "leaf-2", "leaf-3", "leaf-4"}
	env := map[string][]string{}
	for _, name := range leaves {
		cmd := y.service(name, map[string]string{"0.0.0.0:8071": "127.0.0.1:0", `poll = "5s"`: `poll = "200ms"`})
		// a test is in more of a hurry than an office
		cmd.Env = append(cmd.Env, "LIENTHONG_RETRY_FIRST=100ms", "LIENTHONG_RETRY_MAX=500ms", "LIENTHONG_BREAKER_FIRST=200ms", "LIENTHONG_BREAKER_MAX=500ms")
		env[name] = cmd.Env
		background(t, cmd)
	}
	y.ready()
	if err := <-ended; err != nil {
		t.Fatalf("cluster.sh: %v\n%s", err, said.String())
	}
	if !strings.Contains(said.String(), "4 lines: 4 added") {
		t.Errorf("cluster.sh said %s", said.String())
	}

	y.mail("1", leaves, env)
	if err := hubs["hub-1"].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	y.mail("2", leaves, env)
}

// asked waits until the script asks for services.
func (y *yard) asked(services string, ended <-chan error, said *talk) {
	y.t.Helper()
	file := filepath.Join(y.dir, "asked")
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		text, err := os.ReadFile(file)
		if err == nil {
			if !strings.HasSuffix(strings.TrimSpace(string(text)), services) {
				y.t.Fatalf("up %s, want %s", text, services)
			}
			tick.Stop()
			return
		}
		select {
		case err := <-ended:
			y.t.Fatalf("cluster.sh: %v\n%s", err, said.String())
		case <-patience.C:
			y.t.Fatalf("cluster.sh does not ask for %s\n%s", services, said.String())
		case <-tick.C:
			if !errors.Is(err, fs.ErrNotExist) {
				y.t.Fatal(err)
			}
		}
	}
}

// ready lets the script go on.
func (y *yard) ready() {
	y.t.Helper()
	if err := os.Remove(filepath.Join(y.dir, "asked")); err != nil {
		y.t.Fatal(err)
	}
}

// balancer runs haproxy with the file of the profile. Where there is none, a
// relay in its place reads who is behind it from that file.
func (y *yard) balancer(ports map[string]string) {
	y.t.Helper()
	text, err := os.ReadFile("dist/compose/cluster/haproxy.cfg")
	if err != nil {
		y.t.Fatal(err)
	}
	own := &yard{here: map[string]string{"0.0.0.0:8443": ports["balancer:8443"]}}
	for from, to := range y.here {
		own.here[from] = to
	}
	config := own.move(string(text))
	if _, err := exec.LookPath("haproxy"); err != nil {
		y.t.Log("no haproxy here: a relay stands in its place")
		y.relay(ports["balancer:8443"], config)
		return
	}
	file := filepath.Join(y.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		y.t.Fatal(err)
	}
	cmd := exec.CommandContext(y.t.Context(), "haproxy", "-db", "-f", file)
	var said talk
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		y.t.Fatal(err)
	}
	y.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if y.t.Failed() {
			y.t.Logf("haproxy: %s", said.String())
		}
	})
}

// relay hands each connection to the next server that answers.
func (y *yard) relay(at, config string) {
	y.t.Helper()
	var servers []string
	for _, m := range regexp.MustCompile(`(?m)^\s*server \S+ (\S+)`).FindAllStringSubmatch(config, -1) {
		servers = append(servers, m[1])
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		y.t.Fatal(err)
	}
	var open sync.WaitGroup
	y.t.Cleanup(func() { l.Close(); open.Wait() })
	go func() {
		for n := 0; ; n++ {
			from, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer from.Close()
				for i := range servers {
					to, err := net.Dial("tcp", servers[(n+i)%len(servers)])
					if err != nil {
						continue
					}
					defer to.Close()
					stop := make(chan struct{})
					go func() { defer close(stop); _, _ = io.Copy(to, from); to.Close() }()
					_, _ = io.Copy(from, to)
					from.Close()
					<-stop
					return
				}
			})
		}
	}()
}

// mail sends a document from the first leaf to all others, and waits for it
// there and for the statuses here.
func (y *yard) mail(number string, leaves []string, env map[string][]string) {
	t := y.t
	t.Helper()
	config := func(leaf string) string { return filepath.Join(y.dir, leaf+"-leaf.toml") }
	packet := filepath.Join(y.dir, number+".edxml")
	header := filepath.Join(y.dir, number+".toml")
	text := fmt.Sprintf("kind = \"document\"\nsubject = \"Về việc %[1]s\"\n[from]\norganId = \"H41.1\"\norganName = \"Sở Y tế\"\n", number)
	for i := 2; i <= 4; i++ {
		text += fmt.Sprintf("[[to]]\norganId = \"H41.%d\"\norganName = \"Sở %[1]d\"\n", i)
	}
	text += fmt.Sprintf("[code]\ncodeNumber = %q\ncodeNotation = \"SYT-VP\"\n[promulgationInfo]\nplace = \"Vinh\"\npromulgationDate = \"2026/03/02\"\n[documentType]\ntype = 1\ntypeName = \"Công văn\"\n[signerInfo]\nposition = \"Giám đốc\"\nfullName = \"Lê Văn Mẫu\"\n[otherInfo]\npriority = 0\n", number)
	file := filepath.Join(y.dir, "công văn.pdf")
	if err := errors.Join(os.WriteFile(header, []byte(text), 0o600), os.WriteFile(file, []byte("%PDF-1.7 "+number), 0o600)); err != nil {
		t.Fatal(err)
	}
	y.run(os.Environ(), "build", "--from", header, "--attach", file, "-o", packet)
	id := strings.TrimSpace(y.run(env["leaf-1"], "submit", "--config", config("leaf-1"), packet))
	y.until("document "+number+" at its three receivers, and the statuses back", func() (string, bool) {
		out := y.run(env["leaf-1"], "outbox", "show", "--json", "--config", config("leaf-1"), id)
		var x struct{ Receivers []struct{ Code string } }
		if err := json.Unmarshal([]byte(out), &x); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		waits := slices.ContainsFunc(x.Receivers, func(r struct{ Code string }) bool { return r.Code != "01" })
		return out, len(x.Receivers) == 3 && !waits
	})
	for _, leaf := range leaves[1:] {
		var got []struct{ State, Subject string }
		out := y.run(env[leaf], "inbox", "list", "--json", "--config", config(leaf))
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !slices.ContainsFunc(got, func(x struct{ State, Subject string }) bool { return x.Subject == "Về việc "+number }) {
			t.Errorf("%s has %s", leaf, out)
		}
	}
}

// until waits for something.
func (y *yard) until(what string, ok func() (string, bool)) {
	y.t.Helper()
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		out, done := ok()
		if done {
			return
		}
		select {
		case <-patience.C:
			y.t.Fatalf("not in time: %s\n%s", what, out)
		case <-tick.C:
		}
	}
}
