package signature

import (
	"crypto/x509"
	"errors"
)

// ErrNoTokens says that this program was built without PKCS#11, which needs
// cgo: go build -tags pkcs11.
var ErrNoTokens = errors.New("signature: this program was built without PKCS#11 (build it with cgo and -tags pkcs11)")

// Token says which key of which cryptographic token signs (PKCS#11 v2.40): a
// USB token or an HSM.
type Token struct {
	Module string              // path of the PKCS#11 library of the token's maker
	Token  string              // label of the token; "" when Slot is given
	Slot   *int                // number of the slot, in place of the label
	Key    string              // label of the key pair
	ID     []byte              // CKA_ID of the key pair, besides or in place of the label
	PIN    string              // never appears in an error
	Chain  []*x509.Certificate // the signer's first; nil takes the certificate on the token
}
