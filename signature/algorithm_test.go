package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/signature/c14n"
)

// keys are one key of every kind; "rsa" and "p256" are the authority's own.
var keys = sync.OnceValue(func() map[string]*signature.Key {
	a := ca()
	all := map[string]*signature.Key{"rsa": a.rsa, "p256": a.ec}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	for kind, signer := range map[string]crypto.Signer{
		"p384":    must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"p521":    must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"ed25519": must(ed, err),
	} {
		leaf := &x509.Certificate{Subject: name(kind), KeyUsage: x509.KeyUsageDigitalSignature}
		all[kind] = &signature.Key{Signer: signer, Chain: []*x509.Certificate{a.issue(leaf, signer, a.root)}}
	}
	return all
})

// suits says which methods a kind of key signs with; the first is its default.
var suits = map[string][]signature.Algorithm{
	"rsa":     {"rsa-sha256", "rsa-sha384", "rsa-sha512", "sha256-rsa-MGF1", "sha384-rsa-MGF1", "sha512-rsa-MGF1"},
	"p256":    {"ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512"},
	"p384":    {"ecdsa-sha384", "ecdsa-sha256", "ecdsa-sha512"},
	"p521":    {"ecdsa-sha512", "ecdsa-sha256", "ecdsa-sha384"},
	"ed25519": {"eddsa-ed25519"},
}

func signWith(packet string, contents []signature.Content, key *signature.Key, o signature.SignOptions) (string, error) {
	var out bytes.Buffer
	err := signature.Sign(&out, strings.NewReader(packet), int64(len(packet)), contents, key, o)
	return out.String(), err
}

func TestAlgorithms(t *testing.T) {
	for kind, methods := range suits {
		works := map[signature.Algorithm]bool{}
		for i, alg := range append([]signature.Algorithm{""}, methods...) {
			want := alg
			if i == 0 {
				want = methods[0]
			}
			works[want] = true
			for n, s := range shapes() {
				if n > 0 && i > 0 { // every shape with the default method, the others with one
					break
				}
				signed, err := signWith(s.packet, s.contents, keys()[kind], signature.SignOptions{Placement: s.at, Algorithm: alg})
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", kind, alg, s.name, err)
				}
				if v := one(t, signed, s.contents); v.Err != nil || v.Algorithm != string(want) || len(v.Warnings) > 0 {
					t.Errorf("%s, %s, %s: %v %s %v", kind, alg, s.name, v.Err, v.Algorithm, v.Warnings)
				}
				value := between(t, signed, "<ds:SignatureValue>", "</ds:SignatureValue>")
				turned := []byte(value)
				if i := len("<ds:SignatureValue>") + 20; turned[i] != 'A' {
					turned[i] = 'A'
				} else {
					turned[i] = 'B'
				}
				if v := one(t, swap(t, signed, value, string(turned)), s.contents); !errors.Is(v.Err, signature.ErrSignatureValue) {
					t.Errorf("%s, %s, %s: another value: %v", kind, alg, s.name, v.Err)
				}
			}
		}
		for _, alg := range append(signature.Algorithms(), "rsa-sha1", "ecdsa-sha1", "RSA-SHA256", "hmac-sha256") {
			if _, err := signWith(single(), nil, keys()[kind], signature.SignOptions{Algorithm: alg}); (err == nil) != works[alg] || err != nil && !errors.Is(err, signature.ErrAlgorithm) {
				t.Errorf("%s with a key of kind %s: %v", alg, kind, err)
			}
		}
	}
}

// TestOtherMethod: the method in SignedInfo is the one the value is checked
// with, so a value does not pass under another name.
func TestOtherMethod(t *testing.T) {
	methods := map[string]string{}
	for _, alg := range suits["rsa"] {
		signed, err := signWith(single(), nil, ca().rsa, signature.SignOptions{Algorithm: alg})
		if err != nil {
			t.Fatal(err)
		}
		methods[string(alg)] = between(t, signed, "<ds:SignatureMethod", ">")
	}
	for from, tag := range methods {
		signed, err := signWith(single(), nil, ca().rsa, signature.SignOptions{Algorithm: signature.Algorithm(from)})
		if err != nil {
			t.Fatal(err)
		}
		for to, with := range methods {
			if v := one(t, swap(t, signed, tag, with), nil); (v.Err == nil) != (from == to) {
				t.Errorf("%s presented as %s: %v", from, to, v.Err)
			}
		}
	}
}

// TestSaltLength: RFC 6931 §2.3.10 has a salt as long as the digest.
func TestSaltLength(t *testing.T) {
	odd := &signature.Key{Signer: salted{ca().rsa.Signer}, Chain: ca().rsa.Chain}
	signed, err := signWith(single(), nil, odd, signature.SignOptions{Algorithm: "sha256-rsa-MGF1"})
	if err != nil {
		t.Fatal(err)
	}
	if v := one(t, signed, nil); !errors.Is(v.Err, signature.ErrSignatureValue) {
		t.Errorf("a salt of 8 bytes: %v", v.Err)
	}
}

type salted struct{ crypto.Signer }

func (s salted) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.Signer.Sign(r, digest, &rsa.PSSOptions{SaltLength: 8, Hash: o.HashFunc()})
}

// TestXmlsec1Algorithms: both ways, with every method xmlsec1 knows. Version
// 1.2.37 knows neither RSA-PSS nor Ed25519.
func TestXmlsec1Algorithms(t *testing.T) {
	tool := xmlsec1(t)
	known, err := exec.Command(tool, "--list-transforms").Output()
	if err != nil {
		t.Fatal(err)
	}
	for kind, methods := range suits {
		dir := folder(t, keys()[kind])
		run := func(packet string, args ...string) (string, error) {
			if err := os.WriteFile(filepath.Join(dir, "packet.xml"), []byte(packet), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(tool, append(append(args, idAttrs(nsQCVN)...), "packet.xml")...)
			cmd.Dir = dir
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Log(stderr.String())
			}
			return string(out), err
		}
		for _, alg := range methods {
			t.Run(kind+"/"+string(alg), func(t *testing.T) {
				if !strings.Contains(string(known), `"`+string(alg)+`"`) {
					t.Skipf("this xmlsec1 does not know %s", alg)
				}
				signed, err := signWith(single(files...), nil, keys()[kind], signature.SignOptions{Algorithm: alg})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := run(signed, "--verify", "--trusted-pem", "ca.pem"); err != nil {
					t.Errorf("xmlsec1 does not accept ours: %v\n%s", err, signed)
				}
				block := fmt.Sprintf(`<Signature xmlns=%q><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#%s"/>%s</SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>`,
					nsDSig, alg, templateRef("", `<Transform Algorithm="`+nsDSig+`enveloped-signature"/>`))
				made, err := run(swap(t, single(files...), "</edXML:edXMLHeader>", block+"</edXML:edXMLHeader>"), "--sign", "--privkey-pem", "key.pem,cert.pem")
				if err != nil {
					t.Fatal(err)
				}
				if v := one(t, made, nil); v.Err != nil || v.Algorithm != string(alg) {
					t.Errorf("xmlsec1's: %v %s", v.Err, v.Algorithm)
				}
			})
		}
	}
}

// TestPSSParameters: RSA-PSS with its parameters written out, as other programs
// have them.
func TestPSSParameters(t *testing.T) {
	const more = "http://www.w3.org/2007/05/xmldsig-more#"
	digest := func(h string) string { return `<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#` + h + `"/>` }
	mgf := func(in string) string {
		return `<p:MaskGenerationFunction Algorithm="` + more + `MGF1">` + in + `</p:MaskGenerationFunction>`
	}
	for _, c := range []struct {
		params string // of a signature with SHA-256 and a salt of 32 bytes
		want   error
	}{
		{"", nil},
		{"<p:RSAPSSParams/>", nil},
		{"<p:RSAPSSParams>" + digest("sha256") + mgf(digest("sha256")) + "<p:SaltLength>32</p:SaltLength><p:TrailerField>1</p:TrailerField></p:RSAPSSParams>", nil},
		{"<p:RSAPSSParams>" + mgf("") + "</p:RSAPSSParams>", nil},
		{"<p:RSAPSSParams><p:SaltLength>20</p:SaltLength></p:RSAPSSParams>", signature.ErrSignatureValue},
		{"<p:RSAPSSParams><p:SaltLength>0</p:SaltLength></p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<p:RSAPSSParams><p:SaltLength>99999999999999999999</p:SaltLength></p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<p:RSAPSSParams><p:TrailerField>2</p:TrailerField></p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<p:RSAPSSParams>" + digest("sha512") + "</p:RSAPSSParams>", signature.ErrSignatureValue},
		{"<p:RSAPSSParams>" + digest("sha256") + mgf(digest("sha512")) + "</p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<p:RSAPSSParams>" + digest("md5") + "</p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<p:RSAPSSParams>" + strings.Replace(mgf(""), "MGF1", "MGF2", 1) + "</p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<p:RSAPSSParams>" + digest("sha256") + digest("sha256") + "</p:RSAPSSParams>", signature.ErrShape},
		{"<p:RSAPSSParams><x/></p:RSAPSSParams>", signature.ErrAlgorithm},
		{"<x/>", signature.ErrAlgorithm},
	} {
		doc := func(value string) string {
			return `<r xmlns:p="` + more + `"><a Id="x"/><Signature xmlns="` + nsDSig + `"><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
				`<SignatureMethod Algorithm="` + more + `rsa-pss">` + c.params + `</SignatureMethod>` + strings.ReplaceAll(reference("#x", excC14N, `<a Id="x"></a>`), "ds:", "") +
				`</SignedInfo><SignatureValue>` + value + `</SignatureValue></Signature></r>`
		}
		sum := sha256.Sum256(octetsIn(doc(""), c14n.Exclusive, func(t *xmlscan.Token) bool { return t.Name.Local == "SignedInfo" }))
		value := must(ca().rsa.Signer.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}))
		v := verifyXML(t, doc(base64Of(value)), signature.XMLOptions{Key: ca().rsa.Signer.Public()})
		if c.want == nil && v.Err != nil || !errors.Is(v.Err, c.want) {
			t.Errorf("%s: %v, want %v", c.params, v.Err, c.want)
		}
	}
}
