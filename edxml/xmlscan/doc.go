// Package xmlscan is the one XML reader of this house. Everything that reads
// XML from outside (packets, canonical XML, SOAP envelopes) stands on it, so
// that no two parts of the program can disagree about what a document says.
//
// A [Scanner] reads XML 1.0 (fifth edition) with Namespaces as a stream of
// tokens. Each token knows the byte offsets it came from, because signatures
// are about bytes and findings are about lines. Long text is never gathered:
// it arrives in chunks that point into the read buffer, so an attachment of
// one gigabyte costs no more memory than one of a kilobyte.
//
//	s := xmlscan.New(r, xmlscan.Options{})
//	for {
//		tok, err := s.Next()
//		if err == io.EOF {
//			break
//		}
//		…
//	}
//
// Small parts become trees: after a Start token, [Scanner.Tree] reads to the
// matching end tag and hands over an etree element with its positions.
//
// The scanner refuses what the two specifications refuse: a [SyntaxError]
// names the production or constraint and the place. A DTD is always refused,
// whole; no entity but the five of XML is known and nothing external is ever
// opened. Whatever could grow has a limit with a name ([Limits]). With
// [Options.Tolerant] a few faults seen in real packets are let pass, and each
// one is named in [Scanner.Quirks]: a document that needed tolerance can be
// read, but no signature over it can be valid.
package xmlscan
