package node

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport/soap"
)

// InvalidError says that a packet was not accepted because of its findings.
type InvalidError struct {
	Findings []edxml.Finding // all of them, at least one an error
}

// Error names the first error and counts the rest.
func (e *InvalidError) Error() string {
	first, more := "", -1
	for _, f := range e.Findings {
		if f.Severity == edxml.Error {
			if more++; first == "" {
				first = f.String()
			}
		}
	}
	if more > 0 {
		return fmt.Sprintf("node: the packet is not acceptable: %s (and %d more)", first, more)
	}
	return "node: the packet is not acceptable: " + first
}

// refuse returns an *InvalidError if there is an error among the findings.
func refuse(findings []edxml.Finding) error {
	if edxml.Worst(findings) == edxml.Error {
		return &InvalidError{Findings: findings}
	}
	return nil
}

// The reasons why a packet is not accepted that callers branch on.
var (
	// ErrForeignSender says that the packet's sender is not this node's agency.
	ErrForeignSender = errors.New("node: the packet's sender is not the agency of this node")
	// ErrSignatureLost says that the packet is signed and its signature would
	// not survive the wire it has to take (the two profiles have different
	// namespaces).
	ErrSignatureLost = errors.New("node: the packet's signature would not survive the way to the axis; set sign.replace = true to sign it anew")
	// ErrToken says that the packet carries an access token, which must not be stored.
	ErrToken = errors.New("node: the packet carries an access token; leave the Signature block with the Token out, the node adds its own")
	// ErrOtherContent says that the DocumentId was used for other content.
	ErrOtherContent = errors.New("node: another document with this DocumentId was submitted before")
	// ErrKeyReused says that the key of a Handover was used for another packet.
	ErrKeyReused = errors.New("node: another packet was handed over under this key before")
)

// UnknownReceiverError says that the axis's directory does not know receivers.
type UnknownReceiverError struct {
	OrganIDs []string
}

// Error names the receivers.
func (e *UnknownReceiverError) Error() string {
	return "node: the axis's directory does not know the receiver " + strings.Join(e.OrganIDs, ", ")
}

// Submission is what became of a submitted packet.
type Submission struct {
	Transfer *Transfer
	Existed  bool            // the same packet was accepted before; nothing was done
	Findings []edxml.Finding // warnings
}

// Handover is a packet that is handed to the node for sending.
type Handover struct {
	// Packet is a single file, or a SOAP packet in one file ("Content-Type:
	// multipart/related…", an empty line, the body).
	Packet io.Reader
	// Key is the caller's own name for this handover, "" for none: handing
	// over again under it gives the Transfer of the first time.
	Key string
}

// Submit is Accept for a packet that has no key.
func (n *Node) Submit(ctx context.Context, r io.Reader) (*Submission, error) {
	return n.Accept(ctx, Handover{Packet: r})
}

// Accept accepts a packet for sending. The packet is ours for good when Accept
// returns without error; it never waits for anything remote. A Document is
// signed here, in the profile of the wire.
//
// Errors: *InvalidError, *UnknownReceiverError, *NewReceiversError, *SpaceError, ErrBusy,
// ErrForeignSender, ErrSignatureLost, ErrOtherContent, ErrKeyReused, those of
// edxml.NewReader and of the Store.
func (n *Node) Accept(ctx context.Context, h Handover) (*Submission, error) {
	leave, err := n.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	in, err := n.admit(ctx, h.Packet)
	if err != nil {
		return nil, err
	}
	p, err := n.keep(ctx, in)
	if err != nil {
		return nil, err
	}
	findings, objections, err := n.object(ctx, p.packet)
	if err != nil {
		return nil, err
	}
	if len(objections) > 0 {
		return nil, objections[0]
	}
	if p.packet.Status != nil {
		return n.submitStatus(ctx, p.packet.Status, findings, h.Key)
	}
	t, err := n.prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	return n.enqueue(ctx, t, findings, h.Key)
}

// enqueue commits the Transfer of a Document, unless it is here already.
// handover is the key of its Handover, "" for none.
func (n *Node) enqueue(ctx context.Context, t *Transfer, findings []edxml.Finding, handover string) (*Submission, error) {
	if handover != "" {
		t.Unique = append(t.Unique, handoverKey(handover))
	}
	s := &Submission{Transfer: t, Findings: findings}
	failpoint.Hit(failpoint.SubmitKept)
	err := n.begin(ctx, t, "send")
	var exists *ExistsError
	if err == nil {
		failpoint.Hit(failpoint.SubmitCommitted)
	}
	switch {
	case errors.As(err, &exists) && exists.Key == nameKey(t):
		return nil, n.otherContent(ctx, exists.ID, handover)
	case exists != nil:
		s.Existed = true
		s.Transfer, err = n.existing(ctx, t, exists.ID)
		return s, err
	case err != nil:
		return nil, err
	}
	if len(t.Waits) > 0 {
		if s.Transfer, err = n.settle(ctx, t); err != nil {
			return nil, err
		}
	}
	n.tellStamper()
	return s, nil
}

// otherContent says why a Document is refused whose name another one has: of the
// key of its Handover, if the other one came under the same, else of its content.
func (n *Node) otherContent(ctx context.Context, other, handover string) error {
	t, err := n.Store.Transfer(ctx, other)
	if err != nil {
		return err
	}
	why := ErrOtherContent
	if handover != "" && slices.Contains(t.Unique, handoverKey(handover)) {
		why = ErrKeyReused
	}
	return fmt.Errorf("%w: transfer %s", why, other)
}

// existing returns the Transfer of a Document that is handed over again. One
// that was given up without knowing the answer is tried again, with the same bytes.
func (n *Node) existing(ctx context.Context, t *Transfer, id string) (*Transfer, error) {
	first, err := n.Store.Transfer(ctx, id)
	if err != nil {
		return nil, err
	}
	if first.Digest != t.Digest {
		return nil, fmt.Errorf("%w: transfer %s", ErrKeyReused, id)
	}
	if err := sameReceivers(t, first); err != nil {
		return nil, err
	}
	if first.Withdrawn == nil && (first.State == Failed || first.State == Cancelled) {
		again, err := n.Operate(ctx, Retry, id, By{Actor: "submit", Reason: "the same packet was submitted again"})
		if err != nil || len(again.Waits) == 0 {
			return again, err
		}
		return n.settle(ctx, again)
	}
	return first, nil
}

// NewReceiversError says that a Document that was accepted before now names
// further receivers: an axis would take it for a repetition and send them nothing.
type NewReceiversError struct {
	Transfer string
	OrganIDs []string
}

// Error names the receivers and the way to reach them.
func (e *NewReceiversError) Error() string {
	return fmt.Sprintf("node: this document was accepted before, as transfer %s, without the receiver %s; add receivers by an update (BussinessDocType 2)",
		e.Transfer, strings.Join(e.OrganIDs, ", "))
}

// sameReceivers refuses receivers that the first submission did not have.
func sameReceivers(t, first *Transfer) error {
	has := ledgerOf(first, "")
	e := &NewReceiversError{Transfer: first.ID}
	for _, r := range t.Receivers {
		if _, ok := has.at[r.OrganID]; !ok {
			e.OrganIDs = append(e.OrganIDs, r.OrganID)
		}
	}
	if len(e.OrganIDs) > 0 {
		return e
	}
	return nil
}

// handoverKey is the key of a Handover, which no other may have.
func handoverKey(key string) string { return "handover " + strconv.Quote(key) }

// object says everything that speaks against sending a packet, the gravest
// first, beside what the rules find in it.
func (n *Node) object(ctx context.Context, p *edxml.Packet) (findings []edxml.Finding, objections []error, err error) {
	if p.Credential != nil {
		objections = append(objections, ErrToken)
	}
	findings = append(p.Findings, edxml.ValidateWith(p, edxml.ValidateOptions{Now: time.Now(), Against: edxml.Axis})...)
	for i, f := range findings {
		if f.Rule == "AXS-3" { // the day may have come when the axis sees it, or this clock is slow
			findings[i].Severity = edxml.Warning
		}
	}
	if n.key.Load() != nil { // it will be signed here
		findings = slices.DeleteFunc(findings, func(f edxml.Finding) bool { return f.Rule == "SIG-1" })
	}
	if err := refuse(findings); err != nil {
		objections = append(objections, err)
	}
	from := edxml.Organ{}
	if p.Status != nil {
		from = p.Status.From
	} else {
		from = p.Document.From
	}
	if from.OrganID != n.Organ.OrganID {
		objections = append(objections, fmt.Errorf("%w: it says %s, this node speaks for %s", ErrForeignSender, from.OrganID, n.Organ.OrganID))
	}
	if p.Document != nil {
		unknown, err := n.unknownReceivers(ctx, p.Document)
		if err != nil {
			return nil, nil, err
		}
		if unknown != nil {
			objections = append(objections, unknown)
		}
	}
	return findings, objections, nil
}

// Preflight is what Accept would say about a packet.
type Preflight struct {
	Packet     *edxml.Packet
	Findings   []edxml.Finding
	Objections []error // why Accept would refuse it, none when it would not
}

// Preflight reads a packet as Accept does and says everything at once. Nothing
// is kept and nothing changes.
func (n *Node) Preflight(ctx context.Context, r io.Reader) (*Preflight, error) {
	p, strict, err := readThrough(r)
	if err != nil {
		return nil, err
	}
	return n.PreflightPacket(ctx, p, strict)
}

// PreflightPacket is Preflight for a packet that has been read. wire says that
// it came in the profile of the wire, so that its signature can stay.
func (n *Node) PreflightPacket(ctx context.Context, p *edxml.Packet, wire bool) (*Preflight, error) {
	findings, objections, err := n.object(ctx, p)
	if err != nil {
		return nil, err
	}
	if p.Document == nil {
		return &Preflight{p, findings, objections}, nil
	}
	k := &kept{packet: p}
	if k.signed() && !n.ReplaceSignature && !(wire && k.strict()) {
		objections = append(objections, ErrSignatureLost)
	}
	t := &Transfer{Direction: Out}
	describe(t, p)
	if t.DocType == edxml.New {
		same, err := n.Store.Find(ctx, nameKey(t), "", 1)
		if err != nil {
			return nil, err
		}
		if len(same) > 0 && same[0].Digest != t.Digest {
			objections = append(objections, fmt.Errorf("%w: transfer %s", ErrOtherContent, same[0].ID))
		}
	}
	return &Preflight{p, findings, objections}, nil
}

// readThrough reads a packet to its end without keeping it, and reports
// whether it came in the profile of the wire.
func readThrough(r io.Reader) (*edxml.Packet, bool, error) {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(64); !soap.IsFile(head) {
		p, err := edxml.Read(in, edxml.ReadOptions{})
		return p, false, err
	}
	m, err := soap.ReadFile(in, soap.Limits{})
	if err != nil {
		return nil, true, err
	}
	defer m.Close()
	root, err := m.Next()
	if err != nil {
		return nil, true, err
	}
	p, err := edxml.Read(root.Content, edxml.ReadOptions{Parts: func() (*edxml.Part, error) {
		part, err := m.Next()
		if err != nil {
			return nil, err
		}
		return &edxml.Part{ID: part.ID, Type: part.Type, Content: part.Content}, nil
	}})
	return p, true, err
}

// submitStatus commits the Transfer of a Status, unless it is here already.
// handover is the key of its Handover, "" for none.
func (n *Node) submitStatus(ctx context.Context, s *edxml.Status, findings []edxml.Finding, handover string) (*Submission, error) {
	s.StatusCode = codeOf(s) // the alias 14 is understood, and never written
	key := fmt.Sprintf("status %q %q %s %q", s.ResponseFor.OrganID, s.ResponseFor.DocumentID+s.ResponseFor.Code, s.StatusCode.Canonical(), string(s.Timestamp))
	if handover != "" {
		key = handoverKey(handover)
	}
	before, err := n.Store.Find(ctx, key, "", 1)
	if err != nil {
		return nil, err
	}
	t, err := n.queueStatus(ctx, s, key)
	if err != nil {
		return nil, err
	}
	if t.Status == nil || t.Status.ResponseFor != s.ResponseFor || t.Status.StatusCode.Canonical() != s.StatusCode.Canonical() {
		return nil, fmt.Errorf("%w: transfer %s", ErrKeyReused, t.ID)
	}
	return &Submission{Transfer: t, Existed: len(before) > 0, Findings: findings}, nil
}

// unknownReceivers checks the receivers against the last good directory.
// Without one every receiver is accepted: a local submit never waits for the axis.
func (n *Node) unknownReceivers(ctx context.Context, d *edxml.Document) (*UnknownReceiverError, error) {
	directory, err := n.Directory(ctx)
	if err != nil || directory.Empty() {
		return nil, err
	}
	unknown := &UnknownReceiverError{}
	for _, o := range d.To {
		if !directory.Knows(o.OrganID) {
			unknown.OrganIDs = append(unknown.OrganIDs, o.OrganID)
		}
	}
	if len(unknown.OrganIDs) > 0 {
		return unknown, nil
	}
	return nil, nil
}

// prepare makes the Transfer of a Document: its envelope in the profile of the
// wire, signed, and stored.
func (n *Node) prepare(ctx context.Context, k *kept) (*Transfer, error) {
	t, err := newTransfer(Out, edxml.KindDocument, Queued)
	if err != nil {
		return nil, err
	}
	if n.Wire == edxml.ProfileQCVN102 {
		t.Profile = n.Wire
		t.Envelope, err = n.single(ctx, k)
	} else {
		err = n.enclose(ctx, t, k)
	}
	if err != nil {
		return nil, err
	}
	describe(t, k.packet)
	n.wantStamp(t)
	t.Parts, t.Deadline = k.parts, t.Created.Add(n.Deadline)
	t.Unique = uniqueOut(t)
	if err := n.line(ctx, t); err != nil {
		return nil, err
	}
	t.Due = dueNow(t)
	return t, nil
}

// enclose stores the SOAP envelope of a Document that is to be sent.
func (n *Node) enclose(ctx context.Context, t *Transfer, k *kept) error {
	envelope, err := n.envelope(ctx, k)
	if err != nil {
		return err
	}
	out, err := edxml.NewReader(bytes.NewReader(envelope), edxml.ReadOptions{})
	if err != nil {
		return err
	}
	t.TokenAt = out.Packet().HeaderEnd
	t.Envelope, err = n.Store.Put(ctx, bytes.NewReader(envelope))
	return err
}

// strict reports whether the bytes of the packet can go out as they are: they
// needed no tolerance at the level of XML, and offsets in them are known.
func (k *kept) strict() bool {
	return k.packet.HeaderEnd > 0 && !slices.ContainsFunc(k.packet.Findings, func(f edxml.Finding) bool { return f.Rule == "XML-5" })
}

// signed reports whether the packet carries an XML signature.
func (k *kept) signed() bool {
	return slices.ContainsFunc(k.packet.Signatures, func(b edxml.SignatureBlock) bool { return b.Name.Space == edxml.NamespaceDSig })
}

// envelope returns the SOAP envelope to send: the submitted one where it can
// stay as it is, else a new one, signed if there is a key.
func (n *Node) envelope(ctx context.Context, k *kept) ([]byte, error) {
	signed := k.signed()
	stays := k.envelope != nil && k.strict()
	if signed && stays && !n.ReplaceSignature {
		return k.envelope, nil
	}
	if signed && !n.ReplaceSignature {
		return nil, ErrSignatureLost
	}
	envelope := k.envelope
	if !stays || signed {
		k.identify()
		var b bytes.Buffer
		if err := edxml.WriteEnvelope(&b, n.traced(k)); err != nil {
			return nil, err
		}
		envelope = b.Bytes()
	}
	key := n.key.Load()
	if key == nil {
		return envelope, nil
	}
	var b bytes.Buffer
	files := n.signedContents(ctx, k.parts)
	err := signature.Sign(&b, bytes.NewReader(envelope), int64(len(envelope)), files, key, signature.SignOptions{Placement: signature.Parts})
	return b.Bytes(), err
}
