package edoc

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// namespace12 is the envelope of SOAP 1.2, which no axis speaks.
const namespace12 = "http://www.w3.org/2003/05/soap-envelope"

// envelope is the outline of a SOAP message: what stands in it, and where.
type envelope struct {
	data   []byte
	header []block
	body   []block
	hrefs  []string // what the Manifest refers to, without "cid:"
}

// block is a child of the Header or the Body.
type block struct {
	name       xmlscan.Name
	start, end int64
}

// outline reads a message of at most a few tens of megabytes. Its errors are
// those of package xmlscan, or wrap [soap.ErrVersion] or [soap.ErrMalformed].
//
// QUIRK: the scanner is tolerant, since vendor sample packets use prefixes
// without declaring them; what was tolerated is a Finding of the packet reader.
func outline(data []byte) (*envelope, error) {
	e := &envelope{data: data}
	elements := max(200_000, len(data)/8) // bounded by the size of data, which has its own limit
	s := xmlscan.New(bytes.NewReader(data), xmlscan.Options{Tolerant: true, Limits: xmlscan.Limits{Elements: elements}, Size: int64(len(data))})
	var section *[]block
	var bodies, depth int
	for {
		tok, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		switch tok.Kind {
		case xmlscan.Start:
			switch depth++; depth {
			case 1:
				if err := checkRoot(tok.Name); err != nil {
					return nil, err
				}
			case 2:
				section = nil
				switch {
				case tok.Name.Is(soap.Namespace, "Header"):
					section = &e.header
				case tok.Name.Is(soap.Namespace, "Body"):
					section = &e.body
					bodies++
				}
			case 3:
				if section != nil {
					*section = append(*section, block{name: tok.Name, start: tok.Start})
				}
			case 4:
				e.reference(section, tok)
			}
		case xmlscan.End:
			if depth--; depth == 2 && section != nil {
				(*section)[len(*section)-1].end = tok.End
			}
		}
	}
	if bodies != 1 {
		return nil, fmt.Errorf("%w: the envelope has %d Body elements, it must have one", soap.ErrMalformed, bodies)
	}
	return e, nil
}

func checkRoot(name xmlscan.Name) error {
	switch {
	case name.Is(soap.Namespace, "Envelope"):
		return nil
	case name.Is(namespace12, "Envelope"):
		return soap.ErrVersion
	}
	return fmt.Errorf("%w: the root element is %q in namespace %q, not the Envelope of SOAP 1.1", soap.ErrMalformed, clip(name.Local), clip(name.Space))
}

// reference files the href of a Reference in the Manifest.
//
// QUIRK: the attribute is matched by its local name, as the BKAV axis does;
// "cid:" may be absent or doubled (a vendor library adds it twice).
func (e *envelope) reference(section *[]block, tok *xmlscan.Token) {
	if section != &e.body || tok.Name.Local != "Reference" || e.body[len(e.body)-1].name.Local != "Manifest" {
		return
	}
	for _, a := range tok.Attrs {
		if a.Local == "href" {
			id := strings.TrimSpace(a.Value)
			for strings.HasPrefix(id, "cid:") {
				id = strings.TrimPrefix(id, "cid:")
			}
			e.hrefs = append(e.hrefs, id)
		}
	}
}

// first returns the first child of the Body.
func (e *envelope) first() (block, bool) {
	if len(e.body) == 0 {
		return block{}, false
	}
	return e.body[0], true
}

// decode reads a block into a generated type. Elements are matched by their
// local names.
func (e *envelope) decode(b block, into any) error {
	if err := xml.Unmarshal(e.data[b.start:b.end], into); err != nil {
		return fmt.Errorf("%w: element %s: %w", soap.ErrMalformed, b.name.Local, err)
	}
	return nil
}

// credential is a pair of organ and access token. Its fields are exported
// because package fmt hides a Secret only where it can call its methods.
type credential struct {
	Organ string
	Token edxml.Secret
}

// tokens returns the header blocks that carry an access token, and the pair
// of the last one that has both halves.
//
// QUIRK: a block Signature that is not XML-DSig carries the pair; a public
// .NET client sends the token once more in a block Token in
// http://e-doc.vn/xsd. A Signature without either half signs, or pretends to.
func (e *envelope) tokens() (c credential, carriers []block) {
	for _, b := range e.header {
		switch {
		case b.name.Local == "Token":
			carriers = append(carriers, b)
		case b.name.Local == "Signature" && b.name.Space != edxml.NamespaceDSig:
			var s wire.Signature
			if err := e.decode(b, &s); err == nil && s.KeyInfo == nil {
				continue
			} else if err == nil {
				organ, token := strings.TrimSpace(s.KeyInfo.OrganId), strings.TrimSpace(s.KeyInfo.Token)
				if organ == "" && token == "" {
					continue
				}
				if token != "" || c.Token == "" { // without one, a certificate may stand for it
					c = credential{organ, edxml.Secret(token)}
				}
			}
			carriers = append(carriers, b) // also one that cannot be read: better lost than leaked
		}
	}
	return c, carriers
}

// without returns the bytes of the message without some blocks, everything
// else as it was.
func (e *envelope) without(blocks []block) []byte {
	if len(blocks) == 0 {
		return e.data
	}
	out := make([]byte, 0, len(e.data))
	var from int64
	for _, b := range blocks {
		out = append(out, e.data[from:b.start]...)
		from = b.end
	}
	return append(out, e.data[from:]...)
}

// escape makes text safe between tags; characters that XML cannot hold become U+FFFD.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder does not fail
	return b.String()
}

// element writes <name>text</name>, or <name/> for no text.
func element(name, text string) string {
	if text == "" {
		return "<" + name + "/>"
	}
	return "<" + name + ">" + escape(text) + "</" + name + ">"
}
