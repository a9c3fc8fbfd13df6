package signature_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

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
	cmd := exec.Command(java, append([]string{source}, args...)...)
	cmd.Dir = dir
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
	got := "\n" + jdk(t, dir, append([]string{"verify"}, names...)...)
	for name, result := range want {
		if !strings.Contains(got, "\n"+name+" "+result+"\n") {
			t.Errorf("%s: the JDK does not say %s", name, result)
		}
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
}
