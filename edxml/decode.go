package edxml

import (
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// standardName returns the standard's spelling of an element's local name.
//
// QUIRK: the newer BKAV server spells Business with one s, which the standard
// (by its own slip) does not; SOAP and older dialects (CV 512, iVBDH) have
// further names for the same things.
func standardName(local string) string {
	switch local {
	case "Business":
		return "Bussiness"
	case "BusinessDocType":
		return "BussinessDocType"
	case "BusinessDocReason":
		return "BussinessDocReason"
	case "BusinessDocumentInfo":
		return "BussinessDocumentInfo"
	case "edXMLManifest":
		return "Manifest"
	case "DigitalSignature":
		return "Signature"
	case "OrganInCharge":
		return "OrganizationInCharge"
	case "Author":
		return "SignerInfo"
	case "Function":
		return "Position"
	case "Date":
		return "PromulgationDate"
	case "ResponseDate":
		return "DueDate"
	case "Sphere":
		return "SphereOfPromulgation"
	case "TypeNotation":
		return "TyperNotation"
	case "type":
		return "DocumentType"
	case "Sender": // of a TraceHeader
		return "OrganId"
	}
	return local
}

// decoder turns the trees of a packet's blocks into values.
type decoder struct {
	tree   *xmlscan.Tree
	limits Limits
	find   func(id string, pos xmlscan.Pos, path string, args ...any)
	err    error

	above string  // path of the block's parent
	crumb []crumb // from the block to the element at hand
	from  int     // the crumb of the block that extra belongs to
	extra *[]Extra
}

// crumb is one step of a path; n is the one-based number of an element that
// may stand more than once, else 0.
type crumb struct {
	tag string
	n   int
}

// path returns where the element at hand stands.
func (d *decoder) path() string {
	var b strings.Builder
	b.WriteString(d.above)
	for _, c := range d.crumb {
		b.WriteByte('/')
		c.write(&b, c.tag)
	}
	return b.String()
}

// inside returns the same path from the block on, in the standard's names.
func (d *decoder) inside() string {
	var b strings.Builder
	for i, c := range d.crumb[d.from:] {
		if i > 0 {
			b.WriteByte('/')
		}
		name := standardName(c.tag)
		if name == "Status" {
			name = "MessageHeader"
		}
		c.write(&b, name)
	}
	return b.String()
}

func (c crumb) write(b *strings.Builder, name string) {
	b.WriteString(name)
	if c.n > 0 {
		b.WriteString("[" + strconv.Itoa(c.n) + "]")
	}
}

// block reads a block with read, whose path begins below above.
func (d *decoder) block(read func(el *etree.Element)) {
	d.crumb = append(d.crumb[:0], crumb{tag: d.tree.Root.Tag})
	d.attributes(d.tree.Root)
	read(d.tree.Root)
}

// each hands every child of el to field under the standard's name; field
// reports whether it knows that name. Local names are matched in any namespace
// and any order; a name of many may stand more than once.
//
// QUIRK: real packets mix namespaces, prefixes and orders; every axis and
// library in use matches local names only.
func (d *decoder) each(el *etree.Element, field func(name string, el *etree.Element) bool, many ...string) {
	var seen []string
	var count [2]int
	for _, token := range el.Child {
		c, ok := token.(*etree.Element)
		if !ok {
			continue
		}
		name := standardName(c.Tag)
		step := crumb{tag: c.Tag}
		times := slices.Index(many, name)
		if times >= 0 {
			count[times]++
			step.n = count[times]
		}
		d.crumb = append(d.crumb, step)
		before := len(d.crumb)
		again := times < 0 && slices.Contains(seen, name)
		if name != c.Tag {
			d.find("PKT-3", d.tree.Pos(c), d.path(), c.Tag, name)
		}
		if again {
			d.find("PKT-1", d.tree.Pos(c), d.path(), c.Tag)
		}
		d.attributes(c)
		if !field(name, c) {
			d.find("PKT-2", d.tree.Pos(c), d.path(), c.Tag)
			d.unknown(c)
		} else if times < 0 && !again {
			seen = append(seen, name)
		}
		d.crumb = d.crumb[:before-1]
	}
}

// unknown keeps an element that the standard does not have: its text, or what
// its children hold.
func (d *decoder) unknown(el *etree.Element) {
	children := el.ChildElements()
	if len(children) == 0 {
		last := len(d.crumb) - 1
		name := d.crumb[last].tag
		d.crumb = d.crumb[:last]
		d.keep(name, text(el))
		d.crumb = append(d.crumb, crumb{tag: name})
		return
	}
	for _, c := range children {
		d.crumb = append(d.crumb, crumb{tag: c.Tag})
		d.attributes(c)
		d.unknown(c)
		d.crumb = d.crumb[:len(d.crumb)-1]
	}
}

// attributes keeps the attributes that the standard does not have. Id belongs
// to signatures, href and version are the Manifest's own.
func (d *decoder) attributes(el *etree.Element) {
	for _, a := range el.Attr {
		if a.Space == "xmlns" || a.Key == "xmlns" || a.Key == "Id" || a.Key == "href" || a.Key == "version" && standardName(el.Tag) == "Manifest" {
			continue
		}
		d.keep("@"+a.Key, a.Value)
	}
}

// keep files what the standard has no place for.
func (d *decoder) keep(name, text string) {
	if d.extra != nil && len(*d.extra) < maxFindings {
		*d.extra = append(*d.extra, Extra{Path: d.inside(), Name: name, Text: text})
	}
}

// set stores an element's text.
func set[T ~string](dst *T, el *etree.Element) bool {
	*dst = T(text(el))
	return true
}

// list reads the children of one name into a list.
func (d *decoder) list(el *etree.Element, item string, dst *[]string) bool {
	*dst = nil
	d.each(el, func(name string, el *etree.Element) bool {
		if name != item {
			return false
		}
		*dst = append(*dst, text(el))
		return true
	}, item)
	return true
}
