package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/signature/c14n"
)

// The canonicalisations that are agreed on.
var canonicals = map[string]c14n.Method{"exc": c14n.Exclusive, "1.0": c14n.Inclusive10, "1.1": c14n.Inclusive11}

// awkward are packets that canonicalisers get wrong. MessageHeader has the Id h
// and ancestors that mean something to it.
func awkward() map[string]string {
	in := func(what string) string {
		p := strings.Replace(single(files...), "<edXML:MessageHeader>", `<edXML:MessageHeader Id="h">`, 1)
		return strings.Replace(p, "<edXML:Subject>", what+"<edXML:Subject>", 1)
	}
	return map[string]string{
		"plain":       in(""),
		"attributes":  in(`<edXML:R xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:a="urn:z" xmlns:z="urn:a" xlink:href="cid:x" edXML:id="y" z:q="1" a:q="2" edXML:z="3" b="4"/>`),
		"no-default":  in(`<x xmlns=""><y xmlns="urn:y"><z xmlns=""/></y></x>`),
		"line-ends":   in("<edXML:P>a\r\nb&#13;c\rd</edXML:P>"),
		"newline":     in("<edXML:P a=\"x\r\n\ty&#10;&#9;&#13;z\" b='\"&lt;>'/>"),
		"around":      strings.Replace(in("<!-- b --><?pi in side?>"), "<?style x?>\n", "<!-- a --><?style x?>\n<!-- c -->", 1) + "<?after?><!-- z -->\n",
		"inherited":   strings.Replace(in(`<edXML:P xml:lang="en"/>`), "edXMLEnvelope ", `edXMLEnvelope xmlns:unused="urn:u" xml:lang="vi" xml:space="preserve" xml:base="http://a.vn/b/" xml:id="e" `, 1),
		"redeclared":  in(`<p:a xmlns:p="urn:1"><p:a xmlns:p="urn:2"><p:a xmlns:p="urn:1" p:b=""/></p:a></p:a>`),
		"sections":    in("<edXML:P><![CDATA[<&>]]>&lt;&gt;&amp;&quot;]]&gt;é &#x1F600;</edXML:P>"),
		"names":       in(`<edXML:đơn-vị ghi.chú="ừ"/>`),
		"white-space": in("<edXML:P  a = '1'\n\tb='2'   ></edXML:P\n>"),
	}
}

// octetsIn is the canonical form of the first element that fits, or of the
// whole document without its signature, comments left out.
func octetsIn(doc string, m c14n.Method, fits func(*xmlscan.Token) bool) []byte {
	var out bytes.Buffer
	w := must(c14n.New(&out, m, nil))
	scan := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
	type level struct{ bindings, xml int }
	var bindings []xmlscan.Binding
	var xml []xmlscan.Attr
	var open []level
	inside, skipped := 0, 0
	for {
		t, err := scan.Next()
		if err == io.EOF {
			if err := w.Close(); err != nil {
				panic(err)
			}
			return out.Bytes()
		}
		if err != nil {
			panic(err)
		}
		if t.Kind == xmlscan.Start {
			if fits != nil && inside == 0 && out.Len() == 0 && fits(t) {
				w.Scope(bindings, xml)
				inside = len(open) + 1
			}
			if fits == nil && t.Name.Is(nsDSig, "Signature") {
				skipped = len(open) + 1
			}
			open = append(open, level{len(bindings), len(xml)})
			bindings = append(bindings, t.Bindings...)
			for _, a := range t.Attrs {
				if a.Prefix == "xml" {
					xml = append(xml, a)
				}
			}
		}
		if t.Kind != xmlscan.Comment && skipped == 0 && (fits == nil || inside > 0) {
			if err := w.Token(t); err != nil {
				panic(err)
			}
			if t.Kind == xmlscan.End && len(open) == inside {
				if err := w.Close(); err != nil {
					panic(err)
				}
				return out.Bytes()
			}
		}
		if t.Kind == xmlscan.End {
			if len(open) == skipped {
				skipped = 0
			}
			last := open[len(open)-1]
			open, bindings, xml = open[:len(open)-1], bindings[:last.bindings], xml[:last.xml]
		}
	}
}

// template is a ds:Signature to be filled in.
func template(alg string, m c14n.Method, uri, digest, value, info string) string {
	transforms := `<Transform Algorithm="` + string(m) + `"/>`
	if uri == "" {
		transforms = `<Transform Algorithm="` + nsDSig + `enveloped-signature"/>` + transforms
	}
	return fmt.Sprintf(`<Signature xmlns=%q><SignedInfo><CanonicalizationMethod Algorithm=%q/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#%s"/>%s</SignedInfo>
<SignatureValue>%s</SignatureValue><KeyInfo><X509Data>%s</X509Data></KeyInfo></Signature>`, nsDSig, m, alg,
		strings.Replace(templateRef(uri, transforms), "<DigestValue/>", "<DigestValue>"+digest+"</DigestValue>", 1), value, info)
}

// ours signs with every canonicalisation there is; Sign itself uses one.
func ours(doc string, key *signature.Key, alg string, m c14n.Method, uri string) string {
	with := func(digest, value string) string {
		return strings.Replace(doc, "</edXML:edXMLHeader>", template(alg, m, uri, digest, value, "<X509Certificate>"+base64Of(key.Chain[0].Raw)+"</X509Certificate>")+"</edXML:edXMLHeader>", 1)
	}
	var fits func(*xmlscan.Token) bool
	if uri != "" {
		fits = func(t *xmlscan.Token) bool { return t.Name.Local == "MessageHeader" }
	}
	sum := sha256.Sum256(octetsIn(with("", ""), m, fits))
	digest := base64Of(sum[:])
	info := octetsIn(with(digest, ""), m, func(t *xmlscan.Token) bool { return t.Name.Is(nsDSig, "SignedInfo") })
	return with(digest, base64Of(rawValue(key, info)))
}

// rawValue signs octets as ECDSA and RSA signatures stand in XML.
func rawValue(key *signature.Key, octets []byte) []byte {
	sum := sha256.Sum256(octets)
	if ec, ok := key.Signer.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, ec, sum[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	return must(key.Signer.Sign(rand.Reader, sum[:], crypto.SHA256))
}

func pkcs8(key *signature.Key) []byte { return must(x509.MarshalPKCS8PrivateKey(key.Signer)) }

// cell is one place of the table of agreement.
type cell struct {
	name, doc, alg, uri string
	key                 *signature.Key
	m                   c14n.Method
}

// cells is {RSA, ECDSA} × {exc, 1.0, 1.1} × {whole, part} × awkward packets.
func cells() []cell {
	var all []cell
	for title, doc := range awkward() {
		for alg, key := range map[string]*signature.Key{"rsa-sha256": ca().rsa, "ecdsa-sha256": ca().ec} {
			for short, m := range canonicals {
				for form, uri := range map[string]string{"whole": "", "part": "#h"} {
					all = append(all, cell{strings.Join([]string{title, alg, short, form}, "-"), doc, alg, uri, key, m})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b cell) int { return strings.Compare(a.name, b.name) })
	return all
}

// accepts checks what a peer made.
func (c cell) accepts(t *testing.T, peer, made string) {
	t.Helper()
	v := verifyXML(t, made, signature.XMLOptions{})
	if v.Err != nil || v.Signer == nil || !v.Signer.Equal(c.key.Chain[0]) || v.Algorithm != c.alg {
		t.Errorf("%s's %s: %v\n%s", peer, c.name, v.Err, made)
	}
	if c.uri == "" {
		if v := one(t, made, nil); v.Err != nil || !v.Coverage.Whole {
			t.Errorf("%s's %s as a packet: %v", peer, c.name, v.Err)
		}
	}
	if v := verifyXML(t, strings.Replace(made, "000.00.00.H41", "000.00.00.H42", 1), signature.XMLOptions{}); !errors.Is(v.Err, signature.ErrDigest) {
		t.Errorf("%s's %s, changed: %v", peer, c.name, v.Err)
	}
}

// TestAgreeXmlsec1: xmlsec1 accepts what we canonicalise and sign, and we what
// it signs.
func TestAgreeXmlsec1(t *testing.T) {
	tool := xmlsec1(t)
	dirs := map[string]string{"rsa-sha256": folder(t, ca().rsa), "ecdsa-sha256": folder(t, ca().ec)}
	made := map[string][]string{} // by folder
	for _, c := range cells() {
		dir := dirs[c.alg]
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(c.name+".xml", ours(c.doc, c.key, c.alg, c.m, c.uri))
		made[dir] = append(made[dir], c.name+".xml")
		write("template.xml", strings.Replace(c.doc, "</edXML:edXMLHeader>", template(c.alg, c.m, c.uri, "", "", "")+"</edXML:edXMLHeader>", 1))
		cmd := exec.Command(tool, append(append([]string{"--sign", "--privkey-pem", "key.pem,cert.pem"}, idAttrs(nsQCVN)...), "template.xml")...)
		cmd.Dir = dir
		theirs, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: xmlsec1 --sign: %v", c.name, err)
		}
		c.accepts(t, "xmlsec1", string(theirs))
	}
	for dir, names := range made { // all files in one run, which starts a process once
		cmd := exec.Command(tool, append(append([]string{"--verify", "--trusted-pem", "ca.pem"}, idAttrs(nsQCVN)...), names...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if ok := strings.Count(string(out), "SignedInfo References (ok/all): 1/1"); err != nil || ok != len(names) {
			t.Errorf("of our %d files xmlsec1 accepts %d: %v\n%s", len(names), ok, err, out)
		}
	}
}

// TestAgreeOurselves: what is signed with one half is verified with the other.
func TestAgreeOurselves(t *testing.T) {
	for _, c := range cells() {
		c.accepts(t, "our", ours(c.doc, c.key, c.alg, c.m, c.uri))
	}
}

// jdk runs testdata/jdk/Peer.java: javax.xml.crypto.dsig, which shares no code
// with this package.
func jdk(t *testing.T, dir string, args ...string) string {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("java is missing")
		}
		t.Skip("java is not installed")
	}
	source, err := filepath.Abs("testdata/jdk/Peer.java")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(java, append([]string{"-Dfile.encoding=UTF-8", source}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8") // Java maps the names of files by the locale
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// jdkKinds is what the JDK calls a kind of key.
var jdkKinds = map[string]string{"rsa-sha256": "RSA", "ecdsa-sha256": "EC"}

// TestAgreeJDK: the JDK accepts what we sign, with every method, over every
// awkward packet with every canonicalisation, and nothing that was changed;
// and we accept what it signs.
func TestAgreeJDK(t *testing.T) {
	dir := t.TempDir()
	var names []string
	want := map[string]string{}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add := func(name, packet, result string) {
		write(name, packet)
		names = append(names, name)
		want[name] = result
	}
	for kind, methods := range suits {
		for _, alg := range methods {
			signed, err := signWith(single(files...), nil, keys()[kind], signature.SignOptions{Algorithm: alg})
			if err != nil {
				t.Fatal(err)
			}
			add(kind+"-"+string(alg)+".xml", signed, "true")
			add(kind+"-"+string(alg)+"-changed.xml", swap(t, signed, "V/v kết nối", "V/v ngắt nối"), "false")
		}
	}
	var list strings.Builder
	all := cells()
	for alg, key := range map[string]*signature.Key{"rsa-sha256": ca().rsa, "ecdsa-sha256": ca().ec} {
		write(alg+".key", string(pemOf("PRIVATE KEY", pkcs8(key))))
		write(alg+".crt", string(pemOf("CERTIFICATE", key.Chain[0].Raw)))
	}
	for _, c := range all {
		add(c.name+".xml", ours(c.doc, c.key, c.alg, c.m, c.uri), "true")
		write(c.name+".in", c.doc)
		fmt.Fprintf(&list, "%s\n", strings.Join([]string{c.name + ".in", c.name + ".out", c.alg + ".key", c.alg + ".crt", jdkKinds[c.alg],
			"http://www.w3.org/2001/04/xmldsig-more#" + c.alg, string(c.m), c.uri, "edXMLHeader"}, "\t"))
	}
	for _, name := range must(filepath.Glob(filepath.Join(fixtures, "[0-9]*.xml"))) {
		text := string(must(os.ReadFile(name)))
		if f := readFixture(t, strings.TrimSuffix(name, ".xml")+".txt"); f.reason == "" && !strings.Contains(text, `URI="cid:`) {
			add(filepath.Base(name), text, "true") // signed with another run's keys
		}
	}
	got := "\n" + jdk(t, dir, append([]string{"verify"}, names...)...)
	for name, result := range want {
		if !strings.Contains(got, "\n"+name+" "+result+"\n") {
			t.Errorf("%s: the JDK does not say %s", name, result)
		}
	}
	c := all[0]
	write("pss.in", single(files...))
	fmt.Fprintln(&list, strings.Join([]string{"pss.in", "pss.out", "rsa-sha256.key", "rsa-sha256.crt", "RSA", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss", string(c.m), "", "edXMLHeader"}, "\t"))
	for short, m := range canonicals { // two References, one into an Object of the signature
		write("two-"+short+".in", awkward()["inherited"])
		fmt.Fprintln(&list, strings.Join([]string{"two-" + short + ".in", "two-" + short + ".out", "ecdsa-sha256.key", "ecdsa-sha256.crt", "EC", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", string(m), "#h #o", "edXMLHeader"}, "\t"))
	}
	write("list", list.String())
	jdk(t, dir, "sign", "list")
	for _, c := range all {
		made, err := os.ReadFile(filepath.Join(dir, c.name+".out"))
		if err != nil {
			t.Fatal(err)
		}
		c.accepts(t, "the JDK", string(made))
	}
	for short := range canonicals {
		made := string(must(os.ReadFile(filepath.Join(dir, "two-"+short+".out"))))
		if v := verifyXML(t, made, signature.XMLOptions{}); v.Err != nil || len(v.References) != 2 || !strings.HasSuffix(v.References[1].Element, "Object") {
			t.Errorf("the JDK's two References, %s: %v %+v\n%s", short, v.Err, v.References, made)
		}
		for _, change := range []string{"đối tượng", "000.00.00.H41"} {
			if v := verifyXML(t, swap(t, made, change, "x"), signature.XMLOptions{}); !errors.Is(v.Err, signature.ErrDigest) {
				t.Errorf("the JDK's two References, %q changed: %v", change, v.Err)
			}
		}
	}
	made := string(must(os.ReadFile(filepath.Join(dir, "pss.out"))))
	if v := one(t, made, nil); v.Err != nil || v.Algorithm != "rsa-pss" || !strings.Contains(made, "SaltLength") {
		t.Errorf("the JDK's RSA-PSS with parameters: %v\n%s", v.Err, made)
	}
	for _, change := range [][2]string{{">48<", ">20<"}, {">48<", ">0<"}, {"xmldsig-more#rsa-pss", "xmldsig-more#sha256-rsa-MGF1"}} {
		changed := strings.Replace(made, change[0], change[1], 1)
		if v := one(t, changed, nil); v.Err == nil || changed == made {
			t.Errorf("RSA-PSS, %q: acceptable", change[1])
		}
	}
}
