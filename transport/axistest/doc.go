// Package axistest is a document axis that lives in memory, for tests, demos
// and the command `lienthong axis --test`. It is never an axis for production:
// every token can be guessed, and what it holds is gone when it ends.
//
// Every organ of the register exists, in both generations of identifiers, and
// so does everything below one: H41, H41.1 and 000.00.16.H41 each have a
// mailbox of their own. The access token of an organ is "test-" and its
// identifier ([Token]).
//
//	axis := axistest.New(axistest.Options{})
//	defer axis.Close()
//	srv := httptest.NewServer(axis)
//	c := &edoc.Client{URL: srv.URL, Organ: "H41", Token: axistest.Token("H41")}
//
// It is made of the same handler as every axis of this project, so what a
// client meets here it meets there. It refuses an unknown receiver by name
// ([edoc.CodeUnknownReceiver]) and a DocumentId that comes again with other
// content ([edoc.CodeOtherContent]); the same Document again gives the number
// it had the first time.
package axistest
