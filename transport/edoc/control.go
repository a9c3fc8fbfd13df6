package edoc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	gowsdl "github.com/hooklift/gowsdl/soap"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// caller carries the generated client's calls: it wraps the request into a
// MIME message, sends it the way all calls go, and hands back an answer that
// was checked for form and size. One serves one call.
type caller struct {
	c      *Client
	op     string
	cursor *place  // where to go on, to and from the axis; nil where nothing is paged
	traces *gather // takes the statuses out of the answer; nil where there are none
}

// place is where a list goes on.
type place struct {
	cursor string // of the next page, "" behind the last
	mark   string // behind the last page: where later ones begin, "" where the axis cannot say
}

// Do implements the generated client's HTTPClient.
func (d caller) Do(req *http.Request) (*http.Response, error) {
	request, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	x := d.c.exchange(req.Context(), d.op)
	if x.traces = d.traces; d.cursor != nil {
		x.header = http.Header{cursorHeader: {d.cursor.cursor}}
	}
	e, err := x.ask(request)
	if err != nil {
		return nil, err
	}
	if d.cursor != nil {
		*d.cursor = place{x.res.Header.Get(cursorHeader), x.res.Header.Get(markHeader)}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml; charset=utf-8"}},
		Body: io.NopCloser(bytes.NewReader(e.data)), ContentLength: int64(len(e.data)), Request: req,
	}, nil
}

// control returns a generated client for one call. A generated client keeps
// state between calls that nothing guards, so each call has its own.
func (c *Client) control(op string) wire.Edoc { return c.generated(caller{c: c, op: op}) }

func (c *Client) generated(by caller) wire.Edoc {
	return wire.NewEdoc(gowsdl.NewClient(c.URL, gowsdl.WithHTTPClient(by)))
}

// fault is the Fault for an error of the generated client; those of caller are Faults already.
func (c *Client) fault(ctx context.Context, op string, err error) error {
	return c.unreached(ctx, op, fmt.Errorf("the answer cannot be read: %w", err))
}

// Pending lists what waits for the organ, in the axis's order. Nothing is
// removed by listing.
func (c *Client) Pending(ctx context.Context) ([]transport.Pending, error) {
	r, err := c.control(opPending).GetPendingDocumentIdsContext(ctx, &wire.GetPendingDocumentIdsRequest{OrganId: c.Organ, Token: string(c.Token)})
	if err != nil {
		return nil, c.fault(ctx, opPending, err)
	}
	if err := c.list(opPending, r.Report, r.DocumentIds != nil); err != nil {
		return nil, err
	}
	var pending []transport.Pending
	for _, id := range r.DocumentIds.DocumentId {
		if id == nil {
			continue
		}
		if text := strings.TrimSpace(string(*id)); text != "" {
			pending = append(pending, transport.Pending{ID: text})
		}
	}
	return pending, nil
}

// list checks an answer that holds either a list or a Report.
func (c *Client) list(op string, r *wire.Report, there bool) error {
	if r != nil {
		if err := c.refusal(op, r); err != nil {
			return err
		}
	}
	if !there {
		return c.ill(op, true, "the answer has neither a list nor a Report of failure")
	}
	return nil
}

// Acknowledge tells the axis that a Document is safe here; it is no longer
// pending then, and the axis reports status 01 to the sender.
func (c *Client) Acknowledge(ctx context.Context, id string) error {
	r, err := c.control(opConfirm).ConfirmReceivedContext(ctx, &wire.ConfirmReceived{OrganId: c.Organ, DocumentId: id, Token: string(c.Token)})
	if err != nil {
		return c.fault(ctx, opConfirm, err)
	}
	return c.done(opConfirm, r.Report)
}

// done checks an answer that is a Report and nothing else.
func (c *Client) done(op string, r *wire.Report) error {
	if r == nil {
		return c.ill(op, true, "the answer has no Report")
	}
	return c.refusal(op, r)
}

// Statuses lists the statuses addressed to the organ since a moment, oldest
// first, any number of times, see also Follow. It never asks without a moment:
// the axis would give each status once and forget it, also when the answer is
// lost. Of more than transport.MostStatuses it gives the oldest, with
// transport.ErrMore. From an axis that pages it gathers as many, in whole pages,
// and a client that follows goes on from there when it is asked with a later
// moment; it does not say ErrMore then.
func (c *Client) Statuses(ctx context.Context, since time.Time) ([]edxml.Status, error) {
	if since.Year() < 2000 {
		since = time.Date(2000, 1, 1, 0, 0, 0, 0, edxml.Vietnam) // before the first axis
	}
	from, follows := begin, false
	if c.Follow {
		from, follows = c.follow.from(since)
	}
	statuses, last, err := c.statusPages(ctx, since, from)
	var f *transport.Fault
	if from != begin && errors.As(err, &f) && f.Code == codeCursor { // another axis than before
		from = begin
		statuses, last, err = c.statusPages(ctx, since, from)
	}
	if err != nil && !errors.Is(err, transport.ErrMore) {
		return nil, err
	}
	if follows {
		c.follow.got(since, from, last, len(statuses))
	}
	if !c.Follow && last.cursor != "" && len(statuses) >= transport.MostStatuses {
		err = transport.ErrMore
	}
	slices.SortStableFunc(statuses, func(a, b edxml.Status) int {
		at, _ := a.Timestamp.Time() // the zero time where there is none
		bt, _ := b.Timestamp.Time()
		return at.Compare(bt)
	})
	return statuses, err
}

// statusPages asks for page after page; last is where it ended.
func (c *Client) statusPages(ctx context.Context, since time.Time, from string) (statuses []edxml.Status, last place, err error) {
	for last.cursor = from; last.cursor != "" && len(statuses) < transport.MostStatuses; {
		page, err := c.statusPage(ctx, since, &last)
		if errors.Is(err, transport.ErrMore) {
			return page, last, err // it does not page
		}
		if err != nil {
			return nil, last, err
		}
		if len(page) == 0 {
			break
		}
		statuses = append(statuses, page...)
	}
	return statuses, last, nil
}

// statusPage asks for statuses from a cursor on, oldest first, and leaves in it
// where the next page begins, "" behind the last.
func (c *Client) statusPage(ctx context.Context, since time.Time, at *place) ([]edxml.Status, error) {
	traces := &gather{most: transport.MostStatuses}
	r, err := c.generated(caller{c, opTraces, at, traces}).GetTracesContext(ctx, &wire.GetTraces{
		OrganId: c.Organ, Token: string(c.Token), TimeStamp: string(edxml.TimestampOf(since)),
	})
	if err != nil {
		return nil, c.fault(ctx, opTraces, err)
	}
	if err := c.list(opTraces, r.Report, r.Traces != nil); err != nil {
		return nil, err
	}
	list, err := traces.statuses()
	if err != nil && *at != (place{}) {
		return nil, c.ill(opTraces, false, "the answer holds a page of %d statuses; the most that a page may have is %d", traces.count, len(list))
	}
	return list, err
}

// Organs lists the organs the axis knows. One that has an identifier of QĐ
// 20/2020/QĐ-TTg beside its own (domain_new, newer deployments) stands in the
// list under both.
func (c *Client) Organs(ctx context.Context) ([]edxml.Organ, error) {
	r, err := c.control(opOrgans).GetOrganizationsContext(ctx, &wire.GetOrganizations{OrganId: c.Organ, Token: string(c.Token)})
	if err != nil {
		return nil, c.fault(ctx, opOrgans, err)
	}
	if err := c.list(opOrgans, r.Report, r.Organizations != nil); err != nil {
		return nil, err
	}
	var organs []edxml.Organ
	for _, o := range r.Organizations.Organization {
		if o == nil {
			continue
		}
		organ := organization(o)
		organs = append(organs, organ)
		if second := strings.TrimSpace(o.Domain_new); second != "" && second != organ.OrganID {
			organ.OrganID = second
			organs = append(organs, organ)
		}
	}
	return organs, nil
}

// Check asks the axis whether the pair of organ and token is good.
func (c *Client) Check(ctx context.Context) error {
	pair := "<CheckPermission>" + element("OrganId", c.Organ) + element("Token", string(c.Token)) + "</CheckPermission>"
	e, err := c.exchange(ctx, opCheck).ask(soap.ControlEnvelope(pair, ""))
	if err != nil {
		return err
	}
	var r wire.CheckPermissionResponse
	if err := e.decode(e.body[0], &r); err != nil {
		return c.ill(opCheck, true, "%v", err)
	}
	return c.done(opCheck, r.Report)
}
