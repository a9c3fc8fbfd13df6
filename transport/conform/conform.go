package conform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// Case is one thing that an axis or a client must do.
type Case struct {
	ID     string // group and number, "C03"; once given it stays
	Wire   string // "edoc", "vxp", or "" where it concerns both
	Expect edxml.Text
	Clause string // clause of a text, or "practice: " and the evidence

	try   func(ctx context.Context, p *probe) error // of an axis
	score func(j *journal) error                    // of a client
}

// Group is a part of the catalogue.
type Group struct {
	Letter string
	Title  edxml.Text
	Cases  []Case
}

// AxisGroups is the catalogue for an axis.
func AxisGroups() []Group {
	return []Group{frameGroup(), credentialGroup(), sendGroup(), collectGroup(), confirmGroup(), statusGroup(), directoryGroup(), vxpGroup()}
}

// ClientGroups is the catalogue for a client.
func ClientGroups() []Group { return []Group{habitGroup(), troubleGroup()} }

// Result is what became of one Case.
type Result struct {
	Case
	Passed bool
	Unseen bool       // a client never did it; counts as not passed
	Why    edxml.Text // it did not pass
	Took   time.Duration
}

// Report is the outcome of a run. Cases that belong to a wire that was left out
// are not in it.
type Report struct {
	Kind    string // "axis" or "client"
	URL     string
	Results []Result
}

// Failed lists what did not pass.
func (r *Report) Failed() []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), func(c Result) bool { return c.Passed })
}

// failure says why a Case did not pass, in both languages.
type failure struct {
	text   edxml.Text
	unseen bool
}

func (f *failure) Error() string { return f.text.EN }

// wrong makes a failure; the arguments serve both texts.
func wrong(vi, en string, args ...any) error {
	return &failure{text: edxml.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}}
}

// unseen says that a client did not do what would show it.
func unseen(vi, en string, args ...any) error {
	return &failure{text: edxml.Text{VI: "chưa thấy: " + fmt.Sprintf(vi, args...), EN: "not seen: " + fmt.Sprintf(en, args...)}, unseen: true}
}

// settle fills in what an error says.
func (r *Result) settle(err error) {
	var f *failure
	switch {
	case err == nil:
		r.Passed = true
	case errors.As(err, &f):
		r.Why, r.Unseen = f.text, f.unseen
	default:
		r.Why = edxml.Text{VI: err.Error(), EN: err.Error()}
	}
}

// UnreachableError says that nothing answers at the address, or nothing that
// could be tested.
type UnreachableError struct {
	URL string
	Err error
}

// Error names the address and the cause.
func (e *UnreachableError) Error() string { return fmt.Sprintf("conform: %s: %v", e.URL, e.Err) }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }
