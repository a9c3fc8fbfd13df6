package axistest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// Secret is the VXP secret of every organ; its systemid is its identifier.
const Secret edxml.Secret = "test-secret"

// delivery is a Document or a Status on its way to one receiver. Over VXP it
// has a number of its own.
type delivery struct {
	id          string
	to          string
	doc         *document // either this
	trace       *trace    // or this
	created     time.Time
	updated     time.Time
	state       vxp.State
	description string
}

// ended tells whether the receiver has said its last word.
func (d *delivery) ended() bool { return d.state == vxp.Done || d.state == vxp.Fail }

// deliver makes a delivery. The Axis is locked.
func (a *Axis) deliver(to string, doc *document, t *trace) *delivery {
	d := &delivery{id: uuid.NewString(), to: to, doc: doc, trace: t, created: time.Now(), state: vxp.Waiting}
	a.deliveries[d.id] = d
	a.boxes[to] = append(a.boxes[to], d)
	return d
}

// done notes what a VXP handler made of the request.
func (x *exchange) doneVXP(c vxp.Call) {
	x.entry.Operation, x.entry.Organ, x.entry.Outcome = c.Operation, c.SystemID, "ok"
	if c.Err != nil {
		x.failed(c.Code, c.Err)
	}
}

// System implements vxp.Backend.
func (x *exchange) System(_ context.Context, id string) (vxp.System, error) {
	if !x.axis.exists(id) {
		return vxp.System{}, vxp.ErrSystem
	}
	x.entry.Organ = id
	return vxp.System{Secret: Secret, Organs: x.axis.organsOf(id)}, nil
}

// organsOf lists the organs of a systemid: its own, and those it registered.
func (a *Axis) organsOf(system string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []string{system}
	for code, r := range a.registered {
		if r.system == system {
			list = append(list, code)
		}
	}
	slices.Sort(list[1:])
	return list
}

// authentic is called first by what a signed call asks for: from here on it is
// known whose call it is.
func (x *exchange) authentic() error {
	if x.treated {
		return nil
	}
	return x.treat(x.entry.Organ)
}

// AcceptFile implements vxp.Backend.
func (x *exchange) AcceptFile(_ context.Context, f *vxp.File) (transport.Receipt, error) {
	if f.Service != "" {
		return transport.Receipt{}, &transport.Fault{Code: vxp.CodeRequest, Text: fmt.Sprintf(
			"truc thu chi nhan eDoc, khong nhan %[1]q / the test axis takes eDoc, not %[1]q", f.Service)}
	}
	if err := x.authentic(); err != nil {
		return transport.Receipt{}, err
	}
	p := *f.Packet
	d := *p.Document
	p.Document, d.To = &d, receivers(d.To, f.To)
	x.noteDocument(&p)
	x.axis.mu.Lock()
	id := x.axis.keys[f.Key]
	x.axis.mu.Unlock()
	if id != "" { // the same call again: nothing of it is looked at but the Trouble
		if err := x.meet(x.axis.script(p.Document)); err != nil {
			return transport.Receipt{}, err
		}
		x.entry.Number = id
		return transport.Receipt{ID: senderNumber(id), Existed: true}, nil
	}
	in := &intake{axis: x.axis}
	receipt, kept, err := x.accept(&p, in, func() (*edxml.Packet, error) { return in.takeFile(f.Content) })
	if !kept {
		in.discard()
	}
	if err != nil {
		return receipt, err
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	x.axis.keys[f.Key] = receipt.ID
	receipt.ID = senderNumber(receipt.ID)
	return receipt, nil
}

// receivers gives the receivers of a call the names they have in the packet.
func receivers(named []edxml.Organ, ids []string) []edxml.Organ {
	var list []edxml.Organ
	for _, id := range ids {
		o := edxml.Organ{OrganID: id}
		if i := slices.IndexFunc(named, func(n edxml.Organ) bool { return n.OrganID == id }); i >= 0 {
			o = named[i]
		}
		list = append(list, o)
	}
	return list
}

// senderNumber is the number the sender of a Document gets over VXP: 24 digits,
// as the national axis gives, and not the one of any delivery.
func senderNumber(number string) string {
	sum := sha256.Sum256([]byte("sender " + number))
	return hex.EncodeToString(sum[:12])
}

// takeFile stores a single file and reads it to its end.
func (in *intake) takeFile(content io.Reader) (*edxml.Packet, error) {
	var p *edxml.Packet
	whole, _, err := in.storing(func(w io.Writer) error {
		content := io.TeeReader(content, w)
		r, err := edxml.NewReader(content, edxml.ReadOptions{})
		if err != nil {
			return err
		}
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
		p = r.Packet()
		_, err = io.Copy(io.Discard, content)
		return err
	})
	if err != nil {
		return nil, err
	}
	in.profile, in.packet = edxml.ProfileQCVN102, transport.Packet{Envelope: whole}
	in.head.Attachments = p.Document.Attachments
	return p, nil
}

// Deliveries implements vxp.Backend.
func (x *exchange) Deliveries(_ context.Context, organs []string, q vxp.Query) ([]vxp.Delivery, error) {
	if err := x.authentic(); err != nil {
		return nil, err
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	var list []vxp.Delivery
	for _, to := range organs {
		for _, d := range x.axis.boxes[to] {
			if d.ended() || (d.doc != nil) != (q.Kind == edxml.KindDocument) {
				continue
			}
			v := vxp.Delivery{ID: d.id, Kind: q.Kind, To: to, Created: d.created.Add(skew(to)), Updated: d.updated, State: d.state, Description: d.description}
			if d.doc != nil {
				v.From = d.doc.head.From.OrganID
			} else {
				v.From = d.trace.From.OrganID
			}
			list = append(list, v)
		}
	}
	slices.SortStableFunc(list, func(a, b vxp.Delivery) int { return a.Created.Compare(b.Created) })
	if x.doubled && len(list) > 0 {
		list = append(list, list[0])
		x.entry.Doubled = true
	}
	if x.shuffled {
		x.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	for _, v := range list {
		if doc := x.axis.deliveries[v.ID].doc; doc != nil {
			x.entry.Listed = append(x.entry.Listed, doc.id)
		}
	}
	return list, nil
}

// CountDeliveries implements vxp.Backend.
func (x *exchange) CountDeliveries(ctx context.Context, organs []string, k edxml.Kind) (int, error) {
	all, err := x.Deliveries(ctx, organs, vxp.Query{Kind: k})
	return len(all), err
}

// skew is how far the clock is off for a receiver that scripts it.
func skew(to string) time.Duration {
	switch s, _ := scripted(to); s.Trouble {
	case Ahead:
		return time.Hour
	case Behind:
		return -time.Hour
	}
	return 0
}

// delivered finds a delivery to one of some organs.
func (x *exchange) delivered(organs []string, id string) (*delivery, error) {
	if err := x.authentic(); err != nil {
		return nil, err
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	d := x.axis.deliveries[id]
	if d == nil || !slices.Contains(organs, d.to) {
		return nil, &transport.Fault{Operation: x.entry.Operation, Code: vxp.CodeNotFound, Text: fmt.Sprintf(
			"không có gói tin số %[1]q cho hệ thống này / there is no packet number %[1]q for this systemid", id)}
	}
	if d.doc != nil {
		x.entry.Number = d.doc.id
	}
	return d, nil
}

// DeliveredPacket implements vxp.Backend.
func (x *exchange) DeliveredPacket(_ context.Context, organs []string, id string) (*transport.Packet, error) {
	d, err := x.delivered(organs, id)
	if err != nil {
		return nil, err
	}
	if d.doc != nil {
		return x.collect(d.doc, d.to, edxml.ProfileQCVN102)
	}
	var b bytes.Buffer
	if err := edxml.WriteStatus(&b, &d.trace.Status); err != nil {
		return nil, err
	}
	return &transport.Packet{Envelope: transport.Content{Size: int64(b.Len()), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}}}, nil
}

// UpdateDelivery implements vxp.Backend.
func (x *exchange) UpdateDelivery(_ context.Context, organs []string, id string, s vxp.State, description string) error {
	d, err := x.delivered(organs, id)
	if err != nil {
		return err
	}
	x.entry.State = string(s)
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	if d.ended() && s != d.state { // it can only be said again
		return nil
	}
	x.axis.settle(d, s, description)
	return nil
}

// settle notes the state of a delivery. The Axis is locked.
func (a *Axis) settle(d *delivery, s vxp.State, description string) {
	d.state, d.description, d.updated = s, description, time.Now()
	if d.ended() && d.doc != nil {
		a.pending[d.to] = slices.DeleteFunc(a.pending[d.to], func(other string) bool { return other == d.doc.id })
	}
}

// SentPackets implements vxp.Backend.
func (x *exchange) SentPackets(_ context.Context, organs []string, id string, k edxml.Kind) ([]vxp.Sent, error) {
	if err := x.authentic(); err != nil {
		return nil, err
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	var list []vxp.Sent
	for _, d := range x.axis.deliveries {
		if k != edxml.KindDocument || d.doc == nil || senderNumber(d.doc.id) != id || !slices.Contains(organs, d.doc.head.From.OrganID) {
			continue
		}
		s := vxp.Sent{
			ID: id, DeliveryID: d.id, Kind: k, From: d.doc.head.From.OrganID, To: d.to, Title: d.doc.head.Subject, Notation: d.doc.head.Code.String(),
			SentAt: d.doc.received, State: d.state, Description: d.description,
		}
		if d.ended() {
			s.ReceivedAt = d.updated
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b vxp.Sent) int { return cmp.Compare(a.To, b.To) })
	return list, nil
}

// registration is an organ that a systemid entered into the directory.
type registration struct {
	system, name string
}

// Register implements vxp.Backend. What the register has stays as it is.
func (x *exchange) Register(_ context.Context, system string, r vxp.Agency) error {
	if err := x.authentic(); err != nil {
		return err
	}
	if id, err := organ.Parse(r.Code); err != nil || string(id) != r.Code {
		return &transport.Fault{Operation: x.entry.Operation, Code: vxp.CodeRequest, Text: fmt.Sprintf(
			"%[1]q không phải mã định danh / %[1]q is no identifier", r.Code)}
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	if other := x.axis.registered[r.Code]; listed(r.Code) && r.Code != system || other.system != "" && other.system != system {
		return x.foreign(r.Code, system)
	}
	x.axis.registered[r.Code] = registration{system, r.Name}
	return nil
}

// foreign refuses what belongs to somebody else.
func (x *exchange) foreign(code, system string) error {
	return &transport.Fault{Operation: x.entry.Operation, Code: vxp.CodeFrom, Text: fmt.Sprintf(
		"đơn vị %[1]s không phải của hệ thống %[2]s / organ %[1]s is not of systemid %[2]s", code, system)}
}

// Unregister implements vxp.Backend.
func (x *exchange) Unregister(_ context.Context, system, code string) error {
	if err := x.authentic(); err != nil {
		return err
	}
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	if x.axis.registered[code].system != system {
		return x.foreign(code, system)
	}
	delete(x.axis.registered, code)
	return nil
}

// overVXP gives a refusal the code it has on this wire: those of the guide of
// the Lạng Sơn LGSP (v2.2). Which the national axis uses is not known.
func overVXP(code string, transient bool) string {
	switch {
	case transient:
		return "20" // error of the system
	case code == CodeRefused:
		return "23" // the receiver is locked
	case code == edoc.CodeUnknownReceiver:
		return "18"
	case strings.HasPrefix(code, "M."):
		return "22" // the packet is not what it must be
	}
	return code
}
