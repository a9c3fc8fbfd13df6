package vxp

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

// maxPage bounds pageSize, and how far into a list pages go.
const maxPage = 100_000

// received serves getReceivedEdocList.
//
// QUIRK: an SDK object that has called updateStatus or sendEdoc sends status
// and to along here, too. They are no filter, or its inbox would be empty.
func (s *served) received() error {
	kind, err := s.kind()
	if err != nil {
		return err
	}
	since, err := s.moment(paramSince)
	if err != nil {
		return err
	}
	until, err := s.moment(paramUntil)
	if err != nil {
		return err
	}
	from, to, err := s.page()
	if err != nil {
		return err
	}
	if from > 0 && from == to {
		return write[received](s, nil)
	}
	q := Query{Kind: kind, Service: s.service(), Since: since, Until: until, Most: to}
	all, err := s.h.backend.Deliveries(s.r.Context(), s.system.Organs, q)
	if err != nil {
		return err
	}
	var entries []received
	for _, d := range all {
		if !strings.EqualFold(d.Service, q.Service) {
			continue
		}
		if d.Created.Before(since) || !until.IsZero() && d.Created.After(until) {
			continue
		}
		entries = append(entries, received{
			DocID: scalar(d.ID), ServiceType: scalar(cmp.Or(d.Service, "eDoc")), MessageType: scalar(messageType(kind)), Created: stamp(d.Created), Updated: stamp(d.Updated),
			From: scalar(d.From), To: scalar(d.To), Status: scalar(d.State), StatusDesc: scalar(d.Description),
		})
	}
	if to == 0 {
		to = len(entries)
	}
	return write(s, entries[min(from, len(entries)):min(to, len(entries))])
}

// moment reads a parameter that is a time, the zero time where it is missing.
func (s *served) moment(name string) (time.Time, error) {
	v := s.param(name)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(timeLayout, v, edxml.Vietnam)
	if err != nil {
		return t, s.refusal(CodeRequest, edxml.Text{
			VI: "%s %q không đúng dạng dd/MM/yyyy HH:mm:ss", EN: "%s %q is not dd/MM/yyyy HH:mm:ss"}, name, clip(v))
	}
	return t, nil
}

// page returns the part of a list that is asked for, to = 0 for all of it.
// Pages count from 1, and 0 is the first, too: which the axis means is not
// known, and so nobody misses an entry. Behind the first 100,000 there is none.
func (s *served) page() (from, to int, err error) {
	if s.param(paramPageSize) == "" {
		return 0, 0, nil
	}
	size, err := strconv.Atoi(s.param(paramPageSize))
	index := 1
	if v := s.param(paramPage); v != "" && err == nil {
		index, err = strconv.Atoi(v)
	}
	if err != nil || size < 1 || size > maxPage || index < 0 {
		return 0, 0, s.refusal(CodeRequest, edxml.Text{
			VI: "pageSize phải từ 1 đến %d, pageIndex từ 0", EN: "pageSize must be from 1 to %d, pageIndex from 0"}, maxPage)
	}
	before := max(index, 1) - 1
	if before >= maxPage/size {
		return maxPage, maxPage, nil
	}
	return before * size, before*size + size, nil
}

// stamp writes a moment, nothing for none.
func stamp(t time.Time) scalar {
	if t.IsZero() {
		return ""
	}
	return scalar(t.In(edxml.Vietnam).Format(timeLayout))
}

// sent serves getSentEdocList.
func (s *served) sent() error {
	kind, err := s.kind()
	if err != nil {
		return err
	}
	id, err := s.need(paramID)
	if err != nil {
		return err
	}
	all, err := s.h.backend.SentPackets(s.r.Context(), s.system.Organs, id, kind)
	if err != nil {
		return err
	}
	entries := make([]sent, 0, len(all))
	for _, v := range all {
		entries = append(entries, sent{
			SenderDocID: scalar(v.ID), ReceiverDocID: scalar(v.DeliveryID), ServiceType: scalar(cmp.Or(v.Service, "eDoc")), MessageType: scalar(messageType(kind)),
			FromCode: scalar(v.From), ToCode: scalar(v.To), Title: scalar(v.Title), Notation: scalar(v.Notation),
			SentTime: stamp(v.SentAt), ReceivedTime: stamp(v.ReceivedAt), SendStatus: scalar(Done), SendStatusDesc: "Thanh cong",
			ReceiveStatus: scalar(v.State), ReceiveStatusDesc: scalar(v.Description),
		})
	}
	return write(s, entries)
}

// count serves countReceiveEdoc and countReceiveStatus.
func (s *served) count() error {
	kind := edxml.KindDocument
	if s.op == opCountStatus {
		kind = edxml.KindStatus
	}
	n, err := s.h.backend.CountDeliveries(s.r.Context(), s.system.Organs, kind)
	if err != nil {
		return err
	}
	o := good()
	o.field("count", n)
	s.answer(http.StatusOK, o)
	return nil
}

// update serves updateStatus.
func (s *served) update() error {
	id, err := s.need(paramID)
	if err != nil {
		return err
	}
	state, err := s.need(paramState)
	if err != nil {
		return err
	}
	if err := s.h.backend.UpdateDelivery(s.r.Context(), s.system.Organs, id, State(strings.ToLower(state)), s.param(paramText)); err != nil {
		return err
	}
	return s.ok()
}

// agencies serves getAgenciesList, getAgenciesListQD20 and getSynchronizeUnit.
func (s *served) agencies() error {
	organs, err := s.h.backend.Organs(s.r.Context())
	if err != nil {
		return err
	}
	level := 0
	if v := s.param(paramLevel); v != "" && s.op == opAgenciesQD20 {
		if level, err = strconv.Atoi(v); err != nil || level < 1 {
			return s.refusal(CodeRequest, edxml.Text{VI: "level %q không phải số từ 1", EN: "level %q is no number from 1"}, clip(v))
		}
	}
	l := newList(s)
	for _, o := range organs {
		id := organ.ID(o.OrganID)
		e := entry{ID: o.OrganID, Code: o.OrganID, Name: o.OrganName, Mail: o.Email}
		switch s.op {
		case opAgenciesQD20:
			if id.Generation() != organ.QD20 || level > 0 && len(id.Levels()) != level {
				continue
			}
			if old, ok := id.Counterpart(); ok {
				e.Code102 = string(old)
			}
		case opUnits:
			e.PID = parent(id)
			e.unit = &unit{IsAgency: true}
		default:
			e.PID = parent(id)
		}
		l.add(e)
	}
	return l.end()
}

// parent returns the identifier of the organ above one, "" for none.
func parent(id organ.ID) string {
	p, _ := id.Parent()
	return string(p)
}

// entry is an organ in an answer; nothing in it may be null, so what is not
// known is left out.
type entry struct {
	ID      string `json:"id"`
	PID     string `json:"pid,omitempty"`
	Code    string `json:"code"`
	Name    string `json:"name"`
	Mail    string `json:"mail,omitempty"`
	Code102 string `json:"code102,omitempty"`
	*unit
}

// unit is what getSynchronizeUnit says beside that.
type unit struct {
	Version  int  `json:"version"`
	Deleted  bool `json:"deleted"`
	IsAgency bool `json:"isAgency"`
}

// register serves registerAgency. Its body is not signed.
func (s *served) register() error {
	var a agency
	dec := json.NewDecoder(&bounded{src: s.r.Body, left: s.h.o.Limits.Body, limit: LimitError{Limit: "body", Max: s.h.o.Limits.Body}})
	if err := dec.Decode(&a); err != nil {
		if fault(err).Code == CodeLimit {
			return err
		}
		return s.refusal(CodeRequest, edxml.Text{VI: "nội dung không phải một đối tượng JSON: %v", EN: "the body is no JSON object: %v"}, err)
	}
	v := a.agency()
	if v.Code == "" || v.Name == "" {
		return s.refusal(CodeRequest, edxml.Text{VI: "thiếu code hoặc name của đơn vị", EN: "code or name of the organ is missing"})
	}
	if err := s.h.backend.Register(s.r.Context(), s.systemID, v); err != nil {
		return err
	}
	return s.ok()
}

// unregister serves deleteAgency.
func (s *served) unregister() error {
	code, err := s.need(paramAgency)
	if err != nil {
		return err
	}
	if err := s.h.backend.Unregister(s.r.Context(), s.systemID, code); err != nil {
		return err
	}
	return s.ok()
}

// fetch serves getEdoc.
func (s *served) fetch() error {
	file, err := s.packet()
	if err != nil {
		return err
	}
	defer file.close()
	o := good()
	o.key("data")
	o.b = append(o.b, '"')
	size := int64(-1)
	if file.size >= 0 {
		size = int64(len(o.b)) + encodedSize(file.size) + 2
	}
	s.begin(http.StatusOK, size)
	w := bufio.NewWriterSize(s.w, 64<<10)
	_, _ = w.Write(o.b) // an error stays until Flush
	if err := file.copy(func(content io.Reader) error { return encode(w, content) }); err != nil {
		return err
	}
	_, _ = w.WriteString(`"}`)
	return w.Flush()
}

// download serves downloadEdoc.
func (s *served) download() error {
	file, err := s.packet()
	if err != nil {
		return err
	}
	defer file.close()
	h := s.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if file.size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(file.size, 10))
	}
	s.begun = true
	s.w.WriteHeader(http.StatusOK)
	return file.copy(func(content io.Reader) error {
		_, err := io.Copy(s.w, content)
		return err
	})
}

// packet opens the packet of the delivery that is asked for.
func (s *served) packet() (*single, error) {
	id, err := s.need(paramID)
	if err != nil {
		return nil, err
	}
	p, err := s.h.backend.DeliveredPacket(s.r.Context(), s.system.Organs, id)
	if err != nil {
		return nil, err
	}
	return openSingle(p)
}

// listing is an answer whose data is an array, written as it is made.
type listing struct {
	s *served
	w *bufio.Writer
	o object
	n int
}

func newList(s *served) *listing {
	l := &listing{s: s, o: *good()}
	l.o.key("data")
	s.begin(http.StatusOK, -1)
	l.w = bufio.NewWriterSize(s.w, 32<<10)
	_, _ = l.w.Write(append(l.o.b, '[')) // an error stays until Flush
	return l
}

// add writes an entry.
func (l *listing) add(v any) {
	l.o.b = l.o.b[:0]
	if l.n++; l.n > 1 {
		l.o.b = append(l.o.b, ',')
	}
	l.o.value(v)
	_, _ = l.w.Write(l.o.b)
}

// end writes what closes the answer.
func (l *listing) end() error {
	_, _ = l.w.WriteString("]}")
	return l.w.Flush()
}

// write answers with a list.
func write[T any](s *served, entries []T) error {
	l := newList(s)
	for _, e := range entries {
		l.add(e)
	}
	return l.end()
}
