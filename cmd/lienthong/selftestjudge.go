package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// calm is how long nothing may happen before what is missing counts as lost.
const calm = 20 * time.Second

// settle starts both nodes, this time to live, hands over again what had no
// answer, and waits until everything is where it belongs.
func (s *scene) settle(ctx context.Context) error {
	for _, v := range s.victims() {
		v.end()
		v.cue, v.spared = cue{}, true
		if err := v.start(""); err != nil {
			return err
		}
	}
	last, since := -1, time.Now()
	for {
		for _, l := range s.letters {
			if l.again {
				if err := s.submit(ctx, l); err != nil {
					return err
				}
			}
		}
		if err := s.collect(); err != nil {
			return err
		}
		missing, err := s.astray(ctx)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			return nil
		}
		if len(missing) != last {
			last, since = len(missing), time.Now()
		}
		if time.Since(since) > calm {
			for _, m := range missing {
				s.report.Lost++
				s.fault("%s", m)
			}
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// transfers returns all Transfers of one box.
func transfers(ctx context.Context, v *victim, box node.Direction) ([]*node.Transfer, error) {
	var all []*node.Transfer
	for before := ""; ; {
		page, err := v.client.List(ctx, box, before, 100)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all, before = append(all, page...), page[len(page)-1].ID
	}
}

// astray says what is not yet, or never will be, where it belongs.
func (s *scene) astray(ctx context.Context) (missing []string, err error) {
	sent, err := transfers(ctx, s.sender, node.Out)
	if err != nil {
		return nil, err
	}
	got, err := transfers(ctx, s.receiver, node.In)
	if err != nil {
		return nil, err
	}
	byLetter := func(all []*node.Transfer, l *letter) (fit []*node.Transfer) {
		for _, t := range all {
			if t.Kind == edxml.KindDocument && t.SameAs == "" && t.DocumentID == l.id && (t.DocType == edxml.Recall) == (l.recall != nil) {
				fit = append(fit, t)
			}
		}
		return fit
	}
	for _, l := range s.letters {
		out, in := byLetter(sent, l), byLetter(got, l)
		if l.dropped && len(out) == 0 && len(in) == 0 {
			continue // never accepted, and nobody was told it was
		}
		switch {
		case len(out) != 1 || len(in) != 1:
			missing = append(missing, fmt.Sprintf("letter %d: %d times at the sender, %d times at the receiver", l.number, len(out), len(in)))
		case out[0].State != node.Sent || !out[0].Due.IsZero():
			missing = append(missing, fmt.Sprintf("letter %d: %s at the sender: %s", l.number, out[0].State, out[0].LastError))
		default:
			if why := s.unfinished(l, out[0], in[0]); why != "" {
				missing = append(missing, fmt.Sprintf("letter %d: %s", l.number, why))
			}
		}
	}
	for _, t := range append(sent, got...) {
		if t.Kind == edxml.KindStatus && t.Direction == node.Out && t.State != node.Sent {
			missing = append(missing, fmt.Sprintf("status %s: %s: %s", t.Status.StatusCode, t.State, t.LastError))
		}
	}
	return missing, nil
}

// unfinished says what a letter still lacks.
func (s *scene) unfinished(l *letter, out, in *node.Transfer) string {
	heard := func(code edxml.StatusCode) bool {
		return slices.ContainsFunc(out.Receivers, func(r node.Receiver) bool {
			return slices.ContainsFunc(r.Events, func(e node.Event) bool { return e.Code == code })
		})
	}
	taken := slices.ContainsFunc(s.letters, func(o *letter) bool { return o.recall == l && (o.accepted || len(in.Followers) > 0) })
	switch {
	case l.arrived == "":
		return "not delivered, " + string(in.State) + " at the receiver: " + in.LastError
	case taken && in.State != node.Recalled:
		return "recalled, and " + string(in.State) + " at the receiver"
	case taken && in.Purged.IsZero():
		return "recalled, and its content is still there"
	case !taken && in.State != node.Confirmed:
		return string(in.State) + " at the receiver: " + in.LastError
	case l.recall == nil && !heard(edxml.StatusArrived): // that of a recall has the same DocumentId, and may have the same second
		return "the sender has no status 01"
	case l.reported && !heard(edxml.StatusAccepted):
		return "the sender has no status 03"
	case in.State == node.Recalled && !in.Finished.IsZero() && !heard(edxml.StatusTakeBackAgreed):
		return "destroyed, and the sender has no status 15"
	}
	return ""
}

// judge stops the nodes and looks at what they leave behind.
func (s *scene) judge(ctx context.Context) error {
	for _, l := range s.letters {
		s.judgeLetter(l)
	}
	for _, v := range s.victims() {
		if err := v.stop(); err != nil {
			s.fault("%v", err)
			continue
		}
		if err := s.judgeStore(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// judgeLetter counts a letter.
func (s *scene) judgeLetter(l *letter) {
	if l.accepted || l.arrived != "" {
		s.report.Documents++
		if l.recall != nil {
			s.report.Recalls++
		}
	}
	if l.reported {
		s.report.Statuses++
	}
	if len(l.twice) > 0 {
		s.report.Duplicated++
		s.fault("letter %d was delivered as %s and as %v", l.number, l.arrived, l.twice)
	}
}

// judgeStore lets the program itself check and repair the store, and then
// finds nothing left to repair: records, content, indices, counters, journal.
func (s *scene) judgeStore(ctx context.Context, v *victim) error {
	for _, args := range [][]string{{"fsck", "--repair", "--json"}, {"fsck", "--deep", "--json"}} {
		out, _, err := v.run(ctx, "", args...)
		var r checked
		if parse := json.Unmarshal(out, &r); parse != nil {
			return errors.Join(err, parse)
		}
		if err != nil || !r.Sound || r.Repaired {
			s.fault("%s: the store is not sound: %s", v.role, out)
		}
		if s.report.Swept += r.Removed; args[1] == "--deep" {
			if s.report.Orphans += r.Orphans; r.Orphans > 0 {
				s.fault("%s: %d orphans are left", v.role, r.Orphans)
			}
		}
	}
	out, _, err := v.run(ctx, "", "journal", "verify", "--json")
	var j verified
	if parse := json.Unmarshal(out, &j); parse != nil {
		return errors.Join(err, parse)
	}
	if err != nil || !j.Sound || len(j.Chains) != 1 {
		s.fault("%s: the journal is broken: %s", v.role, out)
	}
	return nil
}
