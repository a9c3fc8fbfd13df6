package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
