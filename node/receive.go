package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
)

// maxEnvelope is the limit for a received envelope, which is held in memory
// while it is read; attachments travel beside it.
const maxEnvelope = 32 << 20

// collect lists what waits at the axis and begins a Transfer for each
// Document that is new.
func (n *Node) collect(ctx context.Context) error {
	pending, err := n.Axis.Pending(ctx)
	if err != nil {
		return err
	}
	for _, p := range pending {
		t, err := newTransfer(In, edxml.KindDocument, Listed)
		if err != nil {
			return err
		}
		t.AxisID, t.Unique = p.ID, []string{axisKey(p.ID)}
		var exists *ExistsError
		switch err := n.Store.Create(ctx, t); {
		case errors.As(err, &exists):
			if err := n.confirmAgain(ctx, exists.ID); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		n.wake(In)
	}
	return nil
}

// confirmAgain looks again at a Document that is finished here and yet listed.
// Either the axis did not keep the acknowledgement, or it started its numbers
// anew and this is another Document: only fetching it can tell.
func (n *Node) confirmAgain(ctx context.Context, id string) error {
	_, err := n.Store.Update(ctx, id, func(t *Transfer) error {
		if t.Finished.IsZero() || time.Since(t.Finished) < n.Poll {
			return errUnchanged
		}
		t.State, t.Due, t.Finished = Listed, time.Now().UTC(), time.Time{}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

var errUnchanged = errors.New("node: nothing to change")

// receiveStep takes the step that the state asks for. Each state is stored
// before the next call is made.
func (n *Node) receiveStep(ctx context.Context, t *Transfer) (*Transfer, error) {
	name, do := "", (func(context.Context, *Transfer) (func(*Transfer), error))(nil)
	switch t.State {
	case Listed:
		name, do = "fetch", n.fetch
	case Fetched:
		name, do = "verify", n.verify
	case Verified:
		name, do = "deliver", n.deliver
	case Delivered, Confirmed, Rejected:
		name, do = "confirm", n.confirm
	default:
		return nil, fmt.Errorf("node: transfer %s: state %q has no step", t.ID, t.State)
	}
	t, err := n.attempt(ctx, t, name)
	if err != nil {
		return nil, err
	}
	change, err := (func(*Transfer))(nil), errNoAxis
	if n.Axis != nil {
		change, err = do(ctx, t)
	}
	if err != nil {
		return n.fail(ctx, t, err, func(t *Transfer) { t.Due = time.Now().UTC().Add(n.Retry.Max) })
	}
	next, err := n.succeed(ctx, t, change)
	var exists *ExistsError
	if errors.As(err, &exists) {
		// The same Document under another number of the axis: acknowledge it,
		// deliver nothing twice.
		n.Log.InfoContext(ctx, "document received twice", "transfer", t.ID, "first", exists.ID)
		return n.succeed(ctx, t, func(t *Transfer) {
			unique := t.Unique
			change(t)
			t.Unique, t.State, t.SameAs = unique, Delivered, exists.ID
		})
	}
	return next, err
}

// fetch streams the packet into the store and reads what it says.
func (n *Node) fetch(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	in, err := n.Axis.Fetch(ctx, t.AxisID)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	root, err := in.Next()
	if err != nil {
		return nil, err
	}
	envelope, err := io.ReadAll(io.LimitReader(root.Content, maxEnvelope+1))
	if err != nil {
		return nil, err
	}
	if len(envelope) > maxEnvelope {
		return nil, &transport.Fault{Operation: "GetDocument", Text: fmt.Sprintf("the envelope is larger than %d bytes", maxEnvelope)}
	}
	kept, err := n.Store.Put(ctx, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	parts, packet, err := n.keepParts(ctx, envelope, in)
	if unreadable(err) {
		return func(t *Transfer) { t.Envelope, t.State, t.Refusal = kept, Rejected, err.Error() }, nil
	}
	if err != nil {
		return nil, err
	}
	if t.Digest != "" {
		return n.again(ctx, t, packet)
	}
	return func(t *Transfer) {
		t.Envelope, t.Parts, t.State = kept, parts, Fetched
		describe(t, packet)
		if packet.Document != nil {
			t.Unique = append(t.Unique, identityKey(In, t))
		}
	}, nil
}

// again decides about a Document that was finished and is listed once more: the
// same one is acknowledged again, another one becomes a Transfer of its own.
func (n *Node) again(ctx context.Context, t *Transfer, packet *edxml.Packet) (func(*Transfer), error) {
	was := Confirmed
	if t.Refusal != "" {
		was = Rejected
	}
	var now Transfer
	describe(&now, packet)
	if now.Digest == t.Digest && now.From == t.From {
		return func(t *Transfer) { t.State = was }, nil
	}
	n.Log.WarnContext(ctx, "the axis gave a number anew", "number", t.AxisID, "transfer", t.ID, "document", now.DocumentID)
	other, err := newTransfer(In, edxml.KindDocument, Listed)
	if err != nil {
		return nil, err
	}
	other.AxisID, other.Unique = t.AxisID, []string{axisKey(t.AxisID) + " " + now.Digest}
	var exists *ExistsError
	if err := n.Store.Create(ctx, other); errors.As(err, &exists) {
		err = n.confirmAgain(ctx, exists.ID)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	n.wake(In)
	return func(t *Transfer) { finish(t, was) }, nil
}

// unreadable reports that the packet itself is at fault: fetching it again
// would bring the same bytes.
func unreadable(err error) bool {
	var syntax *xmlscan.SyntaxError
	var xmlLimit *xmlscan.LimitError
	var limit *edxml.LimitError
	return errors.Is(err, edxml.ErrNotPacket) || errors.As(err, &syntax) || errors.As(err, &xmlLimit) || errors.As(err, &limit)
}

// keepParts stores the parts that follow an envelope and returns them with
// what the packet says.
func (n *Node) keepParts(ctx context.Context, envelope []byte, in transport.Incoming) ([]Part, *edxml.Packet, error) {
	var parts []Part
	var last Opened // each part is read before the next is asked for
	shut := func() {
		if last != nil {
			last.Close()
		}
	}
	defer shut()
	r, err := edxml.NewReader(bytes.NewReader(envelope), edxml.ReadOptions{Parts: func() (*edxml.Part, error) {
		shut()
		last = nil
		piece, err := in.Next()
		if err != nil {
			return nil, err
		}
		kept, err := n.Store.Put(ctx, piece.Content)
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{ID: piece.ID, Type: piece.Type, Content: kept})
		f, err := n.Store.Open(ctx, kept.SHA256)
		if err != nil {
			return nil, err
		}
		last = f
		return &edxml.Part{ID: piece.ID, Type: piece.Type, Content: f}, nil
	}})
	if err != nil {
		return nil, nil, err
	}
	for i := 0; ; i++ {
		a, err := r.Next()
		if err == io.EOF {
			return parts, r.Packet(), nil
		}
		if err != nil {
			return nil, nil, err
		}
		parts[i].Name = a.Name
	}
}

// verify judges signature and completeness (QĐ 28/2018/QĐ-TTg Art. 9).
func (n *Node) verify(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	envelope, err := n.Store.Open(ctx, t.Envelope.SHA256)
	if err != nil {
		return nil, err
	}
	defer envelope.Close()
	files := n.signedContents(ctx, t.Parts)
	verdicts, err := signature.Verify(envelope, envelope.Size(), files, signature.VerifyOptions{Roots: n.Roots})
	if err != nil {
		return nil, err
	}
	found := judge(verdicts)
	reason := ""
	if missing := n.incomplete(t); missing != "" {
		reason = missing
	} else if found.Reason != "" && n.Policy == Require {
		reason = "signature not acceptable: " + found.Reason
	}
	return func(t *Transfer) {
		t.Signature = found
		if t.State = Verified; reason != "" {
			t.State, t.Refusal = Rejected, reason
			// the same Document sent again is to be judged anew
			t.Unique = slices.DeleteFunc(t.Unique, func(k string) bool { return k == identityKey(In, t) })
		}
	}, nil
}

func (n *Node) signedContents(ctx context.Context, parts []Part) []signature.Content {
	var files []signature.Content
	for _, p := range parts {
		files = append(files, signature.Content{ID: p.ID, Name: p.Name, Open: n.sendable(ctx, p.Content).Open})
	}
	return files
}

// incomplete names what the packet lacks to be a Document.
func (n *Node) incomplete(t *Transfer) string {
	for _, f := range t.Findings {
		if f.Rule == "ATT-1" || f.Rule == "ATT-6" || f.Rule == "ATT-8" {
			return f.Message
		}
	}
	return ""
}

// judge sums up the verdicts for a Transfer.
func judge(verdicts []signature.Verdict) *Signature {
	s := &Signature{}
	switch err := signature.Judge(verdicts); {
	case errors.Is(err, signature.ErrUnsigned):
		s.Reason = "unsigned"
	case err != nil:
		s.Reason = err.Error()
	}
	for _, v := range verdicts {
		if errors.Is(v.Err, signature.ErrNamespace) {
			continue // a block that is no signature
		}
		s.Signed = true
		if v.Signer != nil {
			s.Signer = v.Signer.Subject.String()
		}
		s.Coverage = append(s.Coverage, covered(v.Coverage)...)
		s.Missing = append(s.Missing, v.Coverage.Missing...)
	}
	return s
}

// covered names what a signature binds.
func covered(c signature.Coverage) []string {
	var names []string
	for _, part := range []struct {
		bound bool
		name  string
	}{{c.Whole, "packet"}, {c.Header, "MessageHeader"}, {c.Business, "Bussiness"}, {c.Manifest, "Manifest"}} {
		if part.bound {
			names = append(names, part.name)
		}
	}
	return append(names, c.Attachments...)
}

// deliver hands the Document over.
func (n *Node) deliver(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	if n.Sink != nil {
		open := func(c Content) (io.ReadCloser, error) { return n.Store.Open(ctx, c.SHA256) }
		if err := n.Sink.Deliver(ctx, t, open); err != nil {
			return nil, err
		}
	}
	n.Log.InfoContext(ctx, "delivered", "transfer", t.ID, "document", t.DocumentID, "from", t.From)
	return func(t *Transfer) {
		if t.State = Delivered; n.Sink == nil && !slices.Contains(t.Lookup, waitingKey) {
			t.Lookup = append(t.Lookup, waitingKey) // until somebody takes it
		}
	}, nil
}

// maxDescription is what a Status may say, in characters (StatusCode 02,
// Description: S 500 of the older BKAV checker).
const maxDescription = 500

// clip cuts text to a number of characters.
func clip(s string, max int) string {
	if r := []rune(s); len(r) > max {
		return string(r[:max-1]) + "…"
	}
	return s
}

// confirm tells the axis that the Document is here, and refuses it with status
// 02 when it was rejected. Over eDoc the acknowledgement itself is the 01.
func (n *Node) confirm(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	if err := n.Axis.Acknowledge(ctx, t.AxisID); err != nil {
		return nil, err
	}
	if t.State == Rejected && t.From == "" {
		return func(t *Transfer) { finish(t, Rejected) }, nil
	}
	if t.State == Rejected {
		var invalid *InvalidError // it does not say which Document it is: nothing can be reported about it
		if _, err := n.report(ctx, t, edxml.StatusRefused, clip(t.Refusal, maxDescription), nil); errors.As(err, &invalid) {
			n.Log.WarnContext(ctx, "rejection not reported", "transfer", t.ID, "from", t.From, "error", err)
		} else if err != nil {
			return nil, err
		}
		return func(t *Transfer) { finish(t, Rejected) }, nil
	}
	now := time.Now()
	return func(t *Transfer) {
		if t.State == Delivered { // else the axis had forgotten the first acknowledgement
			addEvent(t, n.Organ.OrganID, Event{Code: edxml.StatusArrived, At: now.UTC()})
		}
		finish(t, Confirmed)
	}, nil
}
