// Package c14n writes canonical XML as a stream: two documents that mean the
// same come out as the same bytes, which is what a signature's digest is
// taken over. It knows Canonical XML 1.0 and 1.1 and Exclusive XML
// Canonicalization 1.0, each with and without comments.
//
// A [Writer] takes the tokens of an [xmlscan.Scanner] and writes straight into
// a hash. Nothing is gathered: long text that needs no escaping is handed on
// in the chunks the scanner found, so an attachment of a gigabyte passes
// through without being copied.
//
//	h := sha256.New()
//	w, err := c14n.New(h, c14n.Exclusive, nil)
//	for {
//		tok, err := scanner.Next()
//		…
//		err = w.Token(tok)
//	}
//	err = w.Close()
//
// To canonicalise one element of a document, tell the Writer what is in scope
// there with [Writer.Scope] and feed it the tokens from the start tag to the
// end tag. What is not fed is not part of the subset; an enveloped signature
// is left out that way. Small trees go through [Element], and [Canonicalizer]
// gives goxmldsig the same rules.
//
// The result is the one of the recommendations: attributes sorted by the URI
// of their namespace, then by local name; xmlns="" only where it changes
// something; declarations where they are used (exclusive) or where they change
// (inclusive); processing instructions and comments outside the root on lines
// of their own. A prefix that is not bound is an error, never a guess.
package c14n
