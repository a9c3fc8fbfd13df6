package xmlscan_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// The standard library reads generated documents the same way. It is lax about
// what is refused, so only well-formed documents can be compared; and it
// neither knows §3.3.3 nor keeps declarations apart from attributes, so values
// hold no white space but blanks.
func TestAgreesWithEncodingXML(t *testing.T) {
	for seed := range uint64(300) {
		g := generator{rand: rand.New(rand.NewPCG(seed, 1))}
		g.element(0, []string{""})
		doc := g.b.String()
		ours, err := eventsOurs(doc)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, doc)
		}
		theirs, err := eventsTheirs(doc)
		if err != nil {
			t.Fatalf("seed %d: encoding/xml: %v\n%s", seed, err, doc)
		}
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Fatalf("seed %d (-encoding/xml +xmlscan):\n%s\n%s", seed, diff, doc)
		}
	}
}

// generator writes a well-formed document.
type generator struct {
	b    strings.Builder
	rand *rand.Rand
}

func (g *generator) pick(of ...string) string { return of[g.rand.IntN(len(of))] }

func (g *generator) element(depth int, prefixes []string) {
	var declared string
	for _, p := range []string{"p", "q"} {
		if g.rand.IntN(4) == 0 {
			declared += fmt.Sprintf(" xmlns:%s='urn:%d'", p, g.rand.IntN(1000))
			prefixes = append(prefixes[:len(prefixes):len(prefixes)], p)
		}
	}
	if g.rand.IntN(4) == 0 {
		declared += fmt.Sprintf(` xmlns="%s"`, g.pick("", "urn:d", "urn:e"))
	}
	name := g.pick("a", "bản-tin", "c.d_1")
	if p := g.pick(prefixes...); p != "" {
		name = p + ":" + name
	}
	g.b.WriteString("<" + name + declared)
	for i := range g.rand.IntN(4) {
		fmt.Fprintf(&g.b, "%sk%d%s='%s'", g.pick(" ", "\n\t", "\r\n"), i, g.pick("", " "), g.pick("", "x", "&lt;&#62;", "ngày 1", `"`, "&#xA;"))
	}
	if g.rand.IntN(5) == 0 {
		g.b.WriteString(g.pick("/>", " />"))
		return
	}
	g.b.WriteString(">")
	for range g.rand.IntN(6) {
		switch n := g.rand.IntN(7); {
		case n == 0 && depth < 6, n == 1 && depth < 6:
			g.element(depth+1, prefixes)
		case n == 2:
			g.b.WriteString("<![CDATA[" + g.pick("", "<x>", "]", "]]", "&amp;", "\r\n") + "]]>")
		case n == 3:
			g.b.WriteString(g.pick("<!---->", "<!-- - <x> & -->", "<?t?>", "<?t a ? > b?>"))
		default:
			g.b.WriteString(g.pick("văn bản", "x\r\ny", "a\rb", "&amp;&#65;&quot;", "]] ", "> ", strings.Repeat("QUJD", g.rand.IntN(3000)), "\n"))
		}
	}
	g.b.WriteString("</" + name + g.pick("", " ", "\n") + ">")
}

func eventsOurs(doc string) ([]string, error) {
	out, err := readFast(doc)
	var all []string
	for _, p := range out.Pieces {
		switch p.Kind {
		case xmlscan.Start:
			line := "start " + p.Name.Space + " " + p.Name.Local
			for _, a := range p.Attrs {
				line += fmt.Sprintf(" %s=%q", a.Local, a.Value)
			}
			all = append(all, line)
		case xmlscan.End:
			all = append(all, "end "+p.Name.Space+" "+p.Name.Local)
		case xmlscan.Text:
			all = append(all, "text "+p.Text)
		case xmlscan.Comment:
			all = append(all, "comment "+p.Text)
		case xmlscan.ProcInst:
			all = append(all, "pi "+p.Name.Local+" "+p.Text)
		}
	}
	return all, err
}

func eventsTheirs(doc string) ([]string, error) {
	d := xml.NewDecoder(strings.NewReader(doc))
	var all []string
	text := ""
	for {
		tok, err := d.Token()
		if data, ok := tok.(xml.CharData); ok {
			text += string(data)
			continue
		}
		if text != "" {
			all, text = append(all, "text "+text), ""
		}
		if err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		switch v := tok.(type) {
		case xml.StartElement:
			line := "start " + v.Name.Space + " " + v.Name.Local
			for _, a := range v.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					line += fmt.Sprintf(" %s=%q", a.Name.Local, a.Value)
				}
			}
			all = append(all, line)
		case xml.EndElement:
			all = append(all, "end "+v.Name.Space+" "+v.Name.Local)
		case xml.Comment:
			all = append(all, "comment "+string(v))
		case xml.ProcInst:
			all = append(all, "pi "+v.Target+" "+string(v.Inst))
		}
	}
}
