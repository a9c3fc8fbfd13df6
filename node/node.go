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
// now and then who can be reached.
func (n *Node) watch(ctx context.Context) error {
	var directory time.Time
	for {
		if time.Since(directory) > directoryAge {
			if err := n.refreshDirectory(ctx); err != nil {
				n.Log.WarnContext(ctx, "directory not refreshed", "error", err)
			} else {
				directory = time.Now()
			}
		}
		if err := n.collect(ctx); err != nil && ctx.Err() == nil {
			n.Log.WarnContext(ctx, "waiting documents not listed", "error", err)
		}
		if err := n.applyStatuses(ctx); err != nil && ctx.Err() == nil {
			n.Log.WarnContext(ctx, "statuses not read", "error", err)
		}
		if err := sleep(ctx, n.Poll); err != nil {
			return err
		}
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
