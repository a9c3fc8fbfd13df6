package xmlscan_test

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// utf16Of writes doc in UTF-16, order "LE" or "BE", with a mark or without.
func utf16Of(doc, order string, mark bool) string {
	units := utf16.Encode([]rune(doc))
	if mark {
		units = append([]uint16{0xFEFF}, units...)
	}
	var b []byte
	for _, u := range units {
		if order == "BE" {
			b = binary.BigEndian.AppendUint16(b, u)
		} else {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
	}
	return string(b)
}

// utf8Form is the text to which the positions in doc refer: doc itself, or
// what its UTF-16 says up to the first fault.
func utf8Form(doc string) string {
	var order binary.ByteOrder
	switch {
	case strings.HasPrefix(doc, "\xfe\xff"):
		order, doc = binary.BigEndian, doc[2:]
	case strings.HasPrefix(doc, "\xff\xfe"):
		order, doc = binary.LittleEndian, doc[2:]
	case strings.HasPrefix(doc, "\x00<"):
		order = binary.BigEndian
	case strings.HasPrefix(doc, "<\x00"):
		order = binary.LittleEndian
	default:
		return doc
	}
	var units []uint16
	for i := 0; i+2 <= len(doc); i += 2 {
		units = append(units, order.Uint16([]byte(doc[i:i+2])))
	}
	text := string(utf16.Decode(units))
	if rest, again := strings.CutPrefix(text, bom); again {
		text = "\ufffd" + rest // the mark is off already: a second one has a column, and placeOf must not take it for the first
	}
	return text
}

// TestUTF16 reads the same document in every form of UTF-16 as in UTF-8.
func TestUTF16(t *testing.T) {
	const text = "<?xml version='1.0'?>\n<a b='Trục liên thông'>Ủy ban 𝒳 &amp;\r\n<c/></a>"
	tolerant := xmlscan.Options{Tolerant: true}
	want, err := read(t, text, strings.NewReader(text), tolerant)
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range []string{"", " encoding='utf-16'", " encoding='UTF-16LE'", " encoding='UTF-16BE'"} {
		for _, order := range []string{"LE", "BE"} {
			for _, mark := range []bool{true, false} {
				doc := utf16Of(strings.Replace(text, "'1.0'", "'1.0'"+declared, 1), order, mark)
				for name, r := range map[string]io.Reader{"whole": strings.NewReader(doc), "bytes": iotest.OneByteReader(strings.NewReader(doc))} {
					got, err := read(t, doc, r, tolerant)
					if err != nil {
						t.Fatalf("%s %v%s, %s: %v", order, mark, declared, name, err)
					}
					if len(got.Quirks) != 1 || got.Quirks[0].Kind != xmlscan.QuirkUTF16 || got.Quirks[0].Pos.Line != 1 {
						t.Errorf("%s %v: quirks %v", order, mark, got.Quirks)
					}
					if values(got) != values(want) {
						t.Errorf("%s %v: %q, want %q", order, mark, values(got), values(want))
					}
					if declared == "" {
						got.Quirks = nil
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("%s %v:\n%s", order, mark, diff)
						}
					}
				}
				if _, err := read(t, doc, strings.NewReader(doc), xmlscan.Options{}); rule(err) != encodingRule || !errors.Is(err, xmlscan.ErrEncoding) {
					t.Errorf("strictly read: %v", err)
				}
			}
		}
	}
}

// TestUTF16Refuses: tolerance is for the encoding, not for what breaks it.
func TestUTF16Refuses(t *testing.T) {
	tolerant := xmlscan.Options{Tolerant: true}
	for name, doc := range map[string]string{
		"a lone second half":     utf16Of("<a>", "LE", true) + "\x00\xdc" + utf16Of("</a>", "LE", false),
		"a lone first half":      utf16Of("<a>", "LE", true) + "\x00\xd8" + utf16Of("</a>", "LE", false),
		"half a unit at the end": utf16Of("<a/>", "LE", true) + "\n",
		"a pair cut off":         utf16Of("<a>", "BE", true) + "\xd8\x00",
		"a declaration of UTF-8": utf16Of("<?xml version='1.0' encoding='UTF-8'?><a/>", "LE", true),
	} {
		if _, err := read(t, doc, strings.NewReader(doc), tolerant); !errors.Is(err, xmlscan.ErrEncoding) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("đường truyền đứt")
	doc := utf16Of("<a>", "LE", true)
	for _, r := range []io.Reader{io.MultiReader(strings.NewReader(doc), iotest.ErrReader(broken)), io.MultiReader(strings.NewReader(doc[:4]), iotest.ErrReader(broken))} {
		if _, err := read(t, doc, r, tolerant); !errors.Is(err, broken) {
			t.Errorf("a source that fails: %v", err)
		}
	}
	doc += utf16Of(strings.Repeat("x", 9000), "LE", false)
	var limit *xmlscan.LimitError
	if _, err := read(t, doc, strings.NewReader(doc), xmlscan.Options{Tolerant: true, Limits: xmlscan.Limits{Size: 100}}); !errors.As(err, &limit) || limit.Limit != "size" {
		t.Errorf("beyond the limit: %v", err)
	}
}
