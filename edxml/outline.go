package edxml

import (
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// outline is the skeleton of a packet as it was read: the containers, and the
// blocks of header and body as trees. Validation takes positions from it, and
// what values alone do not show: order, absence, namespaces. Of attachments
// it has the places only, of the access token nothing. A nil outline is that of a packet that was
// built.
type outline struct {
	root  *container
	open  []*container
	files []file // of the Document's attachments, in their order
}

// file is where the content of an attachment stands.
type file struct {
	pos    xmlscan.Pos
	second bool // in the second file
}

// file returns where an attachment's content stands, as far as that is known.
func (o *outline) file(i int) file {
	if o == nil || i >= len(o.files) {
		return file{}
	}
	return o.files[i]
}

// container is an element that holds blocks.
type container struct {
	name   xmlscan.Name
	pos    xmlscan.Pos
	inside []*container
	blocks []*xmlscan.Tree
}

// enter notes the start tag of a container.
func (o *outline) enter(name xmlscan.Name, pos xmlscan.Pos) {
	c := &container{name: name, pos: pos}
	if n := len(o.open); n > 0 {
		o.open[n-1].inside = append(o.open[n-1].inside, c)
	} else if o.root == nil {
		o.root = c
	}
	o.open = append(o.open, c)
}

// leave notes the end tag of a container.
func (o *outline) leave() { o.open = o.open[:len(o.open)-1] }

// add notes a block, unless it carries an access token.
func (o *outline) add(t *xmlscan.Tree) {
	if n := len(o.open); n > 0 && child(child(t.Root, "KeyInfo"), "Token") == nil {
		o.open[n-1].blocks = append(o.open[n-1].blocks, t)
	}
}

// find returns the containers of this local name, in document order.
func (o *outline) find(local string) []*container {
	var all []*container
	var walk func(c *container)
	walk = func(c *container) {
		if c.name.Local == local {
			all = append(all, c)
		}
		for _, in := range c.inside {
			walk(in)
		}
	}
	if o != nil && o.root != nil {
		walk(o.root)
	}
	return all
}

// block returns the last block with one of these standard names, the one whose
// values count.
func (o *outline) block(names ...string) *xmlscan.Tree {
	all := o.blocks(names...)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// blocks returns the blocks with these standard names, in document order.
func (o *outline) blocks(names ...string) []*xmlscan.Tree {
	var found []*xmlscan.Tree
	var walk func(c *container)
	walk = func(c *container) {
		for _, t := range c.blocks {
			if slices.Contains(names, standardName(t.Root.Tag)) {
				found = append(found, t)
			}
		}
		for _, in := range c.inside {
			walk(in)
		}
	}
	if o != nil && o.root != nil {
		walk(o.root)
	}
	return found
}

// element returns the element at a path of standard names as Findings of
// validation have it: below MessageHeader ("To[2]/OrganId") or TraceHeaderList
// ("TraceHeader[1]/Timestamp", "Bussiness/Paper"), or from a block on
// ("Manifest/Reference[1]"). Of elements that stand twice it is the last, the
// one whose value counts. The flag tells whether the whole path is there; else
// the element is the deepest that is.
func (o *outline) element(path string) (*xmlscan.Tree, *etree.Element, bool) {
	steps := strings.Split(path, "/")
	first, _ := step(steps[0])
	var t *xmlscan.Tree
	switch first {
	case "":
		return nil, nil, false
	case "TraceHeader", "Bussiness":
		if t = o.block("TraceHeaderList"); t == nil || childAt(t.Root, steps[0]) == nil {
			if beside := o.block("Bussiness"); beside != nil && first == "Bussiness" {
				t, steps = beside, steps[1:]
			}
		}
	case "Manifest", "TraceHeaderList", "MessageHeader", "Status":
		t, steps = o.block(first), steps[1:]
	default:
		t = o.block("MessageHeader", "Status")
	}
	if t == nil {
		return nil, nil, false
	}
	el := t.Root
	for _, s := range steps {
		next := childAt(el, s)
		if next == nil {
			return t, el, false
		}
		el = next
	}
	return t, el, true
}

// place returns where the element at path begins, or the deepest element above
// it that is there.
func (o *outline) place(path string) xmlscan.Pos {
	if t, el, _ := o.element(path); el != nil {
		return t.Pos(el)
	}
	if o != nil && o.root != nil {
		return o.root.pos
	}
	return xmlscan.Pos{}
}

// step splits "To[2]" into its name and its one-based number, 0 for none.
func step(s string) (name string, n int) {
	name, rest, ok := strings.Cut(s, "[")
	if ok {
		n, _ = strconv.Atoi(strings.TrimSuffix(rest, "]"))
	}
	return name, n
}

// childAt returns the child that a step of a path names.
func childAt(el *etree.Element, s string) *etree.Element {
	name, n := step(s)
	var found *etree.Element
	for _, c := range el.ChildElements() {
		if standardName(c.Tag) != name {
			continue
		}
		if n--; n == 0 {
			return c
		}
		found = c
	}
	if n > 0 {
		return nil
	}
	return found
}
