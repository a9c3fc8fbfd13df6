// Package wire holds the Go types of the eDoc control calls as gowsdl derives them from wsdl/edoc.wsdl, and gowsdl's
// client for them.
//
// wire_gen.go is generated; `go generate ./transport/edoc/...` writes it anew, byte for byte the same. Use it for what
// is small and holds only text: the requests and answers of GetPendingDocumentIds, ConfirmReceived, GetTraces and
// GetOrganizations, in both directions for requests, decoding only for answers. Three things it cannot do:
//
//   - encode an answer: false and empty elements vanish, and an axis must write IsSuccess and ErrorList always;
//   - CheckPermission: its request is a header block, gowsdl would put it into the Body;
//   - the packet: an envelope that carries a document is signed bytes and never passes through these types.
//
// Requests are decoded by local name, so a client that puts them into a namespace is understood. In an answer Report
// and the list exclude each other; an absent [Flag] is nil.
package wire

//go:generate go -C ../../../.. tool gowsdl -p wire -d transport/edoc/internal -o wire_gen.go wsdl/edoc.wsdl
//go:generate go run tags.go .
