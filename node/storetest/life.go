package storetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
)

var valueCases = []testCase{
	{"what was set last comes back", valueRoundTrip},
	{"a value of 64 KiB is the largest", valueLimit},
	{"a cancelled context sets nothing", valueCancelled},
}

var lifeCases = []testCase{
	{"opening again finds everything", reopened},
	{"a closed store errs", closed},
	{"any order of calls gives what a plain model gives", modelled},
}

func (h *house) value(name string) []byte {
	h.Helper()
	v, err := h.Value(h.Context(), name)
	h.must(err)
	return v
}

func valueRoundTrip(h *house) {
	if v := h.value("a"); v != nil {
		h.Errorf("never set: %q, want nil", v)
	}
	mine := []byte("1\x00\xff")
	h.must(h.SetValue(h.Context(), "a", mine))
	h.must(h.SetValue(h.Context(), "ab", []byte{}))
	mine[0] = '9'
	h.value("a")[0] = '8'
	h.same("a", h.value("a"), []byte("1\x00\xff"))
	h.same("ab", h.value("ab"), []byte{})
	h.must(h.SetValue(h.Context(), "a", []byte("2")))
	h.same("a, set again", h.value("a"), []byte("2"))
}

func valueLimit(h *house) {
	largest := bytes.Repeat([]byte{7}, 64<<10)
	h.must(h.SetValue(h.Context(), "a", largest))
	if err := h.SetValue(h.Context(), "a", append(largest, 8)); err == nil {
		h.Error("one octet more: no error")
	}
	h.same("a", h.value("a"), largest)
}

func valueCancelled(h *house) {
	h.is("SetValue", h.SetValue(cancelled(), "a", []byte("1")), context.Canceled)
	if v := h.value("a"); v != nil {
		h.Errorf("%q was set", v)
	}
}

func reopened(h *house) {
	h.stock()
	h.create(full(1), dueAt(2, 3), dueAt(3, 4))
	h.same("leased", h.lease(3), id(2))
	c, err := h.Put(h.Context(), strings.NewReader("content"))
	h.must(err)
	h.must(h.SetValue(h.Context(), "v", []byte("1"), c.SHA256))
	counted, rows := h.counts(""), h.journal()
	for range 2 {
		h.reopen()
		h.same("Transfer", unleased(h.read(id(1))), unleased(full(1)))
		// A shared store keeps leases, a store of one process ends them.
		if until := h.read(id(2)).LeasedUntil; until.IsZero() {
			h.nextDue(at(3))
		} else {
			h.same("lease", until, at(3).Add(hold))
			h.nextDue(at(4))
		}
		h.same("unique key", h.find("u2"), []string{id(1)})
		h.same("lookup key", h.find("l2"), []string{id(1)})
		h.same("out", h.list(node.Out, "", 9), []string{id(3), id(2)})
		h.same("in", h.list(node.In, "", 9), []string{id(1)})
		h.same("value", h.value("v"), []byte("1"))
		h.same("counts", h.counts(""), counted)
		h.same("words", h.search(node.In, "w"), []string{id(1)})
		h.same("journal", h.journal(), rows)
		o, err := h.Open(h.Context(), c.SHA256)
		h.must(err)
		h.same("content", string(all(h, o)), "content")
		h.must(o.Close())
		again := transfer(4)
		again.Unique = []string{"u1"}
		h.exists("Create", h.Create(h.Context(), again), "u1", id(1))
	}
}

// unleased is a Transfer without its lease.
func unleased(t *node.Transfer) *node.Transfer {
	v := *t
	v.Lease, v.LeasedUntil = "", time.Time{}
	return &v
}

func closed(h *house) {
	h.create(dueAt(1, 1))
	c, err := h.Put(h.Context(), strings.NewReader("content"))
	h.must(err)
	o, err := h.Open(h.Context(), c.SHA256)
	h.must(err)
	h.must(h.Close())
	h.must(h.Close())
	ctx := h.Context()
	for what, call := range map[string]func() error{
		"Put":    func() error { _, err := h.Put(ctx, strings.NewReader("more")); return err },
		"Open":   func() error { _, err := h.Open(ctx, c.SHA256); return err },
		"Create": func() error { return h.Create(ctx, transfer(2)) },
		"Update": func() error {
			_, err := h.Update(ctx, id(1), func(*node.Transfer) error { return nil })
			return err
		},
		"Lease":     func() error { _, err := h.Lease(ctx, node.Out, "w", at(1), hold); return err },
		"NextDue":   func() error { _, err := h.NextDue(ctx, node.Out); return err },
		"Transfer":  func() error { _, err := h.Transfer(ctx, id(1)); return err },
		"Find":      func() error { _, err := h.Find(ctx, "k", "", 1); return err },
		"List":      func() error { _, err := h.List(ctx, node.Out, "", 1); return err },
		"Value":     func() error { _, err := h.Value(ctx, "a"); return err },
		"SetValue":  func() error { return h.SetValue(ctx, "a", nil) },
		"SwapValue": func() error { _, err := h.SwapValue(ctx, "a", nil, nil); return err },
		"Values":    func() error { _, err := h.Values(ctx, "", "", 1); return err },
		"Sweep":     func() error { _, err := h.Sweep(ctx, at(1), false); return err },
		"Remove":    func() error { return h.Remove(ctx, id(1)) },
		"Counts":    func() error { _, err := h.Counts(ctx, ""); return err },
		"Search":    func() error { _, err := h.Search(ctx, node.Out, []string{"a"}, "", 1); return err },
		"Chains":    func() error { _, err := h.Chains(ctx); return err },
		"Journal":   func() error { _, err := h.Journal(ctx, "", 0, 1); return err },
	} {
		if err := call(); err == nil || errors.Is(err, node.ErrNotFound) || errors.Is(err, node.ErrNothingDue) {
			h.Errorf("%s: error %v, want one that says the store is closed", what, err)
		}
	}
	h.same("content handed out before", string(all(h, o)), "content")
	h.must(o.Close())
}
