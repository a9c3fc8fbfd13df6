package xmlscan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Faults are shown where they stand, not where the tag or the text begins.
func TestFaultPlaces(t *testing.T) {
	for _, c := range []struct {
		doc  string
		line int
		col  int
	}{
		{"<a>\n\n  <b></c></a>", 3, 6},
		{"<a>\r\nx\x01</a>", 2, 2},
		{"<a>\n<b c='1'\nd='<'/></a>", 3, 4},
		{"<a>\n<b c='1'\nd='&e;'/></a>", 3, 4},
		{"<a>\néx &e; y</a>", 2, 4},
		{"<a>\nx]]></a>", 2, 4},
		{"<a>\n<!-- x\ny -- z --></a>", 3, 3},
		{"<a>\n<!-- x\n\x02--></a>", 3, 1},
		{"<a>\n<?p\nx\xff?></a>", 3, 2},
		{"<a>\n<b\nxmlns:p=''/></a>", 3, 1},
		{"<a>\n<p:b\nx='1'/></a>", 2, 1},
		{"<a>\nVăn bản số 7: <p:b/></a>", 2, 15},
		{"\ufeff<p:a/>", 1, 1},
		{"<a/>\n\nx", 3, 1},
		{"\n\nx", 3, 1},
		{"<a>\n<b>\n", 3, 1},
		{"<?xml version='1.0'?>\n<!DOCTYPE a>", 2, 1},
	} {
		for _, pad := range []int{0, 4090, 12280, 65530, 200_000} {
			head, tail := "", c.doc
			if strings.HasPrefix(c.doc, "<?xml") {
				head, tail = c.doc[:21], c.doc[21:]
			}
			doc := head + strings.Repeat("\n", pad) + tail
			err := drain(strings.NewReader(doc), xmlscan.Options{})
			fault, ok := errors.AsType[*xmlscan.SyntaxError](err)
			if !ok {
				t.Fatalf("%q: %v", c.doc, err)
			}
			if fault.Pos.Line != c.line+pad || fault.Pos.Column != c.col || fault.Pos != placeOf(doc, fault.Pos.Offset) {
				t.Errorf("%q after %d lines: %+v, want %d:%d", c.doc, pad, fault.Pos, c.line+pad, c.col)
			}
			if want := fmt.Sprintf("line %d, column %d: ", c.line+pad, c.col); !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %s", err, want)
			}
		}
	}
	if got := (xmlscan.Pos{Offset: 9, Line: 3, Column: 4}).String(); got != "3:4" {
		t.Errorf("Pos is written %s", got)
	}
}

// Documents much larger than the window, in which every kind of token comes to
// lie across its end; read checks the place of each.
func TestPlacesInLargeDocuments(t *testing.T) {
	parts := []string{
		"<b c='1'\n d='é&#10;'>", "</b>\n", "<c/>", "text\n", "văn\r\nbản\r", "&amp;&#x20;", "<!-- một\nhai -->", "<?p x\ny?>", "<![CDATA[<]\r\n]]]>", "]]", "\n\n",
		"<!--" + strings.Repeat("-\n", 3000) + "-->", "<d e='" + strings.Repeat("x\n", 5000) + "'/>", strings.Repeat("QUJD\n", 4000),
	}
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?>\n<a>")
	seed, open := uint32(7), 0
	for b.Len() < 500_000 {
		seed = seed*1664525 + 1013904223
		k := int(seed>>16) % len(parts)
		switch {
		case k == 0 && open > 50 || k == 1 && open == 0:
			continue
		case k == 0:
			open++
		case k == 1:
			open--
		case k >= 11 && seed>>28 > 0:
			continue // the long ones are rare
		}
		b.WriteString(parts[k])
	}
	b.WriteString(strings.Repeat("</b>", open) + "</a>\n")
	doc := b.String()

	want, err := read(t, doc, strings.NewReader(doc), xmlscan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	half, err := read(t, doc, iotest.HalfReader(strings.NewReader(doc)), xmlscan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, half); diff != "" {
		t.Errorf("read by halves (-whole +half):\n%s", diff)
	}
}
