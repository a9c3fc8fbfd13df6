package vxp

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// timeLayout is how lists and filters write a moment, in Vietnam's time. The
// axis's own form is not known; the filters' is (public usage code).
const timeLayout = "02/01/2006 15:04:05"

// State is what a receiver has said about a delivery (updateStatus). It is not
// a Status: those are packets, and say what became of the Document.
type State string

// The states of a delivery (vendor's sample). Done and Fail end it.
const (
	Waiting    State = "initial"    // nothing said yet
	Processing State = "processing" // being collected
	Done       State = "done"       // safe at the receiver
	Fail       State = "fail"       // the receiver could not take it
)

// Delivery is a packet that waits for one receiver.
type Delivery struct {
	ID          string // the axis's number for it, not the one its sender got
	Kind        edxml.Kind
	Service     string // servicetype of what is no edXML, "" for edXML
	From, To    string // OrganIds
	Created     time.Time
	Updated     time.Time
	State       State
	Description string // of the State
}

// Sent is what became of a sent packet at one of its receivers.
type Sent struct {
	ID          string // the number its sender got
	DeliveryID  string // the receiver's
	Kind        edxml.Kind
	Service     string // servicetype of what is no edXML, "" for edXML
	From, To    string // OrganIds
	Title       string // Subject of the Document
	Notation    string // its number and notation
	SentAt      time.Time
	ReceivedAt  time.Time
	State       State // what the receiver said
	Description string
}

// Agency is an organ as the axis's directory has it.
type Agency struct {
	ID      string // the axis's own number
	PID     string // that of the organ above it
	Code    string // OrganId
	Parent  string // OrganId of the organ above it; only in Register
	Name    string
	Mail    string
	Mobile  string // only in Register
	Fax     string // only in Register
	OldCode string // its identifier of the other generation
}

// Unit is an organ as getSynchronizeUnit gives it.
type Unit struct {
	Agency
	Version    int
	CenterCode string
	Deleted    bool
	Modified   string // as the axis writes it
	IsAgency   bool
}

// received is a Delivery on the wire.
type received struct {
	DocID       scalar `json:"docId"`
	ServiceType scalar `json:"serviceType,omitempty"`
	MessageType scalar `json:"messageType,omitempty"`
	Created     scalar `json:"created_time,omitempty"`
	Updated     scalar `json:"updated_time,omitempty"`
	From        scalar `json:"from,omitempty"`
	To          scalar `json:"to,omitempty"`
	Status      scalar `json:"status,omitempty"`
	StatusDesc  scalar `json:"status_desc,omitempty"`
}

// sent is a Sent on the wire.
type sent struct {
	SenderDocID       scalar `json:"senderDocId"`
	ReceiverDocID     scalar `json:"receiverDocId,omitempty"`
	ServiceType       scalar `json:"serviceType,omitempty"`
	MessageType       scalar `json:"messageType,omitempty"`
	FromCode          scalar `json:"fromCode,omitempty"`
	ToCode            scalar `json:"toCode,omitempty"`
	Title             scalar `json:"title,omitempty"`
	Notation          scalar `json:"notation,omitempty"`
	SentTime          scalar `json:"sentTime,omitempty"`
	ReceivedTime      scalar `json:"receivedTime,omitempty"`
	SendStatus        scalar `json:"sendStatus,omitempty"`
	SendStatusDesc    scalar `json:"sendStatusDesc,omitempty"`
	ReceiveStatus     scalar `json:"receiveStatus,omitempty"`
	ReceiveStatusDesc scalar `json:"receiveStatusDesc,omitempty"`
}

// agency is an Agency on the wire, in all its forms.
type agency struct {
	ID         scalar `json:"id,omitempty"`
	PID        scalar `json:"pid,omitempty"`
	PCode      scalar `json:"pcode,omitempty"`
	Code       scalar `json:"code"`
	Name       scalar `json:"name,omitempty"`
	Mail       scalar `json:"mail,omitempty"`
	Mobile     scalar `json:"mobile,omitempty"`
	Fax        scalar `json:"fax,omitempty"`
	OldCode    scalar `json:"oldCode,omitempty"`
	Code102    scalar `json:"code102,omitempty"`
	Version    scalar `json:"version,omitempty"`
	CenterCode scalar `json:"centerCode,omitempty"`
	Deleted    scalar `json:"deleted,omitempty"`
	ModifyDate scalar `json:"modifyDate,omitempty"`
	IsAgency   scalar `json:"isAgency,omitempty"`
}

// messageType is a Kind as the wire names it.
func messageType(k edxml.Kind) string {
	if k == edxml.KindStatus {
		return "status"
	}
	return "edoc"
}

// kindOf reads a messageType; the wire's own default is edoc.
func kindOf(s scalar) edxml.Kind {
	if strings.EqualFold(string(s), "status") {
		return edxml.KindStatus
	}
	return edxml.KindDocument
}

// moment reads a time of a list in the forms seen, zero for any other.
func moment(s scalar) time.Time {
	t, err := edxml.Timestamp(s).Time() // knows the form of this wire, too
	if err != nil {
		return time.Time{}
	}
	return t
}

// serviceOf reads a serviceType, "" for edXML.
func serviceOf(s scalar) string {
	if strings.EqualFold(string(s), "edoc") {
		return ""
	}
	return string(s)
}

func (w received) delivery() Delivery {
	return Delivery{
		Service: serviceOf(w.ServiceType), ID: string(w.DocID), Kind: kindOf(w.MessageType), From: string(w.From), To: string(w.To), Created: moment(w.Created),
		Updated: moment(w.Updated), State: State(w.Status), Description: string(w.StatusDesc),
	}
}

func (w sent) sent() Sent {
	return Sent{
		Service: serviceOf(w.ServiceType), ID: string(w.SenderDocID), DeliveryID: string(w.ReceiverDocID), Kind: kindOf(w.MessageType), From: string(w.FromCode),
		To: string(w.ToCode), Title: string(w.Title), Notation: string(w.Notation), SentAt: moment(w.SentTime),
		ReceivedAt: moment(w.ReceivedTime), State: State(w.ReceiveStatus), Description: string(w.ReceiveStatusDesc),
	}
}

func (w agency) agency() Agency {
	old := w.OldCode
	if old == "" {
		old = w.Code102
	}
	return Agency{
		ID: string(w.ID), PID: string(w.PID), Parent: string(w.PCode), Code: strings.TrimSpace(string(w.Code)), Name: string(w.Name),
		Mail: string(w.Mail), Mobile: string(w.Mobile), Fax: string(w.Fax), OldCode: strings.TrimSpace(string(old)),
	}
}

// list makes a call that answers with a list.
func list[T any](ctx context.Context, c *Client, op string, params []param, each func(T) error) error {
	_, err := c.ask(ctx, call{op: op, params: params}, "directory", c.Limits.withDefaults().Directory,
		func(r *reader) error { return listed(r, each) })
	return err
}

// Deliveries lists what waits, Documents or Statuses, in the axis's order. A
// delivery that has no number is left out, unless none has one.
func (c *Client) Deliveries(ctx context.Context, k edxml.Kind) ([]Delivery, error) {
	return c.deliveries(ctx, "eDoc", k)
}

// Carried lists what waits of another service than edXML.
func (c *Client) Carried(ctx context.Context, service string) ([]Delivery, error) {
	return c.deliveries(ctx, service, edxml.KindDocument)
}

func (c *Client) deliveries(ctx context.Context, service string, k edxml.Kind) ([]Delivery, error) {
	var all []Delivery
	nameless := 0
	err := list(ctx, c, opReceived, []param{{paramService, service}, {paramMessage, messageType(k)}}, func(w received) error {
		if w.DocID = scalar(strings.TrimSpace(string(w.DocID))); w.DocID == "" {
			nameless++
			return nil
		}
		d := w.delivery()
		d.Kind = k
		all = append(all, d)
		return nil
	})
	if err == nil && nameless > 0 && len(all) == 0 {
		err = c.unreached(ctx, opReceived, &FieldError{Field: "data[].docId", Fault: "missing"})
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Pending lists what waits to be collected, by the numbers of the deliveries:
// Documents, and the files of Services. Nothing is removed by listing.
func (c *Client) Pending(ctx context.Context) ([]transport.Pending, error) {
	deliveries, err := c.Deliveries(ctx, edxml.KindDocument)
	if err != nil {
		return nil, err
	}
	pending := make([]transport.Pending, 0, len(deliveries))
	for _, d := range deliveries {
		pending = append(pending, transport.Pending{ID: d.ID, For: d.To})
	}
	for _, service := range c.Services {
		files, err := c.Carried(ctx, service)
		if err != nil {
			return nil, err
		}
		for _, d := range files {
			pending = append(pending, transport.Pending{ID: d.ID, For: d.To, Service: service, From: d.From})
		}
	}
	return pending, nil
}

// Sent tells what became of a sent packet at each of its receivers, by the
// number in its Receipt.
func (c *Client) Sent(ctx context.Context, id string, k edxml.Kind) ([]Sent, error) {
	var all []Sent
	err := list(ctx, c, opSent, []param{{paramService, "eDoc"}, {paramMessage, messageType(k)}, {paramID, id}}, func(w sent) error {
		all = append(all, w.sent())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Count returns how many deliveries of a kind wait.
func (c *Client) Count(ctx context.Context, k edxml.Kind) (int, error) {
	op := opCount
	if k == edxml.KindStatus {
		op = opCountStatus
	}
	a, err := c.ask(ctx, call{op: op, body: braces, size: 2}, "answer", c.Limits.withDefaults().Answer, nil)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(a.count)
	if err != nil || n < 0 {
		return 0, c.unreached(ctx, op, &FieldError{Field: "count", Fault: "not a number"})
	}
	return n, nil
}

// Agencies hands out the axis's directory, one entry after the other, as it
// arrives. After an error what was handed out does not count.
func (c *Client) Agencies(ctx context.Context, each func(Agency) error) error {
	return c.agencies(ctx, opAgencies, nil, each)
}

// AgenciesQD20 hands out the directory by the identifiers of QĐ
// 20/2020/QĐ-TTg of one level, 1 the highest.
func (c *Client) AgenciesQD20(ctx context.Context, level int, each func(Agency) error) error {
	return c.agencies(ctx, opAgenciesQD20, []param{{paramLevel, strconv.Itoa(level)}}, each)
}

func (c *Client) agencies(ctx context.Context, op string, params []param, each func(Agency) error) error {
	return told(list(ctx, c, op, params, func(w agency) error {
		if a := w.agency(); a.Code != "" {
			return own(each(a))
		}
		return nil
	}))
}

// Units hands out the directory as the axis gives it to be mirrored.
func (c *Client) Units(ctx context.Context, each func(Unit) error) error {
	return told(list(ctx, c, opUnits, nil, func(w agency) error {
		version, _ := strconv.Atoi(string(w.Version)) // 0 where there is none
		return own(each(Unit{
			Agency: w.agency(), Version: version, CenterCode: string(w.CenterCode), Deleted: strings.EqualFold(string(w.Deleted), "true"),
			Modified: string(w.ModifyDate), IsAgency: strings.EqualFold(string(w.IsAgency), "true"),
		}))
	}))
}

// callerError is an error of the function that takes a list: it goes back as it is.
type callerError struct{ error }

func own(err error) error {
	if err == nil {
		return nil
	}
	return callerError{err}
}

// told gives an error of the caller's function back to the caller.
func told(err error) error {
	var mine callerError
	if errors.As(err, &mine) {
		return mine.error
	}
	return err
}

// Organs returns the axis's directory. An organ that has an identifier of the
// other generation beside its own stands in the list under both.
func (c *Client) Organs(ctx context.Context) ([]edxml.Organ, error) {
	var organs []edxml.Organ
	err := c.Agencies(ctx, func(a Agency) error {
		o := edxml.Organ{OrganID: a.Code, OrganName: a.Name, Email: a.Mail}
		organs = append(organs, o)
		if a.OldCode != "" && a.OldCode != a.Code {
			o.OrganID = a.OldCode
			organs = append(organs, o)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return organs, nil
}
