package main

import (
	"os"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// TestRulesDocument: docs/RULES.md is what go generate makes of the catalogue,
// and no rule is missing in it.
func TestRulesDocument(t *testing.T) {
	const file = "../../docs/RULES.md"
	want := rulesDocument()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run go generate ./cmd/lienthong", file)
	}
	for _, r := range edxml.Rules() {
		if strings.Count(want, "\n| **"+r.ID+"** |") != 1 {
			t.Errorf("rule %s does not stand in the document once", r.ID)
		}
	}
	for _, line := range strings.Split(want, "\n") {
		if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); strings.HasPrefix(line, "|") && cells != 7 {
			t.Errorf("%d bars: %s", cells, line)
		}
	}
}
