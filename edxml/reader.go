package edxml

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// ErrNotPacket says that the input is XML, but no edXML packet.
var ErrNotPacket = errors.New("edxml: this is XML, but no edXML packet: the root element must be edXML or a SOAP Envelope with a MessageHeader or Status")

// maxFindings bounds the findings of one rule, so that a flood of one kind
// cannot push out another.
const maxFindings = 1000

// Reader reads one packet: the header first, then the attachments in their
// order. It is not safe for concurrent use.
type Reader struct {
	scan   *xmlscan.Scanner
	opt    ReadOptions
	limits Limits
	packet *Packet

	path   []string        // open container elements
	seen   map[string]bool // blocks that may stand once
	found  map[string]int  // findings per rule
	refs   []*reference
	cur    *Attachment
	place  xmlscan.Pos // of cur's content
	known  bool        // cur has its Reference
	body   *content    // of cur
	depth  int         // of cur's element, 0 for a MIME part
	fields int64       // bytes of the attachments' small children
	count  int
	quirks int // of the scanner, already reported
	header bool
	done   bool
	err    error
}

// reference is an entry of the Manifest.
type reference struct {
	Attachment
	pos  xmlscan.Pos
	path string
	used bool
}

// NewReader reads the packet up to its first attachment. Besides the errors of
// [xmlscan.Scanner.Next] it returns ErrNotPacket and *LimitError. What is odd
// but readable becomes a Finding.
func NewReader(r io.Reader, o ReadOptions) (*Reader, error) {
	limits := o.Limits.withDefaults()
	rd := &Reader{
		scan: xmlscan.New(r, xmlscan.Options{Limits: limits.XML, Tolerant: true}),
		opt:  o, limits: limits, packet: &Packet{}, seen: make(map[string]bool), found: make(map[string]int),
	}
	started, err := rd.walk()
	if err != nil {
		return nil, err
	}
	if rd.packet.Document == nil && rd.packet.Status == nil {
		return nil, ErrNotPacket
	}
	rd.header = started
	return rd, nil
}

// Read reads a whole packet and keeps, of the attachments, sizes and digests.
func Read(r io.Reader, o ReadOptions) (*Packet, error) {
	rd, err := NewReader(r, o)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := rd.Next(); err == io.EOF {
			return rd.Packet(), nil
		} else if err != nil {
			return nil, err
		}
	}
}

// Packet returns what is known so far: after NewReader everything but the
// attachments, after Next returned io.EOF all of it.
func (r *Reader) Packet() *Packet { return r.packet }

// Next returns the next attachment. The attachment before it is read to its
// end first if the caller did not. It returns io.EOF when there is none left.
func (r *Reader) Next() (*Attachment, error) {
	if r.err != nil {
		return nil, r.err
	}
	a, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return a, nil
}

func (r *Reader) next() (*Attachment, error) {
	if err := r.finish(); err != nil {
		return nil, err
	}
	if r.packet.Profile == ProfileSOAP && r.opt.Parts != nil {
		return r.nextPart()
	}
	for !r.done {
		started := r.header
		if r.header = false; !started {
			var err error
			if started, err = r.walk(); err != nil {
				return nil, err
			}
		}
		if !started {
			break
		}
		if a, err := r.attachment(); a != nil || err != nil {
			return a, err
		}
	}
	return nil, r.end()
}

// end reports what is missing and ends the reading.
func (r *Reader) end() error {
	if !r.done {
		r.done = true
		for _, ref := range r.refs {
			if !ref.used {
				r.find("ATT-1", ref.pos, ref.path, ref.Name, ref.ContentID)
			}
		}
		if len(r.scan.Quirks()) > 0 {
			r.find("XML-5", xmlscan.Pos{Line: 1, Column: 1}, "")
		}
	}
	return io.EOF
}

// walk reads on to the next attachment of a single file, or to the end of the
// document. It reports whether it stands at the start tag of an attachment.
func (r *Reader) walk() (bool, error) {
	for {
		tok, err := r.scan.Next()
		r.reportQuirks()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		switch tok.Kind {
		case xmlscan.Start:
			found, err := r.start(tok)
			if found || err != nil {
				return found, err
			}
		case xmlscan.End:
			n := len(r.path) - 1
			if local := r.path[n]; (local == "edXMLHeader" || local == "Header") && n > 0 && strings.HasSuffix(r.path[n-1], "Envelope") {
				r.packet.HeaderEnd = tok.Start
			}
			r.path = r.path[:n]
		}
	}
}

// start handles a start tag outside attachments.
func (r *Reader) start(tok *xmlscan.Token) (bool, error) {
	local := tok.Name.Local
	if len(r.path) == 0 {
		if err := r.root(tok.Name, r.scan.Pos(tok.Start)); err != nil {
			return false, err
		}
	}
	switch local {
	case "edXML", "edXMLEnvelope", "EdXMLEnvelope", "Envelope",
		"edXMLHeader", "Header", "edXMLBody", "Body", "AttachmentEncoded":
		r.path = append(r.path, local)
		return false, nil
	case "Attachment":
		parts := r.packet.Profile == ProfileSOAP && r.opt.Parts != nil // then nothing inline is an attachment
		if !parts && len(r.path) > 0 && r.path[len(r.path)-1] == "AttachmentEncoded" {
			return true, nil
		}
	}
	tree, err := r.scan.Tree(r.limits.Header)
	if err != nil {
		return false, err
	}
	return false, r.block(tree)
}

// root tells the profile by the root element.
func (r *Reader) root(n xmlscan.Name, pos xmlscan.Pos) error {
	switch n.Local {
	case "Envelope":
		r.packet.Profile = ProfileSOAP
		if n.Space != NamespaceSOAP {
			return fmt.Errorf("%w (its Envelope is in namespace %q, SOAP 1.1 is %q)", ErrNotPacket, n.Space, NamespaceSOAP)
		}
	case "edXML", "edXMLEnvelope", "EdXMLEnvelope":
		r.packet.Profile = ProfileQCVN102
		if n.Space != NamespaceQCVN102 {
			r.find("PKT-4", pos, "/"+n.Local, n.Local, n.Space)
		}
	default:
		return fmt.Errorf("%w (it is %q)", ErrNotPacket, n.Local)
	}
	return nil
}

// block handles one block of the header or body.
func (r *Reader) block(t *xmlscan.Tree) error {
	d := &decoder{tree: t, find: r.find, limits: r.limits}
	path := "/" + strings.Join(append(append([]string(nil), r.path...), t.Root.Tag), "/")
	switch standardName(t.Root.Tag) {
	case "MessageHeader":
		r.once("MessageHeader", t, path)
		if child(t.Root, "StatusCode") != nil {
			return r.status(d, path)
		}
		return r.message(d, path)
	case "Status":
		r.once("MessageHeader", t, path)
		return r.status(d, path)
	case "TraceHeaderList":
		r.once("TraceHeaderList", t, path)
		r.traces(d, path)
	case "Bussiness": // QUIRK: some writers place it beside the TraceHeaderList
		r.once("Bussiness", t, path)
		r.document().Business = d.business(t.Root, path)
	case "Signature":
		r.signature(t, path)
	case "Manifest":
		r.once("Manifest", t, path)
		r.refs = d.manifest(t.Root, path)
	case "ErrorList":
	default:
		r.find("PKT-2", t.Pos(t.Root), path, t.Root.Tag)
	}
	return d.err
}

// once reports a block that may stand once and stands again.
func (r *Reader) once(name string, t *xmlscan.Tree, path string) {
	if r.seen[name] {
		r.find("PKT-1", t.Pos(t.Root), path, t.Root.Tag)
	}
	r.seen[name] = true
}

// traces reads a TraceHeaderList. A Bussiness beside it stays unless the list
// has its own.
func (r *Reader) traces(d *decoder, path string) {
	doc := r.document()
	beside := doc.Business
	doc.TraceHeaders, doc.Business = nil, nil
	d.traceHeaderList(d.tree.Root, path, doc)
	if doc.Business == nil {
		doc.Business = beside
	} else {
		r.once("Bussiness", d.tree, path)
	}
}

func (r *Reader) message(d *decoder, path string) error {
	r.packet.Status = nil
	doc := r.document()
	*doc = Document{TraceHeaders: doc.TraceHeaders, Business: doc.Business, Attachments: doc.Attachments}
	r.packet.Kind = KindDocument
	d.messageHeader(d.tree.Root, path, doc)
	if len(doc.To) > r.limits.Receivers {
		return &LimitError{Limit: "receivers", Max: int64(r.limits.Receivers)}
	}
	return d.err
}

func (r *Reader) status(d *decoder, path string) error {
	r.packet.Kind, r.packet.Document = KindStatus, nil
	r.packet.Status = d.status(d.tree.Root, path)
	return d.err
}

// document returns the Document being read.
func (r *Reader) document() *Document {
	if r.packet.Document == nil && r.packet.Status == nil {
		r.packet.Document, r.packet.Kind = &Document{}, KindDocument
	}
	if r.packet.Document == nil { // a TraceHeaderList beside a Status: nothing keeps it
		return &Document{}
	}
	return r.packet.Document
}

// signature files a block named Signature: in SOAP it carries the access token.
func (r *Reader) signature(t *xmlscan.Tree, path string) {
	if info := child(t.Root, "KeyInfo"); info != nil && child(info, "Token") != nil {
		r.packet.Credential = &Credential{
			OrganID: text(child(info, "OrganId")), Token: Secret(text(child(info, "Token"))),
			Span: Span{t.Start, t.End},
		}
		return
	}
	name := xmlscan.Name{Prefix: t.Root.Space, Local: t.Root.Tag, Space: t.Root.NamespaceURI()}
	r.packet.Signatures = append(r.packet.Signatures, SignatureBlock{Name: name, Span: Span{t.Start, t.End}, Pos: t.Pos(t.Root)})
	if name.Space != NamespaceDSig {
		r.find("SIG-5", t.Pos(t.Root), path, name.String())
	}
}

// find records a Finding of a rule of the catalogue.
func (r *Reader) find(id string, pos xmlscan.Pos, path string, args ...any) {
	if r.found[id]++; r.found[id] <= maxFindings {
		r.packet.Findings = append(r.packet.Findings, finding(id, pos, path, args...))
	}
}

func finding(id string, pos xmlscan.Pos, path string, args ...any) Finding {
	entry := rule(id)
	f := Finding{Rule: id, Severity: entry.Severity, Path: path, Pos: pos, Clause: entry.Clause, Message: entry.Message, Remedy: entry.Remedy}
	if len(args) > 0 {
		f.Message = Text{fmt.Sprintf(entry.Message.VI, args...), fmt.Sprintf(entry.Message.EN, args...)}
	}
	return f
}

// reportQuirks turns the scanner's new quirks into findings.
func (r *Reader) reportQuirks() {
	rules := map[xmlscan.QuirkKind]string{
		xmlscan.QuirkStrayBytes: "XML-1", xmlscan.QuirkTrailingJunk: "XML-2",
		xmlscan.QuirkUnboundPrefix: "XML-3", xmlscan.QuirkDuplicateAttribute: "XML-4",
	}
	quirks := r.scan.Quirks()
	for _, q := range quirks[r.quirks:] {
		r.find(rules[q.Kind], q.Pos, "", q.Text)
	}
	r.quirks = len(quirks)
}

// child returns the last child with this local name, in any namespace.
func child(el *etree.Element, local string) *etree.Element {
	if el == nil {
		return nil
	}
	var found *etree.Element
	for _, c := range el.ChildElements() {
		if c.Tag == local {
			found = c
		}
	}
	return found
}

// text returns the character data of an element, without white space around.
// Comments and processing instructions split it but do not end it: a value
// that stopped there would not be the one a signature covers.
func text(el *etree.Element) string {
	if el == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range el.Child {
		if data, ok := c.(*etree.CharData); ok {
			b.WriteString(data.Data)
		}
	}
	return strings.Trim(b.String(), " \t\r\n")
}
