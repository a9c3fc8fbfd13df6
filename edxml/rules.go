package edxml

import "slices"

// Rule is an entry of the catalogue: what a Finding of that name says. The
// messages hold verbs for the particulars.
type Rule struct {
	ID       string
	Severity Severity
	Clause   string
	Message  Text
	Remedy   Text
}

// Rules returns the catalogue, in its own order.
func Rules() []Rule {
	return slices.Concat(readingRules, attachmentRules, signatureRules, documentRules, statusRules)
}

// rule returns the entry of the catalogue with this ID.
func rule(id string) Rule {
	for _, group := range [][]Rule{readingRules, attachmentRules, signatureRules, documentRules, statusRules} {
		for _, r := range group {
			if r.ID == id {
				return r
			}
		}
	}
	panic("edxml: no rule " + id)
}

const (
	clauseBytes = "practice: a signature binds bytes, and readers differ on what they skip"
	clauseData  = "QĐ 28/2018/QĐ-TTg Art. 10(2)"
)
