package hub

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/lienthong/lienthong/edxml"
)

// ErrNoKey says that the hub has no key to encrypt secrets with.
var ErrNoKey = errors.New("hub: no key is configured to encrypt the secrets of VXP systems; write key_file under [hub]")

// seal encrypts the secrets that are needed in clear: VXP signs with HMAC, so a
// digest of its secret would not do.
type seal struct{ aead cipher.AEAD }

func newSeal(key []byte) (*seal, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("hub: the key has %d octets, it must have 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	return &seal{aead}, nil
}

// close encrypts a secret, bound to its owner.
func (s *seal) close(owner string, secret edxml.Secret) []byte {
	return s.aead.Seal(nil, nil, []byte(secret), []byte(owner))
}

// open decrypts it.
func (s *seal) open(owner string, sealed []byte) (edxml.Secret, error) {
	b, err := s.aead.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return "", fmt.Errorf("hub: the secret of %s cannot be decrypted: the key is another one than it was stored with", owner)
	}
	return edxml.Secret(b), nil
}

// NewSecret makes the text of a new VXP secret.
func NewSecret() edxml.Secret { return edxml.Secret(rand.Text()) }

// Seal encrypts a VXP secret for Agency.Secret: ErrNoKey without a key.
func (h *Hub) Seal(owner string, secret edxml.Secret) ([]byte, error) {
	if h.seal == nil {
		return nil, ErrNoKey
	}
	return h.seal.close(owner, secret), nil
}
