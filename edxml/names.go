package edxml

// The XML namespaces of the packets. Their spelling, with and without the
// trailing slash, is significant.
const (
	// NamespaceQCVN102 is the namespace of the single-file profile, QCVN 102:2016/BTTTT.
	NamespaceQCVN102 = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
	// NamespaceEDoc is the namespace of the SOAP profile, CV 2803/BTTTT-THH lineage.
	NamespaceEDoc = "http://www.e-doc.vn/Schema/"
	// NamespaceSOAP is SOAP 1.1, the envelope of the SOAP profile.
	NamespaceSOAP = "http://schemas.xmlsoap.org/soap/envelope/"
	// NamespaceXLink is the namespace of the href attribute in a Manifest.
	NamespaceXLink = "http://www.w3.org/1999/xlink"
	// NamespaceDSig is XML Signature.
	NamespaceDSig = "http://www.w3.org/2000/09/xmldsig#"
)
