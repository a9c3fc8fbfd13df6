package signature_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/signature"
)

func TestProperties(t *testing.T) {
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	for _, s := range shapes() {
		for _, plain := range []bool{false, true} {
			signed, err := signWith(s.packet, s.contents, ca().rsa, signature.SignOptions{Placement: s.at, Plain: plain, Time: at.In(time.FixedZone("", 7*3600))})
			if err != nil {
				t.Fatal(err)
			}
			v := one(t, signed, s.contents)
			if v.Err != nil || len(v.Warnings) > 0 || v.Claimed.IsZero() != plain || !plain && !v.Claimed.Equal(at) || strings.Contains(signed, "xades") == plain {
				t.Errorf("%s, plain %v: %v, claimed %v, want %v, %v\n%s", s.name, plain, v.Err, v.Claimed, at, v.Warnings, signed)
			}
			if rest := stripped(t, signed); rest != s.packet {
				t.Errorf("%s, plain %v: more than the signature was changed", s.name, plain)
			}
			var out map[string]any
			if err := json.Unmarshal(must(json.Marshal(v)), &out); err != nil || (out["claimed_time"] != nil) == plain {
				t.Errorf("%v %v", out, err)
			}
		}
	}
}

// TestClaimedOutside: a claim the certificate contradicts is told.
func TestClaimedOutside(t *testing.T) {
	signed, err := signWith(single(), nil, ca().rsa, signature.SignOptions{Time: ca().from.AddDate(-1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if v := one(t, signed, nil); v.Err != nil || len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], "SigningTime") {
		t.Errorf("%v %v", v.Err, v.Warnings)
	}
}
