package signature

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// SignDetached writes a ds:Signature of its own over files that lie beside it,
// each bound by a Reference to the octets as they are: "cid:ID" for one with a
// Content-ID, else its Name as a relative address, which is how other programs
// find it. It reads each file once. The Placement of o means nothing here. The
// errors are those of [Sign].
func SignDetached(w io.Writer, files []Content, key *Key, o SignOptions) error {
	if err := o.check(key); err != nil {
		return err
	}
	with, err := key.scheme(o.Algorithm)
	if err != nil {
		return err
	}
	s := &signing{with: with, plain: o.Plain, at: o.Time, stamp: o.Stamp}
	if s.at.IsZero() {
		s.at = time.Now()
	}
	if len(files) == 0 || len(files) > (Limits{}).withDefaults().References-1 {
		return refuse(ErrShape, "%d files cannot be signed at once", len(files))
	}
	seen := make(map[string]bool)
	var refs []*ref
	for _, f := range files {
		uri, err := f.uri()
		if err != nil {
			return err
		}
		if seen[uri] {
			return refuse(ErrDuplicateID, "two files are called %q", uri)
		}
		seen[uri] = true
		sum, err := digestFile(f, with.hash)
		if err != nil {
			return err
		}
		refs = append(refs, &ref{uri: uri, digest: sum})
	}
	block, err := s.buildBlock(refs, key)
	if err != nil {
		return err
	}
	_, err = w.Write(append(append([]byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), block...), '\n'))
	return err
}

// uri is how a detached signature names a file.
func (f Content) uri() (string, error) {
	if f.ID != "" {
		return "cid:" + f.ID, nil
	}
	if f.Name == "" || strings.ContainsAny(f.Name, "/\\") || f.Name == "." || f.Name == ".." {
		return "", refuse(ErrShape, "%q is no name of a file in the same folder", f.Name)
	}
	return (&url.URL{Path: f.Name}).String(), nil
}

// VerifyDetached verifies a ds:Signature that [SignDetached] or another program
// wrote over whole files. files are what it may be about: the References are
// compared with how these are called, and nothing else is opened. Coverage
// says which of them are bound; files that are not are listed as missing and
// are no fault, since a detached signature says itself what it is about.
func VerifyDetached(block io.ReaderAt, size int64, files []Content, o VerifyOptions) (Verdict, error) {
	v := &verifying{reading: newReading(block, size, o.Limits), o: o}
	tree, err := v.onlyBlock()
	if err != nil {
		return Verdict{}, err
	}
	c := &candidate{Verdict: Verdict{Place: tree.Pos(tree.Root)}}
	c.block, c.Err = parseBlock(tree.Root, v.limits)
	if c.Err == nil {
		c.Err = v.authenticate(c)
	}
	if c.Err == nil {
		c.Err = v.tolerated()
	}
	if c.Err == nil {
		c.Err = v.compareFiles(c, files)
	}
	if c.Err == nil {
		v.judgeSigner(c)
	}
	if c.Err != nil {
		c.Signed = nil
	}
	return c.Verdict, nil
}

// onlyBlock reads a file that is a ds:Signature and nothing else.
func (r *reading) onlyBlock() (*xmlscan.Tree, error) {
	var tree *xmlscan.Tree
	for {
		t, err := r.scan.Next()
		switch {
		case err == io.EOF && tree != nil:
			return tree, nil
		case err != nil:
			return nil, readError(err)
		case t.Kind != xmlscan.Start:
		case !t.Name.Is(edxml.NamespaceDSig, "Signature"):
			return nil, refuse(ErrNotPacket, "the root element is <%s>, not ds:Signature", t.Name)
		default:
			if tree, err = r.scan.Tree(r.limits.Block); err != nil {
				return nil, readError(err)
			}
		}
	}
}

// compareFiles compares the digests of the files a detached signature names.
func (v *verifying) compareFiles(c *candidate, files []Content) error {
	byURI := make(map[string]Content)
	for _, f := range files {
		uri, err := f.uri()
		if err != nil {
			return err
		}
		if _, ok := byURI[uri]; ok {
			return refuse(ErrDuplicateID, "two files are called %q", uri)
		}
		byURI[uri] = f
	}
	var changed []string
	for _, r := range c.block.refs {
		if p := c.block.properties; p != nil && p.ref == r {
			sum, err := p.sum()
			if err != nil {
				return err
			}
			if !bytes.Equal(sum, r.digest) {
				changed = append(changed, "SignedProperties")
				continue
			}
			p.claim(&c.Verdict)
			continue
		}
		if r.transformed {
			return refuse(ErrAlgorithm, "a Transform in Reference %q", r.uri)
		}
		f, ok := byURI[r.uri]
		if !ok {
			return refuse(ErrMissingContent, "%s", r.uri)
		}
		delete(byURI, r.uri)
		sum, err := digestFile(f, r.method)
		if err != nil {
			return err
		}
		if !bytes.Equal(sum, r.digest) {
			changed = append(changed, f.label())
			continue
		}
		c.Coverage.Attachments = append(c.Coverage.Attachments, f.label())
		c.Signed = append(c.Signed, Signed{Name: f.label(), ID: f.ID, open: func() (io.ReadCloser, error) { return openFile(f, r) }})
	}
	for _, f := range files {
		if uri, _ := f.uri(); byURI[uri].Open != nil {
			c.Coverage.Missing = append(c.Coverage.Missing, f.label())
		}
	}
	if len(changed) > 0 {
		return refuse(ErrDigest, "%s", strings.Join(changed, ", "))
	}
	if len(c.Signed) == 0 {
		return refuse(ErrCoverage, "it is about no file")
	}
	return nil
}

// label is the name of a file for reports.
func (f Content) label() string {
	if f.Name != "" {
		return f.Name
	}
	return f.ID
}

// check refuses a key that cannot sign, and options that contradict each other.
func (o SignOptions) check(key *Key) error {
	if o.Plain && o.Stamp != nil {
		return errors.New("signature: a time stamp needs the XAdES properties that Plain leaves out")
	}
	return key.match()
}
