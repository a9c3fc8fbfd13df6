package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/lienthong/lienthong/node"
)

// chainOf writes a journal of n rows.
func chainOf(t *testing.T, name string, n int) (rows [][]byte) {
	t.Helper()
	prev := ""
	for i := range n {
		e := node.Transition(nil, &node.Transfer{ID: fmt.Sprint("t", i), State: node.Queued, Refusal: `","hash":"`})
		e.Chain, e.Seq, e.At = name, uint64(i+1), time.Unix(int64(i), 0).UTC()
		row, err := e.Seal(prev)
		if err != nil {
			t.Fatal(err)
		}
		if prev = node.RowHash(row); prev != e.Hash || len(prev) != 64 {
			t.Fatalf("hash %q, want %q", prev, e.Hash)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestVerifyJournal(t *testing.T) {
	a, b := chainOf(t, "a", 5), chainOf(t, "b", 2)
	edit := func(row []byte, old, with string) []byte { return bytes.Replace(row, []byte(old), []byte(with), 1) }
	other := chainOf(t, "a", 6)
	for _, c := range []struct {
		name string
		rows [][]byte
		want string // the error, "" for none
		line int
		ok   string // the chains
	}{
		{"nothing", nil, "", 0, "[]"},
		{"one chain", a, "", 0, "[a 1+5]"},
		{"two chains, mixed", [][]byte{a[0], b[0], a[1], b[1]}, "", 0, "[a 1+2 b 1+2]"},
		{"a copy from row 3 on", a[2:], "", 0, "[a 3+3]"},
		{"a shorter copy is sound, its head tells", a[:4], "", 0, "[a 1+4]"},
		{"a row is missing", [][]byte{a[0], a[1], a[3]}, "row 3 was to come here", 3, "[a 1+2]"},
		{"a row is there twice", [][]byte{a[0], a[0]}, "row 2 was to come here", 2, "[a 1+1]"},
		{"a changed word", [][]byte{a[0], edit(a[1], "queued", "failed")}, "does not have the hash", 2, "[a 1+1]"},
		{"a changed hash", [][]byte{a[0], append(a[1][:len(a[1])-3:len(a[1])-3], `g"}`...)}, "does not have the hash", 2, "[a 1+1]"},
		{"a row made anew", [][]byte{a[0], sealed(t, "a", 2, "0")}, "not the one that it names", 2, "[a 1+1]"},
		{"a first row with one before", [][]byte{sealed(t, "a", 1, "0")}, "names a row before it", 1, "[]"},
		{"no row", [][]byte{a[0], []byte("{}")}, "no hash", 2, "[a 1+1]"},
		{"an empty line", [][]byte{a[0], nil, a[1]}, "no hash", 2, "[a 1+1]"},
		{"text behind", [][]byte{a[0], append(other[1][:len(other[1]):len(other[1])], ' ')}, "does not have the hash", 2, "[a 1+1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chains, err := node.VerifyJournal(bytes.NewReader(bytes.Join(c.rows, []byte("\n"))))
			var got []string
			for _, r := range chains {
				got = append(got, fmt.Sprintf("%s %d+%d", r.Chain, r.First, r.Rows))
			}
			if fmt.Sprint(got) != c.ok {
				t.Errorf("chains %v, want %s", got, c.ok)
			}
			var broken *node.JournalError
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error %v", err)
			case c.want != "" && (!errors.As(err, &broken) || broken.Line != c.line || !strings.Contains(broken.Why, c.want)):
				t.Errorf("error %v, want line %d: %s", err, c.line, c.want)
			}
		})
	}
}

// Whoever kept a hash can tell that a journal which is sound in itself is not
// the one of then.
func TestVerifyJournalKnows(t *testing.T) {
	rows := chainOf(t, "a", 5)
	third, fifth := node.RowHash(rows[2]), node.RowHash(rows[4])
	for name, c := range map[string]struct {
		rows  [][]byte
		known []string
		want  string
	}{
		"both are there": {rows, []string{third, fifth}, ""},
		"shortened":      {rows[:4], []string{third, fifth}, "no row has the hash"},
		"written anew":   {chainOf(t, "b", 5), []string{third}, "no row has the hash"},
	} {
		_, err := node.VerifyJournal(bytes.NewReader(bytes.Join(c.rows, []byte("\n"))), c.known...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// An error of reading is no word about the journal.
func TestVerifyJournalReads(t *testing.T) {
	row := chainOf(t, "a", 1)[0]
	for _, upTo := range []int{0, 10, len(row)} {
		broken := errors.New("the disk broke")
		_, err := node.VerifyJournal(io.MultiReader(bytes.NewReader(row[:upTo]), iotest.ErrReader(broken)))
		var journal *node.JournalError
		if !errors.Is(err, broken) || errors.As(err, &journal) {
			t.Errorf("after %d octets: error %v", upTo, err)
		}
	}
}

// sealed makes a row that is sound in itself.
func sealed(t *testing.T, chain string, seq uint64, prev string) []byte {
	t.Helper()
	row, err := (&node.Entry{Chain: chain, Seq: seq}).Seal(prev)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// A row is written for what somebody would ask about later, and for nothing else.
func TestTransition(t *testing.T) {
	base := func() *node.Transfer {
		return &node.Transfer{
			ID: "1", State: node.Sent, AxisID: "17", Envelope: node.Content{SHA256: "e"}, Holds: []string{"h"},
			Receivers: []node.Receiver{{OrganID: "A", Code: "01"}, {OrganID: "B"}}, Acts: []node.Act{{Action: "hold"}},
		}
	}
	for _, c := range []struct {
		name   string
		change func(*node.Transfer)
		want   string // event, and what the row says
	}{
		{"nothing", func(*node.Transfer) {}, ""},
		{"a lease, a try, a plan", func(t *node.Transfer) { t.Lease, t.Tries, t.Due, t.Unique = "w", 3, time.Unix(1, 0), []string{"u"} }, ""},
		{"a state", func(t *node.Transfer) { t.State, t.LastError = node.Failed, "no" }, "changed sent>failed error=no"},
		{"a status", func(t *node.Transfer) { t.Receivers[1].Code = "03" }, "changed >sent B=03"},
		{"a receiver in front", func(t *node.Transfer) {
			t.Receivers = append([]node.Receiver{{OrganID: "C", Code: "02"}}, t.Receivers...)
		}, "changed >sent C=02"},
		{"a refusal", func(t *node.Transfer) { t.Refusal = "why" }, "changed >sent refusal=why"},
		{"an act", func(t *node.Transfer) { t.Acts = append(t.Acts, node.Act{Actor: "an", Action: "retry"}) }, "changed >sent act=an:retry"},
		{"a number", func(t *node.Transfer) { t.AxisID = "18" }, "changed >sent"},
		{"new content", func(t *node.Transfer) { t.Holds = append(t.Holds, "i") }, "changed >sent i"},
		{"less content", func(t *node.Transfer) { t.Holds = nil }, "changed >sent h"},
		{"a legal hold", func(t *node.Transfer) { t.LegalHold = "case 12" }, "changed >sent hold=case 12"},
		{"a purge", func(t *node.Transfer) { t.Purged = time.Unix(1, 0) }, "purged >sent e h"},
	} {
		after := base()
		c.change(after)
		if got := row(node.Transition(base(), after)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := row(node.Transition(nil, base())); got != "created >sent A=01 act=:hold e h" {
		t.Errorf("created: %q", got)
	}
	if got := row(node.Transition(base(), nil)); got != "removed >sent e h" {
		t.Errorf("removed: %q", got)
	}
}

// row sums an entry up.
func row(e *node.Entry) string {
	if e == nil {
		return ""
	}
	s := fmt.Sprintf("%s %s>%s", e.Event, e.Was, e.State)
	for _, f := range [][2]string{{"error", e.Error}, {"refusal", e.Refusal}, {"hold", e.LegalHold}} {
		if f[1] != "" {
			s += " " + f[0] + "=" + f[1]
		}
	}
	for _, r := range e.Receivers {
		s += fmt.Sprintf(" %s=%s", r.OrganID, r.Code)
	}
	for _, a := range e.Acts {
		s += fmt.Sprintf(" act=%s:%s", a.Actor, a.Action)
	}
	for _, c := range e.Contents {
		s += " " + c
	}
	return s
}

// Whatever a copy holds, verifying it ends, and what it finds sound is sound.
func FuzzVerifyJournal(f *testing.F) {
	var rows [][]byte
	prev := ""
	for i := range 3 {
		e := &node.Entry{Chain: "a", Seq: uint64(i + 1), Transfer: `","hash":"`, At: time.Unix(int64(i), 0).UTC()}
		row, err := e.Seal(prev)
		if err != nil {
			f.Fatal(err)
		}
		prev = e.Hash
		rows = append(rows, row)
	}
	f.Add(bytes.Join(rows, []byte("\n")))
	f.Add(bytes.Join(rows[1:], []byte("\r\n")))
	f.Add(append(rows[0][:len(rows[0])-1:len(rows[0])-1], `,"hash":"00"}`...))
	f.Add([]byte(`,"hash":"`))
	f.Fuzz(func(t *testing.T, copied []byte) {
		chains, err := node.VerifyJournal(bytes.NewReader(copied))
		total := uint64(0)
		for _, c := range chains {
			total += c.Rows
		}
		lines := bytes.Split(bytes.TrimSuffix(copied, []byte("\n")), []byte("\n"))
		if err == nil && len(copied) > 0 && total != uint64(len(lines)) {
			t.Errorf("%d lines are sound, %d rows were counted", len(lines), total)
		}
		for _, line := range lines {
			e, opened := node.OpenEntry(bytes.TrimSuffix(line, []byte("\r")))
			if err == nil && opened != nil && len(copied) > 0 {
				t.Errorf("sound, and yet: %v", opened)
			}
			if opened == nil && node.RowHash(bytes.TrimSuffix(line, []byte("\r"))) != e.Hash {
				t.Errorf("%q has the hash %q", line, e.Hash)
			}
		}
	})
}
