package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Store keeps Transfers, content, small values and the journal. Every method may
// be called concurrently, and what a method reports as done survives a power
// cut; Put alone promises less. The package storetest is the executable form of
// this contract.
type Store interface {
	Contents
	Transfers
	Values
	Records

	// Close releases the store; content handed out stays readable until closed.
	// Closing twice is no error.
	Close() error
}

// Contents keeps what packets consist of, each once, named by its digest.
type Contents interface {
	// Put stores everything r yields and names it by its digest. The content
	// can be opened when Put returns, and is durable once a change that needs
	// it is committed: a Create or Update of a Transfer that Needs it, a
	// SetValue that holds it. Storing the same content again costs no space. An
	// error of r is returned as it is, and nothing is kept.
	Put(ctx context.Context, r io.Reader) (Content, error)
	// Open gives stored content back, ErrNotFound if there is none.
	Open(ctx context.Context, sha256 string) (Opened, error)
	// Sweep removes the content that no Transfer needs, no value holds, and
	// nobody put since before; dry only counts it. It works in small steps
	// between the changes of others. When it returns an error, what it says it
	// removed is removed.
	Sweep(ctx context.Context, before time.Time, dry bool) (Swept, error)
}

// Swept is what a Sweep found.
type Swept struct {
	Removed, RemovedBytes int64 // contents that nothing needs, and their octets
	Kept, KeptBytes       int64 // contents that stay
}

// Transfers keeps the records, and knows which is to be worked on next. A record
// is what Record makes of a Transfer and OpenRecord reads, so that what a newer
// program put into it survives whatever an older one does.
type Transfers interface {
	// Create commits new Transfers, all or none, in one transaction. It returns
	// an *ExistsError, and changes nothing, if another Transfer has the ID or
	// one of the Unique keys of any of them; a *MissingError if one Needs
	// content that is not there. Keys are UTF-8; ID and Direction never change.
	Create(ctx context.Context, ts ...*Transfer) error
	// Update reads a Transfer, lets change alter it, and commits the result,
	// all in one transaction: no other change comes between. If change returns
	// an error, nothing happens and Update returns that error. change may be
	// called more than once and must not call the Store. It returns the
	// Transfer as committed, ErrNotFound if there is none, an *ExistsError, or
	// a *MissingError for content that it did not need before.
	Update(ctx context.Context, id string, change func(*Transfer) error) (*Transfer, error)
	// Remove forgets a Transfer whose retention is over, all of it but its rows
	// in the journal; ErrNotFound if there is none.
	Remove(ctx context.Context, id string) error
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
	// Find returns at most limit Transfers that have key among their Unique or
	// Lookup keys, oldest first, those with an ID above after only; "" begins
	// with the oldest. IDs are UUIDv7, so that after may stand for a moment.
	Find(ctx context.Context, key, after string, limit int) ([]*Transfer, error)
	// List returns at most limit Transfers of one direction, newest first,
	// those with an ID below before only; "" begins with the newest.
	List(ctx context.Context, d Direction, before string, limit int) ([]*Transfer, error)
}

// Values keeps small values by name.
type Values interface {
	// Value returns what was last stored under name, nil if nothing.
	Value(ctx context.Context, name string) ([]byte, error)
	// SetValue stores a value of at most 64 KiB under a name of at most 1,000
	// octets of UTF-8; a nil value removes it. holds are the digests of content
	// that the value needs, as a Transfer does; those of the value before are
	// let go.
	SetValue(ctx context.Context, name string, value []byte, holds ...string) error
	// SwapValue does the same, but only if the value is old at that moment, nil
	// for none; it reports whether it did. What it stores holds no content.
	SwapValue(ctx context.Context, name string, old, value []byte) (bool, error)
	// Values returns at most limit values whose names begin with prefix, in the
	// order of the octets of their names, those above after only.
	Values(ctx context.Context, prefix, after string, limit int) ([]NamedValue, error)
}

// NamedValue is a value with the name under which it is stored.
type NamedValue struct {
	Name  string
	Value []byte
}

// Records answers questions about many Transfers at a cost that does not grow
// with their number.
type Records interface {
	// Counts returns how many Transfers have each Count key that begins with
	// prefix; keys that none has are left out.
	Counts(ctx context.Context, prefix string) (map[string]int64, error)
	// Search returns what List would, of the Transfers that fit: each of words
	// is the beginning of one of the Transfer's Words. No words fit every
	// Transfer. What is committed is found at once.
	Search(ctx context.Context, d Direction, words []string, before string, limit int) ([]*Transfer, error)
	// Chains returns the names of the journal's chains, in order: one per node
	// that has written to the store.
	Chains(ctx context.Context) ([]string, error)
	// Journal returns at most limit rows of one chain, oldest first, those with
	// a number above after only, each in the form of Entry.Seal. A row is
	// written in the same commit as the transition it records.
	Journal(ctx context.Context, chain string, after uint64, limit int) ([][]byte, error)
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

// MissingError says that content which is needed is not in the store.
type MissingError struct {
	SHA256 string
}

// Error names the content.
func (e *MissingError) Error() string {
	return fmt.Sprintf("node: content %.80q is needed but not stored", e.SHA256)
}

// Error names the key and its owner.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("node: transfer %s has the key %q already", e.ID, e.Key)
}
