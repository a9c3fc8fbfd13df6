package soap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// maxFault bounds the envelopes that ParseFault takes, in octets: control answers may go through encoding/xml up to it.
const maxFault = 1 << 20

// Fault is a SOAP 1.1 fault (§4.4): the refusal of a message that the receiver could not even take for an operation.
// Refusals by an operation itself are no faults on the eDoc wire but Reports.
type Fault struct {
	Code   string // local name of faultcode: VersionMismatch, MustUnderstand, Client or Server, perhaps with .parts after it
	String string // faultstring, for people
	Actor  string // faultactor, a URI, mostly empty
	Detail string // text of detail
}

// Error gives code and text.
func (f *Fault) Error() string {
	text := "soap: fault " + f.Code
	if f.String != "" {
		text += ": " + f.String
	}
	return text
}

// WriteFault writes an envelope that holds the fault; characters that XML cannot hold become U+FFFD. Code must be a
// name without prefix; empty is Server.
func WriteFault(w io.Writer, f *Fault) error {
	code := f.Code
	if code == "" {
		code = "Server"
	}
	if strings.ContainsFunc(code, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	}) {
		return fmt.Errorf("soap: fault code %q is no plain name", code)
	}
	var b strings.Builder
	element := func(name, text string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder does not fail
		b.WriteString("</" + name + ">")
	}
	b.WriteString("<SOAP-ENV:Fault>")
	element("faultcode", "SOAP-ENV:"+code)
	element("faultstring", f.String)
	if f.Actor != "" {
		element("faultactor", f.Actor)
	}
	if f.Detail != "" {
		b.WriteString("<detail>")
		element("text", f.Detail) // SOAP 1.1 §4.4: detail holds elements
		b.WriteString("</detail>")
	}
	b.WriteString("</SOAP-ENV:Fault>")
	_, err := w.Write(ControlEnvelope("", b.String()))
	return err
}

// ParseFault tells whether an envelope of at most 1 MiB holds a fault, and which. It fails with ErrMalformed for what
// is no well-formed SOAP envelope or has a document type declaration, with ErrVersion for SOAP 1.2, and with a
// *LimitError for more octets.
func ParseFault(envelope []byte) (*Fault, bool, error) {
	if len(envelope) > maxFault {
		return nil, false, &LimitError{Limit: "fault", Max: maxFault}
	}
	var (
		d     = xml.NewDecoder(bytes.NewReader(envelope))
		path  []xml.Name
		fault *Fault
		text  strings.Builder
		root  bool // the Envelope was seen
		body  bool // an element of the Body was seen
		open  bool // inside the Fault
	)
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false, fmt.Errorf("%w: envelope is not well-formed: %w", ErrMalformed, err)
		}
		switch tok := tok.(type) {
		case xml.Directive:
			return nil, false, fmt.Errorf("%w: envelope has a document type declaration", ErrMalformed)
		case xml.StartElement:
			if len(path) == 0 {
				if err := checkRoot(tok.Name, root); err != nil {
					return nil, false, err
				}
				root = true
			}
			if len(path) == 2 && path[1] == (xml.Name{Space: Namespace, Local: "Body"}) {
				if !body && tok.Name == (xml.Name{Space: Namespace, Local: "Fault"}) {
					fault, open = new(Fault), true
				}
				body = true
			}
			path = append(path, tok.Name)
			if len(path) == 4 {
				text.Reset()
			}
		case xml.CharData:
			text.Write(tok)
		case xml.EndElement:
			if open && len(path) == 4 {
				fault.fill(path[3].Local, strings.TrimSpace(text.String()))
			}
			path = path[:len(path)-1]
			open = open && len(path) >= 3
		}
	}
	if !root {
		return nil, false, fmt.Errorf("%w: envelope is empty", ErrMalformed)
	}
	return fault, fault != nil, nil
}

// checkRoot accepts the one Envelope of SOAP 1.1.
func checkRoot(name xml.Name, again bool) error {
	switch {
	case again:
		return fmt.Errorf("%w: envelope has two roots", ErrMalformed)
	case name.Local == "Envelope" && name.Space == namespace12:
		return ErrVersion
	case name.Local != "Envelope" || name.Space != Namespace:
		return fmt.Errorf("%w: root element is %q, not a SOAP 1.1 Envelope", ErrMalformed, clip(name.Local))
	}
	return nil
}

// fill takes one child of a Fault; SOAP 1.1 §4.4 has them in no namespace, which is not insisted on.
func (f *Fault) fill(child, text string) {
	switch child {
	case "faultcode":
		_, local, ok := strings.Cut(text, ":")
		if !ok {
			local = text
		}
		f.Code = local
	case "faultstring":
		f.String = text
	case "faultactor":
		f.Actor = text
	case "detail":
		f.Detail = text
	}
}
