package vxp_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// TestSamples sends the vendor's sample packets: they arrive octet for octet,
// or as what they say, for all that is odd about them.
func TestSamples(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "samples", "*.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skip("the vendor's sample packets are not beside the checkout")
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := edxml.Read(bytes.NewReader(raw), edxml.ReadOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a := &anyone{axis: newAxis(t)}
		if p.Status != nil {
			a.organ = p.Status.From.OrganID
		} else {
			a.organ = p.Document.From.OrganID
		}
		c := client(t, listen(t, vxp.NewHandler(a, vxp.HandlerOptions{})).URL, "any")
		receipt, err := c.Send(t.Context(), &transport.Packet{Envelope: octets(raw)})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		if p.Document != nil {
			kept, err := a.packets[receipt.ID].Envelope.Open()
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if _, err := got.ReadFrom(kept); err != nil || !bytes.Equal(got.Bytes(), raw) {
				t.Errorf("%s: %d octets of %d, %v", filepath.Base(name), got.Len(), len(raw), err)
			}
			kept.Close()
		} else if len(a.deliveries) != 1 || a.deliveries[0].To != p.Status.ResponseFor.OrganID {
			t.Errorf("%s: %+v", filepath.Base(name), a.deliveries)
		}
	}
}

// anyone is an axis whose one systemid stands for one organ of any name.
type anyone struct {
	*axis
	organ string
}

func (a *anyone) System(context.Context, string) (vxp.System, error) {
	return vxp.System{Secret: secret, Organs: []string{a.organ}}, nil
}
