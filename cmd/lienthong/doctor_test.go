package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDoctorCertificates speaks of a certificate at each milestone.
func TestDoctorCertificates(t *testing.T) {
	now := time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, left time.Duration
		state, say string
	}{
		{-time.Hour, 100 * 24 * time.Hour, checkOK, "until"},
		{-time.Hour, 60 * 24 * time.Hour, checkWarn, "within 60 days"},
		{-time.Hour, 30 * 24 * time.Hour, checkWarn, "within 30 days"},
		{-time.Hour, 14 * 24 * time.Hour, checkWarn, "within 14 days"},
		{-time.Hour, 7*24*time.Hour + time.Hour, checkWarn, "within 7 days"},
		{-time.Hour, time.Hour, checkWarn, "0 days left, within 1 days"},
		{-time.Hour, -time.Minute, checkFail, "ended on"},
		{time.Hour, 100 * 24 * time.Hour, checkFail, "not valid before"},
	} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Bộ"}, NotBefore: now.Add(c.from), NotAfter: now.Add(c.left)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "c.pem")
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := &config{file: "x"}
		cfg.Sign.Cert = file
		d := &doctor{config: cfg}
		d.certificates(now)
		if len(d.found) != 1 || d.found[0].State != c.state || !strings.Contains(d.found[0].what.EN, c.say) {
			t.Errorf("%v left: %+v", c.left, d.found)
		}
	}
}

// TestDoctorClock names a wrong clock as the cause, over plain HTTP by the
// answer's Date, over TLS even when the certificate was refused.
func TestDoctorClock(t *testing.T) {
	axis := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(150*time.Minute).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	plain, secure := httptest.NewServer(axis), httptest.NewTLSServer(axis)
	defer plain.Close()
	defer secure.Close()
	for _, url := range []string{plain.URL, secure.URL} {
		dir := t.TempDir()
		file := filepath.Join(dir, "node.toml")
		if err := os.WriteFile(filepath.Join(dir, "token"), []byte("s3cret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, fmt.Appendf(nil, "organ = \"G22\"\n[axis]\nurl = %q\ntoken_file = \"token\"\n", url), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run([]string{"lienthong", "doctor", "--config", file, "--lang", "en"}, strings.NewReader(""), &out, &errs, func(string) (string, bool) { return "", false })
		text := out.String()
		if code != exitFailed || !strings.Contains(text, "ahead of this machine's by 2h") || !strings.Contains(text, "likeliest cause") || strings.Contains(text, "s3cret") {
			t.Errorf("%s: exit %d: %s%s", url, code, text, &errs)
		}
	}
	d := &doctor{}
	if d.clock(11*time.Second, time.Now()); d.found[0].State != checkWarn {
		t.Errorf("%+v", d.found)
	}
	if d.clock(0, time.Time{}); len(d.found) != 1 {
		t.Errorf("not measured: %+v", d.found)
	}
}
