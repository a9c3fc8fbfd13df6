package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport/soap"
)

// maxHeader is the limit for a header, in octets; 10,000 receivers fit.
const maxHeader = 4 << 20

// maxFiles is how many files a submission may have.
const maxFiles = 1000

// maxKey is the limit for an Idempotency-Key, in octets.
const maxKey = 255

// Checked is the answer of preflight: what submit would say.
type Checked struct {
	Accepted   bool       `json:"accepted"` // submit would accept it
	DocumentID string     `json:"documentId,omitempty"`
	Findings   []Finding  `json:"findings"`
	Problems   []*Problem `json:"problems"` // why submit would refuse it
}

// Recalling asks to take a Document back.
type Recalling struct {
	Reason    string           `json:"reason"`
	Receivers []string         `json:"receivers,omitempty"` // from whom; none: from all
	StaffInfo *edxml.StaffInfo `json:"staffInfo,omitempty"`
}

// submit takes a packet, or a header and files.
func (d *Door) submit(w http.ResponseWriter, r *http.Request) {
	key, err := handoverKey(r)
	if err != nil {
		refuse(w, err)
		return
	}
	parts, err := form(r)
	if err != nil {
		refuse(w, err)
		return
	}
	if parts == nil {
		s, err := d.node.Accept(r.Context(), node.Handover{Packet: r.Body, Key: key})
		submitted(w, s, err)
		return
	}
	h, err := parts.header()
	if err != nil {
		refuse(w, err)
		return
	}
	if h.status != nil {
		d.hand(w, r, h, nil, key)
		return
	}
	d.complete(h.document)
	d.handParts(w, r, h, parts, key)
}

// handParts stores the files that follow a header and hands all of it over.
func (d *Door) handParts(w http.ResponseWriter, r *http.Request, h *header, parts *parts, key string) {
	files, err := d.keep(r.Context(), h.document, parts)
	if err != nil {
		refuse(w, err)
		return
	}
	d.hand(w, r, h, files, key)
}

func submitted(w http.ResponseWriter, s *node.Submission, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	status := http.StatusCreated
	if s.Existed {
		status = http.StatusOK
	}
	about(w, s.Transfer)
	w.Header().Set("Location", "/v1/outbox/"+s.Transfer.ID)
	answer(w, status, Submitted{s.Transfer.Public(), s.Existed, findings(s.Findings)})
}

// handoverKey is the caller's Idempotency-Key, as a name that no other token's
// key can be.
func handoverKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return "", nil
	}
	if len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", badRequest(fmt.Errorf("Idempotency-Key is at most %d visible ASCII characters", maxKey))
	}
	return by(r.Context()).id + " " + key, nil
}

// preflight says all that submit would, and changes nothing.
func (d *Door) preflight(w http.ResponseWriter, r *http.Request) {
	parts, err := form(r)
	if err != nil {
		refuse(w, err)
		return
	}
	var p *node.Preflight
	if parts == nil {
		p, err = d.node.Preflight(r.Context(), r.Body)
	} else {
		p, err = d.preflightParts(r.Context(), parts)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	c := Checked{Accepted: len(p.Objections) == 0, Findings: append([]Finding{}, findings(p.Findings)...), Problems: []*Problem{}}
	if p.Packet.Document != nil {
		c.DocumentID = p.Packet.Document.DocumentID
	}
	for _, o := range p.Objections {
		what := problem(o)
		what.Findings = nil // they are there already
		c.Problems = append(c.Problems, what)
	}
	answer(w, http.StatusOK, c)
}

// preflightParts looks at a header and files without keeping any.
func (d *Door) preflightParts(ctx context.Context, parts *parts) (*node.Preflight, error) {
	h, err := parts.header()
	if err != nil {
		return nil, err
	}
	if h.status != nil {
		return d.node.PreflightPacket(ctx, &edxml.Packet{Kind: edxml.KindStatus, Profile: edxml.ProfileQCVN102, Status: h.status}, false)
	}
	d.complete(h.document)
	_, err = parts.files(h.document, measure)
	if err != nil {
		return nil, err
	}
	return d.node.PreflightPacket(ctx, &edxml.Packet{Kind: edxml.KindDocument, Profile: edxml.ProfileSOAP, Document: h.document}, false)
}

// measure reads content to its end and keeps nothing but its name.
func measure(r io.Reader) (node.Content, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return node.Content{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, err
}

// complete fills in what the node knows better than whoever wrote the header.
func (d *Door) complete(doc *edxml.Document) {
	if doc.From == (edxml.Organ{}) {
		doc.From = d.node.Organ
	}
	if doc.DocumentID == "" && doc.Code != (edxml.Code{}) {
		doc.DocumentID = edxml.DocumentID(doc.From.OrganID, doc.PromulgationInfo.PromulgationDate, doc.Code)
	}
	if doc.Business == nil {
		doc.Business = &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0"}
	}
}

// keep stores the files of a form.
func (d *Door) keep(ctx context.Context, doc *edxml.Document, parts *parts) ([]soap.Part, error) {
	contents, err := parts.files(doc, func(r io.Reader) (node.Content, error) { return d.node.Store.Put(ctx, r) })
	if err != nil {
		return nil, err
	}
	return d.stored(ctx, doc, contents), nil
}

// stored makes parts of a packet out of stored contents.
func (d *Door) stored(ctx context.Context, doc *edxml.Document, contents []node.Content) []soap.Part {
	files := make([]soap.Part, len(contents))
	for i, c := range contents {
		a := &doc.Attachments[i]
		a.ContentID, a.Size, a.SHA256 = fmt.Sprintf("file-%d", i+1), c.Size, c.SHA256
		if a.ContentType == "" {
			a.ContentType = edxml.TypeByName(a.Name)
		}
		files[i] = soap.Part{ID: a.ContentID, Type: edxml.TypeByName(a.Name), Size: c.Size, Open: func() (io.ReadCloser, error) {
			return d.node.Store.Open(ctx, c.SHA256)
		}}
	}
	return files
}

// hand writes a packet of a header and stored files, and hands it over as it
// is written.
func (d *Door) hand(w http.ResponseWriter, r *http.Request, h *header, files []soap.Part, key string) {
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.CloseWithError(h.write(in, files))
	}()
	s, err := d.node.Accept(r.Context(), node.Handover{Packet: out, Key: key})
	out.CloseWithError(errors.New("api: the packet was not read to its end")) // so that the writer ends in any case
	<-ended
	submitted(w, s, err)
}

func (h *header) write(w io.Writer, files []soap.Part) error {
	if h.status != nil {
		return edxml.WriteStatus(w, h.status)
	}
	if len(h.document.TraceHeaders) == 0 {
		h.document.TraceHeaders = []edxml.TraceHeader{{OrganID: h.document.From.OrganID, Timestamp: edxml.TimestampOf(time.Now())}}
	}
	var envelope bytes.Buffer
	if err := edxml.WriteEnvelope(&envelope, h.document); err != nil {
		return err
	}
	root := soap.Part{ID: "envelope-" + rand.Text(), Size: int64(envelope.Len()), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(envelope.Bytes())), nil
	}}
	body, err := soap.NewBody(root, files)
	if err != nil {
		return err
	}
	return body.WriteFile(w)
}

// recall takes a Document back: the same Document goes once more, as a recall.
func (d *Door) recall(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	var req Recalling
	if !read(w, r, &req) {
		return
	}
	key, err := handoverKey(r)
	if err != nil {
		refuse(w, err)
		return
	}
	of, err := d.original(r.Context(), t)
	if err != nil {
		refuse(w, err)
		return
	}
	if of.To, err = among(of.To, req.Receivers); err != nil {
		refuse(w, err)
		return
	}
	doc, err := edxml.NewRecall(of, req.Reason, time.Now())
	if err != nil {
		refuse(w, err)
		return
	}
	doc.Business.StaffInfo = req.StaffInfo
	var contents []node.Content
	for _, p := range t.Parts {
		doc.Attachments = append(doc.Attachments, edxml.Attachment{Name: p.Name, ContentType: p.Type})
		contents = append(contents, p.Content)
	}
	d.hand(w, r, &header{document: doc}, d.stored(r.Context(), doc, contents), key)
}

// among picks receivers by their identifiers.
func among(all []edxml.Organ, ids []string) ([]edxml.Organ, error) {
	if len(ids) == 0 {
		return all, nil
	}
	var some []edxml.Organ
	unknown := &node.UnknownReceiverError{}
	for _, id := range ids {
		found := false
		for _, o := range all {
			if o.OrganID == id {
				some, found = append(some, o), true
			}
		}
		if !found {
			unknown.OrganIDs = append(unknown.OrganIDs, id)
		}
	}
	if len(unknown.OrganIDs) > 0 {
		return nil, unknown
	}
	return some, nil
}

// follow answers with a Document that updates or replaces another: header and
// files as for submit; what the header leaves out is taken from the original.
func (d *Door) follow(kind edxml.BusinessDocType) func(http.ResponseWriter, *http.Request, *node.Transfer) {
	return func(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
		key, err := handoverKey(r)
		if err != nil {
			refuse(w, err)
			return
		}
		parts, err := form(r)
		if err == nil && parts == nil {
			err = badRequest(errors.New("the body is multipart/form-data: header, then files"))
		}
		if err != nil {
			refuse(w, err)
			return
		}
		h, err := parts.header()
		if err == nil && h.document == nil {
			err = badRequest(errors.New("the header is that of a document"))
		}
		if err != nil {
			refuse(w, err)
			return
		}
		of, err := d.original(r.Context(), t)
		if err != nil {
			refuse(w, err)
			return
		}
		succeed(h.document, of, kind)
		d.complete(h.document)
		d.handParts(w, r, h, parts, key)
	}
}

// succeed makes doc the update or the replacement of another Document.
func succeed(doc, of *edxml.Document, kind edxml.BusinessDocType) {
	if doc.Business == nil {
		doc.Business = &edxml.Business{}
	}
	b := doc.Business
	b.DocType = kind
	if b.Paper == "" {
		b.Paper = "0"
	}
	if kind == edxml.Update {
		b.DocumentID = of.DocumentID
		if b.DocumentInfo == "" {
			b.DocumentInfo = "1"
		}
		if b.DocumentReceiver == "" && len(b.Receivers) > 0 {
			b.DocumentReceiver = "1"
		} else if b.DocumentReceiver == "" {
			b.DocumentReceiver = "0"
		}
	} else if len(b.Replacements) == 0 {
		ids := make([]string, len(of.To))
		for i, o := range of.To {
			ids[i] = o.OrganID
		}
		b.Replacements = []edxml.Replacement{{DocumentID: of.DocumentID, OrganIDs: ids}}
	}
	if doc.From == (edxml.Organ{}) {
		doc.From = of.From
	}
	if len(doc.To) == 0 {
		doc.To = of.To
	}
	if doc.Code == (edxml.Code{}) && kind == edxml.Update { // a replacement has a number of its own
		doc.Code = of.Code
	}
	if doc.PromulgationInfo == (edxml.PromulgationInfo{}) {
		doc.PromulgationInfo = of.PromulgationInfo
	}
	if doc.DocumentType == (edxml.DocumentType{}) {
		doc.DocumentType = of.DocumentType
	}
	if doc.Subject == "" {
		doc.Subject = of.Subject
	}
	if doc.SignerInfo == (edxml.SignerInfo{}) {
		doc.SignerInfo = of.SignerInfo
	}
}

// original reads the header of a Document that was sent from here.
func (d *Door) original(ctx context.Context, t *node.Transfer) (*edxml.Document, error) {
	if t.Kind != edxml.KindDocument {
		return nil, fmt.Errorf("%w: transfer %s is a status, not a document", node.ErrNotFound, t.ID)
	}
	f, err := d.node.Store.Open(ctx, t.Envelope.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := edxml.NewReader(f, edxml.ReadOptions{})
	if err != nil {
		return nil, err
	}
	return r.Packet().Document, nil
}
