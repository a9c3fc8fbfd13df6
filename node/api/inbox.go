package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/node"
)

// standardHold is how long a Document is held when nothing else is asked for.
const standardHold = 5 * time.Minute

// Taking asks for a Document from the inbox.
type Taking struct {
	Seconds int `json:"seconds,omitempty"` // how long it is to be held, at most an hour; 0: 300
}

// Taken is a Document that the caller holds.
type Taken struct {
	Lease    string         `json:"lease"` // to be given with done
	Until    time.Time      `json:"until"`
	Transfer *node.Transfer `json:"transfer"`
}

// Held proves a hold.
type Held struct {
	Lease string `json:"lease"`
}

func (d *Door) waiting(w http.ResponseWriter, r *http.Request) {
	most, ok := limit(w, r)
	if !ok {
		return
	}
	found, err := d.node.Waiting(r.Context(), most)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, page(found))
}

func (d *Door) takeNext(w http.ResponseWriter, r *http.Request) {
	hold, ok := holding(w, r)
	if !ok {
		return
	}
	t, err := d.node.TakeNext(r.Context(), by(r.Context()).name, hold)
	if errors.Is(err, node.ErrNothingDue) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	took(w, t, err)
}

func (d *Door) take(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	hold, ok := holding(w, r)
	if !ok {
		return
	}
	t, err := d.node.Take(r.Context(), t.ID, by(r.Context()).name, hold)
	took(w, t, err)
}

// holding reads how long to hold, or refuses the request and reports false.
func holding(w http.ResponseWriter, r *http.Request) (time.Duration, bool) {
	var req Taking
	if !read(w, r, &req) {
		return 0, false
	}
	switch {
	case req.Seconds < 0 || req.Seconds > 3600:
		refuse(w, badRequest(errors.New("seconds is a number from 1 to 3600")))
		return 0, false
	case req.Seconds == 0:
		return standardHold, true
	}
	return time.Duration(req.Seconds) * time.Second, true
}

func took(w http.ResponseWriter, t *node.Transfer, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	about(w, t)
	answer(w, http.StatusOK, Taken{t.Pickup.Lease, t.Pickup.Until, t.Public()})
}

// putBack takes the lease from the query: a DELETE has no body.
func (d *Door) putBack(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	t, err := d.node.PutBack(r.Context(), t.ID, r.FormValue("lease"))
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, t.Public())
}

func (d *Door) done(w http.ResponseWriter, r *http.Request, t *node.Transfer) {
	var req Held
	if !read(w, r, &req) {
		return
	}
	t, err := d.node.Done(r.Context(), t.ID, req.Lease)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, t.Public())
}

// standardPage is how many items a page has when nothing else is asked for.
const standardPage = 50

// limit reads how many items a page may have, or refuses the request and
// reports false.
func limit(w http.ResponseWriter, r *http.Request) (int, bool) {
	asked := r.FormValue("limit")
	if asked == "" {
		return standardPage, true
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 || n > maxList {
		refuse(w, badRequest(fmt.Errorf("limit is a number from 1 to %d", maxList)))
		return 0, false
	}
	return n, true
}

// page shows Transfers to others.
func page(found []*node.Transfer) List {
	l := List{Transfers: []*node.Transfer{}}
	for _, t := range found {
		l.Transfers = append(l.Transfers, t.Public())
	}
	return l
}
