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

// ErrAntivirusReport says that the input is an antivirus report: those of the
// Ministry of Public Security's A05 and of the NCSC borrow the namespace, the
// envelope and the sender of this standard and are another one.
var ErrAntivirusReport = errors.New("edxml: this is an antivirus report (AVReport) that borrows the namespace, and no edXML packet")

// ErrZippedPacket says that the input is a zip, as the iVBDH dialect has it, of
// a kind that cannot be read from its front.
var ErrZippedPacket = errors.New("edxml: the packet is in a zip that cannot be read from its front: encrypted, damaged, or packed without sizes")

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

	tolerated bool // something had to be let pass that no signature survives
	recoded   bool // offsets are not those of the packet's bytes

	with   *secondFile // being read, nil before
	second bool        // places are those of the second file
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

// NewReader reads the packet up to its first attachment. A packet in a zip
// (QUIRK: the iVBDH dialect) is read from its first entry. Besides the errors of
// [xmlscan.Scanner.Next] it returns ErrNotPacket, ErrAntivirusReport,
// ErrZippedPacket and *LimitError. What is odd but readable becomes a Finding.
func NewReader(r io.Reader, o ReadOptions) (*Reader, error) {
	limits := o.Limits.withDefaults()
	size := int64(0)
	if memory, ok := r.(interface{ Len() int }); ok {
		size = int64(memory.Len())
	}
	r, zipped, err := unzipped(r, limits)
	if err != nil {
		return nil, err
	}
	rd := &Reader{
		scan: xmlscan.New(r, xmlscan.Options{Limits: limits.XML, Tolerant: true, Size: size}),
		opt:  o, limits: limits, packet: &Packet{outline: &outline{}}, seen: make(map[string]bool), found: make(map[string]int),
	}
	if zipped {
		rd.tolerated, rd.recoded = true, true
		rd.find("PKT-7", xmlscan.Pos{Line: 1, Column: 1}, "")
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
	for !r.done && r.with == nil {
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
	if r.opt.With != nil && !r.done {
		if a, err := r.nextWith(); a != nil || err != nil {
			return a, err
		}
	}
	return nil, r.end()
}

// end reports what is missing and ends the reading.
func (r *Reader) end() error {
	if !r.done {
		r.done = true
		r.reportQuirks()
		r.second = false // what is missing, the first file says
		for _, ref := range r.refs {
			if !ref.used {
				r.find("ATT-1", ref.pos, ref.path, ref.Name, ref.ContentID)
			}
		}
		if r.tolerated {
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
				r.packet.HeaderEnd = r.span(tok.Start, tok.End).Start
			}
			r.path = r.path[:n]
			r.packet.outline.leave()
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
		r.packet.outline.enter(tok.Name, r.scan.Pos(tok.Start))
		return false, nil
	case "AVReport":
		return false, ErrAntivirusReport
	}
	if r.holdsAttachments() {
		if local != "Attachment" { // QUIRK: the VNPT library takes every child for an attachment, whatever its name
			r.find("PKT-3", r.scan.Pos(tok.Start), "/"+strings.Join(r.path, "/")+"/"+local, local, "Attachment")
		}
		return true, nil
	}
	tree, err := r.scan.Tree(r.limits.Header)
	if err != nil {
		return false, err
	}
	return false, r.block(tree)
}

// holdsAttachments reports whether every child of the element at hand is an
// attachment. Beside MIME parts nothing inline is.
func (r *Reader) holdsAttachments() bool {
	n := len(r.path)
	return n > 0 && r.path[n-1] == "AttachmentEncoded" && (r.packet.Profile != ProfileSOAP || r.opt.Parts == nil)
}

// root tells the profile by the root element.
func (r *Reader) root(n xmlscan.Name, pos xmlscan.Pos) error {
	switch n.Local {
	case "Envelope":
		r.packet.Profile = ProfileSOAP
		if n.Space != NamespaceSOAP {
			return fmt.Errorf("%w: <Envelope xmlns=%q>, where SOAP 1.1 has %q", ErrNotPacket, n.Space, NamespaceSOAP)
		}
	case "edXML", "edXMLEnvelope", "EdXMLEnvelope":
		r.packet.Profile = ProfileQCVN102
		if n.Space != NamespaceQCVN102 {
			r.seen["namespace "+n.Space] = true
			r.find("PKT-4", pos, "/"+n.Local, n.Local, n.Space)
		}
	default:
		return fmt.Errorf("%w: <%.60s>", ErrNotPacket, n.Local)
	}
	return nil
}

// find records a Finding of a rule of the catalogue.
func (r *Reader) find(id string, pos xmlscan.Pos, path string, args ...any) {
	if r.found[id]++; r.found[id] <= maxFindings {
		f := rule(id).Find(pos, path, args...)
		f.Second = r.second && pos.Line > 0
		r.packet.Findings = append(r.packet.Findings, f)
	}
}

// reportQuirks turns the scanner's new quirks into findings.
func (r *Reader) reportQuirks() {
	quirks := r.scan.Quirks()
	for _, q := range quirks[r.quirks:] {
		r.find(quirkRule(q.Kind), q.Pos, "", q.Subject)
		r.tolerated = true
		r.recoded = r.recoded || q.Kind == xmlscan.QuirkUTF16
	}
	r.quirks = len(quirks)
}

// quirkRule returns the rule of the catalogue for a fault that the scanner let pass.
func quirkRule(k xmlscan.QuirkKind) string {
	switch k {
	case xmlscan.QuirkStrayBytes:
		return "XML-1"
	case xmlscan.QuirkTrailingJunk:
		return "XML-2"
	case xmlscan.QuirkUnboundPrefix:
		return "XML-3"
	case xmlscan.QuirkUTF16:
		return "XML-6"
	default: // xmlscan.QuirkDuplicateAttribute
		return "XML-4"
	}
}

// child returns the last child with this local name, in any namespace.
func child(el *etree.Element, local string) *etree.Element {
	if el == nil {
		return nil
	}
	var found *etree.Element
	for _, token := range el.Child {
		if c, ok := token.(*etree.Element); ok && c.Tag == local {
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
	if len(el.Child) == 1 {
		if data, ok := el.Child[0].(*etree.CharData); ok {
			return strings.Trim(data.Data, " \t\r\n")
		}
	}
	var b strings.Builder
	for _, c := range el.Child {
		if data, ok := c.(*etree.CharData); ok {
			b.WriteString(data.Data)
		}
	}
	return strings.Trim(b.String(), " \t\r\n")
}
