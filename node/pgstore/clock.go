package pgstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxSkew is how far the clock here may be from the database's. A node whose
// clock is half a minute ahead would take away the leases of all others.
const maxSkew = 5 * time.Second

// ClockError says that the clocks here and in the database differ too much.
// Lease returns it until they agree again, and the other nodes do the work.
type ClockError struct {
	Ahead time.Duration // of the clock here; negative when it is behind
}

// Error says by how much, and what to do.
func (e *ClockError) Error() string {
	way, by := "ahead of", e.Ahead
	if by < 0 {
		way, by = "behind", -by
	}
	return fmt.Sprintf("pgstore: the clock here is %v %s the database's, more than %v: set both by NTP", by.Round(time.Millisecond), way, maxSkew)
}

// clock compares the clock here with the database's.
type clock struct {
	now   func() time.Time
	ahead atomic.Int64 // nanoseconds
}

// measure asks the database for its time.
func (c *clock) measure(ctx context.Context, conn *pgx.Conn) error {
	var there time.Time
	began := c.now()
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&there); err != nil {
		return err
	}
	took := c.now().Sub(began)
	if took > maxSkew {
		return nil // says nothing
	}
	c.ahead.Store(int64(began.Add(took / 2).Sub(there)))
	return nil
}

func (c *clock) check() error {
	if ahead := time.Duration(c.ahead.Load()); ahead.Abs() > maxSkew {
		return &ClockError{Ahead: ahead}
	}
	return nil
}
