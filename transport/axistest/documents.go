package axistest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// document is a Document that the Axis has taken.
type document struct {
	id       string
	received time.Time
	head     edxml.Document
	packet   *transport.Packet
	arrived  map[string]bool // receivers that confirmed it; a receiver that has not is false
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
func (b backend) Accept(ctx context.Context, s *edoc.Submission) (transport.Receipt, error) {
	d := s.Packet.Document
	if err := b.receiversExist(d); err != nil {
		return transport.Receipt{}, err
	}
	in := &intake{axis: b.Axis, head: *d}
	if err := in.take(s); err != nil {
		in.discard()
		return transport.Receipt{}, err
	}
	receipt, kept, err := b.commit(in)
	if !kept {
		in.discard()
	}
	return receipt, err
}

// receiversExist refuses a Document with a receiver that nobody knows.
func (a *Axis) receiversExist(d *edxml.Document) error {
	for _, to := range d.To {
		if !exists(to.OrganID) {
			return &transport.Fault{Operation: "SendDocument", Code: edoc.CodeUnknownReceiver, Text: fmt.Sprintf(
				"trục không có đơn vị nhận %q / the axis knows no receiver %q", to.OrganID, to.OrganID)}
		}
	}
	return nil
}

// commit files what was taken, unless it is here already.
func (a *Axis) commit(in *intake) (receipt transport.Receipt, kept bool, err error) {
	d := in.head
	key := identity{sent{d.From.OrganID, d.DocumentID}, d.Digest()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if id, here := a.same[key]; here && d.DocumentID != "" {
		return transport.Receipt{ID: id, Existed: true}, false, nil
	}
	if id, here := a.newest[key.sent]; here && d.DocumentID != "" && d.DocType() == edxml.New {
		return transport.Receipt{}, false, &transport.Fault{Operation: "SendDocument", Code: edoc.CodeOtherContent, Text: fmt.Sprintf(
			"%[1]s đã gửi văn bản %[2]q với nội dung khác (số %[3]s) / %[1]s has sent document %[2]q with other content (number %[3]s)",
			d.From.OrganID, d.DocumentID, id)}
	}
	a.last++
	doc := &document{id: strconv.FormatInt(a.last, 10), received: time.Now(), head: d, packet: &in.packet, arrived: map[string]bool{}}
	a.docs[doc.id], a.same[key] = doc, doc.id
	if d.DocType() == edxml.New {
		a.newest[key.sent] = doc.id
	}
	for _, to := range d.To {
		if _, twice := doc.arrived[to.OrganID]; !twice {
			doc.arrived[to.OrganID] = false
			a.pending[to.OrganID] = append(a.pending[to.OrganID], doc.id)
		}
	}
	return transport.Receipt{ID: doc.id}, true, nil
}

// Pending implements edoc.Backend.
func (b backend) Pending(_ context.Context, organ string) ([]transport.Pending, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []transport.Pending
	for _, id := range b.pending[organ] {
		list = append(list, transport.Pending{ID: id})
	}
	return list, nil
}

// Document implements edoc.Backend. A Document can be collected again after
// it was confirmed.
func (b backend) Document(_ context.Context, organ, id string) (*transport.Packet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if doc, here := b.docs[id]; here {
		if _, receiver := doc.arrived[organ]; receiver {
			return doc.packet, nil
		}
	}
	return nil, notReceiver("GetDocument", edoc.CodeNotReceiver, organ, id)
}

// notReceiver says the same of a Document that is not here and of one that is
// for others: who may not have it does not learn that it exists.
func notReceiver(operation, code, organ, id string) error {
	return &transport.Fault{Operation: operation, Code: code, Text: fmt.Sprintf(
		"%[1]s không phải nơi nhận văn bản số %[2]s / %[1]s is no receiver of document number %[2]s", organ, id)}
}

// Confirm implements edoc.Backend: the first confirmation of a receiver
// reports status 01 to the sender.
func (b backend) Confirm(_ context.Context, organ, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	doc, here := b.docs[id]
	if !here {
		return notReceiver("ConfirmReceived", edoc.CodeConfirm, organ, id)
	}
	arrived, receiver := doc.arrived[organ]
	if !receiver {
		return notReceiver("ConfirmReceived", edoc.CodeConfirm, organ, id)
	}
	if arrived {
		return nil
	}
	doc.arrived[organ] = true
	b.pending[organ] = slices.DeleteFunc(b.pending[organ], func(other string) bool { return other == id })
	b.file(edxml.Status{
		From: doc.receiver(organ), ResponseFor: doc.responseFor(doc.head.From.OrganID), StatusCode: edxml.StatusArrived,
		Description: "Đã nhận văn bản về hệ thống", Timestamp: edxml.TimestampOf(time.Now()),
	})
	return nil
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

// intake is a Document being taken: its contents become files.
type intake struct {
	axis   *Axis
	head   edxml.Document
	packet transport.Packet
	files  []string
	octets int64
}

// take stores the envelope and the files of a Submission.
func (in *intake) take(s *edoc.Submission) error {
	content, _, err := in.store(bytes.NewReader(s.Envelope))
	if err != nil {
		return err
	}
	in.packet = transport.Packet{Envelope: content, TokenAt: s.Packet.HeaderEnd}
	for {
		piece, err := s.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		content, sum, err := in.store(piece.Content)
		if err != nil {
			return err
		}
		in.head.Attachments = append(in.head.Attachments, edxml.Attachment{ContentID: piece.ID, Size: content.Size, SHA256: sum})
		in.packet.Parts = append(in.packet.Parts, transport.Part{ID: piece.ID, Type: piece.Type, Content: content})
	}
}

// store writes one content to a file.
func (in *intake) store(r io.Reader) (transport.Content, string, error) {
	dir, err := in.axis.folder()
	if err != nil {
		return transport.Content{}, "", err
	}
	f, err := os.CreateTemp(dir, "content-")
	if err != nil {
		return transport.Content{}, "", err
	}
	name := filepath.Join(dir, filepath.Base(f.Name()))
	in.files = append(in.files, name)
	hash := sha256.New()
	n, err := io.Copy(&metered{w: io.MultiWriter(f, hash), in: in}, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return transport.Content{}, "", err
	}
	return transport.Content{Size: n, Open: func() (io.ReadCloser, error) { return os.Open(name) }}, hex.EncodeToString(hash.Sum(nil)), nil
}

// discard removes what was stored.
func (in *intake) discard() {
	for _, name := range in.files {
		os.Remove(name) // Close removes what stays
	}
	in.axis.grow(-in.octets)
}

// metered counts what is stored against Options.Total.
type metered struct {
	w  io.Writer
	in *intake
}

func (m *metered) Write(p []byte) (int, error) {
	m.in.octets += int64(len(p))
	if m.in.axis.grow(int64(len(p))) > m.in.axis.o.Total {
		return 0, &transport.Fault{Operation: "SendDocument", Code: edoc.CodeSave, Transient: true, Text: fmt.Sprintf(
			"trục thử đã đầy (%[1]d byte) / the test axis is full (%[1]d bytes)", m.in.axis.o.Total)}
	}
	return m.w.Write(p)
}

// grow accounts for octets stored or removed and returns how many there are.
func (a *Axis) grow(n int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stored += n
	return a.stored
}
