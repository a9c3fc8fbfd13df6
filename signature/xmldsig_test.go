package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

func verifyXML(t testing.TB, doc string, o signature.XMLOptions) signature.XMLVerdict {
	t.Helper()
	v, err := signature.VerifyXML(strings.NewReader(doc), int64(len(doc)), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return v
}

// TestXmlsec1Any verifies what xmlsec1 signs in files that are no packets.
func TestXmlsec1Any(t *testing.T) {
	tool := xmlsec1(t)
	const exc, c10 = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	enveloped := `<Transform Algorithm="` + nsDSig + `enveloped-signature"/>`
	block := func(method, alg, refs, info, object string) string {
		return fmt.Sprintf(`<Signature xmlns=%q><SignedInfo><CanonicalizationMethod Algorithm=%q/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#%s"/>%s</SignedInfo><SignatureValue/><KeyInfo>%s</KeyInfo>%s</Signature>`,
			nsDSig, method, alg, refs, info, object)
	}
	envelope := `<?xml version="1.0"?><?style x?>
<a xmlns="urn:a" xmlns:p="urn:p" p:x="1" xml:lang="vi"><!-- c --><b Id="b1">một &amp; hai` + "\r\n" + `</b>%s</a>`
	for _, c := range []struct {
		why, doc, element string
		from              string
		refs              int
	}{
		{"enveloped, no canonicalisation named", fmt.Sprintf(envelope, block(c10, "rsa-sha256", templateRef("", enveloped), "<X509Data/>", "")), "/", "X509Data", 1},
		{"enveloped in a part", `<r>` + strings.Replace(fmt.Sprintf(envelope[strings.Index(envelope, "<a"):], block(exc, "rsa-sha256", templateRef("#b2", enveloped), "<KeyValue/>", "")), "<a ", `<a Id="b2" `, 1) + `</r>`, "/r/a", "KeyValue", 1},
		{"enveloping", block(c10, "rsa-sha256", templateRef("#o", ""), "<KeyValue/>", `<Object Id="o">văn <x xmlns="" p="1"/></Object>`), "/Signature/Object", "KeyValue", 1},
		{"enveloping, exclusive", block(exc, "ecdsa-sha256", templateRef("#o", `<Transform Algorithm="`+exc+`"/>`), "<X509Data/>", `<Object Id="o"><x xmlns="urn:x"/></Object><Object/>`), "/Signature/Object", "X509Data", 1},
		{"detached in the same file", fmt.Sprintf(envelope, block(c10, "rsa-sha384", templateRef("#b1", ""), "<KeyName>k</KeyName>", "")), "/a/b", "KeyName", 1},
		{"two References", fmt.Sprintf(envelope, block(exc, "rsa-sha512", templateRef("#b1", "")+templateRef("#o", ""), "<X509Data/>", `<Object Id="o"/>`)), "/a/b", "X509Data", 2},
	} {
		key := ca().rsa
		if strings.Contains(c.doc, "ecdsa") {
			key = ca().ec
		}
		dir := folder(t, key)
		if err := os.WriteFile(filepath.Join(dir, "t.xml"), []byte(c.doc), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tool, "--sign", "--privkey-pem:k", "key.pem,cert.pem", "--id-attr:Id", "urn:a:b", "--id-attr:Id", "urn:a:a", "--id-attr:Id", nsDSig+":Object", "t.xml")
		cmd.Dir = dir
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v %s", c.why, err, stderr.String())
		}
		doc := string(out)
		var octets bytes.Buffer
		named := map[string]crypto.PublicKey{"k": key.Signer.Public()}
		v := verifyXML(t, doc, signature.XMLOptions{Named: named, SignedOut: &octets})
		if v.Err != nil || v.KeyFrom != c.from || len(v.References) != c.refs || v.References[0].Element != c.element || !v.References[0].Intact {
			t.Errorf("%s: %v %s %+v\n%s", c.why, v.Err, v.KeyFrom, v.References, doc)
			continue
		}
		if c.refs == 1 {
			sum := sha256.Sum256(octets.Bytes())
			if value := strings.Join(strings.Fields(between(t, doc, "<DigestValue>", "</DigestValue>")), ""); !strings.Contains(value, base64.StdEncoding.EncodeToString(sum[:])) {
				t.Errorf("%s: other octets than were digested: %q", c.why, octets.String())
			}
		}
		if v := verifyXML(t, doc, signature.XMLOptions{Key: key.Signer.Public()}); v.Err != nil || v.KeyFrom != "given" {
			t.Errorf("%s, with the key: %v", c.why, v.Err)
		}
		if v := verifyXML(t, doc, signature.XMLOptions{Key: ca().self.Chain[0].PublicKey}); (v.Err == nil) != (key == ca().rsa) {
			t.Errorf("%s, with a certificate's key: %v", c.why, v.Err)
		}
		octets.Reset()
		for _, change := range [][2]string{{"một", "hai"}, {"văn", "Văn"}, {`xmlns="urn:x"`, `xmlns="urn:y"`}} {
			if !strings.Contains(doc, change[0]) {
				continue
			}
			v := verifyXML(t, strings.Replace(doc, change[0], change[1], 1), signature.XMLOptions{Named: named, SignedOut: &octets})
			if !errors.Is(v.Err, signature.ErrDigest) || octets.Len() > 0 {
				t.Errorf("%s, changed: %v, %d octets", c.why, v.Err, octets.Len())
			}
		}
	}
}

func TestVerifyXML(t *testing.T) {
	whole := sign(t, single(files...), nil, ca().rsa, signature.Whole)
	if v := verifyXML(t, whole, signature.XMLOptions{}); v.Err != nil || len(v.References) != 2 || !v.References[0].Whole || v.Signer == nil || v.Place.Line != 8 {
		t.Errorf("%v %+v", v.Err, v)
	}
	spaced := strings.NewReplacer("<ds:SignatureValue>", "<ds:SignatureValue> \t\n").Replace(whole)
	if v := verifyXML(t, spaced, signature.XMLOptions{}); v.Err != nil {
		t.Errorf("white space in base64: %v", v.Err)
	}
	two := "<r>" + whole[strings.Index(whole, "<edXML "):] + strings.TrimSpace(forge(reference("#x", excC14N, `<x xmlns="" Id="x"></x>`))) + "</r>"
	for _, c := range []struct {
		why, doc string
		index    int
		want     error
	}{
		{"no signature", "<a/>", 0, signature.ErrUnsigned},
		{"no SignedInfo", `<ds:Signature xmlns:ds="` + nsDSig + `"/>`, 0, signature.ErrUnsigned},
		{"the second of one", whole, 2, signature.ErrUnsigned},
		{"the first of two, in another place", two, 1, signature.ErrDigest},
		{"the second of two points nowhere", two, 2, signature.ErrCoverage},
		{"a DOCTYPE", "<!DOCTYPE a><a/>", 0, signature.ErrAlgorithm},
		{"HMAC", swap(t, whole, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", nsDSig+"hmac-sha1"), 0, signature.ErrAlgorithm},
		{"XPath", strings.Replace(whole, nsDSig+"enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116", 1), 0, signature.ErrAlgorithm},
		{"SHA-1", "<r>" + forgeWith(reference("", "", ""), "rsa-sha1", crypto.SHA1) + "</r>", 0, signature.ErrAlgorithm},
		{"a file", "<r>" + forge(reference("file:///etc/passwd", "", "")) + "</r>", 0, signature.ErrAlgorithm},
		{"the Id twice", `<r><a Id="x"/><b ID="x"/>` + forge(reference("#x", excC14N, `<a Id="x"></a>`)) + "</r>", 0, signature.ErrDuplicateID},
		{"once", `<r><a Id="x"/>` + forge(reference("#x", excC14N, `<a Id="x"></a>`)) + "</r>", 0, nil},
		{"a foreign child", swap(t, whole, "<ds:Object>", "<x/><ds:Object>"), 0, signature.ErrShape},
		{"text between", swap(t, whole, "<ds:Object>", "x<ds:Object>"), 0, signature.ErrShape},
		{"two SignedInfo", swap(t, whole, "<ds:SignedInfo>", between(t, whole, "<ds:SignedInfo>", "</ds:SignedInfo>")+"<ds:SignedInfo>"), 0, signature.ErrShape},
		{"another Object", swap(t, whole, "</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>"), 0, nil},
		{"the whole, not enveloped", "<r>" + forge(reference("", excC14N, "")) + "</r>", 0, signature.ErrShape},
		{"no key", swap(t, whole, between(t, whole, "<ds:KeyInfo>", "</ds:KeyInfo>"), ""), 0, signature.ErrAlgorithm},
		{"too many References", "<r>" + forge(strings.Repeat(reference("#x", "", ""), 65)) + "</r>", 0, signature.ErrAlgorithm},
	} {
		if v := verifyXML(t, c.doc, signature.XMLOptions{Index: c.index}); c.want == nil && v.Err != nil || !errors.Is(v.Err, c.want) {
			t.Errorf("%s: %v, want %v", c.why, v.Err, c.want)
		}
	}
	for _, doc := range []string{"", "<a>", "<a a='1' a='2'/>", "<a/><b/>", "<p:a/>"} {
		if _, err := signature.VerifyXML(strings.NewReader(doc), int64(len(doc)), signature.XMLOptions{}); err == nil {
			t.Errorf("%q is read", doc)
		}
	}
}

// TestKeyValues: a bare key in every form, and forms that are none.
func TestKeyValues(t *testing.T) {
	ec := keys()["p384"].Signer.Public().(*ecdsa.PublicKey)
	raw := must(ec.Bytes())
	x, y := new(big.Int).SetBytes(raw[1:49]), new(big.Int).SetBytes(raw[49:])
	older := func(curve string, x, y fmt.Stringer) string {
		return fmt.Sprintf(`<k:ECDSAKeyValue xmlns:k="http://www.w3.org/2001/04/xmldsig-more#"><k:DomainParameters><k:NamedCurve URN="urn:oid:%s"/></k:DomainParameters><k:PublicKey><k:X Value="%s"/><k:Y Value="%s"/></k:PublicKey></k:ECDSAKeyValue>`, curve, x, y)
	}
	newer := func(curve string, point []byte) string {
		return fmt.Sprintf(`<k:ECKeyValue xmlns:k="http://www.w3.org/2009/xmldsig11#"><k:NamedCurve URI="urn:oid:%s"/><k:PublicKey>%s</k:PublicKey></k:ECKeyValue>`, curve, base64Of(point))
	}
	signed := must(signWith(status(), nil, keys()["p384"], signature.SignOptions{}))
	info := between(t, signed, "<ds:X509Data>", "</ds:X509Data>")
	for why, c := range map[string]struct {
		value string
		want  error
	}{
		"RFC 4050":           {older("1.3.132.0.34", x, y), nil},
		"another curve":      {older("1.2.840.10045.3.1.7", x, y), signature.ErrAlgorithm},
		"an unknown curve":   {older("1.2.3", x, y), signature.ErrAlgorithm},
		"off the curve":      {older("1.3.132.0.34", x, x), signature.ErrAlgorithm},
		"negative":           {older("1.3.132.0.34", new(big.Int).Neg(x), y), signature.ErrAlgorithm},
		"endless":            {older("1.3.132.0.34", new(big.Int).Lsh(x, 1000), y), signature.ErrAlgorithm},
		"XML Signature 1.1":  {newer("1.3.132.0.34", raw), nil},
		"1.1, another curve": {newer("1.3.132.0.35", raw), signature.ErrAlgorithm},
		"nothing known":      {"<ds:DSAKeyValue/>", signature.ErrAlgorithm},
	} {
		doc := swap(t, signed, info, "<ds:KeyValue>"+c.value+"</ds:KeyValue>")
		if v := verifyXML(t, doc, signature.XMLOptions{}); c.want == nil && (v.Err != nil || v.KeyFrom != "KeyValue") || !errors.Is(v.Err, c.want) {
			t.Errorf("%s: %v, want %v", why, v.Err, c.want)
		}
	}
}

func FuzzVerifyXML(f *testing.F) {
	whole := sign(f, single(files...), nil, ca().rsa, signature.Whole)
	f.Add([]byte(whole))
	for _, small := range []string{
		"<a/>", `<Signature xmlns="` + nsDSig + `"><SignedInfo/></Signature>`,
		`<r><S xmlns="` + nsDSig + `"><SignedInfo><Reference URI="#x"/></SignedInfo><SignatureValue>AA==</SignatureValue></S></r>`,
	} {
		f.Add([]byte(small))
	}
	f.Add([]byte(`<r><a Id="x"/>` + forge(reference("#x", excC14N, `<a Id="x"></a>`)) + "</r>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var out bytes.Buffer
		v, err := signature.VerifyXML(bytes.NewReader(doc), int64(len(doc)), signature.XMLOptions{AllowLegacy: true, SignedOut: &out})
		if err == nil && v.Err == nil && (v.Key == nil || len(v.References) == 0 || out.Len() == 0) {
			t.Errorf("good without a key or References: %q", doc)
		}
		if (err != nil || v.Err != nil) && out.Len() > 0 {
			t.Errorf("octets of a signature that is not good: %q", doc)
		}
	})
}
