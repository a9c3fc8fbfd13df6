package edxml

import "strconv"

// Seen remembers the Documents of one run and finds doubles among them, which
// one packet alone does not show. The zero value is ready. It is not safe for
// concurrent use.
type Seen struct {
	before map[string]bool
}

// Find remembers the packet, and tells when a new Document before it had the
// same DocumentId, or the same agency, year, number and notation. Documents of
// other kinds repeat the identity of the one they are about, so they do not
// count.
func (s *Seen) Find(p *Packet) []Finding {
	d := p.Document
	if d == nil || d.DocType() != New {
		return nil
	}
	if s.before == nil {
		s.before = make(map[string]bool)
	}
	v := &validation{packet: p}
	if d.DocumentID != "" && s.again("id", d.DocumentID) {
		v.find("DOC-9", "DocumentId", "DocumentId "+shorten(d.DocumentID))
	}
	day, err := d.PromulgationInfo.PromulgationDate.Time()
	if err == nil && d.Code.CodeNumber != "" && s.again("code", d.From.OrganID, strconv.Itoa(day.Year()), d.Code.CodeNumber, d.Code.CodeNotation) {
		v.find("DOC-9", "Code", shorten(d.Code.String()))
	}
	return v.findings
}

// again remembers a name, and says whether it was there before.
func (s *Seen) again(parts ...string) bool {
	key := ""
	for _, p := range parts {
		key += strconv.Quote(p)
	}
	before := s.before[key]
	s.before[key] = true
	return before
}
