package edxml

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// Digest names the content of a Document: lower-case hex of the SHA-256 over
// DocumentId, From/OrganId, kind, Code, PromulgationDate, Subject and the
// digest of every user file. Traces, token, boundary, encoding and zip
// wrapper, which an honest axis changes, do not count; nor does the order of
// the files. Every attachment must have its SHA256.
func (d *Document) Digest() string {
	h := sha256.New()
	add := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	for _, s := range []string{
		d.DocumentID, d.From.OrganID, string(d.DocType()), d.Code.CodeNumber, d.Code.CodeNotation,
		string(d.PromulgationInfo.PromulgationDate), d.Subject,
	} {
		add(s)
	}
	files := make([]string, 0, len(d.Attachments))
	for _, a := range d.Attachments {
		files = append(files, a.SHA256)
	}
	slices.Sort(files)
	for _, f := range files {
		add(f)
	}
	return hex.EncodeToString(h.Sum(nil))
}
