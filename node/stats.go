package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

// statName begins the keys under which Transfers are counted for statistics:
// the rest is direction, day, kind of Document, agency and outcome, by tabs.
const statName = "stat\t"

// maxAgencies is under how many agencies one Document is counted; the rest
// counts as one more, named "…".
const maxAgencies = 200

// tally gives a Transfer the keys under which it counts in the statistics of
// QĐ 28/2018/QĐ-TTg Art. 11. Keys of others stay.
func (s indexed) tally(t *Transfer) {
	t.Count = slices.DeleteFunc(t.Count, func(k string) bool { return strings.HasPrefix(k, statName) })
	outcome := s.outcome(t)
	if outcome == "" {
		return
	}
	day := edxml.DateOf(t.Created)
	for _, agency := range append([]string{""}, agencies(t)...) {
		t.Count = append(t.Count, statName+strings.Join([]string{string(t.Direction), string(day), string(t.DocType), agency, string(outcome)}, "\t"))
	}
}

// Outcome is how a Document counts in statistics.
type Outcome string

// The outcomes.
const (
	Waits        Outcome = "waiting"  // a step is still to be taken
	OnTime       Outcome = "on-time"  // sent in time by QĐ 28/2018/QĐ-TTg Art. 6(2)
	Late         Outcome = "late"     // sent later
	GivenUp      Outcome = "failed"   // or cancelled
	Received     Outcome = "received" // handed over here
	Refused      Outcome = "rejected" // refused here
	TakenBack    Outcome = "recalled" // received, and destroyed when its sender took it back
	undetermined Outcome = ""         // no Document, or not known yet
)

func (s indexed) outcome(t *Transfer) Outcome {
	switch {
	case t.Kind != edxml.KindDocument || t.From == "" || t.SameAs != "" || t.Direction != Out && t.Direction != In:
		return undetermined
	case t.State == Sent:
		if late(t.PromulgationDate, t.Finished, s.workday) {
			return Late
		}
		return OnTime
	case t.State == Failed, t.State == Cancelled:
		return GivenUp
	case t.State == Delivered, t.State == Confirmed, t.State == Sealed:
		return Received
	case t.State == Rejected:
		return Refused
	case t.State == Recalled:
		return TakenBack
	}
	return Waits
}

// agencies returns whom a Document is counted for: the sender of an incoming
// one, the receivers' agencies of the first level of an outgoing one.
func agencies(t *Transfer) []string {
	if t.Direction == In {
		return []string{agencyKey(t.From)}
	}
	var all []string
	for _, r := range t.Receivers {
		root := agencyKey(cmp.Or(organ.ID(r.OrganID).Root(), r.OrganID))
		if slices.Contains(all, root) {
			continue
		}
		if len(all) == maxAgencies {
			return append(all, "…")
		}
		all = append(all, root)
	}
	return all
}

// agencyKey makes an identifier fit to stand in a key.
func agencyKey(id string) string {
	return clip(strings.ToValidUTF8(strings.Join(strings.Fields(id), " "), "_"), 100)
}

// late reports whether a Document was sent later than Art. 6(2) allows: on the
// day it was signed, or in the morning, until noon, of the next working day.
// The day of promulgation stands for that of signing.
func late(day edxml.Date, sent time.Time, workday func(time.Time) bool) bool {
	signed, err := day.Time()
	if err != nil {
		return false
	}
	next := signed.AddDate(0, 0, 1)
	for range 60 { // no holiday is longer
		if workday(next) {
			break
		}
		next = next.AddDate(0, 0, 1)
	}
	return sent.After(next.Add(12 * time.Hour))
}

// weekdays are the working days where nobody says otherwise.
func weekdays(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// StatRow counts the Documents of one direction, kind and agency.
type StatRow struct {
	Direction Direction             `json:"direction"`
	Agency    string                `json:"agency,omitempty"` // "": all of them
	DocType   edxml.BusinessDocType `json:"docType"`
	Total     int64                 `json:"total"`
	Outcomes  map[Outcome]int64     `json:"outcomes"`
}

// Stats counts the Documents accepted or listed in days from one to another,
// both included (QĐ 28/2018/QĐ-TTg Art. 11): by direction, agency and kind. A
// Document to several agencies counts once for each, and once among all.
func (n *Node) Stats(ctx context.Context, from, to time.Time) ([]StatRow, error) {
	rows := map[string]*StatRow{}
	err := n.eachTally(ctx, from, to, func(d Direction, _ edxml.Date, docType, agency string, o Outcome, count int64) {
		id := string(d) + "\t" + agency + "\t" + docType
		if rows[id] == nil {
			rows[id] = &StatRow{Direction: d, Agency: agency, DocType: edxml.BusinessDocType(docType), Outcomes: map[Outcome]int64{}}
		}
		rows[id].Total += count
		rows[id].Outcomes[o] += count
	})
	if err != nil {
		return nil, err
	}
	all := []StatRow{}
	for _, r := range rows {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b StatRow) int {
		return cmp.Or(-cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.DocType, b.DocType))
	})
	return all, nil
}

// Day counts the Documents of one day.
type Day struct {
	Date edxml.Date
	Out  map[Outcome]int64
	In   map[Outcome]int64
}

// Days counts the Documents of each day from one to another, both included and
// in order, those without any too. Each Document counts once.
func (n *Node) Days(ctx context.Context, from, to time.Time) ([]Day, error) {
	var days []Day
	at := map[edxml.Date]int{}
	last := edxml.DateOf(to)
	for day := from.In(edxml.Vietnam); edxml.DateOf(day) <= last; day = day.AddDate(0, 0, 1) {
		at[edxml.DateOf(day)] = len(days)
		days = append(days, Day{edxml.DateOf(day), map[Outcome]int64{}, map[Outcome]int64{}})
	}
	err := n.eachTally(ctx, from, to, func(d Direction, day edxml.Date, _, agency string, o Outcome, count int64) {
		i, ok := at[day]
		switch {
		case agency != "" || !ok:
		case d == Out:
			days[i].Out[o] += count
		default:
			days[i].In[o] += count
		}
	})
	return days, err
}

// eachTally goes through the counters of some days.
func (n *Node) eachTally(ctx context.Context, from, to time.Time, do func(d Direction, day edxml.Date, docType, agency string, o Outcome, count int64)) error {
	first, last := edxml.DateOf(from), edxml.DateOf(to)
	for _, d := range []Direction{Out, In} {
		for month := monthOf(from); !month.After(to); month = month.AddDate(0, 1, 0) {
			counts, err := n.Store.Counts(ctx, statName+string(d)+"\t"+month.Format("2006/01/"))
			if err != nil {
				return err
			}
			for key, count := range counts {
				f := strings.Split(strings.TrimPrefix(key, statName), "\t")
				if len(f) != 5 {
					return fmt.Errorf("node: the counter %q is not readable", key)
				}
				if day := edxml.Date(f[1]); day >= first && day <= last {
					do(d, day, f[2], f[3], Outcome(f[4]), count)
				}
			}
		}
	}
	return nil
}

// monthOf is the first moment of a month in Vietnam.
func monthOf(t time.Time) time.Time {
	t = t.In(edxml.Vietnam)
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, edxml.Vietnam)
}
