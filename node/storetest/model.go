package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lienthong/lienthong/node"
)

// model is a store as a plain list, against which a real one is compared.
type model []*node.Transfer

func ready(t *node.Transfer) time.Time {
	if t.Due.IsZero() || t.Due.After(t.LeasedUntil) {
		return t.Due
	}
	return t.LeasedUntil
}

// head returns who can be leased next; among equals the older.
func (m model) head() *node.Transfer {
	var waiting []*node.Transfer
	for _, t := range m {
		if !ready(t).IsZero() {
			waiting = append(waiting, t)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	return slices.MinFunc(waiting, func(a, b *node.Transfer) int {
		return cmp.Or(ready(a).Compare(ready(b)), cmp.Compare(a.ID, b.ID))
	})
}

// clash tells whether another than t has one of its Unique keys.
func (m model) clash(t *node.Transfer) bool {
	return slices.ContainsFunc(m, func(o *node.Transfer) bool {
		return o.ID != t.ID && slices.ContainsFunc(t.Unique, func(k string) bool { return slices.Contains(o.Unique, k) })
	})
}

func (m model) find(key string) []string {
	found := []string{}
	for _, t := range m {
		if slices.Contains(t.Unique, key) || slices.Contains(t.Lookup, key) {
			found = append(found, t.ID)
		}
	}
	return found
}

// moments and keys are few, so that they collide.
func someTime(r *rand.Rand) time.Time {
	if n := r.IntN(8); n > 0 {
		return at(n)
	}
	return time.Time{}
}

func someKeys(r *rand.Rand) []string {
	var keys []string
	for range r.IntN(3) {
		keys = append(keys, fmt.Sprint("k", r.IntN(12)))
	}
	return keys
}

func someChange(r *rand.Rand, t *node.Transfer) {
	t.Due, t.LeasedUntil = someTime(r), someTime(r)
	t.Unique, t.Lookup = someKeys(r), someKeys(r)
	t.Tries = r.IntN(1000)
}

// modelled makes 400 random calls and compares every answer.
func modelled(h *house) {
	seed := rand.Uint64()
	h.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var m model
	for n := range 400 {
		switch r.IntN(4) {
		case 0:
			m = h.modelCreate(r, m, n)
		case 1:
			if len(m) > 0 {
				h.modelUpdate(r, m)
			}
		default:
			h.modelLease(m, at(r.IntN(12)), time.Duration(r.IntN(9))*time.Second)
		}
		if n%10 != 0 {
			continue
		}
		for k := range 12 {
			key := fmt.Sprint("k", k)
			h.same(key, h.find(key), m.find(key))
		}
		if h.Failed() {
			h.Fatalf("after call %d", n)
		}
	}
	for _, t := range m {
		h.same(t.ID, h.read(t.ID), t)
	}
}

func (h *house) modelCreate(r *rand.Rand, m model, n int) model {
	h.Helper()
	t := transfer(n)
	someChange(r, t)
	err := h.Create(h.Context(), t)
	if m.clash(t) {
		if e := (*node.ExistsError)(nil); !errors.As(err, &e) {
			h.Errorf("Create of a taken key: error %v", err)
		}
		return m
	}
	h.must(err)
	return append(m, t)
}

func (h *house) modelUpdate(r *rand.Rand, m model) {
	h.Helper()
	i := r.IntN(len(m))
	after := *m[i]
	someChange(r, &after)
	got, err := h.Update(h.Context(), after.ID, func(t *node.Transfer) error {
		*t = after
		return nil
	})
	if m.clash(&after) {
		if e := (*node.ExistsError)(nil); !errors.As(err, &e) {
			h.Errorf("Update to a taken key: error %v", err)
		}
		return
	}
	h.must(err)
	h.same("Update", got, &after)
	m[i] = &after
}

func (h *house) modelLease(m model, now time.Time, hold time.Duration) {
	h.Helper()
	want := m.head()
	var due time.Time
	if want != nil {
		due = ready(want)
	}
	h.nextDue(due)
	got, err := h.Lease(h.Context(), node.Out, "w", now, hold)
	if want == nil || due.After(now) {
		h.is("Lease", err, node.ErrNothingDue)
		return
	}
	h.must(err)
	want.Lease, want.LeasedUntil = "w", now.Add(hold)
	h.same("Lease", got, want)
}
