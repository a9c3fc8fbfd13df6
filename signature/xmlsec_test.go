package signature_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

// xmlsec1 checks and makes signatures with libxml2 and OpenSSL, and shares no
// code with this package.
func xmlsec1(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmlsec1 is missing")
		}
		t.Skip("xmlsec1 is not installed")
	}
	return path
}

// idAttrs tells xmlsec1 which elements have an Id.
func idAttrs(space string) []string {
	out := []string{"--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"}
	for _, local := range []string{"MessageHeader", "Bussiness", "Business", "Manifest", "edXMLManifest"} {
		out = append(out, "--id-attr:Id", space+":"+local)
	}
	return out
}

// folder lays out what xmlsec1 needs: root, key, and the attachments under the
// names it opens for cid: references.
func folder(t *testing.T, key *signature.Key) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca().root.Raw}))
	write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key.Chain[0].Raw}))
	write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key.Signer))}))
	for _, f := range files {
		write("cid:"+f.id, []byte(f.content))
	}
	return dir
}

func TestXmlsec1Accepts(t *testing.T) {
	tool := xmlsec1(t)
	for _, s := range shapes() {
		for alg, key := range map[string]*signature.Key{"rsa": ca().rsa, "ecdsa": ca().ec} {
			dir := folder(t, key)
			space := nsQCVN
			if strings.Contains(s.packet, "SOAP-ENV") {
				space = nsEDoc
			}
			check := func(packet string) ([]byte, error) {
				if err := os.WriteFile(filepath.Join(dir, "packet.xml"), []byte(packet), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(tool, append(append([]string{"--verify", "--trusted-pem", "ca.pem"}, idAttrs(space)...), "packet.xml")...)
				cmd.Dir = dir
				return cmd.CombinedOutput()
			}
			signed := sign(t, s.packet, s.contents, key, s.at)
			if out, err := check(signed); err != nil {
				t.Errorf("%s, %s: %v\n%s\n%s", s.name, alg, err, out, signed)
			}
			if out, err := check(strings.Replace(signed, "000.00.00.H41", "000.00.00.H42", 1)); err == nil {
				t.Errorf("%s, %s: a changed byte is accepted:\n%s", s.name, alg, out)
			}
		}
	}
}

// TestXmlsec1Made verifies what xmlsec1 signs, over documents that are awkward
// for canonicalisation.
func TestXmlsec1Made(t *testing.T) {
	tool := xmlsec1(t)
	methods := map[string]string{
		"exclusive": "http://www.w3.org/2001/10/xml-exc-c14n#", "exclusive with comments": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
		"1.0": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "1.0 with comments": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
		"1.1": "http://www.w3.org/2006/12/xml-c14n11", "default": "",
	}
	awkward := func(packet string) string {
		packet = strings.Replace(packet, "<edXML:Subject>", `<edXML:Subject xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="x" edXML:id="y" edXML:z="&#10;a
b" xml:lang="vi"><x xmlns=""><y xmlns="urn:y"/></x>&#13;`+"\r\n", 1)
		return strings.Replace(packet, "edXMLEnvelope ", `edXMLEnvelope xmlns:unused="urn:u" xml:space="preserve" `, 1)
	}
	for alg, key := range map[string]*signature.Key{"rsa-sha256": ca().rsa, "rsa-sha512": ca().rsa, "ecdsa-sha256": ca().ec} {
		dir := folder(t, key)
		for name, uri := range methods {
			transform := `<Transform Algorithm="` + uri + `"/>`
			method := uri
			if uri == "" {
				transform, method = "", methods["1.0"]
			}
			for _, whole := range []bool{true, false} {
				packet, space, contents := awkward(single(files...)), nsQCVN, beside()
				at, refs := "</edXML:edXMLHeader>", templateRef("", `<Transform Algorithm="`+nsDSig+`enveloped-signature"/>`+transform)
				if !whole {
					packet, space, contents = awkward(soap(files...)), nsEDoc, beside(files...)
					at, refs = "</SOAP-ENV:Header>", ""
					for i, local := range []string{"MessageHeader", "Bussiness", "Manifest"} {
						packet = strings.Replace(packet, "<edXML:"+local+">", fmt.Sprintf(`<edXML:%s Id="p%d">`, local, i), 1)
						refs += templateRef(fmt.Sprintf("#p%d", i), transform)
					}
					for _, f := range files {
						refs += templateRef("cid:"+f.id, "")
					}
				}
				template := swap(t, packet, at, fmt.Sprintf(`<Signature xmlns=%q><SignedInfo><CanonicalizationMethod Algorithm=%q/><SignatureMethod Algorithm=%q/>%s</SignedInfo>
<SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>`, nsDSig, method, "http://www.w3.org/2001/04/xmldsig-more#"+alg, refs)+at)
				if err := os.WriteFile(filepath.Join(dir, "template.xml"), []byte(template), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(tool, append(append([]string{"--sign", "--privkey-pem", "key.pem,cert.pem"}, idAttrs(space)...), "template.xml")...)
				cmd.Dir = dir
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				signed, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s, %s: xmlsec1 --sign: %v\n%s", alg, name, err, stderr.Bytes())
				}
				if v := one(t, string(signed), contents); v.Err != nil || v.Algorithm != alg || v.Coverage.Whole != whole || len(v.Coverage.Attachments) != 2 {
					t.Errorf("%s, %s, whole %v: %v %s %+v\n%s", alg, name, whole, v.Err, v.Algorithm, v.Coverage, signed)
				}
			}
		}
	}
}

func templateRef(uri, transforms string) string {
	if transforms != "" {
		transforms = "<Transforms>" + transforms + "</Transforms>"
	}
	return fmt.Sprintf(`<Reference URI=%q>%s<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference>`, uri, transforms)
}
