package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
)

// said is an axis that has statuses for an organ, one for each second, and
// gives the oldest of those since a moment.
type said struct {
	node.Axis
	from time.Time
	many int
}

func (s said) Statuses(_ context.Context, since time.Time) (list []edxml.Status, err error) {
	for i := range s.many {
		if len(list) == transport.MostStatuses {
			return list, transport.ErrMore
		}
		if at := s.from.Add(time.Duration(i) * time.Second); !at.Before(since) {
			list = append(list, edxml.Status{Timestamp: edxml.TimestampOf(at)})
		}
	}
	return list, nil
}

// TestUpstreamStatuses asks for several organs at once: what one of them has
// later than the others got does not come before them, or they would be asked
// since a moment that leaves theirs out.
func TestUpstreamStatuses(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, edxml.Vietnam)
	const most = transport.MostStatuses
	for name, c := range map[string]struct {
		organs map[string]node.Axis
		want   int
	}{
		"few each":              {map[string]node.Axis{"H41.1": said{from: from, many: 10}, "H41.2": said{from: from.Add(time.Hour), many: 20}}, 30},
		"many of one":           {map[string]node.Axis{"H41.1": said{from: from, many: 2 * most}, "H41.2": said{from: from.Add((most - 5) * time.Second), many: 20}}, most + 5},
		"many of both":          {map[string]node.Axis{"H41.1": said{from: from, many: 2 * most}, "H41.2": said{from: from.Add((most - 5) * time.Second), many: 2 * most}}, most + 5},
		"the other is all past": {map[string]node.Axis{"H41.1": said{from: from, many: 2 * most}, "H41.2": said{from: from.Add(-time.Hour), many: 20}}, most + 20},
	} {
		list, err := hub.NewUpstream(c.organs).Statuses(t.Context(), from.Add(-24*time.Hour))
		if errors.Is(err, transport.ErrMore) != (c.want > most) || err != nil && c.want <= most || len(list) != c.want {
			t.Errorf("%s: %d statuses, want %d, error %v", name, len(list), c.want, err)
		}
	}
}
