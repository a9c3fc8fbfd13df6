package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
)

// Subscriber is told what happens: events in order, each at least once. How far
// it was told is stored under its name, so that a restart goes on there, and
// that of several nodes on one store each goes on where another was.
type Subscriber struct {
	Name       string                               // under which its position is stored
	Tell       func(context.Context, []Event) error // the same are told again after an error
	Most       int                                  // how many events it is told at once; 0: 100
	First, Max time.Duration                        // the pause after a failure, doubled each time; 0: 1 s, 5 min
}

// Inform tells a Subscriber until ctx ends. The first time it begins with the
// present. A failure is logged when it is another than before.
func (d *Door) Inform(ctx context.Context, s Subscriber) error {
	s.Most, s.First, s.Max = cmp.Or(s.Most, 100), cmp.Or(s.First, time.Second), cmp.Or(s.Max, 5*time.Minute)
	failures, trouble := 0, ""
	for {
		told, err := d.tell(ctx, s)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			failures++
			if err.Error() != trouble {
				trouble = err.Error()
				d.options.Log.WarnContext(ctx, "events wait: they are not taken", "subscriber", s.Name, "error", err)
			}
		case trouble != "":
			failures, trouble = 0, ""
			d.options.Log.InfoContext(ctx, "events are taken again", "subscriber", s.Name)
		}
		wait := look
		if failures > 0 {
			wait = min(s.Max, s.First<<min(failures-1, 20))
			wait -= rand.N(wait/5 + 1)
		} else if told {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// tell tells what there is, and stores how far that was. It reports whether
// there may be more.
func (d *Door) tell(ctx context.Context, s Subscriber) (bool, error) {
	old, err := d.node.Store.Value(ctx, s.Name)
	if err != nil {
		return false, err
	}
	p, err := parsePosition(strings.TrimSuffix(string(old), ","))
	if err != nil {
		return false, fmt.Errorf("api: stored position: %w", err)
	}
	if old == nil {
		if p, err = present(ctx, d.node.Store); err != nil {
			return false, err
		}
		_, err = d.node.Store.SwapValue(ctx, s.Name, nil, []byte(p.String()+",")) // never empty: an empty value is none
		return true, err
	}
	found, err := after(ctx, d.node.Store, p, s.Most)
	if err != nil || len(found) == 0 {
		return false, err
	}
	if err := s.Tell(ctx, found); err != nil {
		return false, err
	}
	// What was told is not told again because the node stops. Where nothing is
	// swapped another node on this store was ahead.
	_, err = d.node.Store.SwapValue(context.WithoutCancel(ctx), s.Name, old, []byte(found[len(found)-1].ID))
	return true, err
}

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
