package organ

import (
	_ "embed" // for the register
	"encoding/csv"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
)

//go:embed register.csv
var registerCSV string

// Entry is one row of the register: a code and who held it in a span of days.
// A code whose holder changed its name has a row for each name.
type Entry struct {
	// Code is a level-1 code such as "H41", or one letter where the decision
	// publishes no more ("A", "C") or gives a form instead of a list ("Z").
	Code string
	// Name is the holder's name in Vietnamese as the decision writes it,
	// empty when no decision names the holder.
	Name string
	// Kind is one of ministry, ministry_level_agency,
	// government_agency_or_other, central_non_government,
	// provincial_peoples_committee, provincial_peoples_council,
	// socio_political_org, social_professional_org, letter_group and scheme.
	Kind string
	// From and To are the first and the last day of the row, each as its
	// midnight at +07:00. A zero From is not known, a zero To is open.
	From, To time.Time
	// MergedInto is the code that took this one over when it closed, empty
	// when it did not close or the decisions do not say.
	MergedInto ID
	// Source names the decisions the row follows, in Vietnamese.
	Source string
}

// Closed says that the last day of the row is over at the given time.
func (e Entry) Closed(at time.Time) bool {
	return !e.To.IsZero() && !at.Before(e.To.AddDate(0, 0, 1))
}

// Lookup finds the register's row for the root of id at a time: the row in
// force, else the last one that closed before, else the first to come. The
// last of these serves documents older than QĐ 20/2020, whose codes are the
// same. It is false when the root was in no decision; a code of a letter whose
// members are not published is found under its letter.
func Lookup(id ID, at time.Time) (Entry, bool) {
	root := id.Root()
	if root == "" {
		return Entry{}, false
	}
	rows := register().byCode[root]
	if rows == nil && (isRoot(root) || isScheme(root)) && root[1:] != "00" {
		rows = register().byCode[root[:1]]
	}
	if rows == nil {
		return Entry{}, false
	}
	found := rows[0]
	for _, row := range rows[1:] {
		if at.Before(row.From) {
			break
		}
		found = row
	}
	return found, true
}

// Register gives every row, by code and then by date, closed ones included.
func Register() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, row := range register().rows {
			if !yield(row) {
				return
			}
		}
	}
}

// table is the register in memory; nobody changes it.
type table struct {
	rows   []Entry
	byCode map[string][]Entry // in order of date
}

// register reads the embedded rows once. They are part of the program, so a
// fault in them is a fault of the program.
var register = sync.OnceValue(func() table {
	t, err := readRegister(registerCSV)
	if err != nil {
		panic(err)
	}
	return t
})

// readRegister reads rows of code, from, to, merged_into, kind, name, source,
// sorted by code and date.
func readRegister(text string) (table, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = 7
	records, err := r.ReadAll()
	if err != nil {
		return table{}, fmt.Errorf("organ: register: %w", err)
	}
	if len(records) == 0 {
		return table{}, fmt.Errorf("organ: register: no rows")
	}
	t := table{byCode: make(map[string][]Entry)}
	for i, f := range records[1:] {
		e := Entry{Code: f[0], MergedInto: ID(f[3]), Kind: f[4], Name: f[5], Source: f[6]}
		if e.From, err = day(f[1]); err == nil {
			e.To, err = day(f[2])
		}
		if err != nil {
			return table{}, fmt.Errorf("organ: register row %d (%s): %w", i+1, e.Code, err)
		}
		t.rows = append(t.rows, e)
		t.byCode[e.Code] = append(t.byCode[e.Code], e)
	}
	return t, nil
}

// day reads yyyy-mm-dd as a Vietnamese day; empty is the zero time.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation(time.DateOnly, s, time.FixedZone("+07", 7*60*60))
}
