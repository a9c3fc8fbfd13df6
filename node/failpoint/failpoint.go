// Package failpoint names the moments at which a node is killed on purpose, to
// prove that it loses nothing and does nothing twice wherever it stops.
//
//	LIENTHONG_FAILPOINT=send.answered lienthong node      the first time
//	LIENTHONG_FAILPOINT=send.answered:3 lienthong node    the third time
//
// The process says so on standard error and kills itself with SIGKILL, which it
// cannot catch: nothing is flushed, closed or given back. `lienthong selftest`
// goes through all of them.
//
// It is safe to have in every build: all that a failpoint can do is end the
// process, which a power cut does as well, and only where the variable was set
// when the process began, which whoever starts it can do by other means. Without
// the variable [Hit] compares one pointer.
package failpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Variable is the environment variable that arms a Point.
const Variable = "LIENTHONG_FAILPOINT"

// Point is a moment, by its name: what was done last.
type Point string

// The points of the store.
const (
	ContentWritten Point = "content.written" // a content file is written, under a temporary name
	ContentNamed   Point = "content.named"   // it has its name, which is not synced
	ContentKept    Point = "content.kept"    // it is durable, and no record names it
	CommitWritten  Point = "commit.written"  // a transaction is complete, and not committed
	CommitDurable  Point = "commit.durable"  // it is on disk, and nobody was told
	SweepRemoved   Point = "sweep.removed"   // content that nothing needs is gone, and the transaction open
	BackupDatabase Point = "backup.database" // a backup has the database, and no files
)

// The points of the way out.
const (
	SubmitKept      Point = "submit.kept"      // a packet is read, checked and signed; there is no Transfer
	SubmitCommitted Point = "submit.committed" // the Transfer is durable, and the caller has no answer
	SendAttempted   Point = "send.attempted"   // the attempt is recorded, and the axis not called
	SendAnswered    Point = "send.answered"    // the axis answered, and the answer is not recorded
	SendRecorded    Point = "send.recorded"    // it is recorded, and what waits for it is not woken
	StatusApplied   Point = "status.applied"   // statuses are applied, and the moment of the look is not stored
)

// The points of the way in. Each step but "listed" has two: its work is done
// and not recorded; it is recorded and the next not begun. What is fetched is
// judged before both are recorded, unless somebody is asked about revocation.
const (
	Listed           Point = "in.listed"         // a waiting Document has its Transfer
	FetchDone        Point = "fetch.done"        // its packet is stored
	FetchRecorded    Point = "fetch.recorded"    //
	VerifyDone       Point = "verify.done"       // it is judged
	VerifyRecorded   Point = "verify.recorded"   //
	DeliverDone      Point = "deliver.done"      // the sink has it
	DeliverRecorded  Point = "deliver.recorded"  //
	ConfirmDone      Point = "confirm.done"      // the axis knows
	ConfirmRecorded  Point = "confirm.recorded"  //
	FolderFilled     Point = "folder.filled"     // the folder sink has written all files, under a temporary name
	FolderNamed      Point = "folder.named"      // the folder has its name, which is not synced
	ReportQueued     Point = "report.queued"     // a status of ours is queued, and its Document says nothing of it
	RecallTied       Point = "recall.tied"       // a recall is tied to its Document, which is not yet taken back
	RecallTaken      Point = "recall.taken"      // the Document is sealed, or will be, and the recall does not know
	WithdrawDone     Point = "withdraw.done"     // the sink has confirmed a recall
	WithdrawRecorded Point = "withdraw.recorded" // its content is given up
	DestroyDone      Point = "destroy.done"      // it is swept away, 15 is queued
	DestroyRecorded  Point = "destroy.recorded"  //
	PurgeRecorded    Point = "purge.recorded"    // a purge has given content up, which is still there
)

// All returns every Point.
func All() []Point {
	return []Point{
		ContentWritten, ContentNamed, ContentKept, CommitWritten, CommitDurable, SweepRemoved, BackupDatabase,
		SubmitKept, SubmitCommitted, SendAttempted, SendAnswered, SendRecorded, StatusApplied,
		Listed, FetchDone, FetchRecorded, VerifyDone, VerifyRecorded, DeliverDone, DeliverRecorded, ConfirmDone, ConfirmRecorded,
		FolderFilled, FolderNamed, ReportQueued, RecallTied, RecallTaken, WithdrawDone, WithdrawRecorded, DestroyDone, DestroyRecorded, PurgeRecorded,
	}
}

// trap is the Point that is armed.
type trap struct {
	point Point
	left  atomic.Int64 // how often it is still let through, and once more
	fault error
}

// armed is what the environment said when the process began, nil for nothing.
var armed = arm(os.Getenv(Variable))

func arm(text string) *trap {
	if text == "" {
		return nil
	}
	name, count, counted := strings.Cut(text, ":")
	t, nth := &trap{point: Point(name)}, int64(1)
	var err error
	if counted {
		nth, err = strconv.ParseInt(count, 10, 64)
	}
	if err != nil || nth < 1 || !slices.Contains(All(), t.point) {
		t.fault = fmt.Errorf("%s=%q names no failpoint: write NAME or NAME:NTH with one of %v", Variable, text, All())
	}
	t.left.Store(nth)
	return t
}

// Fault returns what is wrong with the environment variable, nil for nothing.
func Fault() error {
	if armed == nil {
		return nil
	}
	return armed.fault
}

// Hit kills the process if p is armed and its turn has come.
func Hit(p Point) {
	if armed != nil {
		armed.hit(p)
	}
}

// Said is what a process says before it kills itself at a Point.
func (p Point) Said() string { return "failpoint " + string(p) }

func (t *trap) hit(p Point) {
	if p != t.point || t.fault != nil || t.left.Add(-1) != 0 {
		return
	}
	fmt.Fprintln(os.Stderr, p.Said())
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill() // SIGKILL; on Windows TerminateProcess
	}
	if err == nil {
		select {} // until it comes
	}
	panic(fmt.Sprintf("failpoint %s: %v", p, err))
}
