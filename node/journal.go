package node

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Entry is one row of the journal: a transition of one Transfer, and what binds
// it to the row before. Stores write it in the same commit as the transition.
type Entry struct {
	Chain string    `json:"chain"` // the node that wrote it
	Seq   uint64    `json:"seq"`   // 1, 2, 3 … without a gap
	At    time.Time `json:"at"`
	Event string    `json:"event"` // "created", "changed", "purged", "removed"

	Transfer   string     `json:"transfer"`
	Direction  Direction  `json:"direction"`
	Kind       edxml.Kind `json:"kind"`
	From       string     `json:"from,omitempty"`
	DocumentID string     `json:"documentId,omitempty"`
	Digest     string     `json:"digest,omitempty"` // of the Document
	AxisID     string     `json:"axisId,omitempty"`

	State     State      `json:"state"`               // after the transition
	Was       State      `json:"was,omitempty"`       // the state before, where it is another
	Receivers []Reported `json:"receivers,omitempty"` // whose status is another than before
	Refusal   string     `json:"refusal,omitempty"`   // where it is new
	Error     string     `json:"error,omitempty"`     // the last error, where the state changed with one
	LegalHold string     `json:"legalHold,omitempty"` // the reason, where it was set
	Contents  []string   `json:"contents,omitempty"`  // digests of what it newly needs, or no longer ("purged", "removed")
	Acts      []Act      `json:"acts,omitempty"`      // what people did

	Prev string `json:"prev"` // Hash of the row before, "" in the first
	Hash string `json:"hash"` // SHA-256 of the row up to here; see Seal
}

// Reported is the status of one receiver as a journal row has it.
type Reported struct {
	OrganID string           `json:"organId"`
	Code    edxml.StatusCode `json:"code"`
}

// Transition says what a commit changed in a Transfer, as the journal records
// it: nil when nothing worth a row did. before is nil for a new Transfer, after
// for a removed one. Chain, Seq, At, Prev and Hash are left to the store.
func Transition(before, after *Transfer) *Entry {
	t, event := after, "changed"
	switch {
	case after == nil:
		t, after, event = before, &Transfer{Purged: time.Unix(0, 0), State: before.State}, "removed"
		after.Receivers = before.Receivers
	case before == nil:
		before, event = &Transfer{}, "created"
	case before.Purged.IsZero() && !after.Purged.IsZero():
		event = "purged"
	}
	e := &Entry{
		Event: event, Transfer: t.ID, Direction: t.Direction, Kind: t.Kind, From: t.From, DocumentID: t.DocumentID,
		Digest: t.Digest, AxisID: t.AxisID, State: t.State,
		Receivers: reported(before.Receivers, after.Receivers), Contents: exchanged(before.Needs(), after.Needs()),
	}
	if before.State != after.State {
		e.Was, e.Error = before.State, after.LastError
	}
	if before.Refusal != after.Refusal {
		e.Refusal = after.Refusal
	}
	if before.LegalHold != after.LegalHold {
		e.LegalHold = after.LegalHold
	}
	if n := len(before.Acts); len(after.Acts) > n {
		e.Acts = after.Acts[n:]
	}
	if event == "changed" && before.State == after.State && len(e.Receivers)+len(e.Contents)+len(e.Acts) == 0 &&
		before.Refusal == after.Refusal && before.LegalHold == after.LegalHold && before.AxisID == after.AxisID {
		return nil
	}
	return e
}

// reported returns the receivers whose latest status changed.
func reported(before, after []Receiver) []Reported {
	var all []Reported
	for i, r := range after {
		was := edxml.StatusCode("")
		if i < len(before) && before[i].OrganID == r.OrganID { // where it almost always stands
			was = before[i].Code
		} else if j := slices.IndexFunc(before, func(b Receiver) bool { return b.OrganID == r.OrganID }); j >= 0 {
			was = before[j].Code
		}
		if was != r.Code {
			all = append(all, Reported{OrganID: r.OrganID, Code: r.Code})
		}
	}
	return all
}

// exchanged returns what is new in after, or, if nothing is, gone from before.
func exchanged(before, after []string) []string {
	only := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(s string) bool { _, in := slices.BinarySearch(b, s); return in })
	}
	if added := only(after, before); len(added) > 0 {
		return added
	}
	return only(before, after)
}

const hashMember = `,"hash":"`

// Seal gives the entry its place behind the row with the hash prev, and returns
// the row: one line of JSON without its end, the last member of which is the
// SHA-256, in hex, of all octets before that member. Whoever holds the hash of
// a row can tell that neither it nor any row before was changed.
func (e *Entry) Seal(prev string) ([]byte, error) {
	e.Prev, e.Hash = prev, ""
	row, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("node: journal row %d: %w", e.Seq, err)
	}
	row = row[:bytes.LastIndex(row, []byte(hashMember))]
	sum := sha256.Sum256(row)
	e.Hash = hex.EncodeToString(sum[:])
	return append(row, hashMember+e.Hash+`"}`...), nil
}

// RowHash returns the hash that a row names, "" if it names none.
func RowHash(row []byte) string {
	hash, whole := bytes.CutSuffix(row[bytes.LastIndex(row, []byte(hashMember))+1:], []byte(`"}`))
	if hash, named := bytes.CutPrefix(hash, []byte(hashMember[1:])); whole && named {
		return string(hash)
	}
	return ""
}

// OpenEntry reads a row and checks its own hash; how it hangs together with
// others is for VerifyJournal to say.
func OpenEntry(row []byte) (*Entry, error) {
	at := bytes.LastIndex(row, []byte(hashMember))
	if at < 0 {
		return nil, fmt.Errorf("node: journal: %.80q is no row: it has no hash", row)
	}
	sum := sha256.Sum256(row[:at])
	if want := hashMember + hex.EncodeToString(sum[:]) + `"}`; string(row[at:]) != want {
		return nil, fmt.Errorf("node: journal: the row does not have the hash that it names")
	}
	e := new(Entry)
	if err := json.Unmarshal(row, e); err != nil {
		return nil, fmt.Errorf("node: journal: %w", err)
	}
	return e, nil
}

// ChainReport is what VerifyJournal found out about one chain.
type ChainReport struct {
	Chain string    `json:"chain"`
	First uint64    `json:"first"` // 1, unless the copy begins later
	Rows  uint64    `json:"rows"`
	Begin time.Time `json:"begin"` // of the first row
	End   time.Time `json:"end"`   // of the last
	Head  string    `json:"head"`  // hash of the last row: keep it elsewhere, and nobody can shorten the journal unseen
}

// JournalError names the first row that is broken.
type JournalError struct {
	Line  int    `json:"line"`  // of the copy, from 1; 0 when it is about all of it
	Chain string `json:"chain"` // "" where the row does not even say
	Seq   uint64 `json:"seq"`
	Why   string `json:"why"`
}

// Error names the row and what is wrong with it.
func (e *JournalError) Error() string {
	if e.Line == 0 {
		return "node: journal: " + e.Why
	}
	return fmt.Sprintf("node: journal: line %d, chain %q, row %d: %s", e.Line, e.Chain, e.Seq, e.Why)
}

// maxRow is how long a row of a copied journal may be, in octets: 10,000
// receivers fit.
const maxRow = 16 << 20

// VerifyJournal reads a copy of a journal, one row per line, the rows of each
// chain in order, and checks every hash and every link. It needs nothing but
// the copy. It returns what the chains are, in order of their names, and a
// *JournalError for the first row that is not what was written. known are
// hashes of rows that somebody kept elsewhere: each must still be that of a row,
// which shows that nobody wrote the journal anew or shortened it.
func VerifyJournal(r io.Reader, known ...string) ([]ChainReport, error) {
	chains := map[string]*ChainReport{}
	known = slices.Clone(known)
	report := func() []ChainReport {
		var all []ChainReport
		for _, name := range slices.Sorted(maps.Keys(chains)) {
			all = append(all, *chains[name])
		}
		return all
	}
	source := &failing{r: r}
	lines := bufio.NewScanner(source)
	lines.Buffer(nil, maxRow)
	for line := 1; lines.Scan() && source.err == nil; line++ { // a line that an error cut off is no broken row
		e, err := OpenEntry(lines.Bytes())
		if err != nil {
			var said Entry
			_ = json.Unmarshal(lines.Bytes(), &said) // what the row says of itself, if anything
			return report(), &JournalError{line, said.Chain, said.Seq, strings.TrimPrefix(err.Error(), "node: journal: ")}
		}
		c := chains[e.Chain]
		switch {
		case c == nil && e.Seq == 1 && e.Prev != "":
			return report(), &JournalError{line, e.Chain, e.Seq, "the first row names a row before it"}
		case c == nil:
			c = &ChainReport{Chain: e.Chain, First: e.Seq, Begin: e.At}
			chains[e.Chain] = c
		case e.Seq != c.First+c.Rows:
			return report(), &JournalError{line, e.Chain, e.Seq, fmt.Sprintf("row %d was to come here", c.First+c.Rows)}
		case e.Prev != c.Head:
			return report(), &JournalError{line, e.Chain, e.Seq, "the row before it is not the one that it names"}
		}
		c.Rows, c.End, c.Head = c.Rows+1, e.At, e.Hash
		known = slices.DeleteFunc(known, func(hash string) bool { return hash == e.Hash })
	}
	if err := cmp.Or(source.err, lines.Err()); err != nil {
		return report(), fmt.Errorf("node: journal: %w", err)
	}
	if len(known) > 0 {
		return report(), &JournalError{Why: fmt.Sprintf("no row has the hash %.80q, which one had before", known[0])}
	}
	return report(), nil
}

// failing remembers the error of its reader.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
