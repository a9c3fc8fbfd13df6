package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lienthong/lienthong/node"
)

const (
	listenRetry = time.Second      // between two tries to listen
	clockEvery  = 10 * time.Second // in which the clocks are compared
	notifyPause = 20 * time.Millisecond
)

// Queued yields a direction when another node has queued something in it, as a
// hint to look at once; it may be lost, and is closed by Close. Who gets none
// finds the work when NextDue says so.
func (s *Store) Queued() <-chan node.Direction { return s.queued }

func (s *Store) channel() string { return fmt.Sprintf("lienthong_%d", s.space) }

// listen hears what other nodes say, until ctx ends.
func (s *Store) listen(ctx context.Context) {
	s.work.Go(func() { s.notify(ctx) })
	for ctx.Err() == nil {
		_ = s.hear(ctx) // the connection was lost: whoever needs it says so
		select {
		case <-ctx.Done():
		case <-time.After(listenRetry):
		}
	}
}

func (s *Store) hear(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+s.channel()); err != nil {
		return err
	}
	for _, d := range directions() { // something may have been said meanwhile
		s.hint(d)
	}
	for {
		if err := s.clock.measure(ctx, conn); err != nil {
			return err
		}
		until, cancel := context.WithTimeout(ctx, clockEvery)
		for until.Err() == nil {
			said, err := conn.WaitForNotification(until)
			if err != nil && (until.Err() == nil || conn.IsClosed()) {
				cancel()
				return err
			}
			if err == nil && said.PID != s.writer.notifier.Load() {
				s.hint(node.Direction(said.Payload))
			}
		}
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// hint passes a direction on, unless enough are waiting.
func (s *Store) hint(d node.Direction) {
	select {
	case s.queued <- d:
	default:
	}
}

// notify tells others what was queued here. It stands beside the commits: they
// would wait for each other in all of the database, as notifications are in
// order.
func (s *Store) notify(ctx context.Context) {
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}()
	for {
		var some []node.Direction
		select {
		case <-ctx.Done():
			return
		case <-s.writer.news.ready:
			some = s.writer.news.take()
		}
		var err error
		if conn == nil || conn.IsClosed() {
			if conn, err = pgx.ConnectConfig(ctx, s.config); err != nil {
				conn = nil
				continue
			}
			s.writer.notifier.Store(conn.PgConn().PID())
		}
		for _, d := range some {
			_, _ = conn.Exec(ctx, `SELECT pg_notify($1, $2)`, s.channel(), string(d)) // a hint
		}
		select { // many changes, one hint
		case <-ctx.Done():
		case <-time.After(notifyPause):
		}
	}
}
