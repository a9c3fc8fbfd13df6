package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// Scope is what a token is good for.
type Scope string

// The scopes. A route needs one of them; openapi.json says which.
const (
	Anyone  Scope = ""        // needs no token
	Submit  Scope = "submit"  // hand over documents, recall, update, replace
	Receive Scope = "receive" // take documents from the inbox, report statuses
	Read    Scope = "read"    // look at both boxes, events, organs, statistics
	Operate Scope = "operate" // retry, hold, release, cancel, export
	Metrics Scope = "metrics" // /metrics alone
	Own     Scope = "own"     // tokens themselves; no token has it, only the local side
)

// Scopes are those that a token can have.
func Scopes() []Scope { return []Scope{Submit, Receive, Read, Operate, Metrics} }

// Local serves the routes to whoever comes: to the node's own user.
func (d *Door) Local() http.Handler {
	return d.serve(func(*http.Request, Scope) (*caller, error) { return &caller{name: "local"}, nil })
}

// Remote serves the routes to whoever has a token with the scope that the route
// needs, at the rate that the Options say.
func (d *Door) Remote() http.Handler { return d.serve(d.admit) }

// Guard lets only those through to another handler who have a token with a
// scope.
func (d *Door) Guard(s Scope, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := d.admit(r, s)
		if err != nil {
			d.finish(w, r, "", time.Now(), c, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// caller is who makes a request.
type caller struct {
	id   string // of the token, "" on the local side
	name string
}

type callerKey struct{}

// by names who makes a request.
func by(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{name: "local"}
}

// reply is an answer that remembers what there is to log about it.
type reply struct {
	http.ResponseWriter
	status   int
	problem  *Problem
	transfer *node.Transfer
}

// Unwrap lets http.ResponseController through.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// about notes which Transfer a request is about.
func about(w http.ResponseWriter, t *node.Transfer) {
	if out, ok := w.(*reply); ok {
		out.transfer = t
	}
}

// serve admits, routes, limits, logs and counts.
func (d *Door) serve(admit func(*http.Request, Scope) (*caller, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, route := d.mux.Handler(r)
		scope, known := d.scopes[route]
		if !known {
			scope = Read // who may know nothing is not told what there is
		}
		c, err := admit(r, scope)
		if err == nil && !known {
			err = d.noRoute(w, r)
		}
		if err == nil && r.ContentLength > d.options.MaxBody {
			err = &http.MaxBytesError{Limit: d.options.MaxBody}
		}
		if err != nil {
			d.finish(w, r, route, began, c, err)
			return
		}
		out := &reply{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
		r.Body = body{http.MaxBytesReader(w, r.Body, d.options.MaxBody)}
		d.mux.ServeHTTP(out, r)
		d.note(r, route, began, c, out)
	})
}

// body is one whose every end but the right one is [io.ErrUnexpectedEOF]:
// a connection that is reset cuts it off as one does that is closed.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var large *http.MaxBytesError
	var stalled *transport.StallError
	if err == nil || err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &large) || errors.As(err, &stalled) {
		return n, err
	}
	return n, fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
}

// finish refuses a request that came to no route.
func (d *Door) finish(w http.ResponseWriter, r *http.Request, route string, began time.Time, c *caller, err error) {
	out := &reply{ResponseWriter: w}
	p := problem(err)
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="lienthong"`)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	refuse(out, p)
	d.note(r, route, began, c, out)
}

// noRoute tells a wrong method from a wrong path.
func (d *Door) noRoute(w http.ResponseWriter, r *http.Request) error {
	var methods []string
	for route := range d.scopes {
		method, _, _ := strings.Cut(route, " ")
		try := r.Clone(r.Context())
		try.Method = method
		if _, found := d.mux.Handler(try); found == route {
			methods = append(methods, method)
		}
	}
	if len(methods) > 0 {
		slices.Sort(methods)
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return &Problem{Status: http.StatusMethodNotAllowed, Code: "method", Detail: fmt.Sprintf("api: %s does not take %s", r.URL.Path, r.Method)}
	}
	return &Problem{Status: http.StatusNotFound, Code: "no-route", Detail: "api: there is nothing at " + r.URL.Path}
}

// note logs and counts an answered request: refusals and changes always, what
// only looks when the log is set to debug.
func (d *Door) note(r *http.Request, route string, began time.Time, c *caller, out *reply) {
	q := Request{Route: route, Status: out.status, Duration: time.Since(began)}
	if q.Status == 0 {
		q.Status = http.StatusOK
	}
	level, message := slog.LevelInfo, "api request"
	if r.Method == http.MethodGet {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{slog.String("route", route), slog.Int("status", q.Status), slog.Duration("took", q.Duration)}
	if c != nil {
		attrs = append(attrs, slog.String("by", c.name))
	}
	if r.RemoteAddr != "" && r.RemoteAddr != "@" {
		attrs = append(attrs, slog.String("from", r.RemoteAddr))
	}
	if out.transfer != nil {
		attrs = append(attrs, slog.String("transfer", out.transfer.ID))
	}
	if out.problem != nil {
		q.Code, level, message = out.problem.Code, slog.LevelWarn, "api refused"
		if q.Status >= http.StatusInternalServerError && q.Code != "busy" { // which is nobody's fault
			level = slog.LevelError
		}
		attrs = append(attrs, slog.String("code", q.Code), slog.String("error", out.problem.Detail))
		for _, f := range out.problem.Findings {
			attrs = append(attrs, slog.String("rule", f.EN.Rule))
			break
		}
	}
	d.options.Log.LogAttrs(r.Context(), level, message, attrs...)
	if d.options.Count != nil {
		d.options.Count(q)
	}
}

// admit checks the token of a request.
func (d *Door) admit(r *http.Request, s Scope) (*caller, error) {
	if s == Anyone {
		if !d.held.stranger(r) {
			return nil, tooFast()
		}
		return &caller{name: "anyone"}, nil
	}
	kind, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	var t *Token
	err := ErrNoToken
	if strings.EqualFold(kind, "Bearer") && secret != "" {
		t, err = Lookup(r.Context(), d.node.Store, strings.TrimSpace(secret), time.Now())
	}
	if errors.Is(err, ErrNoToken) {
		if !d.held.stranger(r) { // guessing is slow
			return nil, tooFast()
		}
		return nil, &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	c := &caller{id: t.ID, name: "token " + t.Name}
	if !d.held.token(t.ID) {
		return c, tooFast()
	}
	if !slices.Contains(t.Scopes, s) {
		return c, &Problem{Status: http.StatusForbidden, Code: "forbidden", Detail: fmt.Sprintf("api: the token %q lacks the scope %q", t.Name, s)}
	}
	return c, nil
}

func tooFast() error {
	return &Problem{Status: http.StatusTooManyRequests, Code: "rate", Detail: "api: more requests than the rate allows"}
}

// limiters hold tokens and strangers to their rates.
type limiters struct {
	mu       sync.Mutex
	rate     rate.Limit
	burst    int
	tokens   map[string]*rate.Limiter // by ID: as many as there are tokens
	strange  *rate.Limiter            // all who have no token, together
	loopback *rate.Limiter            // those of them on this machine
}

// strangers is how many requests per second are answered that have no token.
const strangers = 20

func newLimiters(perSecond float64, burst int) *limiters {
	l := &limiters{
		tokens:  map[string]*rate.Limiter{},
		strange: rate.NewLimiter(strangers, 2*strangers), loopback: rate.NewLimiter(strangers, 2*strangers),
	}
	l.set(perSecond, burst)
	return l
}

// set changes the rate, also of tokens that are in use.
func (l *limiters) set(perSecond float64, burst int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if perSecond == 0 {
		perSecond = 50
	}
	if burst == 0 {
		burst = int(math.Ceil(2 * perSecond))
	}
	l.rate, l.burst = rate.Limit(perSecond), burst
	for _, t := range l.tokens {
		t.SetLimit(l.rate)
		t.SetBurst(l.burst)
	}
}

func (l *limiters) token(id string) bool {
	l.mu.Lock()
	t := l.tokens[id]
	if t == nil {
		t = rate.NewLimiter(l.rate, l.burst)
		l.tokens[id] = t
	}
	l.mu.Unlock()
	return t.Allow()
}

func (l *limiters) stranger(r *http.Request) bool {
	if loopback(r.RemoteAddr) {
		return l.loopback.Allow()
	}
	return l.strange.Allow()
}

// SetRate changes how many requests per second a token may make, see Options.
func (d *Door) SetRate(perSecond float64, burst int) { d.held.set(perSecond, burst) }

// CheckAddress refuses an address from which tokens and documents would cross a
// network in clear: without TLS only the loopback is allowed.
func CheckAddress(address string, tls bool) error {
	if _, port, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("api: address %q: %w", address, err)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("api: address %q: port %q is no number up to 65535 (%d)", address, port, n)
	}
	if !tls && !loopback(address) {
		return fmt.Errorf("%w: %s", ErrInClear, address)
	}
	return nil
}

// ErrInClear says that an address other than the loopback has no TLS.
var ErrInClear = errors.New("api: without TLS the door opens on the loopback only")

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
