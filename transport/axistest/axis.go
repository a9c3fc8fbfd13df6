package axistest

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
	"github.com/lienthong/lienthong/transport/vxp"
)

// Options says how an Axis behaves. The zero value is the default: bad
// manners, with a seed of their own.
type Options struct {
	Dir      string        // an existing folder for the files, which stay there until Close; default a new temporary folder
	Total    int64         // octets of all envelopes and files together; default 4 GiB
	Limits   soap.Limits   // of one SendDocument
	Gentle   bool          // without bad manners; what is scripted happens all the same
	Seed     uint64        // of the bad manners; 0 is any, see [Axis.Seed]
	Delay    time.Duration // of the answer of [Slow]; of bad manners at most a twentieth; default 10 s
	Oversize int64         // octets of the answer of [Oversize]; default 64 MiB
}

func (o Options) withDefaults() Options {
	if o.Total == 0 {
		o.Total = 4 << 30
	}
	if o.Delay == 0 {
		o.Delay = 10 * time.Second
	}
	if o.Oversize == 0 {
		o.Oversize = 64 << 20
	}
	for o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	return o
}

// Axis is a document axis in memory. Its ServeHTTP answers the eDoc operations
// at any path and the VXP methods at those that end in their names;
// [Axis.Admin] is the management door.
type Axis struct {
	o Options

	mu       sync.Mutex
	dir      string               // "" before the first content
	last     int64                // the number of the newest Document
	docs     map[string]*document // by number
	same     map[identity]string  // number of the Document with this identity
	newest   map[sent]string      // number of the Document of kind 0 with this sender and DocumentId
	pending  map[string][]string  // numbers, by receiver, oldest first
	statuses map[string][]*trace  // by addressee, oldest first

	deliveries map[string]*delivery    // by number
	boxes      map[string][]*delivery  // by receiver, oldest first
	keys       map[string]string       // numbers, by the VXP call that sent the Document
	registered map[string]registration // by OrganId

	stored   int64           // octets on disk
	expired  tls.Certificate // made when it is asked for first
	journal  []Entry
	requests int64           // in the journal's whole life
	calls    map[call]uint64 // how often each was made
	tries    map[try]int     // how often a scripted Trouble came
	orders   []*Order        // Troubles for the next calls
}

// New returns an Axis. Close removes what it stored.
func New(o Options) *Axis {
	a := &Axis{o: o.withDefaults()}
	a.empty()
	return a
}

// empty forgets everything but the journal. Files stay until they are removed.
func (a *Axis) empty() {
	a.docs, a.same, a.newest = map[string]*document{}, map[identity]string{}, map[sent]string{}
	a.pending, a.statuses = map[string][]string{}, map[string][]*trace{}
	a.deliveries, a.boxes, a.keys, a.registered = map[string]*delivery{}, map[string][]*delivery{}, map[string]string{}, map[string]registration{}
	a.calls, a.tries, a.orders = map[call]uint64{}, map[try]int{}, nil
	a.stored = 0
}

// Reset forgets Documents, Statuses, journal and Orders, and begins the bad
// manners anew. Numbers go on: none is given twice. Calls under way may fail.
func (a *Axis) Reset() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.empty()
	a.journal = nil
	return a.clear()
}

// Close removes the files. Calls under way may fail.
func (a *Axis) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clear()
}

func (a *Axis) clear() error {
	dir := a.dir
	if a.dir = ""; dir == "" {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("axistest: %w", err)
	}
	return nil
}

// folder returns the Axis's folder, which is made when it is needed first.
func (a *Axis) folder() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dir == "" {
		dir, err := os.MkdirTemp(a.o.Dir, "lienthong-axistest-")
		if err != nil {
			return "", fmt.Errorf("axistest: %w", err)
		}
		a.dir = dir
	}
	return a.dir, nil
}

// Seed returns the seed of the bad manners: another Axis with it treats the
// same calls of the same organs in the same way.
func (a *Axis) Seed() uint64 { return a.o.Seed }

// ServeHTTP implements http.Handler.
func (a *Axis) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, out := a.begin(w, r)
	defer x.end(out) // also when the handler breaks the connection off
	if x.entry.Wire == wireVXP {
		vxp.NewHandler(x, vxp.HandlerOptions{Done: x.doneVXP}).ServeHTTP(out, r)
		return
	}
	edoc.NewHandler(x, edoc.HandlerOptions{Limits: a.o.Limits, Done: x.done}).ServeHTTP(out, r)
}

// Token returns the access token of an organ.
func Token(organ string) edxml.Secret { return edxml.Secret("test-" + organ) }

// exists tells whether there is an organ of this identifier.
func (a *Axis) exists(id string) bool {
	a.mu.Lock()
	_, registered := a.registered[id]
	a.mu.Unlock()
	return registered || listed(id)
}

// listed tells whether the register has the root of an identifier, or it is
// reserved.
func listed(id string) bool {
	parsed, err := organ.Parse(id)
	if err != nil || string(parsed) != id {
		return false
	}
	if _, reserved := scripted(id); reserved {
		return true
	}
	_, found := organ.Lookup(parsed, time.Now())
	return found
}

// organs lists the codes in force now, under both generations of identifiers,
// the reserved ones, and those that were registered.
func (a *Axis) organs() []edxml.Organ {
	now := time.Now()
	var list []edxml.Organ
	add := func(id organ.ID, name string) {
		list = append(list, edxml.Organ{OrganID: string(id), OrganName: name})
		if old, ok := id.Counterpart(); ok {
			list = append(list, edxml.Organ{OrganID: string(old), OrganName: name})
		}
	}
	for e := range organ.Register() {
		if id := organ.ID(e.Code); !e.Closed(now) && !e.From.After(now) && id.Generation() == organ.QD20 {
			add(id, e.Name)
		}
	}
	for _, s := range Scripts() {
		add(organ.ID(s.Organ), s.Text.VI)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, code := range slices.Sorted(maps.Keys(a.registered)) {
		list = append(list, edxml.Organ{OrganID: code, OrganName: a.registered[code].name})
	}
	return list
}

// Authenticate implements edoc.Backend. From here on it is known whose call
// it is, and so how to treat it.
func (x *exchange) Authenticate(_ context.Context, organ string, token edxml.Secret) (edoc.Speaker, error) {
	if !x.axis.exists(organ) || token != Token(organ) {
		return edoc.Speaker{}, edoc.ErrCredential
	}
	if err := x.treat(organ); err != nil {
		return edoc.Speaker{}, err
	}
	return edoc.Speaker{Organs: []string{organ}}, nil
}

// Organs implements both backends.
func (x *exchange) Organs(context.Context) ([]edxml.Organ, error) {
	if err := x.authentic(); err != nil {
		return nil, err
	}
	return x.axis.organs(), nil
}
