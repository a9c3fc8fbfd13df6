package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Store keeps Transfers and content. Every method may be called concurrently,
// and what a method reports as done survives a power cut. The package
// storetest is the executable form of this contract.
type Store interface {
	// Put stores everything r yields and names it by its digest. The content
	// is durable when Put returns; storing the same content again costs no
	// space. An error of r is returned as it is, and nothing is kept.
	Put(ctx context.Context, r io.Reader) (Content, error)
	// Open gives stored content back, ErrNotFound if there is none.
	Open(ctx context.Context, sha256 string) (Opened, error)

	// Create commits a new Transfer. It returns an *ExistsError, and changes
	// nothing, if another Transfer has its ID or one of its Unique keys. Keys
	// are UTF-8; ID and Direction never change.
	Create(ctx context.Context, t *Transfer) error
	// Update reads a Transfer, lets change alter it, and commits the result,
	// all in one transaction: no other change comes between. If change returns
	// an error, nothing happens and Update returns that error. change may be
	// called more than once and must not call the Store. It returns the
	// Transfer as committed, ErrNotFound if there is none, or an *ExistsError.
	Update(ctx context.Context, id string, change func(*Transfer) error) (*Transfer, error)
	// Lease takes the Transfer of one direction that has been due longest and
	// is not leased, marks it as held by holder until now+hold, and returns it
	// as committed. When nothing is due it returns ErrNothingDue. Due counts
	// from the later of Due and LeasedUntil, ties go by ID; zeroing LeasedUntil
	// gives a lease back. A store that only one process can open ends all
	// leases when it is opened: their holders are dead.
	Lease(ctx context.Context, d Direction, holder string, now time.Time, hold time.Duration) (*Transfer, error)
	// NextDue returns when Lease will next find something in one direction,
	// counting leases that run out; the zero time when there is nothing.
	NextDue(ctx context.Context, d Direction) (time.Time, error)

	// Transfer returns one Transfer, ErrNotFound if there is none.
	Transfer(ctx context.Context, id string) (*Transfer, error)
	// Find returns the Transfers that have key among their Unique or Lookup
	// keys, oldest first, at most 1,000.
	Find(ctx context.Context, key string) ([]*Transfer, error)
	// List returns at most limit Transfers of one direction, newest first,
	// those with an ID below before only; "" begins with the newest.
	List(ctx context.Context, d Direction, before string, limit int) ([]*Transfer, error)

	// Value returns what SetValue last stored under name, nil if nothing.
	Value(ctx context.Context, name string) ([]byte, error)
	// SetValue stores a small value (at most 64 KiB) durably.
	SetValue(ctx context.Context, name string, value []byte) error

	// Close releases the store; content handed out stays readable until closed.
	// Closing twice is no error.
	Close() error
}

// Opened is stored content, open for reading.
type Opened interface {
	io.Reader
	io.ReaderAt
	io.Closer
	// Size returns the number of octets.
	Size() int64
}

// The answers of a Store that callers branch on.
var (
	ErrNotFound   = errors.New("node: not found")
	ErrNothingDue = errors.New("node: nothing is due")
)

// ExistsError says that a Unique key is taken.
type ExistsError struct {
	Key string
	ID  string // of the Transfer that has it
}

// Error names the key and its owner.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("node: transfer %s has the key %q already", e.ID, e.Key)
}
