package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// hop is a part of the way.
type hop string

// The hops, in the order of the walk. Each begins and ends with a durable
// record, so that waiting in queues and for polls is in it.
const (
	hopUp       hop = "leaf-province"    // accepted at the sender until the hub of its province has it
	hopOver     hop = "province-central" // until the centre has it
	hopDown     hop = "central-province" // there until the hub of the receiver's province has it
	hopHome     hop = "province-leaf"    // there until the receiver has it
	hopWhole    hop = "document"         // accepted at the sender until a receiver has it
	hopStatus   hop = "status"           // the last status, reported at a receiver until its sender knows
	hopsAtOnce      = 7                  // statuses that one row of a journal may stand for, at the most
	journalLine     = 1 << 20
)

var hops = []hop{hopUp, hopOver, hopDown, hopHome, hopWhole, hopStatus}

// chronicle is what the journals of all stations say.
type chronicle struct {
	took     map[hop][]time.Duration
	statuses []time.Time // when senders learned of each

	began     map[string]time.Time // documents accepted at their sender, by DocumentId
	confirmed []delivered
	reported  map[about]time.Time // last status at the receiver
	learned   map[about]time.Time // and at the sender
}

// about is a document at one receiver.
type about struct{ document, receiver string }

// delivered is a document that a leaf has.
type delivered struct {
	about
	at time.Time
}

// steps is how many statuses a receiver has sent when its latest is this one.
var steps = map[edxml.StatusCode]int{
	edxml.StatusArrived: 1, edxml.StatusAccepted: 2, edxml.StatusAssigned: 3, edxml.StatusProcessing: 4, edxml.StatusDone: 4,
}

func newChronicle() *chronicle {
	return &chronicle{took: map[hop][]time.Duration{}, began: map[string]time.Time{}, reported: map[about]time.Time{}, learned: map[about]time.Time{}}
}

// readJournals reads the journals of all stations.
func readJournals(ctx context.Context, c *country) (*chronicle, error) {
	all := newChronicle()
	for _, s := range c.stations {
		r, w := io.Pipe()
		go func() { w.CloseWithError(s.upkeep.read(ctx, journalPath+"?after=0", w)) }()
		err := all.read(s, r)
		r.CloseWithError(err)
		if err != nil {
			return nil, fmt.Errorf("%s: journal: %w", s.Organ, err)
		}
	}
	all.close()
	return all, nil
}

// transferSeen is what the rows so far say of one Transfer.
type transferSeen struct {
	created time.Time
	codes   map[string]edxml.StatusCode // by receiver
}

// read reads the journal of one station.
func (c *chronicle) read(s *station, r io.Reader) error {
	seen := map[string]*transferSeen{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, journalLine)
	for lines.Scan() {
		var e node.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return err
		}
		t := seen[e.Transfer]
		if t == nil {
			t = &transferSeen{created: e.At, codes: map[string]edxml.StatusCode{}}
			seen[e.Transfer] = t
		}
		if e.Kind == edxml.KindDocument {
			c.row(s, t, &e)
		}
	}
	return lines.Err()
}

// row is one transition of a document at one station.
func (c *chronicle) row(s *station, t *transferSeen, e *node.Entry) {
	if e.Event == "created" && e.Direction == node.Out && s.Role == atLeaf {
		c.began[e.DocumentID] = e.At
	}
	if e.Was != "" && e.Was != e.State {
		switch {
		case e.Direction == node.Out && e.State == node.Sent && s.Role == atLeaf:
			c.add(hopUp, e.At.Sub(t.created))
		case e.Direction == node.Out && e.State == node.Sent && s.Role == atProvince:
			c.add(hopOver, e.At.Sub(t.created))
		case e.Direction == node.Box && e.State == node.Collected && s.Role == atCentre:
			c.add(hopDown, e.At.Sub(t.created))
		case e.Direction == node.Box && e.State == node.Collected && s.Role == atProvince:
			c.add(hopHome, e.At.Sub(t.created))
		case e.Direction == node.In && e.State == node.Confirmed && s.Role == atLeaf:
			c.confirmed = append(c.confirmed, delivered{about{e.DocumentID, s.Organ}, e.At})
		}
	}
	if s.Role != atLeaf {
		return
	}
	for _, r := range e.Receivers {
		a := about{e.DocumentID, r.OrganID}
		last := steps[r.Code] == steps[edxml.StatusDone]
		switch {
		case e.Direction == node.In && r.OrganID == s.Organ && last:
			c.reported[a] = e.At
		case e.Direction == node.Out:
			for range min(max(steps[r.Code]-steps[t.codes[r.OrganID]], 0), hopsAtOnce) {
				c.statuses = append(c.statuses, e.At)
			}
			t.codes[r.OrganID] = r.Code
			if last {
				c.learned[a] = e.At
			}
		}
	}
}

func (c *chronicle) add(h hop, d time.Duration) { c.took[h] = append(c.took[h], d) }

// close puts together what several journals say.
func (c *chronicle) close() {
	for _, d := range c.confirmed {
		if began, ok := c.began[d.document]; ok {
			c.add(hopWhole, d.at.Sub(began))
		}
	}
	for a, at := range c.learned {
		if began, ok := c.reported[a]; ok {
			c.add(hopStatus, at.Sub(began))
		}
	}
	for _, all := range c.took {
		slices.Sort(all)
	}
	slices.SortFunc(c.statuses, time.Time.Compare)
}

// quantile returns the value below which a share of sorted durations lies.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
