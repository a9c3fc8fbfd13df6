package console

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// exported is what an export is called in the record of a Document.
const exported = node.Verb("export")

// maxReason is how long a reason may be, in octets.
const maxReason = 1000

// with finds the Transfer that a page is about.
func (c *Console) with(d node.Direction, do page) page {
	return func(x *exchange) error {
		t, err := c.node.Store.Transfer(x.Context(), x.PathValue("id"))
		if err == nil && t.Direction != d {
			err = fmt.Errorf("%w: transfer %s is in another box", node.ErrNotFound, t.ID)
		}
		if err != nil {
			return err
		}
		x.transfer = t
		return do(x)
	}
}

// documentPage is the page of one Transfer.
type documentPage struct {
	frame
	*node.Transfer
	Reached  receivers
	Why      edxml.Text
	Verbs    []node.Verb // that may be done to it now
	Answers  bool        // its sender waits to hear what becomes of it
	Reports  []report    // what may be told now
	Exports  bool        // there is a packet
	Done     node.Verb   // what was done a moment ago
	Steps    []step      // its way through this node
	Path     string
	Readable bool // its content may be opened
}

// step is a moment on the way of a Transfer.
type step struct {
	At     time.Time
	What   edxml.Text
	Detail string
	Mood   string
}

func (c *Console) document(x *exchange) error {
	t := x.transfer
	text, err := c.node.Why(x.Context(), t)
	if err != nil {
		return err
	}
	title := edxml.Text{VI: cmp.Or(t.Code, t.DocumentID, t.ID), EN: cmp.Or(t.Code, t.DocumentID, t.ID)}
	p := documentPage{
		frame: c.frame(x, string(t.Direction), title), Transfer: t, Why: text, Steps: steps(t),
		Reached:  arrange(t.Receivers, x.URL.Query().Get("receivers") == "all"),
		Path:     Path + string(t.Direction) + "/" + t.ID,
		Exports:  t.Purged.IsZero() && (t.Envelope.SHA256 != "" || t.Kind == edxml.KindStatus && t.Status != nil),
		Readable: t.Purged.IsZero() && !(t.Direction == node.In && t.Withdrawn != nil),
	}
	p.Exports = p.Exports && p.Readable
	if p.Answers = answerable(t); p.Answers {
		p.Reports = c.reportable(t)
	}
	if done := node.Verb(x.URL.Query().Get("done")); verbNames[done] != (edxml.Text{}) {
		p.Done = done
	}
	for _, v := range verbs {
		if node.May(v, t) == nil {
			p.Verbs = append(p.Verbs, v)
		}
	}
	c.show(x, "document", http.StatusOK, p)
	return nil
}

// steps tells the way of a Transfer through this node, oldest first.
func steps(t *node.Transfer) []step {
	began := edxml.Text{VI: "Nút nhận vào hàng đợi", EN: "Accepted into the queue"}
	if t.Direction == node.In {
		began = edxml.Text{VI: "Trục báo có văn bản", EN: "Listed by the axis"}
	}
	all := []step{{t.Created, began, "", "busy"}}
	for _, a := range t.Attempts {
		s := step{a.Start, edxml.Text{VI: sentence(stepName(a.Step, "vi")), EN: sentence(stepName(a.Step, "en"))}, a.Error, "good"}
		if a.Error != "" {
			s.What, s.Mood = edxml.Text{VI: "Thử " + stepName(a.Step, "vi") + ", không được", EN: "Tried to " + stepName(a.Step, "en") + ", in vain"}, "bad"
		}
		all = append(all, s)
	}
	for _, a := range t.Acts {
		all = append(all, step{a.At, edxml.Text{VI: a.Actor + ": " + actionName(a.Action, "vi"), EN: a.Actor + ": " + actionName(a.Action, "en")}, a.Reason, "over"})
	}
	if !t.Finished.IsZero() {
		all = append(all, step{t.Finished, stateNames[t.State], t.Refusal, mood(t.State)})
	}
	slices.SortStableFunc(all, func(a, b step) int { return a.At.Compare(b.At) })
	return all
}

// operate does something to a Transfer in the name of the token.
func (c *Console) operate(verb node.Verb) page {
	return func(x *exchange) error {
		by, err := c.by(x, verb)
		if err != nil {
			return err
		}
		if _, err := c.node.Operate(x.Context(), verb, x.transfer.ID, by); err != nil {
			return err
		}
		return done(x, verb)
	}
}

// done goes back to the page of a Transfer, which says what was done.
func done(x *exchange, verb node.Verb) error {
	return to(x, Path+string(x.transfer.Direction)+"/"+x.transfer.ID+"?done="+string(verb))
}

// by is who asks for something, and why.
func (c *Console) by(x *exchange, verb node.Verb) (node.By, error) {
	reason := strings.ToValidUTF8(strings.TrimSpace(x.PostFormValue("reason")), "")
	switch {
	case len(reason) > maxReason:
		return node.By{}, &refusal{Status: http.StatusBadRequest, Code: "reason", Why: edxml.Text{VI: "Lý do quá dài.", EN: "The reason is too long."}}
	case reason == "" && needsReason(verb):
		return node.By{}, &refusal{Status: http.StatusBadRequest, Code: "reason", Why: edxml.Text{
			VI: "Hủy hoặc từ chối thì phải ghi lý do. Hãy quay lại và ghi lý do.", EN: "To cancel or to refuse, a reason is needed. Go back and give one."}}
	}
	return node.By{Actor: x.session.account.Name, Reason: reason}, nil
}

// export hands the packet out as one file, and files that it did.
func (c *Console) export(x *exchange) error {
	by, err := c.by(x, exported)
	if err != nil {
		return err
	}
	out := &late{x: x, begin: func() {
		download(x.w, cmp.Or(x.transfer.Code, x.transfer.ID)+".edxml", -1)
	}}
	if _, err := c.node.Record(x.Context(), string(exported), x.transfer.ID, by); err != nil {
		return err
	}
	return c.node.Export(x.Context(), x.transfer, out)
}

// late sends the header with the first octet, so that a refusal can still be said.
type late struct {
	x     *exchange
	begin func()
}

// Write implements io.Writer.
func (l *late) Write(p []byte) (int, error) {
	if l.begin != nil {
		l.begin()
		l.begin = nil
	}
	return l.x.w.Write(p)
}

// file hands a file of a Document out.
func (c *Console) file(x *exchange) error {
	t := x.transfer
	i, err := strconv.Atoi(x.PathValue("n"))
	if err != nil || i < 0 || i >= len(t.Parts) {
		return fmt.Errorf("%w: transfer %s has %d files, counted from 0", node.ErrNotFound, t.ID, len(t.Parts))
	}
	part := t.Parts[i]
	f, err := c.node.Open(x.Context(), t, part.Content)
	if err != nil {
		return err
	}
	defer f.Close()
	download(x.w, part.Name, part.Content.Size)
	if _, err := io.Copy(x.w, f); errors.Is(err, node.ErrDamaged) { // as a cut-off browser, this one sees it by the length
		c.node.Log.ErrorContext(x.Context(), "content not handed out", "transfer", t.ID, "error", err)
	}
	return nil
}

// download sets the header of an answer that is to be saved, never shown.
func download(w http.ResponseWriter, name string, size int64) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(name)}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
}

// fileName makes a name from a packet fit to be suggested to a browser: no
// folder, no character that hides or turns others, not too long.
func fileName(name string) string {
	const most = 150
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '/', r == '\\', r == ':', r == '"', r == '<', r == '>', r == '|', r == '?', r == '*':
			return '-'
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Trim(name, " .-")
	if len(name) > most { // the end says what it is
		tail := name[strings.LastIndex(name, ".")+1:]
		if len(tail) > 10 || len(tail) == len(name) {
			tail = ""
		} else {
			tail = "." + tail
		}
		name = strings.ToValidUTF8(name[:most], "") + tail
	}
	return cmp.Or(name, "file")
}
