package vxp_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/transport/vxp"
)

// TestSign holds the signature against one that the vendor's SDK made.
func TestSign(t *testing.T) {
	const text = `{"XroadVnpt-systemid":"sys-a","XroadVnpt-timestamp":"22112026T080727+0466","XroadVnpt-Content-Type":"application/json"}`
	const want = "a519cf35c0a2a8fcd72a73f5997438c5e8e978b89d5ddb7c6e0c00fb4224c876"
	if got := vxp.Sign("test-secret", text); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFileHash holds the digest of a file against one that the SDK sent.
func TestFileHash(t *testing.T) {
	raw, err := hex.DecodeString("a8b59397d6215f0657e0e4e94dcfc7c10d5c553c23cd7b0e7b8d7376cc51c3a9")
	if err != nil {
		t.Fatal(err)
	}
	const want = "a8b59397d6215f657e0e4e94dcfc7c1d5c553c23cd7be7b8d7376cc51c3a9"
	if got := vxp.FileHash([sha256.Size]byte(raw)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSecrets prints what holds a secret and finds none in it.
func TestSecrets(t *testing.T) {
	for _, v := range []any{&vxp.Client{Secret: secret}, vxp.System{Secret: secret}} {
		if text := fmt.Sprintf("%v %+v %#v %s", v, v, v, v); strings.Contains(text, secret) {
			t.Error(text)
		}
	}
}
