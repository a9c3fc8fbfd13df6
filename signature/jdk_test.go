package signature_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

// TestJDK: javax.xml.crypto.dsig, which shares no code with this package and
// knows every method of ours, accepts what we sign and nothing that was
// changed afterwards.
func TestJDK(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("java is missing")
		}
		t.Skip("java is not installed")
	}
	source, err := filepath.Abs("testdata/jdk/Verify.java")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var names, want []string
	add := func(name, packet, result string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(packet), 0o600); err != nil {
			t.Fatal(err)
		}
		names, want = append(names, name), append(want, name+" "+result)
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
	cmd := exec.Command(java, append([]string{source}, names...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range want {
		if !strings.Contains("\n"+string(out), "\n"+line+"\n") {
			t.Errorf("%q is not what the JDK says:\n%s", line, out)
		}
	}
}
