package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
)

func (p *program) explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     p.say("giải thích một quy tắc kiểm tra", "explain a rule of validate"),
		ArgsUsage: p.say("QUY_TẮC", "RULE"),
		Description: p.say(
			"QUY_TẮC là mã đứng trước phát hiện, ví dụ DOC-1. Dấu … là chỗ của giá trị trong gói tin.",
			"RULE is the name that stands before a finding, such as DOC-1. A … stands where the packet's own\n"+
				"value will be."),
		Flags:  []cli.Flag{p.jsonFlag()},
		Action: p.explainRule,
	}
}

// ruleText is a rule in one language.
type ruleText struct {
	Rule     string         `json:"rule"`
	Severity edxml.Severity `json:"severity"`
	Clause   string         `json:"clause"`
	Message  string         `json:"message"`
	Remedy   string         `json:"remedy"`
}

func (p *program) explainRule(c *cli.Context) error {
	id, err := argument(c, "mã quy tắc", "the rule")
	if err != nil {
		return err
	}
	rules := edxml.Rules()
	i := slices.IndexFunc(rules, func(r edxml.Rule) bool { return strings.EqualFold(r.ID, strings.TrimSpace(id)) })
	if i < 0 {
		ids := make([]string, len(rules))
		for i, r := range rules {
			ids[i] = r.ID
		}
		near := strings.Join(nearest(strings.ToUpper(id), ids, 3), ", ")
		return told{exitNotFound, edxml.Text{VI: fmt.Sprintf("không có quy tắc %q", id), EN: fmt.Sprintf("there is no rule %q", id)},
			edxml.Text{VI: "gần giống: " + near, EN: "close to it: " + near}}
	}
	r := rules[i]
	t := ruleLine{ruleText{r.ID, r.Severity, r.Clause.In(p.lang), pattern(r.Message.In(p.lang)), r.Remedy.In(p.lang)}, setNames(r)}
	if c.Bool("json") {
		return p.record(t)
	}
	fmt.Fprintf(p.out, "%s (%s): %s\n", t.Rule, severityName(t.Severity).In(p.lang), t.Message)
	fmt.Fprintf(p.out, "    %s%s\n", p.say("căn cứ: ", "clause: "), t.Clause)
	fmt.Fprintf(p.out, "    %s%s\n", p.say("thuộc bộ: ", "checked against: "), strings.Join(t.Against, ", "))
	_, err = fmt.Fprintf(p.out, "    %s%s\n", p.say("cách sửa: ", "remedy: "), t.Remedy)
	return err
}

// particular is the place of a particular in a message.
var particular = regexp.MustCompile(`%[a-z]`)

// pattern shows a message with its particulars left out.
func pattern(message string) string {
	return strings.ReplaceAll(particular.ReplaceAllString(message, "…"), "%%", "%")
}

func severityName(s edxml.Severity) edxml.Text {
	switch s {
	case edxml.Error:
		return edxml.Text{VI: "lỗi", EN: "error"}
	case edxml.Warning:
		return edxml.Text{VI: "cảnh báo", EN: "warning"}
	}
	return edxml.Text{VI: "lưu ý", EN: "info"}
}

// nearest returns the n words that take the fewest changes to become word, the
// closest first.
func nearest(word string, words []string, n int) []string {
	sorted := slices.Clone(words)
	slices.SortStableFunc(sorted, func(a, b string) int { return distance(word, a) - distance(word, b) })
	return sorted[:min(n, len(sorted))]
}

// distance counts the letters to add, drop or change that make b out of a. Of
// a long text it looks at the beginning only.
func distance(a, b string) int {
	from, to := []rune(a[:min(len(a), 64)]), []rune(b[:min(len(b), 64)])
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			change := diagonal
			if r != s {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(to)]
}
