package signature_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/signature/c14n"
)

const nsDSig = "http://www.w3.org/2000/09/xmldsig#"

// attack is a packet with what must come of it. Those with a title are also
// fixtures, see fixtures_test.go.
type attack struct {
	title, why string
	packet     string
	contents   []file
	want       error     // nil: acceptable
	by         string    // the program that signed it, when it is not this one
	trusted    time.Time // what its time stamp proves
	crl        []byte    // revocation list to verify with
}

// errUnreadable stands for a packet that is refused before any verdict.
var errUnreadable = errors.New("unreadable")

const excC14N = `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>`

// reference makes a Reference with the digest of octets.
func reference(uri, transforms, octets string) string {
	if transforms != "" {
		transforms = "<ds:Transforms>" + transforms + "</ds:Transforms>"
	}
	sum := sha256.Sum256([]byte(octets))
	return fmt.Sprintf(`<ds:Reference URI=%q>%s<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>%s</ds:DigestValue></ds:Reference>`,
		uri, transforms, base64.StdEncoding.EncodeToString(sum[:]))
}

// forge makes a ds:Signature over any References with the agency's own key:
// what a careless or malicious signer could send.
func forge(refs string) string { return forgeWith(refs, "rsa-sha256", crypto.SHA256) }

func forgeWith(refs, method string, h crypto.Hash) string {
	base := "http://www.w3.org/2001/04/xmldsig-more#"
	if h == crypto.SHA1 {
		base = nsDSig
	}
	info := `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
		`<ds:SignatureMethod Algorithm="` + base + method + `"/>` + refs + `</ds:SignedInfo>`
	d := etree.NewDocument()
	if err := d.ReadFromString(`<ds:Signature xmlns:ds="` + nsDSig + `">` + info + `</ds:Signature>`); err != nil {
		panic(err)
	}
	hasher := h.New()
	if err := c14n.Element(hasher, d.Root().ChildElements()[0], c14n.Exclusive, nil); err != nil {
		panic(err)
	}
	value := must(rsa.SignPKCS1v15(rand.Reader, ca().rsa.Signer.(*rsa.PrivateKey), h, hasher.Sum(nil)))
	return `<ds:Signature xmlns:ds="` + nsDSig + `">` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) +
		`</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(ca().rsa.Chain[0].Raw) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`
}

// canonicalText is the exclusive canonical form of the first element with this name.
func canonicalText(packet, local string) string {
	d := etree.NewDocument()
	if err := d.ReadFromString(packet); err != nil {
		panic(err)
	}
	var out bytes.Buffer
	if err := c14n.Element(&out, d.FindElement("//"+local), c14n.Exclusive, nil); err != nil {
		panic(err)
	}
	return out.String()
}

// attackSet gathers attacks on three signed packets.
type attackSet struct {
	t                    testing.TB
	whole, parts, soaped string
	all                  []attack
}

func (s *attackSet) add(want error, title, why, packet string, contents ...file) {
	s.all = append(s.all, attack{title: title, why: why, packet: packet, contents: contents, want: want})
}

func attacks(t testing.TB) []attack {
	s := &attackSet{
		t:      t,
		whole:  sign(t, single(files...), nil, ca().rsa, signature.Whole),
		parts:  sign(t, single(files...), nil, ca().rsa, signature.Parts),
		soaped: sign(t, soap(files...), beside(files...), ca().rsa, signature.Parts),
	}
	s.good()
	s.wrapping()
	s.attachments()
	s.block()
	s.careless()
	s.around()
	s.properties()
	s.more()
	s.unreadable()
	return s.all
}

// good are the packets as they were signed.
func (s *attackSet) good() {
	t, add := s.t, s.add
	add(nil, "whole", "A new document in one file, signed whole.", s.whole)
	add(nil, "parts", "The same document signed by parts.", s.parts)
	add(nil, "soap", "A SOAP envelope signed by parts; its attachments lie beside it.", s.soaped, files...)
	add(nil, "status", "A status packet.", sign(t, status(), nil, ca().rsa, signature.Auto))
	add(nil, "ecdsa", "ECDSA P-256: r and s of 32 bytes each, no DER.", sign(t, single(files...), nil, ca().ec, signature.Whole))
}

// wrapping keeps the signed element and puts another in its place.
func (s *attackSet) wrapping() {
	t, add := s.t, s.add
	header := between(t, s.soaped, "<edXML:MessageHeader ", "</edXML:MessageHeader>")
	business := between(t, s.soaped, "<edXML:Bussiness ", "</edXML:Bussiness>")
	sig := between(t, s.soaped, "<ds:Signature ", "</ds:Signature>")
	wholeSig := between(t, s.whole, "<ds:Signature ", "</ds:Signature>")
	forged := strings.Replace(headerText, "000.00.00.H41", "000.00.00.G99", 1)
	moved := func(to string) string {
		return swap(t, swap(t, s.soaped, header, "<edXML:MessageHeader>"+forged+"</edXML:MessageHeader>"), "<edXML:ErrorList/>", to)
	}
	in := func(what string) string {
		return swap(t, s.soaped, "<edXML:ErrorList/>", "<edXML:ErrorList>"+what+"</edXML:ErrorList>")
	}

	add(signature.ErrCoverage, "moved-header", "The signed MessageHeader is moved into ErrorList, a forged one without Id stands in its place.\nId lookup still finds it and its digest is right; readers take the header at its place.",
		moved("<edXML:ErrorList>"+header+"</edXML:ErrorList>"), files...)
	add(signature.ErrCoverage, "header-in-body", "The signed MessageHeader is moved into the Body.\nA verifier that resolves Ids anywhere accepts; the Body is not where headers are read.",
		swap(t, moved("<edXML:ErrorList/>"), "</SOAP-ENV:Body>", header+"</SOAP-ENV:Body>"), files...)
	add(signature.ErrDuplicateID, "duplicate-id", "The forged MessageHeader has the Id of the signed one.\nVerifier and reader each take one of the two, and not the same one.",
		swap(t, moved("<edXML:ErrorList>"+header+"</edXML:ErrorList>"), "<edXML:MessageHeader>", between(t, header, "<edXML:MessageHeader", ">")), files...)
	add(signature.ErrDuplicateID, "other-kind-of-id", "Another element has the same value in an attribute called id; other programs go by that one.\nA DOM that treats id as an identifier resolves the reference to the other element.",
		swap(t, s.soaped, "<edXML:ErrorList/>", strings.Replace(between(t, header, "<edXML:MessageHeader", ">"), "MessageHeader Id", "ErrorList id", 1)+"</edXML:ErrorList>"), files...)
	add(signature.ErrDuplicateID, "id-with-space", "The same Id with a space in front, which a validating parser takes away.\nTwo programs, with and without a schema, resolve the reference differently.",
		swap(t, s.soaped, "<edXML:ErrorList/>", strings.NewReplacer("MessageHeader", "ErrorList", `Id="`, `Id=" `).Replace(between(t, header, "<edXML:MessageHeader", ` Id="`))+
			strings.TrimPrefix(between(t, header, ` Id="`, ">"), ` Id="`)+"</edXML:ErrorList>"), files...)
	add(signature.ErrCoverage, "second-business", "A second Bussiness with another Id, which a reader that takes the last would follow.\nThe digest of the first is right; the second turns a new document into a recall.",
		swap(t, s.soaped, "</edXML:TraceHeaderList>", `<edXML:Bussiness Id="x"><edXML:BussinessDocType>1</edXML:BussinessDocType></edXML:Bussiness></edXML:TraceHeaderList>`), files...)
	add(signature.ErrCoverage, "other-spelling", "A second block with the other spelling, in no namespace.\nReaders of the wild take both spellings and any namespace, so it counts as a second one.",
		in("<Business xmlns=''><BusinessDocType>1</BusinessDocType></Business>"), files...)
	noBusiness := strings.Replace(soap(files...), between(t, soap(), "<edXML:Bussiness>", "</edXML:Bussiness>"), "", 1)
	add(signature.ErrCoverage, "business-added", "A Bussiness is added to a packet that was signed without one.\nAbsence was signed by not being referenced; what is added must not look signed.",
		swap(t, sign(t, noBusiness, beside(files...), ca().rsa, signature.Parts), "</edXML:TraceHeaderList>",
			"<edXML:Bussiness><edXML:BussinessDocType>1</edXML:BussinessDocType></edXML:Bussiness></edXML:TraceHeaderList>"), files...)
	add(nil, "without-business", "A packet without Bussiness, whose absence is a new document.",
		sign(t, noBusiness, beside(files...), ca().rsa, signature.Parts), files...)
	add(signature.ErrCoverage, "business-removed", "The signed Bussiness is gone.\nAll References that can be resolved are right, but one cannot be.", swap(t, s.soaped, business, ""), files...)
	add(signature.ErrShape, "part-in-keyinfo", "A forged MessageHeader hides in KeyInfo, which no digest covers.\nThe enveloped transform takes the whole Signature out, and a reader by local name finds it there.",
		swap(t, s.soaped, "<ds:KeyInfo>", "<ds:KeyInfo><edXML:MessageHeader>"+forged+"</edXML:MessageHeader>"), files...)
	add(signature.ErrShape, "part-in-x509data", "The same, one level deeper, in a packet signed whole.\nKeyInfo is extensible by schema, so a lax check lets it pass.",
		swap(t, s.whole, "<ds:X509Data>", "<ds:X509Data><edXML:MessageHeader>"+forged+"</edXML:MessageHeader>"))
	add(signature.ErrShape, "object", "The signed MessageHeader is kept in a ds:Object.\nThe reference resolves to the copy in the Object, the forged header is what is read.",
		swap(t, moved(""), "</ds:Signature>", "<ds:Object>"+header+"</ds:Object></ds:Signature>"), files...)
	add(signature.ErrCoverage, "signature-in-body", "The signature is moved into the Body.\nNothing that was signed changed; but where a signature stands is policy, and the Body has other owners.", swap(t, swap(t, s.soaped, sig, ""), "</SOAP-ENV:Body>", sig+"</SOAP-ENV:Body>"), files...)
	add(signature.ErrCoverage, "signature-at-the-end", "The signature is moved out of edXMLHeader; the digest would still be right.\nPosition is policy: another program would look for the signature in the header and find none.",
		swap(t, swap(t, s.whole, wholeSig, ""), "</edXML>", wholeSig+"</edXML>"))
	inner := s.whole[strings.Index(s.whole, "<edXML "):]
	add(signature.ErrCoverage, "packet-in-packet", "A signed packet inside another one.\nThe inner packet is whole and its signature right; it is the outer one that is delivered.",
		swap(t, single(), "<AttachmentEncoded>", inner+"<AttachmentEncoded>"))
	add(signature.ErrDigest, "second-envelope", "A second edXMLEnvelope in a packet signed whole.\nA reader that takes the last envelope would read one nobody signed.",
		swap(t, s.whole, "<AttachmentEncoded>", "<edXML:edXMLEnvelope xmlns:edXML='"+nsQCVN+"'/><AttachmentEncoded>"))
}

// attachments changes the files and what is said of them.
func (s *attackSet) attachments() {
	t, add := s.t, s.add
	more := "<Attachment><ContentId>cid:new</ContentId><AttachmentName>x.exe</AttachmentName><ContentTransferEncoded>TVo=</ContentTransferEncoded></Attachment>"
	add(signature.ErrCoverage, "attachment-added", "An attachment nobody signed.\nEvery Reference is right; coverage has to be compared with what is there.", swap(t, s.parts, "</AttachmentEncoded>", more+"</AttachmentEncoded>"))
	add(signature.ErrCoverage, "attachment-elsewhere", "An Attachment outside AttachmentEncoded.\nA reader that searches the whole document for Attachment would deliver it.", swap(t, s.parts, "<AttachmentEncoded>", more+"<AttachmentEncoded>"))
	add(signature.ErrShape, "second-content", "A second ContentTransferEncoded in a signed Attachment.\nThe digest is of one of them, and the reader may take the other.",
		strings.Replace(s.parts, "</Attachment>", "<ContentTransferEncoded>TVo=</ContentTransferEncoded></Attachment>", 1))
	add(signature.ErrDuplicateID, "same-content-id", "A second Attachment with the ContentId of a signed one.\nThe digest is of the first of the two, and delivered is perhaps the second.",
		swap(t, s.parts, "</AttachmentEncoded>", strings.Replace(more, "cid:new", "cid:"+files[0].id, 1)+"</AttachmentEncoded>"))
	add(signature.ErrCoverage, "attachment-renamed", "The name beside the content, which no digest covers, is another than in the Manifest.\nA .pdf that was signed would arrive as an .exe.",
		swap(t, s.parts, "<AttachmentName>"+files[0].name, "<AttachmentName>x.exe"))
	add(signature.ErrDigest, "attachment-changed", "One attachment was changed.\nThe verdict names it, and only it.", s.soaped, files[0], file{files[1].id, files[1].name, "khác"})
	add(signature.ErrMissingContent, "attachment-missing", "One attachment is not there.\nA verifier that skips what it cannot open would accept.", s.soaped, files[0])
	add(signature.ErrDigest, "behind-the-padding", "The base64 of an attachment goes on behind its padding.\nDecoders stop at the padding or go on: two contents with one text.",
		swap(t, s.parts, base64.StdEncoding.EncodeToString([]byte(files[0].content)), base64.StdEncoding.EncodeToString([]byte(files[0].content))+"QUJD"))
}

// block changes the ds:Signature itself.
func (s *attackSet) block() {
	t, add := s.t, s.add
	wholeSig := between(t, s.whole, "<ds:Signature ", "</ds:Signature>")
	digestValue := between(t, s.whole, "<ds:DigestValue>", "</ds:DigestValue>")
	info := between(t, s.whole, "<ds:SignedInfo>", "</ds:SignedInfo>")
	add(signature.ErrShape, "comment-in-digest", "A comment inside DigestValue: programs disagree on the text.\nCVE-2025-29775 was this in another library.",
		swap(t, s.whole, digestValue, strings.Replace(digestValue, "</ds", "<!-- --></ds", 1)))
	add(signature.ErrShape, "child-in-value", "An element inside SignatureValue.\nText of descendants or text of the element alone: programs differ.", swap(t, s.whole, "</ds:SignatureValue>", "<ds:X/></ds:SignatureValue>"))
	add(signature.ErrShape, "two-signedinfo", "A forged SignedInfo before the signed one.\nCVE-2025-29774 was this in another library: one is verified, the other is believed.", swap(t, s.whole, info, info+info))
	add(signature.ErrShape, "no-signedinfo", "An empty ds:Signature.\nA loop over no References finds no fault.", swap(t, s.whole, wholeSig, `<ds:Signature xmlns:ds="`+nsDSig+`"/>`))
	add(signature.ErrShape, "prefixed-uri", "The URI attribute has a prefix; a reader that looks at local names takes it.\nFor XML Signature this Reference has no URI at all.",
		swap(t, s.whole, ` URI=""`, ` ds:URI=""`))
	add(signature.ErrSignatureValue, "value-changed", "SignedInfo was changed after signing.\nThe digest fits a forged packet; the value does not fit the digest.", swap(t, s.whole, digestValue, "<ds:DigestValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</ds:DigestValue>"))
	add(signature.ErrAlgorithm, "xpath", "An XPath transform could leave anything out.\nIt would leave out whatever the attacker wants to change.",
		swap(t, s.whole, `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature">`, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">`))
	add(signature.ErrAlgorithm, "hmac", "HMAC with the public certificate as key.\nWhoever has the certificate could make such a value (CVE-2016-1000252 and its like).",
		swap(t, s.whole, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", nsDSig+"hmac-sha1"))
	add(signature.ErrShape, "four-transforms", "More transforms than are allowed.\nEach is work before anything is authentic.", strings.Replace(s.whole, "</ds:Transforms>", excC14N+excC14N+"</ds:Transforms>", 1))
	add(signature.ErrAlgorithm, "two-canonicalisations", "A second canonicalisation would need a second reading of what was written.\nReading again what was written is where parsers begin to differ.",
		strings.Replace(s.whole, "</ds:Transforms>", excC14N+"</ds:Transforms>", 1))
	add(signature.ErrShape, "", "too many certificates", swap(t, s.whole, "</ds:X509Data>", strings.Repeat(between(t, s.whole, "<ds:X509Certificate>", "</ds:X509Certificate>"), 10)+"</ds:X509Data>"))

	huge := must(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(99)}, ca().root,
		&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 9000, 1), E: 65537}, ca().rootKey))
	add(signature.ErrAlgorithm, "", "a certificate whose key takes long to compute with", swap(t, s.whole, "</ds:X509Data>",
		"<ds:X509Certificate>"+base64.StdEncoding.EncodeToString(huge)+"</ds:X509Certificate></ds:X509Data>"))
}

// careless is what the agency's own key signed, but not as the profile says.
func (s *attackSet) careless() {
	t, add := s.t, s.add
	withIDs := strings.Replace(soap(), "<edXML:MessageHeader>", `<edXML:MessageHeader Id="h">`, 1)
	signedBy := func(packet, block string) string {
		return swap(t, packet, "</SOAP-ENV:Header>", block+"</SOAP-ENV:Header>")
	}
	headerRef := reference("#h", excC14N, canonicalText(withIDs, "MessageHeader"))
	add(signature.ErrCoverage, "header-only", "Only MessageHeader is signed.\nMathematics without a fault, over less than the document.", signedBy(withIDs, forge(headerRef)))
	listed := strings.Replace(soap(), "<edXML:ErrorList/>", `<edXML:ErrorList Id="e"/>`, 1)
	add(signature.ErrCoverage, "decoy", "The reference points to ErrorList, which nobody reads.\nA verifier that asks only whether some Reference is right accepts.", signedBy(listed, forge(reference("#e", excC14N, canonicalText(listed, "ErrorList")))))
	for _, uri := range []string{"#xpointer(/)", "Xh", "#", "#1", "http://a.vn/", "file:///etc/passwd", "cid:", "# h"} {
		add(signature.ErrCoverage, "", "reference "+uri, signedBy(withIDs, forge(reference(uri, excC14N, ""))))
	}
	add(signature.ErrCoverage, "dangling", "The reference points nowhere.\nA digest of nothing must not be right.", signedBy(withIDs, forge(reference("#nothing", excC14N, ""))))
	add(signature.ErrShape, "same-reference-twice", "Two References to one element.\nTwo digests of one thing: at least one says nothing.", signedBy(withIDs, forge(headerRef+headerRef)))
	add(signature.ErrShape, "not-enveloped", "The whole packet without the enveloped-signature transform cannot be digested with the signature in it.\nNo value can be right, whatever it is.",
		signedBy(withIDs, forge(reference("", excC14N, ""))))
	add(signature.ErrAlgorithm, "transformed-attachment", "A transform on an attachment.\nA transform decides what octets are compared, and the reader gets others.", signedBy(withIDs, forge(headerRef+reference("cid:a", excC14N, ""))), file{"a", "a", ""})
	add(signature.ErrShape, "", "too many references", signedBy(withIDs, forge(strings.Repeat(headerRef, 1101))))
	sha := sha1.Sum([]byte(canonicalText(withIDs, "MessageHeader")))
	weak := strings.NewReplacer("http://www.w3.org/2001/04/xmlenc#sha256", nsDSig+"sha1", between(t, headerRef, "<ds:DigestValue>", "</ds:DigestValue>"),
		"<ds:DigestValue>"+base64.StdEncoding.EncodeToString(sha[:])+"</ds:DigestValue>").Replace(headerRef)
	add(signature.ErrAlgorithm, "sha1", "SHA-1 is refused unless the caller accepts old packets.\nA collision can be bought; old packets have it all the same.", signedBy(withIDs, forgeWith(weak, "rsa-sha1", crypto.SHA1)))
}

// around changes the packet around the signature.
func (s *attackSet) around() {
	t, add := s.t, s.add
	add(signature.ErrTolerance, "stray-bytes", "Stray bytes in front, as one vendor writes them.\nSome programs skip them, others refuse: they do not read the same document.", "1212"+s.whole)
	add(signature.ErrTolerance, "attribute-twice", "The same attribute twice: programs disagree on which one counts.\nNot well-formed, so there is no canonical form to agree on.",
		swap(t, s.whole, ` version="1.0">`, ` version="1.0" version="1.0">`))
	add(signature.ErrTolerance, "trailing-junk", "An end tag too many.\nA lax reader stops before it, a strict one refuses.", s.whole+"</edXML>")
	add(signature.ErrUntrusted, "unknown-signer", "Somebody else's self-signed certificate.\nThe value is right for the key that came with it; that proves nothing.", sign(t, single(files...), nil, ca().self, signature.Whole))
	add(signature.ErrNamespace, "dummy", "A block named Signature in the packet's own namespace, as vendors' samples carry.\nIt verifies nothing, and must not be reported as a broken signature either.",
		swap(t, single(), "</edXML:edXMLHeader>", "<Signature><SignedInfo/><SignatureValue>dummy</SignatureValue></Signature></edXML:edXMLHeader>"))
	add(signature.ErrNamespace, "dummy-in-soap", "The same in a SOAP envelope, where a Signature without SignedInfo would be the token.\nThe same element name carries the access token on the wire.",
		swap(t, soap(), "</SOAP-ENV:Header>", "<edXML:Signature><edXML:SignedInfo/></edXML:Signature></SOAP-ENV:Header>"))
}

func TestAttacks(t *testing.T) {
	for _, a := range attacks(t) {
		v, err := signature.Verify(strings.NewReader(a.packet), int64(len(a.packet)), beside(a.contents...), signature.VerifyOptions{Roots: ca().roots})
		if a.want == errUnreadable {
			if err == nil {
				t.Errorf("%s: it is read: %v", a.title, v)
			}
			continue
		}
		if err != nil || len(v) != 1 {
			t.Errorf("%s %s: %v, %d verdicts", a.title, a.why, err, len(v))
			continue
		}
		if a.want == nil && v[0].Err != nil || a.want != nil && !errors.Is(v[0].Err, a.want) {
			t.Errorf("%s: %v, want %v", a.title+" "+a.why, v[0].Err, a.want)
		}
	}
}

// TestLegacy: what AllowLegacy lets pass is still named.
func TestLegacy(t *testing.T) {
	plain := strings.ReplaceAll(status(), "\n", " ")
	packet := swap(t, plain, "</edXML:edXMLHeader>", "SIG</edXML:edXMLHeader>")
	sum := sha1.Sum([]byte(canonicalText(plain, "edXML")))
	ref := `<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="` + nsDSig + `enveloped-signature"/>` + excC14N + `</ds:Transforms>` +
		`<ds:DigestMethod Algorithm="` + nsDSig + `sha1"/><ds:DigestValue>` + base64.StdEncoding.EncodeToString(sum[:]) + `</ds:DigestValue></ds:Reference>`
	packet = swap(t, packet, "SIG", forgeWith(ref, "rsa-sha1", crypto.SHA1))
	for _, legacy := range []bool{false, true} {
		v, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{Roots: ca().roots, AllowLegacy: legacy})
		if err != nil || len(v) != 1 {
			t.Fatal(err, v)
		}
		if legacy && (v[0].Err != nil || len(v[0].Warnings) != 1) || !legacy && !errors.Is(v[0].Err, signature.ErrAlgorithm) {
			t.Errorf("legacy %v: %v, %v", legacy, v[0].Err, v[0].Warnings)
		}
	}
}

// TestTwoSignatures: each signature gets its own verdict, and one that covers
// the other notices when it is touched.
func TestTwoSignatures(t *testing.T) {
	first := sign(t, single(files...), nil, ca().rsa, signature.Parts)
	sum := canonicalText(first, "edXML")
	ref := reference("", `<ds:Transform Algorithm="`+nsDSig+`enveloped-signature"/>`+excC14N, "<?style x?>\n"+sum)
	both := swap(t, first, "</edXML:edXMLHeader>", forge(ref)+"</edXML:edXMLHeader>")
	v := verify(t, both, nil)
	if len(v) != 2 || v[0].Err != nil || v[1].Err != nil || !v[1].Coverage.Whole {
		t.Fatalf("%v", v)
	}
	v = verify(t, strings.Replace(both, "<ds:KeyInfo>", "<ds:KeyInfo> ", 1), nil)
	if len(v) != 2 || v[0].Err != nil || !errors.Is(v[1].Err, signature.ErrDigest) {
		t.Errorf("%v", v)
	}
}

// properties changes what the signer signed about the signature (XAdES).
func (s *attackSet) properties() {
	t, add := s.t, s.add
	plain := must(signWith(single(files...), nil, ca().rsa, signature.SignOptions{Plain: true}))
	add(nil, "plain", "Signed whole, without XAdES.", plain)
	object := between(t, s.whole, "<ds:Object>", "</ds:Object>")
	inner := strings.TrimSuffix(strings.TrimPrefix(object, "<ds:Object>"), "</ds:Object>")
	time := between(t, s.whole, "<xades:SigningTime>", "</xades:SigningTime>")
	add(signature.ErrDigest, "other-signing-time", "The claimed signing time was changed.\nOnly the digest of SignedProperties protects it.", swap(t, s.whole, time, "<xades:SigningTime>2020-01-01T00:00:00Z</xades:SigningTime>"))
	add(signature.ErrShape, "no-time", "SigningTime is no time.\nA time that cannot be read is no claim.", swap(t, s.whole, time, "<xades:SigningTime>hôm qua</xades:SigningTime>"))
	add(signature.ErrCoverage, "unbound-properties", "SignedProperties that no Reference binds, put into a plain signature.\nThe claim would come from whoever put it there.",
		swap(t, strings.Replace(plain, "<ds:Signature ", `<ds:Signature Id="signature-`+strings.TrimPrefix(between(t, object, "#signature-", `"`), "#signature-")+" ", 1), "</ds:Signature>", object+"</ds:Signature>"))
	add(signature.ErrCoverage, "properties-removed", "The signed Object is gone.\nThe Reference that bound them has nothing to point to.", swap(t, s.whole, object, ""))
	add(signature.ErrShape, "second-object", "A second Object beside the signed one.\nWhat stands there no Reference covers.", swap(t, s.whole, "</ds:Signature>", "<ds:Object/></ds:Signature>"))
	add(signature.ErrShape, "beside-properties", "Something beside QualifyingProperties in the Object, which no digest covers.\nA reader that goes by local names finds a second header.",
		swap(t, s.whole, "</ds:Object>", "<edXML:MessageHeader>"+headerText+"</edXML:MessageHeader></ds:Object>"))
	unsigned := func(what string) string {
		return swap(t, s.whole, "</xades:QualifyingProperties>", "<xades:UnsignedProperties>"+what+"</xades:UnsignedProperties></xades:QualifyingProperties>")
	}
	add(signature.ErrShape, "unsigned-properties", "A forged MessageHeader hides in UnsignedProperties, which no digest covers.\nThey may be added by anybody, so they must hold nothing a reader of packets could take.",
		unsigned("<edXML:MessageHeader xmlns:edXML='"+nsQCVN+"'>"+headerText+"</edXML:MessageHeader>"))
	add(nil, "certificate-values", "Unsigned properties of XAdES are passed over, as other programs add them for long keeping.",
		unsigned("<xades:UnsignedSignatureProperties><xades:CertificateValues/></xades:UnsignedSignatureProperties>"))
	add(nil, "stamp-of-nothing", "A time stamp that is none proves nothing, and spoils nothing: the verdict has no trusted time.",
		unsigned("<xades:UnsignedSignatureProperties><xades:SignatureTimeStamp><xades:EncapsulatedTimeStamp>AAAA</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp></xades:UnsignedSignatureProperties>"))
	add(signature.ErrShape, "two-unsigned", "Two UnsignedProperties: programs disagree on which counts.\nEach program would look for time stamps in another one.",
		strings.Replace(unsigned(""), "<xades:UnsignedProperties>", "<xades:UnsignedProperties/><xades:UnsignedProperties>", 1))
	add(signature.ErrShape, "other-target", "The properties are about another signature.\nProperties of one signature must not speak for another.", strings.Replace(s.whole, `Target="#signature-`, `Target="#signature-x`, 1))
	add(signature.ErrShape, "text-object", "An Object that holds text.\nFree text in a signature has no place in the profile.", swap(t, s.whole, inner, "text"))
	add(signature.ErrCertificate, "other-certificate", "Another certificate for the same key than the one the signer named.\nThe key is the same, the rights of the two certificates may differ.",
		swap(t, s.whole, base64.StdEncoding.EncodeToString(ca().rsa.Chain[0].Raw), base64.StdEncoding.EncodeToString(ca().self.Chain[0].Raw)))
	add(nil, "", "the certificate named, behind another for the same key",
		swap(t, s.whole, "<ds:X509Data>", "<ds:X509Data><ds:X509Certificate>"+base64.StdEncoding.EncodeToString(ca().self.Chain[0].Raw)+"</ds:X509Certificate>"))
	add(signature.ErrDuplicateID, "properties-id-twice", "Another element has the Id of SignedProperties.\nThe Reference could mean either.",
		swap(t, s.whole, "<AttachmentEncoded>", `<AttachmentEncoded Id="`+propertiesID(t, s.whole)+`">`))
	add(signature.ErrDuplicateID, "", "another kind of identifier has the Id of SignedProperties",
		swap(t, s.soaped, "<edXML:ErrorList/>", `<edXML:ErrorList id="`+propertiesID(t, s.soaped)+`"/>`), files...)
}

// propertiesID is the Id of SignedProperties.
func propertiesID(t testing.TB, packet string) string {
	tag := between(t, packet, `<xades:SignedProperties Id="`, `">`)
	return strings.Split(tag, `"`)[1]
}
