package hub

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// Accept implements edoc.Backend: the Document is put, receiver by receiver,
// into mailboxes here or on its way upstream, all in one commit.
func (h *Hub) Accept(ctx context.Context, s *edoc.Submission) (transport.Receipt, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return transport.Receipt{}, err
	}
	sender := d.hosted(s.Organ)
	if sender == nil {
		return transport.Receipt{}, refusal(edoc.CodePermission, "đơn vị %[1]s không còn ở trục này / organ %[1]s is no longer hosted here", s.Organ)
	}
	if sender.closed(time.Now()) {
		return transport.Receipt{}, refusal(edoc.CodePermission, "đơn vị %[1]s đã đóng, không gửi thêm / organ %[1]s is closed: it sends nothing new", s.Organ)
	}
	route, err := h.route(ctx, d, s.Packet.Document.To)
	if err != nil {
		return transport.Receipt{}, err
	}
	doc, err := h.node.Keep(ctx, s.Envelope, &metered{hub: h, agency: sender, next: s.Next, octets: int64(len(s.Envelope))})
	if err != nil {
		return transport.Receipt{}, busy(err)
	}
	return h.commit(ctx, doc, route)
}

// busy makes a Fault that passes of a node that takes in as much as it can.
func busy(err error) error {
	if !errors.Is(err, node.ErrBusy) {
		return err
	}
	return &transport.Fault{Operation: "SendDocument", Code: edoc.CodeBusy, Transient: true, RetryAfter: 5 * time.Second, Text: "trục đang nhận quá nhiều văn bản cùng lúc, thử lại sau 5 giây / " +
		"the axis takes in too many documents at once, try again in 5 seconds"}
}

// refusal is a permanent Fault of SendDocument.
func refusal(code, text string, args ...any) error {
	return &transport.Fault{Operation: "SendDocument", Code: code, Text: fmt.Sprintf(text, args...)}
}

// route says which receivers are hosted here and which are upstream.
type route struct {
	boxes    []mailbox     // each once
	upstream []edxml.Organ // as the packet names them
	warnings []edxml.Text
}

// mailbox is an agency with the receivers of one Document whose mail it has.
type mailbox struct {
	agency    *Agency
	receivers []edxml.Organ
}

// add puts a receiver into its mailbox; one that is named by both of its
// identifiers is one receiver.
func (r *route) add(a *Agency, o edxml.Organ) {
	i := slices.IndexFunc(r.boxes, func(b mailbox) bool { return b.agency == a })
	if i < 0 {
		i = len(r.boxes)
		r.boxes = append(r.boxes, mailbox{agency: a})
	}
	b, same := &r.boxes[i], forms(o.OrganID)
	if !slices.ContainsFunc(b.receivers, func(other edxml.Organ) bool { return slices.Contains(same, other.OrganID) }) {
		b.receivers = append(b.receivers, o)
	}
}

// route resolves every receiver; it names all of those that nobody knows.
func (h *Hub) route(ctx context.Context, d *directory, to []edxml.Organ) (route, error) {
	var r route
	var unknown []edxml.Text
	up, err := h.upstream(ctx)
	if err != nil {
		return r, err
	}
	now := time.Now()
	for _, o := range to {
		p := h.resolve(d, up, o.OrganID, now)
		switch {
		case p.agency != nil:
			r.add(p.agency, o)
		case p.upstream:
			r.upstream = append(r.upstream, o)
		default:
			unknown = append(unknown, p.warning)
			continue
		}
		if p.warning.EN != "" {
			r.warnings = append(r.warnings, p.warning)
		}
	}
	if len(unknown) > 0 {
		vi, en := named(unknown)
		return r, refusal(edoc.CodeUnknownReceiver, "không biết %[1]d nơi nhận: %[2]s / %[1]d receivers are not known: %[3]s", len(unknown), vi, en)
	}
	return r, h.roomFor(ctx, r.boxes)
}

// named puts names in a row, the first 20 of them, in both languages.
func named(names []edxml.Text) (vi, en string) {
	for i, n := range names[:min(len(names), 20)] {
		if i > 0 {
			vi, en = vi+", ", en+", "
		}
		vi, en = vi+n.VI, en+n.EN
	}
	return vi, en
}

// roomFor refuses a Document for an agency that has left too many uncollected.
func (h *Hub) roomFor(ctx context.Context, boxes []mailbox) error {
	prefix := waitingKey("")
	if len(boxes) == 1 {
		prefix = waitingKey(boxes[0].agency.OrganID)
	}
	waiting, err := h.node.Store.Counts(ctx, prefix)
	if err != nil {
		return err
	}
	for _, b := range boxes {
		id := b.agency.OrganID
		if n := waiting[waitingKey(id)]; n >= h.limits(b.agency).Waiting {
			return &transport.Fault{Operation: "SendDocument", Code: edoc.CodeBusy, Transient: true, Text: fmt.Sprintf(
				"hộp thư của %[1]s đã đầy: %[2]d văn bản chưa lấy / the mailbox of %[1]s is full: %[2]d documents are not collected", id, n)}
		}
	}
	return nil
}

// Upstream returns the directory of the upstream axis, which says how old it is;
// nil without an axis.
func (h *Hub) Upstream(ctx context.Context) (*node.Directory, error) {
	if h.node.Axis == nil {
		return nil, nil
	}
	return h.node.Directory(ctx)
}

// upstream returns what the upstream axis knows: nil without an axis, everybody
// as long as it has given no directory.
func (h *Hub) upstream(ctx context.Context) (known, error) {
	dir, err := h.Upstream(ctx)
	if err != nil || dir == nil {
		return nil, err
	}
	if dir.Empty() {
		return func(string) bool { return true }, nil
	}
	return dir.Knows, nil
}

// commit stores a Document with all its ways: the Receipt of the first time
// when it was taken before.
func (h *Hub) commit(ctx context.Context, doc *node.Stored, r route) (transport.Receipt, error) {
	number, err := h.numbers.next()
	if err != nil {
		return transport.Receipt{}, err
	}
	main, err := doc.Transfer(node.In, node.Confirmed)
	if err != nil {
		return transport.Receipt{}, err
	}
	main.AxisID, main.Due, main.Finished = number, time.Time{}, main.Created
	same, name := sameKey(main), nameKey(main)
	main.Unique = []string{same, numberKey(number)}
	if main.DocType == edxml.New && main.DocumentID != "" {
		main.Unique = append(main.Unique, name)
	}
	for _, w := range r.warnings {
		main.Findings = append(main.Findings, edxml.FindingText{Rule: "HUB-1", Severity: edxml.Warning, Message: w.EN})
	}
	all := []*node.Transfer{main}
	for _, b := range r.boxes {
		box, err := h.box(doc, b, number)
		if err != nil {
			return transport.Receipt{}, err
		}
		all = append(all, box)
	}
	if len(r.upstream) > 0 {
		out, err := h.onward(ctx, doc, r.upstream)
		if err != nil {
			return transport.Receipt{}, err
		}
		out.Unique = []string{same + " out"}
		out.Lookup = append(out.Lookup, sentKey(number))
		all = append(all, out)
	}
	err = h.node.Commit(ctx, all...)
	var exists *node.ExistsError
	if !errors.As(err, &exists) {
		return transport.Receipt{ID: number}, err
	}
	switch exists.Key {
	case numberKey(number): // another node on this store was faster
		return h.commit(ctx, doc, r)
	case same:
		first, err := h.node.Store.Transfer(ctx, exists.ID)
		if err != nil {
			return transport.Receipt{}, err
		}
		return transport.Receipt{ID: first.AxisID, Existed: true}, nil
	case name:
		return transport.Receipt{}, refusal(edoc.CodeOtherContent,
			"%[1]s đã gửi văn bản %[2]q với nội dung khác / %[1]s has sent document %[2]q with other content", main.From, main.DocumentID)
	}
	// It came another way before, to some of its receivers: the others get it.
	return transport.Receipt{ID: number}, h.each(ctx, all)
}

// onward makes the way of a Document upstream, in the profile of that wire.
func (h *Hub) onward(ctx context.Context, doc *node.Stored, to []edxml.Organ) (*node.Transfer, error) {
	doc, err := h.node.Recast(ctx, doc, h.o.Upstream.Profile())
	if err != nil {
		return nil, err
	}
	t, err := doc.Transfer(node.Out, node.Queued)
	if err != nil {
		return nil, err
	}
	t.Receivers = receivers(to)
	return t, nil
}

// each commits Transfers one by one; those that are there already are done. A
// number that another node gave at the same moment is an error: trying again
// gives another.
func (h *Hub) each(ctx context.Context, all []*node.Transfer) error {
	for _, t := range all {
		err := h.node.Commit(ctx, t)
		if exists := (*node.ExistsError)(nil); errors.As(err, &exists) && exists.Key != boxKey(t.For, t.AxisID) {
			h.node.Log.InfoContext(ctx, "seen before", "transfer", exists.ID, "direction", t.Direction, "document", t.DocumentID)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func receivers(organs []edxml.Organ) []node.Receiver {
	all := make([]node.Receiver, 0, len(organs))
	for _, o := range organs {
		if !slices.ContainsFunc(all, func(r node.Receiver) bool { return r.OrganID == o.OrganID }) {
			all = append(all, node.Receiver{OrganID: o.OrganID, OrganName: o.OrganName})
		}
	}
	return all
}

// numbers gives Documents and Statuses their numbers.
type numbers struct {
	mu   sync.Mutex
	last int64
}

// next returns a number: 48 bits of time and 15 at random, or one more than the
// last one here. Those of other nodes on the same store a store tells apart:
// whoever gets an *ExistsError for a number asks for another. Numbers are
// positive 64-bit integers on the wire of eDoc, and grow.
func (x *numbers) next() (string, error) {
	var b [2]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("hub: %w", err)
	}
	n := time.Now().UnixMilli()<<15 | int64(binary.BigEndian.Uint16(b[:])&0x7fff)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last = max(n, x.last+1)
	return strconv.FormatInt(x.last, 10), nil
}

// metered hands the files of a submission on and counts them against the
// agency's limit.
type metered struct {
	hub    *Hub
	agency *Agency
	next   func() (*transport.Piece, error)
	octets int64 // not yet counted
}

// Next returns the next file.
func (m *metered) Next() (*transport.Piece, error) {
	p, err := m.next()
	if err != nil {
		if err == io.EOF {
			err = m.count(0, err)
		}
		return nil, err
	}
	p.Content = &counted{m, p.Content}
	return p, nil
}

// Close does nothing: the handler closes what it read.
func (m *metered) Close() error { return nil }

// count adds octets, and puts end in place of no error.
func (m *metered) count(n int, end error) error {
	const step = 1 << 20
	if m.octets += int64(n); m.octets < step && n > 0 {
		return end
	}
	l := m.hub.limits(m.agency)
	if !m.hub.meter.take(m.agency, l, m.octets, time.Now()) {
		return &transport.Fault{Operation: "SendDocument", Code: edoc.CodeBusy, Transient: true, RetryAfter: time.Hour, Text: fmt.Sprintf(
			"đơn vị %[1]s đã gửi quá %[2]d byte trong 24 giờ / organ %[1]s has handed in more than %[2]d bytes within 24 hours", m.agency.OrganID, l.Bytes)}
	}
	m.octets = 0
	return end
}

type counted struct {
	m *metered
	r io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err == nil || err == io.EOF {
		err = c.m.count(n, err)
	}
	return n, err
}
