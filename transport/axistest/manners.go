package axistest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
)

// Order is a Trouble for the next calls.
type Order struct {
	Trouble   Trouble `json:"trouble"`
	Operation string  `json:"operation,omitempty"` // "" is any
	Organ     string  `json:"organ,omitempty"`     // of the credential; "" is any
	Times     int     `json:"times"`               // how many calls
}

// Order makes the next calls meet a Trouble.
func (a *Axis) Order(o Order) error {
	troubles := []Trouble{Refuse, Busy, Gateway, Drop, Oversize, Page, Slow, Twice, Corrupt, Rebuild, Ahead, Behind}
	switch {
	case !slices.Contains(troubles, o.Trouble):
		return fmt.Errorf("axistest: there is no trouble %q, there are %q", o.Trouble, troubles)
	case o.Times < 1:
		return fmt.Errorf("axistest: times is %d, it must be 1 or more", o.Times)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.orders = append(a.orders, &o)
	return nil
}

// ordered returns the Trouble that was ordered for a call, "" for none.
func (a *Axis) ordered(c call) Trouble {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, o := range a.orders {
		if (o.Operation == "" || o.Operation == c.operation) && (o.Organ == "" || o.Organ == c.organ) {
			if o.Times--; o.Times == 0 {
				a.orders = slices.Delete(a.orders, i, i+1)
			}
			return o.Trouble
		}
	}
	return ""
}

// call is what the manners go by.
type call struct{ organ, operation string }

// manners is how one call is treated.
type manners struct {
	trouble  Trouble
	delay    time.Duration
	doubled  bool // a list has one thing twice
	shuffled bool // a list is out of order
	rand     *rand.Rand
}

// manners decides over the next call. It goes by the seed, who calls what, and
// how often so far, so that calls of others change nothing. What goes wrong
// goes well the next time.
func (a *Axis) manners(c call) manners {
	if a.o.Gentle {
		return manners{}
	}
	a.mu.Lock()
	n := a.calls[c]
	a.calls[c]++
	a.mu.Unlock()
	roll := func(n uint64) *rand.Rand {
		h := fnv.New64a()
		_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(c.organ+" "+c.operation+" "), n)) // does not fail
		return rand.New(rand.NewPCG(a.o.Seed, h.Sum64()))
	}
	bad := func(r *rand.Rand) Trouble {
		switch p := r.Float64(); {
		case p < 0.08:
			return Busy
		case p < 0.16:
			return Drop
		case p < 0.20:
			return Gateway
		}
		return ""
	}
	r := roll(n)
	m := manners{trouble: bad(r), rand: r}
	if m.trouble != "" && n > 0 && bad(roll(n-1)) != "" {
		m.trouble = ""
	}
	if r.Float64() < 0.2 {
		m.delay = time.Duration(r.Int64N(max(1, int64(a.o.Delay/20))))
	}
	m.doubled, m.shuffled = r.Float64() < 0.3, r.Float64() < 0.3
	return m
}

// treat decides how the call of an organ is treated, and refuses it where that
// is what it meets before anything is applied.
func (x *exchange) treat(organ string) error {
	x.treated = true
	c := call{organ, x.entry.Operation}
	x.manners = x.axis.manners(c)
	if t := x.axis.ordered(c); t != "" {
		x.manners = manners{trouble: t}
	}
	return x.meet(x.trouble)
}

// meet makes the exchange meet a Trouble. Those before anything is applied are
// returned as the refusal.
func (x *exchange) meet(t Trouble) error {
	if t == "" {
		return nil
	}
	x.trouble, x.entry.Trouble = t, t
	switch t {
	case Refuse:
		return x.refusal(CodeRefused, false, edxml.Text{VI: "trục thử từ chối theo kịch bản", EN: "the test axis refuses this by script"})
	case Busy, Gateway:
		return x.refusal("M."+x.entry.Operation, true, edxml.Text{VI: "trục thử tạm từ chối, hãy thử lại", EN: "the test axis refuses this for now, try again"})
	case Slow:
		x.delay = x.axis.o.Delay
	}
	return nil
}

// CodeRefused is the code of what a Script refuses for good.
const CodeRefused = "M.Refused"

// refusal is a Fault of the call.
func (x *exchange) refusal(code string, transient bool, text edxml.Text) error {
	if x.entry.Wire == wireVXP {
		code = overVXP(code, transient)
	}
	return &transport.Fault{Operation: x.entry.Operation, Code: code, Transient: transient, Text: text.VI + " / " + text.EN}
}
