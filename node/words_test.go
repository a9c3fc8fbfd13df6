package node_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/lienthong/lienthong/node"
)

// TestWords takes accents off and keeps letters that have none.
func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"Ủy ban nhân dân thành phố Đà Nẵng": {"ban", "da", "dan", "nang", "nhan", "pho", "thanh", "uy"},
		"12/2026/QĐ-TTg":  {"12", "2026", "qd", "ttg"},
		"o\u0302\u0301 ố": {"o"}, // composed or not
		" -–/ ":           nil,
	} {
		if got := node.Words(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestIndexed: whatever changes a Transfer, it is counted where it stands, and
// found by what it says.
func TestIndexed(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s})
	first := must(n.Submit(t.Context(), bytes.NewReader(plain(t, "1")))).Transfer
	must(n.Submit(t.Context(), bytes.NewReader(plain(t, "2"))))
	counts := func() map[string]int64 { return must(n.Store.Counts(t.Context(), node.StatePrefix())) }
	if c := counts(); c[node.StateKey(node.Out, node.Queued)] != 2 || len(c) != 1 {
		t.Errorf("%v", c)
	}
	if o := must(n.OldestUnfinished(t.Context())); len(o) != 1 || !o[node.Out].Equal(first.Created) {
		t.Errorf("oldest %v, want %v", o, first.Created)
	}
	must(n.Store.Update(t.Context(), first.ID, func(t *node.Transfer) error { t.State, t.Finished = node.Sent, t.Created; return nil }))
	if o := must(n.OldestUnfinished(t.Context())); !o[node.Out].After(first.Created) {
		t.Errorf("oldest %v", o)
	}
	if c := counts(); c[node.StateKey(node.Out, node.Queued)] != 1 || c[node.StateKey(node.Out, node.Sent)] != 1 {
		t.Errorf("%v", c)
	}
	for _, asked := range []string{"ket noi", "Kết nối", "1/BC", "h41"} {
		found := must(n.Store.Search(t.Context(), node.Out, node.Words(asked), "", 50))
		if !slices.ContainsFunc(found, func(x *node.Transfer) bool { return x.ID == first.ID }) {
			t.Errorf("%q finds %d", asked, len(found))
		}
	}
}
