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

// carry puts a file of another service than edXML into mailboxes as it is: the
// hub looks at its way alone. It goes between agencies that are hosted here and
// have a VXP system; upstream, and over SOAP, there is no place for it.
func (h *Hub) carry(ctx context.Context, d *directory, sender *Agency, f *vxp.File) (transport.Receipt, error) {
	r, unreached := route{}, []string{}
	now := time.Now()
	for _, id := range f.To {
		if p, ok := d.here(id, now); ok && len(p.agency.Secret) > 0 {
			r.add(p.agency, edxml.Organ{OrganID: id})
		} else {
			unreached = append(unreached, id)
		}
	}
	if len(unreached) > 0 {
		return transport.Receipt{}, &transport.Fault{Code: vxp.CodeNotFound, Text: fmt.Sprintf(
			"dich vu %[1]q khong toi duoc: %[2]s / service %[1]q does not reach: %[2]s", f.Service, strings.Join(unreached, ", "))}
	}
	file, err := h.node.Store.Put(ctx, &counted{&metered{hub: h, agency: sender}, f.Content})
	if err != nil {
		return transport.Receipt{}, err
	}
	number, err := h.numbers.next()
	if err != nil {
		return transport.Receipt{}, err
	}
	main, err := node.Carried(node.In, node.Confirmed, file, f.Service, f.From)
	if err != nil {
		return transport.Receipt{}, err
	}
	same := fmt.Sprintf("hub carried %q %s", f.SystemID, f.Key)
	main.AxisID, main.Due, main.Finished, main.Unique = number, time.Time{}, main.Created, []string{same, numberKey(number)}
	all := []*node.Transfer{main}
	for _, b := range r.boxes {
		box, err := node.Carried(node.Box, node.Waiting, file, f.Service, f.From)
		if err != nil {
			return transport.Receipt{}, err
		}
		agency := b.agency.OrganID
		box.AxisID, box.For, box.Due, box.Receivers = number, agency, time.Time{}, receivers(b.receivers)
		main.Receivers = append(main.Receivers, box.Receivers...)
		box.Unique = []string{boxKey(agency, number)}
		box.Lookup = []string{filesKey(agency), serviceKey(agency, f.Service), sentKey(number)}
		box.Count = []string{waitingKey(agency), hadKey(agency), filesKey(agency)}
		all = append(all, box)
	}
	err = h.node.Commit(ctx, all...)
	if exists := (*node.ExistsError)(nil); errors.As(err, &exists) && exists.Key == same {
		first, err := h.node.Store.Transfer(ctx, exists.ID)
		if err != nil {
			return transport.Receipt{}, err
		}
		return transport.Receipt{ID: first.AxisID, Existed: true}, nil
	}
	return transport.Receipt{ID: number}, err
}
