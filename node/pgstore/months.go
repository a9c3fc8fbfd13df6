package pgstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// months makes the partitions of chunks, one for each month in which content
// came.
type months struct {
	mu   sync.Mutex
	made map[time.Time]bool
}

// monthOf returns the first day of a month.
func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func partition(month time.Time) string { return month.Format("chunks_2006_01") }

// make makes the partition of a month, if there is none, in a transaction of
// its own, for which readers and writers of content wait.
func (m *months) make(ctx context.Context, s *Store, month time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made[month] {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, $2::int8::bit(32)::int4)`, lockMigrate, int64(s.space)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s PARTITION OF chunks FOR VALUES IN ('%s')`, partition(month), month.Format(time.DateOnly)))
		return err
	})
	if err != nil {
		return err
	}
	if m.made == nil {
		m.made = map[time.Time]bool{}
	}
	m.made[month] = true
	return nil
}

// forget makes the store look again whether a partition is there.
func (m *months) forget(month time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.made, month)
}
