package signature

import (
	"bytes"
	"hash/maphash"
	"io"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// listener gets the tokens of a reading as they pass.
type listener interface {
	token(o *outline, t *xmlscan.Token)
	tree(root *etree.Element) // the tokens of a ds:Signature, read as a tree
}

// attachment is what a packet says of one of its files: an entry of the
// Manifest, or an Attachment with its content.
type attachment struct {
	id, name           string
	ids, names, bodies int // how often each child stands there
	pos                xmlscan.Pos
}

// label is the name for reports.
func (a *attachment) label() string {
	if a.name != "" {
		return a.name
	}
	return a.id
}

// reading goes through a packet once and notes where its parts are.
type reading struct {
	outline
	limits    Limits
	scan      *xmlscan.Scanner
	listeners []listener
	leaveOut  int64                     // offset of a ds:Signature that the listeners do not get, 0 for none
	block     func(*xmlscan.Tree) error // takes a ds:Signature, whose place is r.path
	foreign   func(pending) error       // told of a Signature that is none

	claims    [4]int // elements that claim to be each part
	found     [4]int // those that are
	listed    []*attachment
	inline    []*attachment
	strays    []xmlscan.Pos // Attachment elements out of place
	headers   int           // elements around header blocks
	headerEnd int64         // offset of the end tag of the first one, -1 for an empty element
	status    bool          // a StatusCode was seen
	traces    int           // TraceHeaders: the systems the packet came through
	outside   bool          // a processing instruction outside the root
	ids       identifiers

	capture  *string // where the text of the innermost element goes
	captured int     // depth of that element
	pending  []pending
}

// pending is an open element named Signature or DigitalSignature outside the
// dsig namespace.
type pending struct {
	depth  int
	name   xmlscan.Name
	pos    xmlscan.Pos
	signed bool // it has a SignedInfo or a SignatureValue
	filled bool // it has an element or text
	holds  bool // it has a ds:Signature, which is judged by itself
}

func newReading(packet io.ReaderAt, size int64, l Limits) *reading {
	l = l.withDefaults()
	return &reading{
		limits: l,
		scan:   xmlscan.New(io.NewSectionReader(packet, 0, size), xmlscan.Options{Limits: l.XML, Tolerant: true, Size: size}),
		ids:    identifiers{most: l.Identifiers, seed: maphash.MakeSeed(), seen: make(map[uint64]idKind)},
	}
}

// run reads the packet to its end.
func (r *reading) run() error {
	for {
		t, err := r.scan.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return readError(err)
		}
		if t.Kind == xmlscan.Start {
			if err := r.start(t); err != nil {
				return err
			}
			if t.Name.Is(edxml.NamespaceDSig, "Signature") {
				if err := r.takeBlock(r.scan.Pos(t.Start)); err != nil {
					return err
				}
				continue
			}
		}
		for _, l := range r.listeners {
			l.token(&r.outline, t)
		}
		switch t.Kind {
		case xmlscan.Text:
			if err := r.text(t); err != nil {
				return err
			}
		case xmlscan.ProcInst:
			r.outside = r.outside || len(r.path) == 0
		case xmlscan.End:
			if err := r.end(t); err != nil {
				return err
			}
		}
	}
}

// readError says that reading failed, whatever the cause.
func readError(err error) error { return &readFault{err} }

// readFault puts the package in front of the scanner's word.
type readFault struct{ err error }

func (f *readFault) Error() string { return "signature: the packet cannot be read: " + f.err.Error() }
func (f *readFault) Unwrap() error { return f.err }

// takeBlock reads a ds:Signature, gives its tokens to the listeners there are,
// and then hands it to r.block.
func (r *reading) takeBlock(pos xmlscan.Pos) error {
	if err := r.crowded(r.limits, pos); err != nil {
		return err
	}
	tree, err := r.scan.Tree(r.limits.Block)
	if err != nil {
		return readError(err)
	}
	if err := r.noteTree(tree, tree.Root); err != nil {
		return err
	}
	_, xmlAttrs := r.above()
	for _, a := range xmlAttrs { // the tree's context knows declarations only
		context := tree.Root.Parent()
		context.Attr = append(context.Attr, etree.Attr{Space: a.Prefix, Key: a.Local, Value: a.Value})
	}
	if r.leaveOut == 0 || tree.Start != r.leaveOut {
		for _, l := range r.listeners {
			l.tree(tree.Root)
		}
	}
	if err := r.block(tree); err != nil {
		return err
	}
	r.leave()
	return nil
}

// noteTree notes the elements inside a ds:Signature.
func (r *reading) noteTree(tree *xmlscan.Tree, el *etree.Element) error {
	for _, child := range el.ChildElements() {
		r.claims[partNamed(child.Tag)]++
		for _, a := range child.Attr {
			if err := r.ids.add(a.Space, a.Key, a.Value, tree.Pos(child)); err != nil {
				return err
			}
		}
		if err := r.noteTree(tree, child); err != nil {
			return err
		}
	}
	return nil
}

// start notes an element that opens.
func (r *reading) start(t *xmlscan.Token) error {
	if err := r.enter(t); err != nil {
		return err
	}
	for _, a := range t.Attrs {
		if err := r.ids.add(a.Prefix, a.Local, a.Value, xmlscan.Pos{Offset: t.Start}); err != nil {
			return err
		}
	}
	r.capture = nil
	local := t.Name.Local
	if p := partNamed(local); p != noPart {
		r.claims[p]++
		if r.part() == p {
			r.found[p]++
		}
	}
	if n := len(r.pending); n > 0 && r.pending[n-1].depth < len(r.path) {
		r.pending[n-1].filled = true
		r.pending[n-1].holds = r.pending[n-1].holds || t.Name.Is(edxml.NamespaceDSig, "Signature")
	}
	switch {
	case r.inHeader(0):
		if r.headers++; r.headers == 1 && t.Empty {
			r.headerEnd = -1
		}
	case local == "StatusCode":
		r.status = r.status || r.inHeader(2)
	case local == "TraceHeader":
		if r.inHeader(2) {
			r.traces++
		}
	case (local == "Signature" || local == "DigitalSignature") && t.Name.Space != edxml.NamespaceDSig:
		r.pending = append(r.pending, pending{depth: len(r.path), name: t.Name, pos: r.scan.Pos(t.Start)})
	case local == "SignedInfo" || local == "SignatureValue":
		if n := len(r.pending); n > 0 && r.pending[n-1].depth == len(r.path)-1 {
			r.pending[n-1].signed = true
		}
	case local == "Attachment":
		return r.startAttachment(t)
	}
	return r.startLabel(t)
}

func (r *reading) startAttachment(t *xmlscan.Token) error {
	if len(r.inline)+len(r.strays) >= r.limits.Attachments {
		return r.limit("attachments", int64(r.limits.Attachments), t)
	}
	if r.inAttachment(0) {
		r.inline = append(r.inline, &attachment{pos: r.scan.Pos(t.Start)})
	} else {
		r.strays = append(r.strays, r.scan.Pos(t.Start))
	}
	return nil
}

// startLabel notes the identifiers and names of attachments.
func (r *reading) startLabel(t *xmlscan.Token) error {
	n := len(r.path)
	if r.inAttachment(1) && len(r.inline) > 0 {
		r.label(r.inline[len(r.inline)-1], t.Name.Local)
		return nil
	}
	if n >= 2 && t.Name.Local == "Reference" && partNamed(r.path[n-2].Local) == manifest {
		if len(r.listed) >= r.limits.Attachments {
			return r.limit("attachments", int64(r.limits.Attachments), t)
		}
		a := &attachment{pos: r.scan.Pos(t.Start)}
		for _, attr := range t.Attrs {
			if attr.Local == "href" {
				a.id = contentID(attr.Value)
			}
		}
		r.listed = append(r.listed, a)
		return nil
	}
	if n >= 3 && len(r.listed) > 0 && r.path[n-2].Local == "Reference" && partNamed(r.path[n-3].Local) == manifest {
		r.label(r.listed[len(r.listed)-1], t.Name.Local)
	}
	return nil
}

func (r *reading) label(a *attachment, local string) {
	switch local {
	case "ContentId":
		a.ids++
		a.id = ""
		r.capture = &a.id
	case "AttachmentName":
		a.names++
		a.name = ""
		r.capture = &a.name
	case "ContentTransferEncoded":
		a.bodies++
	}
	r.captured = len(r.path)
}

func (r *reading) text(t *xmlscan.Token) error {
	if n := len(r.pending); n > 0 && !r.pending[n-1].filled {
		r.pending[n-1].filled = len(bytes.TrimSpace(t.Text)) > 0
	}
	if r.capture == nil || r.captured != len(r.path) {
		return nil
	}
	if len(*r.capture)+len(t.Text) > maxLabel {
		return r.limit("attachment name", maxLabel, t)
	}
	*r.capture += string(t.Text)
	return nil
}

// end notes an element that closes.
func (r *reading) end(t *xmlscan.Token) error {
	if r.inHeader(0) && r.headers == 1 && r.headerEnd == 0 {
		r.headerEnd = t.Start
	}
	if n := len(r.pending); n > 0 && r.pending[n-1].depth == len(r.path) {
		p := r.pending[n-1]
		r.pending = r.pending[:n-1]
		named := r.inHeader(1) && (r.profile == edxml.ProfileQCVN102 || p.name.Local == "DigitalSignature")
		if r.foreign != nil && !p.holds && (p.signed || named) {
			if err := r.foreign(p); err != nil {
				return err
			}
		}
	}
	if r.capture != nil && r.captured == len(r.path) {
		*r.capture = strings.TrimSpace(*r.capture)
		if r.path[len(r.path)-1].Local == "ContentId" {
			*r.capture = contentID(*r.capture)
		}
		r.capture = nil
	}
	r.leave()
	return nil
}

func (r *reading) limit(name string, value int64, t *xmlscan.Token) error {
	return &readFault{&xmlscan.LimitError{Limit: name, Max: value, Pos: r.scan.Pos(t.Start)}}
}

// contentID takes the identifier out of "cid:…" or "<…>".
func contentID(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 4 && strings.EqualFold(s[:4], "cid:") {
		s = s[4:]
	}
	return strings.Trim(s, "<>")
}

// tolerated returns ErrTolerance when reading needed it.
func (r *reading) tolerated() error {
	if q := r.scan.Quirks(); len(q) > 0 {
		return refuse(ErrTolerance, "line %d: %s", q[0].Pos.Line, q[0].Text)
	}
	return nil
}

// identifiers remembers which Id values a packet has, as hashes: equal values
// have equal hashes, so none is missed.
type identifiers struct {
	most  int
	seed  maphash.Seed
	seen  map[uint64]idKind
	twice string // an Id that stands twice
}

type idKind uint8

const (
	exactID idKind = 1 << iota // an attribute Id, the one references go by
	otherID                    // id, ID, xml:id, wsu:Id …, which other programs may go by
)

func (i *identifiers) add(prefix, local, value string, pos xmlscan.Pos) error {
	if !strings.EqualFold(local, "Id") || prefix == "xmlns" {
		return nil
	}
	if len(i.seen) >= i.most {
		return &readFault{&xmlscan.LimitError{Limit: "identifiers", Max: int64(i.most), Pos: pos}}
	}
	kind := otherID
	if prefix == "" && local == "Id" {
		kind = exactID
	}
	key := maphash.String(i.seed, value)
	if kind == exactID && i.seen[key]&exactID != 0 && i.twice == "" {
		i.twice = value
	}
	i.seen[key] |= kind
	if trimmed := strings.Join(strings.Fields(value), " "); trimmed != value { // as a validating parser would read an ID
		i.seen[maphash.String(i.seed, trimmed)] |= otherID
	}
	return nil
}

// has reports which kinds of identifier have the value.
func (i *identifiers) has(value string) idKind { return i.seen[maphash.String(i.seed, value)] }
