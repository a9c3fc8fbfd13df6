package c14n

import (
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

const xmlURI = "http://www.w3.org/XML/1998/namespace"

// scope is a stack of namespace declarations. A look-up costs the same however
// many there are.
type scope struct {
	latest map[string]int // prefix to its place in held
	held   []held
	marks  []int // len(held) at each element
}

type held struct {
	xmlscan.Binding
	shadowed int // the place of the declaration this one hides, -1 if none
}

func newScope() scope { return scope{latest: make(map[string]int)} }

func (s *scope) add(b xmlscan.Binding) {
	before, ok := s.latest[b.Prefix]
	if !ok {
		before = -1
	}
	s.latest[b.Prefix] = len(s.held)
	s.held = append(s.held, held{b, before})
}

func (s *scope) enter() { s.marks = append(s.marks, len(s.held)) }

func (s *scope) leave() {
	last := len(s.marks) - 1
	for i := len(s.held) - 1; i >= s.marks[last]; i-- {
		if h := s.held[i]; h.shadowed < 0 {
			delete(s.latest, h.Prefix)
		} else {
			s.latest[h.Prefix] = h.shadowed
		}
	}
	s.held, s.marks = s.held[:s.marks[last]], s.marks[:last]
}

// find returns the URI of a prefix, "" when there is none.
func (s *scope) find(prefix string) string {
	if i, ok := s.latest[prefix]; ok {
		return s.held[i].URI
	}
	return ""
}

// declareUsed fills c.decls as Exclusive C14N §3 says: what the tag uses and
// the output does not declare yet; prefixes of the PrefixList by the rules of
// Canonical XML.
func (c *Writer) declareUsed(t *xmlscan.Token, apex bool) {
	c.shown.enter()
	c.show(t.Name.Prefix, t.Name.Space)
	for _, a := range t.Attrs {
		if a.Prefix != "" {
			c.show(a.Prefix, a.Space)
		}
	}
	if len(c.listed) == 0 {
		return
	}
	c.inScope.enter()
	for _, b := range t.Bindings {
		c.inScope.add(b)
	}
	if apex {
		for _, p := range c.listed {
			c.show(p, c.inScope.find(p))
		}
		return
	}
	for _, b := range t.Bindings {
		if c.isListed[b.Prefix] {
			c.show(b.Prefix, b.URI)
		}
	}
}

// show declares prefix in the output unless that is what it means there
// already. An undeclared default namespace means "", so xmlns="" comes out
// only where it undoes something.
func (c *Writer) show(prefix, uri string) {
	if prefix == "xml" || prefix != "" && uri == "" || c.shown.find(prefix) == uri {
		return
	}
	b := xmlscan.Binding{Prefix: prefix, URI: uri}
	c.shown.add(b)
	c.decls = append(c.decls, b)
}

// declareChanged fills c.decls as Canonical XML §2.3 says: everything in scope
// at the apex, below it what differs from the parent.
func (c *Writer) declareChanged(t *xmlscan.Token, apex bool) {
	c.inScope.enter()
	for _, b := range t.Bindings {
		if b.Prefix == "xml" {
			continue
		}
		if !apex && c.inScope.find(b.Prefix) != b.URI {
			c.decls = append(c.decls, b)
		}
		c.inScope.add(b)
	}
	if !apex {
		return
	}
	for i, h := range c.inScope.held {
		if c.inScope.latest[h.Prefix] == i && h.URI != "" {
			c.decls = append(c.decls, h.Binding)
		}
	}
}

// inherited adds to the attributes of an apex the xml:… attributes of its
// ancestors. Canonical XML 1.0 §2.4 takes all of them; 1.1 takes xml:lang and
// xml:space, joins the xml:base of all, and never takes xml:id.
func inherited(own, ancestors []xmlscan.Attr, v11 bool) []xmlscan.Attr {
	had := make(map[string]int, len(own))
	for i, a := range own {
		if a.Space == xmlURI {
			had[a.Local] = i
		}
	}
	fromAbove := make(map[string]xmlscan.Attr)
	base, based := "", false
	for _, a := range ancestors {
		switch {
		case a.Space != xmlURI:
		case v11 && a.Local == "base":
			base, based = joinBase(base, a.Value), true
		case v11 && a.Local != "lang" && a.Local != "space":
		default:
			fromAbove[a.Local] = a
		}
	}
	if based {
		if i, ok := had["base"]; ok {
			own[i].Value = joinBase(base, own[i].Value)
		} else if base != "" {
			own = append(own, xmlscan.Attr{Name: xmlscan.Name{Prefix: "xml", Local: "base", Space: xmlURI}, Value: base})
		}
	}
	for local, a := range fromAbove {
		if _, ok := had[local]; !ok {
			own = append(own, a)
		}
	}
	return own
}

// reference is a URI reference taken apart (RFC 3986 appendix B).
type reference struct {
	scheme, authority, path, query string
	hasAuthority, hasQuery         bool
}

func splitReference(s string) (r reference) {
	s, _, _ = strings.Cut(s, "#")
	s, r.query, r.hasQuery = strings.Cut(s, "?")
	if i := strings.IndexAny(s, ":/"); i > 0 && s[i] == ':' {
		r.scheme, s = s[:i], s[i+1:]
	}
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		r.hasAuthority = true
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			i = len(rest)
		}
		r.authority, s = rest[:i], rest[i:]
	}
	r.path = s
	return r
}

// joinBase is join-URI-References of Canonical XML 1.1 §2.4 and appendix A: the
// rules of RFC 3986 §5.2 for bases that may be relative themselves, with the
// fragment dropped.
func joinBase(base, ref string) string {
	b, r := splitReference(base), splitReference(ref)
	switch {
	case r.scheme != "":
	case r.hasAuthority:
		r.scheme = b.scheme
	default:
		switch {
		case r.path == "":
			r.path = b.path
			if !r.hasQuery {
				r.query, r.hasQuery = b.query, b.hasQuery
			}
		case !strings.HasPrefix(r.path, "/"):
			dir := b.path[:strings.LastIndexByte(b.path, '/')+1]
			if b.path == ".." || strings.HasSuffix(b.path, "/..") {
				dir = b.path + "/"
			}
			if dir == "" && b.hasAuthority {
				dir = "/"
			}
			r.path = dir + r.path
		}
		r.scheme, r.authority, r.hasAuthority = b.scheme, b.authority, b.hasAuthority
	}
	out := removeDots(r.path)
	if r.hasAuthority {
		out = "//" + r.authority + out
	}
	if r.scheme != "" {
		out = r.scheme + ":" + out
	}
	if r.hasQuery {
		out += "?" + r.query
	}
	return out
}

// removeDots resolves "." and ".." segments; ".." that climbs out of a
// relative path stays, and a run of slashes becomes one.
func removeDots(path string) string {
	rooted := strings.HasPrefix(path, "/")
	var kept []string
	segments := strings.Split(path, "/")
	slash := path != "" && (segments[len(segments)-1] == "" || segments[len(segments)-1] == "." || segments[len(segments)-1] == "..")
	for _, s := range segments {
		switch {
		case s == "" || s == ".":
		case s != "..":
			kept = append(kept, s)
		case len(kept) > 0 && kept[len(kept)-1] != "..":
			kept = kept[:len(kept)-1]
		case !rooted:
			kept = append(kept, s)
		}
	}
	out := strings.Join(kept, "/")
	if slash && out != "" {
		out += "/"
	}
	if rooted {
		out = "/" + out
	}
	return out
}
