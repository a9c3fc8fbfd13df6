package signature_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/lienthong/lienthong/signature"
)

const password = "Mật khẩu của văn thư số 1"

func TestParsePKCS12(t *testing.T) {
	for kind, key := range keys() {
		for form, encoder := range map[string]*pkcs12.Encoder{"RC2-40": pkcs12.LegacyRC2, "triple DES": pkcs12.LegacyDES, "PBES2": pkcs12.Modern2023, "PBMAC1": pkcs12.Modern2026} {
			for _, word := range []string{password, "", "abc"} {
				data := must(encoder.WithRand(rand.Reader).Encode(key.Signer, key.Chain[0], []*x509.Certificate{ca().root}, word))
				k, err := signature.ParsePKCS12(data, word)
				if err != nil || len(k.Chain) != 2 || !k.Chain[0].Equal(key.Chain[0]) {
					t.Errorf("%s, %s, %q: %v", kind, form, word, err)
					continue
				}
				if v := one(t, sign(t, single(), nil, k, signature.Auto), nil); v.Err != nil {
					t.Errorf("%s, %s: %v", kind, form, v.Err)
				}
				if _, err := signature.ParsePKCS12(data, word+"x"); !errors.Is(err, signature.ErrPassword) || strings.Contains(err.Error(), "abcx") {
					t.Errorf("%s, %s, another password: %v", kind, form, err)
				}
			}
		}
	}
}

// TestPKCS12Order: the signer is found by the key, not by the place.
func TestPKCS12Order(t *testing.T) {
	key := ca().rsa
	data := must(pkcs12.Modern2023.Encode(key.Signer, ca().root, []*x509.Certificate{key.Chain[0]}, password))
	if k, err := signature.ParsePKCS12(data, password); err != nil || len(k.Chain) != 2 || !k.Chain[0].Equal(key.Chain[0]) || !k.Chain[1].Equal(ca().root) {
		t.Errorf("%v", err)
	}
	data = must(pkcs12.Modern2023.Encode(key.Signer, ca().root, nil, password))
	if _, err := signature.ParsePKCS12(data, password); !errors.Is(err, signature.ErrKeyMismatch) {
		t.Errorf("a key without its certificate: %v", err)
	}
	for _, data := range [][]byte{nil, []byte("x"), data[:len(data)/2]} {
		if _, err := signature.ParsePKCS12(data, password); err == nil {
			t.Error("what is no PKCS#12 file is read")
		}
	}
}

// TestPKCS12Bytewise: a file whose password was taken byte by byte.
func TestPKCS12Bytewise(t *testing.T) {
	var wide []rune
	for _, b := range []byte(password) {
		wide = append(wide, rune(b))
	}
	data := must(pkcs12.LegacyRC2.Encode(ca().rsa.Signer, ca().rsa.Chain[0], nil, string(wide)))
	if _, err := signature.ParsePKCS12(data, password); err != nil {
		t.Error(err)
	}
}

func TestPKCS12OpenSSL(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is missing")
		}
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(ca().rsa.Signer))}))
	write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca().rsa.Chain[0].Raw}))
	write("word", []byte(password+"\n"))
	for _, form := range [][]string{nil, {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"}, {"-legacy"}} {
		args := append([]string{"pkcs12", "-export", "-inkey", "key.pem", "-in", "cert.pem", "-passout", "file:word"}, form...)
		cmd := exec.Command(tool, args...)
		cmd.Dir = dir
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		data, err := cmd.Output()
		if err != nil {
			t.Logf("openssl %v: %v %s", form, err, stderr.String()) // not every build has the legacy provider
			if len(form) != 1 {
				t.Error("openssl made no file")
			}
			continue
		}
		if _, err := signature.ParsePKCS12(data, password); err != nil {
			t.Errorf("openssl %v: %v", form, err)
		}
	}
}
