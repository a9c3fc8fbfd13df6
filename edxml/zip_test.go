package edxml_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// TestZipOfTwoFaces: a zip is read from its beginning, others read it from the
// directory at its end. Where the two would not see the same file, it is damaged.
func TestZipOfTwoFaces(t *testing.T) {
	const text = "Nội dung của a.txt\n"
	plain := zipOf(t, zip.Deflate, "a.txt")
	descriptor, directory := bytes.Index(plain, []byte("PK\x07\x08")), bytes.Index(plain, []byte("PK\x01\x02"))
	// with replaces octets at a place.
	with := func(z []byte, at int, octets ...byte) []byte {
		return bytes.Join([][]byte{z[:at], octets, z[at+len(octets):]}, nil)
	}
	// cut takes out, or puts in, octets at a place.
	cut := func(z []byte, at, n int, octets string) []byte {
		return bytes.Join([][]byte{z[:at], []byte(octets), z[at+n:]}, nil)
	}
	two := zipOf(t, zip.Deflate, "a.txt", "b.txt")
	second := bytes.LastIndex(two, []byte("PK\x03\x04"))
	empty := with(with(plain, 6, 0, 0), 8, 0, 0) // stored, and nothing of it
	sizes := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(binary.LittleEndian.Uint32(plain[descriptor+8:]))), uint64(len(text)))

	for name, c := range map[string]struct {
		zip   []byte
		want  string
		rules string // of ATT-7 and ATT-8
	}{
		"as it should be":                         {plain, text, ""},
		"sizes of eight octets in its descriptor": {cut(plain, descriptor+8, 8, string(sizes)), text, ""},
		"a descriptor without its signature":      {cut(plain, descriptor, 4, ""), text, ""},
		"that too with sizes of eight octets":     {cut(cut(plain, descriptor+8, 8, string(sizes)), descriptor, 4, ""), text, ""},
		"cut off before its directory":            {plain[:directory], text, ""},
		"cut off within its directory":            {plain[:directory+20], text, "ATT-8"},
		"cut off behind the record":               {plain[:directory+46+5], text, ""},
		"empty from the front, not from the back": {empty, "", "ATT-8"},
		"zeros behind the entry":                  {cut(plain, directory, 0, "\x00\x00\x00\x00"), text, "ATT-8"},
		"text behind the entry":                   {cut(plain, directory, 0, "không phải zip"), text, "ATT-8"},
		"a directory with another sum":            {with(plain, directory+16, 1, 2, 3, 4), text, "ATT-8"},
		"a directory with another method":         {with(plain, directory+10, 0), text, "ATT-8"},
		"a directory of an entry further behind":  {with(plain, directory+42, 7), text, "ATT-8"},
		"two entries":                             {two, text, "ATT-7"},
		"a second one in the directory alone":     {cut(two, second, bytes.Index(two, []byte("PK\x01\x02"))-second, ""), text, "ATT-7"},
	} {
		doc := single(header, "<Reference><ContentId>a</ContentId><AttachmentName>a.txt</AttachmentName></Reference>",
			attachment("a", "a.txt", base64.StdEncoding.EncodeToString(c.zip)))
		r, err := edxml.NewReader(strings.NewReader(doc), edxml.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := got.ReadFrom(a.Content); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := r.Next(); err == nil {
			t.Errorf("%s: there is no second attachment", name)
		}
		var rules []string
		for _, f := range r.Packet().Findings {
			if f.Rule == "ATT-7" || f.Rule == "ATT-8" {
				rules = append(rules, f.Rule)
			}
		}
		if got.String() != c.want || strings.Join(rules, " ") != c.rules {
			t.Errorf("%s: %q with %v, want %q with %q", name, got.String(), rules, c.want, c.rules)
		}
	}
}
