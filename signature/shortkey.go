package signature

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
)

// shortRSA is the length in bits below which crypto/rsa takes no key at all.
const shortRSA = 1024

// verifyShort is rsa.VerifyPKCS1v15 for keys that crypto/rsa refuses as too
// short (RFC 8017 §8.2.2). They prove nothing today, a key of 512 bits is
// factored within hours; old conformance suites are full of them, and only
// XMLOptions.AllowLegacy lets them come here. The encoded message is built and compared as
// a whole, so that nothing in it is left to be read two ways.
func verifyShort(key *rsa.PublicKey, hash crypto.Hash, sum, value []byte) bool {
	size := key.Size()
	digest, err := digestInfo(hash, sum)
	if err != nil || len(value) != size || size < len(digest)+11 {
		return false
	}
	s := new(big.Int).SetBytes(value)
	if s.Cmp(key.N) >= 0 || key.E < 3 {
		return false
	}
	got := s.Exp(s, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-len(digest)-3)...)
	return bytes.Equal(got, append(append(want, 0), digest...))
}

// digestInfo is the DER of a digest and what made it (RFC 8017 §9.2).
func digestInfo(hash crypto.Hash, sum []byte) ([]byte, error) {
	oid, ok := map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA1: {1, 3, 14, 3, 2, 26}, crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
		crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
	}[hash]
	if !ok {
		return nil, asn1.StructuralError{Msg: "no such digest"}
	}
	type algorithm struct {
		OID  asn1.ObjectIdentifier
		Null asn1.RawValue
	}
	return asn1.Marshal(struct {
		Algorithm algorithm
		Digest    []byte
	}{algorithm{oid, asn1.NullRawValue}, sum})
}
