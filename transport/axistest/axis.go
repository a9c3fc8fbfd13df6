package axistest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// Options says how an Axis behaves. The zero value is the default.
type Options struct {
	Dir    string      // an existing folder for the files, which stay there until Close; default a new temporary folder
	Total  int64       // octets of all envelopes and files together; default 4 GiB
	Limits soap.Limits // of one SendDocument
	Gentle bool        // without bad manners
}

// journalSize is the number of requests the journal keeps.
const journalSize = 10_000

// Axis is a document axis in memory; its ServeHTTP answers the eDoc operations
// at any path.
type Axis struct {
	handler http.Handler
	o       Options

	mu       sync.Mutex
	dir      string               // "" before the first content
	last     int64                // the number of the newest Document
	docs     map[string]*document // by number
	same     map[identity]string  // number of the Document with this identity
	newest   map[sent]string      // number of the Document of kind 0 with this sender and DocumentId
	pending  map[string][]string  // numbers, by receiver, oldest first
	statuses map[string][]*trace  // by addressee, oldest first
	stored   int64                // octets on disk
	journal  []Entry
}

// Entry is one request in the journal.
type Entry struct {
	At        time.Time
	Operation string // as in SOAPAction; "" for what was no operation
	Organ     string // of the credential
	Outcome   string // "ok", or the code of the refusal
	Text      string // why it was refused
}

// New returns an Axis. Close removes what it stored.
func New(o Options) *Axis {
	if o.Total == 0 {
		o.Total = 4 << 30
	}
	a := &Axis{
		o:    o,
		docs: map[string]*document{}, same: map[identity]string{}, newest: map[sent]string{},
		pending: map[string][]string{}, statuses: map[string][]*trace{},
	}
	a.handler = edoc.NewHandler(backend{a}, edoc.HandlerOptions{Limits: o.Limits, Done: a.note})
	return a
}

// folder returns the Axis's folder, which is made when it is needed first.
func (a *Axis) folder() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dir == "" {
		dir, err := os.MkdirTemp(a.o.Dir, "axistest-")
		if err != nil {
			return "", fmt.Errorf("axistest: %w", err)
		}
		a.dir = dir
	}
	return a.dir, nil
}

// ServeHTTP implements http.Handler.
func (a *Axis) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Close removes the files. Calls under way may fail.
func (a *Axis) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dir == "" {
		return nil
	}
	if err := os.RemoveAll(a.dir); err != nil {
		return fmt.Errorf("axistest: %w", err)
	}
	return nil
}

// Token returns the access token of an organ.
func Token(organ string) edxml.Secret { return edxml.Secret("test-" + organ) }

// Journal returns the last requests, oldest first, at most 10,000.
func (a *Axis) Journal() []Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Entry(nil), a.journal...)
}

// note files a request in the journal.
func (a *Axis) note(c edoc.Call) {
	e := Entry{At: time.Now(), Operation: c.Operation, Organ: c.Organ, Outcome: "ok"}
	if c.Err != nil {
		if e.Outcome = c.Code; e.Outcome == "" {
			e.Outcome = "refused"
		}
		e.Text = c.Err.Error()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.journal) == journalSize {
		a.journal = append(a.journal[:0], a.journal[1:]...)
	}
	a.journal = append(a.journal, e)
}

// exists tells whether the register has the root of an identifier.
func exists(id string) bool {
	parsed, err := organ.Parse(id)
	if err != nil || string(parsed) != id {
		return false
	}
	_, found := organ.Lookup(parsed, time.Now())
	return found
}

// backend is an Axis as its handler sees it.
type backend struct{ *Axis }

// Authenticate implements edoc.Backend.
func (b backend) Authenticate(_ context.Context, organ string, token edxml.Secret) (edoc.Speaker, error) {
	if !exists(organ) || token != Token(organ) {
		return edoc.Speaker{}, edoc.ErrCredential
	}
	return edoc.Speaker{Organs: []string{organ}}, nil
}

// Organs implements edoc.Backend: the codes in force now, under both
// generations of identifiers.
func (b backend) Organs(context.Context) ([]edxml.Organ, error) {
	now := time.Now()
	var organs []edxml.Organ
	for e := range organ.Register() {
		id := organ.ID(e.Code)
		if e.Closed(now) || e.From.After(now) || id.Generation() != organ.QD20 {
			continue
		}
		organs = append(organs, edxml.Organ{OrganID: e.Code, OrganName: e.Name})
		if old, ok := id.Counterpart(); ok {
			organs = append(organs, edxml.Organ{OrganID: string(old), OrganName: e.Name})
		}
	}
	return organs, nil
}
