package main

import (
	"os"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/transport/conform"
)

// TestConformDocument: docs/CONFORMANCE.md is what go generate makes of the
// catalogue; every case stands in it once, with what is expected and why.
func TestConformDocument(t *testing.T) {
	const file = "../../docs/CONFORMANCE.md"
	want := conformDocument()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run go generate ./cmd/lienthong", file)
	}
	for _, g := range append(conform.AxisGroups(), conform.ClientGroups()...) {
		for _, c := range g.Cases {
			if strings.Count(want, "\n| **"+c.ID+"** |") != 1 {
				t.Errorf("case %s does not stand in the document once", c.ID)
			}
			if !strings.HasPrefix(c.ID, g.Letter) || c.Expect.VI == "" || c.Expect.EN == "" || c.Clause == "" {
				t.Errorf("case %+v is not complete", c)
			}
		}
	}
	for _, line := range strings.Split(want, "\n") {
		if bars := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); strings.HasPrefix(line, "| **") && bars != 4 {
			t.Errorf("%d bars: %s", bars, line)
		}
	}
}
