package console

import (
	"cmp"
	"slices"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// shownReceivers is how many receivers a page lists unless all are asked for.
const shownReceivers = 50

// receivers are those of a Document as its page lists them.
type receivers struct {
	Receivers []node.Receiver
	Counts    []codeCount // how many report what; nil for few
	All       int         // how many there are, where not all are listed; else 0
}

// codeCount is how many receivers reported a Status last; Code "" is those that
// did not answer.
type codeCount struct {
	Code  edxml.StatusCode
	Count int
}

// arrange picks what a page lists: of many the first, those that refused and
// those that did not answer in front.
func arrange(list []node.Receiver, all bool) receivers {
	const few = 5
	r := receivers{Receivers: list}
	if len(list) <= few {
		return r
	}
	counts := map[edxml.StatusCode]int{}
	for _, one := range list {
		counts[one.Code]++
	}
	for code, n := range counts {
		r.Counts = append(r.Counts, codeCount{code, n})
	}
	slices.SortFunc(r.Counts, func(a, b codeCount) int { return cmp.Compare(a.Code, b.Code) })
	if len(list) <= shownReceivers {
		return r
	}
	r.Receivers = slices.Clone(list)
	slices.SortStableFunc(r.Receivers, func(a, b node.Receiver) int { return cmp.Compare(concern(a), concern(b)) })
	if !all {
		r.Receivers, r.All = r.Receivers[:shownReceivers], len(list)
	}
	return r
}

// concern is how early a receiver is listed.
func concern(r node.Receiver) int {
	switch r.Code {
	case edxml.StatusRefused:
		return 0
	case "":
		return 1
	}
	return 2
}
