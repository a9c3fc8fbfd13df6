package signature

import "github.com/lienthong/lienthong/edxml/xmlscan"

// Limits bound what a packet may make [Verify] do; a zero field is its
// default. What exceeds one is answered with a [xmlscan.LimitError] or
// [ErrShape] that names it. Raising one raises the work in proportion, never
// more.
type Limits struct {
	XML          xmlscan.Limits // of the document
	Signatures   int            // in a packet; default 16
	References   int            // of one signature; default 1,100
	Certificates int            // and keys of one signature; default 10
	Block        int64          // bytes of one ds:Signature; default 1 MiB
	Attachments  int            // of a packet; default 1,000
	Identifiers  int            // Id attributes of all kinds in a packet; default 200,000
	Declarations int            // of namespaces in force at a signature, each of whose names is looked up among them; default 256
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Signatures, 16}, {&l.References, 1100}, {&l.Certificates, maxCertificates},
		{&l.Attachments, 1000}, {&l.Identifiers, 200_000}, {&l.Declarations, 256},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if l.Block <= 0 {
		l.Block = 1 << 20
	}
	return l
}

// What no option changes.
const (
	maxCertificates = 10      // of a [Key], and by default of a signature
	maxInside       = 4       // References to the packet itself: the whole and three parts
	maxTransforms   = 3       // of one Reference
	maxLabel        = 4 << 10 // bytes of a ContentId or AttachmentName
)
