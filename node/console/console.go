// Package console is the page that an operator looks at.
//
// It is HTML made by the server, Vietnamese first and English at a click, and
// needs no JavaScript; with it, pages change while one looks. What there is:
// an overview, the outbox and the inbox with a search by the beginnings of
// words, and one page for each Document, which says why it stands where it
// stands and has the buttons for what may be done about it. On a hub there are
// the mailboxes of the agencies, too.
//
// Whoever enters has a token of the REST door: its scope "read" lets look, its
// scope "operate" lets act. The package knows neither tokens nor agencies
// itself; [Options] says whom to ask. A session is a cookie whose hash is
// stored; it ends after a time, at logout, and as soon as the token ends. What
// an operator does is an Act in the record of the Document and in the journal,
// with the name of the token and the reason given.
//
// Nothing that came in a packet is ever more than text on a page: it is escaped,
// and the Content-Security-Policy allows no script or style but the two files
// that are embedded here.
package console

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/lienthong/lienthong/node"
)

// Path is where the pages are; a [Console] serves nothing outside of it.
const Path = "/console/"

// Account is who looks at the pages.
type Account struct {
	ID       string // stands for the account as long as it is good
	Name     string // stands behind what is done
	Operator bool   // may act; else may look only
}

// ErrNoAccount says that a token or an ID is not, or no longer, good for the
// pages.
var ErrNoAccount = errors.New("console: no account with this token")

// Mailbox is how the mailbox of an agency behind a hub stands.
type Mailbox struct {
	OrganID, OrganName string
	Closed             bool
	Documents, Waiting int64
	Oldest             time.Time // since when the oldest one waits; zero: none does
}

// Options are how a Console is held. Enter and Account are required; the zero
// value of any other field means what its comment says.
type Options struct {
	// Enter returns the account of a token that somebody typed, ErrNoAccount if
	// there is none.
	Enter func(ctx context.Context, token string) (*Account, error)
	// Account returns the account with an ID, ErrNoAccount when it has ended.
	Account func(ctx context.Context, id string) (*Account, error)

	Session time.Duration // how long somebody stays logged in; 0: 8 hours
	// Events streams what happens as server-sent events; nil: pages do not
	// change while one looks.
	Events http.Handler
	// Mailboxes and Waiting are those of a hub; nil: this is none.
	Mailboxes func(ctx context.Context) ([]Mailbox, error)
	Waiting   func(ctx context.Context, organ, after string, limit int) ([]*node.Transfer, error)
	// Certificates are the node's own, by what they are for; nil: none is shown.
	Certificates func() map[string]*x509.Certificate
	Free         func() (int64, error) // free space of the store's disk in octets; nil: not shown
	Version      string                // of the program, for the foot of the page
	Log          *slog.Logger          // one line for every change and every refusal; nil: silent
	// Count is told of every request that was answered; nil: nobody is.
	Count func(Request)
}

// Request is what there is to count about an answered request.
type Request struct {
	Route    string // "GET /console/{$}", "" when there is none
	Status   int
	Code     string // of a refusal, "" when it was none
	Duration time.Duration
}

// maxForm is the limit for a form, in octets.
const maxForm = 16 << 10

// Console serves the pages of a node.
type Console struct {
	node    *node.Node
	options Options
	mux     *http.ServeMux
	origin  *http.CrossOriginProtection
	guesses *rate.Limiter // logins that did not succeed
	pages   pages
	cookie  string // its name: that of the node, as ports share cookies
}

// New makes the pages of a node.
func New(n *node.Node, o Options) (*Console, error) {
	if o.Enter == nil || o.Account == nil {
		return nil, errors.New("console: nobody says who may enter")
	}
	if o.Session == 0 {
		o.Session = 8 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	sum := sha256.Sum256([]byte(n.Organ.OrganID))
	c := &Console{
		node: n, options: o, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(),
		guesses: rate.NewLimiter(2, 20), cookie: "lienthong_" + hex.EncodeToString(sum[:4]),
	}
	var err error
	if c.pages, err = parsePages(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.routes()
	return c, nil
}

func (c *Console) routes() {
	open := func(route string, do page) { c.mux.Handle(route, c.answer(route, do)) }
	look := func(route string, do page) { open(route, c.inside(do)) }
	act := func(route string, do page) { open(route, c.inside(c.operator(do))) }

	open("GET /console/style.css", embedded("static/style.css", "text/css; charset=utf-8"))
	open("GET /console/live.js", embedded("static/live.js", "text/javascript; charset=utf-8"))
	open("GET /console/icon.svg", embedded("static/icon.svg", "image/svg+xml"))
	open("GET /console/login", c.loginPage)
	open("POST /console/login", c.login)
	look("POST /console/logout", c.logout)
	look("GET /console/{$}", c.overview)
	for _, d := range []node.Direction{node.Out, node.In} {
		path := " /console/" + string(d)
		look("GET"+path, c.list(d))
		look("GET"+path+"/{id}", c.with(d, c.document))
		look("GET"+path+"/{id}/files/{n}", c.with(d, c.file))
		act("POST"+path+"/{id}/export", c.with(d, c.export))
		for _, verb := range verbs {
			act("POST"+path+"/{id}/"+string(verb), c.with(d, c.operate(verb)))
		}
	}
	for _, r := range reports {
		act("POST /console/in/{id}/"+string(r.Verb), c.with(node.In, c.report(r)))
	}
	if c.options.Mailboxes != nil {
		look("GET /console/hub", c.mailboxes)
		look("GET /console/hub/{organ}", c.waiting)
	}
	if c.options.Events != nil {
		look("GET "+eventsPath, c.events)
	}
	open("/", func(*exchange) error { return &refusal{Status: http.StatusNotFound, Code: "no-page"} })
}

// verbs are what an operator may do to any Transfer, in the order of their
// buttons.
var verbs = []node.Verb{node.Retry, node.Hold, node.Release, node.Cancel}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }
