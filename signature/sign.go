package signature

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// Content is a file that travels beside a SOAP envelope.
type Content struct {
	ID   string                        // its Content-ID, without "cid:" and brackets
	Name string                        // the attachment's name, for reports
	Open func() (io.ReadCloser, error) // its octets, after any Content-Transfer-Encoding
	// SHA256 is the digest of these octets where the caller computed it itself,
	// of what it keeps under that name; nil: it is computed. Never take it from
	// the packet or from anybody's word: whoever says it says what was signed.
	SHA256 []byte
}

// Placement says where a signature goes and what it binds.
type Placement uint8

// The placements. The zero value chooses by the packet's profile.
const (
	Auto  Placement = iota // Whole for a single-file packet, Parts for a SOAP envelope
	Whole                  // the last child of edXMLHeader, over the whole file; single-file packets only
	Parts                  // over MessageHeader, Bussiness, Manifest and every attachment
)

// SignOptions says how to sign; the zero value is the documented default.
type SignOptions struct {
	Placement Placement
	// Algorithm is the signature method; "" goes by the key: rsa-sha256, for
	// ECDSA the digest as long as the curve, eddsa-ed25519. What the method
	// digests SignedInfo with also digests the packet; for Ed25519 SHA-512.
	Algorithm Algorithm
	// Plain leaves out the XAdES-BES properties, which bind the signer's
	// certificate and the signing time (EN 319 132-1; for programs that refuse
	// a ds:Object).
	Plain bool
	Time  time.Time // SigningTime; zero is now
	// Stamp is asked for a time stamp over the new signature value, which goes
	// into the unsigned properties: XAdES-T, see [TSA]. Its error ends Sign
	// with nothing written. Nil leaves the stamp for later: [Imprints]. It
	// does not go with Plain.
	Stamp func(Imprint) (Stamp, error)
}

// smallStatus is the size in bytes up to which a status packet is signed as a tree.
const smallStatus = 1 << 20

// Sign writes packet to w with one ds:Signature spliced in; every other byte
// is the packet's own, but for the Id attributes that Parts needs. It reads
// the packet twice and each file once, in constant memory. files are the
// contents beside a SOAP envelope; a single-file packet has its own inside.
//
// Nothing is written unless the packet can be signed: [ErrSigned], [ErrTolerance],
// [ErrNotPacket], [ErrMissingContent] (a file of the Manifest is not among
// files), [ErrDuplicateID], [ErrCoverage] (a part is missing or there twice),
// [ErrShape] (there is no place for the block), [ErrKeyMismatch] and
// [ErrAlgorithm] say why not.
func Sign(w io.Writer, packet io.ReaderAt, size int64, files []Content, key *Key, o SignOptions) error {
	if err := o.check(key); err != nil {
		return err
	}
	with, err := key.scheme(o.Algorithm)
	if err != nil {
		return err
	}
	s, err := prepare(packet, size, o, with)
	if err != nil {
		return err
	}
	var splices []splice
	switch {
	case s.byParts:
		splices, err = s.parts(files, key)
	case s.plain && s.statusTree(size) && with.hash == crypto.SHA256 && with.kind != pss:
		splices, err = s.signStatus(packet, size, key)
	default:
		splices, err = s.wholePacket(key)
	}
	if err != nil {
		return err
	}
	return copySpliced(w, packet, size, splices)
}

// signing is a packet read for signing, with the digests of what is signed.
type signing struct {
	*reading
	with    scheme
	plain   bool      // without XAdES
	at      time.Time // SigningTime
	stamp   func(Imprint) (Stamp, error)
	byParts bool
	all     *octets        // the whole file
	pieces  []*octets      // MessageHeader, Bussiness, Manifest
	files   *inlineDigests // of a single file
}

// prepare reads the packet once and refuses what cannot be signed.
func prepare(packet io.ReaderAt, size int64, o SignOptions, with scheme) (*signing, error) {
	profile, err := profileOf(packet, size)
	if err != nil {
		return nil, err
	}
	s := &signing{reading: newReading(packet, size, Limits{}), with: with, plain: o.Plain, at: o.Time, stamp: o.Stamp, byParts: o.Placement == Parts || o.Placement == Auto && profile == edxml.ProfileSOAP}
	if s.at.IsZero() {
		s.at = time.Now()
	}
	if !s.byParts && profile == edxml.ProfileSOAP {
		return nil, refuse(ErrShape, "a SOAP envelope is signed by parts: the token and the TraceHeaders added on the way would break a signature over the whole")
	}
	s.block = func(*xmlscan.Tree) error { return ErrSigned }
	if s.byParts {
		for _, p := range []part{header, business, manifest} {
			d, err := s.listen()
			if err != nil {
				return nil, err
			}
			d.want, d.give = p, p.String()+"-"+rand.Text()
			s.pieces = append(s.pieces, d)
		}
		s.files = &inlineDigests{method: with.hash}
		s.listeners = append(s.listeners, s.files)
	} else {
		if s.all, err = s.listen(); err != nil {
			return nil, err
		}
		s.all.whole = true
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s, s.signable()
}

// profileOf reads as far as the root element.
func profileOf(packet io.ReaderAt, size int64) (edxml.Profile, error) {
	scan := xmlscan.New(io.NewSectionReader(packet, 0, size), xmlscan.Options{Tolerant: true, Size: size})
	for {
		t, err := scan.Next()
		if err != nil {
			return "", readError(err)
		}
		if t.Kind == xmlscan.Start {
			var o outline
			err := o.enter(t)
			return o.profile, err
		}
	}
}

func (s *signing) listen() (*octets, error) {
	d, err := newOctets(s.with.hash.New(), c14n.Exclusive, nil, nil)
	s.listeners = append(s.listeners, d)
	return d, err
}

// signable refuses what no signature could be valid in.
func (s *signing) signable() error {
	if err := s.tolerated(); err != nil {
		return err
	}
	switch {
	case s.ids.twice != "":
		return refuse(ErrDuplicateID, "Id %q", s.ids.twice)
	case s.headers == 0:
		return refuse(ErrNotPacket, "there is no header in it")
	case s.headers > 1:
		return refuse(ErrShape, "there are %d headers", s.headers)
	case s.headerEnd < 0:
		return refuse(ErrShape, "the header is empty")
	}
	return nil
}

// wholePacket makes the signature over the whole file.
func (s *signing) wholePacket(key *Key) ([]splice, error) {
	sum, err := s.all.sum()
	if err != nil {
		return nil, err
	}
	sig, err := s.buildBlock([]*ref{{digest: sum, enveloped: true, transformed: true, canonical: c14n.Exclusive}}, key)
	return []splice{{s.headerEnd, sig}}, err
}

// parts makes the signature over the parts and the attachments.
func (s *signing) parts(files []Content, key *Key) ([]splice, error) {
	var refs []*ref
	var splices []splice
	for _, d := range s.pieces {
		if s.claims[d.want] == 0 && d.want != header {
			continue // there is none to bind; one added later is not bound, and Verify says so
		}
		if s.claims[d.want] != 1 || d.hits != 1 {
			return nil, refuse(ErrCoverage, "there is not exactly one %s, or it is not where the profile has it", d.want)
		}
		sum, err := d.sum()
		if err != nil {
			return nil, err
		}
		id := d.had
		if id == "" {
			id = d.give
			splices = append(splices, splice{d.nameEnd, []byte(` Id="` + id + `"`)})
		}
		if !isNCName(id) {
			return nil, refuse(ErrShape, "the Id %q of %s is no name", id, d.want)
		}
		if had := s.ids.has(id); had&otherID != 0 || d.had == "" && had != 0 {
			return nil, refuse(ErrDuplicateID, "Id %q", id)
		}
		refs = append(refs, &ref{uri: "#" + id, digest: sum, transformed: true, canonical: c14n.Exclusive})
	}
	attached, err := s.attachments(files)
	if err != nil {
		return nil, err
	}
	refs = append(refs, attached...)
	if len(refs) > s.limits.References {
		return nil, refuse(ErrShape, "more than %d References", s.limits.References)
	}
	sig, err := s.buildBlock(refs, key)
	return append(splices, splice{s.headerEnd, sig}), err
}

// attachments makes one Reference for each attachment.
func (s *signing) attachments(files []Content) ([]*ref, error) {
	have := make(map[string][]byte)
	var order []string
	add := func(id, name string, sum []byte) error {
		if _, ok := have[id]; ok {
			return refuse(ErrDuplicateID, "two attachments have the Content-ID %q", id)
		}
		if id == "" {
			return refuse(ErrShape, "attachment %q has no Content-ID", name)
		}
		have[id] = sum
		order = append(order, id)
		return nil
	}
	if s.profile == edxml.ProfileSOAP {
		for _, f := range files {
			sum, err := digestFile(f, s.with.hash)
			if err != nil {
				return nil, err
			}
			if err := add(f.ID, f.Name, sum); err != nil {
				return nil, err
			}
		}
	}
	for i, a := range s.inline {
		if err := s.wellKept(a); err != nil {
			return nil, err
		}
		if err := s.files.sums[i].err; err != nil {
			return nil, refuse(ErrShape, "attachment %q cannot be signed: %v", a.label(), err)
		}
		if err := add(a.id, a.name, s.files.sums[i].sum); err != nil {
			return nil, err
		}
	}
	if len(s.strays) > 0 {
		return nil, refuse(ErrCoverage, "line %d: an Attachment out of place", s.strays[0].Line)
	}
	for _, a := range s.listed {
		if _, ok := have[a.id]; !ok && a.id != "" {
			return nil, refuse(ErrMissingContent, "%s (cid:%s)", a.label(), a.id)
		}
	}
	refs := make([]*ref, len(order))
	for i, id := range order {
		refs[i] = &ref{uri: "cid:" + id, digest: have[id]}
	}
	return refs, nil
}

// digestFile reads a file once, or not at all where its digest is known.
func digestFile(f Content, method crypto.Hash) ([]byte, error) {
	if method == crypto.SHA256 && len(f.SHA256) == method.Size() {
		return f.SHA256, nil
	}
	if f.Open == nil {
		return nil, refuse(ErrMissingContent, "%s (cid:%s)", f.Name, f.ID)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMissingContent, f.Name, err)
	}
	defer r.Close()
	h := method.New()
	if _, err := io.Copy(h, r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMissingContent, f.Name, err)
	}
	return h.Sum(nil), nil
}

// isNCName reports a name that a reference "#name" can point to. Colons, which
// a name may not have, and whatever begins a name only in part are refused.
func isNCName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r >= 0x80 && unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && r != '.' && !('0' <= r && r <= '9')) {
			return false
		}
	}
	return s != ""
}

// splice is text that goes in at an offset.
type splice struct {
	at   int64
	text []byte
}

// copySpliced writes the packet with the splices, which may come in any order.
func copySpliced(w io.Writer, packet io.ReaderAt, size int64, splices []splice) error {
	slices.SortFunc(splices, func(a, b splice) int { return cmp.Compare(a.at, b.at) })
	var from int64
	buf := make([]byte, min(64<<10, size+1))
	for _, s := range append(splices, splice{at: size}) {
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(packet, from, s.at-from), buf)
		if err == nil && n < s.at-from {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			_, err = w.Write(s.text)
		}
		if err != nil {
			return fmt.Errorf("signature: writing the signed packet: %w", err)
		}
		from = s.at
	}
	return nil
}
