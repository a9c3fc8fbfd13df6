package xmlscan_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Each limit lets its own value pass and stops one more.
func TestLimits(t *testing.T) {
	attrs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d='%d'", i, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		limit  string
		limits xmlscan.Limits // 0 for the default
		max    int64
		doc    func(n int) string
		offset func(n int) int64 // of the fault, for a document one too large
	}{
		{"size", xmlscan.Limits{Size: 20}, 20,
			func(n int) string { return "<a>" + strings.Repeat("x", n-7) + "</a>" }, func(n int) int64 { return int64(n - 1) }},
		{"size", xmlscan.Limits{Size: 100_000}, 100_000,
			func(n int) string {
				return "<a>" + strings.Repeat("<b/>\n", n/5-2) + strings.Repeat("x", n%5+3) + "</a>"
			}, func(n int) int64 { return int64(n - 1) }},
		{"size", xmlscan.Limits{Size: 10}, 10,
			func(n int) string { return "<a/>" + strings.Repeat(" ", n-4) }, func(n int) int64 { return int64(n - 1) }},
		{"elements", xmlscan.Limits{Elements: 3}, 3,
			func(n int) string { return "<a>" + strings.Repeat("<b/>", n-1) + "</a>" }, func(n int) int64 { return 3 + 4*int64(n-2) }},
		{"elements", xmlscan.Limits{}, 200_000,
			func(n int) string { return "<a>" + strings.Repeat("<b/>", n-1) + "</a>" }, func(n int) int64 { return 3 + 4*int64(n-2) }},
		{"depth", xmlscan.Limits{Depth: 5}, 5,
			func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }, func(n int) int64 { return 3 * int64(n-1) }},
		{"depth", xmlscan.Limits{}, 100,
			func(n int) string { return strings.Repeat("<a>", n-1) + "<a/>" + strings.Repeat("</a>", n-1) }, func(n int) int64 { return 3 * int64(n-1) }},
		{"attributes", xmlscan.Limits{Attributes: 2}, 2,
			func(n int) string { return "<a" + attrs(n) + "/>" }, func(n int) int64 { return int64(len("<a"+attrs(n-1)) + 1) }},
		{"attributes", xmlscan.Limits{}, 64,
			func(n int) string { return "<a xmlns='u'" + attrs(n-1) + "/>" }, func(n int) int64 { return int64(len("<a xmlns='u'"+attrs(n-2)) + 1) }},
		{"attribute value", xmlscan.Limits{AttributeValue: 5}, 5,
			func(n int) string { return "<a b='" + strings.Repeat("&#65;", n) + "'/>" }, func(n int) int64 { return 6 + 5*int64(n) }},
		{"attribute value", xmlscan.Limits{}, 64 << 10,
			func(n int) string { return "<a xmlns='" + strings.Repeat("x", n) + "'/>" }, func(n int) int64 { return 10 + int64(n) }},
		{"name", xmlscan.Limits{Name: 4}, 4,
			func(n int) string { return "<a>\n<" + strings.Repeat("b", n) + "/></a>" }, func(int) int64 { return 4 }},
		{"name", xmlscan.Limits{}, 1024,
			func(n int) string { return "<a " + strings.Repeat("b", n) + "=''/>" }, func(int) int64 { return 0 }},
		{"name", xmlscan.Limits{Name: 4}, 4,
			func(n int) string { return "<a><?" + strings.Repeat("b", n) + "?></a>" }, func(int) int64 { return 3 }},
		{"text", xmlscan.Limits{Text: 7}, 7,
			func(n int) string { return "<a>\n<!--" + strings.Repeat("c", n) + "--></a>" }, func(int) int64 { return 4 }},
		{"text", xmlscan.Limits{}, 1 << 20,
			func(n int) string { return "<a><?p" + strings.Repeat(" ", n) + "?></a>" }, func(int) int64 { return 3 }},
	} {
		t.Run(fmt.Sprintf("%s %d", c.limit, c.max), func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
				for _, tolerant := range []bool{false, true} {
					o := xmlscan.Options{Limits: c.limits, Tolerant: tolerant}
					if err := drain(wrap(strings.NewReader(c.doc(int(c.max)))), o); err != nil {
						t.Errorf("%d: %v", c.max, err)
					}
					doc := c.doc(int(c.max) + 1)
					err := drain(wrap(strings.NewReader(doc)), o)
					got, ok := errors.AsType[*xmlscan.LimitError](err)
					if !ok {
						t.Errorf("%d: %v", c.max+1, err)
						continue
					}
					want := xmlscan.LimitError{Limit: c.limit, Max: c.max, Pos: placeOf(doc, c.offset(int(c.max)+1))}
					if *got != want {
						t.Errorf("got %+v, want %+v", *got, want)
					}
				}
			}
		})
	}
}

// drain reads to the end.
func drain(r io.Reader, o xmlscan.Options) error {
	s := xmlscan.New(r, o)
	for {
		if _, err := s.Next(); isEnd(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Attributes that a tolerant scanner drops count all the same, or one tag
// could go on for ever.
func TestLimitsDuplicates(t *testing.T) {
	for _, attr := range []string{" xmlns:p='u'", " b='1'"} {
		doc := "<a" + strings.Repeat(attr, 65) + "/>"
		err := drain(strings.NewReader(doc), xmlscan.Options{Tolerant: true})
		if got, ok := errors.AsType[*xmlscan.LimitError](err); !ok || got.Limit != "attributes" {
			t.Errorf("65 times%s: %v", attr, err)
		}
	}
}

// White space without end inside a tag is stopped, though no value grows.
func TestLimitsSpaceInTag(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("<a b='1'"), spaces{})
	err := drain(endless, xmlscan.Options{})
	if _, ok := errors.AsType[*xmlscan.LimitError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// spaces never ends.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// The reader's own error arrives, not a fault of the document made from it.
func TestReaderError(t *testing.T) {
	broken := errors.New("the line is cut")
	for _, doc := range []string{
		"", "\xef", "\xef\xbb\xbf", "0", " ", "<", "<a", "<a b", "<a b=", "<a b='", "<a b='\r", "<a b='\xe1\xba", "<a b='&am", "<a b='x'", "<a/", "<a/>", "<a/> ",
		"<a>", "<a>text", "<a>&", "<a>&#6", "<a>\xe1", "<a>\r", "<a>x]]", "<a></", "<a></a", "<a></a ", "<a></a>",
		"<!", "<!-", "<!--", "<!--x", "<!--x-", "<!--x--", "<a><![CDA", "<a><![CDATA[", "<a><![CDATA[x]", "<a><![CDATA[x]]", "<?", "<?p", "<?p x", "<?p x?", "<?xml version='1.0'", "\n",
	} {
		for _, tolerant := range []bool{false, true} {
			if doc == "0" && !tolerant {
				continue // refused before the error comes
			}
			s := xmlscan.New(io.MultiReader(strings.NewReader(doc), iotest.ErrReader(broken)), xmlscan.Options{Tolerant: tolerant})
			var err error
			for err == nil {
				_, err = s.Next()
			}
			if !errors.Is(err, broken) {
				t.Errorf("%q, tolerant %v: %v", doc, tolerant, err)
			}
		}
	}
}

// A reader that gives nothing for ever is given up.
func TestReaderNoProgress(t *testing.T) {
	if err := drain(io.MultiReader(strings.NewReader("<a>"), idle{}), xmlscan.Options{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// The time to read grows as the document does. The factor allowed is generous:
// what is looked for is the square, which would be a factor of 16.
func TestLinearTime(t *testing.T) {
	declarations := func(n int) string { // nested 50 deep, 50 on each element
		var b strings.Builder
		b.WriteString("<r>")
		for made := 0; made < n; {
			depth := 0
			for ; depth < 50 && made < n; depth++ {
				b.WriteString("<e")
				for range 50 {
					fmt.Fprintf(&b, " xmlns:p%d='u%d'", made, made)
					made++
				}
				b.WriteString(">")
			}
			b.WriteString(strings.Repeat("</e>", depth))
		}
		b.WriteString("</r>")
		return b.String()
	}
	for _, c := range []struct {
		name string
		doc  func(n int) string
		n    int
	}{
		{"namespace declarations", declarations, 50_000},
		{"empty elements", func(n int) string { return "<a>" + strings.Repeat("<b/>", n-1) + "</a>" }, 200_000},
		{"elements with text", func(n int) string { return "<a>" + strings.Repeat("<b>t</b>\n", n-1) + "</a>" }, 100_000},
		{"references", func(n int) string { return "<a>" + strings.Repeat("&amp;", n) + "</a>" }, 400_000},
		{"brackets", func(n int) string { return "<a><![CDATA[" + strings.Repeat("]]", n) + "]]></a>" }, 400_000},
		{"lines in a CDATA section", func(n int) string { return "<a><![CDATA[" + strings.Repeat("\n<", n) + "]]></a>" }, 400_000},
		{"one comment", func(n int) string { return "<!--" + strings.Repeat("- ", n) + "--><a/>" }, 500_000},
		{"white space", func(n int) string { return strings.Repeat("\n", n) + "<a/>" }, 2_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			took := func(doc string) time.Duration {
				best := time.Hour
				for range 3 {
					begin := time.Now()
					s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
					for {
						tok, err := s.Next()
						if isEnd(err) {
							break
						} else if err != nil {
							t.Fatal(err)
						}
						s.Pos(tok.Start)
					}
					best = min(best, time.Since(begin))
				}
				return best
			}
			small, large := took(c.doc(c.n/16)), took(c.doc(c.n))
			if large > 80*small+50*time.Millisecond { // 16 is linear, 256 quadratic; a busy machine may take its time
				t.Errorf("a sixteenth takes %v, the whole %v", small, large)
			}
			if large > 30*time.Second { // far beyond what any of these takes, far below a look through the window for each byte
				t.Errorf("the whole takes %v", large)
			}
		})
	}
}

// The memory for a long text does not grow with it.
func TestTextIsNotGathered(t *testing.T) {
	const size = 64 << 20
	for _, line := range []string{"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\r\n", "công văn &amp; giấy mời\n"} {
		r := io.MultiReader(strings.NewReader("<a>"), io.LimitReader(&again{line: line}, size/int64(len(line))*int64(len(line))), strings.NewReader("</a>"))
		s := xmlscan.New(r, xmlscan.Options{})
		longest, total := 0, int64(0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for {
			tok, err := s.Next()
			if isEnd(err) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			longest, total = max(longest, len(tok.Text)), total+tok.End-tok.Start
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		if longest > 64<<10 || total < size-int64(len(line)) || allocated > 1<<20 {
			t.Errorf("%q: longest chunk %d, %d bytes in all, %d bytes allocated", line, longest, total, allocated)
		}
	}
}

// again delivers a line for ever.
type again struct {
	line string
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m := copy(p[n:], a.line[a.at:])
		a.at = (a.at + m) % len(a.line)
		n += m
	}
	return n, nil
}
