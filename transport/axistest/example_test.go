package axistest_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// An axis for a test is one line, and speaks both wires. What a client asked
// it stands in the journal.
func Example() {
	axis := axistest.New(axistest.Options{Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()

	ctx := context.Background()
	soap := &edoc.Client{URL: srv.URL, Organ: "H41", Token: axistest.Token("H41")}
	defer soap.Close()
	if _, err := soap.Pending(ctx); err != nil {
		log.Fatal(err)
	}
	national := &vxp.Client{URL: srv.URL, SystemID: "H41", Secret: axistest.Secret}
	defer national.Close()
	if _, err := national.Pending(ctx); err != nil {
		log.Fatal(err)
	}
	for _, e := range axis.Journal() {
		fmt.Println(e.Wire, e.Operation, "of", e.Organ, e.Outcome)
	}
	// Output:
	// edoc GetPendingDocumentIds of H41 ok
	// vxp getReceivedEdocList of H41 ok
}

// The next call of H41 goes wrong, whatever it is.
func ExampleAxis_Order() {
	axis := axistest.New(axistest.Options{Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()
	if err := axis.Order(axistest.Order{Trouble: axistest.Gateway, Organ: "H41", Times: 1}); err != nil {
		log.Fatal(err)
	}

	c := &edoc.Client{URL: srv.URL, Organ: "H41", Token: axistest.Token("H41")}
	defer c.Close()
	fmt.Println(c.Check(context.Background()))
	fmt.Println(c.Check(context.Background()))
	// Output:
	// transport: CheckPermission: HTTP 502 Bad Gateway in place of an answer; the axis or something before it is out of order
	// <nil>
}
