package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
)

// scene is a number of rounds with the same two nodes and the same axis, which
// is never killed.
type scene struct {
	*rehearsal
	dir      string
	axis     *axistest.Axis
	server   *http.Server
	sender   *victim
	receiver *victim

	mu      sync.Mutex
	letters []*letter
	known   map[string]bool // the folders of the sink that were looked at
}

// patience is how long a node may take to come to its point before it is
// killed where it is.
const patience = 4 * time.Second

// scene makes the axis and the homes of the nodes.
func (r *rehearsal) scene(dir string) (*scene, error) {
	s := &scene{rehearsal: r, dir: dir, known: map[string]bool{}}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	ca, err := newTestCA()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca.pem, 0o644); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.axis = axistest.New(axistest.Options{Dir: dir, Seed: r.report.Seed + uint64(r.report.Rounds), Delay: 400 * time.Millisecond})
	s.server = transport.NewHTTPServer(s.axis)
	s.server.ErrorLog = log.New(io.Discard, "", 0) // of the connections that the dead break off
	go func() { _ = s.server.Serve(l) }()
	url := "http://" + l.Addr().String() + "/"
	if s.sender, err = newVictim(r.exe, sending, filepath.Join(dir, "G22"), "G22", url, ca); err != nil {
		return nil, err
	}
	s.receiver, err = newVictim(r.exe, receiving, filepath.Join(dir, "H41"), "H41", url, ca)
	return s, err
}

// end ends what still runs.
func (s *scene) end() error {
	s.sender.end()
	s.receiver.end()
	return errors.Join(s.sender.log.Close(), s.receiver.log.Close(), s.server.Close(), s.axis.Close())
}

func (s *scene) victims() []*victim { return []*victim{s.sender, s.receiver} }

// play plays rounds until there were so many.
func (s *scene) play(ctx context.Context, rounds int) error {
	for _, v := range s.victims() { // fsck is killed over a store, so there has to be one
		if err := errors.Join(v.start(""), v.stop()); err != nil {
			return err
		}
	}
	for s.report.Rounds < rounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, v := range s.victims() {
			if err := s.raise(ctx, v); err != nil {
				return err
			}
		}
		if err := s.feed(ctx); err != nil {
			return err
		}
		if err := s.watch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// raise starts a node that is dead, with what it is to be killed at next.
func (s *scene) raise(ctx context.Context, v *victim) error {
	if v.process != nil {
		return nil
	}
	left := false
	if v.cue, left = s.cue(v.role); left && v.cue.need == needFsck {
		if err := s.killedRepair(ctx, v); err != nil {
			return err
		}
		v.cue, left = s.cue(v.role)
	}
	if v.cue.need == needAge {
		if err := s.age(ctx); err != nil {
			return err
		}
	}
	v.spared = !left
	v.kill = time.Now().Add(patience)
	if v.cue.point == "" {
		v.kill = time.Now().Add(time.Duration(s.rng.Int64N(int64(150 * time.Millisecond))))
	}
	return v.start(s.arm(v.cue))
}

// killedRepair kills fsck --repair while it removes content that nothing
// needs, and looks whether the store is sound.
func (s *scene) killedRepair(ctx context.Context, v *victim) error {
	_, killed, err := v.run(ctx, s.arm(v.cue), "fsck", "--repair", "--json")
	if err == nil && killed {
		s.report.Rounds++
		s.report.Points[v.cue.point]++
		_, _, err = v.run(ctx, "", "fsck", "--json")
	}
	return err
}

// watch waits a moment, kills whose time has come, and buries the dead.
func (s *scene) watch(ctx context.Context) error {
	wait := time.NewTimer(50 * time.Millisecond)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.sender.died:
	case <-s.receiver.died:
	case <-wait.C:
	}
	for _, v := range s.victims() {
		killed := false
		if v.alive() {
			if v.spared || time.Now().Before(v.kill) {
				continue
			}
			_ = v.process.Process.Kill() // it may have died meanwhile
			killed = true
		}
		point, err := v.bury(killed)
		if ctx.Err() != nil { // who stopped us stopped the nodes as well
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		s.report.Rounds++
		if point == "" {
			s.report.Random++
		} else {
			s.report.Points[point]++
		}
	}
	return nil
}

// age lets two hours go by for what was recalled at the receiver, which
// stands still: content of the last hour is not destroyed.
func (s *scene) age(ctx context.Context) (err error) {
	store, err := boltstore.OpenWith(filepath.Join(s.receiver.home, "data"), boltstore.Options{Existing: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for before := ""; ; {
		page, err := store.List(ctx, node.In, before, 100)
		if err != nil || len(page) == 0 {
			return err
		}
		before = page[len(page)-1].ID
		for _, t := range page {
			if t.State != node.Recalled || t.Due.IsZero() {
				continue
			}
			_, err := store.Update(ctx, t.ID, func(t *node.Transfer) error {
				t.Created, t.Due = t.Created.Add(-2*time.Hour), time.Now().UTC()
				for i := range t.Attempts {
					t.Attempts[i].Start = t.Attempts[i].Start.Add(-2 * time.Hour)
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w", t.ID, err)
			}
		}
	}
}
