package xmlscan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Options says how to read. The zero value reads strictly within the default
// limits.
type Options struct {
	Limits   Limits
	Tolerant bool // let pass, and name, the faults of QuirkKind
	// Size is how many bytes the document has, 0 where nobody knows: a small one
	// then needs no larger window than itself.
	Size int64
}

const (
	firstWindow  = 4 << 10  // size of the read buffer for a small document
	secondWindow = 32 << 10 // for one that is not small
	window       = 64 << 10 // size it grows to as more is read
	maxQuirks    = 1000     // quirks kept; more are let pass unnamed
	maxStray     = 4 << 10  // stray bytes looked through for the start of the document
	maxNames     = 4096     // strings kept for reuse
	maxInterned  = 64       // bytes of a string kept for reuse
)

// Scanner reads one document. It is not safe for concurrent use.
type Scanner struct {
	r      io.Reader
	limits Limits
	strict bool
	quirks []Quirk

	buf  []byte // window; buf[pos:] is unread
	pos  int
	base int64 // offset in the document of buf[0]
	eof  bool
	rerr error // what the reader failed with
	err  error // sticky

	mark lineMark
	tok  Token

	state      state
	started    bool
	transcoded bool  // read from UTF-16
	docStart   int64 // offset of the document behind a byte order mark or stray bytes
	cdata      bool  // inside a CDATA section
	brackets   int   // trailing ']' of the text so far, for "]]>"
	scratch    []byte
	emptyEnd   bool // the End of an empty element is due
	open       []element
	elements   int
	names      map[string]string
	space      namespaces
	here       map[string]int // declarations of the start tag at hand, when there are many
}

type state uint8

const (
	prolog state = iota
	content
	epilog
)

// element is an open element.
type element struct {
	raw  string // the qualified name as written
	name Name
}

// lineMark remembers a place whose line is known.
type lineMark struct {
	off  int64
	line int
	in   int // characters of the line before off
}

// New returns a scanner over r.
func New(r io.Reader, o Options) *Scanner {
	first := firstWindow
	if o.Size > 0 {
		first = int(min(o.Size+1, window)) // one more: the end is found without growing
	}
	return &Scanner{
		r: r, limits: o.Limits.withDefaults(), strict: !o.Tolerant,
		buf: make([]byte, 0, first), mark: lineMark{line: 1},
		names: make(map[string]string, 64), space: newNamespaces(),
	}
}

// Quirks returns the faults let pass so far, in document order. It is empty
// for a strict scanner.
func (s *Scanner) Quirks() []Quirk { return s.quirks }

// Depth returns how many elements are open: 1 after the root's Start.
func (s *Scanner) Depth() int { return len(s.open) }

// Next returns the next token, or io.EOF after the document. White space
// outside the root element is not reported. Any other error is a
// [SyntaxError], a [LimitError], or the reader's own; it is final.
func (s *Scanner) Next() (*Token, error) {
	if s.err != nil {
		return nil, s.err
	}
	if err := s.next(); err != nil {
		s.err = err
		return nil, err
	}
	return &s.tok, nil
}

func (s *Scanner) next() error {
	if s.emptyEnd {
		s.emptyEnd = false
		s.begin(End, 0)
		return s.closeElement()
	}
	if !s.started {
		if err := s.skipStart(); err != nil {
			return err
		}
	}
	for {
		if s.cdata {
			if done, err := s.cdataChunk(); done || err != nil {
				return err
			}
			continue
		}
		if !s.have(1) {
			return s.finish()
		}
		if s.buf[s.pos] != '<' {
			if done, err := s.charData(); done || err != nil {
				return err
			}
			continue
		}
		done, err := s.markup()
		if done || err != nil {
			return err
		}
	}
}

// markup reads what begins with '<'. It reports whether s.tok is filled.
func (s *Scanner) markup() (bool, error) {
	s.brackets = 0
	if !s.have(2) {
		return false, s.truncated()
	}
	switch s.buf[s.pos+1] {
	case '/':
		return true, s.endTag()
	case '?':
		return true, s.procInst()
	case '!':
		return s.bang()
	}
	if s.state == epilog {
		return false, s.junk("a second root element")
	}
	return true, s.startTag()
}

func (s *Scanner) bang() (bool, error) {
	switch {
	case s.hasPrefix("<!--"):
		return true, s.comment()
	case s.hasPrefix("<![CDATA["):
		if s.state != content {
			return false, s.syntax(s.pos, "XML 1.0 [1] document", "a CDATA section outside the root element", nil)
		}
		s.pos += len("<![CDATA[")
		s.cdata = true
		return false, nil
	case s.hasPrefix("<!DOCTYPE"):
		return false, s.syntax(s.pos, "XML 1.0 §2.8", "a DOCTYPE is refused", ErrDTD)
	case !s.have(len("<![CDATA[")):
		return false, s.truncated()
	}
	return false, s.syntax(s.pos, "XML 1.0 [43] content", "'<!' begins neither a comment nor a CDATA section", nil)
}

// finish handles the end of the input.
func (s *Scanner) finish() error {
	if s.rerr != nil {
		return s.rerr
	}
	if s.state != epilog {
		return s.truncated()
	}
	return io.EOF
}

// truncated is the fault of an input that ends inside the document.
func (s *Scanner) truncated() error {
	if s.rerr != nil {
		return s.rerr
	}
	at := len(s.buf)
	if n := len(s.open); n > 0 {
		return s.syntax(at, "XML 1.0 [39] element", "the document ends inside <"+s.open[n-1].raw+">", ErrTruncated)
	}
	if s.state == prolog && s.pos == at {
		return s.syntax(at, "XML 1.0 [1] document", "there is no root element", ErrNotXML)
	}
	return s.syntax(at, "XML 1.0 [1] document", "the document ends inside a tag", ErrTruncated)
}

// begin starts a token whose source begins at the read position and is n bytes long.
func (s *Scanner) begin(k Kind, n int) {
	start := s.base + int64(s.pos)
	s.tok = Token{Kind: k, Attrs: s.tok.Attrs[:0], Bindings: s.tok.Bindings[:0], Start: start, End: start + int64(n)}
	s.pos += n
}

// have makes n unread bytes available, if the input has them.
func (s *Scanner) have(n int) bool {
	for len(s.buf)-s.pos < n {
		if s.eof {
			return false
		}
		s.fill()
	}
	return true
}

func (s *Scanner) hasPrefix(p string) bool {
	return s.have(len(p)) && string(s.buf[s.pos:s.pos+len(p)]) == p
}

// fill reads more input behind the unread bytes. It may move them.
func (s *Scanner) fill() {
	full := len(s.buf) == cap(s.buf) // then the document is longer than the window
	if s.pos > 0 {
		s.advanceMark(s.base + int64(s.pos))
		n := copy(s.buf, s.buf[s.pos:])
		s.base += int64(s.pos)
		s.buf, s.pos = s.buf[:n], 0
	}
	if len(s.buf) == cap(s.buf) || full && cap(s.buf) < window {
		size := 2 * cap(s.buf)
		if cap(s.buf) == firstWindow {
			size = secondWindow // steps in between would be thrown away at once
		}
		s.buf = append(make([]byte, 0, size), s.buf...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if s.base+int64(len(s.buf)) > s.limits.Size {
			s.buf = s.buf[:s.limits.Size-s.base]
			s.eof, s.rerr = true, s.limit("size", s.limits.Size, len(s.buf))
			return
		}
		if err != nil {
			s.eof = true
			if errors.Is(err, errUTF16) {
				err = s.syntax(len(s.buf), "XML 1.0 §4.3.3", err.Error(), ErrEncoding)
			}
			if !errors.Is(err, io.EOF) {
				s.rerr = err
			}
			return
		}
		if n > 0 {
			return
		}
	}
	s.eof, s.rerr = true, io.ErrNoProgress
}

// advanceMark moves the line mark forward to off, which lies in the window.
func (s *Scanner) advanceMark(off int64) { s.mark = s.markAt(off) }

// markAt returns the line mark at off, which lies in the window, or the
// scanner's own mark when off lies before it.
func (s *Scanner) markAt(off int64) lineMark {
	m := s.mark
	if off <= m.off {
		return m
	}
	seen := s.buf[m.off-s.base : off-s.base]
	if n := bytes.Count(seen, []byte{'\n'}); n > 0 {
		m.line += n
		m.in, seen = 0, seen[bytes.LastIndexByte(seen, '\n')+1:]
	}
	m.in += characters(seen)
	m.off = off
	return m
}

// characters counts code points by their first bytes, so that a piece may end
// anywhere. What stands on long lines is ASCII: eight bytes at a time are
// looked at for anything else.
func characters(b []byte) int {
	n := 0
	for len(b) > 0 {
		for len(b) >= 8 && binary.LittleEndian.Uint64(b)&0x8080808080808080 == 0 {
			b, n = b[8:], n+8
		}
		step := min(8, len(b))
		for _, c := range b[:step] {
			if utf8.RuneStart(c) {
				n++
			}
		}
		b = b[step:]
	}
	return n
}

// Pos returns the place of a byte offset. It is exact from the start of the
// latest token up to the read position, in any order of asking; for an earlier
// offset it gives the nearest known place behind it.
func (s *Scanner) Pos(off int64) Pos {
	off = min(off, s.base+int64(len(s.buf)))
	s.advanceMark(min(off, s.tok.Start))
	m := s.markAt(off)
	return Pos{Offset: m.off, Line: m.line, Column: m.in + 1}
}

// at returns the place of index i of the window.
func (s *Scanner) at(i int) Pos { return s.Pos(s.base + int64(i)) }

func (s *Scanner) syntax(i int, rule, text string, cause error) error {
	return &SyntaxError{Rule: rule, Text: text, Pos: s.at(min(i, len(s.buf))), Err: cause}
}

func (s *Scanner) limit(name string, value int64, i int) error {
	return &LimitError{Limit: name, Max: value, Pos: s.at(min(i, len(s.buf)))}
}

// pass records a quirk, or returns the fault when the scanner is strict.
func (s *Scanner) pass(k QuirkKind, i int, rule, text, subject string) error {
	text = fmt.Sprintf(text, subject)
	if s.strict {
		return s.syntax(i, rule, text, nil)
	}
	if len(s.quirks) < maxQuirks {
		s.quirks = append(s.quirks, Quirk{Kind: k, Text: text, Subject: subject, Pos: s.at(i)})
	}
	return nil
}

// intern returns b as a string, the same one for the same name.
func (s *Scanner) intern(b []byte) string {
	if v, ok := s.names[string(b)]; ok {
		return v
	}
	v := string(b)
	if len(s.names) < maxNames && len(v) <= maxInterned {
		s.names[v] = v
	}
	return v
}

// skipStart passes a byte order mark and, when tolerant, stray bytes before
// the document, and reads the XML declaration's surroundings.
func (s *Scanner) skipStart() error {
	s.started = true
	if !s.have(4) && s.rerr != nil {
		return s.rerr // no document is that short
	}
	head := s.buf[s.pos:]
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		s.pos += 3
		s.mark.off = s.base + int64(s.pos) // no column of its own: nobody sees it
	default:
		if order, mark := utf16At(head); order != nil {
			if err := s.transcode(order, mark); err != nil {
				return err
			}
		}
	}
	if !s.have(1) {
		return s.syntax(s.pos, "XML 1.0 [1] document", "the document is empty", ErrNotXML)
	}
	if err := s.skipStray(); err != nil {
		return err
	}
	s.docStart = s.base + int64(s.pos)
	return nil
}

func (s *Scanner) skipStray() error {
	if c := s.buf[s.pos]; c == '<' || isSpace(c) && !s.spaceBeforeDeclaration() {
		return nil
	}
	notXML := func() error {
		return s.syntax(s.pos, "XML 1.0 [1] document", "the document does not begin with '<'", ErrNotXML)
	}
	if s.strict {
		return notXML()
	}
	s.have(maxStray)
	head := s.buf[s.pos:min(len(s.buf), s.pos+maxStray)]
	i := bytes.IndexByte(head, '<')
	if i < 0 && len(head) < maxStray && s.rerr != nil {
		return s.rerr
	}
	if i < 0 || bytes.IndexByte(head[:i], 0) >= 0 {
		return notXML()
	}
	stray := strconv.Quote(string(head[:min(i, 32)]))
	if err := s.pass(QuirkStrayBytes, s.pos, "XML 1.0 [1] document", "stray bytes before the document: %s", stray); err != nil {
		return err
	}
	s.pos += i
	return nil
}

// spaceBeforeDeclaration reports white space directly before an XML
// declaration, which XML 1.0 production [22] does not allow.
func (s *Scanner) spaceBeforeDeclaration() bool {
	s.have(maxStray)
	head := bytes.TrimLeft(s.buf[s.pos:min(len(s.buf), s.pos+maxStray)], " \t\r\n")
	return bytes.HasPrefix(head, []byte("<?xml")) && len(head) > 5 && isSpace(head[5])
}

// junk handles what may not follow the root element.
func (s *Scanner) junk(text string) error {
	if err := s.pass(QuirkTrailingJunk, s.pos, "XML 1.0 [1] document", "%s after the root element", text); err != nil {
		return err
	}
	return io.EOF
}
