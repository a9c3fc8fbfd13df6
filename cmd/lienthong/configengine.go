package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/transport"
)

// sinkConfig says where incoming documents are handed over: one of folder,
// command and webhook, or none.
type sinkConfig struct {
	Folder        string   `toml:"folder"`
	Command       []string `toml:"command"` // the program and its arguments
	Webhook       string   `toml:"webhook"`
	WebhookSecret string   `toml:"webhook_secret_file"`
	Timeout       duration `toml:"timeout"`       // of a command or a post
	InsecureHTTP  bool     `toml:"insecure_http"` // lets documents travel in clear
}

// engineConfig is how the node deals with trouble.
type engineConfig struct {
	Breaker struct {
		Faults int      `toml:"faults"`
		First  duration `toml:"first"`
		Max    duration `toml:"max"`
	} `toml:"breaker"`
	Intake struct {
		Slow size `toml:"slow"`
		Stop size `toml:"stop"`
	} `toml:"intake"`
}

// size is a number of octets written as "256MiB" or "1GiB".
type size int64

// UnmarshalText reads the text form.
func (s *size) UnmarshalText(text []byte) error {
	number, unit := string(text), int64(1)
	for suffix, octets := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, octets
			break
		}
	}
	v, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || v <= 0 || v > (1<<62)/unit {
		return fmt.Errorf("%q is no size; write it like 256MiB or 1GiB", text)
	}
	*s = size(v * unit)
	return nil
}

// engine fills in how the node deals with trouble.
func (c *config) engine(nc *node.Config) error {
	nc.Workers = c.Axis.Workers
	nc.Breaker = node.Breaker{Faults: c.Breaker.Faults, First: time.Duration(c.Breaker.First), Max: time.Duration(c.Breaker.Max)}
	nc.Recalls = node.RecallPolicy(c.Verify.Recalls)
	nc.Senders = c.Verify.Senders
	nc.Clock = &transport.Clock{}
	dir, err := c.folder()
	if err != nil {
		return err
	}
	nc.Intake = node.Watermarks{Slow: int64(c.Intake.Slow), Stop: int64(c.Intake.Stop), Free: freeSpace(dir)}
	nc.Sink, err = c.sink()
	return err
}

// sink makes the place where documents are handed over, nil when there is none.
func (c *config) sink() (node.Sink, error) {
	s := c.Sink
	chosen := 0
	for _, is := range []bool{s.Folder != "", len(s.Command) > 0, s.Webhook != ""} {
		if is {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return nil, configFault(c.file, errors.New("[sink] has more than one of folder, command and webhook"))
	case s.Folder != "":
		return sink.Folder{Dir: c.path(s.Folder)}, nil
	case len(s.Command) > 0:
		dir, err := c.folder()
		if err != nil {
			return nil, err
		}
		program := s.Command[0]
		if strings.ContainsRune(program, '/') { // else it is found by PATH
			program = c.path(program)
		}
		return sink.Command{Path: program, Args: s.Command[1:], Dir: filepath.Join(dir, "handover"), Timeout: time.Duration(s.Timeout)}, nil
	case s.Webhook != "":
		secret, err := c.secret("LIENTHONG_SINK_SECRET", s.WebhookSecret, "sink.webhook_secret_file")
		if err != nil {
			return nil, err
		}
		hook := sink.Webhook{URL: s.Webhook, Secret: secret, InsecureHTTP: s.InsecureHTTP, Timeout: time.Duration(s.Timeout)}
		if err := hook.Check(); err != nil {
			return nil, configFault(c.file, err)
		}
		return hook, nil
	}
	return nil, nil
}

// secret reads a secret from the environment or a file of its own.
func (c *config) secret(variable, file, key string) (edxml.Secret, error) {
	if v, ok := os.LookupEnv(variable); ok {
		return edxml.Secret(v), nil
	}
	if file == "" {
		return "", configFault(c.file, fmt.Errorf("%s is missing (or set %s)", key, variable))
	}
	b, err := readSmall(c.path(file))
	return edxml.Secret(strings.TrimSpace(string(b))), err
}

// given reports whether a secret is there, or must be.
func given(variable, file string) bool {
	_, ok := os.LookupEnv(variable)
	return ok || file != ""
}

// clocked returns the client of an axis, whose answers tell its time.
func clocked(clock *transport.Clock, o transport.HTTPOptions) *http.Client {
	client := transport.NewHTTPClient(o)
	client.Transport = clock.Watch(client.Transport)
	return client
}
