package signature

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/signature/c14n"
)

// buildBlock makes the ds:Signature over refs, in the form it is spliced in:
// canonical, with its namespace declared on itself and no white space.
func buildBlock(refs []*ref, key *Key) ([]byte, error) {
	algorithm, err := key.algorithm()
	if err != nil {
		return nil, err
	}
	sig := etree.NewElement(dsig.SignatureTag)
	sig.Space = dsig.DefaultPrefix
	sig.CreateAttr("xmlns:"+dsig.DefaultPrefix, dsig.Namespace)
	info := child(sig, dsig.SignedInfoTag)
	child(info, dsig.CanonicalizationMethodTag).CreateAttr(dsig.AlgorithmAttr, string(c14n.Exclusive))
	child(info, dsig.SignatureMethodTag).CreateAttr(dsig.AlgorithmAttr, algorithm)
	for _, r := range refs {
		addRef(info, r)
	}
	h := crypto.SHA256.New()
	if err := c14n.Element(h, info, c14n.Exclusive, nil); err != nil {
		return nil, err
	}
	value, err := rawSigner{key.Signer}.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signature: the key did not sign: %w", err)
	}
	child(sig, dsig.SignatureValueTag).SetText(base64.StdEncoding.EncodeToString(value))
	data := child(child(sig, dsig.KeyInfoTag), dsig.X509DataTag)
	for _, c := range key.Chain {
		child(data, dsig.X509CertificateTag).SetText(base64.StdEncoding.EncodeToString(c.Raw))
	}
	return write(sig)
}

// write gives the canonical form, which is also the safest to splice in.
func write(sig *etree.Element) ([]byte, error) {
	var out bytes.Buffer
	err := c14n.Element(&out, sig, c14n.Exclusive, nil)
	return out.Bytes(), err
}

func addRef(info *etree.Element, r *ref) {
	el := child(info, dsig.ReferenceTag)
	el.CreateAttr(dsig.URIAttr, r.uri)
	if r.transformed {
		transforms := child(el, dsig.TransformsTag)
		if r.enveloped {
			child(transforms, dsig.TransformTag).CreateAttr(dsig.AlgorithmAttr, transformEnveloped)
		}
		child(transforms, dsig.TransformTag).CreateAttr(dsig.AlgorithmAttr, string(r.canonical))
	}
	child(el, dsig.DigestMethodTag).CreateAttr(dsig.AlgorithmAttr, digestSHA256)
	child(el, dsig.DigestValueTag).SetText(base64.StdEncoding.EncodeToString(r.digest))
}

func child(el *etree.Element, tag string) *etree.Element {
	c := el.CreateElement(tag)
	c.Space = dsig.DefaultPrefix
	return c
}
