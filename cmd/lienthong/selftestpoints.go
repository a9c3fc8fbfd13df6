package main

import (
	"slices"
	"strconv"

	"github.com/lienthong/lienthong/node/failpoint"
)

// The roles of the nodes.
const (
	sending   = "sender"
	receiving = "receiver"
)

// need is what has to happen for a node to come to a point; ordinary documents
// always do.
type need string

const (
	needLarge  need = "large"  // a document that is too large for the database
	needReport need = "report" // a status that a person reports
	needRecall need = "recall"
	needAge    need = "age" // an hour goes by after a recall
	needPurge  need = "purge"
	needBackup need = "backup"
	needFsck   need = "fsck" // the node stands still, and fsck --repair is what is killed
)

// cue says that a node is to be killed at a point; the zero point is a random
// moment.
type cue struct {
	point failpoint.Point
	need  need
	times int // the kill comes at the latest when it was there so often
}

// programme returns what one role goes through, over and over.
func programme(role string) []cue {
	both := []cue{
		{failpoint.ContentWritten, needLarge, 2}, {failpoint.CommitWritten, "", 20}, {failpoint.ContentNamed, needLarge, 2}, {},
		{failpoint.CommitDurable, "", 20}, {failpoint.PurgeRecorded, needPurge, 2}, {failpoint.ContentKept, needLarge, 2},
		{failpoint.SweepRemoved, needFsck, 1}, {failpoint.BackupDatabase, needBackup, 1},
	}
	if role == sending {
		return append([]cue{
			{failpoint.SubmitKept, "", 3}, {failpoint.SubmitCommitted, "", 3}, {failpoint.SendAttempted, "", 3}, {failpoint.SendAnswered, "", 3},
			{failpoint.SendRecorded, "", 3}, {failpoint.StatusApplied, "", 3}, {},
		}, both...)
	}
	return append([]cue{
		{failpoint.Listed, "", 3}, {failpoint.FetchDone, "", 3}, {failpoint.FetchRecorded, "", 3}, {failpoint.VerifyDone, "", 3}, {failpoint.VerifyRecorded, "", 3},
		{failpoint.FolderFilled, "", 3}, {failpoint.FolderNamed, "", 3}, {failpoint.DeliverDone, "", 3}, {failpoint.DeliverRecorded, "", 3},
		{failpoint.ConfirmDone, "", 3}, {failpoint.ConfirmRecorded, "", 3}, {failpoint.ReportQueued, needReport, 1}, {},
		{failpoint.RecallTied, needRecall, 1}, {failpoint.RecallTaken, needRecall, 1}, {failpoint.WithdrawDone, needRecall, 1}, {failpoint.WithdrawRecorded, needRecall, 1},
		{failpoint.DestroyDone, needAge, 1}, {failpoint.DestroyRecorded, needAge, 1},
		{failpoint.SendAttempted, needReport, 1}, {failpoint.SendAnswered, needReport, 1}, {failpoint.SendRecorded, needReport, 1}, {},
	}, both...)
}

// cue returns what a role is to be killed at next. The last rounds are for the
// points that nobody came to so far, two for each, as a node may die before it
// comes there: with none of them in its programme but one that the other node is
// to be killed at, a node is left alone.
func (r *rehearsal) cue(role string) (c cue, left bool) {
	delete(r.armed, role)
	all, missing := programme(role), r.missing()
	urgent := r.goal-r.report.Rounds <= 2*len(missing)
	for _, taken := range r.armed {
		missing = slices.DeleteFunc(missing, func(p failpoint.Point) bool { return p == taken })
	}
	for range all {
		c = all[r.next[role]%len(all)]
		r.next[role]++
		if !urgent || slices.Contains(missing, c.point) {
			r.armed[role] = c.point
			return c, true
		}
	}
	return cue{}, len(missing)+len(r.armed) == 0
}

// arm returns the value of the environment variable for a cue.
func (r *rehearsal) arm(c cue) string {
	if c.point == "" {
		return ""
	}
	return string(c.point) + ":" + strconv.Itoa(1+r.rng.IntN(c.times))
}
