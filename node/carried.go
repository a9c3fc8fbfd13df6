package node

import (
	"context"
	"fmt"
	"io"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// A hub carries files of other services than edXML as they are. Nobody looks
// into them: what is known is the service, who sends them and to whom. They go
// the ways of Documents, but no Status is about them.

// Carried makes the Transfer of a file that is no edXML, not yet committed; it
// is due at once.
func Carried(d Direction, state State, file Content, c transport.Carriage) (*Transfer, error) {
	t, err := newTransfer(d, edxml.KindDocument, state)
	if err != nil {
		return nil, err
	}
	t.Service, t.From, t.DocumentID = c.Service, c.From, c.Key
	for _, id := range c.To {
		t.Receivers = append(t.Receivers, Receiver{OrganID: id})
	}
	carried(t, file)
	return t, nil
}

// carried notes the content of a carried file.
func carried(t *Transfer, file Content) {
	t.Profile, t.Envelope, t.Digest = edxml.ProfileQCVN102, file, file.SHA256
}

// carriage returns what is sent beside a carried file, a permanent Fault where
// the wire has no place for it.
func (n *Node) carriage(t *Transfer) (*transport.Carriage, error) {
	if n.Wire != edxml.ProfileQCVN102 {
		return nil, &transport.Fault{Operation: "SendDocument", Text: fmt.Sprintf(
			"a file of the service %q: the axis is reached over eDoc, which carries edXML only", t.Service)}
	}
	c := &transport.Carriage{Service: t.Service, From: t.From, Key: t.DocumentID}
	for _, r := range t.Receivers {
		c.To = append(c.To, r.OrganID)
	}
	return c, nil
}

// fetchCarried stores a file that is no edXML, as it comes. There is nothing in
// it to be verified.
func (n *Node) fetchCarried(ctx context.Context, t *Transfer, in transport.Incoming, file io.Reader) (func(*Transfer), error) {
	kept, err := n.Store.Put(ctx, file)
	if err != nil {
		return nil, err
	}
	if _, end := in.Next(); end != io.EOF { // what follows the file may still refuse it
		return nil, end
	}
	if t.Digest != "" {
		return n.again(ctx, t, t.From, kept.SHA256)
	}
	return func(t *Transfer) {
		carried(t, kept)
		t.State = Verified
	}, nil
}
