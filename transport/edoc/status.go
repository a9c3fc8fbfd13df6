package edoc

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc/internal/wire"
	"github.com/lienthong/lienthong/transport/soap"
)

// SendStatus reports a Status. A Status that the axis says it has already is
// success: an earlier answer was lost.
//
// QUIRK: the BKAV axis refuses a doubled status with M.UpdateTraces, and uses
// the same code for its own failures (public server code). Only a text that
// speaks of existing counts as success; any other is a temporary Fault.
func (c *Client) SendStatus(ctx context.Context, s *edxml.Status) error {
	request := soap.ControlEnvelope(tokenHeader(c.Organ, c.Token), statusElement(s))
	e, err := c.exchange(ctx, opStatus).ask(request)
	if err != nil {
		return err
	}
	var r wire.UpdateTracesResponse
	if err := e.decode(e.body[0], &r); err != nil {
		return c.ill(opStatus, true, "%v", err)
	}
	err = c.done(opStatus, r.Report)
	var f *transport.Fault
	if errors.As(err, &f) && f.Code == "M.UpdateTraces" && s.StatusCode.Canonical() != edxml.StatusProcessing && doubled(f.Text) {
		return nil
	}
	return err
}

// doubled tells whether a refusal says that the same thing is there already.
func doubled(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"exist", "duplicate", "tồn tại", "ton tai", "trùng", "đã có"} {
		before, _, found := strings.Cut(text, word)
		if !found {
			continue
		}
		for _, negation := range []string{"not ", "n't ", "no ", "không ", "khong ", "chưa "} {
			if strings.HasSuffix(before, negation) {
				return false
			}
		}
		return true
	}
	return false
}

// traceElement writes a Status as GetTraces gives it: the code without its
// leading zero, the day of promulgation as a moment.
func traceElement(s *edxml.Status) string {
	code := string(s.StatusCode)
	if n, err := strconv.Atoi(code); err == nil {
		code = strconv.Itoa(n)
	}
	day := string(s.ResponseFor.PromulgationDate)
	if t, err := s.ResponseFor.PromulgationDate.Time(); err == nil {
		day = string(edxml.TimestampOf(t))
	}
	return "<edXML:Status>" + fromElement("edXML:", s) + responseElement("edXML:", s, day) + staffElement("edXML:", s) +
		element("edXML:StatusCode", code) + element("edXML:Description", s.Description) +
		element("edXML:Timestamp", string(s.Timestamp)) + "</edXML:Status>"
}

// statusElement writes a Status as UpdateTraces takes it: in no namespace and
// in the order of wsdl/edoc-requests.xsd.
func statusElement(s *edxml.Status) string {
	return "<Status>" + responseElement("", s, string(s.ResponseFor.PromulgationDate)) + fromElement("", s) +
		element("StatusCode", string(s.StatusCode)) + element("Description", s.Description) +
		element("Timestamp", string(s.Timestamp)) + staffElement("", s) + "</Status>"
}

func fromElement(p string, s *edxml.Status) string {
	return "<" + p + "From>" + organFields(p, s.From) + "</" + p + "From>"
}

func responseElement(p string, s *edxml.Status, day string) string {
	r := s.ResponseFor
	return "<" + p + "ResponseFor>" + element(p+"OrganId", r.OrganID) + element(p+"Code", r.Code) +
		element(p+"PromulgationDate", day) + element(p+"DocumentId", r.DocumentID) + "</" + p + "ResponseFor>"
}

// staffElement writes StaffInfo, also an empty one: the BKAV axis fails
// without it.
func staffElement(p string, s *edxml.Status) string {
	staff := s.StaffInfo
	if staff == nil {
		staff = &edxml.StaffInfo{}
	}
	return "<" + p + "StaffInfo>" + element(p+"Department", staff.Department) + element(p+"Staff", staff.Staff) +
		element(p+"Mobile", staff.Mobile) + element(p+"Email", staff.Email) + "</" + p + "StaffInfo>"
}

// organFields writes the eight fields of an organ.
func organFields(p string, o edxml.Organ) string {
	return element(p+"OrganId", o.OrganID) + element(p+"OrganizationInCharge", o.OrganizationInCharge) +
		element(p+"OrganName", o.OrganName) + element(p+"OrganAdd", o.OrganAdd) + element(p+"Email", o.Email) +
		element(p+"Telephone", o.Telephone) + element(p+"Fax", o.Fax) + element(p+"Website", o.Website)
}

// organization turns an organ of an answer into ours.
func organization(o *wire.Organization) edxml.Organ {
	if o == nil {
		return edxml.Organ{}
	}
	return edxml.Organ{
		OrganID: strings.TrimSpace(o.OrganId), OrganizationInCharge: o.OrganizationInCharge, OrganName: o.OrganName,
		OrganAdd: o.OrganAdd, Email: o.Email, Telephone: o.Telephone, Fax: o.Fax, Website: o.Website,
	}
}

// reported turns the Status of an UpdateTraces request into ours.
func reported(w *wire.Status) *edxml.Status {
	s := &edxml.Status{
		StatusCode: edxml.StatusCode(w.StatusCode).Canonical(), Description: strings.TrimSpace(w.Description),
		Timestamp: edxml.Timestamp(strings.TrimSpace(w.Timestamp)),
	}
	if f := w.From; f != nil {
		s.From = edxml.Organ{
			OrganID: strings.TrimSpace(f.OrganId), OrganizationInCharge: f.OrganizationInCharge, OrganName: f.OrganName,
			OrganAdd: f.OrganAdd, Email: f.Email, Telephone: f.Telephone, Fax: f.Fax, Website: f.Website,
		}
	}
	if r := w.ResponseFor; r != nil {
		s.ResponseFor = edxml.ResponseFor{
			OrganID: strings.TrimSpace(r.OrganId), Code: strings.TrimSpace(r.Code), DocumentID: strings.TrimSpace(r.DocumentId),
			PromulgationDate: edxml.Date(strings.TrimSpace(r.PromulgationDate)),
		}
	}
	if i := w.StaffInfo; i != nil {
		s.StaffInfo = &edxml.StaffInfo{Department: i.Department, Staff: i.Staff, Mobile: i.Mobile, Email: i.Email}
	}
	return s
}
