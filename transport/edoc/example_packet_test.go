package edoc_test

import (
	"strings"

	"github.com/lienthong/lienthong/transport"
)

// exampleTo makes the packet of the examples; package edxml writes real ones.
func exampleTo(receiver string) *transport.Packet {
	envelope := `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:edXML="http://www.e-doc.vn/Schema/" xmlns:xlink="http://www.w3.org/1999/xlink">` +
		`<SOAP-ENV:Header><edXML:MessageHeader><edXML:From><edXML:OrganId>G22</edXML:OrganId></edXML:From><edXML:To><edXML:OrganId>` + receiver +
		`</edXML:OrganId></edXML:To><edXML:DocumentId>G22,2026/03/02,1/BC</edXML:DocumentId></edXML:MessageHeader></SOAP-ENV:Header>` +
		`<SOAP-ENV:Body><edXML:Manifest><edXML:Reference xlink:href="cid:a@b"><edXML:AttachmentName>a.pdf</edXML:AttachmentName></edXML:Reference></edXML:Manifest></SOAP-ENV:Body></SOAP-ENV:Envelope>`
	return &transport.Packet{
		Envelope: content([]byte(envelope)), TokenAt: int64(strings.Index(envelope, "</SOAP-ENV:Header>")),
		Parts: []transport.Part{{ID: "a@b", Type: "application/pdf", Content: content([]byte("%PDF"))}},
	}
}
