package edxml

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Exchange takes packets one by one and finds what only several of them show:
// documents that stand twice, statuses from the wrong agency, too late, or in
// an order that makes no sense. Packets may come in any order. The zero value
// is ready. It keeps some hundred bytes of each packet, and is not safe for
// concurrent use.
type Exchange struct {
	doubles  map[string]string // key of a new Document to its name
	ids      map[string]*sentDocument
	codes    map[string]*sentDocument
	statuses []*sentStatus
}

// sentDocument is what is kept of a Document, or of several with one identity:
// a recall or an update names the Document it is about.
type sentDocument struct {
	name   string // of the packet
	from   string
	to     []string
	traced Timestamp // by the last system
	at     time.Time
}

// sentStatus is what is kept of a Status.
type sentStatus struct {
	name                      string
	code                      StatusCode
	from, to, id, about       string
	stamp                     Timestamp
	at                        time.Time
	codePos, fromPos, timePos xmlscan.Pos
}

// Add takes a packet; name is how Findings about others refer to it, for
// example the name of its file. It returns at once what there is to find about
// a Document: that a new one before it had the same DocumentId, or the same
// agency, year, number and notation. Documents of other kinds repeat the
// identity of the one they are about, so they do not count. What there is to
// find about a Status depends on what else comes, see [Exchange.Statuses].
func (x *Exchange) Add(name string, p *Packet) []Finding {
	if x.ids == nil {
		x.doubles, x.ids, x.codes = make(map[string]string), make(map[string]*sentDocument), make(map[string]*sentDocument)
	}
	if s := p.Status; s != nil {
		x.addStatus(name, p, s)
		return nil
	}
	d := p.Document
	if d == nil {
		return nil
	}
	x.addDocument(name, d)
	if d.DocType() != New {
		return nil
	}
	v := &validation{packet: p}
	if first := x.again(name, "id", d.DocumentID); first != "" && d.DocumentID != "" {
		v.find("DOC-9", "DocumentId", first, "DocumentId "+shorten(d.DocumentID))
	}
	if day, err := d.PromulgationInfo.PromulgationDate.Time(); err == nil && d.Code.CodeNumber != "" {
		if first := x.again(name, "code", d.From.OrganID, strconv.Itoa(day.Year()), d.Code.CodeNumber, d.Code.CodeNotation); first != "" {
			v.find("DOC-9", "Code", first, shorten(d.Code.String()))
		}
	}
	return v.findings
}

// again remembers a name under a key, and returns the one that was there.
func (x *Exchange) again(name string, parts ...string) string {
	k := key(parts...)
	first, seen := x.doubles[k]
	if !seen {
		x.doubles[k] = name
	}
	return first
}

func key(parts ...string) string {
	k := ""
	for _, p := range parts {
		k += strconv.Quote(p)
	}
	return k
}

func (x *Exchange) addDocument(name string, d *Document) {
	sent := &sentDocument{name: name, from: d.From.OrganID, to: organIDs(d.To)}
	if n := len(d.TraceHeaders); n > 0 {
		sent.traced = d.TraceHeaders[n-1].Timestamp
		sent.at, _ = sent.traced.Time()
	}
	if b := d.Business; b != nil {
		for _, r := range b.Receivers { // those that were taken off answer, too
			sent.to = append(sent.to, r.OrganID)
		}
		x.merge(x.ids, b.DocumentID, sent)
	}
	x.merge(x.ids, d.DocumentID, sent)
	if d.Code.CodeNumber != "" {
		x.merge(x.codes, codeKey(d.From.OrganID, d.Code.String()), sent)
	}
}

// merge files a Document under an identity. The first one there counts, a new
// one before what is about it; the others add their receivers.
func (x *Exchange) merge(list map[string]*sentDocument, id string, d *sentDocument) {
	switch first := list[id]; {
	case id == "" || first == d:
	case first == nil:
		list[id] = d
	default:
		first.to = append(first.to, d.to...)
	}
}

// codeKey names a Document by its sender and its code, without the suffix that
// some senders put behind it.
func codeKey(organID, code string) string {
	code, _, _ = strings.Cut(code, "#")
	return key(string(plainID(organID)), code)
}

// plainID gives the identifiers of both generations one form, as far as that is
// certain enough to excuse a difference.
func plainID(s string) organ.ID {
	id := organ.ID(strings.TrimSpace(s))
	if id.Generation() == organ.QCVN102 {
		if other, ok := id.Counterpart(); ok {
			return other
		}
	}
	return id
}

func sameOrgan(a, b string) bool { return plainID(a) == plainID(b) }

func (x *Exchange) addStatus(name string, p *Packet, s *Status) {
	t := &sentStatus{
		name: name, code: s.StatusCode.Canonical(), from: s.From.OrganID, to: s.ResponseFor.OrganID, id: s.ResponseFor.DocumentID, about: s.ResponseFor.Code, stamp: s.Timestamp,
		codePos: p.outline.place("StatusCode"), fromPos: p.outline.place("From/OrganId"), timePos: p.outline.place("Timestamp"),
	}
	t.at, _ = s.Timestamp.Time()
	x.statuses = append(x.statuses, t)
}

// Statuses returns what there is to find about the Statuses that were added, by
// the names of their packets, given everything that was added so far. A
// Document or a Status that is not there is no fault: it may be elsewhere.
func (x *Exchange) Statuses() map[string][]Finding {
	found := make(map[string][]Finding)
	threads := make(map[string][]*sentStatus)
	for _, s := range x.statuses {
		d := x.document(s)
		found[s.name] = append(found[s.name], s.against(d)...)
		if _, used := s.code.Name(); s.at.IsZero() || !used {
			continue // its place in the order is not known
		}
		k := s.thread(d)
		threads[k] = append(threads[k], s)
	}
	for _, thread := range threads {
		slices.SortStableFunc(thread, func(a, b *sentStatus) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.code, b.code)) })
		order(thread, found)
		late(thread, x.document(thread[0]), found)
	}
	for name, list := range found {
		if len(list) == 0 {
			delete(found, name)
		}
	}
	return found
}

// sender is the sender of the Document that a Status is about, and receiver the
// receiver, by the Status's own word.
func (s *sentStatus) sender() string {
	if s.code == StatusTakeBack {
		return s.from
	}
	return s.to
}

func (s *sentStatus) receiver() string {
	if s.code == StatusTakeBack {
		return s.to
	}
	return s.from
}

// document finds what a Status is about: by DocumentId, else by sender and
// code, as the axes do.
func (x *Exchange) document(s *sentStatus) *sentDocument {
	if d := x.ids[s.id]; d != nil && s.id != "" && s.concerns(d) {
		return d
	}
	if s.about == "" {
		return nil
	}
	return x.codes[codeKey(s.sender(), s.about)]
}

// concerns says that a Document with the right DocumentId has the other party,
// too: test files use one identifier for documents of several senders.
func (s *sentStatus) concerns(d *sentDocument) bool {
	if s.code == StatusTakeBack {
		return slices.ContainsFunc(d.to, func(id string) bool { return sameOrgan(id, s.to) })
	}
	return sameOrgan(s.to, d.from)
}

// thread names what the order of statuses is kept for: a Document and one of
// its receivers.
func (s *sentStatus) thread(d *sentDocument) string {
	receiver := string(plainID(s.receiver()))
	if d != nil {
		return key("document", d.name, receiver)
	}
	return key(codeKey(s.sender(), s.about), s.id, receiver)
}

// against compares a Status with its Document.
func (s *sentStatus) against(d *sentDocument) []Finding {
	if d == nil {
		return nil
	}
	var list []Finding
	if s.code == StatusTakeBack {
		owner, _, _ := strings.Cut(s.id, ",") // by its DocumentId, which begins with the agency that issued it
		if !sameOrgan(s.from, d.from) && !sameOrgan(s.from, owner) {
			list = append(list, rule("ST-4").Find(s.fromPos, "From/OrganId", string(s.code), shorten(s.from), d.name, Text{"nơi gửi " + d.from, "the sender, " + d.from}))
		}
		return list
	}
	if !slices.ContainsFunc(d.to, func(id string) bool { return sameOrgan(id, s.from) }) {
		list = append(list, rule("ST-4").Find(s.fromPos, "From/OrganId", string(s.code), shorten(s.from), d.name, Text{"một nơi nhận", "one of its receivers"}))
	}
	if s.at.IsZero() || d.at.IsZero() {
		return list
	}
	if s.at.Add(clockError).Before(d.at) {
		list = append(list, rule("TIME-4a").Find(s.timePos, "Timestamp", "Timestamp", string(s.stamp), "TraceHeader/Timestamp ("+d.name+")", string(d.traced)))
	}
	return list
}

// order judges the Statuses of one Document at one receiver in the order of
// their times. What came before the first is not known, so it may be any.
func order(thread []*sentStatus, found map[string][]Finding) {
	var before *sentStatus // the receiver's state
	var asked *sentStatus  // the take-back that is still to be answered, or was agreed to
	for _, s := range thread {
		if before != nil && s.code != before.code && (recalled(before, asked) || !follows(before.code, s.code)) {
			found[s.name] = append(found[s.name], rule("ST-3").Find(s.codePos, "StatusCode", string(before.code), string(s.code), before.name))
		}
		switch s.code {
		case StatusTakeBack:
			asked = s
		case StatusTakeBackDenied: // the state before counts again
			asked = nil
		case StatusTakeBackAgreed:
			if asked != nil { // else of an update, or of a 13 that is elsewhere
				before = s
			}
		default:
			before = s
		}
	}
}

// late finds that the receiver's first word came after the day on which the
// Document arrived; the last system it went through tells that day.
func late(thread []*sentStatus, d *sentDocument, found map[string][]Finding) {
	first := slices.IndexFunc(thread, func(s *sentStatus) bool {
		return s.code == StatusArrived || s.code == StatusRefused || s.code == StatusAccepted
	})
	if first < 0 || d == nil || d.at.IsZero() {
		return
	}
	s, day := thread[first], Date(d.traced)
	if arrived, err := day.Time(); err == nil && !s.at.Before(arrived.AddDate(0, 0, 1)) {
		found[s.name] = append(found[s.name], rule("TIME-3").Find(s.timePos, "Timestamp", string(s.code), string(s.stamp), string(DateOf(arrived)), d.name))
	}
}

// recalled says that the Document was given back.
func recalled(before, asked *sentStatus) bool {
	return before.code == StatusTakeBackAgreed && asked != nil
}

// follows says that a status may follow another one of the receiver. It is what
// implementations agree on; no text numbers the codes. While a take-back is
// pending the others go on.
func follows(before, next StatusCode) bool {
	switch next {
	case StatusTakeBack:
		return before != StatusRefused && before != StatusDone
	case StatusTakeBackAgreed, StatusTakeBackDenied:
		return true
	}
	for _, pair := range []struct {
		before StatusCode
		next   []StatusCode
	}{
		{StatusArrived, []StatusCode{StatusRefused, StatusAccepted}},
		{StatusAccepted, []StatusCode{StatusAssigned, StatusProcessing, StatusDone}},
		{StatusAssigned, []StatusCode{StatusProcessing, StatusDone}},
		{StatusProcessing, []StatusCode{StatusDone}},
	} {
		if pair.before == before {
			return slices.Contains(pair.next, next)
		}
	}
	return false // nothing follows a refusal, or the end
}
