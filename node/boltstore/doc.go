// Package boltstore is a node.Store in one folder, for one machine and one
// process at a time.
//
//	lienthong.db        records, their indices, and small content (bbolt, one file)
//	content/ab/abcd…    large content, one file per SHA-256, by its first two digits
//	content/tmp/        content that is still coming in; emptied by Open
//
// [Open] makes the folder (mode 0700, files 0600) and locks it; a second
// process gets a [LockedError].
//
// Changes that arrive while another is being synced are one transaction, which
// costs two fdatasyncs however many they are; nobody waits for a timer.
//
// Content of up to 256 KiB waits in memory for the change that needs it and is
// written in its transaction, so that a document of ordinary size costs no fsync
// of its own; beyond 16 MiB of such content, Put writes it by itself. Larger
// content is a file, written and synced before the record that names it: a value
// of 200 MB in bbolt would cost gigabytes of memory, a file costs none. A crash
// in between leaves content that nobody names, never a name without content;
// Sweep removes it.
//
// # The indices
//
// Each Transfer is one JSON value, its Record; all but the values and the journal can be
// computed from it and changes in the same transaction:
//
//	transfers           id                 → JSON
//	unique              key                → id
//	lookup              key 0x00 id
//	leased              id                        has a holder
//	D.due               time id                   when it can be leased; D is out, in or box
//	D.box               id
//	D.words             beginning 0x00 id  → ids  that have a word which begins so, up to 12 runes
//	D.tail              id                 → JSON the words that D.words does not know yet
//	counts              key                → number of Transfers
//	holds               digest 0x00 t id          who needs a content: a Transfer
//	holds               digest 0x00 v name        or a value
//	content             number             → octets
//	digests             digest             → number in content, time of its Put, size
//	values, held        name               → value, the digests that it holds
//	journal             number             → row
//	chains              name / number      → row of the journal of another node, see LoadRows
//	meta                "format"           → "2"
//	meta                "chain"            → name of the journal's chain
//
// A Transfer has dozens of entries in its word index. An indexer makes them
// behind the commits, many at a time; until then the Transfer is in the tail,
// which Search looks through as well.
//
// The time of the due index is the later of Due and LeasedUntil, so leasing
// moves a Transfer back in the queue to where its lease ends, and the head of
// the queue answers Lease and NextDue with one seek. A Transfer whose lease ran
// out has therefore been due since that moment.
package boltstore
