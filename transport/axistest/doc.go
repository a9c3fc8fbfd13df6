// Package axistest is a document axis that lives in memory, for tests, demos
// and the command `lienthong axis --test`. It is never an axis for production:
// every token can be guessed, and what it holds is gone when it ends.
//
//	axis := axistest.New(axistest.Options{Gentle: true})
//	defer axis.Close()
//	srv := httptest.NewServer(axis)
//	c := &edoc.Client{URL: srv.URL, Organ: "H41", Token: axistest.Token("H41")}
//
// Every organ of the register exists, in both generations of identifiers, and
// so does everything below one: H41, H41.1 and 000.00.16.H41 each have a
// mailbox of their own. The access token of an organ is "test-" and its
// identifier ([Token]).
//
// It speaks both wires at once: eDoc at any path, told by SOAPAction, and VXP
// at paths that end in one of its methods. There an organ's systemid is its
// identifier and its secret [Secret]. What was sent over one wire can be
// collected over the other; it is written in the other profile then.
//
// It is made of the same handlers as every axis of this project, and stricter:
// a packet that breaks a rule of the axis ([edxml.Axis]) is refused with "M."
// and the rule as its code, an unknown receiver by name
// ([edoc.CodeUnknownReceiver]), a DocumentId that comes again with other content
// with [edoc.CodeOtherContent]. The same Document again gives the number it had
// the first time. Only small things are in memory; contents are files in a
// folder that Close removes.
//
// # Bad manners
//
// A real axis is at times busy, slow, and gone after it did what it was asked.
// So is this one, unless it is [Options.Gentle]: some calls are refused for now,
// some are answered with an HTML page of status 502, some answers come late or
// never, lists name a thing twice or come out of order. A client that is right
// notices none of it in the end. What happens goes by [Options.Seed].
//
// # Scripts
//
// A Document for one of the reserved receivers ([Scripts]) meets the Trouble of
// that receiver, each time in the same way, so that a client in any language
// can be tested against each: from X00.01, which refuses for good, to X00.12,
// which answers with an HTML page. [Axis.Order] does the same for the next
// calls of any operation.
//
// # Management
//
// [Axis.Admin] is a door of its own with the journal of all requests, as JSON
// and as a page.
package axistest
