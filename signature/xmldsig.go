package signature

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// XMLOptions says which signature of an XML file to verify, and with what key.
type XMLOptions struct {
	// Index counts the signatures that have a SignedInfo, from 1, in document
	// order; 0 is the first.
	Index int
	// Key checks the value whatever KeyInfo offers. Without one, the keys and
	// certificates in KeyInfo are tried: that proves that the content is whole,
	// not who signed it.
	Key crypto.PublicKey
	// Named are the keys a KeyName may refer to.
	Named map[string]crypto.PublicKey
	// AllowLegacy accepts SHA-1 and RSA keys from 512 bits, with a warning.
	AllowLegacy bool
	// SignedOut gets exactly the octets that were digested, Reference by
	// Reference, once the signature has proved good; nothing else.
	SignedOut io.Writer
	// Limits bound the work. Here the default for References is 64.
	Limits Limits
}

// maxBound is the default number of References one signature in any XML file
// may have: each looks at the whole file.
const maxBound = 64

// XMLVerdict is the result for one signature in any XML file.
type XMLVerdict struct {
	Err        error             // nil when good; [ErrAlgorithm] says that it lies outside what is supported
	Algorithm  string            // for example "rsa-sha256"
	Key        crypto.PublicKey  // that checked the value
	KeyFrom    string            // "given", or where in KeyInfo: X509Data, KeyValue, DEREncodedKeyValue, KeyName
	Signer     *x509.Certificate // when the key came in a certificate; no trust is implied
	References []Bound           // what was signed
	Place      xmlscan.Pos       // where the signature begins
	Warnings   []string          // in English
}

// Bound is one Reference of a signature.
type Bound struct {
	URI     string `json:"uri"`
	Type    string `json:"type,omitempty"`
	Element string `json:"element"` // path of the element it points to
	Whole   bool   `json:"whole"`   // it binds the root element, but for the signature itself when enveloped
	Intact  bool   `json:"intact"`  // the digest is right
}

// VerifyXML verifies one ds:Signature in any XML file: enveloped, enveloping or
// detached in the same document. It takes the algorithms [Verify] takes, the
// enveloped-signature transform, one canonicalisation, and the References ""
// and "#name"; anything else is [ErrAlgorithm]. Where a Reference points is
// reported, not judged: whoever uses the content has to see that it is what was
// signed. The file is read three times at most, in constant memory, twice more
// with SignedOut for each Reference.
//
// The verdict's Err is [ErrUnsigned] when there is no such signature. An error
// means that the file cannot be read.
func VerifyXML(doc io.ReaderAt, size int64, o XMLOptions) (XMLVerdict, error) {
	if o.Limits.References <= 0 {
		o.Limits.References = maxBound
	}
	o.Limits = o.Limits.withDefaults()
	x := &xmlFile{doc: doc, size: size, o: o, block: block{limits: o.Limits}}
	x.block.limits.References = math.MaxInt // counted in jobs: too many are unsupported, not malformed
	if err := x.find(); err != nil {
		var dtd *xmlscan.SyntaxError
		if errors.As(err, &dtd) && errors.Is(dtd.Err, xmlscan.ErrDTD) {
			return XMLVerdict{Err: refuse(ErrAlgorithm, "%v", err), Place: dtd.Pos}, nil
		}
		return XMLVerdict{}, err
	}
	v := XMLVerdict{Place: x.place}
	switch {
	case x.info == nil:
		v.Err = ErrUnsigned
		return v, nil
	case x.shape != nil:
		v.Err = x.shape
		return v, nil
	}
	if v.Err = x.authenticate(&v); v.Err != nil {
		return v, nil
	}
	jobs, err := x.jobs(nil)
	if v.Err = err; err != nil {
		return v, nil
	}
	if err := x.feed(jobs); err != nil {
		return v, err
	}
	v.Err = x.compare(&v, jobs)
	if v.Err != nil || o.SignedOut == nil {
		return v, nil
	}
	return v, x.writeSigned()
}

// authenticate checks the algorithms and the value.
func (x *xmlFile) authenticate(v *XMLVerdict) (err error) {
	b := &x.block
	if x.value == nil {
		return refuse(ErrShape, "there is no SignatureValue")
	}
	if b.value, err = octetsOf(x.value); err != nil {
		return err
	}
	if err := b.signedInfo(x.info); err != nil {
		return err
	}
	v.Algorithm = short(b.scheme.uri)
	weak := b.scheme.hash == crypto.SHA1
	for _, r := range b.refs {
		weak = weak || r.method == crypto.SHA1
	}
	if weak && !x.o.AllowLegacy {
		return refuse(ErrAlgorithm, "SHA-1")
	}
	if weak {
		v.Warnings = append(v.Warnings, "SHA-1")
	}
	offered := []hint{{x.o.Key, nil, "given"}}
	if x.o.Key == nil {
		offered = nil
		if x.keyInfo != nil {
			if offered, err = hints(x.keyInfo, x.o.Named, x.o.Limits.Certificates); err != nil {
				return err
			}
		}
	}
	var why error
	for _, h := range offered {
		warning, err := strongKey(h.key, x.o.AllowLegacy)
		if err != nil {
			why = err
			continue
		}
		if b.scheme.check(h.key, b.info, b.value) {
			v.Key, v.KeyFrom, v.Signer = h.key, h.from, h.cert
			if warning != "" {
				v.Warnings = append(v.Warnings, warning)
			}
			return nil
		}
		why = refuse(ErrSignatureValue, "key from %s", h.from)
	}
	if why == nil {
		return refuse(ErrAlgorithm, "no key: KeyInfo has none that is supported, and none was given")
	}
	return why
}

// xmlOctets takes the digest of what one Reference points to.
type xmlOctets struct {
	octets
	ref        *ref
	skip, upTo int64 // what is left out: the signature, when enveloped
	inside     bool  // the element lies in what is left out
}

// jobs starts the digests; what is digested also goes to out if there is one.
func (x *xmlFile) jobs(out io.Writer) ([]*xmlOctets, error) {
	if len(x.block.refs) > x.o.Limits.References {
		return nil, refuse(ErrAlgorithm, "more than %d References", x.o.Limits.References)
	}
	jobs := make([]*xmlOctets, len(x.block.refs))
	for i, r := range x.block.refs {
		if r.uri != "" && (r.uri[0] != '#' || !isNCName(r.uri[1:])) {
			return nil, refuse(ErrAlgorithm, "Reference %q", r.uri)
		}
		j := &xmlOctets{ref: r}
		h := r.method.New()
		d, err := newOctets(h, r.canonical, r.prefixes, out)
		if err != nil {
			return nil, err
		}
		if j.octets = *d; r.uri == "" {
			j.whole, j.where = true, "/"
		} else {
			j.id = r.uri[1:]
		}
		if r.enveloped {
			j.skip, j.upTo = x.start, x.end
		} else if r.uri == "" {
			return nil, refuse(ErrShape, "a Reference to the whole file without the enveloped-signature transform")
		}
		jobs[i] = j
	}
	return jobs, nil
}

// feed reads the file once for all jobs.
func (x *xmlFile) feed(jobs []*xmlOctets) error {
	scan := xmlscan.New(io.NewSectionReader(x.doc, 0, x.size), xmlscan.Options{Limits: x.o.Limits.XML, Size: x.size})
	var o outline
	for {
		t, err := scan.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return readError(err)
		}
		if t.Kind == xmlscan.Start {
			o.push(t)
		}
		for _, j := range jobs {
			j.token(&o, t)
		}
		if t.Kind == xmlscan.End {
			o.leave()
		}
	}
}

func (j *xmlOctets) token(o *outline, t *xmlscan.Token) {
	if t.Start >= j.skip && t.Start < j.upTo {
		j.inside = j.inside || !j.whole && t.Kind == xmlscan.Start && hasID(t, j.id)
		return
	}
	switch {
	case j.err != nil || t.Kind == xmlscan.Comment:
	case j.whole:
		j.err = j.c.Token(t)
	case t.Kind == xmlscan.Start && hasID(t, j.id):
		if j.hits++; j.hits == 1 {
			j.depth, j.where = len(o.path), o.where()
			j.c.Scope(o.above())
		}
		fallthrough
	case j.depth > 0:
		if j.depth == 0 {
			return // a second element with the Id
		}
		j.err = j.c.Token(t)
		if t.Kind == xmlscan.End && len(o.path) == j.depth {
			j.depth = 0
		}
	}
}

// hasID reports an element that some program could take for the one named:
// Id, ID and id, xml:id, wsu:Id, and SAML's AssertionID and its like.
func hasID(t *xmlscan.Token, id string) bool {
	for _, a := range t.Attrs {
		if (strings.EqualFold(a.Local, "id") || a.Prefix == "" && strings.HasSuffix(a.Local, "ID")) && a.Value == id {
			return true
		}
	}
	return false
}

// compare compares the digests.
func (x *xmlFile) compare(v *XMLVerdict, jobs []*xmlOctets) error {
	var why error
	for _, j := range jobs {
		bound := Bound{URI: j.ref.uri, Type: j.ref.kind, Element: j.where, Whole: j.whole || strings.Count(j.where, "/") == 1}
		err := j.settle()
		bound.Intact = err == nil
		v.References = append(v.References, bound)
		if why == nil {
			why = err
		}
	}
	return why
}

// settle says whether the digest is right, or why there is none.
func (j *xmlOctets) settle() error {
	switch {
	case !j.whole && j.hits > 1, j.inside && j.hits > 0:
		return refuse(ErrDuplicateID, "Id %q", j.id)
	case j.inside:
		return refuse(ErrShape, "Reference %q points into the signature that its transform leaves out", j.ref.uri)
	case !j.whole && j.hits == 0:
		return refuse(ErrCoverage, "there is no element with the Id %q", j.id)
	}
	if j.err == nil {
		j.err = j.c.Close()
	}
	if j.err != nil {
		return digestError(j.err)
	}
	if !bytes.Equal(j.h.Sum(nil), j.ref.digest) {
		return refuse(ErrDigest, "Reference %q", j.ref.uri)
	}
	return nil
}

// writeSigned writes the octets of one Reference after the other, each digest
// compared once more.
func (x *xmlFile) writeSigned() error {
	for i := range x.block.refs {
		jobs, err := x.jobs(x.o.SignedOut)
		if err != nil {
			return err
		}
		if err := x.feed(jobs[i : i+1]); err != nil {
			return err
		}
		if err := jobs[i].settle(); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON gives reason ("" when good), message, algorithm, key_from,
// signer, references, line, column and warnings.
func (v XMLVerdict) MarshalJSON() ([]byte, error) {
	plain := Verdict{Err: v.Err, Signer: v.Signer}
	out := struct {
		Reason     string   `json:"reason"`
		Message    string   `json:"message"`
		Algorithm  string   `json:"algorithm,omitempty"`
		KeyFrom    string   `json:"key_from,omitempty"`
		Signer     string   `json:"signer,omitempty"`
		References []Bound  `json:"references"`
		Line       int      `json:"line"`
		Column     int      `json:"column"`
		Warnings   []string `json:"warnings,omitempty"`
	}{
		plain.Reason(), v.Message().EN, v.Algorithm, v.KeyFrom, plain.signer(), v.References, v.Place.Line, v.Place.Column, v.Warnings,
	}
	if out.References == nil {
		out.References = []Bound{}
	}
	return json.Marshal(out)
}

// Message says the verdict in one sentence, in both languages.
func (v XMLVerdict) Message() edxml.Text {
	switch {
	case v.Err == nil:
		return edxml.Text{VI: "chữ ký đúng với nội dung", EN: "the signature fits the content"}
	case errors.Is(v.Err, ErrUnsigned):
		return edxml.Text{VI: "không có chữ ký XML như vậy trong tệp", EN: "there is no such XML signature in the file"}
	}
	return Verdict{Err: v.Err}.Message()
}
