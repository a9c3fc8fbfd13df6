// Package pgstore is a node.Store in PostgreSQL 13 or newer, which any number
// of nodes share: pgx and our own SQL, no job library.
//
// The tables lie in the first schema of the search_path. The port's words are
// at [node.Store]; this is what stands behind them:
//
//	transfers   id, direction, due, due_ns, record   a Transfer is one JSON value, with the moment from which it can be leased
//	uniques     key → id                             lookup: key, id
//	words       direction, id → tsvector             found by GIN, held against the record afterwards
//	counts      key, node → n                        each node counts for itself; reading adds up
//	vals        name → value, holds
//	contents    digest → size, at, month             month is NULL where the octets are a file
//	chunks      month, digest, n → octets            1 MiB each, one partition for each month
//	holds       digest, owner                        who needs a content: t and a Transfer's ID, v and a value's name
//	journal     chain, seq → line                    one chain for each node
//	writers     id → batch                           which commit of an open store was the last
//	layouts     version, oldest                      see the migrations
//
// # Commits
//
// All changes of one process go over one connection, many in a transaction:
// what comes while one is being committed shares the next. A group costs two
// round trips: one reads and locks what its changes look at, then they are
// judged here, one after the other, and one writes all and commits. A change
// that is alone needs only the second, where what it looks at can be guessed
// (guess.go): the database refuses it when the guess was wrong. A change
// that is refused leaves nothing behind in the group; if the database itself
// refuses, each is made alone. Row locks, and unique violations after which a
// group is judged anew, keep the processes apart; the row of a Transfer is the
// lock on all that follows from it. Lease takes with FOR UPDATE SKIP LOCKED.
//
// The last row of the journal's chain is remembered here, and the primary key
// says when another wrote to the same chain. Counters are apart by node. So no
// row is written by two nodes in turns.
//
// When a connection is lost after COMMIT was sent, nobody knows whether it took
// place. Each transaction therefore writes the number of its batch. The new
// connection first waits for an advisory lock, which the old one held as long
// as its process at the server lived, and then reads the number: the changes
// are either done or made again. Only if the database cannot be reached for 30
// seconds they return an [*UnsureError].
//
// # Content
//
// Content of up to 256 KiB waits in memory for the change that needs it, and
// is written in its transaction. Larger content is a file in Options.ContentDir,
// synced before the row that names it, or else rows of 1 MiB, written in one
// transaction after all has come in.
//
// Content is what fills a disk, and it is purged: so it lies in partitions by
// the month of its coming, and a Sweep drops the partition of a month of which
// nothing is needed any more. Records and the journal are not partitioned: the
// port forgets a Transfer one by one, with a row in the journal, and rows of the
// journal never; their keys grow at the right end, so that old months cost no
// cache.
//
// # Clocks
//
// Leases end by time, as a node that died says nothing. The clock of each node
// is compared with the database's every ten seconds; one that is off by more
// than five seconds gets no more leases, and a [*ClockError] that says so.
package pgstore
