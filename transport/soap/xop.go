package soap

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// namespaceXOP is that of XML-binary Optimized Packaging 1.0, on which MTOM stands.
const namespaceXOP = "http://www.w3.org/2004/08/xop/include"

// include puts the content of parts in the place of the xop:Include elements that refer to them (XOP 1.0 §3.2). The
// result is bounded by Limits.Envelope; a part serves one Include, so that nothing multiplies.
func (m *Message) include(in *Incoming) error {
	data, err := io.ReadAll(in.Content)
	if err != nil {
		return err
	}
	var whole bytes.Buffer
	rest := int64(0)
	for _, place := range includes(data) {
		part, err := m.referred(place.id)
		if err != nil {
			return err
		}
		whole.Write(data[rest:place.start])
		rest = place.end
		left := (m.limits.Envelope - int64(whole.Len()) - (int64(len(data)) - rest)) / 4 * 3
		text := base64.NewEncoder(base64.StdEncoding, &whole)
		if _, err := io.Copy(text, &limitReader{src: part, name: "envelope", max: m.limits.Envelope, left: max(left, 0)}); err != nil {
			return err
		}
		_ = text.Close() // a bytes.Buffer does not fail
	}
	in.Content = bytes.NewReader(data)
	if whole.Len() > 0 {
		whole.Write(data[rest:])
		in.Content = &whole
	}
	return nil
}

// referred returns the content of a part, and spools those that come before it.
func (m *Message) referred(id string) (io.Reader, error) {
	if in := m.spooled.take(id); in != nil {
		return in.Content, nil
	}
	for {
		in, err := m.part()
		if err == io.EOF {
			return nil, fmt.Errorf("%w: the envelope includes part %q, which is not there or was included before", ErrMalformed, clip(id))
		}
		if err != nil {
			return nil, err
		}
		in.Content = m.limit(in.Content, "part", m.limits.Part)
		if in.ID == id {
			return in.Content, nil
		}
		if err := m.spooled.add(in); err != nil {
			return nil, err
		}
	}
}

// inclusion is an xop:Include in an envelope.
type inclusion struct {
	id         string
	start, end int64
}

// includes finds the xop:Include elements of an envelope. One that is not well-formed has none: whoever reads the
// envelope says what is wrong with it.
func includes(data []byte) []inclusion {
	if !bytes.Contains(data, []byte(namespaceXOP)) {
		return nil
	}
	var found []inclusion
	s := xmlscan.New(bytes.NewReader(data), xmlscan.Options{Tolerant: true, Size: int64(len(data))})
	for {
		tok, err := s.Next()
		switch {
		case err == io.EOF:
			return found
		case err != nil:
			return nil
		case tok.Kind == xmlscan.Start && tok.Name.Is(namespaceXOP, "Include"):
			place := inclusion{start: tok.Start}
			for _, a := range tok.Attrs {
				if a.Local == "href" {
					place.id = cid(a.Value)
				}
			}
			found = append(found, place)
		case tok.Kind == xmlscan.End && tok.Name.Is(namespaceXOP, "Include"):
			found[len(found)-1].end = tok.End
		}
	}
}

// cid returns the Content-ID of a cid: URL (RFC 2392), which is percent-encoded.
func cid(href string) string {
	id := strings.TrimPrefix(strings.TrimSpace(href), "cid:")
	if plain, err := url.PathUnescape(id); err == nil {
		return plain
	}
	return id
}
