package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// mailboxesPage is the agencies behind a hub.
type mailboxesPage struct {
	frame
	Mailboxes []Mailbox // those whose Documents wait longest in front
	Behind    int       // how many have not collected for a day
	All       int       // how many there are, where not all are listed; else 0
}

// shownMailboxes is how many mailboxes the page lists unless all are asked for.
const shownMailboxes = 200

// slow is how long a Document may wait before its agency is pointed out.
const slow = 24 * time.Hour

// Slow reports whether an agency has left something uncollected too long.
func (p mailboxesPage) Slow(m Mailbox) bool { return !m.Oldest.IsZero() && p.Now.Sub(m.Oldest) >= slow }

// Idle is how long the oldest Document of a mailbox waits.
func (p mailboxesPage) Idle(m Mailbox) time.Duration { return p.Now.Sub(m.Oldest) }

func (c *Console) mailboxes(x *exchange) error {
	all, err := c.options.Mailboxes(x.Context())
	if err != nil {
		return err
	}
	p := mailboxesPage{frame: c.frame(x, "hub", edxml.Text{VI: "Hộp thư các cơ quan", EN: "Mailboxes of agencies"}), Mailboxes: all}
	for _, m := range all {
		if p.Slow(m) {
			p.Behind++
		}
	}
	slices.SortStableFunc(p.Mailboxes, func(a, b Mailbox) int {
		switch {
		case a.Oldest.IsZero() && b.Oldest.IsZero():
			return 0
		case a.Oldest.IsZero():
			return 1
		case b.Oldest.IsZero():
			return -1
		}
		return a.Oldest.Compare(b.Oldest)
	})
	if n := len(p.Mailboxes); n > shownMailboxes && x.URL.Query().Get("mailboxes") != "all" {
		p.Mailboxes, p.All = p.Mailboxes[:shownMailboxes], n
	}
	c.show(x, "mailboxes", http.StatusOK, p)
	return nil
}

// waitingPage is what waits for one agency.
type waitingPage struct {
	frame
	Agency    Mailbox
	Transfers []*node.Transfer
	Next      string
}

func (c *Console) waiting(x *exchange) error {
	all, err := c.options.Mailboxes(x.Context())
	if err != nil {
		return err
	}
	id := x.PathValue("organ")
	at := slices.IndexFunc(all, func(m Mailbox) bool { return m.OrganID == id })
	if at < 0 {
		return fmt.Errorf("%w: no agency %.80q is hosted here", node.ErrNotFound, id)
	}
	some, err := c.options.Waiting(x.Context(), id, x.FormValue("after"), perPage+1)
	if err != nil {
		return err
	}
	p := waitingPage{frame: c.frame(x, "hub", edxml.Text{VI: all[at].OrganName, EN: all[at].OrganName}), Agency: all[at], Transfers: some}
	if len(some) > perPage {
		p.Transfers = some[:perPage]
		p.Next = Path + "hub/" + id + "?after=" + some[perPage-1].ID
	}
	c.show(x, "waiting", http.StatusOK, p)
	return nil
}

// streamed is how long a stream of events goes on before the browser has to ask
// again, and with it whether its session is still good.
const streamed = 5 * time.Minute

// eventsPath is where the stream is.
const eventsPath = Path + "events"

// events passes what happens on to a page that is open.
func (c *Console) events(x *exchange) error {
	ctx, end := context.WithTimeout(x.Context(), streamed)
	defer end()
	c.options.Events.ServeHTTP(x.w, x.WithContext(ctx))
	return nil
}
