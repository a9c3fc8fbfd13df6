// Package conform tells whether an axis, or a client of one, does what the
// eDoc operations and the national axis's adapter ask for. Its catalogue is
// numbered; every [Case] names the clause or the evidence it stands on.
//
// [RunAxis] calls an axis that runs somewhere, with requests written out here
// and not with the clients of this project, so that what it finds are the
// shapes of the wire:
//
//	report, err := conform.RunAxis(ctx, conform.Target{URL: "http://127.0.0.1:8070/"}, nil)
//
// [ScoreClient] reads the journal of a test axis (package axistest) that a client
// has been working with. What the client never did is not held for right: it
// is counted as missing, and the Result says what to do to show it.
//
// docs/CONFORMANCE.md is the catalogue on paper.
package conform
