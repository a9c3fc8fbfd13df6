package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

func (p *program) organCommand() *cli.Command {
	return &cli.Command{
		Name:      "organ",
		Usage:     p.say("tra cứu mã định danh cơ quan", "look up identifiers of agencies"),
		ArgsUsage: p.say("MÃ…", "ID…"),
		Description: p.say(
			"Cho biết mã thuộc thế hệ nào, các cấp, và cơ quan cấp 1 theo danh mục ở một ngày. --search tìm theo\n"+
				"tên, có dấu hay không dấu. Danh mục chỉ có mã cấp 1; mã thoát 7 khi không có trong danh mục.",
			"Says which generation an identifier is of, its levels, and who held its level-1 code at a date.\n"+
				"--search looks for names, with or without their marks. The register holds level-1 codes only; exits\n"+
				"with 7 when there is no entry."),
		Flags: []cli.Flag{
			p.jsonFlag(),
			&cli.StringFlag{Name: "search", Usage: p.say("tìm theo tên hoặc mã", "find by name or code")},
			&cli.StringFlag{Name: "at", DefaultText: p.say("hôm nay", "today"), Usage: p.say("ngày xét, ví dụ 2025/06/30", "the day that counts, such as 2025/06/30")},
		},
		Action: p.organ,
	}
}

// organView is what is known about an identifier, a line of organ --json.
type organView struct {
	ID          string     `json:"id"`
	Generation  string     `json:"generation"`
	Levels      []string   `json:"levels,omitempty"`
	Parent      string     `json:"parent,omitempty"`
	Counterpart string     `json:"counterpart,omitempty"` // a hint, never certain
	Transit     bool       `json:"transit,omitempty"`     // carries documents for others
	Register    *entryView `json:"register,omitempty"`
}

// entryView is a row of the register, judged at a date.
type entryView struct {
	Code           string `json:"code"`
	Name           string `json:"name,omitempty"`
	Kind           string `json:"kind"`
	From           string `json:"from,omitempty"` // first day, yyyy/MM/dd
	To             string `json:"to,omitempty"`   // last day
	At             string `json:"at"`             // the day that counts
	State          string `json:"state"`          // valid, closed, not-yet
	MergedInto     string `json:"mergedInto,omitempty"`
	MergedIntoName string `json:"mergedIntoName,omitempty"`
	Source         string `json:"source"`
}

func (p *program) organ(c *cli.Context) error {
	at := time.Now()
	if text := c.String("at"); text != "" {
		var err error
		if at, err = edxml.Date(text).Time(); err != nil {
			return usageError{edxml.Text{VI: fmt.Sprintf("--at %q: không phải ngày có thật", text), EN: fmt.Sprintf("--at %q is no real date", text)}, c.Command.HelpName}
		}
	}
	if c.IsSet("search") {
		if c.NArg() > 0 {
			return usageError{edxml.Text{
				VI: "--search không đi cùng mã: " + c.Args().First() + " (đặt tên có dấu cách trong dấu nháy)",
				EN: "--search takes no identifier beside it: " + c.Args().First() + " (put a name with spaces in quotes)",
			}, c.Command.HelpName}
		}
		return p.searchOrgan(c, at)
	}
	if c.NArg() == 0 {
		return usageError{edxml.Text{VI: "thiếu mã định danh (hoặc --search TÊN)", EN: "an identifier is missing (or --search NAME)"}, c.Command.HelpName}
	}
	worst := exitDone
	for i, text := range c.Args().Slice() {
		id, err := organ.Parse(text)
		if err != nil {
			worst = heavier(worst, p.report(usageError{edxml.Text{VI: "không thể là mã định danh: " + err.Error(), EN: "it cannot be an identifier: " + err.Error()}, c.Command.HelpName}))
			continue
		}
		v := describeOrgan(id, at)
		if c.Bool("json") {
			err = p.record(v)
		} else {
			if i > 0 {
				fmt.Fprintln(p.out)
			}
			err = p.showOrgan(v)
		}
		if err != nil {
			return err
		}
		if v.Register == nil && id.Generation() != organ.TaxCode { // no agency, so no register of agencies has it
			worst = heavier(worst, p.report(told{exitNotFound,
				edxml.Text{VI: text + ": mã không có trong danh mục", EN: text + ": the register has no such code"},
				edxml.Text{VI: "tìm theo tên: lienthong organ --search TÊN", EN: "find it by name: lienthong organ --search NAME"}}))
		}
	}
	if worst != exitDone {
		return quietError{worst}
	}
	return nil
}

// describeOrgan puts together what form and register say about an identifier.
func describeOrgan(id organ.ID, at time.Time) organView {
	v := organView{ID: string(id), Generation: id.Generation().String(), Levels: id.Levels(), Transit: id.Transit()}
	if parent, ok := id.Parent(); ok {
		v.Parent = string(parent)
	}
	if other, ok := id.Counterpart(); ok {
		v.Counterpart = string(other)
	}
	if e, ok := organ.Lookup(id, at); ok {
		entry := judgeEntry(e, at)
		v.Register = &entry
	}
	return v
}

// judgeEntry says what a row of the register is worth at a date.
func judgeEntry(e organ.Entry, at time.Time) entryView {
	v := entryView{
		Code: e.Code, Name: e.Name, Kind: e.Kind, From: dayText(e.From), To: dayText(e.To), At: dayText(at),
		State: "valid", MergedInto: string(e.MergedInto), Source: e.Source,
	}
	switch {
	case e.Closed(at):
		v.State = "closed"
	case at.Before(e.From):
		v.State = "not-yet"
	}
	if into, ok := organ.Lookup(e.MergedInto, at); ok {
		v.MergedIntoName = into.Name
	}
	return v
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return string(edxml.DateOf(t))
}

// judgement says in words what State says.
func (p *program) judgement(v entryView) string {
	switch v.State {
	case "closed":
		text := fmt.Sprintf(p.say("đã đóng, ngày cuối %s", "closed, last day %s"), v.To)
		if v.MergedInto != "" {
			text += strings.TrimRight(fmt.Sprintf(p.say("; nhập vào %s %s", "; merged into %s %s"), v.MergedInto, v.MergedIntoName), " ")
		}
		return text
	case "not-yet":
		return fmt.Sprintf(p.say("chưa có hiệu lực ở ngày %s, từ %s", "not in force on %s, from %s"), v.At, v.From)
	}
	return fmt.Sprintf(p.say("có hiệu lực ở ngày %s", "valid on %s"), v.At)
}

func (p *program) showOrgan(v organView) error {
	s := sheet{tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0), p}
	s.line("mã", "identifier", v.ID, v.Generation)
	s.line("các cấp, từ trên xuống", "levels, from the top", v.Levels...)
	s.line("cấp trên", "one level up", v.Parent)
	if v.Counterpart != "" {
		s.line("có thể cũng là", "perhaps also", v.Counterpart+" "+p.say("(gợi ý)", "(a hint)"))
	}
	if v.Transit {
		s.line("lưu ý", "note", p.say("hệ thống trung chuyển, không phải nơi nhận", "a system that carries documents for others, not an addressee"))
	}
	if e := v.Register; e != nil {
		s.line("danh mục", "register", e.Code, e.Name, kindName(e.Kind).In(p.lang))
		s.line("  hiệu lực", "  state", p.judgement(*e))
		s.line("  căn cứ", "  source", e.Source)
	}
	return s.w.Flush()
}

// kindName says what kind of agency a row of the register is about.
func kindName(kind string) edxml.Text {
	switch kind {
	case "ministry":
		return edxml.Text{VI: "bộ", EN: "ministry"}
	case "ministry_level_agency":
		return edxml.Text{VI: "cơ quan ngang bộ", EN: "ministry-level agency"}
	case "government_agency_or_other":
		return edxml.Text{VI: "cơ quan thuộc Chính phủ hoặc khác", EN: "government agency or other"}
	case "central_non_government":
		return edxml.Text{VI: "cơ quan trung ương ngoài Chính phủ", EN: "central body outside the government"}
	case "provincial_peoples_committee":
		return edxml.Text{VI: "UBND cấp tỉnh", EN: "provincial people's committee"}
	case "provincial_peoples_council":
		return edxml.Text{VI: "HĐND cấp tỉnh", EN: "provincial people's council"}
	case "socio_political_org":
		return edxml.Text{VI: "tổ chức chính trị - xã hội", EN: "socio-political organisation"}
	case "social_professional_org":
		return edxml.Text{VI: "tổ chức xã hội - nghề nghiệp", EN: "social and professional organisation"}
	case "letter_group":
		return edxml.Text{VI: "nhóm mã theo chữ cái", EN: "codes of one letter"}
	case "scheme":
		return edxml.Text{VI: "lược đồ định danh", EN: "identification scheme"}
	}
	return edxml.Text{VI: kind, EN: kind}
}

// searchOrgan lists the rows of the register whose name holds every word
// looked for, or whose code begins with it.
func (p *program) searchOrgan(c *cli.Context, at time.Time) error {
	words := plainWords(c.String("search"))
	if len(words) == 0 {
		return usageError{edxml.Text{VI: "--search cần ít nhất một chữ", EN: "--search needs a word"}, c.Command.HelpName}
	}
	found := 0
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for e := range organ.Register() {
		byCode := len(words) == 1 && strings.HasPrefix(strings.ToLower(e.Code), words[0])
		if !byCode && !holdsWords(plainWords(e.Name), words) {
			continue
		}
		found++
		v := judgeEntry(e, at)
		if c.Bool("json") {
			if err := p.record(v); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Code, v.Name, p.judgement(v))
	}
	if found == 0 {
		return told{exitNotFound,
			edxml.Text{VI: fmt.Sprintf("danh mục không có tên nào chứa %q", c.String("search")), EN: fmt.Sprintf("no name in the register holds %q", c.String("search"))},
			edxml.Text{VI: "danh mục chỉ có cơ quan cấp 1 (bộ, tỉnh, …); thử ít chữ hơn", EN: "the register holds level-1 agencies only (ministries, provinces, …); try fewer words"}}
	}
	return w.Flush()
}

// holdsWords reports that each of the words begins one of the name's.
func holdsWords(name, words []string) bool {
	for _, word := range words {
		if !slices.ContainsFunc(name, func(s string) bool { return strings.HasPrefix(s, word) }) {
			return false
		}
	}
	return true
}

// plainWords splits a text into its words, in lower case and without the marks
// of the Vietnamese letters, composed or not.
func plainWords(s string) []string {
	s = strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		for _, letters := range []string{"aàáảãạăằắẳẵặâầấẩẫậ", "eèéẻẽẹêềếểễệ", "iìíỉĩị", "oòóỏõọôồốổỗộơờớởỡợ", "uùúủũụưừứửữự", "yỳýỷỹỵ", "dđ"} {
			if strings.ContainsRune(letters, r) {
				return rune(letters[0])
			}
		}
		return r
	}, s)
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
