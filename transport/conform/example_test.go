package conform_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/conform"
)

// A wrong token is one thing the run finds; what failed says what was expected,
// and why that is so.
func ExampleRunAxis() {
	axis := axistest.New(axistest.Options{Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()

	report, err := conform.RunAxis(context.Background(), conform.Target{
		URL: srv.URL, Wires: []string{"edoc"}, Receiver: conform.Party{Organ: "H41", Token: "not the token"},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	r := report.Failed()[0]
	fmt.Println(r.ID, r.Expect.EN)
	fmt.Println(r.Clause)
	// Output:
	// A01 A request as text/xml without MIME is taken
	// SOAP 1.1 (W3C Note 8 May 2000) §6
}
