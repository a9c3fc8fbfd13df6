package node_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node"
)

// waking is a store that does not answer at first, as a database that is just
// being restarted.
type waking struct {
	*noisy
	asleep atomic.Int64
}

func (w *waking) Value(ctx context.Context, name string) ([]byte, error) {
	if w.asleep.Add(-1) >= 0 {
		return nil, errors.New("the database system is starting up")
	}
	return w.noisy.Value(ctx, name)
}

// TestStartWithoutStore starts a node while its store does not answer: it waits
// for it, and then works.
func TestStartWithoutStore(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: newUnsteady(t), Retry: node.Backoff{First: time.Millisecond, Max: time.Millisecond}})
	id := submit(t, n, plain(t, "1")).ID
	w := &waking{noisy: s}
	w.asleep.Store(3)
	n.Store = w
	run(t, n)
	s.until(t, "sent", func() bool { return must(s.Transfer(t.Context(), id)).State == node.Sent })
	if w.asleep.Load() >= 0 {
		t.Error("the store was not asked")
	}
}
