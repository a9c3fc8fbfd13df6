package signature

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// ErrPassword says that the password does not open the PKCS#12 file.
var ErrPassword = errors.New("signature: the password does not open the PKCS#12 file")

// ParsePKCS12 reads a private key and its certificates from a PKCS#12 file
// (RFC 7292: .p12, .pfx), in the forms certification authorities give out:
// PBES2 with AES, and the older RC2 and triple DES. The signer's certificate
// comes first whatever its place in the file. The error is [ErrPassword] or
// [ErrKeyMismatch] where those are the cause; none holds anything of key or
// password.
func ParsePKCS12(data []byte, password string) (*Key, error) {
	secret, first, rest, err := pkcs12.DecodeChain(data, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		// QUIRK: OpenSSL before 1.1.0 took each byte of the password for one
		// character of the BMPString, which shows with Vietnamese letters.
		secret, first, rest, err = pkcs12.DecodeChain(data, bytewise(password))
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, ErrPassword
	}
	if err != nil {
		return nil, fmt.Errorf("signature: the PKCS#12 file cannot be read: %w", err)
	}
	signer, ok := secret.(crypto.Signer)
	if !ok {
		return nil, refuse(ErrAlgorithm, "a key of type %T cannot sign", secret)
	}
	k := &Key{Signer: signer, Chain: append([]*x509.Certificate{first}, rest...)}
	if public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); ok {
		for i, c := range k.Chain {
			if public.Equal(c.PublicKey) {
				copy(k.Chain[1:i+1], k.Chain[:i])
				k.Chain[0] = c
				break
			}
		}
	}
	if err := k.match(); err != nil {
		return nil, err
	}
	return k, nil
}

// bytewise gives each byte of s as a character of its own.
func bytewise(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
