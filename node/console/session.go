package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// session is somebody's stay.
type session struct {
	account *Account
	name    string // under which it is stored
	proof   string // which a form of it carries, and nobody else knows
}

// kept is a session as it is stored; the cookie itself is kept nowhere.
type kept struct {
	Account string    `json:"account"`
	Ends    time.Time `json:"ends"`
}

// sessionName is the beginning of the names under which sessions are stored;
// the hash of the cookie follows.
const sessionName = "console session "

// maxCookie is how long the cookie may be, in octets; ours has 26.
const maxCookie = 64

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// begin starts a session and gives its cookie to the browser.
func (c *Console) begin(x *exchange, a *Account) error {
	secret, now := rand.Text(), time.Now().UTC()
	value, err := json.Marshal(kept{a.ID, now.Add(c.options.Session)})
	if err != nil {
		return err
	}
	if err := c.sweep(x.Context(), now); err != nil {
		return err
	}
	if err := c.node.Store.SetValue(x.Context(), sessionName+digest(secret), value); err != nil {
		return err
	}
	c.setCookie(x, secret, int(c.options.Session/time.Second))
	return nil
}

func (c *Console) setCookie(x *exchange, value string, age int) {
	http.SetCookie(x.w, &http.Cookie{
		Name: c.cookie, Value: value, Path: Path, MaxAge: age,
		HttpOnly: true, Secure: x.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}

// sweep forgets sessions that are over.
func (c *Console) sweep(ctx context.Context, now time.Time) error {
	const some = 1000
	for after := ""; ; {
		stored, err := c.node.Store.Values(ctx, sessionName, after, some)
		if err != nil {
			return err
		}
		for _, v := range stored {
			var k kept
			if err := json.Unmarshal(v.Value, &k); err == nil && now.Before(k.Ends) {
				continue
			}
			if err := c.node.Store.SetValue(ctx, v.Name, nil); err != nil {
				return err
			}
		}
		if len(stored) < some {
			return nil
		}
		after = stored[some-1].Name
	}
}

// current finds the session of a request; nil when there is none.
func (c *Console) current(r *http.Request) (*session, error) {
	cookie, err := r.Cookie(c.cookie)
	if err != nil || cookie.Value == "" || len(cookie.Value) > maxCookie {
		return nil, nil //nolint:nilerr // there is no cookie, which is no error
	}
	s := &session{name: sessionName + digest(cookie.Value), proof: digest("form", cookie.Value)}
	value, err := c.node.Store.Value(r.Context(), s.name)
	if err != nil || value == nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal(value, &k); err != nil {
		return nil, fmt.Errorf("console: stored session: %w", err)
	}
	if !time.Now().Before(k.Ends) {
		return nil, nil
	}
	s.account, err = c.options.Account(r.Context(), k.Account)
	if errors.Is(err, ErrNoAccount) {
		return nil, nil
	}
	return s, err
}

// inside lets only those through who are logged in, and changes only by forms
// of their own session.
func (c *Console) inside(do page) page {
	return func(x *exchange) error {
		s, err := c.current(x.Request)
		if err != nil {
			return err
		}
		if s == nil {
			return &refusal{Status: http.StatusUnauthorized, Code: "session"}
		}
		x.session = s
		if x.Method == http.MethodPost {
			if err := c.form(x); err != nil {
				return err
			}
			if subtle.ConstantTimeCompare([]byte(x.PostFormValue("proof")), []byte(s.proof)) != 1 {
				return &refusal{Status: http.StatusForbidden, Code: "csrf"}
			}
		}
		return do(x)
	}
}

// operator lets only those through who may act.
func (c *Console) operator(do page) page {
	return func(x *exchange) error {
		if !x.session.account.Operator {
			return &refusal{Status: http.StatusForbidden, Code: "forbidden"}
		}
		return do(x)
	}
}

// form reads a form that came from a page of ours.
func (c *Console) form(x *exchange) error {
	if err := c.origin.Check(x.Request); err != nil {
		return &refusal{Status: http.StatusForbidden, Code: "csrf", err: err}
	}
	if x.ContentLength > maxForm {
		return &http.MaxBytesError{Limit: maxForm}
	}
	if x.ContentLength == 0 {
		x.PostForm = url.Values{} // which has no proof either
		return nil
	}
	if kind, _, err := mime.ParseMediaType(x.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return &refusal{Status: http.StatusUnsupportedMediaType, Code: "form"}
	}
	x.Body = http.MaxBytesReader(x.w, x.Body, maxForm)
	if err := x.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return &refusal{Status: http.StatusBadRequest, Code: "form", err: err}
	}
	return nil
}

// entrance is the page to log in.
type entrance struct {
	frame
	Back  string // the page that was asked for
	Wrong edxml.Text
}

func (c *Console) entrance(x *exchange, back string, wrong edxml.Text) entrance {
	return entrance{c.frame(x, "login", edxml.Text{VI: "Đăng nhập", EN: "Log in"}), back, wrong}
}

func (c *Console) loginPage(x *exchange) error {
	s, err := c.current(x.Request)
	if err != nil {
		return err
	}
	if s != nil {
		return to(x, Path)
	}
	wrong := edxml.Text{}
	if _, err := x.Cookie(c.cookie); err == nil { // was here
		wrong = why["session"]
		c.setCookie(x, "", -1)
	}
	c.show(x, "login", http.StatusOK, c.entrance(x, back(x.FormValue("back")), wrong))
	return nil
}

// back returns a page to go back to: one of ours, whatever is asked for.
func back(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, Path) || strings.Contains(asked, `\`) ||
		u.Path == eventsPath || strings.HasPrefix(u.Path, Path+"login") {
		return Path
	}
	return u.RequestURI()
}

func (c *Console) login(x *exchange) error {
	if err := c.form(x); err != nil {
		return err
	}
	a, err := c.options.Enter(x.Context(), strings.TrimSpace(x.PostFormValue("token")))
	if errors.Is(err, ErrNoAccount) {
		if !c.guesses.Allow() { // guessing is slow, and keeps nobody out
			return &refusal{Status: http.StatusTooManyRequests, Code: "rate", err: err}
		}
		c.show(x, "login", http.StatusUnauthorized, c.entrance(x, back(x.PostFormValue("back")), why["login"]))
		return &refusal{Status: http.StatusUnauthorized, Code: "login", err: err, shown: true}
	}
	if err != nil {
		return err
	}
	if err := c.begin(x, a); err != nil {
		return err
	}
	c.options.Log.InfoContext(x.Context(), "logged in", "by", a.Name, "operator", a.Operator, "from", x.RemoteAddr)
	return to(x, back(x.PostFormValue("back")))
}

func (c *Console) logout(x *exchange) error {
	if err := c.node.Store.SetValue(x.Context(), x.session.name, nil); err != nil {
		return err
	}
	c.setCookie(x, "", -1)
	return to(x, Path+"login")
}
