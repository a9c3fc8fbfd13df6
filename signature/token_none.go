//go:build !pkcs11

package signature

import "io"

// OpenToken opens a key on a token. In this build the error is always
// [ErrNoTokens].
func OpenToken(Token) (*Key, io.Closer, error) { return nil, nil, ErrNoTokens }
