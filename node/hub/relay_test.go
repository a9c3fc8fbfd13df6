package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// TestTwoHubs lets a ministry at the central axis and two bodies of a province
// write to one another; the province's hub collects for both with one
// credential, over either wire.
func TestTwoHubs(t *testing.T) {
	for _, wire := range []hub.Wire{hub.EDoc, hub.VXP} {
		t.Run(string(wire), func(t *testing.T) {
			central := open(t, nil, hub.Options{})
			ministry := central.agency("G22")
			up := central.agency("H41", func(a *hub.Agency) { a.Speaks = []string{"H41.1", "H41.2"} })
			axis := node.Axis(up)
			if wire == hub.VXP {
				axis = central.system("H41")
			}
			province := open(t, axis, hub.Options{Upstream: wire})
			a, b := province.agency("H41.1"), province.agency("H41.2")
			province.run()

			const content = "%PDF-1.7 xuống tỉnh"
			d := letter("G22", "1", content, "H41.1", "H41.2")
			send(t, ministry, "1", content, "H41.1", "H41.2")
			for _, to := range []*edoc.Client{a, b} {
				eventually(t, "the letter at "+to.Organ, func() bool { return len(waiting(t, to)) == 1 })
				id := one(t, to)
				if got := collect(t, to, id); got.file != content || got.Document.DocumentID != d.DocumentID {
					t.Errorf("%s got %q", to.Organ, got.file)
				}
				if err := to.Acknowledge(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				if err := to.SendStatus(t.Context(), status(to.Organ, d, edxml.StatusAccepted, "")); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the statuses at the ministry", func() bool { return codes(t, ministry) == "H41.1 01, H41.1 03, H41.2 01, H41.2 03" })

			up1 := letter("H41.1", "2", content, "G22", "H41.2") // one receiver upstream, one here
			send(t, a, "2", content, "G22", "H41.2")
			one(t, b)
			eventually(t, "the answer at the ministry", func() bool { return len(waiting(t, ministry)) == 1 })
			id := one(t, ministry)
			if got := collect(t, ministry, id); got.file != content || len(got.Document.To) != 2 {
				t.Errorf("the ministry got %q", got.file)
			}
			if err := ministry.Acknowledge(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if err := ministry.SendStatus(t.Context(), status("G22", up1, edxml.StatusRefused, "nhầm")); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the statuses at the province", func() bool { return codes(t, a) == "G22 01, G22 02" })

			takeBack := status("G22", d, edxml.StatusTakeBack, "gửi nhầm")
			takeBack.ResponseFor.OrganID = "H41.2"
			if err := ministry.SendStatus(t.Context(), takeBack); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the request to take back", func() bool { return codes(t, b) == "G22 13" })
		})
	}
}

// TestGivenUp tells a sender that the axis refused its Document, for each of
// its receivers there.
func TestGivenUp(t *testing.T) {
	central := open(t, nil, hub.Options{})
	up := central.agency("H41", func(a *hub.Agency) { a.Speaks = []string{"H41.1"} })
	province := open(t, up, hub.Options{})
	a := province.agency("H41.1")
	send(t, a, "1", "x", "G22") // as long as no directory came, anybody may be upstream
	province.run()
	eventually(t, "the trace", func() bool { return codes(t, a) == "G22 999" })
	list, err := a.Statuses(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || !strings.Contains(list[0].Description, "G22") {
		t.Errorf("the trace says %+v, %v", list, err)
	}
	began := time.Now().Add(-time.Second)
	if d, err := central.hub.Upstream(t.Context()); d != nil || err != nil {
		t.Errorf("a hub without an axis has the directory %+v, %v", d, err)
	}
	eventually(t, "a directory with its age", func() bool {
		d, err := province.hub.Upstream(t.Context())
		return err == nil && d.Len() > 0 && d.At.After(began) && !d.At.After(time.Now())
	})
	eventually(t, "the directory", func() bool {
		_, err := a.Send(t.Context(), packet(t, letter("H41.1", "2", "x", "G22"), "x"))
		var f *transport.Fault
		return errors.As(err, &f) && f.Code == edoc.CodeUnknownReceiver
	})
}

// TestOwnUpstream finds a hub out whose upstream axis is its own door.
func TestOwnUpstream(t *testing.T) {
	w := open(t, nil, hub.Options{Name: "hub-1"})
	c := w.agency("H41.1")
	c.HTTP = hub.Named(nil, "hub-1")
	if _, err := c.Pending(t.Context()); err == nil || !strings.Contains(err.Error(), "508") {
		t.Errorf("a hub collects from itself: %v", err)
	}
	c2 := &edoc.Client{URL: w.url, Organ: "H41.1", Token: c.Token, HTTP: hub.Named(nil, "hub-2")}
	defer c2.Close()
	if _, err := c2.Pending(t.Context()); err != nil {
		t.Errorf("another hub may not: %v", err)
	}
}
