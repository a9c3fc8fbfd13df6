package main

import (
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

//go:generate sh -c "go run . validate --rules --markdown > rules.tmp && mv rules.tmp ../../docs/RULES.md"

// ruleLine is a rule in one language with its sets, a line of validate --rules
// --json.
type ruleLine struct {
	ruleText
	Against []string `json:"against"`
}

// rules prints the catalogue, or the part of it that one set holds.
func (p *program) rules(against edxml.Against, chosen, asJSON, markdown bool) error {
	if !chosen {
		against = edxml.All
	}
	if markdown {
		_, err := fmt.Fprint(p.out, rulesDocument())
		return err
	}
	for _, r := range edxml.Rules() {
		if !against.Has(r.ID) {
			continue
		}
		t := ruleText{r.ID, r.Severity, r.Clause.In(p.lang), pattern(r.Message.In(p.lang)), r.Remedy.In(p.lang)}
		if asJSON {
			if err := p.record(ruleLine{t, setNames(r)}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(p.out, "%-7s %-8s %-11s %s (%s)\n", t.Rule, severityName(t.Severity).In(p.lang), strings.Join(setNames(r), ","), t.Message, t.Clause)
	}
	return nil
}

func setNames(r edxml.Rule) []string {
	var names []string
	for _, s := range r.Sets() {
		names = append(names, s.String())
	}
	return names
}

// groups are the headings of the document, by the letters of the rules.
var groups = []struct {
	letters string
	title   edxml.Text
}{
	{"XML", edxml.Text{VI: "XML", EN: "XML"}},
	{"PKT", edxml.Text{VI: "Khung gói tin", EN: "The frame of the packet"}},
	{"ATT", edxml.Text{VI: "Tệp đính kèm", EN: "Attachments"}},
	{"SIG", edxml.Text{VI: "Chữ ký số", EN: "Signatures"}},
	{"ID", edxml.Text{VI: "Mã định danh cơ quan", EN: "Identifiers of agencies"}},
	{"DOC", edxml.Text{VI: "Văn bản", EN: "Documents"}},
	{"TIME", edxml.Text{VI: "Thời gian", EN: "Times"}},
	{"ST", edxml.Text{VI: "Trạng thái", EN: "Statuses"}},
	{"STR", edxml.Text{VI: "Dạng chuẩn", EN: "The strict form"}},
	{"AXS", edxml.Text{VI: "Trục eDoc từ chối", EN: "What the eDoc axis refuses"}},
	{"VND", edxml.Text{VI: "Thư viện Java từ chối hoặc đọc sai", EN: "What the Java library refuses or misreads"}},
}

// rulesDocument is the catalogue as docs/RULES.md.
func rulesDocument() string {
	var b strings.Builder
	b.WriteString(`# Quy tắc kiểm tra · Rules

<!-- Written by go generate from the catalogue in package edxml; do not edit. -->

` + "`lienthong validate`" + ` kiểm tra gói tin theo các quy tắc dưới đây; ` + "`--against`" + ` chọn bộ quy tắc: **law** (pháp luật, mặc định),
**axis** (trục eDoc từ chối), **vendor** (thư viện Java từ chối hoặc đọc sai), **all** (tất cả). Dấu … là chỗ của giá trị trong gói tin.

` + "`lienthong validate`" + ` checks packets by the rules below; ` + "`--against`" + ` chooses the set: **law** (the default), **axis** (what the eDoc
axis refuses), **vendor** (what the Java library refuses or misreads), **all**. A … stands where the packet's own value will be.
"practice" before a clause names evidence instead of a text: running code or sample packets.
`)
	rules := edxml.Rules()
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s · %s\n\n| | | Quy tắc · Rule | Cách sửa · Remedy | Căn cứ · Clause | Bộ · Set |\n|---|---|---|---|---|---|\n", g.title.VI, g.title.EN)
		for _, r := range rules {
			if letters, _, _ := strings.Cut(r.ID, "-"); letters != g.letters {
				continue
			}
			name := severityName(r.Severity)
			fmt.Fprintf(&b, "| **%s** | %s · %s | %s<br>%s | %s<br>%s | %s | %s |\n", r.ID, name.VI, name.EN,
				cell(pattern(r.Message.VI)), cell(pattern(r.Message.EN)), cell(r.Remedy.VI), cell(r.Remedy.EN), both(r.Clause), strings.Join(setNames(r), ", "))
		}
	}
	return b.String()
}

// both gives a clause in both languages where they differ.
func both(c edxml.Clause) string {
	vi, en := cell(c.In("vi")), cell(c.In("en"))
	if vi == en {
		return en
	}
	return vi + "<br>" + en
}

// cell escapes text for a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(s)
}
