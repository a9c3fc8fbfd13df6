package signature_test

import (
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

// more are shapes of wrapping and of blocks beside those of attacks_test.go.
func (s *attackSet) more() {
	t, add := s.t, s.add
	header := between(t, s.soaped, "<edXML:MessageHeader ", "</edXML:MessageHeader>")
	manifest := between(t, s.soaped, "<edXML:Manifest ", "</edXML:Manifest>")
	body := between(t, s.soaped, "<SOAP-ENV:Body>", "</SOAP-ENV:Body>")
	sig := between(t, s.soaped, "<ds:Signature ", "</ds:Signature>")
	forged := strings.Replace(headerText, "000.00.00.H41", "000.00.00.G99", 1)

	add(signature.ErrCoverage, "header-in-header", "The signed MessageHeader stands inside a forged one.\nThe reference finds the inner one; a reader takes the outer.",
		swap(t, s.soaped, header, "<edXML:MessageHeader>"+forged+header+"</edXML:MessageHeader>"), files...)
	add(signature.ErrCoverage, "other-namespace", "A second MessageHeader in the namespace of the other profile.\nReaders that know both profiles may take the last.",
		swap(t, s.soaped, "<edXML:ErrorList/>", `<q:MessageHeader xmlns:q="`+nsQCVN+`">`+strings.ReplaceAll(forged, "edXML:", "q:")+"</q:MessageHeader>"), files...)
	add(signature.ErrCoverage, "second-header", "A second SOAP Header that holds a forged MessageHeader.\nSOAP 1.1 allows one; which one is read is luck.",
		swap(t, s.soaped, "<SOAP-ENV:Body>", "<SOAP-ENV:Header><edXML:MessageHeader>"+forged+"</edXML:MessageHeader></SOAP-ENV:Header><SOAP-ENV:Body>"), files...)
	add(signature.ErrCoverage, "second-body", "A second Body whose Manifest lists other files.\nThe digest of the first is right.",
		swap(t, s.soaped, body, body+"<SOAP-ENV:Body><edXML:Manifest/></SOAP-ENV:Body>"), files...)
	add(signature.ErrCoverage, "moved-manifest", "The signed Manifest is moved into ErrorList, an empty one stands in its place.\nThe files would arrive as if nobody had listed them.",
		swap(t, swap(t, s.soaped, manifest, "<edXML:Manifest/>"), "<edXML:ErrorList/>", "<edXML:ErrorList>"+manifest+"</edXML:ErrorList>"), files...)
	add(signature.ErrDuplicateID, "wsu-id", "Another element has the value as wsu:Id.\nWS-Security libraries resolve references by that attribute.",
		swap(t, s.soaped, "<edXML:ErrorList/>", `<edXML:ErrorList xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="`+idIn(header)+`"/>`), files...)
	add(signature.ErrDuplicateID, "xml-id", "Another element has the value as xml:id.\nlibxml2 and others resolve references by that attribute.",
		swap(t, s.soaped, "<edXML:ErrorList/>", `<edXML:ErrorList xml:id="`+idIn(header)+`"/>`), files...)
	add(signature.ErrDuplicateID, "id-in-signature", "An element inside KeyInfo has the Id of the signed header.\nThe signature itself is part of the document that is searched.",
		swap(t, s.soaped, "<ds:KeyInfo>", `<ds:KeyInfo><ds:KeyName Id="`+idIn(header)+`">x</ds:KeyName>`), files...)
	other := sign(t, strings.Replace(soap(files...), "V/v kết nối", "V/v ngắt nối", 1), beside(files...), ca().rsa, signature.Parts)
	add(signature.ErrCoverage, "replayed", "The signature of another packet of the same agency.\nIts value is right, its References point to Ids that are not here.",
		swap(t, s.soaped, sig, between(t, other, "<ds:Signature ", "</ds:Signature>")), files...)
	add(signature.ErrDigest, "replayed-parts", "Another packet's header under the Id of this one's.\nValue and Id are right, the digest is not.",
		swap(t, s.soaped, header, strings.Replace(between(t, other, "<edXML:MessageHeader ", "</edXML:MessageHeader>"), idIn(between(t, other, "<edXML:MessageHeader ", ">")), idIn(header), 1)), files...)
	add(signature.ErrShape, "enveloping", "The signed parts are wrapped into the signature.\nAn Object has no place in a packet but for XAdES.",
		swap(t, s.soaped, "<ds:Object>", "<ds:Object>"+strings.Replace(header, idIn(header), "x", 1)+"</ds:Object><ds:Object>"), files...)
	s.algorithms()
}

// algorithms are blocks that ask for more than the list allows.
func (s *attackSet) algorithms() {
	t, add := s.t, s.add
	exc := `<ds:Transform Algorithm="` + nsDSig + `enveloped-signature">`
	for _, bad := range [][2]string{{"xslt", "http://www.w3.org/TR/1999/REC-xslt-19991116"}, {"base64-transform", nsDSig + "base64"}, {"xpath-filter", "http://www.w3.org/2002/06/xmldsig-filter2"}} {
		uri := bad[1]
		add(signature.ErrAlgorithm, bad[0], "The transform "+uri+".\nIt is a program or a second reading, chosen by whoever wrote the packet.",
			swap(t, s.whole, exc, `<ds:Transform Algorithm="`+uri+`">`))
	}
	add(signature.ErrAlgorithm, "enveloped-last", "The enveloped-signature transform behind the canonicalisation.\nIt would work on octets, where there is no element left to take out.",
		swap(t, s.whole, exc+"</ds:Transform>"+excIn(t, s.whole), excIn(t, s.whole)+exc+"</ds:Transform>"))
	add(signature.ErrAlgorithm, "parameters", "A parameter inside SignatureMethod, as HMAC has for its length.\nTruncated to nothing every value is right (CVE-2009-0217).",
		swap(t, s.whole, "</ds:SignatureMethod>", "<ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>"))
	add(signature.ErrAlgorithm, "md5", "A digest method that is not on the list.\nWhat is not known is not computed.",
		strings.Replace(s.whole, "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5", 1))
	add(signature.ErrShape, "retrieval-method", "KeyInfo that tells the verifier to fetch the key.\nNothing in a packet chooses an address or a file.",
		swap(t, s.whole, "<ds:KeyInfo>", `<ds:KeyInfo><ds:RetrievalMethod URI="http://a.vn/key" Type="`+nsDSig+`X509Data"/>`))
	add(signature.ErrShape, "foreign-child", "An element of another namespace in ds:Signature.\nThe enveloped transform hides it from the digest.",
		swap(t, s.whole, "<ds:KeyInfo>", `<x xmlns="urn:x"/><ds:KeyInfo>`))
	add(signature.ErrShape, "comment-in-value", "A comment inside SignatureValue.\nPrograms disagree on the text around it.",
		swap(t, s.whole, "</ds:SignatureValue>", "<!-- --></ds:SignatureValue>"))
	add(nil, "comment-in-signedinfo", "Comments between the elements of SignedInfo are not part of what is signed.\nThe canonical form without comments says so, and every program agrees.",
		swap(t, s.whole, "<ds:SignedInfo>", "<ds:SignedInfo><!-- a -->"))
	add(signature.ErrShape, "text-in-signature", "Text between the elements of ds:Signature.\nNo digest covers it.", swap(t, s.whole, "<ds:KeyInfo>", "ký<ds:KeyInfo>"))
	add(signature.ErrShape, "instruction-in-signature", "A processing instruction in SignedInfo.\nIt is part of the canonical form, and of nothing a verifier looks at.",
		swap(t, s.whole, "<ds:SignedInfo>", "<ds:SignedInfo><?x y?>"))
	add(signature.ErrUntrusted, "bare-key", "KeyInfo with the bare key in place of the certificate.\nA key that nobody vouches for proves that the content is whole, not who signed it.",
		swap(t, s.whole, between(t, s.whole, "<ds:X509Data>", "</ds:X509Data>"), "<ds:KeyName>CN=Van phong thu nghiem</ds:KeyName>"))
	ec := sign(t, single(files...), nil, ca().ec, signature.Whole)
	value := between(t, ec, "<ds:SignatureValue>", "</ds:SignatureValue>")
	raw := must(base64Decode(strings.TrimSuffix(strings.TrimPrefix(value, "<ds:SignatureValue>"), "</ds:SignatureValue>")))
	der := must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])}))
	add(signature.ErrSignatureValue, "ecdsa-der", "An ECDSA value as DER, as some libraries write it.\nXML Signature §6.4.3 has r and s of fixed length, and one value has one form.",
		swap(t, ec, value, "<ds:SignatureValue>"+base64Of(der)+"</ds:SignatureValue>"))
	add(signature.ErrSignatureValue, "ecdsa-zero", "An ECDSA value of zeros.\nImplementations that forget to check the range accept it (CVE-2022-21449).",
		swap(t, ec, value, "<ds:SignatureValue>"+base64Of(make([]byte, 64))+"</ds:SignatureValue>"))
	add(nil, "white-space", "White space of every kind in base64.\nIt is allowed anywhere in it, and some verifiers take line ends alone.",
		swap(t, ec, value, strings.Replace(value, ">", "> \t\r\n", 1)))
	add(nil, "escapes", "Characters written as CDATA and as references after signing.\nThe canonical form is the same, so it is the same document.",
		strings.Replace(ec, "V/v kết nối &amp; ", "<![CDATA[V/v kết n]]>&#x1ED1;i &#38; ", 1))
	add(signature.ErrTolerance, "two-roots", "A second root element behind the packet.\nOne reader stops at the end of the first, another takes the last.", s.whole+"<edXML/>")
	add(signature.ErrTolerance, "unbound-prefix", "A prefix without a declaration.\nWithout a namespace there is no canonical form.", swap(t, s.whole, "<AttachmentEncoded>", "<z:y/><AttachmentEncoded>"))
}

// unreadable are documents that get no verdict at all.
func (s *attackSet) unreadable() {
	add := func(title, why, packet string) { s.add(errUnreadable, title, why, packet) }
	add("doctype", "A DOCTYPE.\nEntities, default attributes and identifiers of other names begin there.", strings.Replace(s.whole, "<edXML ", "<!DOCTYPE edXML [<!ENTITY a \"b\">]><edXML ", 1))
	add("surrogate", "A reference to half a character, &#xD800;.\nEach library makes something else of it.", strings.Replace(s.whole, "V/v kết", "&#xD800;", 1))
	add("control", "A control character that XML does not have.\nSome readers drop it, some replace it.", strings.Replace(s.whole, "V/v kết", "\x01", 1))
	add("half-encoded", "Bytes that are no UTF-8.\nA replacement character would change what is digested.", strings.Replace(s.whole, "V/v kết", "\xff\xfe", 1))
	add("deep", "Elements nested deeper than the limit.\nRecursive programs run out of stack there.", strings.Replace(s.whole, "<AttachmentEncoded>", strings.Repeat("<a>", 200)+strings.Repeat("</a>", 200)+"<AttachmentEncoded>", 1))
	add("unclosed", "An end tag is missing.\nWhat comes behind a broken place is a guess.", strings.Replace(s.whole, "</edXML:edXMLBody>", "", 1))
	add("lt-in-attribute", "A < inside an attribute value.\nLax readers take it; no canonical form can be read back.", strings.Replace(s.whole, ` version="1.0">`, ` version="1<0">`, 1))
}

// idIn is the first Id in a text.
func idIn(text string) string {
	_, rest, _ := strings.Cut(text, ` Id="`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// excIn is the exclusive canonicalisation as the packet writes it.
func excIn(t testing.TB, packet string) string {
	return between(t, packet, `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">`, "</ds:Transform>")
}
