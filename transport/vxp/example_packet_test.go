package vxp_test

import (
	"bytes"
	"io"
	"log"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// exampleTo is a packet for one receiver.
func exampleTo(organ string) *transport.Packet {
	d := document("118", organ)
	d.Attachments = []edxml.Attachment{{Name: "118.BC-TTTH.pdf", Content: strings.NewReader("%PDF")}}
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		log.Fatal(err)
	}
	return &transport.Packet{Envelope: transport.Content{Size: int64(b.Len()), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}}}
}
