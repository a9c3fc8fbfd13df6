package signature

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/signature/c14n"
)

// buildBlock makes the ds:Signature over refs, in the form it is spliced in:
// canonical, with its namespace declared on itself and no white space.
func (s *signing) buildBlock(refs []*ref, key *Key) ([]byte, error) {
	with := s.with
	sig := etree.NewElement(dsig.SignatureTag)
	sig.Space = dsig.DefaultPrefix
	sig.CreateAttr("xmlns:"+dsig.DefaultPrefix, dsig.Namespace)
	info := child(sig, dsig.SignedInfoTag)
	child(info, dsig.CanonicalizationMethodTag).CreateAttr(dsig.AlgorithmAttr, string(c14n.Exclusive))
	child(info, dsig.SignatureMethodTag).CreateAttr(dsig.AlgorithmAttr, with.uri)
	signedValue := child(sig, dsig.SignatureValueTag)
	data := child(child(sig, dsig.KeyInfoTag), dsig.X509DataTag)
	if !s.plain {
		r, err := addProperties(sig, key.Chain[0], s.at, with)
		if err != nil {
			return nil, err
		}
		refs = append(refs, r)
	}
	for _, r := range refs {
		addRef(info, r, with)
	}
	text, err := write(info)
	if err != nil {
		return nil, err
	}
	value, err := with.sign(key.Signer, text)
	if err != nil {
		return nil, fmt.Errorf("signature: the key did not sign: %w", err)
	}
	signedValue.SetText(base64.StdEncoding.EncodeToString(value))
	if s.stamp != nil {
		of, err := imprintOf(signedValue)
		if err != nil {
			return nil, err
		}
		stamp, err := s.stamp(of)
		if err != nil {
			return nil, err
		}
		addStamp(sig, stamp)
	}
	for _, c := range key.Chain {
		child(data, dsig.X509CertificateTag).SetText(base64.StdEncoding.EncodeToString(c.Raw))
	}
	return write(sig)
}

// write gives the canonical form, which is also the safest to splice in.
func write(el *etree.Element) ([]byte, error) {
	var out bytes.Buffer
	err := c14n.Element(&out, el, c14n.Exclusive, nil)
	return out.Bytes(), err
}

func addRef(info *etree.Element, r *ref, with scheme) {
	el := child(info, dsig.ReferenceTag)
	el.CreateAttr(dsig.URIAttr, r.uri)
	if r.kind != "" {
		el.CreateAttr("Type", r.kind)
	}
	if r.transformed {
		transforms := child(el, dsig.TransformsTag)
		if r.enveloped {
			child(transforms, dsig.TransformTag).CreateAttr(dsig.AlgorithmAttr, transformEnveloped)
		}
		child(transforms, dsig.TransformTag).CreateAttr(dsig.AlgorithmAttr, string(r.canonical))
	}
	child(el, dsig.DigestMethodTag).CreateAttr(dsig.AlgorithmAttr, with.digestMethod())
	child(el, dsig.DigestValueTag).SetText(base64.StdEncoding.EncodeToString(r.digest))
}

func child(el *etree.Element, tag string) *etree.Element {
	c := el.CreateElement(tag)
	c.Space = dsig.DefaultPrefix
	return c
}
