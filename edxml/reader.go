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

// LimitError says that a packet exceeded one of the [Limits] that are not the
// scanner's own ([xmlscan.LimitError]).
type LimitError struct {
	Limit string // "attachment", "attachments", "receivers" or "unzip ratio"
	Max   int64
	Name  string // the attachment, if one is concerned
}

// Error names the limit, its value and the attachment.
func (e *LimitError) Error() string {
	if e.Name != "" {
		return fmt.Sprintf("edxml: attachment %q: limit %q of %d exceeded", e.Name, e.Limit, e.Max)
	}
	return fmt.Sprintf("edxml: limit %q of %d exceeded", e.Limit, e.Max)
}

// maxFindings bounds the findings one packet may cause.
const maxFindings = 1000

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Packet, 4 << 30}, {&l.Attachment, 2 << 30}, {&l.Header, 32 << 20}, {&l.UnzipRatio, 200}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if l.Attachments == 0 {
		l.Attachments = 1000
	}
	if l.Receivers == 0 {
		l.Receivers = 10_000
	}
	l.XML.Size = l.Packet
	return l
}

// Reader reads one packet: the header first, then the attachments in their
// order. It is not safe for concurrent use.
type Reader struct {
	scan   *xmlscan.Scanner
	opt    ReadOptions
	limits Limits
	packet *Packet

	path   []string // open container elements
	refs   []*reference
	cur    *Attachment
	body   *content // of cur
	depth  int      // of cur's element
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
		opt:  o, limits: limits, packet: &Packet{},
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
			if local := r.path[len(r.path)-1]; local == "edXMLHeader" || local == "Header" {
				r.packet.HeaderEnd = tok.Start
			}
			r.path = r.path[:len(r.path)-1]
		}
	}
}

// start handles a start tag outside attachments.
func (r *Reader) start(tok *xmlscan.Token) (bool, error) {
	local := tok.Name.Local
	if len(r.path) == 0 {
		if err := r.root(tok.Name); err != nil {
			return false, err
		}
	}
	switch local {
	case "edXML", "edXMLEnvelope", "EdXMLEnvelope", "Envelope",
		"edXMLHeader", "Header", "edXMLBody", "Body", "AttachmentEncoded":
		r.path = append(r.path, local)
		return false, nil
	case "Attachment":
		if len(r.path) > 0 && r.path[len(r.path)-1] == "AttachmentEncoded" {
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
func (r *Reader) root(n xmlscan.Name) error {
	switch n.Local {
	case "Envelope":
		r.packet.Profile = ProfileSOAP
		if n.Space != NamespaceSOAP {
			return fmt.Errorf("%w (its Envelope is in namespace %q, SOAP 1.1 is %q)", ErrNotPacket, n.Space, NamespaceSOAP)
		}
	case "edXML", "edXMLEnvelope", "EdXMLEnvelope":
		r.packet.Profile = ProfileQCVN102
		if n.Space != NamespaceQCVN102 {
			r.find("PKT-4", r.scan.Pos(0), "/"+n.Local, n.Local, n.Space)
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
		if t.Root.SelectElement("StatusCode") != nil || hasChild(t.Root, "StatusCode") {
			return r.status(d, path)
		}
		return r.message(d, path)
	case "Status":
		return r.status(d, path)
	case "TraceHeaderList":
		doc := r.document()
		doc.TraceHeaders, doc.Business = nil, nil
		d.traceHeaderList(t.Root, path, doc)
	case "Bussiness": // QUIRK: some writers place it beside the TraceHeaderList
		r.document().Business = d.business(t.Root, path)
	case "Signature":
		r.signature(t, path)
	case "Manifest":
		r.refs = d.manifest(t.Root, path)
	case "ErrorList":
	default:
		r.find("PKT-2", t.Pos(t.Root), path, t.Root.Tag)
	}
	return d.err
}

func (r *Reader) message(d *decoder, path string) error {
	doc := r.document()
	if doc.From.OrganID != "" || len(doc.To) > 0 {
		r.find("PKT-1", d.tree.Pos(d.tree.Root), path, "MessageHeader")
		*doc = Document{TraceHeaders: doc.TraceHeaders, Business: doc.Business}
	}
	r.packet.Kind = KindDocument
	d.messageHeader(d.tree.Root, path, doc)
	if len(doc.To) > r.limits.Receivers {
		return &LimitError{Limit: "receivers", Max: int64(r.limits.Receivers)}
	}
	return d.err
}

func (r *Reader) status(d *decoder, path string) error {
	if r.packet.Status != nil {
		r.find("PKT-1", d.tree.Pos(d.tree.Root), path, d.tree.Root.Tag)
	}
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
	if len(r.packet.Findings) < maxFindings {
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

func hasChild(el *etree.Element, local string) bool { return child(el, local) != nil }

// text returns the character data of an element, without white space around.
func text(el *etree.Element) string {
	if el == nil {
		return ""
	}
	return strings.Trim(el.Text(), " \t\r\n")
}
