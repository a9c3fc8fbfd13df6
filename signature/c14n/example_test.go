package c14n_test

import (
	"io"
	"os"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// Feed a document to a Writer, token by token.
func Example() {
	const doc = `<a xmlns:p="urn:p" b="2" a='1'><p:x/><!-- gone --></a>`
	w, err := c14n.New(os.Stdout, c14n.Exclusive, nil)
	if err != nil {
		panic(err)
	}
	s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
	for {
		tok, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
		if err := w.Token(tok); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	// Output: <a a="1" b="2"><p:x xmlns:p="urn:p"></p:x></a>
}
