package edxml

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lienthong/lienthong/edxml/organ"
)

// organs judges the identifiers of a Document's agencies at its date.
func (v *validation) organs(d *Document) {
	at, err := d.PromulgationInfo.PromulgationDate.Time()
	if err != nil {
		at = time.Time{}
	}
	v.organ("From/OrganId", d.From, at)
	for i, o := range d.To {
		v.organ(toPath(i), o, at)
	}
}

// maxOrganID is the longest identifier, in characters.
const maxOrganID = 35

// newForm is the day from which the identifiers of QĐ 20/2020 are in use.
var newForm = time.Date(2022, 9, 15, 0, 0, 0, 0, Vietnam)

// organ judges one identifier. A missing one is told elsewhere; at is zero
// where there is no date to go by.
func (v *validation) organ(path string, o Organ, at time.Time) {
	s := o.OrganID
	if s == "" {
		return
	}
	id := organ.ID(s)
	form := id.Generation()
	switch n := utf8.RuneCountInString(s); {
	case n > maxOrganID:
		v.find("ID-2", path, shorten(s), n)
		return
	case form == organ.Other:
		if fault := misspelt(s); fault.EN != "" {
			v.find("ID-3", path, shorten(s), fault)
		} else {
			v.find("ID-1a", path, s)
		}
	case form == organ.QCVN102 && skipsLevel(s):
		v.find("ID-5", path, s)
	}
	if at.IsZero() {
		return
	}
	v.register(path, id, at)
	if form == organ.QCVN102 && !at.Before(newForm) && !v.said("ID-6") {
		v.find("ID-6", path, s)
	}
	v.district(path, id, o.OrganName, at)
}

// said says that the rule has a Finding already.
func (v *validation) said(id string) bool {
	for _, f := range v.findings {
		if f.Rule == id {
			return true
		}
	}
	return false
}

// misspelt says what no published form has in it.
func misspelt(s string) Text {
	switch strange := strings.TrimFunc(s, func(r rune) bool { return r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' }); {
	case strange != "":
		r, _ := utf8.DecodeRuneInString(strange)
		q := strconv.QuoteRune(r)
		return Text{"có ký tự " + q, "has the character " + q}
	case strings.HasPrefix(s, "."), strings.HasSuffix(s, "."), strings.Contains(s, ".."):
		return Text{"có nhóm trống", "has an empty group"}
	}
	return Text{}
}

// skipsLevel says that a group of the old form is in use below one that is not.
func skipsLevel(s string) bool {
	g := strings.Split(s, ".")
	return g[0] != "000" && g[1] == "00" || g[1] != "00" && g[2] == "00"
}

// register compares the code of the level-1 agency with the dated register. A
// code that is older than the decisions is no fault: the numbers were the same.
func (v *validation) register(path string, id organ.ID, at time.Time) {
	if id.Root() == "" || id.Generation() == organ.TaxCode {
		return
	}
	e, ok := organ.Lookup(id, at)
	switch {
	case !ok:
		v.find("ID-4", path, string(id), Text{"không có trong danh mục đã ban hành", "is not in the published lists"})
	case e.Closed(at):
		day := e.To.Format("02/01/2006")
		t := Text{"(" + e.Name + ") đã đóng sau ngày " + day, "(" + e.Name + ") was closed after " + day}
		if e.MergedInto != "" {
			t = Text{t.VI + ", nhập vào " + string(e.MergedInto), t.EN + ", merged into " + string(e.MergedInto)}
		}
		v.find("ID-4", path, string(id), t)
	}
}

// lastDistricts is the first day without districts.
var lastDistricts = time.Date(2025, 7, 1, 0, 0, 0, 0, Vietnam)

// district tells an agency of a district by its name: its code has the form of
// a department's.
func (v *validation) district(path string, id organ.ID, name string, at time.Time) {
	if at.Before(lastDistricts) || !strings.HasPrefix(id.Root(), "H") {
		return
	}
	name = strings.ToLower(compose(name))
	for _, body := range []string{"ủy ban nhân dân ", "uỷ ban nhân dân ", "ubnd ", "hội đồng nhân dân ", "hđnd "} {
		if rest, ok := strings.CutPrefix(name, body); ok {
			for _, unit := range []string{"huyện ", "quận ", "thị xã "} {
				if strings.HasPrefix(rest, unit) {
					v.find("ID-7", path, string(id))
					return
				}
			}
		}
	}
}
