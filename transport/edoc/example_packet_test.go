package edoc_test

import (
	"bytes"
	"log"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// exampleTo makes the packet of the examples, from G22.
func exampleTo(receiver string) *transport.Packet {
	d := document("1", receiver)
	d.From.OrganID, d.DocumentID = "G22", edxml.DocumentID("G22", d.PromulgationInfo.PromulgationDate, d.Code)
	d.Attachments = []edxml.Attachment{{Name: "a.pdf", ContentID: "a@b"}}
	var b bytes.Buffer
	if err := edxml.WriteEnvelope(&b, d); err != nil {
		log.Fatal(err)
	}
	return &transport.Packet{
		Envelope: content(b.Bytes()), TokenAt: int64(bytes.Index(b.Bytes(), []byte("</SOAP-ENV:Header>"))),
		Parts: []transport.Part{{ID: "a@b", Type: "application/pdf", Content: content([]byte("%PDF"))}},
	}
}
