package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/vxp"
)

// Files of other services than edXML are carried as they are: the hub looks at
// their way alone. Only the VXP wire has services, so a receiver here needs a
// VXP system, and one elsewhere an upstream axis on that wire.

// carry puts a file into mailboxes and on its way upstream, all in one commit.
func (h *Hub) carry(ctx context.Context, d *directory, sender *Agency, f *vxp.File) (transport.Receipt, error) {
	r, err := h.carriedRoute(ctx, d, f)
	if err != nil {
		return transport.Receipt{}, err
	}
	file, err := h.node.Store.Put(ctx, &counted{&metered{hub: h, agency: sender}, f.Content})
	if err != nil {
		return transport.Receipt{}, err
	}
	same := fmt.Sprintf("hub carried %q %s %s", f.From, f.Key, file.SHA256)
	for {
		all, err := h.carriedWays(r, file, f, same)
		if err != nil {
			return transport.Receipt{}, err
		}
		err = h.node.Commit(ctx, all...)
		exists := (*node.ExistsError)(nil)
		switch {
		case !errors.As(err, &exists):
			return transport.Receipt{ID: all[0].AxisID}, err
		case exists.Key == same:
			first, err := h.node.Store.Transfer(ctx, exists.ID)
			if err != nil {
				return transport.Receipt{}, err
			}
			return transport.Receipt{ID: first.AxisID, Existed: true}, nil
		} // else another node on this store was faster with a number
	}
}

// carriedWays makes the Transfers of a file: what its sender handed in first,
// then a delivery for every receiver here, and one way for all upstream.
func (h *Hub) carriedWays(r route, file node.Content, f *vxp.File, same string) ([]*node.Transfer, error) {
	number, err := h.numbers.next()
	if err != nil {
		return nil, err
	}
	c := transport.Carriage{Service: f.Service, From: f.From, To: f.To, Key: f.Key}
	main, err := node.Carried(node.In, node.Confirmed, file, c)
	if err != nil {
		return nil, err
	}
	main.AxisID, main.Due, main.Finished, main.Unique = number, time.Time{}, main.Created, []string{same, numberKey(number)}
	for _, w := range r.warnings {
		main.Findings = append(main.Findings, edxml.FindingText{Rule: "HUB-1", Severity: edxml.Warning, Message: w.EN})
	}
	all := []*node.Transfer{main}
	for _, b := range r.boxes {
		for _, to := range b.receivers {
			box, err := h.carriedBox(file, c, b.agency, to.OrganID)
			if err != nil {
				return nil, err
			}
			box.Lookup = append(box.Lookup, sentKey(number))
			all = append(all, box)
		}
	}
	if len(r.upstream) > 0 {
		c.To = nil
		for _, o := range r.upstream {
			c.To = append(c.To, o.OrganID)
		}
		out, err := node.Carried(node.Out, node.Queued, file, c)
		if err != nil {
			return nil, err
		}
		out.Unique, out.Lookup = []string{same + " out"}, []string{sentKey(number)}
		all = append(all, out)
	}
	return all, nil
}

// carriedBox makes the delivery of a file to one receiver: the file does not
// say whom it is for, so that each has one of its own.
func (h *Hub) carriedBox(file node.Content, c transport.Carriage, a *Agency, to string) (*node.Transfer, error) {
	number, err := h.numbers.next()
	if err != nil {
		return nil, err
	}
	c.To = []string{to}
	box, err := node.Carried(node.Box, node.Waiting, file, c)
	if err != nil {
		return nil, err
	}
	agency := a.OrganID
	box.AxisID, box.For, box.Due = number, agency, time.Time{}
	box.Unique = []string{boxKey(agency, number)}
	box.Lookup = []string{filesKey(agency), serviceKey(agency, c.Service)}
	box.Count = []string{waitingKey(agency), hadKey(agency), filesKey(agency)}
	return box, nil
}

// carriedRoute resolves every receiver of a file; it names all of those that
// the file cannot reach, and says why.
func (h *Hub) carriedRoute(ctx context.Context, d *directory, f *vxp.File) (route, error) {
	var r route
	up, err := h.upstream(ctx)
	if err != nil {
		return r, err
	}
	var unknown, soap, above []edxml.Text
	now := time.Now()
	for _, id := range f.To {
		p, o := h.resolve(d, up, id, now), edxml.Organ{OrganID: id}
		switch {
		case p.agency != nil && len(p.agency.Secret) > 0:
			r.add(p.agency, o)
		case p.agency != nil:
			soap = append(soap, edxml.Text{VI: id, EN: id})
		case p.upstream && h.o.Upstream == VXP:
			r.upstream = append(r.upstream, o)
		case p.upstream:
			above = append(above, edxml.Text{VI: id, EN: id})
		default:
			unknown = append(unknown, p.warning)
			continue
		}
		if p.warning.EN != "" {
			r.warnings = append(r.warnings, p.warning)
		}
	}
	var vi, en []string
	for _, u := range []struct {
		who []edxml.Text
		why edxml.Text
	}{
		{unknown, edxml.Text{VI: "khong biet", EN: "not known"}},
		{soap, edxml.Text{VI: "khong co he thong VXP o truc nay", EN: "no VXP system on this hub"}},
		{above, edxml.Text{VI: "o truc tren, noi chi noi qua SOAP, chi nhan edXML", EN: "upstream, where the wire is SOAP and carries edXML only"}},
	} {
		if len(u.who) > 0 {
			namesVI, namesEN := named(u.who)
			vi, en = append(vi, namesVI+" ("+u.why.VI+")"), append(en, namesEN+" ("+u.why.EN+")")
		}
	}
	if len(en) > 0 {
		return r, &transport.Fault{Operation: "sendEdoc", Code: vxp.CodeNotFound, Text: fmt.Sprintf(
			"dich vu %[1]q khong toi duoc: %[2]s / service %[1]q does not reach: %[3]s", f.Service, strings.Join(vi, "; "), strings.Join(en, "; "))}
	}
	return r, h.roomFor(ctx, r.boxes)
}

// deliverCarried puts a file from upstream into the mailbox of its receiver,
// once.
func (h *Hub) deliverCarried(ctx context.Context, d *directory, t *node.Transfer) error {
	var all []*node.Transfer
	now := time.Now()
	for _, to := range t.Receivers {
		p, ok := d.here(to.OrganID, now)
		if !ok {
			h.node.Log.WarnContext(ctx, "a file from upstream is for nobody here", "transfer", t.ID, "service", t.Service, "for", to.OrganID)
			continue
		}
		if len(p.agency.Secret) == 0 {
			h.node.Log.WarnContext(ctx, "a file waits for an agency that has no VXP system to collect it", "transfer", t.ID, "service", t.Service, "agency", p.agency.OrganID)
		}
		box, err := h.carriedBox(t.Envelope, transport.Carriage{Service: t.Service, From: t.From, Key: t.DocumentID}, p.agency, to.OrganID)
		if err != nil {
			return err
		}
		box.Unique = append(box.Unique, fmt.Sprintf("hub carried from %s to %s", t.ID, to.OrganID))
		all = append(all, box)
	}
	return h.each(ctx, all)
}
