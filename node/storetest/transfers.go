package storetest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

var createCases = []testCase{
	{"every field comes back", createKeepsAll},
	{"what is stored is a copy", createCopies},
	{"a taken unique key is refused and nothing changes", createConflict},
	{"a taken ID is refused", createSameID},
	{"exactly one of 20 with the same unique key wins", createRace},
	{"keys of any length stay apart", longKeys},
	{"what could not be found again is refused", createRefused},
	{"a cancelled context creates nothing", createCancelled},
	{"many are created all or none", createMany},
	{"content that is not there is refused", createMissing},
}

var updateCases = []testCase{
	{"the committed form comes back", updateCommits},
	{"an error of change comes back and nothing happens", updateFails},
	{"an unknown ID is not found", updateUnknown},
	{"no change comes between", updateAtomic},
	{"a taken unique key is refused and nothing changes", updateConflict},
	{"keys given up are free, new ones are found", updateKeys},
	{"ID and direction cannot change", updateIdentity},
	{"a cancelled context changes nothing", updateCancelled},
	{"content that is newly needed must be there", updateMissing},
	{"what a newer program wrote survives an older one", unknownSurvives},
	{"what is removed is gone with its keys", removed},
	{"mailboxes are a direction of their own", mailbox},
}

// full returns a Transfer with every field filled in, but Purged: what was
// purged needs nothing. Fields that no store looks at may be left to fill.
func full(n int) *node.Transfer {
	hanoi := time.FixedZone("+07:00", 7*60*60)
	t := &node.Transfer{
		ID: id(n), Direction: node.In, Kind: edxml.KindStatus, State: node.Verified, Created: at(1),
		From: "000.00.00.G22", FromName: "Bộ Nội vụ", DocumentID: "000.00.00.G22,2026/03/02,7/BNV", DocType: "2",
		Code: "7/BNV", Subject: "V/v <thử> & \"kiểm\"\u2028", PromulgationDate: "2026/03/02", Digest: digest(nil),
		Receivers: []node.Receiver{{OrganID: "000.00.00.H41", OrganName: "Nghệ An", Code: "03", Events: []node.Event{
			{Code: "01", At: at(2).In(hanoi)}, {Code: "03", At: at(3), Description: "đã tiếp nhận"},
		}}},
		Status:   &edxml.Status{StatusCode: "03", Description: "xong", Timestamp: "2026/03/02 15:00:00"},
		Envelope: node.Content{SHA256: digest([]byte("e")), Size: 1 << 40}, TokenAt: 812,
		Parts:     []node.Part{{ID: "a@b", Name: "công văn.pdf", Type: "application/pdf", Content: node.Content{SHA256: digest([]byte("p")), Size: 9}}},
		Signature: &node.Signature{Signed: true, Reason: "expired", Signer: "CN=A", Coverage: []string{"Bussiness"}, Missing: []string{"a@b"}},
		Findings:  []edxml.FindingText{{Rule: "R1", Line: 3, Message: "sai"}}, Refusal: "lý do", SameAs: id(0),
		AxisID: "17", Attempts: []node.Attempt{{Step: "fetch", Start: at(4), Duration: 3*time.Second + 1, Code: "M.Exist", Error: "đã có"}},
		Tries: 3, Deadline: at(500), Finished: at(600), LastError: "hết giờ", Permanent: true,
		Due: at(5).In(hanoi), Lease: "w1", LeasedUntil: at(6).In(hanoi), Unique: []string{"u1", "u2"}, Lookup: []string{"l1", "l2"},
		Acts:      []node.Act{{At: at(7).In(hanoi), Actor: "an", Action: "hold", Reason: "chờ"}},
		Pickup:    &node.Pickup{By: "qlvb", Until: at(8).In(hanoi)},
		LegalHold: "vụ án 12", Holds: []string{digest([]byte("h"))}, Count: []string{"c1", "c2"}, Words: []string{"w1", "w2"},
		Purged: at(9),
	}
	fill(reflect.ValueOf(t).Elem())
	t.Purged = time.Time{}
	return t
}

// fill gives every zero field below v a value.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(at(11)))
	case v.Type() == reflect.TypeFor[node.Unknown]():
		v.SetString(`,"later":{"a":[1,"<b>"]}`)
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			if field.IsZero() {
				fill(field)
			}
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(7)
	case v.CanFloat():
		v.SetFloat(0.5)
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString("văn bản")
	}
}

// stock puts what full needs.
func (h *house) stock() {
	h.Helper()
	for _, s := range []string{"e", "p", "h"} {
		_, err := h.Put(h.Context(), strings.NewReader(s))
		h.must(err)
	}
}

func createKeepsAll(h *house) {
	h.stock()
	for field, value := range reflect.ValueOf(full(1)).Elem().Fields() {
		if value.IsZero() && field.Name != "Purged" { // see sweepPurged
			h.Errorf("this test leaves %s out", field.Name)
		}
	}
	h.create(full(1), transfer(2))
	h.same("full", h.read(id(1)), full(1))
	h.same("minimal", h.read(id(2)), transfer(2))
	_, err := h.Transfer(h.Context(), id(3))
	h.is("unknown", err, node.ErrNotFound)
}

func createCopies(h *house) {
	h.stock()
	t := full(1)
	h.create(t)
	h.same("the argument", t, full(1))
	t.Receivers[0].Events[0].Description = "changed by the caller"
	h.read(id(1)).Unique[0] = "changed by a reader"
	got := h.update(id(1), func(t *node.Transfer) {})
	got.Lookup[0] = "changed after an update"
	h.same("stored", h.read(id(1)), full(1))
}

func createConflict(h *house) {
	first, second := dueAt(1, 1), dueAt(2, 2)
	first.Unique = []string{"a", "b"}
	second.Unique, second.Lookup = []string{"c", "b", "d"}, []string{"l"}
	h.create(first)
	h.exists("Create", h.Create(h.Context(), second), "b", id(1))
	_, err := h.Transfer(h.Context(), id(2))
	h.is("Transfer", err, node.ErrNotFound)
	for _, key := range []string{"c", "d", "l"} {
		h.same("key "+key, h.find(key), []string{})
	}
	h.same("List", h.list(node.Out, "", 10), []string{id(1)})
	second.Unique = []string{"c", "d", "c"} // its own key twice is none of the others'
	h.create(second)
}

func createSameID(h *house) {
	h.create(transfer(1))
	again := dueAt(1, 1)
	again.Subject = "other"
	var e *node.ExistsError
	if err := h.Create(h.Context(), again); !errors.As(err, &e) || e.ID != id(1) {
		h.Errorf("error %v, want an ExistsError of %s", err, id(1))
	}
	h.same("stored", h.read(id(1)), transfer(1))
}

func createRace(h *house) {
	const n = 20
	errs := make([]error, n)
	together(n, func(i int) {
		t := transfer(i)
		t.Unique = []string{"the one", "own " + t.ID}
		errs[i] = h.Create(h.Context(), t)
	})
	winners := h.find("the one")
	if len(winners) != 1 {
		h.Fatalf("%v have the key", winners)
	}
	for i, err := range errs {
		if id(i) != winners[0] {
			h.exists(id(i), err, "the one", winners[0])
		} else if err != nil {
			h.Error(err)
		}
	}
	h.same("List", h.list(node.Out, "", n), winners)
}

func longKeys(h *house) {
	long := strings.Repeat("khóa ", 20_000)
	a, b := transfer(1), transfer(2)
	a.Unique, a.Lookup = []string{long + "1"}, []string{long}
	b.Unique, b.Lookup = []string{long + "2"}, []string{long}
	h.create(a, b)
	h.same("first", h.find(long+"1"), []string{id(1)})
	h.same("both", h.find(long), []string{id(1), id(2)})
	c := transfer(3)
	c.Unique = []string{long + "2"}
	h.exists("third", h.Create(h.Context(), c), long+"2", id(2))
}

func createRefused(h *house) {
	for what, spoil := range map[string]func(*node.Transfer){
		"no ID":              func(t *node.Transfer) { t.ID = "" },
		"no direction":       func(t *node.Transfer) { t.Direction = "" },
		"unknown direction":  func(t *node.Transfer) { t.Direction = "up" },
		"unique not UTF-8":   func(t *node.Transfer) { t.Unique = []string{"a\xff"} },
		"lookup not UTF-8":   func(t *node.Transfer) { t.Lookup = []string{"a\xff"} },
		"count not UTF-8":    func(t *node.Transfer) { t.Count = []string{"a\xff"} },
		"count by nothing":   func(t *node.Transfer) { t.Count = []string{""} },
		"word not UTF-8":     func(t *node.Transfer) { t.Words = []string{"a\xff"} },
		"holds no digest":    func(t *node.Transfer) { t.Holds = []string{"a"} },
		"a time without end": func(t *node.Transfer) { t.Due = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t := transfer(1)
		spoil(t)
		if err := h.Create(h.Context(), t); err == nil {
			h.Errorf("%s: no error", what)
		}
	}
	h.same("List", h.list(node.Out, "", 10), []string{})
}

func createCancelled(h *house) {
	h.is("Create", h.Create(cancelled(), transfer(1)), context.Canceled)
	h.same("List", h.list(node.Out, "", 10), []string{})
}

func updateCommits(h *house) {
	h.stock()
	h.create(transfer(1))
	got := h.update(id(1), func(t *node.Transfer) {
		h.same("seen by change", t, transfer(1))
		state := full(1)
		state.Direction = node.Out
		*t = *state
	})
	want := full(1)
	want.Direction = node.Out
	h.same("returned", got, want)
	h.same("stored", h.read(id(1)), want)
}

func updateFails(h *house) {
	h.stock()
	h.create(full(1))
	no := errors.New("no")
	got, err := h.Update(h.Context(), id(1), func(t *node.Transfer) error {
		t.State, t.Unique[0], t.Lookup = node.Failed, "u9", nil
		t.Due = at(0)
		return no
	})
	if err != no || got != nil {
		h.Errorf("%v and error %v, want the error of change alone", got, err)
	}
	h.same("stored", h.read(id(1)), full(1))
	h.same("key", h.find("u9"), []string{})
	due, err := h.NextDue(h.Context(), node.In)
	h.must(err)
	h.same("NextDue", due, full(1).LeasedUntil)
}

func updateUnknown(h *house) {
	_, err := h.Update(h.Context(), id(1), func(*node.Transfer) error {
		h.Error("change was called")
		return nil
	})
	h.is("Update", err, node.ErrNotFound)
}

func updateAtomic(h *house) {
	h.create(transfer(1))
	const n = 50
	var failed atomic.Int32
	together(n, func(i int) {
		_, err := h.Update(h.Context(), id(1), func(t *node.Transfer) error {
			t.Tries++
			if i%5 == 0 {
				return context.DeadlineExceeded
			}
			return nil
		})
		if err != nil {
			failed.Add(1)
		}
	})
	h.same("failed", failed.Load(), int32(n/5))
	h.same("Tries", h.read(id(1)).Tries, n-n/5)
}

func updateConflict(h *house) {
	first, second := transfer(1), transfer(2)
	first.Unique, second.Unique = []string{"a"}, []string{"b"}
	h.create(first, second)
	_, err := h.Update(h.Context(), id(2), func(t *node.Transfer) error {
		t.Unique, t.Due = []string{"c", "a"}, at(1)
		return nil
	})
	h.exists("Update", err, "a", id(1))
	h.same("stored", h.read(id(2)), second)
	h.same("own key", h.find("b"), []string{id(2)})
	h.same("new key", h.find("c"), []string{})
	_, err = h.Lease(h.Context(), node.Out, "w", at(1), time.Minute)
	h.is("Lease", err, node.ErrNothingDue)
}

func updateKeys(h *house) {
	first := transfer(1)
	first.Unique, first.Lookup = []string{"a", "b"}, []string{"l", "m"}
	h.create(first)
	h.update(id(1), func(t *node.Transfer) { // in place, as callers may
		t.Unique[0], t.Lookup[1] = "c", "n"
	})
	for key, want := range map[string][]string{"a": {}, "b": {id(1)}, "c": {id(1)}, "l": {id(1)}, "m": {}, "n": {id(1)}} {
		h.same("key "+key, h.find(key), want)
	}
	second := transfer(2)
	second.Unique = []string{"a"}
	h.create(second)
	second = transfer(3)
	second.Unique = []string{"c"}
	h.exists("Create", h.Create(h.Context(), second), "c", id(1))
}

func updateIdentity(h *house) {
	h.create(dueAt(1, 1))
	for what, change := range map[string]func(*node.Transfer){
		"ID":        func(t *node.Transfer) { t.ID = id(2) },
		"direction": func(t *node.Transfer) { t.Direction = node.In },
	} {
		if _, err := h.Update(h.Context(), id(1), func(t *node.Transfer) error { change(t); return nil }); err == nil {
			h.Errorf("%s: no error", what)
		}
	}
	h.same("stored", h.read(id(1)), dueAt(1, 1))
	h.same("inbox", h.list(node.In, "", 10), []string{})
}

func updateCancelled(h *house) {
	h.create(transfer(1))
	_, err := h.Update(cancelled(), id(1), func(t *node.Transfer) error { t.Tries = 9; return nil })
	h.is("Update", err, context.Canceled)
	h.same("stored", h.read(id(1)), transfer(1))
}

func createMany(h *house) {
	if err := h.Create(h.Context()); err != nil {
		h.Errorf("none: error %v", err)
	}
	many := make([]*node.Transfer, 4000)
	for i := range many {
		many[i] = transfer(i)
		many[i].Direction, many[i].Lookup = node.Box, []string{"all", "of " + id(i)}
	}
	h.must(h.Create(h.Context(), many...))
	h.same("found", len(h.find("all")), 2000) // as many as were asked for
	h.same("first", h.find("of "+id(0)), []string{id(0)})
	h.same("last", h.find("of "+id(3999)), []string{id(3999)})

	a, b, c := transfer(5001), transfer(5002), transfer(5003)
	a.Unique, b.Unique, c.Unique = []string{"a"}, []string{"b"}, []string{"c", "a"}
	h.exists("two with one key", h.Create(h.Context(), a, b, c), "a", id(5001))
	again := transfer(5002)
	h.exists("two with one ID", h.Create(h.Context(), a, b, again), id(5002), id(5002))
	old := transfer(7)
	h.exists("one that is there", h.Create(h.Context(), a, old), id(7), id(7))
	h.same("nothing of them", h.list(node.Out, "", 9), []string{})
	h.same("no key", h.find("b"), []string{})
	c.Unique = []string{"c"}
	h.must(h.Create(h.Context(), a, b, c))
	h.same("all of them", h.list(node.Out, "", 9), []string{id(5003), id(5002), id(5001)})
}

// lacks checks the answer about content that is not there.
func (h *house) lacks(what string, err error, digest string) {
	h.Helper()
	var e *node.MissingError
	if !errors.As(err, &e) || e.SHA256 != digest {
		h.Errorf("%s: error %v, want a MissingError of %s", what, err, digest)
	}
}

func createMissing(h *house) {
	h.stock()
	none := digest([]byte("nowhere"))
	for what, need := range map[string]func(*node.Transfer){
		"envelope": func(t *node.Transfer) { t.Envelope.SHA256 = none },
		"part":     func(t *node.Transfer) { t.Parts[0].Content.SHA256 = none },
		"holds":    func(t *node.Transfer) { t.Holds = append(t.Holds, none) },
	} {
		t := full(2)
		need(t)
		h.lacks(what, h.Create(h.Context(), transfer(1), t), none)
	}
	h.same("List", h.list(node.Out, "", 9), []string{})
	h.lacks("value", h.SetValue(h.Context(), "v", []byte("1"), none), none)
	if v := h.value("v"); v != nil {
		h.Errorf("the value was set: %q", v)
	}
}

func updateMissing(h *house) {
	h.stock()
	h.create(full(1))
	none := digest([]byte("nowhere"))
	_, err := h.Update(h.Context(), id(1), func(t *node.Transfer) error { t.Holds[0] = none; return nil })
	h.lacks("Update", err, none)
	h.same("stored", h.read(id(1)), full(1))
	got := h.update(id(1), func(t *node.Transfer) { t.Holds = nil })
	h.same("let go", len(got.Needs()), 2)
}

// unknownSurvives brings in a record of a program that knows more, and works on
// it as an older one does, through every method that writes or reads records.
func unknownSurvives(h *house) {
	const head, tail = `{"id":"0195c2a0-0000-7000-8000-000000000001","direction":"out","kind":"","state":"`, `","created":"2026-03-02T08:00:00Z",` +
		`"receivers":[{"organId":"A","code":"06","lane":"fast"},{"organId":"B"}],"attempts":[{"step":"send","start":"2026-03-02T08:00:00Z","duration":1,"host":"n1"}`
	const end = `],"due":"2026-03-02T08:00:01.123456789Z","lookup":["k"],"words":["w"],"receipts":{"A":["r1","<x>"]},"zone":1.50}`
	t, err := node.OpenRecord(id(1), []byte(head+`queued`+tail+end))
	h.must(err)
	h.create(t)
	h.same("leased", h.lease(2), id(1))
	got := h.update(id(1), func(t *node.Transfer) {
		t.State, t.Receivers[0].Code, t.Lease, t.LeasedUntil = node.Sent, "03", "", time.Time{}
		t.Attempts = append(t.Attempts, node.Attempt{Step: "send", Start: t.Created})
	})
	want := head + `sent` + strings.Replace(tail, `"06"`, `"03"`, 1) + `,{"step":"send","start":"2026-03-02T08:00:00Z","duration":0}` + end
	is := func(what string, all []*node.Transfer, err error) {
		h.Helper()
		h.must(err)
		h.same(what+": records", len(all), 1)
		record, err := all[0].Record()
		h.must(err)
		h.same(what, string(record), want)
	}
	is("Update", []*node.Transfer{got}, nil)
	for range 2 {
		is("Transfer", []*node.Transfer{h.read(id(1))}, nil)
		all, err := h.Find(h.Context(), "k", "", 9)
		is("Find", all, err)
		all, err = h.List(h.Context(), node.Out, "", 9)
		is("List", all, err)
		all, err = h.Search(h.Context(), node.Out, []string{"w"}, "", 9)
		is("Search", all, err)
		h.reopen()
	}
	h.update(id(1), func(t *node.Transfer) { t.Receivers = t.Receivers[1:] }) // what it was in is gone
	h.same("given up", h.read(id(1)).Receivers, []node.Receiver{{OrganID: "B"}})
	h.same("a bad one", h.Create(h.Context(), &node.Transfer{ID: id(2), Direction: node.Out, Unknown: `,"x"`}) != nil, true)
	h.same("out", h.list(node.Out, "", 9), []string{id(1)})
}

func removed(h *house) {
	h.stock()
	h.create(full(1), dueAt(2, 2))
	h.must(h.Remove(h.Context(), id(1)))
	h.is("again", h.Remove(h.Context(), id(1)), node.ErrNotFound)
	_, err := h.Transfer(h.Context(), id(1))
	h.is("Transfer", err, node.ErrNotFound)
	for _, key := range []string{"u1", "l1"} {
		h.same(key, h.find(key), []string{})
	}
	h.same("inbox", h.list(node.In, "", 9), []string{})
	h.same("searched", h.search(node.In, "w"), []string{})
	h.same("counted", h.counts(""), map[string]int64{})
	due, err := h.NextDue(h.Context(), node.In)
	h.must(err)
	h.same("NextDue", due, time.Time{})
	h.create(full(1)) // its keys are free, its content is there
	h.same("created anew", h.read(id(1)), full(1))
	h.same("the other", h.list(node.Out, "", 9), []string{id(2)})
}

func mailbox(h *house) {
	waiting := dueAt(1, 1)
	waiting.Direction = node.Box
	h.create(waiting, dueAt(2, 2))
	h.same("box", h.list(node.Box, "", 9), []string{id(1)})
	h.same("out", h.list(node.Out, "", 9), []string{id(2)})
	due, err := h.NextDue(h.Context(), node.Box)
	h.must(err)
	h.same("NextDue", due, at(1))
	got, err := h.Lease(h.Context(), node.Box, "w", at(3), hold)
	h.must(err)
	h.same("leased", got.ID, id(1))
}
