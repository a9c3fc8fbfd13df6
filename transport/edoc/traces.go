package edoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// maxTrace is how many octets one Status of an answer may have.
const maxTrace = 256 << 10

// gather takes the statuses out of an answer of GetTraces while it comes, and
// keeps the oldest: an axis gives all since a moment at once, which may be more
// than memory should hold.
type gather struct {
	most   int // to be kept
	oldest []trace
	count  int // of all that came
}

// trace is a Status in an answer.
type trace struct {
	edxml.Status
	at    time.Time // the zero time where it says none
	place int       // in the answer, whose first is the newest
}

// read reads an answer and returns it without its statuses. What is left has at
// most max octets. Its errors are those of r, of package xmlscan, and a
// *soap.LimitError, "envelope" for what is left and "status" for one Status;
// beside them stands as much of the answer as was read.
func (g *gather) read(r io.Reader, max int64) ([]byte, error) {
	rest := &remainder{r: r, max: max}
	s := xmlscan.New(rest, xmlscan.Options{Tolerant: true, Limits: xmlscan.Limits{Elements: math.MaxInt, Size: math.MaxInt64}})
	var path []string
	for {
		tok, err := s.Next()
		if err == io.EOF && rest.length() > max {
			err = &soap.LimitError{Limit: "envelope", Max: max}
		}
		if err == io.EOF {
			return rest.all(), nil
		}
		if err != nil {
			return rest.all(), err
		}
		switch tok.Kind {
		case xmlscan.Start:
			if !listed(path, tok.Name.Local) {
				path = append(path, tok.Name.Local)
				continue
			}
			begins := s.Pos(tok.Start)
			rest.status = tok.Start
			t, err := s.Tree(maxTrace)
			if limit := (*xmlscan.LimitError)(nil); errors.As(err, &limit) && limit.Limit == "header" {
				err = errTrace
			}
			if errors.Is(err, errTrace) {
				err = fmt.Errorf("the Status at line %d, column %d: %w", begins.Line, begins.Column, err)
			}
			if err != nil {
				return rest.all(), err
			}
			rest.leaveOut(t.Start, t.End)
			g.add(traceOf(t.Root))
		case xmlscan.End:
			path = path[:len(path)-1]
		}
	}
}

// errTrace says that one Status of an answer is larger than maxTrace.
var errTrace = &soap.LimitError{Limit: "status", Max: maxTrace}

// listed reports whether an element with this parentage is a Status of the list.
func listed(path []string, name string) bool {
	return name == "Status" && slices.Equal(path, []string{"Envelope", "Body", opTraces + "Response", "Traces"})
}

// add keeps a Status if it is among the oldest.
func (g *gather) add(s edxml.Status) {
	at, _ := s.Timestamp.Time() // the zero time where there is none
	g.oldest = append(g.oldest, trace{s, at, g.count})
	if g.count++; len(g.oldest)/2 >= g.most {
		g.sort()
	}
}

// sort puts the oldest first, and drops those beyond what is to be kept.
func (g *gather) sort() {
	slices.SortFunc(g.oldest, func(a, b trace) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return b.place - a.place // the axis gives the newest first
	})
	if len(g.oldest) > g.most {
		clear(g.oldest[g.most:])
		g.oldest = g.oldest[:g.most]
	}
}

// statuses returns what was kept, oldest first, with transport.ErrMore where
// that is not all.
func (g *gather) statuses() ([]edxml.Status, error) {
	g.sort()
	list := make([]edxml.Status, 0, len(g.oldest))
	for _, t := range g.oldest {
		list = append(list, t.Status)
	}
	if g.count > len(list) {
		return list, transport.ErrMore
	}
	return list, nil
}

// traceOf turns a Status of GetTraces into ours, in the strict form. Elements
// are matched by their local names.
//
// QUIRK: the axis gives the code as an integer and the day of promulgation as
// a moment.
func traceOf(el *etree.Element) edxml.Status {
	var s edxml.Status
	for _, c := range el.ChildElements() {
		switch c.Tag {
		case "From":
			s.From = edxml.Organ{
				OrganID: trimmed(c, "OrganId"), OrganizationInCharge: said(c, "OrganizationInCharge"), OrganName: said(c, "OrganName"),
				OrganAdd: said(c, "OrganAdd"), Email: said(c, "Email"), Telephone: said(c, "Telephone"), Fax: said(c, "Fax"), Website: said(c, "Website"),
			}
		case "ResponseFor":
			s.ResponseFor = edxml.ResponseFor{
				OrganID: trimmed(c, "OrganId"), Code: trimmed(c, "Code"), DocumentID: trimmed(c, "DocumentId"),
				PromulgationDate: edxml.Date(trimmed(c, "PromulgationDate")),
			}
			if day, err := s.ResponseFor.PromulgationDate.Time(); err == nil {
				s.ResponseFor.PromulgationDate = edxml.DateOf(day)
			}
		case "StaffInfo":
			s.StaffInfo = &edxml.StaffInfo{Department: said(c, "Department"), Staff: said(c, "Staff"), Mobile: said(c, "Mobile"), Email: said(c, "Email")}
		case "StatusCode":
			s.StatusCode = edxml.StatusCode(c.Text()).Canonical()
		case "Description":
			s.Description = strings.TrimSpace(c.Text())
		case "Timestamp":
			s.Timestamp = edxml.Timestamp(strings.TrimSpace(c.Text()))
		}
	}
	return s
}

// said returns the text of the last child of a name, "" for none.
func said(el *etree.Element, name string) (text string) {
	for _, c := range el.ChildElements() {
		if c.Tag == name {
			text = c.Text()
		}
	}
	return text
}

func trimmed(el *etree.Element, name string) string { return strings.TrimSpace(said(el, name)) }

// remainder is what was read of a reader, but for the stretches to be left out.
type remainder struct {
	r      io.Reader
	max    int64
	kept   bytes.Buffer // what stands before the stretches that were left out
	buf    []byte       // what was read last
	from   int          // where in buf that begins which is behind all of them
	at     int64        // offset of from
	status int64        // offset of the Status under way, 0 for none
}

// Read implements io.Reader.
func (m *remainder) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.buf = append(m.buf[:copy(m.buf, m.buf[m.from:])], p[:n]...)
	if m.from = 0; m.length() > m.max+2*maxTrace { // one Status, and what is read ahead
		if m.status > 0 && int64(m.kept.Len())+m.status-m.at <= m.max { // without it, it would be well
			return 0, errTrace
		}
		return 0, &soap.LimitError{Limit: "envelope", Max: m.max}
	}
	return n, err
}

// length returns how many octets are left so far.
func (m *remainder) length() int64 { return int64(m.kept.Len() + len(m.buf) - m.from) }

// leaveOut forgets a stretch behind those forgotten before. UTF-16, which no
// axis writes, has other offsets; nothing sensible is left of it then.
func (m *remainder) leaveOut(from, to int64) {
	size := m.at + int64(len(m.buf)-m.from)
	from = min(max(from, m.at), size)
	to = min(max(to, from), size)
	m.kept.Write(m.buf[m.from : m.from+int(from-m.at)])
	m.from, m.at, m.status = m.from+int(to-m.at), to, 0
}

// all returns what is left.
func (m *remainder) all() []byte {
	m.kept.Write(m.buf[m.from:])
	m.buf, m.from = nil, 0
	return m.kept.Bytes()
}
