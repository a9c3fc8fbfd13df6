package xmlscan

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxChunk bounds the text that is gathered outside the read buffer.
const maxChunk = 32 << 10

// cdataStep bounds the look for ']' in a CDATA section: without it, each
// character that stops a run would cost a look through the whole window.
const cdataStep = 256

// charData reads character data up to the next '<' or the end of the window.
// It reports whether s.tok is filled.
func (s *Scanner) charData() (bool, error) {
	if s.state != content {
		return false, s.outside()
	}
	run := plainRun(s.buf[s.pos:])
	next := s.pos + run
	if run > 0 && (next == len(s.buf) || s.buf[next] == '<') {
		s.countBrackets(s.buf[s.pos:next])
		s.begin(Text, run)
		s.tok.Text, s.tok.Plain = s.buf[next-run:next], true
		return true, nil
	}
	return true, s.gather(false)
}

// countBrackets keeps the number of ']' at the end of the text so far.
func (s *Scanner) countBrackets(b []byte) {
	n := 0
	for n < len(b) && b[len(b)-1-n] == ']' {
		n++
	}
	if n == len(b) {
		n += s.brackets
	}
	s.brackets = n
}

// gather reads text that is not plain ASCII into s.scratch: line ends are
// normalised (XML 1.0 §2.11), references resolved, and every character checked.
// It stops at '<' (in a CDATA section at "]]>"), at the end of the window, or
// when a chunk is full.
func (s *Scanner) gather(cdata bool) error {
	s.scratch = s.scratch[:0]
	s.have(maxReference) // only before the chunk begins, so that its start stays in the window
	start := s.base + int64(s.pos)
	plain := true
	for len(s.scratch) < maxChunk && s.pos < len(s.buf) {
		ahead := s.buf[s.pos:]
		if cdata { // "]]>" ends the section: leave the brackets to the test below
			ahead = ahead[:min(len(ahead), cdataStep)]
			if i := bytes.IndexByte(ahead, ']'); i >= 0 {
				ahead = ahead[:i]
			}
		}
		if run := plainRun(ahead); run > 0 {
			if !cdata {
				s.countBrackets(ahead[:run])
			}
			s.scratch = append(s.scratch, ahead[:run]...)
			s.pos += run
			continue
		}
		if len(s.scratch) > 0 && s.starved() {
			break
		}
		stop, special, err := s.special(cdata)
		if err != nil {
			return err
		}
		if stop {
			break
		}
		plain = plain && !special
	}
	s.tok = Token{
		Kind: Text, Attrs: s.tok.Attrs[:0], Bindings: s.tok.Bindings[:0],
		Text: s.scratch, Plain: plain, Start: start, End: s.base + int64(s.pos),
	}
	return nil
}

// starved reports that the window may end inside the next character or
// reference although the input goes on.
func (s *Scanner) starved() bool { return !s.eof && len(s.buf)-s.pos < maxReference }

// special handles one character that plainRun stopped at. It reports whether
// the text ends here, and whether the character is one that canonical XML
// escapes.
func (s *Scanner) special(cdata bool) (stop, special bool, err error) {
	c := s.buf[s.pos]
	switch {
	case c == '<' && !cdata:
		return true, false, nil
	case c == ']' && cdata:
		if s.hasPrefix("]]>") {
			return true, false, nil
		}
		s.scratch = append(s.scratch, c)
		s.pos++
		return false, false, nil
	case c == '&' && !cdata:
		text, n, err := s.reference(0)
		if err != nil {
			return false, false, err
		}
		s.scratch = append(s.scratch, text...)
		s.pos += n
		s.brackets = 0
		return false, true, nil
	case c == '>':
		if !cdata && s.brackets >= 2 {
			return false, false, s.syntax(s.pos, "XML 1.0 [14] CharData", "']]>' in text", nil)
		}
		fallthrough
	case c == '<' || c == '&':
		s.scratch = append(s.scratch, c)
		s.pos++
		s.brackets = 0
		return false, true, nil
	case c == '\r':
		s.have(2) // a CRLF may straddle the window
		s.pos++
		if s.pos < len(s.buf) && s.buf[s.pos] == '\n' {
			s.pos++
		}
		s.scratch = append(s.scratch, '\n')
		s.brackets = 0
		return false, false, nil
	}
	return false, false, s.runes()
}

// runes takes the run of tabs, line feeds and non-ASCII characters at the read
// position.
func (s *Scanner) runes() error {
	s.brackets = 0
	for s.pos < len(s.buf) {
		c := s.buf[s.pos]
		if c == '\n' || c == '\t' {
			s.scratch = append(s.scratch, c)
			s.pos++
			continue
		}
		if c < utf8.RuneSelf && c >= ' ' || c == '\r' || len(s.scratch) > 0 && s.starved() {
			return nil
		}
		n, err := s.char(0)
		if err != nil {
			return err
		}
		s.scratch = append(s.scratch, s.buf[s.pos:s.pos+n]...)
		s.pos += n
	}
	return nil
}

// char checks the character at i bytes behind the read position and returns
// its length.
func (s *Scanner) char(i int) (int, error) {
	if !utf8.FullRune(s.buf[s.pos+i:]) {
		s.have(i + utf8.UTFMax)
		if !utf8.FullRune(s.buf[s.pos+i:]) {
			return 0, s.truncated()
		}
	}
	r, n := utf8.DecodeRune(s.buf[s.pos+i:])
	if r == utf8.RuneError && n <= 1 {
		return 0, s.syntax(s.pos+i, "XML 1.0 §4.3.3", fmt.Sprintf("byte %#02x is no UTF-8", s.buf[s.pos+i]), ErrEncoding)
	}
	if !isChar(r) {
		return 0, s.syntax(s.pos+i, "XML 1.0 [2] Char", fmt.Sprintf("the character U+%04X is not allowed", r), nil)
	}
	return n, nil
}

// maxReference bounds a reference: "&#x" with leading zeros is the longest.
const maxReference = 32

// reference resolves the reference at i bytes behind the read position. It
// returns the text and the length of the reference.
func (s *Scanner) reference(i int) (string, int, error) {
	s.have(i + maxReference)
	b := s.buf[s.pos+i : min(len(s.buf), s.pos+i+maxReference)]
	semi := bytes.IndexByte(b, ';')
	if semi < 0 {
		if len(b) < maxReference && mayRefer(b[1:]) {
			return "", 0, s.truncated()
		}
		return "", 0, s.syntax(s.pos+i, "XML 1.0 [67] Reference", "'&' begins no reference; write &amp;", nil)
	}
	b = b[1:semi]
	if len(b) == 0 || !mayRefer(b) {
		return "", 0, s.syntax(s.pos+i, "XML 1.0 [67] Reference", "'&' begins no reference; write &amp;", nil)
	}
	switch string(b) { // no copy is made
	case "lt":
		return "<", semi + 1, nil
	case "gt":
		return ">", semi + 1, nil
	case "amp":
		return "&", semi + 1, nil
	case "apos":
		return "'", semi + 1, nil
	case "quot":
		return `"`, semi + 1, nil
	}
	name := string(b)
	if name[0] == '#' {
		r, ok := charReference(name[1:])
		if !ok {
			return "", 0, s.syntax(s.pos+i, "XML 1.0 [66] CharRef", "&"+name+"; is no character reference", nil)
		}
		if isChar(r) {
			return string(r), semi + 1, nil
		}
		return "", 0, s.syntax(s.pos+i, "XML 1.0 §4.1, WFC: Legal Character", "&"+name+"; is no character", nil)
	}
	return "", 0, s.syntax(s.pos+i, "XML 1.0 §4.1, WFC: Entity Declared", fmt.Sprintf("entity %q is not known", name), nil)
}

// mayRefer reports whether b holds only what can stand between '&' and ';'.
func mayRefer(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return !isName(r) && r != ':' && r != '#' }) < 0
}

// charReference reads what stands between "&#" and ";". A number beyond
// Unicode comes back as one that is no character.
func charReference(digits string) (rune, bool) {
	base, r := rune(10), rune(0)
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	for _, c := range []byte(digits) {
		var d rune
		switch {
		case '0' <= c && c <= '9':
			d = rune(c - '0')
		case base == 16 && 'a' <= c && c <= 'f':
			d = rune(c-'a') + 10
		case base == 16 && 'A' <= c && c <= 'F':
			d = rune(c-'A') + 10
		default:
			return 0, false
		}
		r = min(r*base+d, utf8.MaxRune+1)
	}
	return r, digits != ""
}

// cdataChunk reads on inside a CDATA section. It reports whether s.tok is filled.
func (s *Scanner) cdataChunk() (bool, error) {
	if !s.have(1) {
		return false, s.truncated()
	}
	if s.hasPrefix("]]>") {
		s.pos += 3
		s.cdata, s.brackets = false, 0
		return false, nil
	}
	return true, s.gather(true)
}

// outside handles character data before or after the root element.
func (s *Scanner) outside() error {
	for s.have(1) {
		c := s.buf[s.pos]
		if c == '<' {
			return nil
		}
		if !isSpace(c) {
			if s.state == epilog {
				return s.junk("text")
			}
			return s.syntax(s.pos, "XML 1.0 [1] document", "text before the root element", ErrNotXML)
		}
		s.pos++
	}
	return nil
}

// comment reads a comment whole.
func (s *Scanner) comment() error {
	i, err := s.until("--", len("<!--"), "comment")
	if err != nil {
		return err
	}
	if !s.have(i + 3) {
		return s.truncated()
	}
	if s.buf[s.pos+i+2] != '>' {
		return s.syntax(s.pos+i, "XML 1.0 [15] Comment", "'--' inside a comment", nil)
	}
	text := s.normalised(s.buf[s.pos+len("<!--") : s.pos+i])
	s.begin(Comment, i+3)
	s.tok.Text = text
	return nil
}

// procInst reads a processing instruction, or the XML declaration at the very
// beginning of the document.
func (s *Scanner) procInst() error {
	n, err := s.ncName(2)
	if err != nil {
		return err
	}
	target := string(s.buf[s.pos+2 : s.pos+2+n])
	i, err := s.until("?>", 2+n, "processing instruction")
	if err != nil {
		return err
	}
	data := s.buf[s.pos+2+n : s.pos+i]
	if len(data) > 0 && !isSpace(data[0]) {
		return s.syntax(s.pos+2+n, "XML 1.0 [16] PI", "white space is missing after the target", nil)
	}
	if bytes.EqualFold([]byte(target), []byte("xml")) {
		return s.declaration(target, string(data), i+2)
	}
	text := s.normalised(bytes.TrimLeft(data, " \t\r\n"))
	s.begin(ProcInst, i+2)
	s.tok.Name, s.tok.Text = Name{Local: target}, text
	return nil
}

// until returns the distance from the read position to sep, which lies at
// least from bytes behind it, and checks the characters between.
func (s *Scanner) until(sep string, from int, what string) (int, error) {
	i := from
	for {
		if !s.have(i + len(sep)) {
			return 0, s.truncated()
		}
		if i-from > s.limits.Text {
			return 0, s.limit("text", int64(s.limits.Text), s.pos)
		}
		if string(s.buf[s.pos+i:s.pos+i+len(sep)]) == sep {
			return i, nil
		}
		n, err := s.char(i)
		if err != nil {
			return 0, fmt.Errorf("in a %s: %w", what, err)
		}
		i += n
	}
}

// normalised returns b with its line ends normalised, outside the window.
func (s *Scanner) normalised(b []byte) []byte {
	s.scratch = s.scratch[:0]
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\r' {
			if i+1 < len(b) && b[i+1] == '\n' {
				continue
			}
			c = '\n'
		}
		s.scratch = append(s.scratch, c)
	}
	return s.scratch
}
