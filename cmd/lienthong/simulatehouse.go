package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/hub"
)

// role is what a station is in the country.
type role string

// The roles, from the middle outwards.
const (
	atCentre   role = "central"
	atProvince role = "province"
	atLeaf     role = "leaf"
)

// simulatePoll is how often stations look at the hub above them.
const simulatePoll = 500 * time.Millisecond

// simulateWorkers is how many calls a station makes to the hub above it at a
// time. They share commits: with the default of 4 the disk decides.
const simulateWorkers = 16

// station is one binary of the simulation, with its folder.
type station struct {
	Role  role
	Organ string
	Name  string
	Wire  hub.Wire // to the hub above it

	dir    string
	above  *station
	port   string // of a hub
	door   *api.Client
	upkeep remoteKeeper

	mu    sync.Mutex
	runs  *process
	ended consumption // of its processes that are gone
	kills int
}

// process is a binary that runs.
type process struct {
	*exec.Cmd
	done chan struct{} // closed when it has ended
}

// country is a central hub, provincial hubs and leaves, each a process.
type country struct {
	dir      string
	exe      string
	stations []*station // central, provinces, leaves
	release  func()     // of the hubs' ports
}

// provinces are the hubs below the centre. One of them speaks VXP with it, as
// with the national axis of today.
var provinces = []struct {
	organ  string
	wire   hub.Wire
	leaves []string
}{
	{"H41", hub.VXP, []string{"Sở Y tế", "Sở Nội vụ", "Sở Tài chính"}},
	{"H49", hub.EDoc, []string{"Sở Y tế", "Sở Nội vụ", "Sở Tài chính"}},
	{"H26", hub.EDoc, []string{"Sở Y tế", "Sở Nội vụ"}},
}

// newCountry lays out the stations in a folder.
func newCountry(dir, exe string) *country {
	c := &country{dir: dir, exe: exe}
	centre := c.add(atCentre, "G22", organName("G22"), "", nil)
	var hubs []*station
	for _, p := range provinces {
		hubs = append(hubs, c.add(atProvince, p.organ, organName(p.organ), p.wire, centre))
	}
	for i, p := range provinces {
		for n, name := range p.leaves {
			c.add(atLeaf, fmt.Sprintf("%s.%d", p.organ, n+1), name+", "+organName(p.organ), hub.EDoc, hubs[i])
		}
	}
	return c
}

func (c *country) add(r role, organ, name string, wire hub.Wire, above *station) *station {
	s := &station{Role: r, Organ: organ, Name: name, Wire: wire, above: above, dir: filepath.Join(c.dir, organ)}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", s.socket())
	}
	s.door = api.Dial(s.socket())
	s.upkeep = remoteKeeper{&http.Client{Transport: &http.Transport{DialContext: dial}}}
	c.stations = append(c.stations, s)
	return s
}

func (s *station) socket() string { return filepath.Join(s.dir, "store", "node.sock") }
func (s *station) config() string { return filepath.Join(s.dir, "lienthong.toml") }

// of returns the stations of a role.
func (c *country) of(r role) []*station {
	return slices.DeleteFunc(slices.Clone(c.stations), func(s *station) bool { return s.Role != r })
}

// prepare writes keys, configurations and credentials.
func (c *country) prepare(ctx context.Context) error {
	ca, err := newTestCA()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, "ca.pem"), ca.pem, 0o644); err != nil {
		return err
	}
	if err := c.choosePorts(); err != nil {
		return err
	}
	for _, s := range c.stations { // from the middle outwards: each gets its credential from the one above
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return err
		}
		if s.Role == atLeaf {
			key, cert, err := ca.issue(s.Organ, s.Name)
			if err != nil {
				return err
			}
			if err := errors.Join(s.write("key.pem", key), s.write("cert.pem", cert)); err != nil {
				return err
			}
		}
		if err := s.write("lienthong.toml", s.toml()); err != nil {
			return err
		}
		if s.Role != atLeaf {
			if err := c.host(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s.Organ, err)
			}
		}
	}
	return nil
}

func (s *station) write(name string, content []byte) error {
	return os.WriteFile(filepath.Join(s.dir, name), content, 0o600)
}

// choosePorts gives each hub a port of the loopback: one that is killed comes
// back at its address.
func (c *country) choosePorts() error {
	var hubs []*station
	for _, s := range c.stations {
		if s.Role != atLeaf {
			hubs = append(hubs, s)
		}
	}
	ports, release, err := freePorts(len(hubs))
	if err != nil {
		return err
	}
	c.release = release
	for i, s := range hubs {
		s.port = ports[i]
	}
	return nil
}

// toml is the configuration of a station.
func (s *station) toml() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "organ = %q\norgan_name = %q\nstore = \"bolt:./store\"\n[api]\nlisten = %q\n", s.Organ, s.Name, off)
	if s.above != nil {
		credential := "token_file"
		if s.Wire == hub.VXP {
			credential = "secret_file"
		}
		fmt.Fprintf(&b, "[axis]\nurl = \"http://127.0.0.1:%s/\"\nwire = %q\n%s = \"credential\"\npoll = %q\nworkers = %d\n", s.above.port, string(s.Wire), credential, simulatePoll, simulateWorkers)
	}
	if s.Role == atLeaf {
		b.WriteString("[sign]\nkey = \"key.pem\"\ncert = \"cert.pem\"\n[verify]\nroots = \"../ca.pem\"\n")
	} else { // agencies call as fast as they can
		fmt.Fprintf(&b, "[hub]\nlisten = \"127.0.0.1:%s\"\nkey_file = \"secrets.key\"\nrate = 1e6\nburst = 1000000\n", s.port)
	}
	b.WriteString("[retry]\nfirst = \"200ms\"\nmax = \"2s\"\n[breaker]\nfirst = \"200ms\"\nmax = \"1s\"\n")
	return b.Bytes()
}

// host enters the stations below a hub as its agencies and hands each its
// credential, before the hub runs.
func (c *country) host(ctx context.Context, s *station) (err error) {
	cfg, err := readConfig(s.config())
	if err != nil {
		return err
	}
	n, err := cfg.open(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Store.Close()) }()
	h, err := cfg.hub(n)
	if err != nil {
		return err
	}
	for _, below := range c.stations {
		if below.above != s {
			continue
		}
		agency := hub.Agency{Organ: edxml.Organ{OrganID: below.Organ, OrganName: below.Name}}
		for _, x := range c.stations {
			if x.above == below {
				agency.Speaks = append(agency.Speaks, x.Organ)
			}
		}
		if _, err := answerAgency(ctx, h, agencyQuestion{Verb: "add", All: []hub.Agency{agency}}); err != nil {
			return err
		}
		verb := "token"
		if below.Wire == hub.VXP {
			verb = "secret"
		}
		a, err := answerAgency(ctx, h, agencyQuestion{Verb: verb, ID: below.Organ, Note: "simulate"})
		if err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(below.dir, 0o700), below.write("credential", []byte(a.Secret+"\n"))); err != nil {
			return err
		}
	}
	return nil
}

// start starts every station, the centre first.
func (c *country) start() error {
	for _, s := range c.stations {
		if err := s.start(c.exe); err != nil {
			return err
		}
	}
	return nil
}

// start runs the station's process until it says that it is ready.
func (s *station) start(exe string) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(exe, "node", "--config", s.config())
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LIENTHONG_") }) // they are about the caller's node
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		_ = cmd.Wait()
		said, _ := readSmall(filepath.Join(s.dir, "log"))
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return fmt.Errorf("%s did not start: %s", s.Organ, clean(lines[len(lines)-1]))
	}
	run := &process{cmd, make(chan struct{})}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // how it ended is in its log
		close(run.done)
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = run
	return nil
}

// kill ends the station's process as a power cut would, and starts it again.
func (s *station) kill(exe string) error {
	s.mu.Lock()
	run := s.runs
	if u, err := usageOf(run.Process.Pid); err == nil {
		s.ended = s.ended.plus(u)
	}
	s.runs = nil
	s.kills++
	s.mu.Unlock()
	if err := run.Process.Kill(); err != nil {
		return err
	}
	<-run.done
	return s.start(exe)
}

// stop stops the stations, the leaves first, and kills what does not end.
func (c *country) stop() {
	if c.release != nil {
		defer c.release()
	}
	for _, s := range slices.Backward(c.stations) {
		if s.runs != nil {
			_ = s.runs.Process.Signal(syscall.SIGTERM)
		}
	}
	late, cancel := context.WithTimeout(context.Background(), shutdown+5*time.Second)
	defer cancel()
	for _, s := range c.stations {
		if s.runs == nil {
			continue
		}
		select {
		case <-s.runs.done:
		case <-late.Done():
			_ = s.runs.Process.Kill()
			<-s.runs.done
		}
	}
}

// fallen returns a station whose process has ended by itself, nil if all run.
func (c *country) fallen() *station {
	for _, s := range c.stations {
		s.mu.Lock()
		run := s.runs
		s.mu.Unlock()
		if run == nil {
			continue // it is just killed
		}
		select {
		case <-run.done:
			s.mu.Lock()
			same := s.runs == run
			s.mu.Unlock()
			if same {
				return s
			}
		default:
		}
	}
	return nil
}

// used is what a station has used so far, its processes together.
func (s *station) used() consumption {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil {
		return s.ended
	}
	u, err := usageOf(s.runs.Process.Pid)
	if err != nil {
		return s.ended
	}
	return s.ended.plus(u)
}
