package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

// SignaturePolicy says what becomes of an incoming Document whose signature is
// not acceptable.
type SignaturePolicy string

// The policies. QĐ 28/2018/QĐ-TTg Art. 4(2): an unsigned Document is for
// information only; it is not refused by law.
const (
	Warn    SignaturePolicy = "warn"    // deliver it, and say so
	Require SignaturePolicy = "require" // refuse it with status 02
)

// Config is what a Node is made of. Organ and Store are required; the zero
// value of any other field means what its comment says.
type Config struct {
	Organ edxml.Organ // the agency this node speaks for
	Store Store
	Axis  Axis // nil: nothing is sent or fetched; submitting still works
	Sink  Sink // nil: Documents stay in the inbox until somebody reads them there

	Key              *signature.Key  // nil: Documents leave unsigned
	ReplaceSignature bool            // sign anew where a signature cannot survive the wire
	Roots            *x509.CertPool  // whom to trust as signers; nil: nobody
	Policy           SignaturePolicy // "": Warn

	Poll     time.Duration // between looks at the axis; 0: 30 s
	Retry    Backoff
	Deadline time.Duration // how long a Transfer is tried; 0: 72 h
	Workers  int           // Transfers in work at once, per direction; 0: 4
	Log      *slog.Logger  // nil: silent
}

// Node is one node: the engine between document systems and an axis.
type Node struct {
	Config
	holder string // names this process in leases
	nudge  map[Direction]chan struct{}

	directories directories
}

// New checks the configuration and fills in the defaults.
func New(c Config) (*Node, error) {
	if c.Organ.OrganID == "" {
		return nil, errors.New("node: the configuration names no organ; write the agency's identifier as organ")
	}
	if c.Store == nil {
		return nil, errors.New("node: the configuration names no store")
	}
	switch c.Policy {
	case "":
		c.Policy = Warn
	case Warn, Require:
	default:
		return nil, fmt.Errorf("node: signature policy %q is neither %q nor %q", c.Policy, Warn, Require)
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Poll, 30 * time.Second}, {&c.Deadline, 72 * time.Hour}, {&c.Retry.First, 2 * time.Second}, {&c.Retry.Max, 10 * time.Minute}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Node{
		Config: c, holder: uuid.NewString(),
		nudge: map[Direction]chan struct{}{Out: make(chan struct{}, 1), In: make(chan struct{}, 1)},
	}, nil
}

// Run works until ctx ends: it sends what is queued, collects what waits, and
// applies the statuses that came back. It returns nil after a clean stop, when
// the leases of interrupted work have been given back.
func (n *Node) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.work(ctx, Out, n.sendStep) })
	g.Go(func() error { return n.work(ctx, In, n.receiveStep) })
	if n.Axis != nil {
		g.Go(func() error { return n.watch(ctx) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// watch looks at the axis in turns: what waits there, what statuses came, and
// now and then who can be reached. A trouble is logged when it begins, when it
// changes and when it ends, not at every look.
func (n *Node) watch(ctx context.Context) error {
	var directory time.Time
	turns := []*turn{
		{name: "list waiting documents", do: n.collect},
		{name: "read statuses", do: n.applyStatuses},
		{name: "refresh the directory", do: func(ctx context.Context) error {
			if time.Since(directory) < directoryAge {
				return nil
			}
			err := n.refreshDirectory(ctx)
			if err == nil {
				directory = time.Now()
			}
			return err
		}},
	}
	for {
		for _, t := range turns {
			t.take(ctx, n.Log)
		}
		if err := sleep(ctx, n.Poll); err != nil {
			return err
		}
	}
}

// turn is one thing that watch does over and over.
type turn struct {
	name    string
	do      func(context.Context) error
	trouble string // what it failed with last, "" when it worked
}

func (t *turn) take(ctx context.Context, log *slog.Logger) {
	err := t.do(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil && err.Error() != t.trouble:
		t.trouble = err.Error()
		log.WarnContext(ctx, "axis trouble", "step", t.name, "error", err)
	case err == nil && t.trouble != "":
		t.trouble = ""
		log.InfoContext(ctx, "axis trouble is over", "step", t.name)
	}
}

// directoryAge is how old the axis's directory may become.
const directoryAge = time.Hour

// newTransfer begins a Transfer that is due at once.
func newTransfer(d Direction, k edxml.Kind, s State) (*Transfer, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("node: transfer id: %w", err)
	}
	now := time.Now().UTC()
	return &Transfer{ID: id.String(), Direction: d, Kind: k, State: s, Created: now, Due: now}, nil
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
