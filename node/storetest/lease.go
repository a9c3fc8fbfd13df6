package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lienthong/lienthong/node"
)

var leaseCases = []testCase{
	{"the oldest due comes first", leaseOrder},
	{"what is not due yet waits until that very moment", leaseWhenDue},
	{"the other direction stays untouched", leaseDirection},
	{"the holder and the end are recorded", leaseRecorded},
	{"what is leased comes again when the lease ends", leaseEnds},
	{"what was released is due when it says", leaseReleased},
	{"what has nothing due is not leased", leaseDone},
	{"32 workers get each of 500 exactly once", leaseWorkers},
	{"workers and changes at once lose nothing", leaseAndUpdate},
	{"a cancelled context leases nothing", leaseCancelled},
}

const hold = 10 * time.Second

// lease takes what is due at a second and returns its ID, "" for nothing.
func (h *house) lease(second int) string {
	h.Helper()
	t, err := h.Lease(h.Context(), node.Out, "w", at(second), hold)
	if errors.Is(err, node.ErrNothingDue) {
		return ""
	}
	h.must(err)
	return t.ID
}

// leases takes at a second until nothing is due.
func (h *house) leases(second int) []string {
	h.Helper()
	all := []string{}
	for got := h.lease(second); got != ""; got = h.lease(second) {
		if all = append(all, got); len(all) > 1000 {
			h.Fatalf("%s is leased again and again", got)
		}
	}
	return all
}

func (h *house) nextDue(want time.Time) {
	h.Helper()
	got, err := h.NextDue(h.Context(), node.Out)
	h.must(err)
	h.same("NextDue", got, want)
}

func leaseOrder(h *house) {
	h.nextDue(time.Time{})
	early := dueAt(6, 0)
	early.Due = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC) // before 1970 and what nanoseconds reach
	other := dueAt(3, 1)
	other.Due = at(1).Add(-time.Nanosecond).In(time.FixedZone("+07:00", 7*60*60))
	h.create(dueAt(1, 5), dueAt(2, 1), other, dueAt(4, 3), dueAt(5, 9), early, transfer(7))
	h.nextDue(early.Due)
	h.same("leased", h.leases(8), []string{id(6), id(3), id(2), id(4), id(1)})
	h.nextDue(at(9))
}

func leaseWhenDue(h *house) {
	h.create(dueAt(1, 5))
	_, err := h.Lease(h.Context(), node.Out, "w", at(5).Add(-time.Nanosecond), hold)
	h.is("one nanosecond before", err, node.ErrNothingDue)
	h.nextDue(at(5))
	h.same("then", h.lease(5), id(1))
}

func leaseDirection(h *house) {
	in := dueAt(1, 1)
	in.Direction = node.In
	h.create(in, dueAt(2, 3))
	h.nextDue(at(3))
	h.same("out", h.leases(9), []string{id(2)})
	due, err := h.NextDue(h.Context(), node.In)
	h.must(err)
	h.same("in", due, at(1))
	for _, d := range []node.Direction{"", "up"} {
		if _, err := h.Lease(h.Context(), d, "w", at(9), hold); err == nil || errors.Is(err, node.ErrNothingDue) {
			h.Errorf("Lease of %q: error %v", d, err)
		}
		if _, err := h.NextDue(h.Context(), d); err == nil {
			h.Errorf("NextDue of %q: no error", d)
		}
	}
}

func leaseRecorded(h *house) {
	h.create(dueAt(1, 1))
	got, err := h.Lease(h.Context(), node.Out, "worker 7", at(2), hold)
	h.must(err)
	want := dueAt(1, 1)
	want.Lease, want.LeasedUntil = "worker 7", at(2).Add(hold)
	h.same("returned", got, want)
	h.same("stored", h.read(id(1)), want)
}

func leaseEnds(h *house) {
	h.create(dueAt(1, 1), dueAt(2, 8))
	h.same("at 2", h.leases(2), []string{id(1)})
	h.nextDue(at(8))
	h.same("at 11", h.leases(11), []string{id(2)})
	h.nextDue(at(12))
	h.same("at 12", h.leases(12), []string{id(1)}) // held again until 22
	h.same("at 22", h.leases(22), []string{id(2), id(1)})
	h.create(dueAt(3, 31))
	h.same("by the moment they could be leased", h.leases(40), []string{id(3), id(1), id(2)})
}

func leaseReleased(h *house) {
	release := func(due time.Time) {
		h.update(id(1), func(t *node.Transfer) { t.Lease, t.LeasedUntil, t.Due = "", time.Time{}, due })
	}
	h.create(dueAt(1, 1))
	h.same("first", h.lease(1), id(1))
	release(at(4))
	h.nextDue(at(4))
	h.same("second", h.lease(4), id(1))
	release(at(60)) // past the end of the lease it had
	h.same("too early", h.lease(59), "")
	h.same("third", h.lease(60), id(1))
	h.update(id(1), func(t *node.Transfer) { t.Due = at(65) }) // still held
	h.nextDue(at(70))
	h.update(id(1), func(t *node.Transfer) { t.Due = at(90) })
	h.nextDue(at(90))
}

func leaseDone(h *house) {
	h.create(dueAt(1, 1))
	h.same("first", h.lease(1), id(1))
	h.update(id(1), func(t *node.Transfer) { t.Due = time.Time{} }) // the lease still runs
	h.nextDue(time.Time{})
	h.same("later", h.lease(1000), "")
}

func leaseWorkers(h *house) {
	const workers, transfers = 32, 500
	together(workers, func(w int) {
		for n := w; n < transfers; n += workers {
			if err := h.Create(h.Context(), dueAt(n, n%7)); err != nil {
				h.Error(err)
			}
		}
	})
	var mu sync.Mutex
	times := map[string]int{}
	together(workers, func(int) {
		for {
			t, err := h.Lease(h.Context(), node.Out, "w", at(10), hold)
			if err != nil {
				h.is("Lease", err, node.ErrNothingDue)
				return
			}
			mu.Lock()
			times[t.ID]++
			twice := times[t.ID] > 1
			mu.Unlock()
			if twice {
				return // reported below
			}
		}
	})
	for n := range transfers {
		if times[id(n)] != 1 {
			h.Errorf("%s was leased %d times", id(n), times[id(n)])
		}
	}
	h.nextDue(at(20))
}

// leaseAndUpdate lets workers do what a node does: lease, record, release until
// the third try, then finish. Nobody else may have touched it in between.
func leaseAndUpdate(h *house) {
	const workers, transfers, tries = 16, 60, 3
	for n := range transfers {
		h.create(dueAt(n, 1))
	}
	together(workers, func(int) {
		for {
			t, err := h.Lease(h.Context(), node.Out, "w", at(1), hold)
			if err != nil {
				h.is("Lease", err, node.ErrNothingDue)
				return
			}
			before := t.Tries
			_, err = h.Update(h.Context(), t.ID, func(t *node.Transfer) error {
				if t.Tries != before || t.Lease != "w" {
					h.Errorf("%s: try %d by %q, after a lease at try %d", t.ID, t.Tries, t.Lease, before)
				}
				t.Tries++
				t.Lease, t.LeasedUntil = "", time.Time{}
				if t.Tries == tries {
					t.Due = time.Time{}
				}
				return nil
			})
			if err != nil {
				h.Error(err)
				return
			}
		}
	})
	for n := range transfers { // who released one looks again, so nothing is left over
		if t := h.read(id(n)); t.Tries != tries || t.Lease != "" {
			h.Errorf("%s: %d tries, due %v, held by %q", t.ID, t.Tries, t.Due, t.Lease)
		}
	}
	h.nextDue(time.Time{})
}

func leaseCancelled(h *house) {
	h.create(dueAt(1, 1))
	_, err := h.Lease(cancelled(), node.Out, "w", at(1), hold)
	h.is("Lease", err, context.Canceled)
	h.same("still due", h.lease(1), id(1))
}
