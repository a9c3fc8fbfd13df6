package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

const (
	submitters = 16               // documents that are handed in at a time
	answerers  = 4                // deliveries that a leaf's document system works on at a time
	holdFor    = 10               // seconds for which it holds one
	standstill = 2 * time.Minute  // without anything new, what is missing counts as lost
	purgeEvery = time.Minute      // between purges: each looks at every record
	settled    = 15 * time.Second // what ended so long ago is purged
	killEvery  = 3 * time.Second  // with faults, on average
)

// drive is the simulation under way: it plays the document systems.
type drive struct {
	country *country
	leaves  []*station
	plan    *dayPlan
	within  time.Duration // the day is played in this time; 0: as fast as it goes
	faults  bool
	flight  chan struct{} // a token for each document that has not arrived everywhere
	begin   time.Time
	date    time.Time // of the documents

	sent, answered, kills atomic.Int64

	mu       sync.Mutex
	moved    time.Time // when something last went on
	journeys map[string]*journey
	troubles []string
}

// journey is a document on its way.
type journey struct {
	*planned
	document edxml.Document
	transfer string // at its sender
	digest   string // of its file
	arrived  map[string]string
	final    edxml.StatusCode
}

// handIn submits the whole day by the doors of the leaves.
func (d *drive) handIn(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(submitters)
	for i := range d.plan.Documents {
		p := &d.plan.Documents[i]
		if d.within > 0 {
			if err := pause(ctx, time.Until(d.begin.Add(d.plan.moment(i, d.within)))); err != nil {
				break
			}
		}
		select {
		case d.flight <- struct{}{}:
		case <-ctx.Done():
			return g.Wait()
		}
		g.Go(func() error { return d.submit(ctx, i, p) })
	}
	return g.Wait()
}

// submit hands one document in; after a lost answer, the same again.
func (d *drive) submit(ctx context.Context, i int, p *planned) error {
	from := d.leaves[p.From]
	j := d.journey(i, p)
	var sub *api.Submitted
	err := d.stubborn(ctx, from, func() (err error) {
		r, w := io.Pipe()
		digest := sha256.New()
		doc := j.document
		doc.Attachments = []edxml.Attachment{{Name: "cong-van.pdf", Content: io.TeeReader(p.file(), digest)}}
		written := make(chan struct{})
		go func() { defer close(written); w.CloseWithError(edxml.Write(w, &doc)) }()
		sub, err = from.door.Submit(ctx, r)
		r.Close() // a call that was given up has left the writer behind
		<-written
		j.digest = hex.EncodeToString(digest.Sum(nil))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: submit: %w", from.Organ, err)
	}
	d.mu.Lock()
	j.transfer = sub.Transfer.ID
	d.mu.Unlock()
	d.sent.Add(1)
	d.progress()
	return nil
}

// journey makes the document and enters it, before anything of it can arrive.
func (d *drive) journey(i int, p *planned) *journey {
	from := d.leaves[p.From]
	code := edxml.Code{CodeNumber: strconv.Itoa(i + 1), CodeNotation: "CV-VP"}
	date := edxml.DateOf(d.date)
	j := &journey{planned: p, arrived: map[string]string{}, final: edxml.StatusDone}
	if p.Works {
		j.final = edxml.StatusProcessing
	}
	j.document = edxml.Document{
		From: edxml.Organ{OrganID: from.Organ, OrganName: from.Name}, DocumentID: edxml.DocumentID(from.Organ, date, code), Code: code,
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: date},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "18", TypeName: "Công văn"},
		Subject:          fmt.Sprintf("V/v mô phỏng một ngày liên thông, văn bản số %d", i+1), Content: "Văn bản mô phỏng, không có giá trị pháp lý",
		SignerInfo:   edxml.SignerInfo{Competence: "KT. GIÁM ĐỐC", Position: "Phó Giám đốc", FullName: "Nguyễn Văn Mẫu"},
		OtherInfo:    edxml.OtherInfo{Priority: "0", PromulgationAmount: "1", PageAmount: "1"},
		TraceHeaders: []edxml.TraceHeader{{OrganID: from.Organ, Timestamp: edxml.TimestampOf(d.date)}},
		Business:     &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0"},
	}
	for _, to := range p.To {
		j.document.To = append(j.document.To, edxml.Organ{OrganID: d.leaves[to].Organ, OrganName: d.leaves[to].Name})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journeys[j.document.DocumentID] = j
	return j
}

// stubborn repeats a call until the station has answered: it may be killed in
// the middle. A refusal is an answer.
func (d *drive) stubborn(ctx context.Context, s *station, call func() error) error {
	for {
		err := call()
		var p *api.Problem
		if err == nil || errors.As(err, &p) && p.Status < http.StatusInternalServerError && p.Status != http.StatusRequestTimeout {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !d.faults {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// progress notes that something went on.
func (d *drive) progress() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moved = time.Now()
}

// still reports how long nothing went on.
func (d *drive) still() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(d.moved)
}

// trouble notes what must not happen.
func (d *drive) trouble(text string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.troubles = append(d.troubles, fmt.Sprintf(text, args...))
}

// answer takes what arrives at a leaf and reports 03, 04 and 05 or 06 about it,
// until ctx ends.
func (d *drive) answer(ctx context.Context, s *station) error {
	var busy sync.Map // transfers in hand
	var g errgroup.Group
	g.SetLimit(answerers)
	defer func() { _ = g.Wait() }() // its functions return nothing
	for {
		var waiting []*node.Transfer
		err := d.stubborn(ctx, s, func() (err error) { waiting, err = s.door.Waiting(ctx, 100); return err })
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: inbox: %w", s.Organ, err)
		}
		fresh := 0
		for _, t := range waiting {
			if t.State != node.Confirmed { // 01 goes first
				continue
			}
			if _, is := busy.LoadOrStore(t.ID, true); is {
				continue
			}
			fresh++
			g.Go(func() error {
				defer busy.Delete(t.ID)
				if err := d.work(ctx, s, t); err != nil && ctx.Err() == nil {
					d.trouble("%s: %s: %v", s.Organ, t.DocumentID, err)
				}
				return nil
			})
		}
		if fresh == 0 {
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return nil
			}
		}
	}
}

// work does with one delivery what a document system does: it takes the file,
// says so, and reports how far the work on it is.
func (d *drive) work(ctx context.Context, s *station, t *node.Transfer) error {
	j := d.of(t.DocumentID)
	if j == nil {
		return errors.New("nobody has sent it")
	}
	var taken *api.Taken
	err := d.stubborn(ctx, s, func() (err error) { taken, err = s.door.Take(ctx, t.ID, holdFor); return err })
	var p *api.Problem
	switch {
	case errors.As(err, &p) && p.Code == "held":
		return pause(ctx, time.Second) // by us: the answer was lost. It waits until the hold is over
	case errors.As(err, &p) && p.Code == "taken":
		return nil // it was listed a moment before it was done
	case err != nil:
		return err
	}
	digest := ""
	err = d.stubborn(ctx, s, func() (err error) { digest, err = d.download(ctx, s, t.ID); return err })
	if err != nil {
		return err
	}
	err = d.stubborn(ctx, s, func() error { _, err := s.door.Done(ctx, t.ID, taken.Lease); return err })
	if err != nil {
		return err
	}
	for _, code := range []edxml.StatusCode{edxml.StatusAccepted, edxml.StatusAssigned, j.final} {
		staff := &edxml.StaffInfo{Staff: "Văn thư " + s.Organ, Department: "Văn phòng"}
		err := d.stubborn(ctx, s, func() error { _, err := s.door.Report(ctx, t.ID, api.Report{Code: code, StaffInfo: staff}); return err })
		if err != nil {
			return fmt.Errorf("status %s: %w", code, err)
		}
	}
	d.arrived(s, t, j, digest)
	return nil
}

func (d *drive) download(ctx context.Context, s *station, id string) (string, error) {
	f, err := s.door.File(ctx, node.In, id, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

func (d *drive) of(documentID string) *journey {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.journeys[documentID]
}

// arrived enters a delivery.
func (d *drive) arrived(s *station, t *node.Transfer, j *journey, digest string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moved = time.Now()
	d.answered.Add(1)
	id := j.document.DocumentID
	switch other, twice := j.arrived[s.Organ]; {
	case twice:
		d.troubles = append(d.troubles, fmt.Sprintf("%s was delivered to %s twice: %s, %s", id, s.Organ, other, t.ID))
		return
	case digest != j.digest:
		d.troubles = append(d.troubles, fmt.Sprintf("%s: the file of %s is another at %s: sha256 %s, sent was %s", id, j.document.From.OrganID, s.Organ, digest, j.digest))
	}
	if j.arrived[s.Organ] = t.ID; len(j.arrived) == len(j.To) {
		<-d.flight
	}
}

// disturb kills a station now and then, until ctx ends.
func (d *drive) disturb(ctx context.Context) error {
	r := rand.New(rand.NewPCG(d.plan.Seed, 9))
	for {
		if err := pause(ctx, killEvery/2+rand.N(killEvery)); err != nil {
			return nil
		}
		s := d.country.stations[r.IntN(len(d.country.stations))]
		if err := s.kill(d.country.exe); err != nil {
			return fmt.Errorf("%s: %w", s.Organ, err)
		}
		d.kills.Add(1)
	}
}

// purge gives up the content of what has ended, until ctx ends.
func (d *drive) purge(ctx context.Context) error {
	for {
		if err := pause(ctx, purgeEvery); err != nil {
			return nil
		}
		for _, s := range d.country.stations {
			o := node.PurgeOptions{
				Before: time.Now().Add(-settled), Settled: settled,
				By: node.By{Actor: "simulate", Reason: "delivered"},
			}
			if _, err := s.upkeep.purge(ctx, o); err != nil && ctx.Err() == nil && !d.faults {
				return fmt.Errorf("%s: purge: %w", s.Organ, err)
			}
		}
	}
}

// watch ends the simulation when a station falls by itself, or nothing goes on.
func (d *drive) watch(ctx context.Context) error {
	for {
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return nil
		}
		if s := d.country.fallen(); s != nil {
			return fmt.Errorf("the process of %s has ended by itself; its log is %s", s.Organ, s.dir)
		}
		if d.still() > standstill && (d.within == 0 || int(d.sent.Load()) == len(d.plan.Documents)) {
			return errStandstill
		}
	}
}

// errStandstill says that nothing goes on any more.
var errStandstill = errors.New("nothing went on for two minutes")

// home waits until every sender knows how its documents ended everywhere. It
// returns the Transfers of the senders by DocumentId.
func (d *drive) home(ctx context.Context) (map[string]*node.Transfer, error) {
	all := make(map[string]*node.Transfer, len(d.journeys))
	for id, j := range d.journeys {
		s := d.leaves[j.From]
		for {
			var t *node.Transfer
			err := d.stubborn(ctx, s, func() (err error) { t, err = s.door.Transfer(ctx, node.Out, j.transfer); return err })
			if err != nil {
				return all, err
			}
			if all[id] = t; j.ended(t) {
				d.progress()
				break
			}
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

// ended reports whether every status of every receiver is known.
func (j *journey) ended(t *node.Transfer) bool { return j.statuses(t) == perReceiver*len(j.To) }
