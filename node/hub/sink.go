package hub

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// Deliver implements node.Sink: a Document from upstream goes into the mailbox
// of each receiver that is hosted here. Where it was before, it is not put
// again.
func (h *Hub) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	if t.Service != "" {
		return h.deliverCarried(ctx, d, t)
	}
	var r route
	now := time.Now()
	one := t.For != "" && d.owner(t.For) != nil // else it was collected in the hub's own name, for all
	for _, to := range t.Receivers {
		if p, ok := d.here(to.OrganID, now); ok && (!one || d.leads(t.For, p.agency)) {
			r.add(p.agency, edxml.Organ{OrganID: to.OrganID, OrganName: to.OrganName})
		}
	}
	var all []*node.Transfer
	for _, b := range r.boxes {
		number, err := h.numbers.next()
		if err != nil {
			return err
		}
		box, err := h.box(node.StoredBy(t), b, number)
		if err != nil {
			return err
		}
		all = append(all, box)
	}
	if own := slices.ContainsFunc(t.Receivers, func(to node.Receiver) bool {
		return slices.Contains(forms(to.OrganID), h.node.Organ.OrganID) && d.owner(to.OrganID) == nil
	}); own && h.o.Next != nil {
		if err := h.o.Next.Deliver(ctx, t, open); err != nil {
			return err
		}
	} else if len(all) == 0 && !own {
		h.node.Log.WarnContext(ctx, "a document from upstream is for nobody here", "transfer", t.ID, "document", t.DocumentID, "for", t.For)
	}
	return h.each(ctx, all)
}

// leads reports whether an identifier leads to the mailbox of an agency.
func (d *directory) leads(id string, to *Agency) bool {
	a := d.owner(id)
	return a != nil && d.mailbox(a) == to
}

// Status takes a Status from upstream, for node.Config.Statuses: it goes to the
// agency it is addressed to.
func (h *Hub) Status(ctx context.Context, s *edxml.Status) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	if d.owner(s.ResponseFor.OrganID) == nil {
		h.node.Log.WarnContext(ctx, "a status from upstream is for nobody here", "from", s.From.OrganID, "for", s.ResponseFor.OrganID)
		return nil
	}
	return h.file(ctx, d, s)
}

// codeNotForwarded is the code by which the BKAV axis tells that a Document did
// not reach the national axis (trace status 999).
const codeNotForwarded = "999"

// Notify implements node.Sink: the sender of a Document that could not be
// handed upstream is told so for each receiver, by a trace of status 999.
func (h *Hub) Notify(ctx context.Context, t *node.Transfer) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	if t.Service != "" { // its sender sees it in getSentEdocList; no Status is about it
		h.node.Log.ErrorContext(ctx, "a file was given up", "transfer", t.ID, "service", t.Service, "from", t.From, "error", t.LastError)
		return nil
	}
	if t.Kind != edxml.KindDocument || d.owner(t.From) == nil {
		if h.o.Next != nil {
			return h.o.Next.Notify(ctx, t)
		}
		h.node.Log.ErrorContext(ctx, "given up", "transfer", t.ID, "kind", t.Kind, "from", t.From, "error", t.LastError)
		return nil
	}
	for _, r := range t.Receivers {
		s := &edxml.Status{
			From: edxml.Organ{OrganID: r.OrganID, OrganName: r.OrganName}, StatusCode: codeNotForwarded,
			ResponseFor: edxml.ResponseFor{OrganID: t.From, Code: t.Code, DocumentID: t.DocumentID, PromulgationDate: t.PromulgationDate},
			Description: fmt.Sprintf("Trục không chuyển được văn bản lên trục trên: %[1]s / The hub could not hand the document upstream: %[1]s", t.LastError),
			Timestamp:   edxml.TimestampOf(t.Created),
		}
		if err := h.file(ctx, d, s); err != nil {
			return err
		}
	}
	return nil
}
