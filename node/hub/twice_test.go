package hub_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/hub"
)

// TestHostedTwiceAtOnce has two hubs on one store enter the same agency at the
// same moment, each under another of its identifiers: one of them does, and the
// other is told so.
func TestHostedTwiceAtOnce(t *testing.T) {
	w := open(t, nil, hub.Options{})
	other, err := hub.New(w.node, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"H41.02", "000.00.02.H41"}
	hubs := []*hub.Hub{w.hub, other}
	for _, h := range hubs { // each knows the agencies of a moment ago
		if _, err := h.Agencies(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i, h := range hubs {
		both.Go(func() {
			errs[i] = h.Add(t.Context(), hub.Agency{Organ: edxml.Organ{OrganID: ids[i], OrganName: "Sở Nội vụ"}})
		})
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), hub.ErrHosted) {
		t.Errorf("entered as %s: %v; as %s: %v", ids[0], errs[0], ids[1], errs[1])
	}
	third, err := hub.New(w.node, hub.Options{}) // which knows nothing from before
	if err != nil {
		t.Fatal(err)
	}
	all, err := third.Agencies(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d agencies, %v", len(all), err)
	}
	for _, id := range ids { // it is changed under the identifier that it was entered with
		_, err := third.Change(t.Context(), id, func(a *hub.Agency) error { a.Email = "x"; return nil })
		if (err == nil) != (id == all[0].OrganID) {
			t.Errorf("changed as %s: %v", id, err)
		}
	}
}
