package node

import (
	"context"
	"fmt"
	"io"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/soap"
)

// Open opens stored content of a Transfer for whoever may read it. It returns
// ErrWithdrawn when the Document was taken back by its sender; reading ends with
// ErrDamaged, and before the last octets, when they are not what came.
func (n *Node) Open(ctx context.Context, t *Transfer, c Content) (io.ReadCloser, error) {
	if t.Direction == In && t.Withdrawn != nil {
		return nil, fmt.Errorf("%w (transfer %s)", ErrWithdrawn, t.ID)
	}
	return n.handOut(ctx, c)
}

// Export writes the packet of a Transfer as one file, its bytes as they were
// signed: "Content-Type: multipart/related…", an empty line, the body. A Status
// is written as a single file. It returns ErrWithdrawn for content that its
// sender took back, ErrNotFound for what is not here.
func (n *Node) Export(ctx context.Context, t *Transfer, w io.Writer) error {
	if t.Kind == edxml.KindStatus && t.Envelope.SHA256 == "" && t.Status != nil {
		return edxml.WriteStatus(w, t.Status)
	}
	if t.Envelope.SHA256 == "" {
		return fmt.Errorf("%w: transfer %s has no packet yet", ErrNotFound, t.ID)
	}
	open := func(c Content) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return n.Open(ctx, t, c) }
	}
	first, err := n.Open(ctx, t, t.Envelope) // before the first octet is written
	if err != nil {
		return err
	}
	first.Close()
	if t.Profile == edxml.ProfileQCVN102 {
		file, err := n.Open(ctx, t, t.Envelope)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(w, file)
		return err
	}
	root := soap.Part{ID: "envelope", Type: "text/xml; charset=utf-8", Encoding: "8bit", Size: t.Envelope.Size, Open: open(t.Envelope)}
	files := make([]soap.Part, len(t.Parts))
	for i, p := range t.Parts {
		files[i] = soap.Part{ID: p.ID, Type: p.Type, Encoding: "binary", Size: p.Content.Size, Open: open(p.Content)}
	}
	body, err := soap.NewBody(root, files)
	if err != nil {
		return err
	}
	return body.WriteFile(w)
}
