package node_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// A packet that goes many ways is described once, and what is changed in one of
// its Transfers is not changed in the others.
func TestStoredTransfers(t *testing.T) {
	s := must(boltstore.Open(t.TempDir()))
	defer s.Close()
	n := must(node.New(node.Config{Organ: edxml.Organ{OrganID: "H41"}, Store: s}))
	d := edxml.Document{
		From: edxml.Organ{OrganID: "G22"}, To: []edxml.Organ{{OrganID: "H41.1"}, {OrganID: "H41.2"}}, DocumentID: "G22,2026/03/02,1/BC",
		Code: edxml.Code{CodeNumber: "1", CodeNotation: "BC"}, PromulgationInfo: edxml.PromulgationInfo{PromulgationDate: "2026/03/02"}, Subject: "Báo cáo",
	}
	var b bytes.Buffer
	if err := edxml.Write(&b, &d); err != nil {
		t.Fatal(err)
	}
	doc := must(n.KeepFile(t.Context(), &b))
	one, two, in := must(doc.Transfer(node.Box, node.Waiting)), must(doc.Transfer(node.Box, node.Waiting)), must(doc.Transfer(node.In, node.Confirmed))
	if one.ID == two.ID || one.Direction != node.Box || in.Direction != node.In || in.State != node.Confirmed || one.Due.IsZero() {
		t.Errorf("%+v\n%+v\n%+v", one, two, in)
	}
	if len(one.Receivers) != 2 || one.DocumentID != d.DocumentID || one.Digest == "" || one.Digest != in.Digest || slices.Equal(one.Lookup, in.Lookup) {
		t.Errorf("%+v\n%+v", one, in)
	}
	one.Lookup, two.Lookup = append(one.Lookup, "one"), append(two.Lookup, "two")
	one.Receivers, two.Receivers = append(one.Receivers, node.Receiver{OrganID: "one"}), append(two.Receivers, node.Receiver{OrganID: "two"})
	if one.Lookup[len(one.Lookup)-1] != "one" || one.Receivers[2].OrganID != "one" || slices.Contains(must(doc.Transfer(node.Box, node.Waiting)).Lookup, "one") {
		t.Errorf("one Transfer has changed another: %v, %v", one.Lookup, one.Receivers)
	}
}
