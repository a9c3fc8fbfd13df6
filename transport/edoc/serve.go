package edoc

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
)

// send serves SendDocument.
func (c *call) send() error {
	cred, carriers := c.env.tokens()
	if err := c.authenticate(cred, "CheckSignature", CodePermission); err != nil {
		return err
	}
	s := &Submission{Organ: cred.Organ, Envelope: c.env.without(carriers), Next: c.files()}
	r, err := edxml.NewReader(bytes.NewReader(s.Envelope), edxml.ReadOptions{})
	var limit *edxml.LimitError
	switch {
	case errors.As(err, &limit):
		return c.refusal("R.MessageHeader", edxml.Text{VI: "gói tin vượt giới hạn: %v", EN: "the packet exceeds a limit: %v"}, err)
	case err != nil:
		return c.refusal("N.MessageHeader", edxml.Text{VI: "phong bì không phải gói tin edXML: %v", EN: "the envelope is no edXML packet: %v"}, clip(err.Error()))
	}
	s.Packet = r.Packet()
	d := s.Packet.Document
	if d == nil || d.From.OrganID == "" {
		return c.refusal("N.MessageHeader.From.OrganId", edxml.Text{VI: "thiếu From/OrganId của văn bản", EN: "the document has no From/OrganId"})
	}
	if err := c.speaksFor(d.From.OrganID); err != nil {
		return err
	}
	if len(d.To) == 0 {
		return c.refusal("N.MessageHeader.To", edxml.Text{VI: "văn bản không có nơi nhận (To)", EN: "the document has no receiver (To)"})
	}
	receipt, err := c.h.backend.Accept(c.r.Context(), s)
	if err != nil {
		return err
	}
	c.answer(response(opSend, success+element("edXML:DocumentId", receipt.ID)))
	return nil
}

// files returns the parts of the message after its envelope, held against the Manifest.
func (c *call) files() func() (*transport.Piece, error) {
	missing := map[string]bool{}
	for _, id := range c.env.hrefs {
		missing[id] = true
	}
	return func() (*transport.Piece, error) {
		part, err := c.msg.Next()
		if err == io.EOF {
			for id := range missing {
				return nil, c.refusal("N.Attachment", edxml.Text{
					VI: "Manifest nhắc tới %q nhưng không có phần đó", EN: "the Manifest refers to %q, but there is no such part"}, clip(id))
			}
			return nil, io.EOF
		}
		if err != nil {
			return nil, err
		}
		if !missing[part.ID] {
			return nil, c.refusal("N.Reference", edxml.Text{
				VI: "phần %q không có trong Manifest", EN: "the Manifest does not refer to part %q"}, clip(part.ID))
		}
		delete(missing, part.ID)
		return &transport.Piece{ID: part.ID, Type: part.Type, Content: part.Content}, nil
	}
}

// ask decodes the request of a query and checks its pair.
func (c *call) ask(into any, organ, token *string) error {
	if err := c.env.decode(c.request, into); err != nil {
		return err
	}
	*organ = strings.TrimSpace(*organ)
	return c.authenticate(credential{*organ, edxml.Secret(strings.TrimSpace(*token))}, "CheckPermission", "")
}

// number checks the axis's number for a Document, a positive 64-bit integer.
func (c *call) number(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 1 {
		return "", c.refusal("M.DocumentId", edxml.Text{
			VI: "DocumentId %q không phải số của trục", EN: "DocumentId %q is no number of this axis"}, clip(text))
	}
	return text, nil
}

// pending serves GetPendingDocumentIds.
func (c *call) pending() error {
	var q wire.GetPendingDocumentIdsRequest
	if err := c.ask(&q, &q.OrganId, &q.Token); err != nil {
		return err
	}
	list, err := c.h.backend.Pending(c.r.Context(), q.OrganId)
	if err != nil {
		return err
	}
	var ids strings.Builder
	for _, p := range list {
		ids.WriteString(element("edXML:DocumentId", p.ID))
	}
	c.answer(response(opPending, "<edXML:DocumentIds>"+ids.String()+"</edXML:DocumentIds>"))
	return nil
}

// fetch serves GetDocument. QUIRK: the parts hold base64 text, as the BKAV
// axis gives them, unless the client asks for them as they are.
func (c *call) fetch() error {
	var q wire.GetDocumentRequest
	if err := c.ask(&q, &q.OrganId, &q.Token); err != nil {
		return err
	}
	id, err := c.number(q.DocumentId)
	if err != nil {
		return err
	}
	p, err := c.h.backend.Document(c.r.Context(), q.OrganId, id)
	if err != nil {
		return err
	}
	binary := c.r.Header.Get(partsHeader) == partsBinary
	body, err := packetAnswer(p, binary)
	if err != nil {
		return err
	}
	content, err := body.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	h := c.w.Header()
	h.Set("Content-Type", body.ContentType())
	h.Set("Content-Length", strconv.FormatInt(body.Size(), 10))
	if binary {
		h.Set(partsHeader, partsBinary)
	}
	c.w.WriteHeader(http.StatusOK)
	_, err = io.Copy(c.w, content)
	return err
}

// confirm serves ConfirmReceived.
func (c *call) confirm() error {
	var q wire.ConfirmReceived
	if err := c.ask(&q, &q.OrganId, &q.Token); err != nil {
		return err
	}
	id, err := c.number(q.DocumentId)
	if err != nil {
		return err
	}
	if err := c.h.backend.Confirm(c.r.Context(), q.OrganId, id); err != nil {
		return err
	}
	c.answer(response(opConfirm, success))
	return nil
}

// status serves UpdateTraces.
func (c *call) status() error {
	cred, _ := c.env.tokens()
	if err := c.authenticate(cred, "CheckSignature", CodePermission); err != nil {
		return err
	}
	var w wire.Status
	if err := c.env.decode(c.request, &w); err != nil {
		return err
	}
	s := reported(&w)
	if s.From.OrganID == "" || s.ResponseFor.OrganID == "" {
		return c.refusal("N.Status", edxml.Text{
			VI: "trạng thái thiếu From/OrganId hoặc ResponseFor/OrganId", EN: "the status has no From/OrganId or no ResponseFor/OrganId"})
	}
	if n, err := strconv.Atoi(string(s.StatusCode)); err != nil || n < 0 || n > 99 {
		return c.refusal("T.Status.StatusCode", edxml.Text{
			VI: "StatusCode %q không phải mã hai chữ số", EN: "StatusCode %q is no code of two digits"}, clip(string(s.StatusCode)))
	}
	if err := c.speaksFor(s.From.OrganID); err != nil {
		return err
	}
	if err := c.h.backend.AcceptStatus(c.r.Context(), s); err != nil {
		return err
	}
	c.answer(response(opStatus, success))
	return nil
}

// traces serves GetTraces.
func (c *call) traces() error {
	var q wire.GetTraces
	if err := c.ask(&q, &q.OrganId, &q.Token); err != nil {
		return err
	}
	var since time.Time
	if text := strings.TrimSpace(q.TimeStamp); text != "" {
		var err error
		if since, err = edxml.Timestamp(text).Time(); err != nil {
			return c.refusal("T.TimeStamp", edxml.Text{
				VI: "TimeStamp %q không đúng dạng yyyy/MM/dd HH:mm:ss", EN: "TimeStamp %q is not yyyy/MM/dd HH:mm:ss"}, clip(text))
		}
	}
	statuses, err := c.statuses(q.OrganId, since)
	if err != nil {
		return err
	}
	var list strings.Builder
	for i := range statuses {
		list.WriteString(traceElement(&statuses[i]))
	}
	c.answer(response(opTraces, "<edXML:Traces>"+list.String()+"</edXML:Traces>"))
	return nil
}

// statuses reads the list, or the page of it that a cursor asks for. What is
// given once, without a moment, cannot be asked for by the page.
func (c *call) statuses(organ string, since time.Time) ([]edxml.Status, error) {
	cursor := c.r.Header.Get(cursorHeader)
	follower, ok := c.h.backend.(Follower)
	if !ok || cursor == "" || since.IsZero() {
		list, err := c.h.backend.Statuses(c.r.Context(), organ, since)
		if err != nil || since.IsZero() {
			return list, err
		}
		return c.page(list)
	}
	list, next, mark, err := follower.StatusesFrom(c.r.Context(), organ, since, cursor, pageSize)
	if errors.Is(err, ErrCursor) {
		return nil, c.noCursor(cursor)
	}
	if err != nil {
		return nil, err
	}
	if next != "" {
		c.w.Header().Set(cursorHeader, next)
	} else if mark != "" {
		c.w.Header().Set(markHeader, mark)
	}
	return list, nil
}

// noCursor refuses a cursor.
func (c *call) noCursor(text string) error {
	return c.refusal(codeCursor, edxml.Text{
		VI: cursorHeader + " %q không phải con trỏ của trục này", EN: cursorHeader + " %q is no cursor of this axis"}, clip(text))
}

// pageSize is how many statuses go into one answer to a client that pages.
const pageSize = 1000

// page cuts a list, newest first, down to the page that a cursor asks for. It
// counts from the oldest status, so that new ones move nothing.
func (c *call) page(list []edxml.Status) ([]edxml.Status, error) {
	text := c.r.Header.Get(cursorHeader)
	if text == "" {
		return list, nil
	}
	from, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, c.noCursor(text)
	}
	end := max(len(list)-int(from), 0)
	begin := max(end-pageSize, 0)
	if begin > 0 {
		c.w.Header().Set(cursorHeader, strconv.Itoa(len(list)-begin))
	}
	return list[begin:end], nil
}

// organs serves GetOrganizations.
func (c *call) organs() error {
	var q wire.GetOrganizations
	if err := c.ask(&q, &q.OrganId, &q.Token); err != nil {
		return err
	}
	organs, err := c.h.backend.Organs(c.r.Context())
	if err != nil {
		return err
	}
	var list strings.Builder
	for _, o := range organs {
		list.WriteString("<edXML:Organization>" + organFields("edXML:", o) + "</edXML:Organization>")
	}
	c.answer(response(opOrgans, "<edXML:Organizations>"+list.String()+"</edXML:Organizations>"))
	return nil
}

// check serves CheckPermission.
func (c *call) check() error {
	var q wire.CheckPermission
	if err := c.ask(&q, &q.OrganId, &q.Token); err != nil {
		return err
	}
	c.answer(response(opCheck, success))
	return nil
}
