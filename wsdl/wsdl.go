// Package wsdl holds the contract of the eDoc operations: a WSDL 1.1 description and the XML schemas it imports.
//
// No axis in use publishes one, so these files were written for this project from what the standard says and from
// what running axes and clients send; README.md beside them gives the clause or the evidence for every element. They
// are plain files for any tool that reads WSDL (xmllint, JAX-WS, .NET, gowsdl) and state what a strict writer emits;
// readers are more tolerant.
//
//	edoc.wsdl           eight operations, SOAP 1.1, document/literal, bare-word SOAPActions
//	edoc.xsd            the answers, namespace http://www.e-doc.vn/Schema/
//	edoc-requests.xsd   the requests, in no namespace
//	edxml-soap.xsd      the header blocks and the Manifest of an envelope that carries a document
//	xlink.xsd           the XLink attributes of a Reference
//
// The same bytes are embedded, for programs that serve the contract or validate against it: see [Files].
package wsdl

import "embed"

// Files holds edoc.wsdl and the schemas it imports at the root of a read-only file system, under the relative names by
// which they import each other.
//
//go:embed edoc.wsdl edoc.xsd edoc-requests.xsd edxml-soap.xsd xlink.xsd
var Files embed.FS
