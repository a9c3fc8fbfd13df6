package hub

import (
	"cmp"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The limits of an agency that has none of its own.
const (
	defaultRate    = 20
	defaultBurst   = 100
	defaultBytes   = 64 << 30
	defaultWaiting = 100_000
)

// limits returns the bounds of an agency: its own, else the hub's, else the
// defaults.
func (h *Hub) limits(a *Agency) Limits {
	own, all := a.Limits, h.o.Default
	return Limits{
		Rate:    cmp.Or(own.Rate, all.Rate, defaultRate),
		Burst:   cmp.Or(own.Burst, all.Burst, defaultBurst),
		Bytes:   cmp.Or(own.Bytes, all.Bytes, defaultBytes),
		Waiting: cmp.Or(own.Waiting, all.Waiting, defaultWaiting),
	}
}

// meter counts what each agency asks of this process. It starts anew with it:
// it protects the hub, it is no account.
type meter struct {
	mu       sync.Mutex
	agencies map[string]*gauge
}

// gauge is the meter of one agency.
type gauge struct {
	limiter *rate.Limiter
	day     time.Time // the beginning of the 24 hours that octets counts
	octets  int64
}

func (m *meter) of(a *Agency, l Limits) *gauge {
	g := m.agencies[a.OrganID]
	if g == nil {
		g = &gauge{limiter: rate.NewLimiter(rate.Limit(l.Rate), l.Burst)}
		m.agencies[a.OrganID] = g
	}
	if g.limiter.Limit() != rate.Limit(l.Rate) {
		g.limiter.SetLimit(rate.Limit(l.Rate))
	}
	if g.limiter.Burst() != l.Burst {
		g.limiter.SetBurst(l.Burst)
	}
	return g
}

// request counts a request; it returns how long to wait when there were too
// many.
func (m *meter) request(a *Agency, l Limits, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(a, l).limiter.ReserveN(now, 1)
	if !r.OK() {
		return time.Second
	}
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// take counts octets handed in; it reports whether they are within the limit of
// 24 hours, and takes them back when they are not.
func (m *meter) take(a *Agency, l Limits, n int64, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.of(a, l)
	if now.Sub(g.day) >= 24*time.Hour {
		g.day, g.octets = now, 0
	}
	if g.octets+n > l.Bytes {
		return false
	}
	g.octets += n
	return true
}
