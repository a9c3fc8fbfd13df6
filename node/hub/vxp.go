package hub

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// The agencies' other wire: a systemid is the OrganId of a hosted agency.

// System implements vxp.Backend.
func (h *Hub) System(ctx context.Context, systemID string) (vxp.System, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return vxp.System{}, err
	}
	a := d.hosted(systemID)
	if a == nil || len(a.Secret) == 0 || h.seal == nil || a.MovedTo != "" {
		return vxp.System{}, vxp.ErrSystem
	}
	secret, err := h.seal.open(a.OrganID, a.Secret)
	if err != nil {
		return vxp.System{}, err
	}
	if err := h.pace(a); err != nil {
		return vxp.System{}, err
	}
	return vxp.System{Secret: secret, Organs: a.speaks()}, nil
}

// AcceptFile implements vxp.Backend: what Accept is on the other wire.
func (h *Hub) AcceptFile(ctx context.Context, f *vxp.File) (transport.Receipt, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return transport.Receipt{}, err
	}
	sender := d.hosted(f.SystemID)
	if sender == nil {
		return transport.Receipt{}, vxp.ErrSystem
	}
	if sender.closed(time.Now()) {
		return transport.Receipt{}, refusal(vxp.CodeFrom, "don vi %[1]s da dong, khong gui them / organ %[1]s is closed: it sends nothing new", f.SystemID)
	}
	if f.Service != "" {
		return h.carry(ctx, d, sender, f)
	}
	to := make([]edxml.Organ, 0, len(f.To))
	for _, id := range f.To {
		o := edxml.Organ{OrganID: id}
		for _, named := range f.Packet.Document.To {
			if named.OrganID == id {
				o = named
				break
			}
		}
		to = append(to, o)
	}
	route, err := h.route(ctx, d, to)
	if err != nil {
		return transport.Receipt{}, err
	}
	doc, err := h.node.KeepFile(ctx, &counted{&metered{hub: h, agency: sender}, f.Content})
	if err != nil {
		return transport.Receipt{}, busy(err)
	}
	return h.commit(ctx, doc, route)
}

// Deliveries implements vxp.Backend: what waits in the mailboxes of these
// organs. What is edXML, what is of another service and Statuses lie apart, so
// that none hides another.
func (h *Hub) Deliveries(ctx context.Context, organs []string, q vxp.Query) ([]vxp.Delivery, error) {
	most := cmp.Or(q.Most, maxPending)
	var found []*node.Transfer
	err := h.eachBoxOf(ctx, organs, func(box string) error {
		page, err := h.waitingOn(ctx, lies(box, q), before(q.Since), most)
		found = append(found, page...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b *node.Transfer) int { return cmp.Compare(a.ID, b.ID) })
	list := make([]vxp.Delivery, 0, min(len(found), most))
	for _, t := range found {
		if len(list) == most || !q.Until.IsZero() && t.Created.After(q.Until) {
			break
		}
		to := t.For
		if t.Service != "" { // the list alone says whom it is for
			to = t.Receivers[0].OrganID
		}
		list = append(list, vxp.Delivery{
			Service: t.Service, ID: t.AxisID, Kind: q.Kind, From: t.From, To: to, Created: t.Created, Updated: t.Created, State: vxp.Waiting,
		})
	}
	return list, nil
}

// lies is the key of what a Query asks for in a mailbox.
func lies(box string, q vxp.Query) string {
	switch {
	case q.Kind == edxml.KindStatus:
		return untakenKey(box)
	case q.Service != "":
		return serviceKey(box, q.Service)
	}
	return waitingKey(box)
}

// waitingOn returns at most so many of what has a key, the oldest first.
func (h *Hub) waitingOn(ctx context.Context, key, after string, most int) (all []*node.Transfer, err error) {
	for len(all) < most {
		page, err := h.node.Store.Find(ctx, key, after, min(maxPending, most-len(all)))
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < maxPending {
			break
		}
		after = page[len(page)-1].ID
	}
	return all, nil
}

// CountDeliveries implements vxp.Backend.
func (h *Hub) CountDeliveries(ctx context.Context, organs []string, k edxml.Kind) (n int, err error) {
	err = h.eachBoxOf(ctx, organs, func(box string) error {
		if k == edxml.KindStatus { // they are not counted as they come: few ask
			all, err := h.waitingOn(ctx, untakenKey(box), "", maxStatuses)
			n += len(all)
			return err
		}
		all, err := h.node.Store.Counts(ctx, waitingKey(box))
		if err != nil {
			return err
		}
		files, err := h.node.Store.Counts(ctx, filesKey(box))
		n += int(all[waitingKey(box)] - files[filesKey(box)])
		return err
	})
	return n, err
}

// DeliveredPacket implements vxp.Backend.
func (h *Hub) DeliveredPacket(ctx context.Context, organs []string, number string) (*transport.Packet, error) {
	t, err := h.deliveryOf(ctx, organs, number)
	if err != nil {
		return nil, err
	}
	if t.Kind == edxml.KindStatus {
		var b bytes.Buffer
		if err := edxml.WriteStatus(&b, t.Status); err != nil {
			return nil, err
		}
		return &transport.Packet{Envelope: transport.Content{Size: int64(b.Len()), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(b.Bytes())), nil
		}}}, nil
	}
	if !t.Purged.IsZero() {
		return nil, noDelivery(number)
	}
	if t.Profile != edxml.ProfileQCVN102 && t.Service == "" {
		return h.recast(ctx, t) // an envelope that was written anew becomes a file on its way out
	}
	return h.packet(ctx, t), nil
}

// packet returns a stored packet in the profile in which it came.
func (h *Hub) packet(ctx context.Context, t *node.Transfer) *transport.Packet {
	p := &transport.Packet{Envelope: h.content(ctx, t.Envelope), TokenAt: t.TokenAt}
	if t.Profile == edxml.ProfileQCVN102 {
		return p
	}
	for _, part := range t.Parts {
		p.Parts = append(p.Parts, transport.Part{ID: part.ID, Type: part.Type, Content: h.content(ctx, part.Content)})
	}
	return p
}

// UpdateDelivery implements vxp.Backend. On this wire status 01 is a packet of
// its own that the receiver sends; Done reports nothing. A Document that a
// receiver failed to take in stays in its mailbox's history, and says why.
func (h *Hub) UpdateDelivery(ctx context.Context, organs []string, number string, s vxp.State, description string) error {
	t, err := h.deliveryOf(ctx, organs, number)
	if err != nil {
		return err
	}
	switch {
	case s == vxp.Fail:
		return h.end(ctx, t, node.Failed, description)
	case s != vxp.Done || t.State != node.Waiting:
		return nil
	}
	return h.end(ctx, t, node.Collected, "")
}

// deliveryOf finds a delivery to one of these organs.
func (h *Hub) deliveryOf(ctx context.Context, organs []string, number string) (*node.Transfer, error) {
	for _, id := range organs {
		t, err := h.find(ctx, id, number)
		if err != nil || t != nil {
			return t, err
		}
	}
	return nil, noDelivery(number)
}

func noDelivery(number string) error {
	return &transport.Fault{Code: vxp.CodeNotFound, Text: fmt.Sprintf(
		"khong co goi tin so %[1]s cho he thong nay / there is no delivery number %[1]s for this system", number)}
}

// SentPackets implements vxp.Backend.
func (h *Hub) SentPackets(ctx context.Context, organs []string, number string, _ edxml.Kind) ([]vxp.Sent, error) {
	found, err := h.node.Store.Find(ctx, numberKey(number), "", 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || !slices.Contains(organs, found[0].From) {
		return nil, noDelivery(number)
	}
	sent := found[0]
	var list []vxp.Sent
	for after := ""; ; {
		page, err := h.node.Store.Find(ctx, sentKey(number), after, maxPending)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			for _, r := range t.Receivers {
				list = append(list, sentTo(sent, t, r))
			}
			after = t.ID
		}
		if len(page) < maxPending {
			return list, nil
		}
	}
}

// sentTo says how far a Document is on one of its ways.
func sentTo(sent, t *node.Transfer, r node.Receiver) vxp.Sent {
	s := vxp.Sent{
		Service: sent.Service, ID: sent.AxisID, DeliveryID: t.AxisID, Kind: sent.Kind, From: sent.From, To: r.OrganID, Title: sent.Subject, Notation: sent.Code,
		SentAt: sent.Created, ReceivedAt: t.Finished, State: vxp.Waiting,
	}
	switch t.State {
	case node.Collected, node.Sent:
		s.State = vxp.Done
	case node.Failed:
		s.State, s.Description = vxp.Fail, cmp.Or(t.Refusal, t.LastError)
	}
	return s
}

// errManaged says that agencies are entered by the operator.
var errManaged = errors.New("hub: agencies are entered here by the operator (lienthong agency add)")

// Register implements vxp.Backend: nobody enters an agency from outside.
func (h *Hub) Register(context.Context, string, vxp.Agency) error { return managed() }

// Unregister implements vxp.Backend: nobody takes an agency out from outside.
func (h *Hub) Unregister(context.Context, string, string) error { return managed() }

func managed() error {
	return &transport.Fault{Code: vxp.CodeFrom, Text: "don vi do nguoi van hanh truc dang ky / agencies are registered by the operator", Err: errManaged}
}
