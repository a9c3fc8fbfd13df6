package edxml_test

import (
	"bytes"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// BenchmarkValidate judges a packet of 17 KB that was read, against each set.
// Read and validate together is BenchmarkReadValidateSmall.
func BenchmarkValidate(b *testing.B) {
	packet, _ := packetOf(b, 9<<10)
	p, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, set := range []edxml.Against{edxml.Law, edxml.Axis, edxml.Vendor, edxml.All} {
		b.Run(set.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				edxml.ValidateWith(p, edxml.ValidateOptions{Now: now, Against: set})
			}
		})
	}
}
