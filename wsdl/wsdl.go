// Package wsdl holds the contract of edXML: XML schemas of the packets in both profiles, and a WSDL 1.1 description of
// the eDoc operations with the schemas it imports.
//
// No axis in use publishes one, so these files were written for this project from what the standard says and from
// what running axes and clients send; README.md beside them gives the clause or the evidence for every element. They
// are plain files for any tool that reads XML Schema or WSDL (xmllint, Xerces, JAX-WS, .NET, gowsdl) and state what a
// strict writer emits; readers are more tolerant.
//
//	edxml-qcvn102.xsd   a document as a single file, QCVN 102:2016/BTTTT
//	edxml-status.xsd    a status as a single file
//	edxml-types.xsd     what the two have in common
//	edxml-soap.xsd      the SOAP envelope that carries a document
//	edxml-blocks.xsd    its header blocks and its Manifest
//	xlink.xsd           the XLink attributes of a Reference
//	edoc.wsdl           eight operations, SOAP 1.1, document/literal, bare-word SOAPActions
//	edoc.xsd            the answers, namespace http://www.e-doc.vn/Schema/
//	edoc-requests.xsd   the requests, in no namespace
//
// Schemas cannot say everything: that an update names what it updates, that a refusal has a reason, or that 29 February
// exists in a year. The rules of package edxml do.
//
// The same bytes are embedded, for programs that serve the contract or validate against it: see [Files].
package wsdl

import "embed"

// Files holds edoc.wsdl and all schemas at the root of a read-only file system, under the relative names by which they
// include and import each other.
//
//go:embed edoc.wsdl edoc.xsd edoc-requests.xsd edxml-blocks.xsd edxml-soap.xsd edxml-types.xsd edxml-qcvn102.xsd edxml-status.xsd xlink.xsd
var Files embed.FS
