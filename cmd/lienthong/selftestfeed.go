package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

// letter is a Document of the rehearsal.
type letter struct {
	number int
	recall *letter // what it takes back, nil for an ordinary one
	id     string  // DocumentId
	packet string  // file
	sha256 string  // of its attachment

	accepted bool   // a node said so
	again    bool   // no answer came, and it is to be handed over again
	dropped  bool   // no answer came, and whoever wrote it gave up: it may arrive, once
	arrived  string // its folder in the sink, "" before
	twice    []string
	reported bool // 03 was accepted by the receiver's node
	recalled bool // there is a recall of it
}

// backlog is how many letters may be on their way.
const backlog = 12

// feed gives the nodes something to do, and what their cues ask for.
func (s *scene) feed(ctx context.Context) error {
	if err := s.collect(); err != nil {
		return err
	}
	large := s.sender.cue.need == needLarge || s.receiver.cue.need == needLarge || s.rng.IntN(12) == 0
	recall := s.receiver.cue.need == needRecall || s.receiver.cue.need == needAge || s.rng.IntN(10) == 0
	report := s.receiver.cue.need == needReport || s.rng.IntN(3) == 0
	var all []func() error
	for _, l := range s.mail(large, recall) {
		all = append(all, func() error { return s.submit(ctx, l) })
	}
	if l := s.some(func(l *letter) bool { return l.arrived != "" && l.recall == nil && !l.reported && !l.recalled }); report && l != nil {
		all = append(all, func() error { return s.accept(ctx, l) })
	}
	for _, v := range s.victims() {
		if !v.alive() {
			continue
		}
		switch v.cue.need {
		case needPurge:
			all = append(all, func() error {
				_, err := v.keeper.purge(ctx, node.PurgeOptions{Before: time.Now(), By: node.By{Actor: "selftest", Reason: "rehearsal"}})
				return s.excuse(v, err)
			})
		case needBackup:
			all = append(all, func() error { return s.excuse(v, v.keeper.read(ctx, backupPath, io.Discard)) })
		}
	}
	failed := make([]error, len(all))
	var busy sync.WaitGroup
	for i, do := range all {
		busy.Go(func() { failed[i] = do() })
	}
	busy.Wait()
	return errors.Join(failed...)
}

// excuse forgives an error of a node that was killed meanwhile; one that lives
// has to do what it is asked.
func (s *scene) excuse(v *victim, err error) error {
	var refused *api.Problem
	var said told
	if err == nil || !errors.As(err, &refused) && !errors.As(err, &said) {
		return nil // the connection broke off
	}
	return fmt.Errorf("%s: %w", v.role, err)
}

// some returns any letter that fits, nil for none.
func (s *scene) some(fits func(*letter) bool) *letter {
	var all []*letter
	for _, l := range s.letters {
		if fits(l) {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[s.rng.IntN(len(all))]
}

// mail returns what is to be handed to the sender: what had no answer, and, if
// not too much is on its way, something new.
func (s *scene) mail(large, recall bool) []*letter {
	if !s.sender.alive() {
		return nil
	}
	var out []*letter
	waiting := 0
	for _, l := range s.letters {
		if l.again {
			out = append(out, l)
		}
		if l.accepted && l.arrived == "" {
			waiting++
		}
	}
	for range min(1+s.rng.IntN(2), backlog-waiting) {
		out = append(out, &letter{})
	}
	if large && waiting < backlog+2 {
		out = append(out, &letter{sha256: needsMore})
	}
	if recall && waiting < backlog+2 {
		of := s.some(func(l *letter) bool { return l.arrived != "" && l.recall == nil && !l.recalled })
		if of != nil {
			of.recalled = true
			out = append(out, &letter{recall: of})
		}
	}
	for _, l := range out {
		if l.number == 0 {
			s.letters = append(s.letters, l)
			l.number = len(s.letters)
		}
	}
	return out
}

// needsMore marks a letter that is to be written large.
const needsMore = "large"

// write writes the packet of a letter.
func (s *scene) write(l *letter) error {
	of := l
	if l.recall != nil {
		of = l.recall
	}
	size := int64(2_000)
	if l.sha256 == needsMore {
		size = 1 << 20 * int64(1+l.number%5)
	}
	content := append([]byte("%PDF-1.4\n"+strconv.Itoa(of.number)+"\n"), bytes.Repeat([]byte{byte(of.number)}, int(size))...)
	sum := sha256.Sum256(content)
	d := s.letterOf(edxml.Code{CodeNumber: strconv.Itoa(of.number), CodeNotation: "DT-" + filepath.Base(s.dir)}, bytes.NewReader(content))
	if l.recall != nil {
		d.Business.DocType, d.Business.DocReason = edxml.Recall, "Phát hành nhầm"
	}
	l.id, l.sha256 = d.DocumentID, hex.EncodeToString(sum[:])
	l.packet = filepath.Join(s.dir, fmt.Sprintf("%d.edxml", l.number))
	f, err := os.OpenFile(l.packet, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(edxml.Write(f, d), f.Close())
}

// letterOf is a Document from the sender to the receiver with one file.
func (s *scene) letterOf(code edxml.Code, content io.Reader) *edxml.Document {
	day := edxml.DateOf(s.began)
	return &edxml.Document{
		From:             edxml.Organ{OrganID: "G22", OrganName: organName("G22")},
		To:               []edxml.Organ{{OrganID: "H41", OrganName: organName("H41")}},
		DocumentID:       edxml.DocumentID("G22", day, code),
		Code:             code,
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: day},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "18", TypeName: "Công văn"},
		Subject:          "V/v diễn tập",
		Content:          "Văn bản thử, không có giá trị pháp lý",
		SignerInfo:       edxml.SignerInfo{Competence: "TL. BỘ TRƯỞNG", Position: "Cục trưởng", FullName: "Nguyễn Văn Thử"},
		OtherInfo:        edxml.OtherInfo{Priority: "0", PromulgationAmount: "1", PageAmount: "1"},
		TraceHeaders:     []edxml.TraceHeader{{OrganID: "G22", Timestamp: edxml.TimestampOf(time.Now())}},
		Business:         &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0"},
		Attachments:      []edxml.Attachment{{Name: "Công văn.pdf", Content: content}},
	}
}

// submit hands a letter to the sender. Without an answer it is handed over
// again, or given up.
func (s *scene) submit(ctx context.Context, l *letter) error {
	if l.packet == "" {
		if err := s.write(l); err != nil {
			return err
		}
	}
	f, err := os.Open(l.packet)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := s.sender.client.Submit(ctx, f); err != nil {
		s.mu.Lock()
		l.again = l.again || l.recall != nil || s.rng.IntN(2) == 0
		l.dropped = !l.again
		s.mu.Unlock()
		return s.excuse(s.sender, err)
	}
	l.accepted, l.again = true, false
	return nil
}

// accept reports status 03 about a letter that arrived.
func (s *scene) accept(ctx context.Context, l *letter) error {
	_, err := s.receiver.client.Report(ctx, l.arrived, api.Report{Code: edxml.StatusAccepted})
	l.reported = err == nil
	return s.excuse(s.receiver, err)
}

// collect looks what is new in the receiver's sink.
func (s *scene) collect() error {
	folders, err := os.ReadDir(filepath.Join(s.receiver.home, "incoming"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range folders {
		name := f.Name()
		if rest, ok := strings.CutSuffix(name, recalledSuffix); ok {
			name = rest
		}
		if name[0] == '.' || s.known[name] {
			continue
		}
		t, err := s.handed(name)
		if errors.Is(err, fs.ErrNotExist) { // it is being recalled right now
			continue
		}
		if err != nil {
			return err
		}
		s.known[name] = true
		i := slices.IndexFunc(s.letters, func(l *letter) bool {
			return l.id == t.DocumentID && (l.recall != nil) == (t.DocType == edxml.Recall)
		})
		switch {
		case i < 0:
			s.fault("%s was delivered, and nobody wrote it", t.DocumentID)
		case s.letters[i].arrived == "":
			s.letters[i].arrived = name
			err = s.compare(s.letters[i])
		default:
			s.letters[i].twice = append(s.letters[i].twice, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recalledSuffix ends the name of what the sink says about a Document that was
// taken back, whose folder it removes.
const recalledSuffix = ".recalled.json"

// handed returns the record of what was handed over under a name.
func (s *scene) handed(name string) (*node.Transfer, error) {
	sink := filepath.Join(s.receiver.home, "incoming")
	text, err := os.ReadFile(filepath.Join(sink, name, "transfer.json"))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = os.ReadFile(filepath.Join(sink, name+recalledSuffix))
	}
	if err != nil {
		return nil, err
	}
	var t node.Transfer
	return &t, json.Unmarshal(text, &t)
}

// compare holds what was delivered against what was written. Of a recall only
// the header is handed out.
func (s *scene) compare(l *letter) error {
	if l.recall != nil {
		return nil
	}
	f, err := os.Open(filepath.Join(s.receiver.home, "incoming", l.arrived, "Công văn.pdf"))
	if errors.Is(err, fs.ErrNotExist) && l.recalled {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != l.sha256 {
		s.report.Lost++
		s.fault("letter %d was written with %s and delivered with %s", l.number, l.sha256, got)
	}
	return nil
}
