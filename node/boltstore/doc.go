// Package boltstore is a node.Store in one folder, for one machine and one
// process at a time.
//
//	lienthong.db        records and their indices (bbolt, one file)
//	content/ab/abcd…    content, one file per SHA-256, by its first two digits
//	content/tmp/        content that is still coming in; emptied by Open
//
// [Open] makes the folder (mode 0700, files 0600) and locks it; a second
// process gets a [LockedError].
//
// Records are small and many, so they share commits: changes that arrive
// within 2 ms of each other are one transaction, which costs two fdatasyncs
// however many they are. Content is large and seldom, so it is a file, written
// and synced before the record that names it: a crash in between leaves content
// that nobody names, never a name without content.
//
// # The indices
//
// Each Transfer is one JSON value; everything else in the database can be
// computed from it and changes in the same transaction:
//
//	transfers           id                 → JSON
//	unique              key                → id
//	lookup              key 0x00 id        → id
//	out.due, in.due     time id            → id   when it can be leased
//	out.box, in.box     id                 → id
//	values              name               → value
//	meta                "format"           → "1"
//
// The time of the due index is the later of Due and LeasedUntil, so leasing
// moves a Transfer back in the queue to where its lease ends, and the head of
// the queue answers Lease and NextDue with one seek. A Transfer whose lease ran
// out has therefore been due since that moment.
package boltstore
