package console

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

//go:embed pages
var sources embed.FS

// pages are the templates by language and name.
type pages map[string]map[string]*template.Template

func parsePages() (pages, error) {
	all := pages{}
	for _, lang := range []string{"vi", "en"} {
		all[lang] = map[string]*template.Template{}
		for _, name := range []string{"login", "overview", "list", "document", "mailboxes", "waiting", "refused"} {
			t, err := template.New(name).Funcs(functions(lang)).ParseFS(sources, "pages/frame.html", "pages/rows.html", "pages/"+name+".html")
			if err != nil {
				return nil, err
			}
			all[lang][name] = t
		}
	}
	return all, nil
}

// functions are what templates may call, in one language.
func functions(lang string) template.FuncMap {
	say := func(vi, en string) string { return edxml.Text{VI: vi, EN: en}.In(lang) }
	return template.FuncMap{
		"say":    say,
		"text":   func(t edxml.Text) string { return t.In(lang) },
		"when":   func(t time.Time) template.HTML { return moment(t, "15:04:05 02/01/2006") },
		"moment": func(t time.Time) template.HTML { return moment(t, "15:04 02/01/2006") },
		"took":   func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"span":   func(d time.Duration) string { return span(d, say) },
		"size":   func(n int64) string { return size(n, lang) },
		"count": func(n int64) string {
			return grouped(n, lang)
		},
		"long":     func(n int) int64 { return int64(n) },
		"code":     heading,
		"brief":    brief,
		"peers":    func(t *node.Transfer) string { return peers(t, say) },
		"reached":  func(t *node.Transfer) string { return reached(t, lang) },
		"state":    func(s node.State) string { return stateNames[s].In(lang) },
		"mood":     mood,
		"status":   func(c edxml.StatusCode) string { return statusName(c, lang) },
		"kind":     func(t *node.Transfer) string { return kindName(t).In(lang) },
		"urgency":  func(n int) string { return urgencies[n].In(lang) },
		"verb":     func(v node.Verb) string { return verbNames[v].In(lang) },
		"action":   func(a string) string { return actionName(a, lang) },
		"box":      func(d node.Direction) string { return boxes[d].In(lang) },
		"step":     func(s string) string { return stepName(s, lang) },
		"date":     func(d edxml.Date) string { return date(d) },
		"severity": func(s edxml.Severity) string { return severities[s].In(lang) },
		"lang":     func() string { return lang },
	}
}

// frame is what every page has.
type frame struct {
	Title   edxml.Text
	Section string // which entry of the menu is lit
	Organ   edxml.Organ
	Account *Account // nil outside
	Proof   string   // for forms
	Hub     bool
	Live    bool   // it changes while one looks
	Other   string // this page in the other language
	Version string
	Now     time.Time
}

func (c *Console) frame(x *exchange, section string, title edxml.Text) frame {
	f := frame{
		Title: title, Section: section, Organ: c.node.Organ, Hub: c.options.Mailboxes != nil,
		Version: c.options.Version, Now: time.Now(),
	}
	if x.session != nil {
		f.Account, f.Proof = x.session.account, x.session.proof
		f.Live = c.options.Events != nil && section != ""
	}
	here, query := x.URL.Path, x.URL.Query()
	if x.Method != http.MethodGet || !strings.HasPrefix(here, Path) {
		here, query = Path, nil
	}
	if query == nil {
		query = map[string][]string{}
	}
	query.Set("lang", map[string]string{"vi": "en", "en": "vi"}[x.lang])
	f.Other = here + "?" + query.Encode()
	return f
}

// moment writes a time for people and for programs; nothing for none.
func moment(t time.Time, layout string) template.HTML {
	if t.IsZero() {
		return ""
	}
	at := t.In(edxml.Vietnam)
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, at.Format(time.RFC3339), at.Format(layout)))
}
