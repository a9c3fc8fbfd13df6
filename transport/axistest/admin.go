package axistest

import (
	"embed"
	"encoding/json"
	"encoding/pem"
	"errors"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/lienthong/lienthong/edxml"
)

//go:embed admin.html admin.css
var pages embed.FS

// Admin returns the management door, to be served on an address of its own:
//
//	GET  /            the journal as a page, newest first
//	GET  /journal     the journal as JSON, oldest first: {"seed":…,"gentle":…,"entries":[Entry…]}; ?after=SEQ for what is new
//	GET  /organs      every organ: [{"organ":…,"name":…,"trouble":…}]
//	GET  /orders      the Troubles for the next calls that have not come yet
//	POST /orders      one Order more: {"trouble":"drop","operation":"SendDocument","organ":"H41","times":3}
//	GET  /expired.pem the expired certificate, as PEM, for a client to believe
//	POST /reset       everything as in the beginning
//
// It asks for no credential: whoever reaches it may do all of that. Requests
// that another site makes a browser send are refused.
func (a *Axis) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.adminPage)
	mux.HandleFunc("GET /admin.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pages, "admin.css") })
	mux.HandleFunc("GET /journal", a.adminJournal)
	mux.HandleFunc("GET /expired.pem", func(w http.ResponseWriter, _ *http.Request) {
		cert, err := a.ExpiredCertificate()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Leaf.Raw}) // nobody is left to tell
	})
	mux.HandleFunc("GET /organs", a.adminOrgans)
	mux.HandleFunc("GET /orders", a.adminOrders)
	mux.HandleFunc("POST /orders", a.adminOrder)
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		if err := a.Reset(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r)
	})
}

// adminJournal gives the journal as JSON.
func (a *Axis) adminJournal(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			http.Error(w, "after is no number", http.StatusBadRequest)
			return
		}
	}
	entries := slices.DeleteFunc(a.Journal(), func(e Entry) bool { return e.Seq <= after })
	if entries == nil {
		entries = []Entry{}
	}
	adminJSON(w, struct {
		Seed    uint64  `json:"seed"`
		Gentle  bool    `json:"gentle"`
		Entries []Entry `json:"entries"`
	}{a.o.Seed, a.o.Gentle, entries})
}

// adminOrgans lists who exists.
func (a *Axis) adminOrgans(w http.ResponseWriter, _ *http.Request) {
	type row struct {
		Organ   string  `json:"organ"`
		Name    string  `json:"name"`
		Trouble Trouble `json:"trouble,omitempty"`
		Times   int     `json:"times,omitempty"` // how often for each Document; 0 with a Trouble is always
	}
	list := []row{}
	for _, o := range a.organs() {
		s, _ := scripted(o.OrganID)
		list = append(list, row{o.OrganID, o.OrganName, s.Trouble, s.Times})
	}
	adminJSON(w, list)
}

// adminOrders lists what is still to come.
func (a *Axis) adminOrders(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	list := []Order{}
	for _, o := range a.orders {
		list = append(list, *o)
	}
	a.mu.Unlock()
	adminJSON(w, list)
}

// adminOrder takes an Order.
func (a *Axis) adminOrder(w http.ResponseWriter, r *http.Request) {
	o := Order{Times: 1}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	err := d.Decode(&o)
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("axistest: more than one value")
	}
	if err == nil {
		err = a.Order(o)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func adminJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	_ = e.Encode(v) // nobody is left to tell
}

// shown is how many requests the page shows.
const shown = 500

// adminPage shows the journal to people.
func (a *Axis) adminPage(w http.ResponseWriter, _ *http.Request) {
	t, err := template.ParseFS(pages, "admin.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	entries := a.Journal()
	total := len(entries)
	entries = entries[max(0, total-shown):]
	slices.Reverse(entries)
	for i := range entries {
		entries[i].At = entries[i].At.In(edxml.Vietnam)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = t.Execute(w, struct {
		Axis    *Axis
		Gentle  bool
		Total   int
		Scripts []Script
		Entries []Entry
	}{a, a.o.Gentle, total, Scripts(), entries}) // nobody is left to tell
}
