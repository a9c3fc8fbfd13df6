package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/node"
)

// Organ is an agency of the register.
type Organ struct {
	OrganID    string `json:"organId"`
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Closed     bool   `json:"closed"`               // it is not in use any more
	MergedInto string `json:"mergedInto,omitempty"` // who took it over
}

// Organs are those that a search found, in the order of their identifiers.
type Organs struct {
	Organs []Organ `json:"organs"`
}

// organs searches the register by the beginnings of words, accents optional,
// or by the beginning of an identifier.
func (d *Door) organs(w http.ResponseWriter, r *http.Request) {
	most, ok := limit(w, r)
	if !ok {
		return
	}
	asked, now, found := node.Words(r.FormValue("q")), time.Now(), Organs{Organs: []Organ{}}
	latest := map[string]int{} // a code whose holder changed its name has several rows
	for e := range organ.Register() {
		if !fits(asked, e) || len(found.Organs) == most {
			continue
		}
		o := Organ{e.Code, e.Name, e.Kind, e.Closed(now), string(e.MergedInto)}
		if i, ok := latest[e.Code]; ok {
			found.Organs[i] = o
			continue
		}
		latest[e.Code] = len(found.Organs)
		found.Organs = append(found.Organs, o)
	}
	answer(w, http.StatusOK, found)
}

func fits(asked []string, e organ.Entry) bool {
	have := node.Words(e.Name + " " + e.Code)
	for _, a := range asked {
		ok := false
		for _, h := range have {
			ok = ok || strings.HasPrefix(h, a)
		}
		if !ok {
			return false
		}
	}
	return true
}
