package edxml

import (
	"errors"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// errNotSecond says that the second file has no root that a dialect knows.
var errNotSecond = errors.New("edxml: the second file has no attachments: its root must be AllDocument or document")

// secondFile is the second file of a dialect that sends two.
//
// QUIRK: CV 512 and CV 2803 by e-mail (a provincial document system) have
// AllDocument/Document/Attach/Attachment with the children name and value, or
// ContentID, ContentType, ContentTransferEncoding and Value; iVBDH has
// document/attach/attachment. The names are matched in any case.
type secondFile struct {
	depth int // containers that are open
}

// nextWith reads on in the second file to its next attachment.
func (r *Reader) nextWith() (*Attachment, error) {
	if r.with == nil {
		src, _, err := unzipped(r.opt.With, r.limits)
		if err != nil {
			return nil, err
		}
		r.reportQuirks()
		r.with, r.quirks, r.second = &secondFile{}, 0, true
		r.scan = xmlscan.New(src, xmlscan.Options{Limits: r.limits.XML, Tolerant: true})
	}
	for {
		tok, err := r.scan.Next()
		r.reportQuirks()
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok.Kind {
		case xmlscan.End:
			r.with.depth--
		case xmlscan.Start:
			if a, err := r.startWith(tok); a != nil || err != nil {
				return a, err
			}
		}
	}
}

// startWith handles a start tag of the second file outside attachments.
func (r *Reader) startWith(tok *xmlscan.Token) (*Attachment, error) {
	switch strings.ToLower(tok.Name.Local) {
	case "alldocument", "document", "attach", "attachmentencoded":
		r.with.depth++
		return nil, nil
	case "attachment":
		if r.with.depth > 0 {
			attrs := append([]xmlscan.Attr(nil), tok.Attrs...)
			return r.attachmentOf(attrs)
		}
	}
	if r.with.depth == 0 {
		return nil, errNotSecond
	}
	pos, local := r.scan.Pos(tok.Start), tok.Name.Local
	if _, err := r.scan.Tree(r.limits.Header); err != nil {
		return nil, err
	}
	r.find("PKT-2", pos, "", local)
	return nil, nil
}

// attachmentAttributes takes what the attributes of an Attachment say.
func (r *Reader) attachmentAttributes(attrs []xmlscan.Attr) {
	for _, a := range attrs {
		switch strings.ToLower(a.Local) {
		case "content-type", "contenttype":
			r.cur.ContentType = a.Value
		case "contentid", "content-id", "id":
			r.cur.ContentID = contentID(a.Value)
		case "name":
			r.cur.Name = a.Value
		}
	}
}

// bare returns the content's text where it stands in the Attachment itself,
// from its first chunk on. That chunk lies in the scanner's buffer, which it
// leaves only at the next call.
func (r *Reader) bare(first []byte) func() ([]byte, error) {
	return func() ([]byte, error) {
		if len(first) > 0 {
			chunk := first
			first = nil
			return chunk, nil
		}
		return r.chunk()
	}
}
