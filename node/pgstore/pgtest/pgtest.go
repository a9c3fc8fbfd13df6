// Package pgtest runs a PostgreSQL of one's own for tests: Debian's, in a
// temporary folder, with fsync on, reached over a Unix socket. Where there is
// none a test is skipped with the reason; with CI set it fails.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestStore(t *testing.T) {
//		s, err := pgstore.Open(t.Context(), pgtest.URL(t), pgstore.Options{})
//		…
//	}
package pgtest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// shared is the server that the tests of one binary share.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Main runs the tests and stops the server that they shared.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		shared.server.Remove()
	}
	return code
}

// URL returns the address of an empty store: a schema of its own in the server
// that the tests of this binary share.
func URL(t testing.TB) string {
	t.Helper()
	return Shared(t).Schema(t) + "&connect_timeout=5" // nobody stops it, but it may be busy
}

// Shared returns the server that the tests of this binary share, which nobody
// stops.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start("")
	}
	skip(t, shared.err)
	return shared.server
}

// New returns a server of the test's own, which the test may stop and spoil.
// Its data lie in dir, "" for a temporary folder; lines are added to its
// configuration.
func New(t testing.TB, dir string, lines ...string) *Server {
	t.Helper()
	s, err := start(dir, lines...)
	skip(t, err)
	t.Cleanup(s.Remove)
	return s
}

// skip skips where there is no PostgreSQL.
func skip(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "":
		t.Skipf("there is no PostgreSQL here (apt-get install postgresql): %v", err)
	case err != nil:
		t.Fatal(err)
	}
}

// Server is a PostgreSQL in a folder.
type Server struct {
	dir   string // holds data, the socket and the log
	bin   string
	lines []string
}

// programs returns the folder of initdb and pg_ctl.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

func start(dir string, lines ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, "pgtest-"); err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, lines: lines}
	if os.Geteuid() == 0 { // initdb refuses to run as root
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("chown: %w: %s", err, out)
		}
	}
	err = s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	if err == nil {
		err = s.configure()
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) configure() error {
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\nlisten_addresses = ''\nport = 5432\nunix_socket_directories = '" + s.dir + "'\nfsync = on\nmax_connections = 200\n" +
		"shared_buffers = 64MB\nlog_line_prefix = '%t [%p] '\n" + strings.Join(s.lines, "\n") + "\n")
	return errors.Join(err, f.Close())
}

// run runs a program of PostgreSQL, as the user postgres where we are root.
func (s *Server) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	if os.Geteuid() == 0 {
		cmd = exec.Command("runuser", append([]string{"-u", "postgres", "--", filepath.Join(s.bin, name)}, args...)...)
	}
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// Start starts the server and waits until it answers.
func (s *Server) Start() error {
	return s.run("pg_ctl", "-D", s.data(), "-w", "-t", "60", "-l", filepath.Join(s.dir, "log"), "start")
}

// Stop stops the server; "immediate" is a crash, "fast" ends the connections
// in order.
func (s *Server) Stop(mode string) error {
	return s.run("pg_ctl", "-D", s.data(), "-w", "-t", "60", "-m", mode, "stop")
}

// Socket returns the path of the Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Log returns what the server wrote to its log.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b)
}

// URL returns the address of the database, over the Unix socket.
func (s *Server) URL() string {
	return "postgres://postgres@/postgres?host=" + strings.ReplaceAll(url.QueryEscape(s.dir), "+", "%20") // pgx takes + for itself
}

// Schema makes a schema and returns the address with it in front.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	name := "t" + strings.ReplaceAll(uuid.NewString(), "-", "")
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return s.URL() + "&search_path=" + name
}

// Shell runs a script for the server, as its user: the programs of PostgreSQL are
// on the PATH, and reach the server without being told where it is. It returns
// what the script printed.
func (s *Server) Shell(t testing.TB, script string) string {
	t.Helper()
	args := []string{"env", "PATH=" + s.bin + ":/usr/bin:/bin", "PGHOST=" + s.dir, "PGUSER=postgres", "LC_ALL=C", "sh", "-c", script}
	if os.Geteuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return string(out)
}

// Dir returns the folder of the server: the host in an address, where the server
// is reached over its Unix socket.
func (s *Server) Dir() string { return s.dir }

// Data returns the folder of its data.
func (s *Server) Data() string { return s.data() }

// Copy starts another server, whose data a script makes out of those of this
// one: the script is given the folder that they belong into.
func (s *Server) Copy(t testing.TB, script func(data string) string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	other := &Server{dir: dir, bin: s.bin}
	t.Cleanup(other.Remove)
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v: %s", err, out)
		}
	}
	s.Shell(t, script(other.data()))
	if err := errors.Join(other.configure(), other.Start()); err != nil {
		t.Fatal(err)
	}
	return other
}

// Remove stops the server and removes its folder.
func (s *Server) Remove() {
	_ = s.Stop("immediate") // may be stopped already
	_ = os.RemoveAll(s.dir)
}
