package edxml

import (
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// ValidateOptions says how to judge a packet. Of the zero value only Now must
// be filled in.
type ValidateOptions struct {
	// Now is the moment against which dates are judged.
	Now time.Time
	// Against is the set of rules; the zero value is Law.
	Against Against
	// Workday tells the working days, by their midnight in [Vietnam]; nil
	// means Monday to Friday. Tết and the days that are worked in exchange are
	// announced every year, so they are data of the caller.
	Workday func(day time.Time) bool
	// UrgentWithin is how long after its signature an urgent document may be
	// sent; 0 means 30 minutes. QĐ 28/2018/QĐ-TTg Art. 6(2) says "right after",
	// so the figure is a choice.
	UrgentWithin time.Duration
}

// Validate says what the rules of the law have to say about a packet that was
// read or built, beyond what reading found. It never stops at the first
// Finding. now is the moment against which dates are judged.
func Validate(p *Packet, now time.Time) []Finding {
	return ValidateWith(p, ValidateOptions{Now: now})
}

// ValidateWith is Validate for any set of rules. Of a packet that was read,
// Findings have the place of the element, or of the nearest element above it
// when it is missing. The Findings of reading are not repeated;
// [Against.Of] tells which of them the set holds.
func ValidateWith(p *Packet, o ValidateOptions) []Finding {
	v := &validation{ValidateOptions: o, packet: p}
	for _, f := range p.Findings {
		v.zipped = v.zipped || f.Rule == "PKT-7"
		v.recoded = v.recoded || f.Rule == "XML-6"
	}
	law, axis, vendor := o.Against == Law || o.Against == All, o.Against == Axis || o.Against == All, o.Against == Vendor || o.Against == All
	if law || axis {
		v.values()
	}
	if axis {
		v.axis()
	}
	if law {
		v.habits()
		v.structure() // it does not repeat what the others said
	}
	if vendor {
		v.vendor()
	}
	if o.Against == All {
		return v.findings
	}
	return o.Against.Of(v.findings)
}

type validation struct {
	ValidateOptions
	packet   *Packet
	zipped   bool // places are not those of the packet's bytes
	recoded  bool // offsets are not
	findings []Finding
}

// find records a Finding about the element at path, see [outline.element].
func (v *validation) find(id, path string, args ...any) {
	v.findAt(id, v.packet.outline.place(path), path, args...)
}

// findAt records a Finding.
func (v *validation) findAt(id string, pos xmlscan.Pos, path string, args ...any) {
	if v.zipped {
		pos = xmlscan.Pos{}
	}
	if v.recoded {
		pos.Offset = 0
	}
	v.findings = append(v.findings, rule(id).Find(pos, path, args...))
}

// spoken says that there is a Finding about this path already that asks for
// something to be mended.
func (v *validation) spoken(path string) bool {
	for _, f := range v.findings {
		if f.Path == path && f.Severity != Info {
			return true
		}
	}
	return false
}

// values checks what every reader stumbles over.
func (v *validation) values() {
	if s := v.packet.Status; s != nil {
		v.status(s)
		return
	}
	d := v.packet.Document
	if d == nil {
		return
	}
	v.document(d)
	if len(v.packet.Signatures) == 0 {
		v.find("SIG-1", "")
	}
}

// habits checks what the law asks for beyond that, and practice makes wise.
func (v *validation) habits() {
	if s := v.packet.Status; s != nil {
		v.organ("From/OrganId", s.From, time.Time{})
		v.moment("Timestamp", s.Timestamp)
		return
	}
	d := v.packet.Document
	if d == nil {
		return
	}
	v.organs(d)
	v.lengths(d)
	v.code(d)
	v.purpose(d)
	v.times(d)
	v.files(d)
	v.algorithms()
}

// shorten cuts a value from a packet for a message.
func shorten(s string) string {
	const most = 60
	r := []rune(strings.ToValidUTF8(s, "�"))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most]) + "…"
}
