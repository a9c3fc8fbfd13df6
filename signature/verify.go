package signature

import (
	"crypto"
	"crypto/x509"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// VerifyOptions says whom to trust. The zero value trusts nobody.
type VerifyOptions struct {
	Roots         *x509.CertPool // whose certificates are believed; nil is nobody
	Intermediates *x509.CertPool // may help to build a chain, besides those in the packet
	At            time.Time      // the time of the verdict; zero is now
	// Known are certificates of signers, by the name a KeyName may give them,
	// for signatures that carry no certificate. A KeyValue finds the one with
	// its key. They are trusted no more than those in a packet.
	Known map[string]*x509.Certificate
	// AllowLegacy accepts SHA-1, RSA keys of 1,024 bits, and certificates whose
	// key usage says something else, each with a warning in the Verdict.
	AllowLegacy bool
	// Stamps are time stamps kept beside the packet; each counts for the
	// signature it binds. Those in a signature are found there.
	Stamps     []Stamp
	StampRoots *x509.CertPool // whose time stamps are believed; nil is Roots
	// Revocation is asked whether the certificates were revoked; nil asks
	// nobody, so that verifying needs no network.
	Revocation *Revocation
	Outage     Outage        // when nobody can tell; zero is OutageFail
	Grace      time.Duration // for OutageGrace; 0 is 24 hours
	Limits     Limits        // of the work a packet may make
}

// Verify gives one [Verdict] for each signature in the packet, in document
// order, and none for a packet that carries none. files are the contents
// beside a SOAP envelope; a single-file packet has its own inside.
//
// Blocks named Signature in the packet's own namespace get a Verdict with
// [ErrNamespace], [ErrDummy] or [ErrEmpty]; the token block of a SOAP envelope is no signature and gets
// none. An error means that the packet cannot be read: broken XML, a limit,
// [ErrNotPacket].
func Verify(packet io.ReaderAt, size int64, files []Content, o VerifyOptions) ([]Verdict, error) {
	v := &verifying{
		reading: newReading(packet, size, o.Limits), o: o, packet: packet, size: size,
		content: make(map[string]Content), sums: make(map[crypto.Hash]*inlineDigests), fileSums: make(map[fileKey]fileSum),
	}
	for _, f := range files {
		if _, ok := v.content[f.ID]; ok {
			v.twice = f.ID
		}
		v.content[f.ID] = f
		v.order = append(v.order, f.ID)
	}
	v.block = v.candidate
	v.foreign = v.dummy
	if err := v.run(); err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, len(v.candidates))
	for i, c := range v.candidates {
		v.conclude(c)
		verdicts[i] = c.Verdict
	}
	return verdicts, nil
}

// verifying is a packet read for its signatures.
type verifying struct {
	*reading
	o      VerifyOptions
	packet io.ReaderAt
	size   int64

	content    map[string]Content // by Content-ID
	order      []string
	twice      string // a Content-ID given twice
	candidates []*candidate
	sums       map[crypto.Hash]*inlineDigests
	fileSums   map[fileKey]fileSum
}

type fileKey struct {
	id     string
	method crypto.Hash
}

type fileSum struct {
	sum []byte
	err error
}

// candidate is a signature on its way to a verdict.
type candidate struct {
	Verdict
	block *block
	jobs  []*octets // beside block.refs, nil for an attachment and for SignedProperties
}

// add makes room for one more signature.
func (v *verifying) add(pos xmlscan.Pos) (*candidate, error) {
	if len(v.candidates) >= v.limits.Signatures {
		return nil, &readFault{&xmlscan.LimitError{Limit: "signatures", Max: int64(v.limits.Signatures), Pos: pos}}
	}
	c := &candidate{Verdict: Verdict{Place: pos}}
	v.candidates = append(v.candidates, c)
	return c, nil
}

// dummy notes a block that is named Signature and is none.
func (v *verifying) dummy(p pending) error {
	c, err := v.add(p.pos)
	if err != nil {
		return err
	}
	why := ErrDummy
	switch {
	case p.signed:
		why = ErrNamespace
	case !p.filled && p.name.Local == "DigitalSignature":
		why = ErrEmpty
	}
	c.Err = refuse(why, "<%s> in %q", p.name, p.name.Space)
	return nil
}

// candidate judges a ds:Signature as far as it can be judged alone, and starts
// the digests its References ask for. What lies before it is read once more.
func (v *verifying) candidate(tree *xmlscan.Tree) error {
	c, err := v.add(tree.Pos(tree.Root))
	if err != nil {
		return err
	}
	if !v.inHeader(1) {
		c.Err = refuse(ErrCoverage, "a signature has no place at %s", v.where())
		return nil
	}
	if c.block, c.Err = parseBlock(tree.Root, v.limits); c.Err != nil {
		return nil
	}
	if c.Err = v.authenticate(c); c.Err != nil {
		return nil
	}
	var fresh []listener
	inside := 0
	for _, r := range c.block.refs {
		var job *octets
		if p := c.block.properties; p != nil && p.ref == r {
			c.jobs = append(c.jobs, nil)
			continue
		}
		if job, c.Err = newJob(r, nil); c.Err != nil {
			return nil
		}
		c.jobs = append(c.jobs, job)
		if job != nil {
			if inside++; inside > maxInside {
				c.Err = refuse(ErrCoverage, "more than %d References into the packet", maxInside)
				return nil
			}
			fresh = append(fresh, job)
		} else if v.sums[r.method] == nil {
			v.sums[r.method] = &inlineDigests{method: r.method}
			fresh = append(fresh, v.sums[r.method])
		}
	}
	if err := v.replay(tree.Start, fresh); err != nil {
		return err
	}
	v.listeners = append(v.listeners, fresh...)
	return nil
}

// authenticate checks the algorithms and the signature value, and finds the
// certificate it belongs to.
func (v *verifying) authenticate(c *candidate) error {
	b := c.block
	c.Algorithm = short(b.scheme.uri)
	weak := b.scheme.hash == crypto.SHA1
	for _, r := range b.refs {
		weak = weak || r.method == crypto.SHA1
	}
	weak = weak || b.properties != nil && b.properties.certHash == crypto.SHA1
	if weak && !v.o.AllowLegacy {
		return refuse(ErrAlgorithm, "SHA-1")
	}
	if weak {
		c.Warnings = append(c.Warnings, "SHA-1")
	}
	if len(b.certs) == 0 {
		if err := v.known(b); err != nil {
			return err
		}
	}
	other := false
	for _, cert := range b.certs {
		if b.scheme.check(cert.PublicKey, b.info, b.value) {
			if b.properties != nil && !b.properties.names(cert) {
				other = true // an older or newer certificate for the same key
				continue
			}
			c.Signer = cert
			warnings, err := v.o.strength(cert)
			c.Warnings = append(c.Warnings, warnings...)
			return err
		}
	}
	if other {
		return refuse(ErrCertificate, "%s", b.certs[0].Subject)
	}
	return refuse(ErrSignatureValue, "%s", b.certs[0].Subject)
}

// known finds the certificate for a signature that carries a name or a bare key.
func (v *verifying) known(b *block) error {
	if len(v.o.Known) > 0 && b.keys != nil {
		names := make(map[string]crypto.PublicKey, len(v.o.Known))
		for name, c := range v.o.Known {
			names[name] = c.PublicKey
		}
		keys, err := hints(b.keys, names, v.limits.Certificates)
		if err != nil {
			return err
		}
		for _, k := range keys {
			for _, c := range v.o.Known {
				if public, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(k.key) && !slices.Contains(b.certs, c) {
					b.certs = append(b.certs, c)
				}
			}
		}
	}
	if len(b.certs) == 0 {
		return refuse(ErrUntrusted, "the signature carries no certificate, and none of those given is meant")
	}
	return nil
}

// newJob starts the digest of a same-document Reference; an attachment has
// none. The octets also go to out unless it is nil.
func newJob(r *ref, out io.Writer) (*octets, error) {
	switch {
	case strings.HasPrefix(r.uri, "cid:") && len(r.uri) > len("cid:"):
		if r.transformed {
			return nil, refuse(ErrAlgorithm, "a Transform in Reference %q", r.uri)
		}
		return nil, nil
	case r.uri == "":
		if !r.enveloped {
			return nil, refuse(ErrShape, "a Reference to the whole packet without the enveloped-signature transform")
		}
	case !strings.HasPrefix(r.uri, "#") || !isNCName(r.uri[1:]):
		return nil, refuse(ErrCoverage, "Reference %q", r.uri)
	}
	d, err := newOctets(r.method.New(), r.canonical, r.prefixes, out)
	if err != nil {
		return nil, err
	}
	if d.whole = r.uri == ""; !d.whole {
		d.id = r.uri[1:]
	}
	return d, nil
}

// replay reads the packet up to an offset once more, for listeners that came
// when they were needed: a signature stands behind most of what it signs.
func (v *verifying) replay(stop int64, to []listener) error {
	if len(to) == 0 {
		return nil
	}
	scan := xmlscan.New(io.NewSectionReader(v.packet, 0, v.size), xmlscan.Options{Limits: v.limits.XML, Tolerant: true, Size: v.size})
	var o outline
	for {
		t, err := scan.Next()
		if err != nil {
			return readError(err)
		}
		if t.Start >= stop && t.Kind == xmlscan.Start { // the End of an empty element lies there too
			return nil
		}
		if t.Kind == xmlscan.Start {
			if err := o.enter(t); err != nil {
				return err
			}
		}
		for _, l := range to {
			l.token(&o, t)
		}
		if t.Kind == xmlscan.End {
			o.leave()
		}
	}
}
