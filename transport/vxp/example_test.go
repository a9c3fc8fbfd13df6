package vxp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// oneFile is a Backend with room for one Document, which waits for H41.
type oneFile struct {
	vxp.Backend // of what this example does not ask for
	packet      bytes.Buffer
	done        bool
}

func (b *oneFile) System(_ context.Context, id string) (vxp.System, error) {
	if id != "G22" && id != "H41" {
		return vxp.System{}, vxp.ErrSystem
	}
	return vxp.System{Secret: "example", Organs: []string{id}}, nil
}

func (b *oneFile) AcceptFile(_ context.Context, f *vxp.File) (transport.Receipt, error) {
	if len(f.To) != 1 || f.To[0] != "H41" {
		return transport.Receipt{}, &transport.Fault{Code: "M.UnknownReceiver", Text: "không có đơn vị nhận " + strings.Join(f.To, ", ")}
	}
	_, err := io.Copy(&b.packet, f.Content) // in earnest: to where it is safe
	return transport.Receipt{ID: "5ddb7c6e0c00fb4224c87600"}, err
}

func (b *oneFile) Deliveries(_ context.Context, organs []string, q vxp.Query) ([]vxp.Delivery, error) {
	if b.done || q.Kind != edxml.KindDocument || organs[0] != "H41" {
		return nil, nil
	}
	return []vxp.Delivery{{ID: "0199-1", Kind: q.Kind, From: "G22", To: "H41", State: vxp.Waiting}}, nil
}

func (b *oneFile) DeliveredPacket(_ context.Context, _ []string, id string) (*transport.Packet, error) {
	return &transport.Packet{Envelope: transport.Content{Size: int64(b.packet.Len()), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.packet.Bytes())), nil
	}}}, nil
}

func (b *oneFile) UpdateDelivery(_ context.Context, _ []string, _ string, s vxp.State, _ string) error {
	b.done = s == vxp.Done
	return nil
}

// A ministry sends a Document as a single file, and a province collects it.
func Example() {
	srv := httptest.NewServer(vxp.NewHandler(&oneFile{}, vxp.HandlerOptions{}))
	defer srv.Close()
	ctx := context.Background()

	ministry := &vxp.Client{URL: srv.URL, SystemID: "G22", Secret: "example"}
	defer ministry.Close()
	receipt, err := ministry.Send(ctx, exampleTo("H41"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the axis took it as number", receipt.ID)

	province := &vxp.Client{URL: srv.URL, SystemID: "H41", Secret: "example"}
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
		piece, err := in.Next()
		if err != nil {
			log.Fatal(err)
		}
		packet, err := edxml.Read(piece.Content, edxml.ReadOptions{})
		in.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("number", p.ID, "is", packet.Document.DocumentID)
		if err := province.Acknowledge(ctx, p.ID); err != nil {
			log.Fatal(err)
		}
	}
	pending, err = province.Pending(ctx)
	fmt.Println("waiting:", len(pending), err)
	// Output:
	// the axis took it as number 5ddb7c6e0c00fb4224c87600
	// number 0199-1 is G22,2026/03/02,118/BC-TTTH
	// waiting: 0 <nil>
}

// What to do after a refusal is one question.
func ExampleClient_Send_refused() {
	srv := httptest.NewServer(vxp.NewHandler(&oneFile{}, vxp.HandlerOptions{}))
	defer srv.Close()

	c := &vxp.Client{URL: srv.URL, SystemID: "G22", Secret: "example"}
	defer c.Close()
	_, err := c.Send(context.Background(), exampleTo("X99"))
	var fault *transport.Fault
	if errors.As(err, &fault) {
		fmt.Println(fault.Code, "– try again:", fault.Temporary())
	}
	// Output: M.UnknownReceiver – try again: false
}

// A signed text is what a call says about itself; this is how another client
// signs one.
func ExampleSign() {
	text := `{"XroadVnpt-systemid":"sys-a","XroadVnpt-timestamp":"22112026T080727+0466","XroadVnpt-Content-Type":"application/json"}`
	fmt.Println(vxp.Sign("test-secret", text))
	// Output: a519cf35c0a2a8fcd72a73f5997438c5e8e978b89d5ddb7c6e0c00fb4224c876
}

// A directory is handed out while it arrives: a program that looks for one
// organ keeps nothing of the other 111,000.
func ExampleClient_Agencies() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","data":[
			{"id":"1","code":"G22","name":"B\u1ed9 Khoa h\u1ecdc v\u00e0 C\u00f4ng ngh\u1ec7"},
			{"id":"2","code":"H41","name":"Ngh\u1ec7 An"}]}`)
	}))
	defer srv.Close()
	c := &vxp.Client{URL: srv.URL, SystemID: "G22", Secret: "example"}
	defer c.Close()
	err := c.Agencies(context.Background(), func(a vxp.Agency) error {
		if a.Code == "H41" {
			fmt.Println(a.Name)
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	// Output: Nghệ An
}
