package xmlscan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// startTag reads a start tag or an empty-element tag.
func (s *Scanner) startTag() error {
	if s.elements++; s.elements > s.limits.Elements {
		return s.limit("elements", int64(s.limits.Elements), s.pos)
	}
	if len(s.open) >= s.limits.Depth {
		return s.limit("depth", int64(s.limits.Depth), s.pos)
	}
	i, err := s.qName(1)
	if err != nil {
		return err
	}
	raw := s.intern(s.buf[s.pos+1 : s.pos+i])
	attrs, bindings := s.tok.Attrs[:0], s.tok.Bindings[:0]
	empty := false
	for count := 0; ; count++ {
		spaced, err := s.spaces(&i)
		if err != nil {
			return err
		}
		c := s.buf[s.pos+i]
		if c == '>' {
			i++
			break
		}
		if c == '/' {
			if !s.have(i + 2) {
				return s.truncated()
			}
			if s.buf[s.pos+i+1] != '>' {
				return s.syntax(s.pos+i, "XML 1.0 [44] EmptyElemTag", "'/' without '>'", nil)
			}
			empty = true
			i += 2
			break
		}
		if !spaced {
			return s.syntax(s.pos+i, "XML 1.0 [40] STag", "white space is missing before an attribute", nil)
		}
		if count >= s.limits.Attributes {
			return s.limit("attributes", int64(s.limits.Attributes), s.pos+i)
		}
		if attrs, bindings, err = s.attribute(&i, attrs, bindings); err != nil {
			return err
		}
	}
	return s.openElement(raw, attrs, bindings, empty, i)
}

// openElement makes the Start token, which is n bytes long, and resolves its names.
func (s *Scanner) openElement(raw string, attrs []Attr, bindings []Binding, empty bool, n int) error {
	s.space.push(bindings)
	name := split(raw)
	var err error
	if name.Space, err = s.resolve(name, true); err != nil {
		return err
	}
	for i := range attrs {
		if attrs[i].Space, err = s.resolve(attrs[i].Name, false); err != nil {
			return err
		}
	}
	if attrs, err = s.unique(attrs); err != nil {
		return err
	}
	s.tok.Attrs, s.tok.Bindings = attrs[:0], bindings[:0]
	s.begin(Start, n)
	s.tok.Name, s.tok.Attrs, s.tok.Bindings, s.tok.Empty = name, attrs, bindings, empty
	s.open = append(s.open, element{raw, name})
	s.state = content
	s.emptyEnd = empty
	return nil
}

// endTag reads an end tag.
func (s *Scanner) endTag() error {
	i, err := s.qName(2)
	if err != nil {
		return err
	}
	raw := s.buf[s.pos+2 : s.pos+i]
	if len(s.open) == 0 {
		if s.state == epilog {
			return s.junk("an end tag")
		}
		return s.syntax(s.pos, "XML 1.0 [1] document", "an end tag without a start tag", ErrNotXML)
	}
	if want := s.open[len(s.open)-1].raw; string(raw) != want {
		return s.syntax(s.pos, "XML 1.0 §3, WFC: Element Type Match",
			fmt.Sprintf("</%s> where </%s> is due", raw, want), nil)
	}
	if _, err := s.spaces(&i); err != nil {
		return err
	}
	if s.buf[s.pos+i] != '>' {
		return s.syntax(s.pos+i, "XML 1.0 [42] ETag", "an end tag holds a name only", nil)
	}
	s.begin(End, i+1)
	return s.closeElement()
}

// closeElement fills in the End token and leaves the innermost element.
func (s *Scanner) closeElement() error {
	last := len(s.open) - 1
	s.tok.Name = s.open[last].name
	s.open = s.open[:last]
	s.space.pop()
	if last == 0 {
		s.state = epilog
	}
	return nil
}

// attribute reads one attribute at *i and files it.
func (s *Scanner) attribute(i *int, attrs []Attr, bindings []Binding) ([]Attr, []Binding, error) {
	at := *i
	end, err := s.qName(at)
	if err != nil {
		return nil, nil, err
	}
	raw := s.intern(s.buf[s.pos+at : s.pos+end])
	*i = end
	if _, err := s.spaces(i); err != nil {
		return nil, nil, err
	}
	if s.buf[s.pos+*i] != '=' {
		return nil, nil, s.syntax(s.pos+*i, "XML 1.0 [41] Attribute", "attribute "+raw+" has no value", nil)
	}
	*i++
	if _, err := s.spaces(i); err != nil {
		return nil, nil, err
	}
	value, err := s.attValue(i)
	if err != nil {
		return nil, nil, err
	}
	if raw != "xmlns" && !strings.HasPrefix(raw, "xmlns:") {
		return append(attrs, Attr{split(raw), value}), bindings, nil
	}
	b := Binding{URI: value}
	if raw != "xmlns" {
		b.Prefix = raw[len("xmlns:"):]
	}
	if text := forbidden(b); text != "" {
		return nil, nil, s.syntax(s.pos+at, reservedRule, text, nil)
	}
	if b.Prefix != "" && b.URI == "" {
		return nil, nil, s.syntax(s.pos+at, "Namespaces §5, NSC: No Prefix Undeclaring",
			"the prefix "+b.Prefix+" cannot be undeclared", nil)
	}
	if k := s.bound(bindings, b.Prefix); k >= 0 {
		if err := s.pass(QuirkDuplicateAttribute, s.pos+at, "XML 1.0 §3.1, WFC: Unique Att Spec", "%s stands twice", raw); err != nil {
			return nil, nil, err
		}
		bindings[k] = b
		return attrs, bindings, nil
	}
	return attrs, append(bindings, b), nil
}

// many is how many attributes or declarations of one element are looked
// through one by one; more are found by name, so that raising the limit raises
// the work in proportion.
const many = 32

// bound finds the declaration of a prefix in this start tag, -1 for none.
func (s *Scanner) bound(bindings []Binding, prefix string) int {
	if len(bindings) < many {
		return slices.IndexFunc(bindings, func(b Binding) bool { return b.Prefix == prefix })
	}
	if len(bindings) == many || s.here == nil {
		s.here = make(map[string]int)
	}
	for i := len(s.here); i < len(bindings); i++ {
		s.here[bindings[i].Prefix] = i
	}
	if k, ok := s.here[prefix]; ok {
		return k
	}
	return -1
}

// attValue reads a quoted value at *i and normalises it (XML 1.0 §3.3.3).
func (s *Scanner) attValue(i *int) (string, error) {
	quote := s.buf[s.pos+*i]
	if quote != '"' && quote != '\'' {
		return "", s.syntax(s.pos+*i, "XML 1.0 [10] AttValue", "an attribute value stands in quotes", nil)
	}
	*i++
	ahead := s.buf[s.pos+*i:]
	if end := bytes.IndexByte(ahead[:min(len(ahead), maxInterned)], quote); end >= 0 && plainRun(ahead[:end]) == end && end <= s.limits.AttributeValue {
		*i += end + 1
		return s.intern(ahead[:end]), nil
	}
	v := s.scratch[:0]
	for {
		if !s.have(*i + 1) {
			return "", s.truncated()
		}
		if len(v) > s.limits.AttributeValue {
			return "", s.limit("attribute value", int64(s.limits.AttributeValue), s.pos+*i)
		}
		c := s.buf[s.pos+*i]
		switch {
		case c == quote:
			*i++
			s.scratch = v[:0]
			return s.intern(v), nil
		case c == '<':
			return "", s.syntax(s.pos+*i, "XML 1.0 §3.1, WFC: No < in Attribute Values", "'<' in an attribute value", nil)
		case c == '&':
			text, n, err := s.reference(*i)
			if err != nil {
				return "", err
			}
			v = append(v, text...)
			*i += n
		case c == '\r' && s.have(*i+2) && s.buf[s.pos+*i+1] == '\n':
			v = append(v, ' ')
			*i += 2
		case isSpace(c):
			v = append(v, ' ')
			*i++
		default:
			n, err := s.char(*i)
			if err != nil {
				return "", err
			}
			v = append(v, s.buf[s.pos+*i:s.pos+*i+n]...)
			*i += n
		}
	}
}

// unique enforces that no two attributes have the same name, as written or
// expanded.
func (s *Scanner) unique(attrs []Attr) ([]Attr, error) {
	var named map[Name]int // in kept, by prefix and by namespace
	if len(attrs) > many {
		named = make(map[Name]int, 2*len(attrs))
	}
	kept := attrs[:0]
	for _, a := range attrs {
		k := -1
		if named == nil {
			k = slices.IndexFunc(kept, a.same)
		} else if at, ok := named[Name{Prefix: a.Prefix, Local: a.Local}]; ok {
			k = at
		} else if at, ok := named[Name{Space: a.Space, Local: a.Local}]; ok && a.Space != "" {
			k = at
		}
		if k < 0 {
			k = len(kept)
			kept = append(kept, a)
		} else {
			rule := "XML 1.0 §3.1, WFC: Unique Att Spec"
			if a.Prefix != kept[k].Prefix {
				rule = "Namespaces §6.3, NSC: Attributes Unique"
			}
			if err := s.pass(QuirkDuplicateAttribute, s.pos, rule, "attribute %s stands twice", a.Name.String()); err != nil {
				return nil, err
			}
			kept[k] = a
		}
		if named != nil {
			named[Name{Prefix: a.Prefix, Local: a.Local}] = k
			if a.Space != "" {
				named[Name{Space: a.Space, Local: a.Local}] = k
			}
		}
	}
	return kept, nil
}

// same reports whether two attributes of one element may not stand together.
func (a Attr) same(b Attr) bool {
	return a.Local == b.Local && (a.Prefix == b.Prefix || a.Space == b.Space && a.Space != "")
}

// resolve returns the namespace of a name.
func (s *Scanner) resolve(n Name, element bool) (string, error) {
	if n.Prefix == "" && !element {
		return "", nil
	}
	if uri, ok := s.space.lookup(n.Prefix); ok {
		return uri, nil
	}
	if n.Prefix == "" {
		return "", nil
	}
	if n.Prefix == "xmlns" {
		return "", s.syntax(s.pos, reservedRule, "no element has the prefix xmlns", nil)
	}
	return "", s.pass(QuirkUnboundPrefix, s.pos, "Namespaces §5, NSC: Prefix Declared",
		"prefix %s is not declared", n.Prefix)
}

// spaces passes white space at *i, reports whether there was any, and makes
// sure that a byte follows.
func (s *Scanner) spaces(i *int) (bool, error) {
	from := *i
	for {
		if !s.have(*i + 1) {
			return false, s.truncated()
		}
		if !isSpace(s.buf[s.pos+*i]) {
			return *i > from, nil
		}
		if *i++; *i > maxTag {
			return false, s.limit("text", maxTag, s.pos)
		}
	}
}

// maxTag bounds a tag together with the white space in it.
const maxTag = 8 << 20

// qName returns the end of the qualified name at from (Namespaces [7] QName).
func (s *Scanner) qName(from int) (int, error) {
	n, err := s.ncName(from)
	if err != nil {
		return 0, err
	}
	end := from + n
	if s.have(end+1) && s.buf[s.pos+end] == ':' {
		if n, err = s.ncName(end + 1); err != nil {
			return 0, err
		}
		end += 1 + n
		if s.have(end+1) && s.buf[s.pos+end] == ':' {
			return 0, s.syntax(s.pos+end, "Namespaces [7] QName", "a name holds one colon at most", nil)
		}
	}
	return end, nil
}

// ncName returns the length of the name without colon at from (Namespaces [4] NCName).
func (s *Scanner) ncName(from int) (int, error) {
	i := from
	if at := s.pos + from; at < len(s.buf) && asciiName[s.buf[at]] > 1 { // nearly every name is ASCII
		run := asciiRun(s.buf[at:min(len(s.buf), at+s.limits.Name)])
		i += run
	}
	for {
		if !s.have(i + 1) {
			return 0, s.truncated()
		}
		c := s.buf[s.pos+i]
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			var err error
			if n, err = s.char(i); err != nil {
				return 0, err
			}
			r, _ = utf8.DecodeRune(s.buf[s.pos+i:])
		}
		if i == from && !isNameStart(r) {
			rule := "Namespaces [4] NCName"
			return 0, s.syntax(s.pos+i, rule, fmt.Sprintf("%q cannot begin a name", r), nil)
		}
		if !isName(r) {
			return i - from, nil
		}
		if i += n; i-from > s.limits.Name {
			return 0, s.limit("name", int64(s.limits.Name), s.pos)
		}
	}
}

// split takes a qualified name apart.
func split(raw string) Name {
	if prefix, local, ok := strings.Cut(raw, ":"); ok {
		return Name{Prefix: prefix, Local: local}
	}
	return Name{Local: raw}
}

// declaration checks the XML declaration, whose source is n bytes long.
func (s *Scanner) declaration(target, data string, n int) error {
	fault := func(text string, cause error) error {
		return s.syntax(s.pos, "XML 1.0 [23] XMLDecl", text, cause)
	}
	if target != "xml" || s.base+int64(s.pos) != s.docStart {
		return s.syntax(s.pos, "XML 1.0 [17] PITarget", "the XML declaration stands only at the very beginning", nil)
	}
	rest, version, ok := pseudoAttr(data, "version")
	if !ok || !strings.HasPrefix(version, "1.") || strings.Trim(version[2:], "0123456789") != "" || len(version) < 3 {
		return fault("the declaration names no version 1.x", nil)
	}
	if r, encoding, ok := pseudoAttr(rest, "encoding"); ok {
		rest = r
		if !s.declared(encoding) {
			return fault(fmt.Sprintf("the declaration says encoding %q, the bytes are not that; write UTF-8", encoding), ErrEncoding)
		}
	}
	if r, alone, ok := pseudoAttr(rest, "standalone"); ok && (alone == "yes" || alone == "no") {
		rest = r
	}
	if strings.Trim(rest, " \t\r\n") != "" {
		return fault("the declaration holds more than version, encoding and standalone", nil)
	}
	s.begin(Declaration, n)
	return nil
}

// pseudoAttr takes name="value" from the front of the declaration's text.
func pseudoAttr(text, name string) (rest, value string, ok bool) {
	t := strings.TrimLeft(text, " \t\r\n")
	if len(t) == len(text) || !strings.HasPrefix(t, name) {
		return text, "", false
	}
	t = strings.TrimLeft(t[len(name):], " \t\r\n")
	if !strings.HasPrefix(t, "=") {
		return text, "", false
	}
	t = strings.TrimLeft(t[1:], " \t\r\n")
	if t == "" || t[0] != '"' && t[0] != '\'' {
		return text, "", false
	}
	end := strings.IndexByte(t[1:], t[0])
	if end < 0 {
		return text, "", false
	}
	return t[end+2:], t[1 : end+1], true
}
