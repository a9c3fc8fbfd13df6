package pgstore

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lienthong/lienthong/node"
)

// ReadOnlyError says that the database takes no changes: a standby, or one that
// was set so. Nothing was changed.
type ReadOnlyError struct{ reason error }

// Error says it with the server's words.
func (e *ReadOnlyError) Error() string {
	return fmt.Sprintf("pgstore: the database is read-only (a standby? default_transaction_read_only?): %v", e.reason)
}

// Unwrap returns what the server said.
func (e *ReadOnlyError) Unwrap() error { return e.reason }

// UnsureError says that the connection was lost after a commit was sent, and
// that the database could not be asked since whether it took place.
type UnsureError struct{ reason error }

// Error says what to do.
func (e *UnsureError) Error() string {
	return fmt.Sprintf("pgstore: the connection was lost during a commit, which may have taken place or not; look before doing it again: %v", e.reason)
}

// Unwrap returns how the connection was lost.
func (e *UnsureError) Unwrap() error { return e.reason }

// trouble names the store in an error of the database, and tells those apart
// on which somebody branches. A full disk is syscall.ENOSPC, as on a disk of
// one's own.
func trouble(err error) error {
	var said *pgconn.PgError
	var unsure *UnsureError
	var clock *ClockError
	var version *VersionError
	var used *InUseError
	switch {
	case errors.As(err, &unsure):
		return unsure
	case errors.As(err, &clock):
		return clock
	case errors.As(err, &version):
		return version
	case errors.As(err, &used):
		return used
	case errors.Is(err, node.ErrNotFound):
		return err
	case errors.As(err, &said) && said.Code == "25006":
		return &ReadOnlyError{err}
	case errors.As(err, &said) && (said.Code == "53100" || said.Code == "53400"):
		return fmt.Errorf("pgstore: the database's disk is full: %w (%w)", syscall.ENOSPC, err)
	}
	return fmt.Errorf("pgstore: %w", err)
}
