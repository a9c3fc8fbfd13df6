package xmlscan_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

func Example() {
	doc := "<letter xmlns='urn:example'>\n  <to id='7'>Sở Nội vụ</to>\n</letter>"
	s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
	for {
		tok, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		switch {
		case tok.Kind == xmlscan.Start:
			fmt.Println(s.Pos(tok.Start), "start", tok.Name)
			for _, a := range tok.Attrs {
				fmt.Println("   ", a.Name, "=", a.Value)
			}
		case tok.Kind == xmlscan.Text && s.Depth() > 1:
			fmt.Printf("%v text %s, as it stands in the source: %v\n", s.Pos(tok.Start), tok.Text, tok.Plain)
		}
	}
	// Output:
	// 1:1 start letter
	// 2:3 start to
	//     id = 7
	// 2:14 text Sở Nội vụ, as it stands in the source: true
}

func ExampleScanner_Tree() {
	doc := "<p:packet xmlns:p='urn:example'><p:header><p:code>15/CV</p:code></p:header><p:body/></p:packet>"
	s := xmlscan.New(strings.NewReader(doc), xmlscan.Options{})
	for {
		tok, err := s.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		if tok.Kind == xmlscan.Start && tok.Name.Is("urn:example", "header") {
			break
		}
	}
	tree, err := s.Tree(1 << 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	code := tree.Root.SelectElement("code")
	fmt.Println(code.Text(), code.NamespaceURI(), tree.Pos(code))
	fmt.Println(doc[tree.Start:tree.End])
	// Output:
	// 15/CV urn:example 1:43
	// <p:header><p:code>15/CV</p:code></p:header>
}

func ExampleSyntaxError() {
	err := func() error {
		s := xmlscan.New(strings.NewReader("<!DOCTYPE a SYSTEM 'file:///etc/passwd'>\n<a/>"), xmlscan.Options{})
		_, err := s.Next()
		return err
	}()
	fmt.Println(errors.Is(err, xmlscan.ErrDTD))
	fmt.Println(err)
	// Output:
	// true
	// xml: line 1, column 1: a DOCTYPE is refused (XML 1.0 §2.8)
}

func ExampleScanner_Quirks() {
	s := xmlscan.New(strings.NewReader("0004<?xml version='1.0'?><a link:href='x'/>"), xmlscan.Options{Tolerant: true})
	for {
		if _, err := s.Next(); err != nil {
			break
		}
	}
	for _, q := range s.Quirks() {
		fmt.Println(q.Pos, q.Kind)
	}
	// Output:
	// 1:1 stray-bytes
	// 1:26 unbound-prefix
}
