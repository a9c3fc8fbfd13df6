package edoc_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestContract holds the Body of every golden message, and the header blocks
// of the packet, against the published schemas.
func TestContract(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("xmllint is not installed")
	}
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	envelope := regexp.MustCompile(`(?s)<(?:SOAP-ENV|soap):Envelope.*?</(?:SOAP-ENV|soap):Envelope>`)
	checked := map[string]int{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, message := range envelope.FindAll(text, -1) {
			for _, schema := range validate(t, message) {
				checked[schema]++
			}
			if i > 1 {
				t.Errorf("%s: more than a request and an answer", name)
			}
		}
	}
	for _, schema := range []string{"edoc.xsd", "edoc-requests.xsd", "edxml-soap.xsd"} {
		if checked[schema] == 0 {
			t.Errorf("nothing was held against %s: %v", schema, checked)
		}
	}
}

// validate checks the blocks of one envelope and returns the schemas used.
func validate(t *testing.T, message []byte) (used []string) {
	t.Helper()
	for _, element := range blocks(t, message) {
		schema := "edoc.xsd"
		switch {
		case !bytes.HasPrefix(element, []byte("<edXML:")):
			schema = "edoc-requests.xsd"
		case regexp.MustCompile(`^<edXML:(MessageHeader|TraceHeaderList|ErrorList|Signature|Manifest)\b`).Match(element):
			schema = "edxml-soap.xsd"
		}
		if !bytes.Contains(element, []byte("xmlns:edXML")) && schema != "edoc-requests.xsd" {
			at := bytes.IndexAny(element, " />")
			element = slices.Concat(element[:at], []byte(` xmlns:edXML="http://www.e-doc.vn/Schema/" xmlns:xlink="http://www.w3.org/1999/xlink"`), element[at:])
		}
		cmd := exec.Command("xmllint", "--noout", "--nonet", "--schema", filepath.Join("../../wsdl", schema), "-")
		cmd.Stdin = bytes.NewReader(element)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", schema, err, out, element)
		}
		used = append(used, schema)
	}
	return used
}

// blocks returns the children of Header and Body as they stand in a message.
func blocks(t *testing.T, message []byte) (found [][]byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(message))
	var depth int
	var start int64
	for {
		at := d.InputOffset()
		tok, err := d.Token()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok.(type) {
		case xml.StartElement:
			if depth++; depth == 3 {
				start = at
			}
		case xml.EndElement:
			if depth == 3 {
				found = append(found, message[start:d.InputOffset()])
			}
			depth--
		}
	}
}
