package edxml_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestQuirks holds docs/QUIRKS.md to the fixtures and tests that it names: a
// row that nothing shows is no knowledge.
func TestQuirks(t *testing.T) {
	names := regexp.MustCompile("`([^`]+)`")
	tests := testNames(t)
	shown := map[string]bool{}
	rows := 0
	var section string
	perSection := map[string]int{}
	for line := range strings.Lines(string(slurp(t, filepath.Join("..", "docs", "QUIRKS.md")))) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = title
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.TrimSpace(cells[len(cells)-1]) == "shown by" {
			continue
		}
		rows++
		perSection[section]++
		refs := names.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(refs) == 0 {
			t.Errorf("nothing shows the row %s", line)
		}
		for _, ref := range refs {
			switch name := ref[1]; {
			case strings.HasPrefix(name, "Test"):
				if !slices.Contains(tests, name) {
					t.Errorf("there is no %s, which is to show %s", name, cells[0])
				}
			case strings.HasSuffix(name, "_test.go"):
				if _, err := os.Stat(filepath.Join("..", name)); err != nil {
					t.Errorf("%v, which is to show %s", err, cells[0])
				}
			default:
				if _, err := os.Stat(filepath.Join("testdata", name+".xml")); err != nil {
					t.Errorf("%v, which is to show %s", err, cells[0])
				}
				shown[name] = true
			}
		}
	}
	for section, least := range map[string]int{
		"Neighbouring dialects": 10, "Names, places, values": 25, "What the vendor's parser takes or refuses": 40, "What other readers need of a writer": 8,
	} {
		if perSection[section] < least {
			t.Errorf("%q has %d rows, it had %d", section, perSection[section], least)
		}
	}
	if rows == 0 || len(shown) < 70 {
		t.Errorf("%d rows show %d fixtures", rows, len(shown))
	}
}

// testNames are the tests of this package and of the scanner.
func testNames(t *testing.T) []string {
	t.Helper()
	var all []string
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, pattern := range []string{"*_test.go", "xmlscan/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, m := range declared.FindAllStringSubmatch(string(slurp(t, file)), -1) {
				all = append(all, m[1])
			}
		}
	}
	return all
}
