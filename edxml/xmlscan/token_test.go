package xmlscan_test

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		want      []string
	}{
		{"every kind", bom + "<?xml version='1.0'?>\n<!--c--><a><?p d?>t</a>\n", []string{
			`3-24 declaration`,
			`25-33 comment "c"`,
			`33-36 start a{}`,
			`36-43 pi p{} "d"`,
			`43-44 text "t" plain`,
			`44-48 end a{}`,
		}},
		{"an empty element ends where its tag ends", "<a><b  /></a >", []string{
			`0-3 start a{}`,
			`3-9 start b{} empty`,
			`9-9 end b{}`,
			`9-14 end a{}`,
		}},
		{"names resolve by what is in scope", "<p:a xmlns:p='u' p:x='1' y='2' xmlns='v'><b xmlns=''/><p:c xmlns:p='w' xml:id='3'/><d/></p:a>", []string{
			`0-41 start p:a{u} @p:x{u}="1" @y{}="2" p:="u" :="v"`,
			`41-54 start b{} :="" empty`,
			`54-54 end b{}`,
			`54-83 start p:c{w} @xml:id{` + xmlNS + `}="3" p:="w" empty`,
			`83-83 end p:c{w}`,
			`83-87 start d{v} empty`,
			`87-87 end d{v}`,
			`87-93 end p:a{u}`,
		}},
		{"text spans its CDATA sections, without the marks at its ends", "<a><![CDATA[x]]>y<![CDATA[]]>z<![CDATA[&]]></a>", []string{
			`0-3 start a{}`,
			`12-40 text "xyz&"`,
			`43-47 end a{}`,
		}},
		{"plain text: line ends are normalised, nothing is escaped", "<a>é\r\n\tx]]</a>", []string{
			`0-3 start a{}`,
			"3-11 text \"é\\n\\tx]]\" plain",
			`11-15 end a{}`,
		}},
		{"a CDATA section may be plain", "<a><![CDATA[x]y]]></a>", []string{
			`0-3 start a{}`,
			`12-15 text "x]y" plain`,
			`18-22 end a{}`,
		}},
		{"references, > and CR from a reference are not plain", "<a>x&#65;<b/>x><b/>&#13;</a>", []string{
			`0-3 start a{}`,
			`3-9 text "xA"`,
			`9-13 start b{} empty`,
			`13-13 end b{}`,
			`13-15 text "x>"`,
			`15-19 start b{} empty`,
			`19-19 end b{}`,
			`19-24 text "\r"`,
			`24-28 end a{}`,
		}},
		{"comments cut text", "<a>x<!--y-->z</a>", []string{
			`0-3 start a{}`,
			`3-4 text "x" plain`,
			`4-12 comment "y"`,
			`12-13 text "z" plain`,
			`13-17 end a{}`,
		}},
		{"white space outside the root is no token, inside it is", " <a> </a> <!--x--> ", []string{
			`1-4 start a{}`,
			`4-5 text " " plain`,
			`5-9 end a{}`,
			`10-18 comment "x"`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []func() (outcome, error){
				func() (outcome, error) { return read(t, c.doc, strings.NewReader(c.doc), xmlscan.Options{}) },
				func() (outcome, error) {
					return read(t, c.doc, iotest.OneByteReader(strings.NewReader(c.doc)), xmlscan.Options{})
				},
			} {
				out, err := r()
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, p := range out.Pieces {
					got = append(got, p.String())
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%q (-want +got):\n%s", c.doc, diff)
				}
			}
		})
	}
}

// Names and values may be kept although the token is used again.
func TestTokenStringsStay(t *testing.T) {
	s := xmlscan.New(strings.NewReader("<p:a xmlns:p='u' b='first'><p:a xmlns:p='v' b='other'/></p:a>"), xmlscan.Options{})
	tok, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	name, value, uri := tok.Name, tok.Attrs[0].Value, tok.Bindings[0].URI
	for err == nil {
		_, err = s.Next()
	}
	if !name.Is("u", "a") || name.String() != "p:a" || value != "first" || uri != "u" {
		t.Errorf("kept %v, %q, %q", name, value, uri)
	}
	if name.Is("v", "a") || name.Is("u", "p:a") {
		t.Errorf("%v is something else", name)
	}
}
