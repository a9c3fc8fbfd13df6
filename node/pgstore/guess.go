package pgstore

import (
	"context"
	"time"
)

// A change that is alone costs one round trip instead of two, where what it has
// to know can be guessed: a new Transfer is not there yet, and a record that this
// process wrote last is still as it wrote it. The database itself says when a
// guess is wrong (a unique violation, or a condition on the record), nothing is
// written then, and the change is made as any other.

// sober is how many changes are made without guessing after a wrong guess.
const sober = 16

// awake is how long after an answer the server is taken to be there. A guess
// sends its commit at once, so that who finds the connection dead cannot tell
// whether it took place; where the connection has rested, reading comes first.
const awake = 100 * time.Millisecond

// guessed makes a lone change in one round trip. It reports false where there is
// nothing to go by; then nothing has been sent.
func (s *Store) guessed(ctx context.Context, c *change) (tried, sent bool, err error) {
	w := &s.writer
	if w.sober > 0 {
		w.sober--
		return false, false, nil
	}
	if c.lease || time.Since(w.answered) > awake {
		return false, false, nil
	}
	ask := newNeeds()
	c.first(ask)
	if len(ask.names)+len(ask.digests) > 0 {
		return false, false, nil
	}
	v := newView()
	v.guess = true
	for id := range ask.ids {
		data := w.recent.get(id)
		if (data == nil) != c.create {
			return false, false, nil
		}
		v.known.transfers[id] = data
	}
	for key := range ask.keys {
		v.known.owners[key] = ""
	}
	if !v.judge([]*change{c}) || c.err != nil || !v.changed() { // a refusal may be the guess's fault
		return false, false, nil
	}
	if w.head == nil && len(v.entries) > 0 {
		return false, false, nil
	}
	if err := s.seal(v); err != nil {
		return false, false, nil
	}
	w.batch++
	w.last = v
	if err := s.write(ctx, w.conn, v); err != nil {
		w.sober = sober
		return true, true, err
	}
	w.committed()
	return true, true, nil
}

// maxRecent bounds, in octets, each half of what recent keeps; longer records
// than maxKept, which have very many receivers, it leaves out.
const (
	maxRecent = 4 << 20
	maxKept   = 64 << 10
)

// recent remembers records as this process wrote them, the later half at least.
type recent struct {
	young, old map[string][]byte
	size       int // of young
}

func (r *recent) get(id string) []byte {
	if data, ok := r.young[id]; ok {
		return data
	}
	return r.old[id]
}

func (r *recent) put(id string, data []byte) {
	if len(data) > maxKept {
		data = nil
	}
	if r.size > maxRecent {
		r.young, r.old, r.size = nil, r.young, 0
	}
	if r.young == nil {
		r.young = map[string][]byte{}
	}
	r.young[id] = data // also nil, in the place of what was before
	r.size += len(data) + 2*len(id)
}
