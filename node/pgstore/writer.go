package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lienthong/lienthong/node"
)

const (
	maxGroup     = 500              // changes that share a commit at the most
	groupTime    = 30 * time.Second // that one commit may take
	patience     = 5 * time.Second  // for a connection
	doubtTime    = 30 * time.Second // for a connection to ask whether a commit took place
	connectPause = 100 * time.Millisecond
	closing      = time.Second          // for a process at the server whose client has just gone
	maxTries     = 30                   // for one group, against others that change the same
	gatherTime   = 2 * time.Millisecond // for those who were just answered to come again
)

// writer gathers the changes of this process into transactions over one
// connection: whatever arrives while one is being committed shares the next. A
// writer alone never waits; where there are more, the next group waits for a
// moment until as many have come as were there before, or two halves would take
// turns.
type writer struct {
	id       int64 // in the table of writers, and of the lock of its connection
	batch    int64 // the last that was begun
	conn     *pgx.Conn
	head     *head // of the journal's chain; nil when it is to be read
	last     *view // of that batch
	staged   *stage
	doubt    time.Duration // doubtTime, but in tests
	notifier atomic.Uint32 // the server's process that says what is queued here
	recent   recent
	sober    int       // see guessed
	answered time.Time // when the last commit was
	news     news

	mu      sync.Mutex
	waiting []*change
	busy    bool // somebody commits, and will look at waiting again
	ended   bool
	idle    sync.Cond
	arrived chan struct{} // holds a token when somebody came
}

// change is one call on its way. apply judges it and makes it in a view; it may
// run more than once, and leaves the view as it was when it returns an error.
type change struct {
	ctx    context.Context
	first  func(*needs) // what it knows beforehand to look at
	lease  bool         // goes before the others of its group
	create bool         // what it looks at is not there yet, as far as it knows
	apply  func(*view) error
	err    error
	panic  any
	done   chan struct{}
}

// refusal is the answer to a change that cannot be made.
type refusal struct{ reason error }

func (r refusal) Error() string { return r.reason.Error() }
func (r refusal) Unwrap() error { return r.reason }

// news is in which directions something was queued that nobody was told of.
type news struct {
	ready chan struct{}
	mu    sync.Mutex
	some  []node.Direction
}

func (n *news) add(d node.Direction) {
	n.mu.Lock()
	if !slices.Contains(n.some, d) {
		n.some = append(n.some, d)
	}
	n.mu.Unlock()
	select {
	case n.ready <- struct{}{}:
	default:
	}
}

func (n *news) take() []node.Direction {
	n.mu.Lock()
	defer n.mu.Unlock()
	some := n.some
	n.some = nil
	return some
}

// commit makes a change, with others, and returns when it is on disk.
func (s *Store) commit(ctx context.Context, c *change) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	c.ctx, c.done = ctx, make(chan struct{})
	w := &s.writer
	w.mu.Lock()
	if w.ended {
		w.mu.Unlock()
		return errClosed
	}
	w.waiting = append(w.waiting, c)
	first := !w.busy
	w.busy = true
	w.mu.Unlock()
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	if first {
		s.begin()
	}
	<-c.done
	if c.panic != nil {
		panic(c.panic)
	}
	var refused refusal
	if errors.As(c.err, &refused) {
		return refused.reason
	}
	if c.err != nil {
		return trouble(c.err)
	}
	return nil
}

// group is how large the last group was, and how long it took.
type group struct {
	size int
	took time.Duration
}

// begin commits what waits in the goroutine of whoever came first. When he was
// alone that is all; else another one goes on.
func (s *Store) begin() {
	var g group
	s.commitNext(&g)
	w := &s.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	if g.size > 1 || len(w.waiting) > 0 {
		go s.commitAll(g)
		return
	}
	w.rest()
}

// rest says that nobody commits. w.mu is held, and nothing waits.
func (w *writer) rest() {
	w.waiting, w.busy = nil, false
	w.idle.Broadcast()
}

// commitAll commits until nothing waits.
func (s *Store) commitAll(g group) {
	for s.commitNext(&g) {
	}
}

// commitNext commits the next group, and reports whether there was one.
func (s *Store) commitNext(g *group) bool {
	w := &s.writer
	w.gather(g.size, min(gatherTime, g.took/2))
	w.mu.Lock()
	some := w.waiting[:min(len(w.waiting), maxGroup)]
	w.waiting = w.waiting[len(some):]
	if len(some) == 0 {
		w.rest()
		w.mu.Unlock()
		return false
	}
	w.mu.Unlock()
	some = slices.DeleteFunc(slices.Clone(some), func(c *change) bool {
		if c.err = c.ctx.Err(); c.err != nil { // nobody waits for it, and nothing has happened
			c.err = refusal{c.err}
			close(c.done)
		}
		return c.err != nil
	})
	slices.SortStableFunc(some, func(a, b *change) int { return order(a) - order(b) })
	began := time.Now()
	s.together(some)
	*g = group{len(some), time.Since(began)}
	return true
}

// gather waits until as many have come as were just answered, but not for long,
// and not after one alone.
func (w *writer) gather(size int, long time.Duration) {
	var end <-chan time.Time
	for want := 0; ; {
		w.mu.Lock()
		waiting := len(w.waiting)
		w.mu.Unlock()
		if want == 0 {
			want = size + waiting
		}
		if want <= 1 || waiting >= want || long <= 0 {
			return
		}
		if end == nil {
			end = time.After(long)
		}
		select {
		case <-end:
			return
		case <-w.arrived:
		}
	}
}

func order(c *change) int {
	if c.lease {
		return 0
	}
	return 1
}

// together commits some changes as one, and if the database refuses that for
// the sake of one of them, each alone.
func (s *Store) together(some []*change) {
	if len(some) == 0 {
		return
	}
	err := s.attempt(some)
	var said *pgconn.PgError
	if len(some) > 1 && errors.As(err, &said) && aboutData(said.Code) {
		for _, c := range some {
			s.together([]*change{c})
		}
		return
	}
	for _, c := range some {
		if err != nil {
			c.err = err
		}
		close(c.done)
	}
}

// aboutData reports whether an error is about what was to be stored, and not
// about the state of the server.
func aboutData(code string) bool {
	return len(code) == 5 && (code[:2] == "22" || code[:2] == "54" || code[:2] == "23")
}

// attempt commits some changes, again and again while others change the same.
func (s *Store) attempt(some []*change) error {
	ctx, cancel := context.WithTimeout(context.Background(), groupTime)
	defer cancel()
	var err error
	for try := range maxTries {
		if s.writer.conn == nil || s.writer.conn.IsClosed() {
			if err := s.reconnect(ctx, patience); err != nil {
				return err
			}
		}
		var sent bool // the commit, so that it may have taken place
		if sent, err = s.transact(ctx, some, try == 0); err == nil {
			return nil
		}
		s.writer.head = nil
		var said *pgconn.PgError
		if errors.As(err, &said) && !disconnected(err) {
			if _, back := s.writer.conn.Exec(ctx, "ROLLBACK"); back != nil {
				s.writer.drop()
			}
			switch said.Code {
			case "23505", "40P01", "40001", "55P03", staleCode: // others were faster
				if try > 2 {
					time.Sleep(time.Duration(try) * time.Millisecond)
				}
				continue
			case "25006": // after a failover the address may lead to another server
				s.writer.drop()
			}
			return err
		}
		s.writer.drop()
		if sent {
			done, unsure := s.ask(err)
			if unsure != nil {
				return unsure
			}
			if done {
				s.writer.committed()
				return nil
			}
		}
		if try > 2 {
			return err
		}
	}
	return err
}

// ask finds out whether the last batch was committed. Its connection is gone,
// and reconnect waits until its process at the server is as well.
func (s *Store) ask(lost error) (done bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.writer.doubt)
	defer cancel()
	if err := s.reconnect(ctx, s.writer.doubt); err != nil {
		return false, &UnsureError{errors.Join(lost, err)}
	}
	var batch int64
	err = s.writer.conn.QueryRow(ctx, `SELECT batch FROM writers WHERE id = $1`, s.writer.id).Scan(&batch)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		s.writer.drop()
		return false, &UnsureError{errors.Join(lost, err)}
	}
	return batch == s.writer.batch, nil
}

// reconnect connects, and tries again for a while.
func (s *Store) reconnect(ctx context.Context, wait time.Duration) error {
	for end := time.Now().Add(wait); ; {
		err := s.connect(ctx)
		var used *InUseError
		if err == nil || errors.As(err, &used) || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
		time.Sleep(connectPause)
	}
}

// connect opens the writing connection. It holds two locks: one says that the
// store is in use, the other is of this writer alone and is free only when the
// process behind its connection before has ended, whatever became of its commit.
func (s *Store) connect(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	if err := s.lock(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return err
	}
	s.writer.conn = conn
	return nil
}

func (s *Store) lock(ctx context.Context, conn *pgx.Conn) error {
	// Every statement of a writer goes by an index, whatever the size of a table
	// seemed to be when it was planned.
	_, err := conn.Exec(ctx, `SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET lock_timeout = '10s'; SET jit = off;
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	if err != nil {
		return err
	}
	end := time.Now().Add(patience)
	for {
		var mine bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, s.writer.id).Scan(&mine); err != nil {
			return err
		}
		if mine {
			break
		}
		if time.Now().After(end) {
			return errors.New("the connection before is still open at the server")
		}
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
			AND ((classid::int8 << 32) | objid::int8) = $1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, s.writer.id)
		if err != nil {
			return err
		}
		time.Sleep(connectPause)
	}
	try := `SELECT pg_try_advisory_lock_shared($1, $2::int8::bit(32)::int4)`
	if s.options.Exclusive {
		try = `SELECT pg_try_advisory_lock($1, $2::int8::bit(32)::int4)`
	}
	for end := time.Now().Add(closing); ; time.Sleep(connectPause) {
		var got bool
		if err := conn.QueryRow(ctx, try, lockUse, int64(s.space)).Scan(&got); err != nil || got {
			return err
		}
		if time.Now().After(end) {
			return s.inUse(ctx, conn)
		}
	}
}

// inUse says who holds the store.
func (s *Store) inUse(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT DISTINCT coalesce(a.application_name, '') || ' (' || l.pid || coalesce(' at ' || host(a.client_addr), '') || ')'
		FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
		AND l.classid::int8 = $1 AND l.objid::int8 = $2 ORDER BY 1`, int64(lockUse), int64(s.space))
	if err != nil {
		return err
	}
	by, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	return &InUseError{By: by}
}

// drop gives the connection up.
func (w *writer) drop() {
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = w.conn.Close(ctx)
		cancel()
		w.conn = nil
	}
}

// end takes no more changes, waits for those on their way, and disconnects.
func (w *writer) end() error {
	w.mu.Lock()
	w.ended = true
	for w.busy {
		w.idle.Wait()
	}
	w.mu.Unlock()
	return w.close()
}

func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := w.conn.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}
