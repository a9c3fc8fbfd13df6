package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/console"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/node/metrics"
)

// consoleSection is the page that an operator looks at. It is served beside the
// REST door.
type consoleSection struct {
	Off     bool     `toml:"off"`
	Session duration `toml:"session"` // how long somebody stays logged in; 0: 8h
}

// withConsole puts the pages beside the routes of the REST door.
func (h *house) withConsole(routes http.Handler, agencies *hub.Hub, m *metrics.Metrics) (http.Handler, error) {
	n := h.node
	o := console.Options{
		Enter:   account(n, api.Lookup),
		Account: account(n, api.Standing),
		Session: time.Duration(h.config.Console.Session), Events: eventsOf(h.door.Local()),
		Certificates: h.config.certificates, Version: version(), Log: n.Log,
		Count: func(q console.Request) { m.Request(q.Route, q.Status, q.Code, q.Duration) },
	}
	dir, err := h.config.folder()
	if err != nil {
		return nil, err
	}
	o.Free = freeSpace(dir)
	if h.config.Hub.Listen != "" {
		o.Mailboxes, o.Waiting = mailboxes(agencies), agencies.Waiting
	}
	pages, err := console.New(n, o)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, console.Path):
			pages.ServeHTTP(w, r)
		case (r.URL.Path == "/" || r.URL.Path+"/" == console.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			http.Redirect(w, r, console.Path, http.StatusSeeOther)
		default:
			routes.ServeHTTP(w, r)
		}
	}), nil
}

// account makes accounts of the pages out of tokens of the REST door.
func account(n *node.Node, find func(context.Context, node.Store, string, time.Time) (*api.Token, error)) func(context.Context, string) (*console.Account, error) {
	return func(ctx context.Context, ref string) (*console.Account, error) {
		t, err := find(ctx, n.Store, ref, time.Now())
		switch {
		case errors.Is(err, api.ErrNoToken), err == nil && !slices.Contains(t.Scopes, api.Read):
			return nil, console.ErrNoAccount
		case err != nil:
			return nil, err
		}
		return &console.Account{ID: t.ID, Name: "token " + t.Name, Operator: slices.Contains(t.Scopes, api.Operate)}, nil
	}
}

// eventsOf is the stream of events of a door, at whatever path.
func eventsOf(routes http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := r.Clone(r.Context())
		to.URL.Path, to.URL.RawPath = "/v1/events", ""
		routes.ServeHTTP(w, to)
	})
}

// mailboxes tells the pages how the mailboxes of a hub stand.
func mailboxes(h *hub.Hub) func(context.Context) ([]console.Mailbox, error) {
	return func(ctx context.Context) ([]console.Mailbox, error) {
		found, err := h.Mailboxes(ctx)
		if err != nil {
			return nil, err
		}
		var all []console.Mailbox
		for _, m := range found {
			all = append(all, console.Mailbox{
				OrganID: m.OrganID, OrganName: m.OrganName, Closed: m.Closed, Documents: m.Documents, Waiting: m.Waiting, Oldest: m.Oldest,
			})
		}
		return all, nil
	}
}
