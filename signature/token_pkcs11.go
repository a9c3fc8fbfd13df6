//go:build pkcs11

package signature

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ThalesGroup/crypto11"
)

// OpenToken opens a key on a token; the private key never leaves it. The key
// signs until the closer is closed. The error is [ErrKeyMismatch] when key and
// certificate do not belong together; none holds the PIN.
func OpenToken(t Token) (*Key, io.Closer, error) {
	if t.Key == "" && len(t.ID) == 0 {
		return nil, nil, errors.New("signature: which key of the token? A label or an ID is needed")
	}
	session, err := crypto11.Configure(&crypto11.Config{Path: t.Module, TokenLabel: t.Token, SlotNumber: t.Slot, Pin: t.PIN})
	if err != nil {
		return nil, nil, tokenError(t, err)
	}
	key, err := t.find(session)
	if err != nil {
		return nil, nil, errors.Join(err, session.Close())
	}
	return key, session, nil
}

// find takes key and certificate off an open token.
func (t Token) find(session *crypto11.Context) (*Key, error) {
	var label []byte
	if t.Key != "" {
		label = []byte(t.Key)
	}
	pair, err := session.FindKeyPair(t.ID, label)
	if err != nil {
		return nil, tokenError(t, err)
	}
	if pair == nil {
		return nil, fmt.Errorf("signature: token %q has no key pair %q", t.Token, t.Key)
	}
	k := &Key{Signer: pair, Chain: t.Chain}
	if len(k.Chain) == 0 {
		cert, err := session.FindCertificate(t.ID, label, nil)
		if err != nil {
			return nil, tokenError(t, err)
		}
		if cert == nil {
			return nil, fmt.Errorf("signature: token %q has no certificate %q; give it in a file", t.Token, t.Key)
		}
		k.Chain = []*x509.Certificate{cert}
	}
	return k, k.match()
}

// tokenError says what the token's library said, without the PIN.
func tokenError(t Token, err error) error {
	text := err.Error()
	if t.PIN != "" {
		text = strings.ReplaceAll(text, t.PIN, "***")
	}
	return fmt.Errorf("signature: token %q (%s): %s", t.Token, t.Module, text)
}
