package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lienthong/lienthong/node"
)

// errClosed is os.ErrClosed to callers that want to know.
var errClosed = fmt.Errorf("pgstore: the store is closed: %w", os.ErrClosed)

// Options are how a store is opened; the zero value is the default.
type Options struct {
	// Node names the journal's chain and the counters of this node; "" is the
	// name of the machine. No two nodes of a cluster should have the same.
	Node string
	// ContentDir is a folder that all nodes share, for content of more than
	// 256 KiB; "" keeps that in the database as well.
	ContentDir string
	// Connections is how many connections serve reading; 0 means 8. Two more
	// are for writing and for what other nodes say.
	Connections int
	// Exclusive refuses to open a store that others use, and others while it is
	// open: the error is an InUseError.
	Exclusive bool
}

// Store is an open database. Its methods are described at [node.Store].
type Store struct {
	options  Options
	config   *pgx.ConnConfig // of the connections beside the pool
	pool     *pgxpool.Pool
	schema   string
	space    uint32 // its number; locks and channels are the whole database's
	writer   writer
	staged   stage
	clearing chan struct{} // one token, for whoever commits what is staged
	clock    clock
	queued   chan node.Direction
	closed   atomic.Bool
	cancel   context.CancelFunc // ends the background
	work     sync.WaitGroup     // the background
	opened   sync.WaitGroup     // contents that are being read, which need the pool
	months   months
}

var _ node.Store = (*Store)(nil)

// InUseError says that others use the store.
type InUseError struct {
	By []string // the names of their connections
}

// Error names who uses it.
func (e *InUseError) Error() string {
	return "pgstore: the store is in use by " + strings.Join(e.By, ", ")
}

// The locks on the whole of a store; the second key is the schema's number.
const (
	lockMigrate = 0x4c54_0001 // while tables are made
	lockUse     = 0x4c54_0002 // shared by every open store
	lockContent = 0x4c54_0003 // xor the schema's number: over one content file
)

// Open opens the store behind a postgres:// URL, making the tables if there are
// none, in the first schema of the search_path. A password comes from the URL,
// PGPASSWORD or PGPASSFILE; no error shows it. It returns a [*VersionError] if
// the layout is too new, an [*InUseError] if others use the store exclusively,
// a [*ClockError] if the clocks here and there differ too much.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	return open(ctx, url, o, time.Now)
}

func open(ctx context.Context, url string, o Options, now func() time.Time) (*Store, error) {
	if o.Node == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("pgstore: no name for this node: %w", err)
		}
		o.Node = name
	}
	if !plain(o.Node) {
		return nil, fmt.Errorf("pgstore: %.80q is no name of a node: UTF-8 without NUL", o.Node)
	}
	if o.Connections == 0 {
		o.Connections = 8
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err) // pgx masks the password
	}
	config.MaxConns = int32(min(max(o.Connections, 1), 1000))
	prepareConfig(config.ConnConfig, "lienthong "+o.Node)
	s := &Store{
		options: o, config: config.ConnConfig, queued: make(chan node.Direction, 16), clearing: make(chan struct{}, 1),
		clock: clock{now: now}, writer: writer{id: int64(rand.Uint64()), doubt: doubtTime},
	}
	s.writer.idle.L, s.writer.staged, s.writer.news.ready = &s.writer.mu, &s.staged, make(chan struct{}, 1)
	s.writer.arrived = make(chan struct{}, 1)
	if err := s.prepare(ctx); err != nil {
		return nil, trouble(err)
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, errors.Join(trouble(err), s.writer.close())
	}
	var background context.Context
	background, s.cancel = context.WithCancel(context.Background())
	s.work.Go(func() { s.listen(background) })
	return s, nil
}

// prepareConfig sets what every connection has.
func prepareConfig(c *pgx.ConnConfig, name string) {
	c.ConnectTimeout = min(max(c.ConnectTimeout, time.Second), 5*time.Second)
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = name[:min(len(name), 60)]
	}
	c.RuntimeParams["timezone"] = "UTC"
	// what a machine that vanished had locked is free soon
	for name, value := range map[string]string{
		"idle_in_transaction_session_timeout": "15s", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
	} {
		if c.RuntimeParams[name] == "" {
			c.RuntimeParams[name] = value
		}
	}
}

// prepare makes the tables and opens the writing connection.
func (s *Store) prepare(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	steps, err := migrations()
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, conn, steps); err != nil {
		return err
	}
	if err := s.clock.measure(ctx, conn); err != nil {
		return err
	}
	if err := s.clock.check(); err != nil {
		return err
	}
	if err := s.prepareFiles(); err != nil {
		return err
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `DELETE FROM writers WHERE at < now() - interval '7 days'`)
	if err != nil {
		return errors.Join(err, s.writer.close())
	}
	return nil
}

// Close ends the store. Changes that were not committed before return errors;
// closing twice is no error.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.cancel()
	s.work.Wait()
	close(s.queued)
	err := s.writer.end()
	go func() { // a content that is still being read keeps its connections
		s.opened.Wait()
		s.pool.Close()
	}()
	if err != nil {
		return trouble(err)
	}
	return nil
}

// usable is the first thing every method asks.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed
	}
	return ctx.Err()
}

// view reads. What breaks for want of a connection is read once more, over
// another one: the server may have been started anew meanwhile.
func (s *Store) view(ctx context.Context, read func(*pgxpool.Pool) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	err := read(s.pool)
	if err != nil && ctx.Err() == nil && disconnected(err) {
		s.pool.Reset()
		err = read(s.pool)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.closed.Load():
		return errClosed
	}
	return trouble(err)
}

// disconnected reports whether err is about the connection and not about what
// was asked over it.
func disconnected(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "57P01", "57P02", "57P03": // the server ends, crashes, begins
			return true
		}
		return strings.HasPrefix(said.Code, "08")
	}
	var refused refusal
	return !errors.As(err, &refused) && !errors.Is(err, pgx.ErrNoRows) && !errors.Is(err, context.Canceled) &&
		!errors.Is(err, node.ErrNotFound)
}
