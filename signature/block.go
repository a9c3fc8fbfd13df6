package signature

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature/c14n"
)

// dsig11 is the namespace of the key forms XML Signature 1.1 added.
const dsig11 = "http://www.w3.org/2009/xmldsig11#"

const transformEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

// block is a ds:Signature taken apart, nothing in it believed yet.
type block struct {
	limits  Limits
	scheme  scheme
	info    []byte // the canonical SignedInfo
	value   []byte
	valueEl *etree.Element // SignatureValue, which time stamps bind
	refs    []*ref
	certs   []*x509.Certificate
	keys    *etree.Element // KeyInfo

	properties *properties // nil without XAdES
}

// ref is one Reference.
type ref struct {
	uri    string
	kind   string // its Type
	method crypto.Hash
	digest []byte
	enveloped,
	transformed bool
	canonical c14n.Method // without comments
	prefixes  []string
}

// parseBlock reads a ds:Signature. The error wraps [ErrShape] or [ErrAlgorithm].
func parseBlock(sig *etree.Element, l Limits) (*block, error) {
	children, err := elements(sig)
	if err != nil {
		return nil, err
	}
	if len(children) < 2 || !isDSig(children[0], "SignedInfo") || !isDSig(children[1], "SignatureValue") {
		return nil, refuse(ErrShape, "it does not begin with SignedInfo and SignatureValue")
	}
	b := &block{limits: l, valueEl: children[1]}
	if b.value, err = octetsOf(children[1]); err != nil {
		return nil, err
	}
	if err := b.signedInfo(children[0]); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, r := range b.refs {
		if seen[r.uri] {
			return nil, refuse(ErrShape, "two References to %q", r.uri)
		}
		seen[r.uri] = true
	}
	rest := children[2:]
	if len(rest) > 0 && isDSig(rest[0], "KeyInfo") {
		if err := b.keyInfo(rest[0]); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if len(rest) > 1 || len(rest) == 1 && !isDSig(rest[0], "Object") {
		return nil, refuse(ErrShape, "behind SignatureValue stands more than one KeyInfo and one Object, in this order")
	}
	if len(rest) == 1 {
		err = b.object(sig, rest[0])
	}
	return b, err
}

// signedInfo reads SignedInfo and makes its canonical form, both from the same
// tree.
func (b *block) signedInfo(el *etree.Element) error {
	children, err := elements(el)
	if err != nil {
		return err
	}
	if len(children) < 3 || !isDSig(children[0], "CanonicalizationMethod") || !isDSig(children[1], "SignatureMethod") {
		return refuse(ErrShape, "SignedInfo does not hold CanonicalizationMethod, SignatureMethod and References")
	}
	if len(children)-2 > b.limits.References {
		return refuse(ErrShape, "more than %d References", b.limits.References)
	}
	uri, prefixes, err := method(children[0])
	if err != nil {
		return err
	}
	m, _, ok := canonical(uri)
	if !ok {
		return refuse(ErrAlgorithm, "CanonicalizationMethod %q", uri)
	}
	if b.scheme, err = signatureMethod(children[1]); err != nil {
		return err
	}
	for _, child := range children[2:] {
		r, err := parseRef(child)
		if err != nil {
			return err
		}
		b.refs = append(b.refs, r)
	}
	var text bytes.Buffer
	if err := c14n.Element(&text, el, m, prefixes); err != nil {
		return refuse(ErrShape, "SignedInfo has no canonical form: %v", err)
	}
	b.info = text.Bytes()
	return nil
}

func parseRef(el *etree.Element) (*ref, error) {
	children, err := elements(el)
	if err != nil {
		return nil, err
	}
	if !isDSig(el, "Reference") {
		return nil, refuse(ErrShape, "%s where a Reference is due", el.FullTag())
	}
	r := &ref{canonical: c14n.Inclusive10}
	uri, ok := attribute(el, "URI")
	if !ok {
		return nil, refuse(ErrShape, "a Reference without URI")
	}
	r.uri = uri
	r.kind, _ = attribute(el, "Type")
	if len(children) == 3 && isDSig(children[0], "Transforms") {
		if err := r.transforms(children[0]); err != nil {
			return nil, err
		}
		children = children[1:]
	}
	if len(children) != 2 || !isDSig(children[0], "DigestMethod") || !isDSig(children[1], "DigestValue") {
		return nil, refuse(ErrShape, "Reference %q does not hold Transforms, DigestMethod and DigestValue", uri)
	}
	if r.method, err = digestOf(children[0]); err != nil {
		return nil, err
	}
	r.digest, err = octetsOf(children[1])
	return r, err
}

// transforms takes the enveloped-signature transform and one canonicalisation,
// in this order; nothing else makes octets here.
func (r *ref) transforms(el *etree.Element) error {
	children, err := elements(el)
	if err != nil {
		return err
	}
	if len(children) == 0 || len(children) > maxTransforms {
		return refuse(ErrShape, "%d Transforms in Reference %q; 1 to %d are allowed", len(children), r.uri, maxTransforms)
	}
	done := false
	for _, child := range children {
		if !isDSig(child, "Transform") {
			return refuse(ErrShape, "%s where a Transform is due", child.FullTag())
		}
		uri, prefixes, err := method(child)
		if err != nil {
			return err
		}
		_, plain, ok := canonical(uri)
		switch {
		case uri == transformEnveloped && !r.transformed && len(prefixes) == 0:
			r.enveloped = true
		case ok && !done:
			done = true
			r.canonical, r.prefixes = plain, prefixes
		default:
			return refuse(ErrAlgorithm, "Transform %q in Reference %q", uri, r.uri)
		}
		r.transformed = true
	}
	return nil
}

// keyInfo takes the certificates. A key that has no certificate can prove
// nothing, see VerifyOptions.Known.
func (b *block) keyInfo(el *etree.Element) error {
	b.keys = el
	children, err := elements(el)
	if err != nil {
		return err
	}
	for _, child := range children {
		switch space := child.NamespaceURI(); {
		case space == edxml.NamespaceDSig && (child.Tag == "X509Data" || child.Tag == "KeyValue" || child.Tag == "KeyName"):
		case space == dsig11 && child.Tag == "DEREncodedKeyValue":
		default:
			return refuse(ErrShape, "%s in KeyInfo", child.FullTag())
		}
		if err := namesOf(child, "KeyInfo", edxml.NamespaceDSig, dsig11, more2001); err != nil {
			return err
		}
		if child.Tag != "X509Data" {
			continue
		}
		for _, item := range child.ChildElements() {
			if !isDSig(item, "X509Certificate") {
				continue
			}
			der, err := octetsOf(item)
			if err != nil {
				return err
			}
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return refuse(ErrShape, "a certificate in KeyInfo cannot be read: %v", err)
			}
			if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSA {
				return refuse(ErrAlgorithm, "an RSA key of %d bits in a certificate", key.N.BitLen())
			}
			if b.certs = append(b.certs, c); len(b.certs) > b.limits.Certificates {
				return refuse(ErrShape, "more than %d certificates", b.limits.Certificates)
			}
		}
	}
	return nil
}

// namesOf refuses elements of other namespaces inside el: a part of a packet
// hidden there would look as if it were one. It keeps the declarations itself:
// looking each name up among all of them would cost the product of the two.
func namesOf(el *etree.Element, where string, spaces ...string) error {
	n := names{in: make(map[string][]string), where: where, spaces: spaces}
	var above []*etree.Element
	for p := el; p != nil; p = p.Parent() {
		above = append(above, p)
	}
	for _, p := range slices.Backward(above) {
		n.declare(p)
	}
	return n.check(el)
}

// names is a walk through a tree with the namespaces in force.
type names struct {
	in     map[string][]string // by prefix, the innermost last
	where  string
	spaces []string
}

func (n names) declare(el *etree.Element) {
	for _, a := range el.Attr {
		if b, ok := c14n.Declaration(a); ok {
			n.in[b.Prefix] = append(n.in[b.Prefix], b.URI)
		}
	}
}

func (n names) check(el *etree.Element) error {
	for _, child := range el.ChildElements() {
		n.declare(child)
		space := ""
		if held := n.in[child.Space]; len(held) > 0 {
			space = held[len(held)-1]
		}
		if !slices.Contains(n.spaces, space) {
			return refuse(ErrShape, "%s in %s", child.FullTag(), n.where)
		}
		if err := n.check(child); err != nil {
			return err
		}
		for _, a := range child.Attr {
			if b, ok := c14n.Declaration(a); ok {
				n.in[b.Prefix] = n.in[b.Prefix][:len(n.in[b.Prefix])-1]
			}
		}
	}
	return nil
}

func isDSig(el *etree.Element, name string) bool {
	return el.Tag == name && el.NamespaceURI() == edxml.NamespaceDSig
}

// elements returns the children of an element that holds only elements.
func elements(el *etree.Element) ([]*etree.Element, error) {
	var children []*etree.Element
	for _, child := range el.Child {
		switch n := child.(type) {
		case *etree.Element:
			children = append(children, n)
		case *etree.Comment:
		case *etree.CharData:
			if strings.Trim(n.Data, " \t\r\n") != "" {
				return nil, refuse(ErrShape, "text in %s", el.FullTag())
			}
		default:
			return nil, refuse(ErrShape, "a processing instruction in %s", el.FullTag())
		}
	}
	return children, nil
}

// octetsOf decodes an element that holds base64 and nothing else, no comment
// either. White space is allowed anywhere.
func octetsOf(el *etree.Element) ([]byte, error) {
	var text strings.Builder
	for _, child := range el.Child {
		data, ok := child.(*etree.CharData)
		if !ok {
			return nil, refuse(ErrShape, "%s holds more than text", el.FullTag())
		}
		for _, r := range data.Data {
			if !strings.ContainsRune(" \t\r\n", r) {
				text.WriteRune(r)
			}
		}
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text.String())
	if err != nil || len(b) == 0 {
		return nil, refuse(ErrShape, "%s holds no base64", el.FullTag())
	}
	return b, nil
}

// attribute returns an attribute without prefix.
func attribute(el *etree.Element, name string) (string, bool) {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value, true
		}
	}
	return "", false
}

// method reads an algorithm that may have a PrefixList.
func method(el *etree.Element) (uri string, prefixes []string, err error) {
	uri, _ = attribute(el, "Algorithm")
	children, err := elements(el)
	if err != nil || len(children) == 0 {
		return uri, nil, err
	}
	c := children[0]
	list, ok := attribute(c, "PrefixList")
	m, plain, _ := canonical(uri)
	if !ok || plain != c14n.Exclusive || len(children) > 1 || len(c.Child) > 0 ||
		c.Tag != "InclusiveNamespaces" || c.NamespaceURI() != string(c14n.Exclusive) {
		return "", nil, refuse(ErrAlgorithm, "parameters of %s %q", el.Tag, m)
	}
	return uri, strings.Fields(list), nil
}

// bare reads an algorithm that has no parameters.
func bare(el *etree.Element) (string, error) {
	uri, _ := attribute(el, "Algorithm")
	children, err := elements(el)
	if err == nil && len(children) > 0 {
		err = refuse(ErrAlgorithm, "parameters of %s %q", el.Tag, uri)
	}
	return uri, err
}
