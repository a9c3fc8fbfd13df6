//go:build !pkcs11

package signature_test

import (
	"errors"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

func TestNoTokens(t *testing.T) {
	if key, _, err := signature.OpenToken(signature.Token{Module: "x", Key: "y"}); key != nil || !errors.Is(err, signature.ErrNoTokens) {
		t.Error(key, err)
	}
}
