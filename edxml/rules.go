package edxml

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// The rules that this package has in its catalogue and cannot judge, since it
// does not know what a signature is worth. Whoever asks package signature finds
// them, with [Rule.Find].
const (
	RuleSignature = "SIG-2"  // a signature that does not hold; the argument is why, a [Text]
	RuleWeakKey   = "SIG-3a" // an RSA key below 2048 bits; the argument is its size
)

// Rule is an entry of the catalogue: what a Finding of that name says. The
// messages hold verbs for the particulars.
type Rule struct {
	ID       string
	Severity Severity
	Clause   Clause
	Message  Text
	Remedy   Text
}

// Rules returns the catalogue, in its own order.
func Rules() []Rule { return slices.Concat(catalogue...) }

// catalogue is the groups of rules, each in a file of its own.
var catalogue = [][]Rule{
	readingRules, attachmentRules, signatureRules, organRules, documentRules, timeRules, statusRules,
	structureRules, axisRules, vendorRules,
}

// Find makes a Finding of the rule. The arguments are the particulars of its
// message; those of type Text speak the language of the message.
func (r Rule) Find(pos xmlscan.Pos, path string, args ...any) Finding {
	f := Finding{Rule: r.ID, Severity: r.Severity, Path: path, Pos: pos, Clause: r.Clause, Message: r.Message, Remedy: r.Remedy}
	if len(args) == 0 {
		return f
	}
	vi, en := make([]any, len(args)), make([]any, len(args))
	for i, a := range args {
		if vi[i], en[i] = a, a; a == nil {
			continue
		}
		if t, ok := a.(Text); ok {
			vi[i], en[i] = t.VI, t.EN
		}
	}
	f.Message = Text{fmt.Sprintf(r.Message.VI, vi...), fmt.Sprintf(r.Message.EN, en...)}
	return f
}

// RuleByID returns the entry of the catalogue with this ID, and whether there
// is one.
func RuleByID(id string) (Rule, bool) {
	for _, group := range catalogue {
		for _, r := range group {
			if r.ID == id {
				return r, true
			}
		}
	}
	return Rule{}, false
}

// rule returns the entry of the catalogue with this ID, which is there.
func rule(id string) Rule {
	r, ok := RuleByID(id)
	if !ok {
		panic("edxml: no rule " + id)
	}
	return r
}

// Against says by whose measure a packet is judged. The zero value is Law.
type Against int

// The sets of rules.
const (
	// Law is what decree, decision and standard ask for, and what every reader
	// stumbles over.
	Law Against = iota
	// Axis is what the eDoc axis refuses: the public server code of BKAV, and
	// what no node may hand to an axis.
	Axis
	// Vendor is what VNPT's Java library refuses, or reads as something else
	// without saying so.
	Vendor
	// All is every rule.
	All
)

var againstNames = []string{"law", "axis", "vendor", "all"}

// String gives the name used on the command line: law, axis, vendor or all.
func (a Against) String() string {
	if a < 0 || int(a) >= len(againstNames) {
		return fmt.Sprintf("Against(%d)", int(a))
	}
	return againstNames[a]
}

// ParseAgainst reads the name of a set: law, axis, vendor or all.
func ParseAgainst(name string) (Against, error) {
	if i := slices.Index(againstNames, name); i >= 0 {
		return Against(i), nil
	}
	return 0, fmt.Errorf("edxml: %.40q is no set of rules; there are %s", name, strings.Join(againstNames, ", "))
}

// Sets returns the sets that hold the rule, without All.
func (r Rule) Sets() []Against {
	switch group, _, _ := strings.Cut(r.ID, "-"); {
	case group == "AXS":
		return []Against{Axis}
	case group == "VND":
		return []Against{Vendor}
	}
	return append([]Against{Law}, alsoIn[r.ID]...)
}

// alsoIn names those who refuse over a rule of the law, too.
var alsoIn = map[string][]Against{
	"ATT-8": {Axis, Vendor}, "ATT-10": {Axis, Vendor}, "SIG-1": {Axis},
	"ID-1": {Axis}, "DOC-1": {Axis}, "DOC-3": {Axis}, "DOC-7": {Axis}, "DOC-8": {Axis}, "DOC-10": {Axis}, "DOC-11": {Axis}, "DOC-12": {Axis},
	"ST-1": {Axis}, "ST-2": {Axis}, "ST-5": {Axis},
}

// Has says that the set holds the rule with this ID.
func (a Against) Has(id string) bool { return a == All || slices.Contains(rule(id).Sets(), a) }

// Of returns those of the findings whose rules the set holds, in their order.
func (a Against) Of(findings []Finding) []Finding {
	var kept []Finding
	for _, f := range findings {
		if a.Has(f.Rule) {
			kept = append(kept, f)
		}
	}
	return kept
}

const (
	clauseBytes  = "practice: a signature binds bytes, and readers differ on what they skip"
	clauseData   = "QĐ 28/2018/QĐ-TTg Art. 10(2)"
	clauseBKAV   = "practice: BKAV axis, public server code"
	clauseVNPT   = "practice: VNPT's Java library"
	clauseSchema = "practice: the schemas of package wsdl, made from sample packets and public code"
)
