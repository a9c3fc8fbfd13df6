package edxml

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/beevik/etree"
)

func (v *validation) document(d *Document) {
	if d.From.OrganID == "" {
		v.find("ID-1", "From/OrganId", "From")
	}
	v.receivers(d.To)
	for _, f := range []struct{ name, value string }{
		{"DocumentId", d.DocumentID},
		{"Code/CodeNumber", d.Code.CodeNumber}, {"Code/CodeNotation", d.Code.CodeNotation},
		{"Subject", d.Subject}, {"From/OrganName", d.From.OrganName},
	} {
		if f.value == "" {
			v.find("DOC-1", f.name, f.name)
		}
	}
	v.dates(d)
	switch n, ok := d.OtherInfo.Priority.Int(); {
	case d.OtherInfo.Priority != "" && (!ok || n < 0 || n > 4):
		v.find("DOC-7", "OtherInfo/Priority", shorten(string(d.OtherInfo.Priority)))
	case n == 4:
		v.find("DOC-7a", "OtherInfo/Priority")
	}
	switch d.DocType() {
	case New, Recall, Update, Replace:
	default:
		v.find("DOC-12", "Bussiness/BussinessDocType", shorten(string(d.DocType())))
	}
	v.secrecy(d)
}

func (v *validation) receivers(to []Organ) {
	if len(to) == 0 {
		v.find("DOC-10", "To")
	}
	seen := make(map[string]bool, len(to))
	for i, o := range to {
		switch {
		case o.OrganID == "":
			v.find("ID-1", toPath(i), strings.TrimSuffix(toPath(i), "/OrganId"))
		case seen[o.OrganID]:
			v.find("DOC-11", toPath(i), o.OrganID)
		}
		seen[o.OrganID] = true
	}
}

// toPath is the path of the identifier of a receiver.
func toPath(i int) string { return "To[" + strconv.Itoa(i+1) + "]/OrganId" }

func (v *validation) dates(d *Document) {
	const path = "PromulgationInfo/PromulgationDate"
	promulgated := d.PromulgationInfo.PromulgationDate
	if promulgated == "" {
		v.find("DOC-1", path, path)
	} else if t, err := promulgated.Time(); err != nil {
		v.find("DOC-3", path, "PromulgationDate", shorten(string(promulgated)))
	} else if t.After(v.Now) {
		v.find("DOC-3a", path, string(promulgated))
		v.find("AXS-3", path, string(promulgated))
	}
	if _, err := d.DueDate.Time(); d.DueDate != "" && err != nil {
		v.find("DOC-3", "DueDate", "DueDate", shorten(string(d.DueDate)))
	}
	v.documentID("DocumentId", d.DocumentID)
	if d.Business != nil {
		v.documentID("Bussiness/DocumentId", d.Business.DocumentID)
	}
}

// documentID looks at the date inside an identifier of the recommended form.
// It is not compared with the promulgation date: vendor samples disagree there.
func (v *validation) documentID(path, id string) {
	parts := strings.SplitN(id, ",", 3)
	if len(parts) != 3 || strings.Count(parts[1], "/") != 2 {
		return
	}
	if _, err := Date(parts[1]).Time(); err != nil {
		v.find("DOC-3b", path, id)
	}
}

// marks are the secrecy marks, the longest first.
var marks = []string{"tuyệt mật", "tối mật", "mật"}

// secrecy looks for the exact mark where it belongs. In a Subject the words
// have other meanings, so only an upper-case mark at its beginning is told.
func (v *validation) secrecy(d *Document) {
	fields := []struct{ path, value string }{{"OtherInfo/SphereOfPromulgation", d.OtherInfo.SphereOfPromulgation}}
	// QUIRK: iVBDH writes the mark into OtherInfo/Secret, which the standard does not have.
	if _, el, ok := v.packet.outline.element("OtherInfo/Secret"); ok {
		fields = append(fields, struct{ path, value string }{"OtherInfo/Secret", text(el)})
	}
	for _, f := range fields {
		if slices.Contains(marks, strings.ToLower(compose(f.value))) {
			v.find("DOC-8", f.path, f.value)
		}
	}
	subject := strings.TrimLeft(compose(d.Subject), "([ ")
	for _, m := range marks {
		upper := strings.ToUpper(m)
		rest, ok := strings.CutPrefix(subject, upper)
		if next := []rune(rest); ok && (len(next) == 0 || !unicode.IsLetter(next[0])) {
			v.find("DOC-8a", "Subject", upper)
			return
		}
	}
}

// lengths holds values to the lengths of a document system's fields, in
// characters as they are read, not in bytes.
func (v *validation) lengths(d *Document) {
	for _, f := range []struct {
		path, value string
		most        int
	}{
		{"From/OrganName", d.From.OrganName, 200}, {"Code/CodeNumber", d.Code.CodeNumber, 11}, {"Code/CodeNotation", d.Code.CodeNotation, 30},
		{"DocumentType/TypeName", d.DocumentType.TypeName, 100}, {"Subject", d.Subject, 500},
		{"SignerInfo/Position", d.SignerInfo.Position, 100}, {"SignerInfo/FullName", d.SignerInfo.FullName, 50},
		{"ToPlaces", strings.Join(d.ToPlaces, ";"), 1000},
		{"OtherInfo/PromulgationAmount", string(d.OtherInfo.PromulgationAmount), 3}, {"OtherInfo/PageAmount", string(d.OtherInfo.PageAmount), 3},
	} {
		v.length(f.path, f.value, f.most)
	}
	for i, o := range d.To {
		v.length(strings.TrimSuffix(toPath(i), "OrganId")+"OrganName", o.OrganName, 200)
	}
}

func (v *validation) length(path, value string, most int) {
	if len(value) <= most {
		return
	}
	if n := characters(value); n > most {
		v.find("DOC-2", path, path, n, most)
	}
}

// characters counts what a reader sees as one: combining marks do not count.
func characters(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}

// purpose checks what the kind of a Document needs.
func (v *validation) purpose(d *Document) {
	b := d.Business
	if b == nil {
		return
	}
	kind, ok := map[BusinessDocType]Text{
		Recall: {"thu hồi", "recall"}, Update: {"cập nhật", "update"}, Replace: {"thay thế", "replacement"},
	}[d.DocType()]
	if ok && b.DocReason == "" {
		v.find("DOC-13", "Bussiness/BussinessDocReason", kind)
	}
	switch d.DocType() {
	case Update:
		if b.DocumentID == "" {
			v.find("DOC-14", "Bussiness/DocumentId")
		}
	case Replace:
		const path = "Bussiness/ReplacementInfoList"
		if len(b.Replacements) == 0 {
			v.find("DOC-15", path, "ReplacementInfo")
		}
		for i, r := range b.Replacements {
			at := path + "/ReplacementInfo[" + strconv.Itoa(i+1) + "]/"
			if r.DocumentID == "" {
				v.find("DOC-15", at+"DocumentId", "DocumentId")
			}
			if len(r.OrganIDs) == 0 {
				v.find("DOC-15", at+"OrganIdList", "OrganIdList")
			}
		}
	}
}

// algorithms names SHA-1 in what is an XML signature.
func (v *validation) algorithms() {
	for _, t := range v.packet.outline.blocks("Signature") {
		if t.Root.NamespaceURI() != NamespaceDSig {
			continue
		}
		var walk func(el *etree.Element) string
		walk = func(el *etree.Element) string {
			if a := el.SelectAttrValue("Algorithm", ""); strings.HasSuffix(a, "sha1") && el.NamespaceURI() == NamespaceDSig {
				return a
			}
			for _, c := range el.ChildElements() {
				if a := walk(c); a != "" {
					return a
				}
			}
			return ""
		}
		if a := walk(t.Root); a != "" {
			v.findAt("SIG-3", t.Pos(t.Root), "Signature", shorten(a))
		}
	}
}
