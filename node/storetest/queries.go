package storetest

import (
	"slices"

	"github.com/lienthong/lienthong/node"
)

var queryCases = []testCase{
	{"List pages newest first without gaps or doubles", listPages},
	{"List is not confused by what arrives between pages", listArrivals},
	{"Find takes unique and lookup keys, oldest first", findKeys},
	{"Find takes keys whole", findWhole},
	{"Find pages oldest first without gaps or doubles", findPages},
}

func listPages(h *house) {
	h.same("empty", h.list(node.Out, "", 5), []string{})
	want := []string{}
	for _, n := range []int{9, 3, 20, 1, 14, 7, 12, 18, 5, 16, 2} { // created out of order
		h.create(transfer(n))
		in := transfer(100 + n)
		in.Direction = node.In
		h.create(in)
		want = append(want, id(n))
	}
	slices.Sort(want)
	slices.Reverse(want)
	for limit := 1; limit <= len(want)+1; limit++ {
		got, before := []string{}, ""
		for page := h.list(node.Out, before, limit); len(page) > 0; page = h.list(node.Out, before, limit) {
			if len(page) > limit {
				h.Fatalf("a page of %d, limit %d", len(page), limit)
			}
			got, before = append(got, page...), page[len(page)-1]
		}
		h.same("pages", got, want)
	}
	h.same("limit 0", h.list(node.Out, "", 0), []string{})
	h.same("before one that is not there", h.list(node.Out, id(13), 2), []string{id(12), id(9)})
	h.same("before all", h.list(node.Out, id(0), 2), []string{})
	h.same("before the future", h.list(node.Out, id(999), 2), []string{id(20), id(18)})
	h.same("the other box", h.list(node.In, "", 1), []string{id(120)})
	if _, err := h.List(h.Context(), "up", "", 1); err == nil {
		h.Error("an unknown direction: no error")
	}
}

func listArrivals(h *house) {
	h.create(transfer(1), transfer(2), transfer(3))
	h.same("first", h.list(node.Out, "", 2), []string{id(3), id(2)})
	h.create(transfer(4))
	h.update(id(1), func(t *node.Transfer) { t.State = node.Sent })
	h.same("second", h.list(node.Out, id(2), 2), []string{id(1)})
}

func findKeys(h *house) {
	h.same("nothing", h.find("k"), []string{})
	for n, keys := range map[int][2][]string{
		1: {nil, {"k", "own"}},
		2: {{"k"}, nil},
		3: {nil, {"k"}},
		4: {{"own"}, {"own", "own"}},
	} {
		t := transfer(n)
		t.Unique, t.Lookup = keys[0], keys[1]
		if n == 3 {
			t.Direction = node.In
		}
		h.create(t)
	}
	h.same("k", h.find("k"), []string{id(1), id(2), id(3)})
	h.same("own", h.find("own"), []string{id(1), id(4)})
	all, err := h.Find(h.Context(), "k", "", 9)
	h.must(err)
	h.same("whole", all[0], h.read(id(1)))
}

func findWhole(h *house) {
	keys := []string{"a", "ab", "a b", "A", "á", "a%", "a_", "a'", ""}
	for n, key := range keys {
		t := transfer(n)
		t.Unique, t.Lookup = []string{"u:" + key}, []string{key}
		h.create(t)
	}
	for n, key := range keys {
		h.same("lookup "+key, h.find(key), []string{id(n)})
		h.same("unique "+key, h.find("u:"+key), []string{id(n)})
	}
	h.same("unknown", h.find("u"), []string{})
}

func findPages(h *house) {
	const n, unique = 25, 12
	want := []string{}
	for i := range n {
		t := transfer(i)
		t.Lookup = []string{"k"}
		if i == unique {
			t.Unique = []string{"k"} // twice over
		}
		h.create(t)
		want = append(want, id(i))
	}
	owner := transfer(n)
	owner.Unique = []string{"of one"}
	h.create(owner)
	for limit := 1; limit <= n+1; limit++ {
		got, after := []string{}, ""
		for {
			page, err := h.Find(h.Context(), "k", after, limit)
			h.must(err)
			if len(page) == 0 {
				break
			}
			if len(page) > limit {
				h.Fatalf("a page of %d, limit %d", len(page), limit)
			}
			got, after = append(got, ids(page)...), page[len(page)-1].ID
		}
		h.same("pages", got, want)
	}
	for after, want := range map[string][]string{id(n - 1): {id(n)}, id(n): {}, "": {id(n)}} {
		page, err := h.Find(h.Context(), "of one", after, 9)
		h.must(err)
		h.same("after "+after, ids(page), want)
	}
	none, err := h.Find(h.Context(), "k", "", 0)
	h.must(err)
	h.same("limit 0", ids(none), []string{})
}
