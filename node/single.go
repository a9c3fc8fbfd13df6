package node

import (
	"context"
	"io"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
)

// On the national axis's wire a packet is one file, its attachments inside.
// The file is stored as it goes over the wire; its attachments are stored
// beside it as the user's files.

// keepFile stores a single file as it comes, and then its attachments. What is
// no packet is stored all the same, as evidence.
func (n *Node) keepFile(ctx context.Context, file io.Reader) (*kept, error) {
	k := &kept{}
	var err error
	if k.file, err = n.Store.Put(ctx, file); err != nil {
		return nil, err
	}
	f, err := n.Store.Open(ctx, k.file.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := edxml.NewReader(f, edxml.ReadOptions{Undigested: true})
	if err != nil {
		return k, err
	}
	k.packet = r.Packet()
	k.parts, err = n.keepAttachments(ctx, r)
	return k, err
}

// fetchFile stores a single file that is being fetched, and reads what it says.
func (n *Node) fetchFile(ctx context.Context, t *Transfer, in transport.Incoming, file io.Reader) (func(*Transfer), error) {
	k, err := n.keepFile(ctx, file)
	if k == nil {
		return nil, err
	}
	if _, end := in.Next(); end != io.EOF { // what follows the packet may still refuse it
		return nil, end
	}
	return n.fetched(ctx, t, k.file, k.parts, k.packet, err)
}

// single returns the file to send: the submitted one where it can stay as it
// is, else a new one, signed as a whole if there is a key.
func (n *Node) single(ctx context.Context, k *kept) (Content, error) {
	signed := k.signed()
	stays := k.file.SHA256 != "" && k.strict()
	if signed && !n.ReplaceSignature {
		if stays {
			return k.file, nil
		}
		return Content{}, ErrSignatureLost
	}
	file, err := k.file, error(nil)
	if !stays || signed {
		file, err = n.putWritten(ctx, func(w io.Writer) error { return n.writeSingle(ctx, w, n.traced(k), k.parts) })
	}
	key := n.key.Load()
	if err != nil || key == nil {
		return file, err
	}
	f, err := n.Store.Open(ctx, file.SHA256)
	if err != nil {
		return Content{}, err
	}
	defer f.Close()
	return n.putWritten(ctx, func(w io.Writer) error {
		return signature.Sign(w, f, f.Size(), nil, key, signature.SignOptions{Placement: signature.Whole})
	})
}

// traced returns the Document with a TraceHeader of this node where it has
// none.
func (n *Node) traced(k *kept) *edxml.Document {
	d := *k.packet.Document
	if len(d.TraceHeaders) == 0 {
		d.TraceHeaders = []edxml.TraceHeader{{OrganID: n.Organ.OrganID, Timestamp: edxml.TimestampOf(time.Now())}}
	}
	return &d
}
