package signature

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"
)

// TestVerifyShort signs with a key of 512 bits, which crypto/rsa makes no more,
// and changes every part of what it signed.
func TestVerifyShort(t *testing.T) {
	p, err := rand.Prime(rand.Reader, 256)
	if err != nil {
		t.Fatal(err)
	}
	e := big.NewInt(65537)
	var q, phi *big.Int
	for {
		if q, err = rand.Prime(rand.Reader, 256); err != nil {
			t.Fatal(err)
		}
		phi = new(big.Int).Mul(new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Sub(q, big.NewInt(1)))
		if p.Cmp(q) != 0 && new(big.Int).GCD(nil, nil, e, phi).Cmp(big.NewInt(1)) == 0 && new(big.Int).Mul(p, q).BitLen() == 512 {
			break
		}
	}
	d := new(big.Int).ModInverse(e, phi)
	key := &rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}
	sign := func(em []byte) []byte {
		return new(big.Int).Exp(new(big.Int).SetBytes(em), d, key.N).FillBytes(make([]byte, 64))
	}
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		sum := hashOf(hash, []byte("nội dung"))
		info, err := digestInfo(hash, sum)
		if err != nil {
			t.Fatal(err)
		}
		em := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 64-len(info)-3)...)
		em = append(append(em, 0), info...)
		value := sign(em)
		if !verifyShort(key, hash, sum, value) {
			t.Fatalf("%v: its own signature is refused", hash)
		}
		for i := 1; i < len(em); i++ { // the first octet is 0 in anything smaller than N
			other := bytes.Clone(em)
			other[i] ^= 1
			if new(big.Int).SetBytes(other).Cmp(key.N) < 0 && verifyShort(key, hash, sum, sign(other)) {
				t.Errorf("%v: octet %d may be anything", hash, i)
			}
		}
		if verifyShort(key, hash, hashOf(hash, []byte("khác")), value) {
			t.Errorf("%v: it fits another digest", hash)
		}
		for what, v := range map[string][]byte{"cut": value[1:], "longer": append([]byte{0}, value...), "empty": nil,
			"plus N": new(big.Int).Add(new(big.Int).SetBytes(value), key.N).Bytes()} {
			if verifyShort(key, hash, sum, v) {
				t.Errorf("%v: %s is taken", hash, what)
			}
		}
	}
	if verifyShort(key, crypto.SHA512, hashOf(crypto.SHA512, nil), make([]byte, 64)) {
		t.Error("a digest that has no room")
	}
}
