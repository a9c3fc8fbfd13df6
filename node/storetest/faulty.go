package storetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/lienthong/lienthong/node"
)

// ErrInjected is the error of a call that a Faulty let fail.
var ErrInjected = errors.New("storetest: injected fault")

// When says on which side of a call a fault lies.
type When int

// The two faults that a caller cannot tell apart, and must both survive.
const (
	Before When = iota // the call fails, and nothing happened
	After              // the call fails, but was applied
)

// Faulty is a Store whose calls fail when they are told to, each once. Calls go
// by the names of their methods.
type Faulty struct {
	node.Store

	mu     sync.Mutex
	faults []fault
	calls  map[string]int
}

type fault struct {
	call string
	n    int // how many calls are left until it strikes
	when When
}

// NewFaulty returns s with no faults yet.
func NewFaulty(s node.Store) *Faulty {
	return &Faulty{Store: s, calls: map[string]int{}}
}

// Fail makes the nth call of a method from now on, counted from 1, fail.
func (f *Faulty) Fail(call string, nth int, when When) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, fault{call, nth, when})
}

// Calls returns how often a method was called, failed calls included.
func (f *Faulty) Calls(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[call]
}

// Pending returns how many faults have not struck yet: a test that leaves some
// has not tested what it says.
func (f *Faulty) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.faults)
}

// due counts a call and returns the fault that strikes it.
func (f *Faulty) due(call string) (strikes bool, when When) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call]++
	left := f.faults[:0]
	for _, x := range f.faults {
		if x.call == call {
			x.n--
		}
		if x.n == 0 && !strikes {
			strikes, when = true, x.when
			continue
		}
		left = append(left, x)
	}
	f.faults = left
	return strikes, when
}

// through makes a call, unless a fault keeps it from being made; the answer of
// a call that fails is lost.
func through[T any](f *Faulty, call string, do func() (T, error)) (T, error) {
	var none T
	strikes, when := f.due(call)
	if strikes && when == Before {
		return none, ErrInjected
	}
	answer, err := do()
	if strikes {
		return none, errors.Join(ErrInjected, err)
	}
	return answer, err
}

// act is through for calls without an answer.
func act(f *Faulty, call string, do func() error) error {
	_, err := through(f, call, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// Put of the store, or a fault.
func (f *Faulty) Put(ctx context.Context, r io.Reader) (node.Content, error) {
	return through(f, "Put", func() (node.Content, error) { return f.Store.Put(ctx, r) })
}

// Open of the store, or a fault.
func (f *Faulty) Open(ctx context.Context, sha256 string) (node.Opened, error) {
	strikes, _ := f.due("Open")
	if strikes { // on either side: what is open would stay so
		return nil, ErrInjected
	}
	return f.Store.Open(ctx, sha256)
}

// Sweep of the store, or a fault.
func (f *Faulty) Sweep(ctx context.Context, before time.Time, dry bool) (node.Swept, error) {
	return through(f, "Sweep", func() (node.Swept, error) { return f.Store.Sweep(ctx, before, dry) })
}

// Create of the store, or a fault.
func (f *Faulty) Create(ctx context.Context, ts ...*node.Transfer) error {
	return act(f, "Create", func() error { return f.Store.Create(ctx, ts...) })
}

// Update of the store, or a fault.
func (f *Faulty) Update(ctx context.Context, id string, change func(*node.Transfer) error) (*node.Transfer, error) {
	return through(f, "Update", func() (*node.Transfer, error) { return f.Store.Update(ctx, id, change) })
}

// Remove of the store, or a fault.
func (f *Faulty) Remove(ctx context.Context, id string) error {
	return act(f, "Remove", func() error { return f.Store.Remove(ctx, id) })
}

// Lease of the store, or a fault.
func (f *Faulty) Lease(ctx context.Context, d node.Direction, holder string, now time.Time, hold time.Duration) (*node.Transfer, error) {
	return through(f, "Lease", func() (*node.Transfer, error) { return f.Store.Lease(ctx, d, holder, now, hold) })
}

// NextDue of the store, or a fault.
func (f *Faulty) NextDue(ctx context.Context, d node.Direction) (time.Time, error) {
	return through(f, "NextDue", func() (time.Time, error) { return f.Store.NextDue(ctx, d) })
}

// Transfer of the store, or a fault.
func (f *Faulty) Transfer(ctx context.Context, id string) (*node.Transfer, error) {
	return through(f, "Transfer", func() (*node.Transfer, error) { return f.Store.Transfer(ctx, id) })
}

// Find of the store, or a fault.
func (f *Faulty) Find(ctx context.Context, key, after string, limit int) ([]*node.Transfer, error) {
	return through(f, "Find", func() ([]*node.Transfer, error) { return f.Store.Find(ctx, key, after, limit) })
}

// List of the store, or a fault.
func (f *Faulty) List(ctx context.Context, d node.Direction, before string, limit int) ([]*node.Transfer, error) {
	return through(f, "List", func() ([]*node.Transfer, error) { return f.Store.List(ctx, d, before, limit) })
}

// Value of the store, or a fault.
func (f *Faulty) Value(ctx context.Context, name string) ([]byte, error) {
	return through(f, "Value", func() ([]byte, error) { return f.Store.Value(ctx, name) })
}

// SetValue of the store, or a fault.
func (f *Faulty) SetValue(ctx context.Context, name string, value []byte, holds ...string) error {
	return act(f, "SetValue", func() error { return f.Store.SetValue(ctx, name, value, holds...) })
}

// SwapValue of the store, or a fault.
func (f *Faulty) SwapValue(ctx context.Context, name string, old, value []byte) (bool, error) {
	return through(f, "SwapValue", func() (bool, error) { return f.Store.SwapValue(ctx, name, old, value) })
}
