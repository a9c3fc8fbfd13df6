package xmlscan_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// piece is a token that can be kept, with adjacent text joined: how a text is
// cut into chunks is no property of the document.
type piece struct {
	Kind       xmlscan.Kind
	Name       xmlscan.Name
	Attrs      []xmlscan.Attr
	Bindings   []xmlscan.Binding
	Empty      bool
	Text       string
	Plain      bool
	Start, End int64
}

// outcome is all that reading a document shows.
type outcome struct {
	Pieces []piece
	Quirks []xmlscan.Quirk
	Err    string // "" at a regular end
}

// read reads doc through r, which delivers the bytes of doc, and checks on the
// way what holds for every token.
func read(t testing.TB, doc string, r io.Reader, o xmlscan.Options) (outcome, error) {
	t.Helper()
	s := xmlscan.New(r, o)
	if o.Tolerant {
		doc = utf8Form(doc)
	}
	var out outcome
	depth, last := 0, int64(0)
	for {
		tok, err := s.Next()
		if err != nil {
			out.Quirks = s.Quirks()
			if again, err2 := s.Next(); again != nil || err2 != err {
				t.Errorf("Next after %v gives %v, %v", err, again, err2)
			}
			if err == io.EOF {
				if depth != 0 {
					t.Errorf("the document ended at depth %d", depth)
				}
				return out, nil
			}
			// The chunk before a fault may come or not.
			if n := len(out.Pieces); n > 0 && out.Pieces[n-1].Kind == xmlscan.Text {
				out.Pieces = out.Pieces[:n-1]
			}
			out.Err = err.Error()
			return out, err
		}
		checkToken(t, doc, s, tok, last)
		last = tok.End
		switch tok.Kind {
		case xmlscan.Start:
			depth++
		case xmlscan.End:
			depth--
		}
		if s.Depth() != depth {
			t.Errorf("depth %d after %v, want %d", s.Depth(), tok.Name, depth)
		}
		out.add(tok)
	}
}

func (o *outcome) add(tok *xmlscan.Token) {
	if n := len(o.Pieces); n > 0 && tok.Kind == xmlscan.Text && o.Pieces[n-1].Kind == xmlscan.Text {
		p := &o.Pieces[n-1]
		p.Text, p.Plain, p.End = p.Text+string(tok.Text), p.Plain && tok.Plain, tok.End
		return
	}
	o.Pieces = append(o.Pieces, piece{
		Kind: tok.Kind, Name: tok.Name, Empty: tok.Empty, Text: string(tok.Text), Plain: tok.Plain, Start: tok.Start, End: tok.End,
		Attrs: append([]xmlscan.Attr(nil), tok.Attrs...), Bindings: append([]xmlscan.Binding(nil), tok.Bindings...),
	})
}

// checkToken checks offsets, places and the promise of Plain.
func checkToken(t testing.TB, doc string, s *xmlscan.Scanner, tok *xmlscan.Token, last int64) {
	t.Helper()
	if tok.Start < last || tok.End < tok.Start || tok.End > int64(len(doc)) {
		t.Fatalf("token %d spans %d-%d after %d in a document of %d", tok.Kind, tok.Start, tok.End, last, len(doc))
	}
	// The end first: asking must not make the scanner forget the start.
	for _, off := range []int64{tok.End, tok.Start, tok.End} {
		if got, want := s.Pos(off), placeOf(doc, off); got != want {
			t.Fatalf("Pos(%d) = %+v, want %+v (token %d-%d)", off, got, want, tok.Start, tok.End)
		}
	}
	source := doc[tok.Start:tok.End]
	switch tok.Kind {
	case xmlscan.Text:
		if len(tok.Text) == 0 {
			t.Errorf("empty text at %d", tok.Start)
		}
		if tok.Plain && (string(tok.Text) != endings(source) || bytes.ContainsAny(tok.Text, "&<>\r")) {
			t.Errorf("text %q is said to be plain, its source is %q", tok.Text, source)
		}
	case xmlscan.Start:
		if source[0] != '<' || !strings.HasSuffix(source, ">") || strings.HasSuffix(source, "/>") != tok.Empty {
			t.Errorf("start tag with source %q, empty %v", source, tok.Empty)
		}
	case xmlscan.End:
		if source != "" && !strings.HasPrefix(source, "</") {
			t.Errorf("end tag with source %q", source)
		}
	}
}

// placeOf counts lines and characters from the very beginning.
func placeOf(doc string, off int64) xmlscan.Pos {
	before := doc[:off]
	p := xmlscan.Pos{Offset: off, Line: 1 + strings.Count(before, "\n"), Column: 1}
	if p.Line == 1 {
		before = strings.TrimPrefix(before, "\ufeff")
	}
	for _, c := range []byte(before[strings.LastIndexByte(before, '\n')+1:]) {
		if c&0xC0 != 0x80 { // the first byte of a character
			p.Column++
		}
	}
	return p
}

// endings normalises line ends (XML 1.0 §2.11).
func endings(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// values renders what a document says in attributes and text: values and
// texts in order, with '|' between.
func values(o outcome) string {
	var all []string
	for _, p := range o.Pieces {
		for _, a := range p.Attrs {
			all = append(all, a.Value)
		}
		if p.Kind == xmlscan.Text || p.Kind == xmlscan.Comment || p.Kind == xmlscan.ProcInst {
			all = append(all, p.Text)
		}
	}
	return strings.Join(all, "|")
}

func (p piece) String() string {
	var b strings.Builder
	kind := map[xmlscan.Kind]string{
		xmlscan.Declaration: "declaration", xmlscan.Start: "start", xmlscan.End: "end",
		xmlscan.Text: "text", xmlscan.Comment: "comment", xmlscan.ProcInst: "pi",
	}[p.Kind]
	fmt.Fprintf(&b, "%d-%d %s", p.Start, p.End, kind)
	if p.Name != (xmlscan.Name{}) {
		fmt.Fprintf(&b, " %s{%s}", p.Name, p.Name.Space)
	}
	for _, a := range p.Attrs {
		fmt.Fprintf(&b, " @%s{%s}=%q", a.Name, a.Space, a.Value)
	}
	for _, n := range p.Bindings {
		fmt.Fprintf(&b, " %s:=%q", n.Prefix, n.URI)
	}
	if p.Empty {
		b.WriteString(" empty")
	}
	if p.Text != "" {
		fmt.Fprintf(&b, " %q", p.Text)
	}
	if p.Plain {
		b.WriteString(" plain")
	}
	return b.String()
}

// cut delivers a document in two reads, the second of which also brings the end.
type cut struct {
	parts []string
}

func (c *cut) Read(p []byte) (int, error) {
	if len(c.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.parts[0])
	if c.parts[0] = c.parts[0][n:]; c.parts[0] == "" {
		c.parts = c.parts[1:]
	}
	if len(c.parts) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// rule returns the rule a document was refused by.
func rule(err error) string {
	if fault, ok := errors.AsType[*xmlscan.SyntaxError](err); ok {
		return fault.Rule
	}
	return fmt.Sprint(err)
}

func isEnd(err error) bool { return err == io.EOF }
