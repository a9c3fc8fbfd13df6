package api

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/lienthong/lienthong/edxml/organ"
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
	asked, now := words(r.FormValue("q")), time.Now()
	found, most := Organs{Organs: []Organ{}}, limit(r)
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
	have := append(words(e.Name), fold(e.Code))
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

func words(s string) []string {
	return strings.FieldsFunc(fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// fold drops accents and case: "Đà Nẵng" is found as "da nang".
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ' || r == 'Đ':
			return 'd'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
	return s
}
