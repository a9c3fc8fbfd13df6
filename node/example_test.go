package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

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
