package edxml_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// TestDigestStays: what an honest axis changes does not count.
func TestDigestStays(t *testing.T) {
	for kind, d := range documents() {
		want := d.Digest()
		if len(want) != 64 || strings.Trim(want, "0123456789abcdef") != "" {
			t.Fatalf("%q is no digest", want)
		}
		for _, w := range writers {
			var o edxml.ReadOptions
			if w.parts {
				o.Parts = partsOf(d)
			}
			p, err := edxml.Read(strings.NewReader(write(t, w.write, d)), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Document.Digest(); got != want {
				t.Errorf("%s: profile %s has another digest", kind, w.profile)
			}
		}
		for what, change := range map[string]func(*edxml.Document){
			"order of files": func(d *edxml.Document) { slices.Reverse(d.Attachments) },
			"a trace":        func(d *edxml.Document) { d.TraceHeaders = append(d.TraceHeaders, edxml.TraceHeader{}) },
			"names of files": func(d *edxml.Document) { d.Attachments[0].Name, d.Attachments[0].ContentType = "x", "y" },
			"receivers":      func(d *edxml.Document) { d.To = d.To[:1] },
		} {
			c := documents()[kind]
			if change(c); c.Digest() != want {
				t.Errorf("%s: %s changed the digest", kind, what)
			}
		}
	}
	content := strings.Repeat("nội dung ", 100)
	plain := base64.StdEncoding.EncodeToString([]byte(content))
	packed := base64.StdEncoding.EncodeToString(pack(t, "uuid.txt", strings.NewReader(content)))
	var digests []string
	for _, text := range []string{plain, packed} {
		p, err := edxml.Read(bytes.NewReader([]byte(single(header, "", attachment("a", "a.txt", text)))), edxml.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, p.Document.Digest())
	}
	if digests[0] != digests[1] {
		t.Error("a zip around a file changed the digest")
	}
}

// TestDigestChanges: every named field counts, and no two can trade characters.
func TestDigestChanges(t *testing.T) {
	seen := map[string]string{documents()["new"].Digest(): "nothing changed"}
	for what, change := range map[string]func(*edxml.Document){
		"DocumentID":       func(d *edxml.Document) { d.DocumentID += "x" },
		"From":             func(d *edxml.Document) { d.From.OrganID += "x" },
		"kind":             func(d *edxml.Document) { d.Business.DocType = edxml.Recall },
		"number":           func(d *edxml.Document) { d.Code.CodeNumber += "x" },
		"notation":         func(d *edxml.Document) { d.Code.CodeNotation += "x" },
		"date":             func(d *edxml.Document) { d.PromulgationInfo.PromulgationDate = "2026/03/03" },
		"subject":          func(d *edxml.Document) { d.Subject += "x" },
		"a file's content": func(d *edxml.Document) { d.Attachments[0].SHA256 = sum("khác") },
		"a file fewer":     func(d *edxml.Document) { d.Attachments = d.Attachments[:2] },
		"a file twice":     func(d *edxml.Document) { d.Attachments = append(d.Attachments, d.Attachments[0]) },
		"a moved letter": func(d *edxml.Document) {
			d.Code = edxml.Code{CodeNumber: d.Code.CodeNumber + d.Code.CodeNotation[:1], CodeNotation: d.Code.CodeNotation[1:]}
		},
	} {
		d := documents()["new"]
		change(d)
		if other, ok := seen[d.Digest()]; ok {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[d.Digest()] = what
	}
}
