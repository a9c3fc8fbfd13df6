package axistest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// document is a Document that the Axis has taken.
type document struct {
	id       string
	received time.Time
	head     edxml.Document
	to       map[string]*delivery // by receiver
	*content
}

// content is what a document holds, in every form it was asked for so far.
type content struct {
	profile edxml.Profile // as it came

	mu    sync.Mutex
	forms map[form]*transport.Packet
}

// sent is what makes two Documents of kind 0 the same to their sender.
type sent struct{ from, documentID string }

// identity is what makes a Document the same that was taken before: its
// sender, its DocumentId and its content.
type identity struct {
	sent
	digest string
}

// Accept implements edoc.Backend.
func (x *exchange) Accept(_ context.Context, s *edoc.Submission) (transport.Receipt, error) {
	x.noteDocument(s.Packet)
	in := &intake{axis: x.axis}
	receipt, kept, err := x.accept(s.Packet, in, func() (*edxml.Packet, error) { return s.Packet, in.take(s) })
	if !kept {
		in.discard()
	}
	return receipt, err
}

// accept takes a Document whose content comes with take, which returns what is
// known of the packet then.
func (x *exchange) accept(p *edxml.Packet, in *intake, take func() (*edxml.Packet, error)) (_ transport.Receipt, kept bool, _ error) {
	if err := x.receiversExist(p.Document); err != nil {
		return transport.Receipt{}, false, err
	}
	if err := x.meet(x.axis.script(p.Document)); err != nil {
		return transport.Receipt{}, false, err
	}
	in.head = *p.Document
	p, err := take()
	if err != nil {
		return transport.Receipt{}, false, err
	}
	x.entry.Document.Digest, x.entry.Document.Files = in.head.Digest(), len(in.head.Attachments)
	judged := *p
	judged.Document = &in.head
	if err := x.judge(&judged); err != nil {
		return transport.Receipt{}, false, err
	}
	receipt, kept, err := x.commit(in)
	x.entry.Number = receipt.ID
	return receipt, kept, err
}

// judge refuses a packet that breaks a rule of the axis, and says which.
func (x *exchange) judge(p *edxml.Packet) error {
	broken := edxml.Axis.Of(p.Findings)
	broken = append(slices.Clone(broken), edxml.ValidateWith(p, edxml.ValidateOptions{Now: time.Now(), Against: edxml.Axis})...)
	broken = slices.DeleteFunc(broken, func(f edxml.Finding) bool { return f.Severity != edxml.Error })
	if len(broken) == 0 {
		return nil
	}
	var vi, en strings.Builder
	for i, f := range broken {
		if x.entry.Document != nil && i < listSize {
			x.entry.Document.Findings = append(x.entry.Document.Findings, f.Rule)
		}
		if i < 5 {
			fmt.Fprintf(&vi, "%s: %s (%s). ", f.Rule, f.Message.VI, f.Clause)
			fmt.Fprintf(&en, "%s: %s (%s). ", f.Rule, f.Message.EN, f.Clause)
		}
	}
	return x.refusal("M."+broken[0].Rule, false, edxml.Text{VI: strings.TrimSpace(vi.String()), EN: strings.TrimSpace(en.String())})
}

// receiversExist refuses a Document with a receiver that nobody knows.
func (x *exchange) receiversExist(d *edxml.Document) error {
	for _, to := range d.To {
		if !x.axis.exists(to.OrganID) {
			return x.refusal(edoc.CodeUnknownReceiver, false, edxml.Text{
				VI: fmt.Sprintf("trục không có đơn vị nhận %q", to.OrganID), EN: fmt.Sprintf("the axis knows no receiver %q", to.OrganID)})
		}
	}
	return nil
}

// commit files what was taken, unless it is here already.
func (x *exchange) commit(in *intake) (receipt transport.Receipt, kept bool, err error) {
	a, d := x.axis, in.head
	key := identity{sent{d.From.OrganID, d.DocumentID}, d.Digest()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if id, here := a.same[key]; here && d.DocumentID != "" {
		return transport.Receipt{ID: id, Existed: true}, false, nil
	}
	if id, here := a.newest[key.sent]; here && d.DocumentID != "" && d.DocType() == edxml.New {
		return transport.Receipt{}, false, x.refusal(edoc.CodeOtherContent, false, edxml.Text{
			VI: fmt.Sprintf("%s đã gửi văn bản %q với nội dung khác (số %s)", d.From.OrganID, d.DocumentID, id),
			EN: fmt.Sprintf("%s has sent document %q with other content (number %s)", d.From.OrganID, d.DocumentID, id)})
	}
	c := &content{profile: in.profile, forms: map[form]*transport.Packet{{profile: in.profile}: &in.packet}}
	doc := a.add(d, c, d.To)
	a.same[key] = doc.id
	if d.DocType() == edxml.New {
		a.newest[key.sent] = doc.id
	}
	again := slices.DeleteFunc(slices.Clone(d.To), func(to edxml.Organ) bool {
		s, _ := scripted(to.OrganID)
		return s.Trouble != Twice
	})
	if x.trouble == Twice && len(again) == 0 { // by Order
		again = d.To
	}
	if len(again) > 0 {
		a.add(d, c, again)
	}
	return transport.Receipt{ID: doc.id}, true, nil
}

// add files a Document under a new number for some of its receivers.
func (a *Axis) add(d edxml.Document, c *content, receivers []edxml.Organ) *document {
	a.last++
	doc := &document{id: strconv.FormatInt(a.last, 10), received: time.Now(), head: d, content: c, to: map[string]*delivery{}}
	a.docs[doc.id] = doc
	for _, to := range receivers {
		if doc.to[to.OrganID] == nil {
			doc.to[to.OrganID] = a.deliver(to.OrganID, doc, nil)
			a.pending[to.OrganID] = append(a.pending[to.OrganID], doc.id)
		}
	}
	return doc
}

// Pending implements edoc.Backend.
func (x *exchange) Pending(_ context.Context, organ string) ([]transport.Pending, error) {
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	var list []transport.Pending
	for _, id := range x.numbers(x.axis.pending[organ]) {
		list = append(list, transport.Pending{ID: id})
	}
	return list, nil
}

// numbers notes a list of numbers and treats it as the manners say.
func (x *exchange) numbers(list []string) []string {
	list = slices.Clone(list)
	if x.doubled && len(list) > 0 {
		list = append(list, list[0])
		x.entry.Doubled = true
	}
	if x.shuffled {
		x.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	x.entry.Listed = list
	return list
}

// Document implements edoc.Backend. A Document can be collected again after
// it was confirmed.
func (x *exchange) Document(_ context.Context, organ, id string) (*transport.Packet, error) {
	doc, err := x.find("GetDocument", edoc.CodeNotReceiver, organ, id)
	if err != nil {
		return nil, err
	}
	return x.collect(doc, organ, edxml.ProfileSOAP)
}

// find returns a Document of which organ is a receiver.
func (x *exchange) find(operation, code, organ, id string) (*document, error) {
	x.entry.Number = id
	x.axis.mu.Lock()
	defer x.axis.mu.Unlock()
	if doc, here := x.axis.docs[id]; here {
		if doc.to[organ] != nil {
			return doc, nil
		}
	}
	return nil, notReceiver(operation, code, organ, id)
}

// collect gives a Document out in one of its forms, with what the receiver scripts.
func (x *exchange) collect(doc *document, organ string, profile edxml.Profile) (*transport.Packet, error) {
	s, _ := scripted(organ)
	for _, t := range []Trouble{Corrupt, Rebuild} {
		if s.Trouble == t {
			x.trouble, x.entry.Trouble = t, t
		}
	}
	p, err := doc.in(x.axis, form{profile, x.trouble == Rebuild})
	if err != nil || x.trouble != Corrupt {
		return p, err
	}
	return corrupted(p), nil
}

// notReceiver says the same of a Document that is not here and of one that is
// for others: who may not have it does not learn that it exists.
func notReceiver(operation, code, organ, id string) error {
	return &transport.Fault{Operation: operation, Code: code, Text: fmt.Sprintf(
		"%[1]s không phải nơi nhận văn bản số %[2]s / %[1]s is no receiver of document number %[2]s", organ, id)}
}

// Confirm implements edoc.Backend: the first confirmation of a receiver
// reports status 01 to the sender.
func (x *exchange) Confirm(_ context.Context, organ, id string) error {
	doc, err := x.find("ConfirmReceived", edoc.CodeConfirm, organ, id)
	if err != nil {
		return err
	}
	if s, _ := scripted(organ); s.Trouble == Ahead || s.Trouble == Behind {
		x.trouble, x.entry.Trouble = s.Trouble, s.Trouble
	}
	if x.take(doc, organ) {
		x.axis.mu.Lock()
		defer x.axis.mu.Unlock()
		x.axis.file(edxml.Status{
			From: doc.receiver(organ), ResponseFor: doc.responseFor(doc.head.From.OrganID), StatusCode: edxml.StatusArrived,
			Description: "Đã nhận văn bản về hệ thống", Timestamp: edxml.TimestampOf(x.clock()),
		})
	}
	return nil
}

// clock is the time that this exchange takes it to be.
func (x *exchange) clock() time.Time {
	switch x.trouble {
	case Ahead:
		return time.Now().Add(time.Hour)
	case Behind:
		return time.Now().Add(-time.Hour)
	}
	return time.Now()
}

// take ends the delivery of a Document to a receiver and tells whether it was
// still to be ended.
func (x *exchange) take(doc *document, organ string) bool {
	a := x.axis
	a.mu.Lock()
	defer a.mu.Unlock()
	if doc.to[organ].ended() {
		return false
	}
	a.settle(doc.to[organ], vxp.Done, "")
	return true
}

// receiver returns a receiver as the Document names it.
func (d *document) receiver(id string) edxml.Organ {
	for _, to := range d.head.To {
		if to.OrganID == id {
			return to
		}
	}
	return edxml.Organ{OrganID: id}
}

// responseFor names the Document in a Status for an organ.
func (d *document) responseFor(organ string) edxml.ResponseFor {
	return edxml.ResponseFor{
		OrganID: organ, Code: d.head.Code.String(), DocumentID: d.head.DocumentID,
		PromulgationDate: d.head.PromulgationInfo.PromulgationDate,
	}
}
