package xmlscan_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

func TestTolerant(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		quirks    []string // kind line:column offset
		strict    string   // the rule by which a strict scanner refuses
		want      string   // the values read
		root      string   // names of the elements
	}{
		{"digits before the declaration", "0004<?xml version='1.0'?><a>x</a>",
			[]string{"stray-bytes 1:1 0"}, docRule, "x", "a"},
		{"line end before the declaration", "\r\n<?xml version='1.0'?><a>x</a>",
			[]string{"stray-bytes 1:1 0"}, docRule, "x", "a"},
		{"bytes that are no UTF-8 before the root", "\xff\x01\n<a>x</a>",
			[]string{"stray-bytes 1:1 0"}, docRule, "x", "a"},
		{"second byte order mark", bom + bom + "<?xml version='1.0'?><a/>",
			[]string{"stray-bytes 1:1 3"}, docRule, "", "a"},
		{"second byte order mark in UTF-16", utf16Of(bom+"<a/>", "BE", true),
			[]string{"utf-16 1:1 0", "stray-bytes 1:1 0"}, encodingRule, "", "a"},
		{"padding after the root", "<a>\nx</a>\r\n\x00\x00\xff",
			[]string{"trailing-junk 3:1 11"}, docRule, "\nx", "a"},
		{"second root", "<a>x</a><b>y</b>", []string{"trailing-junk 1:9 8"}, docRule, "x", "a"},
		{"end tag after the root", "<a/>\n </b>", []string{"trailing-junk 2:2 6"}, docRule, "", "a"},
		{"unbound prefixes", "<a>\n<e:b xlink:href='h'>x</e:b></a>",
			[]string{"unbound-prefix 2:1 4", "unbound-prefix 2:1 4"}, prefixRule, "\n|h|x", "a e:b"},
		{"unbound in one branch alone", "<a><b xmlns:p='u'/><p:c/></a>",
			[]string{"unbound-prefix 1:20 19"}, prefixRule, "", "a b p:c"},
		{"duplicate attribute, the last wins in the first place", "<a><b c='1' d='2' c='3'/></a>",
			[]string{"duplicate-attribute 1:4 3"}, uniqueRule, "3|2", "a b"},
		{"three times", "<a c='1' c='2' c='3' d='4'/>",
			[]string{"duplicate-attribute 1:1 0", "duplicate-attribute 1:1 0"}, uniqueRule, "3|4", "a"},
		{"duplicate by namespace", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
			[]string{"duplicate-attribute 1:1 0"}, sameRule, "2", "a"},
		{"duplicate declaration", "<p:a xmlns:p='u'\nxmlns:p='v' p:b='1'/>",
			[]string{"duplicate-attribute 2:1 17"}, uniqueRule, "1", "p:a"},
		{"several", "12<p:a b='1' b='2'/>x",
			[]string{"stray-bytes 1:1 0", "unbound-prefix 1:3 2", "duplicate-attribute 1:3 2", "trailing-junk 1:21 20"}, docRule, "2", "p:a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := read(t, c.doc, strings.NewReader(c.doc), xmlscan.Options{Tolerant: true})
			if err != nil {
				t.Fatal(err)
			}
			var quirks, names []string
			for _, q := range out.Quirks {
				quirks = append(quirks, fmt.Sprintf("%s %v %d", q.Kind, q.Pos, q.Pos.Offset))
				if q.Text == "" {
					t.Error("a quirk says nothing")
				}
			}
			for _, p := range out.Pieces {
				if p.Kind == xmlscan.Start {
					names = append(names, p.Name.String())
				}
			}
			if diff := cmp.Diff(c.quirks, quirks); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.doc, diff)
			}
			if got := values(out); got != c.want {
				t.Errorf("%q says %q, want %q", c.doc, got, c.want)
			}
			if got := strings.Join(names, " "); got != c.root {
				t.Errorf("%q has the elements %s, want %s", c.doc, got, c.root)
			}
			pieces, _ := read(t, c.doc, iotest.OneByteReader(strings.NewReader(c.doc)), xmlscan.Options{Tolerant: true})
			if diff := cmp.Diff(out, pieces); diff != "" {
				t.Errorf("%q byte by byte (-whole +pieces):\n%s", c.doc, diff)
			}
			_, err = read(t, c.doc, strings.NewReader(c.doc), xmlscan.Options{})
			if got := rule(err); got != c.strict {
				t.Errorf("%q: strict refuses by %s, want %s", c.doc, got, c.strict)
			}
		})
	}
}

// Tolerance is for the named faults and no others.
func TestTolerantRefuses(t *testing.T) {
	for _, f := range forms() {
		switch f.rule {
		case "", docRule, uniqueRule, sameRule, prefixRule:
			continue
		}
		if utf8Form(f.doc) != f.doc {
			continue // UTF-16 is one of the named faults
		}
		t.Run(f.name, func(t *testing.T) {
			_, err := read(t, f.doc, strings.NewReader(f.doc), xmlscan.Options{Tolerant: true})
			if got := rule(err); got != f.rule {
				t.Errorf("%q: %v, want %s", f.doc, err, f.rule)
			}
		})
	}
	for _, doc := range []string{"just text", "\x00\x01\x02<a/>", strings.Repeat("x", 5000) + "<a/>"} {
		if _, err := read(t, doc, strings.NewReader(doc), xmlscan.Options{Tolerant: true}); rule(err) != docRule {
			t.Errorf("%.20q is read: %v", doc, err)
		}
	}
}

// A binding that stands twice resolves to the last, an unbound prefix to none.
func TestTolerantNames(t *testing.T) {
	s := xmlscan.New(strings.NewReader("<p:a xmlns:p='u' xmlns:p='v' q:b='1'/>"), xmlscan.Options{Tolerant: true})
	tok, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	if tok.Name.Space != "v" || tok.Attrs[0].Space != "" || tok.Attrs[0].Prefix != "q" || len(tok.Bindings) != 1 {
		t.Errorf("read %+v", *tok)
	}
}

// However many faults there are, the list of them stays short.
func TestTolerantQuirksAreBounded(t *testing.T) {
	doc := "<a>" + strings.Repeat("<p:b/>", 5000) + "</a>"
	out, err := read(t, doc, strings.NewReader(doc), xmlscan.Options{Tolerant: true})
	if err != nil || len(out.Quirks) != 1000 {
		t.Errorf("%d quirks, %v", len(out.Quirks), err)
	}
}
