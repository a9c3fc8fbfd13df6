package boltstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/storetest"
)

// TestFaulty lets each changing call fail on both sides, and looks whether it
// was applied.
func TestFaulty(t *testing.T) {
	record := func() *node.Transfer {
		return &node.Transfer{ID: "1", Direction: node.Out, Due: time.Unix(1, 0)}
	}
	type verb struct {
		prepare func(context.Context, node.Store) error
		call    func(context.Context, node.Store) error
		applied func(context.Context, node.Store) bool
	}
	none := func(context.Context, node.Store) error { return nil }
	create := func(ctx context.Context, s node.Store) error { return s.Create(ctx, record()) }
	state := func(ctx context.Context, s node.Store) (*node.Transfer, error) { return s.Transfer(ctx, "1") }
	for name, v := range map[string]verb{
		"Create": {none, create, func(ctx context.Context, s node.Store) bool { _, err := state(ctx, s); return err == nil }},
		"Update": {create, func(ctx context.Context, s node.Store) error {
			got, err := s.Update(ctx, "1", func(t *node.Transfer) error { t.Tries = 7; return nil })
			if err != nil && got != nil {
				return errors.New("an answer beside an error")
			}
			return err
		}, func(ctx context.Context, s node.Store) bool { got, _ := state(ctx, s); return got.Tries == 7 }},
		"Remove": {create, func(ctx context.Context, s node.Store) error { return s.Remove(ctx, "1") },
			func(ctx context.Context, s node.Store) bool { _, err := state(ctx, s); return err != nil }},
		"Lease": {create, func(ctx context.Context, s node.Store) error {
			_, err := s.Lease(ctx, node.Out, "w", time.Unix(2, 0), time.Hour)
			return err
		}, func(ctx context.Context, s node.Store) bool { got, _ := state(ctx, s); return got.Lease == "w" }},
		"SetValue": {none, func(ctx context.Context, s node.Store) error { return s.SetValue(ctx, "v", []byte("1")) },
			func(ctx context.Context, s node.Store) bool { v, _ := s.Value(ctx, "v"); return v != nil }},
		"SwapValue": {none, func(ctx context.Context, s node.Store) error {
			_, err := s.SwapValue(ctx, "v", nil, []byte("1"))
			return err
		},
			func(ctx context.Context, s node.Store) bool { v, _ := s.Value(ctx, "v"); return v != nil }},
		"Put": {none, func(ctx context.Context, s node.Store) error {
			_, err := s.Put(ctx, strings.NewReader("x"))
			return err
		},
			func(ctx context.Context, s node.Store) bool {
				_, err := s.Open(ctx, digestOf([]byte("x")))
				return err == nil
			}},
		"Sweep": {func(ctx context.Context, s node.Store) error {
			_, err := s.Put(ctx, strings.NewReader("x"))
			return err
		},
			func(ctx context.Context, s node.Store) error { _, err := s.Sweep(ctx, later(), false); return err },
			func(ctx context.Context, s node.Store) bool {
				_, err := s.Open(ctx, digestOf([]byte("x")))
				return err != nil
			}},
	} {
		for _, when := range []storetest.When{storetest.Before, storetest.After} {
			s := open(t, t.TempDir())
			f := storetest.NewFaulty(s)
			if err := v.prepare(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			f.Fail(name, 1, when)
			if err := v.call(t.Context(), f); !errors.Is(err, storetest.ErrInjected) {
				t.Errorf("%s: error %v", name, err)
			}
			if got := v.applied(t.Context(), s); got != (when == storetest.After) {
				t.Errorf("%s failing at %d: applied %v", name, when, got)
			}
			if f.Calls(name) != 1 || f.Pending() != 0 {
				t.Errorf("%s: %d calls, %d faults left", name, f.Calls(name), f.Pending())
			}
			s.Close()
		}
	}
}

func TestFaultyCounts(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	f := storetest.NewFaulty(s)
	f.Fail("Value", 3, storetest.Before)
	f.Fail("Transfer", 1, storetest.Before)
	for i := 1; i <= 4; i++ {
		_, err := f.Value(t.Context(), "v")
		if errors.Is(err, storetest.ErrInjected) != (i == 3) {
			t.Errorf("call %d: error %v", i, err)
		}
	}
	if f.Pending() != 1 {
		t.Errorf("%d faults left, want that of Transfer", f.Pending())
	}
}
