package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// shownDays is how many days the overview looks back.
const shownDays = 30

// fewest is how many Transfers the overview lists of those that need somebody.
const fewest = 8

// overviewPage is the first page.
type overviewPage struct {
	frame
	Queues       []queue
	Link         node.Link
	HasAxis      bool
	OnTime, Sent int64 // of the last 30 days
	Share        int64 // in percent, rounded down
	Chart        chart
	Certificates []certificate
	Free         int64 // -1: not known
	FreeLow      bool
	Stuck        []*node.Transfer // given up, oldest first
	Latest       []*node.Transfer // what moved in or out last
	Waiting      int64            // mailboxes of a hub that wait
}

// queue is how one box stands.
type queue struct {
	Box    node.Direction
	Counts []stateCount
	Oldest time.Time // since when the oldest one is not finished; zero: none is
}

type stateCount struct {
	State node.State
	Count int64
}

// certificate is one of the node's own.
type certificate struct {
	Use    edxml.Text
	Name   string
	Ends   time.Time
	Days   int
	Expiry string // "good", "busy" below 60 days, "bad" below 14
}

var uses = map[string]edxml.Text{
	"sign": {VI: "Ký văn bản", EN: "Signing"},
	"api":  {VI: "TLS của cửa REST", EN: "TLS of the REST door"},
	"hub":  {VI: "TLS của trục", EN: "TLS of the hub"},
	"axis": {VI: "TLS gọi trục", EN: "TLS towards the axis"},
}

func (c *Console) overview(x *exchange) error {
	ctx, now := x.Context(), time.Now()
	p := overviewPage{frame: c.frame(x, "home", edxml.Text{VI: "Tổng quan", EN: "Overview"}), HasAxis: c.node.Axis != nil, Free: -1}
	var err error
	if p.Link, err = c.node.Link(ctx); err != nil {
		return err
	}
	if err := c.queues(x, &p); err != nil {
		return err
	}
	days, err := c.node.Days(ctx, now.AddDate(0, 0, 1-shownDays), now)
	if err != nil {
		return err
	}
	for _, d := range days {
		p.OnTime += d.Out[node.OnTime]
		p.Sent += d.Out[node.OnTime] + d.Out[node.Late]
	}
	if p.Sent > 0 {
		p.Share = p.OnTime * 100 / p.Sent
	}
	p.Chart = draw(days)
	p.Certificates = c.certificates(now)
	if c.options.Free != nil {
		if free, err := c.options.Free(); err == nil {
			p.Free, p.FreeLow = free, free < c.node.Intake.Slow
		}
	}
	if p.Stuck, err = c.node.InState(ctx, node.Out, node.Failed, "", fewest); err != nil {
		return err
	}
	for _, d := range []node.Direction{node.Out, node.In} {
		some, err := c.node.Store.List(ctx, d, "", fewest)
		if err != nil {
			return err
		}
		p.Latest = append(p.Latest, some...)
	}
	slices.SortFunc(p.Latest, func(a, b *node.Transfer) int { return -cmp.Compare(a.ID, b.ID) })
	p.Latest = p.Latest[:min(len(p.Latest), fewest)]
	c.show(x, "overview", http.StatusOK, p)
	return nil
}

// queues counts what is in the boxes.
func (c *Console) queues(x *exchange, p *overviewPage) error {
	counts, err := c.node.Store.Counts(x.Context(), node.StatePrefix())
	if err != nil {
		return err
	}
	oldest, err := c.node.OldestUnfinished(x.Context())
	if err != nil {
		return err
	}
	for _, d := range []node.Direction{node.Out, node.In} {
		q := queue{Box: d, Oldest: oldest[d]}
		for _, s := range boxStates[d] {
			q.Counts = append(q.Counts, stateCount{s, counts[node.StateKey(d, s)]})
		}
		p.Queues = append(p.Queues, q)
	}
	p.Waiting = counts[node.StateKey(node.Box, node.Waiting)]
	return nil
}

// certificates are those of the node, the one that ends first in front.
func (c *Console) certificates(now time.Time) []certificate {
	if c.options.Certificates == nil {
		return nil
	}
	var all []certificate
	for use, cert := range c.options.Certificates() {
		name, ok := uses[use]
		if !ok {
			name = edxml.Text{VI: use, EN: use}
		}
		k := certificate{Use: name, Name: cert.Subject.String(), Ends: cert.NotAfter, Days: int(cert.NotAfter.Sub(now).Hours() / 24), Expiry: "good"}
		switch {
		case k.Days < 14:
			k.Expiry = "bad"
		case k.Days < 60:
			k.Expiry = "busy"
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b certificate) int { return cmp.Or(a.Ends.Compare(b.Ends), cmp.Compare(a.Use.VI, b.Use.VI)) })
	return all
}
