package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// Event is one transition of one Transfer, as the journal has it.
type Event struct {
	ID         string          `json:"id"` // where it stands in the stream
	At         time.Time       `json:"at"`
	Event      string          `json:"event"` // "created", "changed", "purged", "removed"
	Transfer   string          `json:"transfer"`
	Direction  node.Direction  `json:"direction"`
	Kind       edxml.Kind      `json:"kind"`
	From       string          `json:"from,omitempty"`
	DocumentID string          `json:"documentId,omitempty"`
	State      node.State      `json:"state"`
	Was        node.State      `json:"was,omitempty"`
	Receivers  []node.Reported `json:"receivers,omitempty"` // whose status is another than before
	Refusal    string          `json:"refusal,omitempty"`
	Error      string          `json:"error,omitempty"`
	Acts       []node.Act      `json:"acts,omitempty"` // what people did
}

// Events is a page of them, oldest first.
type Events struct {
	Events []Event `json:"events"`
}

// look is how often a stream looks for more, and alive how often it says that
// it is still there.
const (
	look  = 500 * time.Millisecond
	alive = 15 * time.Second
)

// maxStreams is how many streams may be open at once.
const maxStreams = 100

// position is how far the journal was read: the number of the last row read of
// each chain. Its text is the id of an event.
type position map[string]uint64

func (p position) String() string {
	var all []string
	for chain, seq := range p {
		all = append(all, url.QueryEscape(chain)+":"+strconv.FormatUint(seq, 10))
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

func parsePosition(s string) (position, error) {
	p := position{}
	if s == "" {
		return p, nil
	}
	for _, one := range strings.Split(s, ",") {
		name, number, _ := strings.Cut(one, ":")
		chain, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("%q is no id of an event", s)
		}
		if p[chain], err = strconv.ParseUint(number, 10, 64); err != nil {
			return nil, fmt.Errorf("%q is no id of an event", s)
		}
	}
	return p, nil
}

// after returns at most limit events behind a position, in the order of their
// time, and moves the position. The rows of one chain stay in their order.
func after(ctx context.Context, s node.Store, p position, limit int) ([]Event, error) {
	chains, err := s.Chains(ctx)
	if err != nil {
		return nil, err
	}
	var rows []*node.Entry
	for _, chain := range chains {
		lines, err := s.Journal(ctx, chain, p[chain], limit)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			e := &node.Entry{}
			if err := json.Unmarshal(line, e); err != nil {
				return nil, fmt.Errorf("api: journal: %w", err)
			}
			rows = append(rows, e)
		}
	}
	if len(chains) > 1 {
		slices.SortStableFunc(rows, func(a, b *node.Entry) int {
			if a.Chain == b.Chain {
				return cmp.Compare(a.Seq, b.Seq)
			}
			return a.At.Compare(b.At)
		})
	}
	events := []Event{}
	for _, e := range rows[:min(limit, len(rows))] {
		p[e.Chain] = max(p[e.Chain], e.Seq)
		events = append(events, Event{
			ID: p.String(), At: e.At, Event: e.Event, Transfer: e.Transfer, Direction: e.Direction, Kind: e.Kind, From: e.From,
			DocumentID: e.DocumentID, State: e.State, Was: e.Was, Receivers: e.Receivers, Refusal: e.Refusal, Error: e.Error, Acts: e.Acts,
		})
	}
	return events, nil
}

// present returns the position behind the last row there is. Rows are numbered
// without a gap, so the last is found by halving.
func present(ctx context.Context, s node.Store) (position, error) {
	chains, err := s.Chains(ctx)
	if err != nil {
		return nil, err
	}
	p := position{}
	for _, chain := range chains {
		has := func(after uint64) (bool, error) {
			rows, err := s.Journal(ctx, chain, after, 1)
			return len(rows) > 0, err
		}
		low, high := uint64(0), uint64(1) // rows behind low, none behind high
		for {
			more, err := has(high)
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
			low, high = high, high*2
		}
		for low < high {
			middle := low + (high-low)/2
			more, err := has(middle)
			if err != nil {
				return nil, err
			}
			if more {
				low = middle + 1
			} else {
				high = middle
			}
		}
		p[chain] = low
	}
	return p, nil
}

// events answers with a page, or with a stream for whoever accepts one.
func (d *Door) events(w http.ResponseWriter, r *http.Request) {
	from := cmp.Or(r.Header.Get("Last-Event-ID"), r.FormValue("after"))
	p, err := parsePosition(from)
	if err != nil {
		refuse(w, badRequest(err))
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		if from == "" {
			if p, err = present(r.Context(), d.node.Store); err != nil {
				refuse(w, err)
				return
			}
		}
		d.stream(w, r, p)
		return
	}
	most, ok := limit(w, r)
	if !ok {
		return
	}
	found, err := after(r.Context(), d.node.Store, p, most)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, Events{found})
}

// stream sends events until the client goes or the node stops (server-sent
// events, HTML Living Standard 9.2).
func (d *Door) stream(w http.ResponseWriter, r *http.Request, p position) {
	select {
	case d.streams <- struct{}{}:
		defer func() { <-d.streams }()
	default:
		refuse(w, &Problem{Status: http.StatusTooManyRequests, Code: "rate", Detail: fmt.Sprintf("api: %d event streams are open already", maxStreams)})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	if _, err := fmt.Fprint(w, ": here\n\n"); err != nil {
		return
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for said := time.Now(); ; {
		found, err := after(r.Context(), d.node.Store, p, maxList)
		if err != nil {
			return // the client comes back with Last-Event-ID
		}
		for _, e := range found {
			data, err := json.Marshal(e)
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Event, data); err != nil {
				return
			}
		}
		if len(found) == 0 && time.Since(said) >= alive {
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
			said = time.Now()
		}
		if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
		if len(found) == maxList {
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-d.stopped:
			return
		case <-tick.C:
		}
	}
}

// Stop ends the event streams, which would otherwise keep a server from
// shutting down.
func (d *Door) Stop() { d.stop() }
