package edoc_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"
)

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
