package node

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

// maxEvents is how many statuses of one receiver a Transfer keeps.
const maxEvents = 200

// next says which step of the work may follow which (regulations of practice:
// no official table was found). A step that is repeated changes nothing.
var next = map[edxml.StatusCode][]edxml.StatusCode{
	"":                     {edxml.StatusArrived, edxml.StatusRefused, edxml.StatusAccepted},
	edxml.StatusArrived:    {edxml.StatusRefused, edxml.StatusAccepted},
	edxml.StatusAccepted:   {edxml.StatusAssigned, edxml.StatusProcessing, edxml.StatusDone},
	edxml.StatusAssigned:   {edxml.StatusProcessing, edxml.StatusDone},
	edxml.StatusProcessing: {edxml.StatusAssigned, edxml.StatusDone},
}

// course is how far a Document is at one receiver.
type course struct {
	step  edxml.StatusCode // 01 to 06, or 15
	asked bool             // a 13, a recall or an update waits for its answer
}

// rank orders the steps of the work.
var rank = map[edxml.StatusCode]int{
	edxml.StatusArrived: 1, edxml.StatusAccepted: 2, edxml.StatusAssigned: 3, edxml.StatusProcessing: 3, edxml.StatusDone: 4,
}

// leap moves on by a Status that leaves steps out: it is no legal move, and the
// Document is that far all the same.
func (c *course) leap(code edxml.StatusCode) bool {
	if c.step != "" && rank[c.step] == 0 || rank[code] <= rank[c.step] {
		return false
	}
	c.step = code
	return true
}

// follow moves on by a Status, and reports whether that is a legal move.
func (c *course) follow(code edxml.StatusCode) bool {
	switch {
	case code == edxml.StatusTakeBack:
		if c.step == edxml.StatusRefused || c.step == edxml.StatusTakeBackAgreed {
			return false
		}
		c.asked = true
	case code == edxml.StatusTakeBackAgreed:
		if !c.asked && c.step != code {
			return false
		}
		c.step, c.asked = code, false
	case code == edxml.StatusTakeBackDenied: // back to where it was
		if !c.asked {
			return false
		}
		c.asked = false
	case code == c.step:
	case slices.Contains(next[c.step], code):
		c.step = code
	default:
		return false
	}
	return true
}

// code is what is shown of a course.
func (c *course) code() edxml.StatusCode {
	if c.asked && c.step != edxml.StatusTakeBackAgreed {
		return edxml.StatusTakeBack
	}
	return c.step
}

// judge goes through the statuses of a receiver in the order of their own
// times, marks those that are no legal move, and finds where it stands. asked
// says that the Document itself asks for 15 or 16, or was recalled by another.
func (r *Receiver) judge(asked bool) {
	c := course{asked: asked}
	shown := edxml.StatusCode("")
	for i := range r.Events {
		e := &r.Events[i]
		was := c.code()
		if e.Illegal = ""; !c.follow(e.Code) {
			e.Illegal = fmt.Sprintf("ST-3: %s cannot follow %s", e.Code, cmp.Or(was, "nothing"))
			if !c.leap(e.Code) {
				continue
			}
			e.Illegal += "; steps are missing between them"
		}
		if shown = e.Code; e.Code == edxml.StatusTakeBackDenied {
			shown = cmp.Or(c.step, e.Code)
		}
	}
	r.Code = shown
}

// asks reports whether receivers are asked to take the Document back, or to
// change it.
func (t *Transfer) asks() bool {
	return t.Withdrawn != nil || len(t.Followers) > 0 || t.DocType != "" && t.DocType != edxml.New
}

// ledger applies statuses to one Transfer.
type ledger struct {
	t   *Transfer
	own string         // an organ that counts as a receiver although it is not named
	at  map[string]int // index by OrganId
}

func ledgerOf(t *Transfer, own string) *ledger {
	l := &ledger{t: t, own: own, at: make(map[string]int, len(t.Receivers))}
	for i, r := range t.Receivers {
		l.at[r.OrganID] = i
	}
	return l
}

// receiver returns the name under which an organ is a receiver: its own, or
// its code of the other generation.
func (l *ledger) receiver(id string) (string, bool) {
	if _, ok := l.at[id]; ok || l.own != "" && id == l.own {
		return id, true
	}
	if other, ok := organ.ID(id).Counterpart(); ok {
		if _, ok := l.at[string(other)]; ok || l.own != "" && string(other) == l.own {
			return string(other), true
		}
	}
	return "", false
}

// events returns what a receiver said so far.
func (l *ledger) events(organ string) []Event {
	if i, ok := l.at[organ]; ok {
		return l.t.Receivers[i].Events
	}
	return nil
}

// has reports whether a receiver said this already; when the Status has no
// readable time, at whatever time.
func (l *ledger) has(organ string, e Event, timed bool) bool {
	return slices.ContainsFunc(l.events(organ), func(o Event) bool {
		return o.Code == e.Code && (o.At.Unix() == e.At.Unix() || !timed && o.Description == e.Description)
	})
}

func (l *ledger) full(organ string) bool { return len(l.events(organ)) >= maxEvents }

// fits reports whether a Status would be a legal move that says something new.
func (l *ledger) fits(organ string, e Event) bool {
	if l.said(organ, e.Code) {
		return false
	}
	all := l.events(organ)
	r := Receiver{Events: inOrder(append(slices.Clone(all), e))}
	r.judge(l.t.asks())
	return !slices.ContainsFunc(r.Events, func(o Event) bool { return o.Illegal != "" && o.Code == e.Code })
}

// said reports whether a receiver reported a code, at whatever time.
func (l *ledger) said(organ string, code edxml.StatusCode) bool {
	return slices.ContainsFunc(l.events(organ), func(o Event) bool { return o.Code == code })
}

// course is how far the Document is at a receiver by what that one said.
func (l *ledger) course(organ string) course {
	c := course{asked: l.t.asks()}
	for _, e := range l.events(organ) {
		_ = c.follow(e.Code) || c.leap(e.Code)
	}
	return c
}

// add applies a Status to the receiver it concerns and reports whether that
// changed anything. Events are kept in the order of their own times; polling
// brings them in any order.
func (l *ledger) add(organ string, e Event) bool {
	if l.has(organ, e, true) || l.full(organ) {
		return false
	}
	i, ok := l.at[organ]
	if !ok {
		i = len(l.t.Receivers)
		l.t.Receivers = append(l.t.Receivers, Receiver{OrganID: organ})
		l.at[organ] = i
	}
	r := &l.t.Receivers[i]
	r.Events = inOrder(append(r.Events, e))
	r.judge(l.t.asks())
	return true
}

func inOrder(events []Event) []Event {
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At.Unix(), b.At.Unix()), cmp.Compare(a.Code, b.Code))
	})
	return events
}

// allows reports whether an organ may report a code about the Document now, and
// what was reported last. A step that is left out is let through, and shows as a
// finding; nothing follows 02 and 15, and nobody answers what was not asked.
func (t *Transfer) allows(organ string, code edxml.StatusCode) (after edxml.StatusCode, ok bool) {
	c := ledgerOf(t, organ).course(organ)
	after = c.code()
	switch {
	case code == after:
		return after, true
	case c.step == edxml.StatusRefused, c.step == edxml.StatusTakeBackAgreed:
		return after, false
	case code == edxml.StatusTakeBackAgreed, code == edxml.StatusTakeBackDenied:
		return after, c.asked
	}
	return after, true
}
