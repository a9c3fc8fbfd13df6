package transport

import (
	"net/http"
	"sync"
	"time"
)

// Clock compares this machine's clock with that of the axis, by the Date of
// its answers (RFC 9110 §6.6.1, whole seconds). The zero value is ready; it
// may be used by several goroutines at once.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	at     time.Time
}

// Watch returns a RoundTripper that reads the Date of every answer of next.
func (c *Clock) Watch(next http.RoundTripper) http.RoundTripper { return &clocked{c, next} }

// Offset returns how far the axis's clock is ahead of this machine's, and when
// that was measured; the zero time when it never was.
func (c *Clock) Offset() (time.Duration, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset, c.at
}

// clocked is a RoundTripper that a Clock listens to.
type clocked struct {
	clock *Clock
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper. The answer is taken for written in
// the middle of the call; within the time the call took, and the second that
// Date is rounded to, the clocks count as equal.
func (c *clocked) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	res, err := c.next.RoundTrip(req)
	if err != nil {
		return res, err
	}
	took := time.Since(start)
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return res, nil
	}
	offset := date.Sub(start.Add(took / 2).Round(0))
	if offset.Abs() <= took/2+time.Second {
		offset = 0
	}
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	c.clock.offset, c.clock.at = offset, start.UTC()
	return res, nil
}
