package storetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
)

var sweepCases = []testCase{
	{"what is needed stays, what is not goes", sweepNeeded},
	{"what was put since stays", sweepRecent},
	{"a dry sweep only counts", sweepDry},
	{"what was purged is needed no longer", sweepPurged},
	{"content in use is never swept", sweepRace},
}

var countCases = []testCase{
	{"counters follow every change", countChanges},
	{"counters are exact under many changes at once", countAtOnce},
}

var searchCases = []testCase{
	{"words are found by their beginnings", searchPrefixes},
	{"what changes is found as it is now", searchChanges},
	{"pages have no gaps or doubles, indexed or not", searchPages},
	{"any order of calls finds what a plain search finds", searchModelled},
}

var journalCases = []testCase{
	{"every transition has its row, and each row its predecessor", journalRows},
	{"a change in place is a change", journalInPlace},
	{"what is no transition leaves no row", journalSilent},
	{"what is refused leaves no row", journalRefused},
	{"the chain holds under many changes at once", journalAtOnce},
}

func (h *house) sweep(before time.Time, dry bool) node.Swept {
	h.Helper()
	s, err := h.Sweep(h.Context(), before, dry)
	h.must(err)
	return s
}

// put stores text and returns its name.
func (h *house) put(text string) node.Content {
	h.Helper()
	c, err := h.Put(h.Context(), strings.NewReader(text))
	h.must(err)
	return c
}

func (h *house) has(digest string) bool {
	h.Helper()
	o, err := h.Open(h.Context(), digest)
	if err != nil {
		h.is("Open", err, node.ErrNotFound)
		return false
	}
	h.must(o.Close())
	return true
}

// later is after everything that was put.
func later() time.Time { return time.Now().Add(time.Hour) }

func sweepNeeded(h *house) {
	h.same("empty", h.sweep(later(), false), node.Swept{})
	large := strings.Repeat("tờ trình ", 100_000)
	envelope, part, held, value, both := h.put("envelope"), h.put(large), h.put("held"), h.put("value"), h.put("both")
	orphan, big := h.put("orphan"), h.put(large+"!")
	t := transfer(1)
	t.Envelope, t.Parts, t.Holds = envelope, []node.Part{{Content: part}, {Content: part}}, []string{held.SHA256, both.SHA256}
	h.create(t)
	h.must(h.SetValue(h.Context(), "v", []byte("1"), value.SHA256, both.SHA256))
	got := h.sweep(later(), false)
	want := node.Swept{Removed: 2, RemovedBytes: orphan.Size + big.Size, Kept: 5, KeptBytes: envelope.Size + part.Size + held.Size + value.Size + both.Size}
	h.same("swept", got, want)
	for c, stays := range map[node.Content]bool{envelope: true, part: true, held: true, value: true, both: true, orphan: false, big: false} {
		h.same(c.SHA256, h.has(c.SHA256), stays)
	}
	h.must(h.SetValue(h.Context(), "v", []byte("2")))
	h.same("the value let go", h.sweep(later(), false).RemovedBytes, value.Size)
	h.must(h.SetValue(h.Context(), "w", []byte("2"), both.SHA256))
	h.must(h.Remove(h.Context(), id(1)))
	h.same("the transfer let go", h.sweep(later(), false).RemovedBytes, envelope.Size+part.Size+held.Size)
	h.must(h.SetValue(h.Context(), "w", nil))
	h.same("nothing needs it", h.sweep(later(), false), node.Swept{Removed: 1, RemovedBytes: both.Size})
	h.reopen()
	h.same("after opening again", h.has(both.SHA256), false)
}

func sweepRecent(h *house) {
	h.put("old")
	moment := time.Now()
	h.put("new")
	h.put("old") // put anew
	h.same("swept", h.sweep(moment, false), node.Swept{Kept: 2, KeptBytes: 6})
}

func sweepDry(h *house) {
	c := h.put("orphan")
	h.same("dry", h.sweep(later(), true), node.Swept{Removed: 1, RemovedBytes: 6})
	h.same("there", h.has(c.SHA256), true)
	_, err := h.Sweep(cancelled(), later(), false)
	h.is("cancelled", err, context.Canceled)
	h.same("still there", h.has(c.SHA256), true)
}

func sweepPurged(h *house) {
	h.stock()
	h.create(full(1))
	h.same("before", h.sweep(later(), false).Removed, int64(0))
	want := h.update(id(1), func(t *node.Transfer) { t.Purged, t.Holds = at(9), nil })
	h.same("after", h.sweep(later(), false).Removed, int64(3))
	h.same("the record stays", h.read(id(1)), want)
}

// sweepRace sweeps while others put and hold: what is held can be opened.
func sweepRace(h *house) {
	const workers, turns = 8, 30
	stop := make(chan struct{})
	swept := make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				swept <- nil
				return
			default:
			}
			if _, err := h.Sweep(h.Context(), later(), false); err != nil {
				swept <- err
				return
			}
		}
	}()
	together(workers, func(w int) {
		for n := range turns {
			text := fmt.Sprint("content ", n) // the same of all workers
			if w%2 == 0 {
				text = strings.Repeat(text, 50_000)
			}
			c, err := h.Put(h.Context(), strings.NewReader(text))
			if err != nil {
				h.Error(err)
				return
			}
			t := transfer(1000*w + n)
			t.Envelope = c
			if err := h.Create(h.Context(), t); err != nil {
				h.lacks("Create", err, c.SHA256) // swept before: fair
				continue
			}
			o, err := h.Open(h.Context(), c.SHA256)
			if err != nil {
				h.Errorf("held, and gone: %v", err)
				return
			}
			if err := o.Close(); err != nil {
				h.Error(err)
			}
		}
	})
	close(stop)
	h.must(<-swept)
	for _, t := range h.list(node.Out, "", workers*turns) {
		if c := h.read(t).Envelope; !h.has(c.SHA256) {
			h.Errorf("%s has lost its content", t)
		}
	}
}

func (h *house) counts(prefix string) map[string]int64 {
	h.Helper()
	c, err := h.Counts(h.Context(), prefix)
	h.must(err)
	return c
}

func countChanges(h *house) {
	h.same("empty", h.counts(""), map[string]int64{})
	a, b := transfer(1), transfer(2)
	a.Count, b.Count = []string{"sent/2026", "sent/2026", "by/H41"}, []string{"sent/2026", "by/G22"}
	h.create(a, b)
	h.same("all", h.counts(""), map[string]int64{"sent/2026": 2, "by/H41": 1, "by/G22": 1})
	h.same("some", h.counts("by/"), map[string]int64{"by/H41": 1, "by/G22": 1})
	h.update(id(1), func(t *node.Transfer) { t.Count = []string{"sent/2026", "by/G22", "late"} })
	h.same("changed", h.counts(""), map[string]int64{"sent/2026": 2, "by/G22": 2, "late": 1})
	h.must(h.Remove(h.Context(), id(2)))
	h.same("removed", h.counts(""), map[string]int64{"sent/2026": 1, "by/G22": 1, "late": 1})
	h.same("nothing begins so", h.counts("x"), map[string]int64{})
}

func countAtOnce(h *house) {
	const workers, turns = 16, 10
	together(workers, func(w int) {
		for n := range turns {
			t := transfer(100*w + n)
			t.Count = []string{"all", fmt.Sprint("of ", w%4)}
			if err := h.Create(h.Context(), t); err != nil {
				h.Error(err)
			}
			if _, err := h.Update(h.Context(), t.ID, func(t *node.Transfer) error { t.Count = append(t.Count, "twice"); return nil }); err != nil {
				h.Error(err)
			}
		}
	})
	want := map[string]int64{"all": workers * turns, "twice": workers * turns}
	for w := range 4 {
		want[fmt.Sprint("of ", w)] = workers * turns / 4
	}
	h.same("counts", h.counts(""), want)
}

// search returns the IDs of the first page.
func (h *house) search(d node.Direction, words ...string) []string {
	h.Helper()
	all, err := h.Search(h.Context(), d, words, "", 1000)
	h.must(err)
	return ids(all)
}

func worded(n int, words ...string) *node.Transfer {
	t := transfer(n)
	t.Words = words
	return t
}

func searchPrefixes(h *house) {
	in := worded(5, "nghi", "dinh")
	in.Direction = node.In
	h.create(
		worded(1, "nghi", "dinh", "2026"),
		worded(2, "nghiem", "thu"),
		worded(3, "đề", "án", "a%_b"),
		worded(4, "0123456789abcdef", "0123456789abc"), // longer than what an index need hold
		in, transfer(6),
	)
	for query, want := range map[string][]string{
		"nghi": {id(2), id(1)}, "nghie": {id(2)}, "n": {id(2), id(1)}, "ghi": {}, "nghi dinh": {id(1)}, "d nghi 2": {id(1)},
		"nghi thu": {id(2)}, "dinh thu": {}, "đ": {id(3)}, "d": {id(1)}, "đề á": {id(3)}, "a%": {id(3)}, "a_": {}, "N": {},
		"0123456789abcde": {id(4)}, "0123456789abcdf": {}, "0123456789ab": {id(4)}, "x": {}, "2026 nghi dinh": {id(1)},
		"a\x00": {},
	} {
		h.same(query, h.search(node.Out, strings.Split(query, " ")...), want)
	}
	h.same("inbox", h.search(node.In, "nghi"), []string{id(5)})
	h.same("no words", h.search(node.Out), []string{id(6), id(4), id(3), id(2), id(1)})
	h.same("an empty word", h.search(node.Out, "", "nghi"), []string{id(2), id(1)})
	if _, err := h.Search(h.Context(), "up", []string{"a"}, "", 1); err == nil {
		h.Error("an unknown direction: no error")
	}
}

func searchChanges(h *house) {
	h.create(worded(1, "cũ"))
	h.update(id(1), func(t *node.Transfer) { t.Words = []string{"mới", "nguyên"} })
	h.same("old word", h.search(node.Out, "cũ"), []string{})
	h.same("new word", h.search(node.Out, "mới"), []string{id(1)})
	h.reopen()
	h.update(id(1), func(t *node.Transfer) { t.Words[0] = "khác" })
	h.same("given up", h.search(node.Out, "mới"), []string{})
	h.same("taken", h.search(node.Out, "khác", "nguyên"), []string{id(1)})
	h.must(h.Remove(h.Context(), id(1)))
	h.same("removed", h.search(node.Out, "k"), []string{})
}

func searchPages(h *house) {
	const n = 150
	want := []string{}
	for i := range n {
		h.create(worded(i, "chung", fmt.Sprint("riêng", i%2)))
		if i%2 == 0 {
			want = append(want, id(i))
		}
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 7, 50, n} {
		got, before := []string{}, ""
		for {
			page, err := h.Search(h.Context(), node.Out, []string{"chu", "riêng0"}, before, limit)
			h.must(err)
			if len(page) == 0 {
				break
			}
			if len(page) > limit {
				h.Fatalf("a page of %d, limit %d", len(page), limit)
			}
			got, before = append(got, ids(page)...), page[len(page)-1].ID
		}
		h.same(fmt.Sprint("pages of ", limit), got, want)
	}
	none, err := h.Search(h.Context(), node.Out, []string{"chung"}, "", 0)
	h.must(err)
	h.same("limit 0", ids(none), []string{})
}

func searchModelled(h *house) {
	seed := rand.Uint64()
	h.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	some := func() (words []string) {
		for range r.IntN(4) {
			words = append(words, strings.Repeat("ab", r.IntN(2))+strings.Repeat("c", 1+r.IntN(3)))
		}
		return words
	}
	m := map[string][]string{}
	for n := range 200 {
		switch r.IntN(4) {
		case 0, 1:
			t := worded(n, some()...)
			h.create(t)
			m[t.ID] = t.Words
		case 2:
			for id := range m {
				words := some()
				h.update(id, func(t *node.Transfer) { t.Words = words })
				m[id] = words
				break
			}
		case 3:
			for id := range m {
				h.must(h.Remove(h.Context(), id))
				delete(m, id)
				break
			}
		}
		query := append(some(), "a", "c")[:1+r.IntN(2)]
		want := []string{}
		for _, id := range slices.Backward(slices.Sorted(maps.Keys(m))) {
			if !slices.ContainsFunc(query, func(q string) bool {
				return !slices.ContainsFunc(m[id], func(w string) bool { return strings.HasPrefix(w, q) })
			}) {
				want = append(want, id)
			}
		}
		h.same(fmt.Sprint(query), h.search(node.Out, query...), want)
		if h.Failed() {
			h.Fatalf("after call %d", n)
		}
	}
}

// journal returns all rows of all chains, and checks that they hold together.
func (h *house) journal() []*node.Entry {
	h.Helper()
	chains, err := h.Chains(h.Context())
	h.must(err)
	if !slices.IsSorted(chains) {
		h.Errorf("chains %q are not in order", chains)
	}
	entries := []*node.Entry{}
	var copied bytes.Buffer
	for _, chain := range chains {
		for after := uint64(0); ; after += 3 { // in pages
			rows, err := h.Journal(h.Context(), chain, after, 3)
			h.must(err)
			for i, row := range rows {
				e, err := node.OpenEntry(row)
				h.must(err)
				if e.Chain != chain || e.Seq != after+1+uint64(i) {
					h.Fatalf("row %d of %q says that it is row %d of %q", after+1+uint64(i), chain, e.Seq, e.Chain)
				}
				if e.At.IsZero() {
					h.Errorf("row %d has no time", e.Seq)
				}
				copied.Write(append(row, '\n'))
				entries = append(entries, e)
			}
			if len(rows) < 3 {
				break
			}
		}
	}
	if _, err := node.VerifyJournal(&copied); err != nil {
		h.Error(err)
	}
	none, err := h.Journal(h.Context(), "no such chain", 0, 9)
	h.must(err)
	h.same("no such chain", len(none), 0)
	return entries
}

func journalRows(h *house) {
	h.same("empty", h.journal(), []*node.Entry{})
	h.stock()
	h.create(full(1), transfer(2))
	h.update(id(2), func(t *node.Transfer) { t.State, t.AxisID = node.Sent, "17" })
	h.update(id(2), func(t *node.Transfer) { t.Receivers = []node.Receiver{{OrganID: "000.00.00.H41", Code: "01"}} })
	h.update(id(1), func(t *node.Transfer) {
		t.Acts = append(t.Acts, node.Act{At: at(8), Actor: "bình", Action: "purge", Reason: "hết hạn"})
		t.Purged, t.Holds = at(9), nil
	})
	h.must(h.Remove(h.Context(), id(1)))
	got := h.journal()
	var events []string
	for _, e := range got {
		events = append(events, fmt.Sprint(e.Event, " ", e.Transfer[len(e.Transfer)-1:], " ", e.Was, ">", e.State))
	}
	h.same("events", events, []string{
		"created 1 >verified", "created 2 >queued", "changed 2 queued>sent", "changed 2 >sent", "purged 1 >verified", "removed 1 >verified",
	})
	if h.Failed() {
		return
	}
	needs := full(1).Needs()
	h.same("contents", got[0].Contents, needs)
	h.same("axis", got[2].AxisID, "17")
	h.same("receivers", got[3].Receivers, []node.Reported{{OrganID: "000.00.00.H41", Code: "01"}})
	h.same("purged contents", got[4].Contents, needs)
	h.same("acts", got[4].Acts, []node.Act{{At: at(8), Actor: "bình", Action: "purge", Reason: "hết hạn"}})
}

// journalInPlace changes slices where they are, as callers may.
func journalInPlace(h *house) {
	h.stock()
	h.create(full(1))
	h.update(id(1), func(t *node.Transfer) { t.Receivers[0].Code = "06" })
	h.update(id(1), func(t *node.Transfer) { t.Holds[0] = t.Parts[0].Content.SHA256 })
	h.update(id(1), func(t *node.Transfer) { t.Words[0], t.Count[0] = "new", "new" })
	got := h.journal()
	h.same("rows", len(got), 3)
	if h.Failed() {
		return
	}
	h.same("receiver", got[1].Receivers, []node.Reported{{OrganID: full(1).Receivers[0].OrganID, Code: "06"}})
	h.same("contents", got[2].Contents, full(1).Holds)
	h.same("old word", h.search(node.In, "w1"), []string{})
	h.same("new word", h.search(node.In, "new"), []string{id(1)})
	h.same("counts", h.counts(""), map[string]int64{"c2": 1, "new": 1})
}

func journalSilent(h *house) {
	h.create(dueAt(1, 1))
	h.same("leased", h.lease(1), id(1))
	h.update(id(1), func(t *node.Transfer) { t.Tries, t.Due, t.Lease, t.LeasedUntil = 3, at(8), "", time.Time{} })
	h.must(h.SetValue(h.Context(), "v", []byte("1")))
	h.put("content")
	h.same("rows", len(h.journal()), 1)
}

func journalRefused(h *house) {
	t := transfer(1)
	t.Unique = []string{"a"}
	h.create(t)
	again := transfer(2)
	again.Unique = []string{"a"}
	h.exists("Create", h.Create(h.Context(), transfer(3), again), "a", id(1))
	_, err := h.Update(h.Context(), id(1), func(t *node.Transfer) error { t.State = node.Sent; return context.DeadlineExceeded })
	h.is("Update", err, context.DeadlineExceeded)
	h.same("rows", len(h.journal()), 1)
}

func journalAtOnce(h *house) {
	const workers, turns = 16, 8
	together(workers, func(w int) {
		for n := range turns {
			t := transfer(100*w + n)
			if err := h.Create(h.Context(), t); err != nil {
				h.Error(err)
			}
			if _, err := h.Update(h.Context(), t.ID, func(t *node.Transfer) error { t.State = node.Sent; return nil }); err != nil {
				h.Error(err)
			}
		}
	})
	h.same("rows", len(h.journal()), 2*workers*turns)
}
