package signature

import (
	"bytes"
	"io"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// xmlFile is a file with the parts of the signature that was asked for.
type xmlFile struct {
	doc  io.ReaderAt
	size int64
	o    XMLOptions

	info, value, keyInfo *etree.Element
	shape                error // what is wrong with the ds:Signature
	place                xmlscan.Pos
	start, end           int64 // the span of the ds:Signature
	block                block
}

// find reads the file and takes the signature apart. Its Objects pass as a
// stream, whatever their size.
func (x *xmlFile) find() error {
	scan := xmlscan.New(io.NewSectionReader(x.doc, 0, x.size), xmlscan.Options{Limits: x.o.Limits.XML, Size: x.size})
	var o outline
	var open []int64 // offsets of the ds:Signatures that are open
	var depth []int
	wanted, target := max(x.o.Index, 1), 0
	for {
		t, err := scan.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return readError(err)
		}
		child := len(depth) > 0 && len(o.path) == depth[len(depth)-1] // directly in a ds:Signature
		switch t.Kind {
		case xmlscan.Start:
			o.push(t)
			if child && x.info == nil && t.Name.Is(edxml.NamespaceDSig, "SignedInfo") {
				if wanted--; wanted == 0 {
					target, x.start = depth[len(depth)-1], open[len(open)-1]
					x.place = scan.Pos(x.start)
				}
			}
			if child && target > 0 && target == depth[len(depth)-1] && x.end == 0 {
				taken, err := x.take(scan, &o, t)
				if err != nil {
					return err
				}
				if taken {
					o.leave()
				}
				continue
			}
			if t.Name.Is(edxml.NamespaceDSig, "Signature") {
				open, depth = append(open, t.Start), append(depth, len(o.path))
			}
		case xmlscan.Text:
			if child && target == depth[len(depth)-1] && x.end == 0 && len(bytes.TrimSpace(t.Text)) > 0 {
				x.refuse(refuse(ErrShape, "text in ds:Signature"))
			}
		case xmlscan.End:
			if child {
				if target == depth[len(depth)-1] && x.end == 0 {
					x.end = t.End
				}
				open, depth = open[:len(open)-1], depth[:len(depth)-1]
			}
			o.leave()
		}
	}
}

func (x *xmlFile) refuse(err error) {
	if x.shape == nil {
		x.shape = err
	}
}

// take reads a child of the signature, and reports whether it read it to its end.
func (x *xmlFile) take(scan *xmlscan.Scanner, o *outline, t *xmlscan.Token) (bool, error) {
	var to **etree.Element
	switch {
	case t.Name.Space != edxml.NamespaceDSig:
	case t.Name.Local == "SignedInfo" && x.info == nil && x.value == nil:
		to = &x.info
	case t.Name.Local == "SignatureValue" && x.info != nil && x.value == nil:
		to = &x.value
	case t.Name.Local == "KeyInfo" && x.value != nil && x.keyInfo == nil:
		to = &x.keyInfo
	case t.Name.Local == "Object" && x.value != nil:
		return false, nil
	}
	if to == nil {
		x.refuse(refuse(ErrShape, "%s in ds:Signature, or not in its place", t.Name))
		return false, nil
	}
	if err := o.crowded(x.o.Limits, scan.Pos(t.Start)); err != nil {
		return false, err
	}
	_, xmlAttrs := o.above()
	attrs := append([]xmlscan.Attr(nil), xmlAttrs...)
	tree, err := scan.Tree(x.o.Limits.Block)
	if err != nil {
		return false, readError(err)
	}
	for _, a := range attrs { // the tree's context knows declarations only
		tree.Root.Parent().CreateAttr(a.Name.String(), a.Value)
	}
	*to = tree.Root
	return true, nil
}
