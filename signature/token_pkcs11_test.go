//go:build pkcs11

package signature_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThalesGroup/crypto11"

	"github.com/lienthong/lienthong/signature"
)

// softToken makes a token in a folder of its own with SoftHSM2.
func softToken(t *testing.T) signature.Token {
	t.Helper()
	tool, err := exec.LookPath("softhsm2-util")
	module := "/usr/lib/softhsm/libsofthsm2.so"
	if _, bad := os.Stat(module); err != nil || bad != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("SoftHSM2 is missing", err, bad)
		}
		t.Skip("SoftHSM2 is not installed")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	if out, err := exec.Command(tool, "--init-token", "--free", "--label", "lienthong", "--pin", "pin-12345", "--so-pin", "so-12345").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return signature.Token{Module: module, Token: "lienthong", PIN: "pin-12345"}
}

// TestToken signs with keys that never leave a token, RSA and ECDSA; every
// method a key has.
func TestToken(t *testing.T) {
	token := softToken(t)
	session, err := crypto11.Configure(&crypto11.Config{Path: token.Module, TokenLabel: token.Token, Pin: token.PIN})
	if err != nil {
		t.Fatal(err)
	}
	rsaPair := must(session.GenerateRSAKeyPairWithLabel([]byte{1}, []byte("rsa"), 2048))
	ecPair := must(session.GenerateECDSAKeyPairWithLabel([]byte{2}, []byte("p256"), elliptic.P256()))
	certs := map[string]*x509.Certificate{}
	for label, pair := range map[string]crypto.Signer{"rsa": rsaPair, "p256": ecPair} {
		certs[label] = ca().issue(&x509.Certificate{Subject: name("Token " + label), KeyUsage: x509.KeyUsageDigitalSignature}, pair, ca().root)
	}
	if err := session.ImportCertificateWithLabel([]byte{1}, []byte("rsa"), certs["rsa"]); err != nil {
		t.Fatal(err)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	for label, methods := range map[string][]signature.Algorithm{"rsa": suits["rsa"], "p256": suits["p256"]} {
		token.Key, token.Chain = label, nil
		if label == "p256" { // its certificate is not on the token
			token.Chain = []*x509.Certificate{certs[label]}
		}
		key, closer, err := signature.OpenToken(token)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range shapes() {
			for _, alg := range methods {
				signed, err := signWith(s.packet, s.contents, key, signature.SignOptions{Placement: s.at, Algorithm: alg})
				if err != nil {
					t.Fatalf("%s, %s: %v", s.name, alg, err)
				}
				if v := one(t, signed, s.contents); v.Err != nil || v.Algorithm != string(alg) || !v.Signer.Equal(certs[label]) {
					t.Errorf("%s, %s: %v", s.name, alg, v.Err)
				}
			}
		}
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	}
	for why, change := range map[string]func(*signature.Token){
		"another PIN":    func(t *signature.Token) { t.PIN = "wrong-9876" },
		"no such token":  func(t *signature.Token) { t.Token = "nobody" },
		"no such key":    func(t *signature.Token) { t.Key = "nobody" },
		"no key named":   func(t *signature.Token) { t.Key = "" },
		"no certificate": func(t *signature.Token) { t.Key, t.Chain = "p256", nil },
		"no library":     func(t *signature.Token) { t.Module = "/nonexistent.so" },
	} {
		bad := token
		change(&bad)
		_, _, err := signature.OpenToken(bad)
		if err == nil || strings.Contains(err.Error(), bad.PIN) {
			t.Errorf("%s: %v", why, err)
		}
	}
	bad := token
	bad.Key, bad.Chain = "rsa", []*x509.Certificate{certs["p256"]}
	if _, _, err := signature.OpenToken(bad); !errors.Is(err, signature.ErrKeyMismatch) {
		t.Errorf("the certificate of another key: %v", err)
	}
}
