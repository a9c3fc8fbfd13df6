package edxml

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// content is the stream of the attachment being read: the decoded bytes, out
// of the packet's own zip, counted and hashed.
type content struct {
	r        *Reader
	a        *Attachment
	src      io.Reader
	zip      *zipEntry // nil when the file is not wrapped
	text     *base64Reader
	hash     hash.Hash // nil when the caller digests
	head     [512]byte
	headed   int
	pdf      pdfWatch
	climbing string // the entry of a zip that was left alone for the path in its name
	err      error
}

// newContent wraps the octets of an attachment: those of text, decoded, where
// text is not nil.
func newContent(r *Reader, a *Attachment, text *base64Reader, octets io.Reader) *content {
	c := &content{r: r, a: a, text: text}
	if !r.opt.Undigested {
		c.hash = sha256.New()
	}
	if text != nil {
		octets = text
	}
	buffered := packedReader(octets)
	entry, climbing := openZip(buffered, a.Name, a.ContentType)
	if c.climbing = climbing; entry != nil {
		c.zip, c.src = entry, entry
	} else {
		c.src = buffered.Reader
	}
	a.Wrapped = c.zip != nil
	return c
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.src.Read(p)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	c.headed += copy(c.head[c.headed:], p[:n])
	c.pdf.write(p[:n])
	c.a.Size += int64(n)
	switch {
	case c.a.Size > c.r.limits.Attachment:
		err = &LimitError{Limit: "attachment", Max: c.r.limits.Attachment, Name: c.a.Name}
	case c.zip != nil && c.a.Size > 10<<20 && c.a.Size > c.zip.in.used()*c.r.limits.UnzipRatio:
		err = &LimitError{Limit: "unzip ratio", Max: c.r.limits.UnzipRatio, Name: c.a.Name}
	}
	if err != nil {
		if err == io.EOF {
			err = c.close()
		}
		if c.zip != nil && c.zip.in.err != nil {
			err = c.zip.in.err // the source's fault, not the zip's
		}
		c.err = err
	}
	return n, err
}

// close fills in what is known only at the end. It returns io.EOF.
func (c *content) close() error {
	pos := c.r.place
	if c.zip != nil {
		if second, err := c.zip.finish(); err != nil {
			c.r.find("ATT-8", pos, "", c.a.Name, err.Error())
		} else if second {
			c.r.find("ATT-7", pos, "", c.a.Name)
		}
	}
	if c.climbing != "" {
		c.r.find("ATT-17", pos, "", c.a.Name, shorten(c.climbing))
	}
	if c.text != nil && c.text.url {
		c.r.find("ATT-13", pos, "", c.a.Name)
	}
	if c.text != nil && c.text.bare {
		c.r.find("ATT-15", pos, "", c.a.Name)
	}
	if c.zip != nil && !saysZip(c.a.ContentType) {
		c.r.find("ATT-16", pos, "", c.a.Name, c.a.ContentType)
	}
	if c.hash != nil {
		c.a.SHA256 = hex.EncodeToString(c.hash.Sum(nil))
	}
	c.a.DetectedType = detect(c.head[:c.headed])
	c.a.PDF = c.pdf.end()
	if c.a.Size == 0 {
		c.r.find("ATT-9", pos, "", c.a.Name)
	}
	return io.EOF
}

// detect tells a file's type by its first bytes.
func detect(head []byte) string {
	if bytes.HasPrefix(head, []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}) {
		return "application/x-ole-storage" // Word, Excel and PowerPoint up to 2003
	}
	return http.DetectContentType(head)
}

// attachment reads the children of an Attachment up to its content. It
// returns nil when the element held none.
func (r *Reader) attachment() (*Attachment, error) { return r.attachmentOf(nil) }

// attachmentOf does it for an Attachment whose attributes say something.
func (r *Reader) attachmentOf(attrs []xmlscan.Attr) (*Attachment, error) {
	if err := r.admit(); err != nil {
		return nil, err
	}
	r.cur, r.body, r.depth = &Attachment{}, nil, r.scan.Depth()
	r.attachmentAttributes(attrs)
	for {
		tok, err := r.scan.Next()
		if err != nil {
			return nil, unexpected(err)
		}
		switch tok.Kind {
		case xmlscan.Start:
			if !r.isContent(tok.Name.Local) {
				if err := r.attachmentField(); err != nil {
					return nil, err
				}
				continue
			}
			r.place = r.scan.Pos(tok.Start)
			return r.inline(r.chunk)
		case xmlscan.Text:
			if first := bytes.TrimLeft(tok.Text, " \t\r\n"); r.with != nil && len(first) > 0 {
				r.place = r.scan.Pos(tok.Start)
				return r.inline(r.bare(first))
			}
		case xmlscan.End:
			named := r.cur.Name != "" || r.cur.ContentID != ""
			if named && r.reference(r.cur) == nil { // else its unused Reference is reported at the end
				r.find("ATT-1", r.scan.Pos(tok.Start), "", r.cur.Name, r.cur.ContentID)
			}
			r.cur = nil
			return nil, nil
		}
	}
}

// inline hands out the attachment whose base64 text comes from next.
func (r *Reader) inline(next func() ([]byte, error)) (*Attachment, error) {
	r.known = r.describe(r.cur)
	if r.opt.SkipContent {
		return r.cur, r.skip()
	}
	r.body = newContent(r, r.cur, &base64Reader{next: next}, nil)
	r.cur.Content = r.body
	return r.cur, nil
}

// isContent reports whether the content stands in an element of this name.
func (r *Reader) isContent(local string) bool {
	return local == "ContentTransferEncoded" || r.with != nil && strings.EqualFold(local, "value")
}

// admit counts an attachment.
func (r *Reader) admit() error {
	if r.count++; r.count > r.limits.Attachments {
		return &LimitError{Limit: "attachments", Max: int64(r.limits.Attachments)}
	}
	return nil
}

// attachmentField reads one small child of an Attachment.
func (r *Reader) attachmentField() error {
	tree, err := r.scan.Tree(r.limits.Header)
	if err != nil {
		return err
	}
	if r.fields += tree.End - tree.Start; r.fields > r.limits.Header {
		return &LimitError{Limit: "header", Max: r.limits.Header, Name: r.cur.Name}
	}
	switch value := text(tree.Root); tree.Root.Tag {
	case "ContentId", "ContentID": // QUIRK: CV 2803 spells it ContentID
		r.cur.ContentID = contentID(value)
		if id := r.cur.ContentID; r.with == nil && id != "" && value != "cid:"+id {
			r.find("ATT-14", tree.Pos(tree.Root), "", value)
		}
	case "AttachmentName", "name": // QUIRK: CV 512 has name
		r.cur.Name = value
	case "Description":
		r.cur.Description = value
	case "ContentType":
		r.cur.ContentType = value
	case "ContentTransferEncoding": // always base64
	default:
		r.keep("Attachment["+strconv.Itoa(r.count)+"]", tree.Root.Tag, value)
	}
	return nil
}

// describe fills in from the Manifest what the attachment itself did not say
// (so far: some writers put the content before the name), and marks its
// Reference as used. It reports whether there is one.
func (r *Reader) describe(a *Attachment) bool {
	ref := r.reference(a)
	if ref == nil {
		return false
	}
	ref.used = true
	for _, f := range []struct {
		dst *string
		src string
	}{
		{&a.Name, ref.Name}, {&a.ContentID, ref.ContentID},
		{&a.ContentType, ref.ContentType}, {&a.Description, ref.Description},
	} {
		if *f.dst == "" {
			*f.dst = f.src
		}
	}
	return true
}

// reference finds the Manifest's entry for an attachment: by ContentId, else
// by name.
func (r *Reader) reference(a *Attachment) *reference {
	for _, ref := range r.refs {
		if !ref.used && a.ContentID != "" && ref.ContentID == a.ContentID {
			return ref
		}
	}
	for _, ref := range r.refs {
		if !ref.used && a.Name != "" && ref.Name == a.Name && (a.ContentID == "" || ref.ContentID == "") {
			return ref
		}
	}
	return nil
}

// chunk returns the next piece of the content's text, io.EOF at its end tag.
func (r *Reader) chunk() ([]byte, error) {
	for {
		tok, err := r.scan.Next()
		if err != nil {
			return nil, unexpected(err)
		}
		switch tok.Kind {
		case xmlscan.Text:
			return tok.Text, nil
		case xmlscan.End:
			return nil, io.EOF
		case xmlscan.Start:
			return nil, &xmlscan.SyntaxError{
				Rule: "QCVN 102:2016/BTTTT", Text: "element <" + tok.Name.String() + "> inside an attachment's content", Pos: r.scan.Pos(tok.Start),
			}
		}
	}
}

// skip passes over the content's text without decoding it.
func (r *Reader) skip() error {
	for {
		if _, err := r.chunk(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// finish ends the attachment at hand: its content, and what stands behind it.
func (r *Reader) finish() error {
	if r.cur == nil {
		return nil
	}
	a := r.cur
	if r.body != nil {
		if _, err := io.Copy(io.Discard, r.body); err != nil {
			var fault *ContentError
			if !errors.As(err, &fault) {
				return err
			}
			r.find(fault.Rule, r.place, "", a.Name, fault.Text)
		}
	}
	if r.depth > 0 {
		if err := r.rest(); err != nil {
			return err
		}
	}
	if !r.known && !r.describe(a) { // what stood behind the content may have named it
		r.find("ATT-5", r.place, "", a.Name, a.ContentID)
	}
	if a.Name == "" {
		r.find("ATT-10", r.place, "", r.count)
	}
	a.Content, a.Wrapped = nil, false
	r.document().Attachments = append(r.document().Attachments, *a)
	r.packet.outline.files = append(r.packet.outline.files, file{r.place, r.second})
	r.cur, r.body = nil, nil
	return nil
}

// rest reads what is left of the content, and the children behind it, up to
// the Attachment's end tag.
func (r *Reader) rest() error {
	for r.scan.Depth() >= r.depth {
		tok, err := r.scan.Next()
		if err != nil {
			return unexpected(err)
		}
		if tok.Kind == xmlscan.Start && r.scan.Depth() == r.depth+1 {
			if r.isContent(tok.Name.Local) {
				r.find("ATT-11", r.scan.Pos(tok.Start), "", r.cur.Name)
				if err := r.skip(); err != nil {
					return err
				}
				continue
			}
			if err := r.attachmentField(); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextPart hands out the next MIME part as an attachment.
func (r *Reader) nextPart() (*Attachment, error) {
	part, err := r.opt.Parts()
	if err == io.EOF {
		return nil, r.end()
	}
	if err != nil {
		return nil, err
	}
	if err := r.admit(); err != nil {
		return nil, err
	}
	a := &Attachment{ContentID: contentID(part.ID)}
	r.place, r.depth = xmlscan.Pos{}, 0
	r.known = r.describe(a)
	if a.ContentType == "" {
		a.ContentType = part.Type
	}
	r.cur, r.body = a, nil
	if !r.opt.SkipContent {
		octets := bufio.NewReaderSize(part.Content, sniff)
		var text *base64Reader
		if text = encodedTwice(octets); text != nil {
			r.find("ATT-12", r.place, "", a.Name)
		}
		r.body = newContent(r, a, text, octets)
		a.Content, a.Wrapped = r.body, a.Wrapped || text != nil
	}
	return a, nil
}

// keep files an element that the standard does not have.
func (r *Reader) keep(path, name, text string) {
	if doc := r.document(); len(doc.Extra) < maxFindings {
		doc.Extra = append(doc.Extra, Extra{Path: path, Name: name, Text: text})
	}
}

// unexpected turns the end of the input inside an element into an error.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
