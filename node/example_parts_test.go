package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/transport"
)

type (
	packet  = transport.Packet
	receipt = transport.Receipt
)

// submit submits a packet that must be accepted.
func submit(t testing.TB, n *node.Node, p []byte) *node.Transfer {
	t.Helper()
	s, err := n.Submit(t.Context(), bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	return s.Transfer
}

// hand is a sink that hands Transfers to a channel.
type hand chan<- *node.Transfer

func (h hand) Deliver(ctx context.Context, t *node.Transfer, _ func(node.Content) (io.ReadCloser, error)) error {
	h <- t
	return nil
}

func (h hand) Notify(context.Context, *node.Transfer) error { return nil }

func exampleStore(dir string) node.Store { return must(boltstore.Open(dir)) }

func examplePacket() string {
	d := document("118", "H41")
	d.Attachments = []edxml.Attachment{{Name: "118.pdf", ContentType: "application/pdf", Content: bytes.NewReader(pdf)}}
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		panic(err)
	}
	return b.String()
}

// ExampleNode_Submit accepts a packet while no axis is in reach, and says where
// it stands.
func ExampleNode_Submit() {
	dir, err := os.MkdirTemp("", "node-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := boltstore.Open(dir)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Bộ Khoa học và Công nghệ"}, Store: store})
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	for range 2 {
		s, err := n.Submit(ctx, strings.NewReader(examplePacket()))
		if err != nil {
			panic(err)
		}
		fmt.Println(s.Transfer.State, "existed:", s.Existed)
	}
	_, err = n.Submit(ctx, strings.NewReader("<!DOCTYPE x><edXML/>"))
	fmt.Println(err)
	other := strings.Replace(examplePacket(), "Về kết nối", "Về việc khác", 1)
	_, err = n.Submit(ctx, strings.NewReader(other))
	fmt.Println(errors.Is(err, node.ErrOtherContent))
	// Output:
	// queued existed: false
	// queued existed: true
	// xml: line 1, column 1: a DOCTYPE is refused (XML 1.0 §2.8)
	// true
}
