package signature

import (
	"fmt"
	"io"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature/c14n"
)

// statusTree reports a small status packet in one file: goxmldsig signs those.
// It looks at the root element alone, so a packet with processing instructions
// outside the root is not for it.
func (s *signing) statusTree(size int64) bool {
	return s.profile == edxml.ProfileQCVN102 && s.status && size <= smallStatus && !s.outside &&
		s.claims[manifest] == 0 && len(s.inline) == 0
}

// signStatus makes the signature over a status packet with goxmldsig, over the
// canonical form of this house. Its own canonicalisers and its validation are
// not used: they sort attributes of several namespaces wrongly, and write into
// the tree they are given.
func (s *signing) signStatus(packet io.ReaderAt, size int64, key *Key) ([]splice, error) {
	scan := xmlscan.New(io.NewSectionReader(packet, 0, size), xmlscan.Options{Size: size})
	for {
		t, err := scan.Next()
		if err != nil {
			return nil, readError(err)
		}
		if t.Kind == xmlscan.Start {
			break
		}
	}
	tree, err := scan.Tree(smallStatus)
	if err != nil {
		return nil, readError(err)
	}
	chain := make([][]byte, len(key.Chain))
	for i, c := range key.Chain {
		chain[i] = c.Raw
	}
	ctx, err := dsig.NewSigningContext(rawSigner{key.Signer}, chain)
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = c14n.Canonicalizer{}
	ctx.IdAttribute = "" // no attribute has this name: the Reference is "", the whole document
	sig, err := ctx.ConstructSignature(tree.Root, true)
	if err != nil {
		return nil, fmt.Errorf("signature: signing the status: %w", err)
	}
	text, err := write(sig)
	return []splice{{s.headerEnd, text}}, err
}
