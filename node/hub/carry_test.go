package hub_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// service is no edXML, and aFile is nothing that a reader of edXML would take.
const service = "MCDT_DT"

var aFile = []byte("không phải XML \x00\x01")

// carry hands a file of another service over.
func carry(t testing.TB, c *vxp.Client, file []byte, to ...string) (transport.Receipt, error) {
	t.Helper()
	return c.Carry(t.Context(), transport.Carriage{Service: service, From: c.SystemID, To: to}, bytesOf(file))
}

// carried returns what waits of the service.
func carried(t testing.TB, c *vxp.Client) []vxp.Delivery {
	t.Helper()
	list, err := c.Carried(t.Context(), strings.ToLower(service))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// takes fails unless exactly one file waits, for this organ and as it was sent;
// it is collected.
func takes(t testing.TB, c *vxp.Client, from, to string) {
	t.Helper()
	list := carried(t, c)
	if len(list) != 1 || list[0].From != from || list[0].To != to || list[0].Service != service {
		t.Fatalf("at %s wait %+v, want one from %s to %s", c.SystemID, list, from, to)
	}
	in, err := c.Fetch(t.Context(), list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	piece, err := in.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(piece.Content); err != nil || string(got) != string(aFile) {
		t.Errorf("carried %q, %v", got, err)
	}
	if err := c.Acknowledge(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	if list := carried(t, c); len(list) != 0 {
		t.Errorf("still waiting: %+v", list)
	}
}

// TestCarry carries a file of another service as it is, between agencies on the
// wire that knows of services; on the other it does not show.
func TestCarry(t *testing.T) {
	w := open(t, nil, hub.Options{Default: hub.Limits{Waiting: 2}})
	overSOAP := w.agency("H41.1")
	w.agency("H41.2")
	w.agency("H41.3", func(a *hub.Agency) { a.Speaks = []string{"H41.4"} })
	a, b := w.system("H41.2"), w.system("H41.3")
	r, err := carry(t, a, aFile, "H41.3")
	if err != nil {
		t.Fatal(err)
	}
	_, err = carry(t, a, aFile, "H41.3", "H41.1", "H41.8", "H41.9")
	refused(t, err, vxp.CodeNotFound, `service "MCDT_DT" does not reach: H41.8, H41.9 (not known); H41.1 (no VXP system on this hub)`)
	_, err = a.Carry(t.Context(), transport.Carriage{Service: service, From: "H41.3", To: []string{"H41.3"}}, bytesOf(aFile))
	if err == nil {
		t.Error("from another organ")
	}
	for _, c := range []pending{overSOAP, b} {
		if n := waiting(t, c); len(n) != 0 {
			t.Errorf("it shows among the documents: %v", n)
		}
	}
	sent := func() vxp.Sent {
		t.Helper()
		list, err := a.Sent(t.Context(), r.ID, edxml.KindDocument)
		if err != nil || len(list) != 1 || list[0].Service != service || list[0].To != "H41.3" {
			t.Fatalf("sent: %+v, %v", list, err)
		}
		return list[0]
	}
	if s := sent(); s.State != vxp.Waiting {
		t.Errorf("not collected, but %s", s.State)
	}
	takes(t, b, "H41.2", "H41.3")
	if s := sent(); s.State != vxp.Done {
		t.Errorf("collected, but %s", s.State)
	}

	// The file does not say whom it is for: each receiver has a delivery of his own.
	if _, err := carry(t, a, aFile, "H41.3", "H41.4"); err != nil {
		t.Fatal(err)
	}
	var to []string
	for _, d := range carried(t, b) {
		to = append(to, d.To)
	}
	if !slices.Equal(to, []string{"H41.3", "H41.4"}) {
		t.Errorf("deliveries to %v", to)
	}
	_, err = carry(t, a, aFile, "H41.3")
	var f *transport.Fault
	if refused(t, err, "M.Busy", "H41.3"); !errors.As(err, &f) || !f.Temporary() {
		t.Errorf("a full mailbox is for good: %v", err)
	}
}

// above is a central hub, and the hub of a province below it on the VXP wire.
func above(t *testing.T, organs ...string) (central, province *town) {
	t.Helper()
	central = open(t, nil, hub.Options{})
	central.agency("H41", func(a *hub.Agency) { a.Speaks = organs })
	axis := central.system("H41")
	axis.Services = []string{service}
	return central, open(t, axis, hub.Options{Upstream: hub.VXP})
}

// TestCarryUpstream carries files between agencies of two hubs: up from the
// province, and down to the agency that it is for.
func TestCarryUpstream(t *testing.T) {
	central, province := above(t, "H41.1", "H41.2")
	central.agency("G22")
	province.agency("H41.1")
	province.agency("H41.2")
	ministry, a, b := central.system("G22"), province.system("H41.1"), province.system("H41.2")
	province.run()

	r, err := carry(t, a, aFile, "G22", "H41.2") // one receiver upstream, one here
	if err != nil {
		t.Fatal(err)
	}
	takes(t, b, "H41.1", "H41.2")
	eventually(t, "the file at the ministry", func() bool { return len(carried(t, ministry)) == 1 })
	takes(t, ministry, "H41.1", "G22")
	eventually(t, "its sender to see it done at both", func() bool { // the province records that it is sent after it has arrived
		list, err := a.Sent(t.Context(), r.ID, edxml.KindDocument)
		return err == nil && len(list) == 2 && list[0].State == vxp.Done && list[1].State == vxp.Done
	})

	if _, err := carry(t, ministry, aFile, "H41.2", "H41.1"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*vxp.Client{a, b} {
		eventually(t, "the file at "+c.SystemID, func() bool { return len(carried(t, c)) == 1 })
		takes(t, c, "G22", c.SystemID)
	}
	eventually(t, "nothing to wait at the central hub", func() bool { return len(carried(t, province.node.Axis.(*vxp.Client))) == 0 })
	eventually(t, "the directory", func() bool {
		_, err := carry(t, a, aFile, "G99")
		return err != nil && strings.Contains(err.Error(), "G99 (not known)")
	})
	if got := waiting(t, a); len(got) != 0 {
		t.Errorf("it shows among the documents: %v", got)
	}
}

// TestCarryOnce takes a file once upstream, although the answer to the first
// try was lost and the second was signed anew.
func TestCarryOnce(t *testing.T) {
	central, province := above(t, "H41.1")
	lost := &losing{Axis: province.node.Axis}
	province.node.Axis = lost
	central.agency("G22")
	province.agency("H41.1")
	ministry, a := central.system("G22"), province.system("H41.1")
	if _, err := carry(t, a, aFile, "G22"); err != nil {
		t.Fatal(err)
	}
	province.run()
	eventually(t, "two tries", func() bool { return lost.tries.Load() == 2 })
	takes(t, ministry, "H41.1", "G22")

	for n := range 2 { // each call of a system is a file of its own, unless both are signed in one millisecond
		if _, err := carry(t, a, aFile, "G22"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "both", func() bool { return len(carried(t, ministry)) == n+1 })
	}
}

// losing loses the answer to the first packet.
type losing struct {
	node.Axis
	tries atomic.Int64
}

func (l *losing) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	r, err := l.Axis.Send(ctx, p)
	if l.tries.Add(1) == 1 && err == nil {
		return transport.Receipt{}, &transport.Fault{Operation: "sendEdoc", Transient: true, Err: io.ErrUnexpectedEOF}
	}
	return r, err
}

// TestCarryNotOverSOAP refuses, by name, who is behind an axis on the wire that
// has no services, and gives up what was queued when the axis changed its wire.
func TestCarryNotOverSOAP(t *testing.T) {
	central := open(t, nil, hub.Options{})
	up := central.agency("H41", func(a *hub.Agency) { a.Speaks = []string{"H41.1"} })
	central.agency("G22")
	province := open(t, up, hub.Options{})
	province.agency("H41.1")
	a := province.system("H41.1")
	_, err := carry(t, a, aFile, "H41.1", "G22")
	refused(t, err, vxp.CodeNotFound, "G22 (upstream, where the wire is SOAP and carries edXML only)")
	if list := carried(t, a); len(list) != 0 {
		t.Errorf("half of it was delivered: %+v", list)
	}

	file, err := province.store.Put(t.Context(), strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	queued, err := node.Carried(node.Out, node.Queued, file, transport.Carriage{Service: service, From: "H41.1", To: []string{"G22"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := province.node.Commit(t.Context(), queued); err != nil {
		t.Fatal(err)
	}
	province.run()
	eventually(t, "the end of it", func() bool {
		got, err := province.store.Transfer(t.Context(), queued.ID)
		return err == nil && got.State == node.Failed && got.Due.IsZero() && strings.Contains(got.LastError, "edXML only")
	})
}

// TestCarryLoop ends the way of a file between two hubs each of which is the
// other's upstream, and neither of which has its receiver.
func TestCarryLoop(t *testing.T) {
	east, west := open(t, nil, hub.Options{Upstream: hub.VXP}), open(t, nil, hub.Options{Upstream: hub.VXP})
	west.agency("H41", func(a *hub.Agency) { a.Speaks = []string{"H41.1"} })
	east.agency("H40", func(a *hub.Agency) { a.Speaks = []string{"H41.1"} })
	east.agency("H41.1")
	a := east.system("H41.1")
	east.node.Axis, west.node.Axis = blind{west.system("H41")}, blind{east.system("H40")}
	if _, err := carry(t, a, aFile, "H99"); err != nil {
		t.Fatal(err)
	}
	east.run()
	west.run()
	gone := func(w *town) int {
		t.Helper()
		all, err := w.store.List(t.Context(), node.Out, "", 10)
		if err != nil || len(all) > 1 {
			t.Fatalf("it goes round and round: %+v, %v", all, err)
		}
		if len(all) == 1 && all[0].State == node.Sent {
			return 1
		}
		return 0
	}
	eventually(t, "the way back to where it came from", func() bool { return gone(east)+gone(west) == 2 })
	gone(east) // it was known there before that was said
}

// blind has no directory, so that everybody may be behind it.
type blind struct{ *vxp.Client }

func (blind) Organs(context.Context) ([]edxml.Organ, error) {
	return nil, &transport.Fault{Operation: "getAgenciesList", Text: "no directory today"}
}
