package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
)

// SignaturePolicy says what becomes of an incoming Document whose signature is
// not acceptable.
type SignaturePolicy string

// The policies. QĐ 28/2018/QĐ-TTg Art. 4(2): an unsigned Document is for
// information only; it is not refused by law.
const (
	Warn    SignaturePolicy = "warn"    // deliver it, and say so
	Require SignaturePolicy = "require" // refuse it with status 02
	Off     SignaturePolicy = "off"     // do not look at it
)

// Config is what a Node is made of. Organ and Store are required; the zero
// value of any other field means what its comment says.
type Config struct {
	Organ edxml.Organ // the agency this node speaks for
	Store Store
	Axis  Axis // nil: nothing is sent or fetched; submitting still works
	// Wire is the profile that the axis's wire carries; "": the SOAP profile.
	Wire edxml.Profile
	Sink Sink // nil: Documents stay in the inbox until somebody reads them there

	Key              *signature.Key // nil: Documents leave unsigned
	ReplaceSignature bool           // sign anew where a signature cannot survive the wire
	TSA              *signature.TSA // stamps what is signed here, whenever it can; nil: nobody
	Roots            *x509.CertPool // whom to trust as signers; nil: nobody
	// Revocation is asked whether a signer's certificate was revoked, nil:
	// nobody. Outage says what becomes of a Document while nobody can tell; with
	// OutageQueue it waits.
	Revocation *signature.Revocation
	Outage     signature.Outage
	Grace      time.Duration   // for OutageGrace; 0: 24 h
	Policy     SignaturePolicy // "": Warn
	// Senders has the policy for single senders, by OrganId, or for all below a
	// code of the first level ("H41"); the closest one counts, else Policy.
	Senders map[string]SignaturePolicy

	Poll     time.Duration // between looks at the axis; 0: 30 s
	Retry    Backoff
	Breaker  Breaker
	Deadline time.Duration    // how long a Transfer is tried; 0: 72 h
	Workers  int              // Transfers in work at once, per direction: so many calls to the axis at a time; 0: 4
	Clock    *transport.Clock // compares our clock with the axis's; nil: a skew goes unnoticed
	// ReportArrival sends status 01 when a Document has come. Over eDoc the
	// acknowledgement already is the 01; VXP needs it.
	ReportArrival bool
	Recalls       RecallPolicy // "": AgreeRecall
	// Statuses is handed every Status that says something new, before it is
	// recorded: after a crash it may be handed the same again. nil: nobody.
	Statuses func(context.Context, *edxml.Status) error
	Intake   Watermarks
	// Workday tells the working days, by their midnight in edxml.Vietnam, for
	// the statistics; nil: Monday to Friday.
	Workday func(time.Time) bool
	Log     *slog.Logger // nil: silent
}

// Node is one node: the engine between document systems and an axis.
type Node struct {
	Config
	holder string // names this process in leases
	key    atomic.Pointer[signature.Key]
	roots  atomic.Pointer[x509.CertPool]
	intake atomic.Int64 // packets that are being taken in
	link   *link

	lookback lookback // the watch over statuses alone uses it
	heard    heard    // the same
	nudge    map[Direction]chan struct{}
	seats    map[Direction]chan chan *Transfer // idle workers take from them, see begin
	listing  chan struct{}                     // held while what the axis lists goes into the store
	claims   claims
	walks    walks

	unstamped   chan struct{}
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
	if err := c.checkPolicies(); err != nil {
		return nil, err
	}
	c.Intake = c.Intake.withDefaults()
	if c.Workday == nil {
		c.Workday = weekdays
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Poll, 30 * time.Second}, {&c.Deadline, 72 * time.Hour}, {&c.Retry.First, 2 * time.Second}, {&c.Retry.Max, 10 * time.Minute},
		{&c.Breaker.First, 30 * time.Second}, {&c.Breaker.Max, 10 * time.Minute}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if c.Breaker.Faults == 0 {
		c.Breaker.Faults = 5
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Store = indexed{c.Store, c.Workday}
	n := &Node{
		Config: c, holder: uuid.NewString(), link: newLink(c.Breaker),
		nudge:     map[Direction]chan struct{}{Out: make(chan struct{}, 1), In: make(chan struct{}, 1)},
		unstamped: make(chan struct{}, 1),
		listing:   make(chan struct{}, 1),
		seats:     map[Direction]chan chan *Transfer{Out: make(chan chan *Transfer), In: make(chan chan *Transfer)},
	}
	n.Renew(c.Key, c.Roots)
	return n, nil
}

// Renew puts another key in the place of Config.Key, and other roots in that of
// Config.Roots, also while the node runs: what is accepted or verified from now
// on goes by them.
func (n *Node) Renew(key *signature.Key, roots *x509.CertPool) {
	n.key.Store(key)
	n.roots.Store(roots)
}

// Run works until ctx ends: it sends what is queued, collects what waits, and
// applies the statuses that came back. It returns nil after a clean stop, when
// the leases of interrupted work have been given back.
func (n *Node) Run(ctx context.Context) error {
	for failures := 1; ; failures++ { // a store that is just being restarted is no reason to end
		err := n.restoreLink(ctx)
		if err == nil {
			break
		}
		wait := n.Retry.after(failures)
		n.Log.WarnContext(ctx, "the store does not answer", "error", err, "again in", wait)
		if sleep(ctx, wait) != nil {
			return nil
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.work(ctx, Out, n.sendStep) })
	g.Go(func() error { return n.work(ctx, In, n.receiveStep) })
	if n.TSA != nil {
		g.Go(func() error { return n.stamping(ctx) })
	}
	g.Go(func() error { return n.tidy(ctx) })
	if n.Axis != nil {
		g.Go(func() error {
			return n.watch(ctx, &turn{name: "list waiting documents", do: n.collect}, &turn{name: "refresh the directory", every: directoryAge, do: plain(n.refreshDirectory)})
		})
		g.Go(func() error { return n.watch(ctx, &turn{name: "read statuses", do: n.applyStatuses}) })
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// watch looks at the axis in turns: at what waits there and, now and then, who
// can be reached, or at what statuses came. Where something comes more is to be
// expected, so the next look is made soon. A trouble is logged when it begins,
// when it changes and when it ends, not at every look.
func (n *Node) watch(ctx context.Context, turns ...*turn) error {
	for {
		began, news := time.Now(), false
		for _, t := range turns {
			news = n.take(ctx, t) || news
		}
		wait := n.Poll
		if news {
			wait = min(wait, max(soon, time.Since(began)))
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// soon is how long after a look that brought something the next one comes, or
// as long as that look took: looking takes half of the time at the most.
const soon = 20 * time.Millisecond

// turn is one thing that watch does over and over.
type turn struct {
	name    string
	do      func(context.Context) (news bool, err error)
	every   time.Duration // after it worked; 0: at every look
	worked  time.Time
	trouble string // what it failed with last, "" when it worked
}

// plain is a turn that brings no news.
func plain(do func(context.Context) error) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) { return false, do(ctx) }
}

// take takes a turn, and reports whether it brought something.
func (n *Node) take(ctx context.Context, t *turn) (news bool) {
	if !t.worked.IsZero() && time.Since(t.worked) < t.every {
		return false
	}
	err := n.call(ctx, t.name, func(ctx context.Context) (err error) {
		news, err = t.do(ctx)
		return err
	})
	if err == nil {
		t.worked = time.Now()
	}
	switch {
	case ctx.Err() != nil, errors.Is(err, errLinkDown):
	case err != nil && err.Error() != t.trouble:
		t.trouble = err.Error()
		n.Log.WarnContext(ctx, "axis trouble", "step", t.name, "error", err)
	case err == nil && t.trouble != "":
		t.trouble = ""
		n.Log.InfoContext(ctx, "axis trouble is over", "step", t.name)
	}
	return news
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
