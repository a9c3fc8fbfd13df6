package node

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Words splits text into the words by which Transfers are searched: letters
// and digits, without accents and in lower case, each once and in order. "Đà
// Nẵng" gives "da" and "nang"; what is asked for goes through Words, too.
func Words(text string) []string {
	folded := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ', r == 'Đ': // has no accent that could be taken off
			return 'd'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
	all := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(all)
	return slices.Compact(all)
}

// StateKey is the key under which the Transfers of one direction and state are
// counted; see Store.Counts.
func StateKey(d Direction, s State) string { return statePrefix + string(d) + "/" + string(s) }

// statePrefix is the beginning of every StateKey.
const statePrefix = "state/"

// StatePrefix asks Store.Counts for all states at once.
func StatePrefix() string { return statePrefix }

// indexed is a Store that keeps the keys by which Transfers are counted and
// searched in step with what they say, whoever changes them.
type indexed struct {
	Store
	workday func(time.Time) bool
}

// Driver returns the store as it was configured, for the tools of its kind.
func (n *Node) Driver() Store {
	if s, ok := n.Store.(indexed); ok {
		return s.Store
	}
	return n.Store
}

func (s indexed) Create(ctx context.Context, ts ...*Transfer) error {
	for _, t := range ts {
		index(t)
		s.tally(t)
	}
	return s.Store.Create(ctx, ts...)
}

func (s indexed) Update(ctx context.Context, id string, change func(*Transfer) error) (*Transfer, error) {
	return s.Store.Update(ctx, id, func(t *Transfer) error {
		before := len(t.Words) == 0 || t.State == Listed // what was fetched says what it is
		if err := change(t); err != nil {
			return err
		}
		count(t)
		s.tally(t)
		if before {
			t.Words = wordsOf(t)
		}
		return nil
	})
}

func index(t *Transfer) {
	count(t)
	t.Words = wordsOf(t)
}

// openKey finds the Transfers of a direction that have a step left, oldest first.
func openKey(d Direction) string { return "open " + string(d) }

// OldestUnfinished returns when the oldest Transfer of each direction began
// that has a step left; directions that have none are left out.
func (n *Node) OldestUnfinished(ctx context.Context) (map[Direction]time.Time, error) {
	oldest := map[Direction]time.Time{}
	for _, d := range []Direction{Out, In} {
		found, err := n.Store.Find(ctx, openKey(d), "", 1)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			oldest[d] = found[0].Created
		}
	}
	return oldest, nil
}

// stateLookup finds the Transfers of a direction and state, oldest first.
func stateLookup(d Direction, s State) string { return "state " + string(d) + " " + string(s) }

// InState returns at most limit Transfers of one direction in one state, oldest
// first, those with an ID above after only. It answers for the states in which
// few are: where a step is left, and where somebody may have to do something.
// For Sent, Confirmed and Collected, the end of an ordinary walk, use List.
func (n *Node) InState(ctx context.Context, d Direction, s State, after string, limit int) ([]*Transfer, error) {
	return n.Store.Find(ctx, stateLookup(d, s), after, limit)
}

// ordinary reports whether a state is the end of an ordinary walk.
func ordinary(s State) bool { return s == Sent || s == Confirmed || s == Collected }

// look gives a Transfer the keys by which InState and OldestUnfinished find it.
func look(t *Transfer) {
	var want []string
	if t.Finished.IsZero() {
		want = append(want, openKey(t.Direction))
	}
	if !ordinary(t.State) {
		want = append(want, stateLookup(t.Direction, t.State))
	}
	prefix := stateLookup(t.Direction, "")
	ours := func(k string) bool { return k == openKey(t.Direction) || strings.HasPrefix(k, prefix) }
	var have []string
	for _, k := range t.Lookup {
		if ours(k) {
			have = append(have, k)
		}
	}
	if !slices.Equal(have, want) {
		t.Lookup = append(slices.DeleteFunc(slices.Clone(t.Lookup), ours), want...)
	}
}

// count leaves other keys alone.
func count(t *Transfer) {
	look(t)
	key := StateKey(t.Direction, t.State)
	at := slices.IndexFunc(t.Count, func(k string) bool { return strings.HasPrefix(k, statePrefix) })
	switch {
	case at < 0:
		t.Count = append(t.Count, key)
	case t.Count[at] != key:
		t.Count = slices.Clone(t.Count)
		t.Count[at] = key
	}
}

// maxWords bounds how many words a Transfer is found by; 10,000 receivers have more.
const maxWords = 500

func wordsOf(t *Transfer) []string {
	var text strings.Builder
	for _, s := range []string{t.Subject, t.Code, t.DocumentID, t.From, t.FromName} {
		text.WriteString(s)
		text.WriteByte(' ')
	}
	for _, r := range t.Receivers[:min(len(t.Receivers), maxWords/4)] {
		text.WriteString(r.OrganID + " " + r.OrganName + " ")
	}
	all := Words(text.String())
	return all[:min(len(all), maxWords)]
}
