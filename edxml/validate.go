package edxml

import (
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Validate says what the rules have to say about a packet that was read or
// built, beyond what reading found. It never stops at the first Finding. now
// is the moment against which dates are judged.
func Validate(p *Packet, now time.Time) []Finding {
	v := &validation{now: now}
	if p.Status != nil {
		v.status(p.Status)
		return v.findings
	}
	if p.Document != nil {
		v.document(p.Document)
		if len(p.Signatures) == 0 {
			v.find("SIG-1", "")
		}
	}
	return v.findings
}

type validation struct {
	now      time.Time
	findings []Finding
}

func (v *validation) find(id, path string, args ...any) {
	v.findings = append(v.findings, finding(id, xmlscan.Pos{}, path, args...))
}

func (v *validation) document(d *Document) {
	if d.From.OrganID == "" {
		v.find("ID-1", "From/OrganId", "From")
	}
	v.receivers(d.To)
	for _, f := range []struct{ name, value string }{
		{"DocumentId", d.DocumentID},
		{"Code/CodeNumber", d.Code.CodeNumber}, {"Code/CodeNotation", d.Code.CodeNotation},
		{"Subject", d.Subject}, {"From/OrganName", d.From.OrganName},
	} {
		if f.value == "" {
			v.find("DOC-1", f.name, f.name)
		}
	}
	v.dates(d)
	if n, ok := d.OtherInfo.Priority.Int(); d.OtherInfo.Priority != "" && (!ok || n < 0 || n > 4) {
		v.find("DOC-7", "OtherInfo/Priority", string(d.OtherInfo.Priority))
	}
	switch d.DocType() {
	case New, Recall, Update, Replace:
	default:
		v.find("DOC-12", "Bussiness/BussinessDocType", string(d.DocType()))
	}
	switch mark := strings.ToLower(d.OtherInfo.SphereOfPromulgation); mark {
	case "mật", "tối mật", "tuyệt mật":
		v.find("DOC-8", "OtherInfo/SphereOfPromulgation", d.OtherInfo.SphereOfPromulgation)
	}
}

func (v *validation) receivers(to []Organ) {
	if len(to) == 0 {
		v.find("DOC-10", "To")
	}
	seen := make(map[string]bool)
	for i, o := range to {
		path := "To[" + strconv.Itoa(i+1) + "]/OrganId"
		switch {
		case o.OrganID == "":
			v.find("ID-1", path, "To["+strconv.Itoa(i+1)+"]")
		case seen[o.OrganID]:
			v.find("DOC-11", path, o.OrganID)
		}
		seen[o.OrganID] = true
	}
}

func (v *validation) dates(d *Document) {
	promulgated := d.PromulgationInfo.PromulgationDate
	if promulgated == "" {
		v.find("DOC-1", "PromulgationInfo/PromulgationDate", "PromulgationInfo/PromulgationDate")
	} else if t, err := promulgated.Time(); err != nil {
		v.find("DOC-3", "PromulgationInfo/PromulgationDate", "PromulgationDate", string(promulgated))
	} else if t.After(v.now) {
		v.find("DOC-3a", "PromulgationInfo/PromulgationDate", string(promulgated))
	}
	if _, err := d.DueDate.Time(); d.DueDate != "" && err != nil {
		v.find("DOC-3", "DueDate", "DueDate", string(d.DueDate))
	}
	v.documentID("DocumentId", d.DocumentID)
	if d.Business != nil {
		v.documentID("Bussiness/DocumentId", d.Business.DocumentID)
	}
}

// documentID looks at the date inside an identifier of the recommended form.
// It is not compared with the promulgation date: vendor samples disagree there.
func (v *validation) documentID(path, id string) {
	parts := strings.SplitN(id, ",", 3)
	if len(parts) != 3 || strings.Count(parts[1], "/") != 2 {
		return
	}
	if _, err := Date(parts[1]).Time(); err != nil {
		v.find("DOC-3b", path, id)
	}
}

func (v *validation) status(s *Status) {
	if s.From.OrganID == "" {
		v.find("ID-1", "From/OrganId", "From")
	}
	if _, ok := s.StatusCode.Name(); !ok {
		v.find("ST-1", "StatusCode", string(s.StatusCode))
	}
	switch s.StatusCode.Canonical() {
	case StatusRefused, StatusTakeBack, StatusTakeBackDenied:
		if s.Description == "" {
			v.find("ST-2", "Description", string(s.StatusCode))
		}
	}
	if s.ResponseFor.OrganID == "" {
		v.find("ST-5", "ResponseFor/OrganId", "OrganId")
	}
	if s.ResponseFor.Code == "" && s.ResponseFor.DocumentID == "" {
		v.find("ST-5", "ResponseFor/Code", "Code")
	}
	if _, err := s.Timestamp.Time(); err != nil {
		v.find("DOC-3", "Timestamp", "Timestamp", string(s.Timestamp))
	}
}
