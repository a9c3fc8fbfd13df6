package xmlscan_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

func TestForms(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range forms() {
		if seen[f.name] {
			t.Errorf("%s stands twice", f.name)
		}
		seen[f.name] = true
		t.Run(f.name, func(t *testing.T) {
			out, err := read(t, f.doc, strings.NewReader(f.doc), xmlscan.Options{})
			if f.rule == "" {
				if err != nil {
					t.Fatalf("%q is refused: %v", f.doc, err)
				}
				if got := values(out); got != f.want {
					t.Errorf("%q says %q, want %q", f.doc, got, f.want)
				}
				return
			}
			if err == nil {
				t.Fatalf("%q is accepted", f.doc)
			}
			if got := rule(err); got != f.rule {
				t.Errorf("%q is refused by %s (%v), want %s", f.doc, got, err, f.rule)
			}
			for _, cause := range []error{xmlscan.ErrDTD, xmlscan.ErrEncoding, xmlscan.ErrTruncated, xmlscan.ErrNotXML} {
				if errors.Is(err, cause) != (f.cause == cause) {
					t.Errorf("%q: errors.Is(%v, %v) is %v", f.doc, err, cause, errors.Is(err, cause))
				}
			}
			if len(out.Quirks) > 0 {
				t.Errorf("a strict scanner lets pass %v", out.Quirks)
			}
		})
	}
}

// What a document says cannot depend on how the bytes arrive.
func TestFormsInPieces(t *testing.T) {
	for _, tolerant := range []bool{false, true} {
		o := xmlscan.Options{Tolerant: tolerant}
		for _, f := range forms() {
			t.Run(fmt.Sprintf("%s/tolerant=%v", f.name, tolerant), func(t *testing.T) {
				want, _ := read(t, f.doc, strings.NewReader(f.doc), o)
				same := func(how string, got outcome) {
					t.Helper()
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%q %s (-whole +pieces):\n%s", f.doc, how, diff)
					}
				}
				got, _ := read(t, f.doc, iotest.OneByteReader(strings.NewReader(f.doc)), o)
				same("byte by byte", got)
				got, _ = read(t, f.doc, iotest.DataErrReader(strings.NewReader(f.doc)), o)
				same("with the end in the last read", got)
				for i := 1; i < len(f.doc); i++ {
					got, _ = read(t, f.doc, &cut{[]string{f.doc[:i], f.doc[i:]}}, o)
					same(fmt.Sprintf("cut at %d", i), got)
				}
			})
		}
	}
}

// A form that lies across the end of the window reads as it does anywhere
// else. The window is 4 KiB first and 64 KiB later; 61,440 is where the second
// of these ends after the first has doubled up.
func TestFormsAcrossWindows(t *testing.T) {
	for _, f := range forms() {
		at := 0 // where white space may be put
		if strings.HasPrefix(f.doc, bom) {
			at = len(bom)
		}
		if strings.HasPrefix(f.doc[at:], "<?xml") {
			at += strings.Index(f.doc[at:], "?>") + 2
		}
		if f.rule != "" || f.doc[at:] == "" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			want, _ := read(t, f.doc, strings.NewReader(f.doc), xmlscan.Options{})
			tail := len(f.doc) - at
			for boundary, step := range map[int]int{4 << 10: 1, 12 << 10: 5, 60 << 10: 7, 64 << 10: 11, 124 << 10: 13} {
				for shift := 0; shift <= tail; shift += step {
					pad := boundary - at - shift
					doc := f.doc[:at] + strings.Repeat(" ", pad) + f.doc[at:]
					got, err := readFast(doc)
					if err != nil {
						t.Fatalf("moved by %d: %v", pad, err)
					}
					for i := range got.Pieces {
						if p := &got.Pieces[i]; p.Start >= int64(at+pad) {
							p.Start -= int64(pad)
							p.End -= int64(pad)
						}
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("moved by %d (-alone +moved):\n%s", pad, diff)
					}
				}
			}
		})
	}
}

// readFast reads without the checks of every token, which count lines from
// the beginning.
func readFast(doc string) (outcome, error) {
	s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
	var out outcome
	for {
		tok, err := s.Next()
		if err != nil {
			if len(s.Quirks()) == 0 && isEnd(err) {
				return out, nil
			}
			return out, err
		}
		out.add(tok)
	}
}

// Another implementation judges the same forms, but for the differences that
// the forms name.
func TestFormsAgreeWithXmllint(t *testing.T) {
	xmllint := findXmllint(t)
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(xmllint, "--noout", "--nonet", "-")
			cmd.Stdin = strings.NewReader(f.doc)
			said, err := cmd.CombinedOutput()
			if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
				t.Fatal(err)
			}
			// Faults against Namespaces are printed, but do not fail the run.
			accepted := err == nil && !strings.Contains(string(said), " error :")
			agrees := accepted == (f.rule == "")
			if f.other == "" && !agrees {
				t.Errorf("%q: xmllint accepts: %v, xmlscan accepts: %v\n%s", f.doc, accepted, f.rule == "", said)
			}
			if f.other != "" && agrees {
				t.Errorf("%q: xmllint agrees, although: %s", f.doc, f.other)
			}
		})
	}
}

func findXmllint(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is missing: ", err)
		}
		t.Skip("xmllint (libxml2-utils) is not installed: ", err)
	}
	return path
}
