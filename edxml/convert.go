package edxml

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Convert reads the rest of a Document's packet and writes it in another
// profile, or anew in the same: every field and every byte of the attachments
// stays, tokens and signatures do not. No namespace survives a change of
// profile, so no signature could. It is [Reader.Collect], [Document.Label] and
// a writer, one after the other.
//
// For [ProfileQCVN102] the contents that keep returned are written into w. For
// [ProfileSOAP] w gets the envelope, and the attachments of the Document that
// is returned are its MIME parts: ContentID, ContentType and Content of each.
//
// Errors are those of Collect and of the writer.
func Convert(w io.Writer, r *Reader, to Profile, keep func(a *Attachment) (io.Reader, error)) (*Document, error) {
	d, err := r.Collect(keep)
	if err != nil {
		return nil, err
	}
	d.Label(to)
	switch to {
	case ProfileQCVN102:
		return d, Write(w, d)
	case ProfileSOAP:
		return d, WriteEnvelope(w, d)
	}
	return nil, fmt.Errorf("edxml: there is no profile %q", to)
}

// Collect reads the rest of a Document's packet and returns the Document with
// contents that can be read: a writer says first what a packet will hold, and
// only a packet that was read to its end is known.
//
// keep takes the content of each attachment while it is read, into a file or a
// store, and returns a reader over the same bytes from their beginning.
//
// Errors are those of [Reader.Next] and of keep; a Status has one form and
// nothing to collect, see [WriteStatus].
func (r *Reader) Collect(keep func(a *Attachment) (io.Reader, error)) (*Document, error) {
	var contents []io.Reader
	for {
		a, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if a.Content == nil {
			return nil, fmt.Errorf("%w: %q", ErrNoContent, a.Name)
		}
		content, err := keep(a)
		if err != nil {
			return nil, fmt.Errorf("edxml: attachment %q: %w", a.Name, err)
		}
		contents = append(contents, content)
	}
	if r.Packet().Document == nil {
		return nil, errors.New("edxml: a status has one form: nothing to convert")
	}
	d := *r.Packet().Document
	d.Attachments = slices.Clone(d.Attachments)
	for i := range d.Attachments {
		d.Attachments[i].Content = contents[i]
	}
	return &d, nil
}

// Label gives every attachment the ContentID and ContentType that it needs in a
// packet of the profile, and leaves those alone that serve. An identifier that
// stands twice, or that no MIME header can carry, gets another; a type that
// spoke of the zip around a file gives way to the one of its name.
func (d *Document) Label(p Profile) {
	taken := make(map[string]bool)
	for i := range d.Attachments {
		a := &d.Attachments[i]
		a.ContentID = contentID(a.ContentID)
		if taken[a.ContentID] || p == ProfileSOAP && !headerSafe(a.ContentID, ` <>"\`) {
			a.ContentID = ""
		}
		taken[a.ContentID] = true
		if p == ProfileSOAP && !headerSafe(a.ContentType, "") || saysZip(a.ContentType) && !saysZip(TypeByName(a.Name)) {
			a.ContentType = ""
		}
	}
	for i := range d.Attachments {
		d.Attachments[i] = named(d.Attachments, i)
	}
}

// headerSafe reports a text that can stand in a MIME header and holds none of
// the characters in but.
func headerSafe(s, but string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(but, r) })
}
