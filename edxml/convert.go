package edxml

import (
	"errors"
	"fmt"
	"io"
)

// Convert reads the rest of a Document's packet and writes it in another
// profile, or anew in the same: every field and every byte of the attachments
// stays, tokens and signatures do not. No namespace survives a change of
// profile, so no signature could.
//
// keep takes the content of each attachment while it is read, into a file or a
// store, and returns a reader over the same bytes from their beginning: a
// packet says first what it will hold, and only a read packet knows it. For
// [ProfileQCVN102] the contents are then written into w. For [ProfileSOAP] w
// gets the envelope, and the attachments of the Document that is returned are
// its MIME parts: ContentID, ContentType and Content of each.
//
// Errors are those of [Reader.Next], of keep, and of the writer; a Status has
// one form and is refused, see [WriteStatus].
func Convert(w io.Writer, r *Reader, to Profile, keep func(a *Attachment) (io.Reader, error)) (*Document, error) {
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
	d.Attachments = append([]Attachment(nil), d.Attachments...)
	seen := make(map[string]bool)
	for i := range d.Attachments {
		a := &d.Attachments[i]
		if a.Content = contents[i]; seen[a.ContentID] {
			a.ContentID = "" // two files of one name would be one part
		}
		seen[a.ContentID] = true
	}
	for i := range d.Attachments {
		d.Attachments[i] = named(d.Attachments, i)
	}
	switch to {
	case ProfileQCVN102:
		return &d, Write(w, &d)
	case ProfileSOAP:
		return &d, WriteEnvelope(w, &d)
	}
	return nil, fmt.Errorf("edxml: there is no profile %q", to)
}
