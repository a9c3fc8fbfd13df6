package edoc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

// A ministry sends a Document and the province collects it.
func Example() {
	axis := axistest.New(axistest.Options{Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()
	ctx := context.Background()

	ministry := &edoc.Client{URL: srv.URL, Organ: "G22", Token: axistest.Token("G22")}
	defer ministry.Close()
	receipt, err := ministry.Send(ctx, exampleTo("H41")) // a *transport.Packet: the signed envelope and its files
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the axis took it as number", receipt.ID)

	province := &edoc.Client{URL: srv.URL, Organ: "H41", Token: axistest.Token("H41")}
	defer province.Close()
	pending, err := province.Pending(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range pending {
		in, err := province.Fetch(ctx, p.ID)
		if err != nil {
			log.Fatal(err)
		}
		defer in.Close()
		for {
			piece, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				log.Fatal(err)
			}
			n, err := io.Copy(io.Discard, piece.Content) // in earnest: to where it is safe
			if err != nil {
				log.Fatal(err)
			}
			if !piece.Root {
				fmt.Println("a file of", n, "octets,", piece.Type)
			}
		}
		if err := province.Acknowledge(ctx, p.ID); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// the axis took it as number 1
	// a file of 4 octets, application/pdf
}

// What to do after a refusal is one question.
func ExampleClient_Send_refused() {
	axis := axistest.New(axistest.Options{Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()

	c := &edoc.Client{URL: srv.URL, Organ: "G22", Token: axistest.Token("G22")}
	defer c.Close()
	_, err := c.Send(context.Background(), exampleTo("X99"))
	var fault *transport.Fault
	if errors.As(err, &fault) {
		fmt.Println(fault.Code, "– try again:", fault.Temporary())
	}
	// Output: M.UnknownReceiver – try again: false
}
