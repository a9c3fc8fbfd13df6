package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

//go:embed static
var static embed.FS

// exchange is one request with its answer.
type exchange struct {
	*http.Request
	w        *reply
	lang     string
	session  *session       // nil outside
	transfer *node.Transfer // which the request is about, nil for none
}

// reply is an answer that remembers its status.
type reply struct {
	http.ResponseWriter
	status int // 0 as long as nothing is written
}

// WriteHeader implements http.ResponseWriter.
func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *reply) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// page answers a request, or says why not.
type page func(*exchange) error

// refusal is an answer other than what was asked for.
type refusal struct {
	Status int
	Code   string     // stable, for the log and the counters
	Why    edxml.Text // what the reader of the page has to know; "" for what Code says
	err    error
	shown  bool // its page is written already
}

// Error names the code.
func (r *refusal) Error() string {
	if r.err != nil {
		return r.err.Error()
	}
	return "console: " + r.Code
}

// Unwrap gives the cause.
func (r *refusal) Unwrap() error { return r.err }

// why is what a page says about a refusal by its code.
var why = map[string]edxml.Text{
	"no-page":   {VI: "Không có trang này.", EN: "There is no such page."},
	"login":     {VI: "Token không đúng, đã hết hạn, đã bị thu hồi, hoặc không có quyền read.", EN: "The token is wrong, expired or revoked, or lacks the scope read."},
	"session":   {VI: "Phiên làm việc đã hết. Hãy đăng nhập lại.", EN: "The session is over. Please log in again."},
	"csrf":      {VI: "Yêu cầu không đến từ trang này nên không được thực hiện. Hãy tải lại trang rồi thử lại.", EN: "The request did not come from this page and was not carried out. Reload the page and try again."},
	"forbidden": {VI: "Token này chỉ được xem. Để thao tác cần token có quyền operate.", EN: "This token may only look. To act, a token with the scope operate is needed."},
	"rate":      {VI: "Quá nhiều lần đăng nhập sai. Hãy thử lại sau ít giây.", EN: "Too many logins failed. Try again in a few seconds."},
	"too-large": {VI: "Biểu mẫu quá lớn.", EN: "The form is too large."},
	"form":      {VI: "Không đọc được biểu mẫu.", EN: "The form cannot be read."},
	"not-found": {VI: "Không tìm thấy văn bản hoặc tệp này.", EN: "There is no such document or file."},
	"gone":      {VI: "Trình duyệt đã ngắt kết nối.", EN: "The browser went away."},
	"withdrawn": {VI: "Cơ quan gửi đã thu hồi văn bản này; nội dung không còn được mở.", EN: "The sender has recalled this document; its content is not handed out any more."},
	"failed":    {VI: "Có lỗi trong nút. Xem nhật ký của nút để biết thêm.", EN: "Something failed in the node. Its log says more."},
}

// refusalOf gives an error its status and code.
func refusalOf(err error) *refusal {
	var r *refusal
	var move *node.MoveError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &move):
		return &refusal{Status: http.StatusConflict, Code: "move", Why: move.Why, err: err}
	case errors.As(err, &large):
		return &refusal{Status: http.StatusRequestEntityTooLarge, Code: "too-large", err: err}
	case errors.Is(err, node.ErrNotFound):
		return &refusal{Status: http.StatusNotFound, Code: "not-found", err: err}
	case errors.Is(err, node.ErrWithdrawn):
		return &refusal{Status: http.StatusGone, Code: "withdrawn", err: err}
	case errors.Is(err, context.Canceled):
		return &refusal{Status: 499, Code: "gone", err: err} // the browser did not wait; only the log sees it
	}
	return &refusal{Status: http.StatusInternalServerError, Code: "failed", err: err}
}

// answer serves a page: with the headers that every answer has, and one line
// in the log for every change and every refusal.
func (c *Console) answer(route string, do page) http.Handler {
	if !strings.Contains(route, Path) {
		route = ""
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		x := &exchange{Request: r, w: &reply{ResponseWriter: w}, lang: language(w, r)}
		err := do(x)
		var refused *refusal
		if err != nil {
			refused = refusalOf(err)
			c.refuse(x, refused)
		}
		c.note(x, route, time.Since(began), refused)
	})
}

// refuse answers with a page that says why.
func (c *Console) refuse(x *exchange, r *refusal) {
	if r.shown {
		return
	}
	if x.w.status != 0 {
		panic(http.ErrAbortHandler) // half of it is out: the browser must not take it for whole
	}
	if r.Code == "session" && (x.Method == http.MethodGet || x.Method == http.MethodHead) && x.URL.Path != eventsPath {
		_ = to(x, Path+"login?"+url.Values{"back": {back(x.URL.RequestURI())}}.Encode()) // it cannot fail
		return
	}
	if r.Why == (edxml.Text{}) {
		r.Why = why[r.Code]
	}
	if r.Code == "rate" {
		x.w.Header().Set("Retry-After", "1")
	}
	c.show(x, "refused", r.Status, refused{c.frame(x, "", edxml.Text{VI: "Không thực hiện được", EN: "Not done"}), r})
}

// refused is the page of a refusal.
type refused struct {
	frame
	*refusal
}

// note logs and counts an answered request.
func (c *Console) note(x *exchange, route string, took time.Duration, refused *refusal) {
	q := Request{Route: route, Status: x.w.status, Duration: took}
	if q.Status == 0 {
		q.Status = http.StatusOK
	}
	level, message := slog.LevelInfo, "console request"
	if x.Method == http.MethodGet || x.Method == http.MethodHead {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{slog.String("route", route), slog.Int("status", q.Status), slog.Duration("took", took), slog.String("from", x.RemoteAddr)}
	if x.session != nil {
		attrs = append(attrs, slog.String("by", x.session.account.Name))
	}
	if x.transfer != nil {
		attrs = append(attrs, slog.String("transfer", x.transfer.ID))
	}
	if refused != nil {
		q.Code, level, message = refused.Code, slog.LevelWarn, "console refused"
		switch {
		case q.Status >= http.StatusInternalServerError:
			level = slog.LevelError
		case q.Status == http.StatusSeeOther, q.Code == "gone": // led to the login, or elsewhere
			level = slog.LevelInfo
		}
		attrs = append(attrs, slog.String("code", q.Code), slog.String("error", refused.Error()))
	}
	c.options.Log.LogAttrs(x.Context(), level, message, attrs...)
	if c.options.Count != nil {
		c.options.Count(q)
	}
}

// show writes a page.
func (c *Console) show(x *exchange, name string, status int, data any) {
	var b bytes.Buffer
	if err := c.pages[x.lang][name].ExecuteTemplate(&b, "page", data); err != nil {
		c.options.Log.ErrorContext(x.Context(), "console page", "page", name, "error", err)
		http.Error(x.w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := x.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", x.lang)
	x.w.WriteHeader(status)
	_, _ = x.w.Write(b.Bytes()) // a browser that went away needs no page
}

// to sends the browser on to a page of ours.
func to(x *exchange, path string) error {
	http.Redirect(x.w, x.Request, path, http.StatusSeeOther)
	return nil
}

// embedded serves a file of ours.
func embedded(name, mediaType string) page {
	return func(x *exchange) error {
		b, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		x.w.Header().Set("Content-Type", mediaType)
		x.w.Header().Set("Cache-Control", "no-cache")
		_, _ = x.w.Write(b) // a browser that went away needs no file
		return nil
	}
}

// language is the one that was chosen, now or earlier; Vietnamese otherwise.
func language(w http.ResponseWriter, r *http.Request) string {
	const cookie = "lienthong_lang"
	if chosen := r.URL.Query().Get("lang"); chosen == "vi" || chosen == "en" {
		http.SetCookie(w, &http.Cookie{
			Name: cookie, Value: chosen, Path: Path, MaxAge: 365 * 24 * 3600,
			HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
		})
		return chosen
	}
	if c, err := r.Cookie(cookie); err == nil && c.Value == "en" {
		return "en"
	}
	return "vi"
}
